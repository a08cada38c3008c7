"""Fields in the names of files: ``{digit}_{speaker}_{take}`` reads ``0_jackson_12.wav``."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from encoders.errors import OptionError

_FIELD = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


class NamePattern:
    """A pattern of file names: fields in braces, and the text between them.

    It describes the end of a path without its suffix: with a ``/`` also the folder of the file. A field holds neither
    a ``/`` nor the text that follows it.

    Parameters
    ----------
    text : str

    Attributes
    ----------
    fields : list of str
        In the order of the pattern.

    Raises
    ------
    OptionError
        When there is no field, two have one name, or nothing separates them.

    Examples
    --------
    >>> NamePattern("{digit}_{speaker}_{take}").read("recordings/0_jackson_12.wav")
    {'digit': '0', 'speaker': 'jackson', 'take': '12'}
    >>> NamePattern("{word}/{speaker}_nohash_{take}").read("speech/bed/0a7c2a8d_nohash_0.wav")
    {'word': 'bed', 'speaker': '0a7c2a8d', 'take': '0'}
    >>> NamePattern("{digit}_{speaker}_{take}").read("notes.wav") is None
    True
    """

    def __init__(self, text: str) -> None:
        parts = _FIELD.split(text)
        between, self.fields = parts[::2], parts[1::2]
        if not self.fields or any("{" in part or "}" in part for part in between):
            raise OptionError(f"pattern should name fields in braces, as in {{speaker}}_{{take}}; got '{text}'")
        for name in self.fields:
            if not _NAME.fullmatch(name):
                raise OptionError(f"pattern: '{{{name}}}' is not a field name: use letters, digits, - and _")
            if name == "label":  # a filter calls the label so, whichever field it is
                raise OptionError("pattern: no field can be called {label}: name what it is, and choose it with label=")
        if len(set(self.fields)) < len(self.fields):
            raise OptionError(f"pattern: two fields have the same name in '{text}'")
        if not all(between[1:-1]):
            raise OptionError(f"pattern: nothing separates two fields in '{text}'")
        ends = between[1:]
        if len(ends) > 1 and not ends[-1]:  # the last field is bounded by what stands before it
            ends[-1] = ends[-2]
        groups = [f"((?:(?!{re.escape(end)})[^/])+)" if end else "([^/]+)" for end in ends]
        written = "".join(re.escape(text) + group for text, group in zip(between[:-1], groups, strict=True))
        self._pattern = re.compile(written + re.escape(between[-1]))
        self._depth = text.count("/") + 1

    def read(self, name: str) -> dict[str, str] | None:
        """Return the value of each field in the path of a file; None if the pattern does not describe it."""
        parts = str(PurePosixPath(name).with_suffix("")).split("/")[-self._depth :]
        match = self._pattern.fullmatch("/".join(parts))
        return None if match is None else dict(zip(self.fields, match.groups(), strict=True))
