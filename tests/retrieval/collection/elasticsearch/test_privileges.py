"""A real server that asks for names and passwords: what each user's rights are enough for."""

from __future__ import annotations

import json
import uuid

import pytest
from elasticsearch import Elasticsearch

from encoders.errors import OptionError
from indexers.elasticsearch import client, trust
from retrieval.collection.open import open_collection

PASSWORD = uuid.uuid4().hex
#: As docs/elasticsearch.md gives them.
ROLES = """
writer:
  cluster: [monitor]
  indices:
    - names: ["fruit*"]
      privileges: [manage, read, write]
reader:
  indices:
    - names: ["fruit*"]
      privileges: [read, view_index_metadata, monitor]
"""


@pytest.fixture(scope="module")
def cluster(own_cluster):
    users = [f"{name}:{PASSWORD}:{role}" for name, role in (("admin", "superuser"), ("w", "writer"), ("r", "reader"))]
    with own_cluster(users=users, roles=ROLES) as cluster:
        yield cluster


@pytest.fixture
def everything(cluster):
    """What is there, as who may see all sees it; gone when the test ends."""
    with Elasticsearch(cluster.url, basic_auth=("admin", PASSWORD)) as asked:
        yield lambda: asked.indices.get(index="fruit*", expand_wildcards="all").body
        for name in asked.indices.get(index="fruit*", expand_wildcards="all"):
            asked.indices.delete(index=name)


@pytest.fixture
def become(monkeypatch, nearby):
    def become(name, password=PASSWORD):
        monkeypatch.setenv(client.USER, name)
        monkeypatch.setenv(client.PASSWORD, password)

    return become


@pytest.fixture
def words(cluster, fruit, tmp_path):
    address = f"elasticsearch:{cluster.url}/fruit,flat"
    return ["index", fruit, "-s", "bm25", "-s", "bow+lsa:2", "-o", tmp_path / "c", "--index", address]


def test_who_gives_no_name_or_a_wrong_password_makes_nothing(refusal, words, become, everything, tmp_path):
    assert "asks for credentials: set NEARBY_ELASTICSEARCH_USER" in refusal(*words)
    become("w", "wrong-password")
    said = refusal(*words)
    assert "refuses the user 'w': set NEARBY_ELASTICSEARCH_USER" in said
    assert "wrong-password" not in said
    assert not everything()
    assert not (tmp_path / "c").exists()


def test_who_may_only_read_makes_nothing(refusal, words, become, everything, tmp_path):
    become("r")
    told = "does not allow the user 'r' to index here: give it the privileges manage, monitor, write"
    assert told in refusal(*words)
    assert told in refusal("compare", words[1], *words[2:6], *words[-2:])
    assert not everything()
    assert not (tmp_path / "c").exists()


def test_rights_on_its_own_indexes_are_enough(nearby, words, become, everything, tmp_path):
    folder = tmp_path / "c"

    def said(*command):
        code, out, err = nearby(*command)
        assert code == 0, err
        return out + err

    def found():
        (space, _) = json.loads(said("search", folder, "pear", "--json"))["spaces"]
        return [hit["id"] for hit in space["hits"]]

    become("w")
    said(*words)
    (tmp_path / "more.jsonl").write_text('{"id": "fig", "text": "a fig and a pear"}\n')
    said("add", folder, tmp_path / "more.jsonl")
    assert found() == ["fig", "pear"]
    said("delete", folder, "fig")
    said(*words, "--rebuild")
    told = said("info", folder) + said("info", words[-1]) + said("info", folder, "--clean")
    assert found() == ["pear"]
    become("r")
    assert found() == ["pear"]
    told += said("info", folder)
    kept = json.dumps(everything()) + "".join(
        path.read_text("utf-8", "replace") for path in folder.rglob("*") if path.is_file()
    )
    assert PASSWORD not in told + kept


def test_a_folder_of_somebody_else_learns_the_password_only_with_consent(
    nearby, refusal, words, become, tmp_path, monkeypatch, everything
):
    folder = tmp_path / "c"
    become("w")
    assert nearby(*words)[0] == 0
    trusted = trust._file()
    assert trusted.read_text().splitlines() == [words[-1].partition(":")[2].rpartition("/")[0]]
    trusted.unlink()  # as for somebody who was given the folder
    for command in (
        ["search", folder, "pear"],
        ["info", folder],
        ["info", folder, "--clean"],
        ["delete", folder, "pear"],
    ):
        monkeypatch.setattr(trust, "_named", set())
        assert "a folder names the server" in refusal(*command)
    monkeypatch.setattr(trust, "_named", set())
    assert nearby("search", folder, "pear", "--trust")[0] == 0
    monkeypatch.setattr(trust, "_named", set())
    assert nearby("search", folder, "pear")[0] == 0
    trusted.unlink()
    monkeypatch.setattr(trust, "_named", set())
    with pytest.raises(OptionError, match="a folder names the server"):
        open_collection(folder)
    assert open_collection(folder, trust=True).items.size == 4
    monkeypatch.setattr(trust, "_named", set())
    trusted.unlink()
    assert "--trust" not in nearby("--trust", "search", folder, "pear")[2]
    assert nearby("search", folder, "--", "--trust", "pear")[0] == 0  # a word of the query


def test_who_may_only_read_changes_nothing(nearby, refusal, words, become, everything, tmp_path):
    become("w")
    assert nearby(*words)[0] == 0
    before = everything()
    become("r")
    assert "does not allow your user to do this: give it the privilege" in refusal("delete", tmp_path / "c", "pear")
    assert "does not allow the user 'r' to index here" in refusal(*words, "--rebuild")
    assert everything() == before
