"""Rows of a table as codes: types, scaling, categories, dates, missing values, bad input, saving, and the way back."""

from __future__ import annotations

import json
import math
import random

import numpy as np
import pytest

from encoders import progress
from encoders.base import Encoder
from encoders.codes import Batch
from encoders.errors import ArtifactError, BadItemError, DimensionError, OptionError, UnknownNameError
from encoders.registry import create
from encoders.row import Row, plain_value, written_value
from encoders.table import column_survey, number_sample, number_text
from encoders.table.number_sample import KEPT, NumberSample
from encoders.table.scaling import fitted_scaling

NAMES = ("amount", "type", "when")


@pytest.fixture(autouse=True)
def _say_again():
    """Lines are said once in a process: each test begins anew."""
    progress._print_once.cache_clear()


def table(*columns, names=None):
    """Rows of columns of values."""
    named = tuple(names or (f"c{number}" for number in range(len(columns))))
    return [Row(named, values) for values in zip(*columns, strict=True)]


def transactions(count=60):
    rng = random.Random(1)
    return [
        Row(NAMES, (round(rng.lognormvariate(3, 2), 2), rng.choice(["PAYMENT", "CASH_OUT", "DEBIT"]), f"2026-01-{1 + n % 28:02d}"))
        for n in range(count)
    ]  # fmt: skip


def test_a_row_finds_its_values_by_name():
    row = Row.of({"amount": 12, "type": "x", "none": None})
    assert (row["amount"], row["type"], row["none"]) == (12.0, "x", None)
    with pytest.raises(KeyError):
        row["other"]
    assert row == Row(("amount", "type", "none"), (12.0, "x", None))
    assert len({row, Row.of({"amount": 12.0, "type": "x", "none": None})}) == 1
    assert row.nbytes == 17
    for value in (math.nan, math.inf, b"x", [1], 1, True):
        with pytest.raises(BadItemError, match=r"a row holds .*: its values are finite numbers"):
            Row(("a", "b"), (1.0, value)).to_bytes()
    assert [written_value(plain_value(value)) for value in (np.float32(0.5), np.int64(7), -0.0, 10**16)] == ["0.5", "7", "0", "1" + "0" * 16]  # fmt: skip


def test_a_long_row_is_shown_in_few_letters():
    text = str(Row(tuple(f"n{n}" for n in range(500)), ("word " * 20,) * 500))
    assert len(text) < 500
    assert text.endswith("…")


def test_types_are_guessed():
    rows = table(
        [1.0, 2.0, 3.0, None], ["a", "b", "a", None], ["2026-01-01", "2026-01-02", None, "2026-05-05"],
        ["29.11.2026 10:00", "30.11.2026 11:00", "01.12.2026 12:30", "02.12.2026 00:00"], [None] * 4,
        names=("number", "text", "day", "time", "empty"),
    )  # fmt: skip
    encoder = create("columns").fit(rows)
    assert encoder.column_types() == {
        "number": "numeric", "text": "categorical", "day": "date", "time": "date",
        "empty": "left out: every value is missing",
    }  # fmt: skip
    assert encoder.vocabulary == [
        "number", "number missing", "text=a", "text=b", "text other", "text missing", "day", "day missing",
        "time", "time hour sin", "time hour cos", "time weekday sin", "time weekday cos",
    ]  # fmt: skip
    assert len(encoder.vocabulary) == encoder.space.dim


def test_the_types_are_said(capsys):
    rows = table([1.0, 2.0], ["a", "b"], ["2026-01-01", "2026-01-02"], [None, None], names=("n", "t", "d", "e"))
    create("columns").fit(rows)
    assert capsys.readouterr().err == (
        "columns: 1 numeric (n), 1 categorical (t), 1 date (d); e is left out: every value is missing\n"
    )


def test_types_can_be_given():
    rows = table(["1", "2", "007"], [10115.0, 20095.0, 10115.0], [0.0, 86_400.0, 86_401.0], names=("n", "zip", "t"))
    encoder = create("columns:numeric=n,categorical=zip,date=t").fit(rows)
    assert encoder.column_types() == {"n": "numeric", "zip": "categorical", "t": "date"}
    assert encoder.vocabulary[:4] == ["n", "zip=10115", "zip=20095", "zip other"]
    back = encoder.decode(encoder.encode(rows))
    assert [row.values for row in back] == [
        (1.0, 10115.0, "1970-01-01T00:00:00"), (2.0, 20095.0, "1970-01-02T00:00:00"), (7.0, 10115.0, "1970-01-02T00:00:01"),
    ]  # fmt: skip
    assert create(str(encoder)) == encoder
    assert create('columns:categorical="n,zip"').categorical == ("n", "zip")


@pytest.mark.parametrize(
    ("spec", "error", "message"),
    [
        ("columns:numeric=m", UnknownNameError, "unknown column 'm' for numeric="),
        ("columns:numeric=amont", UnknownNameError, "did you mean 'amount'"),
        ("columns:numeric=type,date=type", OptionError, "'type' is given as numeric and as date"),
        ("columns:max-categories=0", OptionError, "max-categories should be at least 1"),
        ("columns:rare=-1", OptionError, "rare should be at least 0"),
        ("columns:log=yes", OptionError, "log is one of auto, none"),
    ],
)
def test_options_are_checked(spec, error, message):
    with pytest.raises(error, match=message):
        create(spec).fit(transactions())


def test_scaling_is_that_of_scikit_learn():
    from sklearn.preprocessing import RobustScaler

    numbers = np.random.default_rng(0).normal(5, 3, (400, 3))
    rows = table(*numbers.T.tolist())
    codes = create("columns").fit(rows).encode(rows)
    np.testing.assert_allclose(codes, RobustScaler().fit_transform(numbers), rtol=1e-5, atol=1e-6)


def test_a_skewed_column_gets_a_logarithm_of_which_the_unit_changes_nothing():
    numbers = np.random.default_rng(0).lognormal(0, 3, 500)
    codes = []
    for factor in (1.0, 1e-9, 1e12):
        rows = table((numbers * factor).tolist())
        encoder = create("columns").fit(rows)
        assert encoder.column_details() == {"c0": "logarithm"}
        codes.append(encoder.encode(rows))
    np.testing.assert_allclose(codes[1], codes[0], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(codes[2], codes[0], rtol=1e-4, atol=1e-5)
    assert np.abs(codes[0]).max() < 5
    plain = create("columns:log=none").fit(rows)
    assert plain.column_details() == {"c0": ""}
    assert np.abs(plain.encode(rows)).max() > 100


def test_where_half_the_numbers_are_equal_the_standard_deviation_scales():
    numbers = [0.0] * 90 + [float(number % 3) for number in range(10)]
    assert fitted_scaling(np.array(numbers), log=False).spread == pytest.approx(np.std(numbers))


def test_codes_do_not_depend_on_the_order_of_rows_or_batches():
    rows = transactions(300)
    mixed = random.Random(0).sample(rows, len(rows))
    first, second = create("columns").fit(rows), create("columns")
    second.fit([Batch(mixed[start : start + 7]) for start in range(0, 300, 7)])
    np.testing.assert_array_equal(first.encode(rows), second.encode(rows))
    assert first.vocabulary == second.vocabulary


def test_columns_may_stand_in_another_order():
    rows = transactions()
    encoder = create("columns").fit(rows)
    turned = [Row(row.names[::-1], row.values[::-1]) for row in rows]
    np.testing.assert_array_equal(encoder.encode(turned), encoder.encode(rows))
    np.testing.assert_array_equal(encoder.encode([*rows[:3], *turned[3:]]), encoder.encode(rows))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (Row(NAMES[:2], (1.0, "x")), "a row has no column 'when', which this space reads"),
        (Row((*NAMES, "tpye"), (1.0, "x", None, "y")), r"a row has a column 'tpye', .*did you mean 'type'"),
        (Row(("amount", "amount", "type", "when"), (1.0, 2.0, "x", None)), "two columns of one name"),
    ],
)
def test_a_row_with_other_columns_is_refused(row, message):
    encoder = create("columns").fit(transactions())
    for rows in ([row], [*transactions(2), row]):
        with pytest.raises(DimensionError, match=message):
            encoder.encode(rows)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (Row(NAMES, (math.inf, "x", None)), "row 0: the column 'amount' is infinite"),
        (Row(NAMES, (1.0, -math.inf, None)), "row 0: the column 'type' is infinite"),
        (Row(NAMES, (1.0, b"x", None)), "the column 'type' holds a value of the type bytes"),
        (Row(NAMES, (True, "x", None)), "the column 'amount' holds a value of the type bool"),
        (Row(NAMES, (1.0,)), "row 0 has 3 columns and 1 values"),
        ({"amount": 1.0}, "item 0 should be a row of a table"),
    ],
)
def test_bad_values_are_refused_in_fits_and_queries(row, message):
    with pytest.raises(BadItemError, match=message):
        create("columns").fit([row])
    with pytest.raises(BadItemError, match=message):
        create("columns").fit(transactions()).encode([row])


def test_odd_texts_among_numbers_count_as_missing_and_are_said(capsys):
    rows = table([*map(float, range(97)), "inf", "many", "12"], names=("amount",))
    encoder = create("columns").fit(rows)
    assert encoder.vocabulary == ["amount", "amount missing"]
    assert "amount: 2 of 100 values are not numbers, such as 'inf', and count as missing" in capsys.readouterr().err
    codes = encoder.encode(rows)
    assert codes[97:, 1].tolist() == [1, 1, 0]
    assert codes[99, 0] == codes[12, 0]


def test_all_rows_equal_are_zeros_and_one_that_differs_is_not():
    rows = table([7.0] * 5, ["x"] * 5)
    encoder = create("columns").fit(rows)
    assert encoder.encode(rows).tolist() == [[0, 1, 0]] * 5
    assert encoder.encode(table([14.0], ["y"])).tolist() == [[1, 0, 1]]


def test_nothing_that_can_be_encoded_is_said():
    every = r"no column is left to encode \(c0: every value is missing; c1: every value is missing\)"
    with pytest.raises(BadItemError, match=every):
        create("columns").fit(table([None, math.nan], ["", None]))
    with pytest.raises(BadItemError, match="names that differ"):
        create("columns").fit([Row((), ())])
    with pytest.raises(BadItemError, match="names that differ"):
        create("columns").fit([Row(("a", "a"), (1.0, 2.0))])
    with pytest.raises(BadItemError, match="no number among its values"):
        create("columns:numeric=c0").fit(table(["a", "b"]))


def test_missing_values_where_the_fit_had_none_are_the_median_or_other():
    rows = table([1.0, 2.0, 3.0], ["a", "b", "a"])
    encoder = create("columns").fit(rows)
    assert encoder.encode(table([None], [None])).tolist() == [[0, 0, 0, 1]]


def test_rare_and_unseen_categories_are_joined():
    rows = table(["a"] * 50 + ["b"] * 45 + ["c"] * 4 + ["d"])
    assert create("columns").fit(rows).vocabulary == ["c0=a", "c0=b", "c0=c", "c0=d", "c0 other"]
    assert create("columns:rare=0.02").fit(rows).vocabulary == ["c0=a", "c0=b", "c0=c", "c0 other"]
    encoder = create("columns:rare=5").fit(rows)
    assert encoder.vocabulary == ["c0=a", "c0=b", "c0 other"]
    codes = encoder.encode(table(["a", "c", "new"]))
    assert codes.tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 1]]
    assert [row.values for row in encoder.decode(codes)] == [("a",), ("other",), ("other",)]


def test_a_column_of_rare_categories_alone_is_left_out():
    rows = table(["a", "b"] * 20, [f"u{number % 20}" for number in range(40)])
    encoder = create("columns:rare=3").fit(rows)
    assert encoder.left_out == {"c1": "20 different texts, each in fewer than 3 rows (rare= changes that)"}
    assert create("columns:rare=2").fit(rows).space.dim == 3 + 21


def test_too_many_categories_are_bounded_and_said(capsys):
    texts = [f"v{number % 150:03d}" for number in range(1500)] + ["v000"] * 5
    encoder = create("columns:max-categories=10").fit(table(texts, names=("url",)))
    assert encoder.space.dim == 11
    assert encoder.vocabulary[0] == "url=v000"
    assert "url: the 10 most frequent of 150 categories are kept" in capsys.readouterr().err


def test_a_column_of_numbers_and_other_texts_is_left_out_with_its_reason(capsys):
    values = [f"{number}.25" if number % 7 else "inf" for number in range(100)]
    rows = table(list(map(float, range(100))), values, names=("n", "amount"))
    assert create("columns").fit(rows).left_out == {
        "amount": "85 of 100 values are numbers, too few (numeric= reads them)"
    }
    assert create("columns:numeric=amount").fit(rows).left_out == {}


def test_a_million_texts_are_an_identifier_and_left_out(capsys, monkeypatch):
    monkeypatch.setattr(column_survey, "COUNTED", 500)  # so that the rarest are forgotten in a short test
    rows = table(list(map(float, range(5000))), [f"C{number}" for number in range(5000)], names=("n", "account"))
    encoder = create("columns").fit([Batch(rows[start : start + 100]) for start in range(0, 5000, 100)])
    assert encoder.vocabulary == ["n"]
    assert encoder.left_out["account"].endswith("different texts in 5,000 rows, as an identifier has")
    assert encoder.left_out["account"].startswith("more than")
    assert "account is left out" in capsys.readouterr().err
    assert encoder.decode(encoder.encode(rows[:1])) == [Row(("n", "account"), (0.0, None))]
    lacking = [Row(("n",), (3.0,))]
    np.testing.assert_array_equal(encoder.encode(lacking), encoder.encode(rows[3:4]))  # it is not read
    kept = create("columns:categorical=account,max-categories=3,rare=0").fit(rows)
    assert kept.space.dim == 1 + 3 + 1


def test_many_dates_are_not_forgotten(monkeypatch):
    monkeypatch.setattr(column_survey, "COUNTED", 50)
    days = [f"20{year:02d}-{month:02d}-{day:02d}" for year in range(10, 30) for month in range(1, 13) for day in (1, 9)]
    rows = table(days)
    parts = create("columns").fit([Batch(rows[start : start + 20]) for start in range(0, len(rows), 20)])
    whole = create("columns").fit(rows)
    np.testing.assert_array_equal(parts.encode(rows), whole.encode(rows))
    assert [row.values[0] for row in parts.decode(parts.encode(rows))] == days


def test_long_tables_are_sampled_whatever_their_batches_are(monkeypatch):
    monkeypatch.setattr(number_sample, "KEPT", 100)
    found = []
    for size in (7, 1000):
        sample = NumberSample()
        for start in range(0, 1000, size):
            sample.add(np.arange(start, min(1000, start + size), dtype=float))
        assert sample.seen == 1000
        found.append(sample.numbers())
    np.testing.assert_array_equal(*found)
    assert 30 <= len(found[0]) <= 100
    assert 350 < found[0].mean() < 650


def test_the_phases_of_day_and_week():
    monday, later = "2026-11-23T06:00:00", "2026-11-30T06:00:00"
    codes = create("columns").fit(table([monday, later])).encode(table([monday, later]))
    np.testing.assert_allclose(codes[0, 1:3], [1, 0], atol=1e-6)  # a quarter of the day
    np.testing.assert_array_equal(codes[0, 1:], codes[1, 1:])
    assert codes[0, 0] != codes[1, 0]


@pytest.mark.parametrize("largest", [1e300, 1e-300, 1.7e308])
def test_extreme_numbers_give_finite_codes(largest):
    rows = table([-largest, 0.0, 1.0, largest, largest / 3])
    for spec in ("columns", "columns:log=none"):
        encoder = create(spec).fit(rows)
        codes = encoder.encode([*rows, *table([1.7e308])])
        assert np.isfinite(codes).all()
        assert np.isfinite(np.square(codes)).all()
        assert all(isinstance(row.values[0], float) and math.isfinite(row.values[0]) for row in encoder.decode(codes))


def test_a_row_comes_back():
    rows = transactions()
    encoder = create("columns").fit(rows)
    for before, after in zip(rows, encoder.decode(encoder.encode(rows)), strict=True):
        assert after.names == before.names
        assert after["amount"] == pytest.approx(before["amount"], rel=1e-4, abs=0.01)
        assert (after["type"], after["when"]) == (before["type"], before["when"])
    np.testing.assert_allclose(encoder.encode(encoder.reconstruct(rows)), encoder.encode(rows), atol=1e-4)


def test_codes_of_another_method_are_decoded_to_rows():
    rows = transactions()
    encoder = create("columns+pca:5").fit(rows)
    decoded = encoder.decode(encoder.encode(rows))
    agree = sum(after["type"] == before["type"] for before, after in zip(rows, decoded, strict=True))
    assert agree > 50


def test_components_are_found_by_column():
    encoder = create("columns").fit(transactions())
    found = {name: encoder.vocabulary[part] for name, part in encoder.components_of().items()}
    assert found == {
        "amount": ["amount"], "type": ["type=CASH_OUT", "type=DEBIT", "type=PAYMENT", "type other"], "when": ["when"],
    }  # fmt: skip


def test_what_was_saved_is_checked(tmp_path):
    rows = transactions()
    encoder = create("columns").fit(rows)
    folder = encoder.save(tmp_path / "e")
    loaded = Encoder.load(folder)
    np.testing.assert_array_equal(loaded.encode(rows), encoder.encode(rows))
    assert loaded.column_types() == encoder.column_types()
    assert loaded.decode(loaded.encode(rows)) == encoder.decode(encoder.encode(rows))
    good = json.loads((folder / "manifest.json").read_text())
    good.pop("digest")  # an older nearby wrote no checksum
    for change in (
        {"names": ["amount"]}, {"names": 5}, {"left_out": {"amount": "x"}}, {"columns": good["learnt"]["columns"][:2]},
        {"columns": [{**column, "type": "blob"} for column in good["learnt"]["columns"]]},
        {"columns": [{**column, "missing": 1} for column in good["learnt"]["columns"]]},
        {"columns": [{**column, "categories": ["a", "a", "b"]} for column in good["learnt"]["columns"]]},
        {"columns": [{**column, "numbers": True} for column in good["learnt"]["columns"]]},
    ):  # fmt: skip
        changed = {**good, "learnt": {**good["learnt"], **change}}
        (folder / "manifest.json").write_text(json.dumps(changed))
        with pytest.raises(ArtifactError, match="corrupt"):
            Encoder.load(folder)


def test_a_regular_pattern_is_not_lost_in_a_large_table():
    """A sample by a fixed stride would see every second row alone."""
    rows = [Row(("a", "b"), (float(at % 2), 1000.0 if at % 2 else 1.0)) for at in range(2 * KEPT + 10)]
    parts = [rows[start : start + 50_000] for start in range(0, len(rows), 50_000)]
    encoder = create("columns:categorical=a,log=none").fit([Batch(part) for part in parts])
    assert encoder.vocabulary[:2] == ["a=0", "a=1"]
    low, high = encoder.encode(rows[:2])[:, -1].tolist()
    assert 0.5 < high - low < 10  # with one of the two values alone, the other would be 999


def test_values_that_cannot_be_read_are_said(capsys):
    rows = [Row(("amount", "day"), (float(at), f"2026-01-{at % 28 + 1:02d}")) for at in range(60)]
    encoder = create("columns").fit(rows)
    capsys.readouterr()
    encoder.encode([Row(("amount", "day"), ("12,50", "03/04/2026"))])
    said = capsys.readouterr().err
    assert "amount: '12,50' is not a number, so it counts as missing" in said
    assert "day: '03/04/2026' is not a date, so it counts as missing" in said
    assert "amount: no value was missing in the fit" in said


def fitted(*texts, spec="columns"):
    rows = table(texts)
    encoder = create(spec).fit(rows)
    return encoder, encoder.encode(rows)


@pytest.mark.parametrize("odd_at", [0, 1500, 2999])
@pytest.mark.parametrize("odd", ["a word", 5.0])
def test_all_rows_count_for_the_type_wherever_they_stand(odd_at, odd):
    """A type that is guessed from the first rows would depend on their order."""
    days = [f"{1 + n % 28:02d}.{1 + n % 12:02d}.{1900 + n // 28}" for n in range(3000)]
    for values in (days, [float(n) for n in range(3000)], [f"{n},5" for n in range(3000)]):
        mixed = [*values[:odd_at], odd, *values[odd_at + 1 :]]
        assert create("columns").fit(table(mixed)).column_types() == create("columns").fit(table(values)).column_types()


@pytest.mark.parametrize("first", [0, 1000])
def test_words_after_a_thousand_dates_decide_too(first):
    days = [f"2026-{1 + n % 12:02d}-{1 + n % 28:02d}" for n in range(1000)]
    words = [f"word {n % 10}" for n in range(1000)]
    values = words + days if first else days + words
    assert create("columns").fit(table(values)).column_types() == {"c0": "categorical"}


def test_types_and_values_outlast_forgotten_texts(monkeypatch):
    monkeypatch.setattr(column_survey, "COUNTED", 50)
    values = [f"{n:,}" for n in range(1000, 3000)]
    rows = table(values)
    parts = create("columns").fit([Batch(rows[start : start + 70]) for start in range(0, 2000, 70)])
    assert parts.column_types() == {"c0": "numeric"}
    np.testing.assert_array_equal(parts.encode(rows), create("columns").fit(rows).encode(rows))
    plain = table([float(n) for n in range(1000, 3000)])
    np.testing.assert_array_equal(parts.encode(rows), create("columns").fit(plain).encode(plain))


@pytest.mark.parametrize(
    ("texts", "numbers"),
    [
        (("1,234", "12.5", "1,234,567"), (1234, 12.5, 1234567)), (("1.234,5", "12,5", "3"), (1234.5, 12.5, 3)),
        (("$5", "-$1,000", "$2.50"), (5, -1000, 2.5)), (("5%", "7.5 %", "-1%"), (0.05, 0.075, -0.01)),
        (("1 234,5", "12,5", "7"), (1234.5, 12.5, 7)), (("1'234.5", "2", "3"), (1234.5, 2, 3)),
        (("1.10", "1.0E7", "2."), (1.1, 1e7, 2)), (("1.234", "1,5", "2"), (1234, 1.5, 2)), (("1.234", "1.5", "2"), (1.234, 1.5, 2)),
    ],
)  # fmt: skip
def test_numbers_as_people_write_them(texts, numbers):
    """Read from a file, they have the codes of the numbers themselves."""
    from retrieval.corpora.rows import cell_value

    encoder, codes = fitted(*map(cell_value, texts), spec="columns:log=none")
    assert encoder.column_types() == {"c0": "numeric"}
    np.testing.assert_allclose(codes, fitted(*map(float, numbers), spec="columns:log=none")[1], rtol=1e-6)


@pytest.mark.parametrize(
    ("texts", "dates"),
    [
        (("05/01/2024", "31/01/2024"), ("2024-01-05", "2024-01-31")), (("05/01/2024", "01/31/2024"), ("2024-05-01", "2024-01-31")),
        (("2024.01.05", "2024.02.01"), ("2024-01-05", "2024-02-01")), (("5 Jan 2024", "Feb 1, 2024"), ("2024-01-05", "2024-02-01")),
        (("5-1-2024", "31-1-2024"), ("2024-01-05", "2024-01-31")), (("05.01.2024", "01.02.2024"), ("2024-01-05", "2024-02-01")),
        (("Fri, 05 Jan 2024 10:00:00 +0000", "6 January 2024 11:00"), ("2024-01-05T10:00:00", "2024-01-06T11:00:00")),
        (("1/31/2024 3:30 PM", "1/31/2024 12:00 AM"), ("2024-01-31T15:30:00", "2024-01-31T00:00:00")),
    ],
)  # fmt: skip
def test_dates_as_people_write_them(texts, dates, capsys):
    encoder, codes = fitted(*texts)
    assert encoder.column_types() == {"c0": "date"}
    assert [row.values[0] for row in encoder.decode(codes)] == list(dates)
    assert "may be" not in capsys.readouterr().err


def test_what_nothing_decides_is_said_and_can_be_given(capsys):
    encoder, codes = fitted("05/01/2024", "06/01/2024")
    assert "c0: '05/01/2024' may be 2024-05-01 or 2024-01-05" in capsys.readouterr().err
    assert [row.values[0] for row in encoder.decode(codes)] == ["2024-05-01", "2024-06-01"]
    encoder, codes = fitted("05/01/2024", "06/01/2024", spec="columns:date-order=day")
    assert [row.values[0] for row in encoder.decode(codes)] == ["2024-01-05", "2024-01-06"]
    assert "may be" not in capsys.readouterr().err
    encoder, codes = fitted("1,234", "5,678")
    assert "c0: '1,234' may be 1234 or 1.234" in capsys.readouterr().err
    assert encoder.decode(codes)[0].values == (1234.0,)
    encoder, codes = fitted("1,234", "5,678", spec="columns:decimal=comma")
    assert encoder.decode(codes)[0].values == (1.234,)
    assert "may be" not in capsys.readouterr().err


def test_a_category_is_its_text():
    values = ["1.1", "1.10", "007", 7.0, "7.0", 0.1 + 0.2, 0.3]
    encoder, codes = fitted(*values, spec="columns:categorical=c0")
    assert len(np.unique(codes, axis=0)) == len(values)
    assert encoder.space.dim == len(values) + 1


def test_codes_and_versions_among_numbers_are_said(capsys):
    encoder, _ = fitted("1.1", "1.10", "1.2", "2.0")
    assert encoder.column_types() == {"c0": "numeric"}
    said = capsys.readouterr().err
    assert "columns: 1 numeric (c0)" in said
    assert "c0: '1.1' and '1.10' are the same number: if they are codes, categorical=c0 keeps them apart" in said
    assert fitted("007", "7", "012", "12")[0].column_types() == {"c0": "categorical"}
    fitted(*map(float, range(99)), "007")
    assert "c0: 1 of 100 values are written as codes are, such as '007'" in capsys.readouterr().err


def test_marks_that_mix_units_are_said(capsys):
    fitted("5%", "5", "6")
    assert "1 of 3 values are percentages: 5% is 0.05, and 5 is 5" in capsys.readouterr().err
    fitted("$5", "€5")
    assert "in several currencies ($, €), which are not converted" in capsys.readouterr().err


def test_a_number_among_guessed_dates_is_no_date(capsys):
    days = [f"2026-01-{1 + n % 28:02d}" for n in range(99)]
    _, codes = fitted(*days, 2024.0)
    assert codes[-1].tolist() == [0.0, 1.0]
    assert "1 of 100 values are not dates, such as '2024', and count as missing" in capsys.readouterr().err
    assert create("columns:date=c0").fit(table([*days, 2024.0])).encode(table([2024.0]))[0, 0] != 0


def test_how_texts_are_read_is_saved(tmp_path):
    rows = table(["1,5", "1.234,5", "3"], ["31/01/2024", "05/01/2024", "1/1/2024"])
    encoder = create("columns").fit(rows)
    loaded = Encoder.load(encoder.save(tmp_path / "e"))
    np.testing.assert_array_equal(loaded.encode(rows), encoder.encode(rows))
    assert loaded.column_details() == encoder.column_details() == {"c0": "decimal comma", "c1": "day first"}


def written_rows(count=200, factor=1.0):
    """Rows with numbers, numbers as people write them, categories, dates and missing values."""
    rng = random.Random(3)
    rows = []
    for n in range(count):
        number = round(rng.gauss(100, 30), 3)
        values = (
            number * factor,
            f"${n * 1000:,}",
            rng.choice(["a", "b", "1.10", "1.1", None]),
            f"{1 + n % 28}/{1 + n % 12}/2024",
        )
        rows.append(Row(("number", "price", "kind", "day"), values))
    return rows


def test_another_unit_changes_no_code():
    first, second = written_rows(), written_rows(factor=1000.0)
    codes = [create("columns").fit(rows).encode(rows) for rows in (first, second)]
    np.testing.assert_allclose(codes[1], codes[0], rtol=1e-5, atol=1e-6)


def test_a_row_alone_has_the_code_that_it_has_among_others():
    rows = written_rows()
    encoder = create("columns").fit(rows)
    alone = np.concatenate([encoder.encode([row]) for row in rows])
    np.testing.assert_array_equal(alone, encoder.encode(rows))
    np.testing.assert_array_equal(np.concatenate([encoder.encode_queries([row]) for row in rows]), alone)


def test_another_order_of_columns_permutes_the_components():
    rows = written_rows()
    turned = [Row(row.names[::-1], row.values[::-1]) for row in rows]
    first, second = create("columns").fit(rows), create("columns").fit(turned)
    assert sorted(first.vocabulary) == sorted(second.vocabulary)
    order = [second.vocabulary.index(name) for name in first.vocabulary]
    np.testing.assert_array_equal(second.encode(turned)[:, order], first.encode(rows))


def test_names_of_columns_change_no_code():
    rows = written_rows()
    renamed = [Row(("d", "c", "b", "a"), row.values) for row in rows]
    np.testing.assert_array_equal(
        create("columns").fit(renamed).encode(renamed), create("columns").fit(rows).encode(rows)
    )


def test_repeated_and_permuted_rows_learn_the_same():
    rows = written_rows(201)  # of an odd number of rows, the quartiles are values
    encoder = create("columns").fit(rows)
    again = create("columns").fit(random.Random(5).sample(rows * 3, len(rows) * 3))
    assert again.vocabulary == encoder.vocabulary
    assert again.column_types() == encoder.column_types()
    np.testing.assert_allclose(again.encode(rows), encoder.encode(rows), rtol=0.02, atol=0.02)
    np.testing.assert_array_equal(again.encode(rows * 2)[: len(rows)], again.encode(rows * 2)[len(rows) :])


def test_a_query_that_lacks_columns_has_zeros_for_them():
    rows = written_rows()
    encoder = create("columns").fit(rows)
    whole, part = encoder.encode(rows[:1])[0], encoder.encode_queries([Row(("kind",), (rows[0]["kind"],))])[0]
    given = encoder.components_of()["kind"]
    np.testing.assert_array_equal(part[given], whole[given])
    assert not np.delete(part, np.arange(given.start, given.stop)).any()
    with pytest.raises(DimensionError, match="does not know"):
        encoder.encode_queries([Row(("kindd",), ("a",))])
    with pytest.raises(DimensionError, match="has no column 'number'"):
        encoder.encode([Row(("kind",), ("a",))])  # only a query may lack columns


@pytest.mark.parametrize("value", ["name {n}", "{n},5", "1.{n}", "{n}%"])
def test_an_explosion_of_values_takes_bounded_memory(value, monkeypatch):
    """With 10^6 values, as with these: what is kept is counted, not trusted."""
    monkeypatch.setattr(column_survey, "COUNTED", 1000)
    monkeypatch.setattr(number_sample, "KEPT", 1000)
    survey = column_survey.ColumnSurvey("c", None)
    for start in range(0, 40_000, 500):
        survey.add([value.format(n=n) for n in range(start, start + 500)])
        assert len(survey.counts) <= 2500
        assert len(survey._unread or ()) <= 2500
    readings = survey.readings
    for ways in (readings.numbers, readings.dates):
        assert all(len(sample.numbers()) <= 1000 for way in ways.ways for sample in ways.samples(way))
    assert survey.present == 40_000
    assert readings.numbers.count("point") in (0, 40_000)


def test_a_text_that_may_be_no_number_is_none():
    """The survey skips what has another letter: nothing that is read as a number may have one."""
    written = ["1,234.5", "-€ 1'234.50", "1e3", "5 %", "−3", "¥ 12", "1\u202f234", "1E-3", "+$5", "1’234", "12 ₹", ".5"]
    for text in written:
        assert not math.isnan(number_text.number_in(text))
        assert number_text.may_be_number(text)
    for code in range(0x2100):
        if not math.isnan(number_text.number_in(f"1{chr(code)}2")) or not math.isnan(
            number_text.number_in(f"1{chr(code)}")
        ):
            assert number_text.may_be_number(chr(code)), hex(code)
