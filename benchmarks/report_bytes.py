"""The part of docs/results.md on quality against bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from record import latest_of_each

from retrieval.experiment.byte_budgets.result import AS_IT_IS
from retrieval.report.byte_budget_cells import short

if TYPE_CHECKING:
    from report_page import Page

#: The folder of the sentence model, and its name.
_MODEL = "sbert:model", "sbert:all-MiniLM-L6-v2"


def byte_budgets(page: Page, run: dict[str, Any]) -> None:
    page.heading("Equal bytes: every space from 8 to 1,024 bytes per item", run)
    page.lines += [
        "",
        "`compare --bytes`: exact search in the reduced codes; the codes that no other dominates, and beside them the "
        "verdict on all pairs together. Autoencoders have one minute on one core of a busy machine, and are not tuned.",
    ]
    for one in latest_of_each("byte_budgets", "corpus"):
        figures = one["figures"]
        measure = figures["measure"]
        page.lines += [
            "",
            f"### {figures['corpus']}: {figures['items']:,} items, {figures['n_queries']:,} queries",
            "",
            f"{figures['answer'].replace(*_MODEL)} Fit and encode {figures['fit_and_encode_seconds']:.0f} s, "
            f"{len(figures['points'])} codes measured in {figures['measure_seconds']:.0f} s.",
        ]
        rows = [
            [
                point["bytes_per_item"], f"`{_named(point['spec'])}`", point["value"],
                f"{point['interval'][0]:.3f} to {point['interval'][1]:.3f}",
                _against(point, figures),
            ]
            for point in figures["points"]
            if not point["dominated"]
        ]  # fmt: skip
        page.table(["bytes", "code", measure, "95% interval", "against the best"], rows)
        page.lines += ["", "The best code of each method within each budget:"]
        _best_of_each(page, figures, _methods)
        page.lines += ["", "The best code of each space within each budget, by any method:"]
        _best_of_each(page, figures, _spaces)


def _against(point: dict[str, Any], figures: dict[str, Any]) -> str:
    if point["spec"] == figures["best"]:
        return "best"
    return "not significant" if point["tied_with_best"] else "worse"


def _best_of_each(page: Page, figures: dict[str, Any], kinds_of: Callable[[dict[str, Any]], list[str]]) -> None:
    """Write the highest value of each kind of code within each budget; a code is in the row of the smallest one."""
    points = figures["points"]
    kinds = list(dict.fromkeys(kind for point in points for kind in kinds_of(point)))
    rows = []
    for before, budget in zip([0, *figures["budgets"]], figures["budgets"], strict=False):
        inside = [point for point in points if before < point["bytes_per_item"] <= budget]
        values = [[point["value"] for point in inside if name in kinds_of(point)] for name in kinds]
        rows.append([budget, *(max(found) if found else "–" for found in values)])
    page.table(["at most", *kinds], rows)


def _named(spec: str) -> str:
    return short(spec).replace(*_MODEL)


def _spaces(point: dict[str, Any]) -> list[str]:
    """Return the spaces that lead to a code; a model in a folder by its name. Older runs have no `also`."""
    return [f"`{_named(base)}`" for base in (point["base"], *point.get("also", {}))]


def _methods(point: dict[str, Any]) -> list[str]:
    """Return the methods that lead to a code; runs recorded before 2026-11-29 22:00 call them means."""
    methods = [point.get("method", point.get("means")), *point.get("also", {}).values()]
    return [method for method in methods if method != AS_IT_IS]


PARTS = {"byte_budgets": byte_budgets}
