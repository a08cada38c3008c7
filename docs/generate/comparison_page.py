"""The fields of ``comparison.json``, from its JSON Schema."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from regions import table

from retrieval.report.comparison_file import schema


def write_comparison_fields() -> str:
    """Return one row for each field."""
    return table(["field", "type", "meaning"], list(_rows("", schema())))


def _rows(prefix: str, node: dict[str, Any]) -> Iterator[list[str]]:
    """Give the fields of an object; those of objects inside lists and dictionaries follow their field."""
    for name, field in node.get("properties", {}).items():
        path = f"{prefix}{name}"
        yield [f"`{path}`", _type(field), field.get("description", "")]
        inner = field.get("items") or field.get("additionalProperties") or field
        mark = "[]." if field.get("type") == "array" else ".*." if field.get("additionalProperties") else "."
        if isinstance(inner, dict):
            yield from _rows(f"{path}{mark}", inner)


def _type(field: dict[str, Any]) -> str:
    if "const" in field:
        return str(field["const"])
    if "enum" in field:
        return " or ".join(field["enum"])
    kinds = field["type"] if isinstance(field["type"], list) else [field["type"]]
    return " or ".join(kinds)
