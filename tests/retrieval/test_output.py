"""Output files: whether a folder can be written to, and whether a file is what is read."""

from __future__ import annotations

import os

import pytest

from encoders.errors import OptionError
from retrieval.output import is_writable, require_other_file


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
