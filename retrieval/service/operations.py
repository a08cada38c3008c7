"""One operation, on a collection or on the service, and what a request gives it; `endpoints/table.py` lists all."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from retrieval.collection.base import Collection
from retrieval.service.metrics import Metrics

if TYPE_CHECKING:
    from retrieval.service.open_collections import OpenCollections

T = TypeVar("T")


class ResultCache:
    """The last results that took long to make, by what they depend on."""

    def __init__(self, size: int = 8) -> None:
        self._results: OrderedDict[Hashable, Any] = OrderedDict()
        self._size = size

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return the result of a key; `make` makes it if it is not remembered.

        Examples
        --------
        >>> remembered = ResultCache()
        >>> remembered.get("a", lambda: 1), remembered.get("a", lambda: 2)
        (1, 1)
        """
        if key in self._results:
            self._results.move_to_end(key)
        else:
            self._results[key] = make()
            while len(self._results) > self._size:
                self._results.popitem(last=False)
        result: T = self._results[key]
        return result


@dataclass(frozen=True)
class OperationRequest:
    """What a request asks of a collection.

    Attributes
    ----------
    collection : str
        Name of the collection.
    path : dict of str to str
        Values of the path.
    body : Any
        The body, an instance of `Operation.body`; None without one.
    parameters : Any
        The query string, an instance of `Operation.parameters`; None without one.
    remembered : ResultCache
        What earlier requests made that took long.
    """

    collection: str
    path: dict[str, str] = field(default_factory=dict)
    body: Any = None
    parameters: Any = None
    remembered: ResultCache = field(default_factory=ResultCache)


@dataclass(frozen=True)
class Media:
    """An answer that is no JSON."""

    content: bytes
    media_type: str


@dataclass(frozen=True)
class ServiceState:
    """What a process knows without opening a collection: the names of the collections, and the counts of requests."""

    names: tuple[str, ...]
    metrics: Metrics


@dataclass(frozen=True)
class ServiceOperation:
    """One operation on the service as a whole.

    Attributes
    ----------
    name, method, path, summary : str
        As of `Operation`; the path is whole.
    answer : callable or None
        Takes the open collections and an `OperationRequest`.
    reply, body, media
        As of `Operation`.
    at_once : callable, optional
        Answers instead of `answer` without a thread, so that it also answers when all threads are busy.
    """

    name: str
    method: str
    path: str
    summary: str
    answer: Callable[[OpenCollections, OperationRequest], Any] | None
    reply: type
    body: type | None = None
    media: tuple[str, ...] = ()
    at_once: Callable[[ServiceState], Any] | None = None


@dataclass(frozen=True)
class Operation:
    """One operation on a collection.

    Attributes
    ----------
    name : str
        Its name in the OpenAPI document, in camel case.
    method, path : str
        As in ``POST`` and ``/search``; the path is below ``/v1/collections/{collection}``.
    summary : str
    answer : callable
        Takes the open collection and an `OperationRequest`; returns a `reply` or a `Media`.
    reply : type
        Struct of the reply; `Media` for an answer that is no JSON.
    body, parameters : type, optional
        Structs of the body and of the query string.
    media : tuple of str
        Media types of an answer that is no JSON.
    long : bool
        Whether it may take minutes: it then sends its progress to clients that accept ``text/event-stream``.
    schema : callable, optional
        Returns the JSON Schema of a reply that is a document of nearby, where `reply` is `Document`.
    """

    name: str
    method: str
    path: str
    summary: str
    answer: Callable[[Collection, OperationRequest], Any]
    reply: type
    body: type | None = None
    parameters: type | None = None
    media: tuple[str, ...] = ()
    long: bool = False
    schema: Callable[[], dict[str, Any]] | None = None
