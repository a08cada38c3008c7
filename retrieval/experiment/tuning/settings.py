"""The indexes that are tried for a space: FAISS' factory strings, each with search parameters from fast to thorough.

Sizes follow FAISS' guidelines (https://github.com/facebookresearch/faiss/wiki/Guidelines-to-choose-an-index).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from encoders.codes import Kind, Space
from encoders.errors import NearbyError
from indexers.description import Description
from indexers.registry import create_index

#: Codes that FAISS wants for each centroid; from fewer it learns worse ones, and warns.
POINTS_PER_CENTROID = 39
#: Lists of an inverted file for n items: this many times the root of n.
LISTS_PER_ROOT = 4
#: Fewest lists that are worth a look; fewest items of a codebook of 256.
FEWEST_LISTS, CODEBOOK_ITEMS = 8, 256 * POINTS_PER_CENTROID
#: Candidates for each answer that are compared again by their full codes.
REFINED = (4, 16)
EF_SEARCH = (16, 32, 64, 128, 256, 512)
MOST_FLIPS = 3


@dataclass(frozen=True)
class Build:
    """An index that is built once, and searched with several settings.

    Attributes
    ----------
    backend : str
        FAISS' factory string.
    searches : tuple of tuple of mapping
        Search parameters in sequences, each from fast to thorough; an empty mapping for none.
    holds_codes : bool
        Whether the index holds every code in full.
    """

    backend: str
    searches: tuple[tuple[Mapping[str, str], ...], ...] = (({},),)
    holds_codes: bool = False

    @property
    def family(self) -> str:
        """The kind of the index, whatever the number of its items: without the number of lists, or of hashed bits.

        Examples
        --------
        >>> Build("IVF256,PQ16").family, Build("BHash4x13").family
        ('IVF,PQ16', 'BHash4x')
        """
        return re.sub(r"(IVF|BHash(?:4x)?)\d+", r"\1", self.backend)

    def description(self, parameters: Mapping[str, str]) -> str:
        """Return the description of the index with search parameters, as ``--index`` takes it."""
        return str(Description("faiss", self.backend, parameters))


def builds_for(space: Space, n_items: int) -> list[Build]:
    """Return the indexes that suit a space and a number of items; those that this FAISS cannot build are left out.

    Examples
    --------
    >>> from encoders.codes import Metric
    >>> [build.backend for build in builds_for(Space(64, Kind.BINARY, Metric.HAMMING), 10_000)]
    ['BFlat', 'BIVF256', 'BHNSW32', 'BHash13', 'BHash4x13']
    >>> builds_for(Space(64, Kind.DENSE, Metric.COSINE), 10_000)[1].searches[0][:2]
    ({'nprobe': '1'}, {'nprobe': '2'})
    """
    made = _binary(space, n_items) if space.kind is Kind.BINARY else _dense(space, n_items)
    return [build for build in made if _is_possible(build, space)]


def n_lists(n_items: int) -> int:
    """Return the number of lists of an inverted file, a power of two; 0 when there are too few items for one."""
    largest = min(LISTS_PER_ROOT * math.sqrt(n_items), n_items / POINTS_PER_CENTROID)
    return 2 ** math.floor(math.log2(largest)) if largest >= FEWEST_LISTS else 0


def _dense(space: Space, n_items: int) -> Iterator[Build]:
    lists = n_lists(n_items)
    probes = _doubling("nprobe", lists // 2)
    yield Build("Flat", holds_codes=True)
    if lists:
        yield Build(f"IVF{lists},Flat", (probes,), holds_codes=True)
    yield Build("HNSW32", (_values("efSearch", EF_SEARCH),), holds_codes=True)
    if not lists:
        return
    yield Build(f"IVF{lists},SQ8", (probes,))
    refined = tuple(tuple({**probe, "k_factor_rf": str(factor)} for probe in probes) for factor in REFINED)
    parts = _codebooks(space.dim)
    if n_items >= CODEBOOK_ITEMS:
        yield Build(f"IVF{lists},PQ{parts}", (probes,))
        yield Build(f"IVF{lists},PQ{parts},RFlat", refined, holds_codes=True)
    yield Build(f"IVF{lists},PQ{_codebooks(space.dim, 2)}x4fs,RFlat", refined, holds_codes=True)
    yield Build(f"IVF{lists},RaBitQ", (probes,))
    yield Build(f"IVF{lists},RaBitQ,RFlat", refined, holds_codes=True)


def _binary(space: Space, n_items: int) -> Iterator[Build]:
    lists = n_lists(n_items)
    yield Build("BFlat", holds_codes=True)
    if lists:
        yield Build(f"BIVF{lists}", (_doubling("nprobe", lists // 2),), holds_codes=True)
    yield Build("BHNSW32", (_values("efSearch", EF_SEARCH),), holds_codes=True)
    bits = min(space.dim, max(1, round(math.log2(n_items))))
    flips = _values("nflip", range(min(bits, MOST_FLIPS) + 1))
    yield Build(f"BHash{bits}", (flips,), holds_codes=True)
    if 4 * bits <= space.dim:
        yield Build(f"BHash4x{bits}", (flips[:-1],), holds_codes=True)


def _codebooks(dim: int, each: int = 4) -> int:
    """Return how many codebooks share `dim` components: parts of about `each`, all equally wide."""
    max_parts = max(1, dim // each)
    return max(parts for parts in range(1, max_parts + 1) if dim % parts == 0)


def _doubling(key: str, largest: int) -> tuple[Mapping[str, str], ...]:
    return _values(key, [2**power for power in range(max(1, largest).bit_length())])


def _values(key: str, values: tuple[int, ...] | list[int] | range) -> tuple[Mapping[str, str], ...]:
    return tuple({key: str(value)} for value in values)


def _is_possible(build: Build, space: Space) -> bool:
    """Return whether this FAISS builds the index for the space: RaBitQ, for example, is newer than others."""
    with suppress(NearbyError):
        create_index(build.description(build.searches[0][0]), space).close()
        return True
    return False
