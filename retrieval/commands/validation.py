"""What verbs refuse before any work: folders and files that they would damage."""

from __future__ import annotations

from pathlib import Path

from encoders.errors import OptionError


def require_report_folder(out: Path | None, *names: str) -> None:
    """Refuse a folder that cannot hold a report with files of these names, before any work."""
    from retrieval.collection.generations import is_collection
    from retrieval.output import is_writable, require_replaceable

    if out is None:
        return
    try:
        if out.exists() and not out.is_dir():
            raise OptionError(f"{out} is a file: choose a folder for the report")
        if is_collection(out):
            raise OptionError(f"{out} is a collection: choose another folder for the report")
        require_replaceable(out, *names)
        writable = is_writable(out)
    except OSError as error:  # too long a name, or a loop of links
        raise OptionError(f"cannot write to {out}: {error.strerror}; choose another folder for the report") from None
    if not writable:
        raise OptionError(f"cannot write to {out}: choose another folder for the report")


def require_other_out(out: Path | None, *sources: str | Path) -> None:
    """Refuse to write over what is read, before any work."""
    if out is not None:
        from retrieval.output import require_other_file

        require_other_file(out, *sources)
