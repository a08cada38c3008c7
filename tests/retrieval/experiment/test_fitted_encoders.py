"""A comparison that was killed continues: what is fitted is not fitted again, and the result is the same."""

import re

import numpy as np
import pytest

from encoders.base import Encoder
from encoders.errors import ArtifactError, CollectionError, OptionError
from retrieval.corpora.registry import open_corpus
from retrieval.experiment import compare as module
from retrieval.experiment.compare import compare
from retrieval.experiment.fitted_encoders import FittedEncoders, remains

NEURAL = "vectors+deep-ae:8-4,epochs=3,batch-size=32"
SPECS = ["vectors+pca:3", NEURAL, "vectors+nmf:3"]


@pytest.fixture
def corpus(tmp_path):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 90)
    centres = rng.random((3, 6))
    path = tmp_path / "points.npz"
    np.savez(path, vectors=(centres[labels] + rng.random((90, 6)) / 4).astype(np.float32), labels=labels.astype(str))
    return open_corpus(str(path))


@pytest.fixture
def fits(monkeypatch):
    """The specs that are fitted."""
    seen: list[str] = []
    fit = Encoder.fit

    def counted(self, *arguments, **options):
        seen.append(str(self))
        return fit(self, *arguments, **options)

    monkeypatch.setattr(Encoder, "fit", counted)
    return seen


class Killed(BaseException):
    """Stands for the end of the process: nothing is cleaned up."""


def killed_after(count: int, monkeypatch) -> None:
    ask, asked = module.ask, []

    def ask_and_die(*arguments):
        asked.append(1)
        if len(asked) > count:
            raise Killed
        return ask(*arguments)

    monkeypatch.setattr(module, "ask", ask_and_die)


def measures(comparison):
    return [(space.spec, space.measures, len(space.phases)) for space in comparison.spaces]


def test_spaces_that_are_fitted_are_not_fitted_again(corpus, fits, tmp_path, monkeypatch):
    whole = measures(compare(corpus, SPECS))
    out, lines = tmp_path / "report", []
    with monkeypatch.context() as patched:
        killed_after(1, patched)
        with pytest.raises(Killed):
            compare(corpus, SPECS, fitted_encoders=FittedEncoders(out))
    assert remains(out) == f"2 fitted spaces are kept in {out / 'compare.work'}: the same command continues"
    fits.clear()
    again = compare(corpus, SPECS, fitted_encoders=FittedEncoders(out, lines.append))
    assert not any("pca" in spec or "deep-ae" in spec for spec in fits)
    assert measures(again) == whole
    assert lines == [f"{spec} was fitted before the comparison was interrupted" for spec in SPECS[:2]]
    assert not (out / "compare.work").exists()


def test_another_corpus_or_other_options_are_fitted(corpus, fits, tmp_path, monkeypatch):
    out = tmp_path / "report"
    with monkeypatch.context() as patched:
        killed_after(0, patched)
        with pytest.raises(Killed):
            compare(corpus, SPECS[:1], fitted_encoders=FittedEncoders(out))
    with np.load(tmp_path / "points.npz") as held:
        np.savez(tmp_path / "others.npz", vectors=held["vectors"][::-1], labels=held["labels"][::-1])
    fits.clear()
    with monkeypatch.context() as patched:
        killed_after(0, patched)
        with pytest.raises(Killed):
            compare(open_corpus(str(tmp_path / "others.npz")), SPECS[:1], fitted_encoders=FittedEncoders(out))
    assert fits
    fits.clear()
    compare(corpus, ["vectors+pca:2"], fitted_encoders=FittedEncoders(out))
    assert fits


def test_a_failed_comparison_leaves_nothing(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(Encoder, "fit", lambda *_, **__: (_ for _ in ()).throw(OptionError("no")))
    with pytest.raises(OptionError, match="no"):
        compare(corpus, SPECS[:1], fitted_encoders=FittedEncoders(tmp_path / "report"))
    assert not (tmp_path / "report").exists()
    assert remains(tmp_path / "report") == "no space was fitted, so nothing is kept"
    assert remains(None).startswith("nothing is kept; with -o FOLDER")


def test_two_comparisons_do_not_share_a_folder(corpus, tmp_path):
    with (
        FittedEncoders(tmp_path / "report").opened(),
        pytest.raises(CollectionError, match=re.escape("compare.work: wait, or choose a new folder")),
        FittedEncoders(tmp_path / "report").opened(),
    ):
        pass


@pytest.mark.parametrize("what", ["folder", "link"])
def test_what_somebody_else_put_there_stays(corpus, tmp_path, what):
    report, other = tmp_path / "report", tmp_path / "other"
    report.mkdir()
    other.mkdir()
    (other / "thesis.tex").write_text("years of work")
    if what == "link":
        (report / "compare.work").symlink_to(other)
    else:
        other.rename(report / "compare.work")
    with pytest.raises(OptionError, match="holds something else"):
        compare(corpus, SPECS[:1], fitted_encoders=FittedEncoders(report))
    assert (report / "compare.work" / "thesis.tex").read_text() == "years of work"


def killed(corpus, out, monkeypatch, specs=SPECS[:1]):
    with monkeypatch.context() as patched:
        killed_after(0, patched)
        with pytest.raises(Killed):
            compare(corpus, specs, fitted_encoders=FittedEncoders(out))


def test_a_file_that_somebody_put_into_the_work_folder_stays(corpus, tmp_path, monkeypatch):
    killed(corpus, tmp_path / "report", monkeypatch)
    note = tmp_path / "report" / "compare.work" / "notes.txt"
    note.write_text("mine")
    with pytest.raises(OptionError, match="holds something else: choose another folder for the report"):
        compare(corpus, SPECS[:1], fitted_encoders=FittedEncoders(tmp_path / "report"))
    assert note.read_text() == "mine"


def test_the_training_of_an_encoder_called_compare_stays(corpus, tmp_path):
    work = tmp_path / "report" / "compare.work"
    (work / "1-deep-ae").mkdir(parents=True)
    (work / "plan.json").write_text('{"spec": "vectors+deep-ae:8-4", "fixed": "", "corpus": ""}')
    with pytest.raises(OptionError, match="holds something else"):
        compare(corpus, SPECS[:1], fitted_encoders=FittedEncoders(tmp_path / "report"))
    assert (work / "1-deep-ae").is_dir()


def test_what_a_killed_comparison_of_other_spaces_fitted_stays(corpus, fits, tmp_path, monkeypatch):
    out = tmp_path / "report"
    killed(corpus, out, monkeypatch)
    compare(corpus, ["vectors+pca:2"], fitted_encoders=FittedEncoders(out))
    assert remains(out).startswith("1 fitted space is kept")
    fits.clear()
    compare(corpus, SPECS[:1], fitted_encoders=FittedEncoders(out))
    assert not any("pca" in spec for spec in fits)
    assert not (out / "compare.work").exists()


def test_encoders_are_kept_until_what_follows_has_succeeded(corpus, fits, tmp_path):
    out, lines = tmp_path / "report", []
    keeping = FittedEncoders(out, keep=True)
    compare(corpus, SPECS[:1], fitted_encoders=keeping)  # its report cannot be written, say
    assert keeping.holds
    assert remains(out).startswith("1 fitted space is kept")
    fits.clear()
    again = FittedEncoders(out, lines.append, keep=True)
    compare(corpus, SPECS[:1], fitted_encoders=again)
    assert not fits
    assert len(lines) == 1
    again.remove()
    assert not again.holds
    assert not (out / "compare.work").exists()


def test_the_encoders_of_another_comparison_that_began_stay(corpus, tmp_path):
    keeping, other = (FittedEncoders(tmp_path / "report", keep=True) for _ in range(2))
    compare(corpus, SPECS[:1], fitted_encoders=keeping)
    with other.opened():
        keeping.remove()
        assert other.holds


def test_a_file_called_compare_is_somebody_elses(corpus, tmp_path):
    report = tmp_path / "report"
    report.mkdir()
    (report / "compare").write_text("mine")
    compare(corpus, SPECS[:1], fitted_encoders=FittedEncoders(report))
    assert [(path.name, path.read_text()) for path in report.iterdir()] == [("compare", "mine")]


def test_a_place_that_cannot_be_written_is_one_for_the_report(corpus, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ArtifactError, match="choose another folder for the report"):
        compare(corpus, SPECS[:1], fitted_encoders=FittedEncoders(tmp_path / "file" / "report"))
