"""`nearby serve` as a process, and requests to it over connections that stay open."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

NEARBY = str(Path(sys.executable).parent / "nearby")


@contextmanager
def serving(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run ``nearby serve`` at a free port until the block ends; yield the process and the port."""
    command = [NEARBY, "serve", *arguments, "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as started:
        assert started.stderr
        said = started.stderr.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", said)
        assert found, said + started.stderr.read()
        try:
            yield started, int(found[1])
        finally:
            started.terminate()
            try:
                started.communicate(timeout=60)
            except subprocess.TimeoutExpired:
                started.kill()


def post(connection: http.client.HTTPConnection, path: str, body: dict[str, Any]) -> Any:
    """Send JSON over a connection that stays open, and return the JSON of a reply of status 200."""
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    reply = connection.getresponse()
    content = reply.read()
    assert reply.status == 200, content[:500]
    return json.loads(content)


def get(port: int, path: str) -> Any:
    """Return the JSON of a GET."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", path)
    reply = connection.getresponse()
    content = reply.read()
    connection.close()
    assert reply.status == 200, content[:500]
    return json.loads(content)


def workers(parent: int) -> list[int]:
    """Return the processes that a service of several workers answers with, by their command lines."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            above = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if above == parent and b"spawn_main" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return sorted(found)


def memory_mib(pid: int) -> float:
    """Return the memory of a process that is its own and no file, in MiB."""
    found = re.search(r"RssAnon:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) / 1024
