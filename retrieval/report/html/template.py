"""HTML by jinja2 templates: every value is escaped, and a page is one file that loads nothing and runs nothing."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retrieval.report.colours import colour_of
from retrieval.report.figures.markup import printable
from retrieval.report.spec_wrapping import joints

if TYPE_CHECKING:
    from jinja2 import Environment

#: The templates and the style sheets, installed beside this file.
TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, **values: Any) -> str:
    """Return a page.

    Parameters
    ----------
    template : str
        Name of a file in `TEMPLATES`.
    **values
        What the template shows. Text is escaped; only SVG drawn by `retrieval.report.figures` is inserted as it is.
    """
    return environment().get_template(template).render(**values)


@cache
def environment() -> Environment:
    """Return the environment of all templates; jinja2 is imported here, when the first page is written."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from jinja2.ext import Extension

    class Unindented(Extension):
        """Templates are indented for their readers; a page does not carry those bytes."""

        def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
            return re.sub(r"\n\s+", "\n", source)

    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalized,
        trim_blocks=True,
        extensions=[Unindented],
    )
    made.filters |= {"breakable": breakable, "colour": colour_of}
    return made


def breakable(spec: str) -> Any:
    """Return a spec as text that may break after ``+``, ``,``, ``-`` and ``:``.

    Examples
    --------
    >>> breakable("tfidf+<lsa>")
    Markup('tfidf+<wbr>&lt;lsa&gt;')
    """
    from markupsafe import Markup

    return Markup("<wbr>").join(joints(printable(spec)))


def _finalized(value: Any) -> Any:
    """Replace what a page cannot contain; None is empty."""
    if value is None:
        return ""
    return printable(value) if type(value) is str else value
