"""Options: every value is written so that it is read back; what is out of range is said."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from encoders import options
from encoders.errors import NotFittedError, OptionError
from encoders.options import LARGEST_SEED, option
from encoders.registry import create


@dataclass
class Example:
    k: int = option(3, "a count", ge=1, le=10)
    share: float = option(0.5, "a share", gt=0, lt=1)
    sizes: tuple[int, ...] = option((4, 2), "widths", ge=1)
    limit: int | None = option(None, "at most so many", ge=1)
    mode: str = option("fast", "how", choices=("fast", "slow"))
    binary: bool = option(False, "presence")
    min_df: int = option(1, "a name of two words", ge=1)
    weight: float = option(1.0, "a number of any size")
    many: int = option(1, "a large number", le=10**9)

    def __post_init__(self) -> None:
        options.check(self, "example")


@pytest.mark.parametrize(
    ("value", "hint"),
    [(3, int), (0.1, float), (1e-7, float), (2.0, float), (True, bool), (False, bool), ((1000, 30), tuple[int, ...]),
     ((7,), tuple[int, ...]), (None, int | None), (5, int | None), ("a text", str), ("a text", str | None)],
)  # fmt: skip
def test_a_value_survives_writing_and_reading(value, hint):
    assert options.convert(options.text_of(value), hint, "x") == value


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"k": 0}, "example: k should be at least 1; got 0"),
        ({"k": 11}, "example: k should be at most 10; got 11"),
        ({"k": 2.5}, "example: k should be a whole number; got 2.5"),
        ({"k": True}, "example: k should be a whole number; got True"),
        ({"k": None}, "example: k should be a whole number; got None"),
        ({"share": 0}, "example: share should be above 0; got 0"),
        ({"share": 1.0}, "example: share should be below 1; got 1"),
        ({"share": float("nan")}, "example: share should be above 0; got nan"),
        ({"weight": float("inf")}, "example: weight should be a finite number; got inf"),
        ({"weight": -float("inf")}, "example: weight should be a finite number; got -inf"),
        ({"many": 2**40}, "example: many should be at most 1000000000; got 1099511627776"),
        ({"sizes": (4, 0)}, "example: sizes should be at least 1; got 0"),
        ({"sizes": 4}, "example: sizes should be whole numbers joined by '-'; got 4"),
        ({"limit": 0}, "example: limit should be at least 1; got 0"),
        ({"mode": "medium"}, "example: mode is one of fast, slow; got 'medium'"),
        ({"min_df": 0}, "example: min-df should be at least 1; got 0"),
        ({"binary": 1}, "example: binary should be true or false; got 1"),
    ],
)
def test_a_value_out_of_range_is_said(given, message):
    with pytest.raises(OptionError) as raised:
        Example(**given)
    assert str(raised.value) == message


def test_values_at_the_border_are_taken():
    assert Example(k=1, limit=1, sizes=(1,))
    assert Example(k=10, share=0.999)


@pytest.mark.parametrize(
    "spec",
    ["deep-ae:4-2,epochs=1", "kmeans:2", "hac:2,max-items=8,groups=4", "lsa:2", "ica:2,iterations=1", "mixture:2"],
)
@pytest.mark.filterwarnings("ignore")
def test_a_seed_is_refused_before_a_library_does(spec):
    rows = np.random.default_rng(0).random((24, 6)).astype(np.float32)
    create(f"{spec},seed={LARGEST_SEED}").fit(rows)
    with pytest.raises(OptionError, match=f"seed should be at most {LARGEST_SEED}; got {LARGEST_SEED + 1}"):
        create(f"{spec},seed={LARGEST_SEED + 1}")


@pytest.mark.parametrize(
    ("text", "hint", "wanted"),
    [("many", int, "a whole number"), ("3.5", int, "a whole number"), ("high", float, "a number"),
     ("10-x", tuple[int, ...], "whole numbers joined by '-'"), ("perhaps", bool, "true or false"),
     ("many", int | None, "a whole number")],
)  # fmt: skip
def test_text_that_is_no_such_value_is_said(text, hint, wanted):
    with pytest.raises(OptionError, match=f"x should be {wanted}; got '{text}'"):
        options.convert(text, hint, "x")


def test_setting_an_option_later_is_checked_too():
    encoder = create("pca:30")
    assert encoder.set_params(n_components=5).n_components == 5
    with pytest.raises(OptionError, match="at least 1"):
        encoder.set_params(n_components=0)
    with pytest.raises(OptionError, match="has no option 'size'"):
        encoder.set_params(size=3)


def test_a_refused_option_changes_nothing():
    encoder = create("pca:30")
    with pytest.raises(OptionError):
        encoder.set_params(n_components=0)
    assert encoder.n_components == 30


@pytest.mark.parametrize(
    ("spec", "changed"),
    [("vae:8-2,samples=3", {"beta": 2.0}), ("nmf:3,objective=divergence,solver=mu", {"solver": "cd"}),
     ("hac:4", {"height": 0.5}), ("fpn-ae:4,code=level-2", {"channels": (8,)})],
)  # fmt: skip
def test_options_are_checked_against_each_other_when_they_are_set_later(spec, changed):
    encoder = create(spec)
    before = encoder.get_params()
    with pytest.raises(OptionError):
        encoder.set_params(**changed)
    assert encoder.get_params() == before


def test_what_was_fitted_with_other_options_is_forgotten():
    rows = np.random.default_rng(0).random((20, 6)).astype(np.float32)
    encoder = create("deep-ae:4-2,epochs=1").fit(rows)
    codes = encoder.encode(rows)
    encoder.watch = watch = print
    np.testing.assert_array_equal(encoder.set_params(epochs=1).encode(rows), codes)  # nothing was changed
    encoder.set_params(sizes=(5, 3))
    with pytest.raises(NotFittedError):
        encoder.encode(rows)
    assert encoder.watch is watch  # not learnt, but set from outside
    assert encoder.phases == {}


def test_what_follows_from_an_option_follows_when_it_is_set_later():
    pictures = np.zeros((2, 8, 8), dtype=np.uint8)
    assert create("pixels").set_params(size="4x2").fit(pictures).space.shape == (2, 4)
