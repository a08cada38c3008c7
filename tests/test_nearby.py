"""The front door: every name is there, and importing it costs nothing."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import nearby

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("name", nearby.__all__)
def test_every_name_is_documented(name):
    assert getattr(nearby, name).__doc__


def test_the_list_is_what_is_defined():
    assert sorted(nearby._NAMES) == nearby.__all__ == dir(nearby)
    with pytest.raises(AttributeError, match="no attribute 'compair'"):
        _ = nearby.compair


def test_importing_it_loads_nothing_heavy():
    code = (
        "import nearby, sys; print(*(m for m in ('numpy', 'scipy', 'torch', 'sklearn', 'faiss') if m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == ""


def test_the_page_runs(tmp_path, monkeypatch):
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "python.md").read_text(), re.DOTALL)
    assert blocks
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "docs/python.md", "exec"), names)  # noqa: S102  # our own page
    mentioned = set(re.findall(r"nearby\.(\w+)", (ROOT / "docs" / "python.md").read_text()))
    assert mentioned >= set(nearby.__all__) - {"Comparison", "Corpus", "Encoder", "Hit", "Index", "Space"}
