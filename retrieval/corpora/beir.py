"""A test collection in BEIR's layout: ``corpus.jsonl``, ``queries.jsonl``, ``qrels/*.tsv``, or gzipped.

Layout of Thakur et al., "BEIR: A Heterogeneous Benchmark for Zero-shot Evaluation of Information Retrieval
Models", NeurIPS Datasets and Benchmarks 2021.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from encoders.codes import Modality
from encoders.errors import CorpusError, UnknownNameError
from encoders.options import option
from retrieval.corpora.base import Item, Qrels
from retrieval.corpora.files import existing
from retrieval.corpora.jsonl import read_items
from retrieval.corpora.qrels import read_qrels
from retrieval.corpora.records import Fields
from retrieval.corpora.source import FileSource

DEFAULT_SPLIT = "test"


@dataclass(eq=False)
class Beir(FileSource):
    """A test collection in the folder layout of BEIR: documents, queries and judgements.

    The folder holds ``corpus.jsonl``, and may hold ``queries.jsonl`` and ``qrels/SPLIT.tsv``; each may be gzipped.
    The queries are those that the split judges. Without ``queries.jsonl`` the documents are the queries, and labels
    say what is relevant.
    """

    split: str | None = option(None, "Name of the file in qrels/, without .tsv (default: test, or the only file).")
    label: str | None = option(None, "Field, or field of the metadata, with the class of the item (default: label).")

    modality = Modality.TEXT

    def __post_init__(self) -> None:
        self._qrels: Qrels | None = None

    def items(self) -> Iterator[Item]:
        """Read the documents from the beginning; empty ones are kept, since they may be judged."""
        yield from read_items(self._file("corpus.jsonl"), Fields(label=self.label), self.on_bad, self.max_bytes)

    @property
    def queries_are_items(self) -> bool:
        """False where the folder has queries of its own."""
        return existing(self.path, "queries.jsonl") is None

    def queries(self) -> Iterator[Item]:
        """Read the queries that the split judges (all of them where nothing is judged)."""
        if self.queries_are_items:
            return super().queries()
        judged = self.qrels()
        queries = read_items(self._file("queries.jsonl"), Fields(), self.on_bad, self.max_bytes)
        return (query for query in queries if judged is None or query.id in judged)

    def qrels(self) -> Qrels | None:
        """Read the judgements of the split; None if the folder has no qrels."""
        path = self.qrels_path()
        if path is not None and self._qrels is None:
            self._qrels = read_qrels(path, self.on_bad, self.max_bytes)
        return self._qrels

    def qrels_path(self) -> Path | None:
        """Return the file with the judgements of the split.

        Raises
        ------
        UnknownNameError
            When there is no such split.
        CorpusError
            When no split was asked for and it is not clear which to take.
        """
        folder = self.path / "qrels"
        splits = {path.name.removesuffix(".gz").removesuffix(".tsv"): path for path in _tables(folder)}
        if self.split is not None and self.split not in splits:
            raise UnknownNameError("split", self.split, splits, where=f"in {self.name}")
        if not splits:
            return None
        if self.split is None and DEFAULT_SPLIT not in splits and len(splits) > 1:
            raise CorpusError(f"{folder} has several splits: choose one with ?split=, of: {', '.join(sorted(splits))}")
        if self.split is None:
            return splits.get(DEFAULT_SPLIT) or next(iter(splits.values()))
        return splits[self.split]

    def _file(self, name: str) -> Path:
        path = existing(self.path, name)
        if path is None:
            raise CorpusError(f"{self.path} has no {name} or {name}.gz")
        return path


def is_beir(folder: Path) -> bool:
    """Return whether a folder has BEIR's layout."""
    return existing(folder, "corpus.jsonl") is not None


def _tables(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.name.endswith((".tsv", ".tsv.gz")))
