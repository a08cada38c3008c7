"""The call of a tool by a language model: its arguments are read as the tool's signature says, or refused by name."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import msgspec

from encoders.errors import closest
from retrieval.service.problem import Problem
from retrieval.service.refusals import refusal


class Calls:
    """The arguments that each tool takes.

    Parameters
    ----------
    tools : mapping of str to callable
        The functions by the names of the tools; their parameters are annotated.
    """

    def __init__(self, tools: Mapping[str, Callable[..., Any]]) -> None:
        self._structs = {name: _arguments_of(name, tool) for name, tool in tools.items()}

    def read(self, name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of a call of a tool. Null is left out, and a list may be written as a text.

        Raises
        ------
        Problem
            For an unknown tool, and for arguments that are unknown, missing or of another kind.

        Examples
        --------
        >>> def near(id: str, k: int = 10, spaces: list[str] | None = None) -> None: ...
        >>> calls = Calls({"near": near})
        >>> calls.read("near", {"id": "7", "k": None, "spaces": '["bm25"]'})
        {'id': '7', 'spaces': ['bm25']}
        >>> for arguments in {}, {"id": 7}, {"id": "7", "space": "bm25"}:
        ...     try:
        ...         calls.read("near", arguments)
        ...     except Problem as problem:
        ...         print(problem)
        near lacks the argument 'id'
        id should be a text; got a whole number
        near has no argument 'space'; did you mean 'spaces'?
        """
        if name not in self._structs:
            near = closest(name[:100], self._structs)
            hint = f"did you mean '{near}'?" if near else f"there are {', '.join(self._structs)}"
            raise Problem(404, f"no tool '{name[:100]}'; {hint}")
        kind = self._structs[name]
        given = {key: value for key, value in arguments.items() if value is not None}
        try:
            read = msgspec.convert(given, kind, strict=False)
        except msgspec.ValidationError:  # some clients write a list as the text of its JSON
            try:
                read = msgspec.convert({key: _list_in(value) for key, value in given.items()}, kind, strict=False)
            except msgspec.ValidationError as error:
                raise Problem(422, refusal(error, kind, name, "argument")) from None
        return {key: getattr(read, key) for key in given}


def _list_in(value: Any) -> Any:
    if isinstance(value, str) and value.lstrip().startswith("["):
        with suppress(ValueError, RecursionError):
            return json.loads(value)
    return value


def _arguments_of(name: str, tool: Callable[..., Any]) -> type[msgspec.Struct]:
    fields: list[Any] = [
        (one.name, one.annotation) if one.default is one.empty else (one.name, one.annotation, one.default)
        for one in inspect.signature(tool, eval_str=True).parameters.values()
    ]
    return msgspec.defstruct(name, fields, forbid_unknown_fields=True, kw_only=True)
