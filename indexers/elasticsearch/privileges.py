"""The privileges that indexing needs, checked before any work is done."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from encoders.errors import ServerError
from indexers.elasticsearch.address import LOADING, Address
from indexers.elasticsearch.client import USER, readable_errors
from indexers.elasticsearch.index_admin import IndexAdmin

#: Privileges for the cluster (its health is read), and for the indexes of one name.
CLUSTER, INDEX = ("monitor",), ("manage", "read", "write")


def require_privileges(admin: IndexAdmin) -> None:
    """Refuse to index where the user lacks a privilege.

    Raises
    ------
    ServerError
        With the missing privileges.
    """
    _require(admin.client, admin.address)


@lru_cache(maxsize=8)
def _require(client: Any, address: Address) -> None:
    """Check once for all spaces; a refusal is checked again."""
    name = address.name
    indexes = [{"names": [name, f"{name}{LOADING}", f"{name}-*"], "privileges": list(INDEX)}]
    with readable_errors(address.hosts):  # without security, there is nothing to check
        answer = client.options(ignore_status=(400, 404, 405)).security.has_privileges(
            cluster=list(CLUSTER), index=indexes
        )
        if answer.meta.status != 200 or answer["has_all_requested"]:
            return
        missing = {privilege for privilege, has in answer["cluster"].items() if not has}
        missing |= {name for given in answer["index"].values() for name, has in given.items() if not has}
        user = str(answer["username"])
    raise ServerError(
        f"Elasticsearch at {address.hosts[0]} does not allow the user '{user}' to index here: give it the "
        f"privileges {', '.join(sorted(missing))} ({', '.join(CLUSTER)} of the cluster; {', '.join(INDEX)} of indexes "
        f"named '{name}*'), or set {USER} to another user"
    )
