"""The health of spaces as plain lines of a terminal, and as JSON."""

from __future__ import annotations

import textwrap
from typing import Any

from retrieval.evaluation.health.checks import ANTIHUBS, CHECKS, HUBNESS, Level
from retrieval.evaluation.health.trials import Trial
from retrieval.experiment.health.result import Finding, Health, SpaceHealth
from retrieval.report.health_json import health_json
from retrieval.report.health_text import (
    chosen_text,
    claim,
    interval_text,
    remedy_text,
    sample_text,
    shown,
    verdict_text,
)
from retrieval.report.json import plain
from retrieval.report.signed import signed
from retrieval.report.spec_wrapping import wrapped
from retrieval.report.terminal.listing import WIDTH, aligned

_HEAD = ("value", "here", "by chance", "verdict", "note")


def health_lines(health: Health, verbose: bool = False) -> list[str]:
    """Return the findings of every space; `verbose` adds what each value means, its limits, and every remedy."""
    lines = [
        sample_text(health),
        verdict_text(health),
        *(line for note in health.notes for line in textwrap.wrap(f"note: {note}", WIDTH)),
    ]
    for space in health.spaces:
        lines += ["", *_space_lines(space, health.measure, verbose)]
    if verbose:
        lines += ["", *_meanings()]
    return lines


def _space_lines(space: SpaceHealth, measure: str, verbose: bool) -> list[str]:
    quality = "" if space.quality is None else f"   {measure} {space.quality:.3f}"
    lines = [
        *wrapped(space.spec, WIDTH),
        f"{space.kind}, {space.dim:,} numbers, {space.metric}{quality}   {space.level}",
    ]
    if space.reason:
        return [*lines, f"  {space.reason}"]
    applied = [finding for finding in space.findings if finding.value is not None]
    lines += aligned(_HEAD, [_cells(finding) for finding in applied], right=[1, 2])
    for finding in applied:
        if text := remedy_text(finding, measure):
            lines += _folded(f"{finding.check.name}: {text}")
    if text := chosen_text(space, measure):
        lines += _folded(text)
    if verbose:
        lines += _remedy_lines(space, measure)
        absent = [f"{finding.check.name}: {finding.text}" for finding in space.findings if finding.value is None]
        lines += ["", "does not apply", *(line for text in absent for line in _folded(text))]
    return lines


def _cells(finding: Finding) -> list[str]:
    check = finding.check
    chance = shown(check, finding.chance)
    return [check.name, shown(check, finding.value), chance, str(finding.level or "–"), finding.text]


def _folded(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)


def _remedy_lines(space: SpaceHealth, measure: str) -> list[str]:
    if not space.trials:
        return ["  no remedy applies"]
    head = ["remedy", HUBNESS.name, ANTIHUBS.name, measure, "95% interval", "verdict", "add to the spec"]
    rows = [[*remedy_cells(trial), trial.stage] for trial in space.trials]
    return ["", *aligned(head, rows, right=[1, 2, 3])]


def remedy_cells(trial: Trial) -> list[str]:
    """Return name, hubness, anti-hubs, difference of the measure, its interval and the verdict of a remedy."""
    gain = trial.gain
    measured = ["–", "–", "–"] if gain is None else [signed(gain.difference), interval_text(gain), claim(gain)]
    values = [shown(check, trial.values.get(check.name)) for check in (HUBNESS, ANTIHUBS)]
    return [trial.label, *values, *measured]


def _meanings() -> list[str]:
    lines = ["what the values mean, and from where on they are watched and poor"]
    for check in CHECKS:
        word = "below" if check.lower_is_worse else "from"
        unit = " x chance" if check.relative else ""
        poor = "never poor" if check.poor != check.poor else f"poor {word} {_limit(check.poor, check.share)}{unit}"
        limits = f"watch {word} {_limit(check.watch, check.share)}{unit}, {poor}"
        lines += _folded(f"{check.name}: {check.meaning}. {limits} ({check.source})")
    return lines


def _limit(value: float, is_share: bool) -> str:
    return f"{value:.0%}" if is_share else f"{value:g}"


def health_values(health: Health) -> dict[str, Any]:
    """Return the health of spaces as JSON values."""
    return plain(health_json(health))  # type: ignore[no-any-return]


def is_poor(health: Health) -> bool:
    """Return whether a space has a poor value."""
    return health.level is Level.POOR
