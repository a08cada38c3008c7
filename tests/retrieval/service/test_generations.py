"""A collection that changes on disk is answered from its newest generation, and the old one's files go."""

from __future__ import annotations

import json
import shutil
import threading
import time
from contextlib import closing
from pathlib import Path

from running_service import running

from encoders.base import Encoder
from retrieval.collection.open import open_collection
from retrieval.corpora.base import Item
from retrieval.search.query import text_query
from retrieval.search.request import SearchRequest
from retrieval.service import open_collections
from retrieval.service.dispatch import Dispatcher
from retrieval.service.open_collections import OpenCollections
from retrieval.service.settings import Settings


def test_new_items_answer_and_no_request_is_lost(collections, tmp_path):
    folder = tmp_path / "texts"
    shutil.copytree(collections["texts"], folder)
    statuses: list[int] = []
    with running(Settings({"texts": str(folder)})) as client:
        ended = threading.Event()

        def ask() -> None:
            while not ended.is_set():
                statuses.append(client.post("/v1/collections/texts/search", {"query": {"text": "wing"}}).status)

        asking = threading.Thread(target=ask)
        asking.start()
        for number in range(3):
            with open_collection(folder) as before:
                before.put([Item(f"new{number}", f"a wing that is new {number}")])[0].close()
            found = client.post("/v1/collections/texts/search", {"query": {"id": f"new{number}"}, "k": 1})
            assert found.status == 200, found.content
        with open_collection(folder) as before:
            before.delete(["new0"]).close()
        assert client.get("/v1/collections/texts/items?id=new0").status == 404
        with open_collection(folder) as before:
            before.add_space("bow").close()
        assert "bow" in [one["spec"] for one in client.get("/v1/collections/texts").json["spaces"]]
        ended.set()
        asking.join()
        assert set(statuses) == {200}
        last = json.loads(client.get("/v1/collections/texts").content)["generation"]
        end = time.monotonic() + 10
        while len(list((folder / "generations").iterdir())) > 2 and time.monotonic() < end:
            time.sleep(0.1)
    assert last in [int(path.name) for path in (folder / "generations").iterdir()]


def test_a_collection_that_is_gone_does_not_hide_the_others(collections, tmp_path):
    folder = tmp_path / "texts"
    shutil.copytree(collections["texts"], folder)
    with running(Settings({"gone": str(folder), "texts": collections["texts"]})) as client:
        folder.rename(tmp_path / "elsewhere")
        gone, there = client.get("/v1/collections").json["collections"]
    assert (gone["name"], gone["items"]) == ("gone", 0)
    assert "cannot be opened" in gone["error"]
    assert (there["name"], there["items"], "error" in there) == ("texts", 6, False)


def test_a_new_generation_is_answered_without_reading_its_encoders_again(collections, tmp_path, monkeypatch):
    folder = tmp_path / "texts"
    shutil.copytree(collections["texts"], folder)
    read: list[Path] = []
    load = Encoder.load
    monkeypatch.setattr(Encoder, "load", staticmethod(lambda path: (read.append(Path(path)), load(path))[1]))
    opened = OpenCollections({"texts": folder})
    specs = list(opened.collection("texts").spaces)
    asked = SearchRequest()
    asked.answer(opened.collection("texts"), text_query(opened.collection("texts"), "wing"))
    assert len(read) == len(specs)
    with open_collection(folder) as before:
        before.put([Item("new", "a wing that is new")])[0].close()  # which reads the encoders, to encode the item
    read.clear()
    found = asked.answer(opened.collection("texts"), text_query(opened.collection("texts"), "wing")).found
    assert read == []
    assert all("new" in [one.shown.id for one in space.answers] for space in found)
    opened.close()


def test_a_start_opens_every_collection_once_and_keeps_it(collections, monkeypatch):
    opened: list[str] = []

    def counting(folder):
        opened.append(str(folder))
        return open_collection(folder)

    monkeypatch.setattr(open_collections, "open_collection", counting)
    settings = Settings(collections)
    with closing(Dispatcher.of(settings)) as dispatcher:
        dispatcher.require_all()
        with running(settings, dispatcher) as client:
            assert client.post("/v1/collections/texts/search", {"query": {"text": "wing"}}).status == 200
            assert client.get("/v1/collections").status == 200
    assert opened == list(collections.values())
