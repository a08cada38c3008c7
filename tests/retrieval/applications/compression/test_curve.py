"""Curves: measures against their definitions and scikit-image, codecs by Pillow, held-out items, break-even."""

import io
import json
import re

import numpy as np
import pytest
from PIL import Image
from skimage import metrics

from encoders.codes import Modality
from encoders.errors import CorpusError, OptionError
from retrieval.applications.compression.curve import compression_curves, settings
from retrieval.applications.compression.held_out import Listed, held_out_split
from retrieval.applications.compression.picture_codecs import BARE, FILES, MOSAIC, available, coded
from retrieval.applications.compression.rate_distortion import Curve, Curves, Point, error_at
from retrieval.corpora.base import Item
from retrieval.corpora.registry import open_corpus
from retrieval.evaluation.picture_quality import Quality, quality, structural_similarity
from retrieval.report.terminal.compression import answer


def pictures(count=12, shape=(20, 16)):
    """Return smooth pictures with some noise."""
    rng = np.random.default_rng(0)
    across, down = np.meshgrid(np.linspace(0, 3, shape[1]), np.linspace(0, 3, shape[0]))
    levels = [np.sin(across * rng.uniform(0.5, 2) + down * rng.uniform(0.5, 2)) for _ in range(count)]
    grey = np.clip(128 + 90 * np.stack(levels) + rng.normal(0, 4, (count, *shape)), 0, 255)
    return grey.astype(np.uint8)


def colours(count=7):
    grey = pictures(count)
    return np.stack([grey, 255 - grey, np.roll(grey, 3, axis=2)], axis=3)


@pytest.mark.parametrize("make", [pictures, colours])
def test_similarity_equals_scikit_image(make):
    first = make() / 255
    second = np.clip(first + np.random.default_rng(1).normal(0, 0.1, first.shape), 0, 1)
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 1.0}
    if first.ndim == 4:
        options["channel_axis"] = 2
    right = [metrics.structural_similarity(a, b, **options) for a, b in zip(first, second, strict=True)]
    np.testing.assert_allclose(structural_similarity(first, second), right, atol=1e-10)


def test_similarity_of_small_pictures():
    first = np.random.default_rng(0).random((3, 8, 8))
    np.testing.assert_allclose(structural_similarity(first, first), 1)
    assert (structural_similarity(first, first[::-1])[[0, 2]] < 0.9).all()


def test_quality_by_its_definition():
    first = pictures()
    second = first.copy()
    second[0, 0, 0] = 255 - second[0, 0, 0]
    difference = (int(first[0, 0, 0]) - int(second[0, 0, 0])) / 255
    found = quality(first, second)
    assert found.error == pytest.approx(difference**2 / len(first))
    assert found.psnr == pytest.approx(-10 * np.log10(found.error / first[0].size))
    assert quality(first, first) == (0, float("inf"), 1)


@pytest.mark.parametrize("make", [pictures, colours])
@pytest.mark.parametrize("codec", available(), ids=lambda codec: codec.name)
def test_codecs(make, codec):
    originals = make()
    found = list(coded(originals, codec))
    by_variant = {name: [one for one in found if one.variant == name] for name in (FILES, BARE, MOSAIC)}
    assert all(len(points) == len(codec.settings) for points in by_variant.values())
    for whole, bare, mosaic in zip(*by_variant.values(), strict=True):
        assert 0 < bare.bytes_per_item < whole.bytes_per_item
        assert mosaic.bytes_per_item < whole.bytes_per_item
        np.testing.assert_array_equal(whole.decoded, bare.decoded)
        assert mosaic.decoded.shape == whole.decoded.shape == originals.shape
    for points in by_variant.values():
        errors = [quality(originals, point.decoded).error for point in (points[0], points[-1])]
        assert errors[1] < errors[0] / 4, "the last setting is the best"
        least = 30 if originals.ndim == 3 else 20  # codecs keep fewer pixels of colours
        assert quality(originals, points[-1].decoded).psnr > least, "cells of a mosaic are in their places"


def test_bytes_of_files_are_those_of_pillow():
    originals = pictures()
    codec = next(one for one in available() if one.name == "JPEG")
    first = next(iter(coded(originals, codec)))
    total = 0
    for picture in originals:
        buffer = io.BytesIO()
        Image.fromarray(picture).save(buffer, "JPEG", quality=codec.settings[0][1]["quality"])
        total += len(buffer.getvalue())
    assert first.bytes_per_item == total / len(originals)


def test_files_that_are_all_the_same_have_no_bytes_of_their_own():
    codec = next(one for one in available() if one.name == "JPEG")
    bare = [one for one in coded(np.repeat(pictures(1), 5, axis=0), codec) if one.variant == BARE]
    assert all(one.bytes_per_item == 0 for one in bare)


def test_every_fifth_item_is_held_out():
    corpus = open_corpus("digits")
    train, test, said = held_out_split(corpus, 10_000)
    fitted_on, measured = ({item.id for item in part} for part in (train, test))
    assert not fitted_on & measured
    assert len(fitted_on) + len(measured) == 1797
    assert "every 5th" in said
    assert held_out_split(corpus, 20)[1].size == 20
    with pytest.raises(CorpusError, match="measured on pictures"):
        held_out_split(open_corpus("api-docs"))
    with pytest.raises(CorpusError, match="fewer than 5 items"):
        held_out_split(Listed("few", Modality.IMAGE, [Item("1", pictures(1)[0])]))


@pytest.fixture(scope="module")
def found():
    train, test, said = held_out_split(open_corpus("digits"), 60)
    return compression_curves(train, test, said, ["pixels+pca:10"], bits=(1, 3))


def test_curves_fall(found):
    names = [curve.name for curve in found.curves]
    assert names[0] == "pixels+pca:10"
    assert len(found.curves) == 1 + 3 * len(available())
    points = found.curves[0].points
    assert points[0].bytes_per_item < points[1].bytes_per_item
    assert points[0].quality.error > points[1].quality.error
    assert 1 < points[0].bytes_per_item < 2.2, "10 bits, and the table of chunks"
    assert found.raw_bytes == 64
    assert json.dumps(found.to_json())


def test_colours_in_blocks():
    originals = colours(16)
    items = [Item(str(row), picture) for row, picture in enumerate(originals)]
    train, test = (Listed("colours", Modality.IMAGE, some) for some in (items[:12], items[12:]))
    found = compression_curves(train, test, "the last", ["pixels+block-transform:8,basis=pca"], bits=(0.5, 4))
    (blocks, pca), codecs = found.curves[:2], found.curves[2:]
    assert [len(curve.points) for curve in (blocks, pca)] == [2, 2]
    assert blocks.points[1].quality.error < blocks.points[0].quality.error, [one.quality for one in blocks.points]
    assert len(codecs) == 3 * len(available())


def test_pca_stands_beside_every_space():
    train, test, said = held_out_split(open_corpus("digits"), 20)
    names = [[curve.name for curve in compression_curves(train, test, said, specs, bits=(2,)).curves if curve.learnt]
             for specs in ([], ["pixels+block-transform:4"])]  # fmt: skip
    assert names == [["pixels+pca:64"], ["pixels+block-transform:4", "pixels+pca:64"]]


def test_break_even_by_hand():
    def point(size, error, once=0):
        return Point("", size, once, Quality(error, 20, 0.9), 0, 0, pictures(1))

    codecs = [Curve("A", False, [point(10, 4), point(40, 1)]), Curve("B", False, [point(30, 4), point(36, 1)])]
    space = Curve("S", True, [point(5, 2, 1500), point(25, 2, 1500), point(1, 9, 10)])
    curves = Curves("c", pictures(1), 1, "", [*codecs, space])
    assert codecs[0].bytes_at(2) == pytest.approx(20)
    assert curves.best_codec(2) == ("A", pytest.approx(20))
    assert curves.best_codec(1) == ("B", pytest.approx(36))
    assert [curves.break_even(one) for one in space.points] == [100, None, None]


def test_the_error_that_bytes_buy():
    points = [(10.0, 8.0), (40.0, 2.0), (80.0, 3.0)]
    assert error_at(points, 9.9) is None
    assert error_at(points, 10) == pytest.approx(8)
    assert error_at(points, 20) == pytest.approx(4), "halfway in logarithms"
    assert error_at(points, 1000) == pytest.approx(2), "a larger file that is worse is not taken"
    assert error_at([], 10) is None


def line(name, *points, learnt=False):
    made = [Point(setting="", bytes_per_item=size, once=9, quality=Quality(error, 20, 0.9), compress_seconds=0,
                  decompress_seconds=0, shown=pictures(2)) for size, error in points]  # fmt: skip
    return Curve(name, learnt, made)


def test_who_is_best_at_which_size():
    space = line("S", (1, 4), (64, 2), learnt=True)
    codecs = [line("A, files", (100, 0.01)), line("A, without headers", (20, 8), (80, 0.5)), line("A, one mosaic", (8, 9), (40, 9)),
              line("B, one mosaic", (900, 0.2))]  # fmt: skip
    found = Curves("c", pictures(2), 1, "", [space, *codecs])
    assert [curve.name for curve in found.compared] == ["S", "A, without headers", "B, one mosaic"], "the better way"
    assert [name for name, _ in found.winners] == ["S", "A", "B"]
    (_, start), (_, second), (_, third) = found.winners
    assert start == 1
    assert space.error_at(second) > codecs[1].error_at(second)
    assert space.error_at(second / 1.1) <= codecs[1].error_at(second / 1.1)
    assert third == pytest.approx(900)
    assert answer(found).startswith(f"Up to {second:.0f} bytes per picture, S has the smallest squared error; from")
    alone = Curves("c", pictures(2), 1, "", [space, line("A, one mosaic", (70, 9))])
    assert answer(alone) == "S has the smallest squared error at every size measured, from 1 to 70 bytes per picture."


def test_points_within_a_budget():
    space = line("S", (1, 4), (10, 2), (20, 1), learnt=True)
    assert [space.within(size).bytes_per_item for size in (0.5, 9, 9.9, 15, 99)] == [1, 1, 10, 10, 20]
    assert Curves("c", pictures(2), 1, "", [space]).equal_bytes == 10


def test_sizes_of_files_reach_a_quarter_of_a_picture():
    assert settings(30, 784)[-1] == 6, "no finer than 6 bits"
    finest = settings(10_752, 10_304)
    assert finest[-1] * 10_752 / 8 == pytest.approx(10_304 / 4)
    assert finest == sorted(finest)


def test_a_space_that_is_named_twice_is_refused():
    train, test, said = held_out_split(open_corpus("digits"), 20)
    with pytest.raises(OptionError, match=r"'pixels\+pca:2' is named twice"):
        compression_curves(train, test, said, ["pixels+pca:2", "pixels+pca:3", "pixels+pca:2"])


def test_spaces_that_read_differently_are_refused():
    train, test, said = held_out_split(open_corpus("digits"), 20)
    with pytest.raises(OptionError, match="begin with the same stage"):
        compression_curves(train, test, said, ["pixels+pca:2", "pixels:size=4x4+pca:2"])


def test_the_report_is_written(found, tmp_path):
    from retrieval.report.figures.compression_curve import FIGURES
    from retrieval.report.html.compression import PAGE, PICTURES, write_curves
    from retrieval.report.terminal.compression import curves_lines

    write_curves(found, {"command": "nearby"}, tmp_path / "out")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"curves.json", PAGE, PICTURES, *(f"{name}.svg" for name in FIGURES)}
    assert json.loads((tmp_path / "out" / "curves.json").read_text())["held_out"] == found.held_out
    for name in FIGURES:
        drawing = (tmp_path / "out" / f"{name}.svg").read_text()
        assert "pixels+pca:10" in drawing
        assert "nan" not in drawing
    page = (tmp_path / "out" / PAGE).read_text()
    assert answer(found) in page
    assert page.count("<img ") == len([*found.compared, None]) * len(found.curves[0].points[0].shown)
    for word in ("break-even", "SSIM", "compress, ms", "bytes once", "JPEG 2000", "pixels+<wbr>pca:<wbr>10"):
        assert word in page
    assert "<script" not in page
    lines = curves_lines(found)
    assert lines[0] == answer(found)
    assert max(map(len, lines[2:])) <= 100
    assert sum(bool(re.search(r" bits? ", line)) for line in lines) == 2
