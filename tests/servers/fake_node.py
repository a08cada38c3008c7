"""Something that answers HTTP as a server of Elasticsearch might, or as something else does."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

#: What every Elasticsearch says of itself.
PRODUCT = {"X-Elastic-Product": "Elasticsearch"}


@dataclass(frozen=True)
class Reply:
    """One answer; `missing` bytes are promised and never sent."""

    status: int
    body: bytes | dict[str, Any] = b""
    kind: str = "application/json"
    headers: dict[str, str] = field(default_factory=lambda: dict(PRODUCT))
    missing: int = 0

    @property
    def raw(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


def refused(status: int, kind: str, reason: str) -> Reply:
    """The answer of a server that refuses."""
    error = {"type": kind, "reason": reason}
    return Reply(status, {"error": {"root_cause": [error], **error}, "status": status})


def version(number: str) -> Reply:
    """What a node says when it is asked for its version."""
    return Reply(200, {"nodes": {"a": {"version": number}}})


#: Given method and path, and the body that came with it.
Answer = Callable[[str, str, bytes], Reply]


@contextmanager
def fake_node(answer: Answer | Reply, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Answer on a free port of this machine until the block ends; yield the address without ``http://``."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def respond(self) -> None:
            asked = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            reply = answer if isinstance(answer, Reply) else answer(self.command, self.path, asked)
            self.send_response(reply.status)
            for key, value in {"Content-Type": reply.kind, **reply.headers}.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(reply.raw) + reply.missing))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.raw)
            if reply.missing:
                self.close_connection = True

        do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = respond

        def log_message(self, *words: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            pass  # whoever asked has gone away, or speaks another protocol

    with Server(("127.0.0.1", 0), Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
