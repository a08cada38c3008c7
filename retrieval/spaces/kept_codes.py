"""Codes of a slow encoder, kept block by block until a collection is written, so that a kill loses one block."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array, issparse

from encoders.artifact import library_versions
from encoders.atomic_write import atomic_file
from encoders.base import Encoder
from encoders.checksums import SUM_BYTES, sum_of
from encoders.codes import Codes
from encoders.errors import ArtifactError, CollectionError
from encoders.plain_file import entries_below, read_plain
from encoders.progress import ProgressCallback

#: Number of the form of the files; a file of another form is not read.
FORMAT = 1
SUFFIX = ".codes"


class Coded(NamedTuple):
    """The codes of a block of items, codes (n, dim), and the seconds that they took."""

    codes: Codes
    seconds: float


class KeptCodes:
    """The codes of one space in its work folder.

    The checksum of a block is that of its codes, the ids of its items and the identity together. A block that is
    damaged, or of another corpus, encoder or version, is encoded again and replaced.

    Parameters
    ----------
    work : Path
        The work folder of the space.
    identity : str
        Of all that codes depend on; see `identity_of`.

    Attributes
    ----------
    taken : int
        Number of items whose codes were there.
    """

    def __init__(self, work: Path, identity: str) -> None:
        self._work, self._identity = work, identity
        self.taken = 0

    def coded(self, number: int, ids: Sequence[str], encode: Callable[[], Codes]) -> Coded:
        """Return the codes of a block of the corpus: those on disk, or those that `encode` returns, which are written.

        Raises
        ------
        OSError
            When they cannot be written.
        """
        path = self._work / f"{number:06}{SUFFIX}"
        named = "\0".join([self._identity, str(number), *ids]).encode("utf-8", "surrogatepass")
        try:
            raw = read_plain(path)
        except OSError:
            raw = b""
        if raw[:SUM_BYTES] == sum_of(named + raw[SUM_BYTES:]):
            self.taken += len(ids)
            return _unpacked(raw[SUM_BYTES:])
        made = timed(encode)
        packed = _packed(made)
        with atomic_file(path) as file:
            file.write(sum_of(named + packed) + packed)
        return made


def kept_by(encoder: Encoder, work: Path, items_digest: str) -> KeptCodes | None:
    """Return what keeps the codes of an encoder; None for one that encodes about as quickly as codes are read."""
    return KeptCodes(work, identity_of(encoder, items_digest)) if encoder.is_slow else None


def timed(encode: Callable[[], Codes]) -> Coded:
    """Return codes with the seconds that they take."""
    before = time.perf_counter()
    codes = encode()
    return Coded(codes, time.perf_counter() - before)


def identity_of(encoder: Encoder, items_digest: str) -> str:
    """Return a digest of what codes depend on: items, encoder with its options and weights, versions of libraries."""
    digest = hashlib.sha256()
    digest.update(json.dumps([FORMAT, items_digest, encoder.spec(full=True), library_versions()]).encode())
    for name, values in sorted(encoder.state().items()):
        digest.update(f"{name} {values.shape} {values.dtype}\n".encode())
        digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()


def kept_blocks(work: Path) -> list[Path]:
    """Return the files of codes below a work folder; none where it is missing or cannot be read."""
    try:
        return [Path(entry.path) for entry in entries_below(work) if entry.name.endswith(SUFFIX)]
    except OSError:
        return []


@contextmanager
def said_if_kept(work: Path, say: ProgressCallback) -> Iterator[None]:
    """Say that codes are kept when the block is interrupted or fails."""
    try:
        yield
    except (KeyboardInterrupt, CollectionError, ArtifactError):
        if kept_blocks(work):
            say(f"what was encoded is kept in {work}; the same command continues")
        raise


def _packed(made: Coded) -> bytes:
    from safetensors.numpy import save

    codes = made.codes
    arrays = {"seconds": np.array([made.seconds])}
    if issparse(codes):
        arrays |= {"data": codes.data, "indices": codes.indices, "indptr": codes.indptr, "shape": np.array(codes.shape)}
    else:
        arrays["codes"] = np.ascontiguousarray(codes)
    return save(arrays)


def _unpacked(packed: bytes) -> Coded:
    from safetensors.numpy import load

    arrays = load(packed)
    codes: Codes
    if "codes" in arrays:
        codes = arrays["codes"]
    else:
        shape = tuple(arrays["shape"].tolist())
        codes = csr_array((arrays["data"], arrays["indices"], arrays["indptr"]), shape=shape)
    return Coded(codes, float(arrays["seconds"][0]))
