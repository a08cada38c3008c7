"""What was on the server before us stays as it was, whatever it is called: on the real server, by every command."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from elasticsearch import ApiError

from encoders.artifact import sealed
from indexers.elasticsearch.index_admin import IndexAdmin
from indexers.elasticsearch.ownership import COMPARISON, UNKNOWN, next_free_name
from retrieval.collection.elasticsearch import identity as identities
from retrieval.collection.elasticsearch.cleanup import indexes_at
from retrieval.collection.open import open_collection

MARKED = {"_meta": {"nearby": "an index", "space": {}}}


@pytest.fixture
def foreign(elasticsearch_client, index_name):
    """Indexes of somebody else under every name that nearby might take for one of its own, each with a document."""
    names = [
        f"{index_name}-000001",  # as a rollover calls them
        f"{index_name}-000002",
        f"{index_name}-000004",
        f"{index_name}-20261128",
        f"{index_name}-own-0123456789ab",
        f"{index_name}-own",
        f"{index_name}-own-000001",
        f"{index_name}-logs-1",
        f"{index_name}x",
    ]
    for name in names:
        aliases = {f"{index_name}-read": {}} if name.endswith("logs-1") else {}
        elasticsearch_client.indices.create(index=name, aliases=aliases)
        elasticsearch_client.index(index=name, document={"line": f"of {name}"}, refresh=True)
    # aliases of theirs, called as the alias under which nearby would write to an index
    elasticsearch_client.indices.put_alias(index=names[0], name=f"{index_name}-000003.write")
    elasticsearch_client.indices.close(index=names[2])
    stream = f"{index_name}-000005"
    elasticsearch_client.indices.put_index_template(
        name=index_name, index_patterns=[stream], data_stream={}, priority=998
    )
    elasticsearch_client.index(index=stream, document={"@timestamp": "2026-11-28"}, op_type="create", refresh=True)
    yield names
    elasticsearch_client.options(ignore_status=[400, 404, 405]).indices.delete_data_stream(name=stream)
    with suppress(ApiError):  # in use, where the server has no way to remove the stream: it goes with the server
        elasticsearch_client.indices.delete_index_template(name=index_name)


@pytest.fixture
def theirs(elasticsearch_client, index_name, foreign):
    """Everything that can be seen of them: settings, mappings, aliases, documents."""

    def seen():
        found = {}
        described = elasticsearch_client.indices.get(index=f"{index_name}*", expand_wildcards="all").body
        for name in [*foreign, *(name for name in described if name.startswith(".ds-"))]:
            closed = name == foreign[2]
            count = None if closed else elasticsearch_client.count(index=name)["count"]
            found[name] = described[name], count
        return json.dumps(found, sort_keys=True)

    return seen


@pytest.fixture
def address(elasticsearch_url, index_name):
    return f"elasticsearch:{elasticsearch_url}/{index_name},flat"


def done(nearby, *words):
    code, out, err = nearby(*words)
    assert code == 0, err
    return out + err


@pytest.fixture
def more(tmp_path):
    path = tmp_path / "more.jsonl"
    path.write_text('{"id": "fig", "text": "a fig tart"}\n')
    return path


@pytest.fixture
def labelled(tmp_path):
    path = tmp_path / "labelled.csv"
    path.write_text("id,text,label\n1,a leek soup,soup\n2,an onion soup,soup\n3,a fig tart,tart\n4,a plum tart,tart\n")
    return path


def test_every_command_leaves_foreign_indexes_as_they_were(
    nearby, fruit, labelled, more, address, theirs, tmp_path, index_name, elasticsearch_url
):
    before = theirs()
    folder = tmp_path / "c"
    words = ["-s", "bm25", "-o", folder, "--index", address]
    done(nearby, "index", fruit, *words)
    first = open_collection(folder).index_name
    assert first == f"{index_name}-000006"  # 3 has an alias for writing that is theirs, 4 is closed, 5 is a stream
    assert theirs() == before
    done(nearby, "search", folder, "pear")
    done(nearby, "add", folder, more)
    done(nearby, "delete", folder, "fig")
    done(nearby, "index", fruit, *words, "--rebuild")
    done(nearby, "index", fruit, *words, "--rebuild")
    done(nearby, "info", folder)
    for asked in (folder, address):
        assert "000001" not in done(nearby, "info", asked, "--clean", "--yes")
    assert nearby("info", f"elasticsearch:{elasticsearch_url}/{index_name}-own", "--clean", "--yes")[0] == 2
    done(nearby, "train", fruit, "bm25", "-o", tmp_path / "encoder")
    shards = ["-s", tmp_path / "encoder", "--index", address]
    done(nearby, "index", fruit, *shards, "--shard", "1/1")
    done(nearby, "index", fruit, *shards, "--finish", "-o", folder, "--rebuild")
    (folder / "work").mkdir(exist_ok=True)
    done(nearby, "index", fruit, "-s", tmp_path / "encoder", "-o", folder, "--index", address, "--rebuild", "--resume")
    done(nearby, "compare", labelled, "-s", "bm25", "--index", address)
    assert theirs() == before
    assert "pear" in done(nearby, "search", folder, "pear")


def test_a_collection_whose_name_begins_with_that_of_another_is_left_alone(
    nearby, fruit, address, tmp_path, elasticsearch_url, index_name
):
    other = f"elasticsearch:{elasticsearch_url}/{index_name}-own,flat"
    done(nearby, "index", fruit, "-s", "bm25", "-o", tmp_path / "one", "--index", address)
    done(nearby, "index", fruit, "-s", "bm25", "-o", tmp_path / "other", "--index", other)
    for asked in (address, tmp_path / "one"):
        assert "no index is stale" in done(nearby, "info", asked, "--clean", "--yes")
    assert "pear" in done(nearby, "search", tmp_path / "other", "pear")


@pytest.mark.parametrize("suffix", [".next", ""])
def test_an_alias_of_somebody_else_is_refused(
    refusal, fruit, address, tmp_path, elasticsearch_client, index_name, suffix
):
    elasticsearch_client.indices.create(index=f"{index_name}-a", aliases={f"{index_name}{suffix}": {}})
    elasticsearch_client.indices.create(index=f"{index_name}-b", mappings=MARKED, aliases={f"{index_name}{suffix}": {}})
    before = elasticsearch_client.indices.get(index=f"{index_name}*").body
    for more in ([], ["--rebuild"], ["--rebuild", "--resume"]):
        said = refusal("index", fruit, "-s", "bm25", "-o", tmp_path / "c", "--index", address, *more)
        assert "names several indexes" in said or "nothing to resume" in said
    elasticsearch_client.indices.delete_alias(index=f"{index_name}-b", name=f"{index_name}{suffix}")
    for more in ([], ["--rebuild"]):
        said = refusal("index", fruit, "-s", "bm25", "-o", tmp_path / "c", "--index", address, *more)
        assert f"nearby did not make the index '{index_name}-a'" in said
    elasticsearch_client.indices.put_alias(index=f"{index_name}-b", name=f"{index_name}{suffix}")
    assert elasticsearch_client.indices.get(index=f"{index_name}*").body == before


def test_an_alias_for_writing_that_was_turned_to_a_foreign_index_is_not_written_through(
    nearby, refusal, fruit, more, address, tmp_path, elasticsearch_client, index_name
):
    done(nearby, "index", fruit, "-s", "bm25", "-o", tmp_path / "c", "--index", address)
    theirs, ours = f"{index_name}-theirs", f"{index_name}-000001"
    elasticsearch_client.indices.create(index=theirs)
    for actions, named in (
        ([{"add": {"index": theirs, "alias": f"{ours}.write", "is_write_index": True}}], f"{ours}, {theirs}"),
        ([{"remove": {"index": ours, "alias": f"{ours}.write"}}], theirs),
    ):
        elasticsearch_client.indices.update_aliases(actions=actions)
        for words in (["add", tmp_path / "c", more], ["delete", tmp_path / "c", "pear"]):
            assert f"should name '{ours}' alone, but names {named}" in refusal(*words)
    elasticsearch_client.indices.refresh(index=theirs)
    assert elasticsearch_client.count(index=theirs)["count"] == 0


def test_an_index_that_somebody_gave_an_alias_of_theirs_is_kept(
    nearby, fruit, address, tmp_path, elasticsearch_client, index_name
):
    words = ["index", fruit, "-s", "bm25", "-o", tmp_path / "c", "--index", address]
    done(nearby, *words)
    elasticsearch_client.indices.put_alias(index=f"{index_name}-000001", name=f"{index_name}-shop")
    for _ in range(2):
        done(nearby, *words, "--rebuild")
    assert f"for the alias {index_name}-shop" in done(nearby, "info", tmp_path / "c", "--clean", "--yes")
    assert elasticsearch_client.indices.exists(index=f"{index_name}-000001")


def test_a_collection_of_an_older_nearby_is_read_and_its_stale_indexes_need_yes(
    nearby, fruit, more, address, tmp_path, elasticsearch_client, index_name
):
    folder = tmp_path / "c"
    words = ["index", fruit, "-s", "bm25", "-o", folder, "--index", address]
    done(nearby, *words)
    done(nearby, *words, "--rebuild")
    for name in (f"{index_name}-000001", f"{index_name}-000002"):  # as they were before there was an identity
        meta = elasticsearch_client.indices.get_mapping(index=name)[name]["mappings"]["_meta"]
        elasticsearch_client.indices.put_mapping(
            index=name, meta={key: meta[key] for key in meta if key not in ("identity", "count", "checksum")}
        )
    for manifest in folder.glob("generations/*/manifest.json"):
        text = json.loads(manifest.read_text())
        del text["identity"]
        manifest.write_text(json.dumps(sealed(text)))
    assert "pear" in done(nearby, "search", folder, "pear")
    assert "already indexed" in done(nearby, *words)
    done(nearby, "add", folder, more)
    done(nearby, "delete", folder, "fig")
    done(nearby, *words, "--rebuild")
    assert open_collection(folder).manifest.identity
    stale = indexes_at(address).stale
    assert [(one.name[-1], one.maker) for one in stale] == [("1", UNKNOWN), ("2", UNKNOWN)]
    assert "not removed; --clean --yes removes them too:" in done(nearby, "info", folder, "--clean")
    assert indexes_at(address).stale == stale
    done(nearby, "info", folder, "--clean", "--yes")
    assert indexes_at(address).stale == []
    assert "pear" in done(nearby, "search", folder, "pear")


def test_a_load_of_another_collection_is_not_taken_over(nearby, refusal, fruit, address, tmp_path, monkeypatch):
    with monkeypatch.context() as killed:
        killed.setattr(
            "retrieval.collection.elasticsearch.swap.Build.finish", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
        )
        assert nearby("index", fruit, "-s", "bm25", "-o", tmp_path / "one", "--index", address)[0] == 1
    (loading,) = indexes_at(address).stale
    assert "another load of" in refusal("index", fruit, "-s", "bm25", "-o", tmp_path / "two", "--index", address)
    assert indexes_at(address).stale == [loading]
    said = done(nearby, "index", fruit, "-s", "bm25", "-o", tmp_path / "one", "--index", address)
    assert f"resuming the load of 4 items into {loading.name}" in said
    assert not (tmp_path / "one" / "work" / identities.IDENTITY_FILE).exists()


def test_a_name_that_somebody_takes_at_the_same_moment_is_passed_over(
    nearby, fruit, address, tmp_path, elasticsearch_client, index_name, monkeypatch
):
    def taken(admin):
        name = next_free_name(admin)
        if not elasticsearch_client.indices.exists(index=f"{index_name}-000001"):
            elasticsearch_client.indices.create(index=f"{index_name}-000001")
        return name

    monkeypatch.setattr("retrieval.collection.elasticsearch.swap.next_free_name", taken)
    done(nearby, "index", fruit, "-s", "bm25", "-o", tmp_path / "c", "--index", address)
    assert open_collection(tmp_path / "c").index_name == f"{index_name}-000002"
    assert elasticsearch_client.count(index=f"{index_name}-000001")["count"] == 0


def test_a_comparison_that_runs_is_not_disturbed(
    nearby, labelled, address, elasticsearch_client, index_name, monkeypatch
):
    found = []
    remove = IndexAdmin.remove

    def removed(self, names):  # when a comparison ends
        monkeypatch.setattr(IndexAdmin, "remove", remove)
        found.extend(indexes_at(address).stale)
        nearby("info", address, "--clean")
        found.extend(indexes_at(address).stale)
        remove(self, names)

    monkeypatch.setattr(IndexAdmin, "remove", removed)
    done(nearby, "compare", labelled, "-s", "bm25", "--index", address)
    assert [one.maker for one in found] == [COMPARISON, COMPARISON]
    assert not elasticsearch_client.indices.get(index=f"{index_name}*")


def test_a_folder_cannot_name_an_index_that_is_none_of_nearbys(
    nearby, refusal, fruit, address, tmp_path, elasticsearch_client, index_name
):
    folder = tmp_path / "c"
    done(nearby, "index", fruit, "-s", "bm25", "-o", folder, "--index", address)
    elasticsearch_client.indices.delete_alias(index=f"{index_name}-000001", name=index_name)
    (manifest,) = folder.glob("generations/*/manifest.json")
    kept = manifest.read_text()
    for name in ("*", f"{index_name}*", "_all", "../x", f"{index_name}-000001,other"):
        manifest.write_text(json.dumps(sealed({**json.loads(kept), "index": name})))
        assert "is gone" in refusal("search", folder, "pear")
