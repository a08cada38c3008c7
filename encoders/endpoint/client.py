"""Requests to an OpenAI-compatible embeddings endpoint: retried, bounded, never redirected."""

from __future__ import annotations

import email.utils
import http.client
import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from encoders.backoff import Backoff
from encoders.endpoint.address import is_here, key_of, key_variables
from encoders.endpoint.answer import Embedded, read_answer
from encoders.errors import EndpointError, one_line
from encoders.numbers import counted, span
from encoders.version import version

#: Statuses of failures that pass: the server is busy, restarts, or is reached through a proxy that waits for it.
_TRANSIENT = frozenset({408, 409, 429, 500, 502, 503, 504, 529})
#: Codes of refusals with status 429 that no waiting ends.
_LASTING = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
#: Largest answer: 2,048 vectors of 16,384 numbers with 25 characters.
_LONGEST = 2**30
_BLOCK = 2**20
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 30.0


class Reply(NamedTuple):
    """The status, headers and body of an answer."""

    status: int
    headers: Any
    body: bytes


@dataclass(frozen=True)
class Client:
    """An endpoint, and how it is asked.

    Parameters
    ----------
    url : str
        As `encoders.endpoint.address.checked_url` returns it.
    model : str
    dimensions : int or None
        Asked of models whose embeddings can be shortened.
    timeout : float
        Seconds for one request.
    """

    url: str
    model: str
    dimensions: int | None = None
    timeout: float = 60.0

    def embed(self, texts: list[str], retry_seconds: float) -> Embedded:
        """Return the embeddings of some texts, by one request that is retried while its failure may pass.

        Raises
        ------
        EndpointError
            When the endpoint cannot be reached, refuses the request, or gives no embeddings; the message says what
            to do, and never repeats the key.
        """
        backoff = Backoff(retry_seconds, _FIRST_WAIT, _LONGEST_WAIT)
        while True:
            wait = 0.0
            try:
                reply = self._post(texts)
            except (OSError, http.client.HTTPException) as error:
                failure = self._unreachable(error)
                lasting = _is_lasting(error)
            else:
                if reply.status == 200:
                    return read_answer(self.url, reply.body, len(texts))
                failure = self._refused(reply)
                lasting = reply.status not in _TRANSIENT or _code_of(reply.body) in _LASTING
                wait = _retry_after(reply.headers)
            if lasting:
                raise failure
            if wait > backoff.seconds_left or backoff.ended:
                asks = f"; it asks to wait {span(wait)}" if wait > backoff.seconds_left else ""
                raise EndpointError(f"{failure}{asks}; tried for {span(retry_seconds)}: try again later") from failure
            backoff.sleep(at_least=wait)

    def _post(self, texts: list[str]) -> Reply:
        body: dict[str, Any] = {"model": self.model, "input": texts, "encoding_format": "float"}
        if self.dimensions is not None:
            body["dimensions"] = self.dimensions
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "User-Agent": f"nearby/{version()}",
        }
        key = key_of(self.url)
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        request = urllib.request.Request(self.url, json.dumps(body).encode(), headers, method="POST")  # noqa: S310
        end = time.monotonic() + self.timeout
        try:
            with _opener(self.url).open(request, timeout=self.timeout) as answer:
                return Reply(answer.status, answer.headers, _body_of(answer, end))
        except urllib.error.HTTPError as error:
            with error:
                return Reply(error.code, error.headers, _body_of(error, end))

    def _unreachable(self, error: Exception) -> EndpointError:
        reason = getattr(error, "reason", error)
        if isinstance(reason, TimeoutError):
            return EndpointError(f"{self.url} did not answer within {span(self.timeout)} (timeout=)")
        return EndpointError(f"cannot reach {self.url}: {one_line(reason) or type(reason).__name__}")

    def _refused(self, reply: Reply) -> EndpointError:
        if 300 <= reply.status < 400:
            return EndpointError(
                f"{self.url} redirects elsewhere, which is not followed: give the final address of the endpoint"
            )
        message = self._without_key(_message_of(reply.body))
        words = f"{self.url} answers with status {reply.status}{f': {message}' if message else ''}"
        if reply.status in (401, 403):
            known = key_of(self.url) is not None
            variables = " or ".join(key_variables(self.url)) or "NEARBY_KEY_HOST"
            return EndpointError(f"{words}; the key comes from {variables}, which is {'set' if known else 'not set'}")
        if reply.status == 413:
            return EndpointError(f"{words}; make the requests smaller with batch-size=")
        return EndpointError(words)

    def _without_key(self, text: str) -> str:
        key = key_of(self.url)
        return text if key is None else text.replace(key, "[key]")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: it would take texts and key to another address."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _opener(url: str) -> urllib.request.OpenerDirector:
    """Return what sends requests: through the proxy of the environment, but never to this machine."""
    here = is_here(urlsplit(url).hostname or "")
    return urllib.request.build_opener(_NoRedirect, *([urllib.request.ProxyHandler({})] if here else []))


def _body_of(answer: Any, end: float) -> bytes:
    """Read an answer up to the end of its time, and no more than an answer can be."""
    blocks: list[bytes] = []
    size = 0
    while block := answer.read1(_BLOCK) if hasattr(answer, "read1") else answer.read(_BLOCK):
        blocks.append(block)
        size += len(block)
        if size > _LONGEST:
            raise http.client.HTTPException(f"the answer has more than {_LONGEST:,} bytes")
        if time.monotonic() > end:
            raise TimeoutError("timed out")
    missing = getattr(answer, "length", None)
    if missing:
        raise http.client.HTTPException(f"the answer was cut off, {missing:,} bytes before its end")
    return b"".join(blocks)


def _is_lasting(error: Exception) -> bool:
    """Return whether a connection fails for a reason that no waiting ends: an unknown name, a bad certificate."""
    import socket
    import ssl

    reason = getattr(error, "reason", error)
    unknown_host = isinstance(reason, socket.gaierror) and reason.errno != socket.EAI_AGAIN
    return unknown_host or isinstance(reason, ssl.SSLCertVerificationError)


def _retry_after(headers: Any) -> float:
    """Return the seconds that a server asks to wait; 0 if it does not say."""
    text = (headers.get("Retry-After") or "").strip()
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(text).timestamp() - time.time()
        except (TypeError, ValueError, OverflowError):
            return 0.0
    return seconds if 0 < seconds < float("inf") else 0.0


def _error_of(body: bytes) -> Any:
    try:
        value = json.loads(body[:_BLOCK])
    except (ValueError, RecursionError):
        return None
    return value.get("error", value) if isinstance(value, dict) else None


def _code_of(body: bytes) -> Any:
    error = _error_of(body)
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, str) else None


def _message_of(body: bytes) -> str:
    error = _error_of(body)
    if isinstance(error, dict):
        error = error.get("message") or error.get("detail") or ""
    return one_line(error) if isinstance(error, str) else ""


def requests_words(requests: int, tokens: int, texts: int, cached: int) -> str:
    """Return what an endpoint was asked, in words.

    Examples
    --------
    >>> requests_words(2, 900, 100, 28)
    '2 requests embedded 100 texts for 900 tokens; 28 texts came from the cache'
    >>> requests_words(0, 0, 0, 28)
    '28 texts came from the cache, and nothing was paid'
    """
    if not requests:
        return f"{counted(cached, 'text')} came from the cache, and nothing was paid"
    paid = f"{counted(requests, 'request')} embedded {counted(texts, 'text')} for {counted(tokens, 'token')}"
    return paid if not cached else f"{paid}; {counted(cached, 'text')} came from the cache"
