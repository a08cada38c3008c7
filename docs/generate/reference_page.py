"""The Python reference: a directive of mkdocstrings for each name of ``nearby``."""

from __future__ import annotations

import nearby


def write_reference() -> str:
    """Return one directive for each name, which the site replaces by its signature and docstring."""
    return "\n\n".join(_directive(name, location.replace(":", ".")) for name, location in sorted(nearby._NAMES.items()))


def _directive(name: str, location: str) -> str:
    return f"::: {location}\n    options:\n      heading: nearby.{name}\n      toc_label: {name}"
