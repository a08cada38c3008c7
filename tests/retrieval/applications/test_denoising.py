"""Pictures corrupted and cleaned."""

from __future__ import annotations

import numpy as np
import pytest

from encoders.errors import BadItemError, NotInvertibleError, OptionError
from retrieval.applications.denoising import Noise, denoised
from retrieval.applications.reconstruction import asked_items
from retrieval.collection.local import LocalCollection
from retrieval.corpora.registry import open_corpus
from retrieval.evaluation.picture_quality import psnr
from retrieval.report.terminal.reconstructions import reconstructions_lines, write_reconstructions


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    made = LocalCollection.create(tmp_path_factory.mktemp("digits") / "c", open_corpus("digits"))
    return made.add_space("pixels").add_space("pixels+pca:8").add_space("pixels+pca:4+gaussian")


@pytest.mark.parametrize(
    "text", ["", "none:0.3", "gaussian", "gaussian:", "gaussian:-1", "masking:1.5", "gaussian:1e3"]
)
def test_noise_that_is_none_is_refused(text):
    with pytest.raises(OptionError, match=r"as in gaussian:0\.5"):
        Noise.read(text)


def test_noise_corrupts_as_much_as_it_says_and_the_same_for_a_seed():
    grey = np.full((100, 100), 128, dtype=np.uint8)
    noise = Noise.read("salt-and-pepper:0.2")
    corrupted = noise.corrupt([grey], seed=3)[0]
    assert corrupted.dtype == np.uint8
    assert 0.18 < (corrupted != 128).mean() < 0.22
    np.testing.assert_array_equal(corrupted, noise.corrupt([grey], seed=3)[0])
    assert abs(Noise("gaussian", 0.1).corrupt([grey], 0)[0].std() / 255 - 0.1) < 0.005
    assert abs((Noise("masking", 0.3).corrupt([grey], 0)[0] == 0).mean() - 0.3) < 0.02


def test_what_every_space_gains_is_told(digits):
    asked = asked_items(digits, [], 5, seed=0)
    table = denoised(digits, asked, noise=Noise("gaussian", 0.4))
    names = [row.name for row in table.rows]
    assert names == ["the item", "corrupted by gaussian:0.4", "pixels", "pixels+pca:8"]  # a density gives no items back
    same, cleaned = table.rows[2].results, table.rows[3].results
    assert same["PSNR before"] == same["PSNR after"] == cleaned["PSNR before"]
    assert np.mean(cleaned["PSNR after"]) > np.mean(cleaned["PSNR before"])
    assert same["PSNR before"][0] == pytest.approx(
        psnr(float(np.square((asked[0].content / 255.0) - table.rows[1].contents[0] / 255.0).mean()))
    )
    assert reconstructions_lines(table)[0] == "peak signal-to-noise ratios in dB; noise of seed 0"
    with pytest.raises(NotInvertibleError):
        denoised(digits, asked, ["pixels+pca:4+gaussian"])


def test_gains_are_told_of_pictures_as_the_space_sees_them(digits):
    scaled = LocalCollection(digits.folder).add_space("pixels:size=4x4")
    table = denoised(scaled, asked_items(scaled, ["@3"], None, 0), ["pixels:size=4x4"], Noise("gaussian", 0.4))
    assert table.rows[2].contents[0].shape == (4, 4)
    assert table.rows[2].results["PSNR before"] == table.rows[2].results["PSNR after"]


def test_one_picture_in_one_space_is_written_as_it_is(digits, tmp_path):
    from PIL import Image

    table = denoised(digits, asked_items(digits, ["@3"], None, 0), ["pixels+pca:8"])
    write_reconstructions(table, tmp_path / "clean.png")
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "clean.png")), table.rows[0].contents[0])


def test_texts_are_not_cleaned(tmp_path):
    (tmp_path / "t.jsonl").write_text('{"_id": "a", "text": "some words"}\n{"_id": "b", "text": "other words"}\n')
    texts = LocalCollection.create(tmp_path / "c", open_corpus(str(tmp_path / "t.jsonl"))).add_space("bow")
    with pytest.raises(BadItemError, match="denoise cleans pictures"):
        denoised(texts, asked_items(texts, ["@a"], None, 0))
