"""Tables as CSV for people: no cell is a formula to a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from encoders.numbers import counted

#: A spreadsheet takes a cell that begins with one of these as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_table(rows: Iterable[Sequence[Any]]) -> tuple[str, str]:
    r"""Return rows as CSV, and a remark on cells that were changed; empty if there are none.

    A text that a spreadsheet would take as a formula gets an apostrophe before it, as a stranger's ids may hold
    ``=HYPERLINK(...)``; numbers stay as they are.

    Parameters
    ----------
    rows : iterable of sequences
        The head first.

    Examples
    --------
    >>> csv_table([["id", "score"], ["=1+1", -0.5], ["-7", 2.0]])[0]
    "id,score\r\n'=1+1,-0.5\r\n-7,2.0\r\n"
    """
    text, changed = io.StringIO(newline=""), 0
    writer = csv.writer(text)  # ends lines by \r\n, as only then cells with \r are quoted
    for row in rows:
        cells = [f"'{cell}" if is_formula(cell) else cell for cell in row]
        changed += sum(map(is_formula, row))
        writer.writerow(cells)
    note = (
        f"{counted(changed, 'cell')} of the table would be a formula to a spreadsheet, and "
        f"{'begins' if changed == 1 else 'begin'} with ' instead"
    )
    return text.getvalue(), note if changed else ""


def is_formula(cell: Any) -> bool:
    """Return whether a spreadsheet would take a cell as a formula.

    Examples
    --------
    >>> [is_formula(cell) for cell in ("=1+1", "@SUM(A1)", "-5", "+1e3", "-a", -5.0, "a=b")]
    [True, True, False, False, True, False, False]
    """
    if not isinstance(cell, str) or not cell.startswith(_FORMULA):
        return False
    try:
        float(cell)
    except ValueError:
        return True
    return False
