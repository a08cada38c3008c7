"""Judges of conversions: classifiers that are independent of the space, and items that they were not trained on."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.corpora.base import Item

#: Largest number of items of each nuisance that the classifiers are not trained on, and their share.
HELD_OUT, HELD_SHARE = 30, 0.2


@dataclass(frozen=True)
class Classifier:
    """A linear classifier of items, trained on real ones.

    Attributes
    ----------
    classes : list of str
    model : scikit-learn classifier
    """

    classes: list[str]
    model: Any

    def heard(self, rows: Any) -> list[str]:
        """Return the most probable class of each row."""
        return [str(name) for name in self.model.predict(np.asarray(rows))]

    def probability(self, rows: Any, wanted: Sequence[str]) -> NDArray[np.float64]:
        """Return the probability of one wanted class for each row, float64 (n,)."""
        columns = [self.classes.index(name) for name in wanted]
        probabilities: NDArray[np.float64] = self.model.predict_proba(np.asarray(rows))[
            np.arange(len(columns)), columns
        ]
        return probabilities


@dataclass(frozen=True)
class Known:
    """Items with what is known of them.

    Attributes
    ----------
    rows : array (n, dim)
        What the last stage of the space reads.
    items : list of Item
    nuisances, labels : list of str or None
        Of each item.
    """

    rows: Any
    items: list[Item]
    nuisances: list[str | None]
    labels: list[str | None]

    def where(self, chosen: Sequence[int]) -> Known:
        """Return some of the items."""
        return Known(
            np.asarray(self.rows)[list(chosen)],
            [self.items[at] for at in chosen],
            [self.nuisances[at] for at in chosen],
            [self.labels[at] for at in chosen],
        )


@dataclass(frozen=True)
class Judges:
    """The classifiers of a nuisance and of labels.

    Attributes
    ----------
    field : str
        The name of the nuisance, such as ``speaker``.
    nuisance, label : Classifier or None
        None if the items do not have two classes, or if the label is the nuisance.
    training, held_out : Known
        The items that they were trained on, and others.
    """

    field: str
    nuisance: Classifier | None
    label: Classifier | None
    training: Known
    held_out: Known

    def opinions(
        self, rows: Any, nuisances: Sequence[str], labels: Sequence[str | None], wanted: str
    ) -> dict[str, list[float]]:
        """Return the probability of the wanted nuisance, and of the own label, of each row.

        A measure is left out when its classifier does not know all of the classes.

        Parameters
        ----------
        rows : array (n, dim)
        nuisances : sequence of str
            The wanted nuisance of each row.
        labels : sequence of str or None
            The own label of each row.
        wanted : str
            The name of the wanted nuisance.
        """
        columns = {}
        if self.nuisance is not None and set(nuisances) <= set(self.nuisance.classes):
            columns[f"probability of {wanted}"] = self.nuisance.probability(rows, nuisances).tolist()
        known_labels = [name for name in labels if name is not None]
        if self.label is not None and len(known_labels) == len(labels) and set(known_labels) <= set(self.label.classes):
            columns["probability of its own label"] = self.label.probability(rows, known_labels).tolist()
        return columns


def judges_of(
    items: Sequence[Item],
    rows_of: Callable[[Sequence[Any]], Any],
    field: str | None,
    without: Collection[str] = (),
) -> Judges:
    """Train classifiers on items; some of each nuisance are held out.

    Parameters
    ----------
    items : sequence of Item
        In random order, or in the order of the corpus.
    rows_of : callable
        Contents -> what the last stage of the space reads.
    field : str, optional
        The field of the nuisance; None: the label.
    without : collection of str
        Ids of items that no classifier is trained on.
    """
    known = Known(
        rows_of([item.content for item in items]),
        list(items),
        [item.label_in(field) for item in items],
        [item.label for item in items],
    )
    held = _held_out(known.nuisances)
    absent = set(without)
    training = known.where([at for at, item in enumerate(items) if at not in held and item.id not in absent])
    return Judges(
        field or "label",
        _trained(training.rows, training.nuisances),
        None if field is None else _trained(training.rows, training.labels),
        training,
        known.where(sorted(held)),
    )


def _held_out(nuisances: Sequence[str | None]) -> set[int]:
    """Return the positions of the items that are held out: of each nuisance, evenly spread over its items."""
    positions: dict[str, list[int]] = defaultdict(list)
    for at, name in enumerate(nuisances):
        if name is not None:
            positions[name].append(at)
    held: set[int] = set()
    for of_one in positions.values():
        count = min(HELD_OUT, int(HELD_SHARE * len(of_one)))
        held.update(np.asarray(of_one)[np.linspace(0, len(of_one) - 1, count).astype(int)].tolist())
    return held


def _trained(rows: Any, values: Sequence[str | None]) -> Classifier | None:
    """Return a classifier; None if the rows do not have two classes."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if len(Counter(values).keys() - {None}) < 2:
        return None
    has = np.array([value is not None for value in values])
    names = np.array([str(value) for value in values])[has]
    # rows are few and wide: little regularisation would fit noise
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=200))
    model.fit(np.asarray(rows)[has], names)
    return Classifier([str(name) for name in model.classes_], model)
