"""What is damaged and how it is then read: a good folder, the files of it that may be damaged, a reader."""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from encoders.artifact import sealed
from encoders.checksums import file_sums
from fuzzing.mutations import misplace, mutate


@dataclass(frozen=True)
class Case:
    """One reader or artifact.

    Attributes
    ----------
    name : str
    build : callable
        Writes the good files into an empty folder.
    read : callable
        Reads them as the product does; given the folder, a folder to write to, and a source of chance.
    targets : str
        Glob of the files that are damaged.
    signed : bool
        Whether checksums are made to fit the damage, as somebody who means harm would.
    quick : bool
        Part of the short run.
    """

    name: str
    build: Callable[[Path], None]
    read: Callable[[Path, Path, random.Random], object]
    targets: str = "**/*"
    signed: bool = False
    quick: bool = True


def damage(case: Case, folder: Path, seed: int) -> random.Random:
    """Damage the copy of a case's good folder; the same seed does the same damage."""
    rng = random.Random(f"{case.name} {seed}")
    files = sorted(path for path in folder.glob(case.targets) if path.is_file())
    if case.signed:  # what carries its own checksum, and manifests
        files = [path for path in files if path.name != "index.faiss"]
    manifests = sorted(folder.rglob("manifest.json"), key=lambda path: -len(path.parts)) if case.signed else []
    path = rng.choice(files)
    if rng.random() < 0.03:
        misplace(path, rng)
    else:
        raw = path.read_bytes()
        path.unlink()  # it may share its bytes with the good one
        path.write_bytes(mutate(raw, rng, path.name))
    sign(manifests)
    return rng


def sign(manifests: list[Path]) -> None:
    """Write into manifests the checksums that their files have now, inner folders first."""
    for path in filter(Path.is_file, manifests):  # one may be a pipe by now
        try:
            manifest = json.loads(path.read_text(encoding="utf-8"))
            for name in manifest.get("digests", {}):
                manifest["digests"][name] = _sha256(path.parent / name)
            for name in manifest.get("files", {}):
                file = path.parent / name
                if not file.is_file():
                    raise FileNotFoundError(file)
                manifest["files"][name] = file_sums(file)
            for record in manifest.get("spaces", []):
                for part in ("encoder", "index"):
                    inner = path.parent / "spaces" / record["folder"] / part / "manifest.json"
                    record[f"{part}_digest"] = _sha256(inner)
            if "digest" in manifest:
                manifest = sealed(manifest)
            text = json.dumps(manifest).encode("utf-8", errors="surrogatepass")
        except (OSError, ValueError, TypeError, AttributeError, LookupError, RecursionError):
            continue  # damaged itself
        path.unlink()
        path.write_bytes(text)


def _sha256(path: Path) -> str:
    if not path.is_file():  # what it is now would be waited for
        raise FileNotFoundError(path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def fresh(path: Path) -> Path:
    """Remove a folder, whatever is in it, and make it anew."""
    if path.exists():
        subprocess.run(["rm", "-rf", str(path)], check=True)  # shutil goes no deeper than Python's stack
    path.mkdir(parents=True)
    return path
