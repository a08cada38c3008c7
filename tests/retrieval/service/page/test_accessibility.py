"""Every view has no violation of WCAG 2 A and AA and of best practices that axe-core finds: wide, narrow, light, dark."""

from __future__ import annotations

import pytest
from axe import violations
from chromium import sized

VIEWS = {
    "search": "?collection=texts",
    "search-words": "?collection=hostile&q=heat+wing",
    "search-one-list": "?collection=texts&q=heat+wing&fuse=rrf&filter=label%3Dflow",
    "search-why": "?collection=texts&q=heat+wing&why=heat",
    "search-pictures": "?collection=pictures&id=17&k=5",
    "search-sounds": "?collection=sounds&id=tone+400.wav",
    "search-rows": "?collection=rows&id=5&k=5",
    "map": "?collection=pictures&view=map&a=pixels&b=pixels%2Bpca%3A4&label=3",
    "map-cluster": "?collection=pictures&view=map&a=pixels&b=pixels%2Bpca%3A4&colour=cluster&group=0.1",
    "map-hubness": "?collection=pictures&view=map&a=pixels&b=pixels%2Bpca%3A4&colour=hubness",
    "map-score": "?collection=texts&view=map&colour=score",
    "compare": "?collection=texts&view=compare&run=1&space=bm25&space=tfidf",
    "space": "?collection=pictures&view=space&space=pixels%2Bpca%3A4&health=1&from=3&to=4",
    "space-words": "?collection=texts&view=space&space=tfidf%2Blsa%3A2&from=wing&to=heat",
    "space-network": "?collection=decoders&view=space&space=pixels%2Bvae%3A3%2Cepochs%3D2&from=3&to=4",
    "space-rows": "?collection=rows&view=space&space=columns%2Bpca%3A2&from=1&to=2",
    "space-sounds": "?collection=sounds&view=space&space=log-mel%3A40%2Bpca%3A2",
}


@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_nothing(page, view):
    page.show(VIEWS[view])
    assert looked_at(page.browser) == []


def test_the_documentation_of_the_api_has_no_violation(page):
    page.browser.get(f"{page.origin}/docs")
    assert looked_at(page.browser) == []


def looked_at(browser) -> list[str]:
    """What axe finds on the page that a browser shows: wide, narrow, light, dark."""
    found = []
    for scheme in ("light", "dark"):
        browser.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        )
        for width in (1280, 390):
            sized(browser, width, 900)
            found += [f"{scheme}, {width}: {one}" for one in violations(browser)]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    return found


def test_the_documentation_of_the_api_reads_from_large_to_small(page):
    page.browser.get(f"{page.origin}/docs")
    sizes = page.script(
        "return ['h1', 'h2', 'h3', 'p'].map(e => parseFloat(getComputedStyle(document.querySelector(e)).fontSize))"
    )
    assert sizes == sorted(sizes, reverse=True)
    aligned = page.script(
        "return [...new Set([...document.querySelectorAll('th, td')].map(e => getComputedStyle(e).textAlign))]"
    )
    assert aligned == ["left"]


def test_axe_finds_a_picture_without_a_text_and_a_button_without_a_name(page):
    page.show(VIEWS["search"])
    page.script(
        "document.querySelector('main').append(document.createElement('button'), document.createElement('img'))"
    )
    assert {one.split()[0] for one in violations(page.browser)} == {"button-name", "image-alt"}
