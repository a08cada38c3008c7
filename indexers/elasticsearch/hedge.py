"""Hedged reads: a read without an answer is sent to another host too, round silent nodes; the first answer counts.

Source: Dean & Barroso, "The tail at scale", Communications of the ACM 56 (2013). docs/decisions/0054-hedged-searches.md
has measurements.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from indexers.elasticsearch.attempt import Attempt, answer_of, first_of
from indexers.elasticsearch.silence import Silence, avoiding

#: Seconds without an answer after which it is checked which nodes answer; if some do not, the read is sent again.
CHECK_SECONDS = 1.0
#: Seconds after that in which a read that all nodes could answer is sent again too: it may wait for a slow disk.
SLOW_SECONDS = 4.0

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
    first = Attempt.start(lambda: send(silence.found.routing))
    if first is None:
        return send(silence.found.routing)
    attempts = [first]
    try:
        for seconds, although_all_answer in ((CHECK_SECONDS, False), (SLOW_SECONDS, True)):
            if first_of(attempts, seconds):
                break
            checked = silence.check(client)
            if first_of(attempts, None, until=checked):
                break
            if although_all_answer or not silence.found.all_answer:
                asked = frozenset(host for one in attempts for host in one.hosts)
                attempts += _another(send, silence, asked)
        first_of(attempts, None)
        return answer_of(attempts)
    finally:
        for one in attempts:
            one.give_up()


def _another(send: Callable[[dict[str, str]], T], silence: Silence, asked: frozenset[Any]) -> list[Attempt[T]]:
    with avoiding(asked):
        another = Attempt.start(lambda: send(silence.found.routing))
    return [] if another is None else [another]
