"""What a cluster cannot do just now, it is asked again: a node was lost, a master is being elected."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import nullcontext
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from encoders.errors import NearbyError, PartMissingError
from indexers.elasticsearch.client import cause_of
from indexers.elasticsearch.deadline import timeout_seconds, within

#: So long a request of somebody who waits for the answer is tried.
SHORT = 10.0
#: So long a load does without any progress; a node that is restarted takes some 15 s, on a busy machine two minutes.
LONG = 180.0
#: What passes when one waits: too much to do, a shard or a cluster that has no node or master just now.
_PASSING = frozenset({429, 502, 503, 504})
#: The server has forgotten what we read from: its node has left, or the index was removed; asked again, it says so.
VIEW_LOST = frozenset({"search_context_missing_exception", "search_context_missing_nodes_exception"})
_FIRST_WAIT, _LONGEST_WAIT = 0.1, 5.0

P = ParamSpec("P")
T = TypeVar("T")


class Patient(Protocol):
    """Who asks a cluster, and for how many seconds again."""

    patience: float


S = TypeVar("S", bound=Patient)


def patient(method: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
    """Call a method again while what it fails for may pass; doing it twice must be as good as once."""

    @wraps(method)
    def tried(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        # somebody who waits for the answer has one deadline; a load goes on as long as there is hope
        interactive = self.patience <= SHORT
        seconds = min(self.patience, timeout_seconds()) if interactive else self.patience
        until, wait = time.monotonic() + seconds, _FIRST_WAIT
        with within(timeout_seconds()) if interactive else nullcontext():
            while True:
                try:
                    return method(self, *args, **kwargs)
                except NearbyError as error:
                    if not passes(error) or time.monotonic() + wait > until:
                        raise
                time.sleep(wait * random.uniform(0.5, 1))  # noqa: S311  # or all would come back at once
                wait = min(2 * wait, _LONGEST_WAIT)

    return tried


def passes(error: NearbyError) -> bool:
    """Tell whether an error (of `speaking`) may go away by waiting."""
    import elastic_transport

    cause: Any = error.__cause__
    if isinstance(error, PartMissingError):
        return True
    if isinstance(cause, elastic_transport.TlsError):
        return False
    if isinstance(cause, elastic_transport.ConnectionError | elastic_transport.ConnectionTimeout):
        return True
    kind = cause_of(getattr(cause, "body", None))[0]
    return status_passes(getattr(cause, "status_code", 0), kind)


def status_passes(status: int, kind: str) -> bool:
    """Tell whether a refusal goes away by asking again; a full disk's is a 429 too, and does not.

    Examples
    --------
    >>> status_passes(503, "cluster_block_exception"), status_passes(429, "cluster_block_exception")
    (True, False)
    """
    if kind in VIEW_LOST:
        return True
    return status in _PASSING and (status == 503 or kind != "cluster_block_exception")


def refused_outright(error: NearbyError) -> bool:
    """Tell whether a server has answered, and refused the whole request: then nothing of it was done."""
    return 400 <= getattr(error.__cause__, "status_code", 0) < 500


def silent(error: NearbyError) -> bool:
    """Tell whether a node has not answered at all."""
    import elastic_transport

    return isinstance(error.__cause__, elastic_transport.ConnectionTimeout)
