"""Text of PNG figures: a font that has its letters, its measured width, and its lines."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

from retrieval.report.spec_wrapping import middle_cut

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

#: Height of the letters in pixels.
FONT_SIZE = 13
#: Fonts of Linux, macOS and Windows with letters that Pillow's own font lacks, in the order in which they are tried.
SYSTEM_FONTS = (
    "DejaVuSans.ttf", "NotoSans-Regular.ttf", "NotoSansCJK-Regular.ttc", "NotoSansCJKkr-Regular.otf",
    "DroidSansFallbackFull.ttf", "wqy-zenhei.ttc", "NanumGothic.ttf", "Arial Unicode.ttf", "AppleSDGothicNeo.ttc",
    "PingFang.ttc", "arial.ttf", "malgun.ttf", "msyh.ttc", "YuGothR.ttc", "Nirmala.ttc",
)  # fmt: skip
#: A character that no font has: its picture is the sign for a missing letter.
_NO_CHARACTER = "\uffff"


def font_for(text: str) -> FreeTypeFont:
    """Return Pillow's own font, or the first font of the system that has more letters of the text.

    A letter that no font has is drawn as a box.
    """
    best = _pillow_font()
    best_count = _count_letters(best, text)
    for name in SYSTEM_FONTS:
        if best_count == len(text):
            break
        font = _system_font(name)
        count = 0 if font is None else _count_letters(font, text)
        if font is not None and count > best_count:
            best, best_count = font, count
    return best


def text_pixels(text: str) -> float:
    """Return how wide a text is drawn, in pixels."""
    return float(font_for(text).getlength(text))


def fitted_lines(text: str, width: float, limit: int | None = None) -> list[str]:
    """Break a text into lines that are not wider than `width`.

    Parameters
    ----------
    text : str
        A name, a spec or a sentence. Lines end at a space or after a sign such as ``/`` and ``-``; only a part that is
        wider than a line is broken between its letters.
    width : float
        In pixels.
    limit : int, optional
        Number of lines. A longer text is cut in the middle, where names differ least. By default no text is cut.

    Returns
    -------
    list of str
        At least one line.
    """
    lines = _lines(text, width)
    if limit is None or len(lines) <= limit:
        return lines
    # The narrowest letters are about a fifth of the font: more of them than this never fit.
    kept = min(len(text) - 1, int(limit * width * 5 / FONT_SIZE))
    while kept > 1 and len(lines := _lines(middle_cut(text, kept), width)) > limit:
        kept -= 1
    return lines[:limit]


def _lines(text: str, width: float) -> list[str]:
    lines = [""]
    for part in _parts(text):
        if lines[-1] and text_pixels((lines[-1] + part).rstrip()) > width:
            lines.append("")
        for letters in _letters(part) if text_pixels(part.rstrip()) > width else [part]:
            if lines[-1] and text_pixels((lines[-1] + letters).rstrip()) > width:
                lines.append("")
            lines[-1] += letters
    return [line.strip() for line in lines]


def _parts(text: str) -> list[str]:
    """Split a text where a line may end: after a sign or a space, and before a dot.

    Examples
    --------
    >>> _parts("cats/img-1.jpg")
    ['cats/', 'img-', '1', '.jpg']
    """
    return re.findall(r"\.?[^\s/\\_+,:;=.-]*[\s/\\_+,:;=-]+|\.?[^\s/\\_+,:;=.-]+|\.", text)


def _letters(part: str) -> list[str]:
    """Split text into letters, each with the accents that follow it."""
    letters: list[str] = []
    for character in part:
        if letters and unicodedata.category(character).startswith("M"):
            letters[-1] += character
        else:
            letters.append(character)
    return letters


@cache
def _pillow_font() -> FreeTypeFont:
    from PIL import ImageFont

    return ImageFont.load_default(FONT_SIZE)  # type: ignore[return-value]  # a bitmap font only without FreeType


@cache
def _system_font(name: str) -> FreeTypeFont | None:
    from PIL import ImageFont

    try:
        return ImageFont.truetype(name, FONT_SIZE)
    except OSError:
        return None


def _count_letters(font: FreeTypeFont, text: str) -> int:
    return sum(_has(font, letter) for letter in text)


@cache
def _has(font: FreeTypeFont, letter: str) -> bool:
    return letter.isspace() or _drawn(font, letter) != _drawn(font, _NO_CHARACTER)


def _drawn(font: FreeTypeFont, letter: str) -> bytes:
    return bytes(font.getmask(letter))
