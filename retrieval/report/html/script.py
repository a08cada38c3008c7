"""The modules of the explorer as one script inside a page, and the policy that lets only this script run."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from pathlib import Path

from retrieval.report.figures.markup import Markup

#: ES modules, each after those that it imports.
FOLDER = Path(__file__).parent / "templates" / "explorer"
MODULES = (
    "data", "pair", "fragment", "colours", "elements", "nearest", "scatter", "query_list", "answers", "item_table",
    "maps", "explorer", "page",
)  # fmt: skip
_IMPORT = re.compile(r'^import \{[^}]*\} from "\./(\w+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=function |const |class )", re.MULTILINE)
_COMMENT = re.compile(r"^\s*(//.*|/\*\*.*\*/)\n", re.MULTILINE)
_INDENT = re.compile(r"\n\s+")


@cache
def script() -> Markup:
    """Return the modules one after the other, without what connects them: imports, exports; and comments.

    A server gives the same files to a browser as modules: each takes data and an element, and fetches nothing.
    """
    parts = [(FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in MODULES]
    joined = "".join(_EXPORT.sub("", _IMPORT.sub("", _COMMENT.sub("", part))) for part in parts)
    return Markup("\n" + _INDENT.sub("\n", joined))


def script_policy() -> str:
    """Return the source of the script for a Content-Security-Policy: its SHA-256."""
    digest = hashlib.sha256(script().encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
