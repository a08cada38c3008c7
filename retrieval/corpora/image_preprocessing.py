"""Image preprocessing: one size, one colour mode and 8 bits per value for every picture of a corpus."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from encoders.errors import OptionError
from retrieval.corpora.address import stated_options
from retrieval.corpora.bit_depth import eight_bits, have_contrast, levels_of
from retrieval.corpora.image_file import Picture, PictureHeader

if TYPE_CHECKING:
    from PIL.Image import Image

FITS = ("crop", "pad", "stretch")
#: Pictures of several sizes become squares of at most this width, unless most of them have one size up to `_COMMON`.
_SQUARE, _COMMON = 96, 256


@dataclass(frozen=True)
class Preprocessing:
    """The size, colours and levels that all pictures of a corpus get.

    Attributes
    ----------
    size : (width, height)
    grey : bool
        Whether pictures become grey, else RGB.
    fit : str
        ``crop`` cuts the longer side at both ends, ``pad`` adds black bars, ``stretch`` changes the aspect ratio.
    levels : (black, white) or None
        The values that become 0 and 255, for pictures of more than 8 bits; None chooses them for each picture.
    """

    size: tuple[int, int]
    grey: bool
    fit: str = "crop"
    levels: tuple[float, float] | None = None

    def apply(self, picture: Picture) -> NDArray[np.uint8]:
        """Return the preprocessed picture: uint8 (height, width) or (height, width, 3)."""
        from PIL import Image as Pillow

        image = Pillow.fromarray(self._eight_bits(picture)).convert("L" if self.grey else "RGB")
        if image.size != self.size:
            image = self._fitted(image)
        return np.array(image, dtype=np.uint8)

    def _eight_bits(self, picture: Picture) -> NDArray[np.uint8]:
        if not picture.deep:
            return picture.values
        low, high = picture.values.min(), picture.values.max()
        values = eight_bits(picture.values, *(self.levels or levels_of(low, high, picture.values.dtype.kind == "f")))
        if picture.opacity is None:
            return values
        share = picture.opacity[:, :, None] / 255.0
        return np.asarray(np.rint(values * share + 255 * (1 - share)), dtype=np.uint8)

    def _fitted(self, image: Image) -> Image:
        from PIL import Image as Pillow

        (width, height), (wide, high) = image.size, self.size
        box = (0.0, 0.0, float(width), float(height))
        target = self.size
        if self.fit == "crop":
            scale = min(width / wide, height / high)
            left, top = (width - wide * scale) / 2, (height - high * scale) / 2
            box = (max(0.0, left), max(0.0, top), min(float(width), width - left), min(float(height), height - top))
        elif self.fit == "pad":
            scale = max(width / wide, height / high)
            target = (max(1, round(width / scale)), max(1, round(height / scale)))
        resized = image.resize(target, Pillow.Resampling.LANCZOS, box=box, reducing_gap=3.0)
        if target == self.size:
            return resized
        canvas = Pillow.new(image.mode, self.size)
        canvas.paste(resized, ((wide - target[0]) // 2, (high - target[1]) // 2))
        return canvas


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


def preprocessing_like(picture: Any, address: str) -> Preprocessing:
    """Return the preprocessing that gives other pictures the size and colours of a stored picture.

    Parameters
    ----------
    picture : ndarray (h, w) or (h, w, 3)
    address : str
        The name of its corpus, with the options ``fit``, ``black`` and ``white`` if they were given.
    """
    options = stated_options(address)
    fit = options.get("fit", FITS[0])
    try:
        levels = float(options.get("black", 0)), float(options["white"])
    except (KeyError, ValueError):
        levels = None
    height, width = np.shape(picture)[:2]
    return Preprocessing((width, height), np.ndim(picture) == 2, fit if fit in FITS else FITS[0], levels)


@dataclass
class Survey:
    """Sizes, colours and value ranges of the pictures of a corpus, before preprocessing."""

    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    grey: int = 0
    #: The lowest and highest value of every picture with more than 8 bits per value.
    ranges: list[tuple[float, float]] = field(default_factory=list)
    floating: bool = False

    @property
    def pictures(self) -> int:
        """The number of pictures."""
        return self.sizes.total()

    def add(self, header: PictureHeader) -> None:
        """Count a picture."""
        self.sizes[header.size] += 1
        self.grey += header.grey

    def add_deep(self, picture: Picture) -> None:
        """Add the range of a picture with more than 8 bits per value."""
        self.ranges.append((float(picture.values.min()), float(picture.values.max())))
        self.floating = self.floating or picture.values.dtype.kind == "f"

    def size(self) -> tuple[int, int]:
        """Return the common size.

        It is the size of more than half of the pictures, if that is not too large; else a square whose side is the
        median of their shorter sides, at most `_SQUARE`.
        """
        common, count = min(self.sizes.items(), key=lambda pair: (-pair[1], pair[0]))
        if len(self.sizes) == 1 or (2 * count > self.pictures and max(common) <= _COMMON):
            return common
        shorter = sorted(min(size) for size in self.sizes.elements())
        side = min(_SQUARE, shorter[len(shorter) // 2])
        return side, side

    def levels(self, black: float | None, white: float | None) -> tuple[float, float] | None:
        """Return the values that become black and white; None if no picture has more than 8 bits per value."""
        if not self.ranges:
            return None
        lows, highs = zip(*self.ranges, strict=True)
        lowest, highest = levels_of(min(lows), max(highs), self.floating)
        if white is not None:
            lowest, highest = 0, white
        return (lowest if black is None else black), highest

    def notes(self, chosen: Preprocessing, given: Mapping[str, Any]) -> list[str]:
        """Return sentences about the choices that were not `given`: size and colours, levels."""
        notes = []
        width, height = chosen.size
        several = len(self.sizes) > 1 and given.get("size") is None
        mixed = 0 < self.grey < self.pictures and given.get("grey") is None
        if several or mixed:
            colours = "grey" if chosen.grey else "colour"
            sizes = f" of {len(self.sizes):,} sizes" if len(self.sizes) > 1 else ""
            fitted = f"resized to {width}x{height} by {chosen.fit}, " if several else ""
            grey = f" ({self.grey:,} are grey)" if mixed else ""
            notes.append(
                f"{self.pictures:,} pictures{sizes}: {fitted}{colours}{grey}; change that with ?size=, ?fit= and ?grey="
            )
        if chosen.levels is not None:
            black, white = chosen.levels
            deep = f"{len(self.ranges):,} pictures of more than 8 bits per value"
            if given.get("white") is None:
                notes.append(f"{deep}: {black:g} becomes black, {white:g} white; change that with ?black= and ?white=")
            lost = sum(high > low and not have_contrast(low, high, black, white) for low, high in self.ranges)
            if lost:
                notes.append(f"{lost:,} of {deep} become a uniform grey: give a lower ?white= or a higher ?black=")
        return notes
