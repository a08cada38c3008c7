"""Every view, wide and narrow: no error, nothing from outside, no sideways scroll, a name for every control."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

from retrieval.report.html.script import FOLDER as EXPLORER
from retrieval.service.page import FILES, page_files

VIEWS = {
    "search": "?collection=texts",
    "search-words": "?collection=hostile&q=heat+wing",
    "search-one-list": "?collection=texts&q=heat+wing&fuse=rrf&filter=label%3Dflow",
    "search-pictures": "?collection=pictures&id=17&k=5",
    "search-sounds": "?collection=sounds&id=tone+400.wav",
    "search-rows": "?collection=rows&id=5&k=5",
    "map": "?collection=pictures&view=map&a=pixels&b=pixels%2Bpca%3A4&label=3",
    "map-hostile": "?collection=hostile&view=map&a=bm25&b=tfidf&lasso=0.0.0.1000.0.1000.1000.0.1000",
    "map-hubness": "?collection=pictures&view=map&a=pixels&b=pixels%2Bpca%3A4&colour=hubness",
    "search-why": "?collection=hostile&q=heat+wing&why=long",
    "compare": "?collection=texts&view=compare&run=1&space=bm25&space=tfidf",
    "compare-hostile": "?collection=hostile&view=compare&run=1",
    "space": "?collection=pictures&view=space&space=pixels%2Bpca%3A4&health=1",
    "space-words": "?collection=texts&view=space&space=tfidf%2Blsa%3A2&from=wing&to=heat",
    "space-network": "?collection=decoders&view=space&space=pixels%2Bvae%3A3%2Cepochs%3D2&from=3&to=4",
    "space-rows": "?collection=rows&view=space&space=columns%2Bpca%3A2&from=1&to=2",
}
#: Roles of what a person acts on or listens for.
NAMED = {
    "button", "link", "combobox", "textbox", "searchbox", "checkbox", "image", "img", "listbox", "option",
    "application", "region", "navigation", "form", "search", "dialog", "Audio", "canvas", "group", "DisclosureTriangle",
}  # fmt: skip


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("view", VIEWS)
def test_a_view_is_whole_at_every_width(page, view, width):
    page.show(VIEWS[view], width)
    assert page.script("return window.hacked") is None
    assert page.every(".problem:not([hidden])") == []
    wide, seen = page.script("return [document.documentElement.scrollWidth, window.innerWidth]")
    assert wide <= seen == width
    levels = [int(tag[1]) for tag in page.script(
        "const all = [...document.querySelectorAll('h1,h2,h3,h4,h5')];"
        "return all.filter(e => e.checkVisibility()).map(e => e.tagName)"
    )]  # fmt: skip
    assert levels[:2] == [1, 2]
    assert (levels.count(1), levels.count(2)) == (1, 2 if view == "search-why" else 1)
    assert all(after - before <= 1 for before, after in pairwise(levels)), levels
    ids = page.script("return [...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
    assert nameless(page) == []


def nameless(page) -> list[str]:
    """The nodes of the browser's own accessibility tree that need a name and have none."""
    nodes = page.browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    kept = [node for node in nodes if not node.get("ignored")]
    assert len(kept) > 20
    roles = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in kept]
    assert {role for role, _ in roles} & NAMED
    return [role for role, name in roles if role in NAMED - {"group"} and not str(name).strip()]


def test_the_tree_of_names_finds_a_control_without_a_name(page):
    page.show(VIEWS["search"])
    page.script("document.querySelector('main').append(document.createElement('button'))")
    assert nameless(page) == ["button"]


@pytest.mark.parametrize("view", ["search-words", "map", "compare", "space"])
def test_a_view_in_the_dark_has_contrast(page, view):
    page.browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    )
    try:
        page.show(VIEWS[view])
        paper, faint = page.script(CONTRAST)
        assert paper == "rgb(21, 23, 26)"
        assert faint == []
    finally:
        page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


@pytest.mark.parametrize("view", ["search-words", "map", "compare", "space"])
def test_a_view_in_the_light_has_contrast(page, view):
    page.show(VIEWS[view])
    assert page.script(CONTRAST) == ["rgb(253, 253, 252)", []]


#: Texts whose contrast with the ground below them is less than 4.5 (WCAG 2.2, AA).
CONTRAST = """
const numbers = (colour) => (colour.match(/[\\d.]+/g) || []).map(Number);
const part = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
const light = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
const ground = (element) => {
  const over = [];
  for (let one = element; one; one = one.parentElement) {
    const [r, g, b, a = 1] = numbers(getComputedStyle(one).backgroundColor);
    over.push([r, g, b, a]);
    if (a === 1) break;
  }
  const laid = (below, [r, g, b, a]) => [r, g, b].map((value, at) => value * a + below[at] * (1 - a));
  return over.reverse().reduce(laid, [255, 255, 255]);
};
const faint = [];
for (const element of document.querySelectorAll('body *')) {
  const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  if (!own || !element.offsetParent || element.closest('.hidden') || element.disabled) continue;
  const [a, b] = [light(numbers(getComputedStyle(element).color)), light(ground(element))];
  const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (contrast < 4.5) faint.push(`${element.tagName}.${element.className} ${element.textContent} ${contrast}`);
}
return [getComputedStyle(document.body).backgroundColor, [...new Set(faint)]];
"""


@pytest.fixture
def on_paper(page):
    """The page as a printer sees it, of a person who has chosen the dark."""
    features = [{"name": "prefers-color-scheme", "value": "dark"}]
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": features})
    yield page
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})


@pytest.mark.parametrize("view", ["search-words", "search-why", "map-hubness", "space", "space-network"])
def test_paper_shows_the_answers_without_controls(on_paper, view):
    on_paper.show(VIEWS[view], 760)
    assert on_paper.one("main > h2").is_displayed()
    shown = [one for one in on_paper.every("button, input, select, nav a") if one.is_displayed()]
    assert [one for one in shown if "legend" not in one.find_element("xpath", "..").get_attribute("class")] == []
    assert on_paper.script("return document.documentElement.scrollWidth <= innerWidth")
    assert on_paper.script("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_lists_stand_side_by_side_on_paper(on_paper):
    on_paper.show(VIEWS["search-words"], 760)
    tops = [one.rect["y"] for one in on_paper.every(".list")]
    assert len(tops) == 3
    assert max(tops) - min(tops) < 2


def test_a_map_is_drawn_again_on_white_for_paper(page):
    dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
    page.show(VIEWS["map-hubness"])
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", **dark})
    try:
        corner = page.browser.execute_async_script(
            "const done = arguments[0]; const pen = document.querySelector('canvas.map').getContext('2d');"
            "requestAnimationFrame(() => requestAnimationFrame(() => done([...pen.getImageData(1, 1, 1, 1).data])))"
        )
    finally:
        page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    assert corner == [255, 255, 255, 255]


def own_files(suffix: str) -> dict[str, str]:
    return {
        path.relative_to(FILES).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(FILES.rglob(f"*{suffix}"))
    }


def test_texts_never_become_markup():
    for name, text in own_files(".js").items():
        for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
            assert word not in text, (name, word)
        assert "http" not in text.replace("http://www.w3.org/2000/svg", ""), name


def test_the_page_has_no_inline_script_or_style():
    (html,) = own_files(".html").values()
    assert not re.search(r"<style|<script(?![^>]* src=)|\son\w+=|\sstyle=", html)
    assert "http" not in html


def test_every_import_is_a_file_that_is_served():
    served = page_files()
    for name, text in own_files(".js").items():
        for source in re.findall(r'from "([^"]+)"', text):
            folder = Path("/", name).parent
            assert str((folder / source).resolve())[1:] in served, (name, source)
    assert {f"explorer/{path.name}" for path in EXPLORER.glob("*.js")} <= set(served)
    html = (FILES / "index.html").read_text(encoding="utf-8")
    assert {name.removeprefix("page/") for name in re.findall(r'(?:src|href)="(page/[^"]+)"', html)} <= set(served)


def test_every_file_of_the_page_is_installed():
    import tomllib

    root = FILES.parents[2]
    patterns = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    installed = {path for pattern in patterns["retrieval.service"] for path in FILES.parent.glob(pattern)}
    assert {path for path in FILES.rglob("*") if path.is_file()} <= installed
