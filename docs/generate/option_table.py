"""Options declared as dataclass fields, as a Markdown table."""

from __future__ import annotations

import dataclasses
import typing
from typing import Any

from regions import table

from encoders import options

_LIMITS = (("ge", "at least"), ("gt", "above"), ("le", "at most"), ("lt", "below"))


def option_table(cls: type[Any], skip: frozenset[str] = frozenset()) -> str:
    """Return every option of a class: its name, default, values and meaning; an empty text where it has none."""
    hints = typing.get_type_hints(cls)
    rows = [_row(field, hints[field.name]) for field in _fields(cls) if written(field.name) not in skip]
    return table(["option", "default", "values", "meaning"], rows) if rows else ""


def option_names(cls: type[Any]) -> list[str]:
    """Return the names of the options of a class, as a user writes them."""
    return [written(field.name) for field in _fields(cls)]


def written(name: str) -> str:
    """Return the name of a field as a user writes it.

    Examples
    --------
    >>> written("size_"), written("min_df")
    ('size', 'min-df')
    """
    return name.rstrip("_").replace("_", "-")


def _fields(cls: type[Any]) -> list[dataclasses.Field[Any]]:
    return [field for field in options.fields_of(cls) if "help" in field.metadata]


def _row(field: dataclasses.Field[Any], hint: Any) -> list[str]:
    default = field.default
    if default is dataclasses.MISSING:
        shown = "required"
    else:
        shown = f"`{options.text_of(default)}`" if default not in (None, ()) else "none"
    return [f"`{written(field.name)}`", shown, _values(field, hint), field.metadata["help"]]


def _values(field: dataclasses.Field[Any], hint: Any) -> str:
    choices = field.metadata.get("choices")
    if choices:
        return ", ".join(f"`{choice}`" for choice in choices)
    limits = [
        f"{words} {field.metadata[key]:,}" if abs(field.metadata[key]) < 1e6 else f"{words} {field.metadata[key]:.2g}"
        for key, words in _LIMITS
        if field.metadata.get(key) is not None
    ]
    return ", ".join([options.type_name(hint), *limits])
