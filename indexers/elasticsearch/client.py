"""The connection: the official client, credentials from the environment, and every error in one sentence."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from encoders.errors import IndexGoneError, NearbyError, OptionError, ServerError
from indexers.elasticsearch.attempt import node_class
from indexers.elasticsearch.deadline import TIMEOUT, timeout_seconds, transport_class
from indexers.elasticsearch.hedge import hedged
from indexers.elasticsearch.silence import pool_class
from indexers.elasticsearch.trust import require_trusted

USER, PASSWORD = "NEARBY_ELASTICSEARCH_USER", "NEARBY_ELASTICSEARCH_PASSWORD"
API_KEY, AUTHORITY = "NEARBY_ELASTICSEARCH_API_KEY", "NEARBY_ELASTICSEARCH_CA"
#: Major versions of servers that a client of major version 8 can talk to.
MAJORS = (8, 9)


def connect(hosts: Sequence[str], named: bool = False) -> Any:
    """Return a client for a cluster, one for each process, after checking the version of the server.

    Parameters
    ----------
    hosts : sequence of str
    named : bool
        Whether the user gave the address, and not a folder: only then credentials are sent without asking; see `trust`.

    Raises
    ------
    ServerError
        When no Elasticsearch answers, its version is not supported, or it refuses the credentials.
    OptionError
        For settings in the environment that contradict each other, or credentials that must not be sent there.
    """
    if has_credentials():
        require_trusted(hosts, named)
    return _connect(tuple(hosts), os.getpid(), tuple(os.environ.get(name) for name in _VARIABLES))


def has_credentials() -> bool:
    """Return whether the environment holds credentials.

    Raises
    ------
    OptionError
        When they are incomplete or malformed.
    """
    return bool(_credentials(*(os.environ.get(name) for name in _VARIABLES[:3])))


_VARIABLES = (USER, PASSWORD, API_KEY, AUTHORITY, TIMEOUT)


@lru_cache(maxsize=8)
def _connect(hosts: tuple[str, ...], process: int, environment: tuple[str | None, ...]) -> Any:
    from elasticsearch import Elasticsearch
    from elasticsearch.serializer import OrjsonSerializer

    timeout_seconds()
    client = Elasticsearch(
        list(hosts),
        **_credentials(*environment[:3]),
        **_authority(environment[3], hosts),
        serializers={"application/json": OrjsonSerializer()},
        transport_class=transport_class(),
        node_class=node_class(),
        node_pool_class=pool_class(),
        retry_on_timeout=True,
        retry_on_status=(502, 503, 504),
        dead_node_backoff_factor=0.2,
        # a request to a stopped node waits for it, while other nodes could answer
        max_dead_node_backoff=15,
    )
    with readable_errors(hosts):
        hedged(client, lambda _: require_major(client, hosts))
    return client


def require_major(client: Any, hosts: Sequence[str]) -> None:
    """Refuse a server whose major version is not supported.

    A minimal distribution does not answer ``info()``, so the node is asked for its version. Only that node is asked, as
    it would wait for a stopped one.
    """
    answer = client.options(ignore_status=403).nodes.info(node_id="_local", filter_path="nodes.*.version")
    if answer.meta.status == 403:  # may only search; a wrong version refuses what follows
        return
    body = answer.body or {}
    versions = {node["version"] for node in body.get("nodes", {}).values()}
    if not versions:
        raise ServerError(f"the Elasticsearch at {hosts[0]} does not tell its version: give the address of its nodes")
    unsupported = sorted(version for version in versions if int(version.partition(".")[0]) not in MAJORS)
    if unsupported:
        raise ServerError(
            f"Elasticsearch {unsupported[0]} answers at {hosts[0]}; nearby supports versions "
            f"{' and '.join(map(str, MAJORS))}: use one of these"
        )


def _credentials(user: str | None, password: str | None, key: str | None) -> dict[str, Any]:
    if key:
        if user or password:
            raise OptionError(f"set {API_KEY}, or {USER} and {PASSWORD}, not both")
        if not key.isascii() or not key.isprintable() or " " in key:
            raise OptionError(f"{API_KEY} is not an API key: copy it again, in its encoded form")
        return {"api_key": key}
    if bool(user) != bool(password):
        raise OptionError(f"{USER} and {PASSWORD} belong together: set both or none")
    if not user or not password:
        return {}
    if ":" in user:
        raise OptionError(f"{USER} holds a ':', which a user name cannot have: set it to the name alone")
    import base64

    # as UTF-8 (RFC 7617); the client itself encodes otherwise
    return {"basic_auth": base64.b64encode(f"{user}:{password}".encode("utf-8", "surrogateescape")).decode()}


def _authority(path: str | None, hosts: Sequence[str]) -> dict[str, Any]:
    if not path:
        return {}
    import ssl

    try:
        ssl.create_default_context(cafile=path)
    except OSError:  # SSLError is one
        what = "holds no certificate" if Path(path).is_file() else "is not a file"
        raise OptionError(
            f"{AUTHORITY} names '{path}', which {what}: set it to the certificate of the authority that signed "
            "the server's"
        ) from None
    return {"ca_certs": path} if any(host.startswith("https:") for host in hosts) else {}


@contextmanager
def readable_errors(hosts: Sequence[str]) -> Iterator[None]:
    """Turn every error of the client into one sentence that says what to do.

    Raises
    ------
    ServerError
    """
    import elastic_transport
    import elasticsearch

    try:
        yield
    except elasticsearch.ApiError as error:
        if _is_other_server(error):
            raise ServerError(f"the server at {_all(hosts)} is not Elasticsearch: give the address of one") from error
        gone = cause_of(error.body)[0] == "index_not_found_exception"
        raise (IndexGoneError if gone else ServerError)(refusal(error, hosts)) from error
    except elastic_transport.TlsError as error:
        raise ServerError(_tls(error, hosts)) from error
    except elastic_transport.ConnectionTimeout as error:
        raise ServerError(
            f"Elasticsearch at {_all(hosts)} did not answer in time: look at its load, or set {TIMEOUT} higher"
        ) from error
    except elastic_transport.ConnectionError as error:
        raise ServerError(
            f"no Elasticsearch answers at {_all(hosts)}: start it, or give the right address ({_cause(error)})"
        ) from error
    # an answer that lacks what the block reads of it
    except (elastic_transport.TransportError, ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        if isinstance(error, NearbyError):
            raise
        raise ServerError(
            f"the answer of Elasticsearch at {_all(hosts)} cannot be read: try again; "
            f"if that does not help, look for a proxy in between ({_cause(error)})"
        ) from error


def _is_other_server(error: Any) -> bool:
    """Return whether another program answers. A gateway in front of a server may refuse requests itself."""
    named = error.meta.headers.get("x-elastic-product") == "Elasticsearch"
    return not named and error.status_code not in (401, 403, 413, 429, 502, 503, 504)


def refusal(error: Any, hosts: Sequence[str]) -> str:
    """Return a sentence that says what the server refuses and what to do."""
    kind, reason = cause_of(error.body)
    if error.status_code == 401:
        who = f"refuses the user '{os.environ[USER]}'" if os.environ.get(USER) else "asks for credentials"
        if os.environ.get(API_KEY):
            who = "refuses the API key"
        return f"Elasticsearch at {hosts[0]} {who}: set {USER} and {PASSWORD}, or {API_KEY}"
    if kind == "cluster_block_exception":
        return blocked(reason)
    if error.status_code == 403:
        return f"Elasticsearch at {hosts[0]} does not allow your user to do this: give it the privilege ({reason})"
    if kind == "media_type_header_exception":
        return f"Elasticsearch at {hosts[0]} is too old: use a server of version 8 or 9"
    if kind == "index_closed_exception":
        return closed(error.body)
    if kind == "index_not_found_exception":
        return f"Elasticsearch at {hosts[0]} has no such index ({reason}): index the corpus again"
    if error.status_code == 429:
        return f"Elasticsearch at {hosts[0]} has too much to do ({reason}): try again later, or give it more nodes"
    if error.status_code in (502, 503, 504):
        return (
            f"Elasticsearch at {hosts[0]} has no node for a part of the index at the moment ({reason}): "
            "check its health and start the missing nodes"
        )
    return f"Elasticsearch at {hosts[0]} refuses: {reason}"


def blocked(reason: str) -> str:
    """Return a sentence that says why an index refuses writes: a nearly full disk, or a setting."""
    if "flood" in reason or "read-only-allow-delete" in reason or "read_only_allow_delete" in reason:
        return f"Elasticsearch refuses writes, as a disk is nearly full: free some space on it ({reason})"
    return f"the index is blocked in Elasticsearch ({reason}): remove the block in its settings"


def cause_of(body: Any) -> tuple[str, str]:
    """Return type and reason of the root cause of an error in an answer.

    Examples
    --------
    >>> cause_of({"error": {"type": "a", "reason": "b", "root_cause": [{"type": "c", "reason": "d"}]}})
    ('c', 'd')
    """
    error: Any = body.get("error", body) if isinstance(body, dict) else body
    if not isinstance(error, dict):
        return "", " ".join(str(error).split())[:200]
    root = next(iter(error.get("root_cause") or []), error)
    # 'all shards failed' does not help; the error of the first shard does
    shards = error.get("failed_shards") or [{}]
    failed = shards[0].get("reason")
    deepest = failed if isinstance(failed, dict) else root
    while isinstance(deepest.get("caused_by"), dict) and deepest["caused_by"].get("reason"):
        deepest = deepest["caused_by"]
    kind = str(root.get("type") or deepest.get("type") or "")
    return kind, " ".join(str(deepest.get("reason") or root.get("reason") or kind).split())[:300]


def closed(body: Any) -> str:
    """Return a sentence that says which index is closed, and how to open it."""
    error = body.get("error", {}) if isinstance(body, dict) else {}
    causes = [error, *(error.get("root_cause") or [])] if isinstance(error, dict) else []
    name = next((str(cause["index"]) for cause in causes if isinstance(cause, dict) and cause.get("index")), "NAME")
    return f"the index '{name}' in Elasticsearch is closed: open it with  POST /{name}/_open"


def _tls(error: Any, hosts: Sequence[str]) -> str:
    cause = _cause(error)
    if "WRONG_VERSION_NUMBER" in cause or "record layer failure" in cause:
        return f"{hosts[0]} does not use https: write http:// in the address"
    return (
        f"the certificate of {hosts[0]} is signed by an unknown authority: set {AUTHORITY} to the certificate "
        f"of that authority ({cause})"
    )


def _cause(error: Any) -> str:
    message = " ".join(str(getattr(error, "message", None) or error).split())[:160]
    if isinstance(error, KeyError):
        return f"it lacks {message}"
    return "it has another form" if isinstance(error, TypeError | AttributeError | IndexError) else message


def _all(hosts: Sequence[str]) -> str:
    return " and ".join(hosts)
