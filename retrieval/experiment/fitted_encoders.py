"""The fitted encoders of a comparison, kept beside its report until it ends, so that it continues after a kill."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from encoders.artifact import MANIFEST, read_json
from encoders.atomic_write import is_temporary, remove_at_once, write_json
from encoders.base import Encoder
from encoders.errors import ArtifactError, CollectionError
from encoders.numbers import counted
from encoders.progress import ProgressCallback, quiet
from retrieval.corpora.base import Corpus
from retrieval.corpora.item_record import items_digest
from retrieval.spaces.fit import fitted
from retrieval.spaces.saved_space import ENCODER, folder_name
from retrieval.spaces.space_encoder import is_saved
from retrieval.spaces.training_folder import IDENTITY, LOCK, TrainingFolder

#: The folder is ``compare.work``, in the folder of the report.
_NAME = "compare"
_FIT, _SECONDS = "fit", "seconds.json"
_IDENTITY = {"spec": "nearby compare"}


class FittedEncoders:
    """Fits encoders; with a folder, keeps what is fitted and takes it from there when the comparison is repeated.

    Parameters
    ----------
    report : Path or None
        The folder of the report; None keeps nothing.
    say : callable
        Called with a line for every encoder that need not be fitted again.
    keep : bool
        Whether the encoders stay when the comparison ends, until `remove`: what follows, such as its report, may fail.

    Raises
    ------
    OptionError
        When the folder's place is taken by something else.
    """

    def __init__(self, report: Path | None = None, say: ProgressCallback = quiet, keep: bool = False) -> None:
        self._folder = None if report is None else _ComparisonFolder(report / _NAME, keep)
        self._work: Path | None = None
        self._say = say
        self._digests: list[tuple[Corpus, str]] = []

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Hold the folder for this process alone; remove it when the block succeeds, unless the encoders are kept.

        Raises
        ------
        CollectionError
            When another comparison is running in the folder.
        """
        if self._folder is None:
            yield
            return
        self._folder.require_made_by_nearby()
        try:
            with self._folder.locked(_IDENTITY) as work:
                self._work = work
                yield
        except BaseException:
            with suppress(OSError):  # a report folder that holds nothing need not stay
                self._folder.work.parent.rmdir()
            raise

    @property
    def holds(self) -> bool:
        """Whether the folder holds something that the same comparison continues with."""
        return self._work is not None and self._folder is not None and self._folder.unfinished

    def remove(self) -> None:
        """Remove the encoders that the comparison kept, unless another comparison has begun to use them."""
        if self._folder is not None and self._folder.keep:
            self._folder.keep = False
            with suppress(CollectionError), self._folder.locked(_IDENTITY):
                pass  # the end of the block removes them; if another comparison has the lock, they are its own

    def fit(self, encoder: Encoder, corpus: Corpus) -> tuple[Encoder, float]:
        """Return the encoder fitted on a corpus, and the seconds; one that was fitted before the kill is read."""
        if self._folder is None or self._work is None or encoder.__sklearn_is_fitted__():
            return encoder, fitted(encoder, corpus.batches_for(encoder))
        digest = self._digest_of(corpus)
        kept = self._work / folder_name(f"{encoder.spec(full=True)} {digest}")
        self._folder.used.add(kept.name)
        if is_saved(kept / ENCODER) and (kept / _SECONDS).is_file():
            self._say(f"{encoder} was fitted before the comparison was interrupted")
            return Encoder.load(kept / ENCODER), _seconds(kept / _SECONDS)
        seconds = fitted(encoder, corpus.batches_for(encoder), kept / _FIT)
        encoder.fitted_on = digest
        encoder.save(kept / ENCODER)
        write_json(kept / _SECONDS, {"seconds": seconds})  # last: with it, the encoder is complete
        return encoder, seconds

    def _digest_of(self, corpus: Corpus) -> str:
        for known, digest in self._digests:
            if known is corpus:
                return digest
        self._digests.append((corpus, items_digest(iter(corpus))))
        return self._digests[-1][1]


def remains(report: Path | None) -> str:
    """Return what an interrupted comparison leaves, as the end of a sentence."""
    if report is None:
        return "nothing is kept; with -o FOLDER, the same command continues"
    return _ComparisonFolder(report / _NAME).remains()


class _ComparisonFolder(TrainingFolder):
    """The folder of the trainings of a comparison: besides checkpoints, it holds encoders that are fitted.

    Attributes
    ----------
    used : set of str
        The folders of this comparison; those of another one, killed in the same place, stay.
    keep : bool
        Whether they stay when the comparison ends.
    """

    product = "report"

    def __init__(self, folder: Path, keep: bool = False) -> None:
        super().__init__(folder)
        self.used: set[str] = set()
        self.keep = keep

    def _require_usable(self, folder: Path) -> None:
        """Refuse nothing: a file of this name is somebody else's, and only the folder of the work is written."""

    def _is_made_by_nearby(self) -> bool:
        """Return whether a comparison made it, and it holds nothing else."""
        names = {path.name for path in self.work.iterdir() if not is_temporary(path)}
        if IDENTITY not in names:
            return names <= {LOCK}
        made = read_json(self.work / IDENTITY, "the folder of a comparison").get("spec") == _IDENTITY["spec"]
        return made and all(_is_of_space(self.work / name) for name in names - {IDENTITY, LOCK})

    def _remove_done(self) -> None:
        if self.keep:
            return
        for name in self.used:
            remove_at_once(self.work / name)
        if {path.name for path in self.work.iterdir()} <= {IDENTITY, LOCK}:
            super()._remove_done()

    @property
    def unfinished(self) -> bool:
        return super().unfinished or bool(self._fitted())

    def remains(self) -> str:
        count = len(self._fitted())
        if not self.unfinished:
            return "no space was fitted, so nothing is kept"
        done = (
            f"{counted(count, 'fitted space')} {'is' if count == 1 else 'are'} kept"
            if count
            else "its training is kept"
        )
        return f"{done} in {self.work}: the same command continues"

    def _fitted(self) -> list[Path]:
        manifests = self.work.glob(f"*/{ENCODER}/{MANIFEST}")
        return [
            path for path in manifests if not is_temporary(path.parent) and (path.parent.parent / _SECONDS).is_file()
        ]


def _is_of_space(folder: Path) -> bool:
    """Return whether a folder holds nothing but the fit of one space."""
    if folder.is_symlink() or not folder.is_dir():
        return False
    names = {path.name for path in folder.iterdir() if not is_temporary(path)}
    return names <= {ENCODER, _FIT, _SECONDS}


def _seconds(path: Path) -> float:
    value = read_json(path, "the folder of a comparison").get("seconds")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ArtifactError(f"{path} holds no number of seconds: remove its folder, and repeat the comparison")
    return float(value)
