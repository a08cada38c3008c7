import json
import re
from dataclasses import replace

import numpy as np

from retrieval.evaluation.multiple_comparison import multiple_comparison
from retrieval.report.comparison_columns import comparison_rows
from retrieval.report.figure_titles import cost_title, curves_title, overlap_sentence
from retrieval.report.json import to_json
from retrieval.report.notes import notes
from retrieval.report.rung import most_agreeing
from retrieval.report.verdict import answer


def test_a_tie_is_said(compare):
    said = answer(compare())
    assert said.startswith("pixels+pca:30 has the highest P@10, 0.953, ahead of pixels+pca:16+binarize (+0.243")
    assert said.endswith("but pixels does not differ significantly from it.")


def test_a_clear_winner_is_named_with_the_runner_up(compare, three):
    clear = [replace(space, tied_with_best={}) for space in three]
    assert answer(compare(clear)) == "pixels+pca:30 is best on P@10: 0.953, ahead of pixels (+0.003)."
    first_is_last = [clear[2], *clear[:2]]
    assert answer(compare(first_is_last)) == "pixels+pca:30 is best on P@10: 0.953, ahead of pixels (+0.003)."


def test_the_measures_of_a_random_order_are_a_note(compare):
    said = notes(compare(chance={"P@10": 0.1, "AP": 0.0001}))
    assert "For comparison, a random order of the items has P@10 0.100 and AP < 0.001." in said


def test_at_chance_level_nothing_is_called_best(compare, three):
    at_chance = compare(three, chance={"P@10": 0.951}, above_chance={"P@10": False})
    assert answer(at_chance) == (
        "No space is significantly better on P@10 than a random order (0.951): the highest value is 0.953, of "
        "pixels+pca:30."
    )
    _, rows = comparison_rows(at_chance)
    assert not any(row[1].best or row[1].tied for row in rows)
    assert answer(compare(three[:1], chance={"P@10": 0.951}, above_chance={"P@10": False})) == (
        "pixels is not significantly better on P@10 (0.950) than a random order (0.951)."
    )


def test_where_all_are_tied_none_wins(compare, three):
    tied = [replace(space, tied_with_best={"P@10": True}) for space in three]
    assert answer(compare(tied)) == (
        "pixels+pca:30, pixels and pixels+pca:16+binarize do not differ significantly on P@10 (best 0.953, last 0.710)."
    )


def test_the_first_space_may_win(compare, three):
    first = [replace(three[0], measures={"P@10": 0.99}), *(replace(s, tied_with_best={}) for s in three[1:])]
    assert answer(compare(first)) == "pixels is best on P@10: 0.990, ahead of pixels+pca:30 (+0.037)."


def judged(compare, three, values, **other):
    """Return a comparison with real values of every query, and what they show."""
    named = dict(zip((space.label for space in three), values, strict=False))
    found = multiple_comparison(named)
    tied = found.tied_with_best()
    spaces = [
        replace(space, measures={"P@10": float(np.mean(value))}, tied_with_best={"P@10": tied[space.label]})
        for space, value in zip(three, values, strict=False)
    ]
    return compare(spaces, significance={"P@10": found}, **other)


def test_at_chance_level_the_difference_that_the_queries_would_show_is_said(compare, three):
    values = np.random.default_rng(0).random((3, 40))
    few = judged(compare, three, values, chance={"P@10": 0.5}, above_chance={"P@10": False})
    many = judged(compare, three, np.tile(values, 25), chance={"P@10": 0.5}, above_chance={"P@10": False})
    sentences = [
        re.search(r"With (\S+) queries, a true difference of (\S+) is found in 8 of 10 cases\.$", answer(one))
        for one in (few, many)
    ]
    assert [one[1] for one in sentences] == ["40", "1,000"]
    assert float(sentences[1][2]) < float(sentences[0][2]) < 0.5


def test_values_that_are_all_alike_show_no_power(compare, three):
    same = judged(compare, three, np.full((3, 40), 0.5), chance={"P@10": 0.5}, above_chance={"P@10": False})
    assert "8 of 10" not in answer(same)


def test_equal_agreement_orders_nothing(three):
    spaces = [replace(space, measures={"agreement": 0.5}) for space in three]
    assert most_agreeing(spaces) == "All 3 spaces agree equally with the others (mean RBO 0.500): this orders nothing."
    spaces[1] = replace(spaces[1], measures={"agreement": 0.7})
    assert most_agreeing(spaces).startswith(f"{spaces[1].label} agrees most with the others (mean RBO 0.700)")


def test_a_tie_says_what_the_queries_could_show(compare, three):
    rng = np.random.default_rng(0)
    base = rng.random(35)
    said = answer(judged(compare, three, [base, np.clip(base + rng.normal(0.03, 0.3, 35), 0, 1), base / 9]))
    assert re.fullmatch(
        r"pixels(\+pca:30)? has the highest P@10, 0\.\d{3}, ahead of pixels\+pca:16\+binarize \(\+0\.\d{3}, 95% "
        r"interval \+0\.\d{3} to \+0\.\d{3}\), but pixels(\+pca:30)? does not differ significantly from it \(95% interval of "
        r"the difference [+-]0\.\d{3} to \+0\.\d{3}\)\. "
        r"With 35 queries, a true difference of 0\.\d{3} is found in 8 of 10 cases; about [\d,]+ more would decide "
        r"between the best and pixels(\+pca:30)?\.",
        said,
    )


def test_spaces_whose_difference_is_small_for_certain_are_equivalent(compare, three):
    base = np.random.default_rng(1).random(2000)
    said = answer(judged(compare, three, [base, base + 1e-3 * np.sign(np.sin(np.arange(2000))), base / 2]))
    assert "is equivalent to it (the difference is less than 0.001)" in said
    assert "cases" not in said
    alike = answer(judged(compare, three, [base, base + 1e-3 * np.sign(np.sin(np.arange(2000))), base]))
    assert "are equivalent on P@10 (best 0." in alike or "are tied on P@10: all have" in alike


def test_too_few_queries_are_said(compare, three):
    said = answer(judged(compare, three, [[1.0, 0.5], [0.5, 0.0], [0.2, 0.1]]))
    assert said.endswith(
        "do not differ significantly on P@10 (best 0.750, last 0.150). 2 queries are too few to compare spaces."
    )


def test_a_tie_of_all_says_how_far_apart_they_may_be(compare, three):
    rng = np.random.default_rng(0)
    base = rng.random(200)
    said = answer(judged(compare, three, [base, np.clip(base + rng.normal(0, 0.2, 200), 0, 1), base]))
    assert re.search(
        r"\(best 0\.\d{3}, last 0\.\d{3}; 95% interval of the difference -0\.\d{3} to \+0\.\d{3}\)\. With", said
    )


def test_at_chance_level_too_few_queries_are_said(compare, three):
    few = judged(compare, three, [[1.0], [0.5], [0.2]], chance={"P@10": 0.5}, above_chance={"P@10": False})
    assert answer(few).endswith("1 query is too few to compare spaces.")


def test_a_smaller_space_that_is_tied_says_what_it_may_lose(compare, three):
    rng = np.random.default_rng(4)
    base = rng.uniform(0.4, 0.6, 300)
    found = judged(compare, three, [base, base + rng.normal(0, 0.05, 300), base / 9])
    pair = found.significance["P@10"].of("pixels", "pixels+pca:30")
    assert (pair.first, pair.is_significant) == ("pixels", False)
    lost = pair.interval.high / found.spaces[0].measures["P@10"]
    assert cost_title(found) == (
        f"pixels+pca:30 does not differ significantly from pixels (it may lose up to {lost:.1%} of P@10) "
        "and stores 12% of its bytes"
    )


def test_groups_are_a_column_of_letters(compare, three):
    rng = np.random.default_rng(2)
    base = rng.random(300)
    columns, rows = comparison_rows(judged(compare, three, [base, base, base / 3]))
    at = [column.name for column in columns].index("group")
    assert [row[at].text for row in rows] == ["a", "a", "b"]


def test_the_json_has_every_pair(compare, three):
    base = np.random.default_rng(3).random(100)
    found = to_json(judged(compare, three, [base, base * 0.9, base / 3]))["significance"]["P@10"]
    assert [(pair["first"], pair["verdict"]) for pair in found["pairs"]] == [("pixels", "better")] * 2 + [
        ("pixels+pca:30", "better")
    ]
    assert found["groups"] == {"pixels": "a", "pixels+pca:30": "b", "pixels+pca:16+binarize": "c"}
    assert found["ranks"]["pixels"] == [1, 1]
    json.dumps(found, allow_nan=False)


def test_one_space_is_compared_with_nothing(compare, three):
    assert "nothing to compare" in answer(compare(three[:1]))


def curves(compare, three, *values):
    return compare([replace(space, precision_recall=np.array(v)) for space, v in zip(three, values, strict=False)])


def test_the_title_of_the_curves_is_computed_and_honest_when_mixed(compare, three):
    high, low = np.linspace(1, 0.5, 11), np.linspace(0.8, 0.3, 11)
    assert curves_title(curves(compare, three, low, high, low / 2)) == (
        "pixels+pca:30 has the highest precision at every level of recall, by 0.200 on average"
    )
    crossed = np.where(np.arange(11) <= 3, high, low)
    other = np.where(np.arange(11) <= 3, low, high)
    assert curves_title(curves(compare, three, crossed, other, low / 2)) == (
        "pixels has the highest precision up to recall 0.3, pixels+pca:30 from 0.4 on"
    )
    zigzag = np.where(np.arange(11) % 2, high, low)
    zagzig = np.where(np.arange(11) % 2, low, high)
    assert curves_title(curves(compare, three, zigzag, zagzig, low / 2)) == (
        "No space is best everywhere: pixels+pca:30 at 6 and pixels at 5 of 11 levels of recall"
    )
    same = curves_title(curves(compare, three, high, high - 0.001, high))
    assert same == "The curves differ by less than 0.005 at every level of recall"
    shared = np.where(np.arange(11) <= 3, high, low)
    assert curves_title(curves(compare, three, high, shared, low)) == "No space is above pixels at any level of recall"


def test_a_smaller_space_that_is_tied_is_named(compare, three):
    best_is_large = [replace(three[0], measures={"P@10": 0.96}), *three[1:]]
    assert (
        cost_title(compare(best_is_large))
        == "pixels+pca:30 does not differ significantly from pixels and stores 12% of its bytes"
    )
    assert "and loses 25% of its P@10" in cost_title(compare())


def test_the_overlap_names_the_most_and_the_least_alike(compare):
    assert overlap_sentence(compare()) == (
        "pixels+pca:30 and pixels+pca:16+binarize agree most (Jaccard@10 0.60), pixels and pixels+pca:30 least (0.50)"
    )


def test_rows_of_several_indexes_are_named_by_both_and_curves_only_where_there_are_any(compare, in_two_indexes):
    tied = [replace(row, tied_with_best={"P@10": True}) for row in in_two_indexes]
    assert answer(compare(tied)).startswith("The 4 rows do not differ significantly on P@10 (best 0.")
    apart = [replace(row, tied_with_best={}, measures={"P@10": 0.5 - place / 10}) for place, row in enumerate(tied)]
    assert answer(compare(apart)).startswith(
        "pixels @ exact is best on P@10: 0.500, ahead of pixels @ elasticsearch:http://localhost:9200/x (+0.100"
    )
    assert curves_title(compare(in_two_indexes)) == "No space is above pixels+pca:30 @ exact at any level of recall"


def test_equal_scores_are_said_with_their_range(compare, three):
    tied = replace(three[0], tie_range={"P@10": (0.1724, 0.9671), "AP": (0.2, 0.3)})
    told = notes(replace(compare([tied, *three[1:]]), notes=["1 query is left out: no label."]))
    assert told == [
        "1 query is left out: no label.",
        "pixels gives items equal scores. The table shows the mean over their orders; worst to best: "
        "P@10 0.172 to 0.967 and AP 0.200 to 0.300.",
    ]
