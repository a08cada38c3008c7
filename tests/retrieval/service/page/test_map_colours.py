"""Colours of the maps in a real browser: legends, values under the pointer, classes that select, ramps that can be seen."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest
from selenium.webdriver import Keys

MAP = "?collection=pictures&view=map&a=pixels&b=pixels%2Bpca%3A4"
PICTURES = "/v1/collections/pictures"


def values(page, space: str, parameters: str) -> list[float]:
    return page.client.get(f"{PICTURES}/map?space={space.replace('+', '%2B')}&{parameters}").json["colour"]["values"]


def test_the_colour_is_chosen_and_kept_in_the_address(page):
    page.show(MAP)
    assert len(page.every(".shared-legend [data-label]")) == 10
    page.choose(".colours select", "hubness")
    page.until(lambda: len(page.every(".ramp")) == 2)
    assert "colour=hubness" in page.address
    assert page.every(".shared-legend button") == []
    page.settled()
    page.browser.refresh()
    page.settled()
    assert page.one(".colours select").get_attribute("value") == "hubness"
    assert "lists of the 10 nearest that an item is in (of 1,797 lists)" in page.texts(".own-legend .note")
    page.browser.back()
    page.until(lambda: len(page.every(".shared-legend [data-label]")) == 10)


def test_a_cluster_selects_its_items_and_the_table_has_the_values(page):
    page.show(f"{MAP}&colour=cluster")
    found = Counter(values(page, "pixels", "colour=cluster"))
    shown = [int(one.replace(",", "")) for one in page.texts(".linked-maps figure:first-child .legend small")]
    assert shown == [found[at] for at in range(10)]
    page.one(".linked-maps figure:first-child [data-group='3']").click()
    page.until(lambda: page.one(".selection").is_displayed())
    assert page.one(".selection h3").text == f"{found[3]} items selected"
    assert "group=0.3" in page.address
    page.browser.refresh()
    page.settled()
    assert page.one(".selection h3").text == f"{found[3]} items selected"
    page.one(".selection .plain").click()
    page.until(lambda: "group" not in page.address)


def test_antihubs_are_counted_and_selected(page):
    page.show(f"{MAP}&colour=hubness")
    count = sum(value == 0 for value in values(page, "pixels+pca:4", "colour=hubness"))
    page.one(".linked-maps figure:last-child [data-group='0']").click()
    page.until(lambda: page.one(".selection").is_displayed())
    assert page.one(".selection h3").text.split()[0] == str(count)


def test_scores_of_a_query_are_asked_for_and_read_under_the_pointer(page):
    page.show(MAP)
    page.choose(".colours select", "score")
    page.until(lambda: page.one("#colour-item").is_displayed())
    assert "Give a query" in page.one(".standing").text
    page.one("#colour-item").send_keys("17", Keys.ENTER)
    page.until(lambda: len(page.every(".ramp")) == 2)
    assert "colour=score&id=17" in page.address
    page.settled()
    page.one("canvas.map").send_keys(Keys.ARROW_RIGHT)
    said = page.until(lambda: page.one(".told").text)
    id, *_ = said.split(" · ")
    ids = page.client.get(f"{PICTURES}/map?space=pixels").json["ids"]
    at = ids.index(id)
    expected = [values(page, space, "colour=score&id=17")[at] for space in ("pixels", "pixels+pca:4")]
    read = [float(number) for number in re.search(r"score ([\d.]+) and ([\d.]+)", said).groups()]
    np.testing.assert_allclose(read, expected, atol=0.01)


def test_a_query_that_a_space_does_not_know_is_said(page):
    page.show("?collection=hostile&view=map&a=tfidf&b=tfidf&colour=score&q=zzzz")
    assert "no word of the query is known" in page.one(".standing .problem").text
    page.console_may_complain()


def test_clusters_of_the_second_map_have_the_numbers_of_those_that_they_share_most_with(page):
    page.show(MAP)
    first = [0, 0, 0, 1, 1, 2, None]
    second = [2, 2, 2, 0, 0, 1, 1]
    code = "Array.from(m.matched(Float64Array.from(a[1], (v) => v ?? NaN), Float64Array.from(a[0], (v) => v ?? NaN)))"
    assert page.module("map/colouring.js", code, first, second) == [0, 0, 0, 1, 1, 2, 2]
    more = page.module("map/colouring.js", code, [0, 0, 0, 0], [0, 1, 2, 2])
    assert sorted(set(more)) == [0, 1, 2]
    assert more[2:] == [0, 0]


def test_the_strongest_are_drawn_last_and_a_hub_does_not_hide_differences(page):
    page.show(MAP)
    code = (
        "(() => { const found = m.byNumber(Float64Array.from(a[0], (v) => v ?? NaN), a[1]);"
        "return [Array.from(found.order), Array.from(found.labels), found.ramp, found.groups.map((g) => g.count)]; })()"
    )
    given = [*range(1, 301), 9999, None, 0]
    order, labels, ramp, groups = page.module("map/colouring.js", code, given, {"by": "hubness"})
    assert sorted(order) == list(range(303))
    assert np.all(np.diff([labels[item] for item in order]) >= 0)
    assert (labels[301], groups) == (-1, [1])
    assert len(set(labels)) > 20
    assert ramp["isCut"] == [True, True]
    near = page.module("map/colouring.js", code, [0.5, 1.0, 2.0], {"by": "score", "small_is_near": True})
    assert near[1] == sorted(near[1], reverse=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_colour_of_the_ramp_stands_out_and_larger_is_stronger(page, scheme):
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    try:
        page.show(f"{MAP}&colour=hubness")
        stops = page.module("map/ramp.js", "m.rampOf(document.body)")
        paper = page.script("return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    finally:
        page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    contrasts = [contrast(stop, paper) for stop in stops]
    assert min(contrasts) >= 3  # WCAG 2.2, 1.4.11: what is needed to read a graphic
    assert np.all(np.diff(contrasts) > 0)


def contrast(first, second) -> float:
    def light(colour) -> float:
        parts = np.asarray(colour) / 255
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    low, high = sorted((light(first), light(second)))
    return (high + 0.05) / (low + 0.05)


def test_a_hundred_thousand_values_are_coloured_at_once(page):
    page.show(MAP)
    spent = page.module(
        "map/colouring.js",
        """(() => {
        const values = Float64Array.from({ length: 100000 }, () => Math.random() ** 4 * 90);
        const begun = performance.now();
        m.byNumber(values, { by: "hubness" });
        const number = performance.now() - begun;
        const clusters = values.map((value) => Math.floor(value / 10));
        m.byCluster(m.matched(clusters, clusters.slice().reverse()), { by: "cluster" });
        return [number, performance.now() - begun - number];
    })()""",
    )
    assert max(spent) < 500, spent
    print(f"100,000 values: ramp {spent[0]:.0f} ms, clusters {spent[1]:.0f} ms")
