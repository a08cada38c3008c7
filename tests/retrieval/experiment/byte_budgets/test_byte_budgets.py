"""Equal bytes: which methods, which bytes, and the sentence that follows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from encoders.codes import Kind, Metric, Modality, Space
from encoders.errors import OptionError
from encoders.packing import Part
from encoders.registry import create
from indexers.registry import create_index
from retrieval.corpora.base import Corpus, Item
from retrieval.experiment.byte_budgets import byte_budgets as module
from retrieval.experiment.byte_budgets.measured_point import interval_of
from retrieval.experiment.byte_budgets.reductions import parse_budgets, reductions, require_reducible, why_not
from retrieval.experiment.compare import compare
from retrieval.experiment.compare_options import CompareOptions
from retrieval.report.byte_budget_cells import best_by_budget
from retrieval.report.html.byte_budgets import bytes_data
from retrieval.report.html.comparison import page
from retrieval.report.terminal.byte_budgets import byte_budgets_lines
from retrieval.report.terminal.comparison import comparisons_lines, to_json
from retrieval.spaces.space_encoder import planned


class Vectors(Corpus):
    """Three classes of vectors."""

    name, modality = "three", Modality.VECTOR

    def __iter__(self) -> Iterator[Item]:
        rng = np.random.default_rng(0)
        centres = rng.standard_normal((3, 24)) * 1.2
        for row in range(90):
            yield Item(str(row), (centres[row % 3] + rng.standard_normal(24)).astype(np.float32), label="abc"[row % 3])

    def queries(self) -> Iterator[Item]:
        return iter(self)

    @property
    def queries_are_items(self) -> bool:
        return True


@pytest.fixture(scope="module")
def compared():
    return compare(Vectors(), ["vectors", "vectors+pca:12"], examples=1, options=CompareOptions(budgets=(4, 8, 16, 48)))


def test_a_reduced_space_gives_by_itself_what_was_measured(compared):
    """The base is fitted once and cut; its spec, fitted from the start, gives the same neighbours in the same bytes."""
    corpus = Vectors()
    chosen = [point for point in compared.byte_budgets.points if point.method != "as it is"]
    assert {point.method for point in chosen} == {"components", "sq8", "sq4", "pq", "rabitq", "signs"}
    labels = np.array([item.label for item in corpus])
    rows = np.stack([item.content for item in corpus])
    for point in chosen:
        encoder = planned(point.spec, None, Modality.VECTOR).fit(rows)
        assert encoder.space.bytes_per_item == point.bytes_per_item
        with create_index("exact", encoder.space) as index:
            index.add([str(row) for row in range(90)], encoder.encode(rows))
            found = index.search_rows(encoder.encode_queries(rows), 11).rows
        right = [
            np.mean(labels[[at for at in hits if at != row][:10]] == labels[row]) for row, hits in enumerate(found)
        ]
        # equal scores of bits may be listed in another order
        assert np.mean(right) == pytest.approx(point.value, abs=0.03 if point.method == "signs" else 0.004), point.spec


def test_every_point_is_within_a_budget_and_none_is_measured_twice(compared):
    points = compared.byte_budgets.points
    assert all(point.bytes_per_item <= 48 for point in points if point.method != "as it is")
    assert len({point.spec for point in points}) == len(points)


def test_a_code_to_which_two_spaces_lead_is_in_the_tables_of_both():
    """Twelve components of the vectors are the second space as it is, and 8 bits of each are 8 bits of its own."""
    options = CompareOptions(budgets=(12, 48))
    compared = compare(Vectors(), ["vectors", "vectors+pca:12"], examples=0, options=options)
    found = compared.byte_budgets
    shared = {point.spec: (point.base, point.method, point.also) for point in found.points if point.also}
    assert shared["vectors+pca:12"] == ("vectors+pca:12", "as it is", {"vectors": "components"})
    assert "vectors+pca:12+sq8" in shared
    assert sum(str(line).startswith("as it is:") for line in comparisons_lines([compared])) == 2
    assert sorted(found.bases) == ["vectors", "vectors+pca:12"]
    for base in found.bases:
        methods, rows = best_by_budget(found, base)
        quantised = rows[0][methods.index("sq8")]
        assert quantised is not None
        assert quantised.spec == "vectors+pca:12+sq8"


def test_the_tables_of_the_page_mark_what_those_of_the_terminal_mark(compared):
    found = compared.byte_budgets
    rows = [row for base in found.bases for row in best_by_budget(found, base)[1] if any(row)]
    told = byte_budgets_lines(found)
    told = told[next(at for at, line in enumerate(told) if line.startswith("as it is")) :]
    html = page([compared])
    tables = html[html.index("Codes of vectors") : html.index("Every space is fitted and encoded once")]
    assert sum(len(row) for row in rows) > 20
    for sign, star in (("≈", "≈"), ("*", "★")):
        assert tables.count(f">{star}<") == sum(line.count(sign) for line in told if line.lstrip()[:1].isdigit())


def test_the_frontier_is_not_dominated_and_the_rest_is(compared):
    points = compared.byte_budgets.points
    for point in points:
        better = [
            other
            for other in points
            if (other.bytes_per_item <= point.bytes_per_item and other.value > point.value)
            or (other.bytes_per_item < point.bytes_per_item and other.value >= point.value)
        ]
        assert point.dominated == bool(better)


def test_the_cheapest_does_not_differ_and_all_cheaper_ones_do(compared):
    found = compared.byte_budgets
    assert found.best.value == max(point.value for point in found.points)
    assert found.cheapest.tied_with_best
    assert not any(p.tied_with_best for p in found.points if p.bytes_per_item < found.cheapest.bytes_per_item)
    assert found.difference is not None
    assert (found.difference.first, found.difference.second) == (found.best.spec, found.cheapest.spec)
    assert found.difference.interval.low <= 0 <= found.difference.interval.high


def test_many_queries_are_sampled_and_said(monkeypatch):
    monkeypatch.setattr(module, "MAX_QUERIES", 30)
    found = compare(Vectors(), ["vectors"], examples=0, options=CompareOptions(budgets=(8,))).byte_budgets
    assert found.n_queries == 30
    assert any("30 of the 90 queries" in note for note in found.notes)


def test_the_table_is_narrow_and_the_page_and_the_json_have_the_sentence(compared):
    lines = [str(line) for line in comparisons_lines([compared])]
    assert max(map(len, lines)) <= 100
    assert any(line.startswith("The cheapest that does not differ significantly from the best is") for line in lines)
    written = json.loads(json.dumps(to_json(compared)))["byte_budgets"]
    assert written["best"] == compared.byte_budgets.best.spec
    assert len(written["points"]) == len(compared.byte_budgets.points)
    html = page([compared])
    assert "Which code at equal bytes?" in html
    assert html.count("<circle") >= len(compared.byte_budgets.points)


def test_without_budgets_nothing_is_added():
    found = compare(Vectors(), ["vectors"], examples=0)
    assert found.byte_budgets is None
    assert to_json(found)["byte_budgets"] is None


@pytest.mark.parametrize("text", ["0", "-8", "x", "", "8,", "8.5", "8;16", str(2**20 + 1), "1e2"])
def test_what_is_no_budget_is_refused(text):
    with pytest.raises(OptionError, match="--bytes takes whole numbers from 1"):
        parse_budgets(text)


def test_a_budget_named_twice_is_refused():
    with pytest.raises(OptionError, match="names 8 twice"):
        parse_budgets("8,16,8")


def test_what_has_no_numbers_to_reduce_is_refused_before_any_work():
    with pytest.raises(OptionError, match=r"add a dense space, such as -s bm25\+lsa:128"):
        require_reducible([create("bm25")], ["auto"])
    with pytest.raises(OptionError, match="leave --index 'faiss:HNSW32' out"):
        require_reducible([create("pixels")], ["faiss:HNSW32"])
    assert "word counts" in (why_not(Space(9, Kind.SPARSE, Metric.DOT), "bm25") or "")
    assert "bits already" in (why_not(Space(9, Kind.BINARY, Metric.HAMMING), "signs") or "")
    assert "quantised already" in (why_not(Space(9, Kind.DENSE, Metric.DOT, packing=(Part(9, bits=8),)), "sq8") or "")


def test_a_budget_below_one_code_is_refused():
    with pytest.raises(OptionError, match="no space can be brought to 1 byte per item: the smallest code takes 3"):
        compare(Vectors(), ["vectors+binarize"], examples=0, options=CompareOptions(budgets=(1,)))


@pytest.mark.parametrize("metric", [Metric.EUCLIDEAN, Metric.COSINE, Metric.DOT])
@pytest.mark.parametrize("last", ["pixels", "lsa", "sbert"])
@pytest.mark.parametrize("budget", [1, 7, 8, 9, 31, 64, 200, 1024])
def test_no_means_takes_more_than_its_budget(metric, last, budget):
    space = Space(64, Kind.DENSE, metric)
    rows = np.random.default_rng(0).standard_normal((40, 64)).astype(np.float32)
    for one in reductions(space, last, budget, 40):
        size = 4 * one.width
        if one.stage is not None:
            stage = create(one.stage)
            stage.input_space = Space(one.width, Kind.DENSE, metric)
            size = stage.fit(rows[:, : one.width]).space.bytes_per_item
        assert size <= budget, one
        assert one.cut != "pca" or metric is not Metric.DOT


def test_a_model_in_a_folder_is_named_by_its_last_part():
    from retrieval.report.byte_budget_cells import short

    assert short("sbert:/opt/models/minilm+pca:16,metric=cosine+sq8") == "sbert:minilm+pca:16,metric=cosine+sq8"


class Shuffled(Vectors):
    """Vectors whose labels have nothing to do with them."""

    def __iter__(self) -> Iterator[Item]:
        items = list(super().__iter__())
        labels = np.random.default_rng(4).permutation([item.label for item in items])
        return iter([replace(item, label=str(label)) for item, label in zip(items, labels, strict=True)])


def test_at_chance_level_no_code_is_called_best():
    found = compare(Shuffled(), ["vectors"], examples=1, options=CompareOptions(budgets=(4, 8)))
    budgets = found.byte_budgets
    assert not budgets.above_chance
    lines = byte_budgets_lines(budgets)
    text = " ".join(lines)
    assert text.startswith("No code is significantly better on P@10 than a random order (0.3")
    assert not set(text) & set("*≈")
    written = to_json(found)["byte_budgets"]
    assert (written["above_chance"], "best" in written["answer"]) == (False, False)
    assert not any(row["mark"] for row in bytes_data(found, "k")["frontier"])
    assert budgets.chance == pytest.approx(found.chance["P@10"])
    section = page([found]).partition('id="c1-bytes"')[2].partition("</section>")[0]
    assert "No code is significantly better" in section
    assert 'class="best"' not in section


def test_repeats_of_one_query_say_nothing_about_others():
    values = np.array([0.2, 0.2, 0.9, 0.9])
    assert interval_of(values, np.zeros(4, int)) == (0, 1)
    assert interval_of(values[:1], None) == (0, 1)
    low, high = interval_of(values, None)
    assert 0.2 <= low < high <= 0.9
