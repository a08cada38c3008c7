"""The frame of every page: one file that loads nothing and runs nothing."""

from __future__ import annotations

from retrieval.report.html.markup import Child, Markup, element, join
from retrieval.report.html.style import CSS


def document(title: str, *content: Child, style: str = "") -> Markup:
    """Return a whole HTML page.

    Parameters
    ----------
    title : str
        Of the window and at the head of the page.
    *content : str, Markup or None
        What stands below the title.
    style : str
        Rules of this page beside those of all; written by us, never from a corpus.
    """
    return join(
        Markup("<!doctype html>\n"),
        element(
            "html",
            element(
                "head",
                element("meta", charset="utf-8"),
                element("meta", name="viewport", content="width=device-width, initial-scale=1"),
                # The browser holds the page to its promise: no script, and nothing from outside.
                element(
                    "meta",
                    http_equiv="Content-Security-Policy",
                    content="default-src 'none'; style-src 'unsafe-inline'; img-src data:",
                ),
                element("title", title),
                element("style", Markup(CSS + style)),
            ),
            element("body", element("main", element("h1", title), *content)),
            lang="en",
        ),
        "\n",
    )
