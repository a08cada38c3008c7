"""Equal bytes in a terminal: the sentence, the codes that no other dominates, and every family by budget."""

from __future__ import annotations

import textwrap

from encoders.numbers import counted
from retrieval.experiment.byte_budgets.byte_budgets import ByteBudgets, BytePoint
from retrieval.report.byte_budget_cells import AS_IT_IS, NO_CODE, best_by_budget, mark_of, sentences, short
from retrieval.report.spec_wrapping import wrapped

WIDTH = 100
#: Columns of numbers before a spec.
_NUMBERS = 34
_MARKS = "* best of its row   ≈ no significant difference from the best of all (all pairs together, error 5%)"
_NO_MARKS = "no marks: no code is significantly better than a random order"


def byte_budgets_lines(found: ByteBudgets, width: int = WIDTH) -> list[str]:
    """Return the lines of both tables, none wider than `width`."""
    lines = [line for sentence in sentences(found) for line in textwrap.wrap(sentence, width)]
    lines += [
        "",
        f"{'bytes':>9}  {found.measure:>7}  {'95% interval':>14}  space (no other is as good in no more bytes)",
    ]
    lines += [line for point in found.frontier for line in _row(point, found, width)]
    tables = [line for base in found.bases for line in _by_budget(found, base, width)]
    lines += tables
    lines += [_MARKS if found.above_chance else _NO_MARKS]
    lines += [NO_CODE] if any("–" in line.split() for line in tables) else []
    return [*lines, *(line for note in found.notes for line in textwrap.wrap(note, width))]


def _row(point: BytePoint, found: ByteBudgets, width: int) -> list[str]:
    interval = f"{point.interval.low:.3f}–{point.interval.high:.3f}"
    mark = {"best": "*", "tied": "≈", "": " "}[mark_of(point, found)]
    first, *others = wrapped(short(point.spec), width - _NUMBERS - 2)
    head = f"{point.bytes_per_item:>9,}  {point.value:>7.3f}{mark} {interval:>14}  {first}"
    return [head, *(" " * (_NUMBERS + 2) + other for other in others)]


def _by_budget(found: ByteBudgets, base: str, width: int) -> list[str]:
    families, rows = best_by_budget(found, base)
    whole = next((p for p in found.points if p.method_from(base) == AS_IT_IS), None)
    head = textwrap.wrap(short(base), width)
    if whole is not None:
        head.append(f"as it is: {found.measure} {whole.value:.3f} at {counted(whole.bytes_per_item, 'byte')}")
    if not families:
        return ["", *head]
    lines = ["", *head, f"{'at most':>9}  " + "".join(f"{name:>12} " for name in families)]
    for budget, row in zip(found.budgets, rows, strict=True):
        if any(row):
            best = max(point.value for point in row if point is not None)
            lines.append(f"{budget:>9,}  " + "".join(_cell(point, best, found.above_chance) for point in row))
    return [line.rstrip() for line in lines]


def _cell(point: BytePoint | None, best: float, marked: bool) -> str:
    if point is None:
        return f"{'–':>12} "
    if not marked:
        return f"{point.value:>12.3f} "
    return f"{point.value:>12.3f}" + ("*" if point.value == best else "≈" if point.tied_with_best else " ")
