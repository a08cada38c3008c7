"""A cluster of one or three nodes in a folder: started, asked, harmed node by node, and stopped whatever happens.

All that is known of it stands in ``cluster.json``, so that any process can take hold of a cluster that another started.
One that belongs to a process (`owner`) has a keeper beside it, which stops it when that process is gone: an exit handler
would not run when it is killed.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from elasticsearch_server.container import Container, must_use_docker
from elasticsearch_server.distribution import ServerAbsent, ServerError
from elasticsearch_server.node import Node, free_ports

HEAP = "512m"
#: The quick compiler alone: half the processor time until the server is up, and slower at long work. For tests.
QUICK = ("-XX:TieredStopAtLevel=1",)
#: Five to ten on an idle machine.
START_SECONDS = 300
#: From bad to good.
STATUSES = ("red", "yellow", "green")
ATTEMPTS = 3
PORT_TAKEN = ("Address already in use", "BindException", "BindTransportException", "port is already allocated")
#: Those that this process started, by the folder of their cluster.
KEEPERS: dict[Path, subprocess.Popen[bytes]] = {}
#: Where this package lies, for the keeper.
ROOT = Path(__file__).parent.parent


class Cluster:
    """A cluster that was started in `folder`; `Cluster.start` starts one.

    Parameters
    ----------
    folder : Path
        Holds cluster.json and one folder a node.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            about = json.loads((folder / "cluster.json").read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise ServerAbsent(f"no server was started in {folder}") from error
        kind = Container if about["docker"] else Node
        self.owner: int | None = about["owner"]
        self.users: list[str] = about["users"]
        self.nodes = {name: kind(name, folder / name, *ports) for name, ports in about["nodes"].items()}

    @classmethod
    def start(
        cls,
        folder: Path,
        nodes: int = 1,
        *,
        owner: int | None = None,
        http: int | None = None,
        heap: str = HEAP,
        jvm: Sequence[str] = (),
        settings: Mapping[str, object] | None = None,
        users: Sequence[str] = (),
        roles: str = "",
        status: str = "yellow",
    ) -> Cluster:
        """Start a cluster and wait until it is there; what its nodes stored in the folder before is theirs again.

        Parameters
        ----------
        folder : Path
            Made unless it is there.
        nodes : int
            How many.
        owner : int, optional
            The process that it must not outlive; the folder goes with it.
        http : int, optional
            The first node's port, if it is free.
        heap : str
            Of each node.
        jvm : sequence of str
            More options of Java; `QUICK` or none.
        settings : mapping, optional
            Lines for elasticsearch.yml.
        users : sequence of str
            ``name:password:role`` each: security is on; the first must be a ``superuser``. Put into files, because the
            minimal distribution cannot make the index that holds users.
        roles : str
            What roles.yml says of the roles that the server does not know by itself.
        status : str
            Waited for: green when the cluster is new; replicas of before may have no second node to go to, and what a
            machine was lost with may stay red.

        Raises
        ------
        ServerAbsent
            When there is neither Java and a zip nor docker, saying what was tried.
        ServerError
            When it does not start, with the end of its log.
        """
        in_docker = must_use_docker(nodes)
        folder = folder.resolve()
        for attempt in range(ATTEMPTS):
            ports = free_ports(2 * nodes, http if attempt == 0 else None)
            names = [f"node-{number}" for number in range(1, nodes + 1)]
            places = {name: [ports[2 * i], ports[2 * i + 1]] for i, name in enumerate(names)}
            folder.mkdir(parents=True, exist_ok=True)
            about = {"docker": in_docker, "owner": owner, "users": list(users), "nodes": places}
            (folder / "cluster.json").write_text(json.dumps(about), encoding="utf-8")
            cluster = cls(folder)
            try:
                cluster._keep()
                cluster._configure([f"-Xms{heap}", f"-Xmx{heap}", *jvm], settings or {}, roles)
                cluster._launch(list(cluster.nodes.values()), status)
                return cluster
            except BaseException as error:
                cluster.stop()
                if attempt == ATTEMPTS - 1 or not any(words in str(error) for words in PORT_TAKEN):
                    raise
        raise AssertionError

    # -- asking ----------------------------------------------------------------------------------------------

    @property
    def urls(self) -> list[str]:
        """Where each node answers."""
        return [node.url for node in self.nodes.values()]

    @property
    def url(self) -> str:
        """Where the first node answers."""
        return self.urls[0]

    def ask(self, path: str, timeout: float = 10) -> Any:
        """Return what the first node that answers says to a GET, without any client library.

        Raises
        ------
        ServerError
            When none answers.
        """
        reasons = []
        for node in self.nodes.values():
            request = urllib.request.Request(node.url + path)  # noqa: S310  # http to 127.0.0.1
            if self.users:
                who = self.users[0].rpartition(":")[0].encode()
                request.add_header("Authorization", f"Basic {base64.b64encode(who).decode()}")
            try:
                opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
                with opener.open(request, timeout=timeout) as answer:
                    return json.load(answer)
            except (OSError, ValueError) as error:
                reasons.append(f"{node.name}: {error}")
        raise ServerError(f"no node answers {path} ({'; '.join(reasons)})")

    def wait(self, nodes: int | None = None, status: str = "green", timeout: float = START_SECONDS) -> dict[str, Any]:
        """Return the cluster's health as soon as so many nodes (all, if not said) have that status.

        Raises
        ------
        ServerError
            When that takes longer, with the end of the logs.
        """
        count = len(self.nodes) if nodes is None else nodes
        end, said = time.monotonic() + timeout, "nothing"
        while time.monotonic() < end:
            try:
                health: dict[str, Any] = self.ask("/_cluster/health", 5)
            except ServerError as error:
                said = str(error)
            else:
                if health["number_of_nodes"] == count and health["status"] in STATUSES[STATUSES.index(status) :]:
                    return health
                said = f"{health['number_of_nodes']} nodes, {health['status']}"
            time.sleep(0.1)
        tails = "\n".join(f"-- {node.name}\n{node.tail()}" for node in self.nodes.values())
        raise ServerError(f"{count} nodes, {status}: not within {timeout:g} s; the last answer was {said}\n{tails}")

    def master(self) -> str:
        """Return the name of the elected master."""
        return str(self.ask("/_cat/master?format=json")[0]["node"])

    # -- harming ---------------------------------------------------------------------------------------------

    def kill(self, name: str) -> None:
        """SIGKILL a node."""
        self.nodes[name].kill()

    def pause(self, name: str) -> None:
        """SIGSTOP a node: it holds its connections and answers nothing."""
        self.nodes[name].signal(signal.SIGSTOP)

    def resume(self, name: str) -> None:
        """SIGCONT a node."""
        self.nodes[name].signal(signal.SIGCONT)

    def restart(self, name: str) -> None:
        """Start a node that was killed, with its data and ports, and wait until the cluster has it again."""
        self._launch([self.nodes[name]])
        end = time.monotonic() + START_SECONDS
        while name not in {row["name"] for row in self.ask("/_cat/nodes?format=json&h=name")}:
            if time.monotonic() > end:
                raise ServerError(f"{name} does not come back\n{self.nodes[name].tail()}")
            time.sleep(0.1)

    # -- stopping --------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """End every node; the folder stays only where nobody owns it. May be called again."""
        if self.owner is not None:
            for node in self.nodes.values():
                node.signal(signal.SIGKILL)
        for node in self.nodes.values():
            node.end()
        (self.folder / "cluster.json").unlink(missing_ok=True)  # the keeper ends when it is gone
        keeper = KEEPERS.pop(self.folder, None)
        if keeper is not None:
            keeper.wait()
        if self.owner is not None:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # -- inside ----------------------------------------------------------------------------------------------

    def _keep(self) -> None:
        if self.owner is not None:
            command = [sys.executable, "-m", "elasticsearch_server", "keep", str(self.folder)]
            environment = {**os.environ, "PYTHONPATH": str(ROOT)}
            nothing = subprocess.DEVNULL
            KEEPERS[self.folder] = subprocess.Popen(
                command, env=environment, stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True
            )

    def _configure(self, jvm: Sequence[str], settings: Mapping[str, object], roles: str) -> None:
        nodes = list(self.nodes.values())
        common: dict[str, object] = {
            "cluster.name": f"nearby-{self.folder.name}",
            "xpack.security.enabled": "true" if self.users else "false",
            # The disk of the machine that runs the tests may be fuller than a server likes.
            "cluster.routing.allocation.disk.threshold_enabled": "false",
        }
        if len(nodes) == 1:
            common["discovery.type"] = "single-node"
        else:
            common["discovery.seed_hosts"] = json.dumps([f"127.0.0.1:{node.transport}" for node in nodes])
            common["cluster.initial_master_nodes"] = json.dumps([node.name for node in nodes])
        for node in nodes:
            node.folder.mkdir(exist_ok=True)
            node.configure({**common, **settings}, jvm, roles)
            for user in self.users:
                node.add_user(*user.split(":"))

    def _launch(self, nodes: list[Node], status: str | None = None) -> None:
        started = [(node, node.launch()) for node in nodes]
        end = time.monotonic() + START_SECONDS
        for node, launcher in started:
            try:
                code = launcher.wait(max(end - time.monotonic(), 1))
            except subprocess.TimeoutExpired:
                launcher.kill()
                launcher.wait()
                code = None
            if code != 0:
                how = f"took longer than {START_SECONDS} s" if code is None else f"ended with {code}"
                raise ServerError(f"{node.name} did not start: it {how}\n{node.tail()}")
        if status is not None:
            self.wait(status=status)
