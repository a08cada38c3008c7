"""The time limit of a whole call, for all its requests to all nodes together."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

from encoders.errors import OptionError
from encoders.numbers import read_number

TIMEOUT = "NEARBY_ELASTICSEARCH_TIMEOUT"
_SECONDS, _MOST = 60.0, 3600.0
#: What an attempt is given at least, also when the time is up: then it fails as one that took too long.
_LEAST = 0.05

_end: ContextVar[float | None] = ContextVar("end", default=None)


def timeout_seconds() -> float:
    """Return how long a call may take, from the environment.

    Raises
    ------
    OptionError
        When what stands there is no number of seconds.
    """
    value = os.environ.get(TIMEOUT)
    try:
        seconds = read_number(value) if value else _SECONDS
    except ValueError:
        seconds = 0
    if not 0 < seconds <= _MOST:
        raise OptionError(f"{TIMEOUT} should be a number of seconds, at most {_MOST:,.0f}; got '{value}'")
    return seconds


@contextmanager
def within(seconds: float) -> Iterator[float]:
    """Bound all requests of a block together; yield when it ends. A block inside another keeps the earlier end."""
    before, end = _end.get(), time.monotonic() + seconds
    end = end if before is None else min(before, end)
    token = _end.set(end)
    try:
        yield end
    finally:
        _end.reset(token)


def seconds_left() -> float:
    """Return how long a request that begins now may take."""
    end = _end.get()
    return timeout_seconds() if end is None else max(_LEAST, min(timeout_seconds(), end - time.monotonic()))


class AnswerError(ValueError):
    """An answer with status 200 that is no JSON object: a page of something in between."""


@cache
def transport_class() -> Any:
    """Return the official client's transport, whose attempts share one deadline, and whose answers are objects.

    Each node is asked at most once; a silent one leaves the others their share of the time.
    """
    from elastic_transport import Transport
    from elastic_transport.client_utils import DEFAULT

    class SharedDeadline(Transport):
        def perform_request(self, method: str, target: str, **more: Any) -> Any:
            nodes = 1 if more.get("max_retries") == 0 else len(self.node_pool)
            more["max_retries"] = nodes - 1
            asked = more.get("request_timeout", DEFAULT)
            if asked is DEFAULT:
                more["request_timeout"] = seconds_left() / nodes
            elif asked is not None and _end.get() is not None:
                more["request_timeout"] = min(asked, seconds_left())
            answer = super().perform_request(method, target, **more)
            named = answer.meta.headers.get("x-elastic-product")  # of anything else the client itself complains
            whole = method == "HEAD" or not answer.body or isinstance(answer.body, dict)
            if named and not whole and 200 <= answer.meta.status < 300:
                raise AnswerError(f"it is no JSON object, but begins with {str(answer.body)[:40]!r}")
            return answer

    return SharedDeadline
