"""Every bad input on the command line: one sentence with its cure, exit code 2, and what was served goes on."""

from __future__ import annotations

import json
import time

import pytest
from fake_node import Reply, fake_node, refused, version

from encoders.artifact import sealed
from indexers.elasticsearch import client
from indexers.elasticsearch.index_admin import IndexAdmin
from retrieval.collection.elasticsearch.cleanup import indexes_at


@pytest.fixture
def hasty(monkeypatch):
    """A cluster that is not well is given up soon."""
    monkeypatch.setattr("retrieval.collection.elasticsearch.indexing.LONG", 0.3)
    monkeypatch.setattr("indexers.elasticsearch.index_admin.ALIVE_SECONDS", 1.0)
    monkeypatch.setattr("indexers.elasticsearch.bulk.STALL_SECONDS", 0.5)
    monkeypatch.setattr(
        "retrieval.collection.elasticsearch.collection.IndexAdmin", lambda address: IndexAdmin(address, 0.3)
    )


@pytest.fixture
def vegetables(tmp_path):
    path = tmp_path / "vegetables.csv"
    path.write_text("id,text\n1,a leek soup\n2,an onion soup\n")
    return path


@pytest.fixture
def address(elasticsearch_url, index_name):
    return f"elasticsearch:{elasticsearch_url}/{index_name},flat"


@pytest.fixture
def served(nearby, fruit, address, tmp_path):
    code, _, err = nearby("index", fruit, "-s", "bm25", "-o", tmp_path / "c", "--index", address)
    assert code == 0, err
    return tmp_path / "c"


def finds_pear(nearby, folder):
    code, out, err = nearby("search", folder, "pear", "--json")
    assert code == 0, err
    (space,) = json.loads(out)["spaces"]
    return [hit["id"] for hit in space["hits"]] == ["pear"]


# -- servers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(200, b"<html>hello</html>", "text/html", {}), "is not Elasticsearch: give the address of one"),
        (Reply(200, {"hello": 1}, headers={}), "is not Elasticsearch: give the address of one"),
        (
            refused(401, "security_exception", "missing authentication"),
            "asks for credentials: set NEARBY_ELASTICSEARCH_USER",
        ),
        (
            refused(403, "security_exception", "unauthorized"),
            "does not allow your user to do this: give it the privilege",
        ),
        (version("7.17.0"), "Elasticsearch 7.17.0 answers at"),
        (refused(400, "media_type_header_exception", "x"), "use a server of version 8 or 9"),
        (Reply(200, b'{"nodes"', missing=9), "no Elasticsearch answers at"),
        (Reply(200, b'{"nodes"'), "cannot be read: try again"),
    ],
)
def test_servers_that_are_none(refusal, fruit, tmp_path, reply, said):
    with fake_node(reply) as host:
        for command in (
            ["index", fruit, "-s", "bm25", "-o", tmp_path / "c", "--index", f"elasticsearch:http://{host}/n"],
            ["compare", fruit, "-s", "bm25", "--index", f"elasticsearch:http://{host}/n"],
            ["info", f"elasticsearch:http://{host}/n"],
        ):
            client._connect.cache_clear()
            assert said in refusal(*command)
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize(
    ("index", "said"),
    [
        ("elasticsearch:", "needs the URL of a server and a name"),
        ("elasticsearch:http://eve:geheim@127.0.0.1:1/n", "user and password out of the address"),
        ("elasticsearch:http://127.0.0.1:1/N", "'N' is not a name of an index"),
        ("elasticsearch:http://127.0.0.1:1/n,fast", "'fast' is not an option"),
        ("elasticsearch:http://127.0.0.1:1/n?nprobe=3", "no search parameter 'nprobe'; it has num_candidates"),
        ("elasticsearch:http://127.0.0.1:1/n?num_candidates=0", "num_candidates should be a whole number from 1"),
        ("elasticsearch:http://127.0.0.1:1/n?rescore=yes", "rescore should be true or false"),
        ("elasticsearch:http://127.0.0.1:1/n", "no Elasticsearch answers at http://127.0.0.1:1: start it"),
    ],
)
def test_addresses_that_are_none(refusal, fruit, tmp_path, index, said):
    found = refusal("index", fruit, "-s", "bm25", "-o", tmp_path / "c", "--index", index)
    assert said in found
    assert "geheim" not in found
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize(
    "address",
    ["eve:ge/heim@h:1/n", "http://eve:ge#heim@h/n", "http://eve:geheim@h:port/n", "ftp://eve:geheim@h/n", "http://eve:ge?heim@h/n"],
)  # fmt: skip
def test_no_command_repeats_what_may_be_a_password(refusal, fruit, tmp_path, address):
    index = f"elasticsearch:{address}"
    for command in (
        ["index", fruit, "-s", "bm25", "-o", tmp_path / "c", "--index", index],
        ["index", "--finish", "-s", "bm25", "-o", tmp_path / "c", "--index", index],
        ["compare", fruit, "-s", "bm25", "--index", index],
        ["info", index], ["info", index, "--clean"], ["info", address], ["info", address, "--clean"], ["search", address, "pear"],
        ["add", address, fruit], ["delete", address, "pear"],
    ):  # fmt: skip
        said = refusal(*command)
        assert "heim" not in said


def test_a_server_that_went_away_after_the_folder_was_written(refusal, served):
    manifest = next(served.glob("generations/*/manifest.json"))
    text = json.loads(manifest.read_text())
    text["server"] = "elasticsearch:http://127.0.0.1:1/n"
    manifest.write_text(json.dumps(sealed(text)))
    for command in (
        ["search", served, "pear"],
        ["info", served],
        ["add", served, "digits"],
        ["delete", served, "pear"],
    ):
        assert "no Elasticsearch answers at http://127.0.0.1:1: start it, or give the right address" in refusal(
            *command
        )


# -- what lies there --------------------------------------------------------------------------------------------------


def test_an_index_that_nearby_has_not_made(refusal, fruit, tmp_path, address, elasticsearch_client, index_name):
    elasticsearch_client.indices.create(index=index_name)
    for rebuild in ([], ["--rebuild"]):
        said = refusal("index", fruit, "-s", "bm25", "-o", tmp_path / "c", "--index", address, *rebuild)
        assert f"nearby did not make the index '{index_name}': choose another name in the address" in said
    assert list(elasticsearch_client.indices.get(index=f"{index_name}*")) == [index_name]
    assert not (tmp_path / "c").exists()


def test_an_alias_that_somebody_else_has_set(refusal, fruit, tmp_path, address, elasticsearch_client, index_name):
    elasticsearch_client.indices.create(index=f"{index_name}-theirs", aliases={index_name: {}})
    for rebuild in ([], ["--rebuild"]):
        said = refusal("index", fruit, "-s", "bm25", "-o", tmp_path / "c", "--index", address, *rebuild)
        assert f"nearby did not make the index '{index_name}-theirs'" in said
    assert list(elasticsearch_client.indices.get_alias(name=index_name)) == [f"{index_name}-theirs"]


@pytest.mark.parametrize("mine", [{"nearby": "an index"}, {"nearby": "a collection", "format": 99}])
def test_an_index_of_nearbys_that_is_no_collection(
    refusal, fruit, tmp_path, address, elasticsearch_client, index_name, mine
):
    mappings = {"_meta": mine}
    elasticsearch_client.indices.create(index=f"{index_name}-000001", mappings=mappings, aliases={index_name: {}})
    said = refusal("index", fruit, "-s", "bm25", "-o", tmp_path / "c", "--index", address, "--rebuild")
    assert "is not a collection: index the corpus under another name" in said or "written by a newer nearby" in said
    assert list(elasticsearch_client.indices.get_alias(name=index_name)) == [f"{index_name}-000001"]


def test_a_name_behind_which_several_stand(refusal, served, elasticsearch_client, index_name):
    elasticsearch_client.indices.create(index=f"{index_name}-000009", aliases={index_name: {}})
    assert f"the alias '{index_name}' names several indexes ({index_name}-000001, {index_name}-000009)" in refusal(
        "search", served, "pear"
    )


def test_an_index_that_was_removed_and_how_it_comes_back(
    refusal, nearby, served, fruit, address, elasticsearch_client, index_name
):
    elasticsearch_client.indices.delete(index=f"{index_name}-000001")
    assert "is gone: index the corpus again" in (said := refusal("search", served, "pear"))
    assert "index the corpus again with --rebuild" in said
    code, _, err = nearby("index", fruit, "-s", "bm25", "-o", served, "--index", address, "--rebuild")
    assert code == 0, err
    assert finds_pear(nearby, served)


def test_other_spaces_and_items_than_those_that_are_there(refusal, nearby, served, vegetables, address, tmp_path):
    assert "holds other items than" in refusal("index", vegetables, "-s", "bm25", "-o", served, "--index", address)
    said = refusal("index", vegetables, "-s", "bm25", "-o", tmp_path / "d", "--index", address)
    assert "already serves another collection" in said
    for spec in ("tfidf", "bow", "bm25:method=bm25l"):
        assert "cannot hold the sparse codes" in refusal(
            "index", vegetables, "-s", spec, "-o", tmp_path / "e", "--index", address
        )
    assert not (tmp_path / "e").exists()
    assert finds_pear(nearby, served)
    assert not indexes_at(address).stale


@pytest.mark.parametrize(
    ("options", "spec", "said"),
    [("bbq_hnsw", "tfidf+lsa:3", "bbq_hnsw needs at least 64 numbers"), ("int4_flat", "tfidf+lsa:3", "an even width")],
)
def test_widths_that_do_not_fit_leave_nothing_behind(refusal, fruit, tmp_path, elasticsearch_url, elasticsearch_client,
                                                     index_name, options, spec, said):  # fmt: skip
    index = f"elasticsearch:{elasticsearch_url}/{index_name},{options}"
    assert said in refusal("index", fruit, "-s", spec, "-o", tmp_path / "c", "--index", index)
    assert not elasticsearch_client.indices.get(index=f"{index_name}*")


@pytest.mark.parametrize(
    ("setting", "said"),
    [("read_only_allow_delete", "a disk is nearly full: free some space on it"), ("write", "remove the block in its settings")],
)  # fmt: skip
def test_blocks_on_writing(refusal, nearby, served, vegetables, elasticsearch_client, index_name, setting, said):
    elasticsearch_client.indices.put_settings(index=index_name, settings={f"index.blocks.{setting}": True})
    assert said in refusal("add", served, vegetables)
    assert finds_pear(nearby, served)
    elasticsearch_client.indices.put_settings(index=index_name, settings={f"index.blocks.{setting}": None})
    assert nearby("add", served, vegetables)[:2] == (0, "2 added, 0 changed, 0 unchanged\n")


def test_an_index_that_finds_no_node(
    refusal, nearby, served, vegetables, address, elasticsearch_client, index_name, hasty
):
    elasticsearch_client.indices.put_index_template(
        name=index_name, index_patterns=[f"{index_name}-*"], priority=999,
        template={"settings": {"index.routing.allocation.require._name": "nobody"}},
    )  # fmt: skip
    try:
        said = refusal("index", vegetables, "-s", "bm25", "-o", served, "--index", address, "--rebuild")
        assert f"has no node for a part of the index '{index_name}-000002' (it is red): check its health" in said
        assert finds_pear(nearby, served)
    finally:
        elasticsearch_client.indices.delete_index_template(name=index_name)
    elasticsearch_client.indices.put_settings(
        index=f"{index_name}-000002", settings={"index.routing.allocation.require._name": None}
    )
    code, _, err = nearby("index", vegetables, "-s", "bm25", "-o", served, "--index", address, "--rebuild", "--resume")
    assert code == 0, err
    assert json.loads(nearby("info", served, "--json")[1])["items"] == 2


def test_a_served_index_that_lost_its_node(refusal, served, fruit, elasticsearch_client, index_name, hasty):
    mappings = elasticsearch_client.indices.get_mapping(index=index_name)[f"{index_name}-000001"]["mappings"]
    given = elasticsearch_client.indices.get_settings(index=index_name)[f"{index_name}-000001"]["settings"]["index"]
    settings = {"similarity": given["similarity"], "routing.allocation.require._name": "nobody"}
    elasticsearch_client.indices.delete(index=f"{index_name}-000001")
    elasticsearch_client.indices.create(
        index=f"{index_name}-000001", mappings=mappings, settings=settings, wait_for_active_shards=0,
        aliases={index_name: {}, f"{index_name}-000001.write": {}},
    )  # fmt: skip
    for command in (
        ["search", served, "pear"],
        ["search", served, "@pear"],
        ["info", served],
        ["add", served, fruit],
        ["delete", served, "pear"],
    ):
        began = time.monotonic()
        assert "health" in refusal(*command)
        assert time.monotonic() - began < 20  # not the minutes that the server itself would try


def test_an_index_that_somebody_closed(refusal, nearby, served, vegetables, address, elasticsearch_client, index_name):
    name = f"{index_name}-000001"
    elasticsearch_client.indices.close(index=name)
    for command in (
        ["search", served, "pear"],
        ["search", served, "@pear"],
        ["info", served],
        ["add", served, vegetables],
    ):
        assert f"the index '{name}' in Elasticsearch is closed: open it with  POST /{name}/_open" in refusal(*command)
    elasticsearch_client.indices.open(index=name)
    assert finds_pear(nearby, served)


def test_a_description_that_somebody_overwrote(refusal, served, fruit, address, elasticsearch_client, index_name):
    elasticsearch_client.indices.put_mapping(index=index_name, meta={"owner": "shop"})
    for command in (
        ["search", served, "pear"],
        ["index", fruit, "-s", "bm25", "-o", served, "--index", address],
        ["index", fruit, "-s", "bm25", "-o", served, "--index", address, "--rebuild"],
    ):
        said = refusal(*command)
        assert "or its description (_meta) was overwritten: index the corpus under another name" in said
    assert list(elasticsearch_client.indices.get(index=f"{index_name}*")) == [f"{index_name}-000001"]


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (["yaer=2004"], "no item has the field 'yaer'; did you mean 'year'?"),
        (["year=204"], "no item has year=204; did you mean '2004'?"),
        (["label=stew"], "no item has label=stew; there are: soup, tart"),
        (["label=soup", "year=2005"], "no item has label=soup and year=2005 at once"),
    ],
)
def test_filters_that_nothing_satisfies_are_explained_as_of_a_local_collection(
    refusal, nearby, tmp_path, address, wanted, said
):
    corpus = tmp_path / "dishes.csv"
    corpus.write_text("id,text,label,year\n1,a leek soup,soup,2004\n2,a plum tart,tart,2005\n")
    for folder, more in ((tmp_path / "local", []), (tmp_path / "served", ["--index", address])):
        assert nearby("index", corpus, "-s", "bm25", "-o", folder, *more)[0] == 0
        assert said in refusal("search", folder, "leek", *(word for one in wanted for word in ("--filter", one)))


def test_a_comparison_says_why_bm25_differs_from_a_local_one(nearby, tmp_path, address):
    corpus = tmp_path / "dishes.csv"
    corpus.write_text(
        "id,text,label\n1,a leek soup,soup\n2,an onion soup,soup\n3,a fig tart,tart\n4,a plum tart,tart\n"
    )
    words = ["compare", corpus, "-s", "bm25", "-s", "bow+lsa:2", "--index", address]
    code, out, err = nearby(*words, "--index", "auto", "-o", tmp_path / "report")
    assert code == 0, err
    for text in (" ".join(out.split()), (tmp_path / "report" / "report.html").read_text()):
        assert "Lucene computes bm25 and rounds the lengths of documents above 40 words" in text
    assert "Lucene" not in nearby(*words)[1]


# -- info -------------------------------------------------------------------------------------------------------------


def test_info_tells_what_is_stale_and_clean_removes_it(
    nearby, served, fruit, vegetables, address, elasticsearch_client, index_name
):
    for corpus in (vegetables, fruit):
        assert nearby("index", corpus, "-s", "bm25", "-o", served, "--index", address, "--rebuild")[0] == 0

    def names():
        return sorted(elasticsearch_client.indices.get(index=f"{index_name}-*"))

    assert nearby("info", served)[1].count(address) == 1
    assert names() == [f"{index_name}-000002", f"{index_name}-000003"]  # the one before is kept for its readers
    text = nearby("info", address)[1]
    assert f"{index_name}-000003, 4 items" in text
    assert f"kept: {index_name}-000002, 2 documents, for processes that opened the collection before the swap" in text
    assert "no index is stale" in text
    theirs = elasticsearch_client.indices.get_mapping(index=index_name)[f"{index_name}-000003"]["mappings"]
    said = theirs["_meta"]
    for number, meta, alias in ((1, said, {}), (4, {**said, "identity": "other"}, {f"{index_name}.next": {}})):
        elasticsearch_client.indices.create(
            index=f"{index_name}-{number:06}", mappings={**theirs, "_meta": meta}, aliases=alias,
            settings={"similarity": {"bm25_k1_1p2_b_0p75": {"type": "BM25", "k1": 1.2, "b": 0.75}}},
        )  # fmt: skip
    elasticsearch_client.indices.create(index=f"{index_name}-other")  # of somebody whose name begins so
    elasticsearch_client.index(index=f"{index_name}-000004", document={"place": 1})
    found = json.loads(nearby("info", address, "--json")[1])
    assert found["stale"] == [
        {"name": f"{index_name}-000001", "documents": 0, "loading": False, "maker": "this collection"},
        {"name": f"{index_name}-000004", "documents": 1, "loading": True, "maker": "another collection"},
    ]
    assert json.loads(nearby("info", served, "--json")[1])["indexes"]["stale"] == found["stale"]
    text = nearby("info", served)[1]
    assert "stale, and removed by --clean:" in text
    assert "stale, and removed by --clean --yes:" in text
    assert "unfinished load" in text
    text = nearby("info", served, "--clean")[1]
    assert (
        text.index("removed:") < text.index("000001") < text.index("not removed; --clean --yes") < text.index("000004")
    )
    assert names() == [f"{index_name}-{number}" for number in ("000002", "000003", "000004", "other")]
    assert "removed:" in nearby("info", address, "--clean", "--yes")[1]
    assert names() == [f"{index_name}-{number}" for number in ("000002", "000003", "other")]
    assert "no index is stale" in nearby("info", address, "--clean")[1]
    assert finds_pear(nearby, served)


def test_info_of_what_is_no_collection(refusal, nearby, address, fruit, tmp_path):
    assert "nothing is served" in nearby("info", address)[1]
    assert nearby("index", fruit, "-s", "bm25", "-o", tmp_path / "local")[0] == 0
    assert "is on disk and has no stale indexes" in refusal("info", tmp_path / "local", "--clean")


def test_no_secret_is_told(nearby, fruit, tmp_path, address, elasticsearch_client, index_name, monkeypatch):
    secrets = {client.USER: "evelyn", client.PASSWORD: "geheim-1"}
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    told = list(nearby("index", fruit, "-s", "bm25", "-o", tmp_path / "c", "--index", address))
    told += nearby("info", tmp_path / "c")
    told += nearby("info", address, "--json")
    told += nearby("search", tmp_path / "c", "pear", "--json")
    told += nearby("compare", tmp_path / "c", "-o", tmp_path / "report")
    told += nearby("search", tmp_path / "nothing", "pear")
    told.append(json.dumps(elasticsearch_client.indices.get(index=f"{index_name}*").body))
    written = [path.read_bytes() for part in ("c", "report") for path in (tmp_path / part).rglob("*") if path.is_file()]
    assert written
    for value in secrets.values():
        assert not [text for text in map(str, told) if value in text]
        assert not [raw for raw in written if value.encode() in raw]


# -- options that do not go together ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--shard", "1/2", "--rebuild"], "--shard loads one shard"),
        (["--shard", "3/2"], "--shard is written K/N"),
        (["--shard", "1/2"], "the shards of a load share encoders: fit this one once, with  nearby train"),
        ([], "name the folder of the collection, as in -o FOLDER"),
    ],
)
def test_options_that_do_not_go_together(refusal, fruit, address, words, said):
    assert said in refusal("index", fruit, "-s", "bm25", "--index", address, *words)


def test_options_that_are_for_a_server(refusal, fruit, tmp_path):
    for option in ("--rebuild", "--finish"):
        assert "are for --index elasticsearch:URL/NAME" in refusal(
            "index", fruit, "-s", "bm25", "-o", tmp_path / "c", option
        )


def test_nothing_to_go_on_with(refusal, fruit, tmp_path, address):
    said = refusal("index", fruit, "-s", "bm25", "-o", tmp_path / "c", "--index", address, "--resume")
    assert "there is nothing to resume" in said
