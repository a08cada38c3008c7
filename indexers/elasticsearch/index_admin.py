"""Administration of the indexes at an address: the served one and the one being loaded; see `ownership` too.

An index has the name ``NAME-NUMBER`` and is served under the alias ``NAME``. During its load it has the alias
``NAME.next``; one atomic call makes it the served index. Writes go through an alias of the index itself, so that a
late write, from a slow node or a process that did not see the swap, cannot reach the index that replaced it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from encoders.errors import ServerError
from indexers.elasticsearch.address import LOADING, Address
from indexers.elasticsearch.client import cause_of, has_credentials
from indexers.elasticsearch.deadline import timeout_seconds
from indexers.elasticsearch.mapping import IndexMapping
from indexers.elasticsearch.reading import Reader
from indexers.elasticsearch.retry import SHORT, retried
from indexers.elasticsearch.trust import remember

MADE_BY = "nearby"
#: In ``_meta`` of an index of a single space: a saved folder names the index, so it stays.
KEPT = "kept"
#: Seconds in which a new index, or one whose node restarts, must find a node.
ALIVE_SECONDS = 30.0
#: The time limit for merging a large index into one segment.
_MERGE_SECONDS = 24 * 3600
#: Number and seconds of the checks after which an index is served without replicas, if none finds a node.
_CHECKS, _CHECK_SECONDS = 4, 5


class TakenNames(NamedTuple):
    """Existing names, of indexes, aliases and data streams alike, and the closed indexes among them."""

    names: frozenset[str]
    closed: frozenset[str]


class IndexState(NamedTuple):
    """The aliases of an index, and the ``_meta`` of its mapping."""

    aliases: frozenset[str]
    meta: dict[str, Any]


class IndexAdmin(Reader):
    """The indexes at an address.

    Parameters
    ----------
    address : Address
    retry_seconds : float, optional
        Seconds for which a request that fails for a transient reason is retried.
    named : bool, optional
        Whether the user gave the address, and not a folder: only then the server needs no consent.

    Raises
    ------
    ServerError
        When no Elasticsearch answers there.
    """

    @classmethod
    def named(cls, address: Address, retry_seconds: float = SHORT) -> IndexAdmin:
        """Return the indexes at an address that the user gave, and trust its server from now on.

        Raises
        ------
        ServerError
            When no Elasticsearch answers there.
        """
        admin = cls(address, retry_seconds, named=True)
        if has_credentials():
            remember(address.hosts)
        return admin

    @property
    def next(self) -> str:
        """The alias of the index that is being loaded."""
        return f"{self.address.name}{LOADING}"

    def behind(self, alias: str) -> str | None:
        """Return the index behind an alias; None if there is none.

        Raises
        ------
        ServerError
            When nearby did not make the index of that name, or the alias names several indexes.
        """

        def named(client: Any, _: dict[str, str]) -> list[str]:
            answer = client.options(ignore_status=404).indices.get_alias(name=alias)
            if answer.meta.status == 404:
                if alias == self.address.name and client.indices.exists(index=alias):
                    raise ServerError(f"nearby did not make the index '{alias}': choose another name in the address")
                return []
            return sorted(answer.body)

        names = self.read(named)
        if len(names) > 1:
            raise ServerError(
                f"the alias '{alias}' names several indexes ({', '.join(names[:4])}{', …' if len(names) > 4 else ''}), "
                "but a collection has one: choose another name in the address, or remove the alias from the others"
            )
        return names[0] if names else None

    def exists(self, name: str) -> bool:
        """Return whether an index exists."""
        return self.read(lambda client, _: bool(client.indices.exists(index=name)))

    def meta(self, name: str) -> dict[str, Any]:
        """Return the ``_meta`` of an index.

        Raises
        ------
        ServerError
            When nearby did not make the index.
        """

        def described(client: Any, _: dict[str, str]) -> dict[str, Any]:
            return dict(client.indices.get_mapping(index=name)[name]["mappings"].get("_meta") or {})

        answer = self.read(described)
        if MADE_BY not in answer:
            raise ServerError(
                f"nearby did not make the index '{name}', or its description (_meta) was overwritten: "
                "index the corpus under another name"
            )
        return answer

    @retried
    def set_meta(self, name: str, meta: dict[str, Any]) -> None:
        """Write the ``_meta`` of an index."""
        with self.connection() as client:
            client.indices.put_mapping(index=name, meta=meta)

    @retried
    def create(self, name: str, alias: str, mapping: IndexMapping, meta: dict[str, Any]) -> bool:
        """Create an index under `alias`, to be loaded; return False if another process has just created it."""
        with self.connection() as client:
            made = client.options(ignore_status=400).indices.create(
                index=name,
                settings=mapping.settings(self.address),
                mappings=mapping.mappings({MADE_BY: "an index", **meta}),
                aliases={alias: {}, write_alias(name): {}},
                wait_for_active_shards="0",  # writers wait in `require_alive`
            )
            if made.meta.status == 400:
                if made["error"]["type"] == "resource_already_exists_exception":
                    return False
                raise ServerError(f"Elasticsearch at {self.address.hosts[0]} refuses the index: {_reason(made)}")
        return True

    def require_alive(self, name: str) -> None:
        """Wait until an index has its nodes; refuse to write if it does not get them, or if its alias names another.

        Raises
        ------
        ServerError
        """
        wait = min(ALIVE_SECONDS, 0.75 * timeout_seconds())
        with self.connection() as client:
            health = client.options(ignore_status=408, request_timeout=timeout_seconds()).cluster.health(
                index=name, wait_for_status="yellow", timeout=f"{1000 * wait:.0f}ms"
            )
            red = health["status"] == "red"
        if red:
            raise ServerError(
                f"Elasticsearch at {self.address.hosts[0]} has no node for a part of the index '{name}' (it is red): "
                "check its health, start the missing nodes, and run the same command again"
            )
        self._require_alias(name)

    @retried
    def _require_alias(self, name: str) -> None:
        """Refuse to write through an alias that names another index."""
        alias = write_alias(name)
        with self.connection() as client:
            answer = client.options(ignore_status=404).indices.get_alias(name=alias)
            behind = [] if answer.meta.status == 404 else sorted(answer.body)
        if behind != [name]:
            named = ", ".join(behind) or "no index"
            raise ServerError(
                f"the alias '{alias}' should name '{name}' alone, but names {named}: correct it, or index the "
                "corpus again with --rebuild"
            )

    @retried
    def states(self, pattern: str) -> dict[str, IndexState]:
        """Return aliases and ``_meta`` of all indexes whose names match, closed and hidden ones included."""
        with self.connection() as client:
            answer = client.options(ignore_status=404).indices.get(
                index=pattern,
                features=["aliases", "mappings"],
                filter_path="*.aliases,*.mappings._meta",
                expand_wildcards="all",
            )
            if answer.meta.status == 404:
                return {}
            return {
                name: IndexState(frozenset(one.get("aliases") or ()), dict(one.get("mappings", {}).get("_meta") or {}))
                for name, one in (answer.body or {}).items()
            }

    @retried
    def taken_names(self, pattern: str) -> TakenNames:
        """Return all existing names that match, also of indexes that another program made."""
        with self.connection() as client:
            answer = client.options(ignore_status=404).indices.resolve_index(name=pattern, expand_wildcards="all")
            if answer.meta.status == 404:
                return TakenNames(frozenset(), frozenset())
            kinds = ("indices", "aliases", "data_streams")
            names = frozenset(one["name"] for kind in kinds for one in answer.get(kind, ()))
            closed = {one["name"] for one in answer.get("indices", ()) if "closed" in one.get("attributes", ())}
            return TakenNames(names, frozenset(closed))

    @retried
    def settle(self, name: str) -> None:
        """Prepare a loaded index for serving: refresh it, merge it, add its replicas."""
        self.merge(name)
        with self.connection() as client:
            client.indices.put_settings(index=name, settings=self._serving_settings())
            self._await_replicas(client, name)
        self.refresh(name)

    @retried
    def merge(self, name: str) -> None:
        """Merge the segments of every shard of an index into one, without its deleted documents."""
        self.refresh(name)
        with self.connection() as client:
            client.options(request_timeout=_MERGE_SECONDS).indices.forcemerge(index=name, max_num_segments=1)

    def _await_replicas(self, client: Any, name: str) -> None:
        """Wait for the replicas: without them, an index is lost with any of its nodes."""
        idle = 0
        while idle < _CHECKS:
            health = client.options(ignore_status=408).cluster.health(
                index=name, wait_for_status="green", timeout=f"{_CHECK_SECONDS}s"
            )
            if health["status"] == "green":
                return
            idle = 0 if health["initializing_shards"] else idle + 1

    @retried
    def swap(self, name: str) -> None:
        """Serve an index, in one atomic call."""
        before = self.behind(self.address.name)
        actions: list[dict[str, Any]] = [{"add": {"index": name, "alias": self.address.name}}]
        if before not in (None, name):
            actions.insert(0, {"remove": {"index": before, "alias": self.address.name, "must_exist": True}})
        if self.behind(self.next) == name:
            actions.append({"remove": {"index": name, "alias": self.next, "must_exist": True}})
        with self.connection() as client:  # no blind retry: if the answer was lost, the same call is refused
            client.options(max_retries=0).indices.update_aliases(actions=actions)

    @retried
    def remove(self, names: Iterable[str]) -> None:
        """Remove indexes."""
        names = list(names)
        if names:
            with self.connection() as client:
                client.indices.delete(index=names, ignore_unavailable=True, expand_wildcards="none")

    def _serving_settings(self) -> dict[str, Any]:
        settings: dict[str, Any] = {"refresh_interval": None}
        if self.address.replicas is None:
            return settings | {"auto_expand_replicas": "0-1"}
        return settings | {"number_of_replicas": self.address.replicas}


def write_alias(index: str) -> str:
    """Return the alias for writes to an index: a write to the name itself could create the index again."""
    return f"{index}.write"


def single_space_name(name: str, mark: str) -> str:
    """Return the name of an index that holds a single space.

    Examples
    --------
    >>> single_space_name("news", "3f2a")
    'news-own-3f2a'
    """
    return f"{name}-own-{mark}"


def _reason(answer: Any) -> str:
    return cause_of(answer.body)[1]
