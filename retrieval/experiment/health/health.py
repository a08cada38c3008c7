"""The health of spaces: what is wrong with each, what to try, and what trying it gains. Read this file first.

It is a room of `experiment`, because `compare` shows it beside its table; the numbers are in
`retrieval.evaluation.health`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from encoders.base import Encoder
from encoders.errors import OptionError
from encoders.progress import ProgressCallback, progress, quiet
from retrieval.collection.open import open_collection
from retrieval.corpora.base import Corpus
from retrieval.evaluation.health import checks
from retrieval.evaluation.health.hubness import k_occurrence
from retrieval.evaluation.health.trials import best_by_choice, try_remedies
from retrieval.evaluation.health.values import chance_levels, vector_values
from retrieval.experiment.health.codes import codes_of, questions_of, vectors_of
from retrieval.experiment.health.findings import (
    component_findings,
    disagreement_finding,
    discriminator_finding,
    duplicate_findings,
    far_finding,
    geometric_findings,
)
from retrieval.experiment.health.result import Health, SpaceHealth
from retrieval.experiment.health.sample import MAX_SAMPLE, SAMPLE, Asked, HealthSample, sample_on_rung
from retrieval.experiment.label_ladder.rung import HIGHEST
from retrieval.experiment.learnt_labels import learns_labels
from retrieval.experiment.query_set import QuerySet
from retrieval.experiment.run import SpaceRun
from retrieval.spaces.fit import fitted
from retrieval.spaces.space_encoder import planned, require_fields


def health(
    corpus: Corpus,
    encoders: Sequence[Encoder],
    sample: int = SAMPLE,
    seed: int = 0,
    train: bool = False,
    say: ProgressCallback = quiet,
    judged_by: str = HIGHEST,
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
    judged_by : str
        What says which answers are relevant when a remedy is measured: a rung of the label ladder, as in `compare`.

    Raises
    ------
    OptionError
        When no space is named, the sample size is out of range, or the corpus does not have the rung.
    CorpusError, BadItemError
        When there are no items, or fewer than 20.
    """
    if not encoders:
        raise OptionError("name at least one space, as in -s pixels -s pixels+pca:30")
    if not 0 < sample <= MAX_SAMPLE:
        raise OptionError(f"health compares all pairs of 20 to {MAX_SAMPLE:,} items, not of {sample:,}")
    require_fields(corpus, encoders)
    corpus, drawn = sample_on_rung(corpus, sample, seed, judged_by)
    for encoder in encoders:
        if not encoder.__sklearn_is_fitted__():
            say(f"fitting {encoder}")
            fitted(encoder, corpus.batches_for(encoder))
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
    with progress("measuring the health of spaces", len(encoders), "spaces") as bar:
        for encoder in encoders:
            say(f"measuring {encoder}")
            result.spaces.append(space_health(drawn, encoder, train))
            bar.update()
    return result


def health_of_runs(corpus: Corpus, query_set: QuerySet, runs: Sequence[SpaceRun]) -> Health:
    """Return the health of the spaces of a comparison, each once, whatever its indexes, by the queries of it."""
    encoders = {str(run.encoder): run.encoder for run in runs}
    return health_of_sample(HealthSample.of(corpus, asked=Asked.of_query_set(query_set)), list(encoders.values()))


def space_health(drawn: HealthSample, encoder: Encoder, train: bool = False) -> SpaceHealth:
    """Return the health of one fitted encoder: encode, measure, shuffle, try the remedies, judge."""
    space = encoder.space
    described = str(encoder), space.dim, str(space.kind), str(space.metric)
    codes = codes_of(encoder, drawn)
    vectors, asking = vectors_of(codes, drawn, space)
    if not np.isfinite(vectors.scores).any():
        return SpaceHealth(*described, reason="answers nothing: no sampled item has anything in common with another")
    if vectors.alike:
        return SpaceHealth(*described, reason=f"all {len(drawn.items):,} sampled items have the same code")
    values, chances = vector_values(vectors), chance_levels(vectors, drawn.seed)
    learnt = learns_labels(encoder, lambda: [(item.label, item.metadata) for item in drawn.items])
    questions = None if learnt else questions_of(drawn, vectors, asking)
    trials = try_remedies(vectors, space, questions, values.get(checks.TWO_NN.name))
    findings = [
        *geometric_findings(values, chances, vectors, space, trials),
        *component_findings(vectors, space, trials),
        *duplicate_findings(drawn, vectors, vectors.by_chance(drawn.seed)),
        disagreement_finding(vectors, space, trials),
        far_finding(drawn, vectors, asking),
        discriminator_finding(drawn, encoder, codes, train),
    ]
    order = [check.name for check in checks.CHECKS]
    return SpaceHealth(
        *described,
        findings=sorted(findings, key=lambda finding: order.index(finding.check.name)),
        trials=trials,
        chosen=best_by_choice(trials),
        quality=None if questions is None else float(questions.as_it_is(vectors).values.mean()),
        occurrence=k_occurrence(vectors.scores),
    )
