"""Rows a second of ``nearby anomalies score DIR -`` on KDD99, beside a plain loop in NumPy over the same lines.

A detector with a perceptron is fitted once; then lines of JSON with 41 columns go through a pipe into a process of its
own. The plain loop reads each line with orjson, writes numbers and categories into a vector, and multiplies it by four
matrices of the shapes of the network: what a script for this one table would do. Seconds are those of the processor,
start and imports of the process included and apart; both are measured in turns.

Run: ``NEARBY_DATA=... python benchmarks/anomaly_stream.py``
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from itertools import islice, pairwise
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import orjson
from record import answered, record, say

from encoders.row import Row
from retrieval.applications.anomaly.detector import AnomalyDetector
from retrieval.corpora.registry import open_corpus

SPEC, LAYERS = "columns+deep-ae:64-8,epochs=2", (64, 8, 64)
ROWS, FITTED, REPEATS = 60_000, 6_000, 5
#: The command line of this tree.
NEARBY = [sys.executable, str(Path(__file__).parents[1] / "cli.py"), "anomalies"]


def main() -> None:
    rows: list[Any] = [item.content for item in islice(open_corpus("kddcup99"), ROWS + FITTED)]
    with tempfile.TemporaryDirectory() as folder:
        detector = AnomalyDetector.fit(rows[ROWS:], SPEC, say=say)
        saved, lines = str(detector.save(Path(folder) / "d")), Path(folder) / "rows.jsonl"
        lines.write_bytes(b"".join(orjson.dumps(_plain(row)) + b"\n" for row in rows[:ROWS]))
        one = Path(folder) / "one.jsonl"
        one.write_bytes(lines.read_bytes().partition(b"\n")[0] + b"\n")
        ours, starts, plain, walls = [], [], [], []
        for _ in range(REPEATS):
            starts.append(_answered(saved, one)[0])
            seconds, wall = _answered(saved, lines)
            ours.append(seconds)
            walls.append(wall)
            plain.append(_plain_loop(lines.read_bytes(), rows[ROWS:]))
        imports_torch = _imports_torch(saved, one)
    figures = {
        "spec": SPEC, "rows": ROWS, "columns": len(rows[0].names), "repeats": REPEATS,
        "start_seconds": median(starts), "seconds": median(ours), "plain_seconds": median(plain),
        "rows_per_second": ROWS / median(ours),
        "rows_per_second_after_start": ROWS / (median(ours) - median(starts)),
        "plain_rows_per_second": ROWS / median(plain),
        "rows_per_second_of_the_clock": ROWS / min(walls),
        "ratio": median(theirs / own for theirs, own in zip(plain, ours, strict=True)),
        "imports_torch": imports_torch,
    }  # fmt: skip
    say(figures)
    record("anomaly_stream", figures)


def _plain(row: Row) -> dict[str, Any]:
    """Return a row as JSON has it: whole numbers without a decimal point."""
    pairs = zip(row.names, row.values, strict=True)
    return {name: int(one) if isinstance(one, float) and one.is_integer() else one for name, one in pairs}


def _answered(saved: str, lines: Path) -> tuple[float, float]:
    """Return the seconds of the processor and of the clock in which a process answers the lines of a pipe."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = answered([*NEARBY, "score", saved, "-"], lines.read_bytes())
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - begun
    assert done.stdout.count(b'"p_value"') == lines.read_bytes().count(b"\n")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def _is_number(value: Any) -> bool:
    try:
        return value is not None and float(value) == float(value)
    except ValueError:
        return False


def _plain_loop(raw: bytes, fitted: list[Row]) -> float:
    names = fitted[0].names
    numbers = {
        name for name in names if all(_is_number(row[name]) for row in fitted)
    }  # a cell may keep its text: "0.00"
    texts = {name: sorted({str(row[name]) for row in fitted}) for name in names if name not in numbers}
    places, width = {}, 0
    for name in names:
        for value in texts.get(name, [None]):
            places[name, value] = width
            width += 1
    rng = np.random.default_rng(0)
    shapes = [width, *LAYERS, width]
    weights = [rng.standard_normal(shape).astype(np.float32) / 9 for shape in pairwise(shapes)]
    begun, total = time.process_time(), 0.0
    for line in raw.splitlines():
        vector = np.zeros(width, np.float32)
        for name, value in orjson.loads(line).items():
            if name not in numbers:
                place = places.get((name, str(value)))
                if place is not None:
                    vector[place] = 1
            else:
                vector[places[name, None]] = float(value)
        back = vector
        for weight in weights:
            back = np.tanh(back @ weight)
        total += float(np.square(vector - back).sum())
    assert np.isfinite(total)
    return time.process_time() - begun


def _imports_torch(saved: str, lines: Path) -> bool:
    """Return whether the command imports torch to answer lines, by Python's own list of imports."""
    command = [sys.executable, "-X", "importtime", *NEARBY[1:], "score", saved, "-"]
    done = answered(command, lines.read_bytes())
    assert b'"p_value"' in done.stdout  # an answer that is only an error needs no network
    imported = {line.rpartition(b"|")[2].strip() for line in done.stderr.splitlines()}
    assert b"numpy" in imported  # the list is there
    return b"torch" in imported


if __name__ == "__main__":
    main()
