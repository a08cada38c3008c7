"""Which items a detector learns from, and which are held out: normal items by label, split at random or by order."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from encoders.errors import CorpusError, OptionError, UnknownNameError
from encoders.numbers import counted
from retrieval.applications.anomaly.repeats import content_digest, groups_of
from retrieval.corpora.base import Corpus, Item
from retrieval.search.result import show

#: What an item is used for.
UNUSED, TRAINING, HELD_OUT, TEST = 0, 1, 2, 3
#: Labels that a message names.
SHOWN_LABELS = 12


class Part(Corpus):
    """The items of a corpus with one use; re-iterable, nothing is stored.

    Parameters
    ----------
    corpus : Corpus
    uses : ndarray uint8 (n,)
        The use of each item, in the order of the corpus.
    use : int
    """

    def __init__(self, corpus: Corpus, uses: NDArray[np.uint8], use: int) -> None:
        self.corpus, self.uses, self.use = corpus, uses, use
        self.name, self.modality = corpus.name, corpus.modality

    def __iter__(self) -> Iterator[Item]:
        wanted = (self.uses == self.use).tolist()
        position = -1
        for position, item in enumerate(self.corpus):
            if position >= len(wanted):
                break
            if wanted[position]:
                yield item
        if position + 1 != len(wanted):
            raise CorpusError(
                f"'{self.name}' changed while it was read: it had {counted(len(wanted), 'item')}, now it has another "
                "number"
            )

    @property
    def size(self) -> int:
        """Number of items."""
        return int((self.uses == self.use).sum())


@dataclass(frozen=True)
class Labelled:
    """The labels of a corpus, and which items are normal.

    Attributes
    ----------
    labels : list of str or None
    normal : ndarray bool (n,)
    groups : ndarray int64 (n,)
        Equal normal items have one group; see `repeats.groups_of`. -1 for items that are not normal.
    digests : ndarray uint64 (n,)
        Of the contents; 0 for items that are not normal.
    """

    labels: list[str | None]
    normal: NDArray[np.bool_]
    groups: NDArray[np.int64]
    digests: NDArray[np.uint64]

    @property
    def names(self) -> list[str]:
        """The labels that occur."""
        return sorted({label for label in self.labels if label is not None})


def read_labels(corpus: Corpus, normal: Sequence[str] = ()) -> Labelled:
    """Read the labels of a corpus; an item is normal if it has one of the labels `normal`, or if none is given.

    Raises
    ------
    UnknownNameError
        For a label that no item has.
    CorpusError
        When there is no item, or no item has a label and labels are given.
    """
    labels: list[str | None] = []
    digests, chosen = array("Q"), set(normal)
    for item in corpus:
        labels.append(item.label)
        digests.append(content_digest(item.content) if not chosen or item.label in chosen else 0)
    if not labels:
        raise CorpusError(f"'{corpus.name}' holds no items: give data with at least one")
    known = {label for label in labels if label is not None}
    if normal and not known:
        raise CorpusError(
            f"the items of '{corpus.name}' have no labels, so --normal {normal[0]} picks none: leave --normal out, or "
            "name the field of the labels with ?label="
        )
    for name in normal:
        if name not in known:
            raise UnknownNameError("label", name, _few(known, name))
    flags = np.array([not chosen or label in chosen for label in labels], dtype=bool)
    groups = np.full(len(labels), -1, np.int64)
    known_digests = np.array(digests, np.uint64)
    groups[flags] = groups_of(known_digests[flags])
    return Labelled(labels, flags, groups, known_digests)


def _few(known: set[str], name: str) -> list[str]:
    """Return labels for a message: all, or some and the nearest one."""
    from encoders.errors import closest

    if len(known) <= SHOWN_LABELS:
        return sorted(known)
    near = closest(name, known)
    return [near] if near else [*sorted(known)[:SHOWN_LABELS], "..."]


def ids_and_digests(corpus: Corpus) -> tuple[list[str], NDArray[np.uint64]]:
    """Return the id of every item, and the digest of its content."""
    ids, digests = [], array("Q")
    for item in corpus:
        ids.append(item.id)
        digests.append(content_digest(item.content))
    return ids, np.array(digests, np.uint64)


def titles_of(corpus: Corpus, wanted: set[int]) -> dict[int, str]:
    """Return the title of the items at some positions that have one."""
    titles = {position: (item.id, show(item).title) for position, item in enumerate(corpus) if position in wanted}
    return {position: title for position, (id, title) in titles.items() if title is not None and title != id}


def split(
    normal: NDArray[np.bool_],
    hold_out: float,
    test: float = 0.0,
    by_order: bool = False,
    seed: int = 0,
    groups: NDArray[np.int64] | None = None,
) -> NDArray[np.uint8]:
    """Return the use of every item: normal items are split into training, held-out and test items.

    Items of one group go to the same part, so parts are as large as asked up to a group. Groups so few that a part
    would be empty are not kept together.

    Parameters
    ----------
    normal : ndarray bool (n,)
    hold_out, test : float
        Shares of the normal items.
    by_order : bool
        The first normal items are for training, the next are held out, the last are for the test; otherwise at random.
        A repeat goes where its first item goes.
    seed : int
    groups : ndarray int64 (n,), optional
        The group of each item; by default each item is one.

    Returns
    -------
    ndarray uint8 (n,)
        Items that are not normal are `UNUSED`.

    Raises
    ------
    OptionError
        When a part would be empty.

    Examples
    --------
    >>> split(np.ones(5, dtype=bool), 0.4, by_order=True).tolist()
    [1, 1, 1, 2, 2]
    >>> split(np.ones(6, dtype=bool), 0.4, by_order=True, groups=np.array([0, 1, 2, 2, 0, 3])).tolist()
    [1, 1, 1, 1, 1, 2]
    """
    positions = np.flatnonzero(normal)
    held, tested = (round(share * len(positions)) for share in (hold_out, test))
    training = len(positions) - held - tested
    if training < 2 or held < 1 or (test and tested < 1):
        few = counted(len(positions), "normal item") + (" is" if len(positions) == 1 else " are")
        raise OptionError(
            f"{few} too few to train with and to hold some out: give more data, hold out a smaller share, or pick "
            "other items with --normal"
        )
    normal_groups = np.arange(len(positions)) if groups is None else groups[positions]
    _, first, inverse, sizes = np.unique(normal_groups, return_index=True, return_inverse=True, return_counts=True)
    order = np.argsort(first)
    if not by_order:
        order = np.random.default_rng(seed).permutation(order)
    middles = np.cumsum(sizes[order]) - sizes[order] / 2
    part_of = np.empty(len(sizes), dtype=np.uint8)
    part_of[order] = np.array([TRAINING, HELD_OUT, TEST], np.uint8)[
        np.searchsorted([training, training + held], middles)
    ]
    uses = np.full(len(normal), UNUSED, dtype=np.uint8)
    uses[positions] = part_of[inverse]
    wanted = {TRAINING, HELD_OUT, TEST} if test else {TRAINING, HELD_OUT}
    if groups is not None and set(part_of.tolist()) != wanted:
        return split(normal, hold_out, test, by_order, seed)
    return uses
