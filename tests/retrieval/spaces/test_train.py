"""A training by itself: its budget, its place of work, and what may be changed when it goes on."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from killing import kills

from encoders import atomic_write
from encoders.base import Encoder
from encoders.codes import Modality
from encoders.errors import ArtifactError, CollectionError, OptionError, TrainingError
from encoders.neural import training
from encoders.registry import create
from retrieval.collection.indexing import index_corpus
from retrieval.corpora.base import Corpus, Item
from retrieval.corpora.item_record import items_digest
from retrieval.corpora.registry import open_corpus
from retrieval.experiment.compare import compare
from retrieval.spaces.space_encoder import encoder_of
from retrieval.spaces.time_budget import read_minutes, with_time_budget
from retrieval.spaces.train import train_encoder
from retrieval.spaces.training_folder import TrainingFolder

SMALL = "pixels+deep-ae:16-4"


@pytest.fixture(scope="module")
def digits():
    return open_corpus("digits")


@pytest.fixture
def killed(monkeypatch):
    """Kill a training behind its second epoch."""

    def kill(*given, **options):
        written = []
        write = training.write_checkpoint

        def write_and_die(*arguments):
            write(*arguments)
            written.append(arguments)
            if len(written) == 2:
                raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(training, "write_checkpoint", write_and_die)
            with pytest.raises(KeyboardInterrupt):
                train_encoder(*given, **options)

    return kill


def epochs_seen(seen):
    return lambda stage, phase, history: seen.append(len(history.seconds))


def test_what_is_saved_is_what_fit_learns(digits, tmp_path):
    made = train_encoder(digits, f"{SMALL},epochs=2", tmp_path / "ae")
    assert made.items == 1797
    assert Encoder.load(tmp_path / "ae").fitted_on == items_digest(iter(digits))
    assert [path.name for path in tmp_path.iterdir()] == ["ae"]
    pictures = [item.content for item in digits]
    fitted = create(f"{SMALL},epochs=2").fit(digits.batches())
    np.testing.assert_array_equal(Encoder.load(tmp_path / "ae").encode(pictures), fitted.encode(pictures))
    assert made.line().startswith(f"{tmp_path / 'ae'}: {SMALL},epochs=2, best epoch 2 of 2, validation loss ")
    assert made.to_json()["phases"][0]["best_epoch"] == 2


def test_an_encoder_without_epochs_is_trained_too(digits, tmp_path):
    made = train_encoder(digits, "pixels+pca:4", tmp_path / "pca")
    assert made.phases == []
    with pytest.raises(OptionError, match="is not trained by epochs, so it has no time budget"):
        train_encoder(digits, "pixels+pca:4", tmp_path / "other", minutes=1)
    assert [path.name for path in tmp_path.iterdir()] == ["pca"]


def test_a_time_budget_is_shared_by_the_stages_that_are_trained():
    assert str(with_time_budget(create("pixels+pca:9+deep-ae:4-2"), 10)) == "pixels+pca:9+deep-ae:4-2,minutes=10"
    both = with_time_budget(create("pixels+deep-ae:8-4+deep-ae:3-2"), 3)
    assert [stage.minutes for stage in both.stages[1:]] == [1.5, 1.5]


def test_an_unfinished_training_is_named_and_gone_on_with(digits, tmp_path, killed):
    killed(digits, f"{SMALL},epochs=4", tmp_path / "ae")
    assert TrainingFolder(tmp_path / "ae").unfinished
    assert not (tmp_path / "ae").exists()
    with pytest.raises(TrainingError, match=r"ae\.work holds an unfinished training: continue it with --resume, or"):
        train_encoder(digits, f"{SMALL},epochs=4", tmp_path / "ae")
    seen: list[int] = []
    resumed = train_encoder(digits, f"{SMALL},epochs=4", tmp_path / "ae", resume=True, watch=epochs_seen(seen))
    assert seen == [2, 3, 4]
    assert not (tmp_path / "ae.work").exists()
    whole = train_encoder(digits, f"{SMALL},epochs=4", tmp_path / "whole")
    assert resumed.phases[0].train_loss == whole.phases[0].train_loss


def test_a_training_goes_on_with_another_course_only(digits, tmp_path, killed):
    killed(digits, f"{SMALL},epochs=4", tmp_path / "ae")
    for spec, corpus, words in (
        ("pixels+deep-ae:16-5", digits, f"of '{SMALL},epochs=4': --resume can only change epochs"),
        (SMALL, [*digits][:500], "on another corpus"),
    ):
        if isinstance(corpus, list):
            corpus = Few(digits, corpus)
        with pytest.raises(TrainingError, match=re.escape(words)):
            train_encoder(corpus, spec, tmp_path / "ae", resume=True)
    seen: list[int] = []
    changed = f"{SMALL},epochs=5,learning-rate=0.001,patience=3,batch-size=128"
    train_encoder(digits, changed, tmp_path / "ae", minutes=1, resume=True, watch=epochs_seen(seen))
    assert seen == [2, 3, 4, 5]


class Few(type(open_corpus("digits"))):  # type: ignore[misc]
    """Some items of a corpus."""

    def __init__(self, corpus, items):
        self.items, self.name, self.modality = items, corpus.name, corpus.modality

    def __iter__(self):
        return iter(self.items)


def test_an_index_goes_on_with_the_same_course_only(digits, tmp_path, killed):
    killed(digits, f"{SMALL},epochs=4", tmp_path / "ae")
    place = next((tmp_path / "ae.work").glob("*-deep-ae"))
    seen: list[int] = []
    encoder = create("deep-ae:16-4,epochs=3")
    encoder.watch = lambda phase, history: seen.append(len(history.seconds))
    encoder.input_space = create("pixels").fit(digits.batches()).space
    encoder.fit(create("pixels").fit_encode(digits.batches()), work=place)
    assert seen[0] == 0


def test_fresh_begins_anew_and_replaces_an_encoder_when_it_is_whole(digits, tmp_path, killed):
    train_encoder(digits, "pixels+pca:3", tmp_path / "e")
    with pytest.raises(OptionError, match="e holds a trained encoder: replace it with --fresh"):
        train_encoder(digits, SMALL, tmp_path / "e", resume=True)
    killed(digits, f"{SMALL},epochs=4", tmp_path / "e", fresh=True)
    assert str(Encoder.load(tmp_path / "e")) == "pixels+pca:3"
    train_encoder(digits, f"{SMALL},epochs=4", tmp_path / "e", resume=True)
    assert str(Encoder.load(tmp_path / "e")) == f"{SMALL},epochs=4"
    with pytest.raises(OptionError, match="leave one of them out"):
        train_encoder(digits, SMALL, tmp_path / "e", resume=True, fresh=True)


def test_fresh_leaves_an_unfinished_training_and_begins_anew(digits, tmp_path, killed):
    killed(digits, f"{SMALL},epochs=4", tmp_path / "e")
    seen: list[int] = []
    train_encoder(digits, f"{SMALL},epochs=4", tmp_path / "e", fresh=True, watch=epochs_seen(seen))
    assert seen == [0, 1, 2, 3, 4]


def test_a_training_that_fails_before_an_epoch_has_ended_leaves_nothing(digits, tmp_path, monkeypatch):
    with pytest.raises(OptionError, match="need pictures of at least 16x16"):
        train_encoder(digits, "pixels+conv-ae:3,channels=4-4-4-4", tmp_path / "e")
    monkeypatch.setattr(training, "validation_loss", lambda *given: float("nan"))
    with pytest.raises(TrainingError, match="in epoch 1: lower the learning rate") as raised:
        train_encoder(digits, f"{SMALL},epochs=4", tmp_path / "e")
    assert "--resume" not in str(raised.value)
    assert list(tmp_path.iterdir()) == []


def test_what_else_lies_in_the_folder_is_left_alone(digits, tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for name, words in (("notes", "holds other files"), ("file", "is a file")):
        with pytest.raises(OptionError, match=words):
            train_encoder(digits, "pixels", tmp_path / name, fresh=True)
    assert (tmp_path / "notes" / "a.txt").read_text() == "mine"


@pytest.mark.parametrize("fresh", [False, True])
def test_a_place_of_work_that_is_somebody_elses_is_left_alone(digits, tmp_path, fresh):
    (tmp_path / "a.work").mkdir()
    (tmp_path / "a.work" / "notes.txt").write_text("mine")
    (tmp_path / "b.work").write_text("mine")
    (tmp_path / "c.work").symlink_to(tmp_path / "a.work")
    for name in "abc":
        with pytest.raises(
            OptionError, match=rf"keeps the training in .*{name}\.work, which holds something else: choose"
        ):
            train_encoder(digits, "pixels", tmp_path / name, fresh=fresh)
    assert (tmp_path / "a.work" / "notes.txt").read_text() == (tmp_path / "b.work").read_text() == "mine"


def test_an_empty_place_of_work_is_taken(digits, tmp_path):
    (tmp_path / "a.work").mkdir()
    train_encoder(digits, "pixels", tmp_path / "a")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_place_that_cannot_be_written_is_said_before_the_training(digits, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ArtifactError, match=r"cannot write .*e\.work: Not a directory; choose another folder"):
        train_encoder(digits, SMALL, tmp_path / "file" / "e")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(OptionError, match="link is a link that leads nowhere"):
        train_encoder(digits, SMALL, tmp_path / "link")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "link"]


def test_a_training_that_there_is_not_is_begun_by_resume_and_that_is_said(digits, tmp_path):
    said: list[str] = []
    train_encoder(digits, "pixels", tmp_path / "e", resume=True, say=said.append)
    assert said[0] == f"{tmp_path / 'e.work'} holds no training to resume: starting one"


@pytest.mark.parametrize("text", ["0", "0.5s", "0.001m", "0.0001h", "-5m", "m", "9" * 400])
def test_a_time_budget_that_is_none_is_refused(text):
    with pytest.raises(OptionError, match="a time budget is 1s or more"):
        read_minutes(text)


@pytest.mark.parametrize(("name", "space"), [("ae", "ae"), ("vae", "./vae"), ("./vae", "./vae"), ("x/vae", "x/vae")])
def test_the_folder_is_told_so_that_it_is_read_as_a_space(digits, tmp_path, monkeypatch, name, space):
    monkeypatch.chdir(tmp_path)
    made = train_encoder(digits, "pixels", Path(name))
    assert made.as_space == space
    assert encoder_of(space).spec() == "pixels"


def test_one_process_at_a_time_trains_in_a_place(digits, tmp_path):
    with (
        TrainingFolder(tmp_path / "ae").locked({}),
        pytest.raises(CollectionError, match="another process is training"),
    ):
        train_encoder(digits, "pixels+pca:3", tmp_path / "ae")


@pytest.mark.parametrize("loss", [float("nan"), 5e4])
def test_a_loss_that_diverges_leaves_what_a_lower_rate_goes_on_from(digits, tmp_path, monkeypatch, loss):
    measured = iter([9.0, 9.0, 8.0, loss])
    with monkeypatch.context() as patch:
        patch.setattr(training, "validation_loss", lambda *given: next(measured))
        with pytest.raises(
            TrainingError, match=r"in epoch 3: lower the learning rate .* the same command with --resume"
        ):
            train_encoder(digits, f"{SMALL},epochs=4", tmp_path / "ae")
    made = train_encoder(digits, f"{SMALL},epochs=4,learning-rate=0.001", tmp_path / "ae", resume=True)
    assert made.phases[0].validation_loss[:2] == [9.0, 8.0]
    assert len(made.phases[0].validation_loss) == 4


def test_a_saved_encoder_is_a_space(digits, tmp_path):
    train_encoder(digits, f"{SMALL},epochs=2", tmp_path / "ae")
    place, said = str(tmp_path / "ae"), []
    collection = index_corpus(tmp_path / "c", digits, [place, "pixels"], say=said.append)
    assert list(collection.spaces) == [f"{SMALL},epochs=2", "pixels"]
    assert said[0] == f"encoding 1,797 items by {SMALL},epochs=2, which is already fitted"
    assert collection.resolve(place) == f"{SMALL},epochs=2"
    comparison = compare(digits, [place, "pixels"])
    assert [space.spec for space in comparison.spaces] == [f"{SMALL},epochs=2", "pixels"]
    seconds = sum(Encoder.load(place).stages[-1].history.seconds)
    assert comparison.spaces[0].fit_seconds == pytest.approx(seconds)
    assert collection.spaces[f"{SMALL},epochs=2"].fit_seconds == pytest.approx(seconds)
    assert [phase.name for phase in comparison.spaces[0].phases] == ["deep-ae"]


def test_another_encoder_of_the_same_name_is_not_taken_for_the_space(digits, tmp_path):
    index_corpus(tmp_path / "c", digits, [f"{SMALL},epochs=2"])
    few = Few(digits, [*digits][:500])
    train_encoder(few, f"{SMALL},epochs=2", tmp_path / "ae")
    with pytest.raises(OptionError, match="though its spec is the same"):
        index_corpus(tmp_path / "c", digits, [str(tmp_path / "ae")])


IDENTITY = {"spec": "s", "fixed": "f", "corpus": "c"}


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def checkpoint(work, phase="training"):
    (work / phase).mkdir(exist_ok=True)
    (work / phase / "checkpoint.safetensors").write_bytes(b"weights")


def unfinished(place):
    """Leave what a killed training leaves."""
    place.work.mkdir(exist_ok=True)
    (place.work / "plan.json").write_text('{"fixed": "f", "corpus": "c"}')
    checkpoint(place.work, "layer-1")
    checkpoint(place.work)


@pytest.mark.parametrize("way", ["exchange", "two renames"])
def test_a_killed_fresh_training_leaves_the_old_encoder_or_the_new_one(tmp_path, monkeypatch, way):
    if way == "two renames":
        monkeypatch.setattr(atomic_write, "exchange", lambda one, other: False)
    corpus, folder, seen = vectors(), tmp_path / "e", set()
    train_encoder(corpus, "vectors+pca:2", folder)
    for number in kills(lambda: train_encoder(corpus, "vectors+pca:3", folder, fresh=True)):
        seen.add(str(encoder_of(str(folder))))
        if number % 4 == 0:  # starting over at every change would take long
            train_encoder(corpus, "vectors+pca:2", folder, fresh=True)
            assert names(tmp_path) == ["e"]
    assert seen == {"vectors+pca:2", "vectors+pca:3"}
    train_encoder(corpus, "vectors+pca:2", folder, fresh=True)
    assert names(tmp_path) == ["e"]


@pytest.mark.parametrize("answer", ["resume", "fresh"])
def test_a_kill_while_the_place_of_work_is_removed_blocks_neither_resume_nor_fresh(tmp_path, answer):
    place = TrainingFolder(tmp_path / "e")

    def ended():
        with place.locked(IDENTITY) as work:
            checkpoint(work)

    for _ in kills(ended):
        place.require_free(IDENTITY, answer == "resume", answer == "fresh")
        with place.locked(IDENTITY, answer == "fresh") as work:
            assert answer == "resume" or not place.unfinished
            checkpoint(work)
        assert names(tmp_path) == []


def test_a_kill_while_an_unfinished_training_is_thrown_away_blocks_neither_resume_nor_fresh(tmp_path):
    place = TrainingFolder(tmp_path / "e")
    unfinished(place)

    def begun_again():
        with place.locked(IDENTITY, fresh=True) as work:
            assert not place.unfinished
            checkpoint(work)

    for _ in kills(begun_again):
        for resume, fresh in ((True, False), (False, True)):
            place.require_free(IDENTITY, resume, fresh)
        unfinished(place)


def test_a_fresh_training_does_not_take_the_place_of_one_that_runs(tmp_path):
    place = TrainingFolder(tmp_path / "e")
    with place.locked(IDENTITY) as work:
        checkpoint(work)
        place.require_free(IDENTITY, resume=False, fresh=True)
        with pytest.raises(CollectionError, match="another process is training"), place.locked(IDENTITY, fresh=True):
            pass
        assert place.unfinished


@pytest.mark.parametrize("inner", ["layer-1", "layer-1/checkpoint.safetensors", "lock"])
def test_nothing_is_written_through_a_link_in_the_place_of_work(tmp_path, inner):
    place, outside = TrainingFolder(tmp_path / "e"), tmp_path / "outside"
    outside.mkdir()
    unfinished(place)
    remove_any(place.work / inner)
    (place.work / inner).symlink_to(outside)
    with pytest.raises(OptionError, match="is a symbolic link, and nothing is written through one"):
        place.require_free(IDENTITY, resume=True, fresh=False)
    assert names(outside) == []


def remove_any(path):
    atomic_write.remove_at_once(path)


def vectors():
    class Rows(Corpus):
        name, modality = "rows", Modality.VECTOR

        def __iter__(self):
            rows = np.random.default_rng(0).random((20, 6)).astype(np.float32)
            return (Item(str(number), row) for number, row in enumerate(rows))

    return Rows()


@pytest.mark.parametrize("spec", ["./nosuch", "../nosuch", "/nosuch/encoder", "~/nosuch-encoder"])
def test_a_path_without_a_folder_is_said_as_such(spec: str) -> None:
    with pytest.raises(ArtifactError, match=f"^there is no folder {spec} with a trained encoder$"):
        encoder_of(spec)
