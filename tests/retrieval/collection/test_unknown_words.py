"""Words of added items that no space knows are counted and said, with what to type."""

from __future__ import annotations

import shlex
import subprocess
import sys

import pytest

from encoders.codes import Modality
from retrieval.collection.local import LocalCollection
from retrieval.collection.open import open_collection
from retrieval.collection.unknown_words import unknown_words, unknown_words_line
from retrieval.corpora.base import Corpus, Item


class Texts(Corpus):
    name = "texts"
    modality = Modality.TEXT

    def __iter__(self):
        return iter([Item("a", "the red apple"), Item("b", "a green pear"), Item("c", "red pears, green apples")])


@pytest.fixture
def collection(tmp_path):
    return LocalCollection.create(tmp_path / "it's fruit", Texts()).add_space("bm25").add_space("tfidf:min-df=2")


def test_words_are_counted_for_each_space_by_the_items_that_have_them(collection):
    items = [Item("d", "blue plums, blue plums and a quince"), Item("e", "The blue apple")]
    made, change = collection.put(items)
    found = unknown_words(made, change.added)
    assert found == {"bm25": {"blue": 2, "plums": 1, "quince": 1}, "tfidf:min-df=2": {"blue": 2}}
    line = unknown_words_line(made, change.added)
    assert line.startswith("3 words of the new items ('blue', 'plums', 'quince') are not known to bm25, tfidf:min-df=2")


def test_what_is_said_can_be_typed_and_then_every_word_is_known(collection, tmp_path):
    made, change = collection.put([Item("d", "blue plums"), Item("e", "blue plums")])
    command = shlex.split(unknown_words_line(made, change.added).partition("again:")[2])
    assert command[0] == "nearby"
    command = [sys.executable, "-m", "cli", *command[1:-1], str(tmp_path / "fitted again")]
    subprocess.run(command, check=True, capture_output=True)
    again = open_collection(tmp_path / "fitted again")
    assert list(again.spaces) == list(collection.spaces)
    assert unknown_words_line(again, ["d", "e"]) is None


def test_known_words_are_not_mentioned(collection):
    made, _ = collection.put([Item("d", "the reddest of the green pears"), Item("e", "red")])
    assert unknown_words_line(made, ["e"]) is None
    assert unknown_words_line(made, []) is None
