"""The real client of the Model Context Protocol asks `nearby mcp`."""

from __future__ import annotations

import asyncio
import json
import sys

import pytest

mcp = pytest.importorskip("mcp")


def asked(folder: str, *calls):
    """Start `nearby mcp`, and return its tools and the results of some calls."""

    async def talk():
        from mcp.client.stdio import stdio_client

        parameters = mcp.StdioServerParameters(command=sys.executable, args=["-m", "cli", "mcp", folder])
        async with stdio_client(parameters) as (read, write), mcp.ClientSession(read, write) as session:
            await session.initialize()
            tools = (await session.list_tools()).tools
            return tools, [await session.call_tool(name, arguments) for name, arguments in calls]

    return asyncio.run(asyncio.wait_for(talk(), 120))


def test_a_model_searches_compares_and_is_told_what_is_wrong(collections):
    tools, found = asked(
        collections["texts"],
        ("search", {"query": "heat transfer", "k": 2, "spaces": ["bm25"]}),
        ("neighbours", {"id": "wing", "k": 1, "spaces": ["tfidf"]}),
        ("explain", {"query": "heat transfer", "id": "plate"}),
        ("compare", {"spaces": ["bm25", "tfidf"]}),
        ("search", {"query": "heat", "k": 0}),
        ("explain", {"query": "heat", "id": "none"}),
    )
    assert sorted(tool.name for tool in tools) == ["compare", "explain", "neighbours", "search"]
    assert all(tool.annotations.read_only_hint for tool in tools)
    assert [result.is_error for result in found] == [False, False, False, False, True, True]
    values = [json.loads(result.content[0].text) for result in found[:4]]
    assert [hit["id"] for hit in values[0]["results"][0]["spaces"][0]["hits"]] == ["heat", "plate"]
    assert values[1]["results"][0]["spaces"][0]["hits"][0]["id"] == "drag"
    assert list(values[2]["spaces"][0]["words"]) == ["transfer", "heat"] or set(values[2]["spaces"][0]["words"]) == {
        "heat", "transfer",
    }  # fmt: skip
    assert [space["spec"] for space in values[3]["spaces"]] == ["bm25", "tfidf"]
    assert "per_query" not in json.dumps(values[3])
    assert found[4].content[0].text == "k should be at least 1"
    assert found[5].content[0].text == "the collection holds no item 'none'; its ids are like 'wing'"


#: Calls that do not fit, and the one sentence that answers each.
REFUSED = (
    ("search", {}, "search lacks the argument 'query'"),
    ("search", {"query": None}, "search lacks the argument 'query'"),
    ("explain", {"query": "heat"}, "explain lacks the argument 'id'"),
    ("search", {"query": 1}, "query should be a text; got a whole number"),
    ("neighbours", {"id": ["wing"]}, "id should be a text; got a list"),
    ("search", {"query": "heat", "k": "ten"}, "k should be a whole number; got a text"),
    ("search", {"query": "heat", "k": 2.5}, "k should be a whole number; got a number"),
    ("search", {"query": "heat", "k": 1_001}, "k should be at most 1,000"),
    ("search", {"query": "heat", "spaces": "bm25"}, "spaces should be a list; got a text"),
    ("neighbours", {"id": "wing", "spaces": ["bm25", 2]}, "spaces[1] should be a text; got a whole number"),
    ("neighbours", {"id": "wing", "spaces": [""]}, "spaces[0] should have at least 1 letter"),
    ("compare", {"spaces": ["bm52"]}, "unknown space 'bm52' in texts; did you mean 'bm25'?"),
    ("search", {"query": "heat", "filter": ["label=flow"]}, "search has no argument 'filter'; did you mean 'filters'?"),
    ("neighbours", {"id": "wing", "query": "x"}, "neighbours has no argument 'query'; it has id, k, spaces"),
    ("serach", {}, "no tool 'serach'; did you mean 'search'?"),
)


def test_a_call_that_does_not_fit_is_one_sentence_that_names_the_argument(collections):
    _tools, found = asked(collections["texts"], *((name, arguments) for name, arguments, _ in REFUSED))
    assert [(result.is_error, result.content[0].text) for result in found] == [(True, said) for _, _, said in REFUSED]


def test_arguments_are_taken_as_clients_write_them(collections):
    calls = (
        ("search", {"query": "heat transfer", "k": "1", "spaces": '["bm25"]', "filters": None}),
        ("search", {"query": '["heat"]', "k": 1, "spaces": ["bm25"]}),
    )
    _tools, found = asked(collections["texts"], *calls)
    assert [result.is_error for result in found] == [False, False]
    spaces = [json.loads(result.content[0].text)["results"][0]["spaces"] for result in found]
    assert [[(one["spec"], len(one["hits"])) for one in several] for several in spaces] == [[("bm25", 1)]] * 2
