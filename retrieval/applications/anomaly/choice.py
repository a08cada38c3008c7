"""Which score an encoder gets: by its name, or the one that suits it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from encoders.codes import Modality
from encoders.errors import BadItemError, UnknownNameError
from encoders.row import Row
from retrieval.applications.anomaly.discriminator import Discriminator
from retrieval.applications.anomaly.likelihood import Likelihood
from retrieval.applications.anomaly.neighbours import K, Neighbours
from retrieval.applications.anomaly.reconstruction_error import ReconstructionError
from retrieval.applications.anomaly.score import Score, require_possible
from retrieval.applications.anomaly.stages import Stages
from retrieval.corpora.base import Corpus, Item
from retrieval.spaces.defaults import default_spaces

#: The one that suits an encoder is the first possible one; every space has neighbours.
SCORES: dict[str, type[Score]] = {
    kind.name: kind for kind in (Likelihood, Discriminator, ReconstructionError, Neighbours)
}
AUTO = "auto"
#: A table with fewer columns is not projected, unless the user says so.
FEW_COLUMNS = 4
#: A projection of texts has this many words for each of its components, at least.
FEW_WORDS = 4
#: Items that are looked at to choose a space: more would not make it wider.
LOOKED_AT = 1024


def default_space(corpus: Corpus, normal: Sequence[str] = ()) -> str:
    """Return the spec that suits the normal items of a corpus if none is named.

    It is the usual projection, as narrow as the items, and the words of texts, demand. Few columns get the density of a
    Gaussian, and texts of few words their words alone: a projection would leave nothing out.

    Parameters
    ----------
    corpus : Corpus
    normal : sequence of str
        Labels of the normal items; by default all are normal.

    Examples
    --------
    >>> from retrieval.corpora.registry import open_corpus
    >>> default_space(open_corpus("breast-cancer"))
    'columns+pca:8'
    """
    some = _First(corpus, normal)
    first = next(iter(some), None)
    if first is not None and isinstance(first.content, Row) and len(first.content.names) < FEW_COLUMNS:
        return "columns+gaussian"
    widest = _vocabulary_size(some) // FEW_WORDS if corpus.modality is Modality.TEXT else None
    if widest == 0:
        return "tfidf"
    spec = next(spec for spec in default_spaces(some) if "+pca" in spec or "+lsa" in spec)
    reader, width = spec.rsplit(":", 1)
    return spec if widest is None else f"{reader}:{min(int(width), widest)}"


class _First(Corpus):
    """The first normal items of a corpus, in memory: enough to choose a width."""

    def __init__(self, corpus: Corpus, normal: Sequence[str]) -> None:
        self.name, self.modality, chosen = corpus.name, corpus.modality, set(normal)
        self.items = list(islice((item for item in corpus if not chosen or item.label in chosen), LOOKED_AT))

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    @property
    def size(self) -> int:
        """Number of items."""
        return len(self.items)


def _vocabulary_size(texts: Corpus) -> int:
    """Return the number of different words, without stop words; 0 if there are none."""
    from encoders.text.bag_of_words import BagOfWords

    try:
        return BagOfWords().fit(texts.batches()).space.dim
    except BadItemError:  # the fit will say so
        return 0


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
