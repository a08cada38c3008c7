"""What a collection holds, as plain lines of a terminal and as JSON values."""

from __future__ import annotations

from typing import Any

from encoders.numbers import counted
from retrieval.collection.base import Collection
from retrieval.report.terminal.listing import aligned, full_specs_lines


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
    }


def info_lines(collection: Collection, verbose: bool = False) -> list[str]:
    """Return the same as lines; `verbose` adds the options of every space, defaults too."""
    value = info_json(collection)
    lines = [
        f"{value['folder']}: {counted(value['items'], value['modality'] + ' item')} of '{value['corpus']}', "
        f"{_size(value['bytes'])}, generation {value['generation']}"
    ]
    if not value["spaces"]:
        return [*lines, "no space yet: add one with  nearby index"]
    rows = [
        [
            space["spec"], _engine(space["index"], value["server"]), f"{space['dim']:,}", space["kind"],
            space["metric"],
            f"{space['fit_seconds']:.1f}", "" if space["fitted_on_present_items"] else "fitted on other items",
        ]
        for space in value["spaces"]
    ]  # fmt: skip
    notes = ["note"] if any(row[-1] for row in rows) else []
    rows = [row[: 6 + len(notes)] for row in rows]
    lines += [
        "",
        *aligned(["space", "index", "dim", "kind", "metric", "fit, s", *notes], rows, right=[2, 5], specs=[0, 1]),
    ]
    if verbose:
        lines += full_specs_lines({spec: collection.space(spec).encoder.spec(full=True) for spec in collection.spaces})
    return lines


def _engine(index: str, server: str | None) -> str:
    """Return an index as a column has room for it: the address of a server stands below, once for all spaces."""
    return index.partition(":")[0] if index == server else index


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count >= 1e6 else f"{count / 1e3:,.1f} kB"
