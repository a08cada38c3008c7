"""Nobody gets more from the service than its operator allows: other pages, slow, broken and hostile clients."""

from __future__ import annotations

import base64
import http.client
import io
import json
import random
import re
import socket
import struct
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
import running_service
from running_service import Client, Reply, running

from retrieval.service import guard, limits
from retrieval.service.settings import Settings

TEXTS, PICTURES = "/v1/collections/texts", "/v1/collections/pictures"
SEARCH = f"{TEXTS}/search"
WING = {"query": {"text": "wing"}}
TOKEN = "a-token-that-nobody-guesses-0123456789"  # noqa: S105
EVIL = "http://evil.example"
JSON = "Content-Type: application/json\r\n"


@contextmanager
def connected(client: Client, seconds: float = 20.0) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", client.port), seconds) as opened:
        yield opened


def read_all(opened: socket.socket) -> bytes:
    """Read until the service closes the connection; a reset ends it as well."""
    parts = []
    with suppress(ConnectionError):
        while part := opened.recv(2**16):
            parts.append(part)
    return b"".join(parts)


def answer(opened: socket.socket) -> bytes:
    """Read one answer that is a JSON object; its head and body may come apart."""
    reply = b""
    while not reply.endswith(b"}"):
        part = opened.recv(2**16)
        assert part, reply
        reply += part
    return reply


def raw(client: Client, request: str | bytes, host: str = "localhost") -> bytes:
    """Send bytes; a text gets a Host and ends the connection."""
    if isinstance(request, str):
        line, _, rest = request.partition("\r\n")
        request = f"{line}\r\nHost: {host}\r\nConnection: close\r\n{rest}\r\n".encode("latin-1")
    with connected(client) as opened:
        with suppress(ConnectionError):
            opened.sendall(request)
        return read_all(opened)


def status_of(reply: bytes) -> int:
    found = re.match(rb"HTTP/1\.1 (\d{3}) ", reply)
    assert found, reply[:200]
    return int(found[1])


def problem_of(reply: Reply) -> str:
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json["status"] == reply.status
    return reply.json["detail"]


def require_alive(client: Client) -> None:
    assert client.post(SEARCH, WING).status == 200


@pytest.fixture(scope="module")
def locked(collections, tmp_path_factory) -> Iterator[Client]:
    """A service with a token, that one other page may use."""
    file = tmp_path_factory.mktemp("secret") / "token"
    file.write_text(f"{TOKEN}\n")
    file.chmod(0o600)
    settings = Settings(
        collections, token_file=str(file), hosts=("search.example",), origins=("https://page.example",)
    )  # fmt: skip
    with running(settings) as client:
        yield client


# who asks, from where


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "evil.example:80", "", "localhost@evil", "::1"]
)
def test_a_page_whose_name_leads_to_this_machine_is_refused(service, host):
    for path in ("/", "/health", TEXTS, "/page/index.html"):
        assert status_of(raw(service, f"GET {path} HTTP/1.1\r\n", host)) == 421


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:8765", "[::1]", "[::1]:8765", "[0:0::1]"])
def test_names_of_this_machine_are_taken(service, host):
    assert status_of(raw(service, "GET /health HTTP/1.1\r\n", host)) == 200


def test_the_operator_names_further_hosts(locked):
    assert status_of(raw(locked, "GET /health HTTP/1.1\r\n", "Search.Example")) == 200


@pytest.mark.parametrize(
    "origin", [EVIL, "null", "http://[", "file://", "https://page.example.evil", "http://localhost:1"]
)
def test_another_page_is_refused_and_gets_no_permission(service, origin):
    found = service.post(SEARCH, WING, Origin=origin)
    assert found.status == 403, found.content
    assert "access-control-allow-origin" not in found.headers
    assert service.get("/health", Origin=origin).status == 403


def test_our_own_page_may_ask(service):
    assert service.post(SEARCH, WING, Origin=f"http://127.0.0.1:{service.port}").status == 200


def test_a_page_that_is_allowed_may_ask(locked):
    authorization = {"Authorization": f"Bearer {TOKEN}", "Origin": "https://page.example"}
    found = locked.post(SEARCH, WING, **authorization)
    assert (found.status, found.headers["access-control-allow-origin"]) == (200, "https://page.example")
    assert "origin" in found.headers["vary"].lower()
    assert "access-control-allow-credentials" not in found.headers


@pytest.mark.parametrize(("origin", "status"), [("https://page.example", 204), (EVIL, 403), ("null", 403), (None, 405)])
def test_only_an_allowed_page_hears_yes_before_it_sends_json(locked, origin, status):
    headers = {"Access-Control-Request-Method": "POST"} | ({"Origin": origin} if origin else {})
    found = locked("OPTIONS", SEARCH, headers=headers)
    assert found.status == status
    assert ("access-control-allow-origin" in found.headers) == (status == 204)
    assert ("access-control-allow-headers" in found.headers) == (status == 204)


@pytest.mark.parametrize(
    ("site", "mode", "status"),
    [("cross-site", "no-cors", 403), ("same-site", "no-cors", 403), ("cross-site", "navigate", 200),
     ("same-origin", "no-cors", 200), ("none", "navigate", 200)],
)  # fmt: skip
def test_a_picture_in_another_page_is_not_answered(service, site, mode, status):
    found = service.get(f"{PICTURES}/media/7", **{"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode})
    assert found.status == status


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "application/jsonp"],
)
def test_what_a_form_of_another_page_can_send_is_refused(service, kind):
    found = service.post(SEARCH, json.dumps(WING).encode(), **{"Content-Type": kind})
    assert found.status == 415
    problem_of(found)


def test_every_response_says_what_a_browser_may_do_with_it(service):
    for found in (service.get("/"), service.get("/none"), service.post(SEARCH, b"{"), service("PUT", "/")):
        assert found.headers["content-security-policy"].startswith("default-src 'self'")
        assert "unsafe" not in found.headers["content-security-policy"]
        assert found.headers["x-content-type-options"] == "nosniff"
        assert found.headers["cross-origin-resource-policy"] == "same-origin"
        assert "server" not in found.headers


# the token


@pytest.mark.parametrize(
    "given",
    [None, "", "Bearer", "Bearer ", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN}x", "Bearer \xff"],
)
def test_without_the_token_nothing_is_told(locked, given, capfd):
    headers = {} if given is None else {"Authorization": given}
    for method, path, body in (
        ("GET", TEXTS, None),
        ("POST", SEARCH, WING),
        ("GET", "/metrics", None),
        ("GET", "/none", None),
    ):
        found = locked(method, path, body, headers)
        assert (found.status, found.headers["www-authenticate"]) == (401, "Bearer")
        assert "token" in problem_of(found)
        assert TOKEN.encode() not in found.content
    assert locked.get(f"{TEXTS}?token={TOKEN}").status == 401  # a URL is written down in many places
    printed = capfd.readouterr()
    assert TOKEN not in printed.out + printed.err


def test_the_token_opens_and_the_page_is_open(locked):
    assert locked.get(TEXTS, Authorization=f"bearer  {TOKEN}").status == 200
    for path in ("/", "/health", "/page/index.html"):
        assert locked.get(path).status == 200
    for path in ("/page/../v1/collections", "/page/%2e%2e/v1/collections", "//page/", "/health/../metrics"):
        assert locked.get(path).status in (401, 404), path


def test_tokens_are_compared_in_constant_time(locked, monkeypatch):
    compared = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append({one, other})
        return one == other

    monkeypatch.setattr(guard.hmac, "compare_digest", compare)
    assert locked.get(TEXTS, Authorization="Bearer guess").status == 401
    assert compared == [{b"guess", TOKEN.encode()}]


# bodies


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large_is_refused(service, chunked):
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
    part = b" " * 2**20
    body = (part for _ in range(limits.MAX_BODY // 2**20 + 1)) if chunked else part * (limits.MAX_BODY // 2**20 + 1)
    with suppress(ConnectionError):
        connection.request("POST", SEARCH, body, {"Content-Type": "application/json"}, encode_chunked=chunked)
    assert connection.getresponse().status == 413
    connection.close()
    require_alive(service)


def test_a_length_alone_is_refused_before_any_byte_comes(service):
    for length in (limits.MAX_BODY + 1, 10**18):
        assert status_of(raw(service, f"POST {SEARCH} HTTP/1.1\r\n{JSON}Content-Length: {length}\r\n")) == 413
    for length in ("-1", "1e3", "0x10", "1, 2", "9" * 5_000):
        assert status_of(raw(service, f"POST {SEARCH} HTTP/1.1\r\n{JSON}Content-Length: {length}\r\n")) in (400, 413)


def test_all_bodies_together_are_bounded(service, monkeypatch):
    monkeypatch.setattr(limits, "MAX_BODIES", 2**17)
    head = f"POST {SEARCH} HTTP/1.1\r\nHost: localhost\r\n{JSON}Content-Length: {2**17 + 10}\r\n\r\n".encode()
    with connected(service) as waiting:
        waiting.sendall(head + b" " * 2**17)
        time.sleep(0.5)
        refused = service.post(SEARCH, b" " * 2**17)
        assert (refused.status, refused.headers["retry-after"]) == (503, "1")
        require_alive(service)  # small ones have room
        waiting.sendall(b"{".ljust(10))
        assert waiting.recv(100).startswith(b"HTTP/1.1 ")
    time.sleep(0.2)
    assert service.post(SEARCH, b" " * 2**17).status == 400


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"nul", b'{"query": {"text": "wing"}} {}', b"\xff\xfe", b'{"query": {"text": "\xff"}}', b"\x00",
        b'{"query": {"text": "\\ud800"}}', b'{"k": 1e999}', b'{"k": ' + b"9" * 5_000 + b"}", b'{"k": NaN}', b'{"k": 1.5}',
        b"[" * 100_000, b'{"query":' * 100_000, b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        b'{"query": {"row": {"a": ' + b"[" * 50_000 + b"]" * 50_000 + b"}}}",
        b'{"query": {"vector": [' + b"1e308," * 1_000 + b"1]}}", b'{"query": {"vector": [1e400]}}',
        b'{"query": {"vector": [' + b"0," * 200_000 + b"0]}}",
        b'{"query": {"text": "wing", "text": "heat", "id": "wing"}}', b'{"' + b"a" * 1_000_000 + b'": 1}',
    ],
)  # fmt: skip
def test_broken_deep_and_huge_json_is_a_short_problem(service, body):
    for path in (SEARCH, "/v1/embeddings", f"{TEXTS}/encode", f"{TEXTS}/compare"):
        found = service.post(path, body)
        assert found.status in (400, 422), found.content[:500]
        problem_of(found)
        assert len(found.content) < 4 * limits.MAX_DETAIL


def test_embeddings_skip_what_they_do_not_know_without_falling(service):
    deep = b"[" * 100_000 + b"]" * 100_000
    found = service.post("/v1/embeddings", b'{"input": "wing", "model": "texts/tfidf+lsa:2", "user": ' + deep + b"}")
    assert found.status in (200, 400), found.content[:500]
    require_alive(service)


def test_random_bytes_are_answered_400_or_cut(service):
    source = random.Random(0)
    for size in (1, 10, 100, 10_000, 300_000):
        for _ in range(5):
            reply = raw(service, source.randbytes(size) + b"\r\n\r\n")
            assert not reply or status_of(reply) == 400
    for _ in range(30):
        found = service.post(SEARCH, source.randbytes(source.randrange(1, 500)))
        assert found.status in (400, 422)
    require_alive(service)


def damaged(source: random.Random, valid: bytes) -> bytes:
    changed = bytearray(valid)
    for _ in range(source.randrange(1, 5)):
        at = source.randrange(len(changed))
        changed[at : at + source.randrange(3)] = source.randbytes(source.randrange(3))
    return bytes(changed)


def test_damaged_requests_are_never_a_fault_of_the_service(service):
    source, body = (
        random.Random(1),
        json.dumps({**WING, "k": 3, "spaces": ["bm25"], "filters": ["label=flow"]}).encode(),
    )
    head = (
        f"POST {SEARCH} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{JSON}Content-Length: {len(body)}\r\n\r\n"
    )
    for _ in range(150):
        with connected(service) as opened:
            with suppress(ConnectionError):
                opened.sendall(damaged(source, head.encode() + body))
                opened.shutdown(socket.SHUT_WR)
            reply = read_all(opened)
        assert not reply or status_of(reply) < 500, reply
    require_alive(service)


def png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    pixels = zlib.compress(bytes(1_000_000), 9)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(50_000, 50_000), (2**31 - 1, 1), (12_000, 8_000)])
def test_a_picture_that_unfolds_is_refused_before_it_is_decoded(service, size):
    picture = base64.b64encode(png_header(*size)).decode()
    begun = time.monotonic()
    found = service.post(f"{PICTURES}/search", {"query": {"image": picture}})
    assert found.status == 422, found.content
    assert "pixels" in problem_of(found)
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("field", ["image", "sound"])
@pytest.mark.parametrize("content", [b"", b"\x00" * 7_000_000, b"RIFF\xff\xff\xff\xffWAVEfmt ", b"GIF89a"])
def test_what_is_no_picture_or_sound_is_refused(service, field, content):
    body = {"query": {field: base64.b64encode(content).decode()}}
    assert service.post(f"{PICTURES}/search", body).status == 422
    assert service.post(f"{PICTURES}/encode", {"space": "pixels", "queries": [body["query"]]}).status == 422


# what one request may ask for


@pytest.mark.parametrize(
    "body",
    [
        {**WING, "k": limits.MAX_K + 1}, {**WING, "k": 10**30}, {**WING, "k": -1}, {**WING, "k": True},
        {**WING, "fuse": "rrf", "depth": limits.MAX_DEPTH + 1},
        {**WING, "shortlist": "tfidf", "rerank": "bm25", "candidates": limits.MAX_CANDIDATES + 1},
        {"queries": [WING["query"]] * (limits.MAX_QUERIES + 1)}, {"queries": []},
        {"queries": [WING["query"]] * limits.MAX_QUERIES, "k": limits.MAX_K},
        {**WING, "spaces": ["bm25"] * 65}, {**WING, "filters": ["label=flow"] * 65},
        {"query": {"text": "a" * (limits.MAX_TEXT + 1)}}, {"query": {"vector": [0.0] * (limits.MAX_NUMBERS + 1)}},
    ],
)  # fmt: skip
def test_what_a_search_asks_for_is_bounded(service, body):
    found = service.post(SEARCH, body)
    assert found.status == 422, found.content[:300]
    problem_of(found)


def test_what_other_operations_ask_for_is_bounded(service, monkeypatch):
    queries = [{"text": "wing"}] * (limits.MAX_INPUTS + 1)
    assert service.post(f"{TEXTS}/encode", {"space": "tfidf", "queries": queries}).status == 422
    assert (
        service.post("/v1/embeddings", {"model": "texts/tfidf+lsa:2", "input": ["a"] * (limits.MAX_INPUTS + 1)}).status
        == 422
    )
    for path in (f"items?limit={limits.MAX_PAGE + 1}", "items?limit=0", "items?offset=-1", "map?space=bm25&limit=1000000",
                 f"neighbours?id=wing&k={limits.MAX_K + 1}", "neighbours?id=wing&k=many", "neighbours?k=3"):  # fmt: skip
        assert service.get(f"{TEXTS}/{path}").status == 422, path
    monkeypatch.setattr(limits, "MAX_ANSWERED_NUMBERS", 5)
    space = {"space": "tfidf+lsa:2", "queries": [{"text": "wing"}] * 3}
    assert service.post(f"{TEXTS}/encode", space).status == 422
    assert service.post("/v1/embeddings", {"model": "texts/tfidf+lsa:2", "input": ["wing"] * 3}).status == 422
    assert service.post("/v1/embeddings", {"model": "texts/tfidf+lsa:2", "input": ["wing"] * 2}).status == 200


def test_a_page_far_behind_the_last_item_reads_none(service, monkeypatch):
    found = service.get(f"{PICTURES}/items?offset={2**53}")
    assert (found.status, found.json["items"], found.json["total"]) == (200, [], 1797)


def test_long_names_are_not_compared_for_seconds(service):
    begun = time.monotonic()
    for id in ("x" * 10_000, "7" * 5_000 + "x"):
        assert service.post(f"{PICTURES}/search", {"query": {"id": id}}).status == 404
    assert service.get(f"{PICTURES}/neighbours?id={'x' * 9_000}").status == 404
    assert time.monotonic() - begun < 3


def test_many_parameters_do_not_hold_the_service(service):
    many = "&".join(f"a{number}" for number in range(3_000))
    begun = time.monotonic()
    assert service.get(f"{TEXTS}/items?{many[: limits.MAX_TARGET - 100]}").status == 422
    assert time.monotonic() - begun < 2
    for path in (f"/{'a' * limits.MAX_TARGET}", f"{TEXTS}/items?{'a' * limits.MAX_TARGET}"):
        assert service.get(path).status in (400, 414)


# slow clients


@pytest.fixture
def quick(monkeypatch):
    """Patience of a fraction of a second."""
    for name in ("HEAD_SECONDS", "BODY_SECONDS", "READ_SECONDS"):
        monkeypatch.setattr(limits, name, 0.6)


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: localhost\r\nX: "])
def test_a_client_that_does_not_finish_the_head_is_cut(service, quick, sent):
    with connected(service) as opened:
        begun = time.monotonic()
        opened.sendall(sent)
        opened.settimeout(0.1)
        while time.monotonic() - begun < 10:
            try:
                if opened.recv(100) == b"":
                    break
            except TimeoutError:
                with suppress(ConnectionError):  # a byte now and then is no reason to wait longer
                    opened.sendall(sent[-1:])
            except ConnectionError:
                break
        assert 0.5 < time.monotonic() - begun < 8


def test_a_second_head_on_a_connection_is_not_waited_for_either(service, quick):
    with connected(service) as opened:
        opened.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\nGET /health HT")
        assert status_of(answer(opened)) == 200
        opened.sendall(b"TP")
        begun = time.monotonic()
        assert read_all(opened) == b""
        assert time.monotonic() - begun < 4


@pytest.mark.parametrize("framing", ["Content-Length: 100", "Transfer-Encoding: chunked"])
def test_a_client_that_does_not_finish_the_body_is_refused(service, quick, framing):
    with connected(service) as opened:
        opened.sendall(f"POST {SEARCH} HTTP/1.1\r\nHost: localhost\r\n{JSON}{framing}\r\n\r\n".encode())
        assert status_of(read_all(opened)) == 408


def test_a_body_that_nobody_waits_for_is_not_read_for_ever(service, quick):
    with connected(service) as opened:
        opened.sendall(f"POST /none HTTP/1.1\r\nHost: localhost\r\n{JSON}Content-Length: 1000\r\n\r\n".encode())
        begun, ended = time.monotonic(), False
        while not ended and time.monotonic() - begun < 10:
            with suppress(ConnectionError):
                opened.sendall(b" ")
            time.sleep(0.1)
            opened.settimeout(0.05)
            try:
                ended = opened.recv(2**16) == b""
            except TimeoutError:
                pass
            except ConnectionError:
                ended = True
        assert ended


def test_a_client_that_leaves_within_its_body_is_no_fault_of_the_service(service, capfd, caplog):
    before = failures(service)
    with connected(service) as opened:
        opened.sendall(f"POST {SEARCH} HTTP/1.1\r\nHost: localhost\r\n{JSON}Content-Length: 1000\r\n\r\n{{".encode())
    time.sleep(0.3)
    require_alive(service)
    assert failures(service) == before
    assert capfd.readouterr().err + caplog.text == ""


def failures(client: Client) -> list[str]:
    return re.findall(r'.*status="5.*', client.get("/metrics").content.decode())


@pytest.fixture(scope="module")
def narrow(collections) -> Iterator[Client]:
    """A service whose system holds only a few KiB of what a client has not read."""
    real = running_service.listen

    def listen(*address) -> socket.socket:
        opened = real(*address)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)  # those that it accepts have it too
        return opened

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running_service, "listen", listen)
        with running(Settings(collections)) as client:
            yield client


@contextmanager
def asked_by_a_slow_reader(client: Client, path: str) -> Iterator[socket.socket]:
    with socket.socket() as opened:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
        opened.settimeout(10)
        opened.connect(("127.0.0.1", client.port))
        opened.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        yield opened


@pytest.mark.parametrize("number", [300, 1_000])
def test_a_client_that_does_not_read_is_cut(narrow, quick, number):
    """An answer of less than 64 KiB too, though asyncio calls no buffer full that holds less."""
    path = f"{PICTURES}/items?limit={number}"
    whole = len(narrow.get(path).content)
    assert (whole < 2**16) == (number == 300)
    with asked_by_a_slow_reader(narrow, path) as opened:
        time.sleep(2)
        assert len(read_all(opened)) < whole


def test_a_client_that_reads_slowly_but_reads_gets_all(narrow, monkeypatch):
    monkeypatch.setattr(limits, "READ_SECONDS", 0.4)
    monkeypatch.setattr(limits, "READ_BYTES", 100)
    whole, read = len(narrow.get("/openapi.json").content), 0
    with asked_by_a_slow_reader(narrow, "/openapi.json") as opened:
        begun = time.monotonic()
        while part := opened.recv(whole // 20):
            read += len(part)
            time.sleep(0.1)
    assert read > whole
    assert time.monotonic() - begun > 1


# more than fits


def test_connections_beyond_the_limit_are_told_and_then_cut(service, monkeypatch):
    monkeypatch.setattr(limits, "MAX_CONNECTIONS", 4)
    monkeypatch.setattr(limits, "MAX_REFUSED", 2)
    time.sleep(0.3)  # those of other tests end
    opened = [socket.create_connection(("127.0.0.1", service.port), 10) for _ in range(12)]
    try:
        time.sleep(0.5)
        replies = []
        for one in opened:
            one.settimeout(0.1)
            try:
                replies.append(one.recv(2**16))
            except TimeoutError:
                replies.append(None)  # is waited for
            except ConnectionError:
                replies.append(b"")
        told = [reply for reply in replies if reply]
        assert replies.count(None) == 4
        assert len(told) == 2
        assert all(
            status_of(reply) == 503 and b"retry-after: 1" in reply and b"problem+json" in reply for reply in told
        )
        assert replies.count(b"") == 6
    finally:
        for one in opened:
            one.close()
    end = time.monotonic() + 5
    while time.monotonic() < end:
        with suppress(ConnectionError, http.client.HTTPException):
            if service.post(SEARCH, WING).status == 200:
                break
        time.sleep(0.1)
    require_alive(service)


def test_requests_beyond_the_waiting_limit_are_refused(collections, monkeypatch):
    from retrieval.service.endpoints import table

    monkeypatch.setattr(limits, "MAX_WAITING", 2)
    monkeypatch.setattr(limits, "SEARCH_SECONDS", 1.0)
    held, statuses = threading.Event(), []
    from retrieval.service.open_collections import OpenCollections

    real = OpenCollections.collection

    def slow(self, name):
        held.wait(20)
        return real(self, name)

    monkeypatch.setattr(OpenCollections, "collection", slow)
    assert table.OPERATIONS
    with running(Settings(collections, threads=1)) as client:

        def ask() -> None:
            found = client.post(SEARCH, WING)
            statuses.append((found.status, found.headers.get("retry-after")))

        asking = [threading.Thread(target=ask) for _ in range(8)]
        for one in asking:
            one.start()
        time.sleep(0.5)
        assert statuses == [(503, "1")] * 5  # one runs, two wait
        for one in asking:
            one.join()
        assert sorted(statuses) == [(503, "1")] * 7 + [(504, None)]  # those that wait do not wait for ever
        assert client.get("/health").status == 200
        held.set()
        time.sleep(0.3)
        require_alive(client)


# what is in a path


@pytest.mark.parametrize(
    "path",
    [
        "/page/../app.py", "/page/%2e%2e/app.py", "/page/..%2fapp.py", "/page/..%5capp.py", "/page//etc/passwd",
        "/page/%2fetc%2fpasswd", "/page/./index.html", "/page/index.html%00", "/page/%ff", "/page/explorer/../index.html",
        f"{TEXTS}/items/..%2f..%2f..%2fetc%2fpasswd", f"{TEXTS}/items/%00", f"{TEXTS}/items/wing%00", f"{TEXTS}/items/%ff%fe",
        f"{TEXTS}/items/%ed%a0%80", f"{TEXTS}/items/' OR 1=1 --".replace(" ", "%20"), f"{TEXTS}/items/a%0d%0aX-Injected:%201",
        f"{PICTURES}/media/%2fetc%2fpasswd", "/v1/collections/..%2ftexts", "/v1/collections/%00", "/v1/collections/",
        "/health/", "//evil.example/health", "/%2f%2fevil.example", "http://evil.example/health", "/v1/collections/texts%0d%0aA:b",
    ],
)  # fmt: skip
def test_no_path_leads_out_of_what_is_served(service, path):
    reply = raw(service, f"GET {path} HTTP/1.1\r\n")
    assert status_of(reply) == 404, reply
    head, _, body = reply.partition(b"\r\n\r\n")
    assert b"x-injected" not in head.lower()
    assert b"location" not in head.lower()
    assert b"root:" not in body
    assert len(head.split(b"\r\n")) < 15


def test_a_path_of_the_machine_is_never_said(collections, tmp_path, capfd):
    import shutil

    folder = tmp_path / "gone"
    shutil.copytree(collections["texts"], folder)
    with running(Settings({"gone": str(folder)})) as client:
        assert client.post("/v1/collections/gone/search", WING).status == 200
        shutil.rmtree(folder)
        for path in ("", "/items", "/items/wing", "/neighbours?id=wing"):
            found = client.get(f"/v1/collections/gone{path}")
            assert found.status == 500
            assert str(tmp_path).encode() not in found.content
    assert str(folder) in capfd.readouterr().err  # the operator reads why


def test_markup_in_a_problem_is_not_markup_of_a_page(service):
    text = "<script>alert(1)</script>"
    for found in (
        service.get("/%3Cscript%3Ealert(1)%3C/script%3E"), service.post(SEARCH, {"query": {"id": text}}),
        service.post(SEARCH, {**WING, "spaces": [text]}), service.post(SEARCH, {**WING, "filters": [f"label={text}"]}),
    ):  # fmt: skip
        assert found.status in (404, 422)
        assert text in problem_of(found)  # as JSON, which no browser takes for a page
        assert found.headers["x-content-type-options"] == "nosniff"


# HTTP itself


def test_head_is_get_without_the_body(service):
    for path in ("/", "/health", TEXTS, f"{PICTURES}/media/7", "/none"):
        reply = raw(service, f"HEAD {path} HTTP/1.1\r\n")
        head, _, body = reply.partition(b"\r\n\r\n")
        assert body == b""
        assert status_of(head) == service.get(path).status


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND", "get", "A" * 500])
def test_other_methods_are_refused(service, method):
    for path in ("/", "/health", TEXTS, SEARCH):
        reply = raw(service, f"{method} {path} HTTP/1.1\r\n")
        assert status_of(reply) == 405
        assert (b"allow: POST\r" if path == SEARCH else b"allow: GET, HEAD\r") in reply


def test_get_on_post_and_post_on_get_are_refused(service):
    assert service.get(SEARCH).status == 405
    assert service.post(TEXTS, {}).status == 405


@pytest.mark.parametrize(
    "fields",
    [
        "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "Content-Length: 2\r\nContent-Length: 3\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: xchunked\r\n", "Transfer-Encoding : chunked\r\n",
        "Host: evil.example\r\n", "Host: localhost\r\n", "Bad Name: 1\r\n", "X: a\x00b\r\n", "X: a\rb\r\n",
    ],
)  # fmt: skip
def test_requests_that_two_servers_may_read_differently_are_refused(service, fields):
    smuggled = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    request = f"POST {SEARCH} HTTP/1.1\r\nHost: localhost\r\n{JSON}{fields}\r\n0\r\n\r\n{smuggled}"
    reply = raw(service, request.encode("latin-1"))
    assert status_of(reply) in (400, 501), reply
    assert reply.count(b"HTTP/1.1 ") == 1  # the second request is not read
    assert b"problem+json" in reply


def test_a_get_has_no_body(service):
    for fields in ("Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"):
        reply = raw(service, f"GET /health HTTP/1.1\r\nHost: localhost\r\n{fields}\r\nhello".encode())
        assert status_of(reply) == 400
        assert reply.count(b"HTTP/1.1 ") == 1


def test_broken_chunks_after_an_answer_end_the_connection_without_a_fault(service, capfd, caplog):
    with connected(service) as opened:
        opened.sendall(f"POST /none HTTP/1.1\r\nHost: localhost\r\n{JSON}Transfer-Encoding: chunked\r\n\r\n".encode())
        assert status_of(answer(opened)) == 404
        opened.sendall(b"no chunk\r\n")
        assert read_all(opened) == b""
    assert capfd.readouterr().err + caplog.text == ""
    require_alive(service)


@pytest.mark.parametrize(
    "line",
    ["GET / HTTP/0.9", "GET / HTTP/2.0", "GET /", "GET  / HTTP/1.1", "GET / HTTP/1.1 ", "PRI * HTTP/2.0", "GET /\xe4 HTTP/1.1",
     "\x16\x03\x01\x02\x00\x01\x00", f"GET /{'a' * 100_000} HTTP/1.1"],
)  # fmt: skip
def test_what_is_no_http_is_a_problem(service, line):
    reply = raw(service, f"{line}\r\n")
    assert status_of(reply) in (400, 414, 505)
    assert b"application/problem+json" in reply
    assert b"x-content-type-options: nosniff" in reply


def test_pipelined_requests_are_answered_in_their_order(service):
    requests = b"".join(
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() for path in ("/health", "/none", "/health")
    )
    with connected(service) as opened:
        opened.sendall(requests)
        opened.settimeout(2)
        reply = b""
        while reply.count(b"HTTP/1.1 ") < 3:
            reply += opened.recv(2**16)
    assert re.findall(rb"HTTP/1\.1 (\d+)", reply) == [b"200", b"404", b"200"]


def test_nothing_that_clients_send_fills_the_log(service, capfd):
    raw(service, b"\x00\x01\r\n\r\n")
    raw(service, "GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n")
    service.post(SEARCH, b"{")
    service.get("/none")
    printed = capfd.readouterr()
    assert printed.out + printed.err == ""


def test_a_fault_of_ours_is_a_problem_that_says_nothing_of_it(collections, monkeypatch):
    from retrieval.service.metrics import Metrics

    def fail(self):
        raise RuntimeError("secret detail")

    monkeypatch.setattr(Metrics, "text", fail)
    with running(Settings(collections)) as client:
        found = client.get("/metrics")
    assert found.status == 500
    assert "secret" not in problem_of(found)


def test_a_wav_of_an_hour_of_silence_is_no_query_of_pictures(service):
    stream = io.BytesIO()
    stream.write(
        b"RIFF" + struct.pack("<I", 2**31) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16000, 2, 16)
    )
    body = {"query": {"sound": base64.b64encode(stream.getvalue()).decode()}}
    assert service.post(f"{PICTURES}/search", body).status == 422
