"""Conversion: voices and styles, independent opinions, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from encoders.codes import Modality
from encoders.errors import QueryError, UnsupportedSpaceError
from retrieval.applications.conversion import converted
from retrieval.collection.local import LocalCollection
from retrieval.corpora.base import Corpus, Item

SPEC = "vectors+disentangle:6,nuisance=voice,epochs=70,bottleneck=1,hidden=64,batch-size=64,nuisance-components=4"


class Spoken(Corpus):
    """Vectors with a label and a voice."""

    name, modality = "spoken", Modality.VECTOR

    def __init__(self, rows, kinds, voices):
        self.rows, self.kinds, self.voices = rows, kinds, voices

    def __iter__(self):
        for row, vector in enumerate(self.rows):
            yield Item(str(row), vector, label=str(self.kinds[row]), metadata={"voice": "xyz"[self.voices[row]]})


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


class Unlike(Corpus):
    """Vectors of two voices, of which one has no label."""

    name, modality = "unlike", Modality.VECTOR

    def __iter__(self):
        for row, vector in enumerate(np.random.default_rng(0).random((20, 4)).astype(np.float32)):
            yield Item(str(row), vector, label="a" if row % 3 else None, metadata={"voice": "xy"[row % 2]})


def test_no_classifier_judges_where_there_is_nothing_to_distinguish(tmp_path):
    spec = "vectors+disentangle:2,nuisance=voice,epochs=1,hidden=8"
    collection = LocalCollection.create(tmp_path / "c", Unlike()).add_space(spec)
    spec = next(iter(collection.spaces))
    assert list(converted(collection, spec, ["@0"], ["y"]).measures) == ["probability of voice y"]
    collection = collection.delete([str(row) for row in range(0, 20, 2)])
    assert not converted(collection, spec, ["@1"], ["y"]).measures
