"""Folders and archives of texts and pictures."""

import io
import os
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image

from encoders.errors import CorpusError, OptionError
from retrieval.corpora import folder_files
from retrieval.corpora.registry import open_corpus


def encoded(array, kind="PNG", **options):
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, kind, **options)
    return stream.getvalue()


GREY = np.arange(48, dtype=np.uint8).reshape(6, 8)
COLOUR = np.stack([GREY, GREY + 50, GREY + 100], axis=2)
TEXTS = {
    "b/2.txt": b"second",
    "a/1": b"\n  First line\r\nmore",
    "a/nai.txt": "naïve".encode("latin-1"),
    "top.md": b"top",
}
PICTURES = {
    "cats/1.png": encoded(GREY),
    "cats/2.pgm": encoded(GREY[::-1], "PPM"),
    "dogs/3.bmp": encoded(GREY, "BMP"),
    "README.txt": b"not a picture",
}


def write(path, contents):
    """Write files as a folder, tar or zip, by the name of the path."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, raw in contents.items():
                archive.writestr(name, raw)
    elif ".tar" in path.name:
        with tarfile.open(path, f"w:{path.suffix[1:].replace('tar', '')}") as archive:
            for name, raw in contents.items():
                member = tarfile.TarInfo(name)
                member.size = len(raw)
                archive.addfile(member, io.BytesIO(raw))
    else:
        for name, raw in contents.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(raw)
    return path


@pytest.mark.parametrize("name", ["texts", "t.tar", "t.tar.gz", "t.tar.xz", "t.zip"])
def test_texts(tmp_path, name):
    corpus = open_corpus(str(write(tmp_path / name, TEXTS)))
    for _ in range(2):
        items = {item.id: item for item in corpus}
        assert items["a/1"].content == "\n  First line\nmore"
        assert items["a/1"].title == "First line"
        assert items["a/nai.txt"].content == "naïve"
        assert {key: item.label for key, item in items.items()} == {
            "b/2.txt": "b",
            "a/1": "a",
            "a/nai.txt": "a",
            "top.md": None,
        }
    expected = sorted(TEXTS) if name == "texts" else list(TEXTS)
    assert list(items) == expected


@pytest.mark.parametrize("name", ["pictures", "p.tar", "p.tar.xz", "p.zip"])
def test_pictures(tmp_path, name):
    corpus = open_corpus(str(write(tmp_path / name, PICTURES)))
    for _ in range(2):
        items = {item.id: item for item in corpus}
        assert list(items) == ["cats/1.png", "cats/2.pgm", "dogs/3.bmp"]
        assert (items["cats/1.png"].content == GREY).all()
        assert (items["cats/2.pgm"].content == GREY[::-1]).all()
        assert [item.label for item in items.values()] == ["cats", "cats", "dogs"]
    assert corpus.queries_are_items


def test_parts(tmp_path):
    path = write(tmp_path / "t.tar", {"set/train/a/1": b"one", "set/test/a/2": b"two", "set/train/b/3": b"three"})
    corpus = open_corpus(f"{path}?part=train&queries-part=test")
    assert [item.id for item in corpus] == ["set/train/a/1", "set/train/b/3"]
    assert [(query.id, query.label) for query in corpus.queries()] == [("set/test/a/2", "a")]
    assert not corpus.queries_are_items
    without = open_corpus(f"{path}?queries-part=test")
    assert [item.id for item in without] == ["set/train/a/1", "set/train/b/3"]
    with pytest.raises(CorpusError, match="nothing below a sub-folder 'dev'"):
        list(open_corpus(f"{path}?queries-part=dev").queries())


def test_hidden_files_links_and_climbing_names_are_passed_over(tmp_path):
    path = tmp_path / "t.tar"
    with tarfile.open(path, "w") as archive:
        for name in ("good.txt", "../../evil.txt", ".hidden/x.txt", "__MACOSX/y.txt"):
            member = tarfile.TarInfo(name)
            member.size = 2
            archive.addfile(member, io.BytesIO(b"ok"))
        link = tarfile.TarInfo("link.txt")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    assert [item.id for item in open_corpus(str(path))] == ["good.txt"]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["t.tar"]


def test_own_folder_of_an_archive_is_no_label(tmp_path):
    path = write(tmp_path / "faces.tar", {"faces/s1/1.png": encoded(GREY), "faces/2.png": encoded(GREY)})
    assert [item.label for item in open_corpus(str(path))] == ["s1", None]


def test_too_large_a_file(tmp_path, left_out, monkeypatch):
    monkeypatch.setattr(folder_files, "MAX_FILE_BYTES", 5)
    path = write(tmp_path / "t.tar", {"a.txt": b"small", "b.txt": b"larger"})
    assert [item.id for item in open_corpus(str(path), on_bad=left_out.append)] == ["a.txt"]
    assert "b.txt has 6 bytes" in str(left_out[0])


def test_a_file_name_that_is_no_text_is_left_out(tmp_path, left_out):
    os.mkdir(tmp_path / "t")
    for name in (b"good.txt", b"b\xffd.txt"):
        (tmp_path / "t" / os.fsdecode(name)).write_text("text")
    assert [item.id for item in open_corpus(str(tmp_path / "t"), on_bad=left_out.append)] == ["good.txt"]
    assert r"the file name 'b\udcffd.txt' is not UTF-8" in str(left_out[0])


def test_damaged_archive(tmp_path):
    path = write(tmp_path / "t.tar.gz", {f"{number}.txt": bytes([65 + number % 26]) * 999 for number in range(99)})
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(CorpusError, match="is damaged"):
        list(open_corpus(str(path)))
    path.write_text("no archive")
    with pytest.raises(CorpusError, match="is damaged or not what its name says"):
        open_corpus(str(path))


def test_binary_among_texts(tmp_path, left_out):
    path = write(tmp_path / "texts", {"a.txt": b"text", "b.txt": b"bin\0ary"})
    with pytest.raises(CorpusError, match=r"b\.txt is not a text"):
        list(open_corpus(str(path)))
    assert len(list(open_corpus(str(path), on_bad=left_out.append))) == 1
    with pytest.raises(OptionError, match="unknown encoding 'klingon'"):
        list(open_corpus(f"{path}?encoding=klingon"))


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (encoded(COLOUR, "JPEG")[:-40], r"2\.png is damaged: "),
        (encoded(np.tile(GREY, (9, 9)))[:-60], r"2\.png is damaged: "),
        (b"no picture at all", r"2\.png is not a picture that nearby can read"),
        (b"", r"2\.png is not a picture that nearby can read"),
        (encoded(np.full((6, 8), np.nan, np.float32), "TIFF"), r"2\.png holds NaN or infinite values"),
    ],
)
def test_bad_picture_is_named_and_may_be_skipped(tmp_path, left_out, raw, message):
    path = write(tmp_path / "p", {"1.png": encoded(GREY), "2.png": raw, "3.png": encoded(GREY)})
    with pytest.raises(CorpusError, match=message):
        list(open_corpus(str(path)))
    items = list(open_corpus(str(path), on_bad=left_out.append))
    assert [item.id for item in items] == ["1.png", "3.png"]
    assert len(left_out) == 1
