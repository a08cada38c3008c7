"""An OpenAI-compatible embeddings endpoint in a thread: its codes depend on the words of a text, its faults are chosen."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

WIDTH = 24


def embedding(text: str, width: int = WIDTH) -> list[float]:
    """The sum of a random vector for each word, and a small one for the whole text."""
    parts = [f"{len(text)} letters", *text.lower().split()]
    seeds = [int.from_bytes(hashlib.sha256(part.encode("utf-8", "replace")).digest()[:4], "little") for part in parts]
    total = sum(np.random.default_rng(seed).normal(size=width) for seed in seeds)
    return (total / np.linalg.norm(total)).round(6).tolist()


@dataclass
class Answer:
    """What a server says instead of embeddings, after some seconds."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    #: Body bytes after which the connection is cut.
    cut: int | None = None


@dataclass
class EmbeddingsServer:
    """The server, what it was asked, and what it says next: `faults` are used up, one for each request."""

    url: str
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    faults: list[Answer] = field(default_factory=list)
    embed: Callable[[str], list[float]] = embedding
    seconds: float = 0.0
    change: Callable[[dict[str, Any]], Any] = dict

    @property
    def texts(self) -> list[str]:
        """All texts that were embedded."""
        return [text for body in self.asked for text in body["input"]]


@contextmanager
def embeddings_server() -> Iterator[EmbeddingsServer]:
    """A server on a free port of this machine."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                state.headers.append(dict(self.headers))
                fault = state.faults.pop(0) if state.faults else None
                if fault is None:
                    state.asked.append(body)
            if fault is not None:
                return self.say(fault)
            time.sleep(state.seconds)
            rows = [
                {"object": "embedding", "index": at, "embedding": state.embed(text)[: body.get("dimensions")]}
                for at, text in enumerate(body["input"])
            ]
            tokens = sum(len(text.split()) for text in body["input"])
            document = {
                "data": rows,
                "model": body["model"],
                "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
            }
            return self.say(Answer(body=json.dumps(state.change(document)).encode()))

        def do_GET(self) -> None:
            self.say(Answer(404, b"{}"))

        def say(self, answer: Answer) -> None:
            time.sleep(answer.seconds)
            self.send_response(answer.status)
            for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body[: answer.cut])

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # a client that hangs up is no error
    state = EmbeddingsServer(f"http://127.0.0.1:{server.server_port}/v1/embeddings")
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@cache
def shared_server() -> EmbeddingsServer:
    """A server without faults for whole files of tests, which ends with the process."""
    running = embeddings_server()
    _KEPT.append(running)
    return running.__enter__()


#: A context that is collected would end its server.
_KEPT: list[Any] = []
