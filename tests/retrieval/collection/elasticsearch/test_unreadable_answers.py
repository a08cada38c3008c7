"""A server, or what stands before it, whose answers are not what is expected: one sentence, and nothing half done."""

from __future__ import annotations

import itertools
import json
import socket
import time
import urllib.error
import urllib.request

import pytest
from fake_node import PRODUCT, Reply, fake_node

from encoders.artifact import sealed
from indexers.elasticsearch import client

JUNK = {
    "a page": Reply(200, b"<html>sign in</html>", "text/html"),
    "a list": Reply(200, b"[1, 2]"),
    "nothing in it": Reply(200, b"{}"),
    "numbers": Reply(200, b'{"nodes": 1, "hits": 2, "docs": 3, "errors": true, "items": [4], "count": "x", "_all": 5}'),
    "half": Reply(200, b'{"hits": {"hits": [{"_id": "a"}]}, "docs": [{}], "errors": true, "items": [{"index": {}}]}'),
    "an empty alias": Reply(200, b'{"x-000001": {"aliases": {}, "mappings": {}}}'),
}


def forwarded(url, method, path, body):
    """The answer of the real server."""
    asked = urllib.request.Request(url + path, data=body or None, method=method)  # noqa: S310
    kind = "application/vnd.elasticsearch+x-ndjson" if path.startswith(("/_bulk", "/_msearch")) or "/_bulk" in path else (
        "application/vnd.elasticsearch+json"
    )  # fmt: skip
    asked.add_header("Content-Type", f"{kind}; compatible-with=8")
    asked.add_header("Accept", "application/vnd.elasticsearch+json; compatible-with=8")
    try:
        with urllib.request.urlopen(asked) as answer:  # noqa: S310
            return Reply(answer.status, answer.read(), headers=dict(PRODUCT))
    except urllib.error.HTTPError as error:
        return Reply(error.code, error.read(), headers=dict(PRODUCT))


@pytest.fixture
def served(nearby, fruit, tmp_path, elasticsearch_url, index_name, monkeypatch):
    """A collection whose folder names the fake server, and that server: told which answer is to be junk, and how."""
    plan = {"count": 0, "at": -1, "junk": None}

    def answer(method, path, body):
        plan["count"] += 1
        if plan["count"] == plan["at"]:
            return plan["junk"]
        return forwarded(elasticsearch_url, method, path, body)

    words = ["index", fruit, "-s", "bm25", "-o", tmp_path / "c", "--index"]
    with fake_node(answer) as host:
        code, _, err = nearby(*words, f"elasticsearch:http://{host}/{index_name},flat")
        assert code == 0, err
        yield (
            tmp_path / "c",
            plan,
            [*words[:5], tmp_path / "d", "--index", f"elasticsearch:http://{host}/{index_name}-b"],
        )
    client._connect.cache_clear()


def test_no_answer_leads_to_a_traceback(nearby, served, tmp_path):
    folder, plan, loading = served
    more = tmp_path / "more.jsonl"
    more.write_text('{"id": "fig", "text": "a fig tart"}\n')
    kinds = itertools.cycle(JUNK.values())  # one kind at each place of every command, another at the next
    for words in (["search", folder, "pear"], ["info", folder], ["add", folder, more], loading):
        for at in range(1, 40, 2 if words is loading else 1):
            client._connect.cache_clear()
            plan.update(count=0, at=at, junk=next(kinds))
            code, _, err = nearby(*words)
            assert code in (0, 2), (words, at, err)
            assert "Traceback" not in err
            if plan["count"] < at:
                break
        else:
            pytest.fail(f"{words[0]} asks more than 40 times")
    plan["at"] = -1
    assert "pear" in nearby("search", folder, "pear")[1]


def test_a_silent_server_is_given_up_when_the_time_is(refusal, served, tmp_path, monkeypatch):
    folder, _, _ = served
    monkeypatch.setenv(client.TIMEOUT, "0.5")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(64)
        manifest = next(folder.glob("generations/*/manifest.json"))
        text = json.loads(manifest.read_text())
        text["server"] = f"elasticsearch:http://127.0.0.1:{silent.getsockname()[1]}/n"
        manifest.write_text(json.dumps(sealed(text)))
        began = time.monotonic()
        assert "did not answer in time" in refusal("search", folder, "pear")
        assert (
            time.monotonic() - began < 5
        )  # half a second, on a machine that does much else more; it was 13 times the time
