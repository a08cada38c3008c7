"""One picture file: what its head says, and its pixels at the depth in which they are stored."""

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

#: The formats of Pillow that are read, with the endings of their files. Not read: what starts another program (EPS),
#: what Pillow only recognises (BUFR, GRIB, HDF5, MPEG, WMF), and what has no ending of its own.
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
#: Endings that nothing but pictures has: one such file makes a folder one of pictures, of the others it takes most.
COMMON = tuple(
    suffix
    for kind in ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "PSD", "QOI", "TGA", "TIFF", "WEBP")
    for suffix in FORMATS[kind]
)
_ORIENTATION = 0x0112
#: EXIF orientations that lay the picture on its side.
_ON_ITS_SIDE = range(5, 9)
_GREY_MODES = {"1", "L", "LA", "La", "I", "I;16", "I;16L", "I;16B", "I;16N", "F"}


class Head(NamedTuple):
    """What the head of a picture file says, the picture upright."""

    size: tuple[int, int]
    grey: bool
    #: More than 8 bits a value.
    deep: bool


@dataclass(frozen=True)
class Picture:
    """A decoded picture, upright.

    Attributes
    ----------
    values : ndarray (h, w) or (h, w, 3)
        uint8 where the file has up to 8 bits a value; else uint16, int32 or float32 as they are stored.
    opacity : ndarray uint8 (h, w) or None
        Of a deep colour picture; shallow ones are already on white.
    """

    values: NDArray[Any]
    opacity: NDArray[np.uint8] | None = None

    @property
    def deep(self) -> bool:
        """Whether it has more than 8 bits a value."""
        return self.values.dtype != np.uint8


def read_head(stream: IO[bytes]) -> Head:
    """Read the head of a picture file; its pixels are not decoded.

    Raises
    ------
    CorpusError
    """
    with _opened(stream) as image:
        deep = image.mode == "F" or image.mode.startswith("I") or _deep_colour(image) is not None
        # Asked for what stands behind the pixels of a PNG, Pillow decodes it; in most, EXIF stands before them.
        known = image.format != "PNG" or "exif" in image.info
        turned = known and image.getexif().get(_ORIENTATION, 1) in _ON_ITS_SIDE
        width, height = image.size
        return Head((height, width) if turned else (width, height), image.mode in _GREY_MODES, deep)


def decode(raw: bytes) -> Picture:
    """Decode a picture completely: upright (EXIF), on white where transparent, the first frame of several.

    Raises
    ------
    CorpusError
        When it is truncated, no picture, has more pixels than Pillow's ``MAX_IMAGE_PIXELS``, or holds NaN or infinite
        values.
    """
    with _opened(io.BytesIO(raw)) as image:
        rawmode = _deep_colour(image)
        image.load()
        upright = _upright(image)
        if rawmode:
            return _joined(upright, raw, rawmode)
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
            warnings.simplefilter("ignore")  # Pillow warns of odd metadata, which changes no pixel
            warnings.simplefilter("error", Pillow.DecompressionBombWarning)
            with Pillow.open(stream, formats=known) as image:
                yield image
    except CorpusError:
        raise
    except UnidentifiedImageError:
        raise CorpusError("is no picture that can be read (PNG, JPEG, TIFF, WebP, AVIF, BMP, GIF, PGM, ...)") from None
    except (Pillow.DecompressionBombWarning, Pillow.DecompressionBombError):
        raise CorpusError(f"has more than the {Pillow.MAX_IMAGE_PIXELS or 0:,} pixels that are read") from None
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
    """Return how the file stores 16 bits a colour, which Pillow reads 8 of; None where it does not."""
    if image.mode not in ("RGB", "RGBA"):
        return None
    tiles = getattr(image, "tile", ())
    args = tiles[0][3] if tiles else ()
    rawmode = args[0] if isinstance(args, tuple) and args else args
    return rawmode if rawmode in ("RGB;16B", "RGB;16L", "RGBA;16B", "RGBA;16L") else None


def _joined(high: Image, raw: bytes, rawmode: str) -> Picture:
    """Read the low bytes of a 16-bit colour picture by exchanging the order of bytes; join them to the high ones."""
    other = rawmode.replace("16B", "16l").replace("16L", "16B").replace("16l", "16L")
    with _opened(io.BytesIO(raw)) as image:
        image.tile = [  # type: ignore[attr-defined]  # of every picture that is read from a file
            (tile[0], tile[1], tile[2], (other, *tile[3][1:]) if isinstance(tile[3], tuple) else other)
            for tile in image.tile  # type: ignore[attr-defined]
        ]
        image.load()
        low = np.asarray(_upright(image), dtype=np.uint16)
    values = (np.asarray(high, dtype=np.uint16) << 8) | low
    if values.shape[2] == 4:
        return Picture(np.ascontiguousarray(values[:, :, :3]), np.asarray(high)[:, :, 3].copy())
    return Picture(values)
