"""What tables of texts share, whatever their format: which column or field is what."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from encoders.codes import Modality
from encoders.options import option
from retrieval.corpora.base import Item, OnBad, raise_bad
from retrieval.corpora.records import Fields, Record, items_of
from retrieval.corpora.source import FileSource


@dataclass(eq=False)
class Table(FileSource):
    """A file of records with named fields; a subclass reads the records, all else is the same for every format."""

    path: Path
    name: str
    on_bad: OnBad = raise_bad
    text: str | None = option(None, "field with the text (default: text)")
    title: str | None = option(None, "field with the title, put before the text (default: title)")
    label: str | None = option(None, "field with the class (default: label)")
    id: str | None = option(None, "field with the id (default: _id or id, else the number of line or row)")

    modality = Modality.TEXT

    @property
    def fields(self) -> Fields:
        """Which field is what."""
        return Fields(self.text, self.title, self.label, self.id)

    @abstractmethod
    def records(self) -> Iterator[Record]:
        """Read the records from the beginning."""

    def items(self) -> Iterator[Item]:
        """Read the records from the beginning, as items."""
        yield from items_of(self.records(), self.fields, self.on_bad)
