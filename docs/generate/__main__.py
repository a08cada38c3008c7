"""Write what the pages take from the code: ``python docs/generate``, and ``--sessions`` to run their commands again.

Regions from ``<!-- generated: NAME -->`` to ``<!-- end of NAME -->`` are written from the registries and the command
line.
With ``--sessions``, the commands of the README and of the pages are run, and what they print replaces what is shown.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from pages import PAGES, SESSIONS, WRITERS
from regions import filled
from sessions import rewritten


def main(arguments: list[str]) -> None:
    """Write every page again; say which ones changed."""
    for path in PAGES:
        _replace(path, filled(path.read_text(encoding="utf-8"), WRITERS))
    for path in SESSIONS if "--sessions" in arguments else ():
        with tempfile.TemporaryDirectory() as folder:
            _replace(path, rewritten(path.read_text(encoding="utf-8"), Path(folder)))


def _replace(path: Path, text: str) -> None:
    if path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
        print(f"written: {path}")


if __name__ == "__main__":
    main(sys.argv[1:])
