"""The provenance of a result: command, machine, versions, commit, date."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from encoders.artifact import library_versions
from encoders.numbers import counted


def provenance() -> dict[str, Any]:
    """The provenance of the present command, as JSON values."""
    return {
        "command": " ".join(["nearby", *sys.argv[1:]]),
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": f"{_processor()}, {counted(len(os.sched_getaffinity(0)), 'core')}",
        "python": platform.python_version(),
        "versions": library_versions(),
        "commit": commit(),
    }


#: Paths on which no result depends: a checkout with changes only here is not "dirty".
_WRITTEN = ("benchmarks/results", "docs")


def commit() -> str | None:
    """The commit of the checkout of this code, with ``-dirty`` when code was changed; None outside a checkout."""
    number = _git("rev-parse", "--short", "HEAD")
    excluded = [f":(top,exclude){path}" for path in _WRITTEN]
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ":(top)", *excluded)
    return f"{number}-dirty" if number and changed else number


def _git(*words: str) -> str | None:
    folder = Path(__file__).parent
    done = subprocess.run(["git", *words], capture_output=True, text=True, cwd=folder, check=False)
    return done.stdout.strip() or None


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
