"""Every page of the form, one after the other in a real browser, each with what can be wrong on it."""

from collections.abc import AsyncGenerator, Mapping
from typing import Any

from playwright.async_api import APIResponse, Page

from channels.web_form.questions import BY_NAME, CHECK, FILES
from ingest.errors import Unavailable
from tests.channels.web_form.conftest import FILLED_IN, House

AS_ANOTHER = {
    "for-whom": {"for_whom": "somebody"},
    "authority": {"authority": "other"},
    "other-authority": {"authority_other": "I am her neighbour, and she asked me."},
}
FAULTY: Mapping[str, Mapping[str, Any]] = {
    "email": {"email": "ada at example.org"},
    "telephone": {"telephone": "none"},
    "date-of-birth": {"date_of_birth-day": "30", "date_of_birth-month": "2", "date_of_birth-year": "1961"},
    "inaccurate-facts": {"inaccurate_facts": "word " * 1_001},
    "remedy": {"remedy": "word " * 301},
    "case-reference": {"case_reference": "P" * 51},
}
"""For pages on which nothing has to be filled in, what may not be."""


async def every_page(page: Page, house: House, language: str, pdf: str) -> AsyncGenerator[tuple[str, Page]]:
    """Each page by its name while it is seen, errors included; ``pdf`` is the path of a file that may be sent."""
    at = f"{house.url}/cy" if language == "cy" else house.url
    for name in ("", "accessibility", "cookies", "privacy", "nowhere"):
        answer = await page.goto(f"{at}/{name}".rstrip("/"))
        assert answer is not None
        assert answer.status == (404 if name == "nowhere" else 200)
        yield name or "start", page
    await page.goto(f"{at}/feedback/purpose")
    given = {**FILLED_IN, **AS_ANOTHER}
    while (name := page.url.partition("?")[0].rpartition("/")[2]) != CHECK:
        yield name, page
        if name == FILES:
            await page.locator("[name=add]").click()
            yield f"{name}, with an error", page
            await page.set_input_files("[name=file]", pdf)
            await page.locator("[name=add]").click()
            yield f"{name}, with one", page
            await page.locator("[name=go]").click()
            continue
        if name in FAULTY:
            await fill_in(page, name, FAULTY[name])
        await go_on(page)
        if page.url.rpartition("/")[2] == name:
            yield f"{name}, with an error", page
        if page.url.rpartition("/")[2] == name:
            await fill_in(page, name, given[name])
            await go_on(page)
    yield CHECK, page
    other = await page.context.new_page()
    await other.goto(f"{at}/{CHECK}")
    await other.evaluate("document.querySelector('[name=token]').value = 'x'")
    await go_on(other)
    yield "forbidden", other
    await page.evaluate("document.querySelector('[name=answers]').value = 'x'")
    await go_on(page)
    yield "changed", page
    house.away += [Unavailable("log-unavailable", "away"), ValueError()]
    for name in ("unavailable", "failed"):
        await page.goto(f"{at}/{CHECK}")
        await go_on(page)
        yield name, page
    await page.goto(f"{at}/{CHECK}")
    await other.goto(f"{at}/{CHECK}")
    await go_on(page)
    yield "confirmation", page
    await other.evaluate("document.querySelector('[name=answers]').value = 'x'")
    await go_on(other)
    yield "sent-already", other


async def new_complaint(page: Page, house: House, language: str) -> AsyncGenerator[tuple[str, Page]]:
    """What only those are asked who complain about somebody else."""
    at = f"{house.url}/cy" if language == "cy" else house.url
    await page.goto(f"{at}/feedback/purpose")
    await fill_in(page, "purpose", {"purpose": "new_complaint"})
    await go_on(page)
    assert page.url.endswith("/organisation")
    yield "organisation", page
    await go_on(page)
    yield "organisation, with an error", page


async def answers_without_a_page(page: Page, house: House, language: str) -> AsyncGenerator[tuple[str, Page]]:
    """What is answered to requests that no page of ours sends, shown as if one had; the last is that too many came."""
    at = f"{house.url}/cy" if language == "cy" else house.url
    html, form = {"content-type": "multipart/form-data; boundary=b"}, {"content-type": "application/x-www-form-urlencoded"}
    for name, status, headers, body in (
        ("malformed", 400, html, b"--b"),
        ("no form", 415, {"content-type": "text/plain"}, b"x"),
        ("too large", 413, form, b"x" * 12_000_000),
        ("not to be posted", 405, form, b""),
    ):
        where = "" if status == 405 else "feedback/purpose"
        answer = await page.request.post(f"{at}/{where}".rstrip("/"), data=body, headers=headers)
        assert answer.status == status, name
        await show(page, f"{house.url}/shown", answer)
        yield name, page
    for _ in range(5):
        await page.context.clear_cookies()
        await page.goto(f"{at}/feedback/purpose")
        await fill_in(page, "purpose", {"purpose": "question"})
        await go_on(page)
    assert page.url.endswith("/feedback/purpose")
    yield "too many", page


async def show(page: Page, url: str, answer: APIResponse) -> None:
    """Have the page show what was answered."""
    await page.route(url, lambda route: route.fulfill(response=answer))
    await page.goto(url)
    await page.unroute(url)


async def go_on(page: Page) -> None:
    """By the page's last button, which goes on."""
    await page.locator("form button").last.click()


async def fill_in(page: Page, name: str, given: Mapping[str, Any]) -> None:
    """What is given for each field of a page, as a person fills it in."""
    kinds = {field.name: field.kind for field in BY_NAME[name].fields}
    for field, value in given.items():
        if kinds.get(field) in ("choice", "choices"):
            for each in [value] if isinstance(value, str) else value:
                await page.locator(f"[name={field}][value={each}]").check()
        else:
            await page.locator(f"[name={field}]").fill(value)
