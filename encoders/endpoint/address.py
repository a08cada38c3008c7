"""The address of an embeddings endpoint, and the key that belongs to its host."""

from __future__ import annotations

import ipaddress
import os
import re
from urllib.parse import SplitResult, urlsplit

from encoders.errors import OptionError

#: Environment variables of keys begin with this; the name of the host follows, so that no key reaches another host.
KEY_PREFIX = "NEARBY_KEY_"
#: The usual variable of one well-known host.
_USUAL = {"api.openai.com": "OPENAI_API_KEY"}
_HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_KEY = re.compile(r"[\x21-\x7e]+")


def checked_url(text: str, plain_http: bool = False) -> str:
    """Return the address of an endpoint in full: a path ``/v1`` or none is completed to ``/v1/embeddings``.

    Raises
    ------
    OptionError
        When it is no http or https address, holds a password, or would send texts unencrypted to another machine.

    Examples
    --------
    >>> checked_url("http://localhost:8000"), checked_url("https://api.example.org/v1/")
    ('http://localhost:8000/v1/embeddings', 'https://api.example.org/v1/embeddings')
    >>> checked_url("http://example.org/v1")
    Traceback (most recent call last):
    encoders.errors.OptionError: http://example.org would get texts and key unencrypted: write https://, or allow it ...
    """
    parts = _split(text)
    if "@" in parts.netloc:
        raise OptionError(
            "endpoint: leave '@', user and password out of the address, which is written to disk: set the key in the "
            f"environment variable {KEY_PREFIX}HOST"
        )
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise OptionError(f"endpoint: '{text}' is no address; expected one as in https://HOST/v1/embeddings")
    if parts.scheme == "http" and not plain_http and not is_here(parts.hostname):
        raise OptionError(
            f"http://{parts.hostname} would get texts and key unencrypted: write https://, or allow it with "
            "plain-http=true"
        )
    path = parts.path.rstrip("/")
    path = f"{path or '/v1'}/embeddings" if path in ("", "/v1") else path
    return parts._replace(path=path, fragment="").geturl()


def key_variables(url: str) -> list[str]:
    """Return the environment variables that may hold the key of an endpoint, the first one first.

    A dot of the host's name is one underscore, a hyphen is two: different hosts have different variables.

    Examples
    --------
    >>> key_variables("https://my-gpu.example.org/v1/embeddings")
    ['NEARBY_KEY_MY__GPU_EXAMPLE_ORG']
    """
    host = (urlsplit(url).hostname or "").lower()
    if not _HOST.fullmatch(host):
        return []
    host_variable = KEY_PREFIX + host.replace("-", "__").replace(".", "_").upper()
    return [host_variable, *([_USUAL[host]] if host in _USUAL else [])]


def key_of(url: str) -> str | None:
    """Return the key for an endpoint from the environment; None when there is none.

    Raises
    ------
    OptionError
        When a key has characters that no header can carry; the message does not repeat it.
    """
    for variable in key_variables(url):
        key = os.environ.get(variable, "").strip()
        if key:
            if not _KEY.fullmatch(key):
                raise OptionError(f"{variable} holds spaces or other characters that no key has: set it again")
            return key
    return None


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018  # raises for a port that is no number
    except ValueError as error:
        raise OptionError(f"endpoint: the address is not valid: {error}") from None
    if re.search(r"[\s\x00-\x1f\x7f]", text):
        raise OptionError("endpoint: an address has no spaces")
    return parts


def is_here(host: str) -> bool:
    """Return whether a host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
