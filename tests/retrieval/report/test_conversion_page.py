"""The page of `convert --report`: all pairs, players, files, hostile names; and every player of every page plays."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import unescape
from itertools import pairwise

import numpy as np
import pytest
import soundfile
from chromium import sized

from encoders.sound import Sound, sound_of
from retrieval.applications.conversion import Conversion, Conversions
from retrieval.applications.conversion_pairs import ConversionPairs
from retrieval.applications.reconstruction_table import ReconstructionRow, ReconstructionTable
from retrieval.experiment.result import Example
from retrieval.report.conversion_words import answer
from retrieval.report.html.comparison import write_page
from retrieval.report.html.conversion import write_conversions
from retrieval.report.terminal.conversions import conversions_json, conversions_lines
from retrieval.search.result import Answer, Shown

EVIL = '../"><script>alert(1)</script>'
LONG = "log-mel+disentangle:32,nuisance=speaker,channels=16-32-64,batch-size=64,normalize=maps"
VALUES = ["ann", EVIL, *(f"speaker {number}" for number in range(6))]


def noise(seed: int) -> Sound:
    return sound_of(np.random.default_rng(seed).normal(0, 0.1, 3200), 8000)


def found(count: int = 3, sounds: bool = True) -> Conversions:
    """Conversions of sounds, or of pictures, with names that mean harm."""
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 255, (12, 16), dtype=np.uint8) for _ in range(count)]
    shown = [
        Shown(f"{number}{EVIL}", "7", **({"sound": noise(number)} if sounds else {"picture": pictures[number]}))
        for number in range(count)
    ]
    hear = (lambda: [noise(number) for number in range(count)]) if sounds else None
    results = {"probability of the wanted speaker": [0.5] * count}
    table = ReconstructionTable(
        [f"{one.id} as {EVIL}" for one in shown],
        [ReconstructionRow(name, pictures, results, hear=hear) for name in ("the item", "converted")],
        per_item=True,
    )
    items = [Conversion(one, "ann", EVIL, shown[0], "ann", "7") for one in shown]
    matrix = np.linspace(0, 1, 64).reshape(8, 8)
    pairs = ConversionPairs("speaker", VALUES, [30] * 8, matrix, matrix.T, 2)
    return Conversions(LONG, EVIL, table, items, "speaker", pairs)


@pytest.mark.parametrize("sounds", [True, False])
def test_the_page_holds_the_pairs_and_every_conversion(tmp_path, sounds):
    conversions = found(sounds=sounds)
    html = write_conversions(conversions, {"command": EVIL}, tmp_path).read_text()
    assert answer(conversions) in unescape(html)
    assert html.count("<article") == 3
    assert html.count("<audio") == (9 if sounds else 0)
    assert html.count('src="data:image/png') == 9
    assert html.count("<table>") == 2
    assert html.count('<td class="real"') == 2 * 8
    assert "classifiers hear speaker ann instead of" in html
    files = sorted(path.name for path in (tmp_path / "converted").iterdir())
    assert len(files) == 3
    assert all(re.fullmatch(r"0[123]-[012]_\w+-as-_\w+\.(wav|png)", name) for name in files)
    written = json.loads((tmp_path / "conversion.json").read_text())
    assert [one["file"] for one in written["conversions"]] == [f"converted/{name}" for name in files]
    if sounds:
        samples, rate = soundfile.read(tmp_path / "converted" / files[1], dtype="int16")
        assert rate == 8000
        np.testing.assert_array_equal(samples, noise(1).samples)


def test_it_is_escaped_and_loads_nothing(tmp_path):
    html = write_conversions(found(), {"command": EVIL}, tmp_path).read_text()
    assert "<script" not in html
    assert not re.search(r"(src|href)=\"(?!#|data:)", html)
    levels = [int(level) for level in re.findall(r"<h([1-6])", html)]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert {path.parent for path in tmp_path.rglob("*") if path.is_file()} == {tmp_path, tmp_path / "converted"}


def test_terminal_json_and_page_show_the_same_pairs(tmp_path):
    conversions = found()
    lines, described = conversions_lines(conversions), conversions_json(conversions)
    html = write_conversions(conversions, {}, tmp_path).read_text()
    matrix = conversions.pairs.nuisance_heard
    shares = [one["the wanted speaker"] for one in described["pairs"]["pairs"]]
    assert shares == matrix.ravel().tolist()
    first = next(line for line in lines if line.startswith("1 ann "))
    cells = [f"{share:.2f}" for share in matrix[0]]
    assert re.findall(r"\d\.\d\d", first) == cells
    assert re.findall(r"\d\.\d\d(?=</td>)", html)[:8] == cells
    assert f"{answer(conversions)}." in lines
    assert not any(line.endswith("…") for line in lines)  # no number is cut off


def test_columns_have_names_where_they_fit():
    pairs = ConversionPairs("speaker", ["ann", "bob"], [3, 3], np.eye(2), None)
    lines = conversions_lines(replace(found(1), pairs=pairs))
    at = lines.index("from \\ to   ann   bob")
    assert lines[at + 1 : at + 3] == ["ann        1.00  0.00", "bob        0.00  1.00"]


def test_without_pairs_the_page_says_how_many_items_were_converted(tmp_path):
    conversions = replace(found(1), pairs=None)
    html = write_conversions(conversions, {}, tmp_path).read_text()
    assert "1 item converted; no classifier can hear the speaker" in html
    assert "<table" not in html


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_is_not_wider_than_its_window(tmp_path, browser, width):
    sized(browser, width, 900)
    browser.get(write_conversions(found(), {"command": "nearby " + LONG}, tmp_path).as_uri())
    assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")


#: Loads every player of a page; answers how many seconds each plays, or why it does not.
PLAYED = """
const done = arguments[0];
Promise.all([...document.querySelectorAll("audio")].map(player => new Promise(answer => {
  player.oncanplay = () => answer(player.duration);
  player.onerror = () => answer(player.error.message);
  player.preload = "auto";
  player.load();
}))).then(done);
"""


@pytest.mark.parametrize("kind", ["comparison", "conversion"])
def test_every_player_plays(tmp_path, browser, compare, kind):
    if kind == "conversion":
        path = write_conversions(found(), {}, tmp_path)
    else:
        hits = [[Answer(Shown("a", "7", sound=noise(1)), -1, 1, True)] for _ in range(3)]
        path = write_page(compare(examples=[Example(Shown("q", "7", sound=noise(0)), hits)]), tmp_path / "report.html")
    browser.get(path.as_uri())
    played = browser.execute_async_script(PLAYED)
    assert played == pytest.approx([0.4] * len(played))
    assert len(played) >= 4
