"""A folder, tar or zip of text files."""

from __future__ import annotations

from dataclasses import dataclass

from encoders.codes import Modality
from encoders.errors import CorpusError
from encoders.options import option
from retrieval.corpora.base import Item
from retrieval.corpora.bounds import MAX_TEXT_BYTES, require_text
from retrieval.corpora.files import File
from retrieval.corpora.folder import FolderSource


@dataclass(eq=False)
class Texts(FolderSource):
    """Every file is one document, its sub-folder the label, its first line that says anything the title."""

    encoding: str | None = option(None, "how characters are stored (default: utf-8, else latin-1)")

    modality = Modality.TEXT
    largest_file = MAX_TEXT_BYTES

    def wanted(self, name: str) -> bool:
        """Take every file."""
        return True

    def read(self, file: File) -> Item:
        """Decode one file."""
        text = decode_text(file.raw, self.encoding)
        title = next((line.strip() for line in text.split("\n") if line.strip()), None)
        return Item(file.name, text, title and title[:120], self.label_of(file.name))


def decode_text(raw: bytes, encoding: str | None = None) -> str:
    r"""Decode a text, with ``\n`` as its only line end: as UTF-8 or else Latin-1, unless told how.

    Raises
    ------
    CorpusError
        For binary content, or bytes that the encoding does not have.

    Examples
    --------
    >>> decode_text("naïve\r\n".encode("latin-1"))
    'naïve\n'
    """
    if b"\0" in raw and not (encoding or "").lower().startswith(("utf-16", "utf-32", "utf16", "utf32")):
        raise CorpusError("is no text: it holds zero bytes")
    try:
        text = raw.decode(encoding or "utf-8-sig")
        if encoding is not None:
            require_text(text)
    except UnicodeError as error:
        if encoding is not None:
            place = f"byte {error.start + 1}" if isinstance(error, UnicodeDecodeError) else error
            raise CorpusError(f"is not {encoding} ({place})") from error
        text = raw.decode("latin-1")
    except (LookupError, ValueError):  # a zero byte in the name is one of the latter
        raise CorpusError(f"cannot be read: unknown encoding {encoding!r}") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")
