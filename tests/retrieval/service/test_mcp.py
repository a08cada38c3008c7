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
    assert [result.is_error for result in found] == [False, False, False, False, True, True]
    values = [json.loads(result.content[0].text) for result in found[:4]]
    assert [hit["id"] for hit in values[0]["results"][0]["spaces"][0]["hits"]] == ["heat", "plate"]
    assert values[1]["results"][0]["spaces"][0]["hits"][0]["id"] == "drag"
    assert list(values[2]["spaces"][0]["words"]) == ["transfer", "heat"] or set(values[2]["spaces"][0]["words"]) == {
        "heat", "transfer",
    }  # fmt: skip
    assert [space["spec"] for space in values[3]["spaces"]] == ["bm25", "tfidf"]
    assert "per_query" not in json.dumps(values[3])
    assert "k" in found[4].content[0].text
    assert "no item 'none'" in found[5].content[0].text
