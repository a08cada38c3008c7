"""An analysis as plain lines of a terminal, and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from encoders.neural.criterion import Criterion
from retrieval.analysis.posterior import ACTIVE, MAX_DRAWN, AggregatePosterior
from retrieval.analysis.result import Analysis
from retrieval.report.findings import AGREEMENT
from retrieval.report.spec_wrapping import wrapped
from retrieval.report.terminal.listing import WIDTH, aligned, full_specs_lines

#: Columns of the discriminator of a space: its loss, the loss with shuffled codes, and the bound of the information.
DISCRIMINATOR_HEAD = ("discriminator loss", "by chance", "information, nats")
POSTERIOR_HEAD = ("component", "mean KL, nats", "variance of means", "prior covered", "in use")


def analysis_lines(analysis: Analysis, options: Mapping[str, str] | None = None) -> list[str]:
    """Return the tables of an analysis, and the `options` of its spaces; pictures are on its page."""
    lines: list[str] = []
    if analysis.counts is not None:
        best, reason = analysis.counts.answer
        lines += [f"{best} clusters in {analysis.tree_space}: {reason}"]
        rows = [[name, str(count)] for name, count in analysis.counts.recommended.items()]
        lines += ["", *aligned(["criterion", "clusters"], rows, right=[1])]
    rows = [
        [space.spec, method, *(f"{values[measure]:.3f}" for measure in AGREEMENT)]
        for space in analysis.spaces
        for method, values in space.quality.items()
    ]
    if rows:
        lines += ["", *aligned(["space", "clusters by", *AGREEMENT], rows, right=[2, 3, 4, 5], specs=[0])]
    if analysis.lost:
        rows = [[name, *(f"{100 * value:.1f}" for value in values)] for name, values in analysis.lost.items()]
        head = ["variance lost, %", *(f"{width}" for width in analysis.widths)]
        lines += ["", *aligned(head, rows, right=range(1, len(head)), specs=[0])]
    if analysis.local is not None and analysis.local.precision:
        values = ", ".join(f"{name} {value:.3f}" for name, value in analysis.local.precision.items())
        among = f"among the {len(analysis.shown):,} sampled items"
        lines += ["", f"P@10 of {analysis.local_space} as {analysis.local.k} clusters and as a code, {among}: {values}"]
    rows = [[space.spec, *discriminator_cells(space.discriminator)] for space in analysis.spaces if space.discriminator]
    if rows:
        lines += ["", *aligned(["space", *DISCRIMINATOR_HEAD], rows, right=[1, 2, 3], specs=[0])]
    for space in analysis.spaces:
        if space.posterior is not None:
            lines += ["", *_posterior_lines(space.spec, space.posterior)]
    return [*lines, *(f"note: {note}" for note in analysis.notes), *(full_specs_lines(options) if options else [])]


def discriminator_cells(criterion: Criterion) -> list[str]:
    """Return loss, chance and bound of the discriminator of one space, as text."""
    return [f"{criterion.loss:.3f}", f"{criterion.shuffled:.3f}", f"{criterion.nats:.2f} of {criterion.ceiling:.2f}"]


def _posterior_lines(spec: str, posterior: AggregatePosterior) -> list[str]:
    rest = len(posterior.order) - MAX_DRAWN
    more = [f"… and {rest} more, on the page"] if rest > 0 else []
    rows = aligned(POSTERIOR_HEAD, posterior_rows(posterior)[:MAX_DRAWN], right=range(4))
    return [*wrapped(spec, WIDTH), posterior.answer, *rows, *more]


def posterior_rows(posterior: AggregatePosterior) -> list[list[str]]:
    """Return one row for each component of a VAE's code, the largest KL divergence first."""
    return [
        [
            str(position + 1),
            f"{posterior.kl_divergence[position]:.3f}",
            f"{posterior.variance_of_means[position]:.3f}",
            f"{posterior.coverage[position]:.0%}",
            "yes" if posterior.in_use[position] else "no",
        ]
        for position in posterior.order
    ]


def _posterior_json(posterior: AggregatePosterior) -> dict[str, Any]:
    return {
        "answer": posterior.answer,
        "in_use": int(posterior.in_use.sum()),
        "in_use_above": ACTIVE,
        "components": [
            {
                "component": position + 1,
                "mean_kl_nats": float(posterior.kl_divergence[position]),
                "variance_of_means": float(posterior.variance_of_means[position]),
                "prior_filled": float(posterior.coverage[position]),
                "in_use": bool(posterior.in_use[position]),
            }
            for position in posterior.order
        ],
    }


def analysis_json(analysis: Analysis) -> dict[str, Any]:
    """Return the same as JSON values."""
    counts = analysis.counts
    return {
        "corpus": analysis.corpus,
        "items": len(analysis.shown),
        "clusters": None
        if counts is None
        else {
            "recommended": counts.answer[0],
            "reason": counts.answer[1],
            "criteria": counts.recommended,
            "tried": counts.counts,
            "curves": counts.curves,
        },
        "variance_lost": {"widths": analysis.widths, **analysis.lost},
        "spaces": [
            {
                "spec": space.spec,
                "dim": space.dim,
                "quality": space.quality,
                "posterior": None if space.posterior is None else _posterior_json(space.posterior),
                "discriminator": None if space.discriminator is None else asdict(space.discriminator),
            }
            for space in analysis.spaces
        ],
        "local": None if analysis.local is None else {"clusters": analysis.local.k, "P@10": analysis.local.precision},
        "notes": analysis.notes,
    }
