"""Files asked for with -o: all or nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from encoders.errors import ArtifactError
from retrieval.output import write_npy, writing


def test_a_failed_write_leaves_what_was_there(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    path = tmp_path / "code.npy"
    path.write_text("old")
    monkeypatch.setattr("encoders.atomic_write.os.fsync", full)
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


def test_a_symbolic_link_is_refused_and_what_it_leads_to_is_untouched(tmp_path):
    (tmp_path / "other").write_text("other")
    (tmp_path / "code.npy").symlink_to("other")
    with pytest.raises(ArtifactError, match="is a symbolic link, and nothing is written through one: name another"):
        write_npy(tmp_path / "code.npy", np.zeros(3))
    assert (tmp_path / "other").read_text() == "other"


def test_a_link_to_a_stream_is_written_to_as_dev_stdout_is(tmp_path):
    (tmp_path / "stream").symlink_to("/dev/null")
    write_npy(tmp_path / "stream", np.zeros(3))
    assert (tmp_path / "stream").is_symlink()
    assert [path.name for path in tmp_path.iterdir()] == ["stream"]
