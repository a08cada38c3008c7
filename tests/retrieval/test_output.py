"""Output files: whether a folder can be written to."""

from __future__ import annotations

import os

from retrieval.output import is_writable


def test_the_nearest_existing_folder_decides_whether_a_folder_can_be_written(tmp_path, monkeypatch):
    assert is_writable(tmp_path)
    assert is_writable(tmp_path / "new" / "report")
    locked = tmp_path / "locked"
    locked.mkdir()
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != locked and real(path, mode))
    assert not is_writable(locked / "report")
    assert is_writable(tmp_path / "beside")
