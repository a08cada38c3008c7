"""Conversion: voices and styles, independent opinions, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from encoders.codes import Modality
from encoders.errors import BadItemError, QueryError, UnknownNameError, UnsupportedSpaceError
from retrieval.applications.conversion import converted
from retrieval.applications.reconstruction_table import ReconstructionRow, ReconstructionTable
from retrieval.collection.local import LocalCollection
from retrieval.corpora.base import Corpus, Item
from retrieval.report.terminal.reconstructions import reconstructions_json, reconstructions_lines

SPEC = "vectors+disentangle:6,nuisance=voice,epochs=70,bottleneck=1,hidden=64,batch-size=64,nuisance-components=4"

QUICK = "vectors+disentangle:2,nuisance=voice,epochs=1,hidden=8,nuisance-components=2"


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
    before, after = table.rows
    assert np.mean(before.results["probability of voice y"]) < 0.2
    assert np.mean(after.results["probability of voice y"]) > 0.8
    assert np.mean(after.results["probability of its own label"]) > 0.5
    assert len(after.contents) == len(asked)


def test_an_item_can_stand_for_its_voice(spoken):
    collection, asked = spoken
    item = next(item for item in collection.items if item.metadata["voice"] == "z")
    table = converted(collection, SPEC, [f"@{asked[0]}"], [f"@{item.id}"])
    assert table.rows[1].name == "as z"
    assert "probability of voice z" in table.measures


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
    assert table.measures == ["probability of voice y"]


def test_classifiers_learn_from_the_whole_collection_in_any_order(tmp_path, monkeypatch):
    monkeypatch.setattr("retrieval.applications.conversion.JUDGED", 30)
    corpus = Spoken(np.random.default_rng(0).random((90, 4), dtype=np.float32), None, np.arange(90) // 30)
    collection = LocalCollection.create(tmp_path / "c", corpus).add_space(QUICK)
    assert converted(collection, QUICK, ["@0"], ["z"]).measures == ["probability of voice z"]


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
    with pytest.raises(UnknownNameError, match="unknown field of the items 'voise'; did you mean 'voice'"):
        corpus.batches(label_field="voise")
    assert next(iter(corpus.batches(label_field="voice"))).labels == ["x", "y", "x", "y"]


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
