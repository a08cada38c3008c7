"""The index settings of a space: recall, speed and size of each, and the fastest that is good enough. Read this first.

Nothing is written: indexes are built in memory, one after the other, from the codes that the collection holds.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Codes, Kind, Space
from encoders.errors import BadItemError, OptionError
from encoders.numbers import counted
from encoders.progress import ProgressCallback, progress, quiet
from indexers.checked_index import CheckedIndex
from indexers.folder import names_bytes
from indexers.registry import create_index
from retrieval.collection.base import Collection
from retrieval.experiment.tuning.queries import Queries, queries_of
from retrieval.experiment.tuning.result import Reach, Setting, Tuning
from retrieval.experiment.tuning.settings import Build, builds_for
from retrieval.experiment.tuning.speed import Alternation
from retrieval.search.stored_codes import all_codes

#: Random items that ask, by default; the wanted recall; the number of neighbours.
SAMPLE, RECALL, K = 1_000, 0.95, 10
#: Items on which all kinds of indexes are measured: enough for a thousand lists, and a build takes seconds.
ITEMS = 100_000
#: A search that finds less more than this does not repay a slower one.
PLATEAU = 0.002


def tune(
    collection: Collection,
    spec: str,
    recall: float = RECALL,
    k: int = K,
    sample: int = SAMPLE,
    max_bytes: float | None = None,
    seed: int = 0,
    say: ProgressCallback = quiet,
    items: int = ITEMS,
) -> Tuning:
    """Measure indexes for a space of a collection, on disk or on a server.

    In a larger collection than `items`, all kinds of indexes are measured on a random sample. The kind that is fastest
    there is then built once of all items, with as many lists as they need, and measured again; where no search finds
    enough in it, the next fastest kind is.

    Parameters
    ----------
    collection : Collection
    spec : str
        The space.
    recall : float
        The wanted share of the true k nearest items that a search finds, above 0 and at most 1.
    k : int
    sample : int
        Number of random items that ask; of the corpus' own queries, as many ask too.
    max_bytes : float, optional
        The largest index, in bytes per item.
    seed : int
        Random seed of both samples.
    say : callable
        Called with one line per index.
    items : int
        Largest number of items on which all kinds of indexes are measured.

    Raises
    ------
    OptionError
        For a recall outside 0 to 1, a `k` that is not smaller than the number of items, or sparse codes.
    UnknownNameError
        When the collection has no such space.
    BadItemError
        When the collection holds one item.
    """
    if not 0 < recall <= 1:
        raise OptionError(f"the recall should be above 0 and at most 1, as in --recall .95; got {recall:g}")
    if max_bytes is not None and not max_bytes > 0:
        raise OptionError(f"--max-bytes should be above 0; got {max_bytes:g}")
    spec = collection.resolve(spec)
    space = collection.space(spec).encoder.space
    _require_tunable(collection, spec, space, k, items)
    say(f"reading the codes of {spec}")
    ids, codes = all_codes(collection, spec)
    rows = _sampled(len(ids), items, seed)
    some: tuple[Sequence[str], Codes] = (ids, codes) if rows is None else ([ids[row] for row in rows], codes[rows])
    workload = _workload(collection, spec, *some, sample, k, seed)
    tuning = Tuning(
        str(collection.folder), spec, collection.spaces[spec].index, len(ids), len(workload.ids), k,
        {name: part.stop - part.start for name, part in workload.queries.groups.items()}, recall, max_bytes,
    )  # fmt: skip
    families = _measured_families(tuning, workload, say)
    if rows is not None:
        say(f"measuring what is fastest on {counted(len(rows), 'item')} on all {len(ids):,}")
        del some, workload  # the sample, before memory is needed for all items
        whole = _workload(collection, spec, ids, codes, sample, k, seed)
        tuning.confirmed += [whole.exact, *_confirmed(tuning, families, whole, say)]
    return tuning


@dataclass(frozen=True)
class Workload:
    """Items and the queries that are asked of them.

    Attributes
    ----------
    space : Space
    ids : sequence of str
    codes : codes (n, dim)
        Of the items.
    queries : Queries
    speeds : Alternation
    exact : Setting
        Exact search of these items.
    """

    space: Space
    ids: Sequence[str]
    codes: Codes
    queries: Queries
    speeds: Alternation
    exact: Setting


def _workload(
    collection: Collection, spec: str, ids: Sequence[str], codes: Codes, sample: int, k: int, seed: int
) -> Workload:
    """Draw queries for some items of a space, and answer them by exact search."""
    started = time.perf_counter()
    exact = create_index("exact", collection.space(spec).encoder.space)
    exact.add(ids, codes)
    seconds = time.perf_counter() - started
    queries = queries_of(collection, spec, exact, sample, k, seed)
    speeds = Alternation(exact, queries.codes, k)
    return Workload(exact.space, ids, codes, queries, speeds, _setting(exact, queries, speeds, seconds))


def _sampled(n_items: int, limit: int, seed: int) -> NDArray[np.int64] | None:
    """Return the rows of a random sample, int64 (limit,), ascending; None where all items are measured."""
    if n_items <= limit:
        return None
    return np.sort(np.random.default_rng(seed).choice(n_items, limit, replace=False))


def _builds(space: Space, n_items: int, max_bytes: float | None) -> list[Build]:
    return [one for one in builds_for(space, n_items) if max_bytes is None or _may_fit(one, space, max_bytes)]


def _measured_families(tuning: Tuning, workload: Workload, say: ProgressCallback) -> dict[str, list[Setting]]:
    """Measure exact search and every index; add their settings to `tuning`, and return those of each family."""
    tuning.settings.append(workload.exact)
    families: dict[str, list[Setting]] = {}
    builds = _builds(workload.space, len(workload.ids), tuning.max_bytes)
    with progress("tuning", len(builds), "indexes") as bar:
        for build in builds:
            bar.note = build.backend
            families[build.family] = _settings_of(build, workload, tuning.wanted, say)
            tuning.settings += families[build.family]
            bar.update()
    return families


def _confirmed(
    tuning: Tuning, families: Mapping[str, list[Setting]], whole: Workload, say: ProgressCallback
) -> Iterator[Setting]:
    """Measure families of indexes on all items, the fastest one on the sample first, until one finds enough.

    Families that are not sure to find enough on the sample, are too large, or are slower than exact search, are left
    out.
    """
    speeds: dict[str, float] = {}
    for family, settings in families.items():
        reaching = [one.speed for one in settings if one in tuning.allowed and one.reaches(tuning.wanted) is Reach.YES]
        speeds[family] = max(reaching, default=0.0)
    builds = {build.family: build for build in _builds(whole.space, len(whole.ids), tuning.max_bytes)}
    for family in sorted(speeds, key=lambda one: -speeds[one]):
        if speeds[family] <= 1 or family not in builds:
            continue
        say(f"building {builds[family].backend} of {len(whole.ids):,} items")
        made = _settings_of(builds[family], whole, tuning.wanted, say)
        yield from made
        if any(one.reaches(tuning.wanted) is Reach.YES and one.speed > 1 for one in made):
            return


def _settings_of(build: Build, of: Workload, wanted: float, say: ProgressCallback) -> list[Setting]:
    """Return the settings of an index; none where FAISS refuses codes whose squares float32 cannot hold."""
    made: list[Setting] = []
    try:
        made.extend(measured(build, of.space, of.ids, of.codes, of.queries, of.speeds, wanted))
    except BadItemError as error:
        say(f"left out: {error}")
    return made


def measured(
    build: Build, space: Space, ids: Sequence[str], codes: Codes, queries: Queries, speeds: Alternation, wanted: float
) -> Iterator[Setting]:
    """Build an index and measure its settings up to the first that reaches the wanted recall.

    A sequence of settings ends where it is slower than exact search, as what follows is slower still, and where
    recall does not rise any more.
    """
    started = time.perf_counter()
    with closing(create_index(build.description({}), space)) as index:
        index.fit(codes)
        index.add(ids, codes)
        seconds = time.perf_counter() - started
        for sequence in build.searches:
            before = -1.0
            for parameters in sequence:
                index.set_parameters(parameters)
                setting = _setting(index, queries, speeds, seconds)
                yield setting
                if setting.reaches(wanted) is Reach.YES:
                    return
                if setting.speed < 1 or setting.recall < before + PLATEAU:
                    break
                before = setting.recall


def _setting(index: CheckedIndex, queries: Queries, speeds: Alternation, build_seconds: float) -> Setting:
    recalls, speed = queries.recalls(index), speeds.speed(index)
    size = (index.bytes_on_disk() or 0) - names_bytes(index)
    return Setting(
        index.description, recalls, speed.queries_per_second, speed.ratio, size / len(index), build_seconds
    )  # fmt: skip


def _may_fit(build: Build, space: Space, max_bytes: float) -> bool:
    """Return whether an index may be small enough: one with all codes is as large as they are, before it is built."""
    return not build.holds_codes or 4 * space.dim <= max_bytes or space.kind is Kind.BINARY


def _require_tunable(collection: Collection, spec: str, space: Space, k: int, items: int) -> None:
    """Refuse what has nothing to tune, before any work."""
    if space.kind is Kind.SPARSE:
        raise OptionError(
            f"there is nothing to tune for '{spec}': its codes are sparse, and their index finds every true neighbour "
            "and has no settings; tune a dense or binary space, such as SPEC+lsa:256"
        )
    n_items = collection.items.size
    if n_items < 2:
        raise BadItemError(f"{collection.folder} holds {n_items} item, which has no neighbour: tuning needs more items")
    if k >= n_items:
        raise OptionError(
            f"-k {k:,} asks for more neighbours than an item has: {collection.folder} holds {n_items:,} items, so "
            f"-k is at most {n_items - 1:,}"
        )
    if k >= items:
        raise OptionError(
            f"--items {items:,} is not more than -k {k:,}: raise --items, so that an item has {k:,} others"
        )
