"""Compressed files as plain lines of a terminal."""

from __future__ import annotations

from typing import Any

from retrieval.applications.compression.compress import Compressed
from retrieval.applications.compression.compress_lossless import CompressedLossless
from retrieval.applications.compression.compressed_items import CompressedItems
from retrieval.applications.compression.encoder_section import SECTION
from retrieval.report.terminal.listing import aligned

_PARTS = {
    "items": "items, with their checksums",
    "ids": "ids",
    "quantizer": "steps and frequencies",
}


def compressed_lines(made: Compressed) -> list[str]:
    """Return what a file has become: its parts, its error."""
    kept = f"{made.components[1]:,} of {made.components[0]:,} components kept"
    return [
        f"{made.items:,} items by {made.encoder}: {made.bytes_per_item:.1f} bytes per item, {kept}",
        f"squared error per item on training items: {made.error:.4g} ({made.own_error:.4g} by the space alone)",
        "",
        *_parts_lines(made.parts, made.items),
    ]


def lossless_lines(made: CompressedLossless) -> list[str]:
    """Return what a file without loss has become: its parts, its rate beside bz2."""
    if made.break_even is None:
        beside = "so bz2 is smaller"
    elif made.parts.get(SECTION):
        beside = f"so with its encoder a file is smaller from {made.break_even:,} such pictures on"
    else:
        beside = "so this file is smaller, without its encoder"
    return [
        f"{made.items:,} items by {made.encoder}: {made.bits_per_pixel:.3f} bits per pixel without the encoder, every "
        "pixel decoded and compared",
        f"bz2 needs {made.bits_per_pixel_of_bz2:.3f} bits per pixel, {beside}",
        "",
        *_parts_lines(made.parts, made.items),
    ]


def _parts_lines(parts: dict[str, int], items: int) -> list[str]:
    rows = [
        [_PARTS.get(name, name), f"{size:,}", f"{size / items:.2f}" if items else ""]
        for name, size in parts.items()
        if size
    ]
    rows.append(["file", f"{sum(parts.values()):,}", f"{sum(parts.values()) / items:.2f}" if items else ""])
    return aligned(["", "bytes", "bytes per item"], rows, right=[1, 2])


def described_json(items: CompressedItems) -> dict[str, Any]:
    """Return what a file says about itself, without decoding anything."""
    header = items.header
    return {
        "file": str(items.reader.path),
        "method": header.method,
        "items": header.items,
        "items_per_chunk": header.items_per_chunk,
        "chunks": header.chunks,
        "bytes": items.reader.size,
        "parts": items.reader.parts,
        "holds_its_encoder": items.reader.has_section(SECTION),
        "description": header.description,
    }


def described_lines(items: CompressedItems) -> list[str]:
    """Return the same as lines."""
    header = items.header
    encoder = header.description.get("encoder")
    spec = ascii(encoder["spec"])[1:-1] if isinstance(encoder, dict) and isinstance(encoder.get("spec"), str) else "?"
    held = "inside the file" if items.reader.has_section(SECTION) else "not in the file: --encoder names its folder"
    cut = [f"{items.reader.missing_bytes:,} bytes are cut off its end"] if items.reader.missing_bytes else []
    return [
        f"{items.reader.path}: {header.items:,} items by the method {ascii(header.method)[1:-1]}",
        f"encoder: {spec} ({held})",
        f"chunks: {header.chunks:,} of up to {header.items_per_chunk:,} items",
        *cut,
        "",
        *_parts_lines(items.reader.parts, header.items),
    ]


def ids_lines(items: CompressedItems) -> list[str]:
    """Return the number and id of every item."""
    return [f"{position}  {id}" for position, id in enumerate(items.ids())]


def ids_json(items: CompressedItems) -> list[str]:
    """Return the ids in order."""
    return list(items.ids())
