"""By keyboard alone: Tab reaches every control of every view in its order, each shows that it has the focus, and acts."""

from __future__ import annotations

import pytest
from selenium.webdriver import Keys

VIEWS = {
    "search": "?collection=texts&q=heat+wing&k=5",
    "search-rows": "?collection=rows&id=5&k=5",
    "map": "?collection=pictures&view=map&a=pixels&b=pixels%2Bpca%3A4&colour=cluster&group=0.1",
    "map-score": "?collection=texts&view=map&colour=score",
    "compare": "?collection=texts&view=compare&run=1&space=bm25&space=tfidf",
    "space": "?collection=decoders&view=space&space=pixels%2Bvae%3A3%2Cepochs%3D2&from=3&to=4",
}
#: Numbers all controls that a person sees, and returns how many there are; the skip link is seen when it has the focus.
NUMBER = """
const wanted = 'a[href], button:not([disabled]), input:not([disabled]), select, summary, audio[controls], [tabindex="0"]';
const seen = [...document.querySelectorAll(wanted)].filter((one) => one.checkVisibility() && one.tabIndex >= 0);
seen.forEach((one, at) => { one.dataset.stop = at; });
return seen.length;
"""
#: The control that has the focus, and whether a line around it is seen.
FOCUS = """
const one = document.activeElement;
const style = getComputedStyle(one);
return [one.dataset.stop === undefined ? -1 : Number(one.dataset.stop), style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0, one.outerHTML.slice(0, 90)];
"""


def press(page, *keys: str) -> None:
    page.browser.switch_to.active_element.send_keys(*keys)


def tab_to(page, selector: str) -> None:
    for _ in range(120):
        press(page, Keys.TAB)
        if page.script("return document.activeElement.matches(arguments[0])", selector):
            return
    raise AssertionError(f"no way to {selector} by Tab")


@pytest.mark.parametrize("view", VIEWS)
def test_tab_reaches_every_control_in_its_order(page, view):
    page.show(VIEWS[view])
    if view == "space":
        page.until(lambda: page.every(".strip-of img"), 120)
    count = page.script(NUMBER)
    assert count > 10
    reached, last = [], -1
    for _ in range(count + 40):  # a player has some stops of its own
        press(page, Keys.TAB)
        at, outlined, what = page.script(FOCUS)
        if at < last:
            break
        if at > last:
            reached.append(at)
            assert outlined, what
        last = at
    names = page.script("return [...document.querySelectorAll('[data-stop]')].map((one) => one.outerHTML.slice(0, 90))")
    assert [names[at] for at in range(count) if at not in reached] == []


def test_a_map_is_coloured_and_a_cluster_selected_by_keys(page):
    page.show("?collection=pictures&view=map&a=pixels&b=pixels%2Bpca%3A4")
    tab_to(page, ".colours select")
    press(page, "c")
    page.until(lambda: "colour=cluster" in page.address and page.every(".own-legend button"))
    page.settled()
    tab_to(page, ".own-legend button")
    press(page, Keys.SPACE)
    page.until(lambda: "group=0.0" in page.address and page.one(".selection").is_displayed())
    tab_to(page, "canvas.map")
    press(page, Keys.ARROW_RIGHT)
    page.until(lambda: "cluster" in page.one(".told").text)


def test_a_comparison_is_run_by_keys(page):
    page.show("?collection=texts&view=compare")
    tab_to(page, "input[type=checkbox]")
    press(page, Keys.SPACE)
    tab_to(page, "form .main")
    press(page, Keys.ENTER)
    page.until(lambda: page.every("canvas.scatter"), 180)
    assert "bm25" not in page.texts(".spaces tbody th")
    tab_to(page, ".queries")
    press(page, Keys.ARROW_DOWN)
    page.until(lambda: page.every(".answers") and page.one(".answers").is_displayed())


def test_a_component_is_moved_by_keys(page):
    page.show("?collection=pictures&view=space&space=pixels%2Bpca%3A4")
    page.until(lambda: page.every(".side-by-side img"), 120)
    tab_to(page, "#slider")
    press(page, Keys.HOME)
    page.until(lambda: "first=0" in page.address)
    assert page.script("return document.activeElement.getAttribute('aria-valuetext')") == "first 0 of 4 components"


def test_the_focus_returns_to_the_answer_when_why_is_closed(page):
    page.show("?collection=texts&q=heat+wing")
    tab_to(page, ".links a")
    press(page, Keys.ENTER)
    page.until(lambda: page.every("dialog[open] tbody tr"))
    assert page.script("return document.activeElement.closest('dialog') !== null")
    press(page, Keys.ESCAPE)
    page.until(lambda: not page.every("dialog[open]"))
    assert page.script("return document.activeElement.textContent") == "why here?"
