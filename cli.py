"""The command line: one function per verb. It parses, calls `retrieval`, prints; nothing else."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer

from encoders.errors import NearbyError

app = typer.Typer(
    name="nearby",
    help="Which representation of my data puts similar things near each other?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
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
