"""Maps in a real browser: linked, enclosed, exported; a hundred thousand dots at thirty frames a second."""

from __future__ import annotations

import csv
import io
import shlex
import subprocess

import numpy as np
import pytest
from chromium import CONTRAST
from page_in_browser import HOSTILE, PLAIN
from selenium.webdriver import ActionChains, Keys

MAP = "?collection=pictures&view=map&a=pixels&b=pixels%2Bpca%3A4"
#: Milliseconds of one frame of 100,000 dots at 30 frames a second; on a machine that does other things, thrice that.
FRAME = 1000 / 30


def drag(page, canvas, places) -> None:
    page.script("arguments[0].scrollIntoView({block: 'center'})", canvas)
    chain = ActionChains(page.browser, duration=10).move_to_element_with_offset(canvas, *places[0]).click_and_hold()
    for place in places[1:]:
        chain.move_to_element_with_offset(canvas, *place)
    chain.release().perform()


SQUARE = [(-150, -150), (0, -152), (150, -150), (152, 0), (150, 150), (0, 152), (-150, 150), (-152, 0), (-150, -140)]


def test_a_line_around_items_selects_them_and_a_reload_keeps_them(page):
    page.show(MAP)
    canvas = page.one("canvas.map")
    drag(page, canvas, SQUARE)
    page.until(lambda: "lasso=0." in page.address)
    count = page.one(".selection h3").text
    edge = page.script("return arguments[0].clientWidth", canvas)
    found = page.client.get("/v1/collections/pictures/map?space=pixels").json
    x, y = (np.asarray(found[name]) for name in "xy")
    low, high = np.percentile([x, y], (0.5, 99.5), axis=1)
    middle, reach = (low + high) / 2, (high - low).max() * 1.08
    inside = (np.abs(x - middle[0]) < 150 / edge * reach) & (np.abs(y - middle[1]) < 150 / edge * reach)
    assert abs(int(count.split()[0].replace(",", "")) - inside.sum()) < 0.05 * inside.sum()
    assert len(page.every(".selection li")) == 24
    page.browser.refresh()
    page.settled()
    assert page.one(".selection h3").text == count
    page.one(".selection .plain").click()
    page.until(lambda: "lasso" not in page.address)
    assert not page.one(".selection").is_displayed()
    page.browser.back()
    page.until(lambda: page.one(".selection").is_displayed())


def test_a_label_is_chosen_and_counted(page):
    page.show(MAP)
    page.one("[data-label='3']").click()
    page.until(lambda: page.one(".selection").is_displayed())
    assert page.one(".selection h3").text == "183 items selected"
    assert "label=3" in page.address


def test_the_map_works_by_keyboard(page):
    page.show(MAP)
    page.one("canvas.map").send_keys(Keys.ARROW_RIGHT)
    first = page.until(lambda: page.one(".told").text)
    page.one("canvas.map").send_keys(Keys.ARROW_UP)
    assert page.until(lambda: page.one(".told").text) != first
    page.one("canvas.map").send_keys(Keys.ENTER)
    page.until(lambda: "pick=" in page.address)
    assert page.one(".selection h3").text == "1 item selected"
    page.one("canvas.map").send_keys("+")
    page.until(lambda: "va=" in page.address)
    page.one("canvas.map").send_keys("0")
    page.until(lambda: "va=" not in page.address)
    page.one("canvas.map").send_keys(Keys.ESCAPE)
    page.until(lambda: "pick=" not in page.address)


def test_pointing_at_an_item_shows_it_and_the_wheel_zooms(page):
    page.show(MAP)
    canvas = page.one("canvas.map")
    canvas.send_keys(Keys.ARROW_RIGHT)  # the item in the middle
    ActionChains(page.browser).move_to_element_with_offset(canvas, 0, 0).perform()
    page.until(lambda: page.one(".preview").is_displayed() or page.one(".told").text)
    assert page.one(".preview img").get_attribute("alt")
    page.script(
        "const box = arguments[0].getBoundingClientRect(); arguments[0].dispatchEvent(new WheelEvent('wheel', "
        "{deltaY: -240, clientX: box.left + 100, clientY: box.top + 100, bubbles: true, cancelable: true}))",
        canvas,
    )
    page.until(lambda: "va=" in page.address)
    zoomed = page.address
    page.browser.refresh()
    page.settled()
    assert page.address == zoomed


def test_the_second_map_is_turned_to_the_first(page):
    page.show(MAP)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 60))
    for sign in (1, -1):
        cos, sin = np.cos(0.7), np.sin(0.7)
        u, v = cos * x - sin * y, sign * (sin * x + cos * y)
        maps = [
            {"ids": [str(at) for at in range(60)], "labels": [None] * 60, "x": list(a), "y": list(b)}
            for a, b in ((x, y), (u, v))
        ]
        first, second = page.module(
            "map/points.js", "m.joined(a[0], a[1]).maps.map((one) => [Array.from(one.x), Array.from(one.y)])", *maps
        )  # fmt: skip
        ours, theirs = (np.asarray(one) - np.mean(one, axis=1, keepdims=True) for one in (first, second))
        np.testing.assert_allclose(theirs / np.abs(theirs).max(), ours / np.abs(ours).max(), atol=0.02)


@pytest.mark.parametrize("zoom", [0.5, 1, 4])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_dots_stand_out_from_the_paper(page, scheme, zoom):
    """WCAG 1.4.11: what has to be seen has a contrast of 3; in all colours of labels and of values."""
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    page.show(MAP)
    looks = page.module(
        "map/plot.js",
        f"""(async () => {{
        const {{ lookOf }} = await import('/page/map/colouring.js');
        const looks = [...Array.from({{ length: 20 }}, (_, at) => lookOf(at)),
          ...[0, 0.25, 0.5, 0.75, 1].map((share) => ({{ share, shape: 'circle' }})), {{ colour: null, shape: 'triangle' }}];
        const map = {{ x: Float32Array.from(looks, (_, at) => (at + 0.5) / looks.length), y: new Float32Array(looks.length).fill(0.5) }};
        const plot = m.mapPlot('x', {{ hover() {{}}, choose() {{}}, enclose() {{}}, moved() {{}} }});
        plot.canvas.id = 'dots';
        document.querySelector('main').append(plot.canvas);
        plot.canvas.style.width = '800px';
        await new Promise((done) => setTimeout(done, 300));
        plot.set(map, {{ labels: Int32Array.from(looks, (_, at) => at), on: null, marks: looks }});
        plot.show({{ x: 0.5 - 0.5 / {zoom}, y: 0.5 - 0.5 / {zoom}, zoom: {zoom} }});
        plot.draw();
        const edge = plot.canvas.clientWidth;
        return Array.from(map.x, (_, at) => plot.toCanvas([map.x[at], map.y[at]])).map(([x, y], at) => [x, y, at])
          .filter(([x]) => x > 5 && x < edge - 5);
    }})()""",
    )
    assert len(looks) >= 6
    seen = page.script(CONTRAST.replace("arguments", "arguments[0]"), ["#dots", [one[:2] for one in looks]])
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    faint = {look[2]: round(value, 2) for look, value in zip(looks, seen, strict=True) if value < 3}
    assert faint == {}


def test_a_hundred_thousand_dots_are_drawn_at_thirty_frames_a_second(page):
    page.show(MAP)
    spent = page.module(
        "map/plot.js",
        """(async () => {
        const n = 100000, map = { x: new Float32Array(n), y: new Float32Array(n) }, labels = new Int32Array(n);
        for (let at = 0; at < n; at += 1) [map.x[at], map.y[at], labels[at]] = [Math.random(), Math.random(), at % 10];
        const plot = m.mapPlot('x', { hover() {}, choose() {}, enclose() {}, moved() {} });
        document.querySelector('main').append(plot.canvas);
        plot.canvas.style.width = '600px';
        await new Promise((done) => setTimeout(done, 300));
        const marks = Array.from({ length: 10 }, () => ({ colour: '#0072B2', shape: 'circle' }));
        plot.set(map, { labels, on: null, marks });
        const times = [];
        for (let frame = 0; frame < 25; frame += 1) {
          plot.show({ x: frame / 1000, y: 0, zoom: 1 + frame / 100 });
          const begun = performance.now();
          plot.draw();
          times.push(performance.now() - begun);
        }
        const dots = await import('/page/map/dots.js');
        const begun = performance.now();
        for (let at = 0; at < 10; at += 1) dots.nearestDot(map, at / 10, 0.5, 0.1, null);
        const pointed = (performance.now() - begun) / 10;
        plot.canvas.remove();
        return [times.sort((a, b) => a - b)[12], pointed];
    })()""",
    )
    drawn, pointed = spent
    assert 0 < drawn < 3 * FRAME, drawn
    assert pointed < FRAME, pointed
    print(f"100,000 dots: drawn in {drawn:.1f} ms, the one under the pointer found in {pointed:.2f} ms")


def test_the_table_of_a_selection_runs_no_formula(page):
    page.show("?collection=hostile&view=map&a=bm25&b=tfidf")
    rows = [[id, label, 0.5, -0.25] for id, _, label in HOSTILE]
    text = page.module("map/export.js", "m.csv(a[0])", rows)
    read = list(csv.reader(io.StringIO(text, newline="")))
    for (id, label, *_), (first, second, *numbers) in zip(rows, read, strict=True):
        for given, cell in ((id, first), (label, second)):
            assert cell == (f"'{given}" if given[0] in "=+-@" else given)
        assert numbers == ["0.5", "-0.25"]


def test_ids_of_a_selection_are_those_that_delete_gets(page):
    page.show("?collection=hostile&view=map&a=bm25&b=tfidf")
    ids = [id for id, _, _ in HOSTILE]
    text = page.module("map/export.js", "m.idLines(a[0])", [*ids, "two\nlines"])
    assert shlex.split(text) == ids
    command = ["xargs", "printf", "%s\\n", "--"]
    seen = subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout.splitlines()
    assert seen == ["--", *ids]


def test_files_of_a_selection_are_saved(page, tmp_path):
    page.browser.execute_cdp_cmd("Page.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    page.show(f"{MAP}&label=3")
    for button in page.every(".selection .buttons button")[:2]:
        button.click()
    table, ids = tmp_path / "pictures-selection.csv", tmp_path / "pictures-ids.txt"
    page.until(lambda: table.exists() and ids.exists() and not list(tmp_path.glob("*.crdownload")))
    rows = list(csv.DictReader(io.StringIO(table.read_bytes().decode(), newline="")))
    assert len(rows) == 183
    assert {row["label"] for row in rows} == {"3"}
    assert shlex.split(ids.read_text()) == [row["id"] for row in rows]


def test_the_table_of_a_selection_has_titles(page, tmp_path):
    page.browser.execute_cdp_cmd("Page.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    page.show(
        "?collection=hostile&view=map&a=tfidf&b=tfidf%2Blsa%3A2&colour=cluster&lasso=0.0.0.1000.0.1000.1000.0.1000"
    )
    page.one(".selection .buttons button").click()
    table = tmp_path / "hostile-selection.csv"
    page.until(lambda: table.exists() and not list(tmp_path.glob("*.crdownload")))
    rows = list(csv.DictReader(io.StringIO(table.read_bytes().decode(), newline="")))
    assert list(rows[0]) == [
        "id", "title", "label", "x_first", "y_first", "x_second", "y_second", "cluster_first", "cluster_second",
    ]  # fmt: skip
    assert len(rows) > 50
    assert all(row["cluster_first"].startswith("cluster ") for row in rows)
    titles = {row["id"].removeprefix("'"): row["title"].removeprefix("'") for row in rows}
    for id, text, _ in PLAIN:
        if id in titles:
            assert text.startswith(titles[id].removesuffix("…"))


def test_one_space_has_one_map(page, tmp_path):
    """Of a collection with one space, and of a space beside itself."""
    page.browser.execute_cdp_cmd("Page.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    several = "collection=hostile&a=tfidf&b=tfidf"
    for state, controls in (("collection=one-space", [True, False, False]), (several, [True] * 3)):
        page.show(f"?{state}&view=map&colour=hubness&lasso=1.0.0.1000.0.1000.1000.0.1000")
        assert [one.is_displayed() for one in page.every(".controls select, .controls .swap")] == controls
        assert [one.is_displayed() for one in page.every("canvas.map")] == [True, False]
        assert "principal components of the space." in page.one(".view-map .map-body").text
        assert [len(text) > 0 for text in page.texts(".legend")] == [True, False]
        assert page.one(".selection").is_displayed()
    page.one(".selection .buttons button").click()
    table = tmp_path / "hostile-selection.csv"
    page.until(lambda: table.exists() and not list(tmp_path.glob("*.crdownload")))
    rows = csv.DictReader(io.StringIO(table.read_bytes().decode(), newline=""))
    assert rows.fieldnames == ["id", "title", "label", "x", "y", "hubness"]
    page.choose(".controls .choice:last-child select", "bm25")
    page.until(lambda: [one.is_displayed() for one in page.every("canvas.map")] == [True, True])


def test_items_without_labels_are_coloured_by_cluster(page):
    page.show("?collection=unlabelled&view=map")
    assert page.one(".colours select").get_attribute("value") == "cluster"
    assert page.script("return [...document.querySelector('.colours select').options].map(e => e.value)") == [
        "cluster", "hubness", "score",
    ]  # fmt: skip
    assert page.every(".own-legend button")
    page.show("?collection=hostile&view=map")
    assert page.one(".colours select").get_attribute("value") == ""


def test_titles_of_many_items_are_asked_for_some_at_a_time(page):
    page.show(MAP)
    code = (
        "m.titlesOf({ name: 'pictures' }, a[0], () => {}).then((found) =>"
        " [found.size, performance.getEntriesByType('resource').filter((e) => e.name.includes('/items?')).map((e) => e.name.length)])"
    )
    count, lengths = page.module("titles.js", code, [str(at) for at in range(1797)])
    assert count == 1797
    assert 2 < len(lengths) < 10
    assert max(lengths) < 10_000
