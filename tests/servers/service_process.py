"""`nearby serve` as a process of its own, with its workers."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from running_service import Client

ROOT = Path(__file__).parents[2]
SEARCH, WING = "/v1/collections/texts/search", {"query": {"text": "wing"}}
#: A test run in the background of a shell ignores Ctrl-C, and so would its children.
PROGRAM = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); sys.path.insert(0, {root!r}); "
    "import cli; cli.main()"
)


@contextmanager
def serving(*arguments: object) -> Iterator[tuple[subprocess.Popen[str], Client]]:
    """Run ``nearby serve`` until the block ends."""
    command = [sys.executable, "-c", PROGRAM.format(root=str(ROOT)), "serve", *map(str, arguments), "--port", "0"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as started:
        try:
            assert started.stderr
            said = started.stderr.readline()
            found = re.search(r"http://127\.0\.0\.1:(\d+)/", said)
            assert found, said + started.stderr.read()
            client = Client(int(found[1]))
            until(lambda: client.post(SEARCH, WING).status == 200)
            yield started, client
        finally:
            if started.poll() is None:
                children = workers(started)
                started.kill()
                for pid in children:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)


def until(true, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while True:
        with suppress(OSError):
            if true():
                return
        assert time.monotonic() < end
        time.sleep(0.05)


def workers(started: subprocess.Popen[str]) -> set[int]:
    """Return the processes that answer requests, by their command lines."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == started.pid and b"spawn_main" in (folder / "cmdline").read_bytes():
                found.add(int(folder.name))
    return found


def ready(started: subprocess.Popen[str], client: Client) -> list[int]:
    """Wait until two workers answer, each when the other is stopped."""
    until(lambda: len(workers(started)) == 2)
    pids = sorted(workers(started))
    for stopped in pids:
        os.kill(stopped, signal.SIGSTOP)
        try:
            until(lambda: client.post(SEARCH, WING).status == 200)
        finally:
            with suppress(ProcessLookupError):
                os.kill(stopped, signal.SIGCONT)
    return pids
