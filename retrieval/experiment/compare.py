"""The comparison of spaces; read this file first: corpus -> encoder -> codes -> index -> hits -> measures -> report."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any

from encoders.base import Encoder
from encoders.errors import CollectionError, OptionError
from encoders.progress import progress
from indexers.base import Index
from retrieval.collection.base import Collection
from retrieval.corpora.base import Corpus
from retrieval.experiment.compare_checks import labels_and_fields, planned_spaces, require_possible, unseen_spaces
from retrieval.experiment.compare_options import NOTHING_MORE, CompareOptions
from retrieval.experiment.compare_runs import compare_runs
from retrieval.experiment.fitted_encoders import FittedEncoders
from retrieval.experiment.label_ladder.queries import queries_on_rung
from retrieval.experiment.learnt_labels import learns_labels
from retrieval.experiment.loss_runs import attribute_losses
from retrieval.experiment.query_set import QuerySet
from retrieval.experiment.result import Comparison
from retrieval.experiment.run import IndexedSpace, SpaceRun, ask
from retrieval.experiment.run_significance import scored
from retrieval.experiment.seeds import with_other_seeds
from retrieval.spaces.build import fill, fill_another
from retrieval.spaces.filled_index import Filled


def compare(
    corpus: Corpus,
    specs: Sequence[str],
    indexes: Sequence[str | None] = (None,),
    examples: int = 12,
    provenance: dict[str, Any] | None = None,
    fitted_encoders: FittedEncoders | None = None,
    options: CompareOptions = NOTHING_MORE,
) -> Comparison:
    """Fill every space with the corpus, ask the same queries in each, and measure the answers.

    Parameters
    ----------
    corpus : Corpus
    specs : sequence of str
        The spaces, such as ``pixels`` and ``pixels+pca:30``.
    indexes : sequence of str or None
        The indexes of every space, by default exact search; every pair of space and index is a row of the comparison.
    examples : int
        Number of queries whose answers are shown side by side.
    provenance : dict, optional
        Command, versions and machine, for the report.
    fitted_encoders : FittedEncoders, optional
        Keeps the fitted encoders until the comparison ends, so that it can continue after a kill; by default nothing
        is kept.
    options : CompareOptions
        What else is measured, and the earlier comparison that must be of the same items and queries.

    Raises
    ------
    OptionError
        When no space or index is named, or one of them twice.
    CollectionError
        When the baseline was measured on other items or queries.
    """
    encoders = planned_spaces(corpus, specs, indexes)
    learnt = any(learns_labels(encoder, lambda: labels_and_fields(corpus)) for encoder in encoders)
    corpus, query_set = queries_on_rung(corpus, options.judged_by, learnt)
    require_possible(corpus, query_set, encoders, indexes, options)
    keeping = FittedEncoders() if fitted_encoders is None else fitted_encoders
    with ExitStack() as opened:
        opened.enter_context(keeping.opened())
        # before the fits: a fitted encoder keeps its seed
        with_others = [(encoder, list(with_other_seeds(encoder, options.seeds))) for encoder in encoders]
        fits = sum(1 + len(others) for _, others in with_others)
        unit = "spaces" if fits == len(encoders) else "fits of spaces"
        runs: list[SpaceRun] = []
        with progress(f"comparing on {corpus.name}", fits, unit) as bar:
            for encoder, others in with_others:
                runs += _runs_of_space(corpus, query_set, encoder, others, indexes, keeping, opened, bar.update)
        return compare_runs(corpus, query_set, runs, examples, provenance, options)


def _runs_of_space(
    corpus: Corpus,
    query_set: QuerySet,
    encoder: Encoder,
    others: Sequence[Encoder],
    indexes: Sequence[str | None],
    keeping: FittedEncoders,
    opened: ExitStack,
    done: Callable[[], None],
) -> list[SpaceRun]:
    """The runs of one space in each index, with their losses, and their measures with other seeds.

    `opened` closes the indexes; those of other seeds are closed at once. `done` is called after each fit.
    """
    runs = []
    for indexed in indexed_spaces(corpus, query_set, encoder, indexes, keeping):
        opened.enter_context(indexed.index)
        runs.append(ask(query_set, indexed))
    attribute_losses(corpus, query_set, runs)
    done()
    for other in others:
        for run, indexed in zip(runs, indexed_spaces(corpus, query_set, other, indexes, keeping), strict=True):
            with indexed.index:
                run.other_seeds.append(scored(query_set, ask(query_set, indexed)))
        done()
    return runs


def compare_collection(
    collection: Collection,
    specs: Sequence[str] | None = None,
    examples: int = 12,
    provenance: dict[str, Any] | None = None,
    options: CompareOptions = NOTHING_MORE,
) -> Comparison:
    """The comparison of saved spaces of a collection, by default of all of them."""
    if options.seeds > 1:
        raise OptionError(f"the spaces of {collection.folder} are fitted already: leave --seeds out, or name a corpus")
    names = list(dict.fromkeys(collection.resolve(spec) for spec in specs)) if specs else list(collection.spaces)
    if not names:
        raise OptionError(f"{collection.folder} has no space yet: add some with  nearby index")
    corpus, query_set = queries_on_rung(collection.items, options.judged_by)
    names, seen = unseen_spaces(collection, query_set, names, named=bool(specs))
    require_possible(corpus, query_set, [collection.space(name).encoder for name in names], ("exact",), options)
    runs = []
    records = {record.spec: record for record in collection.info().spaces}
    for name in names:
        opened, record = collection.space(name), records[name]
        if corpus is not collection.items:  # the saved index holds the passages that are queries
            runs.append(run_space(corpus, query_set, opened.encoder, None))
            continue
        if list(opened.index.ids) != query_set.ids:
            raise CollectionError(
                f"the index of '{name}' holds its items in another order than the collection: index it again"
            )
        indexed = IndexedSpace(
            opened.encoder, opened.index, record.fit_seconds, record.encode_seconds, record.code_bytes,
            codes=None if opened.index.is_exact else collection.codes_of(name),
        )  # fmt: skip
        runs.append(ask(query_set, indexed))
        attribute_losses(collection.items, query_set, runs[-1:], collection.items.bytes_on_disk)
    comparison = compare_runs(corpus, query_set, runs, examples, provenance, options)
    comparison.notes.extend(f"{reason}; it is left out." for reason in seen)
    return comparison


def indexed_spaces(
    corpus: Corpus,
    query_set: QuerySet,
    encoder: Encoder,
    indexes: Sequence[str | None],
    fitted_encoders: FittedEncoders,
) -> Iterator[IndexedSpace]:
    """One space in each index, fitted and encoded once; the caller closes the indexes."""
    learns_from = query_set.training(corpus) if encoder.reads_labels else corpus
    encoder, fit_seconds = fitted_encoders.fit(encoder, learns_from)
    first, *others = indexes
    begun = fill(encoder, corpus, first, len(query_set.ids))
    yield IndexedSpace(encoder, begun.index, fit_seconds, begun.encode_seconds, begun.code_bytes, codes=_codes(begun))
    for description in others:
        filled = fill_another(encoder, corpus, description, begun, len(query_set.ids))
        if begun.kept is None and not begun.index.holds_codes:  # word counts: the next index holds the codes
            begun = filled
        yield IndexedSpace(
            encoder, filled.index, fit_seconds, filled.encode_seconds, filled.code_bytes, codes=_codes(begun)
        )


def _codes(filled: Filled) -> Index | None:
    """The index that holds the codes; None when there is none."""
    return filled.index if filled.index.holds_codes else filled.kept


def run_space(corpus: Corpus, query_set: QuerySet, encoder: Encoder, description: str | None) -> SpaceRun:
    """The run of one space in one index, with the cost of every step."""
    (indexed,) = indexed_spaces(corpus, query_set, encoder, [description], FittedEncoders())
    return ask(query_set, indexed)
