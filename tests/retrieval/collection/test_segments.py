"""A collection in segments answers as one that is merged after every change; and nothing is lost when it is merged."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from killing import kills
from segmented_news import SPACES, N, copied, delete, item, made, put

from encoders.errors import ArtifactError, CollectionError, NearbyError
from retrieval.collection import merge_policy, segment_draft
from retrieval.collection.filters import Filter
from retrieval.collection.local import LocalCollection
from retrieval.collection.merge_policy import Size, next_merge
from retrieval.collection.verification import verify
from retrieval.corpora.base import Item


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """One collection, made once; tests change copies of it."""
    folder = tmp_path_factory.mktemp("begun") / "c"
    made(folder).close()
    return folder


CHANGES = {
    "new items": put(item(100), item(101)),
    "changed and unchanged items": put(item(3, 1), item(100), item(7, 1)),
    "one removed": delete(4),
    "a changed one is changed again": put(item(3, 2), item(102)),
    "of both segments": delete(100, 5, 3),
    "a removed one comes again": put(item(4), item(5, 1), item(100, 1)),
    "a whole segment": delete(101, 7),
    "many": put(*map(item, range(200, 230))),
    "the last of the first": delete(59, 0),
}


def outcome(read):
    try:
        return read()
    except NearbyError as error:
        return type(error).__name__, str(error)


def shown(one: Item):
    return one.id, one.content, one.title, one.label, one.metadata


def read(collection: LocalCollection) -> dict[str, object]:
    """Everything that can be read of a collection."""
    items, found = collection.items, {}
    filters = ["label=1", "year>2001", "year=2003", "year=1999", "yaer=1", "label!=2", "label=9"]
    found["items"] = list(map(shown, items)), items.size, collection.items_digest, items.digest()
    found["pages"] = [list(map(shown, items.page(at, n))) for at, n in [(0, 5), (55, 9), (58, 4), (62, 50), (500, 1)]]
    found["queries"] = list(map(shown, items.queries())), items.qrels(), items.queries_are_items
    found["by id"] = [
        outcome(lambda ids=ids: list(map(shown, items.get(ids)))) for ids in (["d9", "d1"], ["d3"], ["dd"])
    ]
    found["required"] = [outcome(lambda id=id: items.require([id])) for id in ("d4", "d100", "d59", "x")]
    found["matching"] = [outcome(lambda f=f: items.matching([Filter.read(f)])) for f in filters]
    found["fields"] = list(items.labels_and_fields(61)), collection.filters()
    found["size"] = collection.info().items
    for spec in SPACES:
        space = collection.space(spec)
        query = space.encoder.encode_queries(["river water loan", "credit w3 w4"])
        found[f"{spec} ids"] = list(space.index.ids)
        codes = collection.codes_of(spec).codes()
        found[f"{spec} codes"] = (codes.toarray() if hasattr(codes, "toarray") else codes).tolist()
        for k in (1, 7, 200):
            hits = [(hit.id, round(hit.score, 4)) for one in space.index.search(query, k) for hit in one]
            # FAISS breaks ties, and rounds, in its own way
            found[f"{spec} best {k}"] = sorted(hits) if k == 200 or "lsa:4" not in spec else [s for _, s in hits]
        for text in ("label=1", "year>2001"):
            (best,) = collection.search([(spec, query[:1])], 8, [Filter.read(text)])
            found[f"{spec} {text}"] = [(hit.id, round(hit.score, 4)) for hit in best]
    return found


def test_every_answer_is_that_of_a_collection_that_is_merged_at_every_change(begun, tmp_path, monkeypatch):
    segmented, whole = copied(begun, tmp_path / "a"), copied(begun, tmp_path / "b")
    for name, change in CHANGES.items():
        monkeypatch.setattr(merge_policy, "SMALL", 0)
        segmented = change(segmented)
        monkeypatch.setattr(merge_policy, "SMALL", 10_000)
        whole = change(whole)
        assert not whole.manifest.segments
        wanted, found = read(whole), read(segmented)
        assert found.keys() == wanted.keys()
        different = [key for key in wanted if found[key] != wanted[key]]
        assert not different, f"after {name}: {different}"
        assert verify(segmented.folder).damaged == []
    monkeypatch.setattr(merge_policy, "SMALL", 0)
    assert len(segmented.manifest.segments) > 1 or segmented.manifest.segments[0].removed
    compact = segmented.compact()
    assert not compact.manifest.segments
    assert read(compact) == read(whole)
    assert not (compact._stored.generation / "segments").exists()
    assert compact.info().bytes <= segmented.info().bytes
    assert compact.compact() is compact


def test_random_changes_give_what_one_index_gives(begun, tmp_path, monkeypatch):
    monkeypatch.setattr(merge_policy, "SMALL", 0)
    monkeypatch.setattr(merge_policy, "AT_ONCE", 3)
    monkeypatch.setattr(merge_policy, "CLASS", 4)
    draw = np.random.default_rng(5)
    collection, wanted = copied(begun, tmp_path / "c"), {f"d{number}": (number, 0) for number in range(N)}
    counts = set()
    for step in range(24):
        if draw.random() < 0.6:
            chosen = draw.choice(120, draw.integers(1, 6), replace=False).tolist()
            collection = put(*(item(number, step % 3) for number in chosen))(collection)
            for number in chosen:
                if wanted.get(f"d{number}") != (number, step % 3):
                    wanted.pop(f"d{number}", None)
                    wanted[f"d{number}"] = number, step % 3
        else:
            gone = draw.choice(list(wanted), draw.integers(1, 4), replace=False).tolist()
            collection = collection.delete(gone)
            for id in gone:
                del wanted[id]
        assert list(map(shown, collection.items)) == [shown(item(*one)) for one in wanted.values()]
        for spec in SPACES:
            assert list(collection.space(spec).index.ids) == list(wanted)
        counts.add(len(collection.manifest.segments))
    assert max(counts) > 2  # it was in segments
    assert 0 in counts or len(counts) > 2  # and they were merged


def test_a_new_space_is_fitted_on_all_segments(begun, tmp_path, monkeypatch):
    monkeypatch.setattr(merge_policy, "SMALL", 0)
    collection = delete(4)(put(item(100), item(101))(copied(begun, tmp_path / "c")))
    added = collection.add_space("tfidf+lsa:3")
    assert list(added.space("tfidf+lsa:3").index.ids) == [one.id for one in collection.items]
    assert added.space("tfidf+lsa:3").encoder.fitted_on == added.items_digest == collection.items_digest


@pytest.mark.parametrize("action", ["add", "delete", "compact"])
def test_a_kill_at_any_moment_loses_nothing(begun, tmp_path, monkeypatch, action):
    monkeypatch.setattr(merge_policy, "SMALL", 0)
    start = copied(begun, tmp_path / "start")
    put(item(100), item(3, 1))(start).delete(["d5"]).close()
    before = [shown(one) for one in LocalCollection(tmp_path / "start").items]
    folder = tmp_path / "c"
    shutil.copytree(tmp_path / "start", folder)
    change = {"add": put(item(101), item(100, 1)), "delete": delete(6, 100), "compact": lambda c: c.compact()}[action]
    after = [shown(one) for one in change(copied(tmp_path / "start", tmp_path / "after")).items]
    for _ in kills(lambda: change(LocalCollection(folder)), every=7):
        left = LocalCollection(folder)
        found = [shown(one) for one in left.items]
        assert found in (before, after)
        for spec in left.spaces:
            assert list(left.space(spec).index.ids) == [id for id, *_ in found]
        assert verify(folder).damaged == []
        left.close()
        shutil.rmtree(folder)
        shutil.copytree(tmp_path / "start", folder)


def test_a_reader_keeps_its_segments_while_they_are_merged(begun, tmp_path, monkeypatch):
    monkeypatch.setattr(merge_policy, "SMALL", 0)
    reader = put(item(100), item(3, 1))(copied(begun, tmp_path / "c"))
    wanted = read(reader)
    other = LocalCollection(reader.folder)
    for change in (delete(1), lambda c: c.compact(), put(item(1)), lambda c: c.compact()):
        other = change(other)
    assert read(reader) == wanted


def test_a_removal_says_that_it_merges_a_large_collection(begun, tmp_path, monkeypatch):
    monkeypatch.setattr(segment_draft, "_MANY", N // 2)
    said = []
    copied(begun, tmp_path / "c").delete(["d1"], said.append)
    assert said == [f"merging 1 segment, {N - 1} items"]


def test_a_new_generation_takes_over_the_first_segment(begun, tmp_path, monkeypatch):
    monkeypatch.setattr(merge_policy, "SMALL", 0)
    before = copied(begun, tmp_path / "c")
    for change in (put(item(100), item(3, 1)), delete(1, 100), put(item(101)), lambda c: c.compact(), delete(4)):
        read(before)
        first = {spec: getattr(before.space(spec).index, "first", before.space(spec).index) for spec in SPACES}
        after = change(LocalCollection(before.folder))
        wanted = read(after)
        taking = LocalCollection(before.folder)
        taking.take_over(before)
        assert read(taking) == wanted
        kept = [getattr(taking.space(spec).index, "first", None) is first[spec] for spec in SPACES]
        assert all(kept) == bool(taking.manifest.segments)
        before = taking


def test_a_damaged_segment_of_one_space_leaves_the_others_to_be_taken_over(begun, tmp_path, monkeypatch):
    monkeypatch.setattr(merge_policy, "SMALL", 0)
    before = copied(begun, tmp_path / "c")
    for spec in ("bm25", "tfidf+lsa:6"):
        before.space(spec)
    after = put(item(100))(LocalCollection(before.folder))
    damaged = after.segments[1].space_folder(after.spaces["bm25"].folder) / "index" / "manifest.json"
    damaged.write_text(damaged.read_text()[:-3])
    after.take_over(before)
    assert "d100" in after.space("tfidf+lsa:6").index.ids
    with pytest.raises(ArtifactError):
        after.space("bm25")


@pytest.mark.parametrize("lost", ["items.sqlite", "spaces/*/index/manifest.json", "spaces/*/index/codes.npy"])
def test_a_damaged_segment_is_said_and_left_alone(begun, tmp_path, monkeypatch, lost):
    monkeypatch.setattr(merge_policy, "SMALL", 0)
    collection = put(item(100))(copied(begun, tmp_path / "c"))
    (path, *_) = sorted((collection._stored.generation / "segments" / "1").glob(lost))
    path.write_bytes(path.read_bytes()[:-3])
    assert verify(collection.folder).damaged
    before = sorted(collection._stored.generation.rglob("*"))
    with pytest.raises(ArtifactError):
        LocalCollection(collection.folder).compact()
    assert sorted(collection._stored.generation.rglob("*")) == before
    assert [path.name for path in (collection.folder / "generations").iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda rows: rows[:, :0], lambda rows: rows[::-1] * 1000, lambda rows: rows.astype(np.float64),
        lambda rows: rows - 5, lambda rows: rows[0],
    ],
)  # fmt: skip
def test_damaged_removed_items_are_said(begun, tmp_path, monkeypatch, damage):
    monkeypatch.setattr(merge_policy, "SMALL", 0)
    collection = delete(2, 9)(copied(begun, tmp_path / "c"))
    path = collection._stored.generation / "removed.npy"
    np.save(path, damage(np.load(path)))
    with pytest.raises(ArtifactError, match="corrupt"):
        LocalCollection(collection.folder)


def test_the_record_of_a_segment_names_no_other_folder(begun, tmp_path, monkeypatch):
    from encoders.artifact import sealed

    monkeypatch.setattr(merge_policy, "SMALL", 0)
    collection = put(item(100))(copied(begun, tmp_path / "c"))
    path = collection._stored.generation / "manifest.json"
    value = json.loads(path.read_text())
    for folder in ("../../outside", "/etc", "segments/../..", 7):
        value["segments"][1]["folder"] = folder
        path.write_text(json.dumps(sealed({key: one for key, one in value.items() if key != "digest"})))
        with pytest.raises(ArtifactError, match="corrupt"):
            LocalCollection(collection.folder)


def test_an_older_nearby_is_told_that_the_format_is_newer(begun, tmp_path, monkeypatch):
    monkeypatch.setattr(merge_policy, "SMALL", 0)
    collection = put(item(100))(copied(begun, tmp_path / "c"))
    assert json.loads((collection._stored.generation / "manifest.json").read_text())["format"] == 3
    compact = collection.compact()
    assert json.loads((compact._stored.generation / "manifest.json").read_text())["format"] == 1


def test_all_but_one_item_can_be_removed(begun, tmp_path, monkeypatch):
    monkeypatch.setattr(merge_policy, "SMALL", 0)
    collection = put(item(100))(copied(begun, tmp_path / "c"))
    with pytest.raises(CollectionError, match="remove every item"):
        collection.delete([one.id for one in collection.items])
    left = collection.delete([one.id for one in collection.items][:-1])
    assert [one.id for one in left.items] == ["d100"]
    assert left.space("bm25").index.ids == ["d100"]


def test_adding_costs_what_is_added():
    """Merges write an item a few times in all, and segments stay few, in 1,000 additions to a million items."""
    sizes, written = [Size(1_000_000, 0)], 0
    for _ in range(240):
        sizes.append(Size(1_000, 0))
        while (chosen := next_merge(sizes)) is not None:
            merged = Size(sum(sizes[at].left for at in chosen), 0)
            written += merged.left
            sizes[chosen.start : chosen.stop] = [merged]
        assert len(sizes) < 25
    assert sizes[0] == Size(1_000_000, 0)
    assert written < 4 * 240_000
    sizes += [Size(1_000, 0)] * 10
    assert next_merge(sizes) == range(len(sizes))


@pytest.mark.parametrize(
    ("sizes", "wanted"),
    [
        ([(1_000_000, 0), (20, 0), (30_000, 0)], range(1, 3)),  # a small one before a larger one
        ([(750_001, 249_999), (9, 0)], range(2)),
        ([(750_100, 249_900), (9, 0)], None),
        ([(800_000, 0)], None),
        ([(9_000, 0)], None),
        ([(9_000, 1)], range(1)),
        ([(100_000, 0), *[(999, 0)] * 9], None),
        ([(100_000, 0), *[(999, 0)] * 10], range(1, 11)),
    ],
)
def test_what_is_merged_next(sizes, wanted):
    assert next_merge([Size(*one) for one in sizes]) == wanted
