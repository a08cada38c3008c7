"""The base of folders and archives of texts or pictures: a sub-folder is a label, and one may hold the queries."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from encoders.errors import CorpusError
from encoders.options import option
from encoders.progress import say
from retrieval.corpora.base import Item
from retrieval.corpora.folder_files import File, ReadOptions, folders_of, read_files
from retrieval.corpora.skipped import SkippedFiles
from retrieval.corpora.source import FileSource


@dataclass(eq=False)
class FolderSource(FileSource):
    """The files of a folder, tar or zip: the id is the path of the file in it, the label is its sub-folder."""

    part: str | None = option(None, "Index only the files below the sub-folder with this name, e.g. train.")
    queries_part: str | None = option(None, "Take the queries from the sub-folder with this name, e.g. test.")

    #: Largest size of one file, in bytes.
    max_file_bytes: ClassVar[int | None] = None

    def __post_init__(self) -> None:
        self._reported: set[str] = set()

    @abstractmethod
    def reason_to_skip(self, name: str) -> str | None:
        """Return why a file with this name is not an item, in the words of `SkippedFiles`; None for an item."""

    @abstractmethod
    def read(self, file: File) -> Item:
        """Return the item of a file, or raise a `CorpusError`."""

    def items(self) -> Iterator[Item]:
        """Read the files from the beginning."""
        for item in self._read_part(self.part):
            # Without `part`, every file that is not a query is an item.
            if self.part is not None or self.queries_part is None or not self._is_below(item.id, self.queries_part):
                yield item

    @property
    def queries_are_items(self) -> bool:
        """True unless a sub-folder holds the queries."""
        return self.queries_part is None

    def queries(self) -> Iterator[Item]:
        """Read the queries: the files of the sub-folder for them, or the items themselves."""
        if self.queries_part is None:
            yield from self
            return
        empty = True
        for item in self._read_part(self.queries_part):
            empty = False
            yield item
        if empty:
            raise CorpusError(f"'{self.name}' holds nothing below a sub-folder '{self.queries_part}'")

    def label_of(self, name: str) -> str | None:
        """Return the name of the folder that holds a file; None at the top."""
        folders = folders_of(name, self.path)
        return folders[-1] if folders else None

    def _read_part(self, part: str | None) -> Iterator[Item]:
        skipped = SkippedFiles()
        options = ReadOptions(self.on_bad, skipped, self.max_bytes, self.max_file_bytes)

        def wanted(name: str) -> bool:
            if part is not None and not self._is_below(name, part):
                return False
            reason = self.reason_to_skip(name)
            if reason is not None:
                skipped.add(reason, name)
            return reason is None

        for file in read_files(self.path, wanted, options):
            try:
                item = self.read(file)
            except CorpusError as error:
                self.on_bad(CorpusError(f"{self.path}: {file.name} {error}"))
                continue
            yield item
        self._report(skipped)

    def _report(self, skipped: SkippedFiles) -> None:
        """Say how many files were skipped, once: a corpus is read several times."""
        line = skipped.line()
        if line is not None and line not in self._reported:
            self._reported.add(line)
            say(f"{self.path}: {line}")

    def _is_below(self, name: str, part: str) -> bool:
        return part in name.split("/")[:-1]
