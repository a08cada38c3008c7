"""The version of nearby."""

from __future__ import annotations

from functools import cache

from encoders.artifact import DISTRIBUTION


@cache
def version() -> str:
    """Return the version that is installed, as ``nearby --version`` prints it."""
    from importlib import metadata

    return metadata.version(DISTRIBUTION)
