"""What is lost of three nodes with a replica, loaded and searched all along, when they are harmed at random moments.

In each round a process loads: the next generation of the whole collection (``nearby index --rebuild``), or new items
into the one that is served (``nearby add``), while threads search through collections of their own. At a random moment
a node without office is killed (SIGKILL) and started again, or the elected master is, or the loading process is and
goes on with ``--resume``, or a node is stopped for a while (SIGSTOP, SIGCONT). What the server has acknowledged is
written down outside of it; when the cluster is green again, every document of the index is compared with that.

Run: ``NEARBY_DATA=... python benchmarks/fault_trial.py [ROUNDS [ITEMS [SEED]]]``; 20 rounds take a quarter of an hour.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import time
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import server  # puts tests/servers on the path
from elasticsearch_server.cluster import QUICK, Cluster
from faults.held import held
from faults.loading import Loading
from faults.searching import Searching, longest_outage
from record import record, say

from encoders.registry import create
from indexers.elasticsearch.address import Address
from indexers.elasticsearch.index_admin import IndexAdmin
from retrieval.corpora.base import Item
from retrieval.corpora.registry import open_corpus

SPACES = ("bm25", "tfidf:min-df=2,stop=english+lsa:32")
#: One after the other, so that each falls equally often on loads and on additions (see `kind_of`).
FAULTS = ("data node", "loader", "master", "pause")
#: So long a killed node stays down, and a stopped one stopped.
DOWN_SECONDS, PAUSED_SECONDS = (1, 8), 20.0
ADDED, QUERIES = 1_000, 200
#: Seconds after each request of the loader, so that a load takes long enough to be harmed.
PAUSES = {"rebuild": 0.3, "add": 1.0}
RESUMES = 5


@dataclass
class Trial:
    """The cluster, the collection on it, and what it should hold: key -> generation."""

    cluster: Cluster
    work: Path
    items: list[Item]
    new: list[Item]
    expected: dict[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return self.work / "collection"

    @property
    def backend(self) -> str:
        return f"{','.join(self.cluster.urls)}/trial,shards=3,replicas=1"

    def loading(self, kind: str, name: str) -> tuple[Loading, dict[str, str]]:
        """Begin a load; return it, and what there should be afterwards."""
        items = self.items if kind == "rebuild" else self.new
        items = [Item(f"{name} {item.id}" if kind == "add" else item.id, item.content) for item in items]
        corpus = self.work / f"{name}.jsonl"
        rows = [{"id": one.id, "text": one.content, "metadata": {"generation": name}} for one in items]
        corpus.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        words = ["add", str(self.folder), str(corpus)]
        if kind == "rebuild":
            words = ["index", str(corpus), "-o", str(self.folder), "--index", f"elasticsearch:{self.backend}"]
            words += [word for number in range(len(SPACES)) for word in ("-s", str(self.work / f"encoder-{number}"))]
            words += ["--rebuild"] if self.folder.exists() else []
        after = {item.id: name for item in items}
        after = after if kind == "rebuild" else self.expected | after
        return Loading(words, self.work / f"{name}.log", PAUSES[kind]), after


def main(rounds: str = "20", items: str = "3000", seed: str = "7") -> None:
    draw = random.Random(int(seed))
    corpus = list(islice(open_corpus("arxiv-80k"), int(items) + ADDED))
    nodes = Path(tempfile.gettempdir()) / f"nearby-elasticsearch-{os.getuid()}" / f"trial-{os.getpid()}"
    with tempfile.TemporaryDirectory() as folder, Cluster.start(nodes, 3, owner=os.getpid(), jvm=QUICK) as cluster:
        trial = Trial(cluster, Path(folder), corpus[: int(items)], corpus[int(items) :])
        for number, spec in enumerate(SPACES):
            create(spec).fit([item.content for item in trial.items]).save(trial.work / f"encoder-{number}")
        done = [undisturbed(trial, kind) for kind in ("rebuild", "add")]
        queries = [" ".join(str(item.content).split()[:8]) for item in trial.items[:QUERIES]]
        done += [disturbed(trial, number, queries, draw) for number in range(int(rounds))]
    figures = {"items": int(items), "added": ADDED, "seed": int(seed), "rounds": done, **summed(done)}
    say({key: value for key, value in figures.items() if key != "rounds"})
    record("fault_trial", figures)


def undisturbed(trial: Trial, kind: str) -> dict[str, Any]:
    """Load without harm."""
    begun = time.monotonic()
    load, trial.expected = trial.loading(kind, f"undisturbed-{kind}")
    status = load.wait()
    assert status == 0, load.said()
    seconds = time.monotonic() - begun
    row = {"round": 0, "kind": kind, "fault": "none", "seconds": seconds, **after(trial, load, 0.0)}
    say(row)
    return row


def kind_of(number: int) -> str:
    """Return what is loaded in a round: three times of five, the whole."""
    return "rebuild" if number // len(FAULTS) % 2 == 0 else "add"


def disturbed(trial: Trial, number: int, queries: list[str], draw: random.Random) -> dict[str, Any]:
    """Load, search, do harm, mend it, and look at what is there."""
    fault, kind = FAULTS[number % len(FAULTS)], kind_of(number)
    begun = time.monotonic()
    with Searching(trial.folder, queries) as searching:
        load, expected = trial.loading(kind, f"round-{number + 1}")
        until_moment(load, len(trial.items if kind == "rebuild" else trial.new), draw.uniform(0, 1.2))
        row: dict[str, Any] = {"round": number + 1, "kind": kind, "fault": fault, "running": load.running}
        row["acknowledged_before"] = len(set(load.acknowledged()))
        harmed = time.monotonic()
        row["harmed"] = harm(trial.cluster, fault, load, draw)
        mended = time.monotonic()
        row["resumed"] = completed(load, kind)
        trial.expected = expected
        row |= after(trial, load, harmed)
        ended = time.monotonic()
    row |= searched(searching, begun, ended)
    row |= {"harm_seconds": mended - harmed, "seconds": ended - begun}
    say(row)
    return row


def until_moment(load: Loading, items: int, moment: float) -> None:
    """Wait until a share of the items is acknowledged; above 1, ten seconds each, for what comes after: merge, swap."""
    load.wait_for(max(1, int(min(moment, 1) * items)))
    if moment > 1:
        time.sleep(10 * (moment - 1))


def harm(cluster: Cluster, fault: str, load: Loading, draw: random.Random) -> str:
    """Do what the round is for, and mend it; return what was harmed."""
    if fault == "loader":
        if load.running:
            load.kill()
        return "loader"
    master = cluster.master()
    others = sorted(set(cluster.nodes) - {master})
    name = master if fault == "master" else draw.choice(others if fault == "data node" else sorted(cluster.nodes))
    if fault == "pause":
        cluster.pause(name)
        time.sleep(PAUSED_SECONDS)
        cluster.resume(name)
    else:
        cluster.kill(name)
        time.sleep(draw.uniform(*DOWN_SECONDS))
        cluster.restart(name)
    return f"{name}, the master" if name == master else name


def completed(load: Loading, kind: str) -> int:
    """Wait for the load, run again as often as it needs; return how often that was."""
    for again in range(RESUMES):
        status = load.wait()
        last = "".join(load.said().splitlines()[-1:])
        if status == 0 or (again and "there is nothing to go on with" in last):  # killed when all was done
            return again
        say(f"ended with {status}: {last}")
        load.again(*(["--resume"] if kind == "rebuild" else []))
    raise SystemExit(f"the load does not end:\n{load.said()}")


def after(trial: Trial, load: Loading, harmed: float) -> dict[str, Any]:
    """Wait until the cluster is whole, and compare all documents with what they should be."""
    trial.cluster.wait()
    green = time.monotonic() - harmed if harmed else 0.0
    keys = load.acknowledged()
    found = held(IndexAdmin(Address.read(trial.backend)), trial.expected, keys)
    return {"green_seconds": green, "acknowledged": len(set(keys)), "complete": found.right, **found._asdict()}


def searched(searching: Searching, begun: float, ended: float) -> dict[str, Any]:
    """Say how the searches of a round went."""
    searches = searching.since(begun)
    failed = [one for one in searches if one.error is not None]
    return {
        "searches": len(searches),
        "failed": len(failed),
        "errors": sorted({str(one.error)[:200] for one in failed})[:5],
        "outage_seconds": longest_outage(searches, begun, ended),
        "slowest_seconds": max(one.ended - one.begun for one in searches),
    }


def summed(done: list[dict[str, Any]]) -> dict[str, Any]:
    """Say what all rounds come to."""
    harmed = [row for row in done if row["fault"] != "none"]
    added = ("acknowledged", "lost", "missing", "twice", "strange")
    return {
        **{key: sum(row[key] for row in done) for key in added},
        **{key: sum(row[key] for row in harmed) for key in ("searches", "failed")},
        "incomplete": sum(not row["complete"] for row in done),
        **{f"longest_{key}": max(row[key] for row in harmed) for key in ("outage_seconds", "green_seconds")},
    }


if __name__ == "__main__":
    assert server
    main(*sys.argv[1:])
