"""The bulk sender: several requests in flight, bounded memory, no document lost or written twice."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, NamedTuple, Self

from encoders.errors import BadItemError, IndexGoneError, ServerError
from indexers.elasticsearch.client import blocked, cause_of, speaking
from indexers.elasticsearch.deadline import timeout_seconds
from indexers.elasticsearch.retry import LONG, Backoff, is_refused, is_transient, is_transient_status

#: Bytes or documents of one request; requests of twice the size were no faster.
BATCH_BYTES, BATCH_DOCUMENTS = 4 * 2**20, 1_000
#: Requests in flight: the server works on one while we make the next.
IN_FLIGHT = 3
#: Seconds without progress after which a load stops.
STALL_SECONDS = LONG
#: Seconds that the server waits for a shard without a node: fewer than the request's own timeout.
SHARD_SECONDS = 20.0
_FIRST_WAIT, _LONGEST_WAIT = 0.25, 10.0


class RejectedError(BadItemError):
    """A document that is refused for good; `tag` is what `Bulk.put` was given with it."""

    def __init__(self, said: str, tag: Any) -> None:
        super().__init__(said)
        self.tag = tag


#: Called with the refusal of each document that is refused for good; raises, or lets the load go on.
OnRejected = Callable[[RejectedError], None]


def raise_rejected(error: RejectedError) -> None:
    """Stop at the first refused document."""
    raise error


class Line(NamedTuple):
    """One document on its way."""

    key: str
    body: bytes
    tag: Any = None


@dataclass
class Delivered:
    """What became of one request's documents; each belongs to one thread, so that nothing is counted at once."""

    acknowledged: int = 0
    refused: list[RejectedError] = field(default_factory=list)


class Bulk:
    """Sends documents under keys of our own, so that sending one again changes nothing.

    Parameters
    ----------
    client : Elasticsearch
    hosts : sequence of str
    alias : str
        What is written to. It has to be an alias: Elasticsearch would make an index of that name that has no mapping,
        were ours removed meanwhile.
    on_rejected : callable, optional
        Told of each document that is refused for good.
    stall_seconds : float, optional
        Seconds without progress after which the load stops; by default `STALL_SECONDS`.
    before_first : callable, optional
        Called once, before anything is sent; what it raises stops the load.

    Attributes
    ----------
    acknowledged : int
        Documents that the server has said it has.
    wrote : bool
        Whether a document may have been written or removed; False as long as everything was refused.
    """

    def __init__(
        self,
        client: Any,
        hosts: Sequence[str],
        alias: str,
        on_rejected: OnRejected = raise_rejected,
        stall_seconds: float | None = None,
        before_first: Callable[[], None] | None = None,
    ) -> None:
        self._before_first = before_first
        self.wrote = False
        self._client, self._hosts, self._alias = client, hosts, alias
        self._on_rejected = on_rejected
        self._stall_seconds = STALL_SECONDS if stall_seconds is None else stall_seconds
        self._threads = ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="bulk")
        self._flying: deque[Future[Delivered]] = deque()
        self._lines: list[Line] = []
        self._bytes = 0
        self._stopped = False
        self.acknowledged = 0

    def put(self, key: str, document: bytes, tag: Any = None) -> None:
        """Add or replace a document, given as JSON; should it be refused, its refusal carries the `tag`."""
        self._append(Line(key, b'{"index":{"_id":%s}}\n%s\n' % (_quoted(key), document), tag))

    def delete(self, key: str) -> None:
        """Remove a document, if it is there."""
        self._append(Line(key, b'{"delete":{"_id":%s}}\n' % _quoted(key)))

    def flush(self) -> None:
        """Wait until everything has been acknowledged.

        Raises
        ------
        ServerError
            When it could not be; what was acknowledged stays.
        BadItemError
            For a document that is refused (from `on_rejected`).
        """
        self._send()
        while self._flying:
            self._land()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.flush()
        finally:
            self._stopped = True  # threads that wait for the server give up
            self._threads.shutdown(wait=True, cancel_futures=True)

    def _append(self, line: Line) -> None:
        self._lines.append(line)
        self._bytes += len(line.body)
        if self._bytes >= BATCH_BYTES or len(self._lines) >= BATCH_DOCUMENTS:
            self._send()

    def _send(self) -> None:
        if not self._lines:
            return
        before, self._before_first = self._before_first, None
        if before is not None:
            before()
        while len(self._flying) >= IN_FLIGHT:  # so memory stays bounded, however slow the server
            self._land()
        self._flying.append(self._threads.submit(self._deliver, self._lines))
        self._lines, self._bytes = [], 0

    def _land(self) -> None:
        delivered = self._flying.popleft().result()
        self.acknowledged += delivered.acknowledged
        for error in delivered.refused:
            self._on_rejected(error)

    def _deliver(self, lines: list[Line]) -> Delivered:
        """Send lines until each is acknowledged or refused for good."""
        delivered = Delivered()
        backoff = Backoff(self._stall_seconds, _FIRST_WAIT, _LONGEST_WAIT)
        while lines:
            again, reason = self._try(lines, delivered)
            if len(again) < len(lines):
                backoff.restart()
            lines = again
            if lines and (self._stopped or backoff.ended):
                raise ServerError(
                    f"{reason}; after {self._stall_seconds:.0f} s without progress the load stopped: "
                    "run the same command again later"
                )
            if lines:
                backoff.sleep()
        return delivered

    def _try(self, lines: list[Line], delivered: Delivered) -> tuple[list[Line], str]:
        """Send lines once; return those that should be sent again, and why."""
        try:
            with speaking(self._hosts):
                answer = self._client.options(
                    max_retries=0, retry_on_status=(), request_timeout=timeout_seconds()
                ).bulk(
                    index=self._alias,
                    operations=[line.body for line in lines],
                    require_alias=True,
                    timeout=f"{1000 * min(SHARD_SECONDS, self._stall_seconds):.0f}ms",
                    filter_path="errors,items.*.status,items.*.error.type,items.*.error.reason",
                )
                if not answer["errors"]:
                    self.wrote = True
                    delivered.acknowledged += len(lines)
                    return [], ""
                results = [next(iter(item.values())) for item in answer["items"]]
                for result in results:
                    _ = result["status"], result["error"]["type"] if "error" in result else ""
        except ServerError as error:
            self.wrote |= not is_refused(error)
            if not is_transient(error):
                raise
            return lines, str(error)
        return self._sorted(lines, results, delivered)

    def _sorted(self, lines: list[Line], results: list[Any], delivered: Delivered) -> tuple[list[Line], str]:
        again: list[Line] = []
        reason = ""
        for line, result in zip(lines, results, strict=True):
            error = result.get("error")
            if error is None:  # also of what was to be removed and was not there
                self.wrote = True
                delivered.acknowledged += 1
            elif is_transient_status(result["status"], error["type"]):
                again.append(line)
                reason = f"Elasticsearch at {self._hosts[0]} takes no more ({' '.join(error['reason'].split())[:200]})"
            elif error["type"] == "cluster_block_exception":
                raise ServerError(blocked(error["reason"]))
            elif error["type"] == "index_not_found_exception":
                raise IndexGoneError(
                    f"the index behind '{self._alias}' was removed while it was loaded: start the load again"
                )
            else:
                _, cause = cause_of({"error": error})
                delivered.refused.append(
                    RejectedError(f"item '{line.key}': Elasticsearch refuses it: {cause}", line.tag)
                )
        return again, reason


def _quoted(key: str) -> bytes:
    import orjson

    return orjson.dumps(key)
