"""The guard before every request: who may ask, from where, and how much; what every response says to a browser."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from retrieval.service import limits
from retrieval.service.metrics import Metrics
from retrieval.service.problem import Problem

#: Methods of the API; others are refused.
METHODS = frozenset({"GET", "HEAD", "POST"})
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
        self, app: ASGIApp, token: str, hosts: Sequence[str], origins: Sequence[str], metrics: Metrics
    ) -> None:
        self.app, self.metrics = app, metrics
        self.stopping, self.running, self.held = False, 0, 0
        self._token = token.encode()
        self._hosts = LOOPBACK_NAMES | {host.lower() for host in hosts}
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
            raise _Preflight(headers.get("origin") in self._origins)
        if method not in METHODS:
            raise Problem(
                405, f"the method {method[:20]} is not used here: use GET, HEAD or POST", allow="GET, HEAD, POST"
            )
        if self._token and path not in OPEN_PATHS and not path.startswith(OPEN_PREFIXES):
            self._require_token(headers)
        if method == "POST":
            require_json(headers)

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
    """The answer to a browser that asks before it sends JSON from another page."""

    def __init__(self, allowed: bool) -> None:
        super().__init__(
            204 if allowed else 405,
            "pages from other sites cannot use this service: the operator can allow them with --allow-origin",
        )

    def response(self, path: str = "") -> Response:
        """Return the response: without content, or a problem."""
        if self.status == 405:
            return super().response(path)
        allowed = {"Access-Control-Allow-Methods": "GET, POST", "Access-Control-Max-Age": "600"}
        return Response(
            status_code=204, headers={**allowed, "Access-Control-Allow-Headers": "Authorization, Content-Type"}
        )


def require_plain(scope: Scope, headers: Headers) -> None:
    """Refuse a request that proxies may understand in another way than we do, or whose target is too long.

    Raises
    ------
    Problem
    """
    if scope["http_version"] not in ("1.0", "1.1"):
        raise Problem(505, "this service speaks HTTP/1.1", close=True)
    if len(scope.get("raw_path", b"")) + len(scope["query_string"]) > limits.MAX_TARGET:
        raise Problem(414, f"the path and query string should have at most {limits.MAX_TARGET:,} bytes")
    length, coding = headers.getlist("content-length"), headers.getlist("transfer-encoding")
    if len(length) + len(coding) > 1:
        raise Problem(
            400,
            "the request gives the length of its body twice: send one Content-Length or one Transfer-Encoding",
            close=True,
        )
    if scope["method"] in ("GET", "HEAD") and (coding or length not in ([], ["0"])):
        raise Problem(400, f"a {scope['method']} has no body", close=True)


def require_json(headers: Headers) -> None:
    """Refuse a body that is no JSON, which a form of another page could send, or is too large.

    Raises
    ------
    Problem
    """
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Problem(415, f"the body should be application/json; got '{kind[:100]}'")
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length[:20]) > limits.MAX_BODY:
        raise _too_large()


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
            raise _too_large()
        if self.seen > limits.SMALL_BODY and self._guard.held > limits.MAX_BODIES:
            raise Problem(503, "there is no room for so large a body now: try again later", retry_after=1)
        return message


def _too_large() -> Problem:
    return Problem(413, f"the body should have at most {limits.MAX_BODY // 2**20} MiB")


def name_of(host: str) -> str:
    """Return the name of a Host header, without its port.

    Examples
    --------
    >>> name_of("LocalHost:8765"), name_of("[::1]:80"), name_of("[::1]")
    ('localhost', '[::1]', '[::1]')
    """
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdecimal() else host).lower()
