"""What a reader sees: labels that do not overlap, axes that fit the data, no page wider than its window."""

import re
import shutil
import subprocess
from dataclasses import replace
from itertools import combinations
from xml.etree import ElementTree

import numpy as np
import pytest

from retrieval.analysis.components import Components
from retrieval.analysis.result import Analysis, SpaceStudy
from retrieval.applications.compression.rate_distortion import Curve, Curves, Point
from retrieval.evaluation.picture_quality import Quality
from retrieval.experiment.result import Example
from retrieval.report.figures.compression_curve import FIGURES, curve_svg
from retrieval.report.figures.drawing import text_width
from retrieval.report.figures.plots import Link, Series, lines_svg, map_svg
from retrieval.report.figures.precision_recall import precision_recall_svg, quality_cost_svg
from retrieval.report.figures.training_loss import loss_svg
from retrieval.report.figures.tree import Branch, Leaf, tree_svg
from retrieval.report.html.analysis import write_analysis
from retrieval.report.html.comparison import page, write_page
from retrieval.report.html.compression import write_curves
from retrieval.report.html.template import TEMPLATES
from retrieval.search.result import Shown
from retrieval.spaces.training_history import Phase

SVG = "{http://www.w3.org/2000/svg}"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
BROWSER = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
           "--disable-background-networking", "--hide-scrollbars"]  # fmt: skip


def boxes(drawing):
    """The text of a figure with its left, top, right and bottom."""
    for node in ElementTree.fromstring(drawing).iter(f"{SVG}text"):  # noqa: S314  our own text
        x, y, width = float(node.get("x")), float(node.get("y")), text_width(node.text.strip())
        start = {"start": 0, "middle": width / 2, "end": width}[node.get("text-anchor", "start")]
        if node.get("transform"):  # from bottom to top
            yield node.text, (x - 9, y - start, x + 3, y - start + width)
        else:
            yield node.text, (x - start, y - 9, x - start + width, y + 3)


def require_readable(drawing):
    width, height = map(float, ElementTree.fromstring(drawing).get("viewBox").split()[2:])  # noqa: S314
    found = list(boxes(drawing))
    assert found
    for text, (left, top, right, bottom) in found:
        assert left >= -1, text
        assert top >= 0, text
        assert right <= width + 4, text
        assert bottom <= height, text
    for (text, one), (other, two) in combinations(found, 2):
        apart = one[2] <= two[0] or two[2] <= one[0] or one[3] <= two[1] or two[3] <= one[1]
        assert apart, f"{text!r} overlaps {other!r}"


def test_labels_of_a_comparison_do_not_overlap(compare, crowded, in_two_indexes):
    same = [replace(row, precision_recall=np.ones(11), per_query={}, measures={"P@10": 1.0}) for row in crowded.spaces]
    for comparison in (compare(), crowded, compare(in_two_indexes), compare(same)):
        require_readable(precision_recall_svg(comparison))
        require_readable(quality_cost_svg(comparison))


def test_no_name_of_a_space_is_cut(crowded):
    for draw in (precision_recall_svg, quality_cost_svg):
        text = "".join(text.strip() for text, _ in boxes(draw(crowded)))
        assert "…" not in text
        assert text.count(crowded.spaces[0].spec.removesuffix("0")) == 9


@pytest.mark.parametrize("values", [(-70_000.0, -72_500.0), (0.1, 0.9), (5.0, 5.0)])
def test_labels_of_lines_do_not_overlap(values):
    series = [Series(f"method {place}", values) for place in range(5)]
    require_readable(lines_svg("x", "t", [2, 20], series, "numbers in the code", "BIC"))
    require_readable(
        lines_svg("x", "t", list(range(2, 21)), [Series("a", np.linspace(*values, 19))], "k", "BIC", 3, True)
    )


def test_labels_of_a_loss_do_not_overlap_and_its_axis_has_a_unit():
    phase = Phase(
        "vae", [900.0, 4.0], [800.0, 4.1], 1.0, 1, loss_unit="nats per item, minus the ELBO with 4 times the divergence"
    )
    drawn = loss_svg(phase, "pixels+vae:2", 0, "x")
    require_readable(drawn)
    axis = "loss in nats per item, minus the ELBO with 4 times the divergence (log)"
    assert axis in " ".join(text for text, _ in boxes(drawn))
    require_readable(loss_svg(replace(phase, best_epoch=0), "pixels+vae:2", 0, "x"))


@pytest.mark.parametrize(
    "title", ["heat transfer in slip flow over a flat plate", "한국어 문장 하나가 여기에 있다", "x" * 90]
)
def test_a_leaf_is_cut_at_a_word_and_keeps_its_count(title):
    leaves = [Leaf(title, "[physics] + 1,234 more", 0), Leaf(title, "", 1), Leaf(title, "+ 2 more", 1)]
    drawn = tree_svg("x", "t", [Branch(0, 0, 1, 0, 1.0), Branch(0.5, 1.0, 2, 0, 2.0)], leaves, 1.5)
    require_readable(drawn)
    names = [text for text, _ in boxes(drawn) if title[:2] in text or "more" in text]
    assert names[0].endswith("[physics] + 1,234 more")
    for head in (name.partition("…")[0] for name in names if "…" in name and " " in title):
        assert title.startswith(head)
        assert title[len(head)] == " "


@pytest.mark.parametrize(
    "label", ["automobile", "한국어로 된 아주 긴 이름", "person 1", "a label of very many words " * 5]
)
def test_labels_beside_the_pictures_of_a_tree_are_not_cut_off(label):
    leaves = [
        Leaf(label, "+ 1,234 more", 0, "data:,"),
        Leaf(label, "", 1, "data:,"),
        Leaf("7", "+ 2 more", 1, "data:,"),
    ]
    drawn = tree_svg("x", "t", [Branch(0, 0, 1, 0, 1.0), Branch(0.5, 1.0, 2, 0, 2.0)], leaves, 1.5)
    require_readable(drawn)
    assert [text for text, _ in boxes(drawn) if text.endswith("+ 1,234 more")]
    assert (label in drawn) == (len(label) < 30)


@pytest.mark.parametrize("count", range(1, 40))
def test_the_longest_label_of_a_tree_is_whole(count):
    label = "x" * (count % 20 + 1)
    drawn = tree_svg("x", "t", [], [Leaf(label, f"+ {count} more", 0, "data:,")], 1.5)
    assert f"{label} + {count} more" in drawn


def test_numbers_under_an_axis_are_evenly_spaced():
    drawn = lines_svg("x", "t", list(range(2, 21)), [Series("a", np.linspace(0, 1, 19))], "k", "BIC", 3, True)
    numbers = [int(text) for text, box in boxes(drawn) if re.fullmatch(r"\d+", text)]
    assert numbers == list(range(2, 21, 2))


def test_widths_of_codes_are_evenly_spaced_on_a_logarithmic_axis():
    widths = [1, 2, 4, 8, 16, 32, 64]
    drawn = lines_svg("x", "t", widths, [Series("pca", np.linspace(1, 0, 7))], "numbers", "lost", logarithmic=True)
    middles = [(box[0] + box[2]) / 2 for text, box in boxes(drawn) if text in map(str, widths) and "." not in text]
    assert len(middles) == 7
    np.testing.assert_allclose(np.diff(middles), (middles[-1] - middles[0]) / 6, atol=0.1)


def test_a_pale_mark_of_a_map_has_an_edge():
    drawn = ElementTree.fromstring(  # noqa: S314  our own text
        map_svg("m", "t", np.arange(16.0).reshape(8, 2), np.arange(8), {1: Link("item-1", "seven, label 1")})
    )
    for group in drawn.iter(f"{SVG}g"):
        assert group.get("stroke") == "currentColor"
        assert float(group.get("stroke-opacity")) > 0.5
    assert len(list(drawn.iter(f"{SVG}circle"))) == len(list(drawn.iterfind(f"{SVG}g//{SVG}circle")))
    (link,) = drawn.iter(f"{SVG}a")
    assert link.get("aria-label") == link.find(f"{SVG}title").text == "seven, label 1"


def test_a_drawing_shows_the_same_without_the_style_of_the_page(analysed_pictures, tmp_path):
    write_analysis(analysed_pictures, tmp_path)
    for path in (tmp_path / "figures").glob("*.svg"):  # Word, LaTeX and Inkscape do not know var()
        assert "var(" not in path.read_text()


def test_the_axis_of_precision_fits_the_curves(compare, three):
    close = [
        replace(space, precision_recall=np.linspace(0.62, 0.58, 11) + place / 100) for place, space in enumerate(three)
    ]
    ticks = [float(text) for text, box in boxes(precision_recall_svg(compare(close))) if re.fullmatch(r"0\.\d\d", text)]
    assert min(ticks) >= 0.55
    assert max(ticks) <= 0.65


def test_the_interval_is_the_bootstrap_interval(compare, three):
    from retrieval.evaluation.significance import bootstrap_interval

    skewed = np.array([0.0] * 45 + [1.0] * 5)
    drawn = quality_cost_svg(
        compare([replace(three[0], measures={"P@10": 0.1}, per_query={"P@10": skewed}), *three[1:]])
    )
    low, high = bootstrap_interval(skewed, rounds=1000)
    assert f"(95% interval {low:.3f} to {high:.3f})" in drawn
    assert low > 0 > 0.1 - 1.96 * skewed.std(ddof=1) / np.sqrt(50) - 0.02  # a bootstrap interval stays inside [0, 1]


def test_snippets_end_with_a_whole_word(documents):
    text = "aeroelastic models of heated high speed aircraft " * 5
    example = documents.examples[0]
    hit = replace(example.answers[0][0], shown=Shown("1", None, "title", text))
    html = page([replace(documents, examples=[replace(example, answers=[[hit]] * 3)])])
    for snippet in re.findall(r'class="snippet" dir="auto">([^<]*)…<', html):
        assert snippet.split()[-1] in text.split()
    assert "line-clamp" not in html


def test_a_query_is_shown_whole(documents):
    question = Shown("1", None, "what similarity laws must be obeyed when…", "constructing models")
    html = page([replace(documents, examples=[replace(documents.examples[0], query=question)])])
    assert "what similarity laws must be obeyed when constructing models</h4>" in html


def test_components_of_texts_fold_after_ten(tmp_path):
    vocabulary = [f"word{place}" for place in range(40)]
    atoms = np.random.default_rng(0).standard_normal((30, 40)).astype(np.float32)
    components = Components("tfidf+lsa:30", False, np.zeros(40, np.float32), atoms, None, vocabulary, True)
    shown = [Shown(str(place), None, f"t{place}") for place in range(4)]
    found = Analysis("some", "text", shown, [None] * 4, [SpaceStudy("tfidf+lsa:30", 30, "cosine", components)])
    html = write_analysis(found, tmp_path).read_text()
    visible, _, folded = html.partition("<details>")
    assert "20 more components" in folded
    assert '<th scope="row">10</th>' in visible
    assert '<th scope="row">11</th>' not in visible
    assert '<th scope="row">30</th>' in folded


def test_one_figure_does_not_fill_the_page_and_hidden_text_stays_inside():
    style = "".join(path.read_text() for path in (TEMPLATES / "style").iterdir())
    multiples = re.search(r"\.small-multiples svg, \.maps svg \{(.*?)\}", style, re.DOTALL).group(1)
    assert "max-width" in multiples
    assert "auto-fill" in re.search(r"\.small-multiples, \.maps \{(.*?)\}", style, re.DOTALL).group(1)
    assert re.search(r"\.scroll, \.columns, \.strip li \{\s*position: relative", style)


def scroll_width(page, width, folder):
    """The width of a page in a window of a width, as Chromium measures it: "390 in 390"."""
    policy = re.compile(r"<meta http-equiv.*?>")
    script = (
        "<script>addEventListener('load', () => { const f = document.querySelector('iframe'), d = f.contentDocument;"
        "const { scrollWidth, clientWidth } = d.documentElement;"
        "document.title = `${scrollWidth} in ${clientWidth}`; })</script>"
    )
    (folder / "open.html").write_text(policy.sub("", page.read_text()))
    frame = f'<iframe src="open.html" style="border:0;width:{width}px;height:800px"></iframe>'
    (folder / "frame.html").write_text(f"<!doctype html><title>x</title>{frame}{script}")
    done = subprocess.run(
        [*BROWSER, "--allow-file-access-from-files", f"--user-data-dir={folder / 'profile'}", "--window-size=1400,900",
         "--dump-dom", (folder / "frame.html").as_uri()],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    found = re.search(r"<title>(.*?)</title>", done.stdout)
    assert found, done.stderr[-500:]
    return found.group(1)


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium: pages are not measured in a browser")
@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_is_wider_than_its_window(tmp_path, pictures, documents, crowded, width):
    path = write_page([pictures, documents, replace(crowded, examples=[])], tmp_path / "report.html")
    assert scroll_width(path, width, tmp_path) == f"{width} in {width}"


def test_a_title_from_right_to_left_stays_apart_from_its_count():
    leaves = [Leaf("العربية لغة سامية 2", "[لغة] + 1 more", 0), Leaf("heat", "+ 2 more", 1)]
    drawn = tree_svg("x", "t", [Branch(0, 0, 1, 0, 1.0)], leaves, 0.5)
    require_readable(drawn)
    assert "\u2068العربية لغة سامية 2\u2069 [لغة] + 1 more" in drawn
    assert ">heat + 2 more<" in drawn


def test_a_pale_line_has_an_edge(crowded):
    drawn = ElementTree.fromstring(precision_recall_svg(crowded))  # noqa: S314  our own text
    lines = [(node.get("stroke"), node.get("points")) for node in drawn.iter(f"{SVG}polyline")]
    pale = [number for number, (stroke, _) in enumerate(lines) if stroke == "#F0E442"]
    assert len(pale) == 2  # the curve, and the line to its name
    assert all(lines[number - 1] == ("currentColor", lines[number][1]) for number in pale)


def test_the_best_of_a_column_is_marked_only_where_values_differ(analysed_pictures, tmp_path):
    table = (
        write_analysis(analysed_pictures, tmp_path).read_text().partition('id="quality"')[2].partition("</table>")[0]
    )
    assert table.count("★") == 3  # the ARI of one space; every other measure is the same everywhere


def test_numbers_of_sums_are_short(analysed_pictures, tmp_path):
    sums = write_analysis(analysed_pictures, tmp_path).read_text().partition('id="sums"')[2].partition("<section")[0]
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", sums)
    assert captions
    assert all("e+" not in caption and "-" not in caption and len(caption) <= 12 for caption in captions)


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium: pages are not measured in a browser")
@pytest.mark.parametrize("fixture", ["analysed_pictures", "analysed_texts"])
def test_no_analysis_is_wider_than_a_telephone(tmp_path, request, fixture):
    path = write_analysis(request.getfixturevalue(fixture), tmp_path)
    assert scroll_width(path, 390, tmp_path) == "390 in 390"


def curves():
    """A compression curve of two spaces with long names, and of codecs."""
    pictures = np.random.default_rng(0).integers(0, 256, (8, 20, 16), dtype=np.uint8)
    names = ["pixels+deep-ae:1000-500-250-30,epochs=200,minutes=7,shift=1", "pixels+pca:256", "JPEG, files",
             "JPEG, without headers", "WebP, one mosaic", "JPEG 2000, one mosaic"]  # fmt: skip
    return Curves("a corpus <b>", pictures, 9, "held out", [
        Curve(name, "pixels" in name, [
            Point(setting="1 bit", bytes_per_item=4.0 * 2**(step + number), once=10**7, quality=Quality(9 / 2**step, 20 + step, 0.9),
                  compress_seconds=0.001, decompress_seconds=1e-6, shown=pictures)
            for step in range(6)
        ])
        for number, name in enumerate(names)
    ])  # fmt: skip


def test_labels_of_a_compression_curve_do_not_overlap():
    for measure in FIGURES:
        require_readable(curve_svg(curves(), measure))


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium: pages are not measured in a browser")
@pytest.mark.parametrize("width", [390, 1280])
def test_no_compression_curve_is_wider_than_its_window(tmp_path, width):
    path = write_curves(curves(), {"command": "nearby"}, tmp_path)
    assert "a corpus &lt;b&gt;" in path.read_text()
    assert scroll_width(path, width, tmp_path) == f"{width} in {width}"


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium: pages are not printed")
def test_columns_of_many_spaces_are_readable_on_paper(tmp_path, documents, crowded):
    text = Shown("1", None, "theory of aircraft structural models under heating", "an investigation is made " * 3)
    answers = [replace(documents.examples[0].answers[0][0], shown=text)] * 5
    path = write_page(replace(crowded, examples=[Example(text, [answers] * 9)] * 4), tmp_path / "report.html")
    subprocess.run([*BROWSER, f"--user-data-dir={tmp_path / 'profile'}", "--no-pdf-header-footer",
                    f"--print-to-pdf={tmp_path / 'page.pdf'}", path.as_uri()], capture_output=True, timeout=120, check=True)  # fmt: skip
    pages = len(re.findall(rb"/Type /Page\b", (tmp_path / "page.pdf").read_bytes()))
    assert pages <= 20  # all columns beside each other need 29
