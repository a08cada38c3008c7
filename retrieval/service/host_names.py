"""Names of hosts, as clients send them and as people write them."""

from __future__ import annotations

import ipaddress
from contextlib import suppress


def name_of(host: str) -> str:
    """Return the name of a Host header, without its port; an IPv6 address in brackets and in its shortest form.

    Examples
    --------
    >>> name_of("LocalHost:8765"), name_of("[::1]:80"), name_of("[0:0::1]")
    ('localhost', '[::1]', '[::1]')
    """
    name, colon, port = host.rpartition(":")
    name = (name if colon and port.isdecimal() else host).lower()
    if name.startswith("[") and name.endswith("]"):
        with suppress(ValueError):
            return f"[{ipaddress.IPv6Address(name[1:-1])}]"
    return name


def as_host_header(written: str) -> str:
    """Return the name that clients send for a host that the operator writes: with or without port or brackets.

    Examples
    --------
    >>> as_host_header("Search.example.org:443"), as_host_header("2001:DB8::0:1"), as_host_header("[::1]")
    ('search.example.org', '[2001:db8::1]', '[::1]')
    """
    with suppress(ValueError):
        return f"[{ipaddress.IPv6Address(written)}]"
    return name_of(written)


def without_brackets(written: str) -> str:
    """Return an address as the operating system takes it.

    Examples
    --------
    >>> without_brackets("[::1]"), without_brackets("127.0.0.1")
    ('::1', '127.0.0.1')
    """
    return written[1:-1] if written.startswith("[") and written.endswith("]") else written
