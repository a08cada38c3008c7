"""What a collection holds, as lines of a terminal and as JSON values."""

from __future__ import annotations

from itertools import islice
from typing import Any

from encoders.numbers import counted
from encoders.table.columns import Columns
from retrieval.collection.base import Collection
from retrieval.collection.filters import SAMPLE
from retrieval.report.terminal.listing import aligned, full_specs_lines
from retrieval.search.result import cut_at_word

#: Values of a field that are listed, and the length of each.
_VALUES, _LETTERS = 10, 24


def info_json(collection: Collection) -> dict[str, Any]:
    """Return what a collection holds."""
    info = collection.info()
    return {
        "folder": str(info.folder),
        "generation": info.generation,
        "corpus": info.corpus,
        "modality": str(info.modality),
        "items": info.items,
        "server": info.server,
        "digest": info.digest,
        "bytes": info.bytes,
        "segments": info.segments,
        "removed": info.removed,
        "spaces": [
            {
                "spec": record.spec,
                "index": record.index,
                **record.space,
                "fit_seconds": record.fit_seconds,
                "encode_seconds": record.encode_seconds,
                "code_bytes": record.code_bytes,
                "fitted_on_present_items": record.fitted_on == info.digest,
            }
            for record in info.spaces
        ],
        "unfinished": list(info.unfinished),
        "filters": [
            {
                "field": field.name,
                "items": field.items,
                "n_values": len(field.values),
                "values": dict(islice(field.values.items(), _VALUES)),
            }
            for field in collection.filters()
        ],
    }


def info_lines(collection: Collection, verbose: bool = False) -> list[str]:
    """Return the same as lines; `verbose` adds the options of every space, defaults too."""
    value = info_json(collection)
    lines = [
        f"{value['folder']}: {counted(value['items'], value['modality'] + ' item')} of '{value['corpus']}', "
        f"{_size(value['bytes'])}"
    ]
    if verbose:
        lines.append(f"generation {value['generation']}, the number of writes")
    if value["segments"] > 1 or value["removed"]:
        held = [counted(value["segments"], "segment")] if value["segments"] > 1 else []
        held += [f"{counted(value['removed'], 'removed item')} still on disk"] if value["removed"] else []
        lines.append(f"{', '.join(held)}; merge them with  nearby compact {value['folder']}")
    unfinished = [f"unfinished: {spec}; run the same  nearby index  command to resume" for spec in value["unfinished"]]
    if not value["spaces"]:
        return [*lines, *(unfinished or ["no space yet: add one with  nearby index"])]
    rows = [
        [
            space["spec"], _engine(space["index"], value["server"]), f"{space['dim']:,}", space["kind"],
            space["metric"],
            f"{space['fit_seconds']:.1f}", "" if space["fitted_on_present_items"] else "fitted on another set of items",
        ]
        for space in value["spaces"]
    ]  # fmt: skip
    notes = ["note"] if any(row[-1] for row in rows) else []
    rows = [row[: 6 + len(notes)] for row in rows]
    lines += [
        "",
        *aligned(["space", "index", "dim", "kind", "metric", "fit, s", *notes], rows, right=[2, 5], specs=[0, 1]),
    ]
    lines += ["", *unfinished] if unfinished else []
    lines += _filter_lines(value["filters"], value["items"])
    if verbose:
        lines += _column_lines(collection)
        lines += full_specs_lines({spec: collection.space(spec).encoder.spec(full=True) for spec in collection.spaces})
    return lines


def _column_lines(collection: Collection) -> list[str]:
    """Return the type of every column that the spaces of a table read; nothing for other collections."""
    tables: dict[tuple[tuple[str, str, str], ...], list[str]] = {}
    for spec in collection.spaces:
        first = collection.space(spec).encoder.parts[0]
        if isinstance(first, Columns):
            details = first.column_details()
            rows = tuple((name, type, details.get(name, "")) for name, type in first.column_types().items())
            tables.setdefault(rows, []).append(spec)
    lines = []
    for rows, specs in tables.items():
        whose = "" if len(tables) == 1 else f" in {', '.join(specs)}"
        lines += ["", f"columns{whose}", *aligned(["column", "type", ""], rows)]
    return lines


def _filter_lines(fields: list[dict[str, Any]], items: int) -> list[str]:
    """Return the fields and values for ``search --filter``."""
    if not fields:
        return []
    rows = [[field["field"], f"{field['items']:,}", _values(field)] for field in fields]
    lines = ["", *aligned(["--filter", "items", "values"], rows, right=[1])]
    if items > SAMPLE:
        lines.append(f"fields and values of the first {SAMPLE:,} items")
    return lines


def _values(field: dict[str, Any]) -> str:
    """Return the number of values and the most frequent ones.

    Examples
    --------
    >>> _values({"n_values": 12, "values": {"2004": 2, "2001": 1}})
    '12: 2004, 2001, ...'
    """
    shown = [cut_at_word(" ".join(value.split()), _LETTERS) for value in field["values"]]
    return f"{field['n_values']:,}: {', '.join(shown)}{', ...' if field['n_values'] > len(shown) else ''}"


def _engine(index: str, server: str | None) -> str:
    """Return an index as a column has room for it: the address of a server stands below, once for all spaces."""
    return index.partition(":")[0] if index == server else index


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count >= 1e6 else f"{count / 1e3:,.1f} kB"
