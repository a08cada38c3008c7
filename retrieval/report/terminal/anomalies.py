"""Anomalies as plain lines of a terminal, as JSON, and as files."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import wrap
from typing import Any

from encoders.errors import BadItemError
from encoders.numbers import counted
from retrieval.applications.anomaly.conformal import needed_items, smallest_p_value
from retrieval.applications.anomaly.detection import FALSE_ALARMS, Detection
from retrieval.applications.anomaly.detector import AnomalyDetector
from retrieval.applications.anomaly.explanation import Explanation
from retrieval.output import writing
from retrieval.report.anomaly_words import (
    NAME,
    TOP,
    drift_lines,
    identical_sentence,
    number,
    often,
    p_value_text,
    table_value,
    unknown_words_sentence,
)
from retrieval.report.csv_table import csv_table
from retrieval.report.terminal.listing import WIDTH, aligned
from retrieval.report.terminal.printable import table_word
from retrieval.search.result import cut_at_word

#: Fields of a line of the table that `score -o` writes.
FIELDS = ("rank", "id", "label", "score", "p_value", "flagged", "identical_to")


def fitted_lines(detector: AnomalyDetector) -> list[str]:
    """Return the spaces of a detector with their scores, and how small a p-value can be."""
    record = detector.record
    rows = [[str(member.encoder), member.score.name, member.score.meaning] for member in detector.members]
    lines = [
        *aligned(["space", "score", "what it is"], rows, specs=[0]),
        f"fitted on {counted(record.n_training, 'item')}, calibrated on {counted(len(detector.calibration), 'other')}",
    ]
    if record.n_distinct < len(detector.calibration):
        lines[-1] += f", {record.n_distinct:,} of them different"
    if len(detector.members) > 1:
        ranked = counted(len(detector.members[0].reference), "held-out item")
        lines.append(f"several spaces are combined by the mean rank among {ranked}")
    if record.n_distinct < needed_items(FALSE_ALARMS):
        lines.append(
            f"the smallest possible p-value is {smallest_p_value(record.n_distinct):.3g}: "
            "--false-alarms below it needs more held-out items"
        )
    return lines


def fitted_json(detector: AnomalyDetector) -> dict[str, Any]:
    """Return the same as JSON values."""
    record = detector.record
    return {
        "corpus": record.corpus,
        "normal": record.normal,
        "spaces": [
            {"space": str(member.encoder), "score": member.score.name, **member.score.options()}
            for member in detector.members
        ],
        "n_training": record.n_training,
        "n_held_out": record.n_held_out,
        "n_calibration": len(detector.calibration),
        "contaminated": record.contaminated,
        "by_order": record.by_order,
        "n_distinct": record.n_distinct,
        "smallest_p_value": smallest_p_value(record.n_distinct),
    }


def detection_lines(detection: Detection, k: int) -> list[str]:
    """Return the `k` strangest items with score, p-value and verdict, and a summary."""
    lines: list[str] = []
    ranks = {row: rank for rank, row in enumerate(detection.order.tolist(), start=1)}
    shown = detection.groups[:k]
    rows = [
        [
            ranks[row],
            "!" if detection.flagged[row] else "",
            number(float(detection.scores[row])),
            p_value_text(float(detection.p_values[row])),
            table_word(detection.ids[row]),
            detection.labels[row] or "",
            _title(detection, detection.ids[row], row),
        ]
        for row in (group[0] for group in shown)
    ]
    if rows:
        head, *table = aligned(["", "", "score", "p-value", "id", "label", "title"], rows, right=[0, 2, 3])
        lines.append(head)
        for line, group in zip(table, shown, strict=True):
            others = identical_sentence(detection.identical_ids(group), table_word)
            lines += [line, *wrap(others, WIDTH, initial_indent=6 * " ", subsequent_indent=6 * " ")]
    left = len(detection.ids) - sum(map(len, shown))
    if left:
        lines.append(f"… and {left:,} more: -k shows more, -o FILE.csv writes all")
    flagged = int(detection.flagged.sum())
    lines.append(f"{flagged:,} of {counted(len(detection.ids), 'item')} flagged (!): {detection.rule.text}")
    return [*lines, *([detection.note] if detection.note else []), *drift_lines(detection)]


def _title(detection: Detection, id: str, row: int) -> str:
    title = detection.titles[row]
    return "" if title is None or title == id else title


def detection_json(detection: Detection) -> dict[str, Any]:
    """Return every item, strangest first, and the summary."""
    drift = detection.drift
    return {
        "corpus": detection.corpus,
        "spaces": detection.spaces,
        "rule": detection.rule.kind,
        "rate": detection.rule.rate,
        "n_calibration": detection.n_calibration,
        "flagged": int(detection.flagged.sum()),
        "drift": None
        if drift is None
        else {"statistic": drift.statistic, "p_value": drift.p_value, "found": drift.found, "assumed": "all normal"},
        "items": list(detection.records()),
    }


def write_detection(detection: Detection, path: Path) -> str:
    """Write every item, strangest first, as .csv or .jsonl; return a remark on changed cells, see `csv_table`.

    Raises
    ------
    BadItemError
        For another suffix.
    """
    suffix = path.suffix.lower()
    require_table_name(path)
    note = ""
    if suffix == ".csv":
        text, note = csv_table([FIELDS, *(list(record.values()) for record in detection.records())])
    else:
        text = "".join(f"{json.dumps(record, ensure_ascii=False)}\n" for record in detection.records())
    with writing(path) as file:
        file.write(text.encode())
    return note


def require_table_name(path: Path) -> None:
    """Raise an error for a file that is no .csv, .jsonl or .html, before any work.

    Raises
    ------
    BadItemError
    """
    if path.suffix.lower() not in (".csv", ".jsonl") and not is_page(path):
        raise BadItemError(f"{path} should end in .csv, .jsonl or .html")


def is_page(path: Path | None) -> bool:
    """Return whether a file is named as a page."""
    return path is not None and path.suffix.lower() in (".html", ".htm")


def explanation_lines(explanation: Explanation) -> list[str]:
    """Return score and p-value, the components that raise the score, and the nearest normal items."""
    lines = [
        f"score {number(explanation.score)}, p-value {p_value_text(explanation.p_value)}: {often(explanation.p_value)}"
    ]
    if len(explanation.by_space) > 1:
        scores = [[spec, number(value)] for spec, value in explanation.by_space.items()]
        lines += ["", *aligned(["space", "score"], scores, right=[1], specs=[0]), f"explained by {explanation.space}"]
    shown = explanation.components[:TOP]
    if shown:
        known = any(component.nearest is not None for component in shown)
        write = table_value if explanation.by_column else number
        head = ["", "share", "observed", "expected", *(["nearest normal"] if known else [])]
        rows = [
            [
                cut_at_word(component.name, NAME),
                f"{component.share:.1%}",
                write(component.observed) + (" *" if component.is_rare else ""),
                write(component.expected),
                *([write(component.nearest)] if known else []),
            ]
            for component in shown
        ]
        lines += ["", *aligned(head, rows, right=range(1, len(head)))]
        rest = len(explanation.components) - len(shown)
        more = (
            f"; {rest:,} others share {sum(component.share for component in explanation.components[TOP:]):.1%}"
            if rest
            else ""
        )
        lines.append(f"share: {explanation.means}{more}")
        if any(component.is_rare for component in shown):
            lines.append("* rare or absent among the training items; all such categories count as one")
    elif not explanation.unknown_words:
        lines += ["", "no single component raises the score"]
    unknown = unknown_words_sentence(explanation)
    lines += ["", *wrap(unknown, WIDTH, subsequent_indent="  ")] if unknown else []
    if explanation.nearest:
        near = [
            [
                number(neighbour.distance),
                table_word(neighbour.shown.id),
                neighbour.shown.label or "",
                _name(neighbour.shown),
            ]
            for neighbour in explanation.nearest
        ]
        lines += ["", "nearest normal items", *aligned(["distance", "id", "label", "title"], near, right=[0])]
    return lines


def _name(shown: Any) -> str:
    return "" if shown.title is None or shown.title == shown.id else shown.title


def explanation_json(explanation: Explanation) -> dict[str, Any]:
    """Return the same as JSON values, with all components."""
    return {
        "space": explanation.space,
        "score": explanation.score,
        "p_value": explanation.p_value,
        "by_space": explanation.by_space,
        "share_means": explanation.means,
        "components": [
            {
                "name": component.name,
                "share": component.share,
                "observed": component.observed,
                "expected": component.expected,
                "nearest_normal": component.nearest,
                **({"rare": component.is_rare} if explanation.by_column else {}),
            }
            for component in explanation.components
        ],
        **({"unknown_words": explanation.unknown_words} if explanation.unknown_words else {}),
        "nearest": [
            {
                "id": neighbour.shown.id,
                "label": neighbour.shown.label,
                "title": neighbour.shown.title,
                "distance": neighbour.distance,
            }
            for neighbour in explanation.nearest
        ],
    }
