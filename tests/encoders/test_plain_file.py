"""What is no plain file is refused before it is read: a pipe would block, a device never ends."""

from __future__ import annotations

import os
import socket

import pytest

from encoders.artifact import digest_of, read_json
from encoders.errors import ArtifactError
from encoders.plain_file import open_plain, read_plain, require_plain


@pytest.fixture(params=["pipe", "device", "socket", "folder"])
def odd(request, tmp_path):
    path = tmp_path / "odd"
    if request.param == "pipe":
        os.mkfifo(path)
    elif request.param == "device":
        path.symlink_to("/dev/zero")
    elif request.param == "folder":
        path.mkdir()
    else:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(str(path))
    return path


@pytest.mark.parametrize("read", [open_plain, read_plain, require_plain, digest_of])
def test_what_is_no_plain_file_is_refused(odd, read):
    with pytest.raises(OSError, match=r"a named pipe|a device|a folder|a socket|No such device"):
        read(odd)


def test_a_manifest_that_is_no_file_is_one_sentence(odd):
    with pytest.raises(ArtifactError, match=r"cannot read .*odd: ") as raised:
        read_json(odd, "a thing")
    assert "\n" not in str(raised.value)


def test_a_link_to_a_file_is_followed(tmp_path):
    (tmp_path / "file").write_text("text")
    (tmp_path / "link").symlink_to("file")
    assert read_plain(tmp_path / "link") == b"text"


def test_a_file_above_the_limit_is_not_read(tmp_path):
    (tmp_path / "file").write_text("text")
    with pytest.raises(OSError, match="4 bytes, more than the limit of 3"):
        read_plain(tmp_path / "file", max_bytes=3)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "9" * 5000, "{", "\ud800"])
def test_json_that_python_cannot_read_is_one_sentence(tmp_path, text):
    path = tmp_path / "manifest.json"
    path.write_bytes(text.encode(errors="surrogatepass"))
    with pytest.raises(ArtifactError, match=r"manifest\.json is corrupt: "):
        read_json(path, "a thing")
