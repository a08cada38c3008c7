"""The gate for CI: it fails where a space lost quality since a baseline, and no loss may pass unseen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from encoders.errors import OptionError
from retrieval.experiment.baseline import Baseline
from retrieval.experiment.baseline_change import Change
from retrieval.experiment.result import Comparison


def require_measures(baseline: Baseline, measures: Iterable[str]) -> None:
    """Refuse measures that the baseline does not have.

    Raises
    ------
    OptionError
    """
    for measure in measures:
        if measure not in baseline.measures:
            raise OptionError(
                f"the baseline {baseline.path} has no measure '{measure}': choose {' or '.join(baseline.measures)}"
            )


def require_all_specs(baseline: Baseline, specs: Sequence[str]) -> None:
    """Refuse a gate that leaves a space of the baseline out, before any work.

    Raises
    ------
    OptionError
    """
    gone = [spec for spec in dict.fromkeys(spec for spec, _ in baseline.spaces) if spec not in specs]
    if gone:
        raise OptionError(_untested(baseline, gone, " ".join(f"-s '{spec}'" for spec in gone)))


def require_tested(
    baseline: Baseline,
    changes: Sequence[Change],
    measures: Sequence[str],
    comparison: Comparison,
    allow_missing: bool = False,
) -> None:
    """Refuse a gate through which a loss could pass unseen.

    Parameters
    ----------
    baseline : Baseline
    changes : sequence of Change
        See `Baseline.changes`.
    measures : sequence of str
        Those of the gate.
    comparison : Comparison
    allow_missing : bool
        Whether the comparison may leave spaces and indexes of the baseline out, as long as one is tested.

    Raises
    ------
    OptionError
        When no space of both comparisons has the measure, or a space of the baseline that has it is not tested.
    """
    label_of = {(space.spec, space.index): space.label for space in comparison.spaces}
    for measure in measures:
        tested = {change.space for change in changes if change.measure == measure}
        if not tested:
            raise OptionError(
                f"--fail-on-loss {measure}: no space of this comparison has the measure in the baseline "
                f"{baseline.path} too, so that a loss would not be seen"
            )
        gone = [
            f"{spec} @ {index}"
            for (spec, index), values in baseline.spaces.items()
            if measure in values and label_of.get((spec, index)) not in tested
        ]
        if gone and not allow_missing:
            raise OptionError(_untested(baseline, gone, f"them, with {measure},"))


def _untested(baseline: Baseline, gone: Sequence[str], add: str) -> str:
    several = len(gone) > 1
    return (
        f"the baseline {baseline.path} has {', '.join(gone)}, and this comparison does not: a loss of "
        f"{'theirs' if several else 'it'} would not be seen; compare {add} too, or add --allow-missing"
    )
