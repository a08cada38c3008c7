"""Facts about the convolutional autoencoders: pooling undone, paths beside the code, pictures of any size."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.signal import correlate2d
from scipy.sparse import csr_array
from sklearn.datasets import load_digits

from encoders.base import Encoder
from encoders.errors import BadItemError, DimensionError, NotInvertibleError, OptionError
from encoders.neural.conv_encoder_decoder import ConvEncoderDecoder
from encoders.neural.unpooling import Deconvolution, unpool
from encoders.registry import create

DIGITS = (load_digits().images[:200] * 255 / 16).astype(np.uint8)
RNG = np.random.default_rng(0)


def padded_convolution(x, kernel, bias, stride):
    """Deconvolution by the book: zeros between and around the numbers, then convolution with the flipped kernel."""
    count, _, height, width = x.shape
    into, out, *size = kernel.shape
    spread = np.zeros((count, into, (height - 1) * stride + 1, (width - 1) * stride + 1))
    spread[:, :, ::stride, ::stride] = x
    spread = np.pad(spread, ((0, 0), (0, 0), (size[0] - 1,) * 2, (size[1] - 1,) * 2))
    return np.array(
        [
            [
                sum(correlate2d(spread[n, c], kernel[c, o, ::-1, ::-1], mode="valid") for c in range(into)) + bias[o]
                for o in range(out)
            ]
            for n in range(count)
        ]
    )


def test_deconvolution_as_a_product_of_matrices_is_torchs_transposed_convolution():
    torch.manual_seed(0)
    ours = Deconvolution(3, 5, 2, stride=2)
    maps = torch.randn(4, 3, 6, 7, requires_grad=True)
    theirs = torch.nn.ConvTranspose2d.forward(ours, maps)
    torch.testing.assert_close(ours(maps), theirs, atol=1e-5, rtol=1e-5)
    for one, other in zip(
        torch.autograd.grad(ours(maps).square().sum(), [maps, ours.weight, ours.bias]),
        torch.autograd.grad(theirs.square().sum(), [maps, ours.weight, ours.bias]),
        strict=True,
    ):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [2, 3])
def test_deconvolution_is_padding_and_convolution_with_the_flipped_kernel(stride, size):
    torch.manual_seed(0)
    layer = torch.nn.ConvTranspose2d(3, 4, size, stride=stride)
    x = torch.randn(2, 3, 5, 6)
    expected = padded_convolution(x.numpy(), layer.weight.detach().numpy(), layer.bias.detach().numpy(), stride)
    np.testing.assert_allclose(layer(x).detach().numpy(), expected, atol=1e-5)


def test_the_networks_own_deconvolution_is_one_of_stride_two():
    torch.manual_seed(0)
    network = ConvEncoderDecoder((8, 8), (4, 6), 3, "deconv", "none")
    x = torch.randn(2, 6, 4, 4)
    grow = network.grow[1]
    expected = padded_convolution(x.numpy(), grow.weight.detach().numpy(), grow.bias.detach().numpy(), 2)
    np.testing.assert_allclose(network._unpooled(x, 1, [], []).detach().numpy(), expected, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("shape", [(8, 6), (7, 9)])
def test_unpooling_is_torchs_forth_and_back(shape, order, dtype):
    maps = torch.from_numpy(RNG.normal(size=(3, 5, *shape))).to(dtype).contiguous(memory_format=order)
    pooled, places = torch.nn.functional.max_pool2d(maps, 2, ceil_mode=True, return_indices=True)
    ours, theirs = (pooled.detach().contiguous().requires_grad_() for _ in range(2))
    there = torch.nn.functional.max_unpool2d(theirs.float(), places, 2, output_size=shape)
    here = unpool(ours, places, maps)
    torch.testing.assert_close(here, there.to(dtype), atol=0, rtol=0)
    gradient = torch.from_numpy(RNG.normal(size=here.shape)).to(dtype)
    here.backward(gradient)
    there.backward(gradient.float())
    torch.testing.assert_close(ours.grad, theirs.grad, atol=0, rtol=0)


@pytest.mark.parametrize("shape", [(8, 8), (7, 9)])
def test_unpooling_by_index_puts_every_maximum_back_where_it_was(shape):
    network = ConvEncoderDecoder(shape, (2,), 3, "index", "none")
    x = RNG.normal(size=(3, 2, *shape)).astype(np.float32)
    pooled, places = torch.nn.functional.max_pool2d(
        torch.from_numpy(x), 2, ceil_mode=True, return_indices=True
    )  # as `descend` pools
    expected = np.zeros_like(x)
    for top in range(0, shape[0], 2):
        for left in range(0, shape[1], 2):
            window = x[:, :, top : top + 2, left : left + 2]
            most = window.max(axis=(2, 3), keepdims=True)
            expected[:, :, top : top + 2, left : left + 2] = np.where(window == most, window, 0)
    np.testing.assert_array_equal(network._unpooled(pooled, 0, [torch.from_numpy(x)], [places]).numpy(), expected)


def test_descending_remembers_where_the_maxima_were():
    torch.manual_seed(0)
    network = ConvEncoderDecoder((8, 8), (4, 6), 3, "index", "none").eval()
    features, places, _ = network.descend(torch.rand(2, 64))
    for feature, place in zip(features, places, strict=True):
        flat = feature.flatten(2)
        kept = flat.gather(2, place.flatten(2))
        torch.testing.assert_close(kept, torch.nn.functional.max_pool2d(feature, 2).flatten(2))


def test_unpooling_by_repetition_repeats_each_value():
    network = ConvEncoderDecoder((8, 8), (2,), 3, "repeat", "none")
    x = RNG.normal(size=(3, 2, 4, 4)).astype(np.float32)
    expected = np.repeat(np.repeat(x, 2, axis=2), 2, axis=3)
    np.testing.assert_array_equal(network._unpooled(torch.from_numpy(x), 0, [], []).numpy(), expected)


@pytest.mark.parametrize("stage", ["unet-ae:4", "fpn-ae:4", "conv-ae:4,up=index"])
def test_what_needs_more_than_the_code_is_reconstructed_but_not_decoded(stage):
    encoder = create(f"pixels+{stage},channels=4-8,epochs=2").fit(DIGITS)
    assert encoder.reconstruct(DIGITS[:5]).shape == (5, 8, 8)
    with pytest.raises(NotInvertibleError, match="reconstruct the item instead"):
        encoder.decode(encoder.encode(DIGITS[:5]))


@pytest.mark.parametrize("stage", ["conv-ae:4,up=deconv", "conv-ae:4,up=repeat", "unet-ae:4,paths=false"])
def test_where_nothing_passes_beside_the_code_reconstruction_is_decoding(stage):
    encoder = create(f"pixels+{stage},channels=4-8,epochs=2").fit(DIGITS)
    np.testing.assert_array_equal(encoder.decode(encoder.encode(DIGITS)), encoder.reconstruct(DIGITS))


def test_the_paths_of_a_unet_make_its_reconstruction_nearer():
    errors = {}
    for paths in ("true", "false"):
        encoder = create(f"pixels+unet-ae:2,channels=8,epochs=8,batch-size=16,paths={paths}").fit(DIGITS)
        errors[paths] = np.square(encoder.reconstruct(DIGITS) / 255 - DIGITS / 255).sum(axis=(1, 2)).mean()
    assert errors["true"] < 0.5 * errors["false"]


@pytest.mark.parametrize(
    ("code", "width"),
    [("bottleneck", 5), ("pooled", 2 * 4), ("level-1", 4 * 7 * 7), ("level-2", 4 * 4 * 4)],  # 8 pixels averaged to 7
)
def test_a_pyramids_codes_have_the_declared_widths(code, width):
    encoder = create(f"pixels+fpn-ae:5,channels=4-8,epochs=1,code={code}").fit(DIGITS)
    assert encoder.space.dim == width
    assert encoder.encode(DIGITS[:3]).shape == (3, width)


def test_the_pooled_pyramid_is_the_mean_of_each_level():
    torch.manual_seed(0)
    network = ConvEncoderDecoder((4, 6), (3, 5), 2, "repeat", "pyramid").eval()
    rows = torch.rand(2, 24)
    with torch.no_grad():
        pooled = network.pyramid_code(rows, "pooled")
        levels = [network.pyramid_code(rows, f"level-{place}").view(2, 3, -1).mean(dim=2) for place in (1, 2)]
    torch.testing.assert_close(pooled, torch.cat(levels, dim=1))


@pytest.mark.parametrize("shape", [(11, 9, 3), (9, 12), (5, 5, 1)])
@pytest.mark.parametrize(
    "stage", ["conv-ae:3,up=index", "conv-ae:3,up=deconv", "conv-ae:3,up=repeat", "unet-ae:3", "fpn-ae:3"]
)
def test_pictures_of_odd_sizes_and_in_colour_pass(stage, shape):
    pictures = RNG.integers(0, 256, (20, *shape), dtype=np.uint8)
    encoder = create(f"pixels+{stage},channels=4-4,epochs=1,batch-size=8").fit(pictures)
    assert encoder.encode(pictures).shape == (20, 3)
    assert encoder.reconstruct(pictures).shape == pictures.shape


def test_colours_stay_in_their_channel():
    reds = np.zeros((60, 8, 8, 3), dtype=np.uint8)
    reds[..., 0] = 200
    encoder = create("pixels+conv-ae:2,channels=4,epochs=1").fit(reds)
    red, green, blue = encoder.reconstruct(reds).astype(float).mean(axis=(0, 1, 2))
    assert abs(red - 200) < 40  # the output starts at the mean of each colour
    assert max(green, blue) < 40


def test_no_items_have_codes_and_reconstructions_of_the_right_width():
    encoder = create("pixels+conv-ae:3,channels=4,epochs=1").fit(DIGITS)
    assert encoder.encode(DIGITS[:0]).shape == (0, 3)
    assert encoder.reconstruct(DIGITS[:0]).shape == (0, 8, 8)
    assert encoder.decode(np.zeros((0, 3), dtype=np.float32)).shape == (0, 8, 8)


def test_rows_in_any_order_of_memory_are_read():
    encoder = create("pixels+conv-ae:3,channels=4,epochs=1").fit(DIGITS)
    rows = encoder.stages[0].encode(DIGITS)
    expected = encoder.encode(DIGITS)
    np.testing.assert_array_equal(encoder.stages[1].encode(np.asfortranarray(rows)), expected)
    np.testing.assert_array_equal(encoder.stages[1].encode(rows[::-1])[::-1], expected)


@pytest.mark.parametrize("stage", ["conv-ae:4,up=index", "conv-ae:4", "unet-ae:4", "fpn-ae:4,code=level-2"])
def test_a_loaded_network_answers_as_the_saved_one(stage, tmp_path):
    encoder = create(f"pixels+{stage},channels=4-8,epochs=2").fit(DIGITS)
    loaded = Encoder.load(encoder.save(tmp_path / "encoder"))
    np.testing.assert_array_equal(loaded.encode(DIGITS), encoder.encode(DIGITS))
    np.testing.assert_array_equal(loaded.reconstruct(DIGITS), encoder.reconstruct(DIGITS))


def test_a_network_that_does_not_fit_the_picture_is_refused():
    with pytest.raises(
        OptionError, match="4 levels, as channels=4-4-4-4 asks, need pictures of at least 16x16, these are 8x8"
    ):
        create("pixels+conv-ae:3,channels=4-4-4-4").fit(DIGITS)


def test_what_is_no_picture_is_refused():
    rows = DIGITS.reshape(200, -1) / np.float32(255)
    with pytest.raises(OptionError, match="may not be pictures: put pixels before it"):
        create("conv-ae:3").fit(rows)
    with pytest.raises(BadItemError, match="reads dense codes"):
        create("unet-ae:3").fit(csr_array(rows))


def test_pictures_of_another_size_than_learnt_are_refused():
    encoder = create("pixels+conv-ae:3,channels=4,epochs=1").fit(DIGITS)
    with pytest.raises(DimensionError, match="pictures of shape 8x8, got one of 9x8"):
        encoder.encode(np.zeros((2, 9, 8), dtype=np.uint8))


def test_a_level_that_the_pyramid_has_not_is_refused_when_set_later_too():
    with pytest.raises(OptionError, match="level-1, level-2; got 'level-3'"):
        create("fpn-ae:3,code=level-3")
    encoder = create("fpn-ae:3,code=level-2")
    with pytest.raises(OptionError, match="got 'level-2'"):
        encoder.set_params(channels=(8,))
    assert encoder.channels == (32, 64)


@pytest.mark.parametrize("paths", ["concat", "pyramid"])
def test_the_features_of_every_level_pass_beside_the_code(paths):
    torch.manual_seed(0)
    network = ConvEncoderDecoder((8, 8), (4, 6), 3, "repeat", paths).eval()
    features, places, code = network.descend(torch.rand(2, 64))
    whole = network.ascend(code, features, places)
    for level in range(2):
        without = [torch.zeros_like(part) if place == level else part for place, part in enumerate(features)]
        assert (network.ascend(code, without, places) - whole).abs().max() > 1e-3


def test_a_pyramid_without_paths_is_the_same_network_and_gives_pictures_back_from_its_code():
    pictures = np.random.default_rng(0).integers(0, 256, (12, 8, 8), dtype=np.uint8)
    with_paths, without = (
        create(f"pixels+fpn-ae:5,channels=4-8,epochs=1,paths={paths}").fit(pictures) for paths in ("true", "false")
    )
    shapes = [{key: value.shape for key, value in one.state().items()} for one in (with_paths, without)]
    assert shapes[0] == shapes[1]
    codes = without.encode(pictures)
    np.testing.assert_array_equal(without.decode(codes), without.reconstruct(pictures))
    with pytest.raises(NotInvertibleError):
        with_paths.decode(codes)
    with pytest.raises(OptionError, match="without paths only the bottleneck is a code"):
        create("pixels+fpn-ae:5,code=pooled,paths=false")
