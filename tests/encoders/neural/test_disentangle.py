"""Disentanglement: what each part says, either adversary, conversion, other fields as nuisance, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

torch = pytest.importorskip("torch")

from encoders.base import Encoder  # noqa: E402
from encoders.errors import BadItemError, NotInvertibleError, OptionError, SpecError  # noqa: E402
from encoders.neural.disentangle_networks import partners  # noqa: E402
from encoders.registry import create  # noqa: E402
from retrieval.corpora.base import Item, item_bytes  # noqa: E402
from retrieval.corpora.blocks import CorpusBatches, blocks_of  # noqa: E402

SMALL = "hidden=64,batch-size=64,nuisance-components=4"
KINDS, VOICES = 5, 3


def spoken(count: int = 600) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return items, the sum of a pattern of their kind and one of their voice; kinds; voices."""
    generator = np.random.default_rng(0)
    kinds, voices = generator.integers(0, KINDS, count), generator.integers(0, VOICES, count)
    rows = generator.normal(size=(KINDS, 20))[kinds] + 2 * generator.normal(size=(VOICES, 20))[voices]
    return (rows + 0.1 * generator.normal(size=rows.shape)).astype(np.float32), kinds, voices


def probed(codes: np.ndarray, truth: np.ndarray) -> float:
    """Return the accuracy of a fresh linear classifier on the second half of the codes."""
    half = len(codes) // 2
    scaled = codes / codes.std(axis=0).clip(1e-6)
    return float(LogisticRegression(max_iter=2000).fit(scaled[:half], truth[:half]).score(scaled[half:], truth[half:]))


@pytest.mark.parametrize("adversary", ["alternating", "reversal"])
def test_the_content_says_the_kind_and_not_the_voice(adversary):
    rows, kinds, voices = spoken()
    names = [f"voice {number}" for number in voices]
    settings = f"epochs=40,adversary={adversary},bottleneck=1,{SMALL}"
    encoder = create(f"disentangle:6,{settings}").fit(rows, names)
    content, nuisance = encoder.part_of(rows, "content"), encoder.part_of(rows, "nuisance")
    assert probed(content, kinds) > 0.9
    assert probed(content, voices) < 0.55
    assert probed(nuisance, voices) > 0.9
    assert encoder.classes == ["voice 0", "voice 1", "voice 2"]


def test_without_adversary_and_bottleneck_the_content_says_the_voice():
    rows, _, voices = spoken()
    encoder = create(f"disentangle:6,epochs=20,adversary=none,bottleneck=0,{SMALL}").fit(rows, voices)
    assert probed(encoder.part_of(rows, "content"), voices) > 0.9


def test_each_part_is_a_space_and_both_together_decode(tmp_path):
    rows, _, voices = spoken(90)
    widths = {"content": 6, "nuisance": 4, "both": 10}
    for part, width in widths.items():
        encoder = create(f"disentangle:6,epochs=1,part={part},{SMALL}").fit(rows, voices)
        codes = encoder.encode(rows)
        assert codes.shape == (90, width)
        encoder.save(tmp_path / part)
        loaded = Encoder.load(tmp_path / part)
        np.testing.assert_array_equal(loaded.encode(rows), codes)
        np.testing.assert_array_equal(loaded.convert(rows[:2], rows[2:3]), encoder.convert(rows[:2], rows[2:3]))
        assert encoder.reconstruct(rows).shape == rows.shape
        if part == "both":
            np.testing.assert_array_equal(encoder.decode(codes), encoder.reconstruct(rows))
        else:
            with pytest.raises(NotInvertibleError, match="part=both"):
                encoder.decode(codes)


@pytest.mark.parametrize("normalize", ["none", "maps", "bands"])
def test_pictures_are_read_with_every_normalization(normalize):
    pictures = np.random.default_rng(0).integers(0, 256, (24, 9, 12), dtype=np.uint8)
    spec = f"pixels+disentangle:3,normalize={normalize},channels=4-4,hidden=8,epochs=1,batch-size=8"
    encoder = create(spec).fit(pictures, ["a", "b"] * 12)
    assert encoder.encode(pictures).shape == (24, 3)


def test_any_field_of_the_items_can_be_the_nuisance():
    rows, kinds, voices = spoken(60)
    items = [
        Item(str(row), rows[row], label=str(kinds[row]), metadata={"speaker": f"s{voices[row]}"}) for row in range(60)
    ]
    encoder = create(f"vectors+disentangle:3,nuisance=speaker,epochs=1,{SMALL}")
    assert encoder.label_field == "speaker"
    encoder.fit(CorpusBatches(lambda: blocks_of(items, 16, item_bytes, encoder.label_field)))
    assert encoder.stages[-1].classes == ["s0", "s1", "s2"]


def test_stages_that_learn_from_different_fields_are_refused():
    with pytest.raises(SpecError, match="learns from the field 'speaker', 'pretrained-dnn' from the label"):
        create("vectors+disentangle:3,nuisance=speaker+pretrained-dnn:4")
    assert create("vectors+disentangle:3+pretrained-dnn:4").label_field is None


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([None, *"abababa"], "1 of 8 items do not have a label"),
        (["a"] * 8, "which is 'a' for all of them"),
        (list("abcdefgh"), "each of the 8 items has its own"),
    ],
)
def test_a_nuisance_that_cannot_be_learnt_is_refused(labels, message):
    with pytest.raises(BadItemError, match=message):
        create("disentangle:2").fit(np.random.default_rng(0).random((8, 4), dtype=np.float32), labels)


def test_vectors_have_no_bands():
    with pytest.raises(OptionError, match="the input has no shape"):
        create("disentangle:2,normalize=bands").fit(
            np.random.default_rng(0).random((8, 4), dtype=np.float32), [*"abababab"]
        )


def test_a_partner_has_the_same_class_and_is_another_item():
    torch.manual_seed(0)
    classes = torch.randint(0, 4, (50,))
    chosen = partners(classes)
    assert torch.equal(classes[chosen], classes)
    assert (chosen != torch.arange(50)).all()
    assert len(set(chosen.tolist())) == 50


@pytest.mark.parametrize(
    ("size", "options", "message"),
    [((8, 8), "maps", "fewer channels"), ((8, 8), "bands", "fewer channels"), ((17, 1), "bands", "normalize=maps")],
)
def test_normalisation_of_a_single_number_is_refused(size, options, message):
    pictures = np.random.default_rng(0).integers(0, 255, (20, *size)).astype(np.uint8)
    with pytest.raises(OptionError, match=message):
        create(f"pixels+disentangle:2,epochs=1,normalize={options}").fit(pictures, ["a", "b"] * 10)


def test_conversion_to_the_nuisance_of_no_item_is_refused():
    rows = np.random.default_rng(0).random((20, 4)).astype(np.float32)
    encoder = create("disentangle:2,hidden=8,epochs=1").fit(rows, ["a", "b"] * 10)
    with pytest.raises(BadItemError, match="no item"):
        encoder.convert(rows, like=rows[:0])
