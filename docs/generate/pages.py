"""Which page takes what from the code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cli_page
import comparison_page
import corpora_page
import indexes_page
import measures_page
import reference_page
import spaces_page

ROOT = Path(__file__).resolve().parents[2]
#: Every page that a person reads in the site; decisions and results are written elsewhere.
PAGES: list[Path] = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
#: Pages whose commands are run.
SESSIONS: list[Path] = [
    ROOT / "README.md",
    *(
        ROOT / "docs" / f"{name}.md"
        for name in ("tutorial-text", "tutorial-images", "measures", "health", "anomalies", "compression")
    ),
]
#: Name of a region -> what writes it.
WRITERS: dict[str, Callable[[], str]] = {
    "commands": cli_page.write_commands,
    "comparison-fields": comparison_page.write_comparison_fields,
    "encoders": spaces_page.write_encoders,
    "encoders-overview": spaces_page.write_overview,
    "encoders-short": spaces_page.write_short_list,
    "formats": corpora_page.write_formats,
    "named-corpora": corpora_page.write_names,
    "indexes": indexes_page.write_indexes,
    "indexes-details": indexes_page.write_details,
    "measures": measures_page.write_measures,
    "reference": reference_page.write_reference,
}
