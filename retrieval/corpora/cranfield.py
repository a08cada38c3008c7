"""Cranfield as Glasgow distributes it (SMART format), turned into BEIR's layout."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from encoders.errors import CorpusError
from retrieval.corpora.folder_files import read_files

DOCUMENTS, QUERIES, JUDGEMENTS = "cran.all.1400", "cran.qry", "cranqrel"
#: The codes run from 1, "a complete answer", to 4, "of minimum interest"; all else is "of no interest".
GAINS = {"1": 4, "2": 3, "3": 2, "4": 1}
_RECORD = re.compile(r"^\.I +(\d+) *$", re.MULTILINE)
_FIELD = re.compile(r"^\.([TABW]) *$", re.MULTILINE)


def convert(archive: Path, folder: Path) -> None:
    """Write ``corpus.jsonl``, ``queries.jsonl`` and ``qrels/test.tsv`` into a new folder.

    The judgements number the queries 1 to 225 in the order of the file, not by the ids written in it.
    """
    names = {DOCUMENTS, QUERIES, JUDGEMENTS}
    files = read_files(archive, lambda name: name.split("/")[-1] in names)
    texts = {name.split("/")[-1]: raw.decode("ascii", errors="replace").replace("\r\n", "\n") for name, raw in files}
    if missing := names - texts.keys():
        raise CorpusError(f"{archive} has no {', '.join(sorted(missing))}")
    documents = [
        {"_id": number, "title": fields.get("T", ""), "text": fields.get("W", "")}
        for number, fields in read_smart(texts[DOCUMENTS])
    ]
    queries = [
        {"_id": str(position), "text": fields.get("W", "")}
        for position, (_, fields) in enumerate(read_smart(texts[QUERIES]), start=1)
    ]
    rows = [line.split() for line in texts[JUDGEMENTS].split("\n") if line.strip()]
    if any(len(row) != 3 for row in rows):
        raise CorpusError(f"{archive}: {JUDGEMENTS} should hold query, document and code in every line")
    judged = [f"{query}\t{document}\t{GAINS.get(code, 0)}" for query, document, code in rows]
    (folder / "qrels").mkdir(parents=True)
    _write(folder / "corpus.jsonl", [json.dumps(document) for document in documents])
    _write(folder / "queries.jsonl", [json.dumps(query) for query in queries])
    _write(folder / "qrels" / "test.tsv", ["query-id\tcorpus-id\tscore", *judged])


def read_smart(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    r"""Read the records of a SMART file: id, and fields (T title, A author, B bibliography, W words).

    Examples
    --------
    >>> list(read_smart(".I 1\n.T\na wing\n.W\nthe wing\nflies .\n"))
    [('1', {'T': 'a wing', 'W': 'the wing flies .'})]
    """
    parts = _RECORD.split(text)
    for number, body in zip(parts[1::2], parts[2::2], strict=True):
        fields = _FIELD.split(body)
        yield (
            number,
            {key: " ".join(value.split()) for key, value in zip(fields[1::2], fields[2::2], strict=True)},
        )


def _write(path: Path, lines: list[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
