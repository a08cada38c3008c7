"""Every server that we cannot speak to is refused in one sentence that says what to do."""

from __future__ import annotations

import base64
import shutil
import socket
import ssl
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest
from elastic_transport import Urllib3HttpNode
from fake_node import Reply, fake_node, refused, version

from encoders.errors import IndexGoneError, OptionError, ServerError
from indexers.elasticsearch import client
from indexers.elasticsearch.address import Address
from indexers.elasticsearch.client import cause_of, connect, readable_errors
from indexers.elasticsearch.deadline import seconds_left, within
from indexers.elasticsearch.index_admin import IndexAdmin


@pytest.fixture(autouse=True)
def bare(monkeypatch):
    """No identity of whoever runs the tests, and no connection of another test whose port came again."""
    for name in client._VARIABLES:
        monkeypatch.delenv(name, raising=False)
    client._connect.cache_clear()
    yield
    client._connect.cache_clear()


def refusal_of(*hosts: str) -> str:
    with pytest.raises(ServerError) as caught:
        connect([host if "://" in host else f"http://{host}" for host in hosts], named=True)
    said = str(caught.value)
    assert "\n" not in said
    assert len(said) < 450
    return said


def closed_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


def test_a_server_that_is_absent():
    host = closed_port()
    assert refusal_of(host).startswith(
        f"no Elasticsearch answers at http://{host}: start it, or give the right address"
    )


def test_of_several_hosts_one_is_enough():
    with fake_node(version("8.19.1")) as living:
        for hosts in ((closed_port(), living), (living, closed_port())):
            client._connect.cache_clear()
            assert connect([f"http://{host}" for host in hosts])
    assert " and http://127" in refusal_of(closed_port(), closed_port())


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, b"<html><h1>It works!</h1></html>", "text/html", {}),
        Reply(404, b"<html>not found</html>", "text/html", {}),
        Reply(200, {"nodes": {"a": {"version": "8.19.1"}}}, headers={}),
        Reply(404, {"error": "no such page"}, headers={}),
        Reply(400, {"error": {"type": "x", "reason": "y"}}, headers={}),
        Reply(200, {"nodes": {}}, headers={"X-Elastic-Product": "Kibana"}),
    ],
    ids=["a page", "no page", "no header", "no such path", "bad request", "another product"],
)
def test_something_else_answers(reply):
    with fake_node(reply) as host:
        assert refusal_of(host) == f"the server at http://{host} is not Elasticsearch: give the address of one"


@pytest.mark.parametrize("number", ["7.17.9", "6.8.0", "10.0.0", "10.0.0-SNAPSHOT"])
def test_another_major(number):
    with fake_node(version(number)) as host:
        said = refusal_of(host)
    assert said == (
        f"Elasticsearch {number} answers at http://{host}; nearby supports versions 8 and 9: use one of these"
    )


@pytest.mark.parametrize("number", ["8.0.0", "8.19.21", "9.3.0-SNAPSHOT"])
def test_majors_that_fit(number):
    with fake_node(version(number)) as host:
        assert connect([f"http://{host}"])


def test_a_server_that_does_not_say_its_version():
    with fake_node(Reply(200, {"cluster_name": "x"})) as host:
        assert "does not tell its version" in refusal_of(host)


def test_a_server_older_than_the_client_understands():
    reply = refused(400, "media_type_header_exception", "Invalid media-type value on headers [Accept]")
    with fake_node(reply) as host:
        assert refusal_of(host) == (f"Elasticsearch at http://{host} is too old: use a server of version 8 or 9")


# -- who we are -------------------------------------------------------------------------------------------------------

MISSING = refused(401, "security_exception", "missing authentication credentials for REST request")
IDENTITIES = [
    ({}, "asks for credentials: set NEARBY_ELASTICSEARCH_USER and NEARBY_ELASTICSEARCH_PASSWORD, or"),
    ({client.USER: "eve", client.PASSWORD: "geheim"}, "refuses the user 'eve': set"),
    ({client.API_KEY: "Z2VoZWltOmdlaGVpbQ=="}, "refuses the API key: set"),
]


@pytest.mark.parametrize(("identity", "said"), IDENTITIES)
def test_who_we_are_is_refused_and_no_secret_is_told(monkeypatch, identity, said):
    for name, value in identity.items():
        monkeypatch.setenv(name, value)
    with fake_node(MISSING) as host:
        refusal = refusal_of(host)
    assert said in refusal
    for name in (client.PASSWORD, client.API_KEY):
        assert identity.get(name, "no such") not in refusal


def test_what_we_are_is_sent(monkeypatch):
    monkeypatch.setenv(client.USER, "eve")
    monkeypatch.setenv(client.PASSWORD, "geheim")
    with fake_node(version("8.1.0")) as host:
        header = connect([f"http://{host}"], named=True)._headers["authorization"]
    assert header == "Basic ZXZlOmdlaGVpbQ=="
    monkeypatch.delenv(client.USER)
    monkeypatch.delenv(client.PASSWORD)
    monkeypatch.setenv(client.API_KEY, "a2V5")
    with fake_node(version("8.1.0")) as host:
        assert connect([f"http://{host}"], named=True)._headers["authorization"] == "ApiKey a2V5"


@pytest.mark.parametrize(
    ("user", "password"), [("żółw", "hasło"), ("利用者", "暗号"), ("eve", "ge:heim"), ("a\udcff", "b\udcfe")]
)
def test_names_and_passwords_of_any_script_are_sent_as_utf_8(monkeypatch, user, password):
    monkeypatch.setenv(client.USER, user)
    monkeypatch.setenv(client.PASSWORD, password)
    with fake_node(version("8.1.0")) as host:
        header = connect([f"http://{host}"], named=True)._headers["authorization"]
    assert base64.b64decode(header.removeprefix("Basic ")) == f"{user}:{password}".encode("utf-8", "surrogateescape")


@pytest.mark.parametrize("key", ["zażółć", "two words", "with\nline", "\udcff"])
def test_a_key_that_is_none_is_refused_and_not_repeated(monkeypatch, key):
    monkeypatch.setenv(client.API_KEY, key)
    with pytest.raises(OptionError, match="is not an API key") as caught:
        connect(["http://127.0.0.1:1"], named=True)
    assert key not in str(caught.value)


def test_a_user_with_a_colon_is_refused(monkeypatch):
    monkeypatch.setenv(client.USER, "eve:x")
    monkeypatch.setenv(client.PASSWORD, "geheim")
    with pytest.raises(OptionError, match="holds a ':', which a user name cannot have"):
        connect(["http://127.0.0.1:1"], named=True)


def test_a_user_without_the_right():
    reason = "action [indices:admin/aliases/get] is unauthorized for user [eve]"
    with fake_node(refused(403, "security_exception", reason)) as host:
        admin = IndexAdmin(Address.read(f"http://{host}/n"))  # who may only search need not know the version
        with pytest.raises(ServerError) as caught:
            admin.behind("n")
        assert str(caught.value) == (
            f"Elasticsearch at http://{host} does not allow your user to do this: give it the privilege ({reason})"
        )


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({client.USER: "eve"}, "belong together: set both or none"),
        ({client.PASSWORD: "geheim"}, "belong together: set both or none"),
        ({client.API_KEY: "geheim", client.USER: "eve", client.PASSWORD: "geheim"}, "not both"),
        ({client.AUTHORITY: "/no/such.pem"}, "names '/no/such.pem', which is not a file"),
        ({client.TIMEOUT: "soon"}, "should be a number of seconds, at most 3,600; got 'soon'"),
        ({client.TIMEOUT: "0"}, "got '0'"),
        ({client.TIMEOUT: "nan"}, "got 'nan'"),
    ],
)
def test_settings_that_do_not_fit(monkeypatch, environment, said):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(OptionError) as caught:
        connect(["http://127.0.0.1:1"], named=True)
    assert said in str(caught.value)
    assert "geheim" not in str(caught.value)


# -- certificates -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    """A certificate for 127.0.0.1 that its own key has signed, and the key."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    made = tmp_path_factory.mktemp("tls") / "server.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=server", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", f"{made}.key", "-out", str(made)],
        check=True, capture_output=True,
    )  # fmt: skip
    return made


def secured(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, f"{certificate}.key")
    return context


def test_a_certificate_of_somebody_unknown(certificate, monkeypatch):
    with fake_node(version("8.1.0"), secured(certificate)) as host:
        said = refusal_of(f"https://{host}")
        assert said.startswith(
            f"the certificate of https://{host} is signed by an unknown authority: set {client.AUTHORITY}"
        )
        monkeypatch.setenv(client.AUTHORITY, str(certificate))
        assert connect([f"https://{host}"])


def test_a_file_that_holds_no_certificate(monkeypatch, tmp_path):
    (tmp_path / "ca.pem").write_text("nothing")
    monkeypatch.setenv(client.AUTHORITY, str(tmp_path / "ca.pem"))
    with pytest.raises(
        OptionError, match=rf"names '{tmp_path}/ca.pem', which holds no certificate: set it to the cert"
    ):
        connect(["https://127.0.0.1:1"])


def test_https_to_a_server_of_http():
    with fake_node(version("8.1.0")) as host:
        assert refusal_of(f"https://{host}") == f"https://{host} does not use https: write http:// in the address"


def test_http_to_a_server_of_https(certificate):
    with fake_node(version("8.1.0"), secured(certificate)) as host:
        said = refusal_of(host)
    assert said.startswith(f"no Elasticsearch answers at http://{host}: start it, or give the right address")


# -- answers that are none --------------------------------------------------------------------------------------------


def test_an_answer_that_is_cut_off():
    with fake_node(Reply(200, b'{"nodes": {"a"', missing=50)) as host:
        assert refusal_of(host).startswith(f"no Elasticsearch answers at http://{host}")


def test_an_answer_without_anything_in_it():
    with fake_node(Reply(200)) as host:
        assert "does not tell its version" in refusal_of(host)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"nodes": {"a": {"ver', "application/json"),
        (b"\xff\xfe", "application/json"),
        (b"<html>sign in</html>", "text/html"),
        (b"sign in", "text/plain"),
        (b"[1, 2]", "application/json"),
        (b'"words"', "application/json"),
        (b'{"nodes": 3}', "application/json"),
        (b'{"nodes": {"a": 7}}', "application/json"),
        (b'{"nodes": {"a": {}}}', "application/json"),
        (b'{"nodes": {"a": {"version": "new"}}}', "application/json"),
        (b'{"nodes": {"a": {"version": [8]}}}', "application/json"),
    ],
)
def test_an_answer_that_cannot_be_read(body, kind):
    with fake_node(Reply(200, body, kind)) as host:
        said = refusal_of(host)
    assert said.startswith(
        f"the answer of Elasticsearch at http://{host} cannot be read: try again; if that does not help, look for a proxy"
    )


def test_a_server_that_does_not_answer_in_time(monkeypatch):
    monkeypatch.setenv(client.TIMEOUT, "0.1")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(64)
        said = refusal_of(f"127.0.0.1:{silent.getsockname()[1]}")
    assert "did not answer in time: look at its load, or set NEARBY_ELASTICSEARCH_TIMEOUT higher" in said


@pytest.mark.parametrize("hosts", [1, 3])
def test_the_time_is_that_of_the_whole_call_however_many_nodes_are_silent(monkeypatch, hosts):
    given = []
    perform = Urllib3HttpNode.perform_request

    def noted(self, *words, request_timeout, **more):
        given.append(request_timeout)
        return perform(self, *words, request_timeout=request_timeout, **more)

    monkeypatch.setattr(Urllib3HttpNode, "perform_request", noted)
    monkeypatch.setenv(client.TIMEOUT, "0.3")
    with ExitStack() as open_ones:
        addresses = []
        for _ in range(hosts):
            silent = open_ones.enter_context(socket.socket())
            silent.bind(("127.0.0.1", 0))
            silent.listen(64)
            addresses.append(f"127.0.0.1:{silent.getsockname()[1]}")
        refusal_of(*addresses)
    assert len(given) == hosts
    assert sum(given) == pytest.approx(0.3, rel=0.05)


def test_one_deadline_bounds_what_is_asked_again(monkeypatch):
    monkeypatch.setenv(client.TIMEOUT, "4")
    with within(1.0):
        assert seconds_left() <= 1.0
        with within(100.0):
            assert seconds_left() <= 1.0
    with within(100.0):
        assert seconds_left() == 4.0
    with within(-1.0):
        assert 0 < seconds_left() < 0.1
    assert seconds_left() == 4.0


REFUSALS = [
    (429, "es_rejected_execution_exception", "queue full", "has too much to do (queue full): try again later"),
    (503, "no_shard_available_action_exception", "", "has no node for a part of the index at the moment"),
    (403, "cluster_block_exception", "index [n] blocked by: [FORBIDDEN/8/index write (api)];", "remove the block"),
    (
        429,
        "cluster_block_exception",
        "index [n] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark];",
        "refuses writes, as a disk is nearly full: free some space",
    ),
    (400, "illegal_argument_exception", "that is wrong", "refuses: that is wrong"),
]


@pytest.mark.parametrize(("status", "kind", "reason", "said"), REFUSALS)
def test_refusals_of_requests(status, kind, reason, said):
    def answer(method, path, body):
        return version("8.1.0") if "_nodes" in path else refused(status, kind, reason)

    with fake_node(answer) as host:
        asked = connect([f"http://{host}"])
        with pytest.raises(ServerError) as caught, readable_errors([f"http://{host}"]):
            asked.search(index="news")
    assert said in str(caught.value)


def test_an_index_that_is_not_there():
    def answer(method, path, body):
        return (
            version("8.1.0") if "_nodes" in path else refused(404, "index_not_found_exception", "no such index [news]")
        )

    with fake_node(answer) as host:
        asked = connect([f"http://{host}"])
        with (
            pytest.raises(
                IndexGoneError, match=r"has no such index \(no such index \[news\]\): index the corpus again"
            ),
            readable_errors([f"http://{host}"]),
        ):
            asked.search(index="news")


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        (None, ("", "None")),
        ("a  text\nin lines", ("", "a text in lines")),
        ({}, ("", "")),
        ({"error": "words"}, ("", "words")),
        ({"error": {"type": "a", "reason": None}}, ("a", "a")),
        ({"error": {"type": "a", "reason": "b", "caused_by": {"type": "c", "reason": "d"}}}, ("a", "d")),
        (
            {"error": {"type": "search_phase", "reason": "all shards failed", "root_cause": [],
                       "failed_shards": [{"reason": {"type": "q", "reason": "the cause"}}]}},
            ("search_phase", "the cause"),
        ),
    ],
)  # fmt: skip
def test_the_cause_of_an_error(body, cause):
    assert cause_of(body) == cause
