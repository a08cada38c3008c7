"""The command blocks of a page: they are read, run as one session, and their output is written back.

A block marked ``console`` shows commands after ``$`` and their output. A block marked ``sh`` shows commands alone. A
block whose first line is a comment that begins with ``# needs`` (a server, the network, ...) is not run. A block with
``title="FILE"`` is written to that file. All blocks of a page run in one new folder, in their order.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_PROGRESS = re.compile(r"\d (s|min) (so far|left)(,|$)")  # printed only where a machine is slow
_FENCE = re.compile(r"^```(\w*)(?: title=\"([^\"]+)\")?\s*$")
#: Seconds that one command may take.
LONGEST = 600


@dataclass
class Command:
    """One command of a block, and the lines of output below it."""

    text: str
    output: list[str] = field(default_factory=list)


@dataclass
class Block:
    """One fenced block: its language, first line in the page, its lines, and the file that it is."""

    language: str
    start: int
    lines: list[str]
    title: str | None = None

    @property
    def needs(self) -> str | None:
        """What the block needs before it can be run, or None."""
        first = self.lines[0] if self.lines else ""
        return first.removeprefix("# needs").strip() if first.startswith("# needs") else None

    def commands(self) -> list[Command]:
        """Return the commands of a ``console`` or ``sh`` block."""
        prompt = "$ " if self.language == "console" else ""
        found: list[Command] = []
        for line in self.lines:
            if found and found[-1].text.endswith("\\"):
                found[-1].text += "\n" + line
            elif line.startswith(prompt) and line.strip() and not line.startswith("#"):
                found.append(Command(line.removeprefix(prompt)))
            elif self.language == "console" and found:
                found[-1].output.append(line)
        return found


def blocks(page: str) -> list[Block]:
    """Return the fenced blocks of a page.

    Examples
    --------
    >>> blocks("# A\\n\\n```console\\n$ echo a\\na\\n```\\n")[0].commands()
    [Command(text='echo a', output=['a'])]
    """
    found: list[Block] = []
    inside = False
    for number, line in enumerate(page.splitlines(), start=1):
        if inside and line.startswith("```"):
            inside = False
        elif inside:
            found[-1].lines.append(line)
        elif line.startswith("```"):
            fence = _FENCE.match(line)
            found.append(Block(fence[1] if fence else "", number + 1, [], fence[2] if fence else None))
            inside = True
    return found


def run(page: str, folder: Path) -> Iterator[tuple[Block, list[Command]]]:
    """Run the blocks of a page in a folder; give each ``console`` or ``sh`` block with what its commands printed.

    Raises
    ------
    RuntimeError
        When a command fails.
    """
    environment = _environment(folder)
    work = folder / "session"
    work.mkdir()
    for block in blocks(page):
        if block.title:
            (work / block.title).write_text("\n".join(block.lines) + "\n", encoding="utf-8")
        if block.language in ("console", "sh") and block.needs is None:
            yield block, [Command(one.text, _output(one.text, work, environment)) for one in block.commands()]


def rewritten(page: str, folder: Path) -> str:
    """Return a page with the output of every ``console`` block as it is now."""
    lines = page.splitlines()
    for block, commands in reversed(list(run(page, folder))):
        if block.language == "console":
            shown = [line for one in commands for line in [*f"$ {one.text}".splitlines(), *one.output, ""]]
            lines[block.start - 1 : block.start - 1 + len(block.lines)] = shown[:-1]
    return "\n".join(lines) + "\n"


def nearby_commands(text: str) -> Iterator[list[str]]:
    """Give the words after ``nearby`` for each call of it in a command, up to a pipe or the next command.

    Examples
    --------
    >>> list(nearby_commands("nearby info films --json | head -3"))
    [['info', 'films', '--json']]
    """
    lexer = shlex.shlex(text.replace("\\\n", " "), posix=True, punctuation_chars="|;&")
    lexer.whitespace_split, lexer.commenters = True, "#"
    words: list[str] | None = None
    for word in [*lexer, ";"]:
        if set(word) <= set("|;&"):
            if words is not None:
                yield words
            words = None
        elif words is not None:
            words.append(word)
        elif word == "nearby":
            words = []


def _environment(folder: Path) -> dict[str, str]:
    """Return an environment in which ``nearby`` is this program, and which has no corpora but those built in."""
    programs = folder / "programs"
    programs.mkdir()
    python = shlex.quote(sys.executable)
    for name, command in {"nearby": f"{python} {shlex.quote(str(ROOT / 'cli.py'))}", "python": python}.items():
        (programs / name).write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        (programs / name).chmod(0o755)
    (folder / "data").mkdir()
    return {
        **os.environ,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "NEARBY_DATA": str(folder / "data"),
        "NO_COLOR": "1",
        "COLUMNS": "100",
    }


def _output(command: str, folder: Path, environment: dict[str, str]) -> list[str]:
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LONGEST,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{command}\n{done.stdout}\nended with exit code {done.returncode}")
    lines = [line.rstrip() for line in done.stdout.rstrip("\n").splitlines()]
    return [line for line in lines if not _PROGRESS.search(line)]
