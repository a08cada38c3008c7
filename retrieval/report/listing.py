"""Answers, spaces and corpora as plain lines of a terminal."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from encoders import options
from encoders.registry import ENCODERS, encoder_class
from retrieval.collection import Collection
from retrieval.comparison import Answer
from retrieval.corpora.registry import CorpusInfo
from retrieval.searcher import Found, Query

WIDTH = 100
_WORDS = {"cosine": "1 - cosine", "euclidean": "distance", "dot": "score", "hamming": "bits that differ"}


def aligned(head: Sequence[str], rows: Sequence[Sequence[object]], right: Sequence[int] = ()) -> list[str]:
    """Lay a table out; the columns numbered in `right` end on the same character, the last one is cut at 100.

    Examples
    --------
    >>> aligned(["name", "n"], [["a", 5], ["long", 10]], right=[1])
    ['name   n', 'a      5', 'long  10']
    """
    cells = [[str(cell) for cell in row] for row in [head, *rows]]
    widths = [max(len(row[place]) for row in cells) for place in range(len(head))]
    lines = []
    for row in cells:
        parts = [
            cell.rjust(width) if place in right else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        line = "  ".join(parts).rstrip()
        lines.append(line if len(line) <= WIDTH else line[: WIDTH - 1] + "…")
    return lines


def answers_lines(query: Query, found: Sequence[Found]) -> list[str]:
    """Return the answers of every space, one block a space."""
    lines = [f"query: {_name(query.shown.title, query.shown.id)}" + _label(query.shown.label)]
    for one in found:
        lines += ["", f"{one.spec}   {one.milliseconds:.1f} ms", f"  {one.options}"]
        if one.note:
            lines.append(f"  no answer: {one.note}")
            continue
        head = ["", "", _WORDS[one.metric], "id", "label", "title"]
        rows = [
            [_mark(answer), place, f"{answer.distance:.3f}", *_told(answer)]
            for place, answer in enumerate(one.answers, 1)
        ]
        lines += [f"  {line}" for line in aligned(head, rows, right=[1, 2])]
    return lines


def answers_json(query: Query, found: Sequence[Found]) -> dict[str, Any]:
    """Return the same as JSON values."""
    return {
        "query": {"id": query.own, "title": query.shown.title, "label": query.shown.label},
        "spaces": [
            {
                "spec": one.spec,
                "options": one.options,
                "metric": one.metric,
                "milliseconds": one.milliseconds,
                "note": one.note,
                "hits": [
                    {
                        "id": answer.shown.id,
                        "score": answer.score,
                        "distance": answer.distance,
                        "label": answer.shown.label,
                        "title": answer.shown.title,
                        "snippet": answer.shown.snippet,
                    }
                    for answer in one.answers
                ],
            }
            for one in found
        ],
    }


def info_json(collection: Collection) -> dict[str, Any]:
    """Return what a collection holds."""
    manifest = collection.manifest
    return {
        "folder": str(collection.folder),
        "generation": collection.generation,
        "corpus": manifest.corpus,
        "modality": str(manifest.modality),
        "items": manifest.count,
        "digest": collection.items_digest,
        "bytes": collection.bytes,
        "spaces": [
            {
                "spec": record.spec,
                "index": record.index,
                **record.space,
                "fit_seconds": record.fit_seconds,
                "encode_seconds": record.encode_seconds,
                "code_bytes": record.code_bytes,
                "fitted_on_present_items": record.fitted_on == collection.items_digest,
            }
            for record in collection.spaces.values()
        ],
    }


def info_lines(collection: Collection) -> list[str]:
    """Return the same as lines."""
    value = info_json(collection)
    lines = [
        f"{value['folder']}: {value['items']:,} {value['modality']} items of '{value['corpus']}', "
        f"{value['bytes'] / 1e6:,.1f} MB, generation {value['generation']}"
    ]
    if not value["spaces"]:
        return [*lines, "no space yet: add one with  nearby index"]
    rows = [
        [
            space["spec"], space["index"], space["dim"], space["kind"], space["metric"],
            f"{space['fit_seconds']:.1f}", "" if space["fitted_on_present_items"] else "fitted on earlier items",
        ]
        for space in value["spaces"]
    ]  # fmt: skip
    return [*lines, "", *aligned(["space", "index", "dim", "kind", "metric", "fit s", "note"], rows, right=[2, 5])]


def encoders_json() -> list[dict[str, Any]]:
    """Return every encoder: what it reads, and its options with their defaults."""
    rows = []
    for name, entry in ENCODERS.items():
        cls = encoder_class(name)
        fields = [
            {"name": field.name.replace("_", "-"), "default": field.default, "help": field.metadata.get("help", "")}
            for field in dataclasses.fields(cls)
        ]
        rows.append({"name": name, "reads": str(cls.reads), "summary": entry.summary, "options": fields})
    return rows


def encoders_lines() -> list[str]:
    """Return the same as lines."""
    lines = []
    for row in encoders_json():
        lines.append(f"{row['name']:<10} {row['reads']:<7} {row['summary']}")
        for field in row["options"]:
            default = options.text_of(field["default"]) if field["default"] is not None else "none"
            lines.append(f"{'':<18} {field['name']}={default}  {field['help']}")
    return lines


def corpora_lines(found: Sequence[CorpusInfo]) -> list[str]:
    """Return one line a corpus."""
    rows = [
        [
            info.name, info.modality, "?" if info.items is None else f"{info.items:,}",
            "here" if info.present else "not here", f"{info.bytes / 1e6:,.1f}" if info.bytes else "-", info.licence,
        ]
        for info in found
    ]  # fmt: skip
    return aligned(["corpus", "sort", "items", "", "MB", "licence"], rows, right=[2, 4])


def _mark(answer: Answer) -> str:
    return {True: "+", False: "-", None: ""}[answer.relevant]


def _told(answer: Answer) -> list[str]:
    shown = answer.shown
    title = "" if shown.picture is not None else _name(shown.title, shown.snippet or "")
    return [shown.id, shown.label or "", title]


def _name(title: str | None, otherwise: str) -> str:
    return " ".join((title or otherwise).split())[:80]


def _label(label: str | None) -> str:
    return f"  [{label}]" if label else ""
