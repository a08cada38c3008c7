"""The drawn figures of the documentation: light on a light page, dark on a dark one, with letters as high as the text."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

DOCS = Path(__file__).parents[2] / "docs"
SVG = "{http://www.w3.org/2000/svg}"
DRAWN = sorted(DOCS.glob("*.svg"))


@pytest.mark.parametrize("path", DRAWN, ids=lambda path: path.name)
def test_a_figure_follows_the_colours_of_its_page(path):
    root = ElementTree.fromstring(path.read_text())  # noqa: S314  our own text
    light, dark = root.find(f"{SVG}style").text.split("@media(prefers-color-scheme:dark)")
    assert "background:#fdfdfc" in light
    assert "background:#15171a" in dark
    for node in root.iter():  # what has the colour of the paper changes with it; no ink is fixed
        assert node.get("fill") != "#fff" or node.get("class") == "ground"
        assert node.get("stroke") not in ("#222", "#000", "black")


@pytest.mark.parametrize("path", DRAWN, ids=lambda path: path.name)
def test_the_letters_of_a_figure_are_as_high_as_the_text(path):
    root = ElementTree.fromstring(path.read_text())  # noqa: S314  our own text
    width, height = map(float, root.get("viewBox").split()[2:])
    scale = float(root.get("width")) / width
    assert 12 <= scale * float(root.get("font-size")) <= 17
    assert float(root.get("height")) == pytest.approx(scale * height, abs=1)


def test_every_figure_is_shown_with_words():
    pages = "".join(path.read_text() for path in DOCS.glob("*.md"))
    shown = {name: words for words, name in re.findall(r"!\[([^\]]*)\]\(([^)]+\.svg)\)", pages)}
    assert DRAWN
    assert all(shown[path.name].strip() for path in DRAWN)
