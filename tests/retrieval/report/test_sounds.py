"""Sounds in the page and on the terminal: played, shown as spectrograms, with their length."""

import base64
import io
import re

import numpy as np
import soundfile

from encoders.sound import Sound, sound_of
from retrieval.experiment.result import Example
from retrieval.report.figures.spectrogram import picture_shown, spectrogram
from retrieval.report.html.comparison import MAX_BYTES, _within, page
from retrieval.report.html.sounds import sound_uri
from retrieval.report.terminal.listing import answers_json, answers_lines
from retrieval.search.query import Query
from retrieval.search.result import Answer, Shown
from retrieval.search.searcher import SpaceAnswers

RNG = np.random.default_rng(0)
EVIL = '"><script>alert(1)</script>'


def noise(seconds=0.4, rate=8000):
    return sound_of(RNG.normal(0, 0.1, round(seconds * rate)), rate)


def shown(place, seconds=0.4, rate=8000):
    return Shown(f"{place}{EVIL}", str(place % 2), sound=noise(seconds, rate))


def compared(compare, seconds=0.4, rate=8000, count=2):
    examples = [
        Example(
            shown(q),
            [[Answer(shown(10 * q + a, seconds, rate), -a, a + 0.5, True) for a in range(10)] for _ in range(3)],
        )
        for q in range(count)
    ]
    return compare(examples=examples)


def decoded(uri):
    return soundfile.read(io.BytesIO(base64.b64decode(uri.partition(",")[2])), dtype="int16")


def test_every_sound_can_be_played_and_seen(compare):
    html = page([compared(compare)])
    players = re.findall(
        r'<audio controls [^>]*preload="none" src="(data:audio/flac;base64,[^"]+)" aria-label="[^"]+">', html
    )
    assert len(players) == 2 * (1 + 30)
    assert html.count("data:image/png;base64,") >= len(players)
    assert "the first 3 s can be played" in html
    assert "0.40 s" in html
    assert EVIL not in html
    samples, rate = decoded(players[0])
    assert (rate, len(samples)) == (8000, 3200)


def test_a_sound_in_the_page_is_short():
    samples, rate = decoded(sound_uri(noise(10, 44_100)))
    assert (rate, len(samples)) == (16_000, 48_000)
    sound = noise(0.1)
    np.testing.assert_array_equal(decoded(sound_uri(sound))[0], sound.samples)


def test_long_sounds_do_not_make_the_page_too_large(compare):
    assert len(_within([compared(compare, 4, 16_000)], MAX_BYTES, [None])) < MAX_BYTES


def test_a_page_of_pictures_has_no_player(pictures):
    html = page([pictures])
    assert "<audio" not in html
    assert "can be played" not in html


def test_a_spectrogram_stands_for_a_sound():
    for seconds, rate, width in ((0.4, 8000, 40), (0.001, 8000, 8), (60, 1000, 256), (0.5, 44_100, 50)):
        picture = spectrogram(noise(seconds, rate))
        assert (picture.dtype, picture.shape, picture.max()) == (np.uint8, (40, width), 255)
    assert picture_shown(Shown("1", None, title="text")) is None
    assert not spectrogram(Sound(np.zeros(800, np.int16), 8000)).any()


def test_the_terminal_says_how_long_sounds_are():
    query = Query(noise(), Shown("q.wav", "7", sound=noise()), "q.wav")
    found = [SpaceAnswers("log-mel", "log-mel", "euclidean", [Answer(shown(3, 1.25), -1.0, 1.0, True)], 0.5)]
    lines = answers_lines(query, found)
    assert lines[0] == "query: q.wav  [7]  0.40 s"
    assert lines[3].split() == ["distance", "id", "label", "length"]
    assert lines[4].endswith("1.25 s")
    (hit,) = answers_json(query, found)["spaces"][0]["hits"]
    assert hit["seconds"] == 1.25
