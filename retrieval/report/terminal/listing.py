"""Answers to queries as plain lines of a terminal, and the tables they are laid out in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from encoders.numbers import counted
from retrieval.collection.filters import Filter, written
from retrieval.report.spec_wrapping import middle_cut, wrapped
from retrieval.report.terminal.printable import printable, table_word
from retrieval.search.query import Query
from retrieval.search.request import SearchAnswer
from retrieval.search.rerank import Reranked
from retrieval.search.result import TITLE, Answer, cut_at_word, length_of
from retrieval.search.searcher import SpaceAnswers

if TYPE_CHECKING:
    from retrieval.applications.classification import Verdict

#: Columns of a table, and of a spec that is wrapped in one.
WIDTH, NARROWEST_SPEC = 100, 24
_WORDS = {"cosine": "1 - cosine", "euclidean": "distance", "dot": "score", "hamming": "bits that differ"}


def aligned(
    head: Sequence[str], rows: Sequence[Sequence[object]], right: Sequence[int] = (), specs: Sequence[int] = ()
) -> list[str]:
    """Lay a table out in at most 100 columns.

    Parameters
    ----------
    head : sequence of str
    rows : sequence of sequences
    right : sequence of int
        Columns of numbers, which are aligned to the right.
    specs : sequence of int
        Columns of specs: in a table that is too wide, specs are broken into lines. Other cells are cut at the end.

    Examples
    --------
    >>> aligned(["name", "n"], [["a", 5], ["long", 10]], right=[1])
    ['name   n', 'a      5', 'long  10']
    """
    cells = [[printable(str(cell)).replace("\n", "?") for cell in row] for row in [head, *rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    for column in specs:
        others = sum(widths) - widths[column] + 2 * (len(widths) - 1)
        widths[column] = max(min(widths[column], NARROWEST_SPEC), min(widths[column], WIDTH - others))
    lines = []
    for row in cells:
        parts = [
            wrapped(cell, width) if column in specs else [cell]
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        for below in zip_longest(*parts, fillvalue=""):
            padded = [
                cell.rjust(width) if column in right else cell.ljust(width)
                for column, (cell, width) in enumerate(zip(below, widths, strict=True))
            ]
            line = "  ".join(padded).rstrip()
            lines.append(line if len(line) <= WIDTH else line[: WIDTH - 1] + "…")
    return lines


def answers_lines(
    query: Query, spaces: Sequence[SpaceAnswers], filters: Sequence[Filter] = (), verbose: bool = False
) -> list[str]:
    """Return the answers of every space, one block for each; `verbose` adds the options of the space."""
    lines = query_lines(query, filters)
    for space in spaces:
        head = space.spec if space.note else f"{space.spec}   {space.milliseconds:.1f} ms"
        lines += ["", head, *_answers_block(space, filters, verbose)]
    return lines


def query_lines(query: Query, filters: Sequence[Filter] = ()) -> list[str]:
    """Return the query, and the filters of the items."""
    length = "" if query.shown.sound is None else f"  {length_of(query.shown.sound)}"
    lines = [f"query: {_name(query.shown.title, query.shown.id)}" + _label(query.shown.label) + length]
    return lines + ([f"among: {' '.join(written(filters).split())}"] if filters else [])


def why_nothing(filters: Sequence[Filter]) -> str:
    """Return why a list is empty although the space knows the query."""
    whose = "other item that satisfies the filter" if filters else "item of this space"
    return f"no {whose} has anything in common with the query"


def full_specs_lines(specs: Mapping[str, str]) -> list[str]:
    """Return every spec with all its options, defaults too."""
    lines = ["", "spaces with all their options"]
    for spec, in_full in specs.items():
        lines += [middle_cut(spec, WIDTH), *(f"  {line}" for line in wrapped(in_full, WIDTH - 2))]
    return lines


def _answers_block(space: SpaceAnswers, filters: Sequence[Filter], verbose: bool) -> list[str]:
    lines = [f"  {line}" for line in wrapped(space.options, WIDTH - 2)] if verbose else []
    nothing = space.note or (None if space.answers else why_nothing(filters))
    return lines + ([f"  no answer: {nothing}"] if nothing else [f"  {line}" for line in _distances_table(space)])


def _distances_table(space: SpaceAnswers) -> list[str]:
    decimals = 0 if space.metric == "hamming" else 3
    cells = [[f"{answer.number:.{decimals}f}"] for answer in space.answers]
    return answers_table(space.answers, [_WORDS[space.metric]], cells)


def answers_table(answers: Sequence[Answer], head: Sequence[str], cells: Sequence[Sequence[object]]) -> list[str]:
    """Lay answers out, with the `cells` of each before its id; an empty column is left out."""
    texts = [_texts(answer) for answer in answers]
    labels = any(label for _, label, _ in texts)
    titles = any(title not in ("", answer.shown.id) for answer, (_, _, title) in zip(answers, texts, strict=True))
    last = "length" if any(answer.shown.sound is not None for answer in answers) else "title"
    heads = ["", "", *head, "id", *(["label"] if labels else []), *([last] if titles else [])]
    rows = [
        [_mark(answer), rank, *numbers, id, *([label] if labels else []), *([title] if titles else [])]
        for rank, (answer, numbers, (id, label, title)) in enumerate(zip(answers, cells, texts, strict=True), 1)
    ]
    return aligned(heads, rows, right=range(1, 2 + len(head)))


def answers_json(query: Query, spaces: Sequence[SpaceAnswers], filters: Sequence[Filter] = ()) -> dict[str, Any]:
    """Return the same as JSON values."""
    return {
        **query_json(query, filters),
        "spaces": [
            {
                **space_json(space),
                "milliseconds": space.milliseconds,
                "hits": [hit_json(answer) for answer in space.answers],
            }
            for space in spaces
        ],
    }


def query_json(query: Query, filters: Sequence[Filter]) -> dict[str, Any]:
    """Return the query and the filters as JSON values."""
    return {
        "query": {"id": query.item_id, "title": query.shown.title, "label": query.shown.label},
        "filters": [vars(one) for one in filters],
    }


def space_json(space: SpaceAnswers) -> dict[str, Any]:
    """Return one space as JSON values, without its answers."""
    return {"spec": space.spec, "options": space.options, "metric": space.metric, "note": space.note}


def hit_json(answer: Answer) -> dict[str, Any]:
    """Return one answer as JSON values."""
    return {
        "id": answer.shown.id,
        "score": answer.score,
        "distance": answer.distance,
        "label": answer.shown.label,
        "title": answer.shown.title,
        "snippet": answer.shown.snippet,
        **({} if answer.shown.sound is None else {"seconds": answer.shown.sound.seconds}),
        **({} if (row := answer.shown.row) is None else {"row": dict(zip(row.names, row.values, strict=True))}),
    }


def reranked_lines(query: Query, reranked: Reranked, verbose: bool = False) -> list[str]:
    """Return the shortlist, its time, and the best answers among its items."""
    space, plan, spent = reranked.found, reranked.plan, reranked.milliseconds
    how = (
        f"the {plan.candidates:,} nearest, with ties"
        if plan.radius is None
        else f"within {counted(plan.radius, 'bit')}"
    )
    if not reranked.held:
        nothing = "no item is on the shortlist" + (": try a larger --radius" if plan.radius is not None else "")
        space = replace(space, note=nothing)
    return [
        *answers_lines(query, []),
        "",
        f"shortlist: {plan.shortlist}   {spent['encode_shortlist'] + spent['shortlist']:.1f} ms",
        *(f"  {line}" for line in wrapped(reranked.options, WIDTH - 2) if verbose),
        f"  {reranked.held:,} of {counted(reranked.items, 'item')}, {reranked.share:.1%}: {how}",
        "",
        f"re-ranked: {plan.rerank}   {spent['encode_rerank'] + spent['rerank']:.1f} ms",
        *_answers_block(space, (), verbose),
    ]


def reranked_json(query: Query, reranked: Reranked) -> dict[str, Any]:
    """Return the same as JSON values: the answers, as for any search, and the time of the stages."""
    plan = reranked.plan
    shortlist = {
        "spec": plan.shortlist,
        "options": reranked.options,
        "candidates": plan.candidates,
        "radius": plan.radius,
        "held": reranked.held,
        "items": reranked.items,
        "share": reranked.share,
        "milliseconds": reranked.milliseconds,
    }
    return {**answers_json(query, [reranked.found]), "shortlist": shortlist}


def search_lines(answer: SearchAnswer, verbose: bool = False) -> list[str]:
    """Return the answers of a search: a block for each space, one fused list, or one re-ranked list.

    `verbose` adds the options of every space, defaults too.
    """
    from retrieval.report.terminal.hybrid import fused_lines

    result = answer.found
    if isinstance(result, Reranked):
        return reranked_lines(answer.query, result, verbose)
    if isinstance(result, list):
        return answers_lines(answer.query, result, answer.filters, verbose)
    return fused_lines(answer.query, result, answer.filters, verbose)


def search_json(answer: SearchAnswer) -> dict[str, Any]:
    """Return the same as JSON values."""
    from retrieval.report.terminal.hybrid import fused_json

    result = answer.found
    if isinstance(result, Reranked):
        return reranked_json(answer.query, result)
    if isinstance(result, list):
        return answers_json(answer.query, result, answer.filters)
    return fused_json(answer.query, result, answer.filters)


def labels_lines(verdict: Verdict) -> list[str]:
    """Return one line for each predicted label, with its probability."""
    rows = [[label, f"{probability:.4f}"] for label, probability in verdict.labels]
    return aligned(["label", "probability"], rows, right=[1])


def means_lines(means: Mapping[str, float]) -> list[str]:
    """Return one line for each measure of a run, with its mean over the queries."""
    return aligned(["measure", "mean"], [[name, f"{value:.4f}"] for name, value in means.items()], right=[1])


def unanswered_lines(run: Mapping[str, Any], qrels: Mapping[str, Any]) -> list[str]:
    """Return how many queries of the qrels have no line in the run, in one sentence; nothing when all have one.

    Examples
    --------
    >>> unanswered_lines({"q": {"a": 1.0}}, {"q": {"a": 1}, "r": {"a": 1}})
    ['1 of 2 judged queries has no line in the run and counts as 0, as with trec_eval -c']
    """
    missing = sum(query not in run for query in qrels)
    if not missing:
        return []
    verbs = ("has", "counts") if missing == 1 else ("have", "count")
    judged = f"{missing:,} of {len(qrels):,} judged queries"
    return [f"{judged} {verbs[0]} no line in the run and {verbs[1]} as 0, as with trec_eval -c"]


def _mark(answer: Answer) -> str:
    return {True: "+", False: "-", None: ""}[answer.relevant]


def _texts(answer: Answer) -> list[str]:
    shown = answer.shown
    if shown.sound is not None:
        return [table_word(shown.id), shown.label or "", length_of(shown.sound)]
    title = "" if shown.picture is not None else _name(shown.title, shown.snippet or "")
    return [table_word(shown.id), shown.label or "", title]


def _name(title: str | None, otherwise: str) -> str:
    shown = (title or otherwise).replace("\u00ad", "")  # a soft hyphen shows where a line breaks
    return cut_at_word(" ".join(shown.split()), TITLE)


def _label(label: str | None) -> str:
    return f"  [{label}]" if label else ""
