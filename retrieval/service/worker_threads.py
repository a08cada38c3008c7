"""Threads that answer requests; each has collections of its own, which no other thread touches."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Generic, TypeVar

from retrieval.service.problem import Problem

S = TypeVar("S")
T = TypeVar("T")


class WorkerThread(Generic[S]):
    """One thread and its state, which is made, used and closed in that thread (as SQLite asks)."""

    def __init__(self, name: str, make: Callable[[], S]) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._make = make
        self._state: list[S] = []

    def submit(self, work: Callable[[S], T]) -> Future[T]:
        """Start work in the thread, with the context of the caller."""
        context = contextvars.copy_context()
        return self._executor.submit(context.run, self._run, work)

    def _run(self, work: Callable[[S], T]) -> T:
        if not self._state:
            self._state.append(self._make())
        return work(self._state[0])

    def close(self, release: Callable[[S], None]) -> None:
        """End the thread when its work is done, and release its state; a second call does nothing."""

        def end() -> None:
            while self._state:
                release(self._state.pop())

        with suppress(RuntimeError):  # it has ended
            self._executor.submit(end)
        self._executor.shutdown(wait=True)


class WorkerThreads(Generic[S]):
    """A fixed number of threads; the one that was used last is used first, so that spare ones stay empty.

    Parameters
    ----------
    name : str
        Name of the threads.
    count : int
        Number of threads.
    max_waiting : int
        Requests that wait for a thread; more are refused.
    make, release : callable
        Make and release the state of a thread.
    """

    def __init__(
        self, name: str, count: int, max_waiting: int, make: Callable[[], S], release: Callable[[S], None]
    ) -> None:
        self._all = [WorkerThread(f"{name}-{position}", make) for position in range(count)]
        self._idle = list(reversed(self._all))
        self._free = asyncio.Semaphore(count)
        self._waiting, self._max_waiting, self._release = 0, max_waiting, release

    async def run(self, work: Callable[[S], T], seconds: float) -> T:
        """Run work in a thread, and return its result.

        A client that leaves does not stop the work; the thread is used again when the work ends.

        Raises
        ------
        Problem
            503 when too many requests wait, or this one waits longer than `seconds`; 504 when the work takes longer.
        """
        busy = Problem(503, "too many requests wait for an answer: try again later", retry_after=1)
        if self._free.locked() and self._waiting >= self._max_waiting:
            raise busy
        self._waiting += 1
        try:
            async with asyncio.timeout(seconds):
                await self._free.acquire()
        except TimeoutError:
            raise busy from None
        finally:
            self._waiting -= 1
        loop = asyncio.get_running_loop()
        worker = self._idle.pop()
        try:
            future = worker.submit(work)
        except BaseException:
            self._give_back(worker)
            raise
        future.add_done_callback(lambda _: self._later(loop, worker))
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            raise Problem(504, f"no answer within {seconds:g} s: ask for less") from None

    def in_first(self, work: Callable[[S], T]) -> Future[T]:
        """Start work in the thread that is used first, before any request comes."""
        return self._idle[-1].submit(work)

    def each_idle(self, work: Callable[[S], None]) -> None:
        """Run work in every free thread that has a state."""
        for worker in self._idle:
            if worker._state:
                worker.submit(work)

    def _later(self, loop: asyncio.AbstractEventLoop, worker: WorkerThread[S]) -> None:
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(self._give_back, worker)

    def _give_back(self, worker: WorkerThread[S]) -> None:
        self._idle.append(worker)
        self._free.release()

    def close(self) -> None:
        """End the threads when their work is done."""
        for worker in self._all:
            worker.close(self._release)
