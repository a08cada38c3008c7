"""The command line: verbs are in `retrieval/commands`; what all of them share is here, from words to exit code."""

from __future__ import annotations

import sys

try:
    import traceback
    import warnings
    from collections.abc import Callable
    from contextvars import copy_context
    from copy import copy
    from typing import Annotated, Any

    import typer
    from typer.core import TyperGroup

    from encoders.errors import NearbyError
    from retrieval.commands import (
        anomalies,
        catalogue,
        codes,
        collections,
        compare,
        compression,
        measure,
        recommend,
        search,
        training,
    )
    from retrieval.commands.printing import print_text, say
    from retrieval.report.terminal.printable import escaped
    from retrieval.signals_and_memory import fit_into_memory, memory_sentence, stopping
except KeyboardInterrupt:  # somebody pressed Ctrl-C before there was anything to stop
    sys.stderr.write("nearby: stopped\n")
    sys.exit(1)

#: What typer returns when the user pressed Ctrl-C.
INTERRUPTED = 130


class Verbs(TyperGroup):
    """A group that prints the whole first sentence of each verb, which typer would cut."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the verbs in the order in which they were added."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, verb.get_short_help_str(200)) for name, verb in self.commands.items()])


# Plain help: drawing it with rich takes 70 ms.
SETTINGS: dict[str, Any] = {"max_content_width": 100, "show_default": True, "help_option_names": ["-h", "--help"]}
app = typer.Typer(
    name="nearby",
    cls=Verbs,
    help="Which representation of my data puts similar things near each other?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings=SETTINGS,
)
recommending = typer.Typer(
    cls=Verbs,
    help="Factorise ratings: predict missing ones, recommend items, find similar items.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
detecting = typer.Typer(
    cls=Verbs,
    help="Detect anomalies: items unlike normal ones, with p-values that say how often a normal item is as strange.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

#: The verbs in the order in which --help lists them.
VERBS: tuple[Callable[..., None], ...] = (
    catalogue.encoders, catalogue.corpora, collections.index, training.train, collections.add, collections.delete,
    collections.compact, collections.info, search.search, search.serve, search.mcp, codes.encode, codes.decode,
    codes.reconstruct, codes.denoise, codes.sample, codes.interpolate, codes.convert, codes.classify,
    measure.evaluate, compare.compare, measure.health, measure.tune, compare.demo, measure.analyze,
    compression.compress, compression.decompress, compression.compression_curve,
)  # fmt: skip
RECOMMENDING: dict[str, Callable[..., None]] = {
    "fit": recommend.fit, "predict": recommend.predict, "similar": recommend.similar, "for": recommend.suggest,
}  # fmt: skip
DETECTING: tuple[Callable[..., None], ...] = (anomalies.fit, anomalies.score, anomalies.explain, anomalies.compare)

for verb in VERBS:
    app.command()(verb)
for name, verb in RECOMMENDING.items():
    recommending.command(name)(verb)
for verb in DETECTING:
    detecting.command()(verb)
app.add_typer(recommending, name="recommend")
app.add_typer(detecting, name="anomalies")


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print_text(f"nearby {version('nearby-spaces')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    trust: Annotated[
        bool,
        typer.Option(
            "--trust", help="Trust the Elasticsearch server that a collection's folder names: send it your credentials."
        ),
    ] = False,
) -> None:
    """Hold the options that stand before any verb."""
    if trust:
        from indexers.elasticsearch.trust import trust_folders

        trust_folders()


def _warn(message: Warning | str, *location: Any) -> None:
    """Say a warning as one line: where in the code it was raised helps no user."""
    say(f"warning: {' '.join(str(message).split())}")


def _global_first(arguments: list[str]) -> list[str]:
    """Put --trust before the verb, wherever it was written; behind ``--`` it is a word like any other."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    if "--trust" not in arguments[:end]:
        return arguments
    return ["--trust", *(word for word in arguments[:end] if word != "--trust"), *arguments[end:]]


def _bare_as_auto(arguments: list[str], name: str) -> list[str]:
    """Write ``name=auto`` for an option that may go without a value: typer has no such options."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    followers = [*arguments[1:], "--"]
    return [
        f"{name}=auto" if word == name and position < end and after.startswith("-") else word
        for position, (word, after) in enumerate(zip(arguments, followers, strict=False))
    ]


def _app_for(arguments: list[str]) -> typer.Typer:
    """Return the command line with the verb that is asked for alone: typer would prepare all of them."""
    verb = next((word for word in arguments if not word.startswith("-")), "")
    name = verb.replace("-", "_")
    commands = [info for info in app.registered_commands if getattr(info.callback, "__name__", "") == name]
    groups = [info for info in app.registered_groups if info.name == verb]
    if not commands and not groups:  # none, or a wrong one, whose neighbours are suggested
        return app
    narrowed = copy(app)
    narrowed.registered_commands, narrowed.registered_groups = commands, groups
    return narrowed


def main() -> None:
    """Run the command line.

    An error of the user's making is one sentence and exit code 2; Ctrl-C, SIGTERM and SIGHUP are exit code 1.
    """
    debug = "--debug" in sys.argv
    arguments = _global_first([argument for argument in sys.argv[1:] if argument != "--debug"])
    arguments = _bare_as_auto(arguments, "--contaminated")
    if not debug:
        warnings.showwarning = _warn  # type: ignore[assignment]
    with stopping() as stopped:
        try:
            fit_into_memory(arguments)
            code = copy_context().run(_app_for(arguments), arguments, prog_name="nearby", standalone_mode=False)
        except SystemExit:
            raise
        except BaseException as error:
            if stopped() or isinstance(error, typer.Abort):  # a library may have made another error of it
                _stop()
            _fail(error, debug)
    if code == INTERRUPTED:
        _stop()
    sys.exit(code)


def _stop() -> None:
    say("nearby: stopped")
    sys.exit(1)


def _fail(error: BaseException, debug: bool) -> None:
    """Say an error in one sentence; one that is a fault of nearby, or with ``--debug`` any, by where it was raised."""
    if isinstance(error, typer.TyperException) and error.format_message().startswith("Usage: "):  # no verb is named
        typer.echo(error.format_message(), err=True)
        sys.exit(2)
    said = None if debug else _sentence(error)
    if said is None:
        typer.echo(escaped(traceback.format_exc()), nl=False, err=True)
        sys.exit(1)
    say(f"nearby: {said}")
    sys.exit(2)


def _sentence(error: BaseException) -> str | None:
    if isinstance(error, typer.TyperException):
        said, context = error.format_message().rstrip("."), getattr(error, "ctx", None)
        return f"{said[:1].lower()}{said[1:]} (see {context.command_path if context else 'nearby'} --help)"
    if isinstance(error, NearbyError):
        return str(error) if error.__cause__ is None else memory_sentence(error.__cause__) or str(error)
    if isinstance(error, OSError) and memory_sentence(error) is None:
        return f"{error.filename or 'the system'}: {error.strerror or error}"
    return memory_sentence(error)


if __name__ == "__main__":
    main()
