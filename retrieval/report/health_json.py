"""The health of spaces as values for JSON."""

from __future__ import annotations

from typing import Any

from retrieval.evaluation.health.trials import Trial
from retrieval.experiment.health.result import Finding, Health, SpaceHealth


def health_json(health: Health) -> dict[str, Any]:
    """Return the health of spaces; `retrieval.report.json.plain` makes JSON values of it."""
    return {
        "corpus": health.corpus,
        "modality": health.modality,
        "n_items": health.n_items,
        "n_sampled": health.n_sampled,
        "n_queries": health.n_queries,
        "judged_by": health.judged_by,
        "measure": health.measure if health.judged_by else None,
        "seed": health.seed,
        "verdict": str(health.level),
        "spaces": [_space_json(space) for space in health.spaces],
        "notes": health.notes,
        "provenance": health.provenance,
    }


def _space_json(space: SpaceHealth) -> dict[str, Any]:
    return {
        "spec": space.spec,
        "dim": space.dim,
        "kind": space.kind,
        "metric": space.metric,
        "verdict": str(space.level),
        "reason": space.reason or None,
        "quality": space.quality,
        "findings": {finding.check.name: _finding_json(finding) for finding in space.findings},
        "remedies": [_trial_json(trial) for trial in space.trials],
        "chosen": None if space.chosen is None else space.chosen.label,
    }


def _finding_json(finding: Finding) -> dict[str, Any]:
    return {
        "value": finding.value,
        "chance": finding.chance,
        "chance_range": None if finding.chance_range is None else list(finding.chance_range),
        "verdict": None if finding.level is None else str(finding.level),
        "note": finding.text or None,
        "try": None if finding.remedy is None else finding.remedy.label,
    }


def _trial_json(trial: Trial) -> dict[str, Any]:
    gain = trial.gain
    return {
        "name": trial.name,
        "detail": trial.detail or None,
        "stage": trial.stage or None,
        "values": trial.values,
        "choosing_half": trial.choosing,
        "gain": None
        if gain is None
        else {
            "before": gain.before,
            "after": gain.after,
            "difference": gain.difference,
            "interval": list(gain.interval),
            "queries": gain.queries,
            "verdict": str(gain.verdict),
        },
    }
