"""Log-mel spectrograms: their values, lengths, inverse, and what they need."""

import subprocess
import sys
import tracemalloc
from pathlib import Path

import librosa
import numpy as np
import pytest

from encoders import sound as sound_module
from encoders.base import Encoder
from encoders.errors import BadItemError, DimensionError, MissingLibraryError, NotInvertibleError, OptionError
from encoders.registry import create
from encoders.sound import FULL_SCALE, Sound, sound_of

RATE = 8000
RNG = np.random.default_rng(0)


def tone(hertz, seconds=0.4, rate=RATE, volume=0.5):
    return sound_of(volume * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate), rate)


def sweep(seconds=0.5, rate=RATE):
    time = np.arange(round(seconds * rate)) / rate
    return sound_of(0.5 * np.sin(2 * np.pi * (300 * time + 1200 * time**2 / seconds)), rate)


def picture(encoder, sound):
    return encoder.encode([sound])[0].reshape(encoder.space.shape)


# -- values ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [8000, 16_000, 22_050])
def test_the_values_are_those_of_librosa(rate):
    noise = sound_of(RNG.normal(0, 0.1, rate // 2) * np.linspace(0.01, 1, rate // 2), rate)
    encoder = create("log-mel:32,length=pad,frames=51").fit([noise])
    size = round(0.025 * rate)
    power = librosa.feature.melspectrogram(
        y=noise.samples / np.float32(FULL_SCALE), sr=rate, n_fft=1 << (size - 1).bit_length(), win_length=size,
        hop_length=round(0.01 * rate), n_mels=32, pad_mode="constant",
    )  # fmt: skip
    theirs = 1 + librosa.power_to_db(power, ref=np.max, top_db=80) / 80
    np.testing.assert_allclose(picture(encoder, noise)[::-1, : theirs.shape[1]], theirs[:, :51], atol=2e-5)


def test_the_highest_band_is_on_top():
    encoder = create("log-mel:40,frames=16").fit([tone(300)])
    low, high = (picture(encoder, tone(hertz)).mean(axis=1).argmax() for hertz in (300, 3000))
    assert high < 10 < 20 < low


def test_the_volume_does_not_matter():
    encoder = create("log-mel:frames=16").fit([sweep()])
    quiet = Sound((sweep().samples // 8).astype(np.int16), RATE)
    assert np.abs(encoder.encode([quiet]) - encoder.encode([sweep()])).mean() < 0.02


@pytest.mark.parametrize("spec", ["log-mel:frames=16", "log-mel:frames=16,length=pad", "log-mel:pool=mean"])
def test_silence_and_nothing_are_zeros(spec):
    encoder = create(spec).fit([sweep()])
    for samples in (np.zeros(500, np.int16), np.zeros(0, np.int16)):
        assert not encoder.encode([Sound(samples, RATE)]).any()


# -- lengths -----------------------------------------------------------------------------------------------------


def test_padding_is_silence_and_cutting_is_said(capsys):
    sounds = [tone(440, 0.2), tone(440, 0.9)]
    encoder = create("log-mel:length=pad,frames=50").fit(sounds)
    assert (
        "1 of 2 sounds are longer than 0.50 s and lose their end (the longest lasts 0.90 s)" in capsys.readouterr().err
    )
    short, long = (picture(encoder, sound) for sound in sounds)
    assert short[:, :20].any(axis=0).all()
    assert not short[:, 25:].any()
    assert long.any(axis=0).all()


def test_nearby_chooses_as_many_frames_as_nearly_all_sounds_need(capsys):
    lengths = [0.3] * 98 + [5.0] * 2
    encoder = create("log-mel:length=pad").fit([tone(440, seconds) for seconds in lengths])
    assert encoder.space.shape == (40, 32)
    assert "2 of 100 sounds" in capsys.readouterr().err


def test_stretching_makes_a_slow_sound_like_a_quick_one():
    encoder = create("log-mel:length=stretch,frames=24").fit([sweep()])
    assert np.abs(encoder.encode([sweep(0.9)]) - encoder.encode([sweep(0.45)])).mean() < 0.1


def test_the_mean_does_not_know_when():
    encoder = create("log-mel:pool=mean").fit([sweep()])
    assert encoder.space.shape is None
    backwards = Sound(sweep().samples[::-1].copy(), RATE)
    np.testing.assert_allclose(encoder.encode([backwards]), encoder.encode([sweep()]), atol=0.03)


# -- decoding ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", ["pad", "stretch"])
def test_what_is_decoded_sounds_like_the_item(length):
    encoder = create(f"log-mel:length={length},frames=56").fit([sweep()])
    (back,) = encoder.reconstruct([sweep()])
    assert back.rate == RATE
    assert back.seconds == pytest.approx(0.5, abs=0.02)
    assert np.abs(back.samples).max() == pytest.approx(0.9 * FULL_SCALE, rel=0.01)
    loud = encoder.encode([sweep()])[0] > 0.5  # within 40 dB of the loudest
    near, far = (np.abs(encoder.encode([s])[0] - encoder.encode([sweep()])[0])[loud].mean() for s in (back, tone(440)))
    assert near < 0.1 < 0.3 < far
    assert encoder.reconstruct([sweep()]) == [back]


@pytest.mark.parametrize("length", ["pad", "stretch"])
def test_a_decoded_sound_lasts_as_long_as_is_asked(length):
    encoder = create(f"log-mel:length={length},frames=56").fit([sweep(0.4)] * 3)
    codes = encoder.encode([sweep(0.4)])
    assert encoder.decode(codes)[0].seconds == pytest.approx(0.4, abs=0.011)
    assert encoder.sounds(codes, [0.2])[0].seconds == pytest.approx(0.2, abs=0.011)
    assert encoder.reconstruct([sweep(0.3)])[0].seconds == pytest.approx(0.3, abs=0.011)


def test_silence_is_decoded_to_silence():
    encoder = create("log-mel:frames=16").fit([sweep()])
    (silence,) = encoder.decode(np.zeros((1, 40 * 16), np.float32))
    assert not silence.samples.any()
    assert silence.seconds == pytest.approx(0.5)


def test_a_mean_cannot_be_decoded():
    encoder = create("log-mel:pool=mean").fit([sweep()])
    with pytest.raises(NotInvertibleError, match="a mean spectrum cannot be turned back into a sound"):
        encoder.decode(encoder.encode([sweep()]))


def test_what_follows_pixels_follows_spectrograms():
    sounds = [tone(hertz) for hertz in (200, 400, 800, 1600, 3200)]
    encoder = create("log-mel:16,frames=16+pca:4").fit(sounds)
    assert encoder.encode(sounds).shape == (5, 4)
    pictures = encoder.stages[0].encode(sounds)
    np.testing.assert_allclose(encoder.stages[1].reconstruct(pictures), pictures, atol=1e-3)
    (back,) = encoder.reconstruct(sounds[:1])
    assert (back.rate, back.seconds) == (RATE, pytest.approx(0.4, abs=0.02))


# -- what is refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("items", "error", "message"),
    [
        ([], BadItemError, "the corpus holds no sounds"),
        (["a text"], BadItemError, r"item 0 should be a sound, got a single text: give a Sound\(samples, rate\)"),
        ([Sound(np.zeros(9), RATE)], BadItemError, r"sound 0 should be int16 \(n,\).*got float64 of shape \(9,\)"),
        ([Sound(np.zeros(9, np.int16), 3)], BadItemError, "with 1,000 to 384,000 samples in a second, got int16"),
        ([tone(440), tone(440, rate=16_000)], DimensionError, r"of 8,000 Hz, got one of 16,000 Hz; read the corpus with \?rate=8000"),
    ],
)  # fmt: skip
def test_what_is_no_sound_is_refused(items, error, message):
    with pytest.raises(error, match=message):
        create("log-mel").fit(items)


def test_one_sound_is_no_list_of_sounds():
    with pytest.raises(BadItemError, match="expected a list of sounds, got a single sound"):
        create("log-mel").fit([tone(440)]).encode(tone(440))


def test_more_bands_than_can_be_told_apart_are_refused():
    with pytest.raises(OptionError, match="300 bands are more than a window of 25 ms tells apart at 8,000 Hz"):
        create("log-mel:300").fit([tone(440)])


def test_an_absent_library_is_an_error_that_names_its_cure(monkeypatch):
    encoder = create("log-mel:frames=16").fit([sweep()])
    codes = encoder.encode([sweep()])
    monkeypatch.setitem(sys.modules, "librosa", None)
    with pytest.raises(MissingLibraryError, match="librosa is not installed, which this needs: pip install librosa"):
        encoder.decode(codes)
    assert sound_module.sound_library("soxr")


def test_answering_imports_no_heavy_library(tmp_path):
    sounds = [tone(hertz) for hertz in (200, 400, 800)]
    create("log-mel:16,frames=16+pca:2").fit(sounds).save(tmp_path / "encoder")
    np.save(tmp_path / "query.npy", sounds[0].samples)
    program = (
        "import sys, numpy as np\nfrom encoders.base import Encoder\nfrom encoders.sound import Sound\n"
        "Encoder.load(sys.argv[1]).encode([Sound(np.load(sys.argv[2]), 8000)])\n"
        "print(sorted({'torch', 'numba', 'librosa', 'sklearn', 'soundfile', 'soxr'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "encoder"), str(tmp_path / "query.npy")],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3],
    )  # fmt: skip
    assert done.stdout.strip() == "[]"


def test_a_saved_encoder_gives_the_same_codes(tmp_path):
    encoder = create("log-mel:length=pad").fit([sweep(), tone(440)])
    loaded = Encoder.load(encoder.save(tmp_path / "encoder"))
    np.testing.assert_array_equal(loaded.encode([sweep()]), encoder.encode([sweep()]))


def test_wide_windows_do_not_need_much_memory():
    sound = sound_of(np.random.default_rng(0).normal(size=384_000) / 4, 384_000)
    encoder = create("log-mel:8,window=500,hop=0.5,length=pad,frames=800").fit([sound])
    tracemalloc.start()
    encoder.encode([sound])
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 200 * 2**20


@pytest.mark.parametrize("length", ["stretch", "pad"])
def test_a_hostile_length_does_not_decode_hours(length, monkeypatch):
    encoder = create(f"log-mel:8,frames=16,length={length},hop=500").fit([tone(500, 7)])
    code = encoder.encode([tone(500, 7)])
    encoder.restore({"rate": np.array(RATE), "length": np.array(sound_module.MAX_SAMPLES)})
    monkeypatch.setattr("encoders.audio.log_mel.MAX_DECODED", 5 * RATE)
    for seconds in (None, [1e5]):
        (decoded,) = encoder.sounds(code, seconds)
        assert len(decoded.samples) <= 5 * RATE
