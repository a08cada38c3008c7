"""Answers, spaces and corpora as plain lines of a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from encoders import options
from encoders.registry import ENCODERS, encoder_class
from retrieval.collection import Collection
from retrieval.comparison import Answer
from retrieval.corpora.registry import CorpusInfo
from retrieval.report.specs import wrapped
from retrieval.report.terminal import counted, printable
from retrieval.reranking import Reranked
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
    cells = [[printable(str(cell)).replace("\n", "?") for cell in row] for row in [head, *rows]]
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
        lines += ["", one.spec if one.note else f"{one.spec}   {one.milliseconds:.1f} ms", *_answers_block(one)]
    return lines


def _answers_block(found: Found) -> list[str]:
    lines = [f"  {line}" for line in wrapped(found.options, WIDTH - 2)]
    nothing = found.note or (None if found.answers else "no item of this space has anything in common with the query")
    return lines + ([f"  no answer: {nothing}"] if nothing else [f"  {line}" for line in _answers_table(found)])


def _answers_table(found: Found) -> list[str]:
    """Lay the answers of one space out; a column that says nothing is left out."""
    decimals = 0 if found.metric == "hamming" else 3
    told = [_told(answer) for answer in found.answers]
    labels = any(label for _, label, _ in told)
    titles = any(title not in ("", id) for id, _, title in told)
    head = ["", "", _WORDS[found.metric], "id", *(["label"] if labels else []), *(["title"] if titles else [])]
    rows = [
        [
            _mark(answer),
            place,
            f"{answer.distance:.{decimals}f}",
            id,
            *([label] if labels else []),
            *([title] if titles else []),
        ]
        for place, (answer, (id, label, title)) in enumerate(zip(found.answers, told, strict=True), 1)
    ]
    return aligned(head, rows, right=[1, 2])


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


def reranked_lines(query: Query, reranked: Reranked) -> list[str]:
    """Return the shortlist, what it cost, and the answers that are left of it."""
    found, plan, spent = reranked.found, reranked.plan, reranked.milliseconds
    how = f"the {plan.candidates:,} nearest" if plan.radius is None else f"within {counted(plan.radius, 'bit')}"
    if not reranked.held:
        nothing = "no item is on the shortlist" + (": try a larger --radius" if plan.radius is not None else "")
        found = replace(found, note=nothing)
    return [
        *answers_lines(query, []),
        "",
        f"shortlist: {plan.shortlist}   {spent['encode_shortlist'] + spent['shortlist']:.1f} ms",
        *(f"  {line}" for line in wrapped(reranked.options, WIDTH - 2)),
        f"  {reranked.held:,} of {counted(reranked.items, 'item')}, {reranked.share:.1%}: {how}",
        "",
        f"re-ranked: {plan.rerank}   {spent['encode_rerank'] + spent['rerank']:.1f} ms",
        *_answers_block(found),
    ]


def reranked_json(query: Query, reranked: Reranked) -> dict[str, Any]:
    """Return the same as JSON values: the answers as of a search, and what the stages cost."""
    plan = reranked.plan
    shortlist = {
        "spec": plan.shortlist,
        "options": reranked.options,
        "candidates": plan.candidates,
        "radius": plan.radius,
        "held": reranked.held,
        "items": reranked.items,
        "share": reranked.share,
        "milliseconds": reranked.milliseconds,
    }
    return {**answers_json(query, [reranked.found]), "shortlist": shortlist}


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
        f"{value['folder']}: {counted(value['items'], value['modality'] + ' item')} of '{value['corpus']}', "
        f"{_size(value['bytes'])}, generation {value['generation']}"
    ]
    if not value["spaces"]:
        return [*lines, "no space yet: add one with  nearby index"]
    rows = [
        [
            space["spec"], space["index"], space["dim"], space["kind"], space["metric"],
            f"{space['fit_seconds']:.1f}", "" if space["fitted_on_present_items"] else "fitted on other items",
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
            {
                "name": field.name.replace("_", "-"),
                "default": field.default,
                "help": field.metadata.get("help", ""),
                "choices": field.metadata.get("choices"),
            }
            for field in options.fields_of(cls)
        ]
        rows.append({"name": name, "reads": str(cls.reads), "summary": entry.summary, "options": fields})
    return rows


def encoders_lines() -> list[str]:
    """Return the same as lines."""
    lines = []
    for row in encoders_json():
        lines.append(f"{row['name']:<18} {row['reads']:<7} {row['summary']}")
        for field in row["options"]:
            default = options.text_of(field["default"]) if field["default"] is not None else "none"
            choices = f": {', '.join(field['choices'])}" if field["choices"] else ""
            told = f"{'':<26} {field['name']}={default}  {field['help']}{choices}"
            lines += textwrap.wrap(told, WIDTH, subsequent_indent=" " * 30, break_on_hyphens=False)
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
    return aligned(["corpus", "sort", "items", "where", "MB", "licence"], rows, right=[2, 4])


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count >= 1e6 else f"{count / 1e3:,.1f} kB"


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
