"""Loading: what is refused for a while is sent again, what is refused for good is named, what was sent is counted once."""

from __future__ import annotations

import json
import threading
import time

import orjson
import pytest
from elasticsearch import Elasticsearch
from elasticsearch.serializer import OrjsonSerializer
from fake_node import PRODUCT, Reply, fake_node, refused

from encoders.errors import IndexGoneError, ServerError
from indexers.elasticsearch import bulk as bulk_module
from indexers.elasticsearch.bulk import BATCH_DOCUMENTS, IN_FLIGHT, Bulk

FULL = {"type": "es_rejected_execution_exception", "reason": "queue is full"}


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    monkeypatch.setattr(bulk_module, "_FIRST_WAIT", 0.01)
    monkeypatch.setattr(bulk_module, "_LONGEST_WAIT", 0.02)


class Node:
    """Takes bulk requests; `faults` are given instead of the next answers, or (status, error) to an item, by its key."""

    def __init__(self, *faults, items=None):
        self.faults, self.items = list(faults), items or {}
        self.requests: list[list[str]] = []
        self.queries: list[str] = []
        self._lock = threading.Lock()

    def __call__(self, method, path, body):
        actions = [json.loads(line) for line in body.splitlines()]
        keys = [next(iter(action.values()))["_id"] for action in actions if {"index", "delete"} & action.keys()]
        with self._lock:
            self.requests.append(keys)
            self.queries.append(path)
            if self.faults:
                return self.faults.pop(0)
            results = [self._result(key) for key in keys]
        wrong = any("error" in result["index"] for result in results)
        return Reply(200, {"errors": wrong, "items": results})

    def _result(self, key):
        pending = self.items.get(key)
        if not pending:
            return {"index": {"status": 201}}
        status, error = pending.pop(0)
        return {"index": {"status": status, "error": error}}

    @property
    def stored(self):
        return [key for keys in self.requests for key in keys]


def send(node, count=3, stall_seconds=5.0, on_rejected=None, document=b'{"place":1}'):
    with fake_node(node) as host:
        url = f"http://{host}"
        with Elasticsearch(url, serializers={"application/json": OrjsonSerializer()}) as client:
            with Bulk(
                client, [url], "news.write", *([on_rejected] if on_rejected else []), stall_seconds=stall_seconds
            ) as bulk:
                for number in range(count):
                    bulk.put(f"d{number}", document)
            return bulk.acknowledged


def test_documents_go_in_batches_and_are_acknowledged_once():
    node = Node()
    assert send(node, 2 * BATCH_DOCUMENTS + 7) == 2 * BATCH_DOCUMENTS + 7
    assert sorted(map(len, node.requests)) == [7, BATCH_DOCUMENTS, BATCH_DOCUMENTS]
    assert sorted(node.stored) == sorted(f"d{number}" for number in range(2 * BATCH_DOCUMENTS + 7))
    assert all(query.startswith("/news.write/_bulk") and "require_alias=true" in query for query in node.queries)


def test_a_batch_is_bounded_by_its_bytes():
    node = Node()
    send(node, 9, document=orjson.dumps({"text": "x" * (bulk_module.BATCH_BYTES // 4)}))
    assert sorted(map(len, node.requests)) == [1, 4, 4]


@pytest.mark.parametrize(
    "fault",
    [
        refused(429, kind=FULL["type"], reason=FULL["reason"]),
        refused(503, "unavailable_shards_exception", "primary shard is not active"),
        Reply(502, b"<html>bad gateway</html>", "text/html", {}),
        Reply(200, b'{"errors": fal', missing=40),
    ],
    ids=["429", "503", "a gateway", "cut off"],
)
def test_a_request_that_fails_for_a_while_is_sent_again_whole(fault):
    node = Node(fault, fault)
    assert send(node) == 3
    assert node.requests == [["d0", "d1", "d2"]] * 3


def test_of_a_request_that_was_taken_in_part_only_the_rest_is_sent_again():
    node = Node(items={"d1": [(429, FULL), (503, FULL)]})
    assert send(node) == 3
    assert node.requests == [["d0", "d1", "d2"], ["d1"], ["d1"]]


def test_what_is_refused_for_good_is_named_and_not_sent_again():
    wrong = {"type": "document_parsing_exception", "reason": "failed to parse", "caused_by": {"reason": "too\n wide"}}
    told = []
    node = Node(items={"d1": [(400, wrong)]})
    assert send(node, on_rejected=told.append) == 2
    assert [str(error) for error in told] == ["Elasticsearch refuses item 'd1': too wide"]
    assert node.requests == [["d0", "d1", "d2"]]


def test_a_429_that_does_not_end():
    node = Node(items={"d1": [(429, FULL)] * 1000})
    began = time.monotonic()
    with pytest.raises(
        ServerError,
        match=r"takes no more now \(queue is full\); after 0 s without progress .*: run the same command again later",
    ):
        send(node, stall_seconds=0.2)
    assert 0.2 <= time.monotonic() - began < 3
    assert node.requests[0] == ["d0", "d1", "d2"]
    assert node.requests[-1] == ["d1"]


def test_progress_gives_the_whole_time_again():
    began = time.monotonic()

    class Slow(Node):
        """Takes one document more every 0.3 s."""

        def _result(self, key):
            taken = time.monotonic() - began > 0.3 * int(key[1:])
            return {"index": {"status": 201} if taken else {"status": 429, "error": FULL}}

    assert send(Slow(), 6, stall_seconds=1.0) == 6
    assert time.monotonic() - began > 1.4


def test_a_server_that_went_away():
    with (
        Elasticsearch("http://127.0.0.1:1") as client,
        pytest.raises(ServerError, match=r"no Elasticsearch answers at .*; after 0 s without progress"),
        Bulk(client, ["http://127.0.0.1:1"], "n", stall_seconds=0.1) as bulk,
    ):
        bulk.put("d", b"{}")


@pytest.mark.parametrize(
    ("status", "error", "kind", "said"),
    [
        (403, {"type": "cluster_block_exception", "reason": "blocked by: [FORBIDDEN/8/index write (api)]"},
         ServerError, "remove the block in its settings"),
        (429, {"type": "cluster_block_exception", "reason": "[TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage]"},
         ServerError, "a disk is nearly full: free some space"),
        (404, {"type": "index_not_found_exception", "reason": "no such index"},
         IndexGoneError, "was removed during the load: start the load again"),
    ],
)  # fmt: skip
def test_what_no_waiting_cures_stops_at_once(status, error, kind, said):
    node = Node(items={"d0": [(status, error)] * 9})
    with pytest.raises(kind, match=said):
        send(node)
    assert len(node.requests) == 1


def test_an_answer_that_cannot_be_read_is_not_taken_for_one():
    with pytest.raises(ServerError, match="cannot be read: try again"):
        send(Node(Reply(200, b'{"errors": fal')))


def test_memory_is_bounded_however_slow_the_server():
    waiting, released = [], threading.Event()

    def answer(method, path, body):
        waiting.append(len(body))
        released.wait(60)
        return Reply(200, {"errors": False}, headers=PRODUCT)

    taken = []

    def load(client, url):
        with Bulk(client, [url], "n") as bulk:
            for number in range(10 * BATCH_DOCUMENTS):
                taken.append(number)
                bulk.put(str(number), b"{}")

    with fake_node(answer) as host, Elasticsearch(f"http://{host}") as client:
        thread = threading.Thread(target=load, args=(client, f"http://{host}"))
        thread.start()
        until = time.monotonic() + 30  # a busy machine takes its time
        while len(waiting) < IN_FLIGHT and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(0.5)  # in which it would send more, were there no bound
        counted = len(waiting), len(taken)
        released.set()  # before anything can fail: the load is to end with its node
        thread.join(20)
    assert counted == (IN_FLIGHT, (IN_FLIGHT + 1) * BATCH_DOCUMENTS)
    assert len(waiting) == 10


def test_who_stops_in_the_middle_waits_for_nothing():
    node = Node(items={f"d{number}": [(429, FULL)] * 1000 for number in range(3000)})
    with fake_node(node) as host, Elasticsearch(f"http://{host}") as client:
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt), Bulk(client, [f"http://{host}"], "n", stall_seconds=60) as bulk:  # noqa: PT012
            for number in range(2 * BATCH_DOCUMENTS):
                bulk.put(f"d{number}", b"{}")
            raise KeyboardInterrupt
        assert time.monotonic() - began < 5
