"""Long work as server-sent events: its progress every second, and its result at the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable

import msgspec

from encoders.progress import Watched
from retrieval.service import limits
from retrieval.service.problem import Problem
from retrieval.service.replies.base import Progress

MEDIA_TYPE = "text/event-stream"


def event(name: str, data: bytes) -> bytes:
    r"""Return one event (HTML standard, section 9.2).

    Examples
    --------
    >>> event("progress", b'{"text":"half"}')
    b'event: progress\ndata: {"text":"half"}\n\n'
    """
    return b"event: " + name.encode() + b"\ndata: " + data + b"\n\n"


async def events(work: Awaitable[bytes], watched: Watched) -> AsyncIterator[bytes]:
    """Yield the progress of work, and at the end its ``result``, or its ``problem``."""
    running = asyncio.ensure_future(work)
    try:
        while not running.done():
            await asyncio.wait([running], timeout=limits.PROGRESS_SECONDS)
            if not running.done():
                yield event("progress", msgspec.json.encode(Progress(text=watched.standing())))
        yield event("result", await running)
    except Problem as problem:
        yield event("problem", msgspec.json.encode(problem.document()))
    finally:
        running.cancel()
