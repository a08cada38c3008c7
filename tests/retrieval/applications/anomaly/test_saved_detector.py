"""A saved detector gives the same answers; a damaged or foreign folder is refused in one sentence."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from encoders.errors import ArtifactError, NearbyError, OptionError
from encoders.row import Row
from indexers.registry import create_index
from retrieval.applications.anomaly.detector import AnomalyDetector
from retrieval.applications.anomaly.saved_detector import require_new

FILES = ["manifest.json", "arrays.safetensors", "normal.json", "normal.safetensors", "encoder-0/state.safetensors", "encoder-0/manifest.json", "index-0/manifest.json", "index-0/codes.npy", "index-0/ids.json"]  # fmt: skip


@pytest.fixture
def saved(of_rows, tmp_path):
    return of_rows.save(tmp_path / "d")


@pytest.mark.parametrize("space", ["vectors+pca:2", "vectors+gaussian", "vectors", "vectors+deep-ae:8-2,epochs=2", "vectors+gan:2,hidden=8,epochs=1", "vectors+vae:8-2,epochs=2"])  # fmt: skip
def test_it_answers_the_same_after_loading(space, tmp_path, normal_rows, strange_rows):
    detector = AnomalyDetector.fit(normal_rows(120, 0), [space, "vectors+kmeans:3"], hold_out=0.3, k=2)
    loaded = AnomalyDetector.load(detector.save(tmp_path / "d"))
    rows = np.concatenate([normal_rows(10, 1), strange_rows(5, 2)])
    assert (loaded.score(rows) == detector.score(rows)).all()
    assert (loaded.p_values(rows) == detector.p_values(rows)).all()
    assert loaded.record == detector.record
    before, after = detector.explain(rows[-1]), loaded.explain(rows[-1])
    assert (before.space, before.by_space, before.components) == (after.space, after.by_space, after.components)
    assert [one.shown.id for one in before.nearest] == [one.shown.id for one in after.nearest]


def test_texts_and_pictures_too(of_texts, of_pictures, tmp_path, texts):
    loaded = AnomalyDetector.load(of_texts.save(tmp_path / "t"))
    assert (loaded.score(texts(5, 3)) == of_texts.score(texts(5, 3))).all()
    assert loaded.explain("money bank").nearest[0].shown.snippet is not None
    loaded = AnomalyDetector.load(of_pictures.save(tmp_path / "p"))
    picture = np.full((5, 4), 90, np.uint8)
    assert (loaded.score([picture]) == of_pictures.score([picture])).all()
    assert loaded.explain(picture).nearest[0].shown.picture.shape == (5, 4)


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_refused(saved, name):
    path = saved / name
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 4
    path.write_bytes(raw)
    with pytest.raises(ArtifactError) as error:
        AnomalyDetector.load(saved)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_or_cut_file_is_refused(saved, name):
    path = saved / name
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(ArtifactError):
        AnomalyDetector.load(saved)
    path.unlink()
    with pytest.raises(ArtifactError):
        AnomalyDetector.load(saved)


def test_a_part_of_another_detector_is_refused(saved, tmp_path, normal_rows):
    other = AnomalyDetector.fit(normal_rows(600, 9), "vectors+pca:2").save(tmp_path / "other")
    for part in ("encoder-0", "index-0"):
        kept = tmp_path / "kept"
        shutil.move(saved / part, kept)
        shutil.copytree(other / part, saved / part)
        with pytest.raises(ArtifactError, match=f"{part} is not the .* of this detector"):
            AnomalyDetector.load(saved)
        shutil.rmtree(saved / part)
        shutil.move(kept, saved / part)
    AnomalyDetector.load(saved)


def test_other_folders_are_refused(tmp_path, of_rows, saved):
    with pytest.raises(ArtifactError, match="is not an anomaly detector: it has no"):
        AnomalyDetector.load(tmp_path)
    with pytest.raises(ArtifactError, match="is not an anomaly detector of nearby"):
        AnomalyDetector.load(saved / "encoder-0")
    newer = json.loads((saved / "manifest.json").read_text())
    (saved / "manifest.json").write_text(json.dumps({**newer, "format": 99}))
    with pytest.raises(ArtifactError, match="install a newer nearby"):
        AnomalyDetector.load(saved)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter").write_text("dear")
    with pytest.raises(ArtifactError, match="not an anomaly detector: choose"):
        of_rows.save(tmp_path / "mine")
    assert (tmp_path / "mine" / "letter").read_text() == "dear"


def test_a_detector_is_not_replaced_without_a_word(saved):
    with pytest.raises(OptionError, match="--fresh"):
        require_new(saved, fresh=False)
    require_new(saved, fresh=True)
    require_new(saved / "new", fresh=False)


def test_values_that_make_no_detector_are_refused(saved):
    """Also where all checksums are right: a manifest that another program wrote."""
    from encoders.artifact import sealed

    manifest = json.loads((saved / "manifest.json").read_text())
    manifest.pop("digest")
    changes = [
        {"members": []}, {"members": 3}, {"record": {}}, {"digests": {}}, {"members": [{"spec": "x"}]},
        {"record": {**manifest["record"], "modality": "smell"}}, {"record": {**manifest["record"], "n_training": -1}},
        {"members": [{**manifest["members"][0], "score": "likelihood"}]},
        {"members": [{**manifest["members"][0], "options": {"k": "x"}}]},
    ]  # fmt: skip
    for change in changes:
        (saved / "manifest.json").write_text(json.dumps(sealed({**manifest, **change})))
        with pytest.raises(NearbyError):
            AnomalyDetector.load(saved)


def test_a_density_of_format_1_still_answers(tmp_path, normal_rows, strange_rows):
    """Its index holds log-likelihoods, not the input of the density."""
    rows = normal_rows(80, 0)
    detector = AnomalyDetector.fit(rows, "vectors+gaussian")
    newer = json.loads((detector.save(tmp_path / "new") / "manifest.json").read_text())
    (member,) = detector.members
    old_index = create_index("exact", member.encoder.space)
    old_index.add(member.index.ids, member.encoder.encode(rows[[int(id) for id in detector.normal_items.ids]]))
    member.index, member.indexes_inputs = old_index, False
    folder = detector.save(tmp_path / "old")
    assert (newer["format"], json.loads((folder / "manifest.json").read_text())["format"]) == (2, 1)
    loaded, strange = AnomalyDetector.load(folder), strange_rows(3, 1)
    assert (loaded.score(strange) == detector.score(strange)).all()
    assert len(loaded.explain(strange[0]).nearest) == 3
    shutil.copytree(tmp_path / "old" / "index-0", tmp_path / "new" / "index-0", dirs_exist_ok=True)
    with pytest.raises(ArtifactError, match="not the index of this detector"):
        AnomalyDetector.load(tmp_path / "new")


@pytest.mark.parametrize(
    ("reader", "line"), [("vectors", "[1,2,3,4,5,6]"), ("columns", '{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6}')]
)
def test_a_perceptron_answers_without_torch(tmp_path, normal_rows, reader, line):
    rows = normal_rows(80, 0)
    items = [Row(tuple("abcdef"), tuple(row.tolist())) for row in rows] if reader == "columns" else rows
    detector = AnomalyDetector.fit(items, f"{reader}+deep-ae:8-2,epochs=1")
    assert detector.answers_without_torch
    detector.save(tmp_path / "d")
    program = (
        "import sys, io; from retrieval.applications.anomaly.detector import AnomalyDetector\n"
        "from retrieval.applications.anomaly.stream import answers; from retrieval.applications.anomaly.detection import Rule\n"
        "detector = AnomalyDetector.load(sys.argv[1]); rule = Rule('false-alarms', 0.1)\n"
        "out = b''.join(answers(detector, io.BytesIO(sys.argv[2].encode()), rule)); assert b'p_value' in out, out\n"
        "print(sorted({'torch', 'sklearn', 'faiss', 'scipy.stats'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "d"), line], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_nothing_but_the_detector_is_replaced(of_rows, saved, tmp_path):
    (saved / "scores.csv").write_text("mine")
    with pytest.raises(ArtifactError, match=r"also holds scores.csv, which would be lost"):
        of_rows.save(saved)
    assert (saved / "scores.csv").read_text() == "mine"
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "normal.safetensors").touch()
    with pytest.raises(ArtifactError, match="is not an anomaly detector"):
        require_new(foreign, fresh=True)
    link = tmp_path / "link"
    link.symlink_to(saved)
    with pytest.raises(ArtifactError, match="is not an anomaly detector"):
        of_rows.save(link)
