"""The browser and axe-core find what they are there to find: a page that is sound passes, one that is not is told of."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio
from playwright.async_api import Browser
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from ingest.web import Route, serve
from tests.servers.browser import violations, visiting
from tests.servers.loopback import free_ports, listens

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]

PAGE = """<!doctype html><html lang="en"><head><title>What is your name?</title></head><body><main>
<h1>What is your name?</h1><form method="post">{field}<button>Continue</button></form></main></body></html>"""
LABELLED = '<label for="name">Full name</label><input id="name" name="name">'
UNLABELLED = '<input id="name" name="name">'
STRICT = {"Content-Security-Policy": "default-src 'self'; script-src 'self'"}


def page(field: str) -> Route:
    async def answer(_: Request) -> Response:
        return HTMLResponse(PAGE.format(field=field), headers=STRICT)

    return ("GET", "/sound" if field == LABELLED else "/tracking" if "img" in field else "/unlabelled", answer)


@pytest_asyncio.fixture(loop_scope="session")
async def site() -> AsyncGenerator[str]:
    (port,) = free_ports(1)
    stopping = asyncio.Event()
    tracking = f'{LABELLED}<img alt="" src="https://tracker.example.net/pixel.gif">'
    serving = asyncio.create_task(serve(f"127.0.0.1:{port}", [page(LABELLED), page(UNLABELLED), page(tracking)], stopping))
    while not await asyncio.to_thread(listens, port):
        await asyncio.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    stopping.set()
    await serving


@pytest.mark.parametrize("width", [320, 1280])
async def test_nothing_is_found_wrong_with_a_sound_page_of_strict_policy(browser: Browser, site: str, width: int):
    async with visiting(browser, width=width) as sound:
        await sound.goto(f"{site}/sound")
        assert await sound.evaluate("innerWidth") == width
        assert await violations(sound) == []


async def test_a_field_without_a_label_is_found(browser: Browser, site: str):
    async with visiting(browser) as unsound:
        await unsound.goto(f"{site}/unlabelled")
        (found,) = await violations(unsound)
    assert found.startswith('label: <input id="name" name="name">: ')


async def test_a_page_is_read_without_its_scripts(browser: Browser, site: str):
    async with visiting(browser, scripts=False) as plain:
        await plain.goto(f"{site}/sound")
        assert await plain.get_by_label("Full name").get_attribute("name") == "name"


async def test_a_page_that_asks_another_host_is_found_though_its_policy_forbids_it(browser: Browser, site: str):
    with pytest.raises(AssertionError, match="tracker"):
        async with visiting(browser) as tracking:
            await tracking.goto(f"{site}/tracking")
