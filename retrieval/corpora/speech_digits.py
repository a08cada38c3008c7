"""The Free Spoken Digit Dataset: 3,000 recordings of ten digits by six speakers, 8 kHz.

Z. Jackson, https://github.com/Jakobovski/free-spoken-digit-dataset.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from encoders.codes import Modality
from encoders.errors import CorpusError, UnknownNameError
from encoders.options import option
from retrieval.corpora.base import Item, OnBad, raise_bad
from retrieval.corpora.sounds import Sounds
from retrieval.corpora.source import Source

PATTERN = "{digit}_{speaker}_{take}"
#: Takes below this number are the test recordings, as its authors split it.
TEST_TAKES = 5
SPLITS = ("train", "test", "all")


@dataclass(eq=False)
class SpeechDigits(Source):
    """Spoken digits: recordings of 8 kHz; the label is the digit or the speaker, and the test takes are the queries.

    ``digit``, ``speaker`` and ``take`` are metadata too. All recordings are decoded once and kept in memory (21 MB).
    """

    path: Path
    name: str = "speech-digits"
    on_bad: OnBad = raise_bad
    label: str = option("digit", "What the label is.", choices=("digit", "speaker"))
    split: str = option(
        "train",
        "With train, takes 5-49 are the items and test takes, 0-4, the queries; with test, test takes are both; "
        "with all, all takes are both.",
        choices=SPLITS,
    )
    leave_out: str | None = option(
        None, "Leave a speaker out of the items, e.g. jackson: only the recordings of this speaker are queries."
    )

    modality = Modality.SOUND

    def __post_init__(self) -> None:
        self._held: list[Item] = []

    def items(self) -> Iterator[Item]:
        """Give the recordings of the split, from the beginning."""
        return (item for item in self._load() if self._in(item, self.split) and not self._is_left_out(item))

    @property
    def queries_are_items(self) -> bool:
        """False when the test takes, or those of the speaker that is left out, are the queries."""
        return self.split != "train" and self.leave_out is None

    def queries(self) -> Iterator[Item]:
        """Give the test takes, with ``all`` every take; only of the speaker that is left out, if one is."""
        split = "all" if self.split == "all" else "test"
        return (
            item
            for item in self._load()
            if self._in(item, split) and (self.leave_out is None or self._is_left_out(item))
        )

    def _in(self, item: Item, split: str) -> bool:
        return split == "all" or (int(item.metadata["take"]) < TEST_TAKES) == (split == "test")

    def _is_left_out(self, item: Item) -> bool:
        return item.metadata["speaker"] == self.leave_out

    def _load(self) -> list[Item]:
        if not self._held:
            # With the rate given, the headers of the files need not be read first.
            recordings = list(Sounds(self.path, self.name, self.on_bad, pattern=PATTERN, label=self.label, rate=8_000))
            self._held = [
                replace(item, id="_".join(item.metadata.values())) for item in recordings if _has_number(item)
            ]
            if not self._held:
                raise CorpusError(f"{self.path} holds no recordings named {PATTERN}.wav")
        speakers = {item.metadata["speaker"] for item in self._held}
        if self.leave_out not in (None, *speakers):
            raise UnknownNameError("speaker", str(self.leave_out), speakers)
        return self._held


def _has_number(item: Item) -> bool:
    return item.metadata["take"].isascii() and item.metadata["take"].isdecimal()
