"""Sounds of every sort become one rate and one channel, keep their lengths, and bad files are counted by reason."""

import gzip
import io
import lzma
import struct
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from fuzzing.readers import tar_of, zip_of

from encoders.codes import Modality
from encoders.errors import CorpusError, OptionError, UnknownNameError
from encoders.sound import FULL_SCALE, Sound, sound_of
from retrieval.collection.open import open_addition, open_collection
from retrieval.corpora import sound_file
from retrieval.corpora.base import BadEntries
from retrieval.corpora.item_record import item_of, record_of
from retrieval.corpora.registry import open_corpus
from retrieval.corpora.sound_file import decode, read_sound

RATE = 8000
PACKED = {".tar": bytes, ".gz": gzip.compress, ".xz": lzma.compress}


def write(path, files):
    """Write files as a folder, tar or zip, by the name of the path."""
    if path.suffix == ".zip":
        path.write_bytes(zip_of(files))
    elif path.suffix in PACKED:
        path.write_bytes(PACKED[path.suffix](tar_of(files)))
    else:
        for name, raw in files.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(raw)
    return path


def tone(seconds=0.25, rate=RATE, hertz=440.0):
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def encoded(values, rate=RATE, kind="WAV", subtype=None):
    stream = io.BytesIO()
    soundfile.write(stream, values, rate, format=kind, subtype=subtype)
    return stream.getvalue()


def wav(samples=b"", announced=None, rate=RATE, channels=1, bits=16):
    """A WAV file by hand: its head may announce another number of bytes than follow."""
    size = len(samples) if announced is None else announced
    fmt = struct.pack("<HHIIHH", 1, channels, rate, rate * channels * bits // 8, channels * bits // 8, bits)
    body = b"WAVEfmt " + struct.pack("<I", len(fmt)) + fmt + b"data" + struct.pack("<I", size) + samples
    return b"RIFF" + struct.pack("<I", min(len(body), 2**32 - 1)) + body


def sounds(address):
    return {item.id: item.content for item in open_corpus(str(address))}


# -- formats -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind", "subtype", "error"),
    [("1.wav", "WAV", "PCM_16", 2), ("1.WAV", "WAV", "PCM_U8", 260), ("1.wav", "WAV", "PCM_24", 2), ("1.wav", "WAV", "FLOAT", 2),
     ("1.wav", "WAV", "DOUBLE", 2), ("1.wav", "WAV", "ULAW", 700), ("1.flac", "FLAC", "PCM_16", 2), ("1.flac", "FLAC", "PCM_24", 2),
     ("1.wav", "WAVEX", "PCM_16", 2), ("1.wav", "RF64", "PCM_16", 2)],
)  # fmt: skip
def test_every_depth_becomes_16_bits(tmp_path, name, kind, subtype, error):
    (tmp_path / name).write_bytes(encoded(tone(), kind=kind, subtype=subtype))
    (sound,) = sounds(tmp_path).values()
    assert (sound.samples.dtype, sound.rate) == (np.int16, RATE)
    np.testing.assert_allclose(sound.samples, tone() * FULL_SCALE, atol=error)


@pytest.mark.parametrize("kind", ["WAV", "FLAC"])
def test_16_bits_are_kept_exactly(kind):
    samples = np.array([0, 1, -1, 32_767, -32_768, 1234], np.int16)
    np.testing.assert_array_equal(decode(encoded(samples, kind=kind)).at(None).samples, samples)


@pytest.mark.parametrize("name", ["s", "s.tar", "s.tar.gz", "s.tar.xz", "s.zip"])
def test_the_sub_folder_is_the_label(tmp_path, name):
    files = {"cat/1.wav": encoded(tone()), "dog/2.flac": encoded(tone(hertz=880), kind="FLAC")}
    corpus = open_corpus(str(write(tmp_path / name, files)))
    assert corpus.modality is Modality.SOUND
    assert [(item.id, item.label, item.metadata) for item in corpus] == [
        ("cat/1.wav", "cat", {}),
        ("dog/2.flac", "dog", {}),
    ]


def test_names_give_several_fields(tmp_path):
    write(tmp_path, {"0_ann_1.wav": encoded(tone()), "1_bob_0.wav": encoded(tone()), "notes.wav": encoded(tone())})
    pattern = f"{tmp_path}?pattern={{digit}}_{{speaker}}_{{take}}"
    assert [(item.label, item.metadata) for item in open_corpus(pattern)] == [
        ("0", {"digit": "0", "speaker": "ann", "take": "1"}),
        ("1", {"digit": "1", "speaker": "bob", "take": "0"}),
    ]
    assert [item.label for item in open_corpus(f"{pattern}&label=speaker")] == ["ann", "bob"]


def test_files_unlike_the_pattern_are_counted(tmp_path, capsys):
    write(tmp_path, {"0_ann.wav": encoded(tone()), "notes.wav": encoded(tone()), "a.mp3": b"x", "b.txt": b"x"})
    assert len(list(open_corpus(f"{tmp_path}?pattern={{digit}}_{{speaker}}"))) == 1
    line = capsys.readouterr().err
    assert "3 files are not read" in line
    assert "1 is not named {digit}_{speaker} (notes.wav)" in line
    assert "1 is in a format other than WAV and FLAC (a.mp3)" in line


def test_texts_and_pictures_have_patterns_too(tmp_path):
    write(tmp_path / "t", {"sport-2004.txt": b"a goal"})
    (item,) = open_corpus(f"{tmp_path / 't'}?pattern={{topic}}-{{year}}&label=topic")
    assert (item.label, item.metadata) == ("sport", {"topic": "sport", "year": "2004"})


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ("label=speaker", OptionError, "label=speaker is a field of the names of the files: name the fields too"),
        ("pattern={a}_{b}&label=c", UnknownNameError, "unknown field 'c' in the pattern {a}_{b}"),
        ("pattern=a_b", OptionError, "pattern should name fields in braces"),
        ("rate=10", OptionError, "rate should be at least 1,?000; got 10"),
    ],
)
def test_wrong_options(tmp_path, options, error, message):
    write(tmp_path, {"a_b.wav": encoded(tone())})
    with pytest.raises(error, match=message):
        open_corpus(f"{tmp_path}?{options}")


# -- one rate, one channel ---------------------------------------------------------------------------------------


def test_several_rates_are_resampled_to_that_of_most(tmp_path, capsys):
    write(tmp_path, {f"{n}.wav": encoded(tone(0.5, rate), rate) for n, rate in enumerate((8000, 8000, 44_100, 16_000))})
    corpus = open_corpus(str(tmp_path))
    found = [item.content for item in corpus]
    assert {sound.rate for sound in found} == {8000}
    assert [sound.seconds for sound in found] == pytest.approx([0.5] * 4, abs=0.001)
    for sound in found[2:]:  # the same tone, but for the edges
        np.testing.assert_allclose(sound.samples[400:-400], found[0].samples[400:-400], atol=200)
    assert capsys.readouterr().err.count("4 sounds of 3 sample rates: resampled to 8,000 Hz; ?rate= changes it") == 1
    assert corpus.name == f"{tmp_path}?rate=8000"


def test_a_rate_may_be_named(tmp_path, capsys):
    write(tmp_path, {"1.wav": encoded(tone(0.5)), "2.wav": encoded(tone(0.5, 16_000), 16_000)})
    corpus = open_corpus(f"{tmp_path}?rate=4000")
    assert [(item.content.rate, len(item.content.samples)) for item in corpus] == [(4000, 2000)] * 2
    assert capsys.readouterr().err == ""
    assert corpus.name == f"{tmp_path}?rate=4000"


def test_several_channels_are_mixed_and_said_once(tmp_path, capsys):
    stereo = np.stack([tone(), np.zeros_like(tone())], axis=1)
    write(tmp_path, {"1.wav": encoded(stereo), "2.wav": encoded(tone())})
    corpus = open_corpus(str(tmp_path))
    for _ in range(2):
        one, other = (item.content.samples for item in corpus)
    np.testing.assert_allclose(one, other / 2, atol=1)
    assert capsys.readouterr().err.count("sounds with several channels, mixed to one: 1\n") == 1


def test_what_is_louder_than_full_scale_is_not_cut_off(tmp_path):
    (tmp_path / "1.wav").write_bytes(encoded(4 * tone(), subtype="FLOAT"))
    (sound,) = sounds(tmp_path).values()
    np.testing.assert_allclose(sound.samples, tone() / np.abs(tone()).max() * FULL_SCALE, atol=1)


def test_lengths_are_kept(tmp_path):
    write(tmp_path, {f"{n}.wav": encoded(tone(seconds)) for n, seconds in enumerate((0.1, 0.7))})
    assert [round(sound.seconds, 3) for sound in sounds(tmp_path).values()] == [0.1, 0.7]


# -- bad files ---------------------------------------------------------------------------------------------------

FLAC = encoded(np.random.default_rng(0).normal(0, 0.1, 20_000), kind="FLAC")
BAD = {
    "empty.wav": (wav(), "is empty: it lasts 0 seconds"),
    "silent.wav": (encoded(np.zeros(800)), "is silent"),
    "cut.wav": (wav(b"\1\2" * 100, announced=1000), "is cut off: it ends before the length that its header states"),
    "cut64.wav": (encoded(tone(), kind="RF64")[:-100], "is cut off: it ends before the length that its header states"),
    "cut.flac": (FLAC[: len(FLAC) // 2], "is cut off|is damaged"),
    "text.wav": (b"a text, no sound", "is damaged, or no WAV or FLAC file"),
    "nothing.wav": (b"", "is damaged, or no WAV or FLAC file"),
    "other.wav": (encoded(tone(), kind="AIFF"), "is not a WAV or FLAC file, but AIFF"),
    "slow.wav": (wav(b"\1\2" * 100, rate=1), "has 1 samples in a second; 1,000 to 384,000 are read"),
    "nan.wav": (encoded(np.array([0.1, np.nan]), subtype="FLOAT"), "holds NaN or infinite values"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_refused_with_their_reason(name):
    raw, message = BAD[name]
    with pytest.raises(CorpusError, match=message):
        decode(raw).at(None)


def test_bad_files_are_left_out_by_reason(tmp_path):
    write(tmp_path, {"good.wav": encoded(tone()), **{name: raw for name, (raw, _) in BAD.items()}})
    bad = BadEntries(skip=True)
    assert [item.id for item in open_corpus(str(tmp_path), on_bad=bad)] == ["good.wav"]
    assert len(bad.found) == len(BAD)
    with pytest.raises(CorpusError, match=rf"{tmp_path}: cut.flac is "):
        list(open_corpus(str(tmp_path)))


def test_where_no_sound_can_be_read_each_says_why(tmp_path):
    write(tmp_path, {"a.wav": b"x", "b.wav": wav()})
    bad = BadEntries(skip=True)
    with pytest.raises(CorpusError, match="holds no items"):
        list(open_corpus(str(tmp_path), on_bad=bad))
    assert len(bad.found) == 2


def test_a_wav_from_a_pipe_does_not_know_its_length():
    assert len(decode(wav(b"\1\2" * 100, announced=2**32 - 1)).values) == 100


def test_a_small_file_cannot_fill_the_memory(monkeypatch):
    long = encoded(np.zeros(400_000), kind="FLAC")
    monkeypatch.setattr(sound_file, "MAX_SAMPLES", 300_000)
    with pytest.raises(CorpusError, match=r"has more than the 300,000 samples that are read$"):
        decode(long)
    monkeypatch.setattr(sound_file, "MAX_SAMPLES", 1_000_000)
    with pytest.raises(CorpusError, match="has more than the 1,000,000 samples that are read, at 384,000 Hz"):
        decode(long).at(384_000)


@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT"])
@pytest.mark.parametrize("channels", [1, 2, 7])
def test_a_large_file_is_decoded_piece_by_piece(channels, subtype):
    values = np.random.default_rng(1).normal(0, 0.1, (300_000, channels)).astype(np.float32)
    found = decode(encoded(values, subtype=subtype))
    np.testing.assert_allclose(found.values, values.mean(axis=1), atol=1e-4)


def test_one_file_is_read_by_its_path(tmp_path):
    (tmp_path / "1.wav").write_bytes(encoded(tone()))
    assert read_sound(tmp_path / "1.wav", 4000).rate == 4000
    with pytest.raises(CorpusError, match=r"2\.wav cannot be read"):
        read_sound(tmp_path / "2.wav")


# -- storing -----------------------------------------------------------------------------------------------------


def test_a_sound_is_stored_and_read_back(tmp_path):
    (tmp_path / "1.wav").write_bytes(encoded(tone()))
    (item,) = open_corpus(str(tmp_path))
    assert item_of(record_of(item, Modality.SOUND)).content == item.content
    with pytest.raises(CorpusError, match="is of the sort sound, but the collection holds images"):
        record_of(item, Modality.IMAGE)
    with pytest.raises(ValueError, match="without a possible sample rate"):
        item_of(("1", b"\0\0", '["sound", 0]', None, None, None))


def test_added_sounds_get_the_rate_of_the_collection(tmp_path):
    from retrieval.collection.local import LocalCollection

    write(tmp_path / "a", {"1.wav": encoded(tone()), "2.wav": encoded(tone(hertz=300))})
    write(tmp_path / "b", {"3.wav": encoded(tone(0.5, 44_100), 44_100)})
    collection = LocalCollection.create(tmp_path / "c", open_corpus(str(tmp_path / "a")))
    collection = collection.add_space("log-mel:frames=8")
    (item,) = open_addition(collection, str(tmp_path / "b"))
    assert (item.content.rate, len(item.content.samples)) == (8000, 4000)
    collection.put([item])
    assert open_collection(tmp_path / "c").items.size == 3


def test_a_sound_of_real_numbers():
    assert sound_of(np.array([]), RATE) == Sound(np.zeros(0, np.int16), RATE)
    assert sound_of(np.array([1.0, -1.0]), RATE).samples.tolist() == [32_767, -32_768]


def test_opening_sounds_imports_no_library_of_sound(tmp_path):
    (tmp_path / "1.wav").write_bytes(encoded(tone()))
    program = (
        "import sys; from retrieval.corpora.registry import open_corpus; open_corpus(sys.argv[1]);"
        "print(sorted({'soundfile', 'soxr', 'librosa', 'torch', 'numba'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
