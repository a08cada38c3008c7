"""The address of an index with its build options: ``http://a:9200,http://b:9200/news,int8_hnsw,m=32,replicas=1``."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields

from encoders.errors import OptionError
from encoders.numbers import is_whole

#: Index types of vectors, by Elasticsearch's own names. Its default changes between versions.
ALGORITHMS = ("hnsw", "int8_hnsw", "int4_hnsw", "bbq_hnsw", "flat", "int8_flat", "int4_flat", "bbq_flat")
PORT = 9200
EXAMPLE = "elasticsearch:http://localhost:9200/news"
#: The suffix of the alias of an unfinished load.
LOADING = ".next"
#: nearby appends a suffix and a number; Elasticsearch allows 255 bytes.
_LONGEST = 200
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:(?P<port>[0-9]{1,5}))?(?P<path>(/[A-Za-z0-9._~-]*)*)"
)

#: What an error may repeat: where a port should be, there may be a password.
_SAFE_TO_SHOW = re.compile(r"([A-Za-z]+://)?[^:]*(:\d{0,5})?(/[^:]*)?")


@dataclass(frozen=True)
class Address:
    """Hosts, the name of the index (an alias), and its build options.

    Attributes
    ----------
    hosts : tuple of str
        URLs of nodes of one cluster.
    name : str
        The alias that is searched.
    algorithm : str
        One of `ALGORITHMS`, for every dense space; bits use its graph or brute force, without quantisation.
    m, ef_construction : int
        Of graphs: neighbours per node, and candidates that are compared when a node is added.
    shards : int
        Number of shards, which different nodes may hold.
    replicas : int or None
        Copies of each shard; None: one as soon as there is a second node.

    Examples
    --------
    >>> Address.read("http://a:9200,http://b:9200/news,int8_hnsw,m=32").hosts
    ('http://a:9200', 'http://b:9200')
    >>> Address.read("http://a:9200/News")
    Traceback (most recent call last):
    encoders.errors.OptionError: 'News' is not a name of an index: use a-z, 0-9 and, after the first, '-', '_', '.'
    """

    hosts: tuple[str, ...]
    name: str
    algorithm: str = "hnsw"
    m: int = 16
    ef_construction: int = 100
    shards: int = 1
    replicas: int | None = None

    @classmethod
    def read(cls, backend: str) -> Address:
        """Parse the text after ``elasticsearch:``.

        Raises
        ------
        OptionError
            For a text that is not an address, a password in it (which no message repeats), or an unknown option.
        """
        require_no_password(backend)
        hosts, slash, rest = backend.rpartition("/")
        if not slash or hosts.endswith(("http:/", "https:/")):
            raise OptionError(f"'elasticsearch' needs the URL of a server and a name, as in '{EXAMPLE}'")
        name, *options = rest.split(",")
        if not _NAME.fullmatch(name) or len(name) > _LONGEST:
            raise OptionError(f"'{name}' is not a name of an index: use a-z, 0-9 and, after the first, '-', '_', '.'")
        if name.endswith(LOADING):
            raise OptionError(f"'{name}': names that end in '{LOADING}' are for unfinished loads: choose another name")
        settings = dict(_option(word) for word in options)
        if len(settings) < len(options):
            raise OptionError(f"an option is given twice in '{rest}'")
        return cls(tuple(map(_host, hosts.split(","))), name, **settings)  # type: ignore[arg-type]

    def __str__(self) -> str:
        options = [self.algorithm] if self.algorithm != "hnsw" else []
        for field in fields(self)[3:]:
            value = getattr(self, field.name)
            if value != field.default:
                options.append(f"{field.name}={value}")
        return f"{','.join(self.hosts)}/{','.join([self.name, *options])}"


def require_no_password(text: str) -> None:
    """Refuse an address with a ``@``: the text before it may be a password.

    Raises
    ------
    OptionError
        The message repeats nothing of the address.
    """
    if "@" in text:
        raise OptionError(
            "leave '@', user and password out of the address, which is written to disk: "
            "set NEARBY_ELASTICSEARCH_USER and NEARBY_ELASTICSEARCH_PASSWORD"
        )


def _host(url: str) -> str:
    match = _URL.fullmatch(url)
    if match is None or (match["port"] and not 0 < int(match["port"]) < 65_536):
        shown = f"'{url}'" if _SAFE_TO_SHOW.fullmatch(url) else "this text (not repeated: it may hold a password)"
        raise OptionError(f"{shown} is not a URL of a server; expected one as in '{EXAMPLE}'")
    if any(set(step) <= {"."} for step in match["path"].split("/")[1:]):
        raise OptionError(f"'{url}' is not a URL of a server: leave '..' and empty steps out of its path")
    return f"{match['scheme']}://{match['host']}:{match['port'] or PORT}{match['path']}"


def _option(word: str) -> tuple[str, str | int]:
    key, equals, value = word.partition("=")
    if not equals and key in ALGORITHMS:
        return "algorithm", key
    lowest = {"m": 2, "ef_construction": 1, "shards": 1, "replicas": 0}
    if not equals or key not in lowest:
        known = ", ".join([*ALGORITHMS, *(f"{name}=" for name in lowest)])
        raise OptionError(f"'{word}' is not an option of an Elasticsearch index; known: {known}")
    if not is_whole(value, lowest[key], 1024):
        raise OptionError(f"{key} should be a whole number from {lowest[key]} to 1,024; got '{value}'")
    return key, int(value)
