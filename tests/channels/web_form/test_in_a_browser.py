"""Each page in a real browser: sound by axe-core in both languages, and within 320 CSS pixels (WCAG 2.2, 1.4.10)."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from tests.channels.web_form.conftest import Serving
from tests.channels.web_form.walk import answers_without_a_page, every_page, go_on, new_complaint
from tests.servers.browser import violations, visiting

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(400)]

PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


@pytest.fixture
def pdf(tmp_path: Path) -> str:
    path = tmp_path / "letter.pdf"
    path.write_bytes(PDF)
    return str(path)


@pytest.mark.parametrize("language", ["en", "cy"])
async def test_every_page_is_sound_and_fits_a_small_screen(browser: Browser, serving: Serving, pdf: str, language: str) -> None:
    promised = {"organisation": "Parliamentary Ombudsman", "organisation_cy": "Yr Ombwdsmon", "telephone": "0345 015 4033"}
    seen: list[str] = []
    async with (
        serving({"most_an_hour": 1}, acknowledgement=promised) as house,
        visiting(browser) as first,
        visiting(browser) as second,
    ):
        for walk in (
            every_page(first, house, language, pdf),
            new_complaint(second, house, language),
            answers_without_a_page(second, house, language),
        ):
            async for name, page in walk:
                seen.append(name)
                assert await violations(page) == [], name
                assert await width_on(page, 320) <= 320, f"{name} is wider than the screen"
    assert len(seen) > 55
    assert {"start", "nowhere", "forbidden", "changed", "unavailable", "failed", "sent-already", "confirmation"} <= set(seen)


async def width_on(page: Page, width: int) -> int:
    """How wide the page is on a screen of so many CSS pixels."""
    before = page.viewport_size
    assert before is not None
    await page.set_viewport_size({"width": width, "height": 600})
    found = await page.evaluate("document.documentElement.scrollWidth")
    await page.set_viewport_size(before)
    return found


async def test_the_summary_of_what_is_wrong_has_the_focus_and_leads_to_the_field(browser: Browser, serving: Serving) -> None:
    async with serving() as house, visiting(browser) as page:
        await page.goto(f"{house.url}/feedback/purpose")
        await go_on(page)
        assert await page.title() == "Error: What do you want to do? – Give feedback or make a complaint – Customer Care"
        assert await page.evaluate("document.activeElement.className") == "govuk-error-summary"
        await page.get_by_role("link", name="Select what you want to do").click()
        assert await page.evaluate("document.activeElement.id") == "purpose"


async def test_our_own_scripts_run_and_no_other_under_the_pages_policy(browser: Browser, serving: Serving) -> None:
    refused: list[str] = []
    async with serving() as house, visiting(browser) as page:
        page.on("console", lambda message: refused.append(message.text) if message.type == "error" else None)
        await page.goto(f"{house.url}/feedback/purpose")
        assert await page.evaluate("document.body.classList.contains('govuk-frontend-supported')")
        assert refused == []
        await page.evaluate(
            "document.body.append(Object.assign(document.createElement('script'), {text: 'window.ran = true'}))"
        )
        assert await page.evaluate("window.ran") is None
        assert len(refused) == 1
