"""A collection on disk: what is written stays, whatever happens to the writer."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from killing import kills

from encoders.codes import Modality
from encoders.errors import ArtifactError, CollectionError, CorpusError, DimensionError, UnknownNameError
from encoders.neural.checkpoint import FILE as CHECKPOINT
from retrieval.collection import generations, local, pin
from retrieval.collection.generations import is_collection
from retrieval.collection.indexing import index_corpus
from retrieval.collection.local import LocalCollection
from retrieval.corpora.base import Corpus, Item
from retrieval.corpora.registry import open_corpus
from retrieval.report.terminal.info import info_lines
from retrieval.spaces.saved_space import folder_name

TEXTS = {
    "a": "heat transfer in a laminar boundary layer",
    "b": "the boundary layer of a flat plate",
    "c": "red apples and green pears",
    "d": "pears grow in the garden behind the house",
    "e": "supersonic flow past a blunt body",
    "f": "the flow of heat in a body",
}


class Listed(Corpus):
    name = "listed"
    modality = Modality.TEXT

    def __init__(self, texts: dict[str, str]) -> None:
        self.texts = texts

    def __iter__(self):
        return (Item(id, text, label=text.split()[0], metadata={"n": id}) for id, text in self.texts.items())

    @property
    def queries_are_items(self) -> bool:
        return True


@pytest.fixture
def collection(tmp_path) -> LocalCollection:
    made = LocalCollection.create(tmp_path / "c", Listed(TEXTS))
    return made.add_space("bm25").add_space("tfidf+lsa:2").add_space("tfidf+lsa:3", "faiss:Flat")


def nearest(collection: LocalCollection, spec: str, text: str) -> str:
    opened = collection.space(spec)
    return opened.index.search(opened.encoder.encode_queries([text]), 1)[0][0].id


def test_what_was_stored_is_read_back(collection):
    again = LocalCollection(collection.folder)
    assert [(item.id, item.content, item.metadata) for item in again.items] == [
        (id, text, {"n": id}) for id, text in TEXTS.items()
    ]
    assert list(again.spaces) == ["bm25", "tfidf+lsa:2", "tfidf+lsa:3"]
    assert nearest(again, "bm25", "green apples") == "c"


def test_pictures_and_vectors_are_read_back_bit_by_bit(tmp_path):
    digits = open_corpus("digits")
    stored = LocalCollection.create(tmp_path / "d", digits)
    for item, other in zip(digits, stored.items, strict=True):
        np.testing.assert_array_equal(item.content, other.content)
        assert (item.id, item.label) == (other.id, other.label)


@pytest.mark.parametrize("spec", ["bm25", "tfidf+lsa:2", "tfidf+lsa:3"])
def test_added_changed_and_deleted_items_are_so_in_every_space(collection, spec):
    new = Listed({"g": "garden pears and apples", "a": "red garden house"})
    after, change = collection.put(iter(new))
    assert (change.added, change.changed, change.unchanged) == (["g"], ["a"], 0)
    opened = after.space(spec)
    assert list(opened.index.ids) == [item.id for item in after.items] == ["b", "c", "d", "e", "f", "g", "a"]
    fresh = opened.encoder.encode([item.content for item in after.items])
    alone = after.delete(["g", "b"]).space(spec)
    assert list(alone.index.ids) == ["c", "d", "e", "f", "a"]
    for id, row in zip(opened.index.ids, range(7), strict=True):
        if id in alone.index.ids:
            best = alone.index.search(fresh[row : row + 1], 5)[0]
            assert best[0].score == pytest.approx({hit.id: hit.score for hit in best}[id], abs=1e-5)


def test_bytes_of_codes_are_those_of_the_items_that_are_left(collection):
    """They were those of all items that ever were in the collection."""
    changed, _ = collection.put(iter(Listed({"g": "garden pears and apples", "a": "red garden house"})))
    for made, n in ((collection, 6), (changed, 7), (changed.delete(["g", "b"]).compact(), 5)):
        assert made.spaces["tfidf+lsa:2"].code_bytes == n * 2 * 4
        assert 0 < made.spaces["bm25"].code_bytes <= collection.spaces["bm25"].code_bytes * n / 5


@pytest.mark.parametrize("spec", ["bm25", "tfidf+lsa:3"])
def test_the_last_item_can_be_changed(collection, spec):
    after, change = collection.put(iter(Listed({"f": "green pears", "g": "red apples"})))
    assert (change.added, change.changed) == (["g"], ["f"])
    assert list(after.space(spec).index.ids) == [item.id for item in after.items] == [*TEXTS, "g"]
    assert nearest(after, "bm25", "green pears") == "f"


def test_an_index_that_has_lost_items_is_not_published(collection, monkeypatch):
    monkeypatch.setattr("retrieval.collection.segment_draft.add_items", lambda *_: None)
    with pytest.raises(CollectionError, match="holds 0 of 1 items: nothing was changed"):
        collection.put(iter(Listed({"g": "red apples"})))
    assert LocalCollection(collection.folder).generation == collection.generation


def test_a_picture_of_another_size_is_named_with_what_brings_it_to_size(tmp_path):
    class Pictures(Listed):
        modality = Modality.IMAGE

        def __iter__(self):
            return (Item(id, np.zeros(shape, np.uint8)) for id, shape in self.texts.items())

    made = LocalCollection.create(tmp_path / "c", Pictures({"a": (4, 6)})).add_space("pixels")
    with pytest.raises(DimensionError, match=r"^item 'b': .*; read the corpus with \?size=6x4&grey=true$"):
        made.put(iter(Pictures({"b": (9, 9)})))


def test_an_unchanged_item_is_not_encoded_again(collection):
    after, change = collection.put(iter(Listed(TEXTS)))
    assert (change.added, change.changed, change.unchanged) == ([], [], 6)
    assert after.items_digest == collection.items_digest


def test_deleting_what_is_not_there_changes_nothing(collection):
    with pytest.raises(CollectionError, match="no item 'zz'"):
        collection.delete(["a", "zz"])
    assert LocalCollection(collection.folder).generation == collection.generation


def test_the_same_corpus_goes_on_and_another_is_refused(collection):
    assert LocalCollection.create(collection.folder, Listed(TEXTS)).generation == collection.generation
    with pytest.raises(CollectionError, match="holds other items"):
        LocalCollection.create(collection.folder, Listed({"x": "something else"}))


def test_what_is_no_collection_is_refused_and_said(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(b"")
    with pytest.raises(CollectionError, match="other files"):
        LocalCollection.create(tmp_path, Listed(TEXTS))
    with pytest.raises(CollectionError, match="is a file: choose a new folder"):
        LocalCollection.create(tmp_path / "photo.jpg", Listed(TEXTS))
    assert not is_collection(tmp_path)
    with pytest.raises(CollectionError, match="is a folder, but not a collection"):
        LocalCollection(tmp_path)
    with pytest.raises(CollectionError, match="is a file, not a collection"):
        LocalCollection(tmp_path / "photo.jpg")
    with pytest.raises(CollectionError, match="does not exist: make a collection with"):
        LocalCollection(tmp_path / "new")


def test_duplicate_ids_leave_nothing_half_written(tmp_path):
    class Twice(Listed):
        def __iter__(self):
            yield from [Item("a", "one"), Item("a", "two")]

    with pytest.raises(CorpusError, match="two items have the id 'a'"):
        LocalCollection.create(tmp_path / "c", Twice({}))
    assert not (tmp_path / "c").exists()
    assert len(list(LocalCollection.create(tmp_path / "c", Listed(TEXTS)).items)) == 6


def test_two_writers_cannot_mix(collection, monkeypatch):
    monkeypatch.setattr(generations, "LOCK_SECONDS", 0.05)
    with collection._stored.generations.draft(), pytest.raises(CollectionError, match="another process is writing"):
        collection.delete(["a"])


def test_a_writer_that_read_an_older_generation_is_told(collection):
    older = LocalCollection(collection.folder)
    collection.delete(["a"])
    with pytest.raises(CollectionError, match="changed by another process"):
        older.delete(["b"])


def test_an_old_reader_goes_on_while_a_writer_writes(collection):
    before = nearest(collection, "bm25", "green apples")
    collection.delete(["c"])
    assert nearest(collection, "bm25", "green apples") == before == "c"
    assert nearest(collection, "tfidf+lsa:2", "boundary layer") in TEXTS  # opened only now: kept for such readers


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def assert_whole(folder, ids):
    left = LocalCollection(folder)
    assert {item.id for item in left.items} in ids
    for spec in left.spaces:
        assert list(left.space(spec).index.ids) == [item.id for item in left.items]


def test_a_kill_at_any_moment_leaves_a_readable_generation_and_nothing_else_for_long(tmp_path):
    folder = tmp_path / "c"
    LocalCollection.create(folder, Listed(TEXTS)).add_space("bow")

    def change():
        present = LocalCollection(folder)
        if any(item.id == "a" for item in present.items):
            present.delete(["a"])
        else:
            present.put(iter(Listed({"a": TEXTS["a"]})))

    for _ in kills(change):
        assert_whole(folder, [set(TEXTS), set(TEXTS) - {"a"}])
    change()
    assert names(folder) == ["CURRENT", "generations", "lock"]
    assert len(names(folder / "generations")) == generations.KEEP_GENERATIONS


def test_a_kill_while_a_corpus_is_indexed_keeps_nobody_from_indexing_it(tmp_path):
    folder = tmp_path / "c"
    for _ in kills(lambda: index_corpus(folder, Listed(TEXTS), ["bow"]), every=3):
        index_corpus(folder, Listed(TEXTS), ["bow"])
        assert_whole(folder, [set(TEXTS)])
        assert names(folder) == ["CURRENT", "generations", "lock"]
        shutil.rmtree(folder)


def test_checkpoints_of_a_space_that_is_there_go_when_it_is_asked_for_again(tmp_path):
    folder = tmp_path / "c"
    index_corpus(folder, Listed(TEXTS), ["bow"])
    (folder / "work" / folder_name("bow")).mkdir(parents=True)
    index_corpus(folder, Listed(TEXTS), ["bow"])
    assert names(folder) == ["CURRENT", "generations", "lock"]


@pytest.mark.parametrize("inner", ["generations", "lock", "work", "work/bow-0"])
def test_nothing_is_written_through_a_link_in_the_folder(collection, tmp_path, inner):
    outside = tmp_path / "outside"
    outside.mkdir()
    place = collection.folder / inner
    place.parent.mkdir(exist_ok=True)
    if place.exists():
        place.rename(outside / "moved")
    before = names(outside)
    place.symlink_to(outside / "moved" if before else outside)
    with pytest.raises(CollectionError, match="is a symbolic link, and nothing is written through one: move it away"):
        LocalCollection(collection.folder).delete(["a"])
    assert names(outside) == before


def test_a_link_where_the_pointer_is_prepared_is_not_followed(collection, tmp_path):
    (tmp_path / "mine").write_text("mine")
    (collection.folder / ".CURRENT").symlink_to(tmp_path / "mine")
    collection.delete(["a"])
    assert (tmp_path / "mine").read_text() == "mine"
    assert names(collection.folder) == ["CURRENT", "generations", "lock"]


def test_a_reader_that_is_slower_than_many_writers_goes_on_and_what_nobody_reads_is_removed(collection):
    reader = LocalCollection(collection.folder)
    for _ in range(2):
        LocalCollection(collection.folder).delete(["c"])
        LocalCollection(collection.folder).put(iter(Listed({"c": TEXTS["c"]})))
    assert len(list(reader.items)) == 6
    for spec in reader.spaces:  # opened only now
        assert nearest(reader, spec, "green apples") in TEXTS
    kept = names(collection.folder / "generations")
    assert kept == [reader._stored.generation.name, *kept[-2:]]
    del reader
    collection.close()
    last = LocalCollection(collection.folder).delete(["c"])
    assert names(last.folder / "generations") == [kept[-1], last._stored.generation.name]


def test_a_reader_in_another_process_pins_its_generation_and_a_killed_one_does_not(collection):
    folder = collection.folder
    collection.close()
    start, stop = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        reader = LocalCollection(folder)
        os.write(stop, b"x")
        signal.pause()
        os._exit(reader.generation)
    os.read(start, 1)
    for _ in range(2):
        LocalCollection(folder).delete(["c"])
        LocalCollection(folder).put(iter(Listed({"c": TEXTS["c"]})))
    assert len(names(folder / "generations")) == 3
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    LocalCollection(folder).delete(["c"])
    assert len(names(folder / "generations")) == 2


def test_a_reader_whose_generation_goes_before_it_is_pinned_takes_the_next(collection, monkeypatch):
    opened = os.open

    def late(path, *args, **kwargs):
        if str(path).endswith("manifest.json") and "000004" in str(path) and Path(path).exists():
            monkeypatch.undo()
            collection.close()
            LocalCollection(collection.folder).delete(["a"])
            LocalCollection(collection.folder).delete(["b"])
            assert not Path(path).exists()
        return opened(path, *args, **kwargs)

    assert collection.generation == 4
    monkeypatch.setattr(os, "open", late)
    assert LocalCollection(collection.folder).generation == 6


def test_where_the_file_system_has_no_locks_the_last_two_generations_stay(collection, monkeypatch):
    monkeypatch.setattr(pin, "try_lock", lambda *_, **__: None)
    reader = LocalCollection(collection.folder)
    reader.delete(["c"])
    assert nearest(reader, "bm25", "green apples") == "c"
    LocalCollection(collection.folder).delete(["b"])
    assert len(names(collection.folder / "generations")) == 2


TOO_MANY = """
import os, resource, sys
sys.path.insert(0, {root!r})
from encoders.errors import NearbyError
from retrieval.collection.local import LocalCollection
import indexers.exact, indexers.faiss, faiss, encoders.registry, safetensors.numpy
warm = LocalCollection({folder!r})
for spec in warm.spaces:
    warm.space(spec)
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
held, said = [], set()
try:
    while True:
        held.append(os.open("/dev/null", os.O_RDONLY))
except OSError:
    pass
while held:
    try:
        opened = LocalCollection({folder!r})
        list(opened.items)
        for spec in opened.spaces:
            opened.space(spec)
        break
    except NearbyError as error:
        said.add(str(error))
    os.close(held.pop())
print(*said, sep="\\n")
"""


def test_too_many_open_files_is_said_as_what_it_is(collection):
    program = TOO_MANY.format(root=str(Path(__file__).parents[3]), folder=str(collection.folder))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert len(said) >= 3
    for line in said:
        assert "Too many open files" in line
        assert "corrupt" not in line
        assert "damaged" not in line


def test_an_interrupted_training_goes_on_and_a_finished_one_leaves_no_checkpoint(tmp_path):
    made = LocalCollection.create(tmp_path / "c", open_corpus("digits"))
    made.add_space("pixels+deep-ae:8-2,epochs=1")
    assert not (tmp_path / "c" / "work").exists()


def test_a_newer_format_and_a_foreign_folder_are_refused(collection, tmp_path):
    manifest = collection._stored.generation / "manifest.json"
    value = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**value, "format": 99}))
    with pytest.raises(ArtifactError, match="newer"):
        LocalCollection(collection.folder)
    manifest.write_text(json.dumps({**value, "nearby": "something"}))
    with pytest.raises(ArtifactError, match="is not"):
        LocalCollection(collection.folder)
    with pytest.raises(CollectionError, match="not a collection"):
        LocalCollection(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"count": None}, "is corrupt"),
        ({"modality": "smell"}, "is corrupt: 'smell'"),
        ({"spaces": [{}]}, "is corrupt"),
        ({"format": "x"}, "is corrupt: its format is 'x'"),
        (("count",), "is corrupt: it has no 'count'"),
        (("modality",), "is corrupt: it has no 'modality'"),
    ],
)
def test_a_damaged_manifest_is_said(collection, change, message):
    manifest = collection._stored.generation / "manifest.json"
    value = json.loads(manifest.read_text())
    changed = {**value, **change} if isinstance(change, dict) else {k: v for k, v in value.items() if k not in change}
    manifest.write_text(json.dumps(changed))
    with pytest.raises(ArtifactError, match=message):
        LocalCollection(collection.folder)


@pytest.mark.parametrize("lost", ["encoder/manifest.json", "index/manifest.json", "encoder/state.safetensors"])
def test_an_incomplete_space_is_said(collection, lost):
    (collection._stored.space_folder(collection.spaces["bm25"]) / lost).unlink()
    with pytest.raises(ArtifactError, match="incomplete") as raised:
        LocalCollection(collection.folder).put(iter(Listed({"g": "red apples"})))
    assert "Errno" not in str(raised.value)
    if "manifest" in lost:
        with pytest.raises(ArtifactError, match="incomplete"):
            LocalCollection(collection.folder).delete(["a"])


def test_an_index_of_another_encoder_is_refused(collection):
    one, other = (collection._stored.space_folder(collection.spaces[spec]) for spec in ("tfidf+lsa:2", "tfidf+lsa:3"))
    os.replace(other / "encoder" / "manifest.json", one / "encoder" / "manifest.json")
    with pytest.raises(ArtifactError, match="changed by something other than nearby"):
        LocalCollection(collection.folder).space("tfidf+lsa:2")


def test_spaces_are_found_by_what_they_mean(collection):
    assert collection.resolve("tfidf+lsa:n-components=2") == "tfidf+lsa:2"
    assert collection.resolve("bm25:k1=1.2") == "bm25"
    with pytest.raises(UnknownNameError, match="did you mean"):
        collection.resolve("tfidf+lsa:4")
    with pytest.raises(UnknownNameError, match=r"unknown space 'bm52' in .*; did you mean 'bm25'"):
        collection.resolve("bm52")


@pytest.mark.parametrize(
    ("place", "error", "message"),
    [
        ("retrieval.collection.generations.fsync", OSError(28, "No space left on device"), "No space left on device"),
        ("retrieval.collection.item_draft.ItemDraft.merged", sqlite3.OperationalError("disk is full"), "disk is full"),
    ],
)
def test_a_full_disk_changes_nothing(collection, monkeypatch, place, error, message):
    def full(*_args, **_kwargs):
        raise error

    monkeypatch.setattr(place, full)
    with pytest.raises(CollectionError, match=f"{message}; what was there is unchanged"):
        collection.delete(["a"])
    assert LocalCollection(collection.folder).generation == collection.generation


def test_an_interrupted_fit_is_unfinished_until_it_is_resumed(tmp_path, monkeypatch):
    made = LocalCollection.create(tmp_path / "c", open_corpus("digits")).add_space("pixels")

    def interrupted(encoder, batches, work):
        (work / "2").mkdir(parents=True)
        (work / "2" / CHECKPOINT).write_bytes(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(local, "fitted", interrupted)
        with pytest.raises(KeyboardInterrupt):
            made.add_space("pixels+pca:4")
    assert made.info().unfinished == ("pixels+pca:4",)
    assert "unfinished: pixels+pca:4; run the same  nearby index  command to resume" in info_lines(made)
    (tmp_path / "c" / "work" / folder_name("pixels+pca:4") / "spec.txt").unlink()  # as after a kill
    assert made.info().unfinished == (folder_name("pixels+pca:4"),)
    assert LocalCollection(tmp_path / "c").add_space("pixels+pca:4").info().unfinished == ()


def test_the_next_generation_takes_over_encoders_and_the_indexes_that_did_not_change(collection):
    first = {spec: collection.space(spec) for spec in collection.spaces}
    added = collection.add_space("tfidf")
    added.take_over(collection)
    assert all(added.space(spec).index is opened.index for spec, opened in first.items())
    changed, _ = added.put([Item("more", "another wing")])
    changed.take_over(added)
    again = LocalCollection(changed.folder)
    for spec, opened in first.items():
        assert changed.space(spec).encoder is opened.encoder
        assert len(changed.space(spec).index) == changed.items.size
        asked = [(spec, opened.encoder.encode_queries(["heat flow"]))]
        assert changed.search(asked, 5) == again.search(asked, 5)


def test_encoders_that_nobody_asked_for_in_between_are_taken_over_too(collection):
    spec = next(iter(collection.spaces))
    encoder = collection.space(spec).encoder
    for number in range(3):  # no space is opened in any of them
        collection.put([Item(f"more{number}", "another wing")])[0].close()
        newer = LocalCollection(collection.folder)
        newer.take_over(collection)
        collection = newer
    assert collection.space(spec).encoder is encoder


def test_an_encoder_that_was_fitted_again_is_not_taken_over(tmp_path):
    fewer = {id: TEXTS[id] for id in "abc"}
    before, other = (
        LocalCollection.create(tmp_path / name, Listed(texts)).add_space("tfidf")
        for name, texts in (("one", TEXTS), ("two", fewer))
    )
    fitted = before.space("tfidf").encoder
    other.take_over(before)
    assert other.space("tfidf").encoder is not fitted
    assert len(other.space("tfidf").index) == 3
