"""The label ladder: `compare` works on every rung, and says on which."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from encoders.codes import Modality
from encoders.errors import CorpusError, OptionError, UnknownNameError
from encoders.registry import create
from retrieval.collection.local import LocalCollection
from retrieval.corpora.base import Corpus, Item
from retrieval.experiment.compare import compare, compare_collection, run_space
from retrieval.experiment.compare_options import CompareOptions
from retrieval.experiment.label_ladder.known_items import known_item_queries, unjudged_queries
from retrieval.experiment.label_ladder.queries import queries_on_rung
from retrieval.experiment.score import score_run
from retrieval.experiment.trec_files import write_trec_files
from retrieval.report.html.comparison import page
from retrieval.report.json import to_json
from retrieval.report.verdict import answer

SPECS = ["bm25", "bow", "tfidf"]


class Listed(Corpus):
    name, modality = "listed", Modality.TEXT

    def __init__(self, items, judged=None):
        self._items, self._judged = items, judged
        self.modality = Modality.VECTOR if isinstance(items[0].content, np.ndarray) else Modality.TEXT

    def __iter__(self):
        return iter(self._items)

    def queries(self):
        return iter(self._items if self._judged is None else [Item("q", "w1 w2 w3")])

    def qrels(self):
        return self._judged

    @property
    def queries_are_items(self):
        return self._judged is None


def texts(count=40, length=40, label=None):
    rng = np.random.default_rng(0)
    # every item has ten words of its own choice, so that a passage tells something about the rest
    words = [[f"w{word}" for word in rng.choice(rng.integers(0, 80, 10), length)] for _ in range(count)]
    return [Item(str(number), " ".join(one), label=label and label(number)) for number, one in enumerate(words)]


def test_without_labels_known_items_are_asked_and_the_first_sentence_says_so():
    comparison = compare(Listed(texts()), SPECS, examples=2)
    assert comparison.judged_by == "known-item"
    assert answer(comparison).startswith("Judged by known-item search, not by labels")
    assert next(iter(comparison.spaces[0].measures)) == "RR@10"
    assert comparison.notes[0].startswith("How far to believe this: on ")
    assert "Kendall's tau" in comparison.notes[0]
    assert all(space.measures["Success@10"] > 0.3 for space in comparison.spaces)
    assert "known-item search" in page([comparison])
    assert json.loads(json.dumps(to_json(comparison)))["judged_by"] == "known-item"


def test_an_item_is_among_its_own_answers_but_its_passage_is_not_indexed():
    corpus, queries = known_item_queries(Listed(texts()))
    assert (queries.query_rows == -1).all()
    indexed = {item.id: item.content for item in corpus}
    assert all(query.content not in indexed[query.id] for query in queries.queries)
    assert queries.qrels == {query.id: {query.id: 1} for query in queries.queries}


def test_the_order_of_the_corpus_changes_no_query_and_no_measure():
    items = texts()
    mixed = [items[at] for at in np.random.default_rng(1).permutation(len(items))]
    first, second = (compare(Listed(some), ["bow"], examples=0) for some in (items, mixed))
    assert first.spaces[0].measures == second.spaces[0].measures
    (_, one), (_, other) = (known_item_queries(Listed(some), max_queries=10) for some in (items, mixed))
    assert [query.content for query in one.queries] == [query.content for query in other.queries]


def unjudged(*args, **options):
    return None, unjudged_queries(*args, **options)


@pytest.mark.parametrize("asked", [known_item_queries, unjudged])
def test_a_sample_is_a_part_of_the_larger_one_and_even_over_the_corpus(asked):
    """A corpus sorted by class must not be asked about its first class only, and one more query changes no other."""
    items = [replace(item, label=str(number // 20)) for number, item in enumerate(texts(200))]
    few, more = (asked(Listed(items), max_queries=count)[1] for count in (40, 80))
    assert (len(few.queries), len(more.queries), len(few.ids)) == (40, 80, 200)
    assert {query.id: query.content for query in few.queries}.items() <= {
        query.id: query.content for query in more.queries
    }.items()
    counts = Counter(query.label for query in more.queries)
    assert len(counts) == 10
    assert max(counts.values()) <= 16  # 8 are expected of each class
    other_seed = asked(Listed(items), seed=1, max_queries=40)[1]
    assert {query.id for query in other_seed.queries} != {query.id for query in few.queries}


def test_a_sample_of_known_items_is_searched_among_all_items_and_measures_what_all_would():
    items = texts(200)
    means = {}
    for count in (60, 200):
        corpus, queries = known_item_queries(Listed(items), max_queries=count)
        assert len(queries.queries) == count
        assert len(queries.ids) == len(list(corpus)) == 200
        changed = {item.id for item, before in zip(corpus, items, strict=True) if item.content != before.content}
        assert changed == {query.id for query in queries.queries}  # the other texts keep all their words
        run = run_space(corpus, queries, create("bow"), None)
        means[count] = score_run(queries, run).per_query["RR@10"]
    error = means[200].std() / np.sqrt(60)
    assert abs(means[60].mean() - means[200].mean()) < 3 * error + 0.02


def test_short_items_and_copies_are_left_out_and_counted():
    items = [*texts(20), Item("short", "two words"), Item("copy", texts(1)[0].content)]
    _, queries = known_item_queries(Listed(items))
    assert {query.id for query in queries.queries} == {str(number) for number in range(1, 20)}
    assert "1 item is not asked: shorter than 20 words." in queries.remarks
    assert "2 items are not asked: equal to another item." in queries.remarks


def test_texts_that_are_all_short_are_ordered_by_agreement():
    comparison = compare(Listed([Item(str(n), f"red w{n % 5} w{n % 7}") for n in range(30)]), SPECS, examples=2)
    assert comparison.judged_by == "agreement"
    assert comparison.significance == {}
    assert answer(comparison).startswith("Ordered by the agreement of the spaces, not by quality")
    assert any(note.startswith("Known-item search is not possible") for note in comparison.notes)
    assert "agree" in page([comparison])
    with pytest.raises(OptionError, match="at least 3 spaces, but 2 are given"):
        compare(Listed([Item(str(n), f"red w{n % 5}") for n in range(30)]), ["bow", "bm25"])


def test_a_rung_can_be_chosen_where_labels_exist(tmp_path):
    corpus = Listed(texts(label=lambda number: "ab"[number % 2]))
    assert compare(corpus, ["bow"], examples=0).judged_by == "labels"
    by_agreement = compare(corpus, SPECS, examples=0, options=CompareOptions(judged_by="agreement"))
    assert by_agreement.judged_by == "agreement"
    assert "nothing says what is relevant" in write_trec_files(by_agreement, tmp_path)
    assert not (tmp_path / "qrels").exists()


@pytest.mark.parametrize(("rung", "error", "says"), [
    ("qrels", OptionError, "has no judgements .* known-item needs none"),
    ("labels", OptionError, "has no labels; --judged-by known-item needs none"),
    ("known-itm", UnknownNameError, "did you mean 'known-item'"),
])  # fmt: skip
def test_a_rung_that_the_corpus_does_not_have_is_one_sentence(rung, error, says):
    with pytest.raises(error, match=says):
        queries_on_rung(Listed(texts()), rung)


def test_judgements_without_a_relevant_document_stay_an_error():
    with pytest.raises(CorpusError, match="no relevant document"):
        queries_on_rung(Listed(texts(), {"q": {"unknown": 1}}))


def test_agreement_asks_the_queries_of_the_corpus_and_otherwise_items():
    assert [query.id for query in unjudged_queries(Listed(texts(), {"q": {"1": 1}})).queries] == ["q"]
    own = unjudged_queries(Listed(texts()), max_queries=7)
    assert len(own.queries) == 7
    assert [own.ids[row] for row in own.query_rows] == [item.id for item in own.queries]


def test_vectors_have_noise_by_the_spread_of_their_components():
    rng = np.random.default_rng(0)
    vectors = [Item(str(n), (rng.normal(size=8) * [0, 9, 1, 1, 1, 1, 1, 1]).astype(np.float32)) for n in range(50)]
    corpus, queries = known_item_queries(Listed(vectors))
    assert list(corpus) == vectors
    noise = np.stack([query.content - vectors[int(query.id)].content for query in queries.queries])
    assert (noise[:, 0] == 0).all()
    assert noise[:, 1].std() > 3


def test_a_collection_is_searched_without_the_passages_that_are_asked(tmp_path):
    collection = LocalCollection.create(tmp_path / "c", Listed(texts()))
    for spec in SPECS:
        collection = collection.add_space(spec)
    saved, corpus = compare_collection(collection, examples=0), compare(Listed(texts()), SPECS, examples=0)
    assert saved.judged_by == "known-item"
    # the saved encoders know the words of the passages, those of the corpus were fitted without them
    for one, other in zip(saved.spaces, corpus.spaces, strict=True):
        assert abs(one.measures["RR@10"] - other.measures["RR@10"]) < 0.1
