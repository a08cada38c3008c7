"""The result of measuring the health of spaces: findings, remedies, verdicts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.evaluation.health import checks
from retrieval.evaluation.health.checks import Check, Level
from retrieval.evaluation.health.trials import Trial


@dataclass(frozen=True)
class Finding:
    """One value of a space with its verdict.

    Attributes
    ----------
    check : Check
    value, chance : float or None
        None when it does not apply, or chance has no level.
    chance_range : (float, float) or None
        Lowest and highest chance level of several shuffles; None when it is not shuffled.
    level : Level or None
        None when it does not apply.
    text : str
        Why it does not apply, or what else was found.
    remedy : Trial or None
        The remedy that improves the value most, where it is not fine.
    """

    check: Check
    value: float | None = None
    chance: float | None = None
    level: Level | None = None
    text: str = ""
    remedy: Trial | None = None
    chance_range: tuple[float, float] | None = None


@dataclass(frozen=True)
class SpaceHealth:
    """The health of one space.

    Attributes
    ----------
    spec, dim, kind, metric : str, int, str, str
    findings : list of Finding
    trials : list of Trial
        Every remedy that applies.
    chosen : Trial or None
        The remedy that the choosing half of the queries prefers; its gain is measured on the other half.
    quality : float or None
        Mean of the measure over all queries, without a remedy.
    occurrence : ndarray float64 (n,)
        In how many lists of ten each sampled item is.
    reason : str
        Why nothing can be said of the space; empty otherwise. Such a space is poor.
    """

    spec: str
    dim: int
    kind: str
    metric: str
    findings: list[Finding] = field(default_factory=list)
    trials: list[Trial] = field(default_factory=list)
    chosen: Trial | None = None
    quality: float | None = None
    occurrence: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    reason: str = ""

    @property
    def level(self) -> Level:
        """The worst verdict."""
        if self.reason:
            return Level.POOR
        return checks.worst([finding.level for finding in self.findings if finding.level is not None])


@dataclass
class Health:
    """The health of several spaces on one sample."""

    corpus: str
    modality: str
    n_items: int
    n_sampled: int
    n_queries: int
    judged_by: str | None
    measure: str
    seed: int
    spaces: list[SpaceHealth] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def level(self) -> Level:
        """The worst verdict of all spaces."""
        return checks.worst([space.level for space in self.spaces])
