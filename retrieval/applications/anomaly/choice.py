"""Which score an encoder gets: by its name, or the one that suits it."""

from __future__ import annotations

from encoders.codes import Modality
from encoders.errors import UnknownNameError
from encoders.row import Row
from retrieval.applications.anomaly.discriminator import Discriminator
from retrieval.applications.anomaly.likelihood import Likelihood
from retrieval.applications.anomaly.neighbours import K, Neighbours
from retrieval.applications.anomaly.reconstruction_error import ReconstructionError
from retrieval.applications.anomaly.score import Score, require_possible
from retrieval.applications.anomaly.stages import Stages
from retrieval.corpora.base import Corpus
from retrieval.spaces.defaults import default_spaces

#: The one that suits an encoder is the first possible one; every space has neighbours.
SCORES: dict[str, type[Score]] = {
    kind.name: kind for kind in (Likelihood, Discriminator, ReconstructionError, Neighbours)
}
AUTO = "auto"
#: A table with fewer columns is not projected, unless the user says so.
FEW_COLUMNS = 4


def default_space(corpus: Corpus) -> str:
    """Return the spec that suits a corpus if none is named: its projection; for few columns, the density of a Gaussian.

    Examples
    --------
    >>> from retrieval.corpora.registry import open_corpus
    >>> default_space(open_corpus("breast-cancer"))
    'columns+pca:8'
    """
    first = next(iter(corpus), None)
    if first is not None and isinstance(first.content, Row) and len(first.content.names) < FEW_COLUMNS:
        return "columns+gaussian"  # a projection would leave nothing out
    return next(spec for spec in default_spaces(corpus) if "+pca" in spec or "+lsa" in spec)


def score_class(name: str, stages: Stages) -> type[Score]:
    """Return the class of a score by name; ``auto`` is the one that suits an encoder, fitted or not.

    A density and ``vae`` get the likelihood, ``gan`` its discriminator, another encoder that decodes the reconstruction
    error, the rest the distance to neighbours.

    Raises
    ------
    UnknownNameError
        For a score that does not exist.
    UnsupportedSpaceError
        When the encoder has no such score.

    Examples
    --------
    >>> from encoders.registry import create
    >>> [score_class("auto", Stages.of(create(spec))).name for spec in ("vectors+pca:2", "gaussian", "tfidf")]
    ['reconstruction', 'likelihood', 'neighbours']
    """
    if name == AUTO:
        return next(kind for kind in SCORES.values() if not kind.why_not(stages))
    if name not in SCORES:
        raise UnknownNameError("score", name, [AUTO, *SCORES])
    require_possible(SCORES[name], stages)
    return SCORES[name]


def create_score(name: str, stages: Stages, k: int = K, standardise: bool | None = None) -> Score:
    """Return the unfitted score of a fitted encoder; see `score_class`.

    Parameters
    ----------
    name : str
    stages : Stages
    k : int
        Rank of the neighbour.
    standardise : bool, optional
        Whether a reconstruction error is standardised by component; None: for vectors and rows of a table,
        whose components may have different units.
    """
    kind = score_class(name, stages)
    if kind is ReconstructionError:
        reads = stages.encoder.reads
        wanted = reads not in (Modality.IMAGE, Modality.SOUND, Modality.TEXT) if standardise is None else standardise
        return ReconstructionError(stages, wanted)
    return Neighbours(stages, k) if kind is Neighbours else kind(stages)
