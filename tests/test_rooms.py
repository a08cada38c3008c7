"""The contracts between the rooms hold, and would notice a breach."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LINT = Path(sys.executable).parent / "lint-imports"

BREACHES = [
    ("encoders/codes.py", "import indexers.base", "One straight line"),
    ("indexers/exact.py", "import encoders.neural.vae", "An index knows codes and spaces"),
    ("retrieval/corpora/base.py", "import retrieval.search.result", "The rooms of retrieval"),
    ("retrieval/collection/local.py", "import retrieval.experiment.compare", "The rooms of retrieval"),
    ("retrieval/service/server.py", "import retrieval.commands.search", "The rooms of retrieval"),
    ("encoders/text/bm25.py", "import encoders.cluster.kmeans", "An encoder method knows its neighbours"),
]


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rooms")
    for room in ("encoders", "indexers", "retrieval"):
        shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def lint(folder):
    command = [str(LINT), "--no-cache"]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)


@pytest.mark.parametrize(("file", "line", "contract"), BREACHES)
def test_a_planted_breach_is_found(copy, file, line, contract):
    path = copy / file
    before = path.read_text()
    path.write_text(f"{before}\n{line}\n")
    try:
        done = lint(copy)
    finally:
        path.write_text(before)
    assert done.returncode == 1
    broken = [row for row in done.stdout.splitlines() if row.endswith("BROKEN")]
    assert any(row.startswith(contract) for row in broken)
