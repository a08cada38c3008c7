"""A collection is opened by its folder, and its items as a corpus."""

from __future__ import annotations

import shutil

import pytest

from encoders.codes import Modality
from encoders.errors import CollectionError, OptionError, UnknownNameError
from retrieval.analysis.target import read_target
from retrieval.collection.local import LocalCollection
from retrieval.collection.open import open_addition, open_collection, open_data


def test_a_collection_is_a_corpus(tmp_path):
    (tmp_path / "t.csv").write_text("text\nx\ny\n")
    LocalCollection.create(tmp_path / "c", open_data(str(tmp_path / "t.csv")))
    assert [item.content for item in open_data(str(tmp_path / "c"))] == ["x", "y"]
    with pytest.raises(OptionError, match="is a collection and takes no options; got 'size'"):
        open_data(f"{tmp_path / 'c'}?size=3")


def test_a_name_is_that_of_a_corpus():
    assert open_data("digits").name == "digits"
    with pytest.raises(UnknownNameError, match="did you mean 'digits'"):
        open_data("digit")


def test_a_name_wins_over_a_folder_and_a_collection_over_a_name(tmp_path, monkeypatch, capsys):
    """Whichever is taken is said, with the way to name the other; every command opens its corpus by this rule."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits").mkdir()
    (tmp_path / "digits" / "a.txt").write_text("a text")
    assert open_data("digits").modality is Modality.IMAGE
    assert capsys.readouterr().err == (
        "'digits' is read as the corpus with that name; write ./digits for the file or folder here\n"
    )
    assert [item.content for item in open_data("./digits")] == ["a text"]
    assert open_data("corpus:digits").name == "digits"
    assert capsys.readouterr().err == ""

    (tmp_path / "t.csv").write_text("text\nred kite\nblue boat\n")
    shutil.rmtree("digits")
    collection = LocalCollection.create(tmp_path / "digits", open_data("t.csv"))
    collection.add_space("bow")
    for address in ("digits", "./digits"):
        assert [item.content for item in open_data(address)] == ["red kite", "blue boat"]
        assert [item.content for item in open_addition(collection, address)] == ["red kite", "blue boat"]
        assert read_target(address, None)[0].modality is Modality.TEXT
    said = "'digits' is read as the collection in that folder; write corpus:digits for the corpus with that name"
    assert capsys.readouterr().err.splitlines() == [said] * 3
    assert open_data("corpus:digits").modality is Modality.IMAGE
    assert read_target("corpus:digits", ["pixels"])[0].name == "digits"
    with pytest.raises(OptionError, match=r"got 'size'; write corpus:digits\?size=3 for the corpus with that name"):
        open_data("digits?size=3")
    assert capsys.readouterr().err == ""


def test_a_misspelt_folder_of_a_collection(tmp_path):
    (tmp_path / "t.csv").write_text("text\nx\ny\n")
    LocalCollection.create(tmp_path / "my-digits", open_data(str(tmp_path / "t.csv")))
    with pytest.raises(CollectionError, match=r"my-digit does not exist; did you mean '.*my-digits'\?"):
        open_collection(tmp_path / "my-digit")
    with pytest.raises(CollectionError, match="other does not exist: make a collection with"):
        open_collection(tmp_path / "other")


def test_a_name_of_no_corpus_is_refused_as_such(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digit").mkdir()
    with pytest.raises(UnknownNameError, match="unknown corpus 'digit'; did you mean 'digits'"):
        open_data("corpus:digit")
