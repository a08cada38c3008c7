"""What is written is there whole or not at all, whenever its writer is killed; what it leaves, the next one removes."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import numpy as np
import pytest
from killing import kills

from encoders import atomic_write, exchange
from encoders.atomic_write import (
    atomic_file,
    atomic_folder,
    atomic_path,
    is_temporary,
    remove_at_once,
    sweep,
    sweep_inside,
    temporary_folder,
    write_json,
)
from encoders.base import Encoder
from encoders.errors import ArtifactError
from encoders.registry import create

ROWS = np.random.default_rng(0).random((20, 6)).astype(np.float32)


@pytest.fixture(params=["exchange", "two renames"])
def replacing(request, monkeypatch):
    """Both ways in which a folder takes the place of another."""
    if request.param == "two renames":
        monkeypatch.setattr(atomic_write, "exchange", lambda one, other: False)


def write(path, text):
    with atomic_file(path) as file:
        file.write(text.encode())


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.usefixtures("replacing")
def test_an_encoder_that_is_replaced_is_never_lost(tmp_path):
    first, second = create("pca:2").fit(ROWS), create("pca:3").fit(ROWS)
    first.save(tmp_path / "e")
    seen = set()
    for _ in kills(lambda: second.save(tmp_path / "e")):
        seen.add(str(Encoder.load(tmp_path / "e")))
        first.save(tmp_path / "e")
        assert names(tmp_path) == ["e"]
    assert seen == {"pca:2", "pca:3"}


@pytest.mark.usefixtures("replacing")
def test_a_killed_writer_leaves_nothing_that_the_next_one_does_not_remove(tmp_path):
    write(tmp_path / "a.b", "neighbour")

    def made():
        with atomic_folder(tmp_path / "a") as folder:
            (folder / "inner").mkdir()
            write(folder / "inner" / "file", "text")

    for _ in kills(made):
        assert not (tmp_path / "a").exists() or (tmp_path / "a" / "inner" / "file").read_text() == "text"
        sweep(tmp_path / "a")
        assert set(names(tmp_path)) <= {"a", "a.b"}


def test_a_file_is_the_old_one_or_the_new_one(tmp_path):
    path, seen = tmp_path / "file", set()
    write(path, "old")
    for _ in kills(lambda: write(path, "new")):
        seen.add(path.read_text())
        write(path, "old")
        assert names(tmp_path) == ["file"]
    assert seen == {"old", "new"}


def test_a_folder_is_removed_at_once(tmp_path):
    folder, seen = tmp_path / "f", set()

    def fill():
        for name in "abc":
            write(folder / name, name)

    fill()
    for _ in kills(lambda: remove_at_once(folder)):
        seen.add(len(names(folder)) if folder.exists() else 0)
        fill()
        sweep(folder)
        assert names(tmp_path) == ["f"]
    assert seen == {0, 3}


def test_what_a_living_writer_writes_is_not_removed(tmp_path):
    with atomic_folder(tmp_path / "a") as first:
        write(first / "file", "first")
        with atomic_folder(tmp_path / "a") as second:
            write(second / "file", "second")
        sweep(tmp_path / "a")
        sweep_inside(tmp_path)
        assert (first / "file").exists()
    assert (tmp_path / "a" / "file").read_text() == "first"
    assert names(tmp_path) == ["a"]


def test_where_nothing_can_be_locked_only_what_was_abandoned_long_ago_is_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(atomic_write, "try_lock", lambda descriptor: None)
    new, old = tmp_path / ".a.0123456789ab.tmp", tmp_path / ".a.ba9876543210.tmp"
    for path in (new, old):
        path.mkdir()
    long_ago = time.time() - atomic_write.ABANDONED_SECONDS - 60
    os.utime(old, (long_ago, long_ago))
    write(tmp_path / "a", "text")
    assert names(tmp_path) == [new.name, "a"]


@pytest.mark.parametrize("name", ["file", "x" * 250, "ü" * 120, "a b\nc"])
def test_any_name_that_the_system_takes_can_be_written(tmp_path, name):
    write(tmp_path / name, "text")
    (tmp_path / f".{atomic_write._stem(name)}.0123456789ab.tmp").touch()
    write(tmp_path / name, "text")
    assert names(tmp_path) == [name]


def test_the_folder_of_the_process_can_be_replaced(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with atomic_folder(Path()) as folder:
        write(folder / "file", "text")
    assert names(tmp_path / "here") == ["file"]


def test_a_symbolic_link_is_replaced_and_what_it_leads_to_is_untouched(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    write(outside / "file", "mine")
    (tmp_path / "json").symlink_to(outside / "file")
    (tmp_path / "folder").symlink_to(outside)
    write_json(tmp_path / "json", {"a": 1})
    with atomic_folder(tmp_path / "folder") as folder:
        write(folder / "file", "new")
    (tmp_path / "gone").symlink_to(outside)
    remove_at_once(tmp_path / "gone")
    assert (outside / "file").read_text() == "mine"
    assert names(outside) == ["file"]
    assert names(tmp_path) == ["folder", "json", "outside"]
    assert not (tmp_path / "json").is_symlink()
    assert not (tmp_path / "folder").is_symlink()


def test_a_temporary_is_never_a_link_that_was_there_before(tmp_path, monkeypatch):
    write(tmp_path / "outside", "mine")
    tokens = ["0" * 12, "1" * 12]
    monkeypatch.setattr(atomic_write.secrets, "token_hex", lambda _: tokens.pop(0))
    monkeypatch.setattr(atomic_write, "sweep", lambda _: None)  # which would remove the trap
    (tmp_path / f".file.{'0' * 12}.tmp").symlink_to(tmp_path / "outside")
    with atomic_path(tmp_path / "file") as temporary:
        assert not temporary.is_symlink()
        temporary.write_text("new")
    assert (tmp_path / "outside").read_text() == "mine"
    assert (tmp_path / "file").read_text() == "new"


def test_permissions_are_those_of_the_user_s_mask(tmp_path):
    before = os.umask(0o027)
    try:
        with atomic_folder(tmp_path / "folder") as folder:
            write(folder / "file", "text")
    finally:
        os.umask(before)
    assert (tmp_path / "folder").stat().st_mode & 0o777 == 0o750
    assert (tmp_path / "folder" / "file").stat().st_mode & 0o777 == 0o640


@pytest.mark.usefixtures("replacing")
def test_a_full_disk_leaves_what_was_there(tmp_path, monkeypatch):
    with atomic_folder(tmp_path / "a") as folder:
        write(folder / "file", "old")

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(atomic_write.os, "fsync", full)
    with (
        pytest.raises(ArtifactError, match=r"cannot write .*a: No space left on device; nothing was changed"),
        atomic_folder(tmp_path / "a") as folder,
    ):
        (folder / "file").write_text("new")
    assert (tmp_path / "a" / "file").read_text() == "old"
    assert names(tmp_path) == ["a"]


def test_a_rename_that_fails_brings_the_old_folder_back(tmp_path, monkeypatch):
    with atomic_folder(tmp_path / "a") as folder:
        write(folder / "file", "old")
    rename = os.rename

    def failing(source, target):
        if str(source).endswith(".tmp"):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        rename(source, target)

    monkeypatch.setattr(atomic_write, "exchange", lambda one, other: False)
    monkeypatch.setattr(atomic_write.os, "rename", failing)
    with pytest.raises(ArtifactError, match="Input/output error"), atomic_folder(tmp_path / "a"):
        pass
    assert (tmp_path / "a" / "file").read_text() == "old"


def test_a_temporary_folder_is_gone_afterwards(tmp_path):
    with temporary_folder(tmp_path / "a") as folder:
        assert is_temporary(folder, "a")
    assert names(tmp_path) == []


def test_names_are_exchanged_in_one_step_or_it_is_said_that_they_cannot_be(tmp_path, monkeypatch):
    for name in "ab":
        write(tmp_path / name / "file", name)
    assert exchange.exchange(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "a" / "file").read_text() == "b"
    with pytest.raises(FileNotFoundError):
        exchange.exchange(tmp_path / "a", tmp_path / "nothing")
    monkeypatch.setattr(exchange.ctypes, "CDLL", lambda *_, **__: object())  # a C library without the call
    assert not exchange.exchange(tmp_path / "a", tmp_path / "b")
