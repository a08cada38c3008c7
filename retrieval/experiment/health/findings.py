"""The findings of one space: each value beside its chance level, judged, with the remedy that improves it most."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from encoders.base import Encoder
from encoders.codes import Kind, Space
from retrieval.corpora.inputs import inputs_of
from retrieval.evaluation.health import checks
from retrieval.evaluation.health.checks import Check, Level
from retrieval.evaluation.health.distances import disagreement, far_queries
from retrieval.evaluation.health.duplicates import Duplicates, duplicates
from retrieval.evaluation.health.hubness import NEIGHBOURS, chance_of_random_lists
from retrieval.evaluation.health.similarity import distance_matrix, rows_of
from retrieval.evaluation.health.trials import Trial, best_for
from retrieval.evaluation.health.values import SHUFFLES, ChanceLevel, Vectors, component_values
from retrieval.experiment.health.codes import Asking, Coded
from retrieval.experiment.health.result import Finding
from retrieval.experiment.health.sample import MAX_SAMPLE, HealthSample

#: Width to which sparse items are reduced before a discriminator reads them.
_READ_WIDTH = 50


def geometric_findings(
    values: dict[str, float], chances: dict[str, ChanceLevel], vectors: Vectors, space: Space, trials: list[Trial]
) -> list[Finding]:
    """The findings of hubness, dimension, rank, anisotropy and contrast, beside those of shuffled codes."""
    findings = []
    for check in (
        checks.HUBNESS, checks.ANTIHUBS, checks.TWO_NN, checks.MLE, checks.EFFECTIVE_RANK, checks.ANISOTROPY,
        checks.CONTRAST,
    ):  # fmt: skip
        value, level = values.get(check.name), chances.get(check.name)
        chance, spread = (None, None) if level is None else (level.mean, (level.low, level.high))
        if check is checks.ANISOTROPY and value is not None:
            # shuffling keeps the mean, and with it the anisotropy: of directions at random it is 0
            chance, spread = 0.0, None
        if value is None:
            findings.append(Finding(check, text=_does_not_apply(check, space)))
        elif check.relative and (chance is None or (check.name.startswith("dimension") and _is_narrow(space))):
            text = "shown, not judged below 10 components"
            findings.append(Finding(check, value, chance, Level.FINE, text, chance_range=spread))
        else:
            findings.append(replace(_judged(check, value, chance, trials), chance_range=spread))
    return [replace(one, text=_hubness_text(one, vectors)) if one.check is checks.HUBNESS else one for one in findings]


def _hubness_text(finding: Finding, vectors: Vectors) -> str:
    """The spread of the chance level, and the hubness of lists that hold random items."""
    lists = f"random lists {chance_of_random_lists(vectors.rows.shape[0]).skewness:.2f}"
    if finding.chance_range is None:
        return lists
    low, high = finding.chance_range
    return f"{SHUFFLES} shuffles {low:.2f} to {high:.2f}; {lists}"


def _is_narrow(space: Space) -> bool:
    return space.dim < checks.JUDGED_WIDTH


def _judged(check: Check, value: float, chance: float | None, trials: list[Trial], text: str = "") -> Finding:
    level = check.judge(value, chance)
    remedy = None if level is Level.FINE else best_for(check, value, trials)
    return Finding(check, value, chance, level, text, remedy)


def _does_not_apply(check: Check, space: Space) -> str:
    if check in (checks.TWO_NN, checks.MLE):
        return "distances of bits are whole numbers" if space.kind is Kind.BINARY else "fewer than 50 different codes"
    if check is checks.ANISOTROPY:
        return f"a shift of all codes changes no {space.metric} distance"
    return "nearly all items have another with the same code"


def component_findings(vectors: Vectors, space: Space, trials: list[Trial]) -> list[Finding]:
    """The findings of constant and near-constant components."""
    values = component_values(vectors)
    constant, hardly = values[checks.CONSTANT.name], values[checks.NEAR_CONSTANT.name]
    text = "bits" if space.kind is Kind.BINARY else ""
    first = _judged(checks.CONSTANT, constant, 0.0, trials, text)
    if space.kind is Kind.SPARSE:
        return [first, Finding(checks.NEAR_CONSTANT, text="most words are rare")]
    if space.kind is Kind.BINARY:
        return [first, Finding(checks.NEAR_CONSTANT, text="a bit is constant or it is not")]
    return [first, _judged(checks.NEAR_CONSTANT, hardly, 0.0, trials)]


def duplicate_findings(drawn: HealthSample, vectors: Vectors, by_chance: Vectors) -> list[Finding]:
    """The findings of equal codes and near duplicates."""
    digests = drawn.digests
    observed = duplicates(vectors.distances, digests)
    chance = duplicates(by_chance.distances, digests)
    return [
        _judged(checks.EXACT, observed.exact, chance.exact, [], _pair_text(drawn, observed, exact=True)),
        _judged(checks.NEAR, observed.near, chance.near, [], _pair_text(drawn, observed, exact=False)),
    ]


def _pair_text(drawn: HealthSample, observed: Duplicates, exact: bool) -> str:
    pair = observed.exact_pair if exact else observed.near_pair
    parts = [] if pair is None else [f"e.g. @{drawn.items[pair[0]].id} and @{drawn.items[pair[1]].id}"]
    if exact and observed.same_content:
        parts.append(f"besides, {observed.same_content:.1%} have a twin of the same content")
    return "; ".join(parts)


def disagreement_finding(vectors: Vectors, space: Space, trials: list[Trial]) -> Finding:
    """The finding of cosine against dot."""
    if space.kind is Kind.BINARY:
        return Finding(checks.DISAGREEMENT, text="bits are compared by Hamming distance")
    chance = 1 - NEIGHBOURS / (vectors.rows.shape[0] - 1)
    finding = _judged(checks.DISAGREEMENT, disagreement(vectors.rows), chance, [])
    if finding.level is Level.FINE:
        return finding
    other = next((trial for trial in trials if trial.name in checks.DISAGREEMENT.remedies), None)
    return replace(finding, remedy=other)  # it does not change the value: it is the other side of it


def far_finding(drawn: HealthSample, vectors: Vectors, asking: Asking) -> Finding:
    """The finding of queries far from all items."""
    if asking.queries_are_items:
        return Finding(checks.FAR_QUERIES, text="the queries are items")
    distances = distance_matrix(asking.queries, vectors.rows, vectors.metric)
    if drawn.query_rows.size:  # a query that is a sampled item is at distance 0 from itself
        query_rows = np.where(drawn.query_rows < len(drawn.items), drawn.query_rows, -1)
        asked = np.flatnonzero(query_rows >= 0)
        distances[asked, query_rows[asked]] = np.inf
    empty = int(np.count_nonzero(_is_zero(asking.queries)))
    text = f"{empty} of {asking.queries.shape[0]} have nothing that the space knows" if empty else ""
    return _judged(checks.FAR_QUERIES, far_queries(distances, vectors.distances), 0.01, [], text)


def _is_zero(rows: Any) -> NDArray[np.bool_]:
    sums = np.asarray(abs(rows).sum(axis=1)).ravel()
    return np.asarray(sums == 0)


def discriminator_finding(drawn: HealthSample, encoder: Encoder, codes: Coded, train: bool) -> Finding:
    """The finding of a discriminator, where it is to be trained."""
    if not train:
        return Finding(checks.DISCRIMINATOR, text="not measured: nearby health --train trains one")
    from encoders.neural.criterion import MIN_ITEMS, discriminator_criterion
    from encoders.registry import create

    if len(drawn.items) < MIN_ITEMS:
        return Finding(checks.DISCRIMINATOR, text=f"needs at least {MIN_ITEMS} items")
    first = encoder.parts[0]
    read: Any = first.encode(inputs_of(first, drawn.items))
    if first.space.kind is Kind.BINARY:
        read = rows_of(read, first.space).astype(np.float32)
    if issparse(read):
        read = create(f"pca:{min(_READ_WIDTH, min(read.shape) - 1)},solver=randomized").fit_encode(read)
    known: Any = codes.items
    if issparse(known) and known.shape[1] > MAX_SAMPLE:
        known = create(f"pca:{min(_READ_WIDTH, min(known.shape) - 1)},solver=randomized").fit_encode(known)
    criterion = discriminator_criterion(
        read, known, None if known is not codes.items else encoder.space, seed=drawn.seed
    )
    text = f"{criterion.nats:.2f} of {criterion.ceiling:.2f} nats known"
    if not math.isfinite(criterion.loss):
        return Finding(checks.DISCRIMINATOR, text="the discriminator did not learn")
    return _judged(checks.DISCRIMINATOR, criterion.loss, criterion.shuffled, [], text)
