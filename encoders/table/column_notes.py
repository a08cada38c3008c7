"""What the user should know of a column that was read as numbers or dates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from encoders.numbers import counted, shortened
from encoders.table.column_survey import ColumnSurvey, ReadColumn
from encoders.table.dates import date_text, seconds_of
from encoders.table.number_text import number_in

if TYPE_CHECKING:
    from encoders.table.column_types import Rules

#: Letters of a text in a note.
_LONGEST = 30


def unread_note(survey: ColumnSurvey, read: ReadColumn, is_date: bool) -> list[str]:
    """Return how many values are no numbers, or no dates."""
    if not read.unread:
        return []
    such_as = "" if read.odd is None else f", such as {shortened(read.odd, _LONGEST)},"
    what = "dates" if is_date else "numbers"
    return [f"{read.unread:,} of {counted(survey.present, 'value')} are not {what}{such_as} and count as missing"]


def way_notes(survey: ColumnSurvey, way: str, is_date: bool, rules: Rules) -> list[str]:
    """Return what a reader of the column may take for something else."""
    if is_date:
        return _order_note(survey, rules)
    return [*_decimal_note(survey, way, rules), *_mark_notes(survey), *_code_notes(survey)]


def _order_note(survey: ColumnSurvey, rules: Rules) -> list[str]:
    dates = survey.readings.dates
    if rules.date_order != "auto" or not dates.undecided():
        return []
    text = str(dates.differing)
    first, second = (date_text(seconds_of(text, way), False) for way in dates.ways)
    return [
        f"{shortened(text, _LONGEST)} may be {first} or {second}, and no date of the column decides: the month stands "
        "first, as in ISO 8601 (date-order=day changes that)"
    ]


def _decimal_note(survey: ColumnSurvey, way: str, rules: Rules) -> list[str]:
    numbers = survey.readings.numbers
    text = numbers.differing
    # 1.234 alone is the usual way of a file; a number such as 12.5 beside 1,234 decides
    if rules.decimal != "auto" or not numbers.undecided() or "," not in str(text) or not survey.numbers.whole:
        return []
    first, second = (f"{number_in(str(text), one):g}" for one in numbers.ways)
    return [
        f"{shortened(text, _LONGEST)} may be {first} or {second}, and no number of the column decides: it is {first} "
        "(decimal=comma changes that)"
    ]


def _mark_notes(survey: ColumnSurvey) -> list[str]:
    marks = survey.readings.marks
    notes = []
    if marks["%"] and survey.numbers.seen + sum(marks.values()) > marks["%"]:
        notes.append(f"{marks['%']:,} of {counted(survey.present, 'value')} are percentages: 5% is 0.05, and 5 is 5")
    signs = sorted(set(marks) - {"", "%"})
    if len(signs) > 1:
        notes.append(f"its numbers are in several currencies ({', '.join(signs)}), which are not converted")
    return notes


def _code_notes(survey: ColumnSurvey) -> list[str]:
    readings = survey.readings
    keep = f"if they are codes, categorical={survey.name} keeps them apart"
    if readings.code is not None:
        code = shortened(readings.code, _LONGEST)
        return [
            f"{readings.codes:,} of {counted(survey.present, 'value')} are written as codes are, such as {code}: {keep}"
        ]
    if readings.same is not None:
        shorter, longer = (shortened(text, _LONGEST) for text in readings.same)
        return [f"{shorter} and {longer} are the same number: {keep}"]
    return []
