"""Output files: whether a folder can be written to, and whether a file is what is read."""

from __future__ import annotations

import os

import pytest

from encoders.errors import ArtifactError, OptionError
from retrieval.output import is_writable, require_other_file, require_replaceable, writing, written_together


def test_the_nearest_existing_folder_decides_whether_a_folder_can_be_written(tmp_path, monkeypatch):
    assert is_writable(tmp_path)
    assert is_writable(tmp_path / "new" / "report")
    locked = tmp_path / "locked"
    locked.mkdir()
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != locked and real(path, mode))
    assert not is_writable(locked / "report")
    assert is_writable(tmp_path / "beside")


def test_what_is_read_is_not_written_over(tmp_path):
    folder, other = tmp_path / "pictures", tmp_path / "other.png"
    (folder / "cats").mkdir(parents=True)
    read = folder / "cats" / "1.png"
    for path in (read, other):
        path.write_text("x")
    soft, hard = tmp_path / "soft.png", tmp_path / "hard.png"
    soft.symlink_to(read)
    hard.hardlink_to(read)
    for path, source in [
        (read, read),
        (soft, read),
        (hard, read),
        (read, soft),
        (read, f"{read}?columns=*"),
        (read, folder),
    ]:
        with pytest.raises(OptionError, match="is the data that is read, and would be lost"):
            require_other_file(path, "@7", "x" * 5000, "~nobody/x", "\0", source)
    require_other_file(other, read, folder, "some words")
    require_other_file(folder / "new.png", folder)


def test_files_that_are_written_together_replace_theirs_all_or_none(tmp_path):
    page, table = tmp_path / "page", tmp_path / "table"
    page.write_text("old")

    def fail_at_the_second():
        with written_together():
            with writing(page) as file:
                file.write(b"new")
            with writing(table):
                raise ArtifactError("the disk is full")

    with pytest.raises(ArtifactError, match="full"):
        fail_at_the_second()
    assert page.read_text() == "old"
    assert list(tmp_path.iterdir()) == [page]
    with written_together(), writing(page) as first, writing(table) as second:
        first.write(b"new")
        second.write(b"rows")
    assert (page.read_text(), table.read_text()) == ("new", "rows")
    with writing(table) as file:
        file.write(b"more")
    assert table.read_text() == "more"


@pytest.mark.parametrize("kind", ["folder", "link"])
def test_a_name_that_is_taken_is_refused_before_any_work(tmp_path, kind):
    page = tmp_path / "page.html"
    page.mkdir() if kind == "folder" else page.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OptionError, match=r"page.html, which is (not a plain file|a symbolic link): move it away"):
        require_replaceable(tmp_path, "other", "page.html")
    require_replaceable(tmp_path, "other")
    require_replaceable(tmp_path / "new", "page.html")


def test_a_folder_of_the_report_that_is_a_file_or_leads_nowhere_is_refused(tmp_path):
    (tmp_path / "trec").write_text("mine")
    with pytest.raises(OptionError, match="trec, which is not a folder"):
        require_replaceable(tmp_path, "trec/")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(OptionError, match="leads nowhere: choose another folder for the report"):
        require_replaceable(tmp_path / "link")
