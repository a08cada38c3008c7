"""Spaces of sounds from end to end: a folder is indexed, searched with filters and files, decoded, seen and heard."""

import numpy as np
import pytest
import soundfile

from encoders.errors import BadItemError, NotInvertibleError, QueryError
from encoders.progress import quiet
from encoders.sound import sound_of
from retrieval.analysis.analyze import analyze
from retrieval.analysis.components import components_of
from retrieval.applications.denoising import denoised
from retrieval.applications.generation import interpolated, sampled
from retrieval.applications.reconstruction import asked_items, code_of, decoded, reconstructions
from retrieval.collection.filters import Filter
from retrieval.collection.local import LocalCollection
from retrieval.corpora.registry import open_corpus
from retrieval.report.html.analysis import write_analysis
from retrieval.report.terminal.reconstructions import reconstructions_lines, write_reconstructions
from retrieval.search.read_query import read_query
from retrieval.search.searcher import Searcher
from retrieval.spaces.defaults import default_spaces

RATE = 8000
SPACES = ("log-mel:16,frames=16", "log-mel:16,frames=16+pca:3", "log-mel:16,pool=mean")


def voice(pitch, seconds, rate=RATE):
    time = np.arange(round(seconds * rate)) / rate
    return sound_of(sum(np.sin(2 * np.pi * pitch * n * time) / n for n in (1, 2, 3)) * 0.2, rate)


@pytest.fixture(scope="module")
def collection(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sounds")
    for digit, pitch in enumerate((200, 400, 800)):
        for take, speaker in enumerate(("ann", "bob", "ann", "bob")):
            sound = voice(pitch * (1 + take / 50), 0.3 + take / 20)
            soundfile.write(folder / f"{digit}_{speaker}_{take}.wav", sound.samples, RATE)
    made = LocalCollection.create(folder / "c", open_corpus(f"{folder}?pattern={{digit}}_{{speaker}}_{{take}}"))
    for spec in SPACES:
        made = made.add_space(spec)
    return made


def test_the_nearest_have_the_same_digit(collection):
    for found in Searcher(collection).search(read_query(collection, "@1_ann_0.wav"), k=3):
        assert [answer.relevant for answer in found.answers] == [True] * 3


def test_a_field_of_the_name_filters(collection):
    query = read_query(collection, "@1_ann_0.wav")
    (found,) = Searcher(collection, SPACES[:1]).search(query, 12, [Filter("speaker", "bob")])
    assert {answer.shown.id.split("_")[1] for answer in found.answers} == {"bob"}
    assert len(found.answers) == 6


def test_a_file_asks_whatever_its_rate(collection, tmp_path):
    path = tmp_path / "query.wav"
    samples = voice(800, 0.4, 32_000).samples
    soundfile.write(path, np.stack([samples, samples], axis=1), 32_000)
    query = read_query(collection, str(path))
    assert query.content.rate == RATE
    assert Searcher(collection, SPACES[1:2]).search(query, 1)[0].answers[0].shown.label == "2"
    with pytest.raises(QueryError, match=r"'none\.wav' is not a file: give the path of a WAV or FLAC file, or @id"):
        read_query(collection, "none.wav")


def test_defaults_have_a_baseline(collection):
    assert default_spaces(collection.items) == ["log-mel", "log-mel+pca:3", "log-mel:pool=mean"]


def test_reconstructions_are_seen(collection, tmp_path):
    table = reconstructions(collection, asked_items(collection, ["@0_ann_0.wav", "@2_bob_1.wav"], None, 0))
    assert [row.name for row in table.rows] == ["the item", *SPACES[:2]]  # a mean cannot be decoded
    assert table.pictures
    assert {content.shape for row in table.rows for content in row.contents} == {(16, 16)}
    errors = [next(iter(row.results.values())) for row in table.rows[1:]]
    assert errors[0] == [0.0, 0.0]
    assert max(errors[1]) < 20
    assert reconstructions_lines(table)[0].startswith("errors are summed over the levels of the spectrogram")
    write_reconstructions(table, tmp_path / "table.png")
    with pytest.raises(BadItemError, match=r"table\.txt should end in \.npy or \.png or \.wav"):
        write_reconstructions(table, tmp_path / "table.txt")


def test_reconstructions_are_heard(collection, tmp_path):
    table = reconstructions(collection, asked_items(collection, ["@0_ann_0.wav"], None, 0), [SPACES[1]])
    write_reconstructions(table, tmp_path / "table.wav")
    samples, rate = soundfile.read(tmp_path / "table.wav", dtype="int16")
    original, pause = voice(200, 0.3).samples, RATE // 2
    assert rate == RATE
    np.testing.assert_array_equal(samples[: len(original)], original)
    assert not samples[len(original) : len(original) + pause].any()
    copy = samples[len(original) + pause :]
    assert copy.any()
    assert len(copy) == pytest.approx(len(original), abs=RATE / 100)  # as long as the item


def test_codes_are_decoded_sampled_and_interpolated(collection, tmp_path):
    code_of(collection, SPACES[1], "@0_ann_0.wav").write(tmp_path / "code.npy")
    for table in (
        decoded(collection, SPACES[1], tmp_path / "code.npy"),
        sampled(collection, SPACES[1], 2),
        interpolated(collection, SPACES[1], "@0_ann_0.wav", "@1_ann_0.wav", 3),
    ):
        assert table.pictures
        assert [sound.rate for sound in table.sounds()] == [RATE] * len(table.columns)
    with pytest.raises(NotInvertibleError, match="are not spectrograms, which could be shown or heard"):
        sampled(collection, SPACES[2], 1)


def test_components_are_spectrograms(collection):
    components = components_of(collection.space(SPACES[1]).encoder)
    assert components.shape == (16, 16)
    assert components.atoms.shape == (3, 256)


def test_the_analysis_shows_spectrograms(collection, tmp_path):
    encoder = collection.space(SPACES[1]).encoder
    analysis = analyze(collection.items, [encoder], quiet, ("components", "sums", "tree"), sample=12)
    page = write_analysis(analysis, tmp_path).read_text()
    assert page.count("data:image/png;base64,") > 12  # leaves of the tree, components, sums
    assert "summed over the levels (0 to 1)" in page
    assert "<script" not in page


def test_noise_is_taken_from_pictures_only(collection):
    with pytest.raises(BadItemError, match=r"denoise cleans pictures; .* holds sounds"):
        denoised(collection, asked_items(collection, ["@0_ann_0.wav"], None, 0))
