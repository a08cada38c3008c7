"""The time that a training may take: read from text, and divided among the stages of an encoder."""

from __future__ import annotations

import math
import re

from encoders.base import Encoder
from encoders.errors import OptionError
from retrieval.spaces.training_history import neural_stages

_MINUTES = {"s": 1 / 60, "m": 1.0, "h": 60.0}


def read_minutes(text: str) -> float:
    """Return the minutes of a time span such as 90s, 5m or 1h; a number alone is minutes.

    Raises
    ------
    OptionError
        When the text is not a time span, or is shorter than one second.

    Examples
    --------
    >>> read_minutes("90s"), read_minutes("10m"), read_minutes("1h"), read_minutes("2.5")
    (1.5, 10.0, 60.0, 2.5)
    >>> read_minutes("soon")
    Traceback (most recent call last):
    encoders.errors.OptionError: a time budget is 1s or more, as in 90s, 5m or 1h (a number alone is minutes); got ...
    """
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([smh]?)", text.lower())
    minutes = 0.0 if match is None else float(match[1]) * _MINUTES[match[2] or "m"]
    if not _MINUTES["s"] <= minutes < math.inf:
        raise OptionError(f"a time budget is 1s or more, as in 90s, 5m or 1h (a number alone is minutes); got '{text}'")
    return minutes


def with_time_budget(encoder: Encoder, minutes: float | None) -> Encoder:
    """Divide a time budget equally among the stages that are trained by epochs, and return the encoder.

    None leaves every stage as it is.

    Raises
    ------
    OptionError
        When no stage is trained by epochs.
    """
    stages = neural_stages(encoder)
    if minutes is not None and not stages:
        raise OptionError(f"'{encoder}' is not trained by epochs, so it has no time budget: leave --time-budget out")
    for stage in stages if minutes is not None else ():
        share = round(minutes / len(stages), 4)  # type: ignore[operator]
        stage.set_params(minutes=int(share) if share == int(share) else share)
    return encoder
