"""Reading a picture file: its header, and its pixels with the bit depth of the file."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoders.errors import CorpusError

if TYPE_CHECKING:
    from PIL.Image import Image

#: The formats of Pillow that are read, with their file extensions. Not read: formats that start another program
#: (EPS), that Pillow only recognises (BUFR, GRIB, HDF5, MPEG, WMF), and that have no extension.
FORMATS: dict[str, tuple[str, ...]] = {
    "AVIF": (".avif", ".avifs"),
    "BLP": (".blp",),
    "BMP": (".bmp",),
    "CUR": (".cur",),
    "DCX": (".dcx",),
    "DDS": (".dds",),
    "DIB": (".dib",),
    "FITS": (".fit", ".fits"),
    "FLI": (".fli", ".flc"),
    "FTEX": (".ftc", ".ftu"),
    "GBR": (".gbr",),
    "GIF": (".gif",),
    "ICNS": (".icns",),
    "ICO": (".ico",),
    "IM": (".im",),
    "IPTC": (".iim",),
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"),
    "JPEG2000": (".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx"),
    "MSP": (".msp",),
    "PCD": (".pcd",),
    "PCX": (".pcx",),
    "PIXAR": (".pxr",),
    "PNG": (".png", ".apng"),
    "PPM": (".pgm", ".ppm", ".pbm", ".pnm", ".pfm"),
    "PSD": (".psd",),
    "QOI": (".qoi",),
    "SGI": (".sgi", ".rgb", ".rgba", ".bw"),
    "SUN": (".ras",),
    "TGA": (".tga", ".icb", ".vda", ".vst"),
    "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",),
    "XBM": (".xbm",),
    "XPM": (".xpm",),
}
SUFFIXES = tuple(suffix for suffixes in FORMATS.values() for suffix in suffixes)
#: Extensions that only pictures have. One such file makes a folder a picture folder; with other extensions,
#: most of its files must be pictures.
COMMON = tuple(
    suffix
    for kind in ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "PSD", "QOI", "TGA", "TIFF", "WEBP")
    for suffix in FORMATS[kind]
)
_ORIENTATION = 0x0112
#: EXIF orientations that swap width and height.
_ROTATED = range(5, 9)
_GREY_MODES = {"1", "L", "LA", "La", "I", "I;16", "I;16L", "I;16B", "I;16N", "F"}


class PictureHeader(NamedTuple):
    """The header of a picture file. `size` is that of the upright picture."""

    size: tuple[int, int]
    grey: bool
    #: More than 8 bits per value.
    deep: bool


@dataclass(frozen=True)
class Picture:
    """A decoded picture, upright.

    Attributes
    ----------
    values : ndarray (h, w) or (h, w, 3)
        uint8 for up to 8 bits per value; else uint16, int32 or float32 as in the file.
    opacity : ndarray uint8 (h, w) or None
        Only for pictures of 16 bits per colour; others are already drawn on white.
    """

    values: NDArray[Any]
    opacity: NDArray[np.uint8] | None = None

    @property
    def deep(self) -> bool:
        """Whether it has more than 8 bits per value."""
        return self.values.dtype != np.uint8


def read_header(stream: IO[bytes]) -> PictureHeader:
    """Read the header of a picture file; its pixels are not decoded.

    Raises
    ------
    CorpusError
    """
    with _opened(stream) as image:
        deep = image.mode == "F" or image.mode.startswith("I") or _deep_colour(image) is not None
        # In most PNG files, EXIF comes before the pixels. To find it after them, Pillow would decode the picture.
        has_exif = image.format != "PNG" or "exif" in image.info
        rotated = has_exif and image.getexif().get(_ORIENTATION, 1) in _ROTATED
        width, height = image.size
        return PictureHeader((height, width) if rotated else (width, height), image.mode in _GREY_MODES, deep)


def decode(raw: bytes) -> Picture:
    """Decode a picture: upright (EXIF), transparency on white, the first of several frames.

    Raises
    ------
    CorpusError
        When it is truncated, not a picture, larger than Pillow's ``MAX_IMAGE_PIXELS``, or holds NaN or infinite
        values.
    """
    with _opened(io.BytesIO(raw)) as image:
        rawmode = _deep_colour(image)
        image.load()
        upright = _upright(image)
        if rawmode:
            return _joined_bytes(upright, raw, rawmode)
        if image.mode == "F" or image.mode.startswith("I"):
            values: NDArray[Any] = np.array(upright)
            if values.dtype.kind == "f" and not np.isfinite(values).all():
                raise CorpusError("holds NaN or infinite values")
            return Picture(values)
        return Picture(np.array(_on_white(upright).convert("L" if image.mode in _GREY_MODES else "RGB")))


@contextmanager
def _opened(stream: IO[bytes]) -> Iterator[Image]:
    from PIL import Image as Pillow
    from PIL import UnidentifiedImageError

    Pillow.init()
    known = [name for name in FORMATS if name in Pillow.OPEN]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns about unusual metadata, which does not change pixels
            warnings.simplefilter("error", Pillow.DecompressionBombWarning)
            with Pillow.open(stream, formats=known) as image:
                yield image
    except CorpusError:
        raise
    except UnidentifiedImageError:
        raise CorpusError(
            "is not a picture that nearby can read (PNG, JPEG, TIFF, WebP, AVIF, BMP, GIF, PGM, ...)"
        ) from None
    except (Pillow.DecompressionBombWarning, Pillow.DecompressionBombError):
        raise CorpusError(f"has more than {Pillow.MAX_IMAGE_PIXELS or 0:,} pixels, the limit") from None
    except Exception as error:  # Pillow's decoders raise nearly anything on damaged files
        raise CorpusError(f"is damaged: {error or type(error).__name__}") from error


def _upright(image: Image) -> Image:
    from PIL import ImageOps

    return ImageOps.exif_transpose(image) if image.getexif().get(_ORIENTATION, 1) != 1 else image


def _on_white(image: Image) -> Image:
    from PIL import Image as Pillow

    if not image.has_transparency_data:
        return image
    solid = image.convert("RGBA")
    return Pillow.alpha_composite(Pillow.new("RGBA", solid.size, "white"), solid)


def _deep_colour(image: Image) -> str | None:
    """Return the raw mode of a file with 16 bits per colour, of which Pillow reads 8; None for other files."""
    if image.mode not in ("RGB", "RGBA"):
        return None
    tiles = getattr(image, "tile", ())
    args = tiles[0][3] if tiles else ()
    rawmode = args[0] if isinstance(args, tuple) and args else args
    return rawmode if rawmode in ("RGB;16B", "RGB;16L", "RGBA;16B", "RGBA;16L") else None


def _joined_bytes(high: Image, raw: bytes, rawmode: str) -> Picture:
    """Read the low bytes of a 16-bit colour picture with the other byte order, and join them to the high bytes."""
    other = rawmode.replace("16B", "16l").replace("16L", "16B").replace("16l", "16L")
    with _opened(io.BytesIO(raw)) as image:
        image.tile = [  # type: ignore[attr-defined]  # every picture read from a file has it
            (tile[0], tile[1], tile[2], (other, *tile[3][1:]) if isinstance(tile[3], tuple) else other)
            for tile in image.tile  # type: ignore[attr-defined]
        ]
        image.load()
        low = np.asarray(_upright(image), dtype=np.uint16)
    values = (np.asarray(high, dtype=np.uint16) << 8) | low
    if values.shape[2] == 4:
        return Picture(np.ascontiguousarray(values[:, :, :3]), np.asarray(high)[:, :, 3].copy())
    return Picture(values)
