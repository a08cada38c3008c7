"""What the head of a request must be: its method, its target, and the kind and length of its body."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import Scope

from retrieval.service import limits
from retrieval.service.problem import Problem

#: Methods of the API; others are refused.
METHODS = frozenset({"GET", "HEAD", "POST"})


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


def wrong_method(method: str, path: str, allowed: frozenset[str], close: bool = False) -> Problem:
    """Return the problem of a request with another method than its operation has; none are allowed where none is known.

    Examples
    --------
    >>> wrong_method("GET", "/v1/collections/news/search", frozenset({"POST"})).detail
    '/v1/collections/news/search is asked with POST and a body of JSON, not with GET: /docs has an example'
    """
    asked = "POST and a body of JSON" if "POST" in allowed else "GET" if allowed else "GET, HEAD or POST"
    detail = f"{path[:200] if allowed else 'this service'} is asked with {asked}, not with {method[:20]}"
    if "POST" in allowed:
        detail += ": /docs has an example"
    return Problem(405, detail, close=close, allow=", ".join(sorted(allowed or METHODS)))


def require_no_body(method: str, headers: Headers) -> None:
    """Refuse a body where none belongs: proxies disagree about where it ends.

    Raises
    ------
    Problem
    """
    if headers.getlist("transfer-encoding") or headers.getlist("content-length") not in ([], ["0"]):
        raise Problem(400, f"a {method} has no body: send its parameters in the query string, as in ?k=5", close=True)


def require_json(headers: Headers) -> None:
    """Refuse a body that is no JSON, which a form of another page could send, or is too large.

    Raises
    ------
    Problem
    """
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        detail = f"it has '{kind[:100]}'" if kind else "it has none"
        raise Problem(415, f"send JSON with the header  Content-Type: application/json ; {detail}")
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length[:20]) > limits.MAX_BODY:
        raise too_large()


def too_large() -> Problem:
    """Return the problem of a body that is too large."""
    return Problem(413, f"the body should have at most {limits.MAX_BODY // 2**20} MiB")
