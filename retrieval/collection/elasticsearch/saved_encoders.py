"""Fitted encoders on disk, which a load takes its codes from: fitted once, used wherever a shard is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from encoders.artifact import encoder_digest
from encoders.base import Encoder
from encoders.codes import Space
from encoders.errors import OptionError, UnsupportedSpaceError
from indexers.description import Description
from indexers.elasticsearch.collection_field import CollectionField
from indexers.elasticsearch.fields import field_of
from indexers.elasticsearch.index_admin import IndexAdmin
from indexers.elasticsearch.mapping import IndexMapping
from indexers.registry import create_index
from retrieval.collection.elasticsearch.bulk_load import Cost, Target
from retrieval.collection.elasticsearch.manifest import FieldRecord, field_records
from retrieval.spaces.saved_space import SpaceRecord, folder_name
from retrieval.spaces.space_encoder import encoder_of, is_saved


@dataclass(frozen=True)
class FittedSpace:
    """An encoder that is fitted and saved.

    Attributes
    ----------
    encoder : Encoder
    folder : Path
        Where it is saved.
    digest : str
        Its identity.
    fit_seconds : float
    """

    encoder: Encoder
    folder: Path
    digest: str
    fit_seconds: float = 0.0

    @classmethod
    def at(cls, folder: Path, fit_seconds: float = 0.0) -> FittedSpace:
        """Open a saved encoder.

        Raises
        ------
        ArtifactError
            When the folder holds none.
        """
        return cls(Encoder.load(folder), folder, encoder_digest(folder), fit_seconds)

    @property
    def spec(self) -> str:
        """The space as it is written."""
        return str(self.encoder)

    def record(self, description: str, cost: Cost) -> SpaceRecord:
        """Return what the manifest of a collection says of it."""
        return SpaceRecord(
            spec=self.spec,
            folder=folder_name(self.spec),
            index=description,
            encoder_digest=self.digest,
            index_digest="",
            fitted_on=self.encoder.fitted_on or "",
            fit_seconds=self.fit_seconds,
            encode_seconds=cost.encode_seconds,
            code_bytes=cost.code_bytes,
            space=self.encoder.space.to_json(),
        )


def saved_spaces(specs: Sequence[str]) -> list[FittedSpace]:
    """Open the spaces of a shard of a load: folders of encoders that were fitted before.

    Raises
    ------
    OptionError
        For a spec: every shard would fit an encoder of its own. For two encoders of one spec.
    """
    for spec in specs:
        if not is_saved(Path(spec).expanduser()):
            encoder_of(spec)  # what it is no spec of either is said first
            raise OptionError(
                f"the shards of a load share encoders: fit this one once, with  nearby train CORPUS {spec} -o FOLDER  "
                "and give its folder, as in -s FOLDER"
            )
    spaces = [FittedSpace.at(Path(spec).expanduser()) for spec in specs]
    names = [space.spec for space in spaces]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise OptionError(f"the space '{twice[0]}' is named twice: name each only once")
    return spaces


def require_servable(encoder: Encoder) -> None:
    """Refuse, before it is fitted, a space of words that Elasticsearch does not weigh.

    Raises
    ------
    UnsupportedSpaceError
    """
    from encoders.text.bag_of_words import BagOfWords
    from encoders.text.bm25 import BM25

    last = encoder.parts[-1]
    if isinstance(last, BagOfWords) and not (isinstance(last, BM25) and last.method == "lucene"):
        raise UnsupportedSpaceError(
            f"'elasticsearch' cannot hold the sparse codes of '{encoder}', which it would round: of words it takes "
            "bm25 with method=lucene; use that, or '--index sparse', or make them dense, e.g. by '+lsa:128'"
        )


def mapping_of(
    spaces: Sequence[FittedSpace], admin: IndexAdmin, description: Description
) -> tuple[IndexMapping, tuple[FieldRecord, ...]]:
    """Return the fields of an index for some spaces, and their records.

    Raises
    ------
    UnsupportedSpaceError, DimensionError
        For a space that Elasticsearch cannot hold, before anything is made.
    """
    for space in spaces:  # the index' own refusals
        create_index(str(description), space.encoder.space, space.encoder.lexicon).close()
    records = field_records([(space.spec, space.digest, space.encoder.space) for space in spaces])
    return (
        IndexMapping(
            {
                record.field: field_of(space.encoder.space, admin.address, space.encoder.lexicon)
                for record, space in zip(records, spaces, strict=True)
            }
        ),
        records,
    )


def targets_of(
    spaces: Sequence[FittedSpace], records: Sequence[FieldRecord], description: Description, index: str
) -> list[Target]:
    """Return where the codes of each space go."""
    return [
        Target(space.encoder, field_at(space.encoder, record.field, description, index))
        for space, record in zip(spaces, records, strict=True)
    ]


def field_at(encoder: Encoder, field: str, description: Description, index: str) -> CollectionField:
    """Return the field of an index that holds an encoder's space."""
    space: Space = encoder.space
    return CollectionField(space, description.backend, description.parameters, encoder.lexicon, field, index)
