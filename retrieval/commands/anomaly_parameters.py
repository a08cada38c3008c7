"""Options and arguments of `nearby anomalies`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from retrieval.commands.parameters import argument, option, share, whole


def share_or_estimate(text: Any) -> Any:
    """Read the option --contaminated: a share, or auto, which stands for none."""
    return text if text == "auto" else share(text)


DetectorFolder = Annotated[Path, argument("FOLDER", "Folder of an anomaly detector.")]
DetectorSpaces = Annotated[
    list[str] | None,
    option(
        "-s",
        "--space",
        metavar="SPACE",
        help="A space, e.g. vectors+pca:8; repeat for several. Default: one that suits.",
    ),
]
Score = Annotated[
    str,
    option(
        "--score",
        metavar="SCORE",
        help="Score: reconstruction, likelihood, neighbours, discriminator, or auto, which suits the space.",
    ),
]
NormalLabels = Annotated[
    list[str] | None,
    option("--normal", help="Label of the normal items; repeat for several. Default: all are normal.", metavar="LABEL"),
]
HoldOut = Annotated[
    float | None,
    typer.Option(
        "--hold-out", help="Share of the normal items held out for calibration. [default: 20%]", parser=share,
        metavar="SHARE",
    ),
]  # fmt: skip
ByOrder = Annotated[
    bool, typer.Option("--split-by-order", help="Hold out the last items, not random ones: for data in order of time.")
]
Neighbour = Annotated[int, whole("-k", help="Which neighbour the score neighbours uses: the k-th nearest.", lowest=1)]
Standardise = Annotated[
    bool | None,
    typer.Option(
        "--standardise/--no-standardise",
        help="Standardise reconstruction errors by component.  [default: for vectors and rows only]",
    ),
]
FalseAlarms = Annotated[
    float | None,
    typer.Option("--false-alarms", help="Share of normal items to flag.  [default: 1%]", parser=share, metavar="SHARE"),
]
