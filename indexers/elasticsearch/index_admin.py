"""Administration of the indexes at an address: the one that is served and the one that is loaded; see `ownership` too.

Every index is called ``NAME-NUMBER`` and served under the alias ``NAME``. While it is loaded it has the alias
``NAME.next``; one atomic call makes it the one that is served. It is written to through an alias of its own, so that
a late write, from a slow node or a process that did not see the swap, cannot reach the index that replaced it.
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
#: Said by an index of one space that a saved folder names.
KEPT = "kept"
#: Seconds in which a new index, or one whose node restarts, has to find a node.
ALIVE_SECONDS = 30.0
#: Merging a large index into one segment takes long; the request waits for it.
_MERGE_SECONDS = 24 * 3600
#: Number and seconds of the checks after which an index is served without copies, if no copy finds a node.
_SPANS, _SPAN_SECONDS = 4, 5


class Names(NamedTuple):
    """Names that are taken, of indexes, aliases and data streams alike, and which of the indexes are closed."""

    names: frozenset[str]
    closed: frozenset[str]


class Described(NamedTuple):
    """An index as it is described: its aliases, and the ``_meta`` of its mapping."""

    aliases: frozenset[str]
    meta: dict[str, Any]


class IndexAdmin(Reader):
    """An address, and the server there.

    Parameters
    ----------
    address : Address
    retry_seconds : float, optional
        Seconds for which a request that fails for a transient reason is retried.
    named : bool, optional
        Whether the user himself has given the address, and no folder: only then he need not trust it first.

    Raises
    ------
    ServerError
        When no Elasticsearch answers there.
    """

    @classmethod
    def named(cls, address: Address, retry_seconds: float = SHORT) -> IndexAdmin:
        """Return the server at an address that the user himself has given to index at; it is trusted from now on.

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
        """The alias under which an index is loaded."""
        return f"{self.address.name}{LOADING}"

    @retried
    def behind(self, alias: str) -> str | None:
        """Return the index behind an alias, None where there is none.

        Raises
        ------
        ServerError
            When nearby did not make the index of that name, or the alias names several indexes.
        """
        with self.asking() as client:
            found = client.options(ignore_status=404).indices.get_alias(name=alias)
            if found.meta.status == 404:
                if alias == self.address.name and client.indices.exists(index=alias):
                    raise ServerError(
                        f"'{alias}' is an index that nearby has not made: give another name in the address"
                    )
                return None
            names = sorted(found.body)
        if len(names) > 1:
            raise ServerError(
                f"the alias '{alias}' names several indexes ({', '.join(names[:4])}{', …' if len(names) > 4 else ''}), "
                "and a collection has one: give another name in the address, or take the alias from the others"
            )
        return names[0] if names else None

    @retried
    def exists(self, name: str) -> bool:
        """Tell whether an index is there."""
        with self.asking() as client:
            return bool(client.indices.exists(index=name))

    @retried
    def meta(self, name: str) -> dict[str, Any]:
        """Return what an index says of itself.

        Raises
        ------
        ServerError
            When nearby has not made it.
        """
        with self.asking() as client:
            found = client.indices.get_mapping(index=name)[name]["mappings"].get("_meta") or {}
        if MADE_BY not in found:
            raise ServerError(
                f"'{name}' is an index that nearby has not made, or its description (_meta) was overwritten: "
                "index the corpus under another name"
            )
        return dict(found)

    @retried
    def set_meta(self, name: str, meta: dict[str, Any]) -> None:
        """Write what an index says of itself."""
        with self.asking() as client:
            client.indices.put_mapping(index=name, meta=meta)

    @retried
    def create(self, name: str, alias: str, mapping: IndexMapping, meta: dict[str, Any]) -> bool:
        """Make an index that is loaded under `alias`; False where somebody made it a moment ago."""
        with self.asking() as client:
            made = client.options(ignore_status=400).indices.create(
                index=name,
                settings=mapping.settings(self.address),
                mappings=mapping.mappings({MADE_BY: "an index", **meta}),
                aliases={alias: {}, write_alias(name): {}},
                wait_for_active_shards="0",  # whoever writes to it waits in `require_alive`
            )
            if made.meta.status == 400:
                if made["error"]["type"] == "resource_already_exists_exception":
                    return False
                raise ServerError(f"Elasticsearch at {self.address.hosts[0]} refuses the index: {_reason(made)}")
        return True

    def require_alive(self, name: str) -> None:
        """Wait for an index that has no node just now, and refuse to write to one that stays so, or to another.

        Raises
        ------
        ServerError
        """
        wait = min(ALIVE_SECONDS, 0.75 * timeout_seconds())
        with self.asking() as client:
            health = client.options(ignore_status=408, request_timeout=timeout_seconds()).cluster.health(
                index=name, wait_for_status="yellow", timeout=f"{1000 * wait:.0f}ms"
            )
            red = health["status"] == "red"
        if red:
            raise ServerError(
                f"no node of Elasticsearch at {self.address.hosts[0]} holds a part of the index '{name}' (it is red): "
                "look at its health, start the nodes that are missing, and run the same command again"
            )
        self._require_alias(name)

    @retried
    def _require_alias(self, name: str) -> None:
        """Refuse to write through an alias that somebody has given to another index."""
        alias = write_alias(name)
        with self.asking() as client:
            found = client.options(ignore_status=404).indices.get_alias(name=alias)
            behind = [] if found.meta.status == 404 else sorted(found.body)
        if behind != [name]:
            named = ", ".join(behind) or "no index"
            raise ServerError(
                f"the alias '{alias}' should name '{name}' alone, and names {named}: set it right, or index the "
                "corpus again with --rebuild"
            )

    @retried
    def described(self, pattern: str) -> dict[str, Described]:
        """Return the aliases and the ``_meta`` of all indexes whose names match, closed and hidden ones too."""
        with self.asking() as client:
            found = client.options(ignore_status=404).indices.get(
                index=pattern,
                features=["aliases", "mappings"],
                filter_path="*.aliases,*.mappings._meta",
                expand_wildcards="all",
            )
            if found.meta.status == 404:
                return {}
            return {
                name: Described(frozenset(said.get("aliases") or ()), dict(said.get("mappings", {}).get("_meta") or {}))
                for name, said in (found.body or {}).items()
            }

    @retried
    def names_like(self, pattern: str) -> Names:
        """Return every name that matches and is taken, whoever took it."""
        with self.asking() as client:
            found = client.options(ignore_status=404).indices.resolve_index(name=pattern, expand_wildcards="all")
            if found.meta.status == 404:
                return Names(frozenset(), frozenset())
            sorts = ("indices", "aliases", "data_streams")
            names = frozenset(one["name"] for sort in sorts for one in found.get(sort, ()))
            closed = {one["name"] for one in found.get("indices", ()) if "closed" in one.get("attributes", ())}
            return Names(names, frozenset(closed))

    @retried
    def settle(self, name: str) -> None:
        """Make a loaded index fit to be served: visible, merged, with its copies."""
        self.refresh(name)
        with self.asking() as client:
            client.options(request_timeout=_MERGE_SECONDS).indices.forcemerge(index=name, max_num_segments=1)
            client.indices.put_settings(index=name, settings=self._served())
            self._await_copies(client, name)
        self.refresh(name)

    def _await_copies(self, client: Any, name: str) -> None:
        """Wait until every copy is made: served without, an index would be gone with any of its nodes."""
        idle = 0
        while idle < _SPANS:
            health = client.options(ignore_status=408).cluster.health(
                index=name, wait_for_status="green", timeout=f"{_SPAN_SECONDS}s"
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
        with self.asking() as client:  # again only after a look: what was done before its answer was lost is refused
            client.options(max_retries=0).indices.update_aliases(actions=actions)

    @retried
    def remove(self, names: Iterable[str]) -> None:
        """Remove indexes."""
        names = list(names)
        if names:
            with self.asking() as client:
                client.indices.delete(index=names, ignore_unavailable=True, expand_wildcards="none")

    def _served(self) -> dict[str, Any]:
        settings: dict[str, Any] = {"refresh_interval": None}
        if self.address.replicas is None:
            return settings | {"auto_expand_replicas": "0-1"}
        return settings | {"number_of_replicas": self.address.replicas}


def write_alias(index: str) -> str:
    """Return the alias that an index is written through: a write to its own name could create it again."""
    return f"{index}.write"


def own_name(name: str, mark: str) -> str:
    """Return what an index is called that holds one space alone.

    Examples
    --------
    >>> own_name("news", "3f2a")
    'news-own-3f2a'
    """
    return f"{name}-own-{mark}"


def _reason(answer: Any) -> str:
    return cause_of(answer.body)[1]
