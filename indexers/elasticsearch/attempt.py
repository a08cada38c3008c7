"""A request in a thread of its own that can be given up: its connection is closed, so the server ends its work too."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import suppress
from contextvars import ContextVar, copy_context
from functools import cache
from threading import BoundedSemaphore, Lock, Thread
from time import monotonic
from typing import Any, Generic, TypeVar

#: Requests of this process that have a thread of their own at the same time.
MAX_THREADS = 64

T = TypeVar("T")

_slots = BoundedSemaphore(MAX_THREADS)
#: Protects which attempt a connection belongs to: a connection returns to its pool and serves other requests.
_owners = Lock()


class GivenUpError(Exception):
    """The request was given up; no caller waits for it."""


class Attempt(Generic[T]):
    """A request that runs in a thread of its own; `start` begins it.

    Attributes
    ----------
    future : Future
        Its answer or its error.
    hosts : list
        The hosts that it has asked.
    """

    def __init__(self) -> None:
        self.future: Future[T] = Future()
        self.hosts: list[Any] = []
        self._given_up = False
        self._connection: Any = None

    @classmethod
    def start(cls, call: Callable[[], T]) -> Attempt[T] | None:
        """Start a request; return None when too many threads run."""
        if not _slots.acquire(blocking=False):
            return None
        attempt = cls()
        context = copy_context()  # the deadline of the whole call
        context.run(_current.set, attempt)
        Thread(target=context.run, args=(attempt._run, call), name="nearby-attempt", daemon=True).start()
        return attempt

    def _run(self, call: Callable[[], T]) -> None:
        try:
            answer = call()
        except BaseException as error:  # the caller that waits raises it
            self.future.set_exception(error)
        else:
            self.future.set_result(answer)
        finally:
            _slots.release()

    @property
    def failed(self) -> bool:
        """True when it ended with an error."""
        return self.future.done() and self.future.exception() is not None

    def give_up(self) -> None:
        """Close the connection of a request without an answer, which ends its thread."""
        with _owners:
            self._given_up = True
            connection = self._connection
            running = connection is not None and connection.attempt is self and not self.future.done()
            if running and connection.sock is not None:
                with suppress(OSError, ValueError):
                    connection.sock.shutdown(socket.SHUT_RDWR)

    def require_wanted(self) -> None:
        """Raise `GivenUpError` when no caller waits for the answer."""
        if self._given_up:
            raise GivenUpError

    def uses(self, connection: Any) -> None:
        """Note the connection that the request is sent over."""
        self._connection = connection
        self.require_wanted()


_current: ContextVar[Attempt[Any] | None] = ContextVar("attempt", default=None)


def first_of(attempts: Sequence[Attempt[T]], seconds: float | None, until: Future[Any] | None = None) -> bool:
    """Wait until an attempt has an answer or all have failed; return False after `seconds`, or when `until` is done."""
    end = None if seconds is None else monotonic() + seconds
    while True:
        running = [one.future for one in attempts if not one.future.done()]
        if not running or len(running) + sum(one.failed for one in attempts) < len(attempts):
            return True
        if until is not None and until.done():
            return False
        left = None if end is None else end - monotonic()
        if left is not None and left <= 0:
            return False
        wait([*running, *([until] if until is not None else [])], left, return_when=FIRST_COMPLETED)


def answer_of(attempts: Sequence[Attempt[T]]) -> T:
    """Return the answer of the first attempt that has one; raise the error of the first if all have failed."""
    return next((one for one in attempts if one.future.done() and not one.failed), attempts[0]).future.result()


@cache
def node_class() -> Any:
    """Return a node of the official client whose requests an `Attempt` can give up."""
    from elastic_transport import Urllib3HttpNode

    class Node(Urllib3HttpNode):
        def __init__(self, config: Any) -> None:
            super().__init__(config)
            self.pool.ConnectionCls = _owned(self.pool.ConnectionCls)

        def perform_request(self, *words: Any, **more: Any) -> Any:
            attempt = _current.get()
            if attempt is None:
                return super().perform_request(*words, **more)
            attempt.hosts.append(self.config)
            try:
                return super().perform_request(*words, **more)
            except Exception:
                attempt.require_wanted()  # a connection that we closed says nothing about the host
                raise

    return Node


def _owned(connection_class: Any) -> Any:
    """Return a class of connections that know the attempt which uses them."""

    class Owned(connection_class):  # type: ignore[misc]
        attempt: Attempt[Any] | None = None

        def request(self, *words: Any, **more: Any) -> Any:
            with _owners:
                self.attempt = _current.get()
                if self.attempt is not None:
                    self.attempt.uses(self)
            return super().request(*words, **more)

    return Owned
