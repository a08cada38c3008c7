"""The Python reference: a directive of mkdocstrings for each name of ``nearby``."""

from __future__ import annotations

import nearby


def write_reference() -> str:
    """Return one directive for each name, which the site replaces by its signature and docstring."""
    return "\n\n".join(_directive(name, place.replace(":", ".")) for name, place in sorted(nearby._NAMES.items()))


def _directive(name: str, place: str) -> str:
    return f"::: {place}\n    options:\n      heading: nearby.{name}\n      toc_label: {name}"
