"""Telling the format of a file, folder or archive by its name and content."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path

from encoders.errors import CorpusError
from encoders.options import convert
from encoders.plain_file import open_plain
from retrieval.corpora.beir import is_beir
from retrieval.corpora.files import open_bytes, plain_name, reading
from retrieval.corpora.folder_files import is_archive, list_names
from retrieval.corpora.idx import is_idx
from retrieval.corpora.lines import WIDE_MARKS
from retrieval.corpora.stray_files import binary_kind, is_no_text, stray_reason

FORMAT_OF_SUFFIX = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".parquet": "parquet",
    ".npy": "vectors",
    ".npz": "vectors",
    ".fvecs": "vectors",
}
#: Formats that may be gzipped.
_GZIPPED = ("jsonl", "csv")
ACCEPTED = (
    "a BEIR folder (corpus.jsonl), .jsonl, .csv, .tsv, .parquet, a folder or archive (.tar[.gz|.xz|.bz2], "
    ".zip) of texts, pictures or sounds, IDX files, .npy, .npz or .fvecs vectors"
)
#: Number of file names that decide whether a folder holds pictures, sounds or texts.
NAMES_READ = 200
#: Number of files whose beginning is read.
FILES_OPENED = 5


def format_of(path: Path, given: Mapping[str, str] | None = None) -> str:
    """Return the format of a path, one of `registry.FORMATS`; a table of ratings is recognised by its column names.

    Parameters
    ----------
    path : Path
    given : mapping, optional
        The options of the address, still text: ``stray``, ``encoding`` and ``max-bytes`` decide what can be read.

    Raises
    ------
    CorpusError
        When no format fits; the message names the formats that nearby reads.
    """
    given = {} if given is None else given
    if path.is_dir() and is_beir(path):
        return "beir"
    if is_idx(path):
        return "idx"
    if path.is_dir() or is_archive(path):
        return _format_of_files(path, given)
    suffix = Path(plain_name(path)).suffix
    known = FORMAT_OF_SUFFIX.get(suffix)
    if known is None or (path.suffix == ".gz" and known not in _GZIPPED):
        raise CorpusError(f"nearby does not know the format of {path}; it reads {ACCEPTED}")
    return "ratings" if known == "csv" and _is_rating_table(path, given) else known


def column_names(path: Path, given: Mapping[str, str]) -> list[list[str]]:
    """Return the column names of a table, once for each delimiter that may separate them."""
    from retrieval.corpora.csv_dialect import DELIMITERS, columns_of

    with open_bytes(path, _max_bytes(given)) as stream:
        line = stream.readline(65_536).decode("utf-8-sig", errors="replace").rstrip("\r\n")
    return [columns_of(line, delimiter) for delimiter in DELIMITERS]


def _is_rating_table(path: Path, given: Mapping[str, str]) -> bool:
    from retrieval.corpora.ratings import is_rating_head

    return any(is_rating_head(columns) for columns in column_names(path, given))


def _max_bytes(given: Mapping[str, str]) -> int | None:
    """Return the limit of ``max-bytes``; a wrong value is refused later, with the other options."""
    text = given.get("max-bytes", "")
    return int(text) if re.fullmatch("[0-9]{1,18}", text) else None


def _format_of_files(path: Path, given: Mapping[str, str]) -> str:
    """Return ``images``, ``sounds`` or ``texts``, by the names of the first files and the beginning of one."""
    from retrieval.corpora.image_file import COMMON, SUFFIXES
    from retrieval.corpora.sound_file import SUFFIXES as SOUND_SUFFIXES

    max_bytes = _max_bytes(given)
    every = "stray" in given and convert(given["stray"], bool, "texts: stray")
    wanted = (name for name in list_names(path, max_bytes) if every or stray_reason(name) is None)
    names = list(islice(wanted, NAMES_READ))
    if not names:
        stray = next(list_names(path, max_bytes), None)
        beside = f" but such as {stray}, which ?stray=true reads as texts" if stray else ""
        raise CorpusError(f"{path} holds no files{beside}; nearby reads {ACCEPTED}")
    sounds = [name for name in names if name.lower().endswith(SOUND_SUFFIXES)]
    if 2 * len(sounds) > len(names):
        return "sounds"
    pictures = [name for name in names if name.lower().endswith(SUFFIXES)]
    if 2 * len(pictures) > len(names) or any(name.lower().endswith(COMMON) for name in pictures):
        return "images"
    if sounds:
        return "sounds"
    _require_texts(path, names)
    if path.is_dir() and "encoding" not in given:
        _require_readable(path, _spread([name for name in names if not is_no_text(name)]))
    return "texts"


def _spread(names: Sequence[str]) -> list[str]:
    """Return a few names from the first to the last, so that their order does not decide."""
    count = min(FILES_OPENED, len(names))
    return [names[number * len(names) // count] for number in range(count)]


def _require_texts(path: Path, names: Sequence[str]) -> None:
    """Refuse a folder or archive if most of its files have a suffix that texts do not have."""
    foreign = [Path(name).suffix.lower() for name in names if is_no_text(name)]
    if 2 * len(foreign) <= len(names):
        return
    readable = [
        name for name in names if is_archive(Path(name)) or Path(plain_name(Path(name))).suffix in FORMAT_OF_SUFFIX
    ]
    hint = f"; to read one of them, name it: {path / readable[0]}" if path.is_dir() and readable else ""
    raise CorpusError(f"{path} holds {', '.join(sorted(set(foreign)))} files, neither texts, pictures nor sounds{hint}")


def _require_readable(path: Path, names: Sequence[str]) -> None:
    """Refuse a folder if most of these files begin like binary files; a single bad file is a bad entry."""
    binary = {}
    for name in names:
        with reading(path), open_plain(path / name) as stream:
            begin = stream.read(4096)
        kind = None if begin.startswith(WIDE_MARKS) else binary_kind(begin)
        if kind is not None:
            binary[name] = kind
    if 2 * len(binary) > len(names):
        name, kind = next(iter(binary.items()))
        raise CorpusError(f"{path} holds binary files such as {name}, {kind}; nearby reads {ACCEPTED}")
