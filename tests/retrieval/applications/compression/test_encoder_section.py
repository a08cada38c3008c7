"""The encoder inside the file, or by its digest."""

import numpy as np
import pytest

from encoders.errors import ArtifactError, OptionError
from encoders.registry import create
from retrieval.applications.compression.encoder_section import SECTION, open_encoder, packed, unpack_encoder
from retrieval.applications.compression.nby_reader import open_reader
from retrieval.applications.compression.nby_writer import open_writer


@pytest.fixture
def items():
    return np.random.default_rng(0).integers(0, 256, (20, 4, 4), dtype=np.uint8)


@pytest.fixture
def encoder(items):
    return create("pixels+pca:3").fit(items)


def write(path, encoder, description=None):
    with open_writer(path, "test") as writer:
        section, own = packed(encoder)
        if description is None:
            writer.add_section(SECTION, section)
        writer.description = {"encoder": description or own}
    return path


def test_an_encoder_inside_encodes_as_before(tmp_path, encoder, items):
    with open_reader(write(tmp_path / "x.nby", encoder)) as reader:
        again = open_encoder(reader)
    assert str(again) == str(encoder)
    np.testing.assert_array_equal(again.encode(items), encoder.encode(items))


def test_an_encoder_with_a_vocabulary():
    texts = ["one two", "two three", "three one"]
    encoder = create("bow").fit(texts)
    assert unpack_encoder(packed(encoder)[0]).vocabulary == encoder.vocabulary


def test_an_encoder_by_its_digest(tmp_path, encoder, items):
    own, other = encoder.save(tmp_path / "own"), create("pixels+pca:2").fit(items).save(tmp_path / "other")
    with open_reader(write(tmp_path / "x.nby", encoder, packed(encoder)[1])) as reader:
        np.testing.assert_array_equal(open_encoder(reader, own).encode(items), encoder.encode(items))
        with pytest.raises(OptionError, match="does not hold its encoder, 'pixels"):
            open_encoder(reader)
        with pytest.raises(OptionError, match="another encoder than the one of"):
            open_encoder(reader, other)
        with pytest.raises(ArtifactError, match="not a saved encoder"):
            open_encoder(reader, tmp_path / "missing")


def test_a_description_without_an_encoder(tmp_path, encoder):
    with (
        open_reader(write(tmp_path / "x.nby", encoder, {"digest": 7})) as reader,
        pytest.raises(ArtifactError, match="does not say which encoder"),
    ):
        open_encoder(reader)


def test_a_damaged_section_is_one_sentence(encoder):
    section = packed(encoder)[0]
    for wrong in (b"", section[:20], section[:-1], section + b"x", b"\xff" * 24, b"\0" * 24):
        with pytest.raises(ArtifactError, match="the encoder in the file"):
            unpack_encoder(wrong)
    for position in range(24, len(section), 97):
        with pytest.raises(ArtifactError, match="the encoder in the file"):
            unpack_encoder(section[:position] + bytes([section[position] ^ 1]) + section[position + 1 :])
