"""An item store that somebody else has made: its tables are ours, nothing of it runs, every statement ends."""

from __future__ import annotations

import sqlite3

import numpy as np
import pytest

from encoders.errors import ArtifactError
from retrieval.collection import database
from retrieval.collection.item_draft import ItemDraft
from retrieval.collection.item_store import ItemStore
from retrieval.corpora.base import Item
from retrieval.corpora.registry import open_corpus


@pytest.fixture
def path(tmp_path):
    (tmp_path / "texts.csv").write_text(
        "id,text,n\n" + "\n".join(f"id{n},text {n} {'word ' * 200},{n}" for n in range(50))
    )
    ItemDraft.create(tmp_path / "items.sqlite", open_corpus(str(tmp_path / "texts.csv"))).close()
    return tmp_path / "items.sqlite"


def changed(path, script):
    with sqlite3.connect(path) as connection:
        connection.executescript(script)
    connection.close()


@pytest.mark.parametrize(
    "script",
    [
        "CREATE VIEW more AS SELECT 1",
        "CREATE TRIGGER spy AFTER DELETE ON items BEGIN DELETE FROM about; END",
        "CREATE INDEX other ON items (lower(id))",
        "CREATE TABLE more (a)",
        "CREATE VIRTUAL TABLE more USING fts5(a)",
        "ALTER TABLE items ADD COLUMN extra GENERATED ALWAYS AS (hex(zeroblob(100000000)))",
        "ALTER TABLE about RENAME TO held; CREATE VIEW about AS SELECT key, value FROM held",
        "ALTER TABLE items RENAME TO held; CREATE VIEW items AS WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) "
        "SELECT i AS row, 'id' AS id, 'text' AS content, NULL AS shape, NULL AS title, NULL AS label, NULL AS metadata, x'' AS digest FROM n",
        "DROP TABLE qrels",
    ],
)  # fmt: skip
@pytest.mark.parametrize("writable", [False, True])
def test_other_tables_than_ours_are_refused_before_they_are_read(path, script, writable):
    changed(path, script)
    with pytest.raises(ArtifactError, match=r"items.sqlite is damaged: its tables are not those of nearby"):
        ItemStore(path, writable=writable)


def test_a_reader_cannot_write(path):
    store = ItemStore(path)
    with pytest.raises(ArtifactError, match=r"readonly|attempt to write"):
        list(store.read("DELETE FROM items"))
    store.close()


def test_a_statement_that_does_not_end_is_stopped(path, monkeypatch):
    monkeypatch.setattr(database, "_TICK", 100)
    monkeypatch.setattr(database, "_STEPS", 1000)
    store = ItemStore(path)
    assert len(list(store)) == 50  # a few steps a row
    endless = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
    with pytest.raises(ArtifactError, match="so reading it would not end"):
        next(store.read(endless))
    store.close()


def test_more_rows_than_a_file_has_room_for_are_not_read(path, monkeypatch):
    monkeypatch.setattr(database, "_BYTES_PER_ROW", path.stat().st_size)
    monkeypatch.setattr(database, "_ROWS", 30)
    with pytest.raises(ArtifactError, match="its pages form a cycle"):
        list(ItemStore(path))


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE items SET content = 7 WHERE row = 3",
        "UPDATE items SET content = x'00ff' WHERE row = 3",
        "UPDATE items SET label = x'00ff' WHERE row = 3",
        "UPDATE items SET title = x'00ff' WHERE row = 3",
        "UPDATE items SET metadata = '[1]' WHERE row = 3",
        "UPDATE items SET metadata = '{\"n\": 1}' WHERE row = 3",
        "UPDATE items SET metadata = replace(hex(zeroblob(100000)), '0', '[') WHERE row = 3",
        "UPDATE items SET id = x'00ff' WHERE row = 3",
        "UPDATE items SET shape = '[\"<f4\", 4]' WHERE row = 3",
        "UPDATE items SET content = x'00000000', shape = '[\"|O\", 1]' WHERE row = 3",
        "UPDATE items SET content = x'00000000', shape = '[\"<f4\", -1]' WHERE row = 3",
        "UPDATE items SET content = x'00000000', shape = '[\"<f4\", 1e999]' WHERE row = 3",
        "UPDATE items SET content = x'00000000', shape = '[\"<f4,<f4\", 1]' WHERE row = 3",
        "UPDATE items SET content = x'00000000', shape = '7' WHERE row = 3",
    ],
)
def test_a_value_of_another_type_is_damage(path, change):
    changed(path, change)
    with pytest.raises(ArtifactError, match=r"items.sqlite is damaged: ") as raised:
        list(ItemStore(path))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("grade", ["'high'", "1.5", "x'00'"])
def test_a_grade_that_is_no_whole_number_is_damage(path, grade):
    changed(path, f"INSERT INTO qrels VALUES ('q', 'id1', {grade})")  # noqa: S608
    with pytest.raises(ArtifactError, match=r"items.sqlite is damaged: it holds \w+ for a whole number"):
        ItemStore(path).qrels()


def test_what_is_no_database_is_refused(tmp_path):
    for content in (b"", b"text", b"SQLite format 3\0" + bytes(84), bytes(4096)):
        (tmp_path / "items.sqlite").write_bytes(content)
        with pytest.raises(ArtifactError, match="is damaged"):
            ItemStore(tmp_path / "items.sqlite")


def test_pictures_and_vectors_come_back_as_they_were(tmp_path):
    np.save(tmp_path / "v.npy", np.arange(12, dtype=np.float32).reshape(3, 4))
    store = ItemDraft.create(tmp_path / "items.sqlite", open_corpus(str(tmp_path / "v.npy")))
    assert [item.content.tolist() for item in store] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]
    assert store.put([Item("3", np.ones(4, np.float32))]).added == ["3"]
