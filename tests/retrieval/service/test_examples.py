"""The examples of docs/service.md run against a service: with curl, httpx and OpenAI's client."""

from __future__ import annotations

import html
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from running_service import running

from retrieval.service.examples import EXAMPLES, ServedNames, curl
from retrieval.service.settings import Settings

PAGE = Path(__file__).parents[3] / "docs" / "service.md"
BLOCKS = re.findall(
    r"```(sh|python)\n# needs the service of above\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL
)


@pytest.fixture(scope="module")
def news(collections):
    """The service of the page, whose space of two numbers stands for that of 128."""
    with running(Settings({"news": collections["texts"], "digits": collections["pictures"]})) as client:
        yield client


def fitting(text: str, port: int) -> str:
    small = text.replace("lsa:128", "lsa:2").replace("dimensions=64", "dimensions=1")
    return small.replace("interest rates", "heat transfer").replace("8765", str(port))


def test_the_page_has_examples_of_both_kinds():
    assert {kind for kind, _ in BLOCKS} == {"sh", "python"}
    assert any("httpx" in block for _, block in BLOCKS)


@pytest.mark.parametrize(("kind", "block"), BLOCKS, ids=[f"{kind}-{at}" for at, (kind, _) in enumerate(BLOCKS)])
def test_an_example_of_the_page_runs(kind, block, news):
    command = ["sh", "-e"] if kind == "sh" else [sys.executable, "-W", "error", "-"]
    done = subprocess.run(command, input=fitting(block, news.port), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    if kind == "sh":
        assert json.loads(done.stdout)["results"]


@pytest.fixture(scope="module")
def documented(collections) -> Iterator[list[dict[str, str]]]:
    """The commands of the documentation: of a service of texts and pictures, and of one of pictures alone."""
    both, pictures = dict(collections), {"pictures": collections["pictures"]}
    with running(Settings(both)) as first, running(Settings(pictures)) as second:
        yield [commands(first), commands(second)]


def commands(client) -> dict[str, str]:
    text = client.get("/docs").content.decode()
    found = re.findall(r'<section id="(\w+)">.*?<pre[^>]*>(.*?)</pre>', text, re.DOTALL)
    assert all(f"http://127.0.0.1:{client.port}/" in command for _, command in found)
    return {name: html.unescape(command) for name, command in found}


def ran(command: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["sh", "-e"], input=command.replace("curl ", "curl -s -f ", 1).encode(), capture_output=True, timeout=120
    )


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl")
@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_of_the_documentation_answers_as_it_is_copied(name, documented):
    """On the first service or, for what six texts are too few for, on the second."""
    outputs = [done.stdout for one in documented if (done := ran(one[name])).returncode == 0]
    assert outputs, [one[name] for one in documented]
    if name not in ("metrics", "media"):
        assert json.loads(outputs[0])
    assert "news" not in documented[0][name]


def test_with_a_token_the_documentation_names_no_collection_but_the_token(collections, tmp_path):
    (tmp_path / "token").write_text("a-secret-of-enough-letters")
    with running(Settings(collections, token_file=str(tmp_path / "token"))) as client:
        found = commands(client)
    assert "/v1/collections/news/" in found["search"]
    assert all("Authorization: Bearer TOKEN" in command for command in found.values())
    assert not any("texts" in command or "pictures" in command for command in found.values())


def test_names_of_every_kind_are_quoted():
    odd = ServedNames(collection="it's", items=("a/b", "'; rm"), words='say "x"', space="tfidf+lsa:2", dense="x")
    for name in EXAMPLES:
        words = shlex.split(curl(name, odd))
        assert words[0] == "curl"
        assert "rm" not in words
        body = EXAMPLES[name][1]
        assert body is None or json.loads(words[-1]).keys() == body.keys()
    assert "/v1/collections/it%27s/items/a%2Fb" in curl("item", odd)
