"""The two linked maps of the page with 100,000 items each: milliseconds from frame to frame in a real Chromium.

Both maps are zoomed by the wheel, moved by the keyboard, and pointed at, one event a frame. The browser shows at most
60 frames a second. The figure wanted is 30, 33.3 ms a frame.

Run: ``python benchmarks/map_frames.py [ITEMS]`` (needs no data, but Chromium)
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from record import nothing_else, record, say
from serving import NEARBY, serving

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "servers"))
from chromium import chromium, complaints, sized

FRAMES, WIDTH = 120, 16
SIZES = {"1280": (1280, 900), "390": (390, 844)}
_TIMED = """
const [action, frames, done] = arguments;
const canvas = document.querySelector('canvas.map');
const box = canvas.getBoundingClientRect();
const at = (step) => ({ bubbles: true, cancelable: true, pointerId: 1,
  clientX: box.left + box.width * (0.5 + 0.3 * Math.sin(step / 7)),
  clientY: box.top + box.height * (0.5 + 0.3 * Math.cos(step / 5)) });
const key = (key) => canvas.dispatchEvent(new KeyboardEvent('keydown', { key, shiftKey: true, cancelable: true }));
const actions = {
  zoom: (step) => canvas.dispatchEvent(new WheelEvent('wheel', { ...at(step), deltaY: step % 40 < 20 ? -60 : 60 })),
  move: (step) => key(step % 20 < 10 ? 'ArrowRight' : 'ArrowLeft'),
  hover: (step) => canvas.dispatchEvent(new PointerEvent('pointermove', at(step))),
};
const times = [];
const step = (number) => {
  times.push(performance.now());
  if (number === frames) { done(times); return; }
  actions[action](number);
  requestAnimationFrame(() => step(number + 1));
};
requestAnimationFrame(() => step(0));
"""


def main(*arguments: str) -> None:
    """Measure with 100,000 items, or as many as asked for."""
    n = int(arguments[0]) if arguments else 100_000
    nothing_else(arguments[1:])
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_vectors(folder / "vectors.npz", n)
        subprocess.run(
            [NEARBY, "index", str(folder / "vectors.npz"), "-s", "vectors", "-s", "vectors+pca:8", "-o", "maps"],
            check=True, capture_output=True, cwd=folder,
        )  # fmt: skip
        with serving(str(folder / "maps")) as (_, port), chromium() as browser:
            rows = {name: measured(browser, port, size) for name, size in SIZES.items()}
    record("map_frames", {"items": n, "frames": FRAMES, "widths": rows})


def write_vectors(path: Path, n: int) -> None:
    """Write vectors around ten centres, with the centre as label."""
    draw = np.random.default_rng(0)
    labels = draw.integers(0, 10, n)
    vectors = draw.standard_normal((n, WIDTH), dtype=np.float32)
    vectors += 4 * draw.standard_normal((10, WIDTH), dtype=np.float32)[labels]
    np.savez(path, vectors=vectors, labels=labels.astype(str))


def measured(browser: Any, port: int, size: tuple[int, int]) -> dict[str, Any]:
    """Open the maps at a width and return the milliseconds of frames for each action."""
    sized(browser, *size)
    browser.set_script_timeout(120)
    browser.get(f"http://127.0.0.1:{port}/?collection=maps&view=map&a=vectors&b=vectors%2Bpca%3A8&colour=label")
    until = time.monotonic() + 120
    while not browser.execute_script("return document.querySelectorAll('canvas.map').length === 2"):
        if time.monotonic() > until:
            raise SystemExit("the maps did not appear in 120 s")
        time.sleep(0.2)
    time.sleep(3)
    found = {}
    for action in ("zoom", "move", "hover"):
        frames = np.diff(browser.execute_async_script(_TIMED, action, FRAMES))
        found[action] = {"median_ms": float(np.median(frames)), "p95_ms": float(np.percentile(frames, 95))}
        say(size[0], action, found[action])
    if said := complaints(browser):
        raise SystemExit(f"the page complains: {said}")
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
