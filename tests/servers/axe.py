"""axe-core in a browser: what it finds against WCAG 2, levels A and AA, and against best practices."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

#: Everything that axe finds, as one line each: the rule, its impact, and where.
RUN = """
const done = arguments[arguments.length - 1];
axe.run(document, { resultTypes: ['violations'] }).then(
  ({ violations }) => done(violations.flatMap((rule) => rule.nodes.map((node) =>
    `${rule.id} (${rule.impact}): ${node.target.join(' ')} ${node.html.slice(0, 120)} ${node.failureSummary.slice(0, 200)}`))),
  (error) => done([`axe failed: ${error}`]));
"""


@cache
def script() -> str:
    """Return axe-core as the package axe-core-python brings it."""
    return (files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")


def violations(browser: Any) -> list[str]:
    """Return what axe finds on the page that a browser shows."""
    if not browser.execute_script("return Boolean(window.axe)"):
        browser.execute_script(script())
    return list(browser.execute_async_script(RUN))
