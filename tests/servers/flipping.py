"""Files with one bit flipped: every outcome is counted, and a crash is one of them, as the process ends."""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from encoders.errors import NearbyError

#: The first bytes of a file are its header: each of them is damaged once. Of the rest, some.
HEADER, SOME = 130, 40


def flips(path: Path, chance: random.Random, every: int = 1) -> Iterator[None]:
    """Flip one bit of a file at many places, one after the other, and put it back each time."""
    sound = path.read_bytes()
    places = {*range(min(HEADER, len(sound))), *chance.sample(range(len(sound)), min(SOME, len(sound)))}
    for place in sorted(places)[::every]:
        with path.open("r+b") as file:
            file.seek(place)
            file.write(bytes([sound[place] ^ (1 << chance.randrange(8))]))
            file.flush()
            yield
            file.seek(place)
            file.write(sound[place : place + 1])


def outcomes(
    folder: Path, answer: Callable[[], Any], right: Callable[[Any, Any], bool], every: int = 1
) -> Counter[str]:
    """Count what comes of an answer while each file below a folder is damaged: an error, the right one, a wrong one."""
    chance, counted, expected = random.Random(0), Counter[str](), answer()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        for _ in flips(path, chance, every):
            try:
                outcome = "right" if right(answer(), expected) else f"wrong by {path.name}"
            except NearbyError as error:
                outcome = "error" if "\n" not in str(error) else f"several lines: {error}"
            except Exception as error:
                outcome = f"{type(error).__name__} by {path.name}: {error}"
            counted[outcome] += 1
    assert right(answer(), expected)
    sys.stdout.flush()
    return counted
