"""What the operator of the service decides: collections, address, token, processes."""

from __future__ import annotations

import ipaddress
import json
import os
import re
import secrets
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from encoders.errors import OptionError
from encoders.progress import say

#: Environment variable through which the parent process tells its workers the settings, without the token.
SETTINGS_VARIABLE = "NEARBY_SERVICE"
#: Shortest token, in letters.
MIN_TOKEN = 16


@dataclass(frozen=True)
class Settings:
    """The settings of a service.

    Attributes
    ----------
    folders : mapping of str to str
        Folders of collections by the names that clients use.
    host : str
        Address to listen at.
    port : int
    token_file : str
        File that holds the token; empty for none.
    workers : int
        Number of processes.
    threads : int
        Threads of one process that search.
    hosts : tuple of str
        Further names by which clients may call the service.
    origins : tuple of str
        Origins of other pages that may use the API; none by default.
    metrics_file : str
        File that all processes count their requests in; empty for one of this process alone.
    """

    folders: Mapping[str, str] = field(default_factory=dict)
    host: str = "127.0.0.1"
    port: int = 8765
    token_file: str = ""
    workers: int = 1
    threads: int = 2
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    metrics_file: str = ""

    def to_json(self) -> str:
        """Return the settings as a text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Settings:
        """Read what `to_json` returned."""
        value = json.loads(text)
        return replace(cls(**value), hosts=tuple(value["hosts"]), origins=tuple(value["origins"]))


def require_safe(settings: Settings) -> None:
    """Refuse an address that others can reach without a token.

    Raises
    ------
    OptionError
    """
    for origin in settings.origins:
        if not re.fullmatch(r"https?://[^/\s]+", origin):
            raise OptionError(f"--allow-origin {origin}: an origin is written https://example.org, without a path")
    for host in settings.hosts:
        if re.search(r"[/\s]", host):
            raise OptionError(f"--allow-host {host}: a host is written search.example.org, without http:// and path")
    if not is_loopback(settings.host) and not settings.token_file:
        raise OptionError(
            f"--host {settings.host} can be reached by others: add --token-file FILE, which holds a secret of at least "
            f"{MIN_TOKEN} letters; {secrets.token_urlsafe(24)} is a random one"
        )


def warn_of_readers(path: str) -> None:
    """Say that other users of this machine can read the token, if they can."""
    if path and os.name == "posix" and Path(path).stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        say(f"other users of this machine can read the token in {path}: chmod 600 {path}")


def is_loopback(host: str) -> bool:
    """Return whether only programs of this machine reach an address.

    Examples
    --------
    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("::1"), is_loopback("0.0.0.0")
    (True, True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def read_token(path: str) -> str:
    """Return the token of a file, or an empty text for no file.

    Raises
    ------
    OptionError
        When it cannot be read, or is too short.
    """
    if not path:
        return ""
    try:
        token = Path(path).read_text(encoding="ascii").strip()
    except OSError as error:
        raise OptionError(f"the token file {path} cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise OptionError(f"the token in {path} should be letters of ASCII, without spaces") from None
    if len(token) < MIN_TOKEN or not token.isprintable() or " " in token:
        raise OptionError(f"the token in {path} should be {MIN_TOKEN} letters or more, without spaces")
    return token
