"""One node in a container, for those who have docker but no Java: the last resort, and of one node only."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from elasticsearch_server.distribution import VERSION, ServerAbsent, distribution, java_home
from elasticsearch_server.node import Node

IMAGE = f"docker.elastic.co/elasticsearch/elasticsearch:{VERSION}"


@dataclass(frozen=True)
class Container(Node):
    """A node whose process is docker's; `folder` holds its settings and what docker said."""

    @property
    def container(self) -> str:
        """What docker calls it."""
        return f"nearby-elasticsearch-{self.http}"

    def processes(self) -> list[int]:
        """Return the process as docker numbers it, none when the container is down or absent."""
        said = docker("inspect", "--format", "{{.State.Pid}}", self.container)
        return [int(said)] if said and said != "0" else []

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the node."""
        docker("kill", "--signal", str(int(number)), self.container)

    def end(self, timeout: float = 30) -> None:
        """Remove the container."""
        docker("rm", "--force", "--volumes", self.container)

    def kill(self, timeout: float = 20) -> None:
        """End it at once; docker keeps the container, and `launch` starts it again."""
        self.signal(signal.SIGKILL)
        self.wait_until_gone(timeout)

    def configure(self, settings: Mapping[str, object], jvm: Sequence[str], roles: str = "") -> None:
        """Note the settings as docker takes them."""
        own = {"node.name": self.name, "ES_JAVA_OPTS": " ".join(jvm)}
        lines = [f"{key}={value}\n" for key, value in {**own, **settings}.items()]
        (self.folder / "settings.env").write_text("".join(lines), encoding="utf-8")

    def add_user(self, name: str, password: str, role: str) -> None:
        """Refused: tests of passwords need a server with a folder."""
        raise ServerAbsent("tests with users need the zip and Java, not docker")

    def launch(self) -> subprocess.Popen[bytes]:
        """Begin to start it; docker returns before the node is up."""
        if docker("inspect", "--format", "{{.Id}}", self.container):
            command = ["docker", "start", self.container]
        else:
            ports, settings = f"127.0.0.1:{self.http}:9200", str(self.folder / "settings.env")
            command = ["docker", "run", "-d", "--name", self.container, "-p", ports, "--env-file", settings, IMAGE]
        with (self.folder / "start.log").open("ab") as log:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def tail(self) -> str:
        """Return the last lines that docker and the node wrote."""
        done = subprocess.run(
            ["docker", "logs", "--tail", "25", self.container], capture_output=True, text=True, check=False
        )
        return (self.folder / "start.log").read_text("utf-8", "replace") + done.stdout + done.stderr


def docker(*words: str) -> str:
    """Return what docker says to a command, nothing when it refuses."""
    done = subprocess.run(["docker", *words], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def require_docker() -> None:
    """Refuse where there is none.

    Raises
    ------
    ServerAbsent
        Without docker, or when its daemon does not answer.
    """
    if shutil.which("docker") is None:
        raise ServerAbsent("no docker")
    if not docker("info", "--format", "{{.ServerVersion}}"):
        raise ServerAbsent("docker's daemon does not answer")


def must_use_docker(nodes: int) -> bool:
    """Whether Java or the zip are absent and docker is not.

    Raises
    ------
    ServerAbsent
        When docker cannot help either, saying what was tried.
    """
    try:
        java_home()
        distribution()
    except ServerAbsent as no_zip:
        try:
            require_docker()
            if nodes > 1:
                raise ServerAbsent("docker serves one node only")
        except ServerAbsent as no_docker:
            raise ServerAbsent(f"{no_zip}; {no_docker}") from no_zip
        return True
    return False
