"""Every index × every (kind, metric) it declares × every law, against brute force in float64."""

from __future__ import annotations

import inspect
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from scipy.sparse import csr_array, issparse

from encoders.codes import Codes, Kind, Metric, Space
from encoders.errors import (
    ArtifactError,
    BadItemError,
    DimensionError,
    NotInvertibleError,
    OptionError,
    UnsupportedSpaceError,
)
from indexers.base import Hit, Index
from indexers.registry import INDEXES, create_index, index_class, load_index

N, DIM, QUERIES, K = 300, 20, 12, 10  # DIM is no multiple of 8: packed bits have spare ones
PLACES = [(kind, metric) for kind in Kind for metric in Metric]


class Case(NamedTuple):
    """One index over one space, and the share of the true neighbours that it must find."""

    description: str
    space: Space
    recall: float

    @property
    def exact(self) -> bool:
        return self.recall == 1

    def __str__(self) -> str:
        return f"{self.description}-{self.space.kind}-{self.space.metric}"


#: How each index is tried: description -> recall, for all its kinds or only for those named. Faiss' HNSW is built by
#: several threads and differs from run to run, hence the room.
TRIED: dict[str, list[tuple[str, float, set[Kind]]]] = {
    "exact": [("exact", 1, set(Kind))],
    "sparse": [("sparse", 1, set(Kind))],
    "faiss": [
        ("faiss:Flat", 1, set(Kind)),
        ("faiss:HNSW16?efSearch=64", 0.9, set(Kind)),
        ("faiss:IVF8?nprobe=6", 0.8, {Kind.BINARY}),
        ("faiss:IVF8,Flat?nprobe=6", 0.8, {Kind.DENSE}),
        ("faiss:IVF4,SQ8?nprobe=4", 0.8, {Kind.DENSE}),
        ("faiss:RR20,IVF4,Flat?nprobe=4", 0.98, {Kind.DENSE}),
        ("faiss:PQ10x4np", 0.3, {Kind.DENSE}),
    ],
    "elasticsearch": [
        ("elasticsearch:SERVER/NAME,flat", 1, set(Kind)),
        ("elasticsearch:SERVER/NAME,m=16,ef_construction=100?num_candidates=100", 0.95, set(Kind)),
        ("elasticsearch:SERVER/NAME,int8_hnsw,shards=2?oversample=2&rescore=true", 0.95, {Kind.DENSE}),
    ],
}
#: Factory strings that store less than the codes: their scores are approximate too.
LOSSY = ("SQ", "PQ")

CASES = [
    Case(description, Space(DIM, kind, metric), recall)
    for name, tries in TRIED.items()
    for description, recall, kinds in tries
    for kind, metric in sorted(index_class(name).spaces)
    if kind in kinds
]


def some_codes(space: Space, n: int, seed: int) -> Codes:
    """Codes with a zero row (the last but one) and, from four rows on, two equal ones (the first and the last)."""
    rng = np.random.default_rng(seed)
    if space.kind is Kind.BINARY:
        return np.packbits(rng.integers(0, 2, (n, space.dim), dtype=np.uint8), axis=1)
    values = (rng.standard_normal((n, space.dim)) + 1).astype(np.float32)
    if space.kind is Kind.SPARSE:
        values *= rng.random(values.shape) < 0.15
    if n > 3:
        values[-2], values[-1] = 0, values[0]
    return csr_array(values) if space.kind is Kind.SPARSE else values


def true_scores(space: Space, queries: Codes, codes: Codes) -> Any:
    """The definition, in float64 (n_queries, n)."""
    if space.kind is Kind.BINARY:
        a, b = (np.unpackbits(part, axis=1).astype(float) for part in (queries, codes))
    else:
        a, b = (np.asarray(part.toarray() if issparse(part) else part, float) for part in (queries, codes))
    if space.metric is Metric.HAMMING or space.metric is Metric.EUCLIDEAN:
        return -((a[:, None] - b[None]) ** 2).sum(axis=2)
    if space.metric is Metric.COSINE:
        a, b = (part / np.maximum(np.linalg.norm(part, axis=1, keepdims=True), 1e-300) for part in (a, b))
    return a @ b.T


def names(n: int, start: int = 0) -> list[str]:
    return [f"item {number}" for number in range(start, start + n)]


def filled(case: Case, n: int = N) -> tuple[Index, Codes, Codes]:
    """An index of `n` items, its codes, and queries of which the first is an item."""
    codes = some_codes(case.space, n, seed=1)
    index = create_index(case.description, case.space).fit(some_codes(case.space, N, seed=1))
    index.add(names(n), codes)
    queries = some_codes(case.space, QUERIES, seed=2)
    return index, codes, stacked(codes[:1], queries)


def stacked(*parts: Codes) -> Codes:
    whole = np.concatenate([part.toarray() if issparse(part) else part for part in parts])
    return csr_array(whole) if issparse(parts[0]) else whole


def same(a: Codes, b: Codes) -> bool:
    return a.shape == b.shape and not (a != b).sum()


def wanted(index: Index, truth: Any, k: int) -> Any:
    """How many answers there are to a query."""
    return [min(k, int((row > 0).sum()) if index.positive_only else len(row)) for row in truth]


def require_same_answers(a: Any, b: Any) -> None:
    assert [[hit.id for hit in hits] for hits in a] == [[hit.id for hit in hits] for hits in b]
    for first, second in zip(a, b, strict=True):
        np.testing.assert_allclose([hit.score for hit in first], [hit.score for hit in second], rtol=1e-5, atol=1e-5)


# -- the laws --------------------------------------------------------------------------------------------------------


def law_scores_are_those_of_the_codes(case: Case, tmp_path: Path) -> None:
    index, codes, queries = filled(case)
    truth = true_scores(case.space, queries, codes)
    slack = 2.0 if any(word in case.description for word in LOSSY) else 1e-4
    for row, hits in enumerate(index.search(queries, K)):
        scores = [hit.score for hit in hits]
        assert scores == sorted(scores, reverse=True)
        assert len({hit.id for hit in hits}) == len(hits)
        true = [truth[row, index.ids.index(hit.id)] for hit in hits]
        np.testing.assert_allclose(scores, true, rtol=1e-4, atol=slack * max(1, np.abs(truth).max() / 10))


def law_finds_the_true_neighbours(case: Case, tmp_path: Path) -> None:
    index, codes, queries = filled(case)
    truth = true_scores(case.space, queries, codes)
    found = index.search(queries, K)
    count = wanted(index, truth, K)
    # An answer is right when it is no worse than the k-th best, so that ties may go either way.
    worst = [np.sort(row)[::-1][k - 1] - 1e-4 if k else 0 for row, k in zip(truth, count, strict=True)]
    right = [sum(truth[row, index.ids.index(hit.id)] >= worst[row] for hit in hits) for row, hits in enumerate(found)]
    assert sum(right) >= case.recall * sum(count)
    if case.exact:
        assert [len(hits) for hits in found] == count


def law_says_whether_it_is_exact_and_searches_all_its_codes(case: Case, tmp_path: Path) -> None:
    index, codes, queries = filled(case)
    assert not index.is_exact or case.exact
    quantised = index.quantised()
    assert (quantised is not None) == any(word in case.description for word in (*LOSSY, "int8"))
    if quantised is None:
        return
    truth = true_scores(case.space, queries, codes)
    found = quantised.search_rows(queries, N)
    # a server quantises by the quantiles of each segment, which are coarse for few items
    least = 0.6 if "PQ" in case.description else 0.9 if "elasticsearch" in case.description else 0.99
    assert (np.sort(found.rows, axis=1) == np.arange(N)).all()  # every item is compared
    for row, (rows, scores) in enumerate(zip(found.rows, found.scores, strict=True)):
        if truth[row].any():  # every item is equally near to a query of zeros
            assert np.corrcoef(truth[row, rows], scores)[0, 1] > least


def law_agrees_with_exact(case: Case, tmp_path: Path) -> None:
    index, codes, queries = filled(case)
    if not case.exact:
        return
    reference = create_index("exact", case.space)
    reference.add(names(N), codes)
    for hits, others in zip(index.search(queries, K), reference.search(queries, K), strict=True):
        expected = [hit for hit in others if hit.score > 0 or not index.positive_only]
        np.testing.assert_allclose([h.score for h in hits], [h.score for h in expected], rtol=1e-4, atol=1e-4)
        if index.holds_codes:  # these put ties in the order of rows
            assert [hit.id for hit in hits] == [hit.id for hit in expected]


def law_gives_what_there_is(case: Case, tmp_path: Path) -> None:
    index, codes, queries = filled(case)
    found = index.search(queries, N + 50)
    truth = true_scores(case.space, queries, codes)
    for hits, count in zip(found, wanted(index, truth, N + 50), strict=True):
        assert len(hits) == count if case.exact else len(hits) <= count
    scores, rows = index.search_rows(queries, N + 50)
    assert scores.shape == rows.shape == (QUERIES + 1, N + 50)
    assert scores.dtype == np.float32
    assert rows.dtype == np.int64
    assert ((rows == -1) == np.isneginf(scores)).all()
    assert (rows[:, N:] == -1).all()


def law_rows_are_ids(case: Case, tmp_path: Path) -> None:
    index, _, queries = filled(case)
    index.remove(["item 3", "item 7"])
    scores, rows = index.search_rows(queries, K)
    for row, hits in enumerate(index.search(queries, K)):
        live = rows[row][rows[row] >= 0]
        assert index.ids_of_rows(live) == [hit.id for hit in hits]
        assert scores[row, : len(hits)].tolist() == [hit.score for hit in hits]
        assert index.rows_of_ids(hit.id for hit in hits).tolist() == live.tolist()
    assert list(index.ids) == [name for name in names(N) if name not in {"item 3", "item 7"}]


def law_hits_behave_as_lists(case: Case, tmp_path: Path) -> None:
    index, _, queries = filled(case)
    found, plain = index.search(queries, K), [list(hits) for hits in index.search(queries, K)]
    assert found[2] is found[2]  # built once
    assert (found[2], found[-1], found[1:4], found[::-5]) == (plain[2], plain[-1], plain[1:4], plain[::-5])
    assert found == plain == list(found)
    assert plain == found == index.search(queries, K)
    assert found != plain[:-1]
    assert (len(found), list(reversed(found)), found.index(plain[3])) == (
        len(plain),
        plain[::-1],
        plain.index(plain[3]),
    )
    assert repr(found) == repr(plain)
    assert isinstance(found[0], list)
    assert isinstance(found[0][0], Hit)
    for outside in (len(found), -len(found) - 1):
        with pytest.raises(IndexError):
            found[outside]


def law_hits_are_columns_too(case: Case, tmp_path: Path) -> None:
    index, _, queries = filled(case)
    for k in (1, K, N + 50):
        found = index.search(queries, k)
        assert found.ids.shape == found.scores.shape == (len(found), found.ids.shape[1])
        for hits, ids, scores in zip(found, found.ids.tolist(), found.scores.tolist(), strict=True):
            missing = len(ids) - len(hits)
            assert ids == [hit.id for hit in hits] + [None] * missing
            assert scores == [hit.score for hit in hits] + [-np.inf] * missing
    assert index.search(queries[:0], K).ids.size == 0


def law_hits_outlive_changes(case: Case, tmp_path: Path) -> None:
    index, codes, queries = filled(case, n=N - 1)
    expected = list(index.search(queries, K))
    unread = index.search(queries, K)
    index.remove(["item 0", "item 5"])
    index.add(["new"], codes[:1])
    index.remove(list(index.ids))
    assert unread == expected


def law_empty_is_fine(case: Case, tmp_path: Path) -> None:
    queries = some_codes(case.space, 2, seed=3)
    index = create_index(case.description, case.space)
    for _ in range(2):
        assert len(index) == 0
        assert index.search(queries, 5) == [[], []]
        scores, rows = index.search_rows(queries, 2)
        assert rows.tolist() == [[-1, -1]] * 2
        assert np.isneginf(scores).all()
        index.remove([])
        index = load_index(index.save(tmp_path / "index"))
    index, _, _ = filled(case)
    assert index.search(queries[:0], 5) == []
    assert index.search_rows(queries[:0], 5).rows.shape == (0, 5)
    index.add([], queries[:0])
    assert len(index) == N


def law_ids_are_any_text(case: Case, tmp_path: Path) -> None:
    odd = ["", " ", "two\nlines", "tab\t", "Grüße 東京 🦊", "a" * 5000, '"quoted"', "../up", "\x00", "\ud800", "-1"]
    index = create_index(case.description, case.space).fit(some_codes(case.space, N, seed=1))
    index.add(odd, some_codes(case.space, len(odd), seed=1))
    for opened in (index, load_index(index.save(tmp_path / "index"))):
        assert list(opened.ids) == odd
        assert all(name in opened for name in odd)
        opened.remove(["", "../up"])
        assert len(opened) == len(odd) - 2


def law_removed_is_gone(case: Case, tmp_path: Path) -> None:
    index, codes, queries = filled(case)
    gone = [name for row, name in enumerate(names(N)) if row % 3 == 0]
    keep = np.arange(N) % 3 != 0
    index.remove(gone)
    assert len(index) == keep.sum()
    assert "item 0" not in index
    truth = true_scores(case.space, queries, codes[keep])
    found = index.search(queries, K)
    assert not {hit.id for hits in found for hit in hits} & set(gone)
    assert sum(map(len, found)) >= case.recall * sum(wanted(index, truth, K))
    if case.exact:
        for row, hits in enumerate(found):
            best = np.sort(truth[row])[::-1][: len(hits)]
            np.testing.assert_allclose([hit.score for hit in hits], best, rtol=1e-4, atol=1e-4)
    index.remove(list(index.ids))
    assert index.search(queries, K) == [[] for _ in range(QUERIES + 1)]
    index.add(["again"], codes[:1])
    assert [hit.id for hit in index.search(codes[:1], K)[0]] == ["again"]


def law_grows_after_removal_and_loading(case: Case, tmp_path: Path) -> None:
    index, codes, queries = filled(case, n=N - 40)
    index.remove(names(20))
    index = load_index(index.save(tmp_path / "index"))
    rest = some_codes(case.space, 40, seed=4)
    index.add(names(40, start=N), rest)
    assert list(index.ids) == names(N - 60, start=20) + names(40, start=N)
    if index.holds_codes:
        assert same(index.codes(), stacked(codes[20:], rest))
    at_once = create_index(case.description, case.space).fit(some_codes(case.space, N, seed=1))
    at_once.add(index.ids, stacked(codes[20:], rest))
    if case.exact:
        scores = [[hit.score for hit in hits] for hits in at_once.search(queries, K)]
        found = [[hit.score for hit in hits] for hits in index.search(queries, K)]
        for a, b in zip(scores, found, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)
    # What is its own nearest neighbour is found where it was added.
    if case.exact and case.space.metric is not Metric.DOT:
        assert index.search(rest[:1], 1)[0][0].score == pytest.approx(at_once.search(rest[:1], 1)[0][0].score)


def law_saved_is_the_same(case: Case, tmp_path: Path) -> None:
    index, codes, queries = filled(case)
    before = index.search(queries, K)
    for mmap in (True, False):
        opened = load_index(index.save(tmp_path / "index"), mmap=mmap)
        assert (opened.description, opened.space, len(opened)) == (index.description, case.space, N)
        assert opened.search(queries, K) == before
        if index.holds_codes:
            assert same(opened.codes(), codes)
        else:
            with pytest.raises(NotInvertibleError):
                opened.codes()
        opened.save(tmp_path / "index")  # onto the folder that it is mapped from
        assert opened.search(queries, K) == before
        index = opened
    assert {path.suffix for path in (tmp_path / "index").iterdir()} <= {".json", ".npy", ".faiss"}


def law_bytes_on_disk_are_those_of_the_files(case: Case, tmp_path: Path) -> None:
    index, _, _ = filled(case)
    index.remove(names(3, 5))
    told = index.bytes_on_disk()
    folder = index.save(tmp_path / "saved")
    written = sum(path.stat().st_size for path in folder.iterdir() if path.name != "manifest.json")
    assert told is not None
    if case.description.startswith("elasticsearch:"):  # what it writes here only says where the rest is
        assert told > written
        return
    assert told == written
    with load_index(folder) as loaded:
        assert loaded.bytes_on_disk() == written


def law_input_is_left_alone(case: Case, tmp_path: Path) -> None:
    codes, queries = some_codes(case.space, N, seed=1), some_codes(case.space, QUERIES, seed=2)
    codes_before, queries_before = codes.copy(), queries.copy()
    index = create_index(case.description, case.space).fit(codes)
    index.add(names(N), codes)
    before = index.search(queries, K)
    assert same(codes, codes_before)
    assert same(queries, queries_before)
    (codes.data if issparse(codes) else codes)[:] = 0  # what the caller does next is no business of the index
    assert index.search(queries, K) == before


def law_a_score_is_a_matter_of_two(case: Case, tmp_path: Path) -> None:
    index, _, queries = filled(case)
    together = index.search(queries, K)
    alone = [index.search(queries[[row]], K)[0] for row in range(queries.shape[0])]
    if index.holds_codes:
        assert alone == together
    elif case.exact:
        for a, b in zip(alone, together, strict=True):
            np.testing.assert_allclose([hit.score for hit in a], [hit.score for hit in b], rtol=1e-4, atol=1e-4)


def law_equal_codes_are_nearest(case: Case, tmp_path: Path) -> None:
    index, codes, _ = filled(case)
    hit = index.search(codes[:1], 1)[0][0]
    if case.exact and case.space.metric in (Metric.EUCLIDEAN, Metric.HAMMING):
        assert hit == ("item 0", 0)
    if case.exact and case.space.metric is Metric.COSINE:
        assert hit.id in {"item 0", names(N)[-1]}
        assert hit.score == pytest.approx(1)


def law_a_power_of_two_changes_no_ranking(case: Case, tmp_path: Path) -> None:
    if case.space.kind is Kind.BINARY or "HNSW" in case.description:
        return  # a graph is built by several threads, and differs from run to run
    if case.description.startswith("elasticsearch"):  # the server computes in float32: refused, saying how to rescale
        codes = some_codes(case.space, N, seed=1)
        if case.space.kind is Kind.DENSE:
            factor = np.float32(2.0**110 if case.space.metric is Metric.COSINE else 2.0**-100)
            with pytest.raises(BadItemError, match=r"scale them first|multiply them by"):
                create_index(case.description, case.space).add(names(N), codes * factor)
        return
    codes, queries = some_codes(case.space, N, seed=1), some_codes(case.space, QUERIES, seed=2)
    expected: Any = None
    first = np.float32(1)
    # what stores less than the codes rounds them where their unit, not they themselves, put the marks
    ordinary = () if any(word in case.description for word in LOSSY) else (0,)
    for exponent in (*ordinary, -100, -80, -60, 55, 110):
        factor = np.float32(2.0**exponent)
        index = create_index(case.description, case.space).fit(codes * factor)
        index.add(names(N), codes * factor)
        index = load_index(index.save(tmp_path / f"index {exponent}"))
        found, rows = index.search(queries * factor, K), index.search_rows(queries * factor, K).rows
        if index.holds_codes:
            assert same(index.codes(), codes * factor)
            assert (index.search_among(queries * factor, rows, K).rows == rows).all()
        if expected is None:
            expected, first = found, factor
        assert [[hit.id for hit in hits] for hits in found] == [[hit.id for hit in hits] for hits in expected]
        power = 1.0 if case.space.metric is Metric.COSINE else (float(factor) / float(first)) ** 2
        for hits, before in zip(found, expected, strict=True):
            scores = np.array([hit.score for hit in hits])
            np.testing.assert_allclose(scores, np.array([hit.score for hit in before]) * power, rtol=1e-5)


def law_a_cosine_is_one(case: Case, tmp_path: Path) -> None:
    """It is, whatever the lengths; of a zero row, which has no direction, it counts as 0."""
    if case.space.metric is not Metric.COSINE:
        return
    codes = some_codes(case.space, N, seed=1)
    lengths = (2.0 ** np.random.default_rng(7).integers(-40, 40, N)).astype(np.float32)[:, None]
    codes = csr_array(codes.multiply(lengths)) if issparse(codes) else codes * lengths
    index = create_index(case.description, case.space).fit(codes)
    index.add(names(N), codes)
    for hits in index.search(codes, N):
        assert all(-1 <= hit.score <= 1 for hit in hits)
    if case.exact:
        truth = true_scores(case.space, codes[:5], codes)
        scores, rows = index.search_rows(codes[:5], K)
        np.testing.assert_allclose(
            np.where(rows >= 0, scores, 0), np.where(rows >= 0, np.take_along_axis(truth, rows, 1), 0), atol=1e-5
        )
    if index.holds_codes:
        among = index.score_rows(codes, np.tile(np.arange(N), (N, 1)))
        assert np.abs(among).max() <= 1


def law_bad_input_changes_nothing(case: Case, tmp_path: Path) -> None:
    index, _, queries = filled(case)
    before = index.search(queries, K)
    more = some_codes(case.space, 2, seed=5)
    wide = some_codes(Space(DIM + 8, case.space.kind, case.space.metric), 2, seed=5)
    refused: list[tuple[type[Exception], str, Callable[[], Any]]] = [
        (BadItemError, "given twice", lambda: index.add(["x", "x"], more)),
        (BadItemError, "already", lambda: index.add(["x", "item 5"], more)),
        (BadItemError, "2 codes", lambda: index.add(["x"], more)),
        (BadItemError, "texts", lambda: index.add(["x", 7], more)),  # type: ignore[list-item]
        (BadItemError, "single text", lambda: index.add("xy", more)),
        (BadItemError, "no item 'x'", lambda: index.remove(["item 1", "x"])),
        (BadItemError, "single text", lambda: index.remove("item 1")),
        (DimensionError, "got", lambda: index.add(["x", "y"], wide)),
        (DimensionError, "got", lambda: index.search(wide, 1)),
        (DimensionError, "got", lambda: index.fit(wide)),
        (OptionError, "at least 1", lambda: index.search(queries, 0)),
        (OptionError, "at least 1", lambda: index.search_rows(queries, -3)),
        (OptionError, "whole number", lambda: index.search(queries, 2.5)),  # type: ignore[arg-type]
        (OptionError, "blob", lambda: index.set_parameters({"blob": "3"})),
    ]
    for kind in Kind:
        if kind is not case.space.kind:
            other = some_codes(Space(DIM, kind, case.space.metric), 2, seed=5)
            refused.append((BadItemError, "holds", lambda other=other: index.add(["x", "y"], other)))  # type: ignore[misc]
            refused.append((BadItemError, "holds", lambda other=other: index.search(other, 1)))  # type: ignore[misc]
    if case.space.kind is Kind.BINARY:
        spare = more | 1
        refused.append((BadItemError, "bits", lambda: index.add(["x", "y"], spare)))
    else:
        for value in (np.nan, np.inf, 1e30):
            broken = more.copy()
            (broken.data if issparse(broken) else broken.ravel())[0] = value
            refused.append((BadItemError, "values", lambda broken=broken: index.add(["x", "y"], broken)))  # type: ignore[misc]
            refused.append((BadItemError, "values", lambda broken=broken: index.search(broken, 1)))  # type: ignore[misc]
    for error, message, act in refused:
        with pytest.raises(error, match=message):
            act()
    assert len(index) == N
    assert "x" not in index
    assert index.search(queries, K) == before


def law_damage_is_noticed(case: Case, tmp_path: Path) -> None:
    index, _, _ = filled(case)
    index.remove(["item 1"])
    good = index.save(tmp_path / "good")
    bad = tmp_path / "bad"
    for path in sorted(good.iterdir()):
        content = path.read_bytes()
        middle = len(content) // 2
        flipped = content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :]
        for broken in (None, b"", content[:middle], content + b"x" if path.suffix != ".json" else b"[", flipped):
            shutil.rmtree(bad, ignore_errors=True)
            shutil.copytree(good, bad)
            (bad / path.name).unlink()
            if broken is not None:
                (bad / path.name).write_bytes(broken)
            with pytest.raises(ArtifactError):
                load_index(bad)
    for change in (
        {"format": 99},
        {"format": "1"},
        {"nearby": "an encoder"},
        {"space": {}},
        {"count": 3},
        {"files": 1},
    ):
        manifest = json.loads((good / "manifest.json").read_text(encoding="utf-8")) | change
        shutil.rmtree(bad)
        shutil.copytree(good, bad)
        (bad / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        with pytest.raises(ArtifactError):
            load_index(bad)
    with pytest.raises(ArtifactError):
        load_index(tmp_path / "missing")


def law_description_is_identity(case: Case, tmp_path: Path) -> None:
    index = create_index(case.description, case.space)
    assert index.description == case.description
    again = create_index(index.description, case.space)
    assert (type(again), again.backend, again.parameters) == (type(index), index.backend, index.parameters)
    with index as same_one:
        assert same_one is index


LAWS = [value for name, value in sorted(globals().items()) if name.startswith("law_") and inspect.isfunction(value)]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_law(case: Case, law: Callable[[Case, Path], None], tmp_path: Path, request: pytest.FixtureRequest) -> None:
    law(served(case, request), tmp_path)


def served(case: Case, request: pytest.FixtureRequest) -> Case:
    """The same case, on the real server where it needs one."""
    if "SERVER" not in case.description:
        return case
    url, name = request.getfixturevalue("elasticsearch_url"), request.getfixturevalue("index_name")
    return case._replace(description=case.description.replace("SERVER", url).replace("NAME", name))


# -- what is asked of all at once ------------------------------------------------------------------------------------


def test_every_registered_index_is_tried() -> None:
    assert set(TRIED) == set(INDEXES)
    for name in TRIED:
        cls = index_class(name)
        assert cls.name == name
        assert {(case.space.kind, case.space.metric) for case in CASES if case.description.split(":")[0] == name} == (
            cls.spaces
        )


@pytest.mark.parametrize("description", ["exact", "sparse", "faiss:Flat"])
@pytest.mark.parametrize(("kind", "metric"), PLACES)
def test_other_spaces_are_refused(description: str, kind: Kind, metric: Metric) -> None:
    cls = index_class(description.split(":")[0])
    if (kind, metric) in cls.spaces:
        return
    with pytest.raises(UnsupportedSpaceError, match=f"cannot search {kind} codes by {metric}, only .*; .*(use|hamm)"):
        create_index(description, Space(DIM, kind, metric))


def test_a_new_process_finds_the_same(tmp_path: Path) -> None:
    require_same_in_a_new_process([case for case in CASES if "SERVER" not in case.description], tmp_path)


def test_a_new_process_finds_the_same_on_a_server(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    cases = [served(case, request) for case in CASES if "SERVER" in case.description]
    require_same_in_a_new_process(cases, tmp_path)


def require_same_in_a_new_process(cases: list[Case], tmp_path: Path) -> None:
    expected = []
    for place, case in enumerate(cases):
        index, _, _ = filled(case)
        index.save(tmp_path / str(place))
        queries = some_codes(case.space, 3, seed=6)
        np.save(tmp_path / f"{place}.npy", queries.toarray() if issparse(queries) else queries)
        rows = index.search_rows(queries, K)
        expected.append([rows.scores.tolist(), rows.rows.tolist()])
    script = """
import json, sys
import numpy as np
from scipy.sparse import csr_array
from indexers.registry import load_index
out = []
for place in range(int(sys.argv[2])):
    index = load_index(f"{sys.argv[1]}/{place}")
    queries = np.load(f"{sys.argv[1]}/{place}.npy")
    rows = index.search_rows(csr_array(queries) if index.space.kind == "sparse" else queries, 10)
    out.append([rows.scores.tolist(), rows.rows.tolist()])
print(json.dumps(out))
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path), str(len(cases))],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for case, found, before in zip(cases, json.loads(done.stdout), expected, strict=True):
        assert found[1] == before[1], case
        assert found[0] == before[0], case
