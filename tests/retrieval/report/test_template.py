"""Templates: escaped, strict, installed with the package, and jinja2 loads only when a page is written."""

import subprocess
import sys
import zipfile
from pathlib import Path
from shutil import copytree

import pytest
from jinja2 import UndefinedError

from retrieval.report.figures.markup import Markup
from retrieval.report.html.template import TEMPLATES, environment, render

ROOT = Path(__file__).parents[3]


def test_values_are_escaped_and_drawings_are_not():
    template = environment().from_string('<p title="{{ a }}">{{ a }}{{ b }}{{ c }}</p>')
    assert template.render(a='"<b>\x00', b=Markup("<svg/>"), c=None) == (
        '<p title="&#34;&lt;b&gt;\ufffd">&#34;&lt;b&gt;\ufffd<svg/></p>'
    )


def test_a_value_that_is_missing_is_an_error():
    with pytest.raises(UndefinedError, match="title"):
        render("page.html")


def test_no_template_switches_escaping_off():
    for path in TEMPLATES.rglob("*.html"):
        text = path.read_text()
        assert "|safe" not in text.replace(" ", ""), path
        assert "autoescape" not in text, path


def test_a_page_carries_no_indentation():
    assert not [line for line in render("page.html", title="x").splitlines() if line.startswith(" ")]


def test_jinja2_is_imported_only_when_a_page_is_written():
    code = (
        "import sys, retrieval.report.html.comparison, retrieval.report.html.analysis; print('jinja2' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "False"


def test_a_wheel_contains_the_templates_and_the_style_sheet(tmp_path):
    pytest.importorskip("setuptools", reason="setuptools, which builds the wheel, is not installed")
    for package in ("encoders", "indexers", "retrieval"):
        copytree(ROOT / package, tmp_path / package)
    for name in ("pyproject.toml", "README.md", "cli.py", "nearby.py"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    code = "from setuptools import build_meta; build_meta.build_wheel('dist')"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    wanted = {f"retrieval/report/html/templates/{path.relative_to(TEMPLATES)}" for path in TEMPLATES.rglob("*.*")}
    assert len(wanted) > 15
    assert wanted <= set(zipfile.ZipFile(wheel).namelist())
