"""From a request to its reply: read, answered in a thread that has the collection open, and written."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from encoders.errors import NearbyError
from encoders.progress import Watched, watching
from retrieval.service import limits
from retrieval.service.events import MEDIA_TYPE, events
from retrieval.service.guard import OPERATION
from retrieval.service.open_collections import OpenCollections
from retrieval.service.operations import Media, Operation, OperationRequest, ServiceOperation, ServiceState
from retrieval.service.parsing import read_body, read_parameters
from retrieval.service.problem import Problem
from retrieval.service.replies.base import Document
from retrieval.service.settings import Settings
from retrieval.service.worker_threads import WorkerThreads

T = TypeVar("T")
LOGGER = logging.getLogger("nearby.service")
#: Long work that waits for the one thread that does it.
MAX_LONG_WAITING = 8


class Dispatcher:
    """Answers operations in threads.

    Parameters
    ----------
    folders : mapping of str to Path
        Folders of collections by the names that clients use.
    threads : int
        Threads for searches; one more thread does long work.
    """

    @classmethod
    def of(cls, settings: Settings) -> Dispatcher:
        """Return the dispatcher of a process of the service."""
        return cls({name: Path(folder) for name, folder in settings.folders.items()}, settings.threads)

    def __init__(self, folders: Mapping[str, Path], threads: int) -> None:
        def make() -> OpenCollections:
            return OpenCollections(folders)

        self._short = WorkerThreads("search", threads, limits.MAX_WAITING, make, OpenCollections.close)
        self._long = WorkerThreads("long", 1, MAX_LONG_WAITING, make, OpenCollections.close)

    def require_all(self) -> None:
        """Open every collection in the thread that answers first, or refuse; the first request finds them open.

        Raises
        ------
        NearbyError
            When a folder holds no collection, or a damaged one.
        """
        self._short.in_first(OpenCollections.require_all).result()

    def endpoint(self, operation: Operation) -> Callable[[Request], Any]:
        """Return the endpoint of an operation on a collection."""

        async def answer(request: Request) -> Response:
            request.scope[OPERATION] = operation.name
            path = dict(request.path_params)
            name = path.pop("collection")
            parameters = read_parameters(request, operation.parameters)
            body = await read_body(request, operation.body)

            def work(opened: OpenCollections) -> Any:
                asked = OperationRequest(name, path, body, parameters, opened.remembered)
                return operation.answer(opened.collection(name), asked)

            return await self.respond(request, work, operation.long)

        return answer

    def service_endpoint(self, operation: ServiceOperation, state: ServiceState) -> Callable[[Request], Any]:
        """Return the endpoint of an operation on the whole service."""

        async def answer(request: Request) -> Response:
            request.scope[OPERATION] = operation.name
            if operation.at_once is not None:
                return written(encoded(operation.at_once(state), Watched()))
            read_parameters(request, None)
            body = await read_body(request, operation.body)
            asking = operation.answer
            assert asking is not None  # noqa: S101
            return await self.respond(request, lambda opened: asking(opened, OperationRequest("", body=body)))

        return answer

    async def run(self, work: Callable[[OpenCollections], T]) -> T:
        """Do short work in a thread, and return its result.

        Raises
        ------
        Problem
        """
        return await self._short.run(lambda opened: _guarded(work, opened), limits.SEARCH_SECONDS)

    async def respond(self, request: Request, work: Callable[[OpenCollections], Any], long: bool = False) -> Response:
        """Run work in a thread, and return its reply: JSON, media, or for long work events if the client takes them."""
        watched = Watched()

        def safely(opened: OpenCollections) -> Any:
            with watching(watched):
                return encoded(_guarded(work, opened), watched)

        workers, seconds = (self._long, limits.LONG_SECONDS) if long else (self._short, limits.SEARCH_SECONDS)
        running = workers.run(safely, seconds)
        if long and MEDIA_TYPE in request.headers.get("accept", ""):
            return StreamingResponse(events(running, watched), media_type=MEDIA_TYPE)
        return written(await running)

    def release_old(self) -> None:
        """Let threads that do nothing close collections that were replaced."""
        for workers in (self._short, self._long):
            workers.each_idle(OpenCollections.release_old)

    def close(self) -> None:
        """End the threads."""
        self._short.close()
        self._long.close()


def _guarded(work: Callable[[OpenCollections], T], opened: OpenCollections) -> T:
    """Run work; every error becomes a problem, and errors that the client did not cause are logged."""
    try:
        return work(opened)
    except Problem:
        raise
    except NearbyError as error:
        problem = Problem.of(error)
        if problem.status >= 500:
            LOGGER.error("%s", error)
        problem.detail = opened.without_places(problem.detail)
        raise problem from None
    except MemoryError:
        raise Problem(503, "not enough memory for this request: ask for less, or try again later", 5) from None
    except Exception:
        LOGGER.exception("a request failed")
        raise Problem(500, "the request failed; the log of the service says why") from None


def written(reply: bytes | Media) -> Response:
    """Return the response: JSON, or media as they are."""
    if isinstance(reply, Media):
        return Response(reply.content, headers={"Content-Type": reply.media_type})
    return Response(reply, media_type="application/json")


def encoded(reply: Any, watched: Watched) -> bytes | Media:
    """Return a reply as JSON; what the work said to a person becomes its notes, if it has any."""
    if isinstance(reply, Media):
        return reply
    if isinstance(reply, Document):
        return msgspec.json.encode(reply.document)
    if watched.lines and hasattr(reply, "notes"):
        reply.notes = list(dict.fromkeys(watched.lines))
    return msgspec.json.encode(reply)
