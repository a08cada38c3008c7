"""The page that the parts of docs/results.md write to: tables, targets, and where a section was measured."""

from __future__ import annotations

from typing import Any


class Page:
    """The lines of the page, and the targets that were missed."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.missed: list[str] = []

    def table(self, head: list[str], rows: list[list[Any]]) -> None:
        self.lines += ["", "| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
        self.lines += ["| " + " | ".join(map(written, row)) + " |" for row in rows] + [""]

    def target(self, what: str, measured: float, wanted: float, at_least: bool = True, reason: str = "") -> list[Any]:
        """Return a row of a table of targets; remember a miss."""
        met = measured >= wanted if at_least else measured <= wanted
        if not met:
            sign = "≥" if at_least else "≤"
            self.missed.append(f"{what}: {written(measured)}, wanted {sign} {written(wanted)}. {reason}".rstrip())
        return [what, measured, f"{'≥' if at_least else '≤'} {written(wanted)}", "met" if met else "**missed**"]

    def heading(self, title: str, run: dict[str, Any]) -> None:
        made = run["provenance"]
        libraries = ", ".join(f"{name} {version}" for name, version in made["versions"].items())
        self.lines += [
            f"## {title}",
            "",
            f"{made['date']}, commit `{made['commit']}`, {made['machine']}, Python {made['python']}; {libraries}.  ",
            f"`{made['command']}`; load of the machine at the end: {made.get('load', 'not recorded')}",
        ]
        if run.get("seeds", 1) > 1:
            self.lines[-1] += f"; means of {run['seeds']} seeds (`seed=1` ...), ± their standard deviation"
            self.lines[-1] += f". Measured: {'; '.join(run['measured'])}"

    def measured(self, parts: dict[str, str]) -> None:
        """Say of each part of a table when and at which commit it was measured, where they differ."""
        if len(set(parts.values())) > 1:
            by_origin: dict[str, list[str]] = {}
            for part, when in parts.items():
                by_origin.setdefault(when, []).append(part)
            origins = "; ".join(f"{when}: {', '.join(names)}" for when, names in by_origin.items())
            self.lines[-1] += f". Not all rows were measured in that run. {origins}"


TARGETS = ["target", "measured", "wanted", ""]


def written(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{value:,.0f}"
    if 0 < abs(value) < 1e-4:
        return f"{value:.1e}"
    return f"{value:.4f}".lstrip("0") if 0 < abs(value) < 1 else f"{value:.2f}"
