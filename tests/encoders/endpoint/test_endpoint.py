"""An embeddings endpoint: what it answers is checked, what is paid is kept, and every fault is one sentence."""

from __future__ import annotations

import json
import socket
import sqlite3
import time
from email.utils import formatdate
from pathlib import Path

import numpy as np
import pytest
from embeddings_server import WIDTH, Answer, EmbeddingsServer, embedding, embeddings_server

from encoders.base import Encoder
from encoders.endpoint import cache as cache_file
from encoders.endpoint import client as endpoint_client
from encoders.endpoint.address import checked_url, key_of, key_variables
from encoders.errors import ArtifactError, EndpointError, NearbyError, OptionError
from encoders.registry import create
from encoders.spec import write_stage
from encoders.text import endpoint as endpoint_encoder

TEXTS = ["a red apple", "a green pear", "", "a red apple", "heat and flow", "  "]
KEY = "sk-secret-123"


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setenv("NEARBY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(endpoint_client, "_FIRST_WAIT", 0.01)
    monkeypatch.setattr(endpoint_encoder, "_PATIENT", 1.0)
    monkeypatch.setattr(endpoint_encoder, "_QUICK", 0.5)
    with embeddings_server() as running:
        yield running


def endpoint(server: EmbeddingsServer, **more: str) -> Encoder:
    return create(write_stage("endpoint", server.url, {"model": "words", **more}))


def test_every_text_has_its_code_and_none_is_paid_twice(server):
    encoder = endpoint(server, **{"batch-size": "2"}).fit(["x"])
    codes = encoder.encode(TEXTS)
    expected = [embedding(text) if text.strip() else [0] * WIDTH for text in TEXTS]
    np.testing.assert_allclose(codes, expected, atol=1e-6)
    assert sorted(server.texts[1:]) == sorted({text for text in TEXTS if text.strip()})
    np.testing.assert_array_equal(endpoint(server).fit(["x"]).encode_queries(TEXTS), codes)
    assert len(server.texts) == 1 + 3 + 1  # the second fit asks for its probe, and nothing else


def test_requests_say_what_the_interface_asks_for(server, monkeypatch):
    monkeypatch.setenv("NEARBY_KEY_127_0_0_1", f" {KEY}\n")
    endpoint(server, dimensions="8").fit(["x"])
    assert server.asked[0] == {
        "model": "words",
        "input": [endpoint_encoder._PROBE],
        "encoding_format": "float",
        "dimensions": 8,
    }
    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"


def test_answers_in_another_order_are_put_in_place(server):
    server.change = lambda document: {**document, "data": document["data"][::-1]}
    np.testing.assert_allclose(
        endpoint(server).fit(["x"]).encode(["b", "a"]), [embedding("b"), embedding("a")], atol=1e-6
    )


def test_documents_and_queries_have_their_prompts(server):
    encoder = endpoint(server, prompt="passage: ", **{"query-prompt": "query: "}).fit(["x"])
    np.testing.assert_allclose(encoder.encode(["a"]), [embedding("passage: a")], atol=1e-6)
    np.testing.assert_allclose(encoder.encode_queries(["a"]), [embedding("query: a")], atol=1e-6)


def test_tokens_are_counted_and_said(server):
    encoder = endpoint(server).fit(["x"])
    encoder.encode(TEXTS)
    assert encoder.remarks() == ["endpoint: 2 requests embedded 4 texts for 17 tokens"]
    encoder.encode(TEXTS)
    assert encoder.remarks() == ["endpoint: 3 texts came from the cache, and nothing was paid"]
    assert encoder.remarks() == []


def test_what_was_paid_before_a_failure_is_kept(server):
    encoder = endpoint(server, **{"batch-size": "1", "parallel": "1"}).fit(["x"])
    server.faults = []
    texts = [f"text {number}" for number in range(6)]
    paid = 0

    def embed(text: str) -> list[float]:
        nonlocal paid
        if text == "text 3":
            raise ConnectionError  # the connection is cut
        paid += 1
        return embedding(text)

    server.embed = embed
    with pytest.raises(EndpointError, match="cannot reach"):
        encoder.encode(texts)
    server.embed, before = embedding, len(server.texts)
    np.testing.assert_allclose(encoder.encode(texts), [embedding(text) for text in texts], atol=1e-6)
    assert len(server.texts) - before == 6 - paid


def test_a_fit_does_not_ask_again_for_what_a_killed_command_has_paid(server, tmp_path):
    import subprocess
    import sys

    server.seconds = 0.15
    texts = [f"text {number}" for number in range(40)]
    spec = write_stage("endpoint", server.url, {"model": "words", "batch-size": "2", "parallel": "1"})
    program = f"from encoders.registry import create\ncreate({spec!r}).fit(['x']).encode({texts!r})"
    process = subprocess.Popen([sys.executable, "-c", program], cwd=Path(__file__).parents[3])
    end = time.monotonic() + 60
    while len(server.texts) < 8 and time.monotonic() < end:
        time.sleep(0.02)
    process.kill()
    process.wait()
    time.sleep(0.3)  # the request on its way
    server.seconds, paid = 0, set(server.texts)
    assert 8 <= len(paid) < 40
    server.asked.clear()
    endpoint(server).fit(["x"]).encode(texts)
    again = set(server.texts) & paid - {endpoint_encoder._PROBE}
    assert len(again) <= 4  # of the request that the kill cut, and the one before it


def test_a_loaded_encoder_asks_no_server_until_a_text_comes(server, tmp_path):
    saved = endpoint(server).fit(["x"]).save(tmp_path / "saved")
    before = len(server.asked)
    loaded = Encoder.load(saved)
    assert len(server.asked) == before
    np.testing.assert_allclose(loaded.encode(["new"]), [embedding("new")], atol=1e-6)
    assert len(server.asked) == before + 2  # the probe, then the text
    loaded.encode(["newer"])
    assert len(server.asked) == before + 3


def test_another_model_under_the_same_name_is_refused(server, tmp_path, capsys):
    saved = endpoint(server).fit(["x"]).save(tmp_path / "saved")
    server.embed = lambda text: embedding(text[::-1])
    with pytest.raises(ArtifactError, match="is not the one that this space was made with"):
        Encoder.load(saved).encode(["new"])
    endpoint(server).fit(["x"])
    assert "has changed, so its cached embeddings are dropped" in capsys.readouterr().err
    server.embed = lambda text: embedding(text, 7)
    with pytest.raises(ArtifactError):
        Encoder.load(saved).encode(["new"])


def test_a_model_that_changes_its_width_midway_is_refused(server):
    encoder = endpoint(server).fit(["x"])
    server.embed = lambda text: embedding(text, 7)
    with pytest.raises(ArtifactError, match=f"of 7 numbers, this space has {WIDTH}"):
        encoder.encode(["new"])


PASSING = {
    "rate-limited": Answer(429, b'{"error": {"message": "slow down"}}', {"Retry-After": "0.05"}),
    "rate-limited until a date": Answer(429, b"", {"Retry-After": formatdate(time.time() - 5, usegmt=True)}),
    "restarting": Answer(503, b"<html>"),
    "failing": Answer(500, b'{"error": "oops"}'),
    "cut off": Answer(200, b'{"data": [' + b" " * 1000, cut=100),
}


@pytest.mark.parametrize("fault", PASSING)
def test_a_fault_that_passes_is_waited_for(server, fault):
    server.faults = [PASSING[fault]] * 2
    np.testing.assert_allclose(endpoint(server).fit(["x"]).encode(["a"]), [embedding("a")], atol=1e-6)


def test_the_server_is_not_asked_before_it_said(server):
    server.faults = [Answer(429, b"", {"Retry-After": "0.4"})]
    before = time.monotonic()
    endpoint(server).fit(["x"])
    assert time.monotonic() - before >= 0.4


def errors(message: str, code: str | None = None) -> bytes:
    return json.dumps({"error": {"message": message, "code": code}}).encode()


LASTING = {
    "busy for an hour": ([Answer(429, errors("limit reached"), {"Retry-After": "3600"})], "status 429: limit reached; it asks to wait 1 h 0 min"),
    "always busy": ([Answer(503)] * 100, "status 503; tried for 500 ms|status 503; tried for 0.5 s"),
    "no money": ([Answer(429, errors("no quota", "insufficient_quota"))], "status 429: no quota$"),
    "wrong key": ([Answer(401, errors(f"bad key {KEY}"))], r"bad key \[key\]; the key comes from NEARBY_KEY_127_0_0_1, which is set"),
    "unknown model": ([Answer(404, errors("no model 'words'"))], "status 404: no model 'words'$"),
    "too large": ([Answer(413)], "batch-size="),
    "redirect": ([Answer(307, b"", {"Location": "http://127.0.0.1:1/"})], "redirects elsewhere, which is not followed"),
    "broken JSON": ([Answer(200, b"{'data'")], "something other than JSON"),
    "a page": ([Answer(200, b"<html>welcome</html>")], "something other than JSON"),
    "another service": ([Answer(200, b'{"ok": true}')], "gives no embeddings"),
    "a list": ([Answer(200, b"[1, 2]")], "gives no embeddings"),
    "too few": ([Answer(200, b'{"data": []}')], "gives 0 embeddings for 1 texts"),
    "wrong index": ([Answer(200, b'{"data": [{"index": 3, "embedding": [1]}]}')], "wrong index"),
    "no vector": ([Answer(200, b'{"data": [{"index": 0, "embedding": "AAAA"}]}')], "without a list of numbers"),
    "empty vector": ([Answer(200, b'{"data": [{"index": 0, "embedding": []}]}')], "different widths"),
    "texts": ([Answer(200, b'{"data": [{"index": 0, "embedding": ["a"]}]}')], "not numbers"),
    "null": ([Answer(200, b'{"data": [{"index": 0, "embedding": [null, 1]}]}')], "NaN"),
    "infinite": ([Answer(200, b'{"data": [{"index": 0, "embedding": [1e300]}]}')], "infinite"),
}  # fmt: skip


@pytest.mark.parametrize("fault", LASTING)
def test_a_fault_that_lasts_is_one_sentence_without_the_key(server, fault, monkeypatch):
    monkeypatch.setenv("NEARBY_KEY_127_0_0_1", KEY)
    server.faults, words = LASTING[fault]
    before = time.monotonic()
    with pytest.raises(EndpointError, match=words) as raised:
        endpoint(server).fit(["x"])
    assert time.monotonic() - before < 3
    assert KEY not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_widths_that_differ_within_one_answer_are_refused(server):
    encoder = endpoint(server).fit(["x"])
    server.embed = lambda text: embedding(text, 7 if text == "b" else WIDTH)
    with pytest.raises(EndpointError, match=f"different widths \\(7, {WIDTH}\\)"):
        encoder.encode(["a", "b"])


def test_a_server_that_is_down_or_unknown(server, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(EndpointError, match=rf"cannot reach http://127.0.0.1:{port}/v1/embeddings.*refused.*try again"):
        create(f"endpoint:http://127.0.0.1:{port}/v1?model=words").fit(["x"])

    def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(EndpointError, match=r"cannot reach https://nowhere.invalid/v1/embeddings.*not known$"):
        create("endpoint:https://nowhere.invalid?model=words").fit(["x"])


@pytest.mark.parametrize("answer", [Answer(seconds=2), Answer(200, b" " * 10, {"Content-Length": "1000"}, cut=5)])
def test_a_slow_server_is_not_waited_for_without_end(server, answer):
    server.faults = [answer] * 50
    before = time.monotonic()
    with pytest.raises(EndpointError, match=r"did not answer within 0.2 s \(timeout=\)|cannot reach"):
        endpoint(server, timeout="0.2").fit(["x"])
    assert time.monotonic() - before < 4


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("http://example.org/v1", "unencrypted: write https://, or allow it with plain-http=true"),
        ("https://user:password@example.org/v1", "leave '@', user and password out"),
        ("ftp://example.org", "is no address"),
        ("example.org/v1", "is no address"),
        ("https://example.org:99999/v1", "not valid"),
        ("https://exam ple.org", "no spaces"),
    ],
)
def test_addresses_that_are_refused(text, words):
    with pytest.raises(OptionError, match=words) as raised:
        checked_url(text)
    assert "password@" not in str(raised.value)


def test_plain_http_needs_a_word_except_to_this_machine():
    assert checked_url("http://[::1]:80/v1") == "http://[::1]:80/v1/embeddings"
    assert checked_url("http://localhost/embed") == "http://localhost/embed"
    assert checked_url("http://gpu.local/v1", plain_http=True) == "http://gpu.local/v1/embeddings"


def test_a_proxy_sees_nothing_that_is_for_this_machine(server, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    np.testing.assert_allclose(endpoint(server).fit(["x"]).encode(["a"]), [embedding("a")], atol=1e-6)


def test_a_key_belongs_to_one_host(monkeypatch):
    hosts = ["a-b.example.org", "a.b.example.org", "a--b.example.org", "ab.example.org", "api.openai.com"]
    names = [key_variables(f"https://{host}/v1")[0] for host in hosts]
    assert len(set(names)) == len(hosts)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert key_of("https://api.openai.com/v1") == KEY
    for host in (
        "https://api-openai.com",
        "https://api.openai.com.example.org",
        "http://localhost",
        "https://evil_host.org",
    ):
        assert key_of(host) is None
    monkeypatch.setenv("NEARBY_KEY_LOCALHOST", "with a space")
    with pytest.raises(OptionError, match="NEARBY_KEY_LOCALHOST holds spaces") as raised:
        key_of("http://localhost")
    assert "with a space" not in str(raised.value)


def test_neither_spec_nor_saved_folder_has_the_key(server, tmp_path, monkeypatch):
    monkeypatch.setenv("NEARBY_KEY_127_0_0_1", KEY)
    encoder = endpoint(server).fit(["x"])
    encoder.save(tmp_path / "saved")
    encoder.encode(["a"])
    assert KEY not in encoder.spec(full=True)
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes()


def test_a_damaged_code_in_the_cache_is_embedded_again(server, tmp_path):
    encoder = endpoint(server).fit(["x"])
    encoder.encode(["a", "b"])
    (path,) = (tmp_path / "cache" / "embeddings").glob("*.sqlite")
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE codes SET code = zeroblob(100)")
    connection.close()
    np.testing.assert_allclose(encoder.encode(["a", "b"]), [embedding("a"), embedding("b")], atol=1e-6)


def test_a_cache_that_is_no_cache_is_said(server, tmp_path):
    encoder = endpoint(server).fit(["x"])
    (path,) = (tmp_path / "cache" / "embeddings").glob("*.sqlite")
    for file in path.parent.iterdir():
        file.write_bytes(b"no database" * 1000)
    with pytest.raises(ArtifactError, match=r"cache of embeddings .* cannot be used .*delete it"):
        encoder.encode(["a"])
    np.testing.assert_allclose(endpoint(server, cache="false").fit(["x"]).encode(["a"]), [embedding("a")], atol=1e-6)


def test_a_full_disk_loses_no_code(server, monkeypatch, capsys):
    encoder = endpoint(server).fit(["x"])

    def full(code):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(cache_file, "_stored", full)
    np.testing.assert_allclose(encoder.encode(["a"]), [embedding("a")], atol=1e-6)
    encoder.encode(["b"])
    assert capsys.readouterr().err.count("the cache of embeddings is not written any more") == 1


def test_a_model_must_be_named(server):
    with pytest.raises(NearbyError, match="add model=NAME"):
        create(write_stage("endpoint", server.url, {})).fit(["x"])
