"""The formats and the named corpora, from the registry of corpora."""

from __future__ import annotations

from typing import Any

from docstrings import read
from option_table import option_names, option_table
from regions import table

from retrieval.corpora.catalogue import catalogue
from retrieval.corpora.datasets import DATASETS
from retrieval.corpora.registry import EMBEDDED, FORMATS, NAMED, load_class

#: Format -> title, and an address that shows its options.
FORMATS_SHOWN = {
    "csv": ("CSV and TSV tables", "articles.csv?text=body&label=topic"),
    "jsonl": ("JSON lines", "news.jsonl?text=body&label=metadata.category"),
    "parquet": ("Parquet tables", "news.parquet?text=body&id=url"),
    "csv-rows": ("Columns of CSV and TSV tables", "payments.csv?columns=*&without=account&label=fraud"),
    "jsonl-rows": ("Columns of JSON lines", "payments.jsonl?columns=amount,type,place.city"),
    "parquet-rows": ("Columns of Parquet tables", "payments.parquet?columns=*&id=number"),
    "texts": ("Folders and archives of texts", "mails.tar.gz?encoding=latin-1"),
    "images": ("Folders and archives of pictures", "photos?size=96x96&fit=pad"),
    "sounds": ("Folders and archives of sounds", "recordings?pattern={digit}_{speaker}_{take}&label=speaker"),
    "idx": ("IDX files", "mnist-folder?split=test"),
    "vectors": ("Vectors", "vectors.npy?ids=ids.txt&labels=labels.txt"),
    "beir": ("BEIR folders", "scifact?split=train"),
    "ratings": ("Tables of ratings", "ratings.csv?user=reader&item=book&rating=stars"),
}
_EVERYWHERE = frozenset({"max-bytes"})


def write_formats() -> str:
    """Return one section for each format, with its options."""
    return "\n\n".join(_format(name) for name in FORMATS_SHOWN)


def write_names() -> str:
    """Return one row for each corpus that has a name."""
    rows = []
    for info in catalogue():
        options = " ".join(f"`{name}`" for name in option_names(_class(info.name)) if name not in _EVERYWHERE)
        named = EMBEDDED.get(info.name) or NAMED[info.name]
        items = "depends on versions" if info.items is None else f"{info.items:,}"
        download = "not needed" if info.name in EMBEDDED else "yes" if DATASETS[info.name].remotes else "by hand"
        rows.append([f"`{info.name}`", named.summary, items, download, options, info.licence, info.source])
    return table(["name", "what it is", "items", "download", "options", "licence", "source"], rows)


def _format(name: str) -> str:
    cls, (title, example) = load_class(FORMATS[name]), FORMATS_SHOWN[name]
    text = read(cls)
    options = option_table(cls, skip=_EVERYWHERE)
    parts = [f"### {title}", text.summary, text.details, f"Example: `'{example}'`", options]
    return "\n\n".join(part for part in parts if part)


def _class(name: str) -> type[Any]:
    return load_class((EMBEDDED.get(name) or NAMED[name]).location)
