import base64
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from encoders.errors import ArtifactError, BadItemError
from retrieval.experiment.result import Example
from retrieval.report.figures.pictures import data_uri
from retrieval.report.html import comparison as page_module
from retrieval.report.html.comparison import write_page
from retrieval.search.result import Answer, Shown

VOID = {"meta", "img", "br", "wbr"}


class Tree(HTMLParser):
    """Reads a page strictly: every tag closed in turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        assert len(dict(attrs)) == len(attrs), f"an attribute twice in <{tag}>"
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    def all(self, tag: str) -> Iterator[dict[str, str | None]]:
        return (attributes for found, attributes in self.tags if found == tag)


@pytest.fixture
def read(tmp_path):
    def write(*comparisons) -> tuple[str, Tree]:
        text = write_page(list(comparisons), tmp_path / "report.html").read_text(encoding="utf-8")
        return text, Tree(text)

    return write


def test_the_page_loads_nothing_and_runs_nothing(read, pictures, documents):
    text, tree = read(pictures, documents)
    names = {tag for tag, _ in tree.tags}
    assert not names & {"script", "link", "iframe", "object", "embed", "base", "form", "video", "audio"}
    for _, attributes in tree.tags:
        assert not [name for name in attributes if name.startswith("on")]
        assert (attributes.get("src") or "data:image/png;base64,").startswith("data:image/png;base64,")
        assert (attributes.get("href") or "#").startswith("#")
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL).group(1)
    assert "url(" not in style
    assert "@import" not in style
    assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)", text)


def test_text_of_the_corpus_is_escaped(read, documents):
    text, tree = read(documents)
    assert "<script" not in text
    assert '"onmouseover=' not in text
    assert "<script>alert(1)</script>" in tree.words
    assert "\x00" not in text


def test_links_and_labels_lead_somewhere(read, pictures, documents):
    _, tree = read(pictures, documents)
    ids = [attributes["id"] for _, attributes in tree.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in tree.tags:
        wanted = [(attributes.get("href") or "#")[1:], *(attributes.get("aria-labelledby") or "").split()]
        assert set(filter(None, wanted)) <= set(ids)


def test_pictures_have_words_and_relevance_a_sign(read, pictures):
    text, tree = read(pictures)
    images = list(tree.all("img"))
    assert len(images) == 2 * (1 + 3 * 10)
    assert images[0]["alt"] == "Query digit-0, label 0"
    assert all(image["alt"] and image["class"] == "pixel" for image in images)
    assert text.count("✗") == text.count(">not relevant, <") + 1  # one stands in the legend
    assert text.count("not relevant, ") == 2 * 3 * 5


def test_documents_beyond_the_fifth_open_on_a_click(read, documents):
    _, tree = read(documents)
    assert len(list(tree.all("details"))) == 3
    assert tree.words.count("2 more") == 3


def test_the_parts_stand_in_order(read, pictures):
    text, _ = read(pictures)
    parts = [
        "does not differ significantly from it.</h2>",
        "<table",
        "Precision, recall",
        "same neighbours?",
        "Examples</h3>",
        "How it was",
    ]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    assert "nearby compare digits -s pixels" in text
    assert "pixels+pca:30,seed=0" in re.sub("<wbr>", "", text)


def test_the_same_comparison_gives_the_same_bytes(tmp_path, pictures):
    first = write_page(pictures, tmp_path / "a.html").read_bytes()
    assert write_page([pictures], tmp_path / "deep" / "b.html").read_bytes() == first


def test_large_pictures_shrink_until_the_page_is_small(read, compare):
    rng = np.random.default_rng(0)

    def shown() -> Shown:
        return Shown("photo", None, picture=rng.integers(0, 256, (120, 200, 3), dtype=np.uint8))

    example = Example(shown(), [[Answer(shown(), 0, 1, None) for _ in range(10)] for _ in range(3)])
    text, tree = read(compare(examples=[example] * 12))
    assert len(text.encode()) < 5_000_000
    assert len(list(tree.all("img"))) == 12 * 31


def test_examples_are_left_out_last_and_it_is_said(pictures, monkeypatch, tmp_path):
    whole = len(write_page(pictures, tmp_path / "a.html").read_bytes())
    monkeypatch.setattr(page_module, "MAX_BYTES", whole - 1)
    text = write_page(pictures, tmp_path / "b.html").read_text()
    assert "1 more examples are left out" in text


def test_a_page_without_examples_overlaps_or_spaces(read, compare, three):
    read(compare(three[:1]))
    read(compare([]))
    read(compare([replace(space, measures={}, per_query={}) for space in three]))
    read()


def test_rows_of_several_indexes_are_named_and_a_curve_that_cannot_be_had_is_said(read, compare, in_two_indexes):
    words = " ".join(" ".join(read(compare(in_two_indexes))[1].words).split())
    assert "No curve for pixels @ elasticsearch:http://localhost:9200/x and pixels+pca:30 @ elastic" in words
    assert "the index does not rank all items" in words
    assert "searched by exact and elasticsearch:http://localhost:9200/x" in words
    assert "No curve for" in read(compare(in_two_indexes[1::2]))[0]


def test_a_failed_write_leaves_the_old_page(tmp_path, pictures, monkeypatch):
    path = tmp_path / "report.html"
    path.write_text("old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("encoders.atomic_write.os.fsync", full)
    with pytest.raises(ArtifactError, match=r"cannot write .*report\.html: No space left"):
        write_page(pictures, path)
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]


@pytest.mark.parametrize("shape", [(8, 8), (8, 5, 3), (28, 28, 1)])
def test_a_small_picture_is_kept_pixel_by_pixel(shape):
    picture = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    address = data_uri(picture)
    read_back = np.asarray(Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))))
    assert np.array_equal(read_back, picture.squeeze())


def test_a_large_picture_keeps_its_shape():
    address = data_uri(np.zeros((300, 200, 3), dtype=np.uint8))
    assert Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))).size == (64, 96)


@pytest.mark.parametrize("bad", [np.zeros((2, 2)), np.zeros((2, 2, 5), np.uint8), np.zeros((0, 3), np.uint8)])
def test_what_is_no_picture_is_refused(bad):
    with pytest.raises(BadItemError, match="a picture is uint8"):
        data_uri(bad)
