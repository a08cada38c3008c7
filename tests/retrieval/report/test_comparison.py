import io
import json
from dataclasses import replace

import numpy as np
import pytest

from retrieval.report.comparison_columns import comparison_rows, overlap_cells
from retrieval.report.terminal.comparison import print_table, to_json


def printed(comparison, **options):
    stream = io.StringIO()
    print_table(comparison, stream, **options)
    return stream.getvalue()


def column(comparison, name):
    columns, rows = comparison_rows(comparison)
    place = [head.name for head in columns].index(name)
    return [row[place] for row in rows]


def test_the_best_is_marked_and_the_tie_is_said(compare):
    assert [(cell.best, cell.tied) for cell in column(compare(), "P@10")] == [
        (False, True),
        (True, False),
        (False, False),
    ]
    for name in ("codes", "on disk"):
        assert [cell.best for cell in column(compare(), name)] == [False, False, True]  # the least is best
    assert not any(cell.best for cell in column(compare(), "dim"))
    text = printed(compare())
    assert "0.950≈" in text
    assert "0.953*" in text
    assert "≈ no significant difference from the best" in text


def test_codes_and_index_stand_apart_and_what_is_not_known_is_left_out(compare, three):
    assert [cell.text for cell in column(compare(), "codes")] == ["3,136", "120", "2"]
    assert [cell.text for cell in column(compare(), "on disk")] == ["3,150", "392", "14"]
    unknown = [replace(space, bytes_on_disk_per_item=None) for space in three]
    assert "on disk" not in printed(compare(unknown))
    assert [cell.text for cell in column(compare([unknown[0], *three[1:]]), "on disk")] == ["–", "392", "14"]


def test_a_legend_of_ties_stands_only_where_there_are_any(compare, three):
    alone = [replace(space, tied_with_best={}) for space in three]
    assert "≈" not in printed(compare(alone))


def test_one_space_alone_is_neither_best_nor_tied(compare, three):
    text = printed(compare(three[:1]))
    assert "≈" not in text
    assert "best of its column" not in text


def test_no_line_ends_in_blanks(compare):
    assert [line for line in printed(compare()).splitlines() if line != line.rstrip()] == []


def test_nothing_is_best_or_tied_where_all_are_equal(compare, three):
    equal = [replace(space, measures={"P@10": 0.9}, tied_with_best={"P@10": True}, dim=2) for space in three]
    assert not any(cell.best or cell.tied for cell in column(compare(equal), "P@10"))
    costs = {"bytes_per_item": 8.0, "bytes_on_disk_per_item": 9.0}
    text = printed(compare([replace(space, **costs) for space in equal]))
    assert "of its column" not in text
    assert "are tied on P@10: all have 0.900." in text


def test_seconds_of_a_single_run_are_never_called_best(compare):
    for name in ("fit", "encode", "query"):
        assert not any(cell.best for cell in column(compare(), name))


def test_decimal_points_stand_below_each_other(compare):
    lines = [line for line in printed(compare()).splitlines() if "1,234,567" in line]
    assert len(lines) == 3
    assert len({line.index(" 0.") for line in lines}) == 1
    assert [cell.text for cell in column(compare(), "fit")] == ["<0.01", "12.50", "<0.01"]


@pytest.mark.parametrize("width", [None, 60, 80, 300])
@pytest.mark.parametrize("n_measures", [1, 4, 12])
def test_every_line_fits_and_nothing_is_lost(compare, three, width, n_measures):
    spec = "pixels+deep-ae:1000-500-250-30,epochs=120,learning-rate=0.001,normalisation=batch"
    measures = {f"nDCG@{10**place}" if place < 4 else f"P@{place}": place / 13 for place in range(n_measures)}
    spaces = [replace(space, measures=measures, spec=f"{spec},seed={n}") for n, space in enumerate(three)]
    text = printed(compare(spaces), width=width)
    assert max(map(len, text.splitlines())) <= min(width or 100, 100)
    for name in (*measures, "B/item", "items/s"):
        assert name in text
    together = "".join(text.split())
    assert "1,234,567" in together
    assert "…" not in text
    assert "seed=2" in together


def test_a_pipe_gets_no_escape_codes_and_a_spec_is_not_markup(compare, three, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    text = printed(compare([replace(three[0], spec="[red]odd[/red] :smile:"), *three[1:]]))
    assert "\x1b" not in text
    assert "[red]odd[/red] :smile:" in text


@pytest.mark.parametrize(("no_color", "escapes"), [("1", False), ("", True)])
def test_no_color_is_honoured_on_a_terminal(compare, monkeypatch, no_color, escapes):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setenv("TERM", "xterm-256color")
    stream = Terminal()
    print_table(compare(), stream)
    assert ("\x1b" in stream.getvalue()) is escapes


def test_a_stream_that_knows_only_ascii_gets_ascii(compare):
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    print_table(compare(), stream)
    stream.flush()
    assert "0.950~" in raw.getvalue().decode("ascii")


def test_overlap_is_jaccard_above_and_rbo_below(compare):
    square = overlap_cells(compare())
    assert square[0][1].text == "0.50"
    assert square[1][0].text == "0.60"
    assert square[1][1].value is None


def test_many_spaces_are_listed_pair_by_pair(compare, three):
    spaces = [replace(three[0], spec=f"pixels+pca:{n}") for n in range(14)]
    text = printed(compare(spaces))
    assert max(map(len, text.splitlines())) <= 100
    assert "pixels+pca:0 and pixels+pca:13" in text
    assert "…" not in text


def test_json_is_json_without_pictures(pictures):
    value = to_json(pictures)
    again = json.loads(json.dumps(value, allow_nan=False))
    assert again == value
    assert value["spaces"][1]["measures"]["P@10"] == 0.953
    assert "per_query" not in value["spaces"][0]
    assert value["examples"][0]["answers"][0]["hits"][0]["relevant"] is True
    assert "picture" not in json.dumps(value)
    assert len(to_json(pictures, per_query=True)["spaces"][0]["per_query"]["AP"]) == 50


def test_json_has_null_for_what_json_does_not_know(compare, three):
    odd = [replace(three[0], fit_seconds=float("nan"), dim=np.int64(3))]
    value = to_json(compare(odd, provenance={"when": object, "array": np.arange(2), "infinite": np.inf}))
    json.dumps(value, allow_nan=False)
    assert value["spaces"][0]["fit_seconds"] is None
    assert value["provenance"]["array"] == [0, 1]


def test_a_comparison_of_nothing_is_printed_too(compare, three):
    assert "could be measured" in printed(compare([replace(space, measures={}) for space in three]))
    assert "no space" in printed(compare([])).lower()


@pytest.mark.parametrize("width", [60, 100])
def test_rows_of_several_indexes_are_told_apart_and_a_long_index_takes_a_line(compare, in_two_indexes, width):
    text = printed(compare(in_two_indexes), width=width)
    assert "\npixels @ exact  " in text
    assert "\n  @ elasticsearch:http:" in text
    assert max(map(len, text.splitlines())) <= width
    assert all(cell.value for place, row in enumerate(overlap_cells(compare(in_two_indexes))) for cell in row[:place])


def test_json_names_rows_by_label_and_has_null_for_a_curve_that_cannot_be_had(compare, in_two_indexes):
    written = to_json(compare(in_two_indexes))
    labels = [row["label"] for row in written["spaces"]]
    assert labels == [f"{row.spec} @ {row.index}" for row in in_two_indexes]
    assert {pair[end] for pair in written["overlaps"] for end in ("first", "second")} == set(labels)
    assert [row["precision_recall"] is None for row in written["spaces"]] == [False, True, False, True]
