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
_DEFAULT_SECONDS, _MAX_SECONDS = 60.0, 3600.0
#: Timeout of an attempt when no time is left: it then fails as an attempt that took too long.
_MIN_SECONDS = 0.05

_end: ContextVar[float | None] = ContextVar("end", default=None)


def timeout_seconds() -> float:
    """Return the time limit of a call, from the environment.

    Raises
    ------
    OptionError
        When the value is not a number of seconds.
    """
    value = os.environ.get(TIMEOUT)
    try:
        seconds = read_number(value) if value else _DEFAULT_SECONDS
    except ValueError:
        seconds = 0
    if not 0 < seconds <= _MAX_SECONDS:
        raise OptionError(f"{TIMEOUT} should be a number of seconds, at most {_MAX_SECONDS:,.0f}; got '{value}'")
    return seconds


@contextmanager
def within(seconds: float) -> Iterator[float]:
    """Limit the time of all requests of a block together; yield the end. An inner block keeps the earlier end."""
    before, end = _end.get(), time.monotonic() + seconds
    end = end if before is None else min(before, end)
    token = _end.set(end)
    try:
        yield end
    finally:
        _end.reset(token)


def seconds_left() -> float:
    """Return the time limit of a request that starts now."""
    end = _end.get()
    return timeout_seconds() if end is None else max(_MIN_SECONDS, min(timeout_seconds(), end - time.monotonic()))


class AnswerError(ValueError):
    """An answer with status 200 that is not a JSON object, such as a page of a proxy."""


@cache
def transport_class() -> Any:
    """Return a transport of the official client whose attempts share one deadline and whose answers are objects.

    Each node is tried at most once; a silent node leaves the others their share of the time.
    """
    from elastic_transport import Transport
    from elastic_transport.client_utils import DEFAULT

    class SharedDeadline(Transport):
        def perform_request(self, method: str, target: str, **more: Any) -> Any:
            nodes = 1 if more.get("max_retries") == 0 else len(self.node_pool)
            more["max_retries"] = nodes - 1
            timeout = more.get("request_timeout", DEFAULT)
            if timeout is DEFAULT:
                more["request_timeout"] = seconds_left() / nodes
            elif timeout is not None and _end.get() is not None:
                more["request_timeout"] = min(timeout, seconds_left())
            answer = super().perform_request(method, target, **more)
            is_elasticsearch = answer.meta.headers.get("x-elastic-product")  # the client itself refuses other servers
            is_object = method == "HEAD" or not answer.body or isinstance(answer.body, dict)
            if is_elasticsearch and not is_object and 200 <= answer.meta.status < 300:
                raise AnswerError(f"it is not a JSON object, but begins with {str(answer.body)[:40]!r}")
            return answer

    return SharedDeadline
