"""The server that the tests of Elasticsearch stand on: it starts, stores, loses nothing, and never stays behind."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch, helpers
from elasticsearch_server import cluster, distribution, node
from elasticsearch_server.cluster import Cluster
from elasticsearch_server.distribution import ServerAbsent, ServerError
from elasticsearch_server.lifetime import runs, sweep
from elasticsearch_server.node import free_ports

SERVERS = Path(__file__).parents[1] / "servers"
MAPPINGS = {"dynamic": False, "properties": {"label": {"type": "keyword"}}}


def items(name, count, start=0):
    return ({"_index": name, "_id": f"item {i}", "label": str(i % 3)} for i in range(start, start + count))


def test_one_node_is_green_and_stores(elasticsearch_client, index_name):
    client = elasticsearch_client
    client.indices.create(index=index_name, mappings=MAPPINGS, settings={"number_of_replicas": 0})
    assert helpers.bulk(client, items(index_name, 500), refresh=True) == (500, [])
    assert helpers.bulk(client, items(index_name, 500), refresh=True) == (500, [])  # by id: again is no more
    assert client.count(index=index_name)["count"] == 500
    assert client.count(index=index_name, query={"term": {"label": "1"}})["count"] == 167
    assert client.cluster.health(index=index_name)["status"] == "green"


@pytest.mark.xdist_group("three nodes")
def test_three_nodes_survive_the_loss_of_the_master(three_nodes):
    assert three_nodes.wait()["number_of_data_nodes"] == 3
    lost = three_nodes.master()
    with Elasticsearch(three_nodes.urls, retry_on_timeout=True, max_retries=10, request_timeout=10) as client:
        settings = {"number_of_shards": 3, "number_of_replicas": 1}
        settings["index.unassigned.node_left.delayed_timeout"] = "0s"
        client.indices.create(index="kept", mappings=MAPPINGS, settings=settings, wait_for_active_shards="all")
        assert helpers.bulk(client, items("kept", 600)) == (600, [])
        three_nodes.kill(lost)
        assert three_nodes.nodes[lost].processes() == []
        assert helpers.bulk(client, items("kept", 600, start=600)) == (600, [])
        health = three_nodes.wait(nodes=2)  # the replicas have found new places
        assert health["unassigned_shards"] == 0
        assert three_nodes.master() != lost
        client.indices.refresh(index="kept")
        assert client.count(index="kept")["count"] == 1200
    paused = next(name for name in three_nodes.nodes if name not in {lost, three_nodes.master()})
    three_nodes.pause(paused)
    with pytest.raises(ServerError, match="no node answers"):
        Cluster.ask(only(three_nodes, paused), "/_cluster/health", timeout=0.5)
    three_nodes.resume(paused)
    assert Cluster.ask(only(three_nodes, paused), "/_cat/nodes?format=json", timeout=10)


def only(cluster, name):
    """The cluster as seen through one of its nodes."""
    view = Cluster(cluster.folder)
    view.nodes = {name: cluster.nodes[name]}
    return view


# -- what is left behind ---------------------------------------------------------------------------------------------


def note(folder, owner):
    about = {"docker": False, "owner": owner, "users": [], "nodes": {"node-1": [1, 2]}}
    (folder / "cluster.json").write_text(json.dumps(about), encoding="utf-8")


@contextmanager
def sleeper(*words):
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", *words]) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """A process that stands for a node of the cluster in runs/one; ended in any case."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    (runs() / "one" / "node-1").mkdir(parents=True)
    with sleeper(f"-Dnearby.node={runs() / 'one' / 'node-1'}") as process:
        yield process


def test_a_killed_owner_takes_its_server_along(stand_in):
    folder = runs() / "one"
    with sleeper() as owner:
        note(folder, owner.pid)
        environment = {**os.environ, "PYTHONPATH": str(SERVERS)}
        with subprocess.Popen(
            [sys.executable, "-m", "elasticsearch_server", "keep", folder], env=environment
        ) as keeper:
            time.sleep(0.5)
            assert stand_in.poll() is None
            owner.kill()
            assert stand_in.wait(20) == -signal.SIGKILL
            assert keeper.wait(20) == 0
    assert not folder.exists()


def test_what_a_killed_keeper_left_is_swept_up(stand_in):
    folder = runs() / "one"
    with sleeper() as owner:
        note(folder, owner.pid)
        sweep()
        assert stand_in.poll() is None
        owner.kill()
        owner.wait()
    sweep()
    assert stand_in.wait(20) == -signal.SIGKILL
    assert not folder.exists()


# -- where it comes from ---------------------------------------------------------------------------------------------


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """A machine with nothing: no Java, no zip, no mvn, no docker."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("NEARBY_DATA", str(tmp_path / "shared" / "data"))
    monkeypatch.setenv("NEARBY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    for name in ("ES_JAVA_HOME", "JAVA_HOME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def program(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


def test_absence_says_all_that_was_tried(bare):
    with pytest.raises(ServerAbsent, match=r"no Java 17 or newer in ES_JAVA_HOME, JAVA_HOME or PATH; no docker"):
        Cluster.start(bare / "run")
    assert not (bare / "run").exists()


@pytest.mark.parametrize(("version", "new_enough"), [("1.8", False), ("11", False), ("17", True), ("25", True)])
def test_java_is_asked_how_old_it_is(bare, monkeypatch, version, new_enough):
    said = f"echo '    java.home = {bare}/jdk' >&2; echo '    java.specification.version = {version}' >&2"
    program(bare / "given" / "bin" / "java", said)
    monkeypatch.setenv("ES_JAVA_HOME", str(bare / "given"))
    if new_enough:
        assert distribution.java_home() == bare / "jdk"
    else:
        with pytest.raises(ServerAbsent, match=r"java is version \d+\)"):
            distribution.java_home()


def test_zip_beside_the_data_then_cache_then_maven(bare, monkeypatch):
    monkeypatch.setattr(distribution, "CENTRAL", "http://127.0.0.1:1")
    monkeypatch.setattr(distribution, "SHA256", hashlib.sha256(b"zip").hexdigest())
    with pytest.raises(ServerAbsent, match=r"is not in .*shared/elasticsearch or .*cache.*; no mvn; .* not be reached"):
        distribution.archive()
    program(bare / "mvn", "echo no route >&2; exit 1")
    with pytest.raises(ServerAbsent, match=r"mvn could not fetch it .…no route."):
        distribution.archive()
    program(bare / "mvn", 'for word; do case $word in -DoutputDirectory=*) folder=${word#*=};; esac; done\n'
        f'printf zip > "$folder/{distribution.ARCHIVE}"')  # fmt: skip
    cached = bare / "cache" / "elasticsearch" / distribution.ARCHIVE
    assert distribution.archive() == cached
    (bare / "mvn").unlink()
    assert distribution.archive() == cached
    beside = bare / "shared" / "elasticsearch" / distribution.ARCHIVE
    beside.parent.mkdir(parents=True)
    beside.write_bytes(b"another")
    with pytest.raises(ServerError, match=r"not the elasticsearch-.* that was published"):
        distribution.archive()


@pytest.fixture
def broken(bare, monkeypatch):
    """A server whose program only complains."""
    monkeypatch.setenv("PATH", os.defpath)
    monkeypatch.setattr(node, "java_home", lambda: bare)
    monkeypatch.setattr(node, "distribution", lambda: bare / "made")
    monkeypatch.setattr(cluster, "must_use_docker", lambda nodes: False)
    program(bare / "made" / "bin" / "elasticsearch", "echo the disk is full; exit 78")
    (bare / "made" / "config" / "jvm.options.d").mkdir(parents=True)
    return bare


def test_a_server_that_cannot_start_shows_its_log(broken, monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    with pytest.raises(ServerError, match=r"node-1 did not start: it ended with 78\n.*the disk is full"):
        Cluster.start(broken / "run")


@pytest.mark.skipif(os.getuid() != 0, reason="only root runs it as somebody else")
def test_a_folder_that_the_servers_user_cannot_reach_is_named(broken):
    broken.chmod(0o700)
    with pytest.raises(ServerError, match=r"'nobody', who runs the server for root, may not reach .*node-1"):
        Cluster.start(broken / "run")


def test_ports_are_free_and_the_wished_one_comes_first():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        assert number not in free_ports(3, number)
    assert free_ports(3, number)[0] == number
    assert len(set(free_ports(6))) == 6
