"""Addresses: what is read is what is written, and what is none says why."""

from __future__ import annotations

import pytest

from encoders.errors import OptionError
from indexers.description import parse_description
from indexers.elasticsearch.address import ALGORITHMS, Address


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("http://a/news", "http://a:9200/news"),
        ("https://a:1/x-1_2.3", "https://a:1/x-1_2.3"),
        ("http://a:9200,https://b:1/news,replicas=0,m=32", "http://a:9200,https://b:1/news,m=32,replicas=0"),
        ("http://[::1]:9200/n,bbq_flat,shards=3,ef_construction=7", "http://[::1]:9200/n,bbq_flat,ef_construction=7,shards=3"),
        ("http://gate/elastic/news", "http://gate:9200/elastic/news"),
        *((f"http://a:9200/n,{name}", f"http://a:9200/n,{name}") for name in ALGORITHMS if name != "hnsw"),
    ],
)  # fmt: skip
def test_written_as_read(text, written):
    address = Address.read(text)
    assert str(address) == written
    assert Address.read(str(address)) == address


def test_the_parts():
    address = Address.read("http://a:1,http://b:2/news,int8_hnsw,m=4,ef_construction=9,shards=3,replicas=2")
    assert address == Address(("http://a:1", "http://b:2"), "news", "int8_hnsw", 4, 9, 3, 2)
    assert Address.read("http://a/news").replicas is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "needs the URL of a server and a name, as in"),
        ("news", "needs the URL of a server and a name"),
        ("http://localhost:9200", "needs the URL of a server and a name"),
        ("http://localhost:9200/", "'' is not a name of an index"),
        ("http://a/News", "'News' is not a name"),
        ("http://a/_all", "'_all' is not a name"),
        ("http://a/a*b", "is not a name"),
        ("http://a/" + "a" * 201, "is not a name"),
        ("http://a/news.next", "names that end in '.next' are for unfinished loads"),
        ("ftp://a/news", "'ftp://a' is not a URL of a server"),
        ("a:9200/news", "'a:9200' is not a URL of a server"),
        ("http://a:99999/news", "'http://a:99999' is not a URL"),
        ("http://a?x=1/news", "is not a URL"),
        ("http://a,b/news", "'b' is not a URL"),
        ("http://a/news,hsnw", "'hsnw' is not an option of an Elasticsearch index; known: hnsw, int8_hnsw"),
        ("http://a/news,efconstruction=3", "'efconstruction=3' is not an option"),
        ("http://a/news,bbq_disk", "'bbq_disk' is not an option"),
        ("http://a/news,m=1", "m should be a whole number from 2 to 1,024; got '1'"),
        ("http://a/news,shards=0", "shards should be a whole number from 1"),
        ("http://a/news,replicas=-1", "replicas should be a whole number from 0"),
        ("http://a/news,m=x", "got 'x'"),
        ("http://a/news,m=4,m=5", "given twice in 'news,m=4,m=5'"),
        ("http://a/news,flat,hnsw", "given twice"),
    ],
)
def test_what_is_none_says_why(text, said):
    with pytest.raises(OptionError) as caught:
        Address.read(text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "host",
    [
        "http://eve:geheim@a:9200", "https://a,http://eve:geheim@b", "http://eve@geheim", "eve:geheim@a", "eve:geheim@a:1",
        "http://eve:ge/heim@a", "http://eve:geheim#@a", "http://#geheim@a", "http://eve:geheim@a:99999", "ftp://eve:geheim@a",
        "http://eve:geheim@a:port", "http://eve:geheim", "eve:geheim", "http:/eve:geheim@a", "//eve:geheim@a", "http://[geheim",
        "http://eve:geheim@[::1", "http://eve:ge,heim@a", "http://eve:geheim?@a", "http://eve:geheim%40a:x",
    ],
)  # fmt: skip
def test_what_may_be_a_password_is_refused_and_not_repeated(host):
    for text in (f"{host}/news", f"{host}/news,flat", f"{host}/news?x=1", f"{host}/news?x"):
        with pytest.raises(OptionError) as caught:
            Address.read(parse_description(f"elasticsearch:{text}").backend)
        assert "geheim" not in str(caught.value) or "[" in host
        assert "heim@" not in str(caught.value)


def test_a_password_in_the_address_says_where_it_belongs():
    with pytest.raises(OptionError, match=r"user and password out of the address.*NEARBY_ELASTICSEARCH_PASSWORD"):
        Address.read("http://eve:geheim@a:9200/news")


@pytest.mark.parametrize("path", ["..", ".", "x/..", "a/./b", "a//b", "%2e%2e", "a b", "a\\b"])
def test_a_path_that_leads_elsewhere(path):
    with pytest.raises(OptionError, match="is not a URL of a server"):
        Address.read(f"http://a:9200/{path}/news")
