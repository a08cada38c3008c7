"""How far a rung of the label ladder can be believed: measured, not assumed.

`benchmarks/label_ladder.py` orders the same spaces by a rung and by judgements, on corpora that have judgements or
labels, and compares the two orders by Kendall's tau-b (Kendall, *Biometrika* 1945). The values below are its last run
(docs/results.md, "Without labels"); a test compares them with the recorded file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from encoders.codes import Modality
from encoders.listed import listed


@dataclass(frozen=True)
class Validity:
    """One corpus: tau of the rung's order with that of judgements, and what its choice loses.

    Attributes
    ----------
    corpus : str
    modality : Modality
    tau : float
        1: the same order; 0: no relation; -1: reversed.
    regret : float
        The main measure of the best space minus that of the space that the rung puts first.
    """

    corpus: str
    modality: Modality
    tau: float
    regret: float


#: The day of the measurement.
DATE = "2026-11-29"
#: Rung -> one row for each corpus.
MEASURED: dict[str, list[Validity]] = {
    "known-item": [
        Validity("cranfield", Modality.TEXT, 0.422, 0.049),
        Validity("cisi", Modality.TEXT, 0.778, 0.01),
        Validity("npl", Modality.TEXT, 0.6, 0.05),
        Validity("scifact", Modality.TEXT, 0.822, 0.004),
        Validity("20newsgroups", Modality.TEXT, 0.511, 0.114),
        Validity("mnist", Modality.IMAGE, 0.704, 0.018),
        Validity("orl-faces", Modality.IMAGE, 0.841, 0.015),
    ],
    "agreement": [
        Validity("cranfield", Modality.TEXT, 0.644, 0.001),
        Validity("cisi", Modality.TEXT, 0.644, 0.01),
        Validity("npl", Modality.TEXT, 0.6, 0.049),
        Validity("scifact", Modality.TEXT, 0.6, 0.022),
        Validity("20newsgroups", Modality.TEXT, 0.467, 0.086),
        Validity("mnist", Modality.IMAGE, 0.722, 0.0),
        Validity("orl-faces", Modality.IMAGE, 1.0, 0.0),
    ],
}


def kendall_tau(first: Sequence[float], second: Sequence[float]) -> float:
    """Kendall's tau-b of two orders of the same spaces, given by their values; NaN when one of them orders nothing.

    Examples
    --------
    >>> kendall_tau([0.1, 0.2, 0.3], [5, 6, 7]), kendall_tau([0.1, 0.2, 0.3], [7, 6, 5])
    (1.0, -1.0)
    """
    from scipy.stats import kendalltau

    return round(float(kendalltau(first, second).statistic), 12)


def validity_notes(rung: str, modality: Modality) -> list[str]:
    """Return how far a rung can be believed, as a sentence; nothing for judgements and labels, which are the standard.

    Parameters
    ----------
    rung : str
    modality : Modality
        Of the corpus; only corpora of the same modality count, if there are any.
    """
    rows = MEASURED.get(rung)
    if not rows:
        return []
    same = [row for row in rows if row.modality is modality]
    used = same or rows
    taus, regrets = [row.tau for row in used], [row.regret for row in used]
    kinds = listed([f"{kind}s" for kind in dict.fromkeys(str(row.modality) for row in used)])
    where = "1 corpus" if len(used) == 1 else f"{len(used)} corpora"
    spread = "" if len(used) == 1 else f" ({min(taus):.2f} to {max(taus):.2f})"
    missing = "" if same else f"; {modality}s were not measured"
    return [
        f"How far to believe this: on {where} of {kinds} that have judgements or labels, the order of spaces agreed "
        f"with theirs by Kendall's tau {sum(taus) / len(taus):.2f}{spread}, where 1 is the same order and 0 is chance; "
        f"the first space lost {sum(regrets) / len(regrets):.3f} of their measure against the best "
        f"(measured {DATE}{missing})."
    ]
