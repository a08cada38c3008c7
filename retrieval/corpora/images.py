"""A folder, tar or zip of pictures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Modality
from encoders.errors import CorpusError, OptionError
from encoders.options import option
from encoders.plain_file import read_plain
from encoders.progress import say
from retrieval.corpora.address import with_options
from retrieval.corpora.base import Item
from retrieval.corpora.folder import FolderSource
from retrieval.corpora.folder_files import MAX_FILE_BYTES, File, ReadOptions, ignore_bad, open_files
from retrieval.corpora.image_file import SUFFIXES, Picture, decode, read_header
from retrieval.corpora.image_preprocessing import (
    FITS,
    Preprocessing,
    Survey,
    parse_size,
    preprocessing_like,
)
from retrieval.corpora.stray_files import stray_reason


@dataclass(eq=False)
class Images(FolderSource):
    """Pictures in the files of a folder, tar or zip: every picture is an item, and its sub-folder is the label.

    All pictures get one size, grey levels or RGB, and 8 bits per value. nearby first reads the headers of all files.
    Without ``size``, pictures keep the size that they have in common; pictures of several sizes get the size of most
    of them, or a square. Without ``grey``, all become RGB when one picture has colours. Values of more than 8 bits are
    scaled by the range that the whole corpus uses. The choices are said on standard error and stored as options in
    the name of the corpus, so that pictures which you add or search later are treated the same.
    """

    size_: str | None = option(None, "Resize every picture to WIDTHxHEIGHT, e.g. 32x32 (default: automatic).")
    grey: bool | None = option(
        None, "With true, all pictures become grey; with false, RGB (default: RGB when one picture has colours)."
    )
    fit: str | None = option(
        None, "How a picture with other proportions than the size is fitted (default: crop).", choices=FITS
    )
    white: float | None = option(
        None,
        "Value that becomes white in pictures of more than 8 bits per value, e.g. 4095 (default: automatic).",
    )
    black: float | None = option(
        None, "Value that becomes black in pictures of more than 8 bits per value (default: automatic)."
    )

    modality = Modality.IMAGE

    def __post_init__(self) -> None:
        super().__post_init__()
        self._target = None if self.size_ is None else parse_size(self.size_)
        if self.white is not None and self.white <= (self.black or 0):
            raise OptionError(f"white={self.white:g} should be above black={self.black or 0:g}")
        self._survey: Survey | None = None
        self._preprocessing: Preprocessing | None = None

    @property  # type: ignore[misc]  # a field of every source, here computed on demand
    def name(self) -> str:
        """The address that the user gave, with the options that nearby chose."""
        given = {"size": self.size_, "fit": self.fit, "grey": self.grey, "black": self.black, "white": self.white}
        chosen = {key: value for key, value in self._chosen().items() if given[key] is None}
        return with_options(self._name, chosen)

    @name.setter
    def name(self, name: str) -> None:
        self._name = name

    @property
    def preprocessing(self) -> Preprocessing:
        """How every picture is brought to one size and 8 bits per value.

        Raises
        ------
        CorpusError
            When no picture can be read.
        """
        if self._preprocessing is None:
            fit = self.fit or FITS[0]
            if self._target is not None and self.grey is not None and self.white is not None:
                self._preprocessing = Preprocessing(self._target, self.grey, fit, (self.black or 0, self.white))
            else:
                survey = self.survey
                if not survey.pictures:
                    raise CorpusError(f"the corpus '{self._name}' holds no pictures that can be read")
                grey = survey.grey == survey.pictures if self.grey is None else self.grey
                levels = survey.levels(self.black, self.white)
                self._preprocessing = Preprocessing(self._target or survey.size(), grey, fit, levels)
                given = {"size": self.size_, "grey": self.grey, "white": self.white}
                for note in survey.notes(self._preprocessing, given):
                    say(f"{self.path}: {note}")
        return self._preprocessing

    @property
    def survey(self) -> Survey:
        """The sizes, colours and ranges of the pictures, by the headers of their files."""
        if self._survey is None:
            survey, options = Survey(), ReadOptions(ignore_bad, max_bytes=self.max_bytes)
            for _, stream in open_files(self.path, self.belongs, options):
                try:
                    header = read_header(stream)
                    if header.deep:
                        stream.seek(0)
                        survey.add_deep(decode(stream.read()))
                    survey.add(header)
                except (CorpusError, OSError):  # reported when the items are read
                    continue
            self._survey = survey
        return self._survey

    def treat_as(self, picture: Any, address: str) -> None:
        """Give the pictures the size, colours and levels of another corpus, where no option says otherwise.

        Parameters
        ----------
        picture : ndarray
            A picture of the other corpus, as it is indexed.
        address : str
            The name of the other corpus.
        """
        wanted = preprocessing_like(picture, address)
        self._preprocessing = replace(
            wanted,
            size=self._target or wanted.size,
            grey=wanted.grey if self.grey is None else self.grey,
            fit=self.fit or wanted.fit,
            levels=wanted.levels if self.white is None else (self.black or 0, self.white),
        )

    def reason_to_skip(self, name: str) -> str | None:
        """Return None for a file that is named like a picture, else why it is skipped."""
        return None if name.lower().endswith(SUFFIXES) else stray_reason(name) or "not a picture"

    def read(self, file: File) -> Item:
        """Decode one picture."""
        # Decoded first: where no picture can be read, each one is reported with its own reason.
        decoded = decode(file.raw)
        return Item(file.name, self.preprocessing.apply(decoded), None, *self.label_and_fields(file.name))

    def _chosen(self) -> dict[str, str]:
        """Return the chosen options; none where all pictures are alike and have up to 8 bits per value."""
        if self._target is not None and self.grey is not None and self.white is not None:
            return {}
        survey = self.survey
        if not survey.pictures:
            return {}
        made = self.preprocessing
        chosen: dict[str, str] = {}
        if len(survey.sizes) > 1:
            chosen |= {"size": f"{made.size[0]}x{made.size[1]}", "fit": made.fit}
        if 0 < survey.grey < survey.pictures:
            chosen["grey"] = "true" if made.grey else "false"
        if survey.ranges and made.levels is not None:
            black, white = made.levels
            chosen |= {"white": repr(float(white)).removesuffix(".0")}
            chosen |= {"black": repr(float(black)).removesuffix(".0")} if black else {}
        return chosen


def options_like(picture: Any) -> str:
    """Return the options that bring a corpus of pictures to the size and colours of this one.

    Examples
    --------
    >>> options_like(np.zeros((24, 32), np.uint8))
    '?size=32x24&grey=true'
    """
    height, width = np.shape(picture)[:2]
    return f"?size={width}x{height}&grey={'true' if np.ndim(picture) == 2 else 'false'}"


def read_image(path: Path, preprocessing: Preprocessing | None = None) -> NDArray[np.uint8]:
    """Read one picture file; without `preprocessing` in its own size and colours.

    Raises
    ------
    CorpusError
        Naming the file, when it is missing, truncated, too large or no picture.
    """
    try:
        return decode_image(read_plain(path, MAX_FILE_BYTES), preprocessing)
    except OSError as error:
        raise CorpusError(f"{path} cannot be read: {error.strerror or error}") from error
    except CorpusError as error:
        raise CorpusError(f"{path} {error}") from error


def decode_image(raw: bytes, preprocessing: Preprocessing | None = None) -> NDArray[np.uint8]:
    """Decode a picture to 8 bits per value: uint8 (height, width) or (height, width, 3).

    Raises
    ------
    CorpusError
        See `image_file.decode`.
    """
    decoded: Picture = decode(raw)
    if preprocessing is None:
        height, width = decoded.values.shape[:2]
        preprocessing = Preprocessing((width, height), decoded.values.ndim == 2)
    return preprocessing.apply(decoded)
