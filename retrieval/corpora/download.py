"""Finding a named data set on this machine, or fetching it once."""

from __future__ import annotations

import importlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from encoders.atomic_write import temporary_folder
from encoders.errors import CorpusError, DownloadError, UnknownNameError
from encoders.progress import progress
from retrieval.corpora.archives import opened_zip
from retrieval.corpora.datasets import DATASETS, DataSet, Remote
from retrieval.corpora.files import existing

#: Folder with data sets in the layout of `DATASETS`, looked into first.
DATA_VARIABLE = "NEARBY_DATA"
#: Folder that downloads go to, instead of the user's cache folder.
CACHE_VARIABLE = "NEARBY_CACHE"
TIMEOUT_SECONDS = 30


def fetch(name: str) -> Path:
    """Return the folder of a data set: under NEARBY_DATA, in the cache, or downloaded now and checked.

    Raises
    ------
    UnknownNameError
        For a set that is not in the table.
    DownloadError
        When it is neither here nor reachable, saying what was tried and where to put the files by hand.
    """
    if name not in DATASETS:
        raise UnknownNameError("data set", name, DATASETS)
    folder = find(name)
    return folder if folder is not None else _download(name, DATASETS[name])


def find(name: str) -> Path | None:
    """Return the folder of a data set that is on this machine, else None."""
    row = DATASETS[name]
    for root in roots():
        folder = root / row.folder
        if any(all(existing(folder, file) for file in form) for form in row.forms):
            return folder
    return None


def stored_bytes(name: str, folder: Path) -> int:
    """Return the size of the files of a data set that `find` found."""
    files = {existing(folder, file) for form in DATASETS[name].forms for file in form}
    return sum(path.stat().st_size for path in files if path is not None)


def single_file(name: str, folder: Path) -> Path:
    """Return the one file that makes a data set, of the forms that are accepted."""
    for file, *_ in DATASETS[name].forms:
        path = existing(folder, file)
        if path is not None:
            return path
    raise CorpusError(f"{folder} has none of {', '.join(form[0] for form in DATASETS[name].forms)}")


def roots() -> list[Path]:
    """Return the folders in which data sets are looked for: NEARBY_DATA if set, then the cache."""
    given = os.environ.get(DATA_VARIABLE)
    return [*([Path(given).expanduser()] if given else []), cache_folder()]


def cache_folder() -> Path:
    """Return where downloads are kept."""
    given = os.environ.get(CACHE_VARIABLE)
    if given:
        return Path(given).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("nearby", appauthor=False)) / "data"


def _download(name: str, row: DataSet) -> Path:
    folder = cache_folder() / row.folder
    if not row.remotes:
        raise DownloadError(f"{_not_here(name)} and it has no address to fetch it from: {_by_hand(name, row)}")
    try:
        if not row.unpack:
            folder.mkdir(parents=True, exist_ok=True)
            try:
                for remote in row.remotes:
                    _retrieve(name, row, remote, folder)
            finally:
                if not any(folder.iterdir()):
                    folder.rmdir()
            return folder
        with temporary_folder(folder) as temporary:
            archive = _retrieve(name, row, row.remotes[0], temporary)
            made = temporary / "made"
            _function(row.unpack)(archive, made)
            # Each file appears whole or not at all, and the set counts as present only with all of them.
            for path in sorted(made.rglob("*.*")):
                target = folder / path.relative_to(made)
                target.parent.mkdir(parents=True, exist_ok=True)
                path.replace(target)
    except OSError as error:
        raise DownloadError(f"'{name}' cannot be stored in {folder}: {error.strerror or error}") from error
    return folder


def _retrieve(name: str, row: DataSet, remote: Remote, folder: Path) -> Path:
    """Fetch one file unless it is there and right; it gets its name only when its checksum holds."""
    import pooch
    import requests

    pooch.get_logger().setLevel("WARNING")
    try:
        with progress(f"downloading {remote.file}", unit="MB", divisor=10**6) as bar:  # pooch says how much it will be
            downloader = pooch.HTTPDownloader(progressbar=bar, timeout=TIMEOUT_SECONDS)
            path = pooch.retrieve(remote.url, remote.checksum, remote.file, folder, downloader=downloader)
    except requests.RequestException as error:
        reason = f"{remote.url} could not be reached ({type(error).__name__})"
        raise DownloadError(f"{_not_here(name)} and {reason}: {_by_hand(name, row)}") from error
    except ValueError as error:
        raise DownloadError(
            f"what {remote.url} sent is not the '{name}' that was published (wrong checksum), not kept: "
            f"{_by_hand(name, row)}"
        ) from error
    return Path(path)


def _not_here(name: str) -> str:
    return f"'{name}' is not in {' or '.join(str(root / DATASETS[name].folder) for root in roots())}"


def _by_hand(name: str, row: DataSet) -> str:
    choices = " or ".join(", ".join(form) for form in row.forms)
    return f"put {choices} into {roots()[0] / row.folder} by hand ({row.source})"


def _function(location: str) -> Callable[[Path, Path], Any]:
    module, _, attribute = location.partition(":")
    function: Callable[[Path, Path], Any] = getattr(importlib.import_module(module), attribute)
    return function


def unpack_beir(archive: Path, folder: Path) -> None:
    """Copy the files of BEIR's layout, and only those, out of a zip into a new folder."""
    (folder / "qrels").mkdir(parents=True)
    with opened_zip(archive) as opened:
        for info in opened.infolist():
            parts = info.filename.split("/")
            if parts[-1] in ("corpus.jsonl", "queries.jsonl"):
                target = folder / parts[-1]
            elif parts[-2:-1] == ["qrels"] and parts[-1].endswith(".tsv"):
                target = folder / "qrels" / parts[-1]
            else:
                continue
            with opened.open(info) as source, target.open("wb") as sink:
                shutil.copyfileobj(source, sink)
