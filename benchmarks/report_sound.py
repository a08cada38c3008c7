"""The part of docs/results.md on sounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from report_page import Page


def sound(page: Page, run: dict[str, Any]) -> None:
    figures = run["figures"]
    page.heading("Spoken digits: the same digit, the same speaker", run)
    page.lines += [
        "",
        f"{figures['items']:,} recordings (takes 5-49) answer {figures['queries']:,} (takes 0-4). P@10 by the digit, "
        "by the speaker, and by the digit when only recordings of other speakers may answer. By chance .100, .167 "
        "and .100. `log-mel:pool=mean` forgets when something is heard; the random projection learns nothing.",
    ]
    keys = ("dim", "digit", "speaker", "digit_of_others", "encode_per_second")
    rows = [[f"`{spec}`", *(row[key] for key in keys)] for spec, row in figures["spaces"].items()]
    page.table(["space", "dim", "digit", "speaker", "digit, other speakers", "items/s"], rows)


PARTS = {"sound": sound}
