"""The command line, from the declarations that ``--help`` shows."""

from __future__ import annotations

from collections.abc import Iterator

import click
from regions import table

import cli


def commands() -> Iterator[tuple[str, click.Command]]:
    """Give every command with its name, as in ``recommend for``; groups are left out."""
    for name, command in cli.app.commands.items():
        if isinstance(command, click.Group):
            for word, member in command.commands.items():
                yield f"{name} {word}", member
        else:
            yield name, command


def option_words(command: click.Command) -> set[str]:
    """Return the option words that a command takes."""
    return {"--help", *(word for option in _options(command) for word in [*option.opts, *option.secondary_opts])}


def global_words() -> set[str]:
    """Return the options that stand before any command."""
    return {"--debug"} | option_words(cli.app)


def write_commands() -> str:
    """Return a list of all commands, and one section for each."""
    parts = [_list_of_commands()]
    parts += [_section(name, command) for name, command in commands()]
    parts.append("## Options before any command\n\n" + _option_table(cli.app, "nearby"))
    return "\n\n".join(parts)


def _list_of_commands() -> str:
    rows = [[f"[`{name}`](#nearby-{name.replace(' ', '-')})", _paragraphs(command)[0]] for name, command in commands()]
    return table(["command", "what it does"], rows)


def _section(name: str, command: click.Command) -> str:
    context = _context(command, f"nearby {name}")
    usage = command.get_usage(context).removeprefix("Usage:").strip()
    parts = [f"## nearby {name}", f"```text\n{usage}\n```", *_paragraphs(command)]
    arguments = [one for one in command.params if isinstance(one, click.Argument)]
    if arguments:
        parts.append(table(["argument", "meaning"], [_row(one, context) for one in arguments]))
    if _options(command):
        parts.append(_option_table(command, f"nearby {name}"))
    return "\n\n".join(parts)


def _paragraphs(command: click.Command) -> list[str]:
    return [" ".join(text.split()) for text in (command.help or "").strip().split("\n\n")]


def _options(command: click.Command) -> list[click.Parameter]:
    return [one for one in command.params if isinstance(one, click.Option) and not one.hidden]


def _option_table(command: click.Command, name: str) -> str:
    context = _context(command, name)
    return table(["option", "meaning"], [_row(option, context) for option in _options(command)])


def _context(command: click.Command, name: str) -> click.Context:
    return click.Context(command, info_name=name, show_default=True, max_content_width=100)


def _row(param: click.Parameter, context: click.Context) -> list[str]:
    """Return what ``--help`` prints of an option or argument: how it is written, what it means, its default."""
    written, meaning = param.get_help_record(context) or ("", "")
    return [f"`{written}`", meaning]
