"""The explorer of a page at 10,000 queries: the size of the file, and the time until a click is answered.

Pages of simulated comparisons, opened in a real Chromium. A click is timed from the event to the layout of what it
opened, to the next frame on the screen, and by the processor time of the page's main thread until then, which does not
depend on what else the machine does.

Run: ``python benchmarks/explorer.py`` (needs no data; needs chromium and chromium-driver)
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from record import nothing_else, record, say, timed

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "servers"))

from chromium import chromium, sized
from simulated_comparison import simulated

from retrieval.report.html.comparison import write_page

#: Queries, spaces, and whether items are pictures of 28 x 28 pixels.
CASES = ((1_000, 4, False), (10_000, 2, False), (10_000, 4, False), (10_000, 10, False), (10_000, 4, True))
REPEATS = 10
_TIMED = """
const [action, repeats, done] = arguments;
const rows = () => [...document.querySelectorAll('.queries [role=option]')];
const sort = document.querySelectorAll('.explorer select')[3];
const second = document.querySelectorAll('.explorer select')[1];
const change = (select, at) => { select.selectedIndex = at; select.dispatchEvent(new Event('change')); };
const canvas = document.querySelector('canvas.scatter');
const actions = {
  row: (at) => rows()[at % 8].click(),
  dot: (at) => { const box = canvas.getBoundingClientRect(); canvas.dispatchEvent(new MouseEvent('click', {
    clientX: box.left + 80 + 12 * at, clientY: box.top + 250 - 8 * at })); },
  order: (at) => change(sort, at % 5),
  space: (at) => change(second, at % second.options.length),
};
const answers = [], frames = [];
const step = (at) => {
  if (at === repeats) { done([answers, frames]); return; }
  const before = performance.now();
  actions[action](at);
  document.body.getBoundingClientRect();
  answers.push(performance.now() - before);
  requestAnimationFrame(() => setTimeout(() => { frames.push(performance.now() - before); step(at + 1); }));
};
step(0);
"""


def main(*arguments: str) -> None:
    """Measure every case."""
    nothing_else(list(arguments))
    rows = []
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        for queries, spaces, pictures in CASES:
            rows.append(measured(browser, Path(folder) / "page.html", queries, spaces, pictures))
            say("case", rows[-1])
    record("explorer", {"cases": rows, "repeats": REPEATS})


def measured(browser: Any, path: Path, queries: int, spaces: int, pictures: bool) -> dict[str, Any]:
    """Write one page, open it, click."""
    comparison = simulated(queries, spaces, pictures)
    with timed() as writing:
        write_page(comparison, path)
    sized(browser, 1280, 900)
    browser.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
    with timed() as opening:
        browser.get(path.as_uri())
    row: dict[str, Any] = {
        "queries": queries, "spaces": spaces, "items": "pictures" if pictures else "texts",
        "bytes": path.stat().st_size, "write_seconds": writing.value, "open_seconds": opening.value,
    }  # fmt: skip
    browser.set_script_timeout(120)
    for action in ("row", "dot", "order", "space"):
        before = _processor_seconds(browser)
        answers, frames = browser.execute_async_script(_TIMED, action, REPEATS)
        spent = _processor_seconds(browser) - before
        row[action] = {
            "cpu_ms": 1000 * spent / REPEATS,
            "ms": median(answers), "fastest_ms": min(answers), "slowest_ms": max(answers), "frame_ms": median(frames),
        }  # fmt: skip
    return row


def _processor_seconds(browser: Any) -> float:
    """Return the processor time of the page's main thread: what other processes do does not count."""
    found = browser.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    return float(next(one["value"] for one in found if one["name"] == "TaskDuration"))


if __name__ == "__main__":
    main(*sys.argv[1:])
