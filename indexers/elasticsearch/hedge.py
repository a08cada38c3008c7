"""Hedged reads: a read without an answer is sent to another host too, round silent nodes; the first answer counts.

Source: Dean & Barroso, "The tail at scale", Communications of the ACM 56 (2013). docs/decisions/0054-hedged-searches.md
has measurements.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any, TypeVar

from indexers.elasticsearch.attempt import Attempt, answer_of, first_of
from indexers.elasticsearch.silence import Silence, avoiding

#: Seconds without an answer after which, again and again, it is checked which nodes answer.
CHECK_SECONDS = 1.0
#: Seconds without an answer after which a read is sent to another host although all nodes answer: a disk may be stuck.
SLOW_SECONDS = 5.0
#: Requests of one read at the same time.
MAX_ATTEMPTS = 3

T = TypeVar("T")


def hedged(client: Any, send: Callable[[dict[str, str]], T]) -> T:
    """Return the first answer to a read; the other requests are given up.

    Parameters
    ----------
    client : Elasticsearch
        A client of one host is asked once.
    send : callable
        Sends the idempotent request, with options that say which nodes should answer.
    """
    if len(client.transport.node_pool) == 1:
        return send({})
    silence: Silence = client.transport.node_pool.silence
    if silence.due:
        silence.check(client)
    begun, went_round = monotonic(), {silence.last_check}
    attempts = _sent(send, silence, frozenset())
    if not attempts:
        return send(silence.last_check.routing)
    try:
        while len(attempts) < MAX_ATTEMPTS and not first_of(attempts, CHECK_SECONDS):
            if first_of(attempts, None, until=silence.check(client)):
                break
            late = len(attempts) == 1 and monotonic() > begun + SLOW_SECONDS
            if late or not (silence.last_check.all_answer or silence.last_check in went_round):
                went_round.add(silence.last_check)
                attempts += _sent(send, silence, frozenset(host for one in attempts for host in one.hosts))
        first_of(attempts, None)
        return answer_of(attempts)
    finally:
        for one in attempts:
            one.give_up()


def _sent(send: Callable[[dict[str, str]], T], silence: Silence, asked: frozenset[Any]) -> list[Attempt[T]]:
    """Send a read to a host that was not asked yet; return nothing when too many threads run."""
    routing = silence.last_check.routing
    with avoiding(asked):
        attempt = Attempt.start(lambda: send(routing))
    return [] if attempt is None else [attempt]
