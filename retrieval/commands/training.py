"""The verb that fits an encoder and saves it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from retrieval.commands.parameters import AsJson, CorpusName, Fresh, SkipBad, Verbose, argument, option
from retrieval.commands.printing import print_json, reported, say
from retrieval.report.terminal.printable import shell_line


def train(
    corpus: CorpusName,
    space: Annotated[str, argument("SPACE", "What to fit, e.g. pixels+deep-ae:256-128-16.")],
    out: Annotated[Path, option("-o", "--out", help="Folder of the encoder.", metavar="FOLDER")],
    time_budget: Annotated[
        str | None,
        option(
            "--time-budget",
            help="Time limit, e.g. 90s, 5m or 1h; a number alone is minutes. Time already spent counts when resuming.",
            metavar="TIME",
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Resume a training that was stopped.")] = False,
    fresh: Fresh = False,
    skip_bad: SkipBad = False,
    verbose: Verbose = False,
    as_json: AsJson = False,
) -> None:
    """Fit one encoder on a corpus and save it as a folder, to be used as a space: -s ./FOLDER.

    When training is stopped or its loss diverges, its state is in FOLDER.work, and --resume continues it. You may then
    change epochs, minutes, learning-rate, patience, batch-size and device.
    """
    from retrieval.collection.open import open_data
    from retrieval.corpora.base import BadEntries, Unique
    from retrieval.spaces.time_budget import read_minutes
    from retrieval.spaces.train import train_encoder
    from retrieval.spaces.training_folder import TrainingFolder

    minutes = None if time_budget is None else read_minutes(time_budget)
    try:
        with reported(BadEntries(skip_bad)) as bad, _watching() as watch:
            opened = Unique(open_data(corpus, on_bad=bad), bad)
            made = train_encoder(opened, space, out, minutes, resume, fresh, watch, say)
    except KeyboardInterrupt:
        say(f"nearby: stopped; {TrainingFolder(out).remains()}")
        sys.exit(1)
    if as_json:
        print_json(made.to_json())
    say(made.line())
    if verbose:
        say(f"all options: {made.encoder.spec(full=True)}")
    say(f"next: {shell_line(['nearby', 'index', corpus, '-s', made.as_space, '-o', 'FOLDER'])}")


@contextmanager
def _watching() -> Iterator[Any]:
    """Show the losses of a training while it runs, on a terminal."""
    from rich.console import Console

    from retrieval.report.terminal.training_curve import LiveCurve

    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    with LiveCurve(console) as watch:
        yield watch
