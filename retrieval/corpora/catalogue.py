"""Every corpus that has a name: what it holds, under which licence, and where it is."""

from __future__ import annotations

from typing import NamedTuple

from encoders.codes import Modality
from retrieval.corpora import download
from retrieval.corpora.datasets import DATASETS
from retrieval.corpora.registry import EMBEDDED, NAMED


class CorpusInfo(NamedTuple):
    """One row of ``nearby corpora``.

    `queries` counts queries that are not items: 0 where the items are the queries. `bytes` is the size of the
    files on this machine, or of the download; `where` is a folder on this machine, or the source of the data set.
    """

    name: str
    modality: Modality
    items: int | None
    queries: int | None
    bytes: int
    licence: str
    source: str
    present: bool
    where: str
    summary: str


def catalogue() -> list[CorpusInfo]:
    """Return every named corpus, with whether it is on this machine; nothing is read or downloaded."""
    rows = [_embedded_info(name) for name in EMBEDDED]
    for name in NAMED:
        row, folder = DATASETS[name], download.find(name)
        size = download.stored_bytes(name, folder) if folder else row.bytes
        where = str(folder) if folder else (row.remotes[0].url if row.remotes else f"by hand: {row.source}")
        counts = (row.modality, row.items, row.queries, size)
        rows.append(CorpusInfo(name, *counts, row.licence, row.source, folder is not None, where, NAMED[name].summary))
    return rows


def _embedded_info(name: str) -> CorpusInfo:
    summary = EMBEDDED[name].summary
    if name == "digits":
        source = "Alpaydin, Kaynak (UCI), as scikit-learn ships it"
        return CorpusInfo(name, Modality.IMAGE, 1_797, 0, 0, "CC BY 4.0", source, True, "scikit-learn", summary)
    if name == "ratings-example":
        return CorpusInfo(name, Modality.VECTOR, 4, 0, 0, "-", "written for nearby", True, "nearby", summary)
    if name == "breast-cancer":
        source = "Wolberg, Mangasarian, Street (UCI), as scikit-learn ships it"
        return CorpusInfo(name, Modality.ROW, 569, 0, 0, "CC BY 4.0", source, True, "scikit-learn", summary)
    source, where = "the docstrings of the installed packages", "installed packages"
    # Their number depends on the installed versions; counting them imports them all.
    return CorpusInfo(name, Modality.TEXT, None, None, 0, "BSD-3-Clause, PSF-2.0", source, True, where, summary)
