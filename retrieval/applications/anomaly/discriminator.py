"""Discriminator score: whether the discriminator of a GAN takes an item for a real one."""

from __future__ import annotations

from typing import Any, ClassVar

from encoders.codes import Codes
from retrieval.applications.anomaly.score import Score
from retrieval.applications.anomaly.stages import Stages


class Discriminator(Score):
    """Minus the logit of the discriminator for an item with the code that is inferred from it.

    References
    ----------
    Zenati, Foo, Lecouat, Manek & Chandrasekhar, Efficient GAN-based anomaly detection, ICLR 2018 workshop, §3.
    """

    name: ClassVar[str] = "discriminator"
    meaning: ClassVar[str] = "minus the discriminator's logit"

    @classmethod
    def why_not(cls, stages: Stages) -> str:
        """Return why an encoder has no discriminator."""
        last: Any = stages.learners[-1] if stages.learners else None
        if not hasattr(last, "discriminate"):
            return "only gan is trained with a discriminator of items"
        if last.__sklearn_is_fitted__() and not last.has_discriminator:
            return "it was saved by an older nearby, which left the discriminator out: train it again"
        return ""

    def _score(self, rows: Codes) -> Any:
        last: Any = self.stages.learners[-1]
        return -last.discriminate(self.stages.before_last(rows))
