"""A real Chromium, without a window, that reaches nothing but the loopback; and what axe-core finds wrong with a page in it.

A test that uses it shares the session's event loop: ``pytest.mark.asyncio(loop_scope="session")``.
"""

import asyncio
import os
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, async_playwright

TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
"""The rules of axe-core that go with WCAG 2.2, level AA."""

_HOSTS = ("127.0.0.1", "localhost", "::1")
_BINARY = shutil.which("chromium-headless-shell") or shutil.which("chromium")
_ARGUMENTS = (
    "--no-sandbox",  # it refuses to be root otherwise
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--host-resolver-rules=MAP * ~NOTFOUND, {', '.join(f'EXCLUDE {each}' for each in _HOSTS)}",
)


async def running_browser() -> AsyncGenerator[Browser]:
    """The body of a fixture: a browser for as long as it is wanted; skipped where there is none, failed where CI is set."""
    if _BINARY is None:
        (pytest.fail if "CI" in os.environ else pytest.skip)(
            "Chromium is missing: install it with: apt-get install chromium-headless-shell"
        )
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=_BINARY, args=list(_ARGUMENTS))
        yield browser
        await browser.close()


@asynccontextmanager
async def visiting(browser: Browser, *, width: int = 1280, scripts: bool = True, **more: Any) -> AsyncGenerator[Page]:
    """A page with cookies of its own, which at the end has asked nothing of any host but this one.

    ``width`` is the window's, in CSS pixels; ``more`` goes to Playwright's ``new_context``.
    """
    context = await browser.new_context(viewport={"width": width, "height": 800}, java_script_enabled=scripts, **more)
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    try:
        yield await context.new_page()
        elsewhere = [each for each in asked if not _is_here(each)]
        assert not elsewhere, f"the page asked another host: {elsewhere}"
    finally:
        await context.close()


def _is_here(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in {"data", "blob", "about"} or parts.hostname in _HOSTS


async def violations(page: Page) -> list[str]:
    """What is wrong with the page by WCAG 2.2 AA, as far as axe-core can tell: the rule, the element, and what the rule wants.

    The page must have been opened with scripts: without them axe-core never comes to an end.
    """
    options = {"runOnly": {"type": "tag", "values": list(TAGS)}, "resultTypes": ["violations"]}
    async with asyncio.timeout(30):
        await page.wait_for_load_state()  # else it may be asked of a page that is just going
        await page.evaluate(Axe().axe_script)
        # What is in order too would be most of what goes over the wire.
        found = await page.evaluate("async options => (await axe.run(options)).violations", options)
    return [f"{rule['id']}: {node['html']}: {rule['help']}" for rule in found for node in rule["nodes"]]
