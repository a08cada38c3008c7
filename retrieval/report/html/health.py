"""The health of spaces as HTML: a section of the comparison's page, and a page of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from retrieval.evaluation.health.checks import ANTIHUBS, CHECKS, HUBNESS, Check
from retrieval.experiment.health.result import Finding, Health, SpaceHealth
from retrieval.output import writing
from retrieval.report.figures.health import occurrence_svg, remedies_svg
from retrieval.report.health_text import chosen_text, remedy_text, sample_text, shown, verdict_text
from retrieval.report.html.provenance import provenance_data
from retrieval.report.html.template import render
from retrieval.report.terminal.health import remedy_cells

#: Signs of the verdicts, for the eye; words are beside them for a screen reader.
_SIGNS = {"fine": "", "watch": "!", "poor": "✗"}


def write_health(health: Health, folder: Path) -> Path:
    """Write ``health.html`` into a folder; return its path.

    Raises
    ------
    ArtifactError
        When it cannot be written.
    """
    content = render(
        "health.html",
        title=f"nearby: health of spaces on {health.corpus}",
        health=health_data(health, "h"),
        provenance_entries=provenance_data(health.provenance),
    )
    with writing(folder / "health.html") as file:
        file.write(content.encode())
    return folder / "health.html"


def health_data(health: Health | None, key: str) -> dict[str, Any] | None:
    """Return what a section shows of the health of spaces; None without one.

    Parameters
    ----------
    health : Health, optional
    key : str
        Prefix of the ids of the figures.
    """
    if health is None or not health.spaces:
        return None
    return {
        "facts": sample_text(health),
        "answer": verdict_text(health),
        "measure": health.measure,
        "notes": health.notes,
        "spaces": [space.spec for space in health.spaces],
        "rows": [row for check in CHECKS if (row := _row(check, health.spaces)) is not None],
        "details": [_details(space, health, f"{key}-health-{number}") for number, space in enumerate(health.spaces)],
        "occurrence": occurrence_svg(health, f"{key}-occurrence"),
        "hubness": HUBNESS.name,
        "antihubs": ANTIHUBS.name,
    }


def _row(check: Check, spaces: list[SpaceHealth]) -> dict[str, Any] | None:
    """Return a row of the table: a check over all spaces; None when it applies to none."""
    of = [next((finding for finding in space.findings if finding.check is check), None) for space in spaces]
    if not any(finding is not None and finding.value is not None for finding in of):
        return None
    return {"name": check.name, "meaning": check.meaning, "cells": [_cell(finding) for finding in of]}


def _cell(finding: Finding | None) -> dict[str, str]:
    if finding is None or finding.value is None:
        return {"text": "–", "chance": "", "level": "", "sign": ""}
    level = str(finding.level or "")
    chance = "" if finding.chance is None else shown(finding.check, finding.chance)
    return {
        "text": shown(finding.check, finding.value),
        "chance": chance,
        "level": level,
        "sign": _SIGNS.get(level, ""),
    }


def _details(space: SpaceHealth, health: Health, key: str) -> dict[str, Any]:
    texts = [(finding.check.name, remedy_text(finding, health.measure)) for finding in space.findings]
    return {
        "spec": space.spec,
        "level": str(space.level),
        "reason": space.reason,
        "findings": [(name, text) for name, text in texts if text],
        "chosen": chosen_text(space, health.measure),
        "remedies": [{"cells": remedy_cells(trial), "stage": trial.stage} for trial in space.trials],
        "figure": remedies_svg(space, health.measure, key),
    }
