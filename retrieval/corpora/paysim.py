"""PaySim: simulated transactions of mobile money, of which some are fraud.

E. A. Lopez-Rojas, A. Elmir and S. Axelsson, PaySim: a financial mobile money simulator for fraud detection, EMSS 2016.
"""

from __future__ import annotations

from dataclasses import dataclass

from encoders.options import option
from retrieval.corpora.csv_table import CsvRows
from retrieval.corpora.rows import Layout

BALANCES = ("oldbalanceOrg", "newbalanceOrig", "oldbalanceDest", "newbalanceDest")


@dataclass(eq=False)
class PaySim(CsvRows):
    """Transactions of mobile money in the format of Kaggle's copy; the label is 1 for fraud, else 0.

    The names of the accounts and the flag of the simulated bank are left out, unless ``without=none``.
    """

    without: tuple[str, ...] | None = option(
        ("nameOrig", "nameDest", "isFlaggedFraud"), "Columns that are left out of the row, joined by commas."
    )
    label: str | None = option("isFraud", "Column with the class of the row.")
    balances: bool = option(True, "With no, the four columns with the balances of the accounts are left out too.")

    def layout(self) -> Layout:
        """Return which columns are the row; what is left out of it becomes no metadata."""
        layout = super().layout()
        left_out = () if self.balances else BALANCES
        return Layout(tuple(name for name in layout.row if name not in left_out), layout.label, ())
