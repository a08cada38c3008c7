"""Which servers may receive credentials: those whose address the user gave, not those that a folder names.

A folder may come from anybody. If credentials were sent to any address in it, its author could read them.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path

from encoders.atomic_write import atomic_file
from encoders.errors import OptionError

HOSTS = "NEARBY_ELASTICSEARCH_HOSTS"
#: A file in the user's configuration folder: one trusted server per line.
FILE = "elasticsearch-servers"
_LONGEST = 100_000
_SERVER = re.compile(r"https?://[^\s/]+")

_named: set[str] = set()
_trusting: ContextVar[bool] = ContextVar("trusting", default=False)


def trust_folders() -> None:
    """Trust every server that a folder names, as ``--trust`` does."""
    _trusting.set(True)


@contextmanager
def trusting(trust: bool) -> Iterator[None]:
    """Trust the servers that folders name, in a block."""
    token = _trusting.set(_trusting.get() or trust)
    try:
        yield
    finally:
        _trusting.reset(token)


def require_trusted(hosts: Sequence[str], named: bool) -> None:
    """Refuse to send credentials to a server that the user did not name, or over an unencrypted connection.

    Parameters
    ----------
    hosts : sequence of str
        URLs of nodes, each with its port.
    named : bool
        Whether the user gave the address, and not a folder.

    Raises
    ------
    OptionError
        With the way to trust the server.
    """
    servers = [_server(host) for host in hosts]
    for server in servers:
        if server.startswith("http://") and not _is_this_machine(server):
            raise OptionError(
                f"user, password or API key would be sent to {server} unencrypted: write https:// in the address "
                "(http is allowed on this machine only), or unset them"
            )
    if named:
        _named.update(servers)
        return
    unknown = sorted(set(servers) - _named - _listed() - _remembered())
    if not unknown:
        return
    if _trusting.get():
        remember(unknown)
        return
    raise OptionError(
        f"a folder names the server {' and '.join(unknown)}, to which you have not sent user, password or API key "
        f"before: if you trust it, add it to {HOSTS}, or run the same command once with --trust"
    )


def remember(hosts: Iterable[str]) -> None:
    """Record trusted servers in the user's configuration folder; if it cannot be written, for this process only."""
    servers = {_server(host) for host in hosts}
    _named.update(servers)
    if servers <= _remembered():
        return
    with suppress(OSError):
        path = _file()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with atomic_file(path) as file:
            os.fchmod(file.fileno(), 0o600)
            file.writelines(f"{server}\n".encode() for server in sorted(servers | _remembered()))


def _listed() -> set[str]:
    """Return the servers that the environment lists, separated by commas or spaces."""
    return {_server(host) for host in re.split(r"[,\s]+", os.environ.get(HOSTS, "")) if host}


def _remembered() -> set[str]:
    try:
        with _file().open(encoding="utf-8") as file:
            return {_server(line) for line in file.read(_LONGEST).splitlines() if _SERVER.fullmatch(line)}
    except (OSError, ValueError):
        return set()


def _file() -> Path:
    import platformdirs

    return Path(platformdirs.user_config_dir("nearby", appauthor=False)) / FILE


def _server(url: str) -> str:
    """Return scheme, host and port of a URL, without its path.

    Examples
    --------
    >>> _server("https://Search.example.org/elastic"), _server("http://[::1]:9201")
    ('https://search.example.org:9200', 'http://[::1]:9201')
    """
    scheme, _, rest = url.lower().partition("://")
    server = rest.partition("/")[0]
    port = server.rpartition("]")[2] if server.startswith("[") else server
    return f"{scheme}://{server}{'' if ':' in port else ':9200'}"


def _is_this_machine(server: str) -> bool:
    host = server.partition("://")[2].rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
