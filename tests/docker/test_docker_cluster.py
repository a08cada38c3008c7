"""What compose.yaml would start, without docker: its script makes certificates, its settings start three real nodes.

Not tried by this: the image's own start, docker's network, volumes and limits.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import ssl
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from elasticsearch_server.cluster import QUICK, Cluster
from elasticsearch_server.distribution import ServerAbsent, distribution, java_home
from elasticsearch_server.lifetime import runs
from elasticsearch_server.node import Node, free_ports

ROOT = Path(__file__).parents[2]
SERVICES = yaml.safe_load((ROOT / "docker/compose.yaml").read_text(encoding="utf-8"))["services"]
NODES = ("es01", "es02", "es03")
PASSWORD = uuid.uuid4().hex
#: The image turns such variables of its environment into settings.
SETTING = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)+")


@pytest.fixture(scope="module")
def program() -> Path:
    """Elasticsearch's folder of commands; elasticsearch-certutil is one."""
    if os.environ.get("NEARBY_ELASTICSEARCH"):
        pytest.skip("a server is given, or none wanted; this needs the program")
    absent = [name for name in ("bash", "curl", "unzip") if shutil.which(name) is None]
    if absent:
        pytest.skip(f"the image has {' and '.join(absent)}, this machine has not")
    try:
        java_home()
        return distribution() / "bin"
    except ServerAbsent as error:
        if os.environ.get("NEARBY_REQUIRE_ELASTICSEARCH"):
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))


def environment(home: Path, **more: str) -> dict[str, str]:
    path = f"{distribution() / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return {"PATH": path, "ES_JAVA_HOME": str(java_home()), "HOME": str(home), **more}


def make(folder: Path, nodes: tuple[str, ...] = NODES) -> None:
    """Run the command of the service `setup`, its folders below another one."""
    folders = [folder / word.lstrip("/") for word in SERVICES["setup"]["command"][2:]]
    for path in [*folders, *(folders[-1] / name for name in nodes)]:
        path.mkdir(parents=True, exist_ok=True)
    command = ["bash", str(ROOT / "docker/certificates.sh"), *map(str, folders)]
    done = subprocess.run(command, env=environment(folder), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def certificates(program: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    make(folder)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def handshake(certificates: Path, node: str, host: str) -> None:
    """Let a client that trusts the authority speak to a node's certificate under a name, in memory."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificates / f"nodes/{node}/node.crt", certificates / f"nodes/{node}/node.key")
    client = ssl.create_default_context(cafile=str(certificates / "trust/ca.crt"))
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.wrap_bio(back, there, server_hostname=host)
    answering = server.wrap_bio(there, back, server_side=True)
    for side in (asking, answering) * 3:
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    assert asking.getpeercert()


def test_each_node_has_its_own_certificate_and_all_have_one_authority(certificates):
    made = contents(certificates)
    own = [f"nodes/{node}/{file}" for node in NODES for file in ("ca.crt", "node.crt", "node.key")]
    assert set(made) == {"authority/ca.crt", "authority/ca.key", "trust/ca.crt", *own}
    assert {data for name, data in made.items() if name.endswith("ca.crt")} == {made["trust/ca.crt"]}
    assert len({made[f"nodes/{node}/node.key"] for node in NODES}) == 3
    for name in made:
        # nearby, who is in no group of a node's, reads certificates; a node reads its key by its group.
        expected = 0o600 if name.endswith("ca.key") else 0o640 if name.endswith(".key") else 0o644
        assert (certificates / name).stat().st_mode & 0o777 == expected, name


@pytest.mark.parametrize("node", NODES)
def test_a_client_knows_a_node_by_its_name_and_on_this_machine(certificates, node):
    for host in (node, "localhost", "127.0.0.1"):
        handshake(certificates, node, host)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(certificates, node, "es04")


def test_what_is_whole_stays_and_what_is_not_is_made_again(certificates, tmp_path):
    folder = tmp_path / "copied"
    shutil.copytree(certificates, folder)
    before = contents(folder)
    (folder / "nodes/es02/ca.crt").unlink()  # stopped before it was whole
    make(folder)
    changed = {name for name, data in contents(folder).items() if data != before[name]}
    assert changed == {"nodes/es02/node.crt", "nodes/es02/node.key"}


def test_a_new_authority_signs_every_node_anew(certificates, tmp_path):
    shutil.copytree(certificates / "nodes/es01", tmp_path / "nodes/es01")
    make(tmp_path, ("es01",))
    assert (tmp_path / "trust/ca.crt").read_bytes() != (certificates / "trust/ca.crt").read_bytes()
    handshake(tmp_path, "es01", "es01")


def prepare(node: Node, certificates: Path, addresses: list[str]) -> None:
    """Give a node what its container would find: settings, certificates, the first password in its keystore."""
    node.folder.mkdir()
    given = {key: value for key, value in SERVICES[node.name]["environment"].items() if SETTING.fullmatch(key)}
    here = {"discovery.seed_hosts": json.dumps(addresses), "cluster.routing.allocation.disk.threshold_enabled": "false"}
    node.configure({**given, **here}, ["-Xms512m", "-Xmx512m", *QUICK])
    config = node.folder / "config"
    shutil.copytree(certificates / "nodes" / node.name, config / "certs")
    keystore, around = distribution() / "bin/elasticsearch-keystore", environment(node.folder, ES_PATH_CONF=str(config))
    subprocess.run([keystore, "create"], env=around, check=True, capture_output=True)
    add = [keystore, "add", "--stdin", "bootstrap.password"]
    subprocess.run(add, env=around, check=True, capture_output=True, input=PASSWORD.encode())
    node._give_away()


@pytest.fixture
def cluster(certificates: Path) -> Iterator[Cluster]:
    """The three nodes of compose.yaml on this machine; stopped even when this run is killed, as `Cluster.start`'s."""
    folder = runs() / f"{os.getpid()}-{uuid.uuid4().hex}"
    folder.mkdir(mode=0o711)
    ports = free_ports(2 * len(NODES))
    places = {name: ports[2 * i : 2 * i + 2] for i, name in enumerate(NODES)}
    about = {"docker": False, "owner": os.getpid(), "users": [], "nodes": places}
    (folder / "cluster.json").write_text(json.dumps(about), encoding="utf-8")
    with Cluster(folder) as cluster:
        cluster._keep()
        for node in cluster.nodes.values():
            prepare(node, certificates, [f"127.0.0.1:{other.transport}" for other in cluster.nodes.values()])
        cluster._launch(list(cluster.nodes.values()))
        yield cluster


def health(node: Node, authority: Path, password: str = PASSWORD) -> int:
    """Return what the node's health check would return; it asks the port and the authority that are here."""
    kind, command = SERVICES[node.name]["healthcheck"]["test"]
    assert kind == "CMD-SHELL"
    inside = {
        "$$": "$",
        "/usr/share/elasticsearch/config/certs/ca.crt": shlex.quote(str(authority)),
        "localhost:9200": f"localhost:{node.http}",
    }
    for there, here in inside.items():
        assert there in command
        command = command.replace(there, here)
    environment = {"PATH": os.environ["PATH"], "ELASTIC_PASSWORD": password}
    return subprocess.run(["sh", "-c", command], env=environment, check=False).returncode


def test_its_settings_make_one_cluster_that_lets_in_who_knows_the_password(cluster, certificates):
    trusted = certificates / "trust/ca.crt"
    for node in cluster.nodes.values():
        assert health(node, trusted) == 0
        assert health(node, trusted, "wrong") == 22  # curl: the server refused
    stranger = Path(ssl.get_default_verify_paths().cafile or certificates / "nodes/es01/node.crt")
    assert health(cluster.nodes["es01"], stranger) == 60  # curl: not signed by whom we trust

    cluster.kill("es03")
    assert health(cluster.nodes["es02"], trusted) == 0
    assert health(cluster.nodes["es03"], trusted) != 0
    cluster.kill("es02")
    until = time.monotonic() + 120  # a node takes a moment to notice that it is alone
    while health(cluster.nodes["es01"], trusted) == 0 and time.monotonic() < until:
        time.sleep(0.5)
    assert health(cluster.nodes["es01"], trusted) != 0  # one of three has no master
