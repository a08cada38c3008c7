"""The parts of NumPy that are read late are there when they are used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_they_are_read_when_something_looks_into_them():
    program = (
        "import encoders.codes, sys, numpy as np\n"
        "before = 'numpy.testing._private.utils' in sys.modules, 'numpy.f2py.f2py2e' in sys.modules\n"
        "np.testing.assert_array_equal([1], [1]); from numpy.testing import assert_allclose; import numpy.f2py\n"
        "print(before, callable(assert_allclose), callable(np.f2py.get_include), np.testing is sys.modules['numpy.testing'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert done.stdout == "(False, False) True True True\n"
