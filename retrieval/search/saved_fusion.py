"""The weights of a fusion, stored with a collection by ``nearby compare --save-fusion``."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from encoders.artifact import check_format, check_seal, read_json, sealed
from encoders.atomic_write import write_json
from encoders.errors import ArtifactError, one_line
from retrieval.collection.base import Collection
from retrieval.search.option_names import NamedOptionError

FILE, KIND = "fusion.json", "the weights of a fusion"
_HOW = "choose weights with  nearby compare {} --save-fusion"


@dataclass(frozen=True)
class SavedFusion:
    """The weights of a convex combination, and how they were chosen.

    Attributes
    ----------
    weights : dict of str to float
        Spec of a space -> its weight.
    encoders : dict of str to str
        Spec -> the digest of its encoder; another encoder has other scores.
    depth : int
        Number of hits of each space that were fused.
    measure : str
        Which chose the weights.
    judged_by : str
        What said which answers are relevant.
    n_queries : int
    in_sample, held_out : float
        Mean of the measure over the queries that chose the weights, and over others.
    date : str
    """

    weights: dict[str, float]
    encoders: dict[str, str]
    depth: int
    measure: str
    judged_by: str
    n_queries: int
    in_sample: float
    held_out: float
    date: str

    @classmethod
    def save(cls, collection: Collection, weights: dict[str, float], **chosen: Any) -> SavedFusion:
        """Write the weights of some spaces of a collection; earlier ones are replaced.

        Parameters
        ----------
        collection : Collection
        weights : dict of str to float
            Spec of each space -> its weight.
        **chosen
            The other attributes, except the digests and the date.

        Raises
        ------
        ArtifactError
            When the folder cannot be written.
        """
        digests = {spec: collection.spaces[spec].encoder_digest for spec in weights}
        made = cls(weights, digests, date=time.strftime("%Y-%m-%d"), **chosen)
        path = Path(collection.folder) / FILE
        try:
            write_json(path, sealed({"nearby": KIND, "format": 1, **asdict(made)}))
        except OSError as error:
            raise ArtifactError(f"cannot write {path}: {error.strerror or error}; nothing was changed") from error
        return made

    @classmethod
    def load(cls, collection: Collection) -> SavedFusion:
        """Read the weights of a collection.

        Raises
        ------
        OptionError
            When there are none, or the spaces have changed since.
        ArtifactError
            When the file is damaged, foreign or of a newer format.
        """
        folder = Path(collection.folder)
        path, how = folder / FILE, _HOW.format(folder)
        if not path.exists():
            raise NamedOptionError("{fuse} saved: {0} has no saved fusion: {1}", folder, how)
        value = read_json(path, KIND)
        check_format(value, KIND, path)
        check_seal(value, path)
        try:
            fusion = cls(
                {str(spec): float(weight) for spec, weight in value["weights"].items()},
                {str(spec): str(digest) for spec, digest in value["encoders"].items()},
                int(value["depth"]),
                str(value["measure"]),
                str(value["judged_by"]),
                int(value["n_queries"]),
                float(value["in_sample"]),
                float(value["held_out"]),
                str(value["date"]),
            )
            if not all(math.isfinite(weight) and weight >= 0 for weight in fusion.weights.values()):
                raise ValueError("a weight is below 0")
            if fusion.depth < 1 or fusion.weights.keys() != fusion.encoders.keys() or not any(fusion.weights.values()):
                raise ValueError("weights and spaces do not belong together")
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
            raise ArtifactError(f"{path} is corrupt: {one_line(error)}; {how}") from None
        for spec, digest in fusion.encoders.items():
            if spec not in collection.spaces:
                raise NamedOptionError(
                    "{fuse} saved: the weights are for the space '{0}', which {1} lacks: {2}", spec, folder, how
                )
            if collection.spaces[spec].encoder_digest != digest:
                raise NamedOptionError(
                    "{fuse} saved: the space '{0}' was fitted again after its weight was chosen: {1}", spec, how
                )
        return fusion
