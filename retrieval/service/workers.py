"""The processes that answer when there are several: those that end or hang are replaced."""

from __future__ import annotations

import signal
import socket
import time
from multiprocessing import resource_tracker

import uvicorn
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import Process

#: Seconds after which a worker that does not answer its parent is replaced. uvicorn's five are less than a start may
#: take on a busy machine: workers that start would be killed again and again.
SILENT_SECONDS = 30.0
#: With this code uvicorn ends a worker that cannot start.
STARTUP_FAILURE = 3
#: The service ends when its workers have died MAX_DEATHS times each, on average, within DEATH_SECONDS.
MAX_DEATHS, DEATH_SECONDS = 2, 30.0


class Worker(Process):
    """A process that answers requests, and its parent's question whether it is there."""

    _asked: float | None = None

    def start(self) -> None:
        """Start it deaf to Ctrl-C, which would end its imports with a traceback; its parent hears it, and ends it."""
        if not hasattr(signal, "pthread_sigmask"):  # Windows
            super().start()
            return
        resource_tracker.ensure_running()  # else the start of the first worker starts it, which lets Ctrl-C in again
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            super().start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def target(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer requests, in the process of the worker: uvicorn's own handlers hear Ctrl-C from now on."""
        if hasattr(signal, "pthread_sigmask"):
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # until they are there
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        super().target(sockets)

    def is_alive(self, timeout: float = SILENT_SECONDS) -> bool:
        """Return whether it runs, and has answered the last question or has time left to; never waits.

        uvicorn's own waits for the answer, during which the parent hears neither a signal nor that a worker has ended.
        """
        if not self.process.is_alive():
            return False
        try:
            if self._asked is not None and self.parent_conn.poll():
                self.parent_conn.recv()
                self._asked = None
            if self._asked is None:
                self.parent_conn.send(b"ping")
                self._asked = time.monotonic()
        except (EOFError, OSError):  # it ended since the question above
            return False
        return time.monotonic() - self._asked < timeout


class Workers(Multiprocess):
    """Processes that are replaced when they die; when they die faster than they start, the service ends.

    Attributes
    ----------
    failed : bool
        Whether it ended for that reason.
    """

    failed = False

    def __init__(self, config: uvicorn.Config, sockets: list[socket.socket]) -> None:
        super().__init__(config, sockets)
        self._deaths: list[float] = []

    def init_processes(self) -> None:
        """Start all of them."""
        self.processes += [self._started() for _ in range(self.processes_num)]

    def keep_subprocess_alive(self) -> None:
        """Replace those that died, unless they died `MAX_DEATHS` times each, on average, in `DEATH_SECONDS`."""
        for position, worker in enumerate(self.processes):
            if self.should_exit.is_set():  # a signal came
                return
            if worker.is_alive(SILENT_SECONDS):
                continue
            worker.kill()
            worker.join()
            now = time.monotonic()
            self._deaths = [when for when in self._deaths if now - when < DEATH_SECONDS] + [now]
            if len(self._deaths) >= MAX_DEATHS * self.processes_num or worker.exitcode == STARTUP_FAILURE:
                self.failed = True
                self.should_exit.set()
                return
            self.processes[position] = self._started()

    def _started(self) -> Worker:
        worker = Worker(self.config, self.sockets)
        worker.start()
        return worker
