"""A folder, tar or zip of sounds."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from encoders.codes import Modality
from encoders.errors import CorpusError
from encoders.options import option
from encoders.progress import say
from encoders.sound import MAX_RATE, MIN_RATE, Sound
from retrieval.corpora.address import with_options
from retrieval.corpora.base import Item
from retrieval.corpora.folder import FolderSource
from retrieval.corpora.folder_files import File, ReadOptions, ignore_bad, open_files
from retrieval.corpora.skipped import SkippedFiles
from retrieval.corpora.sound_file import OTHER_SUFFIXES, SUFFIXES, decode, read_header
from retrieval.corpora.stray_files import stray_reason


@dataclass(eq=False)
class Sounds(FolderSource):
    """Sounds in the WAV and FLAC files of a folder, tar or zip: every file is an item, its sub-folder the label.

    With ``pattern``, the name of a file gives several fields: each is metadata that a filter can ask for, and
    ``label`` says which one is the label. All sounds get one sample rate, one channel and 16 bits. Without ``rate``,
    nearby first reads the headers of all files: sounds keep the rate that they have in common; sounds of several rates
    are resampled to the rate of most of them. Several channels are mixed to their mean. Both are said on standard
    error, and the rate is stored as an option in the name of the corpus, so that sounds which you add or search later
    get the same rate. Sounds keep their lengths. A file that is damaged, cut off, silent or empty is a bad entry.
    """

    rate: int | None = option(
        None, "Samples in a second to which every sound is resampled, e.g. 16000 (default: the rate of most).",
        ge=MIN_RATE, le=MAX_RATE,
    )  # fmt: skip

    modality = Modality.SOUND

    def __post_init__(self) -> None:
        super().__post_init__()
        self._rates: Counter[int] | None = None
        self._wanted = self.rate
        self._mixed: set[str] = set()

    @property  # type: ignore[misc]  # a field of every source, here computed on demand
    def name(self) -> str:
        """The address that the user gave, with the rate that nearby chose."""
        mixed = self.rate is None and len(self.rates) > 1
        return with_options(self._name, {"rate": str(self.common_rate)} if mixed else {})

    @name.setter
    def name(self, name: str) -> None:
        self._name = name

    @property
    def rates(self) -> Counter[int]:
        """How many sounds have each sample rate, by the headers of their files."""
        if self._rates is None:
            rates: Counter[int] = Counter()
            for _, stream in open_files(self.path, self.belongs, ReadOptions(ignore_bad, max_bytes=self.max_bytes)):
                try:
                    rates[read_header(stream).rate] += 1
                except (CorpusError, OSError):  # reported when the items are read
                    continue
            self._rates = rates
        return self._rates

    @property
    def common_rate(self) -> int:
        """The sample rate that all sounds get.

        Raises
        ------
        CorpusError
            When no sound can be read.
        """
        if self._wanted is None:
            if not self.rates:
                raise CorpusError(f"the corpus '{self._name}' holds no sounds that can be read")
            self._wanted = min(self.rates, key=lambda rate: (-self.rates[rate], rate))
            if len(self.rates) > 1:
                say(
                    f"{self.path}: {self.rates.total():,} sounds of {len(self.rates):,} sample rates: resampled to "
                    f"{self._wanted:,} Hz; ?rate= changes it"
                )
        return self._wanted

    def treat_as(self, sound: Sound) -> None:
        """Give the sounds the rate of another corpus, where no option says otherwise."""
        self._wanted = self.rate or sound.rate

    def reason_to_skip(self, name: str) -> str | None:
        """Return None for a file that is named like a sound, else why it is skipped."""
        if name.lower().endswith(SUFFIXES):
            return None
        other = name.lower().endswith(OTHER_SUFFIXES)
        return "in a format other than WAV and FLAC" if other else stray_reason(name) or "not a sound"

    def read(self, file: File) -> Item:
        """Decode one sound."""
        # Decoded first: where no sound can be read, each one is reported with its own reason.
        decoded = decode(file.raw)
        if decoded.channels > 1:
            self._mixed.add(file.name)
        return Item(file.name, decoded.at(self.common_rate), None, *self.label_and_fields(file.name))

    def report(self, skipped: SkippedFiles) -> None:
        """Say how many files were skipped, and how many sounds were mixed."""
        super().report(skipped)
        if self._mixed:
            self.say_once(f"sounds with several channels, mixed to one: {len(self._mixed):,}")
