"""The measures of a run, from their table and the docstrings of their functions."""

from __future__ import annotations

import re

from docstrings import read
from regions import table

from retrieval.evaluation.measures import MEASURES, OTHER_NAMES

#: The first words of the paragraphs that every docstring has -> the words before them on the page.
_FACTS = ("Answers", "Definition", "Range", "Ties", "Source")


def write_measures() -> str:
    """Return one table of all measures, and one section for each."""
    rows = [[written(name), _summary(name), _other_names(name)] for name in MEASURES]
    parts = [table(["measure", "value for one query", "also called"], rows)]
    parts += [f"### {name}\n\n{_facts(name)}" for name in MEASURES]
    return "\n\n".join(parts)


def written(name: str) -> str:
    """Return the texts of a measure, without and with a cutoff.

    Examples
    --------
    >>> written("P"), written("AP")
    ('`P@10`', '`AP`, `AP@10`')
    """
    return f"`{name}@10`" if MEASURES[name][1] else f"`{name}`, `{name}@10`"


def _summary(name: str) -> str:
    return read(MEASURES[name][0]).summary.partition(": ")[2]


def _other_names(name: str) -> str:
    return ", ".join(sorted(other for other, known in OTHER_NAMES.items() if known == name))


def _facts(name: str) -> str:
    """Return the definition, range, ties and source of a measure as a list."""
    text = read(MEASURES[name][0]).details
    paragraphs = re.split(rf"^(?=(?:{'|'.join(_FACTS)}):)", text, flags=re.MULTILINE)
    facts = [" ".join(paragraph.split()).partition(": ") for paragraph in paragraphs if paragraph.strip()]
    return "\n".join(f"- **{head}:** {said}" for head, _, said in facts)
