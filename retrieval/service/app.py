"""The application: routes of the API and the page, and what happens at start and stop. Read this file first."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from types import FrameType
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Scope

from retrieval.service import limits
from retrieval.service.api_page import api_page
from retrieval.service.dispatch import Dispatcher
from retrieval.service.endpoints.table import BELOW, OPERATIONS, SERVICE_OPERATIONS
from retrieval.service.examples import ServedNames
from retrieval.service.guard import OPERATION, Guard
from retrieval.service.metrics import Metrics
from retrieval.service.openapi import document
from retrieval.service.operations import ServiceState
from retrieval.service.page import page_routes
from retrieval.service.problem import Problem
from retrieval.service.request_head import wrong_method
from retrieval.service.served_names import served_names
from retrieval.service.settings import Settings, read_token
from retrieval.service.unused_memory import release_unused, return_large_blocks

#: Seconds between two looks for newer generations, and at the parent process.
LOOK_SECONDS = 1.0
#: Seconds after which memory that is not used goes back to the system.
RELEASE_SECONDS = 10.0
#: Names of all operations, for the metrics.
NAMES = (*(one.name for one in (*OPERATIONS, *SERVICE_OPERATIONS)), "openapi", "page")


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
    state = ServiceState(tuple(settings.folders), metrics)
    inner = Starlette(
        routes=[*_routes(dispatcher, state, bool(settings.token_file)), *page_routes()],
        exception_handlers={Problem: _problem, HTTPException: _http_problem, Exception: _failure},
        lifespan=lambda _: _lifespan(dispatcher, guard),
    )
    inner.router.redirect_slashes = False  # a redirect would repeat what the client sent
    guard: Guard = Guard(
        inner, read_token(settings.token_file), settings.hosts, settings.origins, metrics,
        lambda scope: _methods(inner.routes, scope),
    )  # fmt: skip
    return guard


def _methods(routes: Iterable[BaseRoute], scope: Scope) -> frozenset[str]:
    """Return the methods by which a path is asked; none where no operation has it."""
    method_sets = (
        one.methods or () for one in routes if isinstance(one, Route) and one.matches(scope)[0] is not Match.NONE
    )
    return frozenset(method for methods in method_sets for method in methods)


@asynccontextmanager
async def _lifespan(dispatcher: Dispatcher, guard: Guard) -> AsyncIterator[None]:
    running = [asyncio.create_task(_look(dispatcher, os.getppid())), asyncio.create_task(_release())]
    _stop_gently(guard)
    try:
        yield
    finally:
        for task in running:
            task.cancel()
        await asyncio.to_thread(dispatcher.close)


async def _look(dispatcher: Dispatcher, parent: int) -> None:
    """Look for newer generations, and end a process whose parent was killed."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        dispatcher.release_old()
        if multiprocessing.parent_process() is not None and os.getppid() != parent:
            signal.raise_signal(signal.SIGTERM)
            return


async def _release() -> None:
    """Keep the memory of a process flat, whatever clients have sent."""
    return_large_blocks()
    while True:
        await asyncio.sleep(RELEASE_SECONDS)
        await asyncio.to_thread(release_unused)


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


def _routes(dispatcher: Dispatcher, state: ServiceState, secret: bool) -> list[BaseRoute]:
    """Return the routes of all operations and of their description; with a token, it names no collection."""
    described = msgspec.json.encode(document(() if secret else state.names))

    async def openapi(request: Request) -> Response:
        request.scope[OPERATION] = "openapi"
        return Response(described, media_type="application/json")

    async def docs(request: Request) -> Response:
        request.scope[OPERATION] = "page"
        names = ServedNames() if secret else await dispatcher.run(served_names)
        names = replace(names, address=f"{request.url.scheme}://{request.url.netloc}", secret=secret)
        return Response(api_page(names), media_type="text/html")

    return [
        *(
            Route(BELOW + one.path.replace("{id}", "{id:path}"), dispatcher.endpoint(one), methods=[one.method])
            for one in OPERATIONS
        ),
        *(Route(one.path, dispatcher.service_endpoint(one, state), methods=[one.method]) for one in SERVICE_OPERATIONS),
        Route("/openapi.json", openapi),
        Route("/docs", docs),
    ]


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101
    return error.response(request.url.path)


async def _failure(request: Request, error: Exception) -> Response:
    """Answer an unexpected error; the server logs it."""
    return Problem(500, "the request failed; the log of the service says why").response()


async def _http_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    if error.status_code == 405:
        problem = wrong_method(request.method, request.url.path, _methods(request.app.routes, request.scope))
    elif error.status_code == 404:
        problem = Problem(404, f"no operation at {request.url.path[:200]}: see /docs")
    else:
        problem = Problem(error.status_code, str(error.detail))
    return problem.response(request.url.path)
