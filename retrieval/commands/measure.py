"""Verbs that measure beside a comparison: evaluate, health, tune and analyze."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from retrieval.commands.parameters import (
    AsJson,
    ChosenSpaces,
    CollectionFolder,
    JudgedBy,
    OneSpace,
    ReportFolder,
    Seed,
    SkipBad,
    Target,
    Verbose,
    argument,
    default_spaces_of,
    number,
    option,
    share,
    whole,
)
from retrieval.commands.printing import emit, reported, say
from retrieval.commands.validation import require_report_folder
from retrieval.report.terminal.view import Output

#: Exit code of `nearby health --strict` when a value is poor.
STRICT = 4
#: What `nearby evaluate` prints when no measure is named.
MEASURES = ("nDCG@10", "AP", "RR", "P@10", "R@100")


def evaluate(
    run: Annotated[Path, argument("RUN", "A TREC run file.")],
    qrels: Annotated[Path, argument("QRELS", "A TREC qrels file.")],
    measure: Annotated[
        list[str] | None,
        option("-m", "--measure", help="A measure, e.g. nDCG@10; repeat for several.", metavar="MEASURE"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Evaluate a TREC run with judgements; results equal those of trec_eval.

    A judged query without a line in the run counts as 0, as with trec_eval -c.
    """
    from retrieval.evaluation.evaluate import evaluate_run
    from retrieval.evaluation.trec import read_qrels, read_run
    from retrieval.report.terminal.listing import means_lines, unanswered_lines

    answers, judgements = read_run(run), read_qrels(qrels)
    means = evaluate_run(answers, judgements, measure or MEASURES).means
    for line in unanswered_lines(answers, judgements):
        say(line)
    emit(Output(means_lines, dict, means), as_json)


def health(
    corpus: Target,
    space: ChosenSpaces = None,
    sample: Annotated[
        int, whole("--sample", help="Number of random items; all their pairs are compared.", lowest=20, highest=5000)
    ] = 1000,
    seed: Seed = 0,
    train: Annotated[
        bool, typer.Option("--train", help="Also train a discriminator that tells the codes of items apart.")
    ] = False,
    judged_by: JudgedBy = "auto",
    strict: Annotated[bool, typer.Option("--strict", help="Exit with code 4 when a value is poor.")] = False,
    out: Annotated[Path | None, ReportFolder] = None,
    skip_bad: SkipBad = False,
    verbose: Verbose = False,
    as_json: AsJson = False,
) -> None:
    """Check spaces for what makes neighbours unreliable, such as hubs, and measure remedies.

    For a corpus, the spaces are fitted first; the encoders of a collection are used as they are. Every value stands
    beside its chance level. A remedy is chosen on one half of the queries and measured on the other.
    """
    from retrieval.collection.open import collection_at, open_data
    from retrieval.corpora.base import BadEntries, Unique
    from retrieval.experiment.health.health import health as health_of
    from retrieval.experiment.health.health import read_spaces
    from retrieval.experiment.provenance import provenance
    from retrieval.report.html.health import write_health
    from retrieval.report.terminal.health import health_lines, health_values, is_poor

    require_report_folder(out, "health.html")
    folder = collection_at(corpus)
    with reported(BadEntries(skip_bad)) as bad:
        opened = Unique(open_data(corpus, on_bad=bad), bad) if folder is None else None
        specs = space or (None if opened is None else default_spaces_of(opened))
        items, spaces = read_spaces(folder, opened, specs)
        health = health_of(items, spaces, sample, seed, train, say, judged_by)
    health.provenance = provenance()
    if out is not None:
        say(f"report: {write_health(health, out)}")
    emit(Output(lambda: health_lines(health, verbose), lambda: health_values(health)), as_json)
    if strict and is_poor(health):
        sys.exit(STRICT)


def tune(
    folder: CollectionFolder,
    space: OneSpace,
    recall: Annotated[
        float,
        typer.Option(
            "--recall", help="Wanted share of the true nearest items, e.g. .95.", parser=share, metavar="SHARE"
        ),
    ] = 0.95,
    k: Annotated[int, whole("-k", help="Number of nearest items.", lowest=1)] = 10,
    sample: Annotated[int, whole("--sample", help="Number of random items used as queries.", lowest=1)] = 1000,
    items: Annotated[
        int, whole("--items", help="Compare all indexes on at most this many random items.", lowest=2)
    ] = 100_000,
    max_bytes: Annotated[
        float | None,
        typer.Option("--max-bytes", help="Largest index, in bytes per item.", parser=number, metavar="BYTES"),
    ] = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Try FAISS indexes for a space, and recommend the fastest whose answers are good enough.

    Recall against exact search, speed, bytes and build time of each. A large collection is compared by a sample, and
    the recommended index is measured on all items. Nothing is written; the last line is the command that makes a
    collection with the recommended index.
    """
    from retrieval.collection.open import open_collection
    from retrieval.experiment.tuning.tuning import tune as tune_space
    from retrieval.report.terminal.tuning import tuning_lines, tuning_values

    with open_collection(folder) as collection:
        tuning = tune_space(collection, space, recall, k, sample, max_bytes, seed, say, items)
    emit(Output(lambda: tuning_lines(tuning), lambda: tuning_values(tuning)), as_json)


def analyze(
    corpus: Target,
    out: Annotated[Path, option("-o", "--out", help="Folder for the page and its figures.", metavar="FOLDER")],
    space: ChosenSpaces = None,
    part: Annotated[
        list[str] | None,
        option("--part", help="A part of the analysis, e.g. tree; repeat for several. Default: all.", metavar="PART"),
    ] = None,
    sample: Annotated[int, whole("--sample", help="Number of items to analyse.", lowest=4)] = 1000,
    clusters: Annotated[
        int | None, whole("--clusters", help="Number of clusters to cut the tree into.", lowest=2)
    ] = None,
    height: Annotated[
        float | None, typer.Option(help="Cut the tree at this height.", parser=number, metavar="NUMBER")
    ] = None,
    skip_bad: SkipBad = False,
    verbose: Verbose = False,
    as_json: AsJson = False,
) -> None:
    """Analyse spaces: components, items as sums of components, error by width, trees, clusters and labels, maps,
    posteriors, and how well codes identify their items."""
    from retrieval.analysis.analyze import PARTS
    from retrieval.analysis.analyze import analyze as analyze_spaces
    from retrieval.analysis.target import read_target
    from retrieval.corpora.base import BadEntries
    from retrieval.experiment.provenance import provenance
    from retrieval.report.html.analysis import write_analysis
    from retrieval.report.terminal.analysis import analysis_json, analysis_lines

    require_report_folder(out, "analysis.html")
    with reported(BadEntries(skip_bad)) as bad:
        items, fitted = read_target(corpus, space, bad)
        analysis = analyze_spaces(items, fitted, say, part or PARTS, sample, clusters, height)
    analysis.provenance = provenance()
    options = {encoder.spec(): encoder.spec(full=True) for encoder in fitted} if verbose else None
    emit(Output(lambda: analysis_lines(analysis, options), lambda: analysis_json(analysis)), as_json)
    say(f"analysis: {write_analysis(analysis, out)}")
