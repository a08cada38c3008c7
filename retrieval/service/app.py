"""The application: routes of the API and the page, and what happens at start and stop. Read this file first."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from types import FrameType
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from encoders.version import version
from retrieval.service import limits
from retrieval.service.api_page import api_page
from retrieval.service.bodies import EmbeddingsBody
from retrieval.service.dispatch import Dispatcher
from retrieval.service.endpoints.encode import embedding_specs, embeddings
from retrieval.service.endpoints.table import OPERATIONS
from retrieval.service.guard import OPERATION, Guard
from retrieval.service.metrics import MEDIA_TYPE, Metrics
from retrieval.service.open_collections import OpenCollections
from retrieval.service.openapi import document
from retrieval.service.page import page_routes
from retrieval.service.parsing import read_body
from retrieval.service.problem import Problem
from retrieval.service.replies import Collections, CollectionSummary, Health, Model, Models
from retrieval.service.settings import Settings, read_token

#: Seconds between two looks for newer generations, and at the parent process.
LOOK_SECONDS = 1.0
#: Names of all operations, for the metrics.
NAMES = (
    *(one.name for one in OPERATIONS),
    "collections",
    "embeddings",
    "models",
    "health",
    "metrics",
    "openapi",
    "page",
)


def create_app(settings: Settings, dispatcher: Dispatcher | None = None) -> Guard:
    """Return the application of one process.

    Parameters
    ----------
    settings : Settings
    dispatcher : Dispatcher, optional
        One that has opened the collections of the settings; the application closes it when it ends.

    Raises
    ------
    OptionError
        When the token cannot be read.
    """
    dispatcher = dispatcher or Dispatcher.of(settings)
    metrics = Metrics(NAMES, settings.metrics_file)
    inner = Starlette(
        routes=[*_routes(dispatcher, metrics, list(settings.folders), bool(settings.token_file)), *page_routes()],
        exception_handlers={Problem: _problem, HTTPException: _http_problem, Exception: _failure},
        lifespan=lambda _: _lifespan(dispatcher, guard),
    )
    inner.router.redirect_slashes = False  # a redirect would repeat what the client sent
    guard: Guard = Guard(inner, read_token(settings.token_file), settings.hosts, settings.origins, metrics)
    return guard


@asynccontextmanager
async def _lifespan(dispatcher: Dispatcher, guard: Guard) -> AsyncIterator[None]:
    looking = asyncio.create_task(_look(dispatcher, os.getppid()))
    _stop_gently(guard)
    try:
        yield
    finally:
        looking.cancel()
        await asyncio.to_thread(dispatcher.close)


async def _look(dispatcher: Dispatcher, parent: int) -> None:
    """Look for newer generations, and end a process whose parent was killed: nobody else would."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        dispatcher.release_old()
        if multiprocessing.parent_process() is not None and os.getppid() != parent:
            signal.raise_signal(signal.SIGTERM)
            return


def _stop_gently(guard: Guard) -> None:
    """On a signal, answer new requests 503 until the running ones have ended, and only then close the address."""
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[None]] = set()

    async def drain(number: int, before: Any) -> None:
        end = loop.time() + limits.STOP_SECONDS
        while guard.running and loop.time() < end:
            await asyncio.sleep(0.02)
        before(number, None)

    def replace(number: int) -> None:
        before = signal.getsignal(number)

        def stop(number: int, frame: FrameType | None) -> None:
            if guard.stopping:  # a worker hears SIGTERM from its parent too; a person who repeats Ctrl-C will not wait
                if number == signal.SIGINT:
                    os._exit(1)
                return
            guard.stopping = True
            loop.call_soon_threadsafe(lambda: tasks.add(loop.create_task(drain(number, before))))

        if callable(before):
            signal.signal(number, stop)

    for number in (signal.SIGTERM, signal.SIGINT):
        with suppress(ValueError):  # not the main thread, as in tests
            replace(number)


def _routes(dispatcher: Dispatcher, metrics: Metrics, names: list[str], secret: bool) -> list[BaseRoute]:
    below = "/v1/collections/{collection}"
    described = msgspec.json.encode(document(() if secret else tuple(names)))

    async def collections(request: Request) -> Response:
        request.scope[OPERATION] = "collections"

        def work(opened: OpenCollections) -> Collections:
            return Collections(collections=[_summary(opened, name) for name in names])

        return await dispatcher.respond(request, work)

    async def embed(request: Request) -> Response:
        request.scope[OPERATION] = "embeddings"
        body: EmbeddingsBody = await read_body(request, EmbeddingsBody)
        name, spec = _model(body.model, names)
        return await dispatcher.respond(request, lambda opened: embeddings(opened.collection(name), body, spec))

    async def models(request: Request) -> Response:
        request.scope[OPERATION] = "models"

        def work(opened: OpenCollections) -> Models:
            found = [f"{name}/{spec}" for name in names for spec in embedding_specs(opened.collection(name))]
            return Models(
                object="list", data=[Model(id=one, object="model", created=0, owned_by="nearby") for one in found]
            )

        return await dispatcher.respond(request, work)

    async def health(request: Request) -> Response:
        request.scope[OPERATION] = "health"
        reply = Health(status="ok", version=version(), collections=len(names))
        return Response(msgspec.json.encode(reply), media_type="application/json")

    async def measured(request: Request) -> Response:
        request.scope[OPERATION] = "metrics"
        return Response(metrics.text(), media_type=MEDIA_TYPE)

    async def openapi(request: Request) -> Response:
        request.scope[OPERATION] = "openapi"
        return Response(described, media_type="application/json")

    async def docs(request: Request) -> Response:
        request.scope[OPERATION] = "page"
        return Response(api_page(), media_type="text/html")

    return [
        *(
            Route(below + one.path.replace("{id}", "{id:path}"), dispatcher.endpoint(one), methods=[one.method])
            for one in OPERATIONS
        ),
        Route("/v1/collections", collections),
        Route("/v1/embeddings", embed, methods=["POST"]),
        Route("/v1/models", models),
        Route("/health", health),
        Route("/metrics", measured),
        Route("/openapi.json", openapi),
        Route("/docs", docs),
    ]


def _summary(opened: OpenCollections, name: str) -> CollectionSummary:
    try:
        collection = opened.collection(name)
    except Problem as problem:  # the others are there
        return CollectionSummary(name=name, modality="", items=0, spaces=[], generation=0, error=problem.detail)
    return CollectionSummary(
        name=name, modality=str(collection.items.modality), items=collection.items.size,
        spaces=list(collection.spaces), generation=collection.generation,
    )  # fmt: skip


def _model(model: str, names: list[str]) -> tuple[str, str]:
    """Return the collection and the space that a model names: COLLECTION/SPACE, or SPACE if one collection is served.

    Raises
    ------
    Problem
    """
    name, slash, spec = model.partition("/")
    if slash and name in names:
        return name, spec
    if len(names) == 1:
        return names[0], model
    raise Problem(404, f"no model '{model[:200]}': write COLLECTION/SPACE, with one of {', '.join(names)}")


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101
    return error.response(request.url.path)


async def _failure(request: Request, error: Exception) -> Response:
    """Answer what nobody foresaw; the server logs it."""
    return Problem(500, "the request failed; the log of the service says why").response()


async def _http_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    said = {404: f"no operation at {request.url.path[:200]}: see /docs"}
    problem = Problem(error.status_code, said.get(error.status_code, str(error.detail)))
    response = problem.response(request.url.path)
    response.headers.update(error.headers or {})
    return response
