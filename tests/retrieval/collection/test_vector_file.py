"""Vectors are on disk once: in a file that the items and the space of the vectors themselves share."""

from __future__ import annotations

import sqlite3

import numpy as np
import pytest

from encoders import checksums
from encoders.errors import ArtifactError, CorpusError
from retrieval.collection import merge_policy
from retrieval.collection.indexing import index_corpus
from retrieval.collection.item_draft import ItemDraft
from retrieval.collection.item_store import ItemStore
from retrieval.collection.local import LocalCollection
from retrieval.collection.vector_file import VECTORS, VectorFile
from retrieval.collection.verification import verify
from retrieval.corpora.base import BadEntries, Item
from retrieval.corpora.item_record import item_digest, items_digest
from retrieval.corpora.registry import open_corpus

N, WIDTH = 60, 6


@pytest.fixture
def corpus(tmp_path):
    np.save(tmp_path / "v.npy", np.random.default_rng(0).standard_normal((N, WIDTH), dtype=np.float32))
    (tmp_path / "labels.txt").write_text("".join(f"{row % 3}\n" for row in range(N)))
    return open_corpus(f"{tmp_path / 'v.npy'}?labels=labels.txt")


def shown(item: Item):
    return item.id, item.content.tolist(), item.label, item.title, item.metadata


def vector_item(number: int, version: int = 0) -> Item:
    vector = np.random.default_rng([number, version]).standard_normal(WIDTH, dtype=np.float32)
    return Item(str(number), vector, f"title {number}", str(number % 3), {"version": str(version)})


@pytest.mark.parametrize("index", ["exact", "faiss:HNSW8", "faiss:IVF2,Flat"])
def test_items_codes_and_vectors_are_one_file(corpus, tmp_path, index):
    collection = index_corpus(tmp_path / "c", corpus, ["vectors", "vectors:cosine"], index)
    generation = collection._stored.generation
    stored = (generation / VECTORS).stat()
    codes = list(generation.glob("spaces/*/*/codes.npy"))
    assert len(codes) == 2
    assert {path.stat().st_ino for path in codes} == {stored.st_ino}
    assert (generation / "items.sqlite").stat().st_size + stored.st_size == collection.items.bytes_on_disk
    assert collection.info().bytes < sum(path.stat().st_size for path in generation.rglob("*") if path.is_file())
    assert list(map(shown, collection.items)) == list(map(shown, corpus))
    assert collection.items_digest == items_digest(corpus)
    assert not verify(collection.folder).damaged


@pytest.mark.parametrize("small", [0, 10_000])
@pytest.mark.parametrize("index", ["exact", "faiss:IVF2,Flat"])
def test_they_are_one_file_again_after_a_merge(corpus, tmp_path, monkeypatch, index, small):
    monkeypatch.setattr(merge_policy, "SMALL", small)
    collection = index_corpus(tmp_path / "c", corpus, ["vectors", "vectors:cosine"], index)
    collection, _ = collection.put([vector_item(number, 1) for number in range(50, 70)])
    collection = collection.delete(["3", "61"]).compact()
    generation = collection._stored.generation
    codes = list(generation.glob("spaces/*/*/codes.npy"))
    assert len(codes) == 2
    assert {path.stat().st_ino for path in codes} == {(generation / VECTORS).stat().st_ino}
    assert not verify(collection.folder).damaged
    whole = np.stack([item.content for item in collection.items])
    for spec in collection.spaces:
        np.testing.assert_array_equal(collection.codes_of(spec).codes(), whole)
        hits = collection.space(spec).index.search(whole[:5], 1)
        assert [hit.id for (hit,) in hits] == list(collection.space(spec).index.ids[:5])


@pytest.mark.parametrize("spec", ["vectors", "vectors:cosine", "vectors+pca:3"])
def test_a_graph_of_mostly_removed_items_is_built_again(corpus, tmp_path, spec):
    collection = index_corpus(tmp_path / "c", corpus, [spec], "faiss:HNSW8")
    collection = collection.delete([str(number) for number in range(20)]).compact()
    live = list(collection._stored.generation.glob("spaces/*/index/live.npy"))
    assert len(live) == 1  # it holds 20 removed items and 40 others
    collection = collection.delete([str(number) for number in range(20, 35)]).compact()
    assert not list(collection._stored.generation.glob("spaces/*/index/live.npy"))
    space = collection.space(spec)
    codes = space.encoder.encode(np.stack([item.content for item in collection.items]))
    assert [hits[0].id for hits in space.index.search(codes, 1)] == [str(number) for number in range(35, N)]
    assert not verify(collection.folder).damaged


@pytest.mark.parametrize("index", ["exact", "faiss:IVF2,Flat"])
@pytest.mark.parametrize("spec", ["vectors", "vectors:cosine", "vectors+pca:3"])
def test_a_space_that_shares_the_file_answers_as_one_with_codes_of_its_own(corpus, tmp_path, monkeypatch, spec, index):
    shared = index_corpus(tmp_path / "shared", corpus, [spec], index)
    monkeypatch.setattr(VectorFile, "takes", lambda *_: False)
    monkeypatch.setattr(type(corpus), "has_only_columns", False)
    apart = index_corpus(tmp_path / "apart", corpus, [spec], index)
    assert not (apart._stored.generation / VECTORS).exists()
    ones, others = (one.space(spec).index for one in (shared, apart))
    queries = shared.space(spec).encoder.encode_queries(np.stack([item.content for item in corpus]))
    np.testing.assert_array_equal(ones.search_rows(queries, 9).rows, others.search_rows(queries, 9).rows)
    np.testing.assert_array_equal(ones.search_rows(queries, 9).scores, others.search_rows(queries, 9).scores)
    np.testing.assert_array_equal(shared.codes_of(spec).codes(), apart.codes_of(spec).codes())
    assert shared.items_digest == apart.items_digest


def test_blocks_say_what_items_say(corpus, tmp_path):
    collection = index_corpus(tmp_path / "c", corpus, ["vectors"])
    collection, _ = collection.put(vector_item(number) for number in range(50, 70))
    for source in (corpus, collection.items):
        blocks = list(source.blocks(16))
        assert all(block.is_matrix and len(block.ids) <= 16 for block in blocks)
        columns = [
            row for block in blocks for row in zip(block.ids, block.contents.tolist(), block.labels, strict=True)
        ]
        assert columns == [(item.id, item.content.tolist(), item.label) for item in source]
    (by_field,) = collection.items.blocks(1000, "version")
    assert set(by_field.labels) == {None, "0"}


@pytest.mark.parametrize("small", [0, 10_000])
def test_vectors_survive_every_change(corpus, tmp_path, monkeypatch, small):
    monkeypatch.setattr(merge_policy, "SMALL", small)
    collection = index_corpus(tmp_path / "c", corpus, ["vectors", "vectors+pca:2"])
    wanted = {item.id: item for item in corpus}
    draw = np.random.default_rng(1)
    for turn in range(12):
        if turn % 3 == 2:
            gone = draw.choice(sorted(wanted), 4, replace=False).tolist()
            collection = collection.delete(gone)
            wanted = {id: item for id, item in wanted.items() if id not in gone}
        else:
            new = [vector_item(int(number), turn) for number in draw.choice(100, 5, replace=False)]
            collection, _ = collection.put(new)
            for item in new:
                wanted.pop(item.id, None)
                wanted[item.id] = item
        assert list(map(shown, collection.items)) == list(map(shown, wanted.values()))
        np.testing.assert_array_equal(
            collection.codes_of("vectors").codes(), np.stack([item.content for item in wanted.values()])
        )
    compact = collection.compact()
    assert list(map(shown, compact.items)) == list(map(shown, wanted.values()))
    assert not verify(compact.folder).damaged


@pytest.mark.parametrize(
    "content",
    [np.zeros(WIDTH), np.zeros(WIDTH + 1, np.float32), np.zeros(WIDTH, ">f4"), np.zeros(0, np.float32)],
    ids=["float64", "wider", "big-endian", "empty"],
)
def test_other_arrays_are_kept_as_they_are(corpus, tmp_path, content):
    store = ItemDraft.create(tmp_path / "items.sqlite", corpus)
    odd = Item("odd", content)
    store.put([vector_item(100), odd, vector_item(101)])
    (found,) = store.get(["odd"])
    assert found.content.dtype == content.dtype
    assert item_digest(found) == item_digest(odd)
    assert store.vector_file is None
    assert [id for block in store.blocks(16) for id in block.ids] == [item.id for item in store]


def test_codes_that_float32_cannot_square_are_stored_in_another_unit(tmp_path):
    np.save(tmp_path / "v.npy", np.random.default_rng(0).standard_normal((N, WIDTH)).astype(np.float32) * 1e30)
    corpus = open_corpus(str(tmp_path / "v.npy"))
    collection = index_corpus(tmp_path / "c", corpus, ["vectors"], "exact")
    (codes,) = collection._stored.generation.glob("spaces/*/index/codes.npy")
    assert codes.stat().st_nlink == 1
    queries = np.stack([item.content for item in corpus])
    assert [hits[0].id for hits in collection.space("vectors").index.search(queries, 1)] == list(map(str, range(N)))


def test_a_repeated_id_is_named_with_its_place(tmp_path):
    np.save(tmp_path / "v.npy", np.eye(4, dtype=np.float32))
    (tmp_path / "ids.txt").write_text("a\nb\na\nc\n")
    corpus = open_corpus(f"{tmp_path / 'v.npy'}?ids=ids.txt")
    with pytest.raises(CorpusError, match=r"v.npy: row 2: two items have the id 'a' \(the second is item 3\)"):
        ItemDraft.create(tmp_path / "one.sqlite", corpus)
    bad = BadEntries(skip=True)
    store = ItemDraft.create(tmp_path / "items.sqlite", corpus, bad)
    assert [(item.id, item.content.argmax()) for item in store] == [("a", 0), ("b", 1), ("c", 3)]
    assert len(bad.found) == 1


def test_bad_rows_are_left_out(tmp_path):
    vectors = np.eye(5, dtype=np.float32)
    vectors[1, 2], vectors[4, 0] = np.nan, np.inf
    np.save(tmp_path / "v.npy", vectors)
    bad = BadEntries(skip=True)
    corpus = open_corpus(str(tmp_path / "v.npy"))
    corpus.on_bad = bad
    store = ItemDraft.create(tmp_path / "items.sqlite", corpus, bad)
    assert [(item.id, item.content.argmax()) for item in store] == [("0", 0), ("2", 2), ("3", 3)]
    assert [reason.partition(": ")[2] for reason in bad.found] == [
        "row 1 holds NaN or infinite values: nan in column 2",
        "row 4 holds NaN or infinite values: inf in column 0",
    ]


def test_a_whole_block_of_bad_rows_is_left_out(tmp_path):
    vectors = np.ones((3_000, WIDTH), np.float32)
    vectors[1_000:2_500] = np.nan
    np.save(tmp_path / "v.npy", vectors)
    bad = BadEntries(skip=True)
    corpus = open_corpus(str(tmp_path / "v.npy"))
    corpus.on_bad = bad
    collection = index_corpus(tmp_path / "c", corpus, ["vectors"], on_bad=bad)
    assert [item.id for item in collection.items] == [str(row) for row in (*range(1_000), *range(2_500, 3_000))]
    assert len(bad.found) == 1_500
    assert all(len(block.ids) for block in corpus.blocks(100))


def test_vectors_of_other_widths_are_merged_as_they_are(corpus, tmp_path):
    """Without a space, nothing asks for one width."""
    collection = LocalCollection.create(tmp_path / "c", corpus)
    added = [Item(f"wide {number}", np.full(WIDTH + 1, number, np.float32), "title", "x") for number in range(20)]
    collection, _ = collection.put(added)
    compact = collection.compact()
    assert list(map(shown, compact.items)) == list(map(shown, [*corpus, *added]))
    assert not verify(compact.folder).damaged


def test_a_file_of_vectors_refuses_another_width(tmp_path):
    with VectorFile(tmp_path / VECTORS) as file:
        file.append(np.zeros((2, WIDTH), np.float32))
        with pytest.raises(ValueError, match="holds vectors of width 6, not 7"):
            file.append(np.zeros((2, WIDTH + 1), np.float32))


def test_a_symbolic_link_in_the_place_of_the_file_does_not_last(corpus, tmp_path):
    """A second name of the link would break when what it names is removed."""
    collection = index_corpus(tmp_path / "c", corpus, ["vectors+pca:2"])
    file, elsewhere = collection._stored.generation / VECTORS, tmp_path / "elsewhere.npy"
    file.rename(elsewhere)
    file.symlink_to(elsewhere)
    after = LocalCollection(collection.folder).add_space("vectors")
    elsewhere.unlink()
    assert not any(path.is_symlink() for path in after._stored.generation.rglob("*"))
    assert list(map(shown, after.items)) == list(map(shown, corpus))


def damage(path) -> None:
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 4
    path.write_bytes(raw)


def test_damage_that_opening_does_not_see_stops_a_new_space(corpus, tmp_path, monkeypatch):
    """Codes that are the same file would have checksums of their own, which hide the damage."""
    monkeypatch.setattr(checksums, "BLOCK_BYTES", 64)
    monkeypatch.setattr(checksums, "AT_OPENING", 2)
    collection = index_corpus(tmp_path / "c", corpus, ["vectors+pca:2"])
    damage(collection._stored.generation / VECTORS)
    opened = LocalCollection(collection.folder)
    for spec in ("vectors", "vectors:cosine", "vectors+pca:3"):
        with pytest.raises(ArtifactError, match=r"vectors.npy is damaged"):
            opened.add_space(spec, "exact")
    with pytest.raises(ArtifactError, match="differs from its checksum"):
        list(opened.items)
    assert verify(collection.folder).damaged


@pytest.mark.parametrize("raw", [b"", b"\x93NUMPY", None], ids=["empty", "magic", "cut off"])
def test_a_file_that_is_damaged_while_it_is_open_is_named(corpus, tmp_path, raw):
    store = ItemDraft.create(tmp_path / "items.sqlite", corpus)
    file = tmp_path / VECTORS
    file.write_bytes(file.read_bytes()[:500] if raw is None else raw)
    for read in (lambda: store.vector_file, lambda: list(store.blocks(16)), lambda: list(store)):
        with pytest.raises(ArtifactError, match=r"items.sqlite is damaged"):
            read()


@pytest.mark.parametrize("change", ["UPDATE items SET content = 60 WHERE row = 7", "UPDATE items SET content = -1"])
def test_rows_that_the_file_does_not_have_are_damage(corpus, tmp_path, change):
    store = ItemDraft.create(tmp_path / "items.sqlite", corpus)
    store.close()
    with sqlite3.connect(store.path) as connection:
        connection.execute(change)
    for read in (list, lambda store: list(store.blocks(100))):
        with pytest.raises(ArtifactError, match=r"items.sqlite is damaged: it names vectors that vectors.npy does not"):
            read(ItemStore(store.path, writable=True))


def test_swapped_rows_that_opening_does_not_see_stop_a_new_space(corpus, tmp_path, monkeypatch):
    """Blocks compare no item with its own checksum."""
    monkeypatch.setattr(checksums, "BLOCK_BYTES", 64)
    monkeypatch.setattr(checksums, "AT_OPENING", 2)
    collection = index_corpus(tmp_path / "c", corpus, ["vectors"])
    with sqlite3.connect(collection._stored.generation / "items.sqlite") as connection:
        connection.execute("UPDATE items SET content = 3 - content WHERE content IN (1, 2)")
    with pytest.raises(ArtifactError, match=r"items.sqlite is damaged"):
        LocalCollection(collection.folder).add_space("vectors+pca:2")


def test_swapped_rows_are_damage(corpus, tmp_path):
    store = ItemDraft.create(tmp_path / "items.sqlite", corpus)
    store.close()
    with sqlite3.connect(store.path) as connection:
        connection.execute("UPDATE items SET content = 3 - content WHERE content IN (1, 2)")
    swapped = ItemStore(store.path, writable=True)
    assert swapped.vector_file is None
    with pytest.raises(ArtifactError, match="item '1' differs from its checksum"):
        list(swapped)


def test_a_missing_file_is_named(corpus, tmp_path):
    store = ItemDraft.create(tmp_path / "items.sqlite", corpus)
    store.close()
    (tmp_path / VECTORS).unlink()
    with pytest.raises(ArtifactError, match=r"vectors.npy is missing: the collection is incomplete"):
        list(ItemStore(store.path))


def test_a_file_that_grows_is_what_numpy_writes(tmp_path):
    vectors = np.random.default_rng(0).standard_normal((1_234, 5), dtype=np.float32)
    for part in np.split(vectors, [1, 9, 10, 500]):
        with VectorFile(tmp_path / VECTORS) as file:
            for row in part:
                assert file.takes(row)
                file.append(row[None])
    np.save(tmp_path / "numpy.npy", vectors)
    assert (tmp_path / VECTORS).read_bytes() == (tmp_path / "numpy.npy").read_bytes()
