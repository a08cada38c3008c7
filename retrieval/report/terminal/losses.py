"""Where the loss arises, in a terminal: a small table under that of the spaces."""

from __future__ import annotations

import textwrap

from retrieval.experiment.result import Comparison
from retrieval.report.losses import loss_notes, loss_rows, loss_title, row_losses
from retrieval.report.terminal.listing import WIDTH, aligned


def loss_lines(comparison: Comparison) -> list[str]:
    """Return the table of losses with its title and notes; nothing when every index is exact.

    Parameters
    ----------
    comparison : Comparison
    """
    rows = row_losses(comparison)
    if not rows:
        return []
    head, cells = loss_rows(comparison)
    head = ["where the loss arises", *head[1:]]
    table = aligned(head, cells, right=range(1, len(head)), specs=[0])
    texts = [f"{loss_title(comparison, rows)}.", *loss_notes(comparison)]
    title, *notes = [textwrap.fill(text, WIDTH, break_on_hyphens=False) for text in texts]
    return ["", *title.splitlines(), *table, *(line for note in notes for line in note.splitlines())]
