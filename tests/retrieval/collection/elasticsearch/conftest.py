"""The command line, and a few items for it."""

from __future__ import annotations

import json
import sys
import warnings

import pytest

import cli
from indexers.elasticsearch import client, trust


@pytest.fixture
def nearby(monkeypatch, capsys, tmp_path):
    """The command line in this process, where its retries can be made short."""
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)  # put back what it changes
    for name in (*client._VARIABLES, trust.HOSTS):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(trust, "_file", lambda: tmp_path / "config" / trust.FILE)
    monkeypatch.setattr(trust, "_named", set())

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["nearby", *map(str, words)])
        code = 0
        try:
            cli.main()
        except SystemExit as end:
            code = end.code or 0
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def refusal(nearby):
    def run(*words):
        code, out, err = nearby(*words)
        assert (code, out) == (2, ""), err
        last = err.splitlines()[-1]
        assert last.startswith("nearby: ")
        assert "Traceback" not in err
        return last

    return run


@pytest.fixture
def fruit(tmp_path):
    path = tmp_path / "fruit.jsonl"
    names = ["apple", "pear", "plum", "quince"]
    path.write_text("".join(json.dumps({"id": name, "text": f"a {name} pie"}) + "\n" for name in names))
    return path
