"""Items in SQLite: what is damaged is said, never answered with."""

from __future__ import annotations

import sqlite3

import pytest

from encoders.errors import ArtifactError, CollectionError
from retrieval.collection.item_draft import ItemDraft
from retrieval.collection.item_store import ItemStore
from retrieval.corpora.base import Item
from retrieval.corpora.registry import open_corpus


@pytest.fixture
def path(tmp_path):
    (tmp_path / "texts.csv").write_text("id,text\n" + "\n".join(f"id{n},text {n} {'word ' * 200}" for n in range(50)))
    ItemDraft.create(tmp_path / "items.sqlite", open_corpus(str(tmp_path / "texts.csv"))).close()
    return tmp_path / "items.sqlite"


READERS = {
    "items": list,
    "queries": lambda store: list(store.queries()),
    "get": lambda store: store.get([f"id{n}" for n in range(50)]),
    "put": lambda store: store.put([Item(f"id{n}", "other") for n in range(50)]),
}


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_damaged_pages_are_said(path, read):
    raw = bytearray(path.read_bytes())
    raw[4096:] = bytes(len(raw) - 4096)
    path.write_bytes(raw)
    with pytest.raises(ArtifactError, match=r"items.sqlite is damaged: .*; index the corpus again in a new folder"):
        read(ItemStore(path, writable=True))


def test_a_changed_item_is_not_answered_with_but_can_be_removed(path):
    path.write_bytes(path.read_bytes().replace(b"text 7 ", b"text 8 "))
    with pytest.raises(ArtifactError, match="item 'id7' differs from its checksum"):
        ItemStore(path).get(["id7"])
    left = ItemStore(path, removed=ItemStore(path).rows(["id7"]).values())
    assert left.size == len(list(left)) == 49
    merged = ItemDraft.merged(path.with_name("merged"), [left], with_queries=True)
    assert [(one.id, one.content) for one in merged] == [(one.id, one.content) for one in left]


def test_a_store_that_does_not_say_what_it_holds_is_damaged(path):
    with sqlite3.connect(path) as database:
        database.execute("DELETE FROM about WHERE key = 'own_queries'")
    with pytest.raises(ArtifactError, match="it lacks 'own_queries'"):
        ItemStore(path)


@pytest.mark.parametrize(
    ("id", "message"),
    [
        ("id77", r"no item 'id77'; did you mean 'id\d+'"),
        ("zz", "its ids are like 'id0'"),
        ("\udcff", r"no item '\\udcff': that is not a text"),
    ],
)
def test_an_unknown_id_is_met_with_a_known_one(path, id, message):
    with pytest.raises(CollectionError, match=message):
        ItemStore(path).get([id])
