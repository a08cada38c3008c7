"""compose.yaml as far as it can be checked without docker: its schema, and what it promises."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from elasticsearch_server.distribution import VERSION
from running_service import running
from typer.testing import CliRunner

import cli
from indexers.elasticsearch import client, trust
from retrieval.service import limits
from retrieval.service.settings import Settings, require_safe

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker/compose.yaml"
TEXT = FILE.read_text(encoding="utf-8")
COMPOSE = yaml.safe_load(TEXT)
SERVICES = COMPOSE["services"]
NODES = ("es01", "es02", "es03")
EXAMPLE = (ROOT / "docker/.env.example").read_text(encoding="utf-8")


def schema_says(file: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def mounts(service: str) -> dict[str, str]:
    """Return volume or path by the place where a service sees it, with what follows: ``:ro``."""
    split = (re.fullmatch(r"(\$\{[^}]*\}|[^:]+):(.+)", line) for line in SERVICES[service]["volumes"])
    return {found[2]: found[1] for found in split if found}


def test_it_follows_the_schema_of_compose(tmp_path):
    done = schema_says(FILE)
    assert done.returncode == 0, done.stdout + done.stderr
    wrong = tmp_path / "compose.yaml"
    wrong.write_text(TEXT.replace("mem_limit", "memory_limit"), encoding="utf-8")
    assert schema_says(wrong).returncode == 1


def test_the_image_is_the_server_that_is_tested_and_of_the_clients_major():
    (image,) = {SERVICES[name]["image"] for name in ("setup", *NODES)}
    assert image == f"docker.elastic.co/elasticsearch/elasticsearch:{VERSION}"
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    (pin,) = (line for line in dependencies if re.match(r"elasticsearch\b", line))
    assert re.search(r">=(\d+)", pin)[1] == VERSION.split(".")[0]


def test_three_nodes_know_each_other_and_differ_in_what_is_their_own():
    for key in ("discovery.seed_hosts", "cluster.initial_master_nodes"):
        assert {SERVICES[node]["environment"][key] for node in NODES} == {",".join(NODES)}
    for node in NODES:
        assert SERVICES[node]["environment"]["node.name"] == node
        assert mounts(node) == {
            "/usr/share/elasticsearch/config/certs:ro": f"{node}-certs",
            "/usr/share/elasticsearch/data": f"{node}-data",
        }
        assert mounts("setup")[f"/nodes/{node}"] == f"{node}-certs"


@pytest.mark.parametrize("node", NODES)
def test_security_is_on_at_each_node(node):
    settings = SERVICES[node]["environment"]
    for key in ("xpack.security.enabled", "xpack.security.http.ssl.enabled", "xpack.security.transport.ssl.enabled"):
        assert settings[key] == "true"
    assert settings["xpack.security.transport.ssl.verification_mode"] in {"full", "certificate"}
    assert not [key for key, value in settings.items() if "anonymous" in key or value == "none"]


def test_each_node_has_memory_of_its_own_and_its_limits():
    for node in NODES:
        service = SERVICES[node]
        assert service["environment"]["bootstrap.memory_lock"] == "true"
        assert service["ulimits"]["memlock"] == {"soft": -1, "hard": -1}
        assert service["ulimits"]["nofile"]["soft"] >= 65535  # fewer, and Elasticsearch does not start
    assert all("mem_limit" in service for service in SERVICES.values())


def test_only_this_machine_reaches_a_port():
    ports = [str(port) for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert all(service.get("network_mode") in {None, "none"} for service in SERVICES.values())


def test_no_service_has_more_rights_than_it_needs():
    for name, service in SERVICES.items():
        assert "no-new-privileges:true" in service["security_opt"]
        assert not service.get("privileged")
        # setup alone is root: new volumes belong to root
        assert (service.get("user", "").partition(":")[0] == "0") == (name == "setup")
        assert (service.get("cap_drop") == ["ALL"]) == (name != "setup")


def test_no_secret_is_written_down_and_none_missing_is_overlooked():
    values = [
        str(value)
        for service in SERVICES.values()
        for key, value in service.get("environment", {}).items()
        if re.search("PASSWORD|KEY|SECRET|TOKEN", key)
    ]
    assert len(values) == 7
    assert all(value.startswith("${") and value.endswith("}") for value in values)
    for node in NODES:
        assert re.fullmatch(
            r"\$\{ELASTIC_PASSWORD:\?.*docker/\.env.*\}", SERVICES[node]["environment"]["ELASTIC_PASSWORD"]
        )
    assert re.search(r"^ELASTIC_PASSWORD=$", EXAMPLE, re.M)
    # a default would be a password that everybody knows
    assert not re.search(r"PASSWORD:?-[^$}]", TEXT)


def test_the_example_names_every_variable_and_no_other():
    asked = set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", TEXT))
    assert asked == set(re.findall(r"^#?([A-Z_]+)=", EXAMPLE, re.M))


def test_the_file_of_secrets_stays_here():
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {"/docker/.env", "/docker/token"} <= set(ignored)


def test_every_service_that_stays_has_a_health_check_and_is_waited_for():
    waited = {
        name: condition["condition"]
        for service in SERVICES.values()
        for name, condition in service.get("depends_on", {}).items()
    }
    # One that ends must be waited for as such by one that stays, or `up --wait` counts its end as a failure.
    assert waited == {"setup": "service_completed_successfully", **dict.fromkeys(NODES, "service_healthy")}
    assert {name for name, service in SERVICES.items() if "healthcheck" in service} == {*NODES, "serve"}
    assert SERVICES["setup"]["restart"] == "no"
    assert [name for name, service in SERVICES.items() if "profiles" in service] == ["nearby", "serve"]


def test_every_volume_is_declared_and_every_file_here():
    named = {source for name in SERVICES for source in mounts(name).values()}
    files = {source for source in named if source.startswith(".")}
    assert all((FILE.parent / file).is_file() for file in files)
    defaults = {re.sub(r"\$\{\w+:-(.+)\}", r"\1", source) for source in named - files}
    assert defaults == set(COMPOSE["volumes"])


def test_the_authoritys_key_is_seen_by_setup_alone():
    assert [name for name in SERVICES if "authority" in mounts(name).values()] == ["setup"]


def test_nearby_gets_what_it_reads():
    service = SERVICES["nearby"]
    assert service["environment"] == SERVICES["serve"]["environment"]
    assert {*client._VARIABLES, trust.HOSTS} == set(service["environment"])
    trust.require_trusted(service["environment"][trust.HOSTS].split(","), named=True)  # https, so that it is sent
    authority = Path(service["environment"][client.AUTHORITY])
    assert mounts("nearby")[f"{authority.parent}:ro"] == "trust"
    assert mounts("nearby")["/data:ro"] == "${NEARBY_CORPORA:-corpora}"
    assert (FILE.parent / service["build"]["context"] / service["build"]["dockerfile"]).is_file()


SERVE = SERVICES["serve"]


def test_the_service_cannot_write_and_is_nobody_special():
    assert SERVE["read_only"] is True
    assert SERVE["user"] == "1000:1000"
    assert all(place.endswith(":ro") for place in mounts("serve"))
    assert [place.partition(":")[0] for place in SERVE["tmpfs"]] == ["/tmp"]  # noqa: S108


def test_the_token_of_the_service_is_a_secret_file_and_its_command_one_that_nearby_reads(monkeypatch):
    (name,) = SERVE["secrets"]
    assert COMPOSE["secrets"] == {name: {"file": "${NEARBY_TOKEN_FILE:-./token}"}}
    words = shlex.split(re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", SERVE["command"]))
    assert words[words.index("--token-file") + 1] == f"/run/secrets/{name}"
    read = []
    monkeypatch.setattr("retrieval.service.server.serve", lambda settings, ready: read.append(settings))
    assert CliRunner().invoke(cli.app, words).exit_code == 0
    (settings,) = read
    require_safe(settings)
    assert (settings.host, settings.workers, list(settings.folders)) == ("0.0.0.0", 2, ["digits"])  # noqa: S104
    assert [port.rpartition(":")[2] for port in SERVE["ports"]] == [str(settings.port)]
    assert int(SERVE["stop_grace_period"].removesuffix("s")) > limits.STOP_SECONDS


def test_the_health_check_of_the_service_distinguishes(tmp_path):
    program, code = SERVE["healthcheck"]["test"][1], SERVE["healthcheck"]["test"][3]
    assert program == "python"
    assert "8765" in code

    def healthy(port: int) -> bool:
        command = [sys.executable, "-c", code.replace("8765", str(port))]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    with running(Settings({})) as client:
        assert healthy(client.port)
    assert not healthy(client.port)
