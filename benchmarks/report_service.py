"""The parts of docs/results.md on the service: its speed over HTTP, its start, and what it bears."""

from __future__ import annotations

from typing import Any

from record import latest_of_each
from report_page import TARGETS, Page

WHY_MEMORY = (
    "The worker that starts after the kill is still warming up: clients stay connected to the worker that was left,"
    " so the new one gets few requests."
)


def service_speed(page: Page, run: dict[str, Any]) -> None:
    figures = run["figures"]
    page.heading("The service: speed and start", run)
    page.lines += [
        "",
        f"{figures['items']:,} abstracts; one title at a time, ten answers, over one connection that stays open,",
        "beside the same searches in one process. Start: from the command to the first answer to a search in all",
        "spaces of a small collection.",
    ]
    rows = [[name, row["in_process"], row["http"]] for name, row in figures["searches"].items()]
    page.table(["space", "in process, searches/s", "HTTP, searches/s"], rows)
    start = figures["start"]
    targets = [
        page.target(f"HTTP beside in process, {name}, share", row["share"], 0.5)
        for name, row in figures["searches"].items()
    ]
    targets += [
        page.target("`nearby serve` to the first answer, seconds", start["seconds"], 1.0, False),
        page.target("starts that load PyTorch", int(start["loads_torch"]), 0, False),
    ]
    page.table(TARGETS, targets)


def service_load(page: Page, run: dict[str, Any]) -> None:
    """Write what came of all clients in the last run, and the targets of the last run of each length."""
    figures = run["figures"]
    page.heading("The service under load", run)
    memory, rate = figures["memory_mib"], figures["requests_per_second"]
    page.lines += [
        "",
        f"{figures['minutes']:g} minutes, {figures['connections']} connections of mixed requests to"
        f" {figures['workers']} workers, {figures['swaps']} new generations, one worker killed: {rate:.0f} requests/s,",
        f"p50 {figures['p50_ms']:.0f} ms, p99 {figures['p99_ms']:.0f} ms, longest {figures['longest_ms']:.0f} ms;",
        f"memory of the workers that is no file: {memory['warm']:.0f} MiB when warm, {memory['end']:.0f} at the end",
        f"(medians of tenths of the time: {_tenths(memory.get('tenths', []))}).",
        *(f"Worker {number}: {_tenths(one)}." for number, one in enumerate(memory.get("workers", []), 1)),
        "`reset`: connections of the worker that was killed; `cut`: the service closed the connection.",
    ]
    page.table(
        ["clients", "what they got"],
        [
            [kind.replace("_", " "), ", ".join(f"{status}: {count:,}" for status, count in counts.items())]
            for kind, counts in figures["statuses"].items()
        ],
    )
    page.table(TARGETS, [row for one in _long_runs() for row in _load_targets(page, one)])


def _tenths(values: list[float | None]) -> str:
    return ", ".join("–" if value is None else f"{value:.0f}" for value in values)


def _long_runs() -> list[dict[str, Any]]:
    """Return the last run of each length; memory of a few minutes says nothing."""
    return [run for run in latest_of_each("service_load", "minutes") if run["figures"]["minutes"] >= 10]


def _load_targets(page: Page, run: dict[str, Any]) -> list[list[Any]]:
    figures = run["figures"]
    which = f"{figures['minutes']:g} minutes, {run['provenance']['date']}"
    return [
        page.target(f"{which}: 5xx other than 503 that says when to come back", figures["n_unsaid_5xx"], 0, False),
        page.target(f"{which}: p99 beside p50, ratio", figures["p99_by_p50"], 5, False),
        page.target(
            f"{which}: memory at the end beside when warm, change",
            abs(figures["memory_change"]),
            0.05,
            False,
            WHY_MEMORY,
        ),
    ]


def api_fuzz(page: Page, run: dict[str, Any]) -> None:
    figures = run["figures"]
    page.heading("The service beside its OpenAPI document", run)
    page.lines += [
        "",
        f"schemathesis made {figures['requests']:,} requests that fit the document or do not, of each of"
        f" {figures['operations']} operations,",
        "with all of its checks, on collections whose spaces and ids it was told. Answered: requests that fit and got",
        "an answer; the others name what there is not.",
    ]
    page.table(
        ["collection", "requests", "answered"],
        [[name, one["requests"], one["answered"]] for name, one in figures["collections"].items()],
    )
    page.table(
        TARGETS,
        [
            page.target("server errors", figures["server_errors"], 0, False),
            page.target("answers that contradict the document", figures["contradictions"], 0, False),
            page.target("operations that could not be asked", figures["not_run"], 0, False),
        ],
    )


def service_peers(page: Page, run: dict[str, Any]) -> None:
    figures = run["figures"]
    page.heading("The service beside txtai's", run)
    page.lines += [
        "",
        f"{'2,000' if figures['quick'] else '80,000'} abstracts, BM25; one title at a time, ten answers with their"
        " texts, over one connection, in turns.",
        f"Each has its own tokenizer: {figures['same_answers']:.0%} of the answers are the same.",
    ]
    page.table(
        ["service", "searches/s", "seconds to index"],
        [[name, rate, figures["index_seconds"][name]] for name, rate in figures["searches_per_second"].items()],
    )


def map_frames(page: Page, run: dict[str, Any]) -> None:
    figures = run["figures"]
    page.heading("The maps of the page", run)
    page.lines += [
        "",
        f"Two linked maps of {figures['items']:,} items each in Chromium without a graphics processor; one event a"
        f" frame, {figures['frames']} frames each.",
        "The browser shows at most 60 frames a second, 16.7 ms each.",
    ]
    rows = [
        [f"{width} pixels", action, row["median_ms"], row["p95_ms"]]
        for width, actions in figures["widths"].items()
        for action, row in actions.items()
    ]
    page.table(["width", "action", "ms a frame, median", "ms a frame, 95 %"], rows)
    slowest = max(row[2] for row in rows)
    page.table(TARGETS, [page.target("slowest median of a frame, ms (30 frames a second)", slowest, 33.3, False)])


PARTS = {
    "service_speed": service_speed,
    "service_peers": service_peers,
    "service_load": service_load,
    "api_fuzz": api_fuzz,
    "map_frames": map_frames,
}
