"""The command line, from the declarations that ``--help`` shows."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import typer
from regions import table

import cli


def commands() -> Iterator[tuple[str, Any]]:
    """Give every command with its name, as in ``recommend for``; groups are left out."""
    for name, command in _app().commands.items():
        members = getattr(command, "commands", None)
        if members is None:
            yield name, command
        else:
            for word, member in members.items():
                yield f"{name} {word}", member


@cache
def _app() -> Any:
    """Return the prepared command line: typer prepares it slowly, and pages ask for it at every word."""
    return typer.main.get_command(cli.app)


def option_words(command: Any) -> set[str]:
    """Return the option words that a command takes."""
    return {"--help", *(word for option in _options(command) for word in [*option.opts, *option.secondary_opts])}


def global_words() -> set[str]:
    """Return the options that stand before any command."""
    return {"--debug"} | option_words(_app())


def write_commands() -> str:
    """Return a list of all commands, and one section for each."""
    parts = [_list_of_commands()]
    parts += [_section(name, command) for name, command in commands()]
    parts.append("## Options before any command\n\n" + _option_table(_app(), "nearby"))
    return "\n\n".join(parts)


def _list_of_commands() -> str:
    rows = [[f"[`{name}`](#nearby-{name.replace(' ', '-')})", _paragraphs(command)[0]] for name, command in commands()]
    return table(["command", "what it does"], rows)


def _section(name: str, command: Any) -> str:
    context = _context(command, f"nearby {name}")
    usage = command.get_usage(context).removeprefix("Usage:").strip()
    parts = [f"## nearby {name}", f"```text\n{usage}\n```", *_paragraphs(command)]
    arguments = [one for one in command.params if not _is_option(one)]
    if arguments:
        parts.append(table(["argument", "meaning"], [_row(one, context) for one in arguments]))
    if _options(command):
        parts.append(_option_table(command, f"nearby {name}"))
    return "\n\n".join(parts)


def _paragraphs(command: Any) -> list[str]:
    return [" ".join(text.split()) for text in (command.help or "").strip().split("\n\n")]


def _options(command: Any) -> list[Any]:
    return [one for one in command.params if _is_option(one) and not one.hidden and "completion" not in one.opts[0]]


def _is_option(param: Any) -> bool:
    return str(param.opts[0]).startswith("-")


def _option_table(command: Any, name: str) -> str:
    context = _context(command, name)
    return table(["option", "meaning"], [_row(option, context) for option in _options(command)])


def _context(command: Any, name: str) -> Any:
    return type(command).context_class(command, info_name=name, show_default=True, max_content_width=100)


def _row(param: Any, context: Any) -> list[str]:
    """Return what ``--help`` prints of an option or argument: how it is written, what it means, its default."""
    written, meaning = param.get_help_record(context) or ("", "")
    return [f"`{written}`", meaning]
