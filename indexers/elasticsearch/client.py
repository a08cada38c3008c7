"""The connection: the official client, who we are from the environment, and every refusal in one sentence."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from encoders.errors import IndexGoneError, NearbyError, OptionError, ServerError
from indexers.elasticsearch.deadline import TIMEOUT, timeout_seconds, transport_class
from indexers.elasticsearch.trust import require_trusted

USER, PASSWORD = "NEARBY_ELASTICSEARCH_USER", "NEARBY_ELASTICSEARCH_PASSWORD"
API_KEY, AUTHORITY = "NEARBY_ELASTICSEARCH_API_KEY", "NEARBY_ELASTICSEARCH_CA"
#: Majors that a client of major 8 is understood by.
MAJORS = (8, 9)


def connected(hosts: Sequence[str], named: bool = False) -> Any:
    """Return a client, one for each process and cluster, after its version was looked at.

    Parameters
    ----------
    hosts : sequence of str
    named : bool
        Whether the user himself has given the address: credentials go nowhere else without his consent; see `trust`.

    Raises
    ------
    ServerError
        When there is no Elasticsearch that this client can speak to, or it does not let us in.
    OptionError
        For settings in the environment that do not fit together, and for credentials that should not be sent there.
    """
    if has_credentials():
        require_trusted(hosts, named)
    return _connected(tuple(hosts), os.getpid(), tuple(os.environ.get(name) for name in _VARIABLES))


def has_credentials() -> bool:
    """Tell whether the environment holds who we are.

    Raises
    ------
    OptionError
        When it holds half of it, or what it cannot be.
    """
    return bool(_identity(*(os.environ.get(name) for name in _VARIABLES[:3])))


_VARIABLES = (USER, PASSWORD, API_KEY, AUTHORITY, TIMEOUT)


@lru_cache(maxsize=8)
def _connected(hosts: tuple[str, ...], process: int, environment: tuple[str | None, ...]) -> Any:
    from elasticsearch import Elasticsearch
    from elasticsearch.serializer import OrjsonSerializer

    timeout_seconds()
    client = Elasticsearch(
        list(hosts),
        **_identity(*environment[:3]),
        **_authority(environment[3], hosts),
        serializers={"application/json": OrjsonSerializer()},
        transport_class=transport_class(),
        retry_on_timeout=True,
        retry_on_status=(502, 503, 504),
        dead_node_backoff_factor=0.2,
        # whoever tries a stopped node waits for it; others answer meanwhile
        max_dead_node_backoff=15,
    )
    with speaking(hosts):
        require_major(client, hosts)
    return client


def require_major(client: Any, hosts: Sequence[str]) -> None:
    """Refuse a server of a major version that the client cannot speak to.

    Not by ``info()``, which a minimal distribution does not answer. The node that is asked answers for all: it would
    wait for one that is stopped.
    """
    said = client.options(ignore_status=403).nodes.info(node_id="_local", filter_path="nodes.*.version")
    if said.meta.status == 403:  # who may only search need not know it; one that does not fit refuses what comes next
        return
    answer = said.body or {}
    versions = {node["version"] for node in answer.get("nodes", {}).values()}
    if not versions:
        raise ServerError(f"the Elasticsearch at {hosts[0]} does not say its version: give the address of its nodes")
    strange = sorted(version for version in versions if int(version.partition(".")[0]) not in MAJORS)
    if strange:
        raise ServerError(
            f"Elasticsearch {strange[0]} answers at {hosts[0]}; nearby speaks to versions "
            f"{' and '.join(map(str, MAJORS))}: use a server of these"
        )


def _identity(user: str | None, password: str | None, key: str | None) -> dict[str, Any]:
    if key:
        if user or password:
            raise OptionError(f"set {API_KEY}, or {USER} and {PASSWORD}, not both")
        if not key.isascii() or not key.isprintable() or " " in key:
            raise OptionError(f"{API_KEY} holds a character that no API key has: copy it again, in its encoded form")
        return {"api_key": key}
    if bool(user) != bool(password):
        raise OptionError(f"{USER} and {PASSWORD} belong together: set both or none")
    if not user or not password:
        return {}
    if ":" in user:
        raise OptionError(f"{USER} holds a ':', which no user of Elasticsearch has: give the name alone")
    import base64

    # as UTF-8 (RFC 7617), which the client's own encoding is not
    return {"basic_auth": base64.b64encode(f"{user}:{password}".encode("utf-8", "surrogateescape")).decode()}


def _authority(path: str | None, hosts: Sequence[str]) -> dict[str, Any]:
    if not path:
        return {}
    import ssl

    try:
        ssl.create_default_context(cafile=path)
    except OSError:  # SSLError is one
        what = "holds no certificate" if Path(path).is_file() else "is no file"
        raise OptionError(
            f"{AUTHORITY} names '{path}', which {what}: give the certificate of who signed the server's"
        ) from None
    return {"ca_certs": path} if any(host.startswith("https:") for host in hosts) else {}


@contextmanager
def speaking(hosts: Sequence[str]) -> Iterator[None]:
    """Turn whatever the client raises into one sentence with its cure.

    Raises
    ------
    ServerError
    """
    import elastic_transport
    import elasticsearch

    try:
        yield
    except elasticsearch.ApiError as error:
        if _foreign(error):
            raise ServerError(f"what answers at {_all(hosts)} is no Elasticsearch: give the address of one") from error
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
    # what is read of an answer in the block that asks for it, and is not there
    except (elastic_transport.TransportError, ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        if isinstance(error, NearbyError):
            raise
        raise ServerError(
            f"the answer of Elasticsearch at {_all(hosts)} cannot be read; try again, "
            f"and look for a proxy in between if it stays so ({_cause(error)})"
        ) from error


def _foreign(error: Any) -> bool:
    """Tell whether something else answers; a gateway before a server may say itself that we must not, or cannot."""
    named = error.meta.headers.get("x-elastic-product") == "Elasticsearch"
    return not named and error.status_code not in (401, 403, 413, 429, 502, 503, 504)


def refusal(error: Any, hosts: Sequence[str]) -> str:
    """Say what the server refuses and what to do."""
    kind, reason = cause_of(error.body)
    if error.status_code == 401:
        who = f"refuses the user '{os.environ[USER]}'" if os.environ.get(USER) else "asks who we are"
        if os.environ.get(API_KEY):
            who = "refuses the API key"
        return f"Elasticsearch at {hosts[0]} {who}: set {USER} and {PASSWORD}, or {API_KEY}"
    if kind == "cluster_block_exception":
        return blocked(reason)
    if error.status_code == 403:
        return f"Elasticsearch at {hosts[0]} does not let our user do this: give it the right ({reason})"
    if kind == "media_type_header_exception":
        return f"Elasticsearch at {hosts[0]} is older than this client understands: use a server of version 8 or 9"
    if kind == "index_closed_exception":
        return closed(error.body)
    if kind == "index_not_found_exception":
        return f"Elasticsearch at {hosts[0]} has no such index ({reason}): index the corpus again"
    if error.status_code == 429:
        return f"Elasticsearch at {hosts[0]} has too much to do ({reason}): try again later, or give it more nodes"
    if error.status_code in (502, 503, 504):
        return (
            f"Elasticsearch at {hosts[0]} has no node now for a part of the index ({reason}): "
            "look at its health and start the nodes that are missing"
        )
    return f"Elasticsearch at {hosts[0]} refuses: {reason}"


def blocked(reason: str) -> str:
    """Say why an index takes no writes: a disk over its flood stage, or somebody's setting."""
    if "flood" in reason or "read-only-allow-delete" in reason or "read_only_allow_delete" in reason:
        return f"Elasticsearch writes nothing more, as a disk is nearly full: free some space on it ({reason})"
    return f"the index is blocked in Elasticsearch ({reason}): take the block away in its settings"


def cause_of(body: Any) -> tuple[str, str]:
    """Return type and reason of an error in an answer, by its root.

    Examples
    --------
    >>> cause_of({"error": {"type": "a", "reason": "b", "root_cause": [{"type": "c", "reason": "d"}]}})
    ('c', 'd')
    """
    error: Any = body.get("error", body) if isinstance(body, dict) else body
    if not isinstance(error, dict):
        return "", " ".join(str(error).split())[:200]
    root = next(iter(error.get("root_cause") or []), error)
    # 'all shards failed' says nothing: what the first of them says does
    shards = error.get("failed_shards") or [{}]
    failed = shards[0].get("reason")
    deepest = failed if isinstance(failed, dict) else root
    while isinstance(deepest.get("caused_by"), dict) and deepest["caused_by"].get("reason"):
        deepest = deepest["caused_by"]
    kind = str(root.get("type") or deepest.get("type") or "")
    return kind, " ".join(str(deepest.get("reason") or root.get("reason") or kind).split())[:300]


def closed(body: Any) -> str:
    """Say that an index is closed, given the error that says so."""
    error = body.get("error", {}) if isinstance(body, dict) else {}
    causes = [error, *(error.get("root_cause") or [])] if isinstance(error, dict) else []
    name = next((str(cause["index"]) for cause in causes if isinstance(cause, dict) and cause.get("index")), "NAME")
    return f"the index '{name}' in Elasticsearch is closed: open it with  POST /{name}/_open"


def _tls(error: Any, hosts: Sequence[str]) -> str:
    cause = _cause(error)
    if "WRONG_VERSION_NUMBER" in cause or "record layer failure" in cause:
        return f"{hosts[0]} does not speak https: write http:// in the address"
    return (
        f"the certificate of {hosts[0]} is not signed by anybody known: set {AUTHORITY} to the certificate "
        f"of who signed it ({cause})"
    )


def _cause(error: Any) -> str:
    said = " ".join(str(getattr(error, "message", None) or error).split())[:160]
    if isinstance(error, KeyError):
        return f"it lacks {said}"
    return "it has another form" if isinstance(error, TypeError | AttributeError | IndexError) else said


def _all(hosts: Sequence[str]) -> str:
    return " and ".join(hosts)
