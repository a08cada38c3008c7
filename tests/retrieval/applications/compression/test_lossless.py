"""The method bits-back in the container: pictures return bit for bit, and what cannot be restored is refused."""

from __future__ import annotations

import numpy as np
import pytest

from encoders.errors import ArtifactError, BadItemError, OptionError
from encoders.registry import create
from retrieval.applications.compression import lossless
from retrieval.applications.compression.bits_back import BitsBack
from retrieval.applications.compression.encoder_section import SECTION, packed
from retrieval.applications.compression.item_ids import read_ids
from retrieval.applications.compression.lossless import (
    METHOD,
    PIXELS,
    open_bits_back,
    require_lossless,
    write_bits_back,
)
from retrieval.applications.compression.nby_file import DamagedChunkError
from retrieval.applications.compression.nby_reader import open_reader
from retrieval.applications.compression.nby_writer import open_writer
from retrieval.corpora.base import Item
from retrieval.corpora.registry import open_corpus

GREY = np.stack([item.content for item in open_corpus("digits")][:300])
PICTURES = {"cross-entropy": ((GREY > 127) * 255).astype(np.uint8), "beta-binomial": GREY}


@pytest.fixture(scope="module", params=PICTURES)
def loss(request) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def encoder(loss):
    return create(f"pixels+vae:32-6,loss={loss},epochs=4,batch-size=32,learning-rate=0.01").fit(PICTURES[loss])


def items_of(pictures, prefix="digit-") -> list[Item]:
    return [Item(f"{prefix}{row}", picture) for row, picture in enumerate(pictures)]


def write(path, encoder, items, rows=64):
    with open_writer(path, METHOD, rows) as writer:
        section, identity = packed(encoder)
        writer.add_section(SECTION, section)
        writer.description = {"encoder": identity}
        write_bits_back(writer, encoder, items)
    return path


@pytest.fixture(scope="module")
def file(encoder, loss, tmp_path_factory):
    return write(tmp_path_factory.mktemp("lossless") / "digits.nby", encoder, items_of(PICTURES[loss]))


def test_every_chunk_returns_bit_for_bit_in_any_order(file, loss):
    with open_reader(file) as reader:
        decoder = open_bits_back(reader)
        for chunk in (4, 0, 3):
            rows = reader.header.items_of(chunk)
            found = decoder.decode(reader, chunk)
            assert found.dtype == np.uint8
            np.testing.assert_array_equal(found, PICTURES[loss][rows.start : rows.stop])
            assert read_ids(reader, chunk)[0] == f"digit-{rows.start}"
        assert reader.header.method == "bits-back"
        stored = sum(len(reader.chunk(PIXELS, chunk)) for chunk in range(5))
    assert stored < 0.9 * PICTURES[loss].size / (8 if loss == "cross-entropy" else 1)


def test_damage_loses_one_chunk(file, loss, tmp_path):
    data = bytearray(file.read_bytes())
    with open_reader(file) as reader:
        position = data.index(reader.chunk(PIXELS, 2))
    data[position + 30] ^= 1
    (tmp_path / "damaged.nby").write_bytes(data)
    with open_reader(tmp_path / "damaged.nby") as reader:
        decoder = open_bits_back(reader)
        with pytest.raises(DamagedChunkError, match=r"chunk 3 of 5 .* items 128 to 191 are lost") as raised:
            decoder.decode(reader, 2)
        assert raised.value.items == range(128, 192)
        np.testing.assert_array_equal(decoder.decode(reader, 3), PICTURES[loss][192:256])


def test_no_items_make_a_file_without_chunks(encoder, tmp_path):
    with open_reader(write(tmp_path / "none.nby", encoder, [])) as reader:
        assert reader.header.items == 0


def test_a_chunk_that_would_not_return_is_not_written(encoder, loss, tmp_path, monkeypatch):
    whole = BitsBack.decompress
    monkeypatch.setattr(lossless.BitsBack, "decompress", lambda self, chunk, count: whole(self, chunk, count) ^ 1)
    with pytest.raises(ArtifactError, match="do not decode to the same pixels, so nothing was written"):
        write(tmp_path / "x.nby", encoder, items_of(PICTURES[loss]))
    assert list(tmp_path.iterdir()) == []


def test_other_integers_are_refused_before_anything_is_decoded(encoder, loss, tmp_path):
    path = tmp_path / "x.nby"
    with open_writer(path, METHOD, 64) as writer:
        section, identity = packed(encoder)
        writer.add_section(SECTION, section)
        write_bits_back(writer, encoder, items_of(PICTURES[loss][:5]))
        known = writer.description[lossless.FIELD]
        writer.description = {"encoder": identity, lossless.FIELD: {**known, "fingerprint": "0" * 64}}
    with open_reader(path) as reader, pytest.raises(ArtifactError, match="other integers than this machine computes"):
        open_bits_back(reader)


@pytest.mark.parametrize("field", [None, {}, {"bits": 0}, {"bits": 99}, {"bits": "x"}, {"bits": 1e30}, [], "x"])
def test_a_header_that_does_not_say_how_is_refused(encoder, loss, tmp_path, field):
    path = tmp_path / "x.nby"
    with open_writer(path, METHOD, 64) as writer:
        section, identity = packed(encoder)
        writer.add_section(SECTION, section)
        write_bits_back(writer, encoder, items_of(PICTURES[loss][:5]))
        writer.description = {"encoder": identity, lossless.FIELD: field}
    with open_reader(path) as reader, pytest.raises(ArtifactError, match="corrupt"):
        open_bits_back(reader)


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ("pixels+pca:3", "does not give"),
        ("pixels", "does not give"),
        ("pixels+pca:9+vae:8-2", "does not give"),
        ("pixels:size=4x4+vae:8-2", "changes pictures"),
        ("pixels:grey=true+vae:8-2", "changes pictures"),
        ("pixels+vae:8-2,loss=squared", "loss=squared has none"),
        ("pixels+vae:8-2,loss=counts", "loss=counts has none"),
        ("pixels+vae:8-2", "add loss=beta-binomial"),
        ("pixels+vae:8-2,loss=cross-entropy", "add loss=beta-binomial"),
    ],
)
def test_spaces_that_cannot_restore_are_refused_before_they_are_fitted(spec, why):
    with pytest.raises(OptionError, match=why):
        require_lossless(create(spec), Item("a", GREY[0]))


def test_pictures_of_another_sort_are_named(encoder, loss, tmp_path):
    good = PICTURES[loss]
    for wrong in (good[0][:7], good[0].astype(np.float32), np.stack([good[0]] * 3, axis=-1)):
        with pytest.raises(BadItemError, match=r"picture 'odd' is .*, the space knows uint8"):
            write(tmp_path / "x.nby", encoder, [*items_of(good[:5]), Item("odd", wrong)])
    if loss == "cross-entropy":
        with pytest.raises(BadItemError, match="picture 'odd' has grey levels"):
            write(tmp_path / "x.nby", encoder, [*items_of(good[:5]), Item("odd", GREY[0])])
    assert list(tmp_path.iterdir()) == []


def test_colours_return_too(tmp_path):
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (30, 4, 5, 3), dtype=np.uint8)
    encoder = create("pixels+vae:16-2,loss=beta-binomial,epochs=1").fit(pictures)
    with open_reader(write(tmp_path / "x.nby", encoder, items_of(pictures))) as reader:
        np.testing.assert_array_equal(open_bits_back(reader).decode(reader, 0), pictures)
