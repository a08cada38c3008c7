"""A corpus is compared and indexed without naming a space."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from retrieval.corpora.registry import open_corpus
from retrieval.experiment.compare import compare
from retrieval.spaces.defaults import default_spaces

ROOT = Path(__file__).parents[3]


def corpus_of(folder: Path, kind: str, count: int):
    labels = [str(row % 2) for row in range(count)]
    if kind == "texts":
        rows = "".join(f"red word{row} word{row // 3},{label}\n" for row, label in enumerate(labels))
        (folder / "t.csv").write_text(f"text,label\n{rows}")
        return open_corpus(str(folder / "t.csv"))
    if kind == "few words":
        rows = "".join(f"red the {'blue' if row % 2 else 'green'},{label}\n" for row, label in enumerate(labels))
        (folder / "t.csv").write_text(f"text,label\n{rows}")
        return open_corpus(str(folder / "t.csv"))
    if kind.startswith("table"):
        columns = int(kind.split()[1])
        values = np.random.default_rng(0).normal(size=(count, columns))
        head = ",".join(f"c{column}" for column in range(columns))
        rows = "".join(f"{','.join(map(str, row))},{label}\n" for row, label in zip(values, labels, strict=True))
        (folder / "w.csv").write_text(f"{head},label\n{rows}")
        return open_corpus(f"{folder / 'w.csv'}?columns=*")
    vectors = np.abs(np.random.default_rng(0).normal(size=(count, 3))).astype(np.float32)
    np.savez(folder / "v.npz", vectors=vectors, labels=np.array(labels))
    return open_corpus(str(folder / "v.npz"))


@pytest.mark.parametrize("count", [4, 9, 60])
@pytest.mark.parametrize("kind", ["texts", "few words", "vectors", "table 1", "table 3", "table 20"])
def test_the_default_spaces_fit_a_corpus_of_any_size(tmp_path, kind, count):
    corpus = corpus_of(tmp_path, kind, count)
    specs = default_spaces(corpus)
    assert 3 <= len(specs) == len(compare(corpus, specs, examples=0).spaces) <= 5


def test_index_and_compare_say_which_spaces_they_take(tmp_path):
    corpus_of(tmp_path, "texts", 12)

    def nearby(*words: str):
        command = [sys.executable, "-c", "import cli; cli.main()", *words]
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)

    told = "no space is named, so nearby uses:  -s bm25 -s tfidf -s tfidf+lsa:3"
    compared = nearby("compare", str(tmp_path / "t.csv"), "--json")
    assert told in compared.stderr
    assert [row["spec"] for row in json.loads(compared.stdout)[0]["spaces"]] == ["bm25", "tfidf", "tfidf+lsa:3"]
    assert told in nearby("index", str(tmp_path / "t.csv"), "-o", str(tmp_path / "c")).stderr
