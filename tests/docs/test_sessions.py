"""Every command in the README and the pages is run, or, where it needs something that is not here, known to ``--help``."""

from __future__ import annotations

import re

import pytest
from cli_page import commands, global_words, option_words
from pages import PAGES, ROOT, SESSIONS
from sessions import Block, blocks, nearby_commands, run

#: Heads of columns that hold times: s, ms, items/s, "fit, s".
_TIMES = re.compile(r"(.*\W)?m?s")
_TIME = re.compile(r"\d[\d,.]* ?(ms|s)\b")
_NUMBER = re.compile(r"[-+]?\d[\d,]*\.?\d*")


def masked(lines: list[str]) -> list[str]:
    """Replace what is a matter of time, not of the data."""
    found, heads = [], []
    for line in lines:
        cells = re.split(r"\s{2,}", line.strip())
        if any(map(_TIMES.fullmatch, cells)):
            heads = cells
        elif len(heads) - 1 <= len(cells) <= len(heads):  # the last cell of a row may be empty
            cells = ["#" if _TIMES.fullmatch(head) else cell for head, cell in zip(heads, cells, strict=False)]
        text = _TIME.sub("#", "  ".join(cells))
        found.append("─" if set(text) == {"─"} else text)  # a rule is as wide as its table
    return found


def same(shown: list[str], printed: list[str]) -> bool:
    """Return whether two outputs say the same: equal words, equal whole numbers, decimals within a hundredth."""
    left, right = masked(shown), masked(printed)
    if [_NUMBER.sub("0", line) for line in left] != [_NUMBER.sub("0", line) for line in right]:
        return False
    pairs = zip(_NUMBER.findall(" ".join(left)), _NUMBER.findall(" ".join(right)), strict=True)
    return all(_close(one, other) for one, other in pairs)


def _close(one: str, other: str) -> bool:
    if "." not in one + other:
        return one == other
    a, b = float(one.replace(",", "")), float(other.replace(",", ""))
    return abs(a - b) <= 0.01 * max(1.0, abs(a))


@pytest.mark.parametrize("path", SESSIONS, ids=lambda path: path.name)
def test_commands_print_what_the_page_shows(path, tmp_path):
    page = path.read_text(encoding="utf-8")
    count = 0
    for block, printed in run(page, tmp_path):
        for shown, command in zip(block.commands(), printed, strict=True):
            count += 1
            if block.language == "console":
                while shown.output and not shown.output[-1]:
                    shown.output.pop()
                assert same(shown.output, command.output), (
                    f"{path.name}: '{command.text}' prints\n"
                    + "\n".join(command.output)
                    + "\n(to write it into the page: make pages)"
                )
    assert count


def every_command() -> list[tuple[str, list[str]]]:
    """Every call of nearby in a block of any page."""
    return [
        (path.name, words)
        for path in PAGES
        for block in blocks(path.read_text(encoding="utf-8"))
        if block.language in ("console", "sh")
        for command in block.commands()
        for words in nearby_commands(command.text)
    ]


def problem(words: list[str]) -> str | None:
    """Say what ``--help`` does not know of a call; None where it knows all."""
    known = dict(commands())
    before = [word for word in words if word in global_words()]
    words = [word for word in words if word not in before or word == "--help"]
    if not words:
        return None if before else "no command"
    name = " ".join(words[:2]) if words[0] in ("recommend", "anomalies") else words[0]
    if name not in known:
        return f"no command '{name}'"
    options = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
    unknown = options - option_words(known[name])
    return f"no option {sorted(unknown)} of '{name}'" if unknown else None


def test_every_command_on_a_page_exists():
    found = every_command()
    assert len(found) > 40
    assert [(page, words, problem(words)) for page, words in found if problem(words)] == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("serch digits", "no command 'serch'"),
        ("recommend best films", "no command 'recommend best'"),
        ("compare digits --sort", "no option ['--sort'] of 'compare'"),
    ],
)
def test_a_command_that_does_not_exist_is_found(words, said):
    assert problem(words.split()) == said


def test_every_make_target_on_a_page_exists():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    used = {
        target
        for path in PAGES
        for block in blocks(path.read_text(encoding="utf-8"))
        if block.language in ("console", "sh")
        for target in re.findall(r"^(?:\$ )?make ([a-z-]+)", "\n".join(block.lines), re.MULTILINE)
    }
    assert {"demo", "test"} <= used <= targets


def test_every_block_of_commands_is_run_or_says_what_it_needs():
    for path in set(PAGES) - set(SESSIONS):
        for block in blocks(path.read_text(encoding="utf-8")):
            if block.language in ("console", "sh"):
                assert block.needs, (
                    f"{path.name}:{block.start}: begin it with '# needs ...', or add the page to SESSIONS"
                )


def test_a_changed_output_is_found():
    assert same(["P@10  fit s", "0.945  12.1"], ["P@10  fit s", "0.946  3.0"])
    assert not same(["P@10  fit s", "0.945  12.1"], ["P@10  fit s", "0.845  12.1"])
    assert not same(["442 items"], ["443 items"])
    assert not same(["442 items"], ["442 rows"])
    assert same(["bm25   1.8 ms"], ["bm25   20 ms"])


def test_a_command_that_fails_is_found(tmp_path):
    page = "```console\n$ nearby info nothing-here\n```\n"
    with pytest.raises(RuntimeError, match="exit code 2"):
        list(run(page, tmp_path))


def test_blocks_that_need_something_are_not_run(tmp_path):
    page = "```sh\n# needs a server\nfalse\n```\n"
    assert blocks(page)[0].needs == "a server"
    assert list(run(page, tmp_path)) == []


def test_a_block_with_a_title_is_a_file(tmp_path):
    page = '```python title="a.py"\nprint(6 * 7)\n```\n\n```console\n$ python a.py\n42\n```\n'
    ((block, printed),) = run(page, tmp_path)
    assert isinstance(block, Block)
    assert printed[0].output == block.commands()[0].output == ["42"]


def test_only_built_in_corpora_are_there(tmp_path):
    page = '```sh\ntest -z "$(ls -A $NEARBY_DATA)"\n```\n'
    assert len(list(run(page, tmp_path))) == 1
