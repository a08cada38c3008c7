"""The verb that compares spaces, and its demonstration."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from encoders.errors import OptionError
from retrieval.commands.parameters import (
    AsJson,
    ChosenSpaces,
    JudgedBy,
    ReportFolder,
    SkipBad,
    Target,
    Verbose,
    default_spaces_of,
    option,
    whole,
)
from retrieval.commands.printing import emit, reported, say
from retrieval.commands.validation import require_report_folder
from retrieval.report.terminal.view import Output

if TYPE_CHECKING:
    from retrieval.experiment.baseline import Baseline
    from retrieval.experiment.baseline_change import Change
    from retrieval.experiment.fitted_encoders import FittedEncoders
    from retrieval.experiment.result import Comparison

#: What `nearby demo` compares: the Euclidean space first, then the latent ones.
DEMO = {
    "digits": ["pixels", "pixels+pca:16", "pixels+deep-ae:256-128-16,epochs=60"],
    "api-docs": ["bm25", "tfidf", "tfidf+lsa:128", "bow:2000+deep-ae:500-250-128,epochs=15"],
}


def compare(
    corpus: Target,
    space: ChosenSpaces = None,
    index: Annotated[
        list[str] | None,
        option("--index", help="Index of every space; repeat to compare several.  [default: auto]", metavar="INDEX"),
    ] = None,
    out: Annotated[Path | None, ReportFolder] = None,
    examples: Annotated[
        int, whole("--examples", help="Number of queries shown with their answers, in report and JSON.", lowest=0)
    ] = 12,
    judged_by: JudgedBy = "auto",
    fusion: Annotated[
        bool, typer.Option("--fusion", help="Also fuse every pair of spaces, and all of them (a few seconds per pair).")
    ] = False,
    save_fusion: Annotated[
        bool,
        typer.Option("--save-fusion", help="Save the fusion weights in the collection, for search --fuse saved."),
    ] = False,
    health: Annotated[
        bool, typer.Option("--health", help="Also check the health of the spaces, in report and JSON.")
    ] = False,
    budgets: Annotated[
        str | None,
        option(
            "--bytes", help="Also reduce every dense space to these bytes per item, e.g. 8,32,128.", metavar="BYTES"
        ),
    ] = None,
    baseline: Annotated[
        Path | None,
        option("--baseline", help="comparison.json of an earlier comparison; print what changed.", metavar="FILE"),
    ] = None,
    fail_on_loss: Annotated[
        list[str] | None,
        option(
            "--fail-on-loss",
            help="Exit with code 3 if a space lost significantly on this measure since --baseline; may be repeated.",
            metavar="MEASURE",
        ),
    ] = None,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="With --fail-on-loss: spaces of the baseline may be left out.")
    ] = False,
    seeds: Annotated[
        int, whole("--seeds", help="Fit each space that has a random seed with this many seeds.", lowest=1)
    ] = 1,
    skip_bad: SkipBad = False,
    verbose: Verbose = False,
    as_json: AsJson = False,
) -> None:
    """Ask the same queries in several spaces and compare the answers.

    CORPUS is indexed first; a collection is used as it is. With -o, the same command continues after an interruption.
    """
    from retrieval.collection.open import collection_at, open_collection, open_data
    from retrieval.corpora.base import BadEntries, Unique
    from retrieval.experiment.byte_budgets.reductions import parse_budgets
    from retrieval.experiment.compare import compare as compare_spaces
    from retrieval.experiment.compare import compare_collection
    from retrieval.experiment.compare_options import CompareOptions
    from retrieval.experiment.fitted_encoders import FittedEncoders
    from retrieval.experiment.provenance import provenance
    from retrieval.experiment.save_weights import save_weights

    require_report_folder(out, "report.html", "comparison.json", "per_query.parquet", "trec/")
    earlier = _read_baseline(baseline, fail_on_loss or [], out, allow_missing)
    options = CompareOptions(
        judged_by=judged_by,
        fusion=fusion or save_fusion,
        health=health,
        budgets=() if budgets is None else parse_budgets(budgets),
        seeds=seeds,
        baseline=earlier,
        whole_baseline=bool(fail_on_loss) and not allow_missing,
    )
    indexes, folder = index or ["auto"], collection_at(corpus)
    if folder is None and save_fusion:
        raise _no_collection_error(corpus, space or ())
    if folder is not None and (indexes != ["auto"] or skip_bad):
        raise OptionError(f"{corpus} is a collection, indexed already: leave --index and --skip-bad out")
    fitted = FittedEncoders(out if folder is None else None, say, keep=True)
    with _keeping_fits(fitted, out) if folder is None else nullcontext():
        if folder is None:
            with reported(BadEntries(skip_bad)) as bad:
                opened = Unique(open_data(corpus, on_bad=bad), bad)
                specs = space or default_spaces_of(opened)
                comparison = compare_spaces(opened, specs, indexes, examples, provenance(), fitted, options)
        else:
            collection = open_collection(folder)
            comparison = compare_collection(collection, space, examples, provenance(), options)
            if save_fusion:
                say(save_weights(collection, comparison))
        changes = [] if earlier is None else _gated(comparison, earlier, fail_on_loss or [], allow_missing)
        _write_comparisons([comparison], out)
    if earlier is None:
        _show_comparisons([comparison], verbose, as_json)
    else:
        _show_changes(comparison, earlier, changes, fail_on_loss or [], verbose, as_json)


def demo(
    out: Annotated[Path, ReportFolder] = Path("nearby-demo"), verbose: Verbose = False, as_json: AsJson = False
) -> None:
    """Compare spaces on two corpora that need no download: handwritten digits and API documentation."""
    from retrieval.corpora.registry import open_corpus
    from retrieval.experiment.compare import compare as compare_spaces
    from retrieval.experiment.provenance import provenance

    require_report_folder(out, "report.html", "trec/")
    comparisons = []
    for corpus, specs in DEMO.items():
        say(f"comparing {len(specs)} spaces on {corpus} ...")
        comparisons.append(compare_spaces(open_corpus(f"corpus:{corpus}"), specs, provenance=provenance()))
    _write_comparisons(comparisons, out)
    _show_comparisons(comparisons, verbose, as_json)
    say("next: nearby index digits -s pixels -s pixels+pca:16 -o my-digits && nearby serve my-digits")


def _no_collection_error(corpus: str, specs: Sequence[str]) -> OptionError:
    """Return the error for --save-fusion without a collection, with the commands that make one."""
    spaces = " ".join(f"-s {shlex.quote(spec)}" for spec in specs) or "-s SPACE -s SPACE"
    return OptionError(
        f"--save-fusion stores weights with a collection, and {corpus} is not a collection: index it first, as in "
        f"nearby index {shlex.quote(corpus)} {spaces} -o DIR && nearby compare DIR --save-fusion"
    )


def _read_baseline(
    path: Path | None, measures: Sequence[str], out: Path | None, allow_missing: bool
) -> Baseline | None:
    """Read an earlier comparison, before any work."""
    from retrieval.experiment.baseline_file import read_baseline
    from retrieval.experiment.loss_gate import require_measures

    if allow_missing and not measures:
        raise OptionError("--allow-missing goes with --fail-on-loss: add it, or leave --allow-missing out")
    if path is None:
        if measures:
            raise OptionError("--fail-on-loss needs --baseline: name the comparison.json of an earlier comparison")
        return None
    if out is not None and _is_same_file(path, out / "comparison.json"):
        raise OptionError(f"-o {out} would replace the baseline: choose another folder for the report")
    baseline = read_baseline(path)
    require_measures(baseline, measures)
    return baseline


def _is_same_file(first: Path, second: Path) -> bool:
    """Return whether two names are one file, also through links; the file need not exist."""
    # Path.resolve raises an error for a loop of links
    return os.path.realpath(first) == os.path.realpath(second)


def _write_comparisons(comparisons: Sequence[Comparison], out: Path | None) -> None:
    """Write the report and the files for programs, all or none.

    That is done before anything is printed: what reads the table may end earlier, as `head` does.
    """
    from retrieval.experiment.trec_files import file_name, write_trec_files
    from retrieval.output import written_together
    from retrieval.report.comparison_file import write_machine_files
    from retrieval.report.html.comparison import write_page

    if out is None:
        return
    replaced = " (replaces the report that was there)" if (out / "report.html").exists() else ""
    with written_together():
        written = [f"report: {write_page(comparisons, out / 'report.html')}{replaced}"]
        written += [
            write_trec_files(comparison, out / "trec" / file_name(comparison.corpus)) for comparison in comparisons
        ]
        written += write_machine_files(comparisons, out)
    for sentence in written:
        say(sentence)


def _show_comparisons(comparisons: Sequence[Comparison], verbose: bool, as_json: bool) -> None:
    from retrieval.report.terminal.comparison import comparisons_json, comparisons_lines

    emit(Output(lambda: comparisons_lines(comparisons, verbose), lambda: comparisons_json(comparisons)), as_json)


@contextmanager
def _keeping_fits(fitted: FittedEncoders, out: Path | None) -> Iterator[None]:
    """Keep the fits of a comparison until its report is written; if it stops or fails before, say what is kept."""
    from retrieval.experiment.fitted_encoders import remains

    try:
        yield
    except KeyboardInterrupt:
        say(f"nearby: stopped; {remains(out)}")
        sys.exit(1)
    except Exception:
        if fitted.holds:
            say(remains(out))
        raise
    fitted.remove()


def _gated(comparison: Comparison, baseline: Baseline, measures: Sequence[str], allow_missing: bool) -> list[Change]:
    """Return what changed since an earlier comparison; refuse a gate through which a loss could pass unseen."""
    from retrieval.experiment.loss_gate import require_tested

    changes = baseline.changes(comparison)
    require_tested(baseline, changes, measures, comparison, allow_missing)
    return changes


def _show_changes(
    comparison: Comparison,
    baseline: Baseline,
    changes: Sequence[Change],
    measures: Sequence[str],
    verbose: bool,
    as_json: bool,
) -> None:
    """Print a comparison and what changed since an earlier one; end with code 3 on a significant loss."""
    from retrieval.report.terminal.baseline import compared_json, compared_lines, loss_line, only_one_lines

    for line in only_one_lines(baseline, comparison):
        say(line)
    emit(
        Output(
            lambda: compared_lines(comparison, verbose, baseline, changes),
            lambda: compared_json(comparison, baseline, changes),
        ),
        as_json,
    )
    losses = [change for change in changes if change.is_loss and change.measure in measures]
    for change in losses:
        say(f"nearby: {loss_line(change)}")
    if losses:
        raise typer.Exit(3)
    if measures:
        say(f"no space has lost significantly on {' or '.join(measures)} since {baseline.path}")
