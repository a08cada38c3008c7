"""Where the server's program comes from: a zip that is here, else Maven; and the Java that it needs."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VERSION = "8.19.21"
ARCHIVE = f"elasticsearch-{VERSION}.zip"
#: The minimal distribution as Elastic publishes it: no container, no Java in it, a third of the full one's size.
COORDINATES = f"org.elasticsearch.distribution.integ-test-zip:elasticsearch:{VERSION}:zip"
MAVEN_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"
CENTRAL = "https://repo1.maven.org/maven2/org/elasticsearch/distribution/integ-test-zip/elasticsearch"
SHA256 = "215d5f3dbf0609a149f6218a9e47b6ae2df34ebbff3c5754e35f15a5e5393c8a"
JAVA_AT_LEAST = 17
DOWNLOAD_SECONDS = 600


class ServerAbsent(Exception):
    """There is no server here and none can be made: tests skip, CI fails."""


class ServerError(RuntimeError):
    """There is a server, and it does not do what it should."""


def workplace() -> Path:
    """Return this user's folder for programs and running servers.

    Not the cache: below root's home the server's own user (it refuses to run as root) could not read it.

    Raises
    ------
    ServerAbsent
        Where there are no users, or the folder is another user's.
    """
    if not hasattr(os, "getuid"):
        raise ServerAbsent("the server is started on Linux and macOS only; elsewhere set NEARBY_ELASTICSEARCH")
    folder = Path(tempfile.gettempdir()) / f"nearby-elasticsearch-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise ServerAbsent(f"{folder} belongs to somebody else; set TMPDIR to another folder")
    folder.chmod(0o711)
    return folder


@contextmanager
def alone() -> Iterator[None]:
    """Let one process at a time of this user unpack or start something shared."""
    from filelock import FileLock

    with FileLock(workplace() / "lock"):
        yield


def java_home() -> Path:
    """Return the folder of a Java that is new enough: ES_JAVA_HOME's, JAVA_HOME's or that of the PATH.

    Raises
    ------
    ServerAbsent
        When there is none, naming those that were seen.
    """
    seen = []
    for home in (os.environ.get("ES_JAVA_HOME"), os.environ.get("JAVA_HOME"), None):
        program = shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")
        if program is None:
            continue
        command = [program, "-XshowSettings:properties", "-version"]
        said = subprocess.run(command, capture_output=True, text=True, check=False).stderr
        version = re.search(r"java\.specification\.version = (?:1\.)?(\d+)", said)
        place = re.search(r"java\.home = (.+)", said)
        if version and place and int(version[1]) >= JAVA_AT_LEAST:
            return Path(place[1].strip())
        seen.append(f"{program} is {'version ' + version[1] if version else 'not one'}")
    found = f" ({'; '.join(seen)})" if seen else ""
    raise ServerAbsent(f"no Java {JAVA_AT_LEAST} or newer in ES_JAVA_HOME, JAVA_HOME or PATH{found}")


def distribution() -> Path:
    """Return the unpacked server, made once for every user of this machine who runs the tests.

    Raises
    ------
    ServerAbsent
        When the zip is neither here nor to be fetched.
    ServerError
        When it is not what was published.
    """
    target = workplace() / VERSION
    if target.is_dir():
        return target
    source = archive()
    with tempfile.TemporaryDirectory(dir=workplace(), prefix="unpacking-") as temporary:
        with zipfile.ZipFile(source) as opened:
            for info in opened.infolist():
                path = Path(opened.extract(info, temporary))
                # zipfile forgets the executable bits, and a strict umask would shut out the server's user.
                path.chmod(0o755 if info.is_dir() or info.external_attr >> 16 & 0o111 else 0o644)
        (made,) = Path(temporary).iterdir()
        try:
            made.rename(target)
        except OSError:
            if not target.is_dir():  # otherwise another worker was first
                raise
    return target


def archive() -> Path:
    """Return the zip: beside NEARBY_DATA, in the cache, or fetched into the cache now.

    Raises
    ------
    ServerAbsent
        When it is neither here nor to be fetched.
    ServerError
        When it is not what was published.
    """
    from retrieval.corpora.download import DATA_VARIABLE, cache_folder

    cache = cache_folder() / "elasticsearch"
    data = os.environ.get(DATA_VARIABLE)
    places = [*([Path(data).expanduser().parent / "elasticsearch"] if data else []), cache]
    for folder in places:
        path = folder / ARCHIVE
        if path.is_file():
            return _genuine(path)
    print(f"fetching {ARCHIVE} (107 MB) into {cache}", file=sys.stderr)
    cache.mkdir(parents=True, exist_ok=True)
    tried = []
    for fetch in (_by_maven, _by_http):
        with tempfile.TemporaryDirectory(dir=cache, prefix=".fetching-") as temporary:
            try:
                path = fetch(Path(temporary))
            except ServerAbsent as error:
                tried.append(str(error))
            else:
                return _genuine(path).rename(cache / ARCHIVE)
    raise ServerAbsent(f"{ARCHIVE} is not in {' or '.join(map(str, places))}; {'; '.join(tried)}")


def _by_maven(folder: Path) -> Path:
    """Maven knows the mirrors and proxies of the place."""
    if shutil.which("mvn") is None:
        raise ServerAbsent("no mvn")
    command = [
        "mvn",
        "-B",
        "-q",
        "-Dstyle.color=never",
        MAVEN_PLUGIN,
        f"-Dartifact={COORDINATES}",
        f"-DoutputDirectory={folder}",
    ]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=DOWNLOAD_SECONDS, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired as error:
        raise ServerAbsent(f"mvn took longer than {DOWNLOAD_SECONDS} s") from error
    path = folder / ARCHIVE
    if done.returncode or not path.is_file():
        said = (done.stdout + done.stderr).strip().splitlines()
        # Maven wraps the reason in a sentence for each thing that wanted it.
        reason = said[0].removesuffix(" -> [Help 1]")[-200:] if said else f"exit {done.returncode}"
        raise ServerAbsent(f"mvn could not fetch it (…{reason})")
    return path


def _by_http(folder: Path) -> Path:
    import pooch
    import requests

    pooch.get_logger().setLevel("WARNING")
    url = f"{CENTRAL}/{VERSION}/{ARCHIVE}"
    try:
        return Path(pooch.retrieve(url, None, ARCHIVE, folder, downloader=pooch.HTTPDownloader(timeout=30)))
    except requests.RequestException as error:
        raise ServerAbsent(f"{url} could not be reached ({type(error).__name__})") from error


def _genuine(path: Path) -> Path:
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if digest != SHA256:
        raise ServerError(f"{path} is not the {ARCHIVE} that was published (sha256 {digest[:16]}…): remove it")
    return path
