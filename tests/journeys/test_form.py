"""Somebody fills in the form by keyboard alone, and the register has every answer in its field, whether or not scripts run."""

import asyncio
import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from ingest.contract import FeedbackRecord, Handoff
from tests.bench.webhooks import accounts
from tests.channels.web_form.conftest import Person
from tests.journeys.house import Installation
from tests.servers.browser import visiting
from tests.servers.loopback import plain_client
from tests.servers.providers import Twilio

pytestmark = [pytest.mark.journey, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

FORM = """
[channels.web_form.care]
contact = "care@ombudsman.example"
quickest = "1ms"
"""
INDIVIDUALS = """\
person_id,given_name,surname,date_of_birth,address_1,address_2,town,postcode,email,phone
R2001,Ada,Pargeter,1961-02-07,4 Wharf Lane,,Derby,DE80 4PT,ada.pargeter@example.org,01632 960001
"""
CASES = """\
case_reference,person_id,status,stage,owner_email,organisation
P-0123456,R2001,closed,decided,a.dunmore@ombudsman.example,Wexcombe General Hospital
"""
ANSWERS: tuple[tuple[str, str, str | tuple[str, ...]], ...] = (
    ("purpose", "purpose", ("feedback",)),
    ("about", "about", ("mixed",)),
    ("what-happened", "what_happened", "You took nine months over my case. Nobody told me why. Then you decided against me."),
    ("inaccurate-facts", "inaccurate_facts", "You say I was seen on 3 May. I was not."),
    ("new-information", "new_information", "The ward has found its register since."),
    ("overlooked-information", "overlooked_information", "My letter of 4 June is not mentioned."),
    ("remedy", "remedy", "I want an apology, and the decision looked at again."),
    ("files", "", ()),
    ("for-whom", "for_whom", ("somebody",)),
    ("other-person", "other_name", "Idris Pargeter"),
    ("authority", "authority", ("power_of_attorney",)),
    ("name", "name", "Ada Pargeter"),
    ("date-of-birth", "date_of_birth-day", "7"),
    ("date-of-birth", "date_of_birth-month", "2"),
    ("date-of-birth", "date_of_birth-year", "1961"),
    ("address", "address_1", "4 Wharf Lane"),
    ("address", "town", "Derby"),
    ("address", "postcode", "DE80 4PT"),
    ("email", "email", "ada.pargeter@example.org"),
    ("telephone", "telephone", "(01632) 960-001"),
    ("safe", "unsafe_ways", ("telephone", "sms")),
    ("safe", "unsafe_words", "My neighbour has my mobile."),
    ("reply", "reply", ("letter",)),
    ("contacted-before", "contacted_before", ("yes",)),
    ("case-reference", "case_reference", "P-0123456"),
    ("adjustments", "adjustments", ("large_print", "extra_time")),
    ("adjustments", "adjustments_other", "Size 18 please."),
)
FOCUSED = """() => {
    const it = document.activeElement;
    return [it.getAttribute("name"), it.getAttribute("value"), it.innerText.trim()];
}"""
"""The name, the value and the words of what has the focus."""


@pytest.fixture
def home(tmp_path: Path) -> Generator[Installation]:
    """An installation of which the form and the router run."""
    it = Installation.without_mail(tmp_path / "home", ("web", "router"), FORM)
    yield it
    it.stop()


@pytest.mark.needs("chromium")
@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
async def test_a_form_filled_in_by_keyboard_alone_becomes_a_record_with_every_answer(
    browser: Browser, home: Installation, scripts: bool
) -> None:
    for name, rows in (("individuals", INDIVIDUALS), ("cases", CASES)):
        (home.folder / f"{name}.csv").write_text(rows)
        taken = await asyncio.to_thread(home.command, "register", "import", f"--{name}", str(home.folder / f"{name}.csv"))
        assert taken.returncode == 0, taken.stderr
    home.start()
    await asyncio.to_thread(home.ready)
    async with visiting(browser, scripts=scripts) as page:
        await page.goto(f"http://127.0.0.1:{home.processes['service'].public}/")
        await tab_to(page, "Start now")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/feedback/purpose")
        for at, (name, field, given) in enumerate(ANSWERS):
            await answer(page, field, given)
            if at + 1 == len(ANSWERS) or ANSWERS[at + 1][0] != name:
                await tab_to(page, "Continue")
                await page.keyboard.press("Enter")
                await page.wait_for_url(lambda url, name=name: not url.endswith(f"/{name}"))
        assert page.url.endswith("/check")
        await tab_to(page, "Send")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/confirmation")
        told = await page.locator(".govuk-panel__body strong").inner_text()
    await asyncio.to_thread(home.wait_for, "SELECT count(*) FROM feedback_records", 1, 30)
    ((reference, body),) = home.rows("SELECT reference, body FROM feedback_records")
    record = FeedbackRecord.model_validate_json(body)
    assert (reference, record.reference) == (told, told)
    assert what_was_said(record) == {
        "channel": "web_form",
        "name_given": "Ada Pargeter",
        "address_given": "4 Wharf Lane, Derby, DE80 4PT",
        "phone_given": "(01632) 960-001",
        "email_given": "ada.pargeter@example.org",
        "date_of_birth_given": "1961-02-07",
        "type": "mixed",
        "review_criteria": [
            {"name": "inaccurate_facts", "evidence": "You say I was seen on 3 May. I was not."},
            {"name": "new_information", "evidence": "The ward has found its register since."},
            {"name": "overlooked_information", "evidence": "My letter of 4 June is not mentioned."},
        ],
        "remedy_sought": "I want an apology, and the decision looked at again.",
        "contacted_before_said": True,
        "case_reference": "P-0123456",
        "reasonable_adjustments": ["large_print", "extra_time", "Size 18 please."],
        "agreed_method": "letter",
        "unsafe_ways": [
            {"method": "telephone", "words": "My neighbour has my mobile."},
            {"method": "sms", "words": "My neighbour has my mobile."},
        ],
        "on_behalf_of": {"name": "Idris Pargeter", "identifiers": []},
        "authority": "I have power of attorney, or am their deputy",
        "represented": None,
        "under_18": None,
        "legal_clock": None,
        "missing": [],
    }
    assert any("nine months" in each for each in record.key_points)


async def test_whoever_turns_out_to_want_another_body_looked_into_reaches_intake_with_what_they_wrote(
    home: Installation,
) -> None:
    home.start()
    await asyncio.to_thread(home.ready)
    person = Person(f"http://127.0.0.1:{home.processes['service'].public}")
    said = "My uncle was left on a trolley for a night."
    await person.fill_in({"about": {"about": "another_body"}, "what-happened": {"what_happened": said}})
    await person.send()
    assert "We will pass your complaint to our Intake team." in person.page.text
    await asyncio.to_thread(home.wait_for, "SELECT count(*) FROM handoffs WHERE team = 'intake'", 1, 30)
    ((body,),) = home.rows("SELECT body FROM handoffs")
    handoff = Handoff.model_validate_json(body)
    assert handoff.reference == person.reference()
    assert said in handoff.text
    assert handoff.reasonable_adjustments[:2] == ("large_print", "extra_time")


async def test_what_a_program_seems_to_have_filled_in_waits_for_a_person_and_is_not_dropped(home: Installation) -> None:
    home.start()
    await asyncio.to_thread(home.ready)
    person = Person(f"http://127.0.0.1:{home.processes['service'].public}", "cy")
    await person.fill_in({"purpose": {"purpose": "question", "website": "https://spam.example"}})
    await person.send()
    await asyncio.to_thread(home.wait_for, "SELECT count(*) FROM tasks", 1, 30)
    assert home.rows("SELECT kind, state FROM tasks") == [("review", "open")]
    assert home.number("SELECT count(*) FROM outgoing WHERE audience = 'person' AND state != 'held'") == 0


async def test_whoever_is_lost_beside_webhooks_is_shown_a_page(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    folder.mkdir()
    it = Installation.without_mail(folder, ("web",), accounts(folder, Twilio()) + FORM)
    try:
        it.start()
        await asyncio.to_thread(it.ready)
        async with plain_client(base_url=it.doors[0]) as client:
            lost, unsigned = await client.get("/nowhere"), await client.post("/social/care", content=b"{}")
        assert (lost.status_code, lost.headers["content-type"].partition(";")[0]) == (404, "text/html")
        assert (unsigned.status_code, unsigned.headers["content-type"]) == (401, "application/problem+json")
    finally:
        it.stop()


def what_was_said(record: FeedbackRecord) -> dict[str, Any]:
    """The record without what it has of us: ids, times, what is held and what was read."""
    ours = {"id", "reference", "contact_ids", "received_at", "recorded_at", "individual_id", "name_held", "address_held", "key_points",
            "contacted_before_held", "promises_broken", "organisation_complained_of"}  # fmt: skip
    return json.loads(record.model_dump_json(exclude=ours))


async def answer(page: Page, field: str, given: str | tuple[str, ...]) -> None:
    """Fill in one field by keyboard: words are typed, one of several is arrowed to, and boxes are ticked with the space bar."""
    if isinstance(given, str):
        await tab_to(page, field)
        await page.keyboard.type(given)
        return
    for each in given:
        choice = page.locator(f"[name={field}][value={each}]")
        if await choice.get_attribute("type") == "checkbox":
            await tab_to(page, field, each)
            await page.keyboard.press("Space")
            continue
        await tab_to(page, field)
        await page.keyboard.press("Space")
        while not await choice.is_checked():
            await page.keyboard.press("ArrowDown")


async def tab_to(page: Page, name: str, value: str | None = None) -> None:
    """Press Tab until what has the focus has that name, or says it, and has that value where one is given."""
    for _ in range(80):
        await page.keyboard.press("Tab")
        its_name, its_value, its_words = await page.evaluate(FOCUSED)
        if name in (its_name, its_words) and value in (None, its_value):
            return
    raise AssertionError(f"the keyboard does not reach {name} on {page.url}")
