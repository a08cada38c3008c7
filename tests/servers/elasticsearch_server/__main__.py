"""``make elasticsearch``: one server for a person to play with. ``PYTHONPATH=tests/servers python -m elasticsearch_server``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from elasticsearch_server.cluster import Cluster
from elasticsearch_server.distribution import ServerAbsent, ServerError
from elasticsearch_server.lifetime import keep

FOLDER = Path("out/elasticsearch")
PORT = 9200
#: So long what was there before may take to come back; whoever plays is told then, and has the server all the same.
RECOVERY_SECONDS = 30


def start(folder: Path) -> None:
    """Start a server, unless it runs, and say where it answers."""
    if (folder / "cluster.json").exists():
        cluster = Cluster(folder)
        if any(node.processes() for node in cluster.nodes.values()):
            print(f"{cluster.url}\nruns already; make elasticsearch-stop ends it", file=sys.stdout)
            return
    cluster = Cluster.start(folder, http=PORT, status="red")
    print(cluster.url)
    try:
        cluster.wait(status="yellow", timeout=RECOVERY_SECONDS)
    except ServerError:
        print(f"an index of before is red, its data are damaged: remove {folder} to begin anew", file=sys.stderr)
    print(f"its data are in {folder}; make elasticsearch-stop ends it and keeps them", file=sys.stderr)


def stop(folder: Path) -> None:
    """End the server; its data stay for the next start."""
    try:
        Cluster(folder).stop()
    except ServerAbsent:
        print("no server runs", file=sys.stderr)


def main() -> int:
    """Do what the first word says; 2 when it cannot be done."""
    parser = argparse.ArgumentParser(prog="elasticsearch_server", description=__doc__)
    parser.add_argument("verb", choices=("start", "stop", "keep"))
    parser.add_argument("folder", type=Path, nargs="?", default=FOLDER)
    arguments = parser.parse_args()
    try:
        {"start": start, "stop": stop, "keep": keep}[arguments.verb](arguments.folder.resolve())
    except (ServerAbsent, ServerError) as error:
        print(f"elasticsearch: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
