"""A host or a node that does not answer delays one read by a second or two, and the reads after it not at all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from urllib.parse import unquote

import pytest
from fake_node import Reply, fake_node, version

from encoders.errors import ServerError
from indexers.elasticsearch import attempt, client, hedge, silence
from indexers.elasticsearch.address import Address
from indexers.elasticsearch.attempt import Attempt, answer_of, first_of
from indexers.elasticsearch.index_admin import IndexAdmin

COUNT = Reply(200, {"count": 7, "_shards": {"failed": 0}})


@dataclass
class Server:
    """A host of a cluster: what it was asked, what it waits for before it answers, and which nodes it says there are."""

    nodes: tuple[str, ...] = ("a", "b")
    failed: int = 0
    status: int = 200
    asked: list[str] = field(default_factory=list)
    silent: threading.Event | None = None
    #: Seconds until the answer to a request.
    slow: Callable[[str], float] = lambda path: 0.0

    def __call__(self, method, path, body):
        self.asked.append(f"{method} {path}")
        if self.silent is not None:
            self.silent.wait(30)
        time.sleep(self.slow(path))
        if path.startswith("/_nodes/_local"):
            return version("8.19.0")
        if path.startswith("/_nodes"):
            counts = {"total": len(self.nodes) + self.failed, "successful": len(self.nodes), "failed": self.failed}
            return Reply(self.status, {"_nodes": counts, "nodes": {node: {"name": node} for node in self.nodes}})
        return COUNT if "_count" in path else Reply(200, {"acknowledged": True})

    @property
    def counts(self):
        return [unquote(one.partition("?")[2]) for one in self.asked if "_count" in one]


@pytest.fixture
def cluster(monkeypatch):
    """Starts fake hosts; what is silent is let go at the end."""
    for name in client._VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(hedge, "CHECK_SECONDS", 0.3)
    client._connect.cache_clear()
    with ExitStack() as stack:
        gone = threading.Event()

        def started(*servers):
            hosts = [stack.enter_context(fake_node(server)) for server in servers]
            return IndexAdmin(Address.read(f"{','.join(f'http://{host}' for host in hosts)}/n"), 10.0), gone

        yield started
        gone.set()
    client._connect.cache_clear()


def seconds(call):
    begun = time.monotonic()
    assert call() == 7
    return time.monotonic() - begun


def test_a_silent_host_delays_one_read_and_later_ones_not_at_all(cluster):
    first, second = Server(), Server()
    admin, gone = cluster(first, second)
    assert [admin.count("n") for _ in range(4)] == [7] * 4
    assert len(first.counts) == len(second.counts) == 2  # hosts take turns
    first.silent = gone
    took = [seconds(lambda: admin.count("n")) for _ in range(6)]
    assert max(took) < 3
    assert sorted(took)[-2] < 0.3  # only one read waited
    assert len(first.counts) == 3  # and only that one was sent to the silent host


def test_a_silent_host_delays_opening_but_once(cluster):
    first = Server()
    admin, gone = cluster(first, Server())
    first.silent = gone
    client._connect.cache_clear()
    begun = time.monotonic()
    for _ in range(4):  # hosts are asked in random order
        client._connect.cache_clear()
        assert IndexAdmin(admin.address).exists("n")
    assert time.monotonic() - begun < 8


def test_a_host_that_answers_again_is_asked_again(cluster, monkeypatch):
    monkeypatch.setattr(silence, "_FIRST_WAIT", 0.05)
    first, second = Server(), Server()
    admin, _ = cluster(first, second)
    first.silent = threading.Event()
    for _ in range(2):
        admin.count("n")
    before = len(first.counts)
    first.silent.set()
    end = time.monotonic() + 10
    while len(first.counts) < before + 2 and time.monotonic() < end:
        admin.count("n")
        time.sleep(0.02)
    assert len(first.counts) >= before + 2


def test_a_slow_read_on_a_healthy_cluster_is_sent_once(cluster):
    servers = [Server(slow=lambda path: 1.2 * ("_count" in path)) for _ in range(2)]
    admin, _ = cluster(*servers)
    assert seconds(lambda: admin.count("n")) >= 1.2
    assert sum(len(server.counts) for server in servers) == 1


def test_a_read_that_waits_long_is_sent_again_although_all_nodes_answer(cluster, monkeypatch):
    monkeypatch.setattr(hedge, "SLOW_SECONDS", 0.3)
    stuck = {"one": True}
    slow = lambda path: 8.0 * ("_count" in path and stuck.pop("one", False))  # noqa: E731
    servers = [Server(slow=slow) for _ in range(2)]
    admin, _ = cluster(*servers)
    assert seconds(lambda: admin.count("n")) < 3
    assert [len(server.counts) for server in servers] == [1, 1]  # another host


def test_a_search_goes_round_a_silent_node_behind_healthy_hosts(cluster):
    waits = lambda path: 5.0 * ("_count" in path and "_prefer_nodes" not in path)  # noqa: E731
    servers = [Server(nodes=("a", "b"), failed=1, slow=waits) for _ in range(2)]
    admin, _ = cluster(*servers)
    assert seconds(lambda: admin.count("n")) < 3
    assert sorted(one for server in servers for one in server.counts) == ["", "preference=_prefer_nodes:a,b"]
    assert seconds(lambda: admin.count("n")) < 0.3


def test_the_nodes_that_every_host_hears_are_preferred(cluster):
    waits = lambda path: 5.0 * ("_count" in path and "preference" not in path)  # noqa: E731
    servers = [Server(nodes=("a", "b", "c"), slow=waits), Server(nodes=("b", "c"), failed=1, slow=waits)]
    admin, _ = cluster(*servers)
    admin.count("n")
    assert "preference=_prefer_nodes:b,c" in servers[0].counts + servers[1].counts


def test_who_may_not_ask_for_nodes_prefers_the_shards_of_the_host(cluster):
    first, second = Server(status=403), Server(status=403)
    admin, gone = cluster(first, second)
    first.silent = gone
    for _ in range(2):
        assert seconds(lambda: admin.count("n")) < 3
    assert second.counts[-1] == "preference=_local"


def test_the_loser_is_given_up_and_its_thread_ends(cluster):
    first = Server()
    admin, gone = cluster(first, Server())
    first.silent = gone
    for _ in range(3):
        admin.count("n")
    end = time.monotonic() + 5
    while _attempts() and time.monotonic() < end:
        time.sleep(0.02)
    assert _attempts() == 0
    assert not gone.is_set()


def _attempts():
    return sum(thread.name == "nearby-attempt" for thread in threading.enumerate())


def test_a_node_that_stops_during_a_check_is_found_by_the_next(cluster):
    """The first check hears of a silent host alone, as the others answered it before the node behind stopped."""
    first = Server()
    second = Server(nodes=("a", "b"), slow=lambda path: 5.0 * ("_count" in path and "preference" not in path))
    admin, gone = cluster(first, second)
    first.silent = gone
    threading.Timer(0.9, lambda: setattr(second, "failed", 1)).start()
    assert seconds(lambda: admin.count("n")) < 4
    assert second.counts[-1] == "preference=_prefer_nodes:a,b"


def test_a_write_is_never_sent_twice(cluster, monkeypatch):
    monkeypatch.setattr(hedge, "SLOW_SECONDS", 0.1)
    servers = [Server(slow=lambda path: 1.5 * ("_mapping" in path)) for _ in range(2)]
    admin, _ = cluster(*servers)
    admin.set_meta("n", {})
    assert sum("_mapping" in one for server in servers for one in server.asked) == 1


def test_without_a_free_thread_the_caller_asks_itself(cluster, monkeypatch):
    admin, _ = cluster(Server(), Server())
    monkeypatch.setattr(attempt, "_slots", threading.BoundedSemaphore(1))
    assert attempt._slots.acquire()
    assert admin.count("n") == 7


def test_an_error_is_raised_at_once_in_the_thread_of_the_caller(cluster):
    admin, _ = cluster(Server(), Server())

    def refused(client, routing):
        raise ServerError("refused")

    begun = time.monotonic()
    with pytest.raises(ServerError, match="refused"):
        admin.read(refused)
    assert time.monotonic() - begun < 0.3


# -- attempts -----------------------------------------------------------------------------------------------------


def failing():
    raise ValueError("no")


def test_an_attempt_that_fails_does_not_end_one_that_may_answer():
    go = threading.Event()
    attempts = [Attempt.start(failing), Attempt.start(lambda: go.wait(10) and "answer")]
    assert not first_of(attempts, 0.1)
    go.set()
    assert first_of(attempts, 10)
    assert answer_of(attempts) == "answer"


def test_when_all_fail_the_first_error_is_raised():
    attempts = [Attempt.start(failing), Attempt.start(lambda: 1 / 0)]
    assert first_of(attempts, 10)
    with pytest.raises(ValueError, match="no"):
        answer_of(attempts)


def test_a_connection_that_serves_another_request_is_not_closed():
    loser, shut = Attempt(), []

    class Connection:
        attempt = None
        sock = type("Socket", (), {"shutdown": lambda self, how: shut.append(how)})()

    connection = Connection()
    loser.uses(connection)
    connection.attempt = Attempt()  # it went back to its pool, and out again
    loser.give_up()
    assert shut == []
    with pytest.raises(attempt.GivenUpError):
        loser.uses(connection)
