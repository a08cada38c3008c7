"""What requests leave behind in the C library goes back to the system."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from running_service import running

from retrieval.service import app
from retrieval.service.settings import Settings

#: Holds parts of bodies, frees all but every fiftieth, and prints the MiB before and after a release.
HOLDS = """
import re
from retrieval.service.unused_memory import release_unused

def held():
    return int(re.search(r"RssAnon:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024

parts = [bytes(65_000) for _ in range(1000)]
parts = parts[::50]
print(held())
release_unused()
print(held())
"""

#: Frees a body under a part that is still used, after a larger one was freed, and prints the MiB before and after.
LARGE = """
import re
from retrieval.service.unused_memory import return_large_blocks

def held():
    return int(re.search(r"RssAnon:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024

{call}
b"x" * (20 << 20)
body, part = b"x" * (10 << 20), b"x" * 65_000
print(held())
del body
print(held())
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
@pytest.mark.parametrize("call", ["", "return_large_blocks()"])
def test_a_large_body_goes_back_when_it_is_freed(call):
    from ctypes import CDLL

    if not hasattr(CDLL(None), "mallopt"):
        pytest.skip("this C library has no mallopt")
    done = subprocess.run([sys.executable, "-c", LARGE.format(call=call)], capture_output=True, text=True, check=True)
    before, after = map(float, re.findall(r"[\d.]+", done.stdout))
    assert (before - after > 9) == bool(call)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_freed_memory_goes_back_to_the_system():
    from ctypes import CDLL

    if not hasattr(CDLL(None), "malloc_trim"):
        pytest.skip("this C library has no malloc_trim")
    done = subprocess.run([sys.executable, "-c", HOLDS], capture_output=True, text=True, check=True)
    before, after = map(float, re.findall(r"[\d.]+", done.stdout))
    assert before - after > 40


def test_a_running_service_releases_again_and_again(collections, monkeypatch):
    released = threading.Semaphore(0)
    monkeypatch.setattr(app, "RELEASE_SECONDS", 0.01)
    monkeypatch.setattr(app, "release_unused", released.release)
    with running(Settings(collections)):
        assert all(released.acquire(timeout=10) for _ in range(3))
