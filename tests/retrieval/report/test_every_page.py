"""Every page that the command line writes, in a real browser: axe-core finds nothing, wide and narrow, light and dark."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from axe import violations
from chromium import complaints, drawn, requests, sized
from cli_page import commands
from page_in_browser import HOSTILE, PLAIN
from typer.testing import CliRunner

import cli
from retrieval.commands import compare

RUNNER = CliRunner()
#: The commands that write each page: TEXTS, SOUNDS and OUT stand for paths. The last command writes the page.
PAGES: dict[str, list[str]] = {
    "compare-pictures": ["compare digits -s pixels -s pixels+pca:8 --index exact --index faiss:IVF16,Flat -o OUT"],
    "compare-every-section": [
        "compare digits -s pixels+pca:8 -s pixels+linear-ae:4,epochs=2 --fusion --health --bytes 4,8 -o OUT"
    ],
    "compare-texts": ["compare TEXTS -s bm25 -s tfidf --judged-by auto -o OUT"],
    "compare-sounds": ["compare SOUNDS -s log-mel -s log-mel+pca:4 -o OUT"],
    "compare-rows": ["compare corpus:breast-cancer -s columns -s columns+pca:2 -o OUT"],
    "demo": ["demo -o OUT"],
    "health": ["health digits -s pixels -s pixels+pca:4 --sample 200 --train -o OUT"],
    "analyze-pictures": [
        "analyze digits -s pixels+pca:4 -s pixels+vae:2,epochs=2 -s pixels+deep-infomax:4,hidden=8,epochs=2"
        " --sample 120 -o OUT"
    ],
    "analyze-texts": ["analyze TEXTS -s tfidf+lsa:4 -s tfidf+kmeans:3 --sample 60 -o OUT"],
    "analyze-sounds": ["analyze SOUNDS -s log-mel+pca:4 -s log-mel+nmf:4 --sample 48 -o OUT"],
    "anomalies-pictures": [
        "anomalies fit digits -s pixels+pca:8 --normal 0 -o OUT/detector",
        "anomalies score OUT/detector digits --false-alarms 10% -o OUT/report.html",
    ],
    "anomalies-texts": [
        "anomalies fit TEXTS -s tfidf -o OUT/detector",
        "anomalies score OUT/detector TEXTS --false-alarms 10% -o OUT/report.html",
    ],
    "anomalies-sounds": [
        "anomalies fit SOUNDS -s log-mel+pca:4 -o OUT/detector",
        "anomalies score OUT/detector SOUNDS --false-alarms 10% -o OUT/report.html",
    ],
    "anomalies-rows": [
        "anomalies fit corpus:breast-cancer -s columns --normal benign -o OUT/detector",
        "anomalies score OUT/detector corpus:breast-cancer --false-alarms 10% -o OUT/report.html",
    ],
    "anomalies-compare": ["anomalies compare digits --normal 0 --normal 1 -s pixels+pca:8 -s pixels --false-alarms 10% -o OUT"],
    "compression-curve": ["compression-curve digits -s pixels+pca:8 --sample 40 -o OUT"],
    "convert": [
        "index SOUNDS -s log-mel:16,frames=8+disentangle:2,nuisance=speaker,epochs=1,hidden=8,nuisance-components=2"
        " -o OUT/collection",
        "convert OUT/collection -s log-mel -n 4 --report OUT",
    ],
}  # fmt: skip
#: What a page must show, so that a section that is not written is not taken for one without violations.
SECTIONS = {
    "compare-pictures": ["#c1-losses", "#c1-differ", ".example img"],
    "compare-every-section": ["#c1-bytes", "#c1-fusion", "#c1-overlap", "#c1-health", "#c1-training"],
    "compare-sounds": ["audio"],
    "demo": ["nav[aria-label=Comparisons]", "#c2-curves"],
    "analyze-pictures": ["#components", "#tree", "#maps", "#posterior", "#discriminator"],
    "anomalies-pictures": ["article.strange img"],
    "anomalies-sounds": ["article.strange img"],
    "convert": ["audio"],
}
#: Chooses the first query of the last explorer, whose lists then open.
OPEN = "[...document.querySelectorAll('.queries')].at(-1).querySelector('[role=option]').click()"
#: `demo` with spaces that are fitted at once.
QUICK_DEMO = {"digits": ["pixels", "pixels+pca:4"], "api-docs": ["bm25", "tfidf"]}


@pytest.fixture(scope="session")
def corpora(tmp_path_factory) -> dict[str, str]:
    """Texts, some of them hostile, and sounds of three speakers."""
    import soundfile

    root = tmp_path_factory.mktemp("pages")
    lines = [json.dumps({"id": id, "text": text, "label": label}) for id, text, label in HOSTILE + PLAIN]
    (root / "texts.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (root / "sounds").mkdir()
    time, rng = np.arange(3200) / 8000, np.random.default_rng(0)
    for digit in range(4):
        for speaker in range(3):
            for take in range(6):
                pitch = 200 * (1 + digit) * (1 + speaker / 5)
                sound = 0.4 * np.sin(2 * np.pi * pitch * time) + rng.normal(0, 0.02, len(time))
                soundfile.write(root / "sounds" / f"{digit}_speaker{speaker}_{take}.wav", sound, 8000)
    sounds = f"{root / 'sounds'}?pattern={{digit}}_{{speaker}}_{{take}}&label=digit"
    return {"TEXTS": str(root / "texts.jsonl"), "SOUNDS": sounds}


@pytest.fixture
def written(corpora, tmp_path, monkeypatch) -> Callable[[str], Path]:
    """Return what writes a page by the command line and returns its path."""
    monkeypatch.setattr(compare, "DEMO", QUICK_DEMO)

    def write(name: str) -> Path:
        for command in PAGES[name]:
            words = [word.replace("OUT", str(tmp_path)) for word in command.split()]
            done = RUNNER.invoke(cli.app, [corpora.get(word, word) for word in words])
            assert done.exit_code == 0, (done.stderr, done.exception)
        (path,) = tmp_path.glob("*.html")
        return path

    return write


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(browser, written, name):
    path = written(name)
    complaints(browser), requests(browser)
    browser.get(path.as_uri())
    drawn(browser)
    found = [f"no {one}" for one in SECTIONS.get(name, ()) if not browser.find_elements("css selector", one)]
    if browser.find_elements("css selector", ".queries [role=option]"):  # closed lists: see test_explorer_page
        browser.execute_script(OPEN)
        found += ["no lists are open"] * (not browser.find_elements("css selector", ".answers:not([hidden])"))
    found += looked_at(browser)
    assert found == []
    assert complaints(browser) == []
    asked = [one for one in requests(browser) if not one.startswith(("data:", "blob:", "about:", path.as_uri()))]
    assert asked == []


def looked_at(browser) -> list[str]:
    """What axe finds on the page that a browser shows, and whether it is wider than the window."""
    found = []
    for scheme in ("light", "dark"):
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        for width in (1280, 390):
            sized(browser, width, 900)
            wide = browser.execute_script("return document.documentElement.scrollWidth")
            found += [f"{scheme}, {width}: {one}" for one in violations(browser)]
            found += [f"{width}: {wide} pixels wide"] if wide > width else []
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    return found


def verbs_that_write_pages() -> set[str]:
    """The verbs whose functions import a page of the reports, or write comparisons."""
    found = set()
    for verb, command in commands():
        for node in ast.walk(ast.parse(inspect.getsource(command.callback))):
            imports = isinstance(node, ast.ImportFrom) and (node.module or "").startswith("retrieval.report.html.")
            calls = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "_write_comparisons"
            if imports or calls:
                found.add(verb)
    return found


def test_every_verb_that_writes_a_page_is_here():
    last = [commands[-1].split() for commands in PAGES.values()]
    assert {" ".join(words[: 1 + (words[0] == "anomalies")]) for words in last} == verbs_that_write_pages()
