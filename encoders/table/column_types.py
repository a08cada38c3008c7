"""The type of each column: guessed from its values, or given by the user; and which columns are left out."""

from __future__ import annotations

from typing import NamedTuple

from encoders.numbers import counted, shortened
from encoders.table.column_coders import CategoricalColumn, ColumnCoder, DateColumn, NumericColumn
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


def choose(survey: ColumnSurvey, rules: Rules) -> Choice:
    """Return how a column is coded.

    A column is numeric, or holds dates, when `MOST` of its values do; it is categorical otherwise. A column of texts
    that differ in most rows is an identifier, and left out.
    """
    if not survey.present:
        return Choice(None, "no values")
    role = survey.role or _guessed(survey)
    if role == "categorical":
        return _categorical(survey, rules)
    if role == "date":
        survey.turn_into_dates()
    else:
        survey.turn_into_numbers()
    if not survey.sample.seen:
        what = "date" if role == "date" else "number"
        return Choice(None, f"no {what} among its values", "")
    unread = survey.unread
    missing = survey.missing + unread > 0
    scaling = fitted_scaling(survey.sample.numbers(), rules.log and role == "numeric")
    what = "dates" if role == "date" else "numbers"
    such_as = "" if survey.odd is None else f", such as {shortened(survey.odd, 30)},"
    note = (
        f"{survey.name}: {unread:,} of {counted(survey.present, 'value')} are no {what}{such_as} and count as missing"
        if unread
        else ""
    )
    if role == "date":
        return Choice(DateColumn(survey.name, missing, scaling, times=survey.times), note=note)
    return Choice(NumericColumn(survey.name, missing, scaling, whole=survey.whole), note=note)


def _guessed(survey: ColumnSurvey) -> str:
    if survey.sample.seen >= MOST * survey.present:
        return "date" if survey.dated else "numeric"
    return "date" if survey.texts >= MOST * survey.present and survey.looks_like_dates() else "categorical"


def _categorical(survey: ColumnSurvey, rules: Rules) -> Choice:
    counts = survey.categories()
    different = max(len(counts), survey.different)
    many = f"more than {COUNTED:,}" if survey.forgot else f"{different:,}"
    if survey.role is None and different > max(_FEW, survey.present / 2):
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
