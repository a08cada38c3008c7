"""One size, one set of colours and 8 bits a value for every picture: how, what was chosen, and doing it."""

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
from retrieval.corpora.image_file import Head, Picture

if TYPE_CHECKING:
    from PIL.Image import Image

FITS = ("crop", "pad", "stretch")
#: Pictures of several sizes become square, this wide at most, unless most of them have one size up to `_USUAL`.
_SQUARE, _USUAL = 96, 256
#: What white is for pictures of 16 bits that use both halves of their range, and for values that go from 0 to 1.
_WHITE_16, _WHITE_1 = 65_535, 1


@dataclass(frozen=True)
class Preprocessing:
    """How pictures are brought to one size and to 8 bits a value.

    Attributes
    ----------
    size : (width, height)
    grey : bool
        To grey levels, else to RGB.
    fit : str
        ``crop`` cuts the longer side at both ends, ``pad`` adds black bars, ``stretch`` changes the proportions.
    levels : (black, white) or None
        Which values of pictures with more than 8 bits become 0 and 255; None decides for each picture by itself.
    """

    size: tuple[int, int]
    grey: bool
    fit: str = "crop"
    levels: tuple[float, float] | None = None

    def apply(self, picture: Picture) -> NDArray[np.uint8]:
        """Return a picture as it is indexed: uint8 (height, width) or (height, width, 3)."""
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
        paper = Pillow.new(image.mode, self.size)
        paper.paste(resized, ((wide - target[0]) // 2, (high - target[1]) // 2))
        return paper


def eight_bits(values: NDArray[Any], black: float, white: float) -> NDArray[np.uint8]:
    """Return values scaled so that black becomes 0 and white 255; what is beyond them is cut off.

    Examples
    --------
    >>> eight_bits(np.array([0, 2048, 4095, 9000], np.uint16), 0, 4095)
    array([  0, 128, 255, 255], dtype=uint8)
    """
    shares = (values.astype(np.float64) - black) / max(white - black, np.finfo(np.float64).tiny)
    return np.asarray(np.rint(np.clip(shares, 0, 1) * 255), dtype=np.uint8)


def levels_of(low: float, high: float, floating: bool) -> tuple[float, float]:
    """Return which values become black and white, by the lowest and the highest that there are.

    The whole range of the format where both halves of it are used; else the range that is used.

    Examples
    --------
    >>> levels_of(12, 60_000, False), levels_of(0, 230, False), levels_of(0, 0.9, True), levels_of(-1, 1, True)
    ((0, 65535), (0, 230), (0, 1), (-1, 1))
    """
    white = _WHITE_1 if floating else _WHITE_16
    if 0 <= low < white / 2 < high <= white:
        return 0, white
    return low, high


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
    """Return what brings other pictures to the size and colours of one that is stored.

    Parameters
    ----------
    picture : ndarray (h, w) or (h, w, 3)
    address : str
        The name of its corpus, which states how the pictures were fitted and what was white, where that was chosen.
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
    """What the pictures of a corpus are like before any is brought to the size of the others."""

    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    grey: int = 0
    #: The lowest and highest value of every picture with more than 8 bits a value.
    ranges: list[tuple[float, float]] = field(default_factory=list)
    floating: bool = False

    @property
    def pictures(self) -> int:
        """How many there are."""
        return self.sizes.total()

    def add(self, head: Head) -> None:
        """Count a picture."""
        self.sizes[head.size] += 1
        self.grey += head.grey

    def add_deep(self, picture: Picture) -> None:
        """Note the range of a picture with more than 8 bits a value."""
        self.ranges.append((float(picture.values.min()), float(picture.values.max())))
        self.floating = self.floating or picture.values.dtype.kind == "f"

    def size(self) -> tuple[int, int]:
        """Return the size that all are brought to.

        It is the size that more than half of them have, if that is moderate; else square, with the median of their
        shorter sides, at most `_SQUARE`.
        """
        usual, count = min(self.sizes.items(), key=lambda pair: (-pair[1], pair[0]))
        if len(self.sizes) == 1 or (2 * count > self.pictures and max(usual) <= _USUAL):
            return usual
        shorter = sorted(min(size) for size in self.sizes.elements())
        side = min(_SQUARE, shorter[len(shorter) // 2])
        return side, side

    def levels(self, black: float | None, white: float | None) -> tuple[float, float] | None:
        """Return which values become black and white; None where no picture has more than 8 bits a value."""
        if not self.ranges:
            return None
        lows, highs = zip(*self.ranges, strict=True)
        lowest, highest = levels_of(min(lows), max(highs), self.floating)
        if white is not None:
            lowest, highest = 0, white
        return (lowest if black is None else black), highest

    def notes(self, chosen: Preprocessing, given: Mapping[str, Any]) -> list[str]:
        """Say what was chosen of what was not `given`: size and colours in one sentence, levels in another."""
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
                f"{self.pictures:,} pictures{sizes}: {fitted}{colours}{grey}; ?size=, ?fit= and ?grey= change it"
            )
        if chosen.levels is not None:
            black, white = chosen.levels
            deep = f"{len(self.ranges):,} pictures of more than 8 bits a value"
            if given.get("white") is None:
                notes.append(f"{deep}: {black:g} becomes black, {white:g} white; ?black= and ?white= change it")
            lost = sum(high > low and not _contrast(low, high, black, white) for low, high in self.ranges)
            if lost:
                notes.append(f"{lost:,} of {deep} become one even grey: name a lower ?white= or a higher ?black=")
        return notes


def _contrast(low: float, high: float, black: float, white: float) -> bool:
    first, last = eight_bits(np.array([low, high]), black, white)
    return bool(first != last)
