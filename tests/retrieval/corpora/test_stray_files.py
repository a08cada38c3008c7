"""What lies beside the texts of a folder is no item and no query, and is counted aloud."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from encoders.errors import CorpusError, OptionError
from retrieval.corpora.registry import open_corpus
from retrieval.corpora.stray_files import binary_kind, is_no_text, stray_reason
from retrieval.corpora.texts import decode_text

STRAY = {
    "README": b"about",
    "README.md": b"about",
    "a/readme.de.txt": b"about",
    "LICENSE-MIT": b"you may",
    "LICENCE.txt": b"you may",
    "COPYING": b"you may",
    "CITATION.cff": b"cite",
    "MD5SUMS": b"0 a/1.txt",
    "SHA256SUMS.asc": b"signed",
    "checksums.txt": b"0 a/1.txt",
    "a/1.txt.sha256": b"0 a/1.txt",
    "Thumbs.db": b"system",
    "a/desktop.ini": b"system",
    "a/1.txt~": b"backup",
    ".DS_Store": b"hidden",
    "__MACOSX/a/._1.txt": b"hidden",
    ".git/config": b"hidden",
    "a/scan.pdf": b"%PDF-1.4",
    "data.csv": b"text\n1\n",
}
TEXTS = {
    "a/1.txt": b"red kite",
    "a/2": b"green boat",
    "b/readme-of-a-poem.txt": b"blue train",
    "b/changes.txt": b"slow tram",
    "b/licensed to drive.txt": b"fast car",
}


def write(path: Path, contents: dict[str, bytes]) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, raw in contents.items():
                archive.writestr(name, raw)
    elif path.suffix == ".tar":
        with tarfile.open(path, "w") as archive:
            for name, raw in contents.items():
                member = tarfile.TarInfo(name)
                member.size = len(raw)
                archive.addfile(member, io.BytesIO(raw))
    else:
        for name, raw in contents.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(raw)
    return path


@pytest.mark.parametrize("name", ["texts", "t.tar", "t.zip"])
def test_stray_files_are_neither_items_nor_queries_and_are_counted_once(tmp_path: Path, name: str, capsys) -> None:
    corpus = open_corpus(str(write(tmp_path / name, {**STRAY, **TEXTS})))
    for _ in range(2):
        assert {item.id for item in corpus} == set(TEXTS)
        assert {query.id for query in corpus.queries()} == set(TEXTS)
    said = capsys.readouterr()
    assert said.out == ""
    (line,) = said.err.splitlines()
    assert line.startswith(f"{tmp_path / name}: {len(STRAY)} files are not read: ")
    for part in ("7 are a README or licence", "4 are a checksum", "3 are a file of the system", "3 are hidden"):
        assert part in line
    assert "2 are of another format" in line


def test_a_folder_without_stray_files_says_nothing(tmp_path: Path, capsys) -> None:
    assert len(list(open_corpus(str(write(tmp_path / "texts", TEXTS))))) == len(TEXTS)
    assert capsys.readouterr().err == ""


def test_stray_files_are_read_where_they_are_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path / "texts", {"one/README.md": b"one", "two/README.md": b"two", "MD5SUMS": b"0"})
    with pytest.raises(CorpusError, match=r"holds no files but such as MD5SUMS, which \?stray=true reads as texts"):
        open_corpus(str(path))
    assert [item.id for item in open_corpus(f"{path}?stray=true")] == ["MD5SUMS", "one/README.md", "two/README.md"]


@pytest.mark.parametrize("name", ["folder", "t.tar", "t.zip"])
@pytest.mark.parametrize("suffix", [".tar.zst", ".7z", ".rar", ".lz4", ".docx", ".jsonl.gz"])
def test_a_folder_of_archives_of_another_format_is_refused(tmp_path: Path, name: str, suffix: str) -> None:
    path = write(tmp_path / name, {f"a{suffix}": b"abc", f"b{suffix}": b"def", "README.md": b"about", "SHA1SUMS": b"0"})
    with pytest.raises(
        CorpusError, match=rf"holds \.{suffix.split('.')[-1]} files, neither texts, pictures nor sounds"
    ):
        open_corpus(str(path))


def test_one_archive_beside_a_readme_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "folder", {"data.zip": b"PK\x03\x04", "README.md": b"about"})
    with pytest.raises(CorpusError, match=r"to read one of them, name it: .*data\.zip"):
        open_corpus(str(path))


@pytest.mark.parametrize(
    "raw", [b"\x28\xb5\x2f\xfd\x24", b"\x1f\x8b\x08", b"BZh9", b"%PDF-1.4", b"a\0b", b"7z\xbc\xaf\x27\x1c"]
)
def test_what_begins_as_another_format_is_no_text(tmp_path: Path, left_out: list, raw: bytes) -> None:
    path = write(tmp_path / "folder", {"1": raw, "2": raw})
    with pytest.raises(CorpusError, match="holds binary files such as 1, "):
        open_corpus(str(path))
    first = write(tmp_path / "first", {"1": raw, "2": b"a text", "3": b"another"})
    with pytest.raises(CorpusError, match="first: 1 is not a text: it is a"):
        list(open_corpus(str(first)))
    path = write(tmp_path / "mixed", {"1": b"a text", "2": raw})
    with pytest.raises(CorpusError, match="mixed: 2 is not a text: it is a"):
        list(open_corpus(str(path)))
    assert [item.id for item in open_corpus(str(path), on_bad=left_out.append)] == ["1"]


def test_the_order_of_names_does_not_refuse_a_folder(tmp_path: Path, left_out: list) -> None:
    good = {f"good{n:02}.txt": b"a text" for n in range(30)}
    path = write(tmp_path / "folder", {f"bad{n}.txt": b"a\0b" for n in range(5)} | good)
    assert len(list(open_corpus(str(path), on_bad=left_out.append))) == 30
    assert len(left_out) == 5


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
@pytest.mark.parametrize("name", ["folder", "t.tar"])
def test_wide_characters_are_read_by_option_or_by_their_mark(tmp_path: Path, encoding: str, name: str) -> None:
    path = write(tmp_path / name, {f"{n}.txt": "red kite".encode(encoding) for n in range(3)})
    for address in (str(path), f"{path}?encoding={encoding}"):
        assert [item.content for item in open_corpus(address)] == ["red kite"] * 3
    path = write(tmp_path / f"le-{name}", {f"{n}.txt": "red kite".encode("utf-16-le") for n in range(3)})
    assert [item.content for item in open_corpus(f"{path}?encoding=utf-16-le")] == ["red kite"] * 3


def test_cut_off_wide_characters_are_one_sentence() -> None:
    for raw in (b"\xff\xfea", b"\xff\xfe\0\0a", b"\xfe\xff\xd8\x00"):
        with pytest.raises(CorpusError, match="is not utf-"):
            decode_text(raw)


def test_an_encoding_that_is_none_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "texts", TEXTS)
    for name in ("klingon", "base64", "undefined"):
        with pytest.raises(OptionError, match="unknown encoding"):
            open_corpus(f"{path}?encoding={name}")


@pytest.mark.parametrize(
    "name", ["sums.txt", "sha.txt", "md5.txt", "check.txt", "noticed.txt", "README-essay.txt", "poem.asc", "icon.txt"]
)
def test_names_that_are_only_like_those_of_stray_files(name: str) -> None:
    assert stray_reason(name) is None
    assert not is_no_text(name)


def test_latin_text_is_no_binary() -> None:
    assert binary_kind("naïve ÿþ".encode("latin-1")) is None
