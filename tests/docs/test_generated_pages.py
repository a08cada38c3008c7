"""Pages say what the code says: regions written by ``python docs/generate`` are up to date, and every page is there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from cli_page import commands
from corpora_page import FORMATS_SHOWN
from pages import PAGES, ROOT, SESSIONS, WRITERS
from regions import filled, names
from spaces_page import groups

from encoders.registry import ENCODERS
from indexers.registry import INDEXES
from retrieval.corpora.registry import EMBEDDED, FORMATS, NAMED, open_corpus
from retrieval.evaluation.measures import MEASURES

DOCS = ROOT / "docs"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_generated_regions_are_up_to_date(path):
    page = path.read_text(encoding="utf-8")
    assert page == filled(page, WRITERS), f"{path.name} is stale: run  python docs/generate"


def test_a_stale_region_is_found():
    page = (DOCS / "measures.md").read_text(encoding="utf-8")
    assert filled(page.replace("| `nDCG`", "| `nDGC`", 1), WRITERS) == page


def test_every_region_is_on_a_page():
    assert sorted(name for path in PAGES for name in names(path.read_text(encoding="utf-8"))) == sorted(WRITERS)


def test_spaces_has_a_section_for_every_encoder():
    page = (DOCS / "spaces.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^### (\S+)$", page, re.MULTILINE)) == set(ENCODERS)
    assert sorted(name for members in groups().values() for name in members) == sorted(ENCODERS)
    assert page.count("**Use it** when ") == len(ENCODERS)


def test_corpora_has_every_format_and_name():
    page = (DOCS / "corpora.md").read_text(encoding="utf-8")
    assert set(FORMATS_SHOWN) == set(FORMATS)
    assert {title for title, _ in FORMATS_SHOWN.values()} <= set(re.findall(r"^### (.+)$", page, re.MULTILINE))
    assert all(f"| `{name}` |" in page for name in (*EMBEDDED, *NAMED))


def test_the_other_references_are_complete():
    pages = {name: (DOCS / f"{name}.md").read_text(encoding="utf-8") for name in ("indexes", "measures", "cli")}
    assert all(f"| `{name}` |" in pages["indexes"] for name in INDEXES)
    assert all(f"`{name}" in pages["measures"] for name in MEASURES)
    assert all(f"## nearby {name}\n" in pages["cli"] for name, _ in commands())


@pytest.mark.parametrize(("name", "shown"), [(name, shown) for name, (_, shown) in FORMATS_SHOWN.items()])
def test_examples_of_addresses_have_options_that_exist(name, shown, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    from retrieval.corpora.address import parse_address, read_options
    from retrieval.corpora.registry import load_class

    assert read_options(load_class(FORMATS[name]), name, parse_address(shown).options)


def test_the_site_shows_every_page():
    shown = set(re.findall(r"(\S+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE))
    assert {path.name for path in DOCS.glob("*.md")} <= shown


def test_sessions_are_pages():
    assert set(SESSIONS) <= set(PAGES)


def test_the_site_is_not_committed():
    assert "/site/" in (ROOT / ".gitignore").read_text().splitlines()


def test_what_builds_the_site_is_pinned():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = {
        line.partition("==")[0].lower() for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line
    }
    wanted = {re.split(r"[\[>=<]", line)[0] for line in project["optional-dependencies"]["docs"]}
    assert {"mkdocs", "mkdocs-material", "mkdocstrings"} <= wanted <= pins


def test_digits_is_what_the_page_says():
    assert open_corpus("digits").size == 1797
    assert "| `digits` | Pictures of handwritten digits, 8x8 grey; the label is the digit. | 1,797 |" in (
        DOCS / "corpora.md"
    ).read_text(encoding="utf-8")


def test_pages_do_not_use_indented_commands():
    # They would be neither run nor checked: fence them as ```console or ```sh.
    for path in PAGES:
        for line in path.read_text(encoding="utf-8").splitlines():
            assert not re.match(r"    (\$ )?(nearby|make|docker) ", line), f"{path.name}: {line}"


def test_links_in_pages_lead_to_files():
    for path in [*PAGES, *Path(DOCS / "decisions").glob("*.md")]:
        for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
            assert link.startswith(("http://", "https://")) or (path.parent / link).exists(), f"{path.name}: {link}"
