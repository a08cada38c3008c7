"""Weights of a fusion, stored with a collection and used by search."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import cli
from retrieval.collection.local import LocalCollection
from retrieval.collection.open import open_collection
from retrieval.corpora.registry import open_corpus
from retrieval.search.saved_fusion import FILE, SavedFusion

RUNNER = CliRunner()


def run(*words):
    return RUNNER.invoke(cli.app, [str(word) for word in words])


@pytest.fixture
def corpus(tmp_path):
    rng = np.random.default_rng(0)
    topics = {"sea": range(20), "rail": range(15, 40)}
    lines = [
        f"{' '.join(f'w{word}' for word in rng.choice(topics[label], 12))},{label}"
        for label in ("sea", "rail") for _ in range(15)
    ]  # fmt: skip
    path = tmp_path / "texts.csv"
    path.write_text("text,label\n" + "\n".join(lines) + "\n")
    return path


@pytest.fixture
def collection(corpus, tmp_path):
    made = LocalCollection.create(tmp_path / "made", open_corpus(str(corpus)))
    for spec in ("bm25", "bow"):
        made = made.add_space(spec)
    return made


def test_weights_are_saved_and_search_uses_them(collection):
    saved = run("compare", collection.folder, "--save-fusion", "--json")
    assert saved.exit_code == 0, saved.output
    fusion = (
        json.loads(saved.stdout)["fusion"] if saved.stdout.startswith("{") else json.loads(saved.stdout)[0]["fusion"]
    )
    kept = SavedFusion.load(open_collection(collection.folder))
    assert kept.weights == fusion["combinations"][-1]["weights"]
    assert sum(kept.weights.values()) == pytest.approx(1)
    found = run("search", collection.folder, "w1 w2 w3", "--fuse", "saved", "--json")
    assert found.exit_code == 0, found.output
    answer = json.loads(found.stdout)
    assert answer["fusion"]["method"] == "convex"
    assert answer["fusion"]["weights"] == kept.weights
    assert [hit["score"] for hit in answer["hits"]] == sorted((hit["score"] for hit in answer["hits"]), reverse=True)
    assert "convex combination of 2 spaces" in run("search", collection.folder, "w1 w2", "--fuse", "saved").output


def test_without_saved_weights_one_sentence_says_how_to_choose_some(collection):
    found = run("search", collection.folder, "w1", "--fuse", "saved")
    assert found.exit_code == 2 or found.exit_code == 1
    assert "has no saved fusion: choose weights with  nearby compare" in str(found.exception) + found.output


def test_weights_of_spaces_that_changed_are_refused(collection):
    SavedFusion.save(
        collection, {"bm25": 0.5, "bow": 0.5}, depth=100, measure="P@10", judged_by="labels", n_queries=30,
        in_sample=0.5, held_out=0.5,
    )  # fmt: skip
    path = collection.folder / FILE
    good = path.read_text()
    assert SavedFusion.load(collection).weights == {"bm25": 0.5, "bow": 0.5}
    value = json.loads(good)
    value.pop("digest")  # a file of an older nearby has no checksum
    path.write_text(json.dumps({**value, "encoders": {"bm25": "another", "bow": value["encoders"]["bow"]}}))
    found = run("search", collection.folder, "w1", "--fuse", "saved")
    assert "the space 'bm25' was fitted again after its weight was chosen" in str(found.exception) + found.output
    path.write_text(json.dumps({**value, "weights": {"tfidf": 1.0}, "encoders": {"tfidf": "x"}}))
    found = run("search", collection.folder, "w1", "--fuse", "saved")
    assert "the weights are for the space 'tfidf', which" in str(found.exception) + found.output


@pytest.mark.parametrize("change", [
    {"weights": {"bm25": float("nan"), "bow": 1}}, {"weights": {"bm25": -1, "bow": 1}}, {"weights": []}, {"depth": "x"},
    {"weights": {"bm25": 0, "bow": 0}}, {"encoders": {}}, {"depth": 0},
])  # fmt: skip
def test_a_damaged_file_is_one_sentence(collection, change):
    SavedFusion.save(
        collection, {"bm25": 0.5, "bow": 0.5}, depth=100, measure="P@10", judged_by="labels", n_queries=30,
        in_sample=0.5, held_out=0.5,
    )  # fmt: skip
    path = collection.folder / FILE
    value = json.loads(path.read_text())
    path.write_text(json.dumps({**value, **change}))
    assert "corrupt" in str(run("search", collection.folder, "w1", "--fuse", "saved").exception)
    value.pop("digest")
    path.write_text(json.dumps({**value, **change}))
    assert "corrupt" in str(run("search", collection.folder, "w1", "--fuse", "saved").exception)


def test_fusion_is_refused_where_it_means_nothing(corpus, collection):
    for words, says in [
        (["compare", corpus, "-s", "bow", "-s", "bm25", "--save-fusion"], "is no collection: index it first"),
        (["compare", corpus, "-s", "bow", "--fusion"], "needs at least two spaces"),
        (["compare", corpus, "-s", "bow", "-s", "bm25", "-s", "tfidf", "--fusion", "--judged-by", "agreement"],
         "nothing says what is relevant here"),
        (["search", collection.folder, "w1", "--fuse", "saved", "-s", "bow"], "leave -s out"),
        (["search", collection.folder, "w1", "--fuse", "savd"], "did you mean 'saved'"),
    ]:  # fmt: skip
        found = run(*words)
        assert found.exit_code != 0
        assert says in str(found.exception) + found.output, (words, found.exception)
    few = corpus.with_name("few.csv")
    few.write_text("".join(corpus.read_text().splitlines(keepends=True)[:6]))
    assert "needs at least 10, but there are 5" in str(
        run("compare", few, "-s", "bow", "-s", "bm25", "--fusion").exception
    )


def test_the_table_of_fusions_has_a_row_for_each_pair_and_for_all(corpus, tmp_path):
    shown = run("compare", corpus, "-s", "bow", "-s", "bm25", "-s", "tfidf", "--fusion", "-o", tmp_path / "page")
    assert shown.exit_code == 0, shown.output
    for name in ("1 + 2 ", "1 + 3 ", "2 + 3 ", "1 + 2 + 3 "):
        assert f"\n{name}" in shown.stdout
    assert "on held-out queries" in shown.stdout
    page = (tmp_path / "page" / "report.html").read_text()
    assert "Are several spaces better together?" in page
