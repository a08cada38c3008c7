"""All documents are read once, in order, also when the server forgets in between what is read."""

from __future__ import annotations

import pytest

from indexers.elasticsearch.address import Address
from indexers.elasticsearch.index_admin import IndexAdmin
from indexers.elasticsearch.paginate import _PointInTime, read_documents
from indexers.elasticsearch.query import COLUMNS

#: Place of each document; some share one, as two may who add at once.
PLACES = [0, 1, 2, 2, 3, 3, 4, 5, 6, 7]


@pytest.fixture
def admin(elasticsearch_url, elasticsearch_client, index_name):
    fields = {"place": {"type": "long"}, "key": {"type": "keyword"}, "own_id": {"type": "keyword"}}
    elasticsearch_client.indices.create(index=index_name, mappings={"properties": fields})
    for number, place in enumerate(PLACES):
        elasticsearch_client.index(index=index_name, id=str(number), document={"place": place})
    elasticsearch_client.index(index=index_name, id="a record", document={})
    elasticsearch_client.indices.refresh(index=index_name)
    return IndexAdmin(Address.read(f"{elasticsearch_url}/{index_name}"))


@pytest.mark.parametrize("page", [1, 3, 10, 11])
def test_every_document_once(admin, page):
    hits = list(read_documents(admin, admin.address.name, page=page))
    assert [hit["fields"]["place"] for hit in hits] == [[place] for place in PLACES]
    assert len({hit["_id"] for hit in hits}) == len(PLACES)


@pytest.mark.parametrize("lost_after", range(4))
def test_a_view_that_is_lost_is_taken_up_where_it_was(admin, elasticsearch_client, lost_after):
    view, hits, pages = _PointInTime(admin, admin.address.name, None, (), 3, COLUMNS), [], 0
    while not view.ended:
        hits += view.page()
        if pages == lost_after:
            elasticsearch_client.close_point_in_time(id=view.id)
        pages += 1
    view.close()
    assert [hit["fields"]["place"] for hit in hits] == [[place] for place in PLACES]
    assert len({hit["_id"] for hit in hits}) == len(PLACES)
