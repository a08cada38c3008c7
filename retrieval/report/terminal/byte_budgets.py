"""Equal bytes in a terminal: the sentence, the codes that no other dominates, and every method by budget."""

from __future__ import annotations

import textwrap

from encoders.numbers import counted
from retrieval.experiment.byte_budgets.result import AS_IT_IS, ByteBudgets, BytePoint
from retrieval.report.byte_budget_cells import NO_CODE, best_by_budget, mark_in_row, mark_of, sentences, short
from retrieval.report.spec_wrapping import wrapped

WIDTH = 100
#: Columns of numbers before a spec.
_NUMBERS = 34
#: The sign of a mark of `byte_budget_cells`.
_SIGNS = {"best": "*", "tied": "≈", "": " "}
_MARKS = "* best of its row   ≈ no significant difference from the best of all (all pairs together, error 5%)"
_NO_MARKS = "no marks: no code is significantly better than a random order"


def byte_budgets_lines(byte_budgets: ByteBudgets, width: int = WIDTH) -> list[str]:
    """Return the lines of both tables, none wider than `width`."""
    lines = [line for sentence in sentences(byte_budgets) for line in textwrap.wrap(sentence, width)]
    lines += [
        "",
        f"{'bytes':>9}  {byte_budgets.measure:>7}  {'95% interval':>14}  space (no other is as good in no more bytes)",
    ]
    lines += [line for point in byte_budgets.frontier for line in _row(point, byte_budgets, width)]
    tables = [line for base in byte_budgets.bases for line in _by_budget(byte_budgets, base, width)]
    lines += tables
    lines += [_MARKS if byte_budgets.above_chance else _NO_MARKS]
    lines += [NO_CODE] if any("–" in line.split() for line in tables) else []
    return [*lines, *(line for note in byte_budgets.notes for line in textwrap.wrap(note, width))]


def _row(point: BytePoint, byte_budgets: ByteBudgets, width: int) -> list[str]:
    interval = f"{point.interval.low:.3f}–{point.interval.high:.3f}"
    sign = _SIGNS[mark_of(point, byte_budgets)]
    first, *others = wrapped(short(point.spec), width - _NUMBERS - 2)
    head = f"{point.bytes_per_item:>9,}  {point.value:>7.3f}{sign} {interval:>14}  {first}"
    return [head, *(" " * (_NUMBERS + 2) + other for other in others)]


def _by_budget(byte_budgets: ByteBudgets, base: str, width: int) -> list[str]:
    methods, rows = best_by_budget(byte_budgets, base)
    whole = next((p for p in byte_budgets.points if p.method_from(base) == AS_IT_IS), None)
    head = textwrap.wrap(short(base), width)
    if whole is not None:
        head.append(f"{AS_IT_IS}: {byte_budgets.measure} {whole.value:.3f} at {counted(whole.bytes_per_item, 'byte')}")
    if not methods:
        return ["", *head]
    lines = ["", *head, f"{'at most':>9}  " + "".join(f"{name:>12} " for name in methods)]
    for budget, row in zip(byte_budgets.budgets, rows, strict=True):
        if any(row):
            lines.append(f"{budget:>9,}  " + "".join(_cell(point, row, byte_budgets) for point in row))
    return [line.rstrip() for line in lines]


def _cell(point: BytePoint | None, row: list[BytePoint | None], byte_budgets: ByteBudgets) -> str:
    if point is None:
        return f"{'–':>12} "
    return f"{point.value:>12.3f}{_SIGNS[mark_in_row(point, row, byte_budgets)]}"
