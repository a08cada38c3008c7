"""Signals, limits of memory, and what reaches the terminal: the process ends with a sentence, and nobody obeys a corpus."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from encoders.errors import OptionError
from retrieval import signals_and_memory
from retrieval.signals_and_memory import fit_into_memory, memory_sentence, stopping

ROOT = Path(__file__).parents[1]
#: A test run in the background of a shell ignores Ctrl-C, one under nohup SIGHUP, and so would its children.
PROGRAM = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); signal.signal(signal.SIGHUP, signal.SIG_DFL); "
    "sys.path.insert(0, {root!r}); {before}import cli; cli.main()"
)


def command(*arguments, before=""):
    return [sys.executable, "-c", PROGRAM.format(root=str(ROOT), before=before), *map(str, arguments)]


def nearby(*arguments, before="", cwd=None):
    environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "100"}
    return subprocess.run(
        command(*arguments, before=before), capture_output=True, text=True, check=False, env=environment, cwd=cwd
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_the_work_with_a_sentence_and_leaves_nothing_half_written(tmp_path, number):
    folder = tmp_path / "c"
    write = "import time, encoders.base as b; save = b.Encoder.save; b.Encoder.save = lambda *a: (save(*a), print(flush=True), time.sleep(60)); "
    with subprocess.Popen(
        command("index", "digits", "-s", "pixels", "-o", folder, before=write),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as started:  # fmt: skip
        assert started.stdout.readline()  # in the middle of a draft
        started.send_signal(number)
        said = started.communicate(timeout=60)[1]
    assert started.returncode == 1, said
    assert (
        said.splitlines()[-1]
        == f"nearby: stopped; {folder} holds 1,797 items and no space yet; the same command continues"
    )
    assert "Traceback" not in said
    assert sorted(path.name for path in folder.rglob("*")) == sorted(
        ["CURRENT", "lock", "generations", "000001", "items.sqlite", "manifest.json"]
    )


def test_ctrl_c_while_libraries_are_loaded_is_no_traceback():
    interrupt = "import builtins, os; real = builtins.__import__; "
    interrupt += "builtins.__import__ = lambda name, *a, **k: os.kill(os.getpid(), 2) if name == 'typer' else real(name, *a, **k); "
    done = nearby("--version", before=interrupt)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "nearby: stopped\n")


def test_a_library_that_makes_another_error_of_ctrl_c_is_no_traceback():
    broken = """
import encoders.registry, os, signal
def broken(*_):
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        signal.pause()
    except KeyboardInterrupt:
        raise ImportError('initialisation failed')
import retrieval.report.terminal.catalogue
retrieval.report.terminal.catalogue.encoders_lines = broken
"""
    done = nearby("encoders", before=f"exec({broken!r}); ")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "nearby: stopped\n"


def test_signals_that_were_ignored_stay_so_and_the_second_ends_at_once():
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    seen = []

    def stopped_once():
        with stopping() as stopped:
            seen.append((stopped(), signal.getsignal(signal.SIGHUP)))
            try:
                signal.raise_signal(signal.SIGTERM)
            finally:
                seen.append((stopped(), signal.getsignal(signal.SIGTERM)))

    try:
        with pytest.raises(KeyboardInterrupt):
            stopped_once()
    finally:
        signal.signal(signal.SIGHUP, before[signal.SIGHUP])
    assert seen == [(False, signal.SIG_IGN), (True, signal.SIG_DFL)]
    assert {number: signal.getsignal(number) for number in before} == before


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        MemoryError("Unable to allocate 8.00 GiB for an array"),
        ImportError("libtorch_cpu.so: failed to map segment from shared object"),
        OSError(12, "Cannot allocate memory"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] . DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("std::bad_alloc"),
        RuntimeError("can't start new thread"),
    ],
)
def test_too_little_memory_is_one_sentence(error, monkeypatch):
    monkeypatch.setattr(signals_and_memory, "memory_limit", lambda: 3 * 2**30)
    said = memory_sentence(error)
    assert said.startswith("there is not enough memory")
    assert said.endswith("raise the limit of 3,072 MiB (ulimit -v)")
    assert "\n" not in said
    assert memory_sentence(ValueError("shapes differ")) is None


def test_a_limit_of_memory_is_answered_before_a_library_ends_the_process(monkeypatch):
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    monkeypatch.setattr(signals_and_memory, "memory_limit", lambda: 200 * 2**20)
    with pytest.raises(OptionError, match=r"may have 200 MiB of memory .ulimit -v., nearby needs at least 1,024 MiB"):
        fit_into_memory(["index", "digits"])
    fit_into_memory(["--version"])
    monkeypatch.setattr(signals_and_memory, "memory_limit", lambda: 2**30)
    monkeypatch.setattr(signals_and_memory, "available_cores", lambda: 64)
    fit_into_memory(["index"])
    assert os.environ["OPENBLAS_NUM_THREADS"] == "3"


def test_ulimit_is_a_sentence():
    limited = "import resource; resource.setrlimit(resource.RLIMIT_AS, (3 * 10**8, 3 * 10**8)); "
    done = nearby("corpora", before=limited)
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        done.stderr
        == "nearby: this process may have 286 MiB of memory (ulimit -v), nearby needs at least 1,024 MiB: raise the limit\n"
    )


def test_memory_that_ends_in_the_middle_is_a_sentence(tmp_path):
    hungry = (
        "import retrieval.report.terminal.catalogue as c, numpy; "
        "c.encoders_lines = lambda *_: numpy.empty(2**60, numpy.uint8); "
    )
    done = nearby("encoders", before=hungry)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("nearby: there is not enough memory (Unable to allocate 1.00 EiB")
    assert len(done.stderr.splitlines()) == 1


HOSTILE = "\x1b]0;owned\x07\x1b[31mred\x9b31m\x7f\u202egnp\r\u2028\x08"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A collection whose ids, labels, titles, texts and metadata would repaint a terminal."""
    folder = tmp_path_factory.mktemp("hostile")
    rows = [
        {"id": f"{number}{HOSTILE}", "label": f"{number % 2}{HOSTILE}", "title": f"t{HOSTILE}",
         "text": f"apple pear{number} {HOSTILE}", f"key{HOSTILE}": HOSTILE}
        for number in range(6)
    ]  # fmt: skip
    (folder / "t.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    done = nearby("index", "t.jsonl", "-s", "bow", "-o", "c", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert_harmless(done)
    return folder


def assert_harmless(done):
    for text in (done.stdout, done.stderr):
        found = {letter for letter in text if not (letter.isprintable() or letter == "\n")}
        assert not found, found


@pytest.mark.parametrize(
    "arguments",
    [
        ("search", "c", "apple"),
        ("search", "c", "apple", "--json"),
        ("search", "c", f"@0{HOSTILE}", "--json"),
        ("search", "c", f"@nope{HOSTILE}"),
        ("search", "c", f"{HOSTILE}"),
        ("search", "c", "apple", "--filter", f"label={HOSTILE}"),
        ("info", "c", "--json"),
        ("info", f"c{HOSTILE}"),
        ("info", f"c{HOSTILE}", "--debug"),
        ("encode", "c", f"@0{HOSTILE}", "-s", "bow", "--json"),
        ("compare", "t.jsonl", "-s", "bow"),
        ("compare", "t.jsonl", "-s", "bow", "--json"),
        ("delete", "c", f"x{HOSTILE}"),
        ("index", "t.jsonl", "-s", f"bow{HOSTILE}", "-o", "d"),
        ("evaluate", f"r{HOSTILE}", "q", "--debug"),
        ("verb\x1b[31m\x9b31m\x07",),  # what typer itself says
        ("search", "--option\x1b[31m\x9b31m\x07"),
    ],
)
def test_a_terminal_obeys_nothing_that_a_corpus_or_an_argument_holds(hostile, arguments):
    done = nearby(*arguments, cwd=hostile)
    assert done.stdout or done.stderr
    assert_harmless(done)
    if "--json" in arguments:
        json.loads(done.stdout)


def test_json_keeps_what_it_escapes(hostile):
    found = json.loads(nearby("search", "c", f"@0{HOSTILE}", "--json", cwd=hostile).stdout)
    assert HOSTILE in str(found["spaces"][0]["hits"][0]["id"])
