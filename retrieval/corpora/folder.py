"""The base of folders and archives of texts, pictures or sounds: a sub-folder or the name of a file gives the label."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from encoders.errors import CorpusError, OptionError, UnknownNameError
from encoders.options import option
from encoders.progress import say
from retrieval.corpora.base import Item
from retrieval.corpora.folder_files import File, ReadOptions, folders_of, read_files
from retrieval.corpora.name_pattern import NamePattern
from retrieval.corpora.skipped import SkippedFiles
from retrieval.corpora.source import FileSource


@dataclass(eq=False)
class FolderSource(FileSource):
    """The files of a folder, tar or zip: the id is the path of the file in it, the label is its sub-folder.

    With ``pattern``, the names of the files give fields, and one of the fields is the label.
    """

    pattern: str | None = option(
        None, "How the files are named, e.g. {digit}_{speaker}_{take}: each field is metadata of the item."
    )
    label: str | None = option(None, "Field of the pattern that is the label (default: its first field).")
    part: str | None = option(None, "Index only the files below the sub-folder with this name, e.g. train.")
    queries_part: str | None = option(None, "Take the queries from the sub-folder with this name, e.g. test.")

    #: Largest size of one file, in bytes.
    max_file_bytes: ClassVar[int | None] = None

    def __post_init__(self) -> None:
        self._reported: set[str] = set()
        if self.label is not None and self.pattern is None:
            raise OptionError(
                f"label={self.label} is a field of the names of the files: name the fields too, as in "
                "pattern={speaker}_{take}; without a pattern the sub-folder is the label"
            )
        self._pattern = None if self.pattern is None else NamePattern(self.pattern)
        if self._pattern is not None and self.label not in (None, *self._pattern.fields):
            raise UnknownNameError(
                "field", str(self.label), self._pattern.fields, where=f"in the pattern {self.pattern}"
            )

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

    def label_and_fields(self, name: str) -> tuple[str | None, dict[str, str]]:
        """Return the label of a file, and the fields that its name gives.

        Without a pattern, the label is the folder that holds the file, None at the top, and there are no fields.
        """
        if self._pattern is None:
            folders = folders_of(name, self.path)
            return folders[-1] if folders else None, {}
        fields = self._pattern.read(name) or {}
        return fields.get(self.label or self._pattern.fields[0]), fields

    def why_skipped(self, name: str) -> str | None:
        """Return why a file with this name is not an item, also by the pattern; None for an item."""
        reason = self.reason_to_skip(name)
        unlike = reason is None and self._pattern is not None and self._pattern.read(name) is None
        return f"not named {self.pattern}" if unlike else reason

    def _read_part(self, part: str | None) -> Iterator[Item]:
        skipped = SkippedFiles()
        options = ReadOptions(self.on_bad, skipped, self.max_bytes, self.max_file_bytes)

        def wanted(name: str) -> bool:
            if part is not None and not self._is_below(name, part):
                return False
            reason = self.why_skipped(name)
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
        self.report(skipped)

    def report(self, skipped: SkippedFiles) -> None:
        """Say how many files were skipped."""
        line = skipped.line()
        if line is not None:
            self.say_once(line)

    def say_once(self, line: str) -> None:
        """Say a line about the corpus, once: a corpus is read several times."""
        if line not in self._reported:
            self._reported.add(line)
            say(f"{self.path}: {line}")

    def belongs(self, name: str) -> bool:
        """Return whether a file is an item or a query, by its name and folders."""
        parts = [part for part in (self.part, self.queries_part) if part is not None]
        is_below = self.part is None or any(self._is_below(name, part) for part in parts)
        return is_below and self.why_skipped(name) is None

    def _is_below(self, name: str, part: str) -> bool:
        return part in name.split("/")[:-1]
