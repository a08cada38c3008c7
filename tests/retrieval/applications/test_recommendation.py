"""Recommendations: what is predicted, found alike, saved, and said on the command line."""

from __future__ import annotations

import copy
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array

import cli
from encoders.errors import ArtifactError, CorpusError, OptionError, QueryError, UnknownNameError
from retrieval.applications.recommendation import Recommender
from retrieval.corpora.movielens import MovieLens
from retrieval.corpora.registry import open_corpus
from retrieval.report.terminal.recommendations import fitted_lines, suggestions_json, suggestions_lines

EXAMPLE = "mf:2,solver=als,biases=false,regularization=0.02,exponent=0,epochs=200"
#: Two tastes: who likes films of one kind dislikes those of the other.
KINDS = {"heat": "action", "die hard": "action", "speed": "action", "emma": "love", "amélie": "love", "ghost": "love"}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    lines = ["user,item,rating"]
    for number in range(12):
        user, likes = f"u{number}", ("action", "love")[number % 2]
        for place, (film, kind) in enumerate(KINDS.items()):
            if (number + place) % 4:
                lines.append(f"{user},{film},{5 - number % 3 * 0.5 if kind == likes else 1 + number % 3 * 0.5}")
    path = tmp_path_factory.mktemp("ratings") / "films.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def fitted(table) -> Recommender:
    return Recommender.fit(open_corpus(str(table)), "mf:2,solver=als,epochs=60,regularization=0.1")


def test_people_are_recommended_what_those_alike_like(fitted):
    for number in (0, 1, 4, 5):
        user, likes = f"u{number}", ("action", "love")[number % 2]
        missing = [film for film in KINDS if fitted.rated(user, film) is None]
        found = fitted.recommended(user, 10)
        assert sorted(one.item for one in found) == sorted(missing)
        values = [one.value for one in found]
        assert values == sorted(values, reverse=True)
        for one in found:
            assert one.value == fitted.predict(user, one.item)
            assert (one.value > 3) == (KINDS[one.item] == likes)


def test_films_of_one_kind_are_alike(fitted):
    for film, kind in KINDS.items():
        found = fitted.similar(film, 5)
        assert film not in [one.item for one in found]
        assert [KINDS[one.item] for one in found[:2]] == [kind, kind]
        assert found[0].value > 0.8 > 0 > found[-1].value


def test_similarity_is_the_cosine_of_the_factors(fitted):
    columns = fitted.encoder.factors.columns
    (best, *_) = fitted.similar("emma", 1)
    one, other = columns[fitted.items.index("emma")], columns[fitted.items.index(best.item)]
    assert best.value == pytest.approx(one @ other / np.linalg.norm(one) / np.linalg.norm(other), rel=1e-5)


def test_predictions_stay_within_the_ratings_but_are_ranked_before(fitted):
    everyone = [fitted.predict(user, film) for user in fitted.users for film in fitted.items]
    assert 1 <= min(everyone) <= max(everyone) <= 5
    # with everything predicted beyond the best mark, the order is still that of the factors
    keen = copy.deepcopy(fitted)
    keen.encoder.factors.row_bias[:] += 50
    for user in keen.users:
        found = keen.recommended(user, 10)
        assert {one.value for one in found} <= {5.0}
        assert [one.item for one in found] == [one.item for one in fitted.recommended(user, 10)]


def test_the_worked_example():
    recommender = Recommender.fit(open_corpus("ratings-example"), EXAMPLE)
    assert recommender.error() <= 0.30
    assert recommender.error() == pytest.approx(
        np.nansum(np.square(recommender.completed() - np.where(recommender.matrix.toarray() > 0, recommender.matrix.toarray(), np.nan)))
    )  # fmt: skip
    lines = fitted_lines(recommender)
    assert "5 users, 4 items, 15 ratings" in lines[0]
    table = [line.split() for line in lines[-5:]]
    assert [row[0] for row in table] == list("ABCDE")
    bracketed = {(row[0], place) for row in table for place, cell in enumerate(row[1:], 1) if cell.startswith("(")}
    assert bracketed == {("A", 3), ("B", 3), ("C", 3), ("D", 2), ("E", 1)}
    known = [float(cell) for row in table for cell in row[1:] if not cell.startswith("(")]
    assert known == [5, 3, 1, 4, 3, 1, 1, 1, 5, 1, 4, 4, 1, 5, 4]


def test_films_are_recommended_and_a_large_table_is_not_printed():
    folder = Path(os.environ.get("NEARBY_DATA", "/nowhere")) / "ml-100k"
    if not folder.is_dir():
        pytest.skip("ml-100k is not under NEARBY_DATA")
    recommender = Recommender.fit(MovieLens(folder, "ml-100k"), "mf:4,epochs=4")
    (line,) = fitted_lines(recommender)
    assert "943 users, 1,682 items, 100,000 ratings" in line
    assert float(line.split()[-1]) < 0.94  # better than biases alone
    assert any("Empire Strikes Back" in (one.title or "") for one in recommender.similar("50", 10))  # of Star Wars
    seen = recommender.matrix.indices[: recommender.matrix.indptr[1]]
    fresh = {one.item for one in recommender.recommended(recommender.users[0], 50)}
    assert not fresh & {recommender.items[column] for column in seen}


def test_what_is_saved_answers_the_same(fitted, tmp_path):
    loaded = Recommender.load(fitted.save(tmp_path / "model"))
    assert (loaded.users, loaded.items, loaded.titles) == (fitted.users, fitted.items, fitted.titles)
    assert isinstance(loaded.matrix, csr_array)
    for user in ("u0", "u7"):
        assert loaded.recommended(user, 3) == fitted.recommended(user, 3)
        assert loaded.rated(user, "ghost") == fitted.rated(user, "ghost")
    assert loaded.similar("amélie", 3) == fitted.similar("amélie", 3)
    fitted.save(tmp_path / "model")  # again, over itself
    assert {path.suffix for path in (tmp_path / "model").rglob("*") if path.is_file()} <= {".json", ".safetensors"}


@pytest.mark.parametrize("name", ["names.json", "ratings.safetensors", "encoder/state.safetensors"])
def test_a_damaged_folder_is_refused(fitted, tmp_path, name):
    path = fitted.save(tmp_path / "model") / name
    path.write_bytes(path.read_bytes()[:-2] + b"!}")
    with pytest.raises(ArtifactError, match="damaged"):
        Recommender.load(tmp_path / "model")
    path.unlink()
    with pytest.raises(ArtifactError):
        Recommender.load(tmp_path / "model")


def test_another_folder_is_neither_read_nor_written_over(fitted, tmp_path):
    with pytest.raises(ArtifactError):
        Recommender.load(tmp_path / "nowhere")
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis.txt").write_text("years of work")
    with pytest.raises(ArtifactError, match="not a recommender: choose another folder"):
        fitted.save(tmp_path / "precious")
    assert (tmp_path / "precious" / "thesis.txt").read_text() == "years of work"
    manifest = fitted.save(tmp_path / "model") / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "format": 99}))
    with pytest.raises(ArtifactError, match="newer"):
        Recommender.load(tmp_path / "model")


def test_what_is_not_known_is_said(fitted):
    with pytest.raises(UnknownNameError, match="unknown user 'u99'; did you mean 'u"):
        fitted.recommended("u99", 3)
    with pytest.raises(UnknownNameError, match="unknown item 'gost'; did you mean 'ghost'"):
        fitted.similar("gost", 3)


def test_only_ratings_are_factorised_and_only_by_a_factorisation(table):
    with pytest.raises(CorpusError, match="'digits' is not a table of ratings"):
        Recommender.fit(open_corpus("digits"))
    with pytest.raises(OptionError, match="such as 'mf:15', got 'nmf:3'"):
        Recommender.fit(open_corpus(str(table)), "nmf:3")


def test_suggestions_as_lines_and_as_json(fitted):
    found = fitted.similar("heat", 2)
    head, first, second = suggestions_lines(found, "cosine")
    assert head.split() == ["cosine", "item", "title"]
    assert first.split()[:2] == ["1", f"{found[0].value:.3f}"]
    assert second.split()[0] == "2"
    assert suggestions_json(found, "cosine")[0] == {"item": found[0].item, "title": None, "cosine": found[0].value}


# -- the command line, in this process: what is printed, and the exit code -----------------------------------------------


@pytest.fixture
def nearby(monkeypatch, capsys):
    def run(*arguments) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["nearby", *map(str, arguments)])
        code = 0
        try:
            cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
        return code, *capsys.readouterr()

    return run


def test_recommend_on_the_command_line(nearby, table, tmp_path):
    model = tmp_path / "model"
    code, out, err = nearby(
        "recommend", "fit", table, "-o", model, "-s", "mf:2,solver=als,epochs=60,regularization=0.1"
    )
    assert code == 0
    assert "12 users, 6 items, 54 ratings" in out
    assert f"next: nearby recommend for {model} u0" in err
    loaded = Recommender.load(model)

    predicted = json.loads(nearby("recommend", "predict", model, "u1", "ghost", "--json")[1])
    assert predicted == {
        "user": "u1", "item": "ghost", "predicted": loaded.predict("u1", "ghost"), "rated": loaded.rated("u1", "ghost"),
    }  # fmt: skip
    assert nearby("recommend", "predict", model, "u1", "ghost")[1].startswith(f"{predicted['predicted']:.3f}")
    alike = json.loads(nearby("recommend", "similar", model, "amélie", "-k", "2", "--json")[1])
    assert [(one["item"], one["cosine"]) for one in alike] == [
        (one.item, one.value) for one in loaded.similar("amélie", 2)
    ]
    wanted = json.loads(nearby("recommend", "for", model, "u0", "--json")[1])
    assert [(one["item"], one["predicted"]) for one in wanted] == [
        (one.item, one.value) for one in loaded.recommended("u0", 10)
    ]
    code, out, _ = nearby("recommend", "for", model, "u0")
    assert code == 0
    assert wanted[0]["item"] in out.splitlines()[1]


def test_the_worked_example_on_the_command_line(nearby, tmp_path):
    code, out, _ = nearby("recommend", "fit", "ratings-example", "-o", tmp_path / "model", "-s", EXAMPLE)
    assert code == 0
    error = next(line for line in out.splitlines() if line.startswith("squared error on the 15 ratings"))
    assert float(error.split()[-1]) <= 0.30


def test_constant_ratings_are_predicted_and_have_no_cosines(nearby, tmp_path):
    path = tmp_path / "same.csv"
    pairs = [(user, item) for user in range(6) for item in range(5) if (user + item) % 3]
    path.write_text("user,item,rating\n" + "".join(f"u{user},i{item},1\n" for user, item in pairs))
    code, out, _ = nearby("recommend", "fit", path, "-o", tmp_path / "model")
    assert code == 0
    assert "nan" not in out
    assert "every factor is 0" in out
    code, out, _ = nearby("recommend", "for", tmp_path / "model", "u1", "--json")
    assert code == 0
    assert {one["predicted"] for one in json.loads(out)} == {1.0}
    code, out, err = nearby("recommend", "similar", tmp_path / "model", "i1")
    assert (code, out) == (2, "")
    assert "the factors of 'i1' are 0" in err


@pytest.mark.filterwarnings("ignore:mf")
def test_cosines_of_items_lie_within_one(nearby, tmp_path):
    path = tmp_path / "blocks.csv"
    table = [(5, 3, 4, 1), (4, 3, 4, 1), (1, 1, 5, 5), (1, 1, 5, 4)]
    lines = [f"u{user},i{item},{rating}\n" for user, row in enumerate(table) for item, rating in enumerate(row)]
    path.write_text("user,item,rating\n" + "".join(lines))
    assert nearby("recommend", "fit", path, "-o", tmp_path / "model")[0] == 0
    for item in range(4):
        code, out, _ = nearby("recommend", "similar", tmp_path / "model", f"i{item}", "--json")
        assert code == 0
        assert all(-1 <= one["cosine"] <= 1 for one in json.loads(out))


def test_an_item_without_direction_is_no_answer(table):
    recommender = Recommender.fit(open_corpus(str(table)), "mf:2,solver=als")
    recommender.encoder.factors.columns[1] = 1e-24
    answers = recommender.similar(recommender.items[0], 10)
    assert recommender.items[1] not in {one.item for one in answers}
    with pytest.raises(QueryError, match="no cosine with it is defined"):
        recommender.similar(recommender.items[1], 3)


@pytest.mark.filterwarnings("ignore:mf")
def test_skip_bad_lists_what_was_left_out(nearby, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("user,item,rating\na,x,5\na,y,lots\nb,x,4\nb,y,1\n")
    code, out, err = nearby("recommend", "fit", path, "-o", tmp_path / "model", "-s", "mf:1")
    assert (code, out) == (2, "")
    assert f"nearby: {path}:3: the column 'rating' should hold a number, got 'lots'" in err
    assert not (tmp_path / "model").exists()
    code, out, err = nearby("recommend", "fit", path, "-o", tmp_path / "model", "-s", "mf:1", "--skip-bad")
    assert code == 0
    assert "3 ratings" in out
    assert f"left out: {path}:3" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("fit", "digits", "-o", "OUT"), "not a table of ratings"),
        (("fit", "ratings-example", "-o", "OUT", "-s", "pca:2"), "such as 'mf:15'"),
        (("fit", "ratings-example", "-o", "OUT", "-s", "mf:0"), "at least 1"),
        (("predict", "nowhere", "A", "1"), "nowhere"),
        (("predict", "MODEL", "Z", "1"), "unknown user 'Z'"),
        (("similar", "MODEL", "9"), "unknown item '9'"),
        (("for", "MODEL", "Z"), "unknown user 'Z'"),
    ],
)
def test_bad_input_is_one_clear_sentence(nearby, tmp_path, arguments, words):
    Recommender.fit(open_corpus("ratings-example"), "mf:1,epochs=2").save(tmp_path / "model")
    places = {"OUT": tmp_path / "out", "MODEL": tmp_path / "model"}
    code, out, err = nearby("recommend", *(places.get(argument, argument) for argument in arguments))
    assert (code, out) == (2, "")
    assert words in err
    assert err.startswith("nearby: ")
    assert err.count("\n") == 1


def test_factors_of_other_users_are_refused(tmp_path):
    model = Recommender.fit(open_corpus("ratings-example"), "mf:2,solver=als")
    model.encoder.factors = replace(model.encoder.factors, row_bias=model.encoder.factors.row_bias[:0])
    model.save(tmp_path / "r")
    with pytest.raises(ArtifactError, match="its factors are not those of its users and items"):
        Recommender.load(tmp_path / "r")
