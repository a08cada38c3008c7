"""The grammar of an index's description, and what it chooses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from encoders.codes import Kind, Metric, Space
from encoders.errors import OptionError, UnknownNameError
from indexers.description import parse_description
from indexers.exact import Exact
from indexers.registry import check_description, create_index

DENSE = Space(4, Kind.DENSE, Metric.COSINE)


@pytest.mark.parametrize(
    ("text", "name", "backend", "parameters"),
    [
        ("exact", "exact", "", {}),
        ("faiss:Flat", "faiss", "Flat", {}),
        ("faiss:IVF256,PQ16?nprobe=16", "faiss", "IVF256,PQ16", {"nprobe": "16"}),
        ("faiss:HNSW32?efSearch=64&efConstruction=200", "faiss", "HNSW32", {"efSearch": "64", "efConstruction": "200"}),
        ("elasticsearch:http://h:9200/news?num_candidates=200", "elasticsearch", "http://h:9200/news", {"num_candidates": "200"}),
        ("elasticsearch:http://h/a?b=c?x=1", "elasticsearch", "http://h/a?b=c", {"x": "1"}),
        ("elasticsearch:http://h/a?b=c?", "elasticsearch", "http://h/a?b=c", {}),
        ("x?url=http://h", "x", "", {"url": "http://h"}),
    ],
)  # fmt: skip
def test_descriptions(text: str, name: str, backend: str, parameters: dict[str, str]) -> None:
    assert parse_description(text) == (name, backend, parameters)


@pytest.mark.parametrize(
    "text", ["faiss:HNSW8?efSearch", "faiss:HNSW8?=3", "faiss:HNSW8?efSearch=", "exact?a=1&a=2", "exact?a=1&"]
)
def test_bad_parameters(text: str) -> None:
    with pytest.raises(OptionError):
        parse_description(text)


class Shelf(Exact):
    """An index whose backend string is any path, and whose parameters are any text."""

    name = "shelf"

    def _configure(self, backend: str) -> None:
        pass

    def _set_parameter(self, key: str, value: str) -> None:
        pass


TEXTS = st.text(min_size=1) | st.text("?&%=:/a", min_size=1)


@given(st.just("") | TEXTS, st.dictionaries(TEXTS, TEXTS, max_size=3))
def test_a_description_makes_the_same_index_again_whatever_its_path_and_values_are(
    backend: str, parameters: dict[str, str]
) -> None:
    index = Shelf(DENSE, backend, parameters)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("indexers.registry.index_class", {"shelf": Shelf}.__getitem__)
        again = create_index(index.description, DENSE)
    assert (again.backend, again.parameters, again.description) == (backend, parameters, index.description)


@pytest.mark.parametrize(
    ("kind", "metric", "chosen"),
    [
        (Kind.DENSE, Metric.EUCLIDEAN, "exact"),
        (Kind.BINARY, Metric.HAMMING, "exact"),
        (Kind.SPARSE, Metric.COSINE, "sparse"),
        (Kind.SPARSE, Metric.DOT, "sparse"),
        (Kind.SPARSE, Metric.EUCLIDEAN, "exact"),
    ],
)
@pytest.mark.parametrize("description", [None, "auto"])
def test_auto_chooses_by_the_space(kind: Kind, metric: Metric, chosen: str, description: str | None) -> None:
    assert create_index(description, Space(4, kind, metric)).description == chosen


@pytest.mark.parametrize(
    "description", ["exact:something", "exact?k=3", "sparse?k=3", "auto:Flat", "auto?k=3", "faiss:Flat?k=3"]
)
def test_what_an_index_does_not_take_is_refused(description: str) -> None:
    kind = Kind.SPARSE if description.startswith("sparse") else Kind.DENSE
    with pytest.raises(OptionError):
        create_index(description, Space(4, kind, Metric.COSINE))


def test_unknown_names() -> None:
    with pytest.raises(UnknownNameError, match="unknown index 'fais'; did you mean 'faiss'"):
        create_index("fais:Flat", DENSE)
    with pytest.raises(UnknownNameError):
        create_index("", DENSE)
    with pytest.raises(OptionError, match="at least 1 component"):
        create_index(None, Space(0, Kind.DENSE, Metric.DOT))


@pytest.mark.parametrize("text", ["HNSW32", "IVF100,Flat", "Flat", "BHash16", "OPQ16,PQ16"])
def test_a_factory_string_without_its_library_is_recognised(text):
    with pytest.raises(UnknownNameError, match=f"did you mean 'faiss:{text}'"):
        check_description(text)


@pytest.mark.parametrize(
    ("description", "message"),
    [
        ("exact?k=3", "'exact' takes no search parameters; got 'k'"),
        (
            "faiss:IVF4,Flat?nprob=3",
            r"'faiss:IVF4,Flat' has no search parameter 'nprob'; did you mean 'nprobe'\? Its search parameters: nprobe",
        ),
        ("faiss:BHash8?flips=3", "'faiss:BHash8' has no search parameter 'flips'; did you mean 'nflip'"),
        ("faiss:Flat?nprobe=3", "'faiss:Flat' takes no search parameters; got 'nprobe'"),
    ],
)
def test_an_unknown_parameter_names_those_that_exist(description: str, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        check_description(description)
