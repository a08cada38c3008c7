"""What a reader takes of a file: nothing that it claims costs more than it is."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import os
import subprocess
import tarfile
import zipfile

import numpy as np
import pytest

from encoders.errors import CorpusError, OptionError
from retrieval.corpora import csv_dialect, size_limits
from retrieval.corpora.registry import open_corpus


@pytest.fixture
def small(monkeypatch):
    """Limits that a test reaches with some kilobytes."""
    monkeypatch.setattr(size_limits, "FREE_BYTES", 2**14)
    monkeypatch.setattr(size_limits, "MAX_RATIO", 10)


def gzipped(path, raw):
    path.write_bytes(gzip.compress(raw, mtime=0))
    return path


def tar_of(raw):
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        info = tarfile.TarInfo("a/1.txt")
        info.size = len(raw)
        archive.addfile(info, io.BytesIO(raw))
    return held.getvalue()


def bombs(folder):
    """A file of every compressed format that holds 64 KB of one letter."""
    letters = b"a" * 2**16
    yield gzipped(folder / "b.jsonl.gz", b'{"text": "' + letters + b'"}\n')
    yield gzipped(folder / "b.csv.gz", b"text\n" + letters + b"\n")
    yield gzipped(folder / "b.tar.gz", tar_of(letters))
    (folder / "b.tar.xz").write_bytes(lzma.compress(tar_of(letters)))
    yield folder / "b.tar.xz"
    with zipfile.ZipFile(folder / "b.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/1.txt", letters)
    yield folder / "b.zip"
    np.savez_compressed(folder / "b.npz", matrix=np.zeros((1000, 100), np.float32))
    yield folder / "b.npz"
    head = bytes([0, 0, 8, 3]) + b"".join(n.to_bytes(4, "big") for n in (64, 32, 32))
    yield gzipped(folder / "b-images-idx3-ubyte.gz", head + bytes(2**16))


def test_a_file_that_decompresses_to_far_more_is_refused_unless_the_user_allows_it(tmp_path, small):
    for path in bombs(tmp_path):
        with pytest.raises(CorpusError, match=r"decompresses to more than [\d,]+ bytes.*allow more with \?max-bytes="):
            list(open_corpus(str(path)))
        assert list(open_corpus(f"{path}?max-bytes=10000000")), path
        with pytest.raises(CorpusError, match="decompresses to more than 1,000 bytes"):
            list(open_corpus(f"{path}?max-bytes=1000"))


def test_what_is_not_compressed_has_no_such_limit(tmp_path, small):
    (tmp_path / "t.jsonl").write_text(json.dumps({"text": "a" * 2**17}))
    assert len(list(open_corpus(f"{tmp_path / 't.jsonl'}?max-bytes=1"))) == 1


def test_max_bytes_is_a_positive_number(tmp_path):
    (tmp_path / "t.jsonl").write_text("{}")
    with pytest.raises(OptionError, match="max-bytes"):
        open_corpus(f"{tmp_path / 't.jsonl'}?max-bytes=0")


def test_a_line_that_is_too_long_is_left_out_by_its_number(tmp_path, left_out, monkeypatch):
    monkeypatch.setattr(size_limits, "MAX_TEXT_BYTES", 100)
    lines = ['{"text": "one"}', '{"text": "' + "a" * 1000 + '"}', '{"text": "three"}']
    (tmp_path / "t.jsonl").write_text("\n".join(lines))
    assert [item.content for item in open_corpus(str(tmp_path / "t.jsonl"), on_bad=left_out.append)] == ["one", "three"]
    assert [str(error) for error in left_out] == [f"{tmp_path / 't.jsonl'}:2: the line has more than 100 bytes"]


def test_a_row_that_is_too_long_is_left_out(tmp_path, left_out, monkeypatch):
    monkeypatch.setattr(csv_dialect, "LONGEST_CELL", 100)
    rows = ["id,text", "1,one", '2,"' + "a\n" * 80 + '"', "3,three"]
    (tmp_path / "t.csv").write_text("\n".join(rows) + "\n")
    found = [item.id for item in open_corpus(str(tmp_path / "t.csv"), on_bad=left_out.append)]
    assert found[0] == "1"
    assert "close it, or take quotation marks as they are" in str(left_out[0])


def test_a_text_file_of_a_folder_is_no_longer_than_a_text_may_be(tmp_path, left_out, monkeypatch):
    from retrieval.corpora.texts import Texts

    monkeypatch.setattr(Texts, "max_file_bytes", 5)
    (tmp_path / "a.txt").write_text("short")
    (tmp_path / "b.txt").write_text("longer")
    assert [item.id for item in open_corpus(str(tmp_path), on_bad=left_out.append)] == ["a.txt"]
    assert "b.txt has 6 bytes, more than the 5" in str(left_out[0])


@pytest.mark.parametrize("name", ["t.jsonl.gz", "t.csv.gz", "t.csv"])
def test_a_bomb_of_line_ends_is_refused(tmp_path, name, monkeypatch):
    monkeypatch.setattr(size_limits, "MAX_EMPTY_LINES", 1000)
    raw = b'text\n{"text": "a"}\n' + b"\n" * 5000
    (tmp_path / name).write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    with pytest.raises(CorpusError, match=r"empty lines follow each other|not valid JSON"):
        list(open_corpus(str(tmp_path / name)))


@pytest.mark.parametrize(
    "name", ["t.jsonl", "t.csv", "t.csv.gz", "t.parquet", "t.npy", "t.npz", "t.fvecs", "t.zip", "t.tar", "x-idx3-ubyte"]
)
def test_a_pipe_in_the_place_of_a_corpus_is_refused(tmp_path, name):
    os.mkfifo(tmp_path / name)
    with pytest.raises(CorpusError, match="it is a named pipe, not a plain file") as raised:
        list(open_corpus(str(tmp_path / name)))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "encoding", ["utf-16", "utf-7", "idna", "punycode", "unicode_escape", "undefined", "hex", "rot13", "x" * 99, "\0"]
)
@pytest.mark.parametrize("name", ["t.csv", "folder"])
def test_an_odd_encoding_reads_or_is_refused(tmp_path, name, encoding):
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "t.csv", tmp_path / "folder" / "1.txt"):
        path.write_bytes(b"text\n+2AA-\\ud800 xn--9\xff\n")
    refused = []
    try:
        items = list(open_corpus(f"{tmp_path / name}?encoding={encoding}"))
    except (CorpusError, OptionError) as error:
        items, refused = [], [str(error)]
    assert items or refused
    assert "\n" not in "".join(refused)


def test_a_folder_deeper_than_pythons_stack_is_read(tmp_path):
    place = tmp_path / "deep"
    place.mkdir()
    (place / "1.txt").write_text("at the top")
    held = os.getcwd()
    os.chdir(place)  # a path of this length could not be given
    try:
        for _ in range(1200):
            os.mkdir("d")
            os.chdir("d")
    finally:
        os.chdir(held)
    try:
        assert [item.content for item in open_corpus(str(place))] == ["at the top"]
    finally:
        subprocess.run(["rm", "-rf", str(place)], check=True)


def test_a_text_that_a_parquet_file_holds_once_and_names_often_is_not_there_as_often(tmp_path, monkeypatch):
    import pyarrow as pa
    import pyarrow.parquet as pq

    from retrieval.corpora import parquet

    monkeypatch.setattr(parquet, "BATCH_BYTES", 10_000)
    names = pa.DictionaryArray.from_arrays(pa.array([0] * 100, pa.int32()), pa.array(["x" * 4000]))
    pq.write_table(pa.table({"text": names, "n": list(range(100))}), tmp_path / "t.parquet")
    items = list(open_corpus(str(tmp_path / "t.parquet")))
    assert len(items) == 100
    assert items[7].metadata == {"n": "7"}
    sizes = []
    monkeypatch.setattr(
        parquet, "_plain", lambda column, plain=parquet._plain: sizes.append(len(column)) or plain(column)
    )
    list(open_corpus(str(tmp_path / "t.parquet")))
    assert max(sizes) == 2
