"""The type of each column: guessed from its values, or given by the user; and which columns are left out."""

from __future__ import annotations

from typing import NamedTuple

from encoders.numbers import counted
from encoders.table.column_coders import CategoricalColumn, ColumnCoder, DateColumn, NumericColumn
from encoders.table.column_notes import unread_note, way_notes
from encoders.table.column_survey import COUNTED, MOST, ColumnSurvey
from encoders.table.scaling import fitted_scaling

#: A column with more different texts than this, most of which occur once, is an identifier.
_FEW = 20


class Choice(NamedTuple):
    """What becomes of a column: its coder, or why it is left out; and what the user should know."""

    coder: ColumnCoder | None
    reason: str = ""
    note: str = ""


class Rules(NamedTuple):
    """The options by which columns are coded."""

    max_categories: int
    rare: float
    log: bool
    decimal: str
    date_order: str


def choose(survey: ColumnSurvey, rules: Rules) -> Choice:
    """Return how a column is coded.

    A column is numeric, or holds dates, when `MOST` of its values do; it is categorical otherwise. All rows count. A
    column of texts that differ in most rows is an identifier, and left out.
    """
    if not survey.present:
        return Choice(None, "every value is missing")
    role = survey.role or _guessed(survey, rules)
    if role == "categorical":
        return _categorical(survey, rules)
    is_date = role == "date"
    way = date_way(survey, rules) if is_date else number_way(survey, rules)
    seconds = is_date and survey.role == "date"
    ways = survey.readings.dates if is_date else survey.readings.numbers
    read = survey.read(ways, way, with_numbers=seconds or not is_date)
    if not read.sample.seen:
        return Choice(None, f"no {role if is_date else 'number'} among its values", "")
    missing = survey.missing + read.unread > 0
    scaling = fitted_scaling(read.sample.numbers(), rules.log and not is_date)
    note = "; ".join([*unread_note(survey, read, is_date), *way_notes(survey, way, is_date, rules)])
    note = note and f"{survey.name}: {note}"
    if is_date:
        times = not read.sample.days
        return Choice(DateColumn(survey.name, missing, scaling, True, way, times, seconds), note=note)
    return Choice(NumericColumn(survey.name, missing, scaling, read.sample.whole, way), note=note)


def number_way(survey: ColumnSurvey, rules: Rules) -> str:
    """Return whether the numbers of a column have a decimal point or a decimal comma."""
    return survey.readings.numbers.best() if rules.decimal == "auto" else rules.decimal


def date_way(survey: ColumnSurvey, rules: Rules) -> str:
    """Return whether the month or the day stands first in dates that do not say it, or that there are none."""
    if rules.date_order != "auto":
        return rules.date_order
    return survey.readings.dates.best() if survey.readings.free else "none"


def _guessed(survey: ColumnSurvey, rules: Rules) -> str:
    enough, readings = MOST * survey.present, survey.readings
    if _number_count(survey, rules) >= enough:
        return "numeric"
    return "date" if readings.dates.count(date_way(survey, rules)) >= enough else "categorical"


def _number_count(survey: ColumnSurvey, rules: Rules) -> int:
    """Return how many values are numbers."""
    return survey.numbers.seen + survey.readings.numbers.count(number_way(survey, rules)) - survey.readings.codes


def _categorical(survey: ColumnSurvey, rules: Rules) -> Choice:
    counts = survey.categories()
    different = max(len(counts), survey.different)
    many = f"more than {COUNTED:,}" if survey.forgot else f"{different:,}"
    if survey.role is None and different > max(_FEW, survey.present / 2):
        numbers = _number_count(survey, rules)
        if 2 * numbers >= survey.present:  # such as a column that holds inf
            return Choice(
                None, f"{numbers:,} of {counted(survey.present, 'value')} are numbers, too few (numeric= reads them)"
            )
        return Choice(None, f"{many} different texts in {counted(survey.present, 'row')}, as an identifier has")
    smallest = rules.rare if rules.rare >= 1 else rules.rare * survey.rows
    frequent = [text for text, count in counts.items() if count >= smallest]
    kept = sorted(sorted(frequent), key=lambda text: -counts[text])[: rules.max_categories]
    if not kept:
        share = f"{rules.rare:g} rows" if rules.rare >= 1 else f"{100 * rules.rare:g} % of the rows"
        return Choice(None, f"{many} different texts, each in fewer than {share} (rare= changes that)")
    note = ""
    if len(frequent) > len(kept):
        note = (
            f"{survey.name}: the {len(kept):,} most frequent of {many} categories are kept, the others are "
            "joined (max-categories= changes that)"
        )
    numbers = not survey.texts
    return Choice(CategoricalColumn(survey.name, survey.missing > 0, tuple(sorted(kept)), numbers), note=note)
