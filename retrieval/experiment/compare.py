"""The comparison of spaces; read this file first: corpus -> encoder -> codes -> index -> hits -> measures -> report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from encoders.base import Encoder
from encoders.errors import CollectionError, OptionError
from encoders.progress import progress
from indexers.base import Index
from indexers.description import parse_description
from indexers.registry import AUTO, check_description
from retrieval.collection.base import Collection
from retrieval.corpora.base import Corpus
from retrieval.corpora.item_record import items_digest
from retrieval.experiment.byte_budgets import byte_budgets
from retrieval.experiment.compare_options import NOTHING_MORE, CompareOptions
from retrieval.experiment.compare_runs import compare_runs
from retrieval.experiment.fitted_encoders import FittedEncoders
from retrieval.experiment.health import health_of_runs
from retrieval.experiment.loss_runs import attribute_losses
from retrieval.experiment.query_set import QuerySet
from retrieval.experiment.reductions import require_reducible
from retrieval.experiment.result import Comparison
from retrieval.experiment.run import IndexedSpace, SpaceRun, ask
from retrieval.experiment.run_significance import scored
from retrieval.experiment.rung import queries_on_rung, require_rung
from retrieval.experiment.seeds import require_seeds, with_other_seeds
from retrieval.spaces.build import Filled, fill, fill_another, planned

#: The reason why a space cannot be measured.
_SEEN = "'{}' was fitted on the labels of the queries, so that its measures would show what it remembers"


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
    encoders = [planned(spec, None, corpus.modality) for spec in specs]  # every spec is checked before any work
    if not encoders or len(set(map(str, encoders))) < len(encoders):
        raise OptionError("name at least one space, and each only once, as in -s pixels -s pixels+pca:30")
    _check_indexes(indexes)
    if options.budgets:
        require_reducible(encoders, indexes)
    corpus, query_set = queries_on_rung(corpus, options.judged_by, any(one.reads_labels for one in encoders))
    require_rung(query_set, [str(encoder) for encoder in encoders], options.fusion)
    require_seeds(options.seeds, query_set.judged_by)
    _require_unseen(corpus, query_set, encoders)
    if options.baseline is not None:
        options.baseline.require_comparable([str(encoder) for encoder in encoders], corpus.name, query_set)
    keeping = FittedEncoders() if fitted_encoders is None else fitted_encoders
    runs: list[SpaceRun] = []
    with ExitStack() as opened:
        opened.enter_context(keeping.opened())
        bar = opened.enter_context(progress(f"comparing on {corpus.name}", len(encoders), "spaces"))
        for encoder in encoders:
            first, others = len(runs), list(with_other_seeds(encoder, options.seeds))
            for indexed in indexed_spaces(corpus, query_set, encoder, indexes, keeping):
                opened.enter_context(indexed.index)
                runs.append(ask(query_set, indexed))
            attribute_losses(corpus, query_set, runs[first:])
            for other in others:
                for at, indexed in enumerate(indexed_spaces(corpus, query_set, other, indexes, keeping), first):
                    with indexed.index:
                        runs[at].other_seeds.append(scored(query_set, ask(query_set, indexed)))
            bar.update()
        comparison = compare_runs(corpus, query_set, runs, examples, provenance, options)
        return _extended(comparison, corpus, query_set, runs, options)


def _require_unseen(corpus: Corpus, query_set: QuerySet, encoders: Sequence[Encoder]) -> None:
    """Refuse saved encoders that were fitted on the labels of the queries.

    Raises
    ------
    OptionError
    """
    before = [encoder for encoder in encoders if encoder.reads_labels and encoder.__sklearn_is_fitted__()]
    if query_set.held_out and before:
        digest = items_digest(iter(corpus))
        seen = [encoder for encoder in before if encoder.fitted_on == digest]
        if seen:
            raise OptionError(
                f"{_SEEN.format(seen[0])}: name the encoder instead of its folder (-s '{seen[0]}'), "
                "so that it is fitted on items that are not queries"
            )


def _check_indexes(indexes: Sequence[str | None]) -> None:
    """Refuse unknown and repeated indexes before any work."""
    if not indexes:
        raise OptionError("name at least one index, as in --index exact")
    read = [parse_description(AUTO if description is None else description) for description in indexes]
    twice = [description for at, description in enumerate(indexes) if read[at] in read[:at]]
    if twice:
        raise OptionError(f"the index '{twice[0]}' is named twice: name each only once")
    names = [parsed.name for parsed in read]
    same = [name for name in ("exact", "sparse") if name in names and AUTO in names]
    if same:
        raise OptionError(f"'{AUTO}' chooses 'exact' or 'sparse' for each space: leave '{AUTO}' or '{same[0]}' out")
    for description in indexes:
        check_description(description)


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
    names, seen = _unseen(collection, query_set, names, named=bool(specs))
    require_rung(query_set, names, options.fusion)
    if options.baseline is not None:
        options.baseline.require_comparable(names, collection.items.name, query_set)
    runs = []
    for name in names:
        opened = collection.space(name)
        record = opened.record
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
    comparison.notes.extend(f"{_SEEN.format(name)}; it is left out." for name in seen)
    return _extended(comparison, corpus, query_set, runs, options)


def _extended(
    comparison: Comparison, corpus: Corpus, query_set: QuerySet, runs: list[SpaceRun], options: CompareOptions
) -> Comparison:
    """The comparison with what the options ask for beyond its table."""
    return replace(
        comparison,
        byte_budgets=byte_budgets(query_set, runs, options.budgets) if options.budgets else None,
        health=health_of_runs(corpus, runs) if options.health else None,
    )


def _unseen(collection: Collection, query_set: QuerySet, names: list[str], named: bool) -> tuple[list[str], list[str]]:
    """The spaces that can be measured, and those that were fitted on the labels of the queries.

    Raises
    ------
    OptionError
        When one of the latter was named, or no other space is left.
    """
    if query_set.judged_by != "labels" or (query_set.query_rows < 0).all():
        return names, []
    seen = [name for name in names if collection.space(name).encoder.reads_labels]
    if seen and (named or len(seen) == len(names)):
        raise OptionError(
            f"{_SEEN.format(seen[0])}: compare the corpus itself (nearby compare CORPUS -s '{seen[0]}'), "
            "so that it is fitted on items that are not queries"
        )
    return [name for name in names if name not in seen], seen


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
