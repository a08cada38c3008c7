"""Files in a folder of texts that are not texts: recognised by their names, or by their first bytes."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from retrieval.corpora.links import hidden

_CHECKSUM = re.compile(
    r"(?i:(md5|sha[0-9]*|b2|crc32?)[-_]?(sums?|manifest)|checksums?)(?i:\.(txt|md5|sha[0-9]*|asc))?"
    r"|.+\.(?i:md5|sha[0-9]+|crc32?|sfv)|.+\.[A-Za-z0-9]+\.(?i:sig|asc)"
)
#: A language or number may follow, as in README.de.md, or the name of a licence in capitals, as in LICENSE-MIT.
_ABOUT = re.compile(
    r"((?i:readme|licen[cs]es?|copying|changelog|citation)|NOTICE|AUTHORS|CONTRIBUTORS|CHANGES)"
    r"([-_. ]([a-z]{2}(-[A-Za-z]{2,4})?|[0-9]{1,3}|[A-Z][A-Z0-9.-]{1,11}))?(\.(?i:txt|md|rst|cff|html?|org|adoc|mit))?"
)
_SYSTEM = re.compile(r"thumbs\.db|ehthumbs(_vista)?\.db|desktop\.ini|icon\r|.*~|.*\.(sw[op]|lnk)", re.IGNORECASE)
#: Suffixes of files that are not texts, or that have a reader of their own.
NO_TEXT = frozenset(
    ".7z .a .avi .avif .bin .bmp .br .bz2 .cab .class .csv .db .dll .dmg .doc .docx .dylib .egg .epub .exe .feather "
    ".flac .fvecs .gif .gz .h5 .hdf5 .heic .ico .iso .jar .jfif .jpeg .jpg .jsonl .lz .lz4 .lzma .m4a .mkv .mov .mp3 "
    ".mp4 .ndjson .npy .npz .o .odp .ods .odt .ogg .onnx .parquet .pbm .pdf .pgm .pickle .pkl .png .pnm .ppm .ppt "
    ".pptx .psd .pt .pth .pyc .rar .safetensors .so .sqlite .sqlite3 .tab .tar .tgz .tif .tiff .tsv .ttf .txz .wav "
    ".webm .webp .whl .wmv .woff .woff2 .xls .xlsx .xz .z .zip .zst".split()
)
#: Beginnings of files that are not texts, though a small one may hold no zero byte.
_BEGINNINGS: dict[bytes, str] = {
    b"\x1f\x8b": "a gzip file",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ": "an xz file",
    b"\x28\xb5\x2f\xfd": "a zstandard file",
    b"\x04\x22\x4d\x18": "an lz4 file",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!\x1a\x07": "a rar archive",
    b"PK\x03\x04": "a zip archive",
    b"%PDF-": "a PDF",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"\x7fELF": "a program",
    b"SQLite format 3": "an SQLite database",
}


def stray_reason(name: str) -> str | None:
    """Return why a file is probably not one of the texts of its folder; None for a text.

    Parameters
    ----------
    name : str
        Its path in the folder or archive, with ``/``.

    Examples
    --------
    >>> stray_reason("news/MD5SUMS"), stray_reason("README.md"), stray_reason("a/.DS_Store")
    ('a checksum', 'a README or licence', 'hidden')
    >>> stray_reason("readme-of-a-poem.txt"), stray_reason("sha-na-na.txt"), stray_reason("1.txt")
    (None, None, None)
    """
    file_name = PurePosixPath(name).name
    kinds = ((_SYSTEM, "a file of the system"), (_CHECKSUM, "a checksum"), (_ABOUT, "a README or licence"))
    for pattern, reason in kinds:
        if pattern.fullmatch(file_name):
            return reason
    return "hidden" if hidden(name) else None


def is_no_text(name: str) -> bool:
    """Tell by its suffix whether a file is not a text, or has a reader of its own.

    Examples
    --------
    >>> is_no_text("a/b.PDF"), is_no_text("a.tar.zst"), is_no_text("a.csv"), is_no_text("a.html"), is_no_text("a")
    (True, True, True, False, False)
    """
    return PurePosixPath(name).suffix.lower() in NO_TEXT


def binary_kind(raw: bytes) -> str | None:
    r"""Return the kind of a binary file by its first bytes; None if they may be text.

    Examples
    --------
    >>> binary_kind(b"\x1f\x8b\x08"), binary_kind(b"a\0b"), binary_kind(b"a text")
    ('a gzip file', 'a file with zero bytes', None)
    """
    for beginning, kind in _BEGINNINGS.items():
        if raw.startswith(beginning):
            return kind
    return "a file with zero bytes" if b"\0" in raw else None
