"""The processes of the service: an address, uvicorn, and clients that are cut when they are too slow."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from encoders.errors import OptionError
from retrieval.service import limits
from retrieval.service.dispatch import Dispatcher
from retrieval.service.guard import HEADERS
from retrieval.service.host_names import without_brackets
from retrieval.service.metrics import Metrics
from retrieval.service.problem import Problem
from retrieval.service.settings import SETTINGS_VARIABLE, Settings, read_token, require_safe, warn_of_readers
from retrieval.service.workers import Workers

#: Seconds that a connection without a request stays open.
IDLE_SECONDS = 5
BACKLOG = 1024


class DeadlineProtocol(H11Protocol):
    """HTTP/1.1 that cuts clients which take too long to send the head of a request, or to read a response."""

    _head: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    _refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the head of the first request, or refuse a connection too many."""
        super().connection_made(transport)
        others = len(self.connections) - 1
        if others >= limits.MAX_CONNECTIONS + limits.MAX_REFUSED:
            self._cut()
        elif others >= limits.MAX_CONNECTIONS:
            self._refuse()
        else:
            transport.set_write_buffer_limits(0)  # whatever the client has not read, `pause_writing` hears of
            self._head = self.loop.call_later(limits.HEAD_SECONDS, self._cut)

    def _refuse(self) -> None:
        self._refused = True
        problem = Problem(503, "the service has too many connections: try again later", retry_after=1)
        self._end_with(problem)
        self._head = self.loop.call_later(limits.REFUSED_SECONDS, self._cut)

    def _end_with(self, problem: Problem) -> None:
        """Write a response that no request was read for, and nothing after it."""
        response = problem.response()
        head = f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}\r\n".encode()
        fields = [*response.raw_headers, *((name.lower().encode(), value.encode()) for name, value in HEADERS.items())]
        lines = b"".join(name + b": " + value + b"\r\n" for name, value in fields)
        self.transport.write(head + lines + b"connection: close\r\n\r\n" + bytes(response.body))
        self.transport.write_eof()

    def data_received(self, data: bytes) -> None:
        """Take bytes; a head that is complete is waited for no longer, one that has begun is."""
        if self._refused:
            return
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._forget_head()
        elif self._head is None:
            self._head = self.loop.call_later(limits.HEAD_SECONDS, self._cut)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, unless another response has begun; then the connection ends."""
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE) or self.transport.is_closing():
            self._cut()
            return
        self._refused = True
        self._end_with(Problem(400, "this is no request of HTTP/1.1"))
        self._forget_head()
        self._head = self.loop.call_later(limits.REFUSED_SECONDS, self._cut)

    def pause_writing(self) -> None:
        """Wait until the client reads."""
        super().pause_writing()
        self._expect_reading()

    def _expect_reading(self) -> None:
        before = self.transport.get_write_buffer_size()

        def look() -> None:
            left = self.transport.get_write_buffer_size()
            if left > before - limits.READ_BYTES:
                self._cut()
            else:
                self._expect_reading()

        self._unread = self.loop.call_later(limits.READ_SECONDS, look)

    def resume_writing(self) -> None:
        """Go on: the client has read."""
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the timers."""
        self._forget_head()
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
        super().connection_lost(exc)

    def _forget_head(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None

    def _cut(self) -> None:
        self.transport.abort()


def app_of_worker() -> ASGIApp:
    """Return the application of a worker process, whose settings are in its environment."""
    from retrieval.service.app import create_app

    return create_app(Settings.from_json(os.environ[SETTINGS_VARIABLE]))


def serve(settings: Settings, ready: Callable[[str], None]) -> None:
    """Serve until a signal ends it.

    Parameters
    ----------
    settings : Settings
    ready : callable
        Called with the URL when the address is open.

    Raises
    ------
    OptionError
        When the address is not safe, or not free, or the token cannot be read.
    NearbyError
        When a folder holds no collection.
    """
    settings = replace(settings, host=without_brackets(settings.host))
    require_safe(settings)
    read_token(settings.token_file)
    warn_of_readers(settings.token_file)
    with closing(Dispatcher.of(settings)) as dispatcher:
        dispatcher.require_all()
        with listen(settings.host, settings.port) as listener:
            shown = f"[{settings.host}]" if ":" in settings.host else settings.host
            port = listener.getsockname()[1]
            settings = replace(settings, port=port, hosts=(*settings.hosts, shown))
            if settings.workers == 1:
                ready(f"http://{shown}:{port}/")
                _serve_alone(settings, dispatcher, listener)
                return
            dispatcher.close()  # each worker opens its own
            _serve_with_workers(settings, listener, lambda: ready(f"http://{shown}:{port}/"))


def _serve_alone(settings: Settings, dispatcher: Dispatcher, listener: socket.socket) -> None:
    from retrieval.service.app import create_app

    server = uvicorn.Server(uvicorn_config(settings, create_app(settings, dispatcher)))
    with suppress(KeyboardInterrupt):  # a signal has ended it, as it should
        server.run(sockets=[listener])


def _serve_with_workers(settings: Settings, listener: socket.socket, ready: Callable[[], None]) -> None:
    from retrieval.service.app import NAMES

    with tempfile.TemporaryDirectory(prefix="nearby-serve-") as folder:
        path = Path(folder) / "metrics"
        Metrics.create(path, NAMES, settings.workers)
        settings = replace(settings, metrics_file=str(path))
        os.environ[SETTINGS_VARIABLE] = settings.to_json()
        config = uvicorn_config(settings, "retrieval.service.server:app_of_worker")
        workers = Workers(config, sockets=[listener])
        ready()
        workers.run()
    if workers.failed:
        raise OptionError("the processes of the service end as soon as they start; what they say above is why")


def uvicorn_config(settings: Settings, app: Any) -> uvicorn.Config:
    """Return the configuration of uvicorn for an application, or for the name of what makes one."""
    return uvicorn.Config(
        app, factory=isinstance(app, str), http=DeadlineProtocol, ws="none", lifespan="on", log_config=LOGGING,
        access_log=False, server_header=False, proxy_headers=False, timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=int(limits.STOP_SECONDS),
        workers=settings.workers if isinstance(app, str) else None,
    )  # fmt: skip


#: Errors on standard error; a service that answers says nothing, whatever clients send.
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain", "stream": "ext://sys.stderr"}},
    "loggers": {
        "uvicorn": {"handlers": ["stderr"], "level": "ERROR", "propagate": False},
        "nearby": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
    },
}


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens at an address.

    Raises
    ------
    OptionError
        When the address cannot be had.
    """
    listener: socket.socket | None = None
    try:
        (family, kind, protocol, _, address), *_ = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        listener = socket.socket(family, kind, protocol)
        if sys.platform != "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        if listener is not None:
            listener.close()
        hint = ": choose another with --port" if port else ""
        raise OptionError(f"cannot listen at {host}, port {port}: {error.strerror or error}{hint}") from None
    listener.set_inheritable(True)
    return listener
