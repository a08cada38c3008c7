"""Search with a shortlist that another space re-ranks, as `nearby search --shortlist --rerank` does."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from indexers.base import Hit
from retrieval.collection.base import Collection
from retrieval.search.option_names import NamedOptionError
from retrieval.search.query import Query
from retrieval.search.searcher import SpaceAnswers, answers_of, query_codes, require_valid_k
from retrieval.search.shortlist import shortlist_length, shortlisted


@dataclass(frozen=True)
class Plan:
    """The space that finds the candidates, the space that orders them, and the length of the shortlist."""

    shortlist: str
    rerank: str
    candidates: int | None = None
    radius: int | None = None


@dataclass(frozen=True)
class Reranked:
    """The re-ranked answers, and their cost.

    Attributes
    ----------
    found : SpaceAnswers
        Its `milliseconds` are the time of all stages.
    plan : Plan
        With the specs as they are stored, and the requested number of candidates.
    options : str
        All options of the space that finds the shortlist.
    held, items : int
        Items on the shortlist, and in the collection.
    milliseconds : dict of str to float
        Of each stage.
    """

    found: SpaceAnswers
    plan: Plan
    options: str
    held: int
    items: int
    milliseconds: dict[str, float]

    @property
    def share(self) -> float:
        """Items on the shortlist divided by items in the collection."""
        return self.held / self.items


def plan_of(
    shortlist: str | None,
    rerank: str | None,
    candidates: int | None = None,
    radius: int | None = None,
    spaces: Sequence[str] | None = None,
    others: Sequence[str] = (),
) -> Plan | None:
    """Return the plan that the options of `nearby search` describe, or None when none of them is given.

    `others` are the names, as in `option_names`, of given options that cannot be used with a shortlist.

    Raises
    ------
    OptionError
        When the options cannot be used together.

    Examples
    --------
    >>> plan_of("pixels+binarize", "pixels", candidates=50)
    Plan(shortlist='pixels+binarize', rerank='pixels', candidates=50, radius=None)
    """
    if shortlist is None and rerank is None:
        if candidates is not None or radius is not None:
            given = "{candidates}" if radius is None else "{radius}"
            raise NamedOptionError(given + " limits a shortlist: add {shortlist} SPACE and {rerank} SPACE")
        return None
    if others:
        other = f"{{{others[0]}}}"
        raise NamedOptionError(f"{other} cannot be used with {{shortlist}} and {{rerank}}: leave {other} out")
    if shortlist is None or rerank is None:
        needs = "{shortlist} needs {rerank}" if rerank is None else "{rerank} needs {shortlist}"
        raise NamedOptionError(f"{needs}: one space finds the candidates, the other orders them")
    if spaces:
        raise NamedOptionError("{shortlist} and {rerank} name the spaces of this search: leave {spaces} out")
    if candidates is not None and radius is not None:
        raise NamedOptionError("{candidates} and {radius} both limit the shortlist: leave one of them out")
    return Plan(shortlist, rerank, candidates, radius)


def rerank(collection: Collection, plan: Plan, query: Query, k: int = 10) -> Reranked:
    """Return the answers to one query: one space finds the candidates, another orders them.

    Raises
    ------
    UnknownNameError
        For a space that the collection does not have.
    OptionError
        For fewer candidates than answers, or a radius for codes that are not binary.
    QueryError
        When one of the spaces knows no part of the query.
    """
    require_valid_k(k)
    if plan.candidates is not None and plan.candidates < k:
        raise NamedOptionError("{candidates} {0} is smaller than {k} {1}: raise {candidates}", plan.candidates, k)
    coarse, fine = collection.space(plan.shortlist), collection.space(plan.rerank)
    wanted = shortlist_length(coarse.index, plan.candidates, k, plan.radius)
    holding = collection.codes_of(plan.rerank)
    query_rows = None if query.item_id is None else holding.rows_of_ids([query.item_id])
    begun = time.perf_counter()
    coarse_code = query_codes(collection, plan.shortlist, query)
    between = time.perf_counter()
    fine_code = query_codes(collection, plan.rerank, query)
    ended = time.perf_counter()
    ranked = shortlisted(
        coarse.index, holding, coarse_code, fine_code, plan.candidates, k, radius=plan.radius, query_rows=query_rows
    )
    spent = {
        "encode_shortlist": between - begun,
        "encode_rerank": ended - between,
        "shortlist": ranked.filter_seconds,
        "rerank": ranked.rerank_seconds,
    }
    milliseconds = {stage: 1000 * seconds for stage, seconds in spent.items()}
    rows = ranked.rows[0][ranked.rows[0] >= 0]
    hits = list(map(Hit, holding.ids_of_rows(rows), ranked.scores[0].tolist()))
    space = fine.encoder.space
    answers = answers_of(collection, query, hits, space.metric)
    return Reranked(
        SpaceAnswers(
            fine.record.spec, fine.encoder.spec(full=True), str(space.metric), answers, sum(milliseconds.values())
        ),
        Plan(coarse.record.spec, fine.record.spec, None if plan.radius is not None else wanted, plan.radius),
        coarse.encoder.spec(full=True),
        int(ranked.held[0]),
        len(holding),
        milliseconds,
    )
