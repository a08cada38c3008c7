"""Ratings as corpora: tables, MovieLens, the worked example."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from encoders.codes import Modality
from encoders.errors import CorpusError
from retrieval.corpora import ratings
from retrieval.corpora.movielens import MovieLens
from retrieval.corpora.registry import format_of, open_corpus

ROWS = [("b", "x", 1), ("a", "x", 5), ("b", "y", 2.5), ("c", "z", 0)]
NAN = float("nan")
EXAMPLE = [[5, 3, NAN, 1], [4, 3, NAN, 1], [1, 1, NAN, 5], [1, NAN, 4, 4], [NAN, 1, 5, 4]]


def write(path, rows=ROWS, head=("user", "item", "rating"), mark=",", more=""):
    text = "\n".join(mark.join(map(str, row)) for row in [head, *rows]) + "\n" + more
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def cells(corpus) -> list[tuple[str, str, float]]:
    users, items, matrix = corpus.ratings()
    rows = np.repeat(np.arange(len(users)), np.diff(matrix.indptr))
    found = zip(rows, matrix.indices, matrix.data, strict=True)
    return sorted((users[row], items[column], float(value)) for row, column, value in found)


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.csv.gz", "t.tsv.gz"])
@pytest.mark.parametrize("mark", [",", "\t"])
@pytest.mark.parametrize("head", [("user", "item", "rating"), ("userId", "movieId", "rating"), ("user_id", "movie", "score")])  # fmt: skip
def test_a_table_is_known_by_its_first_line(tmp_path, name, mark, head):
    path = write(tmp_path / name, head=head, mark=mark)
    assert format_of(path) == "ratings"
    corpus = open_corpus(str(path))
    assert corpus.modality is Modality.VECTOR
    assert cells(corpus) == sorted(ROWS)
    assert corpus.ratings().users == ["b", "a", "c"]  # as they come first


def test_other_names_are_given_and_other_columns_left_alone(tmp_path):
    path = write(tmp_path / "t.csv", [(9, "x", "a", 3), (8, "y", "b", 4)], ("time", "what", "who", "stars"))
    assert format_of(path) == "csv"
    assert cells(open_corpus(f"{path}?user=who&item=what&rating=stars")) == [("a", "x", 3.0), ("b", "y", 4.0)]
    with pytest.raises(CorpusError, match="no column 'whom'; its columns: time, what, who, stars"):
        open_corpus(f"{path}?user=whom&item=what&rating=stars").ratings()


def test_a_table_of_texts_with_ratings_is_one_of_texts(tmp_path):
    assert format_of(write(tmp_path / "t.csv", [("good", 5)], ("text", "rating"))) == "csv"


def test_quotes_and_a_byte_order_mark(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('"user","item","rating"\r\n"Ann, B.","a ""film""",3\r\n', encoding="utf-8-sig")
    assert cells(open_corpus(str(path))) == [("Ann, B.", 'a "film"', 3.0)]


@pytest.mark.parametrize(
    "line", ["a,y", "a,y,good", "a,y,nan", "a,y,inf", "a,y,", ",y,3", "a,,3", "x" * 140_000 + ",y,3"],
    ids=["short", "word", "nan", "inf", "nothing", "no user", "no item", "long"],
)  # fmt: skip
def test_a_broken_line_is_named_and_may_be_left_out(tmp_path, left_out, line):
    path = write(tmp_path / "t.csv", ROWS[:2], more=f"\n{line}\nc,z,4\n")
    with pytest.raises(CorpusError, match=r"t\.csv:5: ") as said:
        open_corpus(str(path)).ratings()
    assert len(str(said.value)) <= 200
    assert cells(open_corpus(str(path), on_bad=left_out.append)) == [("a", "x", 5.0), ("b", "x", 1.0), ("c", "z", 4.0)]
    assert len(left_out) == 1


def test_what_is_not_utf8_is_said(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes("user,item,rating\na,café,3\n".encode("latin-1"))
    with pytest.raises(CorpusError, match=r"t\.csv:2: the line is not utf-8"):
        open_corpus(str(path)).ratings()


def test_an_item_rated_twice_by_a_user_is_refused(tmp_path):
    path = write(tmp_path / "t.csv", [*ROWS, ("b", "y", 4)])
    with pytest.raises(CorpusError, match=r"t\.csv: user 'b' rated item 'y' more than once"):
        open_corpus(str(path)).ratings()


def test_a_table_without_ratings_is_refused(tmp_path):
    with pytest.raises(CorpusError, match="holds no ratings"):
        open_corpus(str(write(tmp_path / "t.csv", []))).ratings()


@pytest.mark.parametrize("by", ["item", "user"])
def test_an_item_of_the_corpus_is_a_column_or_a_row(tmp_path, by):
    corpus = open_corpus(f"{write(tmp_path / 't.csv')}?by={by}")
    rows = np.array([[1, 2.5, NAN], [5, NAN, NAN], [NAN, NAN, 0]])  # b, a, c by x, y, z; a rating of 0 is one
    for _ in range(2):  # every iter() starts over
        np.testing.assert_array_equal(np.stack([item.content for item in corpus]), rows if by == "user" else rows.T)
    assert [item.id for item in corpus] == (["b", "a", "c"] if by == "user" else ["x", "y", "z"])
    assert corpus.size == 3
    assert corpus.queries_are_items


def test_rows_too_wide_to_be_dense_are_left_to_recommend(tmp_path, monkeypatch):
    monkeypatch.setattr(ratings, "WIDEST", 2)
    corpus = open_corpus(str(write(tmp_path / "t.csv")))
    assert corpus.ratings().matrix.shape == (3, 3)
    with pytest.raises(CorpusError, match="rows of 3 ratings, more than 2: use  nearby recommend fit"):
        list(corpus)


def test_the_worked_example():
    corpus = open_corpus("ratings-example?by=user")
    assert [item.id for item in corpus] == list("ABCDE")
    assert corpus.ratings().items == list("1234")
    np.testing.assert_array_equal(np.stack([item.content for item in corpus]), EXAMPLE)
    assert corpus.ratings().matrix.nnz == 15


def movielens(folder, data="1\t7\t4\t0\n2\t7\t3\t0\n", films="7|Toy Story (1995)|01-Jan-1995||http|0|0|0|1|1|1|0|0|0|0|0|0|0|0|0|0|0|0|0\n"):  # fmt: skip
    (folder / "u.data").write_text(data)
    (folder / "u.item").write_text(films, encoding="latin-1")
    return MovieLens(folder, "ml-100k")


def test_movielens_names_the_films(tmp_path):
    (film,) = movielens(tmp_path)
    assert (film.id, film.title, film.label, film.content.tolist()) == ("7", "Toy Story (1995)", "Animation", [4, 3])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("1\t7\t4\n", "four cells per line"),
        ("1\t7\tgood\t0\n", "numbers in its third column"),
        ("", "holds no ratings"),
        ("1\t7\t4\t0\n1\t7\t4\t9\n", "user '1' rated item '7' more than once"),
    ],
)
def test_a_damaged_movielens_is_refused(tmp_path, data, words):
    with pytest.raises(CorpusError, match=words):
        movielens(tmp_path, data).ratings()
    with pytest.raises(CorpusError, match="does not exist"):
        MovieLens(tmp_path / "nowhere", "ml-100k").ratings()


def test_movielens_100k_is_whole(real_data):
    corpus = MovieLens(real_data("ml-100k"), "ml-100k")
    users, items, matrix = corpus.ratings()
    assert (len(users), len(items), matrix.nnz) == (943, 1682, 100_000)
    assert sorted(np.unique(matrix.data).tolist()) == [1, 2, 3, 4, 5]
    assert matrix.mean() * 943 * 1682 / 100_000 == pytest.approx(3.52986)
    assert np.diff(matrix.indptr).min() == 20  # everyone rated at least 20 films
    title, genre = corpus.described()["50"]
    assert (title, genre) == ("Star Wars (1977)", "Action")
    assert len(corpus.described()) == 1682
    assert sum(1 for _ in corpus) == corpus.size == 1682
