"""Options and arguments that several verbs share, and how their values are read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from encoders.numbers import is_whole, read_number, read_share, read_whole, shortened
from encoders.options import LARGEST_SEED
from retrieval.commands.printing import say

if TYPE_CHECKING:
    from retrieval.corpora.base import Corpus


def whole(*names: str, help: str, lowest: int, highest: int | None = None) -> Any:
    """Declare an option that is a whole number, read as everywhere in nearby."""

    def read(text: Any) -> int:
        if isinstance(text, int):  # the default
            return text
        if not is_whole(text, lowest, highest):
            limits = f"at least {lowest:,}" if highest is None else f"from {lowest:,} to {highest:,}"
            raise typer.BadParameter(f"expected a whole number, {limits}; got {shortened(text)}")
        return read_whole(text)

    return typer.Option(*names, help=help, parser=read, metavar="INTEGER")


def number(text: Any) -> float:
    """Read an option that is a number, as everywhere in nearby."""
    try:
        return text if isinstance(text, float) else read_number(text)
    except ValueError as error:
        raise typer.BadParameter(f"expected a number; {error}") from None


def share(text: Any) -> float:
    """Read an option that is a share: 1% or 0.01."""
    try:
        return text if isinstance(text, float) else read_share(text)
    except ValueError as error:
        raise typer.BadParameter(f"expected a share such as 1% or 0.01; {error}") from None


def option(*names: str, help: str, metavar: str) -> Any:
    """Declare an option with a value."""
    return typer.Option(*names, help=help, metavar=metavar)


def argument(name: str, help: str) -> Any:
    """Declare an argument."""
    return typer.Argument(metavar=name, help=help, show_default=False)


AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Print every option of a space, including defaults.")]
SkipBad = Annotated[bool, typer.Option("--skip-bad", help="Leave bad entries out, list them, and continue.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Start over and replace what is there.")]
CollectionFolder = Annotated[Path, argument("FOLDER", "Folder of a collection.")]
CorpusName = Annotated[str, argument("CORPUS", "Name or path of a corpus, e.g. digits or 'articles.csv?text=body'.")]
Target = Annotated[str, argument("CORPUS", "Name or path of a corpus, or folder of a collection.")]
Spaces = Annotated[
    list[str] | None,
    option("-s", "--space", help="A space of the collection; repeat for several. Default: all.", metavar="SPACE"),
]
ChosenSpaces = Annotated[
    list[str] | None,
    option(
        "-s",
        "--space",
        metavar="SPACE",
        help="A space, e.g. pixels+pca:30; repeat for several. Default: some that suit the corpus.",
    ),
]
OneSpace = Annotated[str, option("-s", "--space", help="A space of the collection.", metavar="SPACE")]
Seed = Annotated[int, whole("--seed", help="Random seed.", lowest=0, highest=LARGEST_SEED)]
JudgedBy = Annotated[
    str,
    option(
        "--judged-by",
        metavar="RUNG",
        help="What decides relevance: qrels, labels, known-item or agreement. auto: the first that the corpus has.",
    ),
]
ReportFolder = option("-o", "--out", help="Folder for the HTML report.", metavar="FOLDER")


def default_spaces_of(corpus: Corpus) -> tuple[str, ...]:
    """Return spaces that suit a corpus when none is named, and say which."""
    from retrieval.spaces.defaults import default_spaces

    specs = default_spaces(corpus)
    say(f"no space is named, so nearby uses:  {' '.join(f'-s {spec}' for spec in specs)}")
    return tuple(specs)
