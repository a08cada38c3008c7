"""A collection is opened by its folder, and its items as a corpus."""

from __future__ import annotations

import pytest

from encoders.errors import OptionError, UnknownNameError
from retrieval.collection.local import LocalCollection
from retrieval.collection.open import open_data


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
