"""A hook of MkDocs: the files of the repository that become pages of the site, and the list of decisions."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
#: Files outside docs/ -> their page in the site.
FILES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "benchmarks/README.md": "benchmarks.md",
}
DECISIONS = "decisions/index.md"
_LINK = re.compile(r"\]\(([^)#\s:]+)(#[^)\s]*)?\)")


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that lie outside docs/."""
    for source, page in FILES.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=_with_page_links(text, Path(source).parent)))
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    lines = [f"- [{path.read_text(encoding='utf-8').splitlines()[0].lstrip('# ')}]({path.name})" for path in decisions]
    files.append(File.generated(config, DECISIONS, content="# Decisions\n\n" + "\n".join(lines) + "\n"))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Let links that leave docs/, or name a folder, lead to the pages of the site."""
    source = page.file.src_uri
    if source in FILES.values() or source == DECISIONS:
        return markdown
    return _with_page_links(markdown, Path("docs") / Path(source).parent)


def _with_page_links(text: str, folder: Path) -> str:
    return _LINK.sub(lambda match: f"]({_page(match[1], folder)}{match[2] or ''})", text)


def _page(link: str, folder: Path) -> str:
    """Return where a link of a file in `folder` leads in the site; itself where it is one already."""
    path = (ROOT / folder / link).resolve()
    if not path.is_relative_to(ROOT):
        return link
    name = path.relative_to(ROOT).as_posix()
    page = FILES.get(name) or FILES.get(f"{name}/README.md")
    if name == "docs/decisions":
        page = DECISIONS
    if page is None and folder.parts[:1] != ("docs",) and name.startswith("docs/"):
        page = name.removeprefix("docs/")
    if page is None:
        return link
    up = "../" * (len(folder.parts) - 1) if folder.parts[:1] == ("docs",) else ""
    return up + page
