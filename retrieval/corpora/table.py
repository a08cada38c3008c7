"""The base of every table of texts (CSV, JSON lines, Parquet): which field holds what."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

from encoders.codes import Modality
from encoders.options import option
from retrieval.corpora.base import Item
from retrieval.corpora.records import Fields, Record, items_of
from retrieval.corpora.source import FileSource


@dataclass(eq=False)
class Table(FileSource):
    """A file of records with named fields; a subclass reads the records, and each record becomes an item here."""

    text: str | None = option(None, "Field with the text (default: text).")
    title: str | None = option(None, "Field with the title, which is put before the text (default: title).")
    label: str | None = option(None, "Field with the class of the item (default: label).")
    id: str | None = option(None, "Field with the id (default: _id or id; without either, the number of line or row).")

    modality = Modality.TEXT

    @property
    def fields(self) -> Fields:
        """The names of the fields that hold the text, title, label and id."""
        return Fields(self.text, self.title, self.label, self.id, or_rows=True)

    @abstractmethod
    def records(self) -> Iterator[Record]:
        """Read the records from the beginning."""

    def items(self) -> Iterator[Item]:
        """Read the records from the beginning, as items."""
        yield from items_of(self.records(), self.fields, self.on_bad)
