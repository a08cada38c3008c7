"""The modules of the explorer: joined without clashes, each fetching nothing; the data, smaller when it must be."""

from __future__ import annotations

import json
import re

import pytest
from simulated_comparison import simulated

from retrieval.report.html.explorer_data import explorer_block, explorer_data
from retrieval.report.html.script import FOLDER, MODULES, script

TOP = re.compile(r"^(?:export )?(?:async )?(?:function|const|let|class) (\w+)", re.MULTILINE)


def sources() -> dict[str, str]:
    return {name: (FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in MODULES}


def test_every_file_is_a_module_of_the_page():
    assert {path.stem for path in FOLDER.glob("*.js")} == set(MODULES)


def test_names_of_joined_modules_do_not_clash():
    names = [name for text in sources().values() for name in TOP.findall(text)]
    assert len(names) > 30
    assert sorted(names) == sorted(set(names))


def test_a_module_imports_what_earlier_ones_export():
    exported: dict[str, set[str]] = {}
    for module, text in sources().items():
        for names, source in re.findall(r'^import \{([^}]*)\} from "\./(\w+)\.js";$', text, re.MULTILINE):
            assert {name.strip() for name in names.split(",")} <= exported[source], (module, source)
        exported[module] = set(re.findall(r"^export (?:function|const|class) (\w+)", text, re.MULTILINE))


def test_the_script_has_no_import_no_request_no_markup():
    text = script()
    assert not re.search(r"^(import|export)\b", text, re.MULTILINE)
    for word in ("fetch(", "XMLHttpRequest", "innerHTML", "insertAdjacentHTML", "eval(", "</script", "import("):
        assert word not in text
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")


@pytest.mark.parametrize(("budget", "fewer"), [(3_500_000, None), (115_000, "titles"), (50_000, "queries")])
def test_the_data_gets_smaller_as_its_budget_does(budget, fewer):
    comparison = simulated(1_000, 3)
    block = explorer_block(comparison, budget)
    assert len(block) <= budget
    data = json.loads(block)
    assert data["total"] == 1_000
    assert (data["items"]["titles"] is None) == (fewer == "titles")
    shown = len(data["queries"]["item"]) > 2_000
    assert shown == (fewer != "queries")


def test_a_page_that_fetches_the_data_gets_what_a_report_holds():
    comparison = simulated(200, 3)
    for budget in (3_500_000, 20_000):
        assert explorer_data(comparison, budget) == json.loads(explorer_block(comparison, budget))


def test_one_space_and_no_budget_have_no_explorer():
    assert explorer_block(simulated(50, 1)) is None
    assert explorer_block(simulated(50, 2), 10) is None
