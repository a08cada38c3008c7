"""The folder of a collection: the generation that is read, its manifest, and its saved encoders and indexes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from encoders.artifact import MANIFEST, digest_of
from encoders.atomic_write import link, remove_at_once
from encoders.errors import ArtifactError, CollectionError
from retrieval.collection.generations import ADDED, WORK, Generations, files_below, link_tree
from retrieval.collection.manifest import Manifest
from retrieval.collection.segments import SPACES, Segment
from retrieval.spaces.fit import is_unfinished
from retrieval.spaces.saved_space import ENCODER, INDEX, SpaceRecord, folder_name, spec_of


class CollectionFolder:
    """The newest generation of a collection, which stays on disk until this is closed.

    Parameters
    ----------
    path : Path

    Attributes
    ----------
    generation : Path
        The folder of the generation.
    manifest : Manifest

    Raises
    ------
    CollectionError, ArtifactError
        When there is no collection, or it is damaged, foreign, or of a newer format.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.generations = Generations(path)
        pin = self.generations.pinned()
        if pin is None:
            raise CollectionError(self.generations.why_none())
        self._pin, self.generation = pin, pin.folder
        self.manifest = Manifest.read(pin.folder)

    @property
    def number(self) -> int:
        """The number of the generation."""
        return int(self.generation.name)

    @property
    def bytes(self) -> int:
        """Size of the generation on disk; a file with two names counts once."""
        stats = [path.stat() for path in files_below(self.generation)]
        return sum({(one.st_dev, one.st_ino): one.st_size for one in stats}.values())

    @property
    def unfinished(self) -> tuple[str, ...]:
        """Specs of the spaces of which a killed run left a checkpoint or codes; ``nearby index`` continues them."""
        work = self.path / WORK
        try:
            folders = sorted(
                path for path in work.iterdir() if path.is_dir() and path.name != ADDED and is_unfinished(path)
            )
        except OSError:
            return ()
        return tuple(spec_of(path) for path in folders)

    def space_folder(self, record: SpaceRecord) -> Path:
        """Return the folder of a space."""
        return self.generation / SPACES / Path(record.folder).name

    def require_unchanged(self, record: SpaceRecord, segments: Iterable[Segment] | None = None) -> None:
        """Refuse a space whose encoder or indexes are not those that it was saved with.

        Parameters
        ----------
        record : SpaceRecord
        segments : iterable of Segment, optional
            Those that hold the indexes; by default only the encoder is compared.

        Raises
        ------
        ArtifactError
        """
        wanted = {self.space_folder(record) / ENCODER: record.encoder_digest}
        for one in segments or ():
            digest = one.record.indexes.get(record.spec) if one.record.folder else record.index_digest
            wanted[one.space_folder(record.folder) / INDEX] = digest or ""
        try:
            digests = {folder: digest_of(folder / MANIFEST) for folder in wanted}
        except OSError as error:
            raise ArtifactError(
                f"the space '{record.spec}' of {self.path} is incomplete: {error.filename} cannot be read "
                f"({error.strerror}); index the corpus again in a new folder"
            ) from None
        if digests != wanted:
            raise ArtifactError(
                f"the space '{record.spec}' of {self.path} was changed by something other than nearby: index it again"
            )

    @contextmanager
    def draft(self, segments: Sequence[Segment], *finished: str) -> Iterator[Path]:
        """Yield a draft with all files of this generation, as hard links.

        The folders of work named in `finished` are removed as soon as the draft is published: another process, which
        cannot write before, loses no file.

        Raises
        ------
        CollectionError
            As `Generations.draft`, and when another process has made a newer generation.
        """
        with self.generations.draft(lambda: self.clear_work(*finished)) as draft:
            if self.generations.current() != self.generation:
                raise CollectionError(f"{self.path} was changed by another process at the same time: try again")
            self.clear_work()
            for path, _ in self.manifest.item_files(self.generation):
                copy = draft / path.relative_to(self.generation)
                copy.parent.mkdir(parents=True, exist_ok=True)
                link(path, copy)
            for segment in segments:
                for record in self.manifest.spaces.values():
                    source = segment.space_folder(record.folder)
                    link_tree(source, draft / source.relative_to(self.generation))
            yield draft

    def clear_work(self, *names: str) -> None:
        """Remove the checkpoints and kept codes of finished spaces, including those that a killed process left.

        Folders of work of these names are removed too.
        """
        work = self.path / WORK
        with suppress(OSError):  # it holds the checkpoint of another space, or is read-only
            for name in [*names, *map(folder_name, self.manifest.spaces)] if work.is_dir() else ():
                remove_at_once(work / name)
            work.rmdir()

    def close(self) -> None:
        """Let writers remove the generation."""
        self._pin.close()
