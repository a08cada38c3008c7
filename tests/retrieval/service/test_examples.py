"""The examples of docs/service.md run against a service: with curl, httpx and OpenAI's client."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from running_service import running

from retrieval.service.examples import EXAMPLES, curl
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


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl")
@pytest.mark.parametrize("name", [name for name in EXAMPLES if name != "media"])
def test_an_example_of_the_documentation_answers(name, news):
    text = (
        fitting(curl(name), news.port)
        .replace("curl ", "curl -s -f ", 1)
        .replace("/42", "/wing")
        .replace("=42", "=wing")
    )
    text = text.replace('"42"', '"wing"').replace('"43"', '"heat"').replace("nDCG@10", "P@10")
    if name in ("map", "spaceHealth"):  # six texts are too few
        text = re.sub(r"space=[^']*", "space=pixels", text.replace("/news/", "/digits/"))
    done = subprocess.run(["sh", "-e"], input=text, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, (text, done.stderr)
    if name != "metrics":
        assert json.loads(done.stdout)
