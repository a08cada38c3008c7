"""What is refused before any work of a comparison: what cannot be measured, and what would not be fair."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from encoders.base import Encoder
from encoders.errors import OptionError
from indexers.description import parse_description
from indexers.registry import AUTO, check_description
from retrieval.collection.base import Collection
from retrieval.corpora.base import Corpus
from retrieval.corpora.inputs import named_queries, reads_ids
from retrieval.corpora.item_record import items_digest
from retrieval.evaluation.label_free.agreement import require_enough
from retrieval.experiment.byte_budgets.reductions import require_reducible
from retrieval.experiment.compare_options import CompareOptions
from retrieval.experiment.fusion import require_fusion
from retrieval.experiment.label_ladder.rung import Rung
from retrieval.experiment.learnt_labels import learns_labels
from retrieval.experiment.loss_gate import require_all_specs
from retrieval.experiment.query_set import QuerySet
from retrieval.experiment.seeds import require_seeds, with_other_seeds
from retrieval.spaces.space_encoder import planned, require_fields

_SEEN = "'{}' was fitted on the labels of the queries, so that its measures would show what it remembers"


def planned_spaces(corpus: Corpus, specs: Sequence[str], indexes: Sequence[str | None]) -> list[Encoder]:
    """The encoders of the specs, every one and every index checked.

    Raises
    ------
    OptionError
        When no space or index is named, or one of them twice.
    """
    encoders = [planned(spec, None, corpus.modality) for spec in specs]
    if not encoders or len(set(map(str, encoders))) < len(encoders):
        raise OptionError("name at least one space, and each only once, as in -s pixels -s pixels+pca:30")
    _check_indexes(indexes)
    require_fields(corpus, encoders)
    return encoders


def require_possible(
    corpus: Corpus,
    query_set: QuerySet,
    encoders: Sequence[Encoder],
    indexes: Sequence[str | None],
    options: CompareOptions,
) -> None:
    """Refuse what the options ask for and these spaces and queries do not allow.

    Raises
    ------
    OptionError
    CollectionError
        When the baseline was measured on other items or queries.
    """
    names = [str(encoder) for encoder in encoders]
    if options.budgets:
        if query_set.judged_by == Rung.AGREEMENT:
            raise OptionError(
                "--bytes needs relevant answers, and agreement has none: leave --bytes out, or choose another "
                "--judged-by"
            )
        require_reducible(encoders, indexes)
    if query_set.judged_by == Rung.AGREEMENT:
        require_enough(names)
    if options.fusion:
        require_fusion(query_set, names)
    require_seeds(options.seeds, query_set.judged_by)
    _require_unseen(corpus, query_set, encoders)
    _require_known(query_set, encoders)
    if options.baseline is not None:
        options.baseline.require_comparable(names, corpus.name, query_set)
        options.baseline.require_seeds(
            {str(encoder): 1 + sum(1 for _ in with_other_seeds(encoder, options.seeds)) for encoder in encoders}
        )
        if options.whole_baseline:
            require_all_specs(options.baseline, names)


def labels_and_fields(corpus: Corpus) -> Iterator[tuple[str | None, Mapping[str, str]]]:
    """Read the label and the metadata of every item."""
    return ((item.label, item.metadata) for item in corpus)


def _require_unseen(corpus: Corpus, query_set: QuerySet, encoders: Sequence[Encoder]) -> None:
    """Refuse saved encoders that were fitted on the labels of the queries.

    Raises
    ------
    OptionError
    """
    if not query_set.held_out:
        return
    fitted = [encoder for encoder in encoders if encoder.__sklearn_is_fitted__()]
    before = [encoder for encoder in fitted if learns_labels(encoder, lambda: labels_and_fields(corpus))]
    if before:
        digest = items_digest(iter(corpus))
        seen = [encoder for encoder in before if encoder.fitted_on == digest]
        if seen:
            raise OptionError(
                f"{_SEEN.format(seen[0])}: name the encoder instead of its folder (-s '{seen[0]}'), "
                "so that it is fitted on items that are not queries"
            )


def _require_known(query_set: QuerySet, encoders: Sequence[Encoder]) -> None:
    """Refuse spaces that are looked up by id and lack an item or a query; the others would be computed in vain.

    Raises
    ------
    BadItemError
    """
    looked_up = [encoder for encoder in encoders if reads_ids(encoder)]
    if looked_up:
        queries = named_queries(query_set.queries, (query_set.query_rows >= 0).tolist())
        for encoder in looked_up:  # the items of a saved space are in its index, and need no file
            encoder.require_known([] if encoder.__sklearn_is_fitted__() else query_set.ids, queries)


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


def unseen_spaces(
    collection: Collection, query_set: QuerySet, names: list[str], named: bool
) -> tuple[list[str], list[str]]:
    """The spaces that can be measured, and why others cannot: they were fitted on the labels of the queries.

    Raises
    ------
    OptionError
        When one of the latter was named, or no other space is left.
    """
    if query_set.judged_by != "labels" or (query_set.query_rows < 0).all():
        return names, []
    items = collection.items
    seen = [
        name
        for name in names
        if learns_labels(collection.space(name).encoder, lambda: items.labels_and_fields(items.size))
    ]
    if seen and (named or len(seen) == len(names)):
        raise OptionError(
            f"{_SEEN.format(seen[0])}: compare the corpus itself (nearby compare CORPUS -s '{seen[0]}'), "
            "so that it is fitted on items that are not queries"
        )
    return [name for name in names if name not in seen], [_SEEN.format(name) for name in seen]
