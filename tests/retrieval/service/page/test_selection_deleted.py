"""From a line around items to `nearby delete`, as the page says it is done."""

from __future__ import annotations

import shutil
import subprocess
import sys
from urllib.parse import quote

from chromium import complaints
from page_in_browser import HOSTILE, Page
from running_service import running

from retrieval.service.settings import Settings


def test_the_command_that_the_page_shows_removes_the_selection(browser, shown_collections, tmp_path):
    """Every id is hostile: quotes, spaces, a leading dash."""
    folder = tmp_path / "to be shortened"
    shutil.copytree(shown_collections["one-space"], folder)
    nearby = tmp_path / "nearby"
    nearby.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cli "$@"\n')
    nearby.chmod(0o700)
    with running(Settings({"short": str(folder)})) as client:
        page = Page(browser, client)
        browser.execute_cdp_cmd("Page.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
        ids = [id for id, _, _ in HOSTILE]
        before = client.get("/v1/collections/short").json["items"]
        picks = "".join(f"&pick={quote(id, safe='')}" for id in ids)
        page.show(f"?collection=short&view=map{picks}")
        assert page.one(".selection h3").text == f"{len(ids)} items selected"
        page.one(".selection .buttons button:nth-of-type(2)").click()
        page.until((tmp_path / "short-ids.txt").exists)
        command = page.one(".selection .note code").text.replace("nearby", str(nearby)).replace("FOLDER", f"'{folder}'")
        subprocess.run(["sh", "-c", command], cwd=tmp_path, check=True, env={"PYTHONPATH": ":".join(sys.path)})
        page.until(lambda: client.get("/v1/collections/short").json["items"] == before - len(ids))
        for id in ids:
            assert client.get(f"/v1/collections/short/items?id={quote(id, safe='')}").status == 404
        browser.refresh()
        page.settled()
        assert not page.one(".selection").is_displayed()
    assert complaints(browser) == []
