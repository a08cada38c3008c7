"""The same space fitted with other random seeds: how much of a measure is luck."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from encoders.base import Encoder
from encoders.errors import OptionError
from encoders.registry import create
from encoders.spec import parse, write_stage
from retrieval.evaluation.expected_measures import Expected
from retrieval.evaluation.ranking_measures import Floats
from retrieval.experiment.label_ladder.rung import Rung
from retrieval.experiment.scored_run import ScoredRun

_SEED = "seed"


def require_seeds(seeds: int, judged_by: str) -> None:
    """Refuse several seeds where no measure of a single space exists.

    Raises
    ------
    OptionError
    """
    if seeds > 1 and judged_by == Rung.AGREEMENT:
        raise OptionError(
            "--seeds measures each space by itself, and without judgements the spaces are only compared with each "
            "other: leave --seeds out, or choose another --judged-by"
        )


def with_other_seeds(encoder: Encoder, seeds: int) -> Iterator[Encoder]:
    """Yield the encoder with the next seeds, `seeds` - 1 in all; none if it is fitted, or no part of it has a seed.

    Examples
    --------
    >>> [str(one) for one in with_other_seeds(create("pixels+vae:8-2"), 3)]
    ['pixels+vae:8-2,seed=1', 'pixels+vae:8-2,seed=2']
    >>> list(with_other_seeds(create("bm25"), 3))
    []
    """
    if encoder.__sklearn_is_fitted__() or not any(hasattr(part, _SEED) for part in encoder.parts):
        return
    stages = list(zip(parse(str(encoder)), encoder.parts, strict=True))
    for shift in range(1, seeds):
        yield create("+".join(_seeded(stage.name, stage.argument, stage.named, part, shift) for stage, part in stages))


def _seeded(name: str, argument: str | None, named: dict[str, str], part: Encoder, shift: int) -> str:
    seed = getattr(part, _SEED, None)
    return write_stage(name, argument, named if seed is None else {**named, _SEED: str(seed + shift)})


def over_seeds(scored: Sequence[ScoredRun]) -> ScoredRun:
    """Return the mean of the runs of one space with several seeds; a single one as it is."""
    if len(scored) == 1:
        return scored[0]
    measures = list(scored[0].expected.per_query)
    expected = Expected(
        {measure: _mean([one.expected.per_query[measure] for one in scored]) for measure in measures},
        {measure: float(np.mean([one.expected.worst[measure] for one in scored])) for measure in measures},
        {measure: float(np.mean([one.expected.best[measure] for one in scored])) for measure in measures},
    )
    return ScoredRun(
        expected,
        {measure: _mean([one.influence[measure] for one in scored]) for measure in scored[0].influence},
        {measure: [one.expected.means[measure] for one in scored] for measure in measures},
    )


def seeds_note(counts: Sequence[int]) -> list[str]:
    """Return how often spaces were fitted, and what of them is shown; nothing if each was fitted once.

    Examples
    --------
    >>> seeds_note([1, 3])[0][:60]
    'Spaces that depend on a random seed are fitted with 3 seeds:'
    """
    max_seeds = max(counts, default=1)
    if max_seeds < 2:
        return []
    return [
        f"Spaces that depend on a random seed are fitted with {max_seeds} seeds: measures are means over them, the "
        "test counts the spread of seeds and queries together. Lists, curves, times, fusion, equal bytes and health "
        "are those of the first seed."
    ]


def _mean(values: Sequence[Floats]) -> Floats:
    return np.asarray(np.mean(np.stack(values), axis=0))
