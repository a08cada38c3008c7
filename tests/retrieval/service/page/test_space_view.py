"""Training, reconstruction and walk of a space in a real browser."""

from __future__ import annotations

import io
from itertools import pairwise

import numpy as np
from PIL import Image
from selenium.webdriver import Keys

PCA = "?collection=pictures&view=space&space=pixels%2Bpca%3A4"
VAE = "?collection=decoders&view=space&space=pixels%2Bvae%3A3%2Cepochs%3D2"


def until_decoded(page) -> None:
    page.until(lambda: page.every(".side-by-side figure, .side-by-side .note, .side-by-side table"), 120)
    page.settled()


def source(page) -> str:
    return page.one(".side-by-side figure:last-child img").get_attribute("src")


def test_the_slider_adds_components_and_a_reload_keeps_it(page):
    page.show(PCA)
    until_decoded(page)
    whole = source(page)
    slider = page.one("#slider")
    assert (slider.get_attribute("max"), slider.get_attribute("value")) == ("4", "4")
    slider.send_keys(Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    page.until(lambda: source(page) != whole and "2 of 4 components" in page.one(".reconstruction > .note").text)
    assert "first=2" in page.address
    body = {"space": "pixels+pca:4", "id": "0", "first": 2}
    wanted = page.client.post("/v1/collections/pictures/reconstruct", body).json
    assert source(page) == f"data:image/png;base64,{wanted['reconstruction']['image']}"
    assert f"squared error {wanted['error']:.3f}" in page.one(".reconstruction > .note").text
    page.browser.refresh()
    until_decoded(page)
    page.until(lambda: source(page).endswith(wanted["reconstruction"]["image"]))
    slider = page.one("#slider")
    slider.send_keys(Keys.END)
    page.until(lambda: source(page) == whole)
    assert "first" not in page.address


def test_a_component_of_a_network_is_moved(page):
    page.show(VAE)
    until_decoded(page)
    page.choose(".slider select", "2")
    page.one("#slider").send_keys(Keys.END)
    page.until(lambda: "component 3 is" in page.one(".reconstruction > .note").text)
    assert "moved by +3 standard deviations" in page.one(".slider label[for]").text
    assert {"component=2", "by=3"} <= set(page.address.split("?")[1].split("&"))
    body = {"space": "pixels+vae:3,epochs=2", "id": "0", "component": 2, "deviations": 3}
    wanted = page.client.post("/v1/collections/decoders/reconstruct", body).json["reconstruction"]["image"]
    page.until(lambda: source(page).endswith(wanted))


def test_nothing_of_a_slider_or_component_is_pale_in_the_dark(page):
    """A browser gives a slider of a dark colour a white track; a component is nothing where it is the paper."""
    features = [{"name": "prefers-color-scheme", "value": "dark"}]
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    page.show("?collection=pictures&view=space&space=pixels%2Bpca%3A4&first=0")
    try:
        for selector in (".slider input", "canvas.component"):
            picture = np.asarray(Image.open(io.BytesIO(page.one(selector).screenshot_as_png)).convert("L")) / 255
            assert picture.max() < 0.8, selector
    finally:
        page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_another_item_is_reconstructed_and_back_returns(page):
    page.show(PCA)
    until_decoded(page)
    first = source(page)
    page.one("#reconstruct-item").clear()
    page.one("#reconstruct-item").send_keys("17", Keys.ENTER)
    page.until(lambda: page.every(".side-by-side img") and source(page) != first)
    assert "item=17" in page.address
    page.browser.back()
    page.until(lambda: page.every(".side-by-side img") and source(page) == first)


def test_a_walk_shows_what_lies_between(page):
    page.show(VAE)
    until_decoded(page)
    page.one("#walk-from").clear()
    page.one("#walk-from").send_keys("3")
    page.one("#walk-to").clear()
    page.one("#walk-to").send_keys("8", Keys.ENTER)
    page.until(lambda: len(page.every(".strip-of img")) == 8)
    assert page.texts(".strip-of small")[:2] == ["0 %", "14 %"]
    assert "from=3&to=8" in page.address
    page.browser.refresh()
    page.until(lambda: len(page.every(".strip-of img")) == 8, 120)


def test_ids_can_be_read_on_a_telephone(page):
    page.show("?collection=sounds&view=space", 390)
    until_decoded(page)
    widths = page.script("return [...document.querySelectorAll('.by-id input')].map(e => e.clientWidth)")
    assert len(widths) == 3
    assert min(widths) >= 120


def test_texts_show_words_and_mark_those_of_the_item(page):
    page.show("?collection=texts&view=space&space=tfidf%2Blsa%3A2&from=wing&to=heat&steps=3")
    until_decoded(page)
    item, copy = page.every(".side-by-side .weights")
    assert "wing" in item.text
    assert copy.find_elements("css selector", "mark")
    page.until(lambda: len(page.every(".strip-of .weights")) == 3)


def test_rows_are_compared_column_by_column(page):
    page.show("?collection=rows&view=space&space=columns%2Bpca%3A2&item=5&from=1&to=2")
    until_decoded(page)
    columns = page.client.get("/v1/collections/rows").json["columns"]
    assert page.texts(".side-by-side tbody th") == columns
    assert page.texts(".side-by-side thead th") == ["column", "item", "reconstruction"]
    page.until(lambda: page.every(".walk table"))


def test_sounds_are_spectrograms_and_the_item_plays(page):
    page.show("?collection=sounds&view=space&space=log-mel%3A40%2Bpca%3A2")
    until_decoded(page)
    assert len(page.every(".side-by-side img")) == 2
    player = page.one(".side-by-side audio")
    page.script("arguments[0].preload = 'auto'; arguments[0].load()", player)
    page.until(lambda: page.script("return arguments[0].duration", player) == 0.5)
    assert page.one(".reconstruction > button").text == "Make its sound"


def test_a_space_that_cannot_decode_says_so_and_offers_no_walk(page):
    page.show("?collection=texts&view=space&space=bm25")
    until_decoded(page)
    assert "cannot be turned back into items" in page.one(".side-by-side .note").text
    assert not page.one("#slider").is_displayed()
    assert not page.one("#walk-from").is_displayed()


def test_hostile_words_and_ids_are_decoded_as_texts(page):
    page.show("?collection=hostile&view=space&space=tfidf%2Blsa%3A2&item=%3Cimg%20src%3Dx%20onerror%3Dhacked()%3E")
    until_decoded(page)
    assert page.script("return window.hacked") is None
    assert page.every(".side-by-side .weights")


def test_a_training_is_drawn_with_axes_and_units(page):
    page.show(VAE)
    page.until(lambda: page.every(".curves svg"))
    (phase,) = page.client.get("/v1/collections/decoders/training?space=pixels%2Bvae:3,epochs%3D2").json["phases"]
    words = page.script("return [...document.querySelectorAll('.curves text')].map(e => e.textContent)")
    assert {"epoch", "training", "validation", "1", "2", f"loss in {phase['loss_unit']}"} <= set(words)
    assert f"in epoch {phase['best_epoch']} of 2" in page.one(".curves svg").get_attribute("aria-label")
    names = page.script(
        "return [...document.querySelectorAll('.curves text')].slice(-2).map(e => e.getBoundingClientRect().top)"
    )
    assert abs(names[0] - names[1]) > 8
    page.show(PCA)
    assert page.every(".curves") == [] or not page.one(".curves").is_displayed()


LOSSES = [(27.4, 29.6), (0.02, 300), (1e-9, 1e6), (-3, 5), (1e-5, 2e-5), (5, 5), (0, 0), (120000, 130000)]


def test_ticks_are_round_and_hold_every_loss(page):
    page.show("?collection=texts")
    code = (
        "a[0].map(([low, high]) => { const s = m.scaleOf(low, high); return [s.ticks, s.share(low), s.share(high)]; })"
    )
    for (low, high), found in zip(LOSSES, page.module("space/training.js", code, LOSSES), strict=True):
        ticks, bottom, top = found
        assert 2 <= len(ticks) <= 9, (low, high)
        assert 0 <= bottom <= top <= 1
        steps = {f"{after - before:.1e}".split("e")[0] for before, after in pairwise(ticks)}
        assert steps <= {"1.0", "2.0", "5.0"} or ticks[-1] / ticks[0] > 10
        assert ticks == sorted(ticks)
        assert ticks[0] <= low <= high <= ticks[-1]
