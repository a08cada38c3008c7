"""How long a call may take in all, however many nodes are asked and however often."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

from encoders.errors import OptionError

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
        seconds = float(value) if value else _SECONDS
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
def client_class() -> Any:
    """Return the official client, whose attempts share one deadline, and whose answers are objects.

    Each node is asked at most once; a silent one leaves the others their share of the time.
    """
    from elastic_transport import HeadApiResponse, ObjectApiResponse
    from elastic_transport.client_utils import DEFAULT
    from elasticsearch import Elasticsearch

    class Client(Elasticsearch):
        def _perform_request(self, *words: Any, **more: Any) -> Any:
            asked = self.options()
            nodes = 1 if self._max_retries == 0 else len(self._transport.node_pool)
            asked._max_retries = nodes - 1
            if self._request_timeout is DEFAULT:
                asked._request_timeout = seconds_left() / nodes
            elif _end.get() is not None and isinstance(self._request_timeout, int | float):
                asked._request_timeout = min(self._request_timeout, seconds_left())
            response = super(Client, asked)._perform_request(*words, **more)
            if not isinstance(response, ObjectApiResponse | HeadApiResponse) and response.body:
                raise AnswerError(f"it is no JSON object, but begins with {str(response.body)[:40]!r}")
            return response

    return Client
