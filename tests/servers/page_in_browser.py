"""The page of the service in a real browser, and texts that no page may run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chromium import complaints, sized
from running_service import Client
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.support.ui import WebDriverWait

#: Texts and ids that would run, break out of an element, or be taken for a formula or an option.
HOSTILE = [
    ("<img src=x onerror=hacked()>", "<script>hacked()</script> heat & <b>wing</b>", "<i onclick=hacked()>label</i>"),
    ("=1+1", "'\"><svg onload=hacked()> heat in a wing", "=cmd|' /C calc'!A0"),
    ("-rf it's", "Heat {{constructor.constructor('hacked()')()}} of a plate", "plain"),
    ("@a/b?c#d%20&e=f", "javascript:hacked() heat of the flow", "plain"),
    ("long", "heat" + "wing" * 200, "plain"),
    ("\u05d0\u05d1 $(hacked)", "\u05e9\u05dc\u05d5\u05dd heat \u202e wing", "plain"),
]

#: A map needs more items.
PLAIN = [
    (f"plain {number}", f"plate {number} of {number % 7} shells, layer {number % 5}", "plain") for number in range(60)
]


@dataclass
class Page:
    """The page in a browser, at an address of the service."""

    browser: Any
    client: Client

    def show(self, state: str = "", width: int = 1280, height: int = 900) -> None:
        sized(self.browser, width, height)
        self.browser.get("about:blank")
        self.browser.get(f"{self.origin}/{state}")
        self.settled()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.client.port}"

    def until(self, condition: Any, seconds: float = 60) -> Any:
        return WebDriverWait(self.browser, seconds, 0.05, [StaleElementReferenceException]).until(lambda _: condition())

    def settled(self) -> None:
        """Wait until the view is there and nothing is busy."""
        self.until(
            lambda: self.script(
                "const busy = [...document.querySelectorAll('.busy')].some(e => e.offsetParent);"
                "const seen = (e) => e.offsetParent && e.getBoundingClientRect().top < innerHeight;"
                "const absent = (e) => e.src && !e.complete && seen(e);"
                "return document.querySelector('.view') && !busy && ![...document.querySelectorAll('img')].some(absent)"
            )
        )

    def console_may_complain(self) -> None:
        """Forget what the console has said: a browser calls a reply of 4xx an error, also where a test wants one."""
        complaints(self.browser)

    def script(self, text: str, *arguments: Any) -> Any:
        return self.browser.execute_script(text, *arguments)

    def module(self, path: str, expression: str, *arguments: Any) -> Any:
        """Return the value of an expression with a module of the page as ``m`` and the arguments as ``a``."""
        return self.browser.execute_async_script(
            f"const a = arguments; const done = a[a.length - 1];"
            f"import('/page/{path}').then((m) => ({expression})).then(done, (e) => done('failed: ' + e))",
            *arguments,
        )

    def one(self, selector: str) -> Any:
        return self.browser.find_element("css selector", selector)

    def every(self, selector: str) -> list[Any]:
        return self.browser.find_elements("css selector", selector)

    def texts(self, selector: str) -> list[str]:
        return [one.text for one in self.every(selector)]

    def choose(self, selector: str, value: str) -> None:
        """Choose a value, as a person does."""
        self.script(
            "const one = document.querySelector(arguments[0]); one.value = arguments[1];"
            "one.dispatchEvent(new Event('change'))",
            selector, value,
        )  # fmt: skip

    @property
    def address(self) -> str:
        return str(self.browser.current_url).removeprefix(self.origin + "/")
