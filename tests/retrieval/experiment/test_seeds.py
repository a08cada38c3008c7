"""Spaces fitted with several seeds: the table has their mean and spread, and the test counts the spread."""

import json
from dataclasses import replace

import numpy as np
import pytest

from encoders.errors import OptionError
from encoders.registry import create
from retrieval.corpora.registry import open_corpus
from retrieval.experiment.compare import compare, compare_collection
from retrieval.experiment.compare_options import CompareOptions
from retrieval.experiment.seeds import with_other_seeds
from retrieval.report.comparison_columns import SEEDS, comparison_rows
from retrieval.report.html.comparison import write_page
from retrieval.report.json import to_json
from retrieval.report.terminal.comparison import comparisons_lines

SPACES = ["vectors", "vectors+random-projection:2"]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 60)
    path = tmp_path_factory.mktemp("seeds") / "points.npz"
    vectors = (rng.normal(size=(3, 8))[labels] + rng.normal(size=(60, 8))).astype(np.float32)
    np.savez(path, vectors=vectors, labels=labels.astype(str))
    return open_corpus(str(path))


@pytest.fixture(scope="module")
def three(corpus):
    return compare(corpus, SPACES, ["exact", "faiss:Flat"], examples=1, options=CompareOptions(seeds=3))


def test_a_row_is_the_mean_of_the_comparisons_with_each_seed(corpus, three):
    alone = [compare(corpus, [f"vectors+random-projection:2,seed={seed}"], examples=0).spaces[0] for seed in range(3)]
    for row in three.spaces[2:]:
        for measure, value in row.measures.items():
            assert row.means_of_seeds[measure] == pytest.approx([one.measures[measure] for one in alone], abs=1e-6)
            assert value == pytest.approx(np.mean(row.means_of_seeds[measure]), abs=1e-9)
        assert len(set(row.means_of_seeds["P@10"])) == 3
    assert not any(row.means_of_seeds for row in three.spaces[:2])


def test_the_spread_of_seeds_widens_the_interval(corpus, three):
    one = compare(corpus, SPACES, examples=0).significance["P@10"].differences[0]
    many = three.significance["P@10"].of("vectors @ exact", "vectors+random-projection:2 @ exact")
    assert many.interval.high - many.interval.low > one.interval.high - one.interval.low


def test_table_json_and_notes_say_it(three):
    columns, rows = comparison_rows(three)
    at = columns.index(SEEDS)
    assert [row[at].text == "–" for row in rows] == [True, True, False, False]
    assert json.loads(json.dumps(to_json(three)))["spaces"][2]["means_of_seeds"]["P@10"]
    assert any("fitted with 3 seeds" in note for note in three.notes)


def test_numbers_of_the_first_seed_say_so_where_they_stand(corpus, tmp_path):
    """The table has means over seeds, fusion, equal bytes and health have one fit each."""
    asked = CompareOptions(seeds=2, fusion=True, budgets=(4,), health=True)
    found = compare(corpus, SPACES, examples=0, options=asked)
    said = "These numbers are of the first seed of each space"
    assert "\n".join(comparisons_lines([found])).count(said) == 3
    page = write_page(found, tmp_path / "page.html").read_text()
    for section in ("fusion", "bytes", "health"):
        _, _, rest = page.partition(f'<h3 id="c1-{section}">')
        assert said in rest.partition("</section>")[0]
    once = compare(corpus, SPACES, examples=0, options=replace(asked, seeds=1))
    assert said not in "\n".join(comparisons_lines([once])) + write_page(once, tmp_path / "once.html").read_text()


def test_without_seeds_nothing_changes(corpus):
    found = compare(corpus, SPACES, examples=0)
    assert SEEDS not in comparison_rows(found)[0]
    assert not any("seed" in note for note in found.notes)


def test_every_random_part_gets_the_next_seed_and_a_fitted_encoder_stays():
    found = [str(one) for one in with_other_seeds(create("vectors+random-projection:4,seed=5+kmeans:2"), 2)]
    assert found == ["vectors+random-projection:4,seed=6+kmeans:2,seed=1"]
    fitted = create("vectors+random-projection:2").fit(list(np.eye(4, dtype=np.float32)))
    assert not list(with_other_seeds(fitted, 3))


def test_where_seeds_mean_nothing_they_are_refused(tmp_path, corpus):
    from retrieval.collection.indexing import index_corpus

    with (
        index_corpus(tmp_path / "c", corpus, ["vectors"]) as collection,
        pytest.raises(OptionError, match="fitted already"),
    ):
        compare_collection(collection, options=CompareOptions(seeds=2))
    with pytest.raises(OptionError, match="leave --seeds out"):
        compare(corpus, [*SPACES, "vectors+pca:2"], options=CompareOptions(judged_by="agreement", seeds=2))
