"""Credentials go to servers that the user has named himself, and to no other, whatever a folder says."""

from __future__ import annotations

import os
import stat

import pytest
from fake_node import fake_node, version

from encoders.errors import OptionError
from indexers.elasticsearch import client, trust
from indexers.elasticsearch.client import connect
from indexers.elasticsearch.trust import remember, require_trusted, trusting

OURS, OTHERS = "https://search.example.org:9200", "https://evil.example.org:9200"


@pytest.fixture(autouse=True)
def config(monkeypatch, tmp_path):
    for name in (*client._VARIABLES, trust.HOSTS):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(trust, "_file", lambda: tmp_path / "config" / trust.FILE)
    forget(monkeypatch)
    client._connect.cache_clear()
    return tmp_path / "config" / trust.FILE


def forget(monkeypatch):
    """As in a process that begins."""
    monkeypatch.setattr(trust, "_named", set())


def test_a_server_that_only_a_folder_names_is_asked_nothing(monkeypatch):
    asked = []

    def answer(method, path, body):
        asked.append(path)
        return version("8.19.0")

    with fake_node(answer) as host:
        assert connect([f"http://{host}"])  # there is no secret that it could learn
        asked.clear()
        for identity in ({client.API_KEY: "geheim"}, {client.USER: "eve", client.PASSWORD: "geheim"}):
            with monkeypatch.context() as environment:
                for name, value in identity.items():
                    environment.setenv(name, value)
                with pytest.raises(OptionError, match=rf"a folder names the server http://{host}.*--trust") as caught:
                    connect([f"http://{host}"])
                assert trust.HOSTS in str(caught.value)
                assert "geheim" not in str(caught.value)
                assert asked == []
                environment.setenv(trust.HOSTS, f"https://else.example.org, http://{host}")
                assert connect([f"http://{host}"])
                assert asked
                asked.clear()
                client._connect.cache_clear()


def test_what_the_user_has_named_is_trusted_later(monkeypatch, config):
    require_trusted([OURS], named=True)
    require_trusted([OURS], named=False)  # the folder that was just written
    remember([OURS])
    forget(monkeypatch)
    require_trusted([f"{OURS}/elastic"], named=False)  # a path leads to the same server
    assert config.read_text() == f"{OURS}\n"
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    with pytest.raises(OptionError, match=OTHERS):
        require_trusted([OURS, OTHERS], named=False)  # one of several is enough to refuse
    for almost in (
        "https://search.example.org:9201",
        "https://search.example.org.evil.org:9200",
        "http://127.0.0.1:9200",
    ):
        with pytest.raises(OptionError, match="a folder names the server"):
            require_trusted([almost], named=False)


def test_trust_is_remembered_and_ends_with_its_block(monkeypatch):
    with trusting(True):
        require_trusted([OURS], named=False)
    forget(monkeypatch)
    require_trusted([OURS], named=False)
    with pytest.raises(OptionError, match=OTHERS):
        require_trusted([OTHERS], named=False)


@pytest.mark.parametrize("named", [True, False])
def test_over_http_they_are_sent_to_this_machine_alone(monkeypatch, named):
    elsewhere = "http://search.example.org:9200"
    monkeypatch.setenv(trust.HOSTS, elsewhere)
    for host in (elsewhere, "http://10.0.0.1:9200", "http://localhost.evil.org:9200", "http://127.0.0.1.evil.org:9200"):
        with pytest.raises(OptionError, match=f"would be sent to {host} unencrypted: write https://"):
            require_trusted(["http://localhost:9200", host], named=named)
    monkeypatch.setenv(trust.HOSTS, "http://localhost:9200 http://127.0.0.1 http://[::1]:9200")
    require_trusted(["http://localhost:9200", "http://127.0.0.1:9200", "http://[::1]:9200"], named=named)


def test_nothing_is_written_through_a_link_and_a_folder_that_cannot_be_written_is_no_error(
    monkeypatch, config, tmp_path
):
    config.parent.mkdir()
    theirs = tmp_path / "theirs"
    theirs.write_text("of somebody else")
    config.symlink_to(theirs)
    config.with_name(f".{config.name}.{os.getpid()}").symlink_to(theirs)
    remember([OURS])
    assert theirs.read_text() == "of somebody else"
    assert config.read_text() == f"{OURS}\n"
    monkeypatch.setattr(trust, "_file", lambda: theirs / "no folder" / "x")
    remember([OTHERS])
    require_trusted([OTHERS], named=False)


def test_a_file_that_is_damaged_trusts_nobody(config):
    config.parent.mkdir()
    config.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(OptionError, match="a folder names the server"):
        require_trusted([OURS], named=False)
