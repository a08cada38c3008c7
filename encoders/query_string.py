"""The grammar of ``key=value&key=value`` behind a ``?``: in the address of a corpus and the description of an index.

It is the query string of a URL (RFC 3986, section 3.4): ``%26`` stands for ``&``, ``%3D`` for ``=``, ``%25`` for
``%``. A ``+`` stands for itself. The options of an encoder (``deep-ae:500-10,epochs=3``) have another grammar,
`encoders.spec`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import quote, unquote

from encoders.errors import OptionError, closest

#: Characters that stay as they are in a written value: a path or a URL should remain readable.
_READABLE = "/:.,-_~+ "


def parse_query_string(text: str, where: str, hyphens: bool = False) -> dict[str, str]:
    """Read ``key=value&key=value``.

    Parameters
    ----------
    text : str
        What follows the ``?``.
    where : str
        What the user wrote, for the error. Leave out what no message may repeat, such as an address with a password.
    hyphens : bool
        Write every ``_`` of a key as ``-``, so that a user may write either.

    Returns
    -------
    dict of str to str
        In the order in which they are written; the values are still text.

    Raises
    ------
    OptionError
        When a part is not ``key=value``, a key is given twice, or the bytes that ``%`` stands for are not UTF-8.

    Examples
    --------
    >>> parse_query_string("text=body&label=rock%26roll", "songs.csv")
    {'text': 'body', 'label': 'rock&roll'}
    >>> parse_query_string("body", "songs.csv?body")
    Traceback (most recent call last):
    encoders.errors.OptionError: expected key=value after '?' in 'songs.csv?body', found 'body'
    """
    options: dict[str, str] = {}
    for pair in text.split("&"):
        key, equals, value = pair.partition("=")
        if not (key and equals and value):
            raise OptionError(f"expected key=value after '?' in '{where}', found '{pair}'")
        try:
            key, value = unquote(key, errors="strict"), unquote(value, errors="strict")
        except UnicodeDecodeError:
            raise OptionError(
                f"'{pair}' in '{where}' is not UTF-8 text: write %25 for a percent sign that stands for itself"
            ) from None
        key = key.replace("_", "-") if hyphens else key
        if key in options:
            raise OptionError(f"the option '{key}' is given twice in '{where}'")
        options[key] = value
    return options


def write_query_string(options: Mapping[str, str]) -> str:
    """Write options so that `parse_query_string` reads the same back.

    Examples
    --------
    >>> write_query_string({"size": "96x96", "label": "rock&roll"})
    'size=96x96&label=rock%26roll'
    """
    return "&".join(f"{quote(key, safe=_READABLE)}={quote(value, safe=_READABLE)}" for key, value in options.items())


def unknown_option(owner: str, key: str, known: Iterable[str], kind: str = "option") -> OptionError:
    """Return the error for an option that does not exist; it names those that do, and the nearest one.

    Examples
    --------
    >>> raise unknown_option("mnist", "splt", ["split", "max-bytes"])
    Traceback (most recent call last):
    encoders.errors.OptionError: mnist has no option 'splt'; did you mean 'split'? Its options: max-bytes, split
    >>> raise unknown_option("'exact'", "nprobe", [], "search parameter")
    Traceback (most recent call last):
    encoders.errors.OptionError: 'exact' takes no search parameters; got 'nprobe'
    """
    names = sorted(known)
    if not names:
        return OptionError(f"{owner} takes no {kind}s; got '{key}'")
    nearest = closest(key, names)
    hint = f"did you mean '{nearest}'? Its" if nearest else "its"
    return OptionError(f"{owner} has no {kind} '{key}'; {hint} {kind}s: {', '.join(names)}")
