"""Pipelines: all stages that learn from a field of the items learn from the same one."""

from __future__ import annotations

import pytest

from encoders.errors import SpecError
from encoders.registry import create


def test_stages_that_learn_from_different_fields_are_refused():
    with pytest.raises(SpecError, match="the field 'camera'"):
        create("pixels+disentangle:8,nuisance=camera+disentangle:4")


def test_stages_can_learn_from_the_same_field():
    encoder = create("pixels+disentangle:8,nuisance=camera+disentangle:4,nuisance=camera")
    assert encoder.label_field == "camera"
