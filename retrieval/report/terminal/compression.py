"""Compressed files as plain lines of a terminal."""

from __future__ import annotations

from typing import Any

from encoders.numbers import counted
from retrieval.applications.compression.compress import Compressed
from retrieval.applications.compression.compress_lossless import CompressedLossless
from retrieval.applications.compression.compressed_items import CompressedItems
from retrieval.applications.compression.encoder_section import SECTION
from retrieval.applications.compression.rate_distortion import Curve, Curves, Point
from retrieval.report.terminal.listing import aligned
from retrieval.report.terminal.printable import table_word

_PARTS = {
    "items": "items, with their checksums",
    "ids": "ids",
    "quantizer": "steps and frequencies",
    "header": "header, and its copy",
}


def compressed_lines(made: Compressed) -> list[str]:
    """Return what a file has become: its parts, its error."""
    kept = f"{made.kept:,} of {made.components:,} components kept"
    return [
        f"{counted(made.items, 'item')} by {made.encoder}: {made.bytes_per_item:.1f} bytes per item, {kept}",
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
        f"{counted(made.items, 'item')} by {made.encoder}: {made.bits_per_pixel:.3f} bits per pixel without the "
        "encoder, every pixel decoded and compared",
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
    cut += [f"{items.reader.extra_bytes:,} bytes follow its end and are not read"] if items.reader.extra_bytes else []
    return [
        f"{items.reader.path}: {counted(header.items, 'item')} by the method {ascii(header.method)[1:-1]}",
        f"encoder: {spec} ({held})",
        f"chunks: {header.chunks:,} of up to {header.items_per_chunk:,} items",
        *cut,
        *items.reader.repaired,
        "",
        *_parts_lines(items.reader.parts, header.items),
    ]


def ids_lines(items: CompressedItems) -> list[str]:
    """Return the number and id of every item."""
    return [f"{position}  {table_word(id)}" for position, id in enumerate(items.ids())]


def ids_json(items: CompressedItems) -> list[str]:
    """Return the ids in order."""
    return list(items.ids())


def answer(curves: Curves) -> str:
    """Return what has the smallest error at which size, in one sentence."""
    (name, _), *others = curves.winners
    measure = "has the smallest squared error"
    if not others:
        low, high = curves.sizes[0], curves.sizes[-1]
        return f"{name} {measure} at every size measured, from {_size(low)} to {_size(high)} bytes per picture."
    parts = [f"Up to {_size(others[0][1])} bytes per picture, {name} {measure}"]
    parts += [f"from {_size(size)} bytes on, {other}" for other, size in others]
    return f"{'; '.join(parts)}."


def milliseconds(seconds: float) -> str:
    """Return a time in milliseconds with about three digits.

    Examples
    --------
    >>> milliseconds(1.5), milliseconds(0.0123), milliseconds(1.5e-6)
    ('1500', '12.3', '0.0015')
    """
    return f"{1000 * seconds:.0f}" if seconds >= 0.1 else f"{1000 * seconds:.3g}"


def _size(size: float) -> str:
    return f"{size:,.0f}" if size >= 10 else f"{size:.2g}"


def curves_lines(curves: Curves) -> list[str]:
    """Return a table of every point, bytes ascending in each method."""
    head = ["method", "setting", "B/item", "error", "PSNR", "SSIM", "break-even", "ms in", "ms out"]
    rows = [row for curve in curves.curves for row in _curve_rows(curves, curve)]
    return [
        answer(curves),
        f"{curves.corpus}: {len(curves.originals):,} pictures of {curves.raw_bytes:,} bytes: {curves.held_out}",
        "",
        *aligned(head, rows, right=[2, 3, 4, 5, 6, 7, 8], specs=[0]),
        "",
        "B/item: without what stands in a file once",
        "error: squared, summed over values from 0 to 1; PSNR: in dB",
        "ms in, ms out: milliseconds to compress and to decompress an item",
        "break-even: number of items from which a file is smaller than that of the best codec at this error",
    ]


def _curve_rows(curves: Curves, curve: Curve) -> list[list[str]]:
    return [
        [
            curve.name if number == 0 else "",
            point.setting.removesuffix(" per component").replace("quality", "q"),
            f"{point.bytes_per_item:.1f}",
            f"{point.quality.error:.3g}",
            f"{point.quality.psnr:.2f}",
            f"{point.quality.ssim:.3f}",
            break_even(curves, point) if curve.learnt else "",
            milliseconds(point.compress_seconds),
            milliseconds(point.decompress_seconds),
        ]
        for number, point in enumerate(curve.points)
    ]


def break_even(curves: Curves, point: Point) -> str:
    """Return the number of items from which a file is smaller than the best codec's; a dash if it never is."""
    items = curves.break_even(point)
    return "–" if items is None else f"{items:,}"
