"""A folder, tar or zip of text files."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

from encoders.codes import Modality
from encoders.errors import CorpusError
from encoders.options import option
from retrieval.corpora.base import Item
from retrieval.corpora.folder import FolderSource
from retrieval.corpora.folder_files import File
from retrieval.corpora.lines import checked_encoding
from retrieval.corpora.size_limits import MAX_TEXT_BYTES, require_text
from retrieval.corpora.stray_files import binary_kind, is_no_text, stray_reason

#: Byte-order marks, with the encoding that each stands for; UTF-32 begins like UTF-16, so it comes first.
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


@dataclass(eq=False)
class Texts(FolderSource):
    """Texts in the files of a folder, tar or zip: every file is an item, and its sub-folder is the label.

    The first line that is not blank is the title. README, licence and checksum files and files of other formats are
    skipped; one line on standard error counts them. Links are followed; hidden files are skipped.
    """

    encoding: str | None = option(
        None, "Character encoding of the files, e.g. latin-1 (default: UTF-8; Latin-1 for a file that is not UTF-8)."
    )
    stray: bool = option(False, "With true, README, licence and checksum files are items too.")

    modality = Modality.TEXT
    max_file_bytes = MAX_TEXT_BYTES

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.encoding is not None:
            checked_encoding(self.encoding)

    def reason_to_skip(self, name: str) -> str | None:
        """Return None for a text, else why the file is skipped; README files and the like are texts with ``stray``."""
        reason = None if self.stray else stray_reason(name)
        return reason or ("of another format" if is_no_text(name) else None)

    def read(self, file: File) -> Item:
        """Decode one file."""
        text = decode_text(file.raw, self.encoding)
        title = next((line.strip() for line in text.split("\n") if line.strip()), None)
        label, fields = self.label_and_fields(file.name)
        return Item(file.name, text, title and title[:120], label, fields, f"{self.path}: {file.name}")


def decode_text(raw: bytes, encoding: str | None = None) -> str:
    r"""Decode a text, with ``\n`` as its only line end and no byte-order mark.

    Without an encoding: as its byte-order mark says, else as UTF-8, else as Latin-1.

    Raises
    ------
    CorpusError
        For binary content, or bytes that are not of the encoding.

    Examples
    --------
    >>> decode_text("naïve\r\n".encode("latin-1")), decode_text("naïve".encode("utf-16"))
    ('naïve\n', 'naïve')
    """
    marked = next((name for mark, name in _MARKS.items() if raw.startswith(mark)), None)
    named = marked if encoding is None else encoding
    wide = named is not None and checked_encoding(named).startswith(("utf-16", "utf-32"))
    if not wide and (kind := binary_kind(raw)) is not None:
        raise CorpusError(f"is not a text: it is {kind}")
    try:
        text = raw.decode(named or "utf-8")
        if named is not None:
            require_text(text)
    except UnicodeError as error:
        if named is not None:
            position = f" (byte {error.start + 1})" if isinstance(error, UnicodeDecodeError) else ""
            raise CorpusError(f"is not {named}{position}: name its character encoding with ?encoding=") from error
        text = raw.decode("latin-1")
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
