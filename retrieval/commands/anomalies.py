"""Verbs of `nearby anomalies`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from encoders.errors import OptionError
from retrieval.commands.anomaly_parameters import (
    ByOrder,
    DetectorFolder,
    DetectorSpaces,
    FalseAlarms,
    HoldOut,
    Neighbour,
    NormalLabels,
    Score,
    Standardise,
    share_or_estimate,
)
from retrieval.commands.parameters import AsJson, Fresh, ReportFolder, Seed, SkipBad, argument, option, share, whole
from retrieval.commands.printing import emit, reported, say
from retrieval.commands.validation import require_other_out, require_report_folder
from retrieval.report.terminal.printable import shell_line, standard_output
from retrieval.report.terminal.view import Output

if TYPE_CHECKING:
    from retrieval.applications.anomaly.detection import Rule
    from retrieval.applications.anomaly.detector import AnomalyDetector
    from retrieval.corpora.base import Corpus


def fit(
    data: Annotated[str, argument("DATA", "Name or path of a corpus, or folder of a collection.")],
    out: Annotated[Path, option("-o", "--out", help="Folder of the detector.", metavar="FOLDER")],
    space: DetectorSpaces = None,
    score: Score = "auto",
    normal: NormalLabels = None,
    contaminated: Annotated[
        str | None,
        typer.Option(
            "--contaminated",
            help="If DATA may contain anomalies: leave out this share of the strangest items and fit again, e.g. 5%. "
            "Without a share, leave out items whose scores a gap separates from the others.",
            parser=share_or_estimate,
            metavar="[SHARE]",
        ),
    ] = None,
    hold_out: HoldOut = None,
    by_order: ByOrder = False,
    k: Neighbour = 5,
    standardise: Standardise = None,
    seed: Seed = 0,
    fresh: Fresh = False,
    skip_bad: SkipBad = False,
    as_json: AsJson = False,
) -> None:
    """Fit an anomaly detector on normal items.

    Some normal items are held out. Their scores turn the score of a new item into a p-value.
    """
    from retrieval.applications.anomaly.detector import AnomalyDetector
    from retrieval.applications.anomaly.saved_detector import require_new
    from retrieval.collection.open import open_data
    from retrieval.corpora.base import BadEntries, Unique
    from retrieval.report.terminal.anomalies import fitted_json, fitted_lines

    require_new(out, fresh)
    with reported(BadEntries(skip_bad)) as bad:
        opened = Unique(open_data(data, on_bad=bad), bad)
        specs = space or _default_detector_space(opened, normal or ())
        detector = AnomalyDetector.fit(
            opened, specs, score=score, normal=normal or (), by_order=by_order, k=k, standardise=standardise, seed=seed,
            say=say, **_given(contaminated=contaminated, hold_out=hold_out),
        )  # fmt: skip
    detector.save(out)
    emit(Output(fitted_lines, fitted_json, detector), as_json)
    say(f"detector: {out}")
    say(f"next: {shell_line(['nearby', 'anomalies', 'score', str(out), data, *_possible_rate(detector)])}")


def score(
    folder: DetectorFolder,
    data: Annotated[str, argument("DATA", "Name or path of a corpus, or - for lines of JSON from standard input.")],
    false_alarms: FalseAlarms = None,
    fdr: Annotated[
        float | None,
        typer.Option(
            "--fdr",
            help="Instead of --false-alarms: largest expected share of normal items among the flagged ones.",
            parser=share,
            metavar="SHARE",
        ),
    ] = None,
    as_normal: Annotated[
        bool, typer.Option("--as-normal", help="All items of DATA are normal: test whether their scores have drifted.")
    ] = False,
    k: Annotated[int, whole("-k", help="Number of items shown.", lowest=1)] = 20,
    out: Annotated[
        Path | None,
        option(
            "-o", "--out", help="Write all items as .csv or .jsonl, or the strangest as a .html page.", metavar="FILE"
        ),
    ] = None,
    skip_bad: SkipBad = False,
    as_json: AsJson = False,
) -> None:
    """Score items, strangest first, with p-values, and flag anomalies.

    With - as DATA, each line of standard input (an array of numbers, a text, an object with vector or text, or for a
    table an object of columns) is answered by a line of JSON.
    """
    from retrieval.applications.anomaly.detection import Rule, detect
    from retrieval.applications.anomaly.detector import AnomalyDetector

    rule = Rule.read(false_alarms, fdr)
    if data == "-":  # first, as a stream needs no page, whose imports take longer than its start
        if as_normal or out is not None:
            raise OptionError("a stream is answered line by line: leave --as-normal and -o out")
        _answer_stream(AnomalyDetector.load(folder), rule)
        return
    from retrieval.applications.anomaly.data import open_for
    from retrieval.applications.anomaly.strangest import EXPLAINED, explain_items
    from retrieval.corpora.base import BadEntries
    from retrieval.experiment.provenance import provenance
    from retrieval.report.html.scored_items import write_scored_items
    from retrieval.report.terminal.anomalies import (
        detection_json,
        detection_lines,
        is_page,
        require_table_name,
        write_detection,
    )

    if out is not None:
        require_table_name(out)
        require_other_out(out, data)
    detector = AnomalyDetector.load(folder)
    if data == detector.record.corpus:
        say("the detector was fitted on a part of these items: p-values hold for new items, not for that part")
    with reported(BadEntries(skip_bad)) as bad:
        scored = open_for(detector, data, bad)
        detection = detect(detector, scored, rule, as_normal)
        explained = explain_items(detector, scored, detection.groups[:EXPLAINED], detection.ids) if is_page(out) else []
    if out is not None and is_page(out):
        write_scored_items(detection, explained, detector, provenance(), out)
    elif out is not None:
        note = write_detection(detection, out)
        if note:
            say(note)
    if out is not None:
        say(f"written: {out}")
    emit(Output(lambda: detection_lines(detection, k), lambda: detection_json(detection)), as_json)
    if detection.ids:
        strangest = detection.ids[int(detection.order[0])]
        say(f"next: {shell_line(['nearby', 'anomalies', 'explain', str(folder), f'@{strangest}', '--data', data])}")


def explain(
    folder: DetectorFolder,
    query: Annotated[
        str, argument("QUERY", "A text, the path of a picture, sound or vector, a JSON array or row, or @id.")
    ],
    data: Annotated[str | None, option("--data", help="The data that an @id is looked up in.", metavar="DATA")] = None,
    k: Annotated[int, whole("-k", help="Number of the nearest normal items.", lowest=1)] = 3,
    out: Annotated[
        Path | None,
        option("-o", "--out", help="Write a picture with its reconstruction and heat map as .png.", metavar="FILE"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Explain why an item is strange: components that raise its score, with observed and expected values."""
    from retrieval.applications.anomaly.data import read_item
    from retrieval.applications.anomaly.detector import AnomalyDetector
    from retrieval.report.figures.heat_map import write_heat_map
    from retrieval.report.terminal.anomalies import explanation_json, explanation_lines

    require_other_out(out, query, *([] if data is None else [data]))
    detector = AnomalyDetector.load(folder)
    explanation = detector.explain(read_item(detector, query, data).content, k)
    if out is not None:
        write_heat_map(explanation, out)
        say(f"written: {out}")
    emit(Output(explanation_lines, explanation_json, explanation), as_json)


def compare(
    data: Annotated[str, argument("DATA", "Name or path of a corpus with labels.")],
    normal: Annotated[
        list[str],
        option(
            "--normal", help="Label of the normal items; repeat for several. All others are anomalies.", metavar="LABEL"
        ),
    ],
    space: DetectorSpaces = None,
    score: Score = "auto",
    hold_out: HoldOut = None,
    test: Annotated[
        float | None,
        typer.Option(
            "--test",
            help="Share of the normal items for the test. [default: 20%]",
            parser=share,
            metavar="SHARE",
        ),
    ] = None,
    by_order: ByOrder = False,
    k: Neighbour = 5,
    standardise: Standardise = None,
    false_alarms: FalseAlarms = None,
    seed: Seed = 0,
    out: Annotated[Path | None, ReportFolder] = None,
    skip_bad: SkipBad = False,
    as_json: AsJson = False,
) -> None:
    """Compare spaces as anomaly detectors on labelled data, beside trivial detectors.

    They are fitted on normal items alone, and tested on other normal items and all anomalies.
    """
    from retrieval.applications.anomaly.comparison import compare_detectors
    from retrieval.applications.anomaly.detection import Rule
    from retrieval.collection.open import open_data
    from retrieval.corpora.base import BadEntries, Unique
    from retrieval.experiment.provenance import provenance
    from retrieval.report.html.anomalies import write_detectors
    from retrieval.report.terminal.detectors import detectors_json, detectors_lines

    require_report_folder(out, "anomalies.html")
    rate = Rule.read(false_alarms, None).rate
    with reported(BadEntries(skip_bad)) as bad:
        opened = Unique(open_data(data, on_bad=bad), bad)
        specs = space or _default_detector_space(opened, normal)
        comparison = compare_detectors(
            opened, specs, normal, score=score, by_order=by_order, k=k, standardise=standardise, false_alarms=rate,
            seed=seed, explain=out is not None, say=say, **_given(hold_out=hold_out, test=test),
        )  # fmt: skip
    if out is not None:
        say(f"report: {write_detectors(comparison, provenance(), out)}")
    emit(Output(detectors_lines, detectors_json, comparison), as_json)


def _default_detector_space(corpus: Corpus, normal: Sequence[str]) -> tuple[str, ...]:
    """Return a space for a detector when none is named, and say which."""
    from retrieval.applications.anomaly.choice import default_space

    spec = default_space(corpus, normal)
    say(f"no space is named, so nearby uses:  -s {spec}")
    return (spec,)


def _answer_stream(detector: AnomalyDetector, rule: Rule) -> None:
    """Answer the lines of standard input as they come."""
    from retrieval.applications.anomaly.stream import answers, widen_pipe

    with standard_output():
        stream: Any = sys.stdin.buffer
        widen_pipe(stream)
        for lines in answers(detector, stream, rule):
            sys.stdout.buffer.write(lines)
            sys.stdout.buffer.flush()


def _possible_rate(detector: AnomalyDetector) -> list[str]:
    """Return the option with the smallest rate of false alarms, where the default needs more held-out items."""
    from retrieval.applications.anomaly.conformal import needed_items, percent, possible_rate
    from retrieval.applications.anomaly.detection import FALSE_ALARMS

    count = detector.record.n_distinct
    return [] if count >= needed_items(FALSE_ALARMS) else ["--false-alarms", percent(possible_rate(count))]


def _given(**values: Any) -> dict[str, Any]:
    """Return the options that were given; the others keep the defaults of the function that reads them."""
    return {name: value for name, value in values.items() if value is not None}
