"""A real Elasticsearch and a real Chromium for whoever asks for one; see tests/servers. Every comparison.json follows its schema."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import BROWSER, DRIVER, chromium
from elasticsearch import Elasticsearch
from elasticsearch_server.cluster import QUICK, Cluster
from elasticsearch_server.distribution import ServerAbsent
from elasticsearch_server.lifetime import runs, shared, stop_shared

#: URL of a server to use instead of one of our own; "off" does without.
URL_VARIABLE = "NEARBY_ELASTICSEARCH"
#: Set where the absence of a server is a failure (.ci/run), not a reason to skip.
REQUIRE_VARIABLE = "NEARBY_REQUIRE_ELASTICSEARCH"
#: The same for a browser.
REQUIRE_CHROMIUM = "NEARBY_REQUIRE_CHROMIUM"


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A real Chromium; skipped by name where there is none, unless NEARBY_REQUIRE_CHROMIUM asks for one."""
    if BROWSER is None or DRIVER is None:
        why = "install chromium and chromium-driver"
        if os.environ.get(REQUIRE_CHROMIUM):
            pytest.fail(f"no Chromium, and {REQUIRE_CHROMIUM} asks for one: {why}", pytrace=False)
        pytest.skip(f"no Chromium: {why}")
    with chromium() as driver:
        yield driver


@pytest.fixture(autouse=True)
def written_comparisons_follow_the_schema(request: pytest.FixtureRequest) -> Iterator[None]:
    """Validate every comparison.json that a test wrote, in this process or another one."""
    folder = request.getfixturevalue("tmp_path") if "tmp_path" in request.fixturenames else None
    yield
    for path in [] if folder is None else filter(Path.is_file, folder.rglob("comparison.json")):
        require_valid(json.loads(path.read_bytes()))


def require_valid(document: object) -> None:
    from jsonschema import Draft202012Validator

    from retrieval.report.comparison_file import schema

    Draft202012Validator(schema()).validate(document)


def owner(config: pytest.Config) -> int:
    """The process of the whole run, which a worker of pytest-xdist is not."""
    return os.getppid() if hasattr(config, "workerinput") else os.getpid()


def absent(why: object) -> None:
    if os.environ.get(REQUIRE_VARIABLE):
        pytest.fail(f"no Elasticsearch, and {REQUIRE_VARIABLE} asks for one: {why}", pytrace=False)
    pytest.skip(f"no Elasticsearch: {why}")


@pytest.fixture(scope="session")
def elasticsearch_url(pytestconfig: pytest.Config) -> str:
    """One node for all tests and workers; take index names of your own from `index_name`."""
    given = os.environ.get(URL_VARIABLE)
    if given == "off":
        absent(f"{URL_VARIABLE}=off")
    if given:
        return given
    try:
        return shared(owner(pytestconfig)).url
    except ServerAbsent as error:
        absent(error)
        raise


@pytest.fixture(scope="session")
def elasticsearch_client(elasticsearch_url: str) -> Iterator[Elasticsearch]:
    """The official client on that server."""
    with Elasticsearch(elasticsearch_url, request_timeout=60) as client:
        yield client


@pytest.fixture
def index_name(elasticsearch_client: Elasticsearch) -> Iterator[str]:
    """A name that no other test has; every index whose name begins with it goes when the test ends."""
    name = f"nearby-test-{uuid.uuid4().hex}"
    yield name
    found = elasticsearch_client.indices.get(index=f"{name}*", expand_wildcards="all")
    if mine := [one for one in found if one.startswith(name)]:  # the backing index of a data stream goes with it
        elasticsearch_client.indices.delete(index=mine)


@pytest.fixture(scope="session")
def own_cluster(pytestconfig: pytest.Config) -> Callable[..., Cluster]:
    """Start a cluster that no other test sees, never a given one: ``with own_cluster(nodes, **more) as cluster``."""

    def start(nodes: int = 1, **more: Any) -> Cluster:
        if os.environ.get(URL_VARIABLE) == "off":
            absent(f"{URL_VARIABLE}=off")
        try:
            folder = runs() / f"{os.getpid()}-{uuid.uuid4().hex}"
            return Cluster.start(folder, nodes, owner=owner(pytestconfig), jvm=QUICK, **more)
        except ServerAbsent as error:
            absent(error)
            raise

    return start


@pytest.fixture
def three_nodes(own_cluster: Callable[..., Cluster]) -> Iterator[Cluster]:
    """A cluster that the test may do harm to."""
    with own_cluster(3) as cluster:
        yield cluster


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the server when the workers have ended, whatever the tests did; if we are killed, its keeper does."""
    if hasattr(os, "getuid") and not hasattr(config, "workerinput"):
        stop_shared(os.getpid())
