"""SVG elements that escape their content: text from a corpus cannot become markup."""

from __future__ import annotations

import re
from html import escape

#: Characters that neither HTML nor XML allows, and lone surrogates, which UTF-8 cannot encode.
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


class Markup(str):
    """Text that is already markup and is not escaped again; only `element` and `join` make it."""

    __slots__ = ()

    def __html__(self) -> str:
        """Return the markup itself: jinja2 asks for it before it escapes a value."""
        return self


Child = str | float | None
Attribute = str | float | bool | None


def printable(text: str) -> str:
    """Replace every character that a page cannot contain by U+FFFD.

    Examples
    --------
    >>> printable("a\\x00b") == "a\\ufffdb"
    True
    """
    return _FORBIDDEN.sub("\ufffd", text)


def escaped(value: Child) -> Markup:
    """Return a value as escaped text; `Markup` stays as it is, None is empty.

    Examples
    --------
    >>> escaped('<b> & "c"')
    '&lt;b&gt; &amp; &quot;c&quot;'
    >>> escaped(Markup("<b></b>"))
    '<b></b>'
    """
    if isinstance(value, Markup):
        return value
    return Markup("" if value is None else escape(printable(_plain(value))))


def join(*children: Child) -> Markup:
    """Return children one after the other, each escaped unless it is markup."""
    return Markup("".join(escaped(child) for child in children))


def element(tag: str, *children: Child, **attributes: Attribute) -> Markup:
    """Return ``<tag attributes>children</tag>`` with everything escaped.

    Parameters
    ----------
    tag : str
        Name of the element.
    *children : str, float or None
        Its content.
    **attributes : str, float, bool or None
        ``class_`` stands for ``class`` and ``stroke_width`` for ``stroke-width``; True gives an empty value,
        None and False leave the attribute out.

    Examples
    --------
    >>> element("text", "1 < 2", class_="note")
    '<text class="note">1 &lt; 2</text>'
    >>> element("image", alt='"onload=')
    '<image alt="&quot;onload="/>'
    """
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{"" if value is True else escaped(value)}"'
        for name, value in attributes.items()
        if value is not None and value is not False
    )
    if not children:
        return Markup(f"<{tag}{written}/>")
    return Markup(f"<{tag}{written}>{join(*children)}</{tag}>")


def _plain(value: str | float) -> str:
    if isinstance(value, str):
        return value
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
