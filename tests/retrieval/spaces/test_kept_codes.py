"""A collection of a slow encoder continues after a kill: it is that of an undisturbed run, and little is encoded twice."""

from __future__ import annotations

import json
import os
import signal
import warnings
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from killing import kills
from scipy.sparse import csr_array
from small_models import static_model

from encoders.errors import ArtifactError, CollectionError
from encoders.registry import ENCODERS, create, encoder_class
from encoders.spec import write_stage
from encoders.text.static import Static
from retrieval.collection.generations import Generations
from retrieval.collection.indexing import IndexRequest, index_corpus, remains
from retrieval.collection.local import LocalCollection
from retrieval.corpora.registry import open_corpus
from retrieval.report.terminal.info import info_lines
from retrieval.spaces import encode
from retrieval.spaces.kept_codes import KeptCodes, identity_of, kept_blocks

ROWS, BLOCK = 50, 8
WORDS = "flow heat air tree apple pear plum cake red green text wing speed high low".split()


class Died(BaseException):
    """Ends the work as a kill does: nothing is cleaned up by what catches errors."""


@pytest.fixture
def spec(tmp_path, monkeypatch) -> str:
    """A small model that counts as slow, in small blocks."""
    monkeypatch.setattr(Static, "is_slow", True)
    monkeypatch.setattr(encode, "BATCH_ROWS", BLOCK)
    return write_stage("static", str(static_model(tmp_path / "model")), {})


def corpus(folder: Path, more: str = "", rows: int = ROWS):
    rng = np.random.default_rng(1)
    texts = [" ".join(rng.choice(WORDS, 5)) for _ in range(rows)]
    texts[min(20, rows - 1)] += more
    folder.mkdir(exist_ok=True)
    lines = [json.dumps({"_id": f"d{n}", "text": text}) for n, text in enumerate(texts)]
    (folder / "texts.jsonl").write_text("\n".join(lines))
    return open_corpus(str(folder / "texts.jsonl"))


def files(folder: Path) -> dict[str, bytes]:
    """Every file of the newest generation; of the manifest, what does not depend on the clock."""
    with LocalCollection(folder) as collection:
        newest = collection._stored.generation
    found = {str(path.relative_to(newest)): path.read_bytes() for path in newest.rglob("*") if path.is_file()}
    manifest = json.loads(found.pop("manifest.json"))
    for space in manifest["spaces"]:
        assert space.pop("encode_seconds") > 0
        del space["fit_seconds"]
    del manifest["digest"]
    return {**found, "manifest.json": json.dumps(manifest).encode()}


@pytest.fixture
def encoded(monkeypatch):
    """The number of texts of each call of the encoder."""
    calls: list[int] = []
    encode = Static._encode

    def counted(self, items):
        calls.append(len(items))
        return encode(self, items)

    monkeypatch.setattr(Static, "_encode", counted)
    return calls


def killed_after(blocks: int, folder: Path, texts, spec: str, how=Died) -> None:
    with pytest.MonkeyPatch.context() as patch:
        encode, calls = Static._encode, []

        def dies(self, items):
            if len(calls) == blocks:
                raise how
            calls.append(1)
            return encode(self, items)

        patch.setattr(Static, "_encode", dies)
        with pytest.raises(how):
            index_corpus(folder, texts, [spec])


def test_a_run_that_was_killed_is_continued_bit_for_bit(tmp_path, spec, encoded, capsys):
    texts = corpus(tmp_path / "texts")
    index_corpus(tmp_path / "whole", texts, [spec])
    killed_after(3, tmp_path / "c", texts, spec)
    encoded.clear()
    index_corpus(tmp_path / "c", texts, [spec])
    assert sum(encoded) == ROWS - 3 * BLOCK
    assert f"{create(spec)}: 24 of 50 items were encoded before the interruption" in capsys.readouterr().err
    assert files(tmp_path / "c") == files(tmp_path / "whole")
    assert not (tmp_path / "c" / "work").exists()


def test_a_process_that_is_killed_at_once_loses_one_block(tmp_path, spec, encoded):
    texts = corpus(tmp_path / "texts")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        Static.encode = lambda self, items: os.kill(os.getpid(), signal.SIGKILL) if len(encoded) == 4 else (
            Static._encode(self, items)
        )  # fmt: skip
        index_corpus(tmp_path / "c", texts, [spec])
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    index_corpus(tmp_path / "c", texts, [spec])
    assert sum(encoded) == ROWS - 4 * BLOCK


def test_a_kill_at_any_change_leaves_what_the_next_run_continues(tmp_path, spec):
    texts = corpus(tmp_path / "texts")
    index_corpus(tmp_path / "whole", texts, [spec])
    expected = files(tmp_path / "whole")
    for number in kills(lambda: index_corpus(tmp_path / "c", texts, [spec]), every=4):
        if number % 3 == 1:  # the others continue what was killed more than once
            index_corpus(tmp_path / "c", texts, [spec])
            assert files(tmp_path / "c") == expected
            assert not (tmp_path / "c" / "work").exists()
    assert files(tmp_path / "c") == expected


@pytest.mark.parametrize("where", [0, 40, -1])
def test_a_damaged_block_is_encoded_again(tmp_path, spec, encoded, where):
    texts = corpus(tmp_path / "texts")
    killed_after(3, tmp_path / "c", texts, spec)
    path = sorted(kept_blocks(tmp_path / "c"))[1]
    raw = bytearray(path.read_bytes())
    raw[where] ^= 1
    path.write_bytes(raw)
    encoded.clear()
    index_corpus(tmp_path / "c", texts, [spec])
    assert sum(encoded) == ROWS - 2 * BLOCK
    index_corpus(tmp_path / "whole", texts, [spec])
    assert files(tmp_path / "c") == files(tmp_path / "whole")


@pytest.mark.parametrize("damage", [b"", b"x", None])
def test_a_block_that_is_cut_off_or_gone_is_encoded_again(tmp_path, spec, encoded, damage):
    texts = corpus(tmp_path / "texts")
    killed_after(3, tmp_path / "c", texts, spec)
    path = sorted(kept_blocks(tmp_path / "c"))[0]
    path.unlink() if damage is None else path.write_bytes(damage)
    encoded.clear()
    index_corpus(tmp_path / "c", texts, [spec])
    assert sum(encoded) == ROWS - 2 * BLOCK


def test_a_changed_corpus_is_refused_and_in_a_new_folder_nothing_is_taken_over(tmp_path, spec, encoded):
    killed_after(3, tmp_path / "c", corpus(tmp_path / "texts"), spec)
    changed = corpus(tmp_path / "texts", more=" cake")
    with pytest.raises(CollectionError, match="holds other items"):
        index_corpus(tmp_path / "c", changed, [spec])
    (tmp_path / "d").mkdir()
    (tmp_path / "c" / "work").rename(tmp_path / "d" / "work")  # as a user may
    encoded.clear()
    index_corpus(tmp_path / "d", changed, [spec])
    assert sum(encoded) == ROWS


@pytest.mark.parametrize("change", ["model", "option", "version", "items", "order"])
def test_what_codes_depend_on_is_in_their_identity(tmp_path, spec, change, monkeypatch):
    encoder = create(spec).fit(["apple"])
    work, ids = tmp_path / "work", ["a", "b"]
    kept = KeptCodes(work, identity_of(encoder, "items"))
    first = kept.coded(0, ids, lambda: encoder.encode(["apple", "pear"]))
    digest = "items"
    if change == "model":
        encoder.restore({"fingerprint": np.zeros(32, np.uint8)})
    elif change == "option":
        encoder = create(f"{spec},max-length=9").fit(["apple"])
    elif change == "version":
        monkeypatch.setattr("retrieval.spaces.kept_codes.library_versions", lambda: {"numpy": "0"})
    elif change == "items":
        digest = "others"
    else:
        ids = ["b", "a"]
    other = KeptCodes(work, identity_of(encoder, digest))
    assert other.coded(0, ids, lambda: np.ones((2, 16), np.float32)).codes.min() == 1
    assert other.taken == 0
    np.testing.assert_array_equal(first.codes, create(spec).fit(["apple"]).encode(["apple", "pear"]))


@pytest.mark.parametrize(
    "codes",
    [
        np.random.default_rng(0).standard_normal((3, 5)).astype(np.float32),
        np.arange(6, dtype=np.uint8).reshape(3, 2),
        csr_array(np.diag([1, 0, 3]).astype(np.float32)),
        np.empty((0, 4), np.float32),
    ],
)
def test_codes_of_every_kind_come_back(tmp_path, codes):
    KeptCodes(tmp_path, "x").coded(2, ["a"], lambda: codes)
    kept = KeptCodes(tmp_path, "x")
    found = kept.coded(2, ["a"], lambda: pytest.fail("encoded again")).codes
    dense = [one.toarray() if isinstance(one, csr_array) else one for one in (codes, found)]
    np.testing.assert_array_equal(*dense)
    assert dense[0].dtype == dense[1].dtype
    assert kept.taken == 1


def test_an_interrupted_run_says_what_is_kept(tmp_path, spec):
    texts = corpus(tmp_path / "texts")
    killed_after(3, tmp_path / "c", texts, spec, KeyboardInterrupt)
    said = f"{tmp_path / 'c'} holds 50 items and no space yet; what was encoded is kept; the same command continues"
    assert remains(IndexRequest((spec,), tmp_path / "c")) == said
    with LocalCollection(tmp_path / "c") as collection:
        assert collection.info().unfinished == (str(create(spec)),)
        assert f"unfinished: {create(spec)}; run the same  nearby index  command to resume" in info_lines(collection)


@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), ArtifactError("the model went")])
def test_what_was_encoded_outlives_a_full_disk_and_a_lost_model(tmp_path, spec, encoded, monkeypatch, failure):
    texts, said = corpus(tmp_path / "texts"), []
    calls, encode = [], Static._encode

    def fails(self, items):
        calls.append(1)
        if len(calls) > 3:
            raise failure
        return encode(self, items)

    with monkeypatch.context() as patch:
        patch.setattr(Static, "_encode", fails)
        with pytest.raises((CollectionError, ArtifactError), match=r"No space left on device; what was|the model went"):
            index_corpus(tmp_path / "c", texts, [spec], say=said.append)
    assert said[-1] == f"what was encoded is kept in {tmp_path / 'c' / 'work'}; the same command continues"
    encoded.clear()
    index_corpus(tmp_path / "c", texts, [spec])
    assert sum(encoded) == ROWS - 3 * BLOCK


@pytest.fixture
def collection(tmp_path, spec, monkeypatch):
    """What makes a collection of the first items, to which the others are added, in a folder of that name."""
    texts, first = corpus(tmp_path / "texts"), corpus(tmp_path / "first", rows=6)

    def made(name: str) -> LocalCollection:
        return index_corpus(tmp_path / name, first, [spec, "bow"])

    return made, texts


def added(folder: Path, texts, say=lambda line: None) -> None:
    with LocalCollection(folder) as present:
        present.put(texts, say)[0].close()


def test_an_add_that_was_killed_is_continued_bit_for_bit(tmp_path, collection, encoded, capsys):
    made, texts = collection
    for name in ("whole", "c"):
        made(name).close()
    added(tmp_path / "whole", texts)
    said, encode, calls = [], Static._encode, []

    def dies(self, items):
        if len(calls) == 3:
            raise KeyboardInterrupt
        calls.append(1)
        return encode(self, items)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Static, "_encode", dies)
        with pytest.raises(KeyboardInterrupt):
            added(tmp_path / "c", texts, said.append)
    work = tmp_path / "c" / "work" / "added"
    assert said[-1] == f"what was encoded is kept in {work}; the same command continues"
    with LocalCollection(tmp_path / "c") as present:
        assert present.items.size == 6
        assert present.info().unfinished == ()
    encoded.clear()
    added(tmp_path / "c", texts)
    assert sum(encoded) == ROWS - 6 - 3 * BLOCK
    assert f"24 of {ROWS - 6} items were encoded before the interruption" in capsys.readouterr().err
    assert files(tmp_path / "c") == files(tmp_path / "whole")
    assert not (tmp_path / "c" / "work").exists()


def test_a_kill_at_any_change_of_an_add_leaves_what_the_next_one_continues(tmp_path, collection):
    made, texts = collection
    for name in ("whole", "c"):
        made(name).close()
    added(tmp_path / "whole", texts)
    expected = files(tmp_path / "whole")
    for _ in kills(lambda: added(tmp_path / "c", texts), every=5):
        pass
    added(tmp_path / "c", texts)
    assert files(tmp_path / "c") == expected
    added(tmp_path / "c", corpus(tmp_path / "texts", more=" cake"))  # removes what a kill after the last change left
    assert not (tmp_path / "c" / "work").exists()


@pytest.fixture
def work_when_unlocked(monkeypatch):
    """Whether there was a work folder, each time that a writer was about to let another one write."""
    locked, seen = Generations.locked, []

    @contextmanager
    def looked_at(self, wait=True):
        with locked(self, wait):
            yield
            seen.append((self.folder / "work").exists())

    monkeypatch.setattr(Generations, "locked", looked_at)
    return seen


def test_kept_codes_are_cleared_before_another_process_may_write(tmp_path, spec, collection, work_when_unlocked):
    made, texts = collection
    made("c").close()  # its items, then one space after the other
    assert work_when_unlocked == [False, False, False]
    added(tmp_path / "c", texts)
    assert work_when_unlocked == [False, False, False, False]


def test_while_another_process_writes_its_work_stays(tmp_path, spec, collection):
    made, _ = collection
    made("c").close()
    (tmp_path / "c" / "work").mkdir()
    with Generations(tmp_path / "c").locked():
        made("c").close()
        assert (tmp_path / "c" / "work").exists()
    made("c").close()
    assert not (tmp_path / "c" / "work").exists()


def test_codes_that_a_kill_left_after_the_add_are_right_for_a_later_one(tmp_path, collection, encoded):
    made, texts = collection
    for name in ("whole", "c"):
        made(name).close()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("retrieval.collection.folder.remove_at_once", raises(Died))
        with pytest.raises(Died):
            added(tmp_path / "c", texts)
    added(tmp_path / "whole", texts)
    assert files(tmp_path / "c") == files(tmp_path / "whole")
    assert kept_blocks(tmp_path / "c" / "work" / "added")
    changed = corpus(tmp_path / "texts", more=" cake", rows=ROWS + 1)
    encoded.clear()
    for name in ("whole", "c"):
        added(tmp_path / name, changed)
    assert files(tmp_path / "c") == files(tmp_path / "whole")
    assert not (tmp_path / "c" / "work").exists()


def raises(error: type[BaseException]):
    def call(*args):
        raise error

    return call


def test_codes_of_other_items_are_not_taken_over(tmp_path, collection, encoded):
    made, texts = collection
    made("c").close()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Static, "_encode", lambda self, items: np.full((len(items), 16), 7.0, np.float32))
        patch.setattr("retrieval.collection.segment_draft.SegmentDraft.write_manifest", lambda self: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            added(tmp_path / "c", texts)
    assert kept_blocks(tmp_path / "c" / "work" / "added")
    encoded.clear()
    added(tmp_path / "c", corpus(tmp_path / "texts", more=" cake"))
    assert sum(encoded) == ROWS - 6
    assert not (tmp_path / "c" / "work").exists()


def test_encoders_of_large_models_are_slow_and_others_are_not():
    slow = {name for name in ENCODERS if encoder_class(name).is_slow}
    assert slow == {"sbert", "splade", "clip", "image-model", "tsdae"}
    assert create("sbert+binarize").is_slow
    assert not create("bm25").is_slow
