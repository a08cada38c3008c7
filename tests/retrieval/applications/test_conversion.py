"""Conversion: voices and styles, independent opinions, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from encoders.codes import Modality
from encoders.errors import BadItemError, OptionError, QueryError, UnknownNameError, UnsupportedSpaceError
from encoders.registry import create
from encoders.table.vectors import Vectors
from retrieval.analysis.analyze import analyze
from retrieval.applications.conversion import converted as conversions
from retrieval.applications.conversion_judges import judges_of
from retrieval.applications.conversion_pairs import converted_mean
from retrieval.applications.reconstruction import asked_items
from retrieval.applications.reconstruction_table import ReconstructionRow, ReconstructionTable
from retrieval.collection.indexing import index_corpus
from retrieval.collection.local import LocalCollection
from retrieval.corpora.base import Corpus, Item
from retrieval.experiment.compare import compare, compare_collection
from retrieval.experiment.health.health import health
from retrieval.report.terminal.conversions import conversions_lines
from retrieval.report.terminal.reconstructions import reconstructions_json, reconstructions_lines
from retrieval.spaces.train import train_encoder

SPEC = "vectors+disentangle:6,nuisance=voice,epochs=70,bottleneck=1,hidden=64,batch-size=64,nuisance-components=4"

QUICK = "vectors+disentangle:2,nuisance=voice,epochs=1,hidden=8,nuisance-components=2"


def converted(collection, spec, texts, like=(), pairs=False):
    return conversions(collection, spec, asked_items(collection, texts, None, 0), like, pairs)


class Spoken(Corpus):
    """Vectors with a label and a voice."""

    name, modality = "spoken", Modality.VECTOR

    def __init__(self, rows, kinds, voices):
        self.rows, self.kinds, self.voices = rows, kinds, voices

    def __iter__(self):
        for row, vector in enumerate(self.rows):
            label = None if self.kinds is None else str(self.kinds[row])
            yield Item(str(row), vector, label=label, metadata={"voice": "xyz"[self.voices[row]]})


@pytest.fixture(scope="module")
def spoken(tmp_path_factory):
    """Return a collection of vectors, each the sum of a pattern of its label and one of its voice."""
    generator = np.random.default_rng(0)
    kinds, voices = generator.integers(0, 4, 480), generator.integers(0, 3, 480)
    rows = generator.normal(size=(4, 16))[kinds] + 2 * generator.normal(size=(3, 16))[voices]
    rows = (rows + 0.1 * generator.normal(size=rows.shape)).astype(np.float32)
    collection = LocalCollection.create(tmp_path_factory.mktemp("spoken") / "c", Spoken(rows, kinds, voices))
    for spec in ("vectors", SPEC):
        collection = collection.add_space(spec)
    return collection, [item.id for item in collection.items if item.metadata["voice"] == "x"][:40]


def test_the_wanted_voice_is_heard_and_the_label_is_kept(spoken):
    collection, asked = spoken
    table = converted(collection, SPEC, [f"@{id}" for id in asked], ["y"])
    before, after = table.table.rows
    assert np.mean(before.results["probability of voice y"]) < 0.2
    assert np.mean(after.results["probability of voice y"]) > 0.8
    assert np.mean(after.results["probability of its own label"]) > 0.4  # chance is 0.25
    assert np.mean([one.heard_label == one.item.label for one in table.items]) > 0.7
    assert np.mean([one.heard_nuisance == "y" for one in table.items]) > 0.9
    assert len(after.contents) == len(asked)


def test_an_item_can_stand_for_its_voice(spoken):
    collection, asked = spoken
    item = next(item for item in collection.items if item.metadata["voice"] == "z")
    table = converted(collection, SPEC, [f"@{asked[0]}"], [f"@{item.id}"])
    assert table.table.rows[1].name == "as z"
    assert "probability of voice z" in table.table.measures
    assert table.items[0].example.id == item.id


def test_an_unknown_voice_and_another_space_are_refused(spoken):
    collection, asked = spoken
    with pytest.raises(QueryError, match="'nobody' is not a nuisance that this space was fitted on: x, y, z"):
        converted(collection, SPEC, [f"@{asked[0]}"], ["nobody"])
    with pytest.raises(UnsupportedSpaceError, match="does not separate content and nuisance"):
        converted(collection, "vectors", [f"@{asked[0]}"], ["y"])


@pytest.mark.parametrize("kinds", [None, np.zeros(60, int)])
def test_labels_that_no_classifier_can_learn_are_not_judged(tmp_path, kinds):
    corpus = Spoken(np.random.default_rng(0).random((60, 4), dtype=np.float32), kinds, np.arange(60) % 3)
    collection = LocalCollection.create(tmp_path / "c", corpus).add_space(QUICK)
    table = converted(collection, QUICK, ["@0"], ["y"])
    assert table.table.measures == ["probability of voice y"]


def test_classifiers_learn_from_the_whole_collection_in_any_order(tmp_path, monkeypatch):
    monkeypatch.setattr("retrieval.applications.conversion.JUDGED", 30)
    corpus = Spoken(np.random.default_rng(0).random((90, 4), dtype=np.float32), None, np.arange(90) // 30)
    collection = LocalCollection.create(tmp_path / "c", corpus).add_space(QUICK)
    assert converted(collection, QUICK, ["@0"], ["z"]).table.measures == ["probability of voice z"]


def test_without_a_voice_items_get_the_other_voices_in_turn(spoken):
    collection, asked = spoken
    found = converted(collection, SPEC, [f"@{id}" for id in asked[:4]])
    assert [(one.own, one.wanted) for one in found.items] == [("x", "y"), ("x", "z"), ("x", "y"), ("x", "z")]
    assert found.table.columns == [f"{id} as {voice}" for id, voice in zip(asked, "yzyz", strict=False)]
    alone = [converted(collection, SPEC, [f"@{id}"], [voice]) for id, voice in zip(asked, "yz", strict=False)]
    for at, one in enumerate(alone):
        np.testing.assert_allclose(found.table.rows[1].contents[at], one.table.rows[1].contents[0], atol=0.2)
    assert all(one.example.id not in asked for one in found.items)


def test_all_pairs_are_judged_on_items_that_no_classifier_has_seen(spoken):
    collection, asked = spoken
    pairs = converted(collection, SPEC, [f"@{asked[0]}"], ["y"], pairs=True).pairs
    assert (pairs.values, pairs.left_out) == (["x", "y", "z"], 0)
    assert pairs.counts == [30, 30, 30]
    assert np.diag(pairs.nuisance_heard).min() > 0.9  # real items
    assert converted_mean(pairs.nuisance_heard) > 0.8
    assert converted_mean(pairs.label_kept) > 0.5
    assert len(pairs.to_json()["pairs"]) == 9
    assert {one["converted"] for one in pairs.to_json()["pairs"] if one["from"] == one["to"]} == {False}


def test_held_out_items_and_those_that_are_converted_train_no_classifier(spoken):
    collection, asked = spoken
    judges = judges_of(list(collection.items), lambda contents: np.stack(contents), "voice", asked[:5])
    learnt, held = ({item.id for item in known.items} for known in (judges.training, judges.held_out))
    assert not learnt & held
    assert not learnt & set(asked[:5])
    assert len(learnt | held | set(asked[:5])) == 480


def test_nuisances_with_too_few_items_are_left_out_of_the_pairs(tmp_path):
    voices = np.array([0] * 30 + [1] * 30 + [2] * 2)
    corpus = Spoken(np.random.default_rng(0).random((62, 4), dtype=np.float32), None, voices)
    collection = LocalCollection.create(tmp_path / "c", corpus).add_space(QUICK)
    found = converted(collection, QUICK, ["@0"], ["y"], pairs=True)
    assert (found.pairs.values, found.pairs.left_out, found.pairs.label_kept) == (["x", "y"], 1, None)
    assert "1 other value of voice left out" in " ".join(conversions_lines(found))


def test_a_terminal_shows_every_conversion_and_the_means():
    pictures = [np.zeros((2, 2), np.uint8)] * 2
    rows = [
        ReconstructionRow("the item", pictures, {"heard": [0.25, 0.75]}),
        ReconstructionRow("as y", pictures, {"heard": [1.0, 0.5]}),
    ]
    assert reconstructions_lines(ReconstructionTable(["a", "b"], rows, per_item=True)) == [
        "item            heard",
        "a     the item  0.250",
        "a     as y      1.000",
        "b     the item  0.750",
        "b     as y      0.500",
        "mean  the item  0.500",
        "mean  as y      0.750",
    ]


def test_a_misspelt_nuisance_is_refused_before_the_fit():
    corpus = Spoken(np.zeros((4, 2), np.float32), None, np.arange(4) % 2)
    with pytest.raises(UnknownNameError, match="unknown field 'voise' in the items; did you mean 'voice'"):
        corpus.batches(label_field="voise")
    assert next(iter(corpus.batches(label_field="voice"))).labels == ["x", "y", "x", "y"]


MISSPELT = QUICK.replace("nuisance=voice", "nuisance=voise")
ENTRIES = {
    "index": lambda corpus, specs, folder, said: index_corpus(folder, corpus, specs, say=said.append),
    "compare": lambda corpus, specs, folder, said: compare(corpus, specs),
    "train": lambda corpus, specs, folder, said: train_encoder(corpus, specs[-1], folder, say=said.append),
    "analyze": lambda corpus, specs, folder, said: analyze(corpus, [create(spec) for spec in specs], said.append),
    "health": lambda corpus, specs, folder, said: health(corpus, [create(spec) for spec in specs], say=said.append),
}


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_misspelt_nuisance_is_refused_before_any_space_is_fitted(tmp_path, monkeypatch, entry):
    fitted = []
    monkeypatch.setattr(Vectors, "_fit", lambda self, *given: fitted.append(self))
    corpus = Spoken(np.random.default_rng(0).random((60, 2), dtype=np.float32), np.arange(60) % 4, np.arange(60) % 2)
    said = []
    with pytest.raises(UnknownNameError, match="unknown field 'voise' in the items; did you mean 'voice'"):
        ENTRIES[entry](corpus, ["vectors", MISSPELT], tmp_path / "c", said)
    assert fitted == []
    assert not [line for line in said if "fitting" in line or "training" in line]
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize(
    ("voices", "message"),
    [([0] * 12, "which is 'x' for all of them"), (None, "each of the 12 items has its own"),
     ([0, 1] * 5 + [3, 3], "2 of 12 items do not have the field 'voice'")],
)  # fmt: skip
def test_a_nuisance_that_cannot_be_learnt_is_refused_before_any_space_is_fitted(tmp_path, voices, message):
    class Told(Spoken):
        def __iter__(self):
            for row, item in enumerate(super().__iter__()):
                voice = f"v{row}" if voices is None else "xyz "[voices[row]].strip()
                yield Item(item.id, item.content, metadata={"voice": voice} if voice else {"other": "1"})

    corpus = Told(np.random.default_rng(0).random((12, 2), dtype=np.float32), None, np.zeros(12, int))
    said = []
    with pytest.raises(BadItemError, match=message):
        index_corpus(tmp_path / "c", corpus, ["vectors", QUICK], say=said.append)
    assert not [line for line in said if "fitting" in line]


def test_items_without_any_field_have_no_nuisance():
    class Bare(Spoken):
        def __iter__(self):
            yield from (Item(item.id, item.content) for item in super().__iter__())

    with pytest.raises(BadItemError, match="the items have no field 'voice', nor any other field"):
        Bare(np.zeros((4, 2), np.float32), None, np.arange(4) % 2).batches(label_field="voice")


def test_json_of_pictures_says_their_size_not_their_pixels():
    picture = np.zeros((3, 5), np.uint8)
    table = ReconstructionTable(["7"], [ReconstructionRow("pixels", [picture], {"error": [0.5]})])
    assert reconstructions_json(table) == [{"item": "7", "space": "pixels", "error": 0.5, "width": 5, "height": 3}]


def test_json_of_contents_that_were_written_names_the_file():
    for content, shown in ((np.zeros((3, 5), np.uint8), {"width": 5, "height": 3}), (np.zeros(784, np.float32), {})):
        table = ReconstructionTable(["7"], [ReconstructionRow("vectors", [content])])
        assert reconstructions_json(table, Path("a/b.npy")) == [
            {"item": "7", "space": "vectors", **shown, "file": "a/b.npy"}
        ]


class Asked(Spoken):
    """The same, whose items are the queries."""

    queries_are_items = True

    def queries(self):
        return iter(self)


def test_a_space_of_another_nuisance_is_compared_on_all_items(tmp_path):
    generator = np.random.default_rng(0)
    corpus = Asked(generator.random((60, 4), dtype=np.float32), np.arange(60) // 2 % 4, np.arange(60) % 2)
    compared = compare(corpus, ["vectors", QUICK], indexes=["exact"])
    assert (compared.judged_by, compared.n_queries) == (
        "labels",
        60,
    )  # neither the voice says the label, nor the label the voice
    collection = LocalCollection.create(tmp_path / "c", corpus).add_space(QUICK)
    assert compare_collection(collection, [QUICK]).n_queries == 60


def test_a_space_whose_nuisance_says_the_label_is_fitted_without_the_queries(tmp_path):
    corpus = Asked(np.random.default_rng(0).random((60, 4), dtype=np.float32), np.arange(60) % 2, np.arange(60) % 2)
    assert compare(corpus, ["vectors", QUICK], indexes=["exact"]).n_queries == 12
    collection = LocalCollection.create(tmp_path / "c", corpus).add_space(QUICK)
    with pytest.raises(OptionError, match="was fitted on the labels of the queries"):
        compare_collection(collection, [QUICK])
