"""Unused parts of NumPy that ``import scipy.sparse`` loads: the Fortran translator and the test tools.

SciPy copies every public name of NumPy, and with each name its module: a third of the time of its import.
``importlib.util.LazyLoader`` puts such a module in place, and reads it from disk only when something looks into it.
Import this module before ``scipy``.
"""

from __future__ import annotations

import sys
from importlib.util import LazyLoader, find_spec, module_from_spec

import numpy as np


def _load_when_used(name: str) -> None:
    spec = None if name in sys.modules else find_spec(name)
    if spec is None or spec.loader is None:
        return
    spec.loader = LazyLoader(spec.loader)
    module = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    setattr(np, name.rpartition(".")[2], module)


for _name in ("numpy.f2py", "numpy.testing"):
    _load_when_used(_name)
