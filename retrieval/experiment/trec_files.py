"""The TREC files of a comparison: one run per space, and the qrels, for every other evaluation tool."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from encoders.errors import CorpusError
from encoders.numbers import counted
from retrieval.corpora.base import Qrels
from retrieval.evaluation.trec import Run, write_qrels, write_run
from retrieval.experiment.label_ladder.rung import Rung
from retrieval.experiment.query_set import QuerySet
from retrieval.experiment.result import Comparison, SpaceResult
from retrieval.output import written_together

#: With labels, every item of a query's class is a line of the qrels: no file is written beyond this many lines.
MAX_LINES = 2_000_000


def write_trec_files(comparison: Comparison, folder: Path) -> str:
    """Write ``NUMBER-SPACE.run`` for every space, and ``qrels``; return a sentence that says what was written.

    The scores of a run are those of the index. Tools that read it order equal scores by document id, whereas the table
    shows the mean over all their orders: the measures agree when no two scores of a query are equal.

    Runs of an earlier comparison with other spaces stay, because they may be somebody's: the sentence names them.

    Parameters
    ----------
    comparison : Comparison
        With its query set and rankings, as `retrieval.experiment.compare.compare` returns it.
    folder : Path
        It is made if needed; files of the same names are replaced.

    Raises
    ------
    ArtifactError
        When a file cannot be written.
    """
    query_set = comparison.query_set
    if query_set is None:
        return "no TREC files: the comparison holds no query set"
    names = [f"{number}-{file_name(space.label)}.run" for number, space in enumerate(comparison.spaces, start=1)]
    older = older_runs(folder, names)
    try:
        lines = (
            sum(map(len, query_set.qrels.values())) if query_set.qrels else int(query_set.relevance.n_relevant.sum())
        )
        lines = 0 if query_set.judged_by == Rung.AGREEMENT else lines
        with written_together():  # an id that no file can hold may be met first in the last run
            if 0 < lines <= MAX_LINES:
                write_qrels(folder / "qrels", qrels_of(query_set))
            for name, space in zip(names, comparison.spaces, strict=True):
                write_run(folder / name, run_of(query_set, space))
    except CorpusError as error:
        return f"no TREC files: {error}{older}"
    if not lines:
        return f"TREC files: {folder} ({counted(len(comparison.spaces), 'run')}; nothing says what is relevant){older}"
    qrels = "the qrels" if lines <= MAX_LINES else f"no qrels, which would have {lines:,} lines"
    return f"TREC files: {folder} ({counted(len(comparison.spaces), 'run')} and {qrels}){older}"


def older_runs(folder: Path, names: Collection[str]) -> str:
    """Return what names the runs in a folder that are not among these, as the end of a sentence; empty for none."""
    others = sorted({path.name for path in folder.glob("*.run")} - set(names))
    return f"; not of this comparison: {', '.join(others)}" if others else ""


def run_of(query_set: QuerySet, space: SpaceResult) -> Mapping[str, Mapping[str, float]]:
    """The run of one space: query id -> document id -> score, best first."""
    if space.rankings is None:
        return {}
    run: Run = {}
    rankings = zip(query_set.queries, space.rankings.rows, space.rankings.scores, strict=True)
    for query, rows, scores in rankings:
        answered = rows >= 0
        ids = (query_set.ids[row] for row in rows[answered].tolist())
        run[query.id] = dict(zip(ids, scores[answered].tolist(), strict=True))
    return run


def qrels_of(query_set: QuerySet) -> Qrels:
    """The judgements of the queries that are asked; with labels, every other item with the query's label has grade 1.

    A query that is a document is not judged against itself, because it is never among its own answers.
    """
    if query_set.qrels is not None:
        judged = query_set.qrels
        query_rows = query_set.query_rows.tolist()
        return {
            query.id: {
                document: grade
                for document, grade in judged[query.id].items()
                if row < 0 or document != query_set.ids[row]
            }
            for query, row in zip(query_set.queries, query_rows, strict=True)
        }
    return dict(_label_qrels(query_set))


def _label_qrels(query_set: QuerySet) -> Iterator[tuple[str, dict[str, int]]]:
    rows_of: dict[str | None, list[int]] = {}
    for row, label in enumerate(query_set.labels):
        rows_of.setdefault(label, []).append(row)
    for query, query_row in zip(query_set.queries, query_set.query_rows.tolist(), strict=True):
        yield query.id, {query_set.ids[row]: 1 for row in rows_of.get(query.label, ()) if row != query_row}


def file_name(label: str) -> str:
    """A label of a space as part of a file name.

    Examples
    --------
    >>> file_name("pixels+pca:30 @ faiss:HNSW32?efSearch=20"), file_name("/tmp/encoder")
    ('pixels+pca_30_faiss_HNSW32_efSearch=20', 'tmp_encoder')
    """
    return re.sub(r"[^A-Za-z0-9.+=,-]+", "_", label).strip("._")[:100]
