"""The command line: one function per verb. It parses, calls `retrieval`, prints; nothing else."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from encoders.errors import NearbyError

if TYPE_CHECKING:
    from retrieval.comparison import Comparison

app = typer.Typer(
    name="nearby",
    help="Which representation of my data puts similar things near each other?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
#: What `nearby demo` compares: the Euclidean space first, then the latent ones.
DEMO = {
    "digits": ["pixels", "pixels+pca:16", "pixels+pca:16+binarize"],
    "api-docs": ["bm25", "tfidf", "tfidf+lsa:128"],
}
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


@app.command()
def encoders(as_json: Json = False) -> None:
    """List the encoders, what they read, and their options."""
    import dataclasses

    from encoders.registry import ENCODERS, encoder_class

    rows: list[dict[str, Any]] = []
    for name, entry in ENCODERS.items():
        cls = encoder_class(name)
        fields = [
            {"name": field.name.replace("_", "-"), "default": field.default, "help": field.metadata.get("help", "")}
            for field in dataclasses.fields(cls)
        ]
        rows.append({"name": name, "reads": str(cls.reads), "summary": entry.summary, "options": fields})
    if as_json:
        _print_json(rows)
        return
    for row in rows:
        typer.echo(f"{row['name']:<10} {row['reads']:<7} {row['summary']}")
        for field in row["options"]:
            typer.echo(f"{'':<18} {field['name']}={field['default']}  {field['help']}")


@app.command()
def corpora(as_json: Json = False) -> None:
    """List the corpora known by name: size, licence, and whether they are here."""
    from retrieval.corpora.registry import catalogue

    rows = [info._asdict() for info in catalogue()]
    if as_json:
        _print_json(rows)
        return
    for row in rows:
        here = "here" if row["present"] else "not here"
        typer.echo(f"{row['name']:<14} {row['modality']:<6} {row['items'] or '?':>7} items  {here:<9} {row['licence']}")


@app.command()
def compare(
    corpus: Annotated[str, typer.Argument(help="A corpus name or path, e.g. digits or articles.csv?text=body.")],
    space: Annotated[list[str], typer.Option("-s", "--space", help="A space, e.g. pixels+pca:30; repeat.")],
    index: Annotated[str, typer.Option(help="The index of every space.")] = "auto",
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Folder for the HTML report.")] = None,
    as_json: Json = False,
) -> None:
    """Index a corpus in several spaces, ask the same queries in each, and compare the answers."""
    from retrieval.corpora.registry import open_corpus
    from retrieval.experiment import compare as compare_spaces
    from retrieval.provenance import provenance

    comparison = compare_spaces(open_corpus(corpus), space, index, provenance=provenance())
    _show([comparison], out, as_json)


@app.command()
def demo(
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the HTML report.")] = Path("nearby-demo"),
    as_json: Json = False,
) -> None:
    """Compare spaces on two corpora that need no download: handwritten digits and API documentation."""
    from retrieval.corpora.registry import open_corpus
    from retrieval.experiment import compare as compare_spaces
    from retrieval.provenance import provenance

    comparisons = []
    for corpus, spaces in DEMO.items():
        typer.echo(f"comparing {len(spaces)} spaces on {corpus} ...", err=True)
        comparisons.append(compare_spaces(open_corpus(corpus), spaces, provenance=provenance()))
    _show(comparisons, out, as_json)


def _show(comparisons: list[Comparison], out: Path | None, as_json: bool) -> None:
    from retrieval.report.page import write_page
    from retrieval.report.table import print_table, to_json

    if as_json:
        _print_json([to_json(comparison) for comparison in comparisons])
    else:
        for comparison in comparisons:
            print_table(comparison)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        typer.echo(f"report: {write_page(comparisons, out / 'report.html')}", err=True)


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=1, ensure_ascii=False, default=str))


def main() -> None:
    """Run the command line; an error of the user's making is one sentence and exit code 2."""
    debug = "--debug" in sys.argv
    try:
        app([argument for argument in sys.argv[1:] if argument != "--debug"])
    except NearbyError as error:
        if debug:
            raise
        typer.echo(f"nearby: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
