"""20 Newsgroups, the "bydate" version: 18,846 postings in 20 groups, split into train and test by date.

Headers, signatures and quotations name the group, the author and the thread: a classifier finds the group by
them. They are stripped by the rules of scikit-learn's
``fetch_20newsgroups(remove=("headers", "footers", "quotes"))``, so that results compare with published ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from encoders.codes import Modality
from encoders.errors import CorpusError
from encoders.options import option
from retrieval.corpora.base import Item, OnBad, raise_bad
from retrieval.corpora.folder_files import ReadOptions, read_files
from retrieval.corpora.source import Source

_QUOTED = re.compile(r"(writes in|writes:|wrote:|says:|said:|^In article|^Quoted from|^\||^>)")
_SUBJECT = re.compile(r"^Subject:[ \t]*(.*)$", re.MULTILINE | re.IGNORECASE)
_NAME = re.compile(r"20news-bydate-(train|test)/([^/]+)/([^/]+)$")


@dataclass(eq=False)
class Newsgroups(Source):
    """20 Newsgroups: postings in 20 groups; the label is the group, and the test postings are the queries.

    The subject is the title; it is a header, so it is not part of the text. A posting without any text after headers,
    signatures and quotations are removed is left out; `dropped` counts them.
    """

    path: Path
    name: str = "20newsgroups"
    on_bad: OnBad = raise_bad
    split: str = option(
        "train",
        "With train, training postings are the items and test postings the queries; with test, test postings are both.",
        choices=("train", "test"),
    )
    raw: bool = option(False, "With true, headers, signatures and quotations stay in the text.")

    modality = Modality.TEXT

    def __post_init__(self) -> None:
        self._held: dict[str, list[Item]] = {}
        self._dropped: dict[str, int] = {}

    def items(self) -> Iterator[Item]:
        """Give the postings of the split, from the beginning."""
        return iter(self._load()[self.split])

    @property
    def queries_are_items(self) -> bool:
        """False when the test postings are the queries."""
        return self.split != "train"

    def queries(self) -> Iterator[Item]:
        """Give the test postings."""
        return iter(self._load()["test"])

    @property
    def size(self) -> int | None:
        """Number of postings with something left in them."""
        return len(self._load()[self.split])

    @property
    def dropped(self) -> dict[str, int]:
        """How many postings of each split were left out, nothing being left of them."""
        self._load()
        return dict(self._dropped)

    def _load(self) -> dict[str, list[Item]]:
        # 22 MB of text behind half a second of xz: small enough to read once and hold.
        if self._held:
            return self._held
        held: dict[str, list[Item]] = {"train": [], "test": []}
        self._dropped = {"train": 0, "test": 0}
        for file in read_files(self.path, lambda name: _NAME.search(name) is not None, ReadOptions(self.on_bad)):
            split, group, number = _NAME.search(file.name).groups()  # type: ignore[union-attr]
            posting = file.raw.decode("latin-1")
            text = posting if self.raw else strip_posting(posting)
            if not text.strip():
                self._dropped[split] += 1
                continue
            subject = _SUBJECT.search(posting.partition("\n\n")[0])
            held[split].append(Item(f"{split}/{group}/{number}", text, subject and subject[1].strip(), group))
        if not held["train"] or not held["test"]:
            raise CorpusError(f"{self.path} holds no folders 20news-bydate-train and 20news-bydate-test")
        self._held = held
        return held


def strip_posting(posting: str) -> str:
    r"""Return what the author wrote for this posting: no headers, no quotations, no signature.

    Examples
    --------
    >>> strip_posting("From: me\nSubject: x\n\nJoe wrote:\n> old\nNew words.\n--\nme@here\n")
    'New words.'
    """
    return strip_quotations(strip_signature(strip_headers(posting)))


def strip_headers(posting: str) -> str:
    """Remove everything before the first blank line."""
    return posting.partition("\n\n")[2]


def strip_quotations(text: str) -> str:
    """Remove quoted lines, and lines that introduce them."""
    return "\n".join(line for line in text.split("\n") if not _QUOTED.search(line))


def strip_signature(text: str) -> str:
    """Remove everything after the last line that is blank or holds only hyphens."""
    lines = text.strip().split("\n")
    last = next((position for position in reversed(range(len(lines))) if not lines[position].strip().strip("-")), 0)
    return "\n".join(lines[:last]) if last > 0 else text
