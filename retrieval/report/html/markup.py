"""Tags that escape what they hold: text from a corpus cannot become markup, whoever writes the page."""

from __future__ import annotations

import re
from html import escape

#: Characters that neither HTML nor XML may hold, and lone surrogates, which UTF-8 cannot hold.
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_VOID = frozenset({"br", "img", "meta", "wbr"})


class Markup(str):
    """Text that is markup already and is not escaped again; made by `element` only."""

    __slots__ = ()


Child = str | float | None
Attribute = str | float | bool | None


def text(value: Child) -> Markup:
    """Return a value as escaped text; `Markup` stays as it is, None is nothing.

    Examples
    --------
    >>> text('<b> & "c"')
    '&lt;b&gt; &amp; &quot;c&quot;'
    >>> text(Markup("<b></b>"))
    '<b></b>'
    """
    if isinstance(value, Markup):
        return value
    return Markup("" if value is None else escape(_FORBIDDEN.sub("\ufffd", _plain(value))))


def join(*children: Child) -> Markup:
    """Return children one after the other, each escaped unless it is markup."""
    return Markup("".join(text(child) for child in children))


def element(tag: str, *children: Child, **attributes: Attribute) -> Markup:
    """Return ``<tag attributes>children</tag>`` (HTML and SVG alike), everything escaped.

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
    >>> element("p", "1 < 2", class_="note")
    '<p class="note">1 &lt; 2</p>'
    >>> element("img", alt='"onload=')
    '<img alt="&quot;onload=">'
    """
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{"" if value is True else text(value)}"'
        for name, value in attributes.items()
        if value is not None and value is not False
    )
    if tag in _VOID:
        return Markup(f"<{tag}{written}>")
    return Markup(f"<{tag}{written}>{join(*children)}</{tag}>")


def _plain(value: str | float) -> str:
    if isinstance(value, str):
        return value
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
