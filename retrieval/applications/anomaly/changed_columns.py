"""Columns of a table that hold something else than in the fit: most of their values mean nothing to the detector."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import cast

import numpy as np
from numpy.typing import NDArray

from encoders.numbers import shortened
from encoders.progress import say_once
from encoders.row import Row
from encoders.table.column_coders import OTHER
from encoders.table.columns import Columns
from retrieval.applications.anomaly.detector import AnomalyDetector
from retrieval.corpora.base import Corpus

#: Rows that are looked at: a column that has changed has changed from the first row on. A few rows may be anomalies.
LOOKED_AT, FEWEST = 2000, 20
#: A column is named where more than this share of its values is new, but not half as many were in the fit.
MOST = 0.5


def say_changed_columns(detector: AnomalyDetector, corpus: Corpus) -> None:
    """Say which columns of the first rows of a corpus are unlike those of the fit; other items have none."""
    table = detector.members[0].stages.table
    if table is None:
        return
    rows = [cast("Row", item.content) for item in islice(corpus, LOOKED_AT)]
    for line in changed_columns(table, rows, (detector.normal_items.rows or [])[:LOOKED_AT]):
        say_once(line)


def changed_columns(table: Columns, rows: Sequence[Row], training: Sequence[Row] = ()) -> list[str]:
    """Return a sentence for each column most of whose values are new to the fit.

    A category is new if it shares the component of rare and unseen ones; a number or date if it is no such value, or
    missing where none was missing in the fit. A table may have a column of rare categories: what is as usual among the
    training rows is no change.

    Parameters
    ----------
    table : Columns
        Fitted.
    rows : sequence of Row
    training : sequence of Row
        Some rows of the fit.

    Examples
    --------
    >>> fitted = [Row(("city",), ("Rome" if at % 2 else "Oslo",)) for at in range(9)]
    >>> changed_columns(Columns().fit(fitted), [Row(("city",), (float(at),)) for at in range(30)], fitted)
    ["city: 30 of the first 30 values are new to the detector (such as '0'): is it the same column as in the fit?"]
    """
    lines = []
    usual = _new_values(table, training)
    for name, new in _new_values(table, rows).items():
        count, before = int(new.sum()), usual.get(name)
        if len(rows) < FEWEST or count <= MOST * len(rows) or (before is not None and before.mean() >= MOST / 2):
            continue
        value = rows[int(np.argmax(new))][name]
        odd = "missing" if value is None else f"such as {shortened(value if isinstance(value, str) else f'{value:g}')}"
        lines.append(
            f"{name}: {count:,} of the first {len(rows):,} values are new to the detector ({odd}): is it the "
            "same column as in the fit?"
        )
    return lines


def _new_values(table: Columns, rows: Sequence[Row]) -> dict[str, NDArray[np.bool_]]:
    """Return which values of each encoded column are new to the fit, bool (n,)."""
    if not rows:
        return {}
    codes, names, types = table.encode(rows), table.vocabulary or [], table.column_types()
    unread = table.unread_columns(rows)
    new = {}
    for name, part in table.components_of().items():
        if types[name] == "categorical":
            new[name] = codes[:, part.start + names[part].index(f"{name} {OTHER}")] > 0
        else:
            may_miss = f"{name} missing" in names[part]
            new[name] = np.array(
                [name in unread.get(at, ()) or (row[name] is None and not may_miss) for at, row in enumerate(rows)]
            )
    return new
