"""Files asked for with -o: all or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from encoders.errors import ArtifactError
from retrieval.output import writing


def test_a_failed_write_leaves_what_was_there(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    path = tmp_path / "code.npy"
    path.write_text("old")
    monkeypatch.setattr("retrieval.output.os.fsync", full)
    with (
        pytest.raises(ArtifactError, match=r"cannot write .*code\.npy: No space left on device; nothing was changed"),
        writing(path) as file,
    ):
        file.write(b"new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_device_is_written_to_and_not_replaced():
    with writing(Path("/dev/null")) as file:
        file.write(b"anything")
    assert not Path("/dev/null").is_file()
