"""The service under load: ordinary, slow and hostile clients together; its collection changes, a worker is killed.

64 connections send mixed requests; beside them stand clients that send heads and bodies slowly, do not read, send
bodies that are too large, broken JSON and random bytes. Every 10 s the collection gets a new generation. After a sixth
of the time one of two workers is killed.

Run: ``python benchmarks/service_load.py [minutes=10]`` (needs no data)
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from record import nothing_else, record, say
from serving import NEARBY, memory_mib, serving, workers

from retrieval.collection.open import open_collection
from retrieval.corpora.base import Item

MINUTES, CONNECTIONS, SWAP_SECONDS = 10.0, 64, 10.0
WORKERS, THREADS = 2, 2
SMALL = {"digits": ["pixels+pca:16"], "api-docs": ["tfidf", "tfidf+lsa:128", "bm25"]}
DOCS, DIGITS = "/v1/collections/api-docs", "/v1/collections/digits"
WORDS = "sort array read file path sum matrix random sample string split time zone open socket".split()
HEAD = "Host: localhost\r\nContent-Type: application/json\r\n"


@dataclass
class Load:
    """What came of all requests: seconds of the ordinary ones, statuses by kind of client, and what ended otherwise."""

    port: int
    end: float
    seconds: list[tuple[float, float]] = field(default_factory=list)
    statuses: dict[str, Counter[str]] = field(default_factory=dict)
    unsaid: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def count(self, kind: str, what: object) -> None:
        self.statuses.setdefault(kind, Counter())[str(what)] += 1

    @property
    def running(self) -> bool:
        return time.monotonic() < self.end


def main(*words: str) -> None:
    given = [float(word.removeprefix("minutes=")) for word in words if word.startswith("minutes=")]
    nothing_else([word for word in words if not word.startswith("minutes=")])
    minutes = given[0] if given else MINUTES
    with tempfile.TemporaryDirectory() as temporary:
        folders = [str(Path(temporary) / corpus) for corpus in SMALL]
        for folder, (corpus, specs) in zip(folders, SMALL.items(), strict=True):
            options = [part for spec in specs for part in ("-s", spec)]
            subprocess.run([NEARBY, "index", corpus, *options, "-o", folder], check=True, capture_output=True)
        options = ["--workers", str(WORKERS), "--threads", str(THREADS)]
        with serving(*folders, *options) as (started, port):
            load = Load(port, time.monotonic() + 60 * minutes)
            figures = asyncio.run(loaded(load, started, Path(folders[1])))
    record("service_load", {"minutes": minutes, "connections": CONNECTIONS, "workers": WORKERS, **figures})


async def loaded(load: Load, started: subprocess.Popen[str], folder: Path) -> dict[str, Any]:
    begun, parent = time.monotonic(), started.pid
    while len(workers(parent)) < WORKERS:
        await asyncio.sleep(0.1)
    memory: list[tuple[float, dict[int, float]]] = []
    swaps: list[float] = []
    hostile = [slow_head, slow_body, deaf, oversize, oversize_chunked, broken_json, random_bytes, damaged]
    tasks = [
        *(ordinary(load, number) for number in range(CONNECTIONS)),
        *(again(load, one) for one in hostile for _ in range(2)),
        asyncio.to_thread(swap, load, folder, swaps),
        watch_memory(load, parent, begun, memory),
        kill_one(load, parent, begun),
    ]
    await asyncio.gather(*tasks)
    if started.poll() is not None:
        raise SystemExit(f"the service has ended: {started.stderr.read() if started.stderr else ''}")
    said = {kind: dict(sorted(counts.items())) for kind, counts in sorted(load.statuses.items())}
    warm = begun + (load.end - begun) / 3
    taken = np.asarray([seconds for at, seconds in load.seconds if at > warm])
    half, late = [sum(each.values()) for at, each in memory if at > warm], max(1, len(memory) // 6)
    figures: dict[str, Any] = {
        "statuses": said,
        "unsaid_5xx": load.unsaid[:20],
        "refused": load.refused[:20],
        "n_unsaid_5xx": len(load.unsaid),
        "requests_per_second": len(load.seconds) / (load.end - begun),
        "p50_ms": 1000 * float(np.percentile(taken, 50)),
        "p99_ms": 1000 * float(np.percentile(taken, 99)),
        "longest_ms": 1000 * float(taken.max()),
        "memory_mib": {
            "warm": median(half[:late]),
            "end": median(half[-late:]),
            "most": max(half),
            "tenths": in_tenths(begun, load.end, [(at, sum(each.values())) for at, each in memory]),
            "workers": [
                in_tenths(begun, load.end, [(at, each[pid]) for at, each in memory if pid in each])
                for pid in sorted({pid for _, each in memory for pid in each})
            ],
        },
        "swaps": len(swaps),
    }
    figures["p99_by_p50"] = figures["p99_ms"] / figures["p50_ms"]
    figures["memory_change"] = figures["memory_mib"]["end"] / figures["memory_mib"]["warm"] - 1
    say(json.dumps(figures, indent=1))
    return figures


def in_tenths(begun: float, end: float, values: list[tuple[float, float]]) -> list[float | None]:
    """Return the median of the values in each tenth of the time; None where there is none."""
    tenths: list[list[float]] = [[] for _ in range(10)]
    for at, value in values:
        tenths[min(9, int(10 * (at - begun) / (end - begun)))].append(value)
    return [median(some) if some else None for some in tenths]


# ordinary clients


def request_of(source: random.Random) -> tuple[str, str, dict[str, Any] | None]:
    """Return a request as programs and the page send it: half of them are searches."""
    words = {"text": " ".join(source.sample(WORDS, 3))}
    number = source.randrange(1797)
    choices: list[tuple[int, tuple[str, str, dict[str, Any] | None]]] = [
        (20, ("POST", f"{DOCS}/search", {"query": words, "spaces": ["bm25"]})),
        (15, ("POST", f"{DOCS}/search", {"query": words})),
        (5, ("POST", f"{DOCS}/search", {"query": words, "fuse": "rrf"})),
        (10, ("POST", f"{DIGITS}/search", {"query": {"id": str(number)}, "k": 20})),
        (10, ("GET", f"{DIGITS}/neighbours?id={number}&k=5", None)),
        (8, ("GET", f"{DIGITS}/items/{number}", None)),
        (8, ("GET", f"{DIGITS}/media/{number}", None)),
        (4, ("GET", f"{DOCS}/items?offset={source.randrange(500)}&limit=20", None)),
        (4, ("POST", "/v1/embeddings", {"model": "api-docs/tfidf+lsa:128", "input": [words["text"]] * 3})),
        (4, ("POST", f"{DOCS}/encode", {"space": "tfidf", "queries": [words]})),
        (4, ("GET", "/v1/collections", None)),
        (3, ("GET", DOCS, None)),
        (3, ("GET", "/health", None)),
        (2, ("GET", "/", None)),
    ]
    return source.choices([one for _, one in choices], [weight for weight, _ in choices])[0]


async def ordinary(load: Load, number: int) -> None:
    """Send mixed requests over one connection that stays open; open another one when it was reset."""
    source, streams = random.Random(number), None
    while load.running:
        method, path, body = request_of(source)
        sent = b"" if body is None else json.dumps(body).encode()
        length = "" if body is None else f"Content-Length: {len(sent)}\r\n"
        begun = time.monotonic()
        try:
            if streams is None:
                streams = await asyncio.open_connection("127.0.0.1", load.port)
            streams[1].write(f"{method} {path} HTTP/1.1\r\n{HEAD}{length}\r\n".encode() + sent)
            status, content = await asyncio.wait_for(answer(streams[0]), 60)
        except (ConnectionError, asyncio.IncompleteReadError):
            load.count("ordinary", "reset")
            streams = None
            continue
        load.seconds.append((time.monotonic(), time.monotonic() - begun))
        load.count("ordinary", status)
        if status >= 500 and status != 503:
            load.unsaid.append(f"{method} {path}: {status} {content[:200]!r}")
        elif status >= 400 and status != 503:
            load.refused.append(f"{method} {path} {body}: {status} {content[:200]!r}")
        if status == 503:
            await asyncio.sleep(1)


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode("latin-1").lower().split("\r\n")
    length = next(int(line.split(":")[1]) for line in lines if line.startswith("content-length:"))
    return int(lines[0].split()[1]), await reader.readexactly(length)


# others


async def again(load: Load, client: Callable[[Load, random.Random], Awaitable[bytes]]) -> None:
    """Be a client of one kind after another, and count what each got."""
    source, kind = random.Random(client.__name__), client.__name__
    while load.running:
        try:
            reply = await asyncio.wait_for(client(load, source), 90)
            status = reply.split()[1].decode("latin-1") if reply.startswith(b"HTTP/1.1 ") else "cut"
        except ConnectionError:
            status = "cut"
        except TimeoutError:
            status = "held for 90 s"
            load.unsaid.append(f"{kind}: {status}")
        load.count(kind, status)
        if status.startswith("5") and status not in ("503", "505"):
            load.unsaid.append(f"{kind}: {status}")
        await asyncio.sleep(0.2)


async def sent(load: Load, parts: list[bytes], pause: float = 0.0, read: bool = True) -> bytes:
    """Send parts with a pause between them, and return the beginning of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", load.port, limit=2**12)
    try:
        for part in parts:
            writer.write(part)
            if read:
                await writer.drain()
            await asyncio.sleep(pause)
            if writer.is_closing() or reader.at_eof() or not load.running:
                break
        return await asyncio.wait_for(reader.read(2**10), 45) if read else b""
    finally:
        writer.transport.abort()


async def slow_head(load: Load, source: random.Random) -> bytes:
    head = f"GET / HTTP/1.1\r\n{HEAD}X: ".encode()
    return await sent(load, [head, *[b"x"] * 60], pause=1.0)


async def slow_body(load: Load, source: random.Random) -> bytes:
    return await sent(
        load, [f"POST {DOCS}/search HTTP/1.1\r\n{HEAD}Content-Length: 1000\r\n\r\n".encode(), *[b" "] * 60], 1.0
    )


async def deaf(load: Load, source: random.Random) -> bytes:
    """Ask for much, and do not read: 20 s here, then leave."""
    await sent(
        load, [f"GET {DIGITS}/items?limit=1000 HTTP/1.1\r\n{HEAD}\r\n".encode() * 20, *[b"\r\n"] * 20], 1.0, read=False
    )
    return b""


async def oversize(load: Load, source: random.Random) -> bytes:
    head = f"POST {DOCS}/search HTTP/1.1\r\n{HEAD}Content-Length: {2**40}\r\n\r\n"
    return await sent(load, [head.encode(), *[b" " * 2**16] * 10])


async def oversize_chunked(load: Load, source: random.Random) -> bytes:
    part = b"100000\r\n" + b" " * 2**20 + b"\r\n"
    head = f"POST {DOCS}/search HTTP/1.1\r\n{HEAD}Transfer-Encoding: chunked\r\n\r\n"
    return await sent(load, [head.encode(), *[part] * 12])


async def broken_json(load: Load, source: random.Random) -> bytes:
    body = source.choice([b"{", b"[" * 50_000, b'{"k": 1e999}', b'{"query": {"text": "\xff"}}', source.randbytes(100)])
    head = f"POST {DOCS}/search HTTP/1.1\r\n{HEAD}Content-Length: {len(body)}\r\n\r\n"
    return await sent(load, [head.encode() + body])


async def random_bytes(load: Load, source: random.Random) -> bytes:
    return await sent(load, [source.randbytes(source.randrange(1, 10_000)) + b"\r\n\r\n"])


async def damaged(load: Load, source: random.Random) -> bytes:
    body = json.dumps({"query": {"text": "sort"}, "k": 3, "spaces": ["bm25"]}).encode()
    request = bytearray(f"POST {DOCS}/search HTTP/1.1\r\n{HEAD}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    for _ in range(source.randrange(1, 5)):
        request[source.randrange(len(request))] = source.randrange(256)
    return await sent(load, [bytes(request)])


# what happens to the service


def swap(load: Load, folder: Path, swaps: list[float]) -> None:
    """Replace one item every ten seconds, which makes a new generation."""
    while load.running:
        until = time.monotonic() + SWAP_SECONDS
        with open_collection(folder) as before:
            before.put([Item("swapped", f"sort an array that is new at {len(swaps)}")])[0].close()
        swaps.append(time.monotonic())
        while load.running and time.monotonic() < until:
            time.sleep(0.1)


async def watch_memory(load: Load, parent: int, begun: float, memory: list[tuple[float, dict[int, float]]]) -> None:
    while load.running:
        found = workers(parent)
        if len(found) == WORKERS:
            with suppress(OSError, AssertionError):  # one has just been killed
                memory.append((time.monotonic(), {pid: memory_mib(pid) for pid in found}))
        await asyncio.sleep(1)


async def kill_one(load: Load, parent: int, begun: float) -> None:
    await asyncio.sleep((load.end - begun) / 6)
    os.kill(workers(parent)[0], signal.SIGKILL)
    say("killed a worker")


if __name__ == "__main__":
    main(*sys.argv[1:])
