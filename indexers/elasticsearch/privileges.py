"""Whether our user may do what indexing needs, asked before any work is done."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from encoders.errors import ServerError
from indexers.elasticsearch.address import LOADING, Address
from indexers.elasticsearch.client import USER, speaking
from indexers.elasticsearch.index_admin import IndexAdmin

#: Of the cluster, its health is asked; of indexes, everything is done with those of one name and no others.
CLUSTER, INDEX = ("monitor",), ("manage", "read", "write")


def require_rights(admin: IndexAdmin) -> None:
    """Refuse to begin what our user may not bring to an end.

    Raises
    ------
    ServerError
        Naming the privileges that are missing.
    """
    _require(admin.client, admin.address)


@lru_cache(maxsize=8)
def _require(client: Any, address: Address) -> None:
    """Ask once, however many spaces are planned; what was refused is asked again."""
    name = address.name
    asked = [{"names": [name, f"{name}{LOADING}", f"{name}-*"], "privileges": list(INDEX)}]
    with speaking(address.hosts):  # where security is off there is nothing to ask
        said = client.options(ignore_status=(400, 404, 405)).security.has_privileges(cluster=list(CLUSTER), index=asked)
        if said.meta.status != 200 or said["has_all_requested"]:
            return
        missing = {right for right, has in said["cluster"].items() if not has}
        missing |= {right for rights in said["index"].values() for right, has in rights.items() if not has}
        user = str(said["username"])
    raise ServerError(
        f"Elasticsearch at {address.hosts[0]} does not let the user '{user}' index here: give it the "
        f"privileges {', '.join(sorted(missing))} ({', '.join(CLUSTER)} of the cluster; {', '.join(INDEX)} of indexes "
        f"named '{name}*'), or set {USER} to another"
    )
