"""A real Elasticsearch for a benchmark: one node of its own with its usual compiler, ended afterwards."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "servers"))


@contextmanager
def server(nodes: int = 1) -> Iterator[str]:
    """Yield the URLs of a cluster, with commas between: NEARBY_ELASTICSEARCH, or one that is started for this."""
    given = os.environ.get("NEARBY_ELASTICSEARCH")
    if given:
        yield given
        return
    from elasticsearch_server.cluster import Cluster

    folder = Path(tempfile.gettempdir()) / f"nearby-elasticsearch-{os.getuid()}" / f"bench-{os.getpid()}"
    with Cluster.start(folder, nodes, owner=os.getpid(), heap="2g") as cluster:
        yield ",".join(cluster.urls)
