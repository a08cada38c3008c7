"""Merging segments never turns damage into data with fresh checksums, and reads what an older nearby has written."""

from __future__ import annotations

import json
import sqlite3

import numpy as np
import pytest
from segmented_news import copied, delete, item, made, put

from encoders import checksums
from encoders.artifact import sealed
from encoders.errors import ArtifactError, CollectionError
from retrieval.collection import merge_policy
from retrieval.collection.local import LocalCollection
from retrieval.collection.verification import verify


@pytest.fixture(autouse=True)
def always_in_segments(monkeypatch):
    monkeypatch.setattr(merge_policy, "SMALL", 0)


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """One collection, made once; tests change copies of it."""
    folder = tmp_path_factory.mktemp("begun") / "c"
    made(folder).close()
    return folder


def rewrite_manifest(collection: LocalCollection, change) -> None:
    path = collection._stored.generation / "manifest.json"
    value = {key: one for key, one in json.loads(path.read_text()).items() if key != "digest"}
    change(value)
    path.write_text(json.dumps(sealed(value)))


@pytest.mark.parametrize(
    "damaged", ["items.sqlite", "segments/1/items.sqlite", "segments/1/spaces/tfidf-lsa-6-*/index/codes.npy"]
)
def test_damage_that_opening_does_not_see_is_not_merged(tmp_path, monkeypatch, damaged):
    """Of a large file, opening compares some blocks: the checksums of a merged file would hide the damage."""
    monkeypatch.setattr(checksums, "BLOCK_BYTES", 128)
    monkeypatch.setattr(checksums, "AT_OPENING", 2)
    collection = put(*map(item, range(100, 114)))(made(tmp_path / "c"))
    (path,) = collection._stored.generation.glob(damaged)
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 4
    path.write_bytes(raw)
    opened = LocalCollection(collection.folder)  # the damaged block is not one of those that are compared
    with pytest.raises(ArtifactError, match="damaged"):
        opened.compact()
    assert LocalCollection(collection.folder).generation == collection.generation
    assert verify(collection.folder).damaged


def test_lost_rows_are_not_merged(begun, tmp_path):
    collection = put(item(100), item(101))(copied(begun, tmp_path / "c"))
    path = collection._stored.generation / "segments" / "1" / "items.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM items WHERE id = 'd101'")
    connection.close()
    rewrite_manifest(collection, lambda value: value["segments"][1]["files"].clear())
    with pytest.raises(CollectionError, match="61 of 62 items can be read: nothing was changed"):
        LocalCollection(collection.folder).compact()


@pytest.mark.parametrize("change", [put(item(100), item(3, 1)), delete(4), lambda c: c.add_space("tfidf+lsa:3")])
def test_a_collection_of_an_older_nearby_without_checksums_can_be_changed(begun, tmp_path, change):
    old = copied(begun, tmp_path / "c")
    rewrite_manifest(old, lambda value: value.pop("files"))
    changed = change(LocalCollection(old.folder))
    assert verify(changed.folder).damaged == []
    for spec in changed.spaces:
        assert list(changed.space(spec).index.ids) == [one.id for one in changed.items]


def test_judgements_of_an_item_that_is_in_no_segment_any_more_are_merged_away(begun, tmp_path):
    first = copied(begun, tmp_path / "c")
    path = first._stored.generation / "items.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO qrels VALUES ('q2', 'd500', 1)")  # judged, but not in the corpus
    connection.close()
    rewrite_manifest(first, lambda value: value["files"].clear())
    removed = delete(500)(put(item(500))(LocalCollection(first.folder)))
    assert removed.manifest.unjudged == ("d500",)
    assert removed.items.qrels()["q2"] == {"d5": 1}
    compact = removed.compact()
    assert not compact.manifest.segments
    assert compact.items.qrels()["q2"] == {"d5": 1}
    assert "tfidf+lsa:3" in compact.add_space("tfidf+lsa:3").spaces


@pytest.mark.parametrize(
    "change",
    [
        lambda v: v["segments"][1].update(folder=""), lambda v: v["segments"][0].update(folder="segments/9"),
        lambda v: v["segments"].append(v["segments"][1]), lambda v: v["segments"].pop(),
        lambda v: v["segments"][1]["files"].update({"../../x": {}}), lambda v: v["spaces"][0].update(folder="/etc/x"),
        lambda v: v["spaces"][0].update(folder=".."), lambda v: v.update(count=7),
        lambda v: v["segments"][0].update(removed=1),
    ],
)  # fmt: skip
def test_a_manifest_that_names_other_folders_or_numbers_is_refused(begun, tmp_path, change):
    collection = put(item(100))(copied(begun, tmp_path / "c"))
    rewrite_manifest(collection, change)
    with pytest.raises(ArtifactError, match="corrupt"):
        LocalCollection(collection.folder)


def test_removed_items_of_another_segment_are_damage(begun, tmp_path):
    collection = delete(4, 101)(put(item(100), item(101))(copied(begun, tmp_path / "c")))
    generation = collection._stored.generation
    (generation / "removed.npy").write_bytes((generation / "segments" / "1" / "removed.npy").read_bytes())
    with pytest.raises(ArtifactError, match="damaged"):
        LocalCollection(collection.folder)
    assert verify(collection.folder).damaged
    np.save(generation / "removed.npy", np.zeros((2, 0)))
    assert verify(collection.folder).damaged
