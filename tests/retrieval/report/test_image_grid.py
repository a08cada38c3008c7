"""PNG sheets of thumbnails: no name overlaps another or a picture, none leaves the sheet, none loses its letters."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from retrieval.applications.reconstruction_table import ReconstructionRow, ReconstructionTable
from retrieval.report.figures.fonts import SYSTEM_FONTS, fitted_lines, font_for, text_pixels
from retrieval.report.figures.image_grid import image_grid

NAMES = [
    "airplane/photograph-of-airplane-0001.jpg", "images/train/class_07/IMG_20230401_123456.png", "7",
    "한국어/사진-이름이-아주-긴-파일.png", "العربية/صورة.png", "Русский/фотография-1.png", "W" * 80, "Übergrößenträger.png",
]  # fmt: skip
SPEC = (
    "bow:2000,min-df=2+deep-ae:1000-500-250-128,epochs=60,activation=silu,loss=auto,metric=auto,output=auto,norm=batch"
)
TITLE = "squared error per item: summed over the pixels, which go from 0 to 1, mean of 8 items"


@pytest.fixture
def drawn(monkeypatch):
    """The boxes of every text and of every picture of the sheet that is drawn."""
    texts: list[tuple[str, tuple[float, ...]]] = []
    pictures: list[tuple[float, ...]] = []
    write, paste = ImageDraw.ImageDraw.text, Image.Image.paste

    def text(draw, at, words, font, anchor, **look):
        texts.append((words, draw.textbbox(at, words, font=font, anchor=anchor)))
        write(draw, at, words, font=font, anchor=anchor, **look)

    def put(image, tile, at):
        pictures.append((*at, at[0] + tile.width, at[1] + tile.height))
        paste(image, tile, at)

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", text)
    monkeypatch.setattr(Image.Image, "paste", put)
    return texts, pictures


def pictures_of(height: int, width: int) -> list[np.ndarray]:
    return [np.full((height, width), 255, np.uint8)] * len(NAMES)


def require_apart(image: Image.Image, texts, pictures) -> None:
    for words, (left, top, right, bottom) in texts:
        assert left >= 0, words
        assert top >= 0, words
        assert right <= image.width, words
        assert bottom <= image.height, words
    named = [*texts, *((f"picture {number}", box) for number, box in enumerate(pictures))]
    for (words, one), (other, two) in combinations(named, 2):
        apart = one[2] <= two[0] or two[2] <= one[0] or one[3] <= two[1] or two[3] <= one[1]
        assert apart, f"{words!r} overlaps {other!r}"


@pytest.mark.parametrize("shape", [(8, 8), (300, 40), (40, 300), (50, 60)])
def test_names_and_numbers_of_a_table_do_not_overlap(drawn, shape):
    contents = pictures_of(*shape)
    measured = {"squared error per item": [123.456] * len(NAMES), "PSNR after": [23.0] * len(NAMES)}
    rows = [
        ReconstructionRow("the item", contents),
        ReconstructionRow(SPEC, contents, measured),
        ReconstructionRow("pixels+pca:8", contents, measured),
    ]
    image = image_grid(ReconstructionTable(NAMES, rows, TITLE))
    require_apart(image, *drawn)
    written = "".join(words for words, _ in drawn[0])
    assert SPEC in written  # a spec is broken into lines, never cut
    assert TITLE.replace(" ", "") in written.replace(" ", "")
    assert "23.0" in written


@pytest.mark.parametrize("count", [1, 2, 8])
def test_names_of_a_strip_do_not_overlap(drawn, count):
    image = image_grid(ReconstructionTable(NAMES[:count], [ReconstructionRow(SPEC, pictures_of(60, 20)[:count])], ""))
    require_apart(image, *drawn)


def test_a_white_picture_has_an_edge(drawn):
    image = np.asarray(
        image_grid(ReconstructionTable(["a"], [ReconstructionRow("vae", [np.full((8, 8), 255, np.uint8)])], ""))
    )
    left, top, _, bottom = drawn[1][0]
    assert (image[top:bottom, left - 1] < 230).all()


def test_lines_end_between_words_and_a_long_name_is_cut_in_the_middle():
    assert fitted_lines("cats/img-0001.jpg", 60) == ["cats/img-", "0001.jpg"]
    cut = fitted_lines("images/train/class_07/IMG_20230401_123456.png", 90, 2)
    assert len(cut) == 2
    assert "".join(cut).startswith("images/")
    assert "".join(cut).endswith("6.png")
    assert "…" in "".join(cut)
    for text in (*NAMES, "", " "):
        lines = fitted_lines(text, 70, 3)
        assert 1 <= len(lines) <= 3
        assert all(text_pixels(line) <= 70 for line in lines)


def test_a_letter_stays_with_its_accents():
    accented = "e\u0301" * 40
    assert all(not line.startswith("\u0301") for line in fitted_lines(accented, 50))


def test_a_font_of_the_system_writes_what_the_own_font_lacks():
    assert font_for("pixels+pca:8") is font_for("…")  # Pillow's own font, the same on every machine
    available = [name for name in SYSTEM_FONTS if _opens(name)]
    if not available:
        pytest.skip("no known font of the system: letters outside Pillow's own font are drawn as boxes")
    if "DejaVuSans.ttf" in available:
        assert font_for("Русский") is not font_for("pixels")
        assert bytes(font_for("Р").getmask("Р")) != bytes(font_for("Р").getmask("\uffff"))


def _opens(name: str) -> bool:
    from PIL import ImageFont

    try:
        ImageFont.truetype(name, 13)
    except OSError:
        return False
    return True
