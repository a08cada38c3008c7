"""What every reply is: a JSON object."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

#: A value of a row.
Cell = str | float | bool | None
#: What the work said to a person becomes these notes.
Notes = Annotated[list[str], Meta(description="What a person should know, e.g. columns that a row lacks.")]


class Reply(msgspec.Struct):
    """A JSON object."""


class PartialReply(Reply, omit_defaults=True):
    """A JSON object whose absent parts are left out."""


class Document(Reply):
    """A document of nearby; its own schema describes it."""

    document: dict[str, Any]


class Progress(Reply):
    """An event of long work: what it does, and how far it is."""

    text: str
