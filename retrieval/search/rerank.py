"""One query of a collection, answered by a shortlist: what `nearby search --shortlist --rerank` does."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from encoders.errors import OptionError
from indexers.base import Hit
from retrieval.collection.base import Collection
from retrieval.search.searcher import Found, Query, answers_of, encode_query, require_moderate
from retrieval.search.shortlist import length_of, shortlisted


@dataclass(frozen=True)
class Plan:
    """Which space finds the candidates, which one orders them, and where the shortlist ends."""

    shortlist: str
    rerank: str
    candidates: int | None = None
    radius: int | None = None


@dataclass(frozen=True)
class Reranked:
    """The answers of the finer space, and what finding them cost.

    Attributes
    ----------
    found : Found
        `milliseconds` of it are all stages together.
    plan : Plan
        With the specs as they are stored, and the candidates asked for.
    options : str
        Of the space of the shortlist, in full.
    held, items : int
        Items on the shortlist, and in the collection.
    milliseconds : dict of str to float
        Of each stage.
    """

    found: Found
    plan: Plan
    options: str
    held: int
    items: int
    milliseconds: dict[str, float]

    @property
    def share(self) -> float:
        """The share of the collection that was on the shortlist."""
        return self.held / self.items


def plan_of(
    shortlist: str | None,
    rerank: str | None,
    candidates: int | None = None,
    radius: int | None = None,
    spaces: Sequence[str] | None = None,
    others: Sequence[str] = (),
) -> Plan | None:
    """Return what the options of `nearby search` ask for, or None where none of them is given.

    `others` are options given with them that know nothing of a shortlist, as they are typed.

    Raises
    ------
    OptionError
        When they do not belong together.

    Examples
    --------
    >>> plan_of("pixels+binarize", None)
    Traceback (most recent call last):
    encoders.errors.OptionError: --shortlist and --rerank belong together: ... here --rerank is missing
    """
    if shortlist is None and rerank is None:
        if candidates is not None or radius is not None:
            given = "--candidates" if radius is None else "--radius"
            raise OptionError(f"{given} bounds a shortlist: give --shortlist SPACE and --rerank SPACE too")
        return None
    if others:
        raise OptionError(f"{others[0]} does not go together with --shortlist and --rerank: leave it, or them, out")
    if shortlist is None or rerank is None:
        missing = "--rerank" if rerank is None else "--shortlist"
        raise OptionError(
            "--shortlist and --rerank belong together: one space finds the candidates, the other puts them in order; "
            f"here {missing} is missing"
        )
    if spaces:
        raise OptionError("--shortlist and --rerank name the spaces of this search: leave -s out")
    if candidates is not None and radius is not None:
        raise OptionError("a shortlist is bounded by --candidates or by --radius: leave one of them out")
    return Plan(shortlist, rerank, candidates, radius)


def rerank(collection: Collection, plan: Plan, query: Query, k: int = 10) -> Reranked:
    """Answer one query: candidates by the codes of one space, in the order of another.

    Raises
    ------
    UnknownNameError
        For a space that the collection does not have.
    OptionError
        For fewer candidates than answers, or a radius among codes that are no bits.
    QueryError
        When one of the spaces knows nothing of the query.
    """
    require_moderate(k)
    if plan.candidates is not None and plan.candidates < k:
        raise OptionError(f"{k} answers cannot come of {plan.candidates} candidates: ask for a smaller k, or for more")
    coarse, fine = collection.space(plan.shortlist), collection.space(plan.rerank)
    wanted = length_of(coarse.index, plan.candidates, k, plan.radius)
    holding = collection.codes_of(plan.rerank)
    own = None if query.own is None else holding.rows_of_ids([query.own])
    begun = time.perf_counter()
    coarse_code = encode_query(coarse.encoder, query.content)
    between = time.perf_counter()
    fine_code = encode_query(fine.encoder, query.content)
    ended = time.perf_counter()
    found = shortlisted(coarse.index, holding, coarse_code, fine_code, plan.candidates, k, radius=plan.radius, own=own)
    spent = {
        "encode_shortlist": between - begun,
        "encode_rerank": ended - between,
        "shortlist": found.filter_seconds,
        "rerank": found.rerank_seconds,
    }
    milliseconds = {stage: 1000 * seconds for stage, seconds in spent.items()}
    rows = found.rows[0][found.rows[0] >= 0]
    hits = list(map(Hit, holding.ids_of_rows(rows), found.scores[0].tolist()))
    space = fine.encoder.space
    answers = answers_of(collection, query, hits, space.metric)
    return Reranked(
        Found(fine.record.spec, fine.encoder.spec(full=True), str(space.metric), answers, sum(milliseconds.values())),
        Plan(coarse.record.spec, fine.record.spec, None if plan.radius is not None else wanted, plan.radius),
        coarse.encoder.spec(full=True),
        int(found.held[0]),
        len(holding),
        milliseconds,
    )
