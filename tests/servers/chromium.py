"""A real Chromium, driven by Selenium: Debian's browser with the driver that belongs to it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

BROWSER, DRIVER = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-extensions",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip

#: For places of a canvas, counted from its left and top: the largest contrast of the pixels around each with the paper.
CONTRAST = """
const [selector, places] = arguments;
const canvas = document.querySelector(selector);
const paper = getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number);
const light = (colour) => colour.map((part) => part / 255)
  .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
  .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
const contrast = (at) => {
  const cover = data[at + 3] / 255;
  const seen = paper.map((part, n) => part + cover * (data[at + n] - part));
  const [low, high] = [light(seen), light(paper)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
};
const around = [-4, -3, -2, -1, 0, 1, 2, 3, 4];
return places.map(([x, y]) => Math.max(...around.flatMap((right) => around.map(
  (down) => contrast(4 * ((Math.round(y) + down) * canvas.width + Math.round(x) + right))))));
"""


@contextmanager
def chromium() -> Iterator[Any]:
    """Yield a driver whose log holds messages of the console and every request."""
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    options = ChromeOptions()
    options.binary_location = BROWSER
    for option in OPTIONS:
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = Chrome(options=options, service=Service(DRIVER))
    try:
        yield driver
    finally:
        driver.quit()


def sized(driver: Any, width: int, height: int) -> None:
    """Give the page a size, and below 600 pixels the fingers of a telephone."""
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
    )


def drawn(driver: Any) -> Any:
    """Wait until a page's explorers are there: a module draws them, which may run after the page has loaded."""
    from selenium.webdriver.support.ui import WebDriverWait

    every = "return [...document.querySelectorAll('[data-explorer]')].every((one) => one.querySelector('select'))"
    WebDriverWait(driver, 20).until(lambda _: driver.execute_script(every))
    return driver


def complaints(driver: Any) -> list[str]:
    """Return the errors and warnings of the console since the last call."""
    return [entry["message"] for entry in driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]


def requests(driver: Any) -> list[str]:
    """Return the addresses that the page asked for since the last call."""
    messages = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    return [one["params"]["request"]["url"] for one in messages if one["method"] == "Network.requestWillBeSent"]
