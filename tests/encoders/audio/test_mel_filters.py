"""The bands of pitch are those of librosa."""

import librosa
import numpy as np
import pytest

from encoders.audio.mel_filters import hz_of_mel, mel_filters, mel_of_hz


@pytest.mark.parametrize(
    ("rate", "n_fft", "n_mels"), [(8000, 256, 40), (16_000, 512, 80), (44_100, 2048, 128), (1000, 64, 4)]
)
def test_the_bands_are_those_of_librosa(rate, n_fft, n_mels):
    ours = mel_filters(rate, n_fft, n_mels)
    theirs = librosa.filters.mel(sr=rate, n_fft=n_fft, n_mels=n_mels)
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-7)


def test_the_scale_is_that_of_librosa_and_has_an_inverse():
    hz = np.array([0.0, 30, 999, 1000, 1001, 22_050])
    np.testing.assert_allclose(mel_of_hz(hz), librosa.hz_to_mel(hz), rtol=1e-12)
    np.testing.assert_allclose(hz_of_mel(mel_of_hz(hz)), hz, rtol=1e-12)
