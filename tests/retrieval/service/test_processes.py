"""The service as processes: workers that are killed, signals, and starts that cannot succeed."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from running_service import Client, running
from service_process import PROGRAM, ROOT, SEARCH, WING, ready, serving, until, workers

from encoders.errors import CollectionError, OptionError
from retrieval.service import server
from retrieval.service.settings import Settings

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds the workers in /proc")


def counted(client: Client) -> int:
    found = re.search(
        r'nearby_requests_total\{operation="search",status="200"\} (\d+)', client.get("/metrics").content.decode()
    )
    return int(found[1]) if found else 0


def counted_at_rest(client: Client) -> int:
    """Return the count when nothing runs: a request is counted after its answer has left."""
    time.sleep(0.3)
    return counted(client)


@pytest.fixture(scope="module")
def two_workers(collections) -> Iterator[tuple[subprocess.Popen[str], Client]]:
    with serving(collections["texts"], "--workers", 2) as found:
        until(lambda: len(workers(found[0])) == 2)
        yield found


def test_both_workers_answer_and_count_together(two_workers):
    started, client = two_workers
    pids = ready(started, client)
    before = counted_at_rest(client)
    for stopped in pids:
        os.kill(stopped, signal.SIGSTOP)
        for _ in range(3):
            assert client.post(SEARCH, WING).status == 200
        assert counted_at_rest(client) == before + 3 * (
            pids.index(stopped) + 1
        )  # also those that the stopped one answered
        os.kill(stopped, signal.SIGCONT)


def test_a_worker_that_is_killed_is_replaced_and_its_counts_stay(two_workers):
    started, client = two_workers
    for _ in range(2):  # the second time a replacement
        killed, other = ready(started, client)
        before = counted_at_rest(client)
        os.kill(killed, signal.SIGKILL)
        statuses: Counter[int] = Counter()
        resets, end = 0, time.monotonic() + 60
        while (other not in (now := workers(started)) or len(now) < 2 or killed in now) and time.monotonic() < end:
            try:
                statuses[client.post(SEARCH, WING).status] += 1
            except ConnectionError:  # it was at the one that was killed
                resets += 1
        assert set(statuses) == {200}
        assert resets <= 1
        assert started.poll() is None
        assert killed not in ready(started, client)
        assert counted_at_rest(client) >= before + statuses[200] - 1  # it may be killed before it counts


def test_a_worker_that_says_nothing_for_a_while_is_kept(two_workers):
    """On a busy machine, a worker may need more than uvicorn's own five seconds to start."""
    started, client = two_workers
    pids = ready(started, client)
    os.kill(pids[0], signal.SIGSTOP)
    try:
        time.sleep(8)
    finally:
        os.kill(pids[0], signal.SIGCONT)
    assert ready(started, client) == pids


def test_workers_end_when_their_parent_was_killed(collections):
    with serving(collections["texts"], "--workers", 2) as (started, client):
        pids = ready(started, client)
        started.kill()
        started.wait()
        try:
            until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), 20)
        finally:
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize(("number", "count"), [(signal.SIGTERM, 1), (signal.SIGTERM, 2), (signal.SIGINT, 2)])
def test_a_signal_lets_running_requests_end_and_refuses_new_ones(collections, number, count):
    body = b'{"query": {"text": "wing"}}'
    head = f"POST {SEARCH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with serving(collections["texts"], "--workers", count) as (started, client):
        pids = ready(started, client) if count == 2 else []
        running = [socket.create_connection(("127.0.0.1", client.port), 60) for _ in range(6)]
        for one in running:
            one.sendall(head.encode() + body[:5])
        time.sleep(0.5)
        for pid in [started.pid, *pids]:  # a terminal sends Ctrl-C to all, systemd SIGTERM
            os.kill(pid, number)
        if number == signal.SIGTERM:
            os.kill(started.pid, number)
        time.sleep(1)
        refused = client.post(SEARCH, WING)
        assert (refused.status, refused.headers["retry-after"], refused.headers["connection"]) == (503, "5", "close")
        assert client.get("/health").status == 503  # who spreads requests sends none here
        for one in running:
            one.sendall(body[5:])
            assert one.recv(100).startswith(b"HTTP/1.1 200 ")
            one.close()
        _, said = started.communicate(timeout=60)
        assert (started.returncode, said) == (0, "")
        assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def test_a_second_ctrl_c_ends_it_at_once_and_quietly(collections):
    with serving(collections["texts"], "--workers", 1) as (started, client):
        waiting = socket.create_connection(("127.0.0.1", client.port), 60)
        waiting.sendall(f"POST {SEARCH} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n".encode())
        waiting.sendall(b"Content-Type: application/json\r\n\r\n{")
        time.sleep(0.5)
        started.send_signal(signal.SIGINT)
        time.sleep(0.5)
        assert started.poll() is None  # the request is waited for
        started.send_signal(signal.SIGINT)
        _, said = started.communicate(timeout=10)
        waiting.close()
    assert (started.returncode, said) == (1, "")


def test_ctrl_c_while_workers_start_is_quiet(collections):
    command = [sys.executable, "-c", PROGRAM.format(root=str(ROOT)), "serve", collections["texts"], "--port", "0"]
    with subprocess.Popen(
        [*command, "--workers", "2"], stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as started:
        try:
            until(lambda: len(workers(started)) == 2)
            time.sleep(0.2)  # they import
            os.killpg(started.pid, signal.SIGINT)  # as a terminal does
            _, said = started.communicate(timeout=60)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(started.pid, signal.SIGKILL)
    assert started.returncode == 0
    assert re.fullmatch(r"serving texts at \S+  \(Ctrl-C stops\)\n", said)


# starts that cannot succeed


def test_a_token_file_that_is_not_there_is_one_sentence(collections, tmp_path):
    with pytest.raises(OptionError) as refused:
        start(folders=collections, port=0, token_file=str(tmp_path / "gone"))
    assert str(refused.value) == f"the token file {tmp_path / 'gone'} cannot be read: No such file or directory"


def test_workers_that_cannot_start_end_the_service_with_a_sentence(collections, tmp_path):
    """The token file is gone when they read it; before, they were replaced for ever, and clients waited."""
    gone = "import retrieval.service.server as s; s.read_token = s.warn_of_readers = lambda path: ''; import cli; cli.main()"
    program = PROGRAM.format(root=str(ROOT)).replace("import cli; cli.main()", gone)
    words = ["serve", collections["texts"], "--port", "0", "--workers", "2", "--token-file", str(tmp_path / "gone")]
    done = subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 2, done.stderr
    assert "end as soon as they start" in done.stderr.splitlines()[-1]
    assert "the token file" in done.stderr


def start(**settings: object) -> None:
    server.serve(Settings(**settings), lambda url: pytest.fail(f"serves at {url}"))


def test_a_port_that_is_used_is_one_sentence(collections):
    with socket.socket() as used:
        used.bind(("127.0.0.1", 0))
        used.listen()
        port = used.getsockname()[1]
        with pytest.raises(
            OptionError, match=f"cannot listen at 127.0.0.1, port {port}: .* choose another with --port"
        ):
            start(folders=collections, port=port)


def test_a_folder_that_is_no_collection_is_found_at_the_start(collections, tmp_path):
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(CollectionError, match=str(folder)):
            start(folders={**collections, "wrong": str(folder)}, port=0)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])  # noqa: S104
def test_an_address_that_others_reach_needs_a_token(collections, host):
    with pytest.raises(OptionError, match="can be reached by others: add --token-file FILE"):
        start(folders=collections, host=host, port=0)


@pytest.mark.parametrize("token", ["", "short", "with a space in it 0123456789", "ü" * 20])
def test_a_bad_token_is_refused_and_not_repeated(collections, tmp_path, token):
    file = tmp_path / "token"
    file.write_text(token)
    with pytest.raises(OptionError) as refused:
        start(folders=collections, host="0.0.0.0", port=0, token_file=str(file))  # noqa: S104
    assert str(file) in str(refused.value)
    assert not token or token not in str(refused.value)


def test_a_token_that_others_can_read_is_warned_of(collections, tmp_path, capsys, monkeypatch):
    file = tmp_path / "token"
    file.write_text("0123456789abcdef-secret")

    def stop(*_) -> None:
        raise InterruptedError

    monkeypatch.setattr(server, "listen", stop)
    for mode, said in ((0o644, True), (0o640, True), (0o600, False)):
        file.chmod(mode)
        with pytest.raises(InterruptedError):
            start(folders=collections, token_file=str(file))
        assert (f"can read the token in {file}: chmod 600 {file}" in capsys.readouterr().err) == said


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@pytest.mark.skipif(not has_ipv6(), reason="no IPv6")
@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_an_address_of_ipv6_is_listened_at_and_said_as_it_is_typed(collections, host):
    """Without a token: it is of this machine alone."""
    command = [sys.executable, "-c", PROGRAM.format(root=str(ROOT)), "serve", collections["texts"]]
    with subprocess.Popen([*command, "--host", host, "--port", "0"], stderr=subprocess.PIPE, text=True) as started:
        try:
            assert started.stderr
            said = started.stderr.readline()
            found = re.search(r"http://\[::1\]:(\d+)/", said)
            assert found, said + started.stderr.read()
            client = Client(int(found[1]), "::1")
            until(lambda: client.post(SEARCH, WING).status == 200)
            assert client.get("/health", Host="evil.example").status == 421
            assert f"http://[::1]:{client.port}/v1/" in client.get("/docs").content.decode()
        finally:
            started.kill()


def test_further_hosts_may_be_written_in_any_form(collections):
    settings = Settings(collections, hosts=("2001:DB8::0:1", "[fe80::1]:8765", "Search.example:443"))
    with running(settings) as client:
        for host in ("[2001:db8::1]:80", "[FE80:0::1]", "search.example"):
            assert client.get("/health", Host=host).status == 200, host
        assert client.get("/health", Host="[2001:db8::2]").status == 421
