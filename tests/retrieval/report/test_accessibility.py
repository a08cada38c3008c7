"""Every page for everybody: headings, landmarks, names, tables and contrast (WCAG 2.2, level AA)."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from retrieval.report.html.analysis import write_analysis
from retrieval.report.html.comparison import page
from retrieval.report.html.template import TEMPLATES

VOID = {"meta", "img", "br", "wbr"}
STYLE = TEMPLATES / "style"


@dataclass
class Node:
    """An element of a page."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Node | str] = field(default_factory=list)

    def all(self, *tags: str) -> list[Node]:
        """The elements with these tags in this one, in their order."""
        inner = [child for child in self.children if isinstance(child, Node)]
        return [found for one in inner for found in ([one] if one.tag in tags else []) + one.all(*tags)]

    @property
    def name(self) -> str:
        """What a screen reader says: the label, or the text with the text alternatives of pictures."""
        if label := self.attributes.get("aria-label") or self.attributes.get("alt"):
            return label
        if self.attributes.get("aria-hidden"):
            return ""
        return "".join(child if isinstance(child, str) else child.name for child in self.children).strip()


class Reader(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.root = Node("")
        self.open = [self.root]
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        node = Node(tag, {name: value or "" for name, value in attributes})
        self.open[-1].children.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_startendtag(self, tag, attributes):
        self.open[-1].children.append(Node(tag, {name: value or "" for name, value in attributes}))

    def handle_endtag(self, tag):
        assert self.open.pop().tag == tag

    def handle_data(self, data):
        self.open[-1].children.append(data)


@pytest.fixture(params=["pictures", "documents", "two", "crowded", "analysed_pictures", "analysed_texts"])
def read(request, tmp_path):
    """Every kind of page, as a tree."""
    if request.param.startswith("analysed"):
        return Reader(write_analysis(request.getfixturevalue(request.param), tmp_path).read_text()).root
    names = ("pictures", "documents") if request.param == "two" else (request.param,)
    return Reader(page([request.getfixturevalue(name) for name in names])).root


def test_headings_descend_by_one_level(read):
    headings = read.all("h1", "h2", "h3", "h4", "h5", "h6")
    levels = [int(heading.tag[1]) for heading in headings]
    assert all(heading.name for heading in headings)
    assert levels[0] == 1
    assert levels.count(1) == 1
    for above, below in pairwise(levels):
        assert below <= above + 1


def test_the_page_has_a_language_a_title_and_one_main_part(read):
    (html,) = read.all("html")
    assert html.attributes["lang"] == "en"
    assert read.all("title")[0].name
    (main,) = read.all("main")
    (body,) = read.all("body")
    assert [child for child in body.children if isinstance(child, Node)] == [main]


def test_landmarks_have_names_of_their_own(read):
    ids = {node.attributes["id"]: node for node in _every(read) if "id" in node.attributes}

    def landmark(node: Node) -> str | None:
        role = node.attributes.get("role") or {"nav": "navigation", "section": "region"}.get(node.tag)
        labels = [ids[name].name for name in node.attributes.get("aria-labelledby", "").split()]
        named = node.attributes.get("aria-label") or " ".join(labels)
        return f"{role}: {named}" if named and role in ("navigation", "region") else None

    found = Counter(filter(None, map(landmark, read.all("nav", "section", "div"))))
    assert found
    assert max(found.values()) == 1, found.most_common(3)


def test_pictures_and_figures_have_words(read):
    for image in read.all("img"):
        assert image.attributes["alt"].strip()
    ids = {node.attributes["id"]: node for node in read.all("title", "desc") if "id" in node.attributes}
    drawings = [node for node in read.all("svg") if not node.attributes.get("aria-hidden")]
    for drawing in drawings:
        assert drawing.attributes["role"] in ("img", "group")
        assert all(ids[name].name for name in drawing.attributes["aria-labelledby"].split())
        links = drawing.all("a")
        assert not links or drawing.attributes["role"] == "group"  # an img has no parts for a screen reader


def test_what_a_keyboard_reaches_has_a_name(read):
    for node in read.all("a", "summary", "div"):
        if node.tag != "div" or "tabindex" in node.attributes:
            assert node.name
            assert node.attributes.get("tabindex", "0") in ("0", "-1")
    (main,) = read.all("main")
    in_maps = [link for drawing in main.all("svg") for link in drawing.all("a")]
    assert all(link.attributes["tabindex"] == "-1" for link in in_maps)  # the list below has the same items


def test_tables_name_their_columns_and_rows(read):
    for table in read.all("table"):
        heads = table.all("thead")[0].all("th", "td")
        assert all(head.tag == "th" and head.attributes["scope"] == "col" and head.name for head in heads)
        rows = table.all("tbody")[0].all("tr")
        assert rows
        for row in rows:
            cells = row.all("th", "td")
            assert cells[0].tag == "th"
            assert cells[0].attributes["scope"] == "row"
            assert len(cells) == len(heads)
            assert all(cell.name for cell in cells)


def test_lists_hold_items_only_and_none_is_empty(read):
    for one in read.all("ul", "ol"):
        items = [child for child in one.children if isinstance(child, Node)]
        assert items
        assert all(item.tag == "li" and item.name for item in items)
    for one in read.all("p", "figcaption", "dt", "dd", "small"):
        assert one.children, one.tag


def test_every_id_is_used_once(read):
    used = Counter(
        node.attributes["id"] for node in read.all(*{n.tag for n in _every(read)}) if "id" in node.attributes
    )
    assert max(used.values()) == 1, used.most_common(3)


def _every(node: Node) -> list[Node]:
    inner = [child for child in node.children if isinstance(child, Node)]
    return inner + [found for one in inner for found in _every(one)]


def colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z]+): ([^;]+);", block))


_LIGHT, _DARK = (STYLE / "base.css").read_text().split("@media (prefers-color-scheme: dark)")
LIGHT, DARK = colours(_LIGHT), colours(_DARK)
PRINT = LIGHT | colours((STYLE / "print.css").read_text())


def rgb(colour: str) -> tuple[float, ...]:
    digits = colour.lstrip("#")
    digits = digits if len(digits) == 6 else "".join(2 * digit for digit in digits)
    return tuple(int(digits[at : at + 2], 16) for at in (0, 2, 4))


def luminance(colour: tuple[float, ...]) -> float:
    parts = [part / 255 for part in colour]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK, PRINT], ids=["light", "dark", "print"])
def test_text_is_darker_or_lighter_than_its_ground(theme):
    for ground in ("paper", "card"):
        for text in ("ink", "soft", "good", "bad"):
            assert contrast(rgb(theme[text]), rgb(theme[ground])) >= 4.5, f"{text} on {ground}"
    shade = tuple(map(float, theme["shade"].split(",")))
    darkest = tuple(0.45 * one + 0.55 * paper for one, paper in zip(shade, rgb(theme["paper"]), strict=True))
    assert contrast(rgb(theme["ink"]), darkest) >= 4.5  # a number in the table of shared neighbours
