"""The public functions and classes of installed packages, with their documentation."""

from __future__ import annotations

import importlib
import inspect
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, NamedTuple

#: Shorter docstrings are too short to be searched.
MIN_CHARACTERS = 40
#: Package -> its import name and its public modules, relative to it. They are listed, because importing all modules
#: would also run test suites, deprecated shims and modules with side effects.
MODULES: dict[str, tuple[str, str]] = {
    "numpy": (
        "numpy",
        ". char emath exceptions fft lib lib.array_utils lib.format lib.mixins lib.npyio lib.scimath "
        "lib.stride_tricks linalg ma ma.extras ma.mrecords matlib polynomial polynomial.chebyshev "
        "polynomial.hermite polynomial.hermite_e polynomial.laguerre polynomial.legendre "
        "polynomial.polynomial polynomial.polyutils random rec strings testing typing",
    ),
    "scipy": (
        "scipy",
        "cluster cluster.hierarchy cluster.vq constants datasets differentiate fft fftpack integrate "
        "interpolate io io.arff io.wavfile linalg linalg.interpolative ndimage optimize "
        "optimize.elementwise signal signal.windows sparse sparse.csgraph sparse.linalg spatial "
        "spatial.distance spatial.transform special stats stats.contingency stats.mstats stats.qmc "
        "stats.sampling",
    ),
    "scikit-learn": (
        "sklearn",
        ". base calibration cluster compose covariance cross_decomposition datasets decomposition "
        "discriminant_analysis dummy ensemble exceptions feature_extraction feature_extraction.image "
        "feature_extraction.text feature_selection gaussian_process gaussian_process.kernels impute "
        "inspection isotonic kernel_approximation kernel_ridge linear_model manifold metrics "
        "metrics.cluster metrics.pairwise mixture model_selection multiclass multioutput naive_bayes "
        "neighbors neural_network pipeline preprocessing random_projection semi_supervised svm tree "
        "utils utils.class_weight utils.extmath utils.graph utils.metaestimators utils.multiclass "
        "utils.parallel utils.random utils.sparsefuncs utils.validation",
    ),
    "torch": (
        "torch",
        ". amp autograd autograd.functional autograd.profiler cuda distributions "
        "distributions.transforms fft func futures hub linalg masked nested nn nn.attention "
        "nn.functional nn.init nn.utils nn.utils.parametrizations nn.utils.prune nn.utils.rnn optim "
        "optim.lr_scheduler overrides profiler random signal.windows sparse special utils.checkpoint "
        "utils.data utils.dlpack",
    ),
    "python": (
        "",
        "abc argparse array ast asyncio base64 bisect builtins bz2 calendar cmath codecs collections "
        "collections.abc colorsys concurrent.futures configparser contextlib contextvars copy csv "
        "ctypes dataclasses datetime decimal difflib dis email email.message enum fnmatch fractions "
        "functools gc getpass gettext glob graphlib gzip hashlib heapq hmac html html.parser "
        "http.client http.cookies http.server importlib.metadata importlib.resources importlib.util "
        "inspect io ipaddress itertools json keyword linecache locale logging logging.handlers lzma "
        "math mimetypes mmap multiprocessing.pool multiprocessing.shared_memory numbers operator os "
        "os.path pathlib pdb pickletools pkgutil platform plistlib pprint queue random re reprlib "
        "sched secrets select selectors shelve shlex shutil signal smtplib socket socketserver "
        "sqlite3 ssl stat statistics string struct subprocess symtable sys tarfile tempfile textwrap "
        "threading time timeit token tokenize trace traceback tracemalloc types typing unicodedata "
        "unittest unittest.mock urllib.parse urllib.request uuid warnings wave weakref "
        "xml.dom.minidom xml.etree.ElementTree xml.sax.saxutils xmlrpc.client zipapp zipfile "
        "zipimport zlib zoneinfo",
    ),
}


@dataclass
class DocumentedObject:
    """A public function or class: its package, its docstring, and all its public names."""

    package: str
    docstring: str
    names: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The shortest public name."""
        return min(self.names, key=lambda name: (name.count("."), len(name), name))


class _Member(NamedTuple):
    name: str
    value: Any


def public_objects() -> list[DocumentedObject]:
    """Import the installed packages and return their documented objects, sorted by name; warnings are silenced."""
    objects: dict[int, DocumentedObject] = {}
    alive: list[Any] = []  # an id() is unique only while its object lives
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for package, (root, modules) in MODULES.items():
            for public_name, module in _import(root, modules):
                for member in _members(public_name, module):
                    known = objects.get(id(member.value))
                    if known is not None:
                        known.names.append(member.name)
                        continue
                    docstring = own_docstring(member.value)
                    if docstring and len(docstring) >= MIN_CHARACTERS and _belongs(member.value, package, root):
                        alive.append(member.value)
                        objects[id(member.value)] = DocumentedObject(package, docstring, [member.name])
    return sorted(objects.values(), key=lambda documented: documented.name)


def own_docstring(value: Any) -> str | None:
    """Return the docstring of the object itself, not one inherited from its class or base class."""
    docstring = vars(value).get("__doc__") if isinstance(value, type) else getattr(value, "__doc__", None)
    if not isinstance(docstring, str) or (not isinstance(value, type) and docstring == type(value).__doc__):
        return None
    return inspect.cleandoc(docstring)


def _import(root: str, modules: str) -> Iterator[tuple[str, ModuleType]]:
    """Import modules; the real name of a module may differ from the public name (os.path is posixpath)."""
    for relative in modules.split():
        name = root if relative == "." else f"{root}.{relative}".strip(".")
        try:
            yield name, _module(name)
        # A missing or older package only gives fewer documents.
        except (ImportError, AttributeError, RuntimeError, OSError):
            continue


def _module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        # Some public modules are only attributes (numpy.emath).
        parent, dot, attribute = name.rpartition(".")
        module = getattr(importlib.import_module(parent), attribute, None) if dot else None
        if not isinstance(module, ModuleType):
            raise
        return module


def _members(public_name: str, module: ModuleType) -> Iterator[_Member]:
    for name in sorted(set(getattr(module, "__all__", None) or dir(module))):
        if name.startswith("_"):
            continue
        try:
            value = getattr(module, name)
        # Lazy attributes that need missing extras, or an "experimental" switch.
        except (ImportError, AttributeError, RuntimeError):
            continue
        if callable(value) and not isinstance(value, ModuleType):
            yield _Member(f"{public_name}.{name}", value)


def _belongs(value: Any, package: str, root: str) -> bool:
    """Return whether an object is defined in the package, not imported from elsewhere."""
    module = getattr(value, "__module__", None)
    if not isinstance(module, str):
        return True
    top = module.partition(".")[0]
    return top in sys.stdlib_module_names if package == "python" else top == root
