"""What a process of the service listens at, shares with the others, and never writes down."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from running_service import running
from service_process import SEARCH, WING, ready, serving, until, workers

from retrieval.service.metrics import Metrics
from retrieval.service.settings import Settings

TOKEN = "a-secret-of-many-letters"  # noqa: S105
pytestmark = pytest.mark.skipif(not Path("/proc/self/net/tcp").exists(), reason="reads /proc")


def test_only_this_machine_reaches_it_by_default(collections):
    with serving(collections["texts"]) as (_, client):
        lines = [line.split() for table in ("tcp", "tcp6") for line in _table(table)]
        heard = [line[1].rpartition(":")[0] for line in lines if line[3] == "0A" and _port(line[1]) == client.port]
        assert heard == ["0100007F"]  # 127.0.0.1, and no other


def _table(name: str) -> list[str]:
    path = Path("/proc/self/net") / name
    return path.read_text().splitlines()[1:] if path.exists() else []


def _port(address: str) -> int:
    return int(address.rpartition(":")[2], 16)


def test_workers_share_the_memory_of_the_indexes(collections):
    """Each maps the files of the newest generation, and none reads the codes into memory of its own."""
    with serving(collections["texts"], collections["pictures"], "--workers", 2) as (started, client):
        ready(started, client)
        body = {"query": {"id": "7"}, "k": 1}

        def shared(pid: int) -> set[str]:
            client.post("/v1/collections/pictures/search", body)
            lines = Path(f"/proc/{pid}/maps").read_text().splitlines()
            found = (re.fullmatch(r"\S+ r--s .* (/.+/(?:codes|postings\.data)\.npy)", line) for line in lines)
            return {one[1] for one in found if one}

        expected = {
            str(path)
            for folder in collections.values()
            for path in _newest(Path(folder)).glob("spaces/*/index/*.npy")
            if path.name in ("codes.npy", "postings.data.npy")
        }
        assert len(expected) == 5
        until(lambda: all(shared(pid) == expected for pid in workers(started)))


def _newest(folder: Path) -> Path:
    return max((folder / "generations").iterdir())


def test_the_token_is_not_in_the_log_of_a_fault(collections, tmp_path, monkeypatch, capfd, caplog):
    """Whoever knows it sends it with every request, also with one that fails."""

    def fail(self):
        raise RuntimeError("a fault of ours")

    (tmp_path / "token").write_text(TOKEN)
    monkeypatch.setattr(Metrics, "text", fail)
    with running(Settings(collections, token_file=str(tmp_path / "token"))) as client:
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        assert client.get("/metrics", **bearer).status == 500
        assert client.post(SEARCH, b"{", **bearer).status == 400
        assert client.post(SEARCH, WING, **bearer).status == 200
    printed = capfd.readouterr()
    assert "a fault of ours" in printed.err + caplog.text
    assert TOKEN not in printed.out + printed.err + caplog.text
