"""A saved detector: a folder of JSON and safetensors, with an encoder and an index for each space."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from encoders.artifact import check_format, check_seal, digest_of, encoder_digest, library_versions, read_json, sealed
from encoders.atomic_write import atomic_folder, write_json
from encoders.base import Encoder
from encoders.errors import ArtifactError, NearbyError, OptionError, one_line
from encoders.json_text import parse_json
from encoders.numbers import shortened
from encoders.plain_file import read_plain
from indexers.registry import load_index
from retrieval.applications.anomaly.choice import create_score
from retrieval.applications.anomaly.detector import AnomalyDetector
from retrieval.applications.anomaly.member import Member
from retrieval.applications.anomaly.neighbours import K, Neighbours
from retrieval.applications.anomaly.normal_items import NormalItems
from retrieval.applications.anomaly.score import Score
from retrieval.applications.anomaly.stages import Stages
from retrieval.applications.anomaly.stored_values import (
    require_contents,
    stored,
    stored_array,
    stored_options,
    stored_record,
)

if TYPE_CHECKING:
    from encoders.base import State

#: Files and folders of a detector.
_OWN = re.compile(r"manifest\.json|arrays\.safetensors|normal\.(json|safetensors)|(encoder|index)-\d+")
KIND, FORMAT = "an anomaly detector", 2
#: The first format whose indexes hold the input of a density instead of its code; others are written as format 1.
INPUTS_INDEXED = 2
MANIFEST, ARRAYS, NORMAL, CONTENTS = "manifest.json", "arrays.safetensors", "normal.json", "normal.safetensors"


def require_new(folder: Path, fresh: bool) -> None:
    """Raise when the folder holds other things, or a detector that `fresh` does not allow to replace.

    Raises
    ------
    OptionError, ArtifactError
    """
    if not folder.exists():
        return
    if folder.is_symlink() or not _is_detector(folder):
        raise ArtifactError(f"{folder} exists and is not an anomaly detector: choose another folder")
    foreign = sorted(path.name for path in folder.iterdir() if not _OWN.fullmatch(path.name))
    if foreign:
        raise ArtifactError(
            f"{folder} also holds {', '.join(foreign[:3])}, which would be lost: move it away, or choose another folder"
        )
    if not fresh:
        raise OptionError(f"{folder} holds an anomaly detector: replace it with --fresh, or choose a new folder")


def _is_detector(folder: Path) -> bool:
    """Return whether the manifest of a folder is that of a detector, damaged or not."""
    try:
        with (folder / MANIFEST).open("rb") as file:
            return KIND.encode() in file.read(1 << 20)
    except OSError:
        return False


def save_detector(detector: AnomalyDetector, folder: Path) -> Path:
    """Write a detector; see `AnomalyDetector.save`."""
    from safetensors.numpy import save_file

    require_new(folder, fresh=True)
    with atomic_folder(folder) as temporary:
        arrays: dict[str, Any] = {"calibration": detector.calibration, "training": detector.training}
        members = []
        for number, member in enumerate(detector.members):
            member.encoder.save(temporary / f"encoder-{number}")
            member.index.save(temporary / f"index-{number}")
            member_arrays = {**member.score.state(), "mean": member.mean, "reference": member.reference}
            arrays |= {f"{number}.{key}": value for key, value in member_arrays.items()}
            members.append(
                {
                    "spec": str(member.encoder),
                    "score": member.score.name,
                    "options": member.score.options(),
                    "encoder_digest": encoder_digest(temporary / f"encoder-{number}"),
                    "index_digest": digest_of(temporary / f"index-{number}" / MANIFEST),
                }
            )
        save_file({key: np.ascontiguousarray(value) for key, value in arrays.items()}, temporary / ARRAYS)
        normal = detector.normal_items
        (temporary / NORMAL).write_text(json.dumps(normal.texts(), ensure_ascii=False), encoding="utf-8")
        save_file({} if normal.contents is None else {"contents": normal.contents}, temporary / CONTENTS)
        manifest = {
            "nearby": KIND,
            "format": INPUTS_INDEXED if any(member.indexes_inputs for member in detector.members) else 1,
            "members": members,
            "record": asdict(detector.record),
            "digests": {name: digest_of(temporary / name) for name in (ARRAYS, NORMAL, CONTENTS)},
            "versions": library_versions(),
        }
        write_json(temporary / MANIFEST, sealed(manifest))
    return folder


def load_detector(folder: Path) -> AnomalyDetector:
    """Read a detector; see `AnomalyDetector.load`."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    manifest = read_json(folder / MANIFEST, KIND)
    check_format(manifest, KIND, folder / MANIFEST, FORMAT)
    check_seal(manifest, folder / MANIFEST)
    try:
        digests = stored(manifest, "digests", dict, MANIFEST)
        for name in (ARRAYS, NORMAL, CONTENTS):
            if digest_of(folder / name) != stored(digests, name, str, f"the checksums of {MANIFEST}"):
                raise ArtifactError(f"{folder / name} is damaged: its checksum is not the one in {MANIFEST}")
        arrays = load_file(folder / ARRAYS)
        texts = parse_json(read_plain(folder / NORMAL))
        normal = NormalItems.from_texts(texts, load_file(folder / CONTENTS).get("contents"))
        values = stored(manifest, "members", list, MANIFEST)
        several, old = len(values) > 1, manifest["format"] < INPUTS_INDEXED
        members = [_member(folder, number, value, arrays, several, old) for number, value in enumerate(values)]
        calibration = stored_array(arrays, "calibration")
        _require_known(arrays, members)
        if not members:
            raise ValueError("it has no spaces")
        if any(len(member.index) != len(normal.ids) for member in members):
            raise ValueError("its index does not hold its normal items")
        record = stored_record(stored(manifest, "record", dict, MANIFEST), len(calibration))
        if any(member.encoder.reads is not record.modality for member in members):
            raise ValueError(f"its spaces do not read {record.modality}s")
        require_contents(normal, record)
        training = stored_array(arrays, "training") if "training" in arrays else np.zeros(0)
        detector = AnomalyDetector(members, calibration, normal, record, training)
        if normal.rows is not None and set(normal.rows[0].names) != set(detector.columns):
            raise ValueError("its normal items have other columns than its spaces")
        return detector
    except NearbyError:
        raise
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, OSError, SafetensorError) as error:
        raise ArtifactError(f"{folder} is corrupt: {one_line(error)}") from error


def _member(folder: Path, number: int, value: Any, arrays: State, several: bool, old: bool) -> Member:
    encoder_folder, index_folder = folder / f"encoder-{number}", folder / f"index-{number}"
    where = f"space {number} of {MANIFEST}"
    encoder = Encoder.load(encoder_folder)
    index = load_index(index_folder)
    if encoder_digest(encoder_folder) != stored(value, "encoder_digest", str, where):
        raise ArtifactError(f"{encoder_folder} is not the encoder of this detector: its checksum is another one")
    stored(value, "spec", str, where)  # written for people
    score = _score(value, Stages.of(encoder), where)
    indexes_inputs = not old and score.stages.ends_in_density and not isinstance(score, Neighbours)
    space = score.stages.input_space if indexes_inputs else encoder.space
    if digest_of(index_folder / MANIFEST) != stored(value, "index_digest", str, where) or index.space != space:
        raise ArtifactError(f"{index_folder} is not the index of this detector: its checksum is another one")
    if isinstance(score, Neighbours):
        score.index = index
    prefix = f"{number}."
    state = {key[len(prefix) :]: array for key, array in arrays.items() if key.startswith(prefix)}
    mean = stored_array(arrays, f"{prefix}mean", score.stages.width)
    # the scores among which a score gets its rank; a single space needs none
    reference = stored_array(arrays, f"{prefix}reference") if several else np.zeros(0)
    score.restore({key: array for key, array in state.items() if key not in ("mean", "reference")})
    return Member(encoder, score.stages, score, index, mean, reference, indexes_inputs)


def _score(value: Any, stages: Stages, where: str) -> Score:
    options = stored(value, "options", dict, where)
    k = options.get("k", K)
    if type(k) is not int or not 1 <= k < 2**31:
        raise ValueError(f"'k' of {where} is {shortened(k)}, not a whole number from 1")
    made = create_score(stored(value, "score", str, where), stages, k, bool(options.get("standardise", False)))
    stored_options(options, made, where)
    return made


def _require_known(arrays: State, members: Sequence[Member]) -> None:
    """Raise an error for an array that belongs to no space."""
    known = {"calibration", "training"}
    for number, member in enumerate(members):
        known |= {f"{number}.{key}" for key in ("mean", "reference", *member.score.state())}
    for name in arrays:
        if name not in known:
            raise ValueError(f"its numbers '{name}' belong to no space")
