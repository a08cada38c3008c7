"""An analysis as plain lines of a terminal, and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from encoders.neural.criterion import Criterion
from retrieval.analysis.analyze import Analysis
from retrieval.analysis.posterior import ACTIVE, MAX_DRAWN, AggregatePosterior
from retrieval.report.findings import AGREEMENT
from retrieval.report.spec_wrapping import wrapped
from retrieval.report.terminal.listing import WIDTH, aligned, full_specs_lines

#: Columns of the discriminator of a space: its loss, the loss with shuffled codes, and the bound of the information.
DISCRIMINATOR_HEAD = ("discriminator loss", "by chance", "information, nats")
POSTERIOR_HEAD = ("component", "mean KL, nats", "variance of means", "prior covered", "in use")


def analysis_lines(found: Analysis, options: Mapping[str, str] | None = None) -> list[str]:
    """Return the tables of an analysis, and the `options` of its spaces; pictures are on its page."""
    lines: list[str] = []
    if found.counts is not None:
        best, reason = found.counts.answer
        lines += [f"{best} clusters in {found.tree_space}: {reason}"]
        rows = [[name, str(count)] for name, count in found.counts.recommended.items()]
        lines += ["", *aligned(["criterion", "clusters"], rows, right=[1])]
    rows = [
        [space.spec, method, *(f"{values[measure]:.3f}" for measure in AGREEMENT)]
        for space in found.spaces
        for method, values in space.quality.items()
    ]
    if rows:
        lines += ["", *aligned(["space", "clusters by", *AGREEMENT], rows, right=[2, 3, 4, 5], specs=[0])]
    if found.lost:
        rows = [[name, *(f"{100 * value:.1f}" for value in values)] for name, values in found.lost.items()]
        head = ["variance lost, %", *(f"{width}" for width in found.widths)]
        lines += ["", *aligned(head, rows, right=range(1, len(head)), specs=[0])]
    if found.local is not None and found.local.precision:
        values = ", ".join(f"{name} {value:.3f}" for name, value in found.local.precision.items())
        among = f"among the {len(found.shown):,} sampled items"
        lines += ["", f"P@10 of {found.local_space} as {found.local.k} clusters and as a code, {among}: {values}"]
    rows = [[space.spec, *discriminator_cells(space.discriminator)] for space in found.spaces if space.discriminator]
    if rows:
        lines += ["", *aligned(["space", *DISCRIMINATOR_HEAD], rows, right=[1, 2, 3], specs=[0])]
    for space in found.spaces:
        if space.posterior is not None:
            lines += ["", *_posterior_lines(space.spec, space.posterior)]
    return [*lines, *(f"note: {note}" for note in found.notes), *(full_specs_lines(options) if options else [])]


def discriminator_cells(found: Criterion) -> list[str]:
    """Return loss, chance and bound of the discriminator of one space, as text."""
    return [f"{found.loss:.3f}", f"{found.shuffled:.3f}", f"{found.nats:.2f} of {found.ceiling:.2f}"]


def _posterior_lines(spec: str, found: AggregatePosterior) -> list[str]:
    rest = len(found.order) - MAX_DRAWN
    more = [f"… and {rest} more, on the page"] if rest > 0 else []
    rows = aligned(POSTERIOR_HEAD, posterior_rows(found)[:MAX_DRAWN], right=range(4))
    return [*wrapped(spec, WIDTH), found.answer, *rows, *more]


def posterior_rows(found: AggregatePosterior) -> list[list[str]]:
    """Return one row for each component of a VAE's code, the largest KL divergence first."""
    return [
        [
            str(position + 1),
            f"{found.kl_divergence[position]:.3f}",
            f"{found.variance_of_means[position]:.3f}",
            f"{found.coverage[position]:.0%}",
            "yes" if found.in_use[position] else "no",
        ]
        for position in found.order
    ]


def _posterior_json(found: AggregatePosterior) -> dict[str, Any]:
    return {
        "answer": found.answer,
        "in_use": int(found.in_use.sum()),
        "in_use_above": ACTIVE,
        "components": [
            {
                "component": position + 1,
                "mean_kl_nats": float(found.kl_divergence[position]),
                "variance_of_means": float(found.variance_of_means[position]),
                "prior_filled": float(found.coverage[position]),
                "in_use": bool(found.in_use[position]),
            }
            for position in found.order
        ],
    }


def analysis_json(found: Analysis) -> dict[str, Any]:
    """Return the same as JSON values."""
    counts = found.counts
    return {
        "corpus": found.corpus,
        "items": len(found.shown),
        "clusters": None
        if counts is None
        else {
            "recommended": counts.answer[0],
            "reason": counts.answer[1],
            "criteria": counts.recommended,
            "tried": counts.counts,
            "curves": counts.curves,
        },
        "variance_lost": {"widths": found.widths, **found.lost},
        "spaces": [
            {
                "spec": space.spec,
                "dim": space.dim,
                "quality": space.quality,
                "posterior": None if space.posterior is None else _posterior_json(space.posterior),
                "discriminator": None if space.discriminator is None else asdict(space.discriminator),
            }
            for space in found.spaces
        ],
        "local": None if found.local is None else {"clusters": found.local.k, "P@10": found.local.precision},
        "notes": found.notes,
    }
