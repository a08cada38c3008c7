"""The Dockerfile as far as it can be checked without docker: what it copies, installs and leaves behind."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker/Dockerfile").read_text(encoding="utf-8")
IGNORE = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
#: Word and rest of every instruction, its lines joined, comments left out.
STEPS = [
    (line.split(None, 1)[0], line.split(None, 1)[1])
    for line in re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", TEXT, flags=re.M)).splitlines()
    if line.strip()
]


def steps(word: str) -> list[str]:
    return [rest for name, rest in STEPS if name == word]


def sources() -> list[str]:
    """What is copied from this repository."""
    copies = (rest.split() for rest in steps("COPY") if not rest.startswith("--from"))
    return [source for words in copies for source in words[:-1]]


def test_python_is_one_that_the_project_allows():
    (version,) = (rest.removeprefix("PYTHON=") for rest in steps("ARG"))
    least = PROJECT["project"]["requires-python"].removeprefix(">=")
    assert tuple(map(int, version.split("."))) >= tuple(map(int, least.split(".")))
    assert [rest.split()[0] for rest in steps("FROM")] == ["python:${PYTHON}-slim"] * 2


def test_everything_that_is_copied_is_here_and_sent():
    assert sources()
    for source in sources():
        assert (ROOT / source).exists(), source
        assert f"!{source}" in IGNORE, source


def test_nothing_else_is_sent():
    assert IGNORE[0] == "*"
    assert {line.removeprefix("!") for line in IGNORE if line.startswith("!")} == set(sources())


def test_all_that_is_installed_is_copied():
    packages = [name.rstrip("*") for name in PROJECT["tool"]["setuptools"]["packages"]["find"]["include"]]
    modules = [f"{name}.py" for name in PROJECT["tool"]["setuptools"]["py-modules"]]
    assert {*packages, *modules, PROJECT["project"]["readme"], "pyproject.toml"} <= set(sources())


def test_it_installs_what_make_installs():
    installs = [words for rest in steps("RUN") for words in re.findall(r"pip install ([^&]*)", rest)]
    assert [" ".join(words.split()) for words in installs] == [
        "-c constraints.txt --no-deps --index-url https://download.pytorch.org/whl/cpu torch",
        "-c constraints.txt -r dependencies.txt",
        "--no-deps .",
    ]
    assert "-c constraints.txt -e '.[dev]'" in (ROOT / "Makefile").read_text(encoding="utf-8")
    pinned = re.findall(r"^torch==(.+)$", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.M)
    assert pinned
    assert any(re.match(r"torch\b", line) for line in PROJECT["project"]["dependencies"])


def test_no_download_is_kept():
    assert any("PIP_NO_CACHE_DIR=1" in rest for rest in steps("ENV"))
    assert len(steps("FROM")) == 2
    assert not any(re.search("apt-get|curl|wget", rest) for rest in steps("RUN"))


def test_it_runs_as_nobody_special():
    last = max(number for number, (word, _) in enumerate(STEPS) if word == "FROM")
    (user,) = [rest for word, rest in STEPS[last:] if word == "USER"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    uid, gid = user.split(":")
    made = " ".join(steps("RUN"))
    assert f"--uid {uid} --gid {gid}" in made
    assert f"groupadd --gid {gid}" in made
    # Whoever copies after that copies for root, which is meant: nearby cannot change its own program.
    assert [word for word, _ in STEPS[last:]][-4:] == ["USER", "WORKDIR", "ENTRYPOINT", "CMD"]


def test_it_says_which_version_it_is():
    (labels,) = steps("LABEL")
    said = dict(re.findall(r'org\.opencontainers\.image\.(\w+)="([^"]*)"', labels))
    project = PROJECT["project"]
    assert (said["title"], said["version"], said["licenses"]) == (
        project["name"],
        project["version"],
        project["license"],
    )


def test_the_command_exists():
    assert steps("ENTRYPOINT") == ['["nearby"]']
    assert "nearby" in PROJECT["project"]["scripts"]
