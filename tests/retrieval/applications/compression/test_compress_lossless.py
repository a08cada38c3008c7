"""A corpus without loss: what is counted, what is restored, what is refused before any fit."""

from __future__ import annotations

import bz2
from dataclasses import replace

import numpy as np
import pytest

from encoders.codes import Modality
from encoders.errors import ArtifactError, CorpusError, OptionError
from encoders.registry import create
from retrieval.applications.compression.compress_lossless import CompressedLossless, compress_lossless
from retrieval.applications.compression.compressed_items import CompressedItems
from retrieval.applications.compression.decompress import decompress
from retrieval.applications.compression.encoder_section import SECTION
from retrieval.corpora.base import Corpus, Item
from retrieval.corpora.registry import open_corpus
from retrieval.report.terminal.compression import lossless_lines

DIGITS = [item.content for item in open_corpus("digits")][:500]
BINARY = [((picture > 127) * 255).astype(np.uint8) for picture in DIGITS]


class Pictures(Corpus):
    """Pictures whose ids are not their positions."""

    name, modality = "pictures", Modality.IMAGE

    def __init__(self, pictures) -> None:
        self.pictures = pictures

    def __iter__(self):
        return (Item(f"{row}.png", picture) for row, picture in enumerate(self.pictures))


@pytest.fixture(scope="module")
def encoder():
    return create("pixels+vae:64-10,epochs=30,batch-size=32,learning-rate=0.01").fit(np.stack(BINARY))


@pytest.mark.parametrize("count", [1, 7, 8, 9, 500])
def test_pictures_return_at_every_boundary_of_chunks(tmp_path, encoder, count):
    corpus = Pictures(BINARY[:count])
    made = compress_lossless(corpus, encoder, tmp_path / "x.nby", items_per_chunk=8 if count < 500 else 256)
    assert sum(made.parts.values()) == (tmp_path / "x.nby").stat().st_size
    assert (made.items, made.pixels) == (count, 64 * count)
    with CompressedItems(tmp_path / "x.nby") as items:
        assert [item.id for item in items] == [item.id for item in corpus]
        for one, other in zip(items, corpus, strict=True):
            np.testing.assert_array_equal(one.content, other.content)
        np.testing.assert_array_equal(items[count - 1].content, BINARY[count - 1])  # by position


def test_the_rate_counts_everything_except_the_encoder_and_stands_beside_bz2(tmp_path, encoder):
    made = compress_lossless(Pictures(BINARY), encoder, tmp_path / "x.nby", items_per_chunk=512)
    size = (tmp_path / "x.nby").stat().st_size
    assert made.bits_per_pixel == pytest.approx(8 * (size - made.parts[SECTION]) / 64 / 500)
    packed = bz2.compress(np.packbits(np.stack(BINARY) > 0).tobytes())
    assert made.bz2 == len(packed)
    bound = -encoder.parts[1].elbo(np.stack(BINARY).reshape(500, 64) / np.float32(255)).mean() / np.log(2) / 64
    assert bound < 8 * made.parts["items"] / made.pixels < 1.1 * bound  # the start of the chunk, its checksums


def test_the_break_even_is_where_file_and_encoder_are_as_small_as_bz2(tmp_path):
    made = CompressedLossless(
        path=tmp_path, items=10, pixels=800, parts={"items": 50, "header": 10, SECTION: 1000}, encoder="pixels+vae",
        bz2=100, seconds=1.0,
    )  # fmt: skip
    assert (made.bits_per_pixel, made.bits_per_pixel_of_bz2) == (0.6, 1.0)
    assert made.break_even == 250  # 1,000 bytes, 4 saved with each picture
    assert made.to_json()["break_even_items"] == 250
    assert replace(made, bz2=60).break_even is None
    assert replace(made, parts={"items": 60}).break_even == 0
    assert "smaller from 250 such pictures on" in lossless_lines(made)[1]
    assert "so bz2 is smaller" in lossless_lines(replace(made, bz2=60))[1]
    assert "without its encoder" in lossless_lines(replace(made, parts={"items": 60}))[1]


def test_an_encoder_outside_is_named_again(tmp_path, encoder):
    encoder.save(tmp_path / "encoder")
    compress_lossless(Pictures(BINARY[:9]), encoder, tmp_path / "x.nby", embed=False)
    with CompressedItems(tmp_path / "x.nby", tmp_path / "encoder") as items:
        np.testing.assert_array_equal([item.content for item in items], BINARY[:9])
        assert not items.reader.has_section(SECTION)
    with (
        CompressedItems(tmp_path / "x.nby") as items,
        pytest.raises(OptionError, match="name its folder with --encoder"),
    ):
        _ = items[0]


def test_what_is_left_of_a_damaged_file_returns(tmp_path, encoder):
    compress_lossless(Pictures(BINARY[:20]), encoder, tmp_path / "x.nby", items_per_chunk=8)
    data = (tmp_path / "x.nby").read_bytes()
    (tmp_path / "x.nby").write_bytes(data[:-1])
    with CompressedItems(tmp_path / "x.nby") as items:
        written = decompress(items, tmp_path / "out")
    assert written.items == 20  # the ids of the last chunk are cut: its pictures have their positions as names
    with pytest.raises(ArtifactError):
        written.require_whole()


def test_a_wrong_space_is_refused_before_it_is_fitted(tmp_path, monkeypatch):
    wrong = create("pixels+vae:8-2")
    monkeypatch.setattr(type(wrong), "fit", lambda *_, **__: pytest.fail("fitted"))
    with pytest.raises(OptionError, match="add loss=beta-binomial"):
        compress_lossless(Pictures(DIGITS), wrong, tmp_path / "x.nby")
    with pytest.raises(OptionError, match="use a space pixels"):
        compress_lossless(Pictures(DIGITS), create("pixels+pca:3"), tmp_path / "x.nby")
    with pytest.raises(CorpusError, match="nothing to compress"):
        compress_lossless(Pictures([]), wrong, tmp_path / "x.nby")
    (tmp_path / "x.nby").touch()
    with pytest.raises(OptionError, match="exists"):
        compress_lossless(Pictures(DIGITS), wrong, tmp_path / "x.nby")
