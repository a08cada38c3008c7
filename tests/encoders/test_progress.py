"""Progress of long work on standard error: bars on a terminal, lines elsewhere."""

from __future__ import annotations

import io
import subprocess
import sys
from contextlib import redirect_stderr
from pathlib import Path

import pytest

from encoders import progress_bar as module
from encoders.progress import passes, progress, say, steps, waiting
from encoders.progress_bar import Bar

ROOT = Path(__file__).parents[2]


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def screen(monkeypatch):
    monkeypatch.setattr(module, "DELAY", 3600)  # a test starts the display itself
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "xterm")
    return Screen()


def test_a_bar_says_what_is_done_how_far_and_how_long_still(screen):
    with redirect_stderr(screen), progress("encoding bow", 400, "items") as bar:
        bar.update(100)
        module.DISPLAY._start()
        bar.update(100)
        bar.note = "error 0.5"
        module.DISPLAY._live.refresh()  # as its thread does
    shown = screen.getvalue()
    assert "encoding bow" in shown
    assert "50%, 200 of 400 items, " in shown
    assert " left, error 0.5" in shown
    assert shown.rindex("\x1b[2K") > shown.rindex("encoding bow")  # the bar is gone at the end


def test_work_within_work_stands_below_and_lines_above(screen, capsys):
    with redirect_stderr(screen), waiting("k-means"), passes(9, "mf") as report:
        module.DISPLAY._start()
        report(3, 0.25)
        report(6, 0.125)
        module.DISPLAY._live.refresh()
        say("2 files are not read\x1b[31m")
        print("a result")
    shown = screen.getvalue()
    assert shown.index("2 files are not read?[31m") < shown.rindex("k-means") < shown.rindex("mf")
    assert "6 of 9 passes" in shown
    assert "error 0.125" in shown
    assert "a result" not in shown  # results go to standard output
    assert capsys.readouterr().out == "a result\n"


def test_no_colour_where_it_is_not_wanted(screen, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    with redirect_stderr(screen), progress("encoding", 2, "items") as bar:
        module.DISPLAY._start()
        bar.update()
        module.DISPLAY._live.refresh()
    assert "encoding" in screen.getvalue()
    assert "\x1b[3" not in screen.getvalue()


def test_short_work_shows_nothing(screen):
    with redirect_stderr(screen):
        assert list(steps(5, "nmf")) == list(range(5))
    assert screen.getvalue() == ""
    assert module.DISPLAY._timer is None


def test_nothing_is_shown_or_imported_where_nobody_looks():
    program = (
        "import sys; from encoders.progress import *\n"
        "with progress('encoding', 2) as bar, waiting('k-means'): bar.update(2)\n"
        "print(bar.done, list(steps(3, 'nmf')), 'rich' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert (done.stdout, done.stderr) == ("2 [0, 1, 2] False\n", "")


def test_long_work_is_a_line_every_ten_seconds_where_there_is_no_terminal():
    log = io.StringIO()
    with redirect_stderr(log), waiting("fitting pixels+nmf:8"), steps_of(400) as bar:
        bar.update(100)
        bar.note = "error 0.5"
        timer = module.LOG._timer
        assert timer is not None
        assert timer.interval == module.LINE_SECONDS == 10
        module.LOG._write()  # as the timer does
        assert module.LOG._timer is not timer  # the next line
    line = log.getvalue()
    assert line.startswith("encoding bow: 25%, 100 of 400 items, ")
    assert line.endswith(", error 0.5\n")
    assert module.LOG._timer is None


def steps_of(count):
    return progress("encoding bow", count, "items")


def test_the_pace_is_that_of_this_run_also_where_work_is_resumed():
    bar = Bar("training", 100)
    bar.begun, bar._first, bar._last, bar.done = 0.0, (10.0, 50), 20.0, 60  # 50 were done before
    assert bar.seconds_left(20.0) == 40.0
    assert bar.seconds_left(30.0) == 30.0
    assert bar.seconds_left(1000.0) == 0.0
    assert bar.standing(20.0) == "60%, 40.0 s left"
    assert Bar("training", 100).seconds_left(5.0) is None


def test_bytes_are_shown_in_megabytes_and_never_more_than_all():
    bar = Bar("downloading", unit="MB", divisor=10**6)
    bar.total = 2_500_000
    bar.begun = 0.0
    bar.update(3_000_000)  # the last chunk is counted whole
    assert bar.standing(bar.begun + 2).startswith("100%, 2 of 2 MB, ")
    bar.reset()
    assert bar.done == 0
