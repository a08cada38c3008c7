"""Options as dataclass fields: declared with help and range, read from a spec, checked here."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Callable, Sequence
from typing import Any

from encoders.errors import OptionError
from encoders.numbers import read_number, read_whole, shortened

#: Largest random seed that every library accepts: FAISS reads seed + 1 as a signed 32-bit number.
LARGEST_SEED = 2**31 - 2


def option(
    default: Any = dataclasses.MISSING,
    help: str = "",
    *,
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
    choices: Sequence[str] | None = None,
    kw_only: bool | Any = dataclasses.MISSING,
) -> Any:
    """Declare one option: its default, its help text, and the values that it accepts."""
    metadata = {"help": help, "ge": ge, "gt": gt, "le": le, "lt": lt, "choices": choices}
    return dataclasses.field(default=default, metadata=metadata, kw_only=kw_only)


def fields_of(cls: Any) -> list[dataclasses.Field[Any]]:
    """Return the options of a class; those shared with other classes (keyword-only fields) come last."""
    return sorted(dataclasses.fields(cls), key=lambda field: bool(field.kw_only))


def written_name(field: str) -> str:
    """Return the name of a field as a spec writes it.

    Examples
    --------
    >>> written_name("n_components"), written_name("lambda_")
    ('n-components', 'lambda')
    """
    return field.rstrip("_").replace("_", "-")


_LIMITS: tuple[tuple[str, str, Callable[[Any, Any], bool]], ...] = (
    ("ge", "at least", lambda value, limit: value >= limit),
    ("gt", "above", lambda value, limit: value > limit),
    ("le", "at most", lambda value, limit: value <= limit),
    ("lt", "below", lambda value, limit: value < limit),
)


def check(instance: Any, name: str) -> None:
    """Check every field of a dataclass against its declared type and range.

    Raises
    ------
    OptionError
        Naming the option, its value and the accepted values.
    """
    hints = typing.get_type_hints(type(instance))
    for field in dataclasses.fields(instance):
        check_value(getattr(instance, field.name), field, hints[field.name], f"{name}: {written_name(field.name)}")


def check_value(value: Any, field: dataclasses.Field[Any], hint: Any, label: str) -> None:
    """Check one value against the declared type (`hint`) and range of its field.

    Raises
    ------
    OptionError
        Naming the `label`, the value and what it should be.
    """
    if value is None and allows_none(hint):
        return
    choices = field.metadata.get("choices")
    if choices is not None and value not in choices:
        raise OptionError(f"{label} is one of {', '.join(choices)}; got {value!r}")
    if not isinstance(value, _accepted(hint)) or (isinstance(value, bool) and bool not in _accepted(hint)):
        raise OptionError(f"{label} should be {type_name(hint)}; got {value!r}")
    if value == () and field.default:
        raise OptionError(f"{label} should be {type_name(hint)}; got none")
    for part in value if isinstance(value, tuple | list) else (value,):
        if isinstance(part, float) and math.isinf(part):
            raise OptionError(f"{label} should be a finite number; got {part:g}")
        for key, words, holds in _LIMITS:
            limit = field.metadata.get(key)
            if limit is not None and not holds(part, limit):
                raise OptionError(f"{label} should be {words} {_plain(limit)}; got {_plain(part)}")
        if isinstance(part, float) and math.isnan(part):
            raise OptionError(f"{label} should be a number; got nan")


def _plain(number: float) -> str:
    return str(number) if isinstance(number, int) else f"{number:g}"


def convert(text: str, hint: Any, label: str) -> Any:
    """Turn the text of one option into a value of the declared type.

    Examples
    --------
    >>> convert("1000-500-30", tuple[int, ...], "sizes")
    (1000, 500, 30)
    >>> convert("zip,code", tuple[str, ...], "categorical")
    ('zip', 'code')
    >>> convert("yes", bool, "binary")
    True
    >>> convert("many", int, "pca: n-components")
    Traceback (most recent call last):
    encoders.errors.OptionError: pca: n-components should be a whole number; got 'many'
    """
    if allows_none(hint) and text.lower() in {"none", ""}:
        return None
    kinds = _accepted(hint)
    try:
        if tuple in kinds:
            inner = typing.get_args(_without_none(hint))[0]
            if inner is str:
                return tuple(part for part in text.split(",") if part)
            read = {int: read_whole, float: read_number}.get(inner, inner)
            return tuple(read(part) for part in text.split("-"))
        if bool in kinds:
            return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[text.lower()]
        if int in kinds and float not in kinds:
            return read_whole(text)
        if float in kinds:
            return read_whole(text) if int in kinds and not set(".eE") & set(text) else read_number(text)
    except (ValueError, KeyError):
        raise OptionError(f"{label} should be {type_name(hint)}; got {shortened(text)}") from None
    return text


def text_of(value: Any) -> str:
    """Write a value so that `convert` reads it back.

    Examples
    --------
    >>> text_of((1000, 500)), text_of(True), text_of(0.001), text_of(None)
    ('1000-500', 'true', '0.001', 'none')
    """
    if value is None:
        return "none"
    if isinstance(value, tuple):
        return ("," if isinstance(next(iter(value), None), str) else "-").join(str(part) for part in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)


def texts_of(instance: Any, full: bool = False) -> tuple[str | None, dict[str, str]]:
    """Return the options that differ from the defaults, or all (`full`), as texts: the first, the others by name."""
    positional, named = None, {}
    for position, field in enumerate(fields_of(type(instance))):
        value = getattr(instance, field.name)
        if position == 0 and (full or value != field.default or isinstance(value, int)):
            positional = text_of(value)
        elif position and (full or value != field.default):
            named[written_name(field.name)] = text_of(value)
    return positional, named


def allows_none(hint: Any) -> bool:
    """Return whether ``None`` is a declared value."""
    return type(None) in typing.get_args(hint)


def is_numbers(hint: Any) -> bool:
    """Return whether an option has several numbers, joined by hyphens."""
    return tuple in _accepted(hint) and str not in typing.get_args(_without_none(hint))


def type_name(hint: Any) -> str:
    """Return the name of a type in plain English."""
    kinds = _accepted(hint)
    if tuple in kinds:
        return "whole numbers joined by '-'" if is_numbers(hint) else "names joined by ','"
    if bool in kinds:
        return "true or false"
    if float in kinds:
        return "a number"
    return "a whole number" if int in kinds else "a text"


def _without_none(hint: Any) -> Any:
    if isinstance(hint, types.UnionType):
        return next(part for part in typing.get_args(hint) if part is not type(None))
    return hint


def _accepted(hint: Any) -> tuple[type, ...]:
    parts = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    kinds: list[type] = []
    for part in parts:
        origin = typing.get_origin(part) or part
        if origin is float:
            kinds += [float, int]
        elif isinstance(origin, type) and origin is not type(None):
            kinds.append(origin)
    return tuple(kinds)
