"""Nodes and loaders are killed while a collection is loaded and searched; benchmarks/fault_trial.py is the long trial."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
from elasticsearch import ConnectionTimeout
from elasticsearch_server.cluster import Cluster
from faults.held import held
from faults.loading import Loading
from faults.searching import Searching, longest_outage

from encoders.codes import Modality
from encoders.errors import CollectionError, IndexGoneError, PartMissingError, ServerError
from encoders.registry import create
from indexers.elasticsearch.address import Address
from indexers.elasticsearch.index_admin import IndexAdmin
from indexers.elasticsearch.query import _answers
from indexers.elasticsearch.retry import is_transient, is_transient_status, retried
from retrieval.collection.elasticsearch import indexing
from retrieval.collection.elasticsearch.indexing import index_served
from retrieval.collection.elasticsearch.items import ServedItems
from retrieval.collection.open import open_collection
from retrieval.corpora.base import Corpus, Item
from retrieval.search.read_query import read_query
from retrieval.search.searcher import Searcher

WORDS = "river stone bread light engine forest paper music winter harbour copper garden".split()
ITEMS, PAUSE = 1_500, 0.15


def text(number):
    return " ".join(WORDS[(number * step + step) % len(WORDS)] for step in (1, 3, 5, 7)) + f" n{number}"


@pytest.fixture
def trial(three_nodes: Cluster, tmp_path):
    """A collection of three shards with a replica, served, and the words that load its next generation."""
    for place, spec in enumerate(("bm25", "tfidf+lsa:8")):
        create(spec).fit([text(number) for number in range(ITEMS)]).save(tmp_path / f"encoder-{place}")
    backend = f"{','.join(three_nodes.urls)}/trial,shards=3,replicas=1"

    def words(generation):
        corpus = tmp_path / f"{generation}.jsonl"
        rows = [
            {"id": f"d{number}", "text": text(number), "metadata": {"generation": generation}}
            for number in range(ITEMS)
        ]
        corpus.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        spaces = ["-s", str(tmp_path / "encoder-0"), "-s", str(tmp_path / "encoder-1")]
        return ["index", str(corpus), *spaces, "-o", str(tmp_path / "c"), "--index", f"elasticsearch:{backend}"]

    subprocess.run([sys.executable, "-m", "cli", *words("first")], check=True)
    return SimpleNamespace(
        cluster=three_nodes, words=words, folder=tmp_path / "c", admin=IndexAdmin(Address.read(backend))
    )


def expected(generation):
    return {f"d{number}": generation for number in range(ITEMS)}


@pytest.mark.xdist_group("three nodes")
def test_nothing_is_lost_doubled_or_left_unanswered(trial, tmp_path):
    began = time.monotonic()
    with Searching(trial.folder, [text(7), text(8)], reopen=(20, 0)) as searching:
        load = Loading([*trial.words("second"), "--rebuild"], tmp_path / "second.log", PAUSE)
        load.wait_for(1)
        lost = next(name for name in trial.cluster.nodes if name != trial.cluster.master())
        trial.cluster.kill(lost)
        trial.cluster.restart(lost)
        assert load.wait() == 0, load.said()
        trial.cluster.wait()
        found = held(trial.admin, expected("second"), load.acknowledged())
        assert found.right, found
        assert len(set(load.acknowledged())) == ITEMS

        load = Loading([*trial.words("third"), "--rebuild"], tmp_path / "third.log", PAUSE)
        load.wait_for(1)
        load.kill()
        acknowledged = set(load.acknowledged())
        assert 0 < len(acknowledged) < ITEMS
        load.again("--resume")
        assert load.wait() == 0, load.said()
        found = held(trial.admin, expected("third"), acknowledged)
        assert found.right, found
        assert len(load.acknowledged()) < ITEMS + 500  # what was acknowledged before is not sent again
        ended = time.monotonic()
    searches = searching.since(began)
    assert [one.error for one in searches if one.error] == []
    assert longest_outage(searches, began, ended) < 60  # a second; on a machine that does much else, more


@pytest.mark.xdist_group("three nodes")
def test_a_node_that_stands_still_delays_a_search_by_seconds(trial):
    stopped = next(name for name in trial.cluster.nodes if name != trial.cluster.master())
    with Searching(trial.folder, [text(7), text(8)], reopen=(0, 0)) as searching:
        end = time.monotonic() + 60
        while len(searching.searches) < 6 and time.monotonic() < end:
            time.sleep(0.1)
        began = time.monotonic()
        trial.cluster.pause(stopped)
        time.sleep(12)
        ended = time.monotonic()
        trial.cluster.resume(stopped)
    searches = searching.since(began)
    assert [one.error for one in searches if one.error] == []
    # 1.4 to 2.7 s were seen; without hedging, until the node goes on
    assert longest_outage(searches, began, ended) < 8


# -- what is asked again, and what is not -----------------------------------------------------------------------------


class Asked:
    retry_seconds = 5.0

    def __init__(self, *errors):
        self.errors, self.calls = list(errors), 0

    @retried
    def ask(self):
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"


def caused(cause):
    error = ServerError("no")
    error.__cause__ = cause
    return error


def test_what_passes_is_asked_again_and_what_stays_is_not():
    asked = Asked(PartMissingError("a part"), caused(ConnectionTimeout("late")))
    assert asked.ask() == "answer"
    assert asked.calls == 3
    asked = Asked(ServerError("refused"))
    with pytest.raises(ServerError, match="refused"):
        asked.ask()
    assert asked.calls == 1


def test_retries_end():
    asked = Asked(*[PartMissingError("a part")] * 50)
    asked.retry_seconds = 0.5
    with pytest.raises(PartMissingError):
        asked.ask()
    assert 1 < asked.calls < 10


@pytest.mark.parametrize(
    ("status", "kind", "again"),
    [
        (503, "cluster_block_exception", True),  # no master, or its state is not there yet
        (429, "cluster_block_exception", False),  # the disk is full
        (429, "es_rejected_execution_exception", True),
        (403, "cluster_block_exception", False),
        (404, "search_context_missing_nodes_exception", True),
        (404, "index_not_found_exception", False),
    ],
)
def test_a_cluster_without_master_passes_and_a_full_disk_does_not(status, kind, again):
    assert is_transient_status(status, kind) is again
    body = {"error": {"type": kind, "reason": "why"}, "status": status}
    assert is_transient(_refused(status, body)) is again


def _refused(status, body):
    from elastic_transport import ApiResponseMeta, HttpHeaders, NodeConfig
    from elasticsearch import ApiError

    meta = ApiResponseMeta(status, "1.1", HttpHeaders(), 0.1, NodeConfig("http", "n", 1))
    return caused(ApiError("no", meta, body))


def test_half_an_answer_is_none():
    admin = SimpleNamespace(address=Address.read("http://a/news"), part_missing_error=lambda: PartMissingError("part"))
    with pytest.raises(PartMissingError):
        _answers(admin, {"_shards": {"failed": 1}, "hits": {"hits": []}})
    busy = {"error": {"type": "search_phase_execution_exception", "reason": "all shards failed"}, "status": 503}
    with pytest.raises(PartMissingError):
        _answers(admin, busy)


# -- killed at one moment, or overtaken ---------------------------------------------------------------------------------


@pytest.fixture
def small(elasticsearch_url, index_name, tmp_path):
    """Twenty items on the server that all tests share, and what loads their next generation."""

    def indexed(generation, **options):
        items = [Item(f"d{number}", text(number), label=generation) for number in range(20)]
        index = f"elasticsearch:{elasticsearch_url}/{index_name}"
        return index_served(tmp_path / "c", Items(items), ["bm25"], index, **options)

    return indexed


class Items(Corpus):
    name, modality = "items", Modality.TEXT

    def __init__(self, items):
        self.items = items

    def __iter__(self):
        return iter(self.items)


def test_a_rebuild_that_was_killed_after_the_swap_is_not_loaded_again(small, monkeypatch):
    first = small("first")
    with monkeypatch.context() as patch:
        patch.setattr(indexing, "published", lambda *all: pytest.fail("killed"))
        with pytest.raises(pytest.fail.Exception):
            small("second", rebuild=True)
    swapped = first.admin.behind(first.admin.address.name)
    assert swapped != first.index_name
    assert open_collection(first.folder).index_name == first.index_name  # whose folder it still is
    resumed = small("second", rebuild=True, resume=True)
    assert resumed.index_name == swapped
    assert {item.label for item in resumed.items} == {"second"}


def test_what_is_added_while_the_index_is_replaced_gets_into_none_unnoticed(small):
    first = small("first")

    def late():
        yield Item("late", text(3))
        small("second", rebuild=True)

    with pytest.raises(CollectionError, match="was indexed again while it was changed"):
        first.put(late())
    again = open_collection(first.folder)
    assert again.items.size == 20
    again.put([Item("late", text(3))])
    assert again.items.size == 21


def test_an_open_collection_outlives_two_rebuilds_with_the_same_encoders(small, monkeypatch):
    first = small("first")
    searcher = Searcher(first)
    query = read_query(first, text(3))
    assert {answer.shown.label for answer in searcher.search(query)[0].answers} == {"first"}
    small("first", rebuild=True)
    small("first", rebuild=True)  # which removes the index, and the folder's generation, that it was opened with
    assert {answer.shown.label for answer in searcher.search(query)[0].answers} == {"first"}


def test_an_index_that_goes_between_hits_and_items_is_asked_anew(small, monkeypatch):
    searcher = Searcher(small("first"))
    theirs, gone = ServedItems.get, [IndexGoneError("gone")]
    monkeypatch.setattr(ServedItems, "get", lambda self, ids: theirs(self, ids) if not gone else _raise(gone.pop()))
    assert searcher.search(read_query(searcher.collection, text(3)))[0].answers


def _raise(error):
    raise error
