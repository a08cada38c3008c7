"""What is refused while one loads and searches on the real server: one sentence with its cure."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from encoders.codes import Kind, Metric, Space
from encoders.errors import OptionError, ServerError
from indexers.elasticsearch import client
from indexers.elasticsearch.address import Address
from indexers.elasticsearch.bulk import Bulk
from indexers.elasticsearch.site import Site, write_alias
from indexers.registry import create_index

DENSE = Space(16, Kind.DENSE, Metric.COSINE)
NODES = {"nodes": {"a": {"version": "8.19.0"}}}


@pytest.fixture
def answering():
    """A server that answers every request as it is told; its URL."""
    servers = []

    def start(body, status=200, product=True, kind="application/vnd.elasticsearch+json;compatible-with=8", length=None):
        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                given = body(self.path) if callable(body) else body
                said, code = given if isinstance(given, tuple) else (given, status)
                raw = said if isinstance(said, bytes) else json.dumps(said).encode()
                self.send_response(code)
                self.send_header("Content-Type", kind)
                if product:
                    self.send_header("X-Elastic-Product", "Elasticsearch")
                self.send_header("Content-Length", str(length or len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            do_GET = do_POST = do_PUT = do_HEAD = answer

            def log_message(self, *words):
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("parameter", "match"),
    [("num_candidates=0", "from 1 to 10,000"), ("num_candidates=1.5", "whole number"), ("rescore=yes", "true or false"),
     ("oversample=x", "from 1 to 100"), ("ef=3", "no search parameter 'ef'")],
)  # fmt: skip
def test_wrong_search_parameters(parameter, match):
    with pytest.raises(OptionError, match=match):
        create_index(f"elasticsearch:http://localhost:9200/news?{parameter}", DENSE)


def test_a_429_that_does_not_end(answering):
    full = {"error": {"type": "es_rejected_execution_exception", "reason": "queue is full"}, "status": 429}
    url = answering(lambda path: (NODES, 200) if path.startswith("/_nodes") else (full, 429))
    with (
        pytest.raises(ServerError, match=r"too much to do .*after 1 s without progress the load stopped"),
        Bulk(client.connected([url]), [url], "news.write", patience=1) as bulk,
    ):
        bulk.put("1", b"{}")


# -- on the real server ----------------------------------------------------------------------------------------------


@pytest.fixture
def index(elasticsearch_url, index_name):
    made = create_index(f"elasticsearch:{elasticsearch_url}/{index_name},flat", DENSE)
    made.add(["a", "b"], np.eye(2, 16, dtype=np.float32))
    return made


def test_an_index_that_nearby_has_not_made(elasticsearch_client, elasticsearch_url, index_name):
    elasticsearch_client.indices.create(index=index_name)
    with pytest.raises(ServerError, match="is an index that nearby has not made: give another name"):
        Site(Address.read(f"{elasticsearch_url}/{index_name}")).behind(index_name)


def test_a_disk_that_is_nearly_full_and_a_block(elasticsearch_client, index):
    for setting, match in (
        ("index.blocks.read_only_allow_delete", "a disk is nearly full: free some space"),
        ("index.blocks.write", "the index is blocked in Elasticsearch .* take the block away"),
    ):
        elasticsearch_client.indices.put_settings(index=index.index_name, settings={setting: True})
        with pytest.raises(ServerError, match=match):
            index.add(["c"], np.eye(1, 16, dtype=np.float32))
        elasticsearch_client.indices.put_settings(index=index.index_name, settings={setting: None})
    index.add(["c"], np.eye(1, 16, dtype=np.float32))
    assert len(index) == 3


def test_an_index_that_was_removed_is_not_made_again_by_a_load(elasticsearch_client, index):
    name = index.index_name
    elasticsearch_client.indices.delete(index=name)
    with pytest.raises(ServerError, match="was removed while it was loaded"):
        index.add(["c"], np.eye(1, 16, dtype=np.float32))
    assert not elasticsearch_client.indices.exists(index=name)
    with pytest.raises(ServerError, match="no such index"):
        index.search(np.eye(1, 16, dtype=np.float32), 1)


def test_a_document_that_is_refused_is_named_and_the_others_go_in(index):
    refused = []
    site = index.site
    with Bulk(site.client, site.address.hosts, write_alias(index.index_name), refused.append) as bulk:
        bulk.put("wide", b'{"place": 7, "code": [1, 2]}')
        bulk.put("strange", b'{"place": 8, "unknown": 1}')
        bulk.put("good", b'{"place": 9}')
    assert [str(error).split(":")[0] for error in refused] == ["item 'wide'", "item 'strange'"]
    assert bulk.acknowledged == 1


def test_a_red_index_says_so(elasticsearch_client, elasticsearch_url, index_name, monkeypatch):
    settings = {"number_of_replicas": 0, "routing.allocation.require._name": "nobody"}
    elasticsearch_client.indices.create(index=index_name, settings=settings, wait_for_active_shards=0)
    site = Site(Address.read(f"{elasticsearch_url}/{index_name}"), patience=0.2)
    monkeypatch.setattr("indexers.elasticsearch.site.ALIVE_SECONDS", 1.0)
    with pytest.raises(ServerError, match=r"\(it is red\): look at its health"):
        site.require_alive(index_name)
    with pytest.raises(ServerError, match=r"no node now for a part|did not answer"):
        site.count(index_name)
