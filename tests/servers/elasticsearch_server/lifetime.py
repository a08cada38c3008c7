"""Clusters that belong to a process: kept by a keeper, shared by the workers of one test run, swept up when left."""

from __future__ import annotations

import time
from pathlib import Path

from elasticsearch_server.cluster import QUICK, Cluster
from elasticsearch_server.distribution import alone, workplace
from elasticsearch_server.node import alive


def keep(folder: Path) -> None:
    """Stop the cluster of a folder as soon as its owner is gone; return when it is stopped."""
    cluster = Cluster(folder)
    while (folder / "cluster.json").exists():
        if cluster.owner is None or not alive(cluster.owner):
            cluster.stop()
        time.sleep(0.5)


def sweep() -> None:
    """Stop clusters whose owner is gone and whose keeper was killed too."""
    for path in runs().glob("*/cluster.json"):
        left = Cluster(path.parent)
        if left.owner is not None and not alive(left.owner):
            left.stop()


def runs() -> Path:
    """Return the folder of the clusters that belong to a process."""
    folder = workplace() / "runs"
    folder.mkdir(mode=0o711, exist_ok=True)
    return folder


def shared(owner: int) -> Cluster:
    """Return the one server that all workers of a test run use: the first that asks starts it, the others wait.

    A server a worker would cost each of them the start and 1 GB of memory, and tests take index names of their own.
    """
    folder = runs() / f"{owner}-shared"
    with alone():
        sweep()
        if (folder / "cluster.json").exists():
            return Cluster(folder)
        return Cluster.start(folder, owner=owner, jvm=QUICK)


def stop_shared(owner: int) -> None:
    """Stop what `shared` started, if it did."""
    folder = runs() / f"{owner}-shared"
    if (folder / "cluster.json").exists():
        Cluster(folder).stop()
