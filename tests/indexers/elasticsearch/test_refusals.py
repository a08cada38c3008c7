"""What is refused while one loads and searches on the real server: one sentence with its cure."""

from __future__ import annotations

import numpy as np
import pytest

from encoders.codes import Kind, Metric, Space
from encoders.errors import OptionError, ServerError
from indexers.elasticsearch.bulk import Bulk
from indexers.elasticsearch.index_admin import write_alias
from indexers.elasticsearch.ownership import COMPARISON, unserved_indexes
from indexers.registry import create_index, load_index

DENSE = Space(16, Kind.DENSE, Metric.COSINE)
NODES = {"nodes": {"a": {"version": "8.19.0"}}}


@pytest.mark.parametrize(
    ("parameter", "match"),
    [("num_candidates=0", "from 1 to 10,000"), ("num_candidates=1.5", "whole number"), ("rescore=yes", "true or false"),
     ("oversample=x", "from 1 to 100"), ("ef=3", "no search parameter 'ef'")],
)  # fmt: skip
def test_wrong_search_parameters(parameter, match):
    with pytest.raises(OptionError, match=match):
        create_index(f"elasticsearch:http://localhost:9200/news?{parameter}", DENSE)


# -- on the real server ----------------------------------------------------------------------------------------------


@pytest.fixture
def index(elasticsearch_url, index_name):
    made = create_index(f"elasticsearch:{elasticsearch_url}/{index_name},flat", DENSE)
    made.add(["a", "b"], np.eye(2, 16, dtype=np.float32))
    return made


def test_an_index_that_was_removed_is_not_made_again_by_a_load(elasticsearch_client, index):
    name = index.index_name
    elasticsearch_client.indices.delete(index=name)
    with pytest.raises(ServerError, match="was removed during the load"):
        index.add(["c"], np.eye(1, 16, dtype=np.float32))
    assert not elasticsearch_client.indices.exists(index=name)
    with pytest.raises(ServerError, match="no such index"):
        index.search(np.eye(1, 16, dtype=np.float32), 1)


def test_a_document_that_is_refused_is_named_and_the_others_go_in(index):
    refused = []
    admin = index.admin
    with Bulk(admin.client, admin.address.hosts, write_alias(index.index_name), refused.append) as bulk:
        bulk.put("wide", b'{"place": 7, "code": [1, 2]}')
        bulk.put("strange", b'{"place": 8, "unknown": 1}')
        bulk.put("good", b'{"place": 9}')
    assert [str(error).split(":")[0] for error in refused] == [
        f"Elasticsearch refuses item '{id}'" for id in ("wide", "strange")
    ]
    assert bulk.acknowledged == 1


def test_an_index_whose_maker_was_killed_is_stale_until_it_is_saved(index, tmp_path):
    index.search(np.eye(1, 16, dtype=np.float32), 1)
    (stale,), kept = unserved_indexes(index.admin)
    assert (stale.name, stale.documents, stale.maker, kept) == (index.index_name, 2, COMPARISON, [])
    index.save(tmp_path / "saved")
    stale, (kept,) = unserved_indexes(index.admin)
    assert (stale, kept.name, kept.reason) == ([], index.index_name, "for the saved folder that names it")
    assert len(load_index(tmp_path / "saved")) == 2
