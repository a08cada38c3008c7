"""What the tests of corpora share."""

import os
from pathlib import Path

import pytest

from encoders.errors import CorpusError


@pytest.fixture
def real_data():
    """Folder with the real data sets; tests that need one skip by its name when it is absent."""
    root = Path(os.environ.get("NEARBY_DATA", "/nowhere"))

    def folder(name):
        if not (root / name).is_dir():
            pytest.skip(f"{name} is not under NEARBY_DATA")
        return root / name

    return folder


@pytest.fixture
def left_out():
    """A list to be passed as ``on_bad``: ``left_out.append`` notes each bad entry and goes on."""
    notes: list[CorpusError] = []
    return notes
