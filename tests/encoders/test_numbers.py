"""One reader of numbers: what Python alone reads as one is refused, in options, addresses and the command line."""

from __future__ import annotations

import pytest

from encoders import options
from encoders.cpu_count import available_cores
from encoders.errors import OptionError
from encoders.image.pixels import parse_size as pixels_size
from encoders.numbers import is_whole, read_number, read_whole, shortened
from indexers.elasticsearch.address import Address
from retrieval.applications.denoising import Noise
from retrieval.collection.indexing import IndexRequest
from retrieval.corpora.images import parse_size
from retrieval.spaces.time_budget import read_minutes

PYTHONISMS = ["1_000", " 1", "1 ", "\t1\n", "１", "٣", "१", "1__0", "0x10", "²", "", "1,000", "--1", "1.2.3", "½"]


@pytest.mark.parametrize("text", PYTHONISMS)
def test_no_number(text: str) -> None:
    for read in (read_whole, read_number):
        with pytest.raises(ValueError, match="is not a"):
            read(text)
    assert not is_whole(text)


@pytest.mark.parametrize("text", ["infinity", "Infinity", "inf", "-inf", "nan", "NaN", "1e999", "9" * 400])
def test_no_finite_number(text: str) -> None:
    with pytest.raises(ValueError, match="is not a"):
        read_number(text)


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("-0012", -12), ("+7", 7), ("9" * 20, int("9" * 20))])
def test_whole_numbers(text: str, value: int) -> None:
    assert read_whole(text) == value
    assert read_number(text) == float(value)


@pytest.mark.parametrize(("text", "value"), [("1.", 1), (".5", 0.5), ("-1E-3", -0.001), ("+2.5e+2", 250)])
def test_numbers(text: str, value: float) -> None:
    assert read_number(text) == float(value)


def test_more_digits_than_python_reads_are_refused_as_any_other() -> None:
    with pytest.raises(ValueError, match="is not a whole number"):
        read_whole("1" * 5000)


@pytest.mark.parametrize("text", [text for text in PYTHONISMS if text])
@pytest.mark.parametrize("hint", [int, float, int | None, tuple[int, ...], int | float])
def test_options_read_no_other_numbers(text: str, hint: object) -> None:
    with pytest.raises(OptionError, match="x should be"):
        options.convert(text, hint, "x")


@pytest.mark.parametrize("text", ["1_0", " 1", "１", "٣"])
def test_no_other_place_reads_them(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for read in (
        lambda: Address.read(f"elasticsearch:http://localhost:9200/news,m={text}"),
        lambda: IndexRequest((), None, "auto", False, False, f"{text}/2000", False).shard_of_load(),
        lambda: IndexRequest((), None, "auto", False, False, f"1/{text}", False).shard_of_load(),
        lambda: Noise.read(f"gaussian:{text}"),
        lambda: parse_size(f"3{text}x3{text}"),
        lambda: pixels_size(f"{text}x{text}"),
        lambda: read_minutes(f"3{text}m"),
    ):
        with pytest.raises(OptionError):
            read()
    monkeypatch.setenv("OMP_NUM_THREADS", text)
    assert available_cores() >= 1


def test_a_value_is_quoted_escaped_and_cut() -> None:
    assert shortened("\x1b[31m") == r"'\x1b[31m'"
    assert shortened("a" * 10**6) == "'" + "a" * 56 + "..."
    assert shortened(b"\x00" * 10**6)[:6] == r"b'\x00"
    assert len(shortened({"key": "v" * 1000})) == 60
