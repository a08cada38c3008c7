"""Links in folders and archives: followed, cycles seen, and what leads nowhere counted."""

import errno
import io
import os
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from retrieval.corpora import folder_files
from retrieval.corpora.folder_files import ReadOptions, list_names, read_files
from retrieval.corpora.skipped import SkippedFiles


def names_in(path, skipped=None):
    return [file.name for file in read_files(path, lambda name: True, ReadOptions(skipped=skipped or SkippedFiles()))]


def test_links_to_files_and_folders_are_followed(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "1.txt").write_text("one")
    root = tmp_path / "root"
    (root / "plain").mkdir(parents=True)
    (root / "plain" / "2.txt").write_text("two")
    (root / "cats").symlink_to(tmp_path / "elsewhere")
    (root / "top.txt").symlink_to("plain/2.txt")
    skipped = SkippedFiles()
    assert names_in(root, skipped) == ["cats/1.txt", "plain/2.txt", "top.txt"] == list(list_names(root))
    assert skipped.line() is None


def test_what_is_not_read_of_a_folder_is_counted(tmp_path):
    root = tmp_path / "root"
    (root / "a").mkdir(parents=True)
    (root / "a" / "1.txt").write_text("one")
    (root / "a" / "up").symlink_to(root)
    (root / "a" / "self").symlink_to("self")
    (root / "whole").symlink_to("/")
    (root / "gone").symlink_to("nowhere")
    (root / ".git").mkdir()
    (root / ".git" / "config").write_text("hidden")
    os.mkfifo(root / "pipe")
    skipped = SkippedFiles()
    assert names_in(root, skipped) == ["a/1.txt"]
    assert skipped.counts == {
        "behind a link that leads back": 2,
        "behind a broken link": 2,
        "not a regular file": 1,
        "hidden": 1,
    }


def test_folders_that_link_to_each_other_end(tmp_path):
    for folder in "abcdefgh":
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "1.txt").write_text(folder)
        for other in "abcdefgh":
            if other != folder:
                (tmp_path / folder / f"to-{other}").symlink_to(tmp_path / other)
    found = names_in(tmp_path)
    assert set(found) >= {f"{folder}/1.txt" for folder in "abcdefgh"}
    assert len(found) == len(set(found)) <= 8 + 8 * 7  # each folder under its own name, each link once


def test_a_deep_folder_is_read(tmp_path):
    folder = tmp_path
    for _ in range(1500):  # deeper than Python's recursion limit, shorter than a path may be
        folder = folder / "d"
        folder.mkdir()
    (folder / "1.txt").write_text("deep")
    try:
        assert len(names_in(tmp_path)) == 1
    finally:  # pytest's own cleaning goes no deeper than Python's recursion
        (folder / "1.txt").unlink()
        while folder != tmp_path:
            folder.rmdir()
            folder = folder.parent


def test_what_may_not_be_opened_is_counted(tmp_path, monkeypatch):
    (tmp_path / "1.txt").write_text("one")
    (tmp_path / "2.txt").write_text("two")
    (tmp_path / "closed").mkdir()

    def refusing(inner, names):  # root may open everything: whoever runs the tests, these two are closed
        def call(path, *rest, **named):
            if Path(path).name in names:
                raise PermissionError(errno.EACCES, "Permission denied", str(path))
            return inner(path, *rest, **named)

        return call

    monkeypatch.setattr(folder_files, "open_plain", refusing(folder_files.open_plain, {"2.txt"}))
    monkeypatch.setattr(os, "scandir", refusing(os.scandir, {"closed"}))
    skipped = SkippedFiles()
    assert names_in(tmp_path, skipped) == ["1.txt"]
    assert skipped.line() == (
        "2 files are not read: 1 is not readable (permission denied) (2.txt), "
        "1 is in a folder that cannot be opened (permission denied) (closed)"
    )


LINKS = {  # name: target, as seen from the folder of the link
    "cats": "pool/felines",
    "dogs/1.txt": "../pool/1.txt",
    "again": "cats",
    "passwords": "/etc/passwd",
    "pool/loop": "../pool",
}
FILES = {"pool/1.txt": b"one", "pool/felines/2.txt": b"two"}


def write_tar(path):
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
        for name, target in LINKS.items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)
        for name, raw in FILES.items():
            member = tarfile.TarInfo(name)
            member.size = len(raw)
            archive.addfile(member, io.BytesIO(raw))
        hard = tarfile.TarInfo("hard.txt")
        hard.type, hard.linkname = tarfile.LNKTYPE, "pool/1.txt"
        archive.addfile(hard)


def write_zip(path):
    with zipfile.ZipFile(path, "w") as archive:
        for name, target in {**LINKS, "hard.txt": "pool/1.txt"}.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, target)
        for name, raw in FILES.items():
            archive.writestr(name, raw)


@pytest.mark.parametrize(("name", "write"), [("a.tar", write_tar), ("a.tar.gz", write_tar), ("a.zip", write_zip)])
def test_links_inside_an_archive_are_followed(tmp_path, name, write):
    write(tmp_path / name)
    skipped = SkippedFiles()
    found = {
        file.name: file.raw for file in read_files(tmp_path / name, lambda name: True, ReadOptions(skipped=skipped))
    }
    assert found == {
        **FILES,
        "dogs/1.txt": b"one",
        "hard.txt": b"one",
        "cats/2.txt": b"two",
        "again/2.txt": b"two",
    }
    assert skipped.counts == {"behind a broken link": 1, "behind a link that leads back": 1}
