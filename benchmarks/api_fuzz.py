"""Does the service keep what its OpenAPI document says? schemathesis asks, with every check that it has.

It makes requests that fit the document and requests that do not, of every operation, on a collection of texts, of
pictures and of rows. It knows their spaces and ids, so that requests reach what is behind the checks of a body. A
server error, an answer that the document does not describe, a request of another form that is answered, and one of the
right form that is refused without a documented reason are counted.

Long operations, such as a comparison, get a tenth of the examples.

Run: ``NEARBY_DATA=... python benchmarks/api_fuzz.py [examples=60] [seed=0] [corpus=cranfield,digits]``
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from record import answered, nothing_else, record, say, timed
from serving import NEARBY, get, serving

from retrieval.service.endpoints.table import OPERATIONS

CORPORA = {
    "cranfield": ["bm25", "tfidf+lsa:64"],
    "digits": ["pixels+pca:16", "pixels+pca:16+binarize"],
    "breast-cancer": ["columns"],
}
#: What a request that fits may get besides an answer: there is no such item, or no space that can answer.
REFUSALS = [404, 422]
#: Failures of the service itself; every other failure contradicts the document.
SERVER_ERROR = "ServerError"
LONG = [one.name for one in OPERATIONS if one.long]
CONFIG = f"""
[checks]
enabled = true
max_response_time = 120  # a comparison may take its time
positive_data_acceptance.expected-statuses = ["2xx", {", ".join(map(str, REFUSALS))}]
negative_data_rejection.expected-statuses = ["4xx"]
[warnings]
enabled = false
[[operations]]
include-operation-id = {json.dumps(LONG)}
generation.max-examples = {{fewer}}
"""


def main(*words: str) -> None:
    options = ("examples=", "seed=", "corpus=")
    given = dict(word.split("=", 1) for word in words if word.startswith(options))
    nothing_else([word for word in words if not word.startswith(options)])
    examples, seed = int(given.get("examples", 60)), int(given.get("seed", 0))
    corpora = {name: CORPORA[name] for name in given.get("corpus", ",".join(CORPORA)).split(",")}
    with tempfile.TemporaryDirectory() as temporary:
        folders = [str(Path(temporary) / corpus) for corpus in corpora]
        for folder, (corpus, specs) in zip(folders, corpora.items(), strict=True):
            answered([NEARBY, "index", corpus, *(part for spec in specs for part in ("-s", spec)), "-o", folder])
        with timed() as seconds, serving(*folders) as (_, port):
            found = {name: fuzzed(Path(temporary), port, name, examples, seed) for name in corpora}
    failures: Counter[str] = sum((Counter(one["failures"]) for one in found.values()), Counter())
    errors = failures.pop(SERVER_ERROR, 0)
    figures = {
        "requests": sum(one["requests"] for one in found.values()),
        "operations": max(one["operations"] for one in found.values()),
        "answered": sum(one["answered"] for one in found.values()),
        "server_errors": errors,
        "contradictions": sum(failures.values()),
        "failures": dict(failures),
        "not_run": sum(one["errors"] for one in found.values()),
        "collections": found,
        "examples": examples,
        "seed": seed,
        "seconds": round(float(seconds), 1),
    }
    say(json.dumps(figures, indent=1))
    record("api_fuzz", figures)


def fuzzed(folder: Path, port: int, name: str, examples: int, seed: int) -> dict[str, Any]:
    """Return what came of the requests to one collection."""
    document, config, report = folder / "openapi.json", folder / "schemathesis.toml", folder / "report.json"
    document.write_text(json.dumps(told(get(port, "/openapi.json"), port, name)))
    config.write_text(CONFIG.format(fewer=max(2, examples // 10)))
    report.unlink(missing_ok=True)
    command = [
        sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run", str(document),
        "--url", f"http://127.0.0.1:{port}", "--checks", "all", "--continue-on-failure", "--request-timeout", "120",
        "--max-examples", str(examples), "--seed", str(seed), "--generation-database", "none",
        "--report", "json", "--report-json-path", str(report),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    if not report.exists():
        raise SystemExit(f"schemathesis wrote no report: {(done.stderr or done.stdout)[-2000:]}")
    found = json.loads(report.read_text())
    if not found["complete"] or found["failures"] or found["errors"]:
        say(done.stdout[-20_000:])
    rates = [rate for phases in found["valid_rates"].values() for rate in phases.values()]
    return {
        "requests": found["test_cases"]["generated"],
        "operations": found["operations"]["tested"],
        "answered": sum(rate["accepted"] for rate in rates),
        "failures": {one["type"]: one["count"] for one in found["failures"]},
        "errors": sum(one["count"] for one in found["errors"]) + (not found["complete"]),
    }


def told(document: dict[str, Any], port: int, name: str) -> dict[str, Any]:
    """Return the document of the service for one collection: with its spaces and ids, and examples of queries."""
    below = f"/v1/collections/{name}"
    info, items = get(port, below), get(port, f"{below}/items?limit=20")["items"]
    specs, ids = [space["spec"] for space in info["spaces"]], [item["id"] for item in items]
    models = [model["id"] for model in get(port, "/v1/models")["data"]]
    for methods in document["paths"].values():
        for operation in methods.values():
            for parameter in operation["parameters"]:
                narrow({parameter["name"]: parameter["schema"]}, specs, ids, name)
    for kind, schema in document["components"]["schemas"].items():
        if kind.endswith("Body"):  # of requests: replies have other items too
            narrow(schema["properties"], specs, ids, name)
    query = document["components"]["schemas"]["QueryBody"]["properties"]
    query["text"]["examples"] = [str(item.get("title") or "heat transfer") for item in items[:5]]
    if "row" in items[0]:
        query["row"]["examples"] = [item["row"] for item in items[:5]]
    if models:
        document["components"]["schemas"]["EmbeddingsBody"]["properties"]["model"]["enum"] = models
    return document


def narrow(properties: dict[str, Any], specs: list[str], ids: list[str], name: str) -> None:
    """Name what a collection has, where a space, an item or a collection is asked for."""
    known = {"space": specs, "spaces": specs, "shortlist": specs, "rerank": specs, "id": ids, "collection": [name]}
    for field, schema in properties.items():
        if field in known:
            for one in schema.get("anyOf", [schema]):
                text = one.get("items", one)
                if text.get("type") == "string":
                    text["enum"] = known[field]


if __name__ == "__main__":
    main(*sys.argv[1:])
