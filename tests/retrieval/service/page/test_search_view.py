"""Search in a real browser: words, items, files; lists side by side; the address; a service that fails."""

from __future__ import annotations

import io

import numpy as np
import pytest
from chromium import complaints
from page_in_browser import HOSTILE
from PIL import Image
from selenium.webdriver import Keys

TEXTS, PICTURES, HOSTILE_PATH = "/v1/collections/texts", "/v1/collections/pictures", "/v1/collections/hostile"


def lists(page) -> list[list[str]]:
    return page.script(
        "return [...document.querySelectorAll('.list')].map(l => [...l.querySelectorAll('li')].map(e => e.dataset.id))"
    )


def wanted(page, path: str, body: dict) -> list[list[str]]:
    (result,) = page.client.post(f"{path}/search", body).json["results"]
    return [[hit["id"] for hit in space["hits"]] for space in result["spaces"]]


def focus(page) -> str:
    return page.script("return document.activeElement.id || document.activeElement.textContent")


def tab_to(page, name: str) -> None:
    for _ in range(60):
        page.browser.switch_to.active_element.send_keys(Keys.TAB)
        if focus(page) == name:
            return
    raise AssertionError(f"no way to {name} by Tab")


def test_words_are_searched_by_keyboard_alone_and_back_returns(page):
    page.show("?collection=texts")
    tab_to(page, "query")
    page.browser.switch_to.active_element.send_keys("heat transfer", Keys.ENTER)
    page.until(lambda: page.every(".list li"))
    expected = wanted(page, TEXTS, {"query": {"text": "heat transfer"}})
    assert lists(page) == expected
    least, most = min(map(len, expected)), max(map(len, expected))
    assert least < most
    assert f"“heat transfer”: {least} to {most} answers in each of 3 spaces." in page.one("main").text
    assert "q=heat+transfer" in page.address
    page.browser.refresh()
    page.settled()
    assert lists(page) == expected
    assert page.one("#query").get_attribute("value") == "heat transfer"
    assert page.script("return getComputedStyle(document.querySelector('#query')).display") != "none"
    tab_to(page, "more like this")
    page.browser.switch_to.active_element.send_keys(Keys.ENTER)
    page.until(lambda: "id=" in page.address and page.texts(".present strong"))
    first = expected[0][0]
    page.until(lambda: lists(page) == wanted(page, TEXTS, {"query": {"id": first}}))
    page.browser.back()
    page.until(lambda: lists(page) == expected)
    page.browser.forward()
    page.until(lambda: lists(page) != expected)


def test_marks_and_lines_say_how_a_list_differs_from_the_one_beside_it(page):
    page.show("?collection=pictures&id=100&k=10")
    expected = wanted(page, PICTURES, {"query": {"id": "100"}})
    assert lists(page) == expected
    marks = page.script(
        "const mark = (e) => (e.querySelector('.move [aria-hidden]') || {}).textContent || '';"
        "return [...document.querySelectorAll('.list')].map(l => [...l.querySelectorAll('li')].map(mark))"
    )
    left, right = expected
    assert marks[0] == ["" if item in right else "only here" for item in left]
    for rank, item in enumerate(right):
        moved = left.index(item) - rank if item in left else None
        assert marks[1][rank] == (
            "only here" if moved is None else "=" if not moved else f"▲ {moved}" if moved > 0 else f"▼ {-moved}"
        )
    assert len(page.every(".gutter path")) == len(set(left) & set(right)) > 0
    distances = [one.text for one in page.every(".list:first-child .facts small:first-child")]
    (result,) = page.client.post(f"{PICTURES}/search", {"query": {"id": "100"}}).json["results"]
    assert distances == [f"distance {hit['distance']:.3f}" for hit in result["spaces"][0]["hits"]]
    labels = [one.text for one in page.every(".list:first-child .facts small:nth-child(2)")]
    assert labels == [f"label {hit['label']}" for hit in result["spaces"][0]["hits"]]


def test_words_of_the_query_are_marked_and_nothing_of_a_text_runs(page):
    page.show("?collection=hostile&q=heat+wing")
    assert {one.lower() for one in page.texts("mark") if one} >= {"heat", "wing"}
    ids = {id for id, _, _ in HOSTILE}
    assert set(lists(page)[0]) <= ids
    shown = page.one(".results").text
    assert "<script>hacked()</script>" in shown
    assert page.script(
        "return [window.hacked, document.querySelectorAll('main script, main b, main svg[onload]').length]"
    ) == [None, 0]


@pytest.mark.parametrize("id", [id for id, _, _ in HOSTILE])
def test_any_id_can_be_searched_from(page, id):
    page.show("?collection=hostile")
    page.one("#query-id").send_keys(id, Keys.ENTER)
    page.until(lambda: page.every(".list"))
    page.settled()
    assert lists(page) == wanted(page, HOSTILE_PATH, {"query": {"id": id}})


def test_filters_spaces_and_one_list_are_in_the_address(page):
    page.show("?collection=texts&q=heat+flow")
    page.one("[data-filter='label=heat']").click()
    page.until(lambda: "filter=label%3Dheat" in page.address)
    page.settled()
    body = {"query": {"text": "heat flow"}, "filters": ["label=heat"]}
    page.until(lambda: lists(page) == wanted(page, TEXTS, body))
    page.one("input[value=tfidf]").click()
    page.until(lambda: lists(page) == wanted(page, TEXTS, {**body, "spaces": ["bm25", "tfidf+lsa:2"]}))
    page.choose(".choices .choice:nth-child(2) select", "rrf")
    page.until(lambda: "fuse=rrf" in page.address and len(page.every(".list")) == 1)
    page.settled()
    (result,) = page.client.post(f"{TEXTS}/search", {**body, "spaces": ["bm25", "tfidf+lsa:2"], "fuse": "rrf"}).json[
        "results"
    ]
    assert lists(page) == [[hit["id"] for hit in result["hits"]]]
    page.one("#filter").send_keys("label!=flow", Keys.ENTER)
    page.until(lambda: "filter=label%21%3Dflow" in page.address)
    page.settled()
    seen = page.address
    page.browser.refresh()
    page.settled()
    assert page.address == seen
    assert page.one("[data-filter='label=heat']").get_attribute("aria-pressed") == "true"


def picture(tmp_path, page, id: str):
    path = tmp_path / "query.png"
    path.write_bytes(page.client.get(f"{PICTURES}/media/{id}").content)
    return path


def test_a_picture_file_is_searched_and_survives_a_reload(page, tmp_path):
    page.show("?collection=pictures")
    page.one("#query-file").send_keys(str(picture(tmp_path, page, "42")))
    page.until(lambda: page.every(".list li"))
    page.settled()
    assert [one[0] for one in lists(page)] == ["42", "42"]
    assert page.one(".present img").is_displayed()
    page.browser.refresh()
    page.until(lambda: page.every(".list li"))
    assert [one[0] for one in lists(page)] == ["42", "42"]
    page.browser.back()
    page.until(lambda: page.every(".items li"))
    assert page.every(".list li") == []


def test_a_picture_is_dragged_in(page):
    page.show("?collection=pictures")
    grey = np.asarray(Image.open(io.BytesIO(page.client.get(f"{PICTURES}/media/7").content)))
    stream = io.BytesIO()
    Image.fromarray(grey).save(stream, "PNG")
    page.script(
        "const data = new DataTransfer();"
        "data.items.add(new File([new Uint8Array(arguments[0])], 'x.png', {type: 'image/png'}));"
        "const event = new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true});"
        "document.querySelector('.drop').dispatchEvent(event)",
        list(stream.getvalue()),
    )
    page.until(lambda: page.every(".list li"))
    assert lists(page)[0][0] == "7"


def test_values_of_a_row_are_searched(page):
    page.show("?collection=rows")
    page.one(".by-row summary").click()
    page.one("[data-column='mean radius']").send_keys("20", Keys.ENTER)
    page.until(lambda: page.every(".list li"))
    assert lists(page) == wanted(page, "/v1/collections/rows", {"query": {"row": {"mean radius": "20"}}})


def test_a_sound_plays(page):
    page.show("?collection=sounds&id=tone+400.wav")
    player = page.one(".list audio")
    page.script("arguments[0].preload = 'auto'; arguments[0].load()", player)
    page.until(lambda: page.script("return arguments[0].duration", player) == 0.5)


def test_a_sound_file_is_searched_heard_and_survives_a_reload(page, tmp_path):
    (tmp_path / "given.wav").write_bytes(page.client.get("/v1/collections/sounds/media/tone%20600.wav").content)
    page.show("?collection=sounds")
    page.one("#query-file").send_keys(str(tmp_path / "given.wav"))
    page.until(lambda: page.every(".list li"))
    for _ in range(2):
        assert [one[0] for one in lists(page)] == ["tone 600.wav"] * 2
        page.until(lambda: page.script("return document.querySelector('.present audio').duration") == 0.5)
        page.browser.refresh()
        page.until(lambda: page.every(".list li"))


def test_a_problem_shows_its_detail(page):
    page.show("?collection=texts&id=nobody")
    problem = page.client.post(f"{TEXTS}/search", {"query": {"id": "nobody"}}).json
    assert page.one(".standing [role=alert]").text == problem["detail"]
    assert any("404" in one for one in complaints(page.browser))


def test_a_service_that_does_not_answer_is_asked_again(page):
    page.show("?collection=texts")
    page.browser.execute_cdp_cmd("Network.enable", {})
    line = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    page.browser.execute_cdp_cmd("Network.emulateNetworkConditions", line)
    page.one("#query").send_keys("heat", Keys.ENTER)
    page.until(lambda: page.every(".standing .problem"))
    assert "does not answer" in page.one(".standing .problem").text
    page.browser.execute_cdp_cmd("Network.emulateNetworkConditions", {**line, "offline": False})
    page.one(".standing button").click()
    page.until(lambda: page.every(".list li"))
    assert complaints(page.browser)


def test_why_an_answer_is_here_is_in_the_address_and_said_as_explain_says_it(page):
    page.show("?collection=texts&q=heat+wing")
    link = page.one(".list [data-id='wing'] .links a")
    assert link.text == "why here?"
    link.send_keys(Keys.ENTER)
    page.until(lambda: page.every("dialog.why[open] tbody tr"))
    assert "why=wing" in page.address
    found = page.client.post(f"{TEXTS}/explain", {"query": {"text": "heat wing"}, "id": "wing"}).json["spaces"]
    rows = page.every("dialog.why tbody tr")
    assert [row.find_element("css selector", "th").text for row in rows] == [one["spec"] for one in found]
    for row, one in zip(rows, found, strict=True):
        cells = [cell.text for cell in row.find_elements("css selector", "td")]
        assert cells[0] == str(one["rank"])
        assert f"{one.get('distance', one['score']):.3f}" in cells[1]
        for word, part in one.get("words", {}).items():
            assert f"{word} {part:.3f}" in cells[2]
    before = lists(page)
    page.browser.switch_to.active_element.send_keys(Keys.ESCAPE)
    page.until(lambda: "why" not in page.address and not page.every("dialog[open]"))
    assert lists(page) == before
    page.browser.back()
    page.until(lambda: page.every("dialog.why[open] tbody tr"))
    page.browser.refresh()
    page.until(lambda: page.every("dialog.why[open] tbody tr"))
    page.browser.switch_to.active_element.send_keys(Keys.ESCAPE)
    page.until(lambda: not page.every("dialog[open]"))


def test_why_is_asked_of_a_picture_file_too(page, tmp_path):
    page.show("?collection=pictures")
    page.one("#query-file").send_keys(str(picture(tmp_path, page, "42")))
    page.until(lambda: page.every(".list li"))
    page.settled()
    page.one(".list [data-id='42'] .links a").send_keys(Keys.ENTER)
    page.until(lambda: page.every("dialog.why[open] tbody tr"))
    assert page.texts("dialog.why tbody td:nth-child(2)") == ["1", "1"]
    page.browser.back()
    page.until(lambda: not page.every("dialog[open]"))
    assert page.one(".present img").is_displayed()


def test_a_collection_that_is_not_served_is_named(page):
    page.show("?collection=<b>absent</b>&q=wing")
    said = page.one("main > .absent")
    assert said.text == "No collection “<b>absent</b>” is served here: this is “texts”."
    page.choose("#collection-choice", "pictures")
    page.until(lambda: "collection=pictures" in page.address)
    page.settled()
    assert not page.one("main > .absent").is_displayed()


def test_one_list_of_all_spaces_is_offered_where_there_are_several(page):
    counts = {one["name"]: len(one["spaces"]) for one in page.client.get("/v1/collections").json["collections"]}
    assert min(counts.values()) == 1 < max(counts.values())
    for name, count in counts.items():
        page.show(f"?collection={name}")
        assert page.one(".choices").text.count("shown as") == (count > 1)


@pytest.mark.parametrize(
    "address", ["q=wing&space=nope", "view=compare&space=nope", "view=space&space=nope", "view=map&a=nope"]
)
def test_a_space_that_is_not_there_is_named(page, address):
    """The view showed another space without a word."""
    page.show(f"?collection=texts&{address}")
    known = [space["spec"] for space in page.client.get("/v1/collections/texts").json["spaces"]]
    said = page.one("main > .absent")
    assert said.text == f"texts has no space “nope”: its spaces are {', '.join(known)}."
    page.show(f"?collection=texts&{address.replace('nope', known[0].replace('+', '%2B'))}")
    page.settled()
    assert not page.one("main > .absent").is_displayed()
