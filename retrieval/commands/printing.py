"""What verbs print: results on standard output, all else on standard error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from retrieval.report.terminal.printable import escaped, printable, standard_output
from retrieval.report.terminal.view import Styled, View

if TYPE_CHECKING:
    from retrieval.corpora.base import BadEntries


def emit(view: View, as_json: bool) -> None:
    """Print what a verb found: as JSON, or as lines of a terminal."""
    if as_json:
        print_json(view.to_json())
    else:
        print_text("\n".join(line if isinstance(line, Styled) else printable(line) for line in view.lines()))


def print_json(value: Any) -> None:
    """Print a result as JSON, in which what is not a finite number is null."""
    from retrieval.report.json import finite

    print_text(escaped(json.dumps(finite(value), indent=1, ensure_ascii=False, default=str, allow_nan=False)))


def print_text(text: str) -> None:
    """Print the result of a verb."""
    with standard_output():
        typer.echo(text)


def say(line: str) -> None:
    """Say how the work goes on, beside the result: on standard error."""
    typer.echo(printable(line), err=True)


@contextmanager
def reported(bad: BadEntries) -> Iterator[BadEntries]:
    """Say which entries were left out, above all when none was left and the work failed."""
    try:
        yield bad
    finally:
        report_bad(bad)


def report_bad(bad: BadEntries) -> None:
    """Say which entries were left out."""
    for line in bad.found:
        say(f"left out: {line}")
