"""The encoders, the corpora and the formats of corpora, as plain lines of a terminal and as JSON values."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from encoders import options
from encoders.registry import ENCODERS, encoder_class
from retrieval.corpora.address import option_names
from retrieval.corpora.catalogue import CorpusInfo
from retrieval.corpora.registry import EMBEDDED, FORMATS, NAMED, load_class
from retrieval.report.terminal.listing import WIDTH, aligned

#: An option that every format has; `formats_lines` explains it once.
EVERYWHERE = "max-bytes"


def encoders_json(only: str | None = None) -> list[dict[str, Any]]:
    """Return every encoder, or `only` the one of this name: what it reads, and its options with their defaults."""
    if only is not None:
        encoder_class(only)  # refuses an unknown name
    rows = []
    for name, entry in ENCODERS.items():
        if only not in (None, name):
            continue
        cls = encoder_class(name)
        declared = [_option_json(field) for field in options.fields_of(cls)]
        rows.append(
            {"name": name, "reads": str(cls.reads), "summary": entry.summary, "use": entry.use, "options": declared}
        )
    return rows


def encoders_lines(only: str | None = None) -> list[str]:
    """Return the same as lines."""
    lines = []
    for row in encoders_json(only):
        lines += _indented(f"{row['name']:<18} {row['reads']:<7} {row['summary']}", 27)
        for option in row["options"]:
            default = options.text_of(option["default"]) if option["default"] is not None else "none"
            lines += _option_lines(f"{option['name']}={default}", option, 27)
    return lines


def corpora_json(corpora: Sequence[CorpusInfo]) -> list[dict[str, Any]]:
    """Return the corpora known by name, with the names of their options."""
    return [{**info._asdict(), "options": _options_of_corpus(info.name)} for info in corpora]


def corpora_lines(corpora: Sequence[CorpusInfo]) -> list[str]:
    """Return two lines for each corpus: a row of a table, and what the corpus holds."""
    rows = [
        [
            info.name, info.modality, "varies" if info.items is None else f"{info.items:,}",
            "here" if info.present else "not here", f"{info.bytes / 1e6:,.1f}" if info.bytes else "-", info.licence,
        ]
        for info in corpora
    ]  # fmt: skip
    head, *table = aligned(["corpus", "modality", "items", "where", "MB", "licence"], rows, right=[2, 4])
    lines = [head]
    for row, info in zip(table, corpora, strict=True):
        lines += [row, *_indented(f"  {info.summary}", 2)]
    return [*lines, "", "The formats of your own files, and their options:  nearby corpora --formats"]


def formats_json() -> list[dict[str, Any]]:
    """Return every format of a corpus file or folder: what it reads, and its options with their defaults."""
    rows = []
    for name, location in FORMATS.items():
        cls = load_class(location)
        summary = (cls.__doc__ or "").partition("\n")[0].replace("``", "")
        declared = [_option_json(field) for field in options.fields_of(cls) if "help" in field.metadata]
        rows.append({"name": name, "summary": summary, "options": declared})
    return rows


def formats_lines() -> list[str]:
    """Return the same as lines."""
    rows = formats_json()
    everywhere = next(option for row in rows for option in row["options"] if option["name"] == EVERYWHERE)
    lines = [
        "Write options behind the path, in quotes:  nearby compare 'articles.csv?text=body&label=topic'",
        *_indented(f"Every format also has {EVERYWHERE}: {everywhere['help']}", 2),
        "",
    ]
    for row in rows:
        lines += _indented(f"{row['name']:<8} {row['summary']}", 9)
        for option in row["options"]:
            default = "" if option["default"] is None else f"={options.text_of(option['default'])}"
            lines += _option_lines(f"{option['name']}{default}", option, 9, 16) if option != everywhere else []
    return lines


def _options_of_corpus(name: str) -> list[str]:
    return sorted(option_names(load_class((EMBEDDED.get(name) or NAMED[name]).location)))


def _option_json(field: Any) -> dict[str, Any]:
    return {
        "name": options.written_name(field.name),
        "default": field.default,
        "help": field.metadata.get("help", ""),
        "choices": field.metadata.get("choices"),
    }


def _option_lines(written: str, option: dict[str, Any], indent: int, width: int = 0) -> list[str]:
    """Return an option, its meaning and its choices; with a `width`, the meanings start in one column."""
    choices = f" Choices: {', '.join(option['choices'])}." if option["choices"] else ""
    text = f"{'':<{indent}}{f'{written}  ':<{width}}{option['help']}{choices}"
    return _indented(text, indent + (width or 3))


def _indented(text: str, indent: int) -> list[str]:
    return textwrap.wrap(text, WIDTH, subsequent_indent=" " * indent, break_on_hyphens=False)
