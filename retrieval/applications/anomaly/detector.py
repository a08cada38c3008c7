"""The anomaly detector: how strange is an item, and how often is a normal one as strange."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder
from encoders.codes import Items, Modality
from encoders.errors import BadItemError, DimensionError
from encoders.progress import ProgressCallback, quiet
from retrieval.applications.anomaly import conformal
from retrieval.applications.anomaly.combination import mean_rank
from retrieval.applications.anomaly.explanation import Explanation, explained
from retrieval.applications.anomaly.given import GivenItems
from retrieval.applications.anomaly.member import Member
from retrieval.applications.anomaly.normal_items import NormalItems
from retrieval.applications.anomaly.table_rows import require_columns
from retrieval.corpora.base import Content, Corpus

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FitRecord:
    """How a detector was fitted.

    Attributes
    ----------
    corpus : str
        Name or path of the data.
    modality : Modality
    normal : list of str
        Labels of the normal items; empty if all items were taken as normal.
    n_training, n_held_out : int
        Number of items that the spaces were fitted on, and of those held out for calibration.
    contaminated : float
        Share of the strangest items that was left out of both.
    by_order : bool
        Whether the last items were held out, instead of random ones.
    seed : int
    n_distinct : int
        Number of different items among those that gave the calibration scores; see `repeats.groups_of`.
    shape : list of int or None
        Shape of a picture (height, width[, 3]) or of a vector (dim).
    rate : int or None
        Samples in a second of a sound.
    """

    corpus: str
    modality: Modality
    normal: list[str]
    n_training: int
    n_held_out: int
    contaminated: float
    by_order: bool
    seed: int
    n_distinct: int
    shape: list[int] | None = None
    rate: int | None = None


@dataclass
class AnomalyDetector:
    """Detects items that are unlike the normal items on which it was fitted.

    One or more spaces give scores; several are combined by the mean rank of an item among held-out normal items. A
    conformal p-value says how often a normal item is at least as strange.

    Attributes
    ----------
    members : list of Member
        The spaces.
    calibration : ndarray float64 (n,)
        Scores of held-out normal items, ascending.
    normal_items : NormalItems
        Training items that are kept, to be shown.
    record : FitRecord
    training : ndarray float64 (n,)
        Scores of some training items, ascending, to be shown; empty in detectors of older versions.

    Examples
    --------
    >>> rows = np.random.default_rng(0).standard_normal((500, 3)) @ np.array([[1, 0, 1], [0, 1, 1], [0, 0, 0.1]])
    >>> detector = AnomalyDetector.fit(rows, "vectors+pca:2")
    >>> usual, strange = detector.p_values([[1.0, 1.0, 2.0], [1.0, 1.0, -2.0]])
    >>> bool(usual > 0.05), bool(strange < 0.02)
    (True, True)

    References
    ----------
    Bates, Candès, Lei, Romano & Sesia, Testing for outliers with conformal p-values, Annals of Statistics 51(1), 2023.
    """

    members: list[Member]
    calibration: Floats
    normal_items: NormalItems
    record: FitRecord
    training: Floats = field(default_factory=lambda: np.zeros(0))

    @classmethod
    def fit(
        cls,
        data: Corpus | Items,
        spaces: str | Sequence[str],
        labels: Sequence[Any] | None = None,
        *,
        score: str = "auto",
        normal: Sequence[str] = (),
        contaminated: float | str = 0.0,
        hold_out: float = 0.2,
        by_order: bool = False,
        k: int = 5,
        standardise: bool | None = None,
        seed: int = 0,
        say: ProgressCallback = quiet,
    ) -> AnomalyDetector:
        """Fit a detector on the normal items of a corpus.

        Parameters
        ----------
        data : Corpus, or items
            Texts, pictures, sounds, rows of a table or a matrix (n, dim).
        spaces : str or sequence of str
            Specs, or folders of saved encoders, e.g. ``vectors+pca:8``.
        labels : sequence, optional
            Labels of `data` that is not a corpus.
        score : str
            ``auto``, ``reconstruction``, ``likelihood``, ``neighbours`` or ``discriminator``.
        normal : sequence of str
            Labels of normal items; by default all items are taken as normal.
        contaminated : float or str
            The data is not clean: leave this share of the strangest items out of the fit and the calibration. ``auto``
            leaves out the items that `contamination.strange_items` finds.
        hold_out : float
            Share of the normal items held out for calibration.
        by_order : bool
            Hold the last items out instead of random ones, for data in the order of time.
        k : int
            Rank of the neighbour of the score ``neighbours``.
        standardise : bool, optional
            Standardise the reconstruction error by component; by default only for vectors and rows of a table.
        seed : int
        say : callable
            Called with a line for each step.

        Raises
        ------
        NearbyError
            When there are too few normal items, or a space has no such score; the message says what to do.
        """
        from retrieval.applications.anomaly.fitting import FitRequest, fit_detector

        specs = (spaces,) if isinstance(spaces, str) else tuple(spaces)
        request = FitRequest(
            specs, score, tuple(normal), contaminated, hold_out, by_order, k, standardise, seed
        )  # fmt: skip
        if not isinstance(data, Corpus):
            data = GivenItems(data, request.modality(), labels)
        return fit_detector(data, request, say)

    # -- answering --------------------------------------------------------------------------------------------

    def score(self, items: Items) -> Floats:
        """Return the score of each item, float64 (n,): the larger, the stranger.

        With one space it is the score of the space; with several, the mean rank among held-out normal items, from 0 to
        about 1.

        Raises
        ------
        BadItemError, DimensionError
            When the items are of another sort or width than those of the fit.
        """
        return self.combined(self.member_scores(items))

    def member_scores(self, items: Items) -> list[Floats]:
        """Return the scores of the items in each space."""
        return [member.score.score(items) for member in self.members]

    def combined(self, scores: Sequence[Floats]) -> Floats:
        """Return one score from the scores of each space."""
        return scores[0] if len(scores) == 1 else mean_rank([member.reference for member in self.members], scores)

    def scores_of(self, corpus: Corpus) -> Floats:
        """Return the score of every item of a corpus."""
        self.require_same_sort(corpus)
        return self.combined([member.scores(corpus) for member in self.members])

    def p_values(self, items: Items) -> Floats:
        """Return the p-value of each item: how often a normal item is at least as strange; see `conformal`."""
        return self.p_values_of(self.score(items))

    def p_values_of(self, scores: Floats) -> Floats:
        """Return the p-value of each score, float64 (n,)."""
        return conformal.p_values(self.calibration, scores, distinct=self.record.n_distinct)

    def explain(self, content: Content, k: int = 3) -> Explanation:
        """Explain the score of one item.

        Parameters
        ----------
        content : str, ndarray, Sound or Row
        k : int
            Number of the nearest normal items.

        Raises
        ------
        BadItemError, DimensionError
            When the item is of another sort or width than those of the fit.
        """
        scores = self.member_scores([content])
        score = self.combined(scores)
        p = float(self.p_values_of(score)[0])
        return explained(self.members, scores, content, float(score[0]), p, self.normal_items, k)

    def require_same_sort(self, corpus: Corpus) -> None:
        """Raise an error for a corpus of another sort, or width, than the detector.

        Raises
        ------
        BadItemError, DimensionError
        """
        if corpus.modality is not self.record.modality:
            is_text_of_rows = self.record.modality is Modality.ROW and corpus.modality is Modality.TEXT
            raise BadItemError(
                f"this detector was fitted on {self.record.modality}s, but '{corpus.name}' holds {corpus.modality}s"
                + (" (?columns=* reads the rows of a table)" if is_text_of_rows else "")
            )
        first: Any = next(iter(corpus), None) if corpus.modality in (Modality.VECTOR, Modality.ROW) else None
        if first is not None and corpus.modality is Modality.ROW:
            require_columns(self.columns, first.content.names, corpus.name)
            return
        if first is not None and self.record.shape is not None and list(first.content.shape) != self.record.shape:
            raise DimensionError(
                f"this detector was fitted on vectors of {self.record.shape[0]:,} numbers, but those of "
                f"'{corpus.name}' have {first.content.size:,}"
            )

    @property
    def encoders(self) -> list[Encoder]:
        """The encoder of each space."""
        return [member.encoder for member in self.members]

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns of a row of a table; none for other items."""
        table = self.members[0].stages.table
        return () if table is None else table.names

    def unread_columns(self, rows: Sequence[Any]) -> dict[int, list[str]]:
        """Return, for rows of a table, the columns whose value is no number or date as in the fit, by position."""
        table = self.members[0].stages.table
        return {} if table is None else table.unread_columns(rows)

    @property
    def answers_without_torch(self) -> bool:
        """Whether scores are computed without torch, so that a stream starts quickly."""
        return all(encoder.answers_without_torch for encoder in self.encoders)

    # -- saving -----------------------------------------------------------------------------------------------

    def save(self, folder: str | Path) -> Path:
        """Write the detector as a folder of JSON and safetensors, all or nothing.

        Raises
        ------
        ArtifactError
            When the folder holds something else, or cannot be written.
        """
        from retrieval.applications.anomaly.saved_detector import save_detector

        return save_detector(self, Path(folder))

    @staticmethod
    def load(folder: str | Path) -> AnomalyDetector:
        """Read a detector that `save` wrote.

        Raises
        ------
        ArtifactError
            When the folder is missing, foreign, of a newer format, or damaged.
        """
        from retrieval.applications.anomaly.saved_detector import load_detector

        return load_detector(Path(folder))
