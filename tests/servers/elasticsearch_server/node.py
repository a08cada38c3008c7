"""One node: its folder, its processes, and how it is started and harmed."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from elasticsearch_server.distribution import ServerError, distribution, java_home

#: Who runs the server when we are root, which it refuses. Everywhere there is one, so that no user need be made.
SERVER_USER = "nobody"
#: Below the ports that the system gives to outgoing connections, which could take one before the server does.
PORTS = range(20000, 32000)
#: Lines of the log that an error shows.
TAIL = 25


@dataclass(frozen=True)
class Node:
    """A server process, known by its folder: config, data, logs, tmp, start.log.

    Parameters
    ----------
    name : str
        As the cluster knows it.
    folder : Path
        Its own; the name of it stands in the command line, by which the node's processes are found.
    http, transport : int
        Ports on 127.0.0.1.
    """

    name: str
    folder: Path
    http: int
    transport: int

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.http}"

    def processes(self) -> list[int]:
        """Return the living processes of this node: the server, or the launcher while it starts."""
        mark = f"-Dnearby.node={self.folder}"
        launch = ["-d", "-p", str(self.folder / "pid")]
        return [pid for pid, words in commands() if mark in words or words[-3:] == launch]

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to every process of the node."""
        for pid in self.processes():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue

    def kill(self, timeout: float = 20) -> None:
        """End it at once, as a lost machine would, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        self.wait_until_gone(timeout)

    def end(self, timeout: float = 30) -> None:
        """Let it finish its work, at most so many seconds; kill it then."""
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            self.wait_until_gone(timeout)
        except ServerError:
            self.kill()

    def wait_until_gone(self, timeout: float) -> None:
        """Wait until no process is left.

        Raises
        ------
        ServerError
            When one still lives after that.
        """
        end = time.monotonic() + timeout
        while self.processes():
            if time.monotonic() > end:
                raise ServerError(f"{self.name} does not end: process {self.processes()}")
            time.sleep(0.05)

    def configure(self, settings: Mapping[str, object], jvm: Sequence[str], roles: str = "") -> None:
        """Write its configuration anew; what it has stored stays."""
        shutil.rmtree(self.folder / "config", ignore_errors=True)
        shutil.copytree(distribution() / "config", self.folder / "config")
        for name in ("data", "logs", "tmp"):
            (self.folder / name).mkdir(exist_ok=True)
        own = {
            "node.name": self.name,
            "path.data": self.folder / "data",
            "path.logs": self.folder / "logs",
            "network.host": "127.0.0.1",
            "http.port": self.http,
            "transport.port": self.transport,
        }
        lines = [f"{key}: {value}\n" for key, value in {**own, **settings}.items()]
        (self.folder / "config" / "elasticsearch.yml").write_text("".join(lines), encoding="utf-8")
        # No log of the garbage collector beside the program, which is not the server's to write, nor counters in /tmp.
        options = [*jvm, f"-Dnearby.node={self.folder}", "-Xlog:disable", "-Xlog:all=error:stderr", "-XX:-UsePerfData"]
        (self.folder / "config" / "jvm.options.d" / "nearby.options").write_text("\n".join(options), encoding="utf-8")
        (self.folder / "config" / "roles.yml").write_text(roles, encoding="utf-8")
        self._give_away()

    def add_user(self, name: str, password: str, role: str) -> None:
        """Give somebody a role; before the start."""
        program = str(distribution() / "bin" / "elasticsearch-users")
        done = self._run([program, "useradd", name, "-p", password, "-r", role])
        if done.wait():
            raise ServerError(f"the user '{name}' could not be made:\n{self.tail()}")

    def launch(self) -> subprocess.Popen[bytes]:
        """Begin to start it; the launcher ends with 0 when the node is up."""
        (self.folder / "pid").unlink(missing_ok=True)
        return self._run([str(distribution() / "bin" / "elasticsearch"), "-d", "-p", str(self.folder / "pid")])

    def tail(self) -> str:
        """Return the last lines that it wrote, for an error."""
        logs = [self.folder / "start.log", *sorted((self.folder / "logs").glob("*.log"))]
        lines = [line for path in logs if path.is_file() for line in path.read_text("utf-8", "replace").splitlines()]
        return "\n".join(lines[-TAIL:])

    def _run(self, command: list[str]) -> subprocess.Popen[bytes]:
        environment = {
            "ES_JAVA_HOME": str(java_home()),
            "ES_PATH_CONF": str(self.folder / "config"),
            "ES_TMPDIR": str(self.folder / "tmp"),
            "HOME": str(self.folder),
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
        }
        root = os.getuid() == 0
        with (self.folder / "start.log").open("ab") as log:
            try:
                return subprocess.Popen(
                    command,
                    cwd=self.folder,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,  # Ctrl-C at the terminal is for pytest, which then ends the node in order
                    user=SERVER_USER if root else None,
                    group=server_ids()[1] if root else None,
                    extra_groups=[] if root else None,
                )
            except PermissionError as error:
                whose = f"the user '{SERVER_USER}', who runs the server for root," if root else "this user"
                raise ServerError(f"{whose} may not reach {self.folder} or {command[0]}") from error

    def _give_away(self) -> None:
        if os.getuid() == 0:
            user, group = server_ids()
            for path in [self.folder, *self.folder.rglob("*")]:
                os.chown(path, user, group)


def server_ids() -> tuple[int, int]:
    """Return user and group of the server when we are root."""
    import pwd

    entry = pwd.getpwnam(SERVER_USER)
    return entry.pw_uid, entry.pw_gid


def commands() -> Iterator[tuple[int, list[str]]]:
    """Yield every process with the words of its command line; one that is dead and not yet buried has none."""
    if Path("/proc/self/cmdline").exists():
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                try:
                    words = (folder / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")[:-1]
                except OSError:  # ended meanwhile
                    continue
                yield int(folder.name), words
        return
    listing = subprocess.run(["ps", "-A", "-ww", "-o", "pid=,command="], capture_output=True, text=True, check=True)
    for line in listing.stdout.splitlines():
        pid, *words = line.split()
        yield int(pid), words


def alive(pid: int) -> bool:
    """Whether a process lives, rather than waits to be buried."""
    if Path("/proc/self/stat").exists():
        try:
            state = (
                Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0]
            )
        except OSError:
            return False
    else:
        state = subprocess.run(
            ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
        ).stdout
    return bool(state) and state[0] not in "ZX"


def free_ports(count: int, first: int | None = None) -> list[int]:
    """Return ports of 127.0.0.1 that nobody listens at, the first as wished if it is free."""
    chosen: list[int] = []
    tries = [*([first] if first else []), *random.SystemRandom().sample(PORTS, 50 * count)]
    for port in tries:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        chosen.append(port)
        if len(chosen) == count:
            return chosen
    raise ServerError(f"no {count} free ports on 127.0.0.1")
