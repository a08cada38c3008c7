"""A folder, tar or zip of pictures."""

from __future__ import annotations

import io
import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Modality
from encoders.errors import CorpusError, OptionError, one_line
from encoders.options import option
from encoders.plain_file import read_plain
from retrieval.corpora.base import Item
from retrieval.corpora.files import MAX_FILE_BYTES, File
from retrieval.corpora.folder import FolderSource
from retrieval.corpora.stray_files import stray_reason

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = (".png", ".jpg", ".jpeg", ".pgm", ".ppm", ".pbm", ".pnm", ".bmp", ".gif", ".tif", ".tiff", ".webp")
FORMATS = ("PNG", "JPEG", "PPM", "BMP", "GIF", "TIFF", "WEBP")
_ORIENTATION = 0x0112
_GREY_MODES = {"1", "L", "LA", "La", "I", "I;16", "I;16L", "I;16B", "I;16N"}


@dataclass(eq=False)
class Images(FolderSource):
    """Every picture file is an item, its sub-folder the label; all are brought to one size, grey or RGB.

    Without ``size`` all must be as large as the first. Without ``grey`` the first decides: others join one
    in colour as RGB, but a colour picture after a grey first is refused rather than silently bleached.
    """

    size_: str | None = option(None, "resize every picture to WIDTHxHEIGHT, e.g. 32x32")
    grey: bool | None = option(None, "true: all to grey levels; false: all to RGB (default: as the first)")

    modality = Modality.IMAGE

    def __post_init__(self) -> None:
        super().__post_init__()
        self._first: tuple[str, tuple[int, ...]] | None = None
        self._target = None if self.size_ is None else parse_size(self.size_)

    def reason_to_skip(self, name: str) -> str | None:
        """Take what is named like a picture."""
        return None if name.lower().endswith(SUFFIXES) else stray_reason(name) or "not a picture"

    def read(self, file: File) -> Item:
        """Decode one picture."""
        grey = self.grey
        if grey is None and self._first is not None:
            grey = len(self._first[1]) == 2
        picture = decode_image(file.raw, self._target, grey, keep_colour=self.grey is None)
        if self._first is None:
            self._first = file.name, picture.shape
        elif picture.shape != self._first[1]:
            raise CorpusError(
                f"is {_measure(picture.shape)} while {self._first[0]} is {_measure(self._first[1])}: "
                "bring all to one size with ?size=WIDTHxHEIGHT"
            )
        return Item(file.name, picture, None, self.label_of(file.name))


def parse_size(text: str) -> tuple[int, int]:
    """Read ``WIDTHxHEIGHT``.

    Examples
    --------
    >>> parse_size("32x24")
    (32, 24)
    """
    match = re.fullmatch(r"([0-9]{1,5})[xX×]([0-9]{1,5})", text.strip())
    if match is None or "0" in (match[1].strip("0") or "0", match[2].strip("0") or "0"):
        raise OptionError(f"size should be WIDTHxHEIGHT in pixels, as in 32x32; got {text!r}")
    return int(match[1]), int(match[2])


def options_like(picture: Any) -> str:
    """Return the options that bring a corpus of pictures to the size and colours of this one.

    Examples
    --------
    >>> options_like(np.zeros((24, 32), np.uint8))
    '?size=32x24&grey=true'
    """
    height, width = np.shape(picture)[:2]
    return f"?size={width}x{height}&grey={'true' if np.ndim(picture) == 2 else 'false'}"


def read_image(path: Path, size: tuple[int, int] | None = None, grey: bool | None = None) -> NDArray[np.uint8]:
    """Read one picture file, as `decode_image` does.

    Raises
    ------
    CorpusError
        Naming the file, when it is missing, truncated, too large or no picture.
    """
    try:
        return decode_image(read_plain(path, MAX_FILE_BYTES), size, grey)
    except OSError as error:
        raise CorpusError(f"{path} cannot be read: {error.strerror or error}") from error
    except CorpusError as error:
        raise CorpusError(f"{path} {error}") from error


def decode_image(
    raw: bytes, size: tuple[int, int] | None = None, grey: bool | None = None, keep_colour: bool = False
) -> NDArray[np.uint8]:
    """Decode a picture completely: upright (EXIF), on white where transparent, the first frame of several.

    Parameters
    ----------
    raw : bytes
        A PNG, JPEG, PGM/PPM, BMP, GIF, TIFF or WebP file.
    size : (width, height), optional
        Resize to this.
    grey : bool, optional
        Grey levels or RGB; by default as the picture is.
    keep_colour : bool
        Refuse to turn a colour picture grey.

    Returns
    -------
    ndarray uint8 (height, width) or (height, width, 3)

    Raises
    ------
    CorpusError
        When it is truncated, no picture, or has more pixels than Pillow's ``MAX_IMAGE_PIXELS``.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of odd metadata, which changes no pixel
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(raw), formats=FORMATS) as opened:
                opened.load()
                turned = opened.getexif().get(_ORIENTATION, 1) != 1
                image = ImageOps.exif_transpose(opened) if turned else opened
                if image.mode == "F":
                    raise CorpusError("holds floating-point values; save it with 8 or 16 bits")
                is_grey = image.mode in _GREY_MODES
                if grey and not is_grey and keep_colour:
                    raise CorpusError("is in colour while the first picture is grey: say ?grey=true or ?grey=false")
                image = _eight_bit(image).convert("L" if (is_grey if grey is None else grey) else "RGB")
                if size is not None and image.size != size:
                    image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
                return np.array(image, dtype=np.uint8)
    except UnidentifiedImageError:
        raise CorpusError("is no picture that can be read (PNG, JPEG, PGM, BMP, GIF, TIFF, WebP)") from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise CorpusError(f"has more than the {Image.MAX_IMAGE_PIXELS or 0:,} pixels that are read") from None
    # Pillow's decoders raise nearly anything on damaged files.
    except (
        OSError,
        EOFError,
        SyntaxError,
        ValueError,
        IndexError,
        KeyError,
        TypeError,
        OverflowError,
    ) as error:
        raise CorpusError(f"is damaged: {one_line(error)}") from error


def _eight_bit(image: Image) -> Image:
    """Bring a picture to 8 bits a channel without transparency (16-bit levels by their high byte)."""
    from PIL import Image as Pillow

    if image.mode.startswith("I"):
        levels: NDArray[Any] = np.asarray(image).astype(np.int64) >> 8
        return Pillow.fromarray(np.clip(levels, 0, 255).astype(np.uint8))
    if image.has_transparency_data:
        solid = image.convert("RGBA")
        paper = Pillow.new("RGBA", solid.size, "white")
        return Pillow.alpha_composite(paper, solid)
    return image


def _measure(shape: tuple[int, ...]) -> str:
    return f"{shape[1]}x{shape[0]}"
