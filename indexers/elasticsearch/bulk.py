"""Bulk requests: several in flight, bounded memory, no document lost or written twice."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, NamedTuple, Self

from encoders.backoff import Backoff
from encoders.errors import BadItemError, IndexGoneError, ServerError
from indexers.elasticsearch.client import blocked, cause_of, readable_errors
from indexers.elasticsearch.deadline import timeout_seconds
from indexers.elasticsearch.retry import LONG, is_refused, is_transient, is_transient_status

#: Bytes or documents of one request; requests of twice the size were no faster.
BATCH_BYTES, BATCH_DOCUMENTS = 4 * 2**20, 1_000
#: Requests in flight: the server works on one while the next is built.
IN_FLIGHT = 3
#: Seconds without progress after which a load stops.
STALL_SECONDS = LONG
#: Seconds that the server waits for a shard without a node; less than the timeout of the request.
SHARD_SECONDS = 20.0
_FIRST_WAIT, _LONGEST_WAIT = 0.25, 10.0


class RejectedError(BadItemError):
    """A document that the server will never accept; `tag` is the one that `Bulk.put` got with it."""

    def __init__(self, message: str, tag: Any) -> None:
        super().__init__(message)
        self.tag = tag


#: Called with the error of each rejected document; raises it to stop the load, or returns to continue.
OnRejected = Callable[[RejectedError], None]


def raise_rejected(error: RejectedError) -> None:
    """Stop at the first rejected document."""
    raise error


class Line(NamedTuple):
    """One document, or one removal, as it is sent."""

    key: str
    body: bytes
    tag: Any = None


@dataclass
class Delivered:
    """The outcome of one request. Each belongs to one thread, so that no two threads count in it."""

    acknowledged: int = 0
    rejected: list[RejectedError] = field(default_factory=list)


class Bulk:
    """Sends documents under keys that nearby chooses, so that sending one twice changes nothing.

    Parameters
    ----------
    client : Elasticsearch
    hosts : sequence of str
    alias : str
        Where documents are written. It must be an alias: if the index were removed meanwhile, Elasticsearch would
        otherwise create an index of that name without a mapping.
    on_rejected : callable, optional
        Called with the error of each rejected document.
    stall_seconds : float, optional
        Seconds without progress after which the load stops; by default `STALL_SECONDS`.
    before_first : callable, optional
        Called once, before anything is sent; an error that it raises stops the load.

    Attributes
    ----------
    acknowledged : int
        Number of documents that the server has acknowledged.
    wrote : bool
        Whether a document may have been written or removed; False while every request was refused.
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
        self._in_flight: deque[Future[Delivered]] = deque()
        self._lines: list[Line] = []
        self._bytes = 0
        self._stopped = False
        self.acknowledged = 0

    def put(self, key: str, document: bytes, tag: Any = None) -> None:
        """Add or replace a document, given as JSON; if it is rejected, its error carries the `tag`."""
        self._append(Line(key, b'{"index":{"_id":%s}}\n%s\n' % (_quoted(key), document), tag))

    def delete(self, key: str) -> None:
        """Remove a document, if it is there."""
        self._append(Line(key, b'{"delete":{"_id":%s}}\n' % _quoted(key)))

    def flush(self) -> None:
        """Wait until everything has been acknowledged.

        Raises
        ------
        ServerError
            When that fails; acknowledged documents stay.
        BadItemError
            For a rejected document (from `on_rejected`).
        """
        self._send()
        while self._in_flight:
            self._receive()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.flush()
        finally:
            self._stopped = True  # threads that wait for the server stop
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
        while len(self._in_flight) >= IN_FLIGHT:  # bounds the memory when the server is slow
            self._receive()
        self._in_flight.append(self._threads.submit(self._deliver, self._lines))
        self._lines, self._bytes = [], 0

    def _receive(self) -> None:
        delivered = self._in_flight.popleft().result()
        self.acknowledged += delivered.acknowledged
        for error in delivered.rejected:
            self._on_rejected(error)

    def _deliver(self, lines: list[Line]) -> Delivered:
        """Send lines until each is acknowledged or rejected."""
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
            with readable_errors(self._hosts):
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
        return self._classify(lines, results, delivered)

    def _classify(self, lines: list[Line], results: list[Any], delivered: Delivered) -> tuple[list[Line], str]:
        """Count acknowledged and rejected lines; return those that should be sent again, and why."""
        again: list[Line] = []
        reason = ""
        for line, result in zip(lines, results, strict=True):
            error = result.get("error")
            if error is None:  # also when a document to be removed was not there
                self.wrote = True
                delivered.acknowledged += 1
            elif is_transient_status(result["status"], error["type"]):
                again.append(line)
                reason = (
                    f"Elasticsearch at {self._hosts[0]} takes no more now ({' '.join(error['reason'].split())[:200]})"
                )
            elif error["type"] == "cluster_block_exception":
                raise ServerError(blocked(error["reason"]))
            elif error["type"] == "index_not_found_exception":
                raise IndexGoneError(
                    f"the index behind '{self._alias}' was removed during the load: start the load again"
                )
            else:
                _, cause = cause_of({"error": error})
                delivered.rejected.append(RejectedError(f"Elasticsearch refuses item '{line.key}': {cause}", line.tag))
        return again, reason


def _quoted(key: str) -> bytes:
    import orjson

    return orjson.dumps(key)
