"""The health of spaces: what is wrong with each, what to try, and what trying it gains. Read this file first.

It is a room of `experiment`, because `compare` shows it beside its table; the numbers are in
`retrieval.evaluation.health`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from encoders.base import Encoder
from encoders.codes import Codes, Kind, Metric, Space, n_rows, stack_codes
from encoders.errors import OptionError
from encoders.progress import ProgressCallback, quiet
from retrieval.collection.open import open_collection
from retrieval.corpora.base import Corpus, Item
from retrieval.evaluation.health import checks
from retrieval.evaluation.health.checks import Check, Level
from retrieval.evaluation.health.distances import disagreement, far_queries
from retrieval.evaluation.health.duplicates import Duplicates, duplicates
from retrieval.evaluation.health.hubness import NEIGHBOURS, chance_of_random_lists, k_occurrence
from retrieval.evaluation.health.similarity import distance_matrix, rows_of
from retrieval.evaluation.health.trials import Questions, Trial, best_by_choice, best_for, try_remedies
from retrieval.evaluation.health.values import Vectors, component_values, vector_values
from retrieval.experiment.health_sample import MAX_SAMPLE, SAMPLE, HealthSample
from retrieval.experiment.run import SpaceRun
from retrieval.spaces.build import fitted, planned

#: Items of which it is tried whether they have other codes as queries.
_ASYMMETRIC = 8
#: Width to which sparse items are reduced before a discriminator reads them.
_READ_WIDTH = 50


@dataclass(frozen=True)
class Finding:
    """One value of a space with its verdict.

    Attributes
    ----------
    check : Check
    value, chance : float or None
        None when it does not apply, or chance has no level.
    level : Level or None
        None when it does not apply.
    text : str
        Why it does not apply, or what else was found.
    remedy : Trial or None
        The remedy that improves the value most, where it is not fine.
    """

    check: Check
    value: float | None = None
    chance: float | None = None
    level: Level | None = None
    text: str = ""
    remedy: Trial | None = None


@dataclass(frozen=True)
class SpaceHealth:
    """The health of one space.

    Attributes
    ----------
    spec, dim, kind, metric : str, int, str, str
    findings : list of Finding
    trials : list of Trial
        Every remedy that applies.
    chosen : Trial or None
        The remedy that the choosing half of the queries prefers; its gain is measured on the other half.
    quality : float or None
        Mean of the measure over all queries, without a remedy.
    occurrence : ndarray float64 (n,)
        In how many lists of ten each sampled item is.
    reason : str
        Why nothing can be said of the space; empty otherwise. Such a space is poor.
    """

    spec: str
    dim: int
    kind: str
    metric: str
    findings: list[Finding] = field(default_factory=list)
    trials: list[Trial] = field(default_factory=list)
    chosen: Trial | None = None
    quality: float | None = None
    occurrence: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    reason: str = ""

    @property
    def level(self) -> Level:
        """The worst verdict."""
        if self.reason:
            return Level.POOR
        return checks.worst([finding.level for finding in self.findings if finding.level is not None])


@dataclass
class Health:
    """The health of several spaces on one sample."""

    corpus: str
    modality: str
    n_items: int
    n_sampled: int
    n_queries: int
    judged_by: str | None
    measure: str
    seed: int
    spaces: list[SpaceHealth] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def level(self) -> Level:
        """The worst verdict of all spaces."""
        return checks.worst([space.level for space in self.spaces])


def health(
    corpus: Corpus,
    encoders: Sequence[Encoder],
    sample: int = SAMPLE,
    seed: int = 0,
    train: bool = False,
    say: ProgressCallback = quiet,
) -> Health:
    """Measure the health of spaces.

    Parameters
    ----------
    corpus : Corpus
    encoders : sequence of Encoder
        An encoder that is not fitted yet is fitted on the whole corpus.
    sample : int
        Number of random items, at most 5,000: all pairs are compared.
    seed : int
        Random seed of the sample, of the chance levels, and of the halves of the queries.
    train : bool
        Whether to train the discriminator of `encoders.neural.criterion` on every space.
    say : callable
        Called with one line per step.

    Raises
    ------
    OptionError
        When no space is named, or the sample size is out of range.
    CorpusError, BadItemError
        When there are no items, or fewer than 20.
    """
    if not encoders:
        raise OptionError("name at least one space, as in -s pixels -s pixels+pca:30")
    if not 0 < sample <= MAX_SAMPLE:
        raise OptionError(f"health compares all pairs of 20 to {MAX_SAMPLE:,} items, not of {sample:,}")
    drawn = HealthSample.of(corpus, sample, seed)
    for encoder in encoders:
        if not encoder.__sklearn_is_fitted__():
            say(f"fitting {encoder}")
            fitted(encoder, corpus.batches(label_field=encoder.label_field))
    return health_of_sample(drawn, encoders, train, say)


def read_spaces(
    folder: Path | None, corpus: Corpus | None, specs: Sequence[str] | None
) -> tuple[Corpus, list[Encoder]]:
    """Return the items and the encoders of a collection (all without specs), or of a corpus and specs.

    Raises
    ------
    OptionError
        When a collection has no space.
    """
    if corpus is not None:
        return corpus, [planned(spec, None, corpus.modality) for spec in dict.fromkeys(specs or ())]
    collection = open_collection(folder or "")
    names = [collection.resolve(spec) for spec in specs] if specs else list(collection.spaces)
    if not names:
        raise OptionError(f"{folder} has no space yet: add some with  nearby index")
    return collection.items, [collection.space(name).encoder for name in dict.fromkeys(names)]


def health_of_sample(
    drawn: HealthSample, encoders: Sequence[Encoder], train: bool = False, say: ProgressCallback = quiet
) -> Health:
    """Measure the health of fitted encoders on a sample."""
    result = Health(
        drawn.corpus, drawn.modality, drawn.n_items, len(drawn.items), len(drawn.answerable), drawn.judged_by,
        drawn.measure, drawn.seed, notes=list(drawn.notes),
    )  # fmt: skip
    for encoder in encoders:
        say(f"measuring {encoder}")
        result.spaces.append(space_health(drawn, encoder, train))
    return result


def health_of_runs(corpus: Corpus, runs: Sequence[SpaceRun]) -> Health:
    """Return the health of the spaces of a comparison, each once, whatever its indexes."""
    encoders = {str(run.encoder): run.encoder for run in runs}
    return health_of_sample(HealthSample.of(corpus), list(encoders.values()))


def space_health(drawn: HealthSample, encoder: Encoder, train: bool = False) -> SpaceHealth:
    """Return the health of one fitted encoder: encode, measure, shuffle, try the remedies, judge."""
    space = encoder.space
    described = str(encoder), space.dim, str(space.kind), str(space.metric)
    codes = _codes_of(encoder, drawn)
    vectors, asking = _vectors(codes, drawn, space)
    if not np.isfinite(vectors.scores).any():
        return SpaceHealth(*described, reason="answers nothing: no sampled item has anything in common with another")
    if vectors.alike:
        return SpaceHealth(*described, reason=f"all {len(drawn.items):,} sampled items have the same code")
    by_chance = vectors.by_chance(drawn.seed)
    values, chances = vector_values(vectors), vector_values(by_chance)
    questions = None if encoder.reads_labels else _questions(drawn, vectors, asking)
    trials = try_remedies(vectors, space, questions, values.get(checks.TWO_NN.name))
    findings = [
        *_geometric(values, chances, vectors, space, trials),
        *_component_findings(vectors, space, trials),
        *_duplicate_findings(drawn, vectors, by_chance),
        _disagreement(vectors, space, trials),
        _far(drawn, vectors, asking),
        _discriminator(drawn, encoder, codes, train),
    ]
    order = [check.name for check in checks.CHECKS]
    return SpaceHealth(
        *described,
        findings=sorted(findings, key=lambda finding: order.index(finding.check.name)),
        trials=trials,
        chosen=best_by_choice(trials),
        quality=None if questions is None else _quality(vectors, questions),
        occurrence=k_occurrence(vectors.scores),
    )


@dataclass(frozen=True)
class _Coded:
    """Codes of the sampled items, of further relevant items, of the items as queries, and of the queries."""

    items: Codes
    relevant: Codes | None
    as_queries: Codes | None
    queries: Codes | None


def _codes_of(encoder: Encoder, drawn: HealthSample) -> _Coded:
    contents = _contents(drawn.items)
    items = encoder.encode(contents)
    first = encoder.encode_queries(contents[:_ASYMMETRIC])
    return _Coded(
        items,
        encoder.encode(_contents(drawn.relevant)) if drawn.relevant else None,
        None if _equal(first, items[:_ASYMMETRIC]) else encoder.encode_queries(contents),
        encoder.encode_queries(_contents(drawn.queries)) if drawn.queries else None,
    )


def _contents(items: Sequence[Item]) -> list[Any]:
    return [item.content for item in items]


def _equal(first: Codes, second: Codes) -> bool:
    if issparse(first):
        return bool(abs(first - second).sum() <= 1e-5 * abs(second).sum())
    return bool(np.allclose(first, second, rtol=1e-4, atol=1e-6))


@dataclass(frozen=True)
class _Asking:
    """The pool that is searched and the queries that ask, as numbers."""

    pool: Any
    queries: Any
    is_own: bool


def _vectors(codes: _Coded, drawn: HealthSample, space: Space) -> tuple[Vectors, _Asking]:
    parts = [part for part in (codes.items, codes.relevant, codes.as_queries, codes.queries) if part is not None]
    rows = rows_of(stack_codes(parts), space)  # scaled together
    ends = np.cumsum([n_rows(part) for part in parts]).tolist()
    cut = iter([rows[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)])
    items = next(cut)
    relevant = None if codes.relevant is None else next(cut)
    as_queries = items if codes.as_queries is None else next(cut)
    queries = None if codes.queries is None else next(cut)
    positive = space.kind is Kind.SPARSE and space.metric in (Metric.COSINE, Metric.DOT)
    pool = items if relevant is None else rows[: ends[1]]
    return (
        Vectors(items, as_queries, space.metric, positive),
        _Asking(pool, as_queries if queries is None else queries, queries is None),
    )


def _questions(drawn: HealthSample, vectors: Vectors, asking: _Asking) -> Questions | None:
    chosen = drawn.answerable
    if drawn.relevance is None:
        return None
    choosing = np.zeros(len(chosen), bool)
    choosing[np.random.default_rng(drawn.seed).permutation(len(chosen))[: len(chosen) // 2]] = True
    return Questions(
        asking.queries[chosen], asking.pool, drawn.own[chosen], drawn.relevance.select(chosen), drawn.measure, choosing
    )


def _quality(vectors: Vectors, questions: Questions) -> float:
    return float(questions.as_it_is(vectors).mean())


def _geometric(
    values: dict[str, float], chances: dict[str, float], vectors: Vectors, space: Space, trials: list[Trial]
) -> list[Finding]:
    """The findings of hubness, dimension, rank, anisotropy and contrast, beside those of shuffled codes."""
    found = []
    for check in (
        checks.HUBNESS, checks.ANTIHUBS, checks.TWO_NN, checks.MLE, checks.EFFECTIVE_RANK, checks.ANISOTROPY,
        checks.CONTRAST,
    ):  # fmt: skip
        value, chance = values.get(check.name), chances.get(check.name)
        if check is checks.ANISOTROPY and value is not None:
            chance = 0.0  # shuffling keeps the mean, and with it the anisotropy: of directions at random it is 0
        if value is None:
            found.append(Finding(check, text=_does_not_apply(check, space)))
        elif check.relative and (chance is None or (check.name.startswith("dimension") and _is_narrow(space))):
            found.append(Finding(check, value, chance, Level.FINE, "shown, not judged below 10 components"))
        else:
            found.append(_judged(check, value, chance, trials))
    lists = chance_of_random_lists(vectors.rows.shape[0])
    random_lists = f"lists of random items: {lists.skewness:.2f}"
    return [replace(one, text=random_lists) if one.check is checks.HUBNESS else one for one in found]


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


def _component_findings(vectors: Vectors, space: Space, trials: list[Trial]) -> list[Finding]:
    values = component_values(vectors)
    constant, hardly = values[checks.CONSTANT.name], values[checks.NEAR_CONSTANT.name]
    text = "bits" if space.kind is Kind.BINARY else ""
    first = _judged(checks.CONSTANT, constant, 0.0, trials, text)
    if space.kind is Kind.SPARSE:
        return [first, Finding(checks.NEAR_CONSTANT, text="most words are rare")]
    if space.kind is Kind.BINARY:
        return [first, Finding(checks.NEAR_CONSTANT, text="a bit is constant or it is not")]
    return [first, _judged(checks.NEAR_CONSTANT, hardly, 0.0, trials)]


def _duplicate_findings(drawn: HealthSample, vectors: Vectors, by_chance: Vectors) -> list[Finding]:
    digests = drawn.digests
    found = duplicates(vectors.distances, digests)
    chance = duplicates(by_chance.distances, digests)
    return [
        _judged(checks.EXACT, found.exact, chance.exact, [], _pair_text(drawn, found, exact=True)),
        _judged(checks.NEAR, found.near, chance.near, [], _pair_text(drawn, found, exact=False)),
    ]


def _pair_text(drawn: HealthSample, found: Duplicates, exact: bool) -> str:
    pair = found.exact_pair if exact else found.near_pair
    parts = [] if pair is None else [f"e.g. @{drawn.items[pair[0]].id} and @{drawn.items[pair[1]].id}"]
    if exact and found.same_content:
        parts.append(f"besides, {found.same_content:.1%} have a twin of the same content")
    return "; ".join(parts)


def _disagreement(vectors: Vectors, space: Space, trials: list[Trial]) -> Finding:
    if space.kind is Kind.BINARY:
        return Finding(checks.DISAGREEMENT, text="bits are compared by Hamming distance")
    chance = 1 - NEIGHBOURS / (vectors.rows.shape[0] - 1)
    found = _judged(checks.DISAGREEMENT, disagreement(vectors.rows), chance, [])
    if found.level is Level.FINE:
        return found
    other = next((trial for trial in trials if trial.name in checks.DISAGREEMENT.remedies), None)
    return replace(found, remedy=other)  # it does not change the value: it is the other side of it


def _far(drawn: HealthSample, vectors: Vectors, asking: _Asking) -> Finding:
    if asking.is_own:
        return Finding(checks.FAR_QUERIES, text="the queries are items")
    distances = distance_matrix(asking.queries, vectors.rows, vectors.metric)
    if drawn.own.size:  # a query that is a sampled item is at distance 0 from itself
        own = np.where(drawn.own < len(drawn.items), drawn.own, -1)
        asked = np.flatnonzero(own >= 0)
        distances[asked, own[asked]] = np.inf
    empty = int(np.count_nonzero(_is_zero(asking.queries)))
    text = f"{empty} of {asking.queries.shape[0]} have nothing that the space knows" if empty else ""
    return _judged(checks.FAR_QUERIES, far_queries(distances, vectors.distances), 0.01, [], text)


def _is_zero(rows: Any) -> NDArray[np.bool_]:
    return np.asarray(abs(rows).sum(axis=1)).ravel() == 0


def _discriminator(drawn: HealthSample, encoder: Encoder, codes: _Coded, train: bool) -> Finding:
    if not train:
        return Finding(checks.DISCRIMINATOR, text="--train trains one")
    from encoders.neural.criterion import MIN_ITEMS, discriminator_criterion
    from encoders.registry import create

    if len(drawn.items) < MIN_ITEMS:
        return Finding(checks.DISCRIMINATOR, text=f"needs at least {MIN_ITEMS} items")
    first = encoder.parts[0]
    read: Any = first.encode(_contents(drawn.items))
    if first.space.kind is Kind.BINARY:
        read = rows_of(read, first.space).astype(np.float32)
    if issparse(read):
        read = create(f"pca:{min(_READ_WIDTH, min(read.shape) - 1)},solver=randomized").fit_encode(read)
    known: Any = codes.items
    if issparse(known) and known.shape[1] > MAX_SAMPLE:
        known = create(f"pca:{min(_READ_WIDTH, min(known.shape) - 1)},solver=randomized").fit_encode(known)
    found = discriminator_criterion(read, known, None if known is not codes.items else encoder.space, seed=drawn.seed)
    text = f"{found.nats:.2f} of {found.ceiling:.2f} nats known"
    if not math.isfinite(found.loss):
        return Finding(checks.DISCRIMINATOR, text="the discriminator did not learn")
    return _judged(checks.DISCRIMINATOR, found.loss, found.shuffled, [], text)
