"""The index settings of a space in a terminal: the table, the recommended setting and the command that uses it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from encoders.numbers import counted, span
from retrieval.experiment.tuning.result import Reach, Setting, Tuning, best_of
from retrieval.report.json import plain
from retrieval.report.spec_wrapping import wrapped
from retrieval.report.terminal.listing import WIDTH, aligned
from retrieval.report.terminal.printable import shell_line

#: Letters of an index beside the numbers; of a longer one, the search parameters are in the next line.
_INDEX_WIDTH = 36
_EXPLAINED = (
    "* no other setting is as good in recall, speed and bytes together. recall@{k}: share of the {k} nearest items "
    "that are found{groups}; at least: the lower end of its 95% interval over queries; ?: the sample is too small to "
    "tell whether {wanted:g} is reached. × exact: speed beside exact search, in alternation, all queries together. "
    "bytes/item: of the index, without ids."
)


def tuning_lines(tuning: Tuning) -> list[str]:
    """Return what was asked, the table, and what to use."""
    asked = " and ".join(_asked(name, count) for name, count in tuning.n_queries.items())
    head = f"{_measured_items(tuning)}, {asked} as queries; now in the index {tuning.present}"
    groups = "" if len(tuning.n_queries) == 1 else f", by {' or '.join(tuning.n_queries)}, the lower"
    explained = _EXPLAINED.format(k=tuning.k, groups=groups, wanted=tuning.wanted)
    return [
        *wrapped(tuning.spec, WIDTH),
        *textwrap.wrap(head, WIDTH),
        "",
        *_table(tuning.settings, tuning),
        *textwrap.wrap(explained, WIDTH),
        "",
        *_confirmed_lines(tuning),
        *(line for text in advice(tuning) for line in textwrap.wrap(text, WIDTH, break_on_hyphens=False)),
        *command_lines(tuning),
    ]


def _asked(name: str, count: int) -> str:
    if name == "items":
        return counted(count, "item")
    return "1 query of the corpus" if count == 1 else f"{count:,} queries of the corpus"


def _measured_items(tuning: Tuning) -> str:
    if tuning.n_sampled == tuning.n_items:
        return counted(tuning.n_items, "item")
    return f"{tuning.n_sampled:,} random items of {tuning.n_items:,} (--items)"


def _confirmed_lines(tuning: Tuning) -> list[str]:
    """Return the table of what was measured again on all items."""
    if len(tuning.confirmed) < 2:
        return []
    sentence = (
        f"The fastest kind of index that reaches {tuning.wanted:g} there, on all {tuning.n_items:,} items, "
        "with the lists that they need:"
    )
    return [*textwrap.wrap(sentence, WIDTH), "", *_table(tuning.confirmed, tuning), ""]


def _table(settings: Sequence[Setting], tuning: Tuning) -> list[str]:
    best = {setting.index for setting in best_of(settings)}
    head = [f"recall@{tuning.k}", "at least", "queries/s", "× exact", "bytes/item", "build s", "", "index"]
    rows: list[list[str]] = []
    for setting in settings:
        name, mark, parameters = setting.index.partition("?")
        fits = len(setting.index) <= _INDEX_WIDTH
        star = "*" if setting.index in best else ""
        rows.append([*_cells(setting, tuning.wanted), star, setting.index if fits else name])
        if not fits and mark:
            rows.append([""] * 7 + [f"  ?{parameters}"])
    return aligned(head, rows, right=[0, 1, 2, 3, 4, 5])


def _cells(setting: Setting, wanted: float) -> list[str]:
    mark = "?" if setting.reaches(wanted) is Reach.UNKNOWN else " "
    lowest = min(setting.recalls.values(), key=lambda recall: recall.mean).interval
    return [
        f"{setting.recall:.3f}{mark}",
        f"{lowest.low:.3f}",
        f"{setting.queries_per_second:,.0f}",
        f"{setting.speed:.2f}",
        f"{setting.bytes_per_item:,.1f}",
        f"{setting.build_seconds:.2f}",
    ]


def advice(tuning: Tuning) -> Iterator[str]:
    """Give the sentences that say what to use, and what the sample cannot tell."""
    chosen, wanted = tuning.recommended, f"{tuning.wanted:g}"
    within = "" if tuning.max_bytes is None else f" within {tuning.max_bytes:g} bytes per item"
    if chosen is not None and chosen.index == "exact":
        yield f"Recommended: exact; nothing faster is sure to reach a recall@{tuning.k} of {wanted}{within}."
    elif chosen is not None:
        yield (
            f"Recommended: {chosen.index}, the fastest that reaches a recall@{tuning.k} of {wanted}{within}: "
            f"{_recall_text(chosen)}, {chosen.speed:.1f} times as fast as exact search, built in "
            f"{span(chosen.build_seconds)}."
        )
    elif not tuning.allowed:
        yield f"No index fits{within}: raise --max-bytes, or reduce the codes, as in SPEC+pca:32 or SPEC+sq8."
    else:
        best = max(tuning.allowed, key=lambda setting: setting.recall)
        yield (
            f"No setting is sure to reach a recall@{tuning.k} of {wanted}{within}: the best is {best.index} with "
            f"{_recall_text(best)}. Lower --recall or raise --max-bytes."
        )
    undecided = tuning.undecided
    if undecided is not None:
        yield (
            f"{undecided.index} runs {undecided.speed:.1f} times as fast as exact search, but the sample is too small "
            f"to tell whether it reaches {wanted}: {_recall_text(undecided)}. A larger --sample would tell."
        )


def _recall_text(setting: Setting) -> str:
    lowest = min(setting.recalls.values(), key=lambda recall: recall.mean)
    return f"recall {lowest.mean:.3f} (95% interval {lowest.interval.low:.3f} to {lowest.interval.high:.3f})"


def command(tuning: Tuning) -> list[str] | None:
    """Return the words of the command that indexes the items by the recommended setting; None where it has it now."""
    chosen = tuning.recommended
    if chosen is None or chosen.index == tuning.present:
        return None
    out = f"{tuning.folder.rstrip('/')}-tuned"
    return ["nearby", "index", tuning.folder, "-s", tuning.spec, "--index", chosen.index, "-o", out]


def command_lines(tuning: Tuning) -> list[str]:
    """Return the command in a line of its own, so that it can be copied."""
    words = command(tuning)
    if words is not None:
        return ["", shell_line(words)]
    return ["The space has this index now."] if tuning.recommended is not None else []


def tuning_values(tuning: Tuning) -> dict[str, Any]:
    """Return the settings as JSON values."""
    words = command(tuning)
    chosen = tuning.recommended
    values: dict[str, Any] = plain(
        {
            "folder": tuning.folder,
            "spec": tuning.spec,
            "present_index": tuning.present,
            "n_items": tuning.n_items,
            "n_sampled": tuning.n_sampled,
            "n_queries": tuning.n_queries,
            "k": tuning.k,
            "wanted_recall": tuning.wanted,
            "max_bytes": tuning.max_bytes,
            "settings": _values(tuning.settings, tuning),
            "confirmed": _values(tuning.confirmed, tuning),
            "recommended": None if chosen is None else chosen.index,
            "undecided": None if tuning.undecided is None else tuning.undecided.index,
            "command": None if words is None else shell_line(words),
            "advice": list(advice(tuning)),
        }
    )
    return values


def _values(settings: Sequence[Setting], tuning: Tuning) -> list[dict[str, Any]]:
    best = {setting.index for setting in best_of(settings)}
    return [_setting_values(setting, tuning, setting.index in best) for setting in settings]


def _setting_values(setting: Setting, tuning: Tuning, is_best: bool) -> dict[str, Any]:
    recalls = {
        name: {"mean": recall.mean, "interval": list(recall.interval)} for name, recall in setting.recalls.items()
    }
    return {
        "index": setting.index,
        "recall": setting.recall,
        "recalls": recalls,
        "reaches": setting.reaches(tuning.wanted),
        "queries_per_second": setting.queries_per_second,
        "times_exact": setting.speed,
        "bytes_per_item": setting.bytes_per_item,
        "build_seconds": setting.build_seconds,
        "pareto_best": is_best,
    }
