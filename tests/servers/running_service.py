"""The service in a thread of this process, and a client of the standard library."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn

from retrieval.service.app import create_app
from retrieval.service.dispatch import Dispatcher
from retrieval.service.server import listen, uvicorn_config
from retrieval.service.settings import Settings


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)


@dataclass
class Client:
    port: int
    host: str = "127.0.0.1"

    def __call__(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Reply:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        sent = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        given = {"Content-Type": "application/json"} if sent is not None else {}
        connection.request(method, path, sent, {**given, **(headers or {})})
        answer = connection.getresponse()
        reply = Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        connection.close()
        return reply

    def get(self, path: str, **headers: str) -> Reply:
        return self("GET", path, headers=headers)

    def post(self, path: str, body: Any, **headers: str) -> Reply:
        return self("POST", path, body, headers)


@contextmanager
def running(settings: Settings, dispatcher: Dispatcher | None = None) -> Iterator[Client]:
    """Run a service in a thread of this process."""
    opened = listen(settings.host, 0)
    server = uvicorn.Server(uvicorn_config(settings, create_app(settings, dispatcher)))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [opened]}, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    try:
        yield Client(opened.getsockname()[1], settings.host)
    finally:
        server.should_exit = True
        thread.join(30)
        opened.close()
        assert not thread.is_alive()
