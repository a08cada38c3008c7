"""Why an item is strange: the components that raise its score, and the nearest normal items beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from encoders.codes import Modality
from encoders.row import Row
from retrieval.applications.anomaly.combination import rank_among
from retrieval.applications.anomaly.component import Component
from retrieval.applications.anomaly.member import Member
from retrieval.applications.anomaly.normal_items import NormalItems
from retrieval.applications.anomaly.reconstruction_error import ReconstructionError
from retrieval.applications.anomaly.stages import COLUMN, dense
from retrieval.applications.anomaly.table_rows import (
    as_codes_of_a_row,
    column_components,
    column_positions,
    equal_shares,
)
from retrieval.corpora.base import Content
from retrieval.search.result import Shown

Floats = NDArray[np.float64]
#: The most components that are replaced one by one to see how the score changes.
MAX_REPLACED = 4096
#: How the share of a component was found.
BY_ERROR = "of the reconstruction error"
BY_REPLACEMENT = "of the fall of the score when a component gets its expected value"
BY_INFINITY = "of the score: the row of an infinite value is stranger than every other"
BY_COLUMN = "of the fall of the score when a column gets its expected value"


@dataclass(frozen=True)
class NearestNormal:
    """A normal training item near a strange one."""

    shown: Shown
    distance: float


@dataclass(frozen=True)
class Explanation:
    """Why one item has its score, in the space in which it is strangest.

    Attributes
    ----------
    space : str
        The spec of that space.
    score : float
        Of the whole detector.
    p_value : float
    by_space : dict of str to float
        The score of each space.
    means : str
        What a share is a share of.
    components : list of Component
        Largest share first; those without a share are left out. Empty if there are too many components to try.
    nearest : list of NearestNormal
        Nearest first.
    item, expected : ndarray or None
        The item and its reconstruction as pictures uint8, if it is one.
    heat : ndarray float64 (h, w) or None
        The share of each pixel.
    by_column : bool
        The components are the columns of a table, with values in their own units.
    unknown_words : list of str
        Words of a text that are not in the vocabulary of the space: no score sees them, so they have no share.
    """

    space: str
    score: float
    p_value: float
    by_space: dict[str, float]
    means: str
    components: list[Component]
    nearest: list[NearestNormal]
    item: NDArray[np.uint8] | None = None
    expected: NDArray[np.uint8] | None = None
    heat: Floats | None = None
    by_column: bool = False
    unknown_words: list[str] = field(default_factory=list)


def explained(
    members: Sequence[Member],
    scores: Sequence[Floats],
    content: Content,
    score: float,
    p_value: float,
    normal_items: NormalItems,
    k: int,
) -> Explanation:
    """Explain the score of one item; see `AnomalyDetector.explain`."""
    strangest = 0
    if len(members) > 1:
        pairs = zip(members, scores, strict=True)
        strangest = int(np.argmax([rank_among(member.reference, member_scores)[0] for member, member_scores in pairs]))
    member = members[strangest]
    row = member.stages.read([content])
    shares, expected, means = _shares(member, row)
    observed = dense(row)[0].astype(np.float64)
    near = _nearest(member, content, k)
    spaces = {str(one.encoder): float(member_scores[0]) for one, member_scores in zip(members, scores, strict=True)}
    pictures: dict[str, Any] = {}
    if member.stages.shape is not None:
        shape = member.stages.shape
        pictures = {
            "item": _picture(observed, shape),
            "expected": _picture(expected, shape),
            "heat": _heat(shares, shape),
        }
    table = member.stages.table
    if table is not None and isinstance(content, Row):
        infinite = table.infinite_columns([content]).get(0, [])
        if infinite:
            shares, means = equal_shares(table, infinite), BY_INFINITY
        first = normal_items.rows[near[0][0]] if normal_items.rows and near else None
        components = column_components(table, shares, content, observed, expected, first)
    else:
        values = _first_values(normal_items, near, len(observed))
        components = _components(member, shares, observed, expected, values)
    nearest = [NearestNormal(normal_items.shown(at), distance) for at, distance in near]
    return Explanation(
        str(member.encoder), score, p_value, spaces, means, components, nearest, **pictures,
        by_column=table is not None, unknown_words=_unknown_words(member, content),
    )  # fmt: skip


def _unknown_words(member: Member, content: Content) -> list[str]:
    from encoders.text.bag_of_words import BagOfWords

    reader = member.stages.reader
    return reader.unknown_words(content) if isinstance(reader, BagOfWords) and isinstance(content, str) else []


def _shares(member: Member, row: Any) -> tuple[Floats, Floats, str]:
    """Return the share (dim,) and the expected value (dim,) of each component, and what a share means."""
    stages, score = member.stages, member.score
    if isinstance(score, ReconstructionError):
        parts, _, expected = (values[0] for values in score.by_component(row))
        return _normalised(parts), expected, BY_ERROR
    width = stages.width
    if stages.decodes:
        expected = stages.reconstruct(row)[0].astype(np.float64)
    else:
        expected = np.zeros(width) if issparse(row) else member.mean
    parts = np.zeros(width)
    if stages.table is not None:  # a column of several components gets its expected value as a whole
        expected = as_codes_of_a_row(stages.table, expected)
        tried = column_positions(stages.table)
    else:
        odd = row.indices if issparse(row) else np.flatnonzero(dense(row)[0] != expected.astype(np.float32))
        tried = [odd[at : at + 1] for at in range(len(odd))] if len(odd) <= MAX_REPLACED else []
    if 0 < len(tried) <= MAX_REPLACED:
        changed = np.repeat(dense(row), len(tried), axis=0)
        for changed_row, positions in zip(changed, tried, strict=True):
            changed_row[positions] = expected[positions]
        replaced: Any = type(row)(changed) if issparse(row) else changed
        parts[[positions[0] for positions in tried]] = score.score_rows(row)[0] - score.score_rows(replaced)
    return _normalised(parts), expected, BY_REPLACEMENT if stages.table is None else BY_COLUMN


def _normalised(parts: Floats) -> Floats:
    positive = np.maximum(np.nan_to_num(parts), 0)
    largest = float(positive.max(initial=0.0))
    if not largest:
        return positive
    positive = positive / largest  # the sum of very large parts would be infinite
    return np.asarray(positive / positive.sum())


def _nearest(member: Member, content: Content, k: int) -> list[tuple[int, float]]:
    """Return the rows of the nearest normal items with their distances, nearest first."""
    neighbours = member.nearest(content, k)
    pairs = zip(neighbours.rows[0].tolist(), neighbours.distances[0].tolist(), strict=True)
    return [(row, distance) for row, distance in pairs if row >= 0]


def _first_values(normal_items: NormalItems, near: Sequence[tuple[int, float]], width: int) -> Floats | None:
    """Return the values of the nearest normal item, if they are kept as they are read."""
    contents = normal_items.contents
    if contents is None or not near or contents.ndim != 2 or contents.shape[1] != width:
        return None
    return np.asarray(contents[near[0][0]], dtype=np.float64)


def _components(
    member: Member, shares: Floats, observed: Floats, expected: Floats, nearest: Floats | None
) -> list[Component]:
    positions = np.argsort(-shares, kind="stable")
    positions = positions[shares[positions] > 0]
    if member.encoder.reads is Modality.TEXT:  # unexpected words: those that the text has
        positions = positions[observed[positions] > 0]
    return [
        Component(
            component_name(member, int(at)),
            float(shares[at]),
            float(observed[at]),
            float(expected[at]),
            None if nearest is None else float(nearest[at]),
        )
        for at in positions
    ]


def component_name(member: Member, position: int) -> str:
    """Return the name of a component: a word, a column by name or number, a pixel by row and column."""
    words, shape = member.stages.words, member.stages.shape
    if words is not None:
        return words[position]
    if shape is None:
        return f"{COLUMN} {position}"
    row, column, *channel = (int(number) for number in np.unravel_index(position, shape))
    return f"row {row}, column {column}" + (f", {('red', 'green', 'blue')[channel[0]]}" if channel else "")


def _picture(values: Floats, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    return np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8).reshape(shape)


def _heat(shares: Floats, shape: tuple[int, ...]) -> Floats:
    heat = shares.reshape(shape)
    return np.asarray(heat.sum(axis=2) if heat.ndim == 3 else heat)
