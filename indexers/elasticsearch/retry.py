"""Retries with back-off, for requests that a cluster cannot answer at the moment (a lost node, an election)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from encoders.backoff import Backoff
from encoders.errors import NearbyError, PartMissingError
from indexers.elasticsearch.client import cause_of
from indexers.elasticsearch.deadline import timeout_seconds, within

#: Seconds for which a request is retried while a user waits for the answer.
SHORT = 10.0
#: Seconds for which a load is retried without progress: a node restarts in 15 s, or in two minutes on a busy machine.
LONG = 180.0
#: Statuses of transient failures: too many requests, a shard without a node, a cluster without a master.
_TRANSIENT = frozenset({429, 502, 503, 504})
#: The server lost the point in time that is read, as its node or the index is gone; the next request shows which.
VIEW_LOST = frozenset({"search_context_missing_exception", "search_context_missing_nodes_exception"})

P = ParamSpec("P")
T = TypeVar("T")


class Retrying(Protocol):
    """An object whose methods are retried, for `retry_seconds`."""

    retry_seconds: float


S = TypeVar("S", bound=Retrying)


def retried(method: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
    """Call a method again while it fails for a transient reason; the method must be idempotent."""

    @wraps(method)
    def tried(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        # a request has one deadline for all attempts; a load retries as long as it makes progress
        interactive = self.retry_seconds <= SHORT
        backoff = Backoff(min(self.retry_seconds, timeout_seconds()) if interactive else self.retry_seconds)
        with within(timeout_seconds()) if interactive else nullcontext():
            while True:
                try:
                    return method(self, *args, **kwargs)
                except NearbyError as error:
                    if not is_transient(error) or backoff.ended:
                        raise
                backoff.sleep()

    return tried


def is_transient(error: NearbyError) -> bool:
    """Return whether an error is transient."""
    import elastic_transport

    cause: Any = error.__cause__
    if isinstance(error, PartMissingError):
        return True
    if isinstance(cause, elastic_transport.TlsError):
        return False
    if isinstance(cause, elastic_transport.ConnectionError | elastic_transport.ConnectionTimeout):
        return True
    kind = cause_of(getattr(cause, "body", None))[0]
    return is_transient_status(getattr(cause, "status_code", 0), kind)


def is_transient_status(status: int, kind: str) -> bool:
    """Return whether a refusal is transient; a full disk is also status 429, but is not.

    Examples
    --------
    >>> is_transient_status(503, "cluster_block_exception"), is_transient_status(429, "cluster_block_exception")
    (True, False)
    """
    if kind in VIEW_LOST:
        return True
    return status in _TRANSIENT and (status == 503 or kind != "cluster_block_exception")


def is_refused(error: NearbyError) -> bool:
    """Return whether the server refused the whole request, so that it changed nothing."""
    return 400 <= getattr(error.__cause__, "status_code", 0) < 500
