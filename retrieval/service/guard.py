"""The guard before every request: who may ask, from where, and how much; what every response says to a browser."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Callable, Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from retrieval.service import limits
from retrieval.service.host_names import as_host_header, name_of
from retrieval.service.metrics import Metrics
from retrieval.service.problem import Problem
from retrieval.service.request_head import (
    METHODS,
    require_json,
    require_no_body,
    require_plain,
    too_large,
    wrong_method,
)

#: Nothing from outside, no script but our own files, no frame.
POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; media-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
#: Paths that need no token: the health check, the page, and the description of the API; none names a collection then.
OPEN_PATHS, OPEN_PREFIXES = frozenset({"/", "/docs", "/openapi.json", "/health"}), ("/page/",)
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
#: Where an operation writes its name for the metrics.
OPERATION = "nearby.operation"


class Guard:
    """ASGI middleware: checks of the host, the origin, the token, the method and the body; headers of the response.

    Parameters
    ----------
    app : ASGI application
    token : str
        Secret that clients must know; empty for none.
    hosts : sequence of str
        Names by which clients may call the service, besides those of this machine. A page of a stranger whose name
        leads to this machine (DNS rebinding) calls it by another name.
    origins : sequence of str
        Origins of other pages that may use the API.
    metrics : Metrics
        Counts every request.
    methods : callable
        Returns the methods by which the path of a request is asked.

    Attributes
    ----------
    stopping : bool
        Whether the service is about to end: new requests get 503.
    running : int
        Number of requests that are being answered.
    held : int
        Bytes of the bodies of these requests.
    """

    def __init__(
        self,
        app: ASGIApp,
        token: str,
        hosts: Sequence[str],
        origins: Sequence[str],
        metrics: Metrics,
        methods: Callable[[Scope], frozenset[str]],
    ) -> None:
        self.app, self.metrics, self._methods = app, metrics, methods
        self.stopping, self.running, self.held = False, 0, 0
        self._token = token.encode()
        self._hosts = LOOPBACK_NAMES | {as_host_header(host) for host in hosts}
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers, begun, status = Headers(scope=scope), time.perf_counter(), 500

        async def reply(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._complete(MutableHeaders(scope=message), headers.get("origin"))
            await send(message)

        self.running += 1
        body = _Body(self, receive)
        try:
            self._require_allowed(scope, headers)
            await self.app(scope, body.receive, reply)
        except Problem as problem:
            await problem.response(scope["path"])(scope, receive, reply)
        finally:
            self.running -= 1
            self.held -= body.seen
            self.metrics.count(scope.get(OPERATION, "other"), status, time.perf_counter() - begun)

    def _complete(self, response: MutableHeaders, origin: str | None) -> None:
        for name, value in HEADERS.items():
            response.setdefault(name, value)
        if origin in self._origins:
            response["Access-Control-Allow-Origin"] = str(origin)
            response["Cross-Origin-Resource-Policy"] = "cross-origin"
            response.add_vary_header("Origin")
        if self.stopping:
            response["Connection"] = "close"

    def _require_allowed(self, scope: Scope, headers: Headers) -> None:
        if self.stopping:
            raise Problem(503, "the service is stopping: send the request again in 5 s", retry_after=5)
        require_plain(scope, headers)
        method, path, host = scope["method"], scope["path"], headers.get("host", "")
        if name_of(host) not in self._hosts:
            raise Problem(
                421, f"the Host '{host[:100]}' is no name of this service: the operator can add it with --allow-host"
            )
        self._require_origin(headers, host)
        if method == "OPTIONS":  # a browser asks whether another page may send JSON
            if headers.get("origin") in self._origins:
                raise _Preflight
            raise wrong_method(method, path, self._methods(scope))
        if method not in METHODS:
            raise wrong_method(method, path, self._methods(scope))
        if self._token and path not in OPEN_PATHS and not path.startswith(OPEN_PREFIXES):
            self._require_token(headers)
        try:
            if method == "POST":
                require_json(headers)
            else:
                require_no_body(method, headers)
        except Problem:
            allowed = self._methods(scope)
            if allowed and method not in allowed:  # which is wrong in the first place
                raise wrong_method(method, path, allowed, close=True) from None
            raise

    def _require_origin(self, headers: Headers, host: str) -> None:
        origin = headers.get("origin")
        if origin is not None and origin not in self._origins and origin.partition("://")[2] != host:
            raise Problem(
                403,
                f"pages from '{origin[:100]}' cannot use this service: the operator can allow them with --allow-origin",
            )
        # A picture or script of another page is asked for without an Origin, but browsers say where it stands.
        site = headers.get("sec-fetch-site", "none")
        if origin is None and site not in ("none", "same-origin") and headers.get("sec-fetch-mode") != "navigate":
            raise Problem(403, "pages from other sites cannot load this address: open it directly")

    def _require_token(self, headers: Headers) -> None:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), self._token):
            raise Problem(401, "give the token of this service in the header  Authorization: Bearer TOKEN")


class _Preflight(Problem):
    """The answer to a browser that asks before it sends JSON from another page, which is allowed."""

    def __init__(self) -> None:
        super().__init__(204, "another page may send JSON")

    def response(self, path: str = "") -> Response:
        """Return the response, which has no content."""
        allowed = {"Access-Control-Allow-Methods": "GET, POST", "Access-Control-Max-Age": "600"}
        return Response(
            status_code=204, headers={**allowed, "Access-Control-Allow-Headers": "Authorization, Content-Type"}
        )


class _Body:
    """The body of one request: one that is too large, takes too long, or for which there is no room is refused."""

    def __init__(self, guard: Guard, receive: Receive) -> None:
        self._guard, self._receive = guard, receive
        self._complete, self._end = False, time.monotonic() + limits.BODY_SECONDS
        self.seen = 0

    async def receive(self) -> Message:
        """Return the next part.

        Raises
        ------
        Problem
        """
        if self._complete:  # what is left to receive is that the client leaves
            return await self._receive()
        try:
            async with asyncio.timeout(max(0.0, self._end - time.monotonic())):
                message = await self._receive()
        except TimeoutError:
            raise Problem(408, f"the body did not come within {limits.BODY_SECONDS:g} s", close=True) from None
        size = len(message.get("body", b""))
        self.seen, self._guard.held = self.seen + size, self._guard.held + size
        self._complete = not message.get("more_body", False)
        if self.seen > limits.MAX_BODY:
            raise too_large()
        if self.seen > limits.SMALL_BODY and self._guard.held > limits.MAX_BODIES:
            raise Problem(503, "there is no room for so large a body now: try again later", retry_after=1)
        return message
