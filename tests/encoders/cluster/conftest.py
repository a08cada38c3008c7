"""What the tests of clusterings share."""

import pytest


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    """Small data are clustered faster by one thread than by several that wait for each other."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
