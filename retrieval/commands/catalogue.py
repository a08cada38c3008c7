"""Verbs that list what there is to choose from: encoders and corpora."""

from __future__ import annotations

from typing import Annotated

import typer

from retrieval.commands.parameters import AsJson, argument
from retrieval.commands.printing import emit
from retrieval.report.terminal.view import Output


def encoders(
    name: Annotated[str | None, argument("[ENCODER]", "Only this encoder, e.g. bm25.")] = None, as_json: AsJson = False
) -> None:
    """List the encoders: what each is, what it reads, and its options."""
    from retrieval.report.terminal.catalogue import encoders_json, encoders_lines

    emit(Output(encoders_lines, encoders_json, name), as_json)


def corpora(
    formats: Annotated[
        bool, typer.Option("--formats", help="List the formats of files and folders, and their options.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the corpora known by name: what they hold, size, licence, and whether they are on this machine."""
    from retrieval.corpora.catalogue import catalogue
    from retrieval.report.terminal.catalogue import corpora_json, corpora_lines, formats_json, formats_lines

    if formats:
        emit(Output(formats_lines, formats_json), as_json)
    else:
        emit(Output(corpora_lines, corpora_json, catalogue()), as_json)
