"""Where the loss arises, in the page: a stacked bar per row, and the table."""

from __future__ import annotations

from typing import Any

from retrieval.experiment.result import Comparison
from retrieval.report.figures.losses import STEP_COLOURS, losses_svg
from retrieval.report.losses import loss_notes, loss_rows, loss_title, row_losses, steps_of


def losses_data(comparison: Comparison, key: str) -> dict[str, Any] | None:
    """Return the figure, the table and the notes; None when every index is exact.

    Parameters
    ----------
    comparison : Comparison
    key : str
        Prefix of the ids.
    """
    rows = row_losses(comparison)
    if not rows:
        return None
    head, cells = loss_rows(comparison)
    title = loss_title(comparison, rows)
    return {
        "title": title,
        "drawing": losses_svg(rows, title, f"{key}-losses-bars"),
        "legend": [(STEP_COLOURS[step], step) for step in steps_of(rows)],
        "head": head,
        "rows": cells,
        "notes": " ".join(loss_notes(comparison)),
    }
