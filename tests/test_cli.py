"""The command line as a user types it: results on stdout, the rest on stderr, exit codes 0, 1, 2."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from retrieval.applications.compression.compressed_items import CompressedItems
from retrieval.collection.indexing import IndexRequest, remains

ROOT = Path(__file__).parents[1]


def nearby(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    program = "import sys; sys.path.insert(0, sys.argv.pop(1)); import cli; cli.main()"
    return subprocess.run(
        [sys.executable, "-c", program, str(ROOT), *arguments],
        capture_output=True, text=True, check=False, cwd=cwd, env={**os.environ, "NO_COLOR": "1", "COLUMNS": "100"},
    )  # fmt: skip


def refused(*arguments: str, cwd: Path = ROOT) -> str:
    done = nearby(*arguments, cwd=cwd)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "nearby: " in done.stderr.splitlines()[-1] or done.stderr.startswith("nearby: ")
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def digits(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("cli") / "digits"
    done = nearby("index", "digits", "-s", "pixels", "-s", "pixels+pca:8", "-o", str(folder))
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    return folder


@pytest.fixture(scope="module")
def texts(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("cli")
    lines = [
        {"_id": str(n), "text": f"{word} fruit and {word} juice"} for n, word in enumerate(["apple", "pear", "plum"])
    ]
    (folder / "fruit.jsonl").write_text("\n".join(map(json.dumps, lines)))
    done = nearby("index", str(folder / "fruit.jsonl"), "-s", "bm25", "-s", "tfidf", "-o", str(folder / "c"))
    assert done.returncode == 0, done.stderr
    return folder


def test_search_by_item_leaves_the_item_out(digits):
    found = json.loads(nearby("search", str(digits), "@7", "-k", "3", "--json").stdout)
    assert [space["spec"] for space in found["spaces"]] == ["pixels", "pixels+pca:8"]
    for space in found["spaces"]:
        assert len(space["hits"]) == 3
        assert "7" not in [hit["id"] for hit in space["hits"]]
        assert [hit["label"] for hit in space["hits"]].count("7") >= 2


def test_search_by_picture_of_another_size_and_mode(digits, tmp_path):
    from PIL import Image

    from retrieval.corpora.registry import open_corpus

    picture = next(iter(open_corpus("digits"))).content
    Image.fromarray(picture).convert("RGB").resize((64, 64)).save(tmp_path / "zero.png")
    found = json.loads(nearby("search", str(digits), str(tmp_path / "zero.png"), "-k", "5", "--json").stdout)
    assert [hit["label"] for hit in found["spaces"][0]["hits"]].count("0") >= 4


def test_search_by_words(texts):
    done = nearby("search", str(texts / "c"), "plum", "juice", "-k", "1")  # quotes are not needed
    assert done.returncode == 0
    assert done.stdout.startswith("query: plum juice\n")
    assert "2" in done.stdout
    assert "k1=1.2" not in done.stdout  # BM25's parameters, at their default
    told = nearby("search", str(texts / "c"), "plum", "juice", "-v").stdout
    assert "k1=1.2" in told
    assert "None" not in told


def test_search_among_the_items_of_a_label(digits):
    done = nearby("search", str(digits), "@7", "-s", "pixels", "-k", "3", "--filter", "label=1", "--json")
    found = json.loads(done.stdout)
    assert found["filters"] == [{"field": "label", "value": "1", "operator": "="}]
    assert [hit["label"] for hit in found["spaces"][0]["hits"]] == ["1", "1", "1"]
    fused = [*("search", str(digits), "@7", "-k", "3", "--fuse", "rrf"), "--filter", "label=1"]
    assert [hit["label"] for hit in json.loads(nearby(*fused, "--json").stdout)["hits"]] == ["1", "1", "1"]
    assert nearby(*fused).stdout.splitlines()[1] == "among: label=1"


def test_spaces_fused_into_one_list(digits):
    asked = ["search", str(digits), "@7", "-s", "pixels+pca:8", "-s", "pixels", "-k", "3"]
    found = json.loads(nearby(*asked, "--fuse", "rrf", "--depth", "50", "--json").stdout)
    alone = json.loads(nearby(*asked[:-1], "50", "--json").stdout)
    assert found["fusion"].items() >= {"method": "rrf", "constant": 60, "depth": 50}.items()
    places = [[hit["id"] for hit in space["hits"]] for space in alone["spaces"]]
    for hit in found["hits"]:
        assert hit["ranks"] == [place.index(hit["id"]) + 1 if hit["id"] in place else None for place in places]
        assert hit["score"] == pytest.approx(sum(1 / (60 + rank) for rank in hit["ranks"] if rank))
    assert len(found["hits"]) == 3
    lines = nearby(*asked, "--fuse", "rrf").stdout.splitlines()
    assert lines[2].startswith("rrf of 2 spaces, the 100 best of each   ")


def test_no_query_answers_import_torch_or_scikit_learn(digits):
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); from retrieval.search.read_query import *; from retrieval.search.searcher import *; from retrieval.search.hybrid import *; from retrieval.collection.open import open_collection\n"
        "c = open_collection(sys.argv[2]); q = read_query(c, '@3'); Searcher(c).search(q)\n"
        "Searcher(c).search(q, 3, [Filter('label', '3')]); fused_search(Searcher(c), q)\n"
        "print(sorted({'torch', 'sklearn', 'faiss'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(ROOT), str(digits)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "verb", [("--help",), ("search", "--help"), ("search", "DIGITS", "@3"), ("search", "TEXTS", "plum")]
)
def test_no_verb_waits_for_what_it_does_not_use(digits, texts, verb):
    program = (
        "import sys; sys.path.insert(0, sys.argv.pop(1)); import atexit, cli\n"
        "slow = {'pydantic', 'rich', 'tqdm', 'torch', 'sklearn', 'numpy.f2py.f2py2e', 'numpy.testing._private.utils', 'unittest'}\n"
        "atexit.register(lambda: print(sorted(slow & set(sys.modules)), 'numpy' in sys.modules, file=sys.stderr)); cli.main()"
    )
    places = {"DIGITS": str(digits), "TEXTS": str(texts / "c")}
    arguments = [places.get(word, word) for word in verb]
    done = subprocess.run(
        [sys.executable, "-c", program, str(ROOT), *arguments], capture_output=True, text=True, check=True
    )
    assert done.stderr == f"[] {'--help' not in verb}\n"


def test_a_verb_that_is_misspelt_is_suggested():
    assert "did you mean 'search'" in refused("serch", "x").lower()
    assert nearby().returncode == 2
    assert "recommend" in nearby().stderr


def test_add_delete_and_info(texts):
    folder = str(texts / "c")
    (texts / "more.jsonl").write_text(
        '{"_id": "9", "text": "cherry juice"}\n{"_id": "0", "text": "apple fruit cake"}\n'
    )
    added = nearby("add", folder, str(texts / "more.jsonl"))
    assert added.stdout == "1 added, 1 changed, 0 unchanged\n"
    assert "words of the new items" in added.stderr or "word of the new items" in added.stderr
    assert f"nearby index {folder} -s " in added.stderr
    before = json.loads(nearby("info", folder, "--json").stdout)["generation"]
    assert (
        nearby("add", folder, str(texts / "more.jsonl")).stdout
        == "nothing to do: 2 items already there and unchanged\n"
    )
    assert json.loads(nearby("info", folder, "--json").stdout)["generation"] == before
    assert "nearby add" not in refused("index", "digits", "-s", "pixels", "-o", folder)
    assert "pw" not in refused(
        "index", "digits", "-s", "pixels", "--index", "exact:http://user:pw@host", "-o", "nowhere"
    )
    assert nearby("delete", folder, "9").stdout == "1 removed, 3 left\n"
    told = json.loads(nearby("info", folder, "--json").stdout)
    assert (told["items"], [space["spec"] for space in told["spaces"]]) == (3, ["bm25", "tfidf"])


def test_a_large_collection_changes_in_segments_until_it_is_compact(tmp_path):
    vectors = np.random.default_rng(0).standard_normal((10_600, 4), dtype=np.float32)
    np.savez(tmp_path / "first.npz", vectors=vectors[:10_500], ids=np.arange(10_500).astype(str))
    np.savez(tmp_path / "more.npz", vectors=vectors[10_500:], ids=np.arange(10_500, 10_600).astype(str))
    folder = str(tmp_path / "c")
    assert nearby("index", str(tmp_path / "first.npz"), "-s", "vectors", "-o", folder).returncode == 0
    assert nearby("compact", folder).stdout == f"nothing to do: {folder} is one segment, without removed items\n"
    assert nearby("add", folder, str(tmp_path / "more.npz")).stdout == "100 added, 0 changed, 0 unchanged\n"
    assert nearby("delete", folder, "7", "10507").stdout == "2 removed, 10,598 left\n"
    said = f"2 segments, 2 removed items still on disk; merge them with  nearby compact {folder}"
    assert said in nearby("info", folder).stdout
    before = json.loads(nearby("search", folder, "@10508", "-k", "5", "--json").stdout)
    compact = nearby("compact", folder)
    assert compact.stdout.startswith(f"{folder}: 2 segments merged into one, 2 removed items dropped; ")
    assert "merging 2 segments, 10,598 items" in compact.stderr
    told = json.loads(nearby("info", folder, "--json").stdout)
    assert (told["items"], told["segments"], told["removed"]) == (10_598, 1, 0)
    after = json.loads(nearby("search", folder, "@10508", "-k", "5", "--json").stdout)
    assert len(after["spaces"][0]["hits"]) == 5
    assert after["spaces"][0]["hits"] == before["spaces"][0]["hits"]
    assert "no item '7'" in refused("search", folder, "@7")


def test_tune_tries_indexes_and_writes_nothing(digits):
    files = {path: path.stat().st_mtime_ns for path in digits.rglob("*") if path.is_file()}
    done = nearby("tune", str(digits), "-s", "pixels+pca:8", "--recall", ".9", "-k", "5", "--sample", "50", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["n_items"], found["k"], found["wanted_recall"]) == (1797, 5, 0.9)
    assert set(found["n_queries"].values()) == {50}
    exact, *others = found["settings"]
    assert (exact["index"], exact["recall"], exact["reaches"]) == ("exact", 1.0, "reaches")
    assert others
    assert all(0 <= one["recall"] <= 1 for one in others)
    tried = {one["index"]: one for one in found["settings"]}
    if found["recommended"] is not None:
        assert tried[found["recommended"]]["recall"] >= 0.9
        assert found["command"].startswith("nearby ")
        assert found["recommended"] in found["command"]
    assert {path: path.stat().st_mtime_ns for path in digits.rglob("*") if path.is_file()} == files


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-s", "pixels", "--recall", "1.5"), "1.5"),
        (("-s", "pixels", "--recall", "0"), "0"),
        (("-s", "pixels", "--recall", "much"), "much"),
        (("-s", "pixels", "-k", "0"), "-k"),
        (("-s", "pixels", "-k", "1797"), "1,797"),
        (("-s", "pixels", "--sample", "0"), "--sample"),
        (("-s", "pixels", "--max-bytes", "0"), "--max-bytes"),
        (("-s", "pixel",), "did you mean"),
    ],
)  # fmt: skip
def test_tune_refuses_in_one_sentence(digits, arguments, said):
    assert said in refused("tune", str(digits), *arguments)


def test_tune_needs_a_collection_and_dense_codes_or_bits(tmp_path, texts):
    assert "sparse" in refused("tune", str(texts / "c"), "-s", "bm25")
    assert str(tmp_path / "none") in refused("tune", str(tmp_path / "none"), "-s", "pixels")


def test_encode_decode_and_reconstruct(digits, tmp_path):
    code, picture = tmp_path / "code.npy", tmp_path / "back.png"
    assert nearby("encode", str(digits), "@3", "-s", "pixels+pca:8", "-o", str(code)).returncode == 0
    assert np.load(code).shape == (1, 8)
    assert nearby("decode", str(digits), str(code), "-s", "pixels+pca:8", "-o", str(picture)).returncode == 0
    assert picture.read_bytes()[:4] == b"\x89PNG"
    errors = {
        row["space"]: row["squared_error_per_item"]
        for row in json.loads(nearby("reconstruct", str(digits), "@3", "--json").stdout)
    }
    assert errors["pixels"] == 0
    assert 0 < errors["pixels+pca:8"] < 5


def test_a_picture_of_copies_draws_and_the_way_between_items(digits, tmp_path):
    space = ("-s", "pixels+pca:8")
    for verb, *given in (
        ("reconstruct", "@3", "-n", "4"),
        ("denoise", "@3", "--noise", "masking:0.3"),
        ("sample", *space, "-n", "9"),
        ("interpolate", "@0", "@1", *space),
    ):
        done = nearby(verb, str(digits), *given, "-o", str(tmp_path / f"{verb}.png"))
        assert done.returncode == 0, done.stderr
        assert (tmp_path / f"{verb}.png").read_bytes()[:4] == b"\x89PNG"
    told = nearby("reconstruct", str(digits), "-n", "4").stdout
    assert told.startswith("errors are summed over the pixels, which go from 0 to 1; mean of 4 items\n")
    assert "mean squared error" not in told
    cleaned = json.loads(nearby("denoise", str(digits), "@3", "--noise", "masking:0.3", "--json").stdout)
    assert [row["space"] for row in cleaned] == ["the item", "corrupted by masking:0.3", "pixels", "pixels+pca:8"]
    assert cleaned[3]["PSNR_before"] > 0


def test_a_seed_that_no_library_takes_is_refused(digits):
    done = nearby("denoise", str(digits), "@3", "--noise", "masking:0.3", "--seed", "9" * 20)
    assert (done.returncode, done.stdout) == (2, "")
    assert "from 0 to 2,147,483,646" in " ".join(done.stderr.split())


def test_train_makes_a_space_and_tells_of_warnings(tmp_path):
    done = nearby("train", "digits", "pixels+deep-ae:70,epochs=1", "-o", "ae", "--time-budget", "10m", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    lines = done.stderr.splitlines()
    assert lines[1] == "time limit: 10 minutes"
    assert lines[2].startswith("warning: deep-ae: a code has 70 numbers, an item only 64")
    assert lines[3].startswith("ae: pixels+deep-ae:70,epochs=1,minutes=10, best epoch 1 of 1, validation loss ")
    assert lines[4:] == ["next: nearby index digits -s ae -o FOLDER"]
    done = nearby("index", "digits", "-s", "ae", "-o", "c", cwd=tmp_path)
    assert done.stderr.startswith(
        "encoding 1,797 items by pixels+deep-ae:70,epochs=1,minutes=10, which is already fitted\n"
    )


def test_compare_reads_a_collection_and_writes_a_page(digits, tmp_path):
    done = nearby("compare", str(digits), "--json", "-o", str(tmp_path / "report"))
    assert done.returncode == 0, done.stderr
    spaces = json.loads(done.stdout)[0]["spaces"]
    assert {space["spec"] for space in spaces} == {"pixels", "pixels+pca:8"}
    assert (tmp_path / "report" / "report.html").stat().st_size < 5_000_000


def test_compare_puts_every_space_into_each_index():
    spaces, indexes = ["-s", "pixels", "-s", "pixels+pca:8"], ["--index", "exact", "--index", "faiss:Flat"]
    done = nearby("compare", "digits", *spaces, *indexes, "--json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)[0]["spaces"]
    assert [row["label"] for row in rows] == [
        "pixels @ exact", "pixels @ faiss:Flat", "pixels+pca:8 @ exact", "pixels+pca:8 @ faiss:Flat"
    ]  # fmt: skip


def test_evaluate_a_run(tmp_path):
    (tmp_path / "run").write_text("q Q0 a 1 2.0 x\nq Q0 b 2 1.0 x\n")
    (tmp_path / "qrels").write_text("q 0 b 1\n")
    done = nearby("evaluate", str(tmp_path / "run"), str(tmp_path / "qrels"), "-m", "RR", "--json")
    assert json.loads(done.stdout) == {"RR": 0.5}
    assert done.stderr == ""


def test_evaluate_counts_the_judged_queries_without_a_line(tmp_path):
    (tmp_path / "run").write_text("q Q0 a 1 2.0 x\nq Q0 b 2 1.0 x\n")
    (tmp_path / "qrels").write_text("q 0 b 1\nr 0 b 1\ns 0 b 1\n")
    done = nearby("evaluate", str(tmp_path / "run"), str(tmp_path / "qrels"), "-m", "RR", "--json")
    assert json.loads(done.stdout) == {"RR": pytest.approx(0.5 / 3)}
    assert done.stderr == "2 of 3 judged queries have no line in the run and count as 0, as with trec_eval -c\n"


def test_the_formats_are_listed_with_their_options():
    done = nearby("corpora", "--formats", "--json")
    assert done.returncode == 0, done.stderr
    formats = {row["name"]: row for row in json.loads(done.stdout)}
    assert formats["csv"]["options"][0]["name"] == "text"
    assert "nearby corpora --formats" in nearby("corpora").stdout


def test_skip_bad_lists_what_was_left_out(tmp_path):
    path = tmp_path / "bad.jsonl"
    path.write_text('{"_id": "a", "text": "some words"}\n{broken\n{"_id": "a", "text": "other words"}\n')
    told = refused("index", str(path), "-s", "bow", "-o", str(tmp_path / "c"))
    assert f"{path}:2" in told
    assert told.endswith(" (--skip-bad leaves bad entries out)\n")
    done = nearby("index", str(path), "-s", "bow", "-o", str(tmp_path / "c"), "--skip-bad")
    assert done.returncode == 0
    assert f"{path}:2: not valid JSON: " in done.stderr
    assert "near '{broken'" in done.stderr
    assert f"{path}:3: two items have the id 'a'" in done.stderr


@pytest.mark.parametrize("command", [("index", "-o", "c"), ("compare",)])
def test_skip_bad_with_nothing_left_says_why(tmp_path, command):
    (tmp_path / "bad.jsonl").write_text("{broken\n")
    verb, *out = command
    told = refused(verb, "bad.jsonl", "-s", "bow", "--skip-bad", *out, cwd=tmp_path)
    assert "left out: bad.jsonl:1: not valid JSON" in told
    assert [path.name for path in tmp_path.iterdir()] == ["bad.jsonl"]


def test_what_is_printed_can_be_typed_and_a_terminal_obeys_none_of_it(tmp_path):
    (tmp_path / "t.jsonl").write_text('{"id": "a b\\u001b[31m", "text": "some words"}\n')
    done = nearby("index", "t.jsonl", "-s", "bow", "-o", "c c", cwd=tmp_path)
    assert done.stderr.splitlines()[-1] == "next: nearby search 'c c' $'@a b\\u001b[31m'"


def test_a_full_standard_output_is_named(digits):
    program = "import sys; sys.path.insert(0, sys.argv.pop(1)); import cli; cli.main()"
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-c", program, str(ROOT), "info", str(digits)],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (2, "nearby: standard output: No space left on device\n")


def test_the_version_is_told():
    assert nearby("--version").stdout.startswith("nearby 0.")


def test_every_option_of_a_space_is_shown_to_those_who_ask(digits, tmp_path):
    for verb in (("info", str(digits)), ("compare", str(digits))):
        assert "solver=" not in nearby(*verb).stdout
        told = nearby(*verb, "-v").stdout
        assert "spaces with all their options\npixels\n  pixels:" in told
        assert "solver=" in told
        assert "None" not in told
        assert max(map(len, told.splitlines())) <= 100
    fit = (
        "recommend",
        "fit",
        "ratings-example",
        "-s",
        "mf:30,solver=als,epochs=1",
        "-o",
        str(tmp_path / "r"),
        "--fresh",
    )
    told = nearby(*fit).stdout
    assert "; -v shows all" in told
    assert max(map(len, told.splitlines())) <= 100
    assert "factor 30" in nearby(*fit, "-v").stdout
    value = json.loads(nearby(*fit, "--json").stdout)
    assert (value["ratings"], len(value["user_factors"]["A"])) == (15, 30)


def test_compare_leaves_bad_entries_out(tmp_path):
    lines = [
        json.dumps({"_id": str(n), "label": "ab"[n % 2], "text": f"{'apple' if n % 2 else 'pear'} number{n}"})
        for n in range(6)
    ]
    (tmp_path / "bad.jsonl").write_text("\n".join([*lines, lines[0], "{"]))
    assert "two items have the id '0'" in refused("compare", str(tmp_path / "bad.jsonl"), "-s", "bow")
    done = nearby("compare", str(tmp_path / "bad.jsonl"), "-s", "bow", "--skip-bad", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0]["n_items"] == 6
    assert "bad.jsonl:8" in done.stderr


def test_an_interruption_leaves_what_was_finished_and_goes_on(tmp_path):
    folder = tmp_path / "c"
    arguments = ["index", "digits", "-s", "pixels", "-s", "pixels+deep-ae:64-8,epochs=100000", "-o", str(folder)]
    program = (  # a test run in the background of a shell ignores Ctrl-C, and so would its children
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "sys.path.insert(0, sys.argv.pop(1)); import cli; cli.main()"
    )
    checkpoint = "**/checkpoint.safetensors"
    command = [sys.executable, "-c", program, str(ROOT), *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as started:
        try:
            deadline = time.monotonic() + 60
            while not list(folder.glob(checkpoint)) and time.monotonic() < deadline:
                time.sleep(0.05)
            started.send_signal(signal.SIGINT)
            assert started.wait(30) == 1
            assert started.stderr is not None
            assert "Traceback" not in started.stderr.read()
        finally:
            started.kill()
    assert [space["spec"] for space in json.loads(nearby("info", str(folder), "--json").stdout)["spaces"]] == ["pixels"]
    assert list(folder.glob(checkpoint))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("index", "digitz", "-s", "pixels", "-o", "OUT"), "did you mean 'digits'"),
        (("index", "digits", "-s", "pixls", "-o", "OUT"), "did you mean 'pixels'"),
        (("index", "digits", "-s", "pixels++pca", "-o", "OUT"), "^"),
        (("index", "digits", "-s", "pixels+pca:-3", "-o", "OUT"), "at least 1"),
        (("index", "digits", "-s", "pixels+pca,seed=2", "-o", "OUT"), "':' before the first option of 'pca'"),
        (("index", "digits", "-s", "pixels", "--index", "fais", "-o", "OUT"), "did you mean 'faiss'"),
        (("index", "digits", "-s", "pixels+binarize", "--index", "sparse", "-o", "OUT"), "cannot search binary"),
        (("index", "digits", "-s", "bm25", "-o", "OUT"), "reads texts, but this corpus holds images"),
        (("compare", "digits", "-s", "pixels", "--index", "exact", "--index", "exact"), "'exact' is named twice"),
        (("compare", "DIGITS", "--index", "exact", "--index", "faiss:Flat"), "leave --index and --skip-bad out"),
        (("compare", "DIGITS", "--index", "exact"), "leave --index and --skip-bad out"),
        (("encode", "DIGITS", "@3", "-s", "pixels", "-o", "x.png"), "should end in .npy"),
        (("info", "nowhere"), "does not exist"),
        (("search", "DIGITS", "@nope"), "no item 'nope'"),
        (("search", "DIGITS", "missing.png"), "is not a file"),
        (("search", "DIGITS", "@1", "-s", "pixels+pca:9"), "did you mean"),
        (("search", "TEXTS", "zzz qqq"), "no word of the query is known"),
        (("search", "TEXTS", " "), "empty"),
        (
            ("search", "DIGITS", "@1", "--filter", "label"),
            "written KEY=VALUE, as in label=sport or 'year>=2004' (quote < and >)",
        ),
        (("search", "DIGITS", "@1", "--filter", "label=11"), "no item has label=11; did you mean '1'?"),
        (("search", "DIGITS", "@1", "--filter", "labl=1"), "no item has the field 'labl'; did you mean 'label'?"),
        (("search", "DIGITS", "@1", "-s", "pixels", "--fuse", "rrf"), "only 'pixels' is given"),
        (("search", "DIGITS", "@1", "--fuse", "rff"), "did you mean 'rrf'?"),
        (("search", "DIGITS", "@1", "--depth", "20"), "add --fuse rrf"),
        (("search", "DIGITS", "@1", "--fuse", "rrf", "--shortlist", "pixels"), "--fuse cannot be used with"),
        (("search", "DIGITS", "@1", "--filter", "label=1", "--rerank", "pixels"), "--filter cannot be used with"),
        (("reconstruct", "TEXTS", "@1"), "no space"),
        (("reconstruct", "DIGITS"), "give a number of random items"),
        (("reconstruct", "DIGITS", "@3", "-o", "OUT"), "should end in .npy or .png"),
        (("denoise", "DIGITS", "@3", "--noise", "fog:1"), "noise is gaussian, masking or salt-and-pepper"),
        (("denoise", "TEXTS", "@1"), "denoise cleans pictures"),
        (("sample", "TEXTS", "-s", "tfidf"), "take a dense space"),
        (("interpolate", "DIGITS", "@1", "@nope", "-s", "pixels"), "no item 'nope'"),
        (("classify", "DIGITS", "@1", "-s", "pixels"), "was not trained on labels"),
        (("train", "digits", "pixels+pca:3", "-o", "OUT", "--time-budget", "9m"), "has no time budget"),
        (("train", "digits", "pixels+deep-ae:9", "-o", "OUT", "--time-budget", "soon"), "a number alone is minutes"),
        (("train", "digits", "pixels", "-o", "DIGITS"), "holds other files"),
        (("decode", "DIGITS", "missing.npy", "-s", "pixels"), "missing.npy does not exist"),
        (("evaluate", "nowhere", "nothing"), "nowhere"),
    ],
)
def test_bad_input_is_one_clear_sentence(arguments, words, digits, texts, tmp_path):
    places = {"OUT": str(tmp_path / "out"), "DIGITS": str(digits), "TEXTS": str(texts / "c")}
    assert words in refused(*(places.get(argument, argument) for argument in arguments))


@pytest.mark.parametrize("text", ["1_0", " 3", "３", "0x3", "1e1", "0"])
def test_a_number_that_only_python_reads_is_refused(text):
    from typer.testing import CliRunner

    import cli

    done = CliRunner().invoke(cli.app, ["sample", "nowhere", "-s", "x", "-n", text])
    assert done.exit_code == 2
    assert "expected a whole number, from 1 to 10,000" in " ".join(done.stderr.split())


@pytest.mark.parametrize("text", ["nan", "infinity", "1_0.5"])
def test_a_height_is_a_number(text):
    from typer.testing import CliRunner

    import cli

    done = CliRunner().invoke(cli.app, ["analyze", "digits", "-o", "nowhere", "--height", text])
    assert done.exit_code == 2
    assert "expected a number" in done.stderr


@pytest.mark.parametrize("verb", [("compare", "digits", "-s", "pixels"), ("analyze", "digits"), ("demo",)])
def test_a_report_goes_neither_into_a_collection_nor_over_a_file(digits, tmp_path, verb):
    (tmp_path / "file").write_text("x")
    assert "is a collection: choose another folder" in refused(*verb, "-o", str(digits))
    assert "is a file: choose a folder" in refused(*verb, "-o", str(tmp_path / "file"))


def test_a_report_that_cannot_be_written_keeps_the_fits_and_the_old_files(tmp_path):
    data, tmp_path = tmp_path / "t.csv", tmp_path / "out"
    data.write_text("text,label\n" + "red wine,a\ngreen tea,b\n" * 6)
    compare = ("compare", str(data), "-s", "bow", "--examples", "0", "-o", str(tmp_path))
    assert nearby(*compare).returncode == 0
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    size = len(before[tmp_path / "report.html"]) // 2  # the encoder is smaller
    program = (
        f"import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size})); "
        f"sys.path.insert(0, {str(ROOT)!r}); import cli; cli.main()"
    )
    done = subprocess.run([sys.executable, "-c", program, *compare], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"1 fitted space is kept in {tmp_path / 'compare.work'}" in done.stderr
    assert "File too large; nothing was changed" in done.stderr
    kept = tmp_path / "compare.work"
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file() and kept not in p.parents} == before
    assert "was fitted before" in nearby(*compare).stderr
    assert not kept.exists()


@pytest.mark.parametrize(
    ("verb", "name"),
    [
        ("compare", "report.html"),
        ("compare", "comparison.json"),
        ("compare", "per_query.parquet"),
        ("health", "health.html"),
    ],
)
def test_a_taken_name_in_the_folder_of_the_report_is_refused_before_any_work(tmp_path, verb, name):
    (tmp_path / name).mkdir()
    said = refused(verb, "digits", "-s", "pixels", "-o", str(tmp_path))
    assert said.count("\n") == 1
    assert f"{name}, which is not a plain file: move it away" in said


def test_a_baseline_that_is_a_loop_of_links_is_one_sentence(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    said = refused(
        "compare", "digits", "-s", "pixels", "-o", str(tmp_path / "out"), "--baseline", str(tmp_path / "loop")
    )
    assert "cannot read the baseline" in said


def test_a_recommender_is_not_replaced_without_a_word(tmp_path):
    fit = ("recommend", "fit", "ratings-example", "-s", "mf:2,solver=als", "-o", str(tmp_path / "r"))
    assert nearby(*fit).returncode == 0
    assert "replace it with --fresh, or choose a new folder" in refused(*fit)
    assert nearby(*fit, "--fresh").returncode == 0


def test_compress_and_decompress(digits, tmp_path):
    file, out = tmp_path / "x.nby", tmp_path / "out"
    compress = ("compress", str(digits), "-s", "pixels+pca:8", "--bytes", "5", "-o", str(file))
    made = json.loads(nearby(*compress, "--json").stdout)
    assert made["bytes"] == file.stat().st_size == sum(made["parts"].values())
    assert 4.5 < made["bytes_per_item"] < 5.1
    assert "exists: replace it with --fresh" in refused(*compress)
    assert nearby(*compress, "--fresh").stdout.startswith("1,797 items by pixels+pca:8: 5.0 bytes per item")
    shown = nearby("decompress", str(file))
    assert "encoder: pixels+pca:8 (inside the file)" in shown.stdout
    assert shown.stderr.startswith("next: nearby decompress")
    assert nearby("decompress", str(file), "--list").stdout.splitlines()[1796] == "1796  1796"
    done = nearby("decompress", str(file), "-o", str(out), "@7", "1796", "--json")
    assert json.loads(done.stdout) == {"file": str(file), "folder": str(out), "items": 2, "lost": 0, "damage": []}
    assert sorted(path.name for path in out.iterdir()) == ["1796.png", "7.png", "items.jsonl"]
    assert "not an empty folder" in refused("decompress", str(file), "-o", str(out))
    assert "items are written only with -o: add -o FOLDER" in refused("decompress", str(file), "@7")
    assert "no item with the id '99999'" in refused("decompress", str(file), "@99999", "-o", str(tmp_path / "none"))
    assert not (tmp_path / "none").exists()


def test_the_next_command_after_compress_is_right_for_an_encoder_that_is_not_inside(tmp_path):
    saved, file = tmp_path / "saved", tmp_path / "x.nby"
    nearby("train", "digits", "pixels+pca:4", "-o", str(saved))
    made = nearby("compress", "digits", "-s", str(saved), "--no-embed", "-o", str(file))
    (following,) = [line for line in made.stderr.splitlines() if line.startswith("next: nearby ")]
    words = shlex.split(following.removeprefix("next: nearby "))
    assert nearby(*(str(tmp_path / "out") if word == "FOLDER" else word for word in words)).returncode == 0
    described = nearby("decompress", str(file), "--encoder", str(saved))
    assert f"--encoder {saved} -o FOLDER" in described.stderr


def test_compress_without_loss(tmp_path):
    from PIL import Image

    from retrieval.corpora.registry import open_corpus

    file, out = str(tmp_path / "x.nby"), tmp_path / "out"
    compress = ("compress", "digits", "-s", "pixels+vae:32-6,loss=beta-binomial,epochs=2", "--lossless", "-o", file)
    made = json.loads(nearby(*compress, "--json").stdout)
    assert made["bits_per_pixel"] < 8
    assert made["items"] == 1797
    shown = nearby(*compress, "--fresh")
    assert "bits per pixel without the encoder, every pixel decoded and compared" in shown.stdout
    assert "bz2 needs" in shown.stdout
    assert nearby("decompress", file, "-o", str(out), "@7", "1796").returncode == 0
    for item in open_corpus("digits"):
        if item.id in ("7", "1796"):
            assert (np.asarray(Image.open(out / f"{item.id}.png")) == item.content).all()
    assert "leave --bytes" in refused(*compress, "--fresh", "--bytes", "9")
    assert "use a space pixels+vae" in refused(
        "compress", "digits", "-s", "pixels+pca:8", "--lossless", "-o", file, "--fresh"
    )
    assert "add loss=beta-binomial" in refused(
        "compress", "digits", "-s", "pixels+vae:8-2", "--lossless", "-o", file, "--fresh"
    )


def test_no_verb_writes_over_the_file_that_it_reads(digits, tmp_path):
    from PIL import Image

    picture, code = tmp_path / "q.png", tmp_path / "c.npy"
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(picture)
    np.save(code, np.zeros((1, 64), np.float32))
    before = [path.read_bytes() for path in (picture, code)]
    folder = str(digits)
    space = ("-s", "pixels")
    for arguments in [
        ("reconstruct", folder, str(picture), "-o", str(picture)),
        ("denoise", folder, str(picture), "-o", str(picture)),
        ("interpolate", folder, str(picture), "@1", *space, "-o", str(picture)),
        ("convert", folder, str(picture), *space, "-o", str(picture)),
        ("decode", folder, str(code), *space, "-o", str(code)),
        ("encode", folder, str(code), *space, "-o", str(code)),
        ("anomalies", "explain", folder, str(picture), "-o", str(picture)),
        ("anomalies", "score", folder, str(tmp_path), "-o", str(tmp_path / "old.csv")),
    ]:
        (tmp_path / "old.csv").write_text("a,b")
        assert "is the data that is read, and would be lost" in refused(*arguments)
    compress = ("compress", str(tmp_path), "-s", "pixels+pca:1", "--fresh", "-o")
    assert "was not written by 'nearby compress'" in refused(*compress, str(picture))
    assert [path.read_bytes() for path in (picture, code)] == before


def test_a_damaged_compressed_file_gives_back_the_rest(digits, tmp_path):
    file = tmp_path / "x.nby"
    assert nearby("compress", str(digits), "-s", "pixels+pca:8", "-o", str(file)).returncode == 0
    data = bytearray(file.read_bytes())
    with CompressedItems(file) as items:
        data[items.reader.stream_start("codes")] ^= 1
    file.write_bytes(data)
    done = nearby("decompress", str(file), "-o", str(tmp_path / "out"))
    assert done.returncode == 2
    assert "chunk 1 of 8 of 'codes' (another checksum): items 0 to 255 are lost" in done.stdout
    assert done.stderr.splitlines()[-1].endswith(f"256 of 1,797 items are lost; the rest is in {tmp_path / 'out'}")
    assert len(list((tmp_path / "out").glob("*.png"))) == 1541
    file.write_bytes(data[:-100])
    assert "bytes are cut off its end" in nearby("decompress", str(file)).stdout
    file.write_bytes(b"PK" + data)  # the copy of its head is at the end
    assert "is damaged" in refused("decompress", str(file))
    file.write_bytes(b"PK" + bytes(1000))
    assert "was not written by 'nearby compress'" in refused("decompress", str(file))


def test_what_cannot_be_compressed_is_one_sentence(tmp_path):
    file = str(tmp_path / "x.nby")
    for arguments, sentence in [
        (("digits",), "name a space that can be decoded"),
        (("api-docs", "-s", "tfidf+lsa:8"), "reads texts, which cannot be compressed by their codes"),
        (("digits", "-s", "pixels+pca:8", "--bytes", "3", "--error", "2"), "two targets"),
        (("digits", "-s", "pixels+pca:8", "--bytes", "none"), "expected a number"),
        (("digits", "-s", "pixels+pca:8", "--no-embed"), "name its folder with -s"),
        (("digits", "-s", str(tmp_path)), "is not a saved encoder"),
        (("digits", "-s", "pixels+pca:8", "--chunk", "0"), "from 1 to 65,536"),
    ]:
        assert sentence in refused("compress", *arguments, "-o", file)
    assert "is a folder: name a file" in refused("compress", "digits", "-s", "pixels", "-o", str(tmp_path))


def test_a_compression_curve(digits, tmp_path):
    curve = ("compression-curve", "digits", "-s", "pixels+pca:8", "--sample", "20", "-o", str(tmp_path / "out"))
    found = json.loads(nearby(*curve, "--json").stdout)
    assert (found["items"], found["curves"][0]["name"]) == (20, "pixels+pca:8")
    assert (tmp_path / "out" / "equal-bytes.png").is_file()
    assert "is a collection whose spaces were fitted on all its items" in refused(
        "compression-curve", str(digits), "-o", str(tmp_path / "none")
    )
    assert "measured on pictures" in refused("compression-curve", "api-docs", "-o", str(tmp_path / "none"))


def test_one_encoder_is_listed_alone():
    shown = nearby("encoders", "bm25").stdout
    assert shown.startswith("bm25 ")
    assert "k1=1.2" in shown
    assert "tfidf " not in shown
    assert "unknown encoder 'bm52'; did you mean 'bm25'?" in refused("encoders", "bm52")


def test_help_has_a_short_name():
    assert nearby("-h").stdout == nearby("--help").stdout
    assert nearby("search", "-h").stdout == nearby("search", "--help").stdout


def test_examples_can_be_left_out_and_a_replaced_report_is_said(digits, tmp_path):
    first = nearby("compare", str(digits), "-s", "pixels", "--examples", "0", "--json", "-o", str(tmp_path))
    assert json.loads(first.stdout)[0]["examples"] == []
    assert "replaces" not in first.stderr
    again = nearby("compare", str(digits), "-s", "pixels", "--examples", "1", "--json", "-o", str(tmp_path))
    assert len(json.loads(again.stdout)[0]["examples"]) == 1
    assert "report.html (replaces the report that was there)" in again.stderr


def test_index_says_what_it_leaves_when_it_is_stopped(digits):
    assert remains(IndexRequest(("pixels",), digits)) == (
        f"{digits} holds 1,797 items in 2 spaces; the same command continues"
    )
    assert remains(IndexRequest(("pixels",), digits / "nowhere")) == "nothing is stored yet"


def test_health_prints_findings_and_strict_exits_with_4_when_a_value_is_poor(digits):
    done = nearby("health", str(digits), "-s", "pixels", "--sample", "60", "--strict")
    assert done.returncode == 0, done.stderr
    assert "hubness" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100
    poor = nearby("health", "digits", "-s", "pixels+kmeans:4", "--sample", "60", "--strict", "--json")
    assert poor.returncode == 4
    assert json.loads(poor.stdout)["spaces"][0]["verdict"] == "poor"


def test_health_of_too_few_items_is_one_sentence(texts):
    assert "needs at least 20" in refused("health", str(texts / "c"))
