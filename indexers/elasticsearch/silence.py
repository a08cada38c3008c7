"""Which hosts and nodes do not answer at the moment, so that reads go round them; checked again with back-off.

A node that stands still keeps its connections, so nothing fails: requests to it wait, and so do searches that a healthy
node sends on to a shard there, until the cluster removes the node (half a minute or more).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, partial
from itertools import count
from threading import Lock
from time import monotonic
from typing import Any, NamedTuple

from indexers.elasticsearch.attempt import Attempt

#: Seconds in which a node that works answers another node, and a host answers us.
_NODE_SECONDS, _HOST_SECONDS = 0.5, 1.0
#: Seconds until silent nodes are checked again: each time twice as long.
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 15.0
#: Seconds for which the result of a check, from its begin, serves other searches that wait.
_FRESH_SECONDS = 1.0

#: The host that a request must go to; the hosts that it should not go to.
_only: ContextVar[Any] = ContextVar("only", default=None)
_avoided: ContextVar[frozenset[Any]] = ContextVar("avoided", default=frozenset())


class Check(NamedTuple):
    """What a check found: the hosts that did not answer, and the preference that sends searches round silent nodes."""

    silent_hosts: frozenset[Any] = frozenset()
    preference: str | None = None

    @property
    def all_answer(self) -> bool:
        """True when no host and no node is silent."""
        return not self.silent_hosts and self.preference is None

    @property
    def routing(self) -> dict[str, str]:
        """The options of a search, a count or a get that send it round silent nodes."""
        return {} if self.preference is None else {"preference": self.preference}


class Silence:
    """The silent hosts and nodes of a cluster, shared by all threads that use a client."""

    def __init__(self) -> None:
        self.last_check = Check()
        self._lock = Lock()
        self._checking: Future[Check] | None = None
        self._began = self._ended = -math.inf
        self._wait = _FIRST_WAIT

    @property
    def due(self) -> bool:
        """True when silent nodes should be checked again."""
        return not self.last_check.all_answer and monotonic() >= self._ended + self._wait

    def check(self, client: Any) -> Future[Check]:
        """Ask every host which nodes answer, in the background; checks at the same time are one check.

        It is done as soon as a host knows a silent node; silent hosts would take longer.
        """
        with self._lock:
            now = monotonic()
            if self._checking is not None and (not self._checking.done() or now < self._began + _FRESH_SECONDS):
                return self._checking
            done: Future[Check] = Future()
            if Attempt.start(lambda: self._check(client, done)) is None:
                done.set_result(self.last_check)
                return done
            self._checking, self._began = done, now
            return done

    def _check(self, client: Any, done: Future[Check]) -> None:
        check = self.last_check
        try:
            for check in _checks(client):  # the last one counts
                if check.preference is not None and not done.done():
                    self.last_check = check
                    done.set_result(check)
            self.last_check = check
            self._wait = _FIRST_WAIT if check.all_answer else min(2 * self._wait, _LONGEST_WAIT)
        finally:
            self._ended = monotonic()
            if not done.done():
                done.set_result(self.last_check)


def _checks(client: Any) -> Iterator[Check]:
    """Yield what is found after each answer; a host that has not answered yet counts as silent."""
    hosts = client.transport.node_pool.all()
    asked = {node.config: Attempt.start(partial(_nodes_that_answer, client, node)) for node in hosts}
    running = {one.future for one in asked.values() if one is not None}
    while running:
        running = wait(running, return_when=FIRST_COMPLETED).not_done
        yield _check_of({host: None if one is None else _result(one) for host, one in asked.items()})


class _Nodes(NamedTuple):
    """What a host says: the nodes that answer it, whether others do not, and whether we may know that at all."""

    answering: frozenset[str]
    some_silent: bool
    known: bool = True


def _nodes_that_answer(client: Any, node: Any) -> _Nodes:
    with only(node):
        answer = client.options(request_timeout=_HOST_SECONDS, max_retries=0, ignore_status=403).nodes.info(
            node_id="_all", metric="_none", timeout=f"{1000 * _NODE_SECONDS:.0f}ms", filter_path="_nodes,nodes.*.name"
        )
    if answer.meta.status == 403:
        return _Nodes(frozenset(), some_silent=False, known=False)
    body = answer.body or {}
    return _Nodes(frozenset(body.get("nodes", {})), bool(body.get("_nodes", {}).get("failed")))


def _result(attempt: Attempt[_Nodes]) -> _Nodes | None:
    """Return the answer of a host; None before it, and for an error: whatever it is, this host does not help."""
    return attempt.future.result() if attempt.future.done() and not attempt.failed else None


def _check_of(answers: dict[Any, _Nodes | None]) -> Check:
    heard = [one for one in answers.values() if one is not None]
    silent = frozenset(host for host, one in answers.items() if one is None)
    if not heard:  # nothing to go round to
        return Check()
    known = [one for one in heard if one.known]
    if not known:  # the user may only read: the host's own shards at least need no other node
        return Check(silent, "_local" if silent else None)
    nodes = frozenset.intersection(*(one.answering for one in known))
    if not nodes or not any(one.some_silent for one in known):
        return Check(silent)
    return Check(silent, f"_prefer_nodes:{','.join(sorted(nodes))}")


@contextmanager
def only(node: Any) -> Iterator[None]:
    """Send the requests of a block to one host, whatever is known of it."""
    token = _only.set(node)
    try:
        yield
    finally:
        _only.reset(token)


@contextmanager
def avoiding(hosts: frozenset[Any]) -> Iterator[None]:
    """Send the requests of a block to other hosts, if there are any."""
    token = _avoided.set(hosts)
    try:
        yield
    finally:
        _avoided.reset(token)


@cache
def pool_class() -> Any:
    """Return a pool of hosts of the official client that asks silent hosts last; `silence` says which they are."""
    from elastic_transport import NodePool, NodeSelector

    class InTurn(NodeSelector):
        """Takes hosts in turn, whichever thread asks: the official one begins again in each thread."""

        def __init__(self, configs: Any) -> None:
            super().__init__(configs)
            self.silence, self._turn = Silence(), count()

        def select(self, nodes: Any) -> Any:
            avoided = _avoided.get() | self.silence.last_check.silent_hosts
            nodes = [node for node in nodes if node.config not in avoided] or nodes
            return nodes[next(self._turn) % len(nodes)]

    class Hosts(NodePool):
        def __init__(self, *words: Any, **more: Any) -> None:
            super().__init__(*words, **{**more, "node_selector_class": InTurn})

        @property
        def silence(self) -> Silence:
            chooses: Any = self.node_selector
            silence: Silence = chooses.silence
            return silence

        def get(self) -> Any:
            return _only.get() or super().get()

    return Hosts
