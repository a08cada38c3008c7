"""Negative log-likelihood: how improbable an item is under a density or a variational autoencoder."""

from __future__ import annotations

from typing import Any, ClassVar

from encoders.codes import Codes
from retrieval.applications.anomaly.score import Score
from retrieval.applications.anomaly.stages import Stages

#: Codes sampled for the bound of a variational autoencoder.
DRAWS = 16


class Likelihood(Score):
    """Minus the log-likelihood in nats; of a variational autoencoder, minus its evidence lower bound.

    References
    ----------
    Bishop, Novelty detection and neural network validation, IEE Proc. Vision, Image and Signal Processing 141(4), 1994;
    An & Cho, Variational autoencoder based anomaly detection using reconstruction probability, 2015.
    """

    name: ClassVar[str] = "likelihood"
    meaning: ClassVar[str] = "minus the log-likelihood, in nats"

    @classmethod
    def why_not(cls, stages: Stages) -> str:
        """Return why an encoder has no likelihood."""
        if _last_has(stages, "log_likelihood") or _last_has(stages, "elbo"):
            return ""
        return "its last stage is not a density: put one after it, such as gaussian or mixture, or use vae"

    def _score(self, rows: Codes) -> Any:
        last: Any = self.stages.learners[-1]
        inputs = self.stages.before_last(rows)
        if hasattr(last, "elbo"):  # for a VAE the bound; its log_likelihood needs binary items and many draws
            return -last.elbo(inputs, draws=DRAWS, same_draws=True)
        return -last.log_likelihood(inputs)


def _last_has(stages: Stages, method: str) -> bool:
    return bool(stages.learners) and hasattr(stages.learners[-1], method)
