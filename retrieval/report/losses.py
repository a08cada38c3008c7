"""Where the loss of each row of a comparison arises, as cells for the terminal and the page."""

from __future__ import annotations

from typing import NamedTuple

from retrieval.evaluation.attribution import Attribution
from retrieval.experiment.loss import Loss
from retrieval.experiment.result import Comparison, SpaceResult
from retrieval.report.leaders import main_measure

#: The text of a cell without a number.
NOTHING = "–"
#: Every number of the table and the figure is a difference of means rounded to this many decimals: parts add up.
DECIMALS = 3
_ORDER = ("space", "quantisation", "approximation", "filter", "fusion")


class RowLoss(NamedTuple):
    """A row that has losses: its position in the comparison, its result, its losses on the main measure."""

    position: int
    space: SpaceResult
    loss: Loss
    attribution: Attribution

    @property
    def steps(self) -> dict[str, float]:
        """Step -> mean loss, rounded so that the steps add up to `total` as written."""
        means = {stage: round(value, DECIMALS) for stage, value in self.attribution.means.items()}
        stages = list(means)
        named = zip(self.attribution.losses, stages, stages[1:], strict=False)
        return {step: round(means[before] - means[after], DECIMALS) for step, before, after in named}

    @property
    def total(self) -> float:
        """The mean loss between a perfect ranking and the answers."""
        means = [round(value, DECIMALS) for value in self.attribution.means.values()]
        return round(means[0] - means[-1], DECIMALS)


def row_losses(comparison: Comparison) -> list[RowLoss]:
    """The rows whose losses are known: those of spaces with an index that is not exact."""
    measure = main_measure(comparison)
    if measure is None:
        return []
    return [
        RowLoss(position, space, space.loss, space.loss.measures[measure])
        for position, space in enumerate(comparison.spaces)
        if space.loss is not None and measure in space.loss.measures
    ]


def steps_of(rows: list[RowLoss]) -> list[str]:
    """The steps that any row has, in their order."""
    return [step for step in _ORDER if any(step in row.attribution.losses for row in rows)]


def loss_title(comparison: Comparison, rows: list[RowLoss]) -> str:
    """The answer: which row loses most behind its space, and where."""
    worst = max(rows, key=lambda row: row.total - row.steps.get("space", 0.0))
    behind = {step: loss for step, loss in worst.steps.items() if step != "space"}
    step, loss = max(behind.items(), key=lambda pair: pair[1])
    measure = main_measure(comparison)
    if loss <= 0:
        return f"No index loses {measure} against exact search"
    where = "by quantisation and approximate search together" if _is_joint(worst, step) else f"by {step}"
    return f"{worst.space.label} loses most {measure} behind its space: {loss:.{DECIMALS}f} {where}"


def loss_rows(comparison: Comparison) -> tuple[list[str], list[list[str]]]:
    """The head and the rows of the table; every cell is text."""
    rows = row_losses(comparison)
    steps = steps_of(rows)
    has_items = any(row.loss.disk.items is not None for row in rows)
    head = ["space", "total", *steps, "recall@10", "index", "codes", *(["items"] if has_items else [])]
    cells = []
    for row in rows:
        known = row.steps
        disk = row.loss.disk
        sizes = [disk.index, disk.codes, *([disk.items] if has_items else [])]
        cells.append(
            [
                row.space.label,
                f"{row.total:.{DECIMALS}f}",
                *(_step(row, step, known) for step in steps),
                NOTHING if row.loss.is_exact else f"{row.loss.recall.mean():.{DECIMALS}f}",
                *(NOTHING if size is None else f"{size / comparison.n_items:,.0f}" for size in sizes),
            ]
        )
    return head, cells


def loss_notes(comparison: Comparison) -> list[str]:
    """What the table means, in sentences."""
    rows = row_losses(comparison)
    measure, asked = main_measure(comparison), len(rows[0].loss.queries)
    of = f"the {asked:,} queries" if asked == comparison.n_queries else f"{asked:,} of {comparison.n_queries:,} queries"
    notes = [
        f"Loss of {measure} from a perfect ranking to the answers, mean over {of}; steps add up to the total; "
        "a negative loss is a gain.",
        "recall@10: share of the first ten answers that are as near as those of exact search. "
        "index, codes, items: bytes per item on disk.",
    ]
    joint = [row.space.index for row in rows if row.loss.is_joint]
    if joint:
        notes.append(
            f"{', '.join(dict.fromkeys(joint))} gives no quantised codes: approximation includes quantisation."
        )
    return notes


def _is_joint(row: RowLoss, step: str) -> bool:
    return step == "approximation" and row.loss.is_joint


def _step(row: RowLoss, step: str, known: dict[str, float]) -> str:
    if step not in known or (row.loss.is_exact and step != "space"):
        return NOTHING
    return f"{known[step]:.{DECIMALS}f}"
