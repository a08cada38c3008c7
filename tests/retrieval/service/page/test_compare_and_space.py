"""Comparison, space and token in a real browser."""

from __future__ import annotations

import pytest
from chromium import complaints
from page_in_browser import Page
from running_service import running
from selenium.webdriver import Keys

from retrieval.service.settings import Settings

COMPARE = "?collection=pictures&view=compare"


def test_a_comparison_is_run_and_its_queries_open_both_lists(page):
    page.show(COMPARE)
    assert page.every(".comparison table") == []
    page.one("form .main").send_keys(Keys.ENTER)
    page.until(lambda: page.every("canvas.scatter"), 180)
    document = page.client.post("/v1/collections/pictures/compare", {}).json
    assert page.one("h3.answer").text == document["answer"]
    first = page.texts(".spaces tbody tr:first-child td")
    assert first[0].startswith(f"{document['spaces'][0]['measures']['P@10']:.3f}")
    page.one(".queries").send_keys(Keys.ARROW_DOWN)
    assert page.one(".answers").is_displayed()
    answers = page.texts(".answers .title")
    assert len(answers) == 20
    assert page.one(".explorer .tile").value_of_css_property("background-image").startswith('url("data:image/')
    assert "explore=compare" in page.address
    page.browser.refresh()
    page.until(lambda: page.every(".answers"), 180)
    page.settled()
    assert page.texts(".answers .title") == answers
    page.browser.back()
    page.until(lambda: not page.every(".comparison table"))


def test_what_judges_is_chosen_and_kept_in_the_address(page):
    page.show("?collection=rows&view=compare")
    page.choose("form .choice select", "known-item")
    page.one("form .main").send_keys(Keys.ENTER)
    page.until(lambda: page.every("h3.answer"), 180)
    assert "judged=known-item" in page.address
    body = {"spaces": ["columns", "columns+pca:2"], "judged_by": "known-item"}
    document = page.client.post("/v1/collections/rows/compare", body).json
    assert page.one("h3.answer").text == document["answer"]
    assert "known-item" in document["judged_by"]
    page.browser.refresh()
    page.until(lambda: page.every("h3.answer"), 180)
    page.settled()
    assert page.one("form .choice select").get_attribute("value") == "known-item"
    page.show("?collection=rows&view=compare&run=1&judged=qrels")
    assert "qrels" in page.one(".standing .problem").text
    page.console_may_complain()


def test_an_explorer_that_was_left_writes_no_address(page):
    page.show("?collection=texts&view=compare&run=1&space=bm25&space=tfidf")
    page.one(".queries").send_keys(Keys.ARROW_DOWN)
    page.until(lambda: "explore=compare" in page.address)
    seen = page.address
    page.one("nav a").click()
    page.until(lambda: page.every(".items li"))
    assert "explore" not in page.address
    page.script("location.hash = 'explore=compare&a=1&b=0'")
    page.settled()
    assert page.address.endswith("#explore=compare&a=1&b=0")
    page.browser.back()
    page.browser.back()
    page.until(lambda: page.every(".answers") and page.address == seen)


def test_the_data_of_the_explorer_is_that_of_the_report(page):
    body = {"spaces": ["bm25", "tfidf"]}
    data = page.client.post("/v1/collections/texts/compare/explorer", body).json
    document = page.client.post("/v1/collections/texts/compare", body).json
    assert [space["label"] for space in data["spaces"]] == ["bm25", "tfidf"]
    assert data["total"] == document["n_queries"]
    alone = page.client.post("/v1/collections/texts/compare/explorer", {"spaces": ["bm25"]})
    assert (alone.status, alone.json["detail"]) == (
        422, "the explorer needs two spaces whose answers are judged: name two or more",
    )  # fmt: skip
    page.show()


def test_a_space_shows_facts_components_and_health(page):
    page.show("?collection=pictures&view=space")
    assert "not sums of components" in page.one(".view .standing").text or page.every(".components li")
    complaints(page.browser)  # the reply 422
    page.choose(".choices select", "pixels+pca:4")
    page.until(lambda: len(page.every(".components canvas")) == 4)
    painted = page.script(
        "const pen = document.querySelector('.components canvas').getContext('2d');"
        "return new Set(pen.getImageData(0, 0, 8, 8).data).size"
    )
    assert painted > 10
    page.one(".view > .main").click()
    page.until(lambda: page.every(".health table"), 180)
    found = page.client.get("/v1/collections/pictures/health?space=pixels%2Bpca:4").json
    assert page.one(".health .answer").text.startswith(f"Verdict: {found['spaces'][0]['verdict']}")
    assert page.texts(".health thead th")[:3] == ["check", "verdict", "value"]  # on a telephone, the first are seen
    assert "health=1" in page.address
    remedies = [cell.text for cell in page.every(".health h4 + * tbody th")]
    assert "fewer components (2)" in remedies
    assert len(remedies) == len(set(remedies))


def test_components_are_words_or_pictures(page):
    found = page.client.get("/v1/collections/texts/components?space=tfidf%2Blsa:2&limit=1").json
    assert (found["total"], len(found["components"]), found["shape"]) == (2, 1, None)
    assert found["components"][0]["more"]
    pictures = page.client.get("/v1/collections/pictures/components?space=pixels%2Bpca:4").json
    assert pictures["shape"] == [8, 8]
    none = page.client.get("/v1/collections/texts/components?space=bm25").json
    assert (none["components"], none["total"]) == ([], 0)
    assert "not sums of components" in none["note"]
    page.show()


@pytest.fixture
def guarded(browser, shown_collections, tmp_path):
    (tmp_path / "token").write_text("a secret of many letters".replace(" ", "-"))
    settings = Settings({"pictures": shown_collections["pictures"]}, token_file=str(tmp_path / "token"))
    with running(settings) as client:
        yield Page(browser, client)


def test_the_token_is_asked_for_and_kept(guarded):
    page = guarded
    page.browser.get(f"{page.origin}/?collection=pictures&id=3")
    page.until(lambda: page.every("dialog[open]"))
    assert page.script("return document.activeElement.id") == "token"
    for _ in range(3):  # there is nothing behind the question
        page.browser.switch_to.active_element.send_keys(Keys.ESCAPE)
    page.until(lambda: page.script("return document.activeElement.id") == "token")
    page.browser.switch_to.active_element.send_keys("gehe\u00efm-\u5bc6\u7801", Keys.ENTER)
    page.until(lambda: page.texts("dialog .problem") == ["That token is not right."])
    page.script("document.querySelector('dialog .problem').textContent = ''")
    page.browser.switch_to.active_element.send_keys("wrong", Keys.ENTER)
    page.until(lambda: page.texts("dialog .problem") == ["That token is not right."])
    page.browser.switch_to.active_element.send_keys("a-secret-of-many-letters", Keys.ENTER)
    page.until(lambda: page.every(".list li"))
    page.until(
        lambda: page.script("return [...document.querySelectorAll('.list img')].every(e => e.naturalWidth === 8)")
    )
    assert page.one(".list img").get_attribute("src").startswith("blob:")
    assert "secret" not in page.browser.current_url
    page.browser.refresh()
    page.until(lambda: page.every(".list li"))
    assert page.every("dialog[open]") == []
    complaints(page.browser)
