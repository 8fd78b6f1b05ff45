"""A form is sent once and for all: kept before anybody is told, the same however often it is sent, never shut out for good."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from channels.web_form.questions import CHECK
from ingest.contract import DeclaredFacts, Trace, Verdict, trace_of
from ingest.errors import Unavailable
from ingest.ids import reference
from tests.channels.web_form.conftest import FILLED_IN, House, Person, Serving
from tests.servers.clamd import VIRUS, Clamd

SHORT: dict[str, dict[str, Any]] = {
    "purpose": {"purpose": "question"},
    "address": {"no_address": "none"},
    "email": {},
    "telephone": {},
    "adjustments": {},
}
"""The fewest questions there are."""
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


@pytest.mark.parametrize("language", ["en", "cy"])
async def test_what_is_filled_in_and_sent_is_a_contact_with_every_answer_in_its_field(house: House, language: str) -> None:
    person = Person(house, language)
    await person.fill_in()
    await person.send()
    assert person.where == "confirmation"
    (contact,) = await house.contacts()
    assert person.reference() == reference(contact.id)
    assert contact.declared == DeclaredFacts.model_validate(
        {
            "asks_for": "feedback",
            "feedback_type": "decision",
            "review_criteria": [
                {"name": "inaccurate_facts", "evidence": "You say I was seen on 3 May. I was not."},
                {"name": "overlooked_information", "evidence": "My letter of 4 June is not mentioned."},
            ],
            "name": "Ada Pargeter",
            "address": ["4 Wharf Lane", "Derby"],
            "postcode": "DE80 4PT",
            "date_of_birth": "1961-02-07",
            "email": "Ada.Pargeter@example.org",
            "phone": "(01632) 960-001",
            "case_reference": "p-0123456",
            "contacted_before": True,
            "remedy_sought": "I want an apology.",
            "preferred_method": "letter",
            "unsafe_ways": [{"method": "sms", "words": "My neighbour has my mobile."}],
            "reasonable_adjustments": ["large_print", "extra_time", "Size 18 please."],
        }
    )
    assert contact.text.startswith("You took nine months over my case.\nNobody told me why.")
    assert (contact.language, contact.warnings, contact.account) == (language, (), "care")
    original = json.loads(await house.originals.get(contact.original))
    assert original["answers"]["name"] == "Ada Pargeter"
    assert await house.rows("SELECT count(*) FROM receipts") == [(1,)]


async def test_a_form_is_of_the_trace_in_which_it_was_sent(house: House) -> None:
    trace = {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}
    person = Person(house, headers=trace)
    await person.fill_in()
    await person.send()
    (found,) = await house.log.read("contacts", after={}, most=10)
    assert trace_of(found.record) == Trace(**trace)


async def test_the_confirmation_says_what_happens_and_by_when_and_can_be_saved_and_taken_away(
    house: House, person: Person
) -> None:
    await person.fill_in()
    await person.send()
    assert "We will tell you that we have it by 9:30am on Wednesday 4 March 2026." in person.page.text
    assert "within 10 working days" in person.page.text
    kept = await person.client.get("/confirmation.txt")
    assert kept.headers["content-disposition"] == f'attachment; filename="reference-{person.reference()}.txt"'
    assert person.reference() in kept.text
    await person.post("confirmation", {"then": "forget"})
    assert person.where == ""
    assert (await person.see("confirmation")).url.path == "/"
    assert len(await house.contacts()) == 1


async def test_what_was_sent_leaves_nothing_of_its_answers_in_the_draft(house: House, person: Person) -> None:
    await person.fill_in(SHORT)
    ((before,),) = await house.rows("SELECT length(sealed) FROM drafts")
    await person.send()
    ((after,),) = await house.rows("SELECT length(sealed) FROM drafts")
    assert after < before
    assert await house.rows("SELECT count(*) FROM uploads") == [(0,)]


# faults-and-bad-input, section 3: form


async def test_row_16_a_body_that_is_too_large_is_refused_before_it_is_read(serving: Serving) -> None:
    async with serving(web={"most_body_bytes": 65_536}) as house:
        person = Person(house)
        await person.see("feedback/purpose")
        await person.post("feedback/purpose", {"purpose": "x" * 70_000})
        assert person.page.status_code == 413
        assert "what you sent is too large" in person.page.text
        assert await house.rows("SELECT count(*) FROM drafts") == [(0,)]


@pytest.mark.parametrize("cut", [10, 60, 300])
async def test_row_17_a_truncated_multipart_is_refused_and_nothing_of_it_kept(house: House, person: Person, cut: int) -> None:
    await person.fill_in(SHORT, until="files")
    whole = person.client.build_request(
        "POST", "/feedback/files", data={**person.hidden(), "add": "add"}, files={"file": ("letter.pdf", PDF * 10)}
    )
    answer = await person.client.post(
        "/feedback/files", content=whole.read()[:-cut], headers={"content-type": whole.headers["content-type"]}
    )
    assert answer.status_code == 400
    assert "we could not read what you sent" in answer.text
    assert await house.rows("SELECT count(*) FROM uploads") == [(0,)]


async def test_row_18_sent_twice_it_is_one_contact_and_the_same_page(house: House, person: Person) -> None:
    await person.fill_in(SHORT)
    fields = person.hidden()
    first = await person.client.post("/check", data=fields, follow_redirects=True)
    again = await person.client.post("/check", data=fields, follow_redirects=True)
    assert (first.status_code, first.url.path) == (again.status_code, again.url.path) == (200, "/confirmation")
    said = [_without_tokens(each) for each in (first, again)]
    assert said[0] == said[1]
    assert len(await house.contacts()) == 1


async def test_row_18_sent_many_times_at_once_it_is_one_contact(house: House, person: Person) -> None:
    await person.fill_in(SHORT)
    fields = person.hidden()
    answers = await asyncio.gather(*(person.client.post("/check", data=fields) for _ in range(8)))
    assert {each.headers.get("location") for each in answers} == {"/confirmation"}
    contacts = await house.contacts()
    assert len({(each.id, each.original) for each in contacts}) == 1, "by which the router knows a repeat on the log"
    assert await house.rows("SELECT count(*) FROM receipts") == [(1,)]


async def test_row_19_changed_after_it_was_sent_it_is_refused_and_what_was_sent_stands(house: House, person: Person) -> None:
    await person.fill_in(SHORT)
    fields = person.hidden()
    await person.send()
    told = person.reference()
    changed = await person.client.post("/check", data={**fields, "answers": "0" * 64})
    assert changed.status_code == 409
    assert told in changed.text
    page = await person.client.post("/feedback/name", data={**fields, "name": "Eve"})
    assert page.status_code == 409
    assert len(await house.contacts()) == 1
    await person.see("confirmation")
    assert person.reference() == told


async def test_row_19_changed_in_another_window_before_it_was_sent_it_is_shown_again_first(
    house: House, person: Person
) -> None:
    await person.fill_in(SHORT)
    fields = person.hidden()
    await person.see("feedback/name?change=1")
    await person.post("feedback/name?change=1", {"name": "Ada Rees"})
    assert person.where == CHECK
    stale = await person.client.post("/check", data=fields)
    assert stale.status_code == 409
    assert await house.contacts() == []
    await person.see(CHECK)
    await person.send()
    (contact,) = await house.contacts()
    assert contact.sender.name == "Ada Rees"


async def test_row_20_an_address_is_only_claimed(house: House, person: Person) -> None:
    await person.fill_in({"email": {"email": "somebody.else@example.org"}})
    await person.send()
    (contact,) = await house.contacts()
    assert [each.verified_by for each in contact.sender.identifiers] == [None, None]


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("a%00b", "a&lt;U+0000&gt;b"),
        ("half %ED%A0%BD here", "&lt;U+FFFD&gt;"),
        ("pay%E2%80%AEfdp.exe", "pay&lt;U+202E&gt;fdp.exe"),
    ],
)
async def test_row_21_characters_that_hide_are_shown_kept_and_looked_at(
    house: House, person: Person, sent: str, shown: str
) -> None:
    await person.fill_in(SHORT, until="what-happened")
    token = person.hidden()["token"]
    form = {"content-type": "application/x-www-form-urlencoded"}
    await person.client.post("/feedback/what-happened", content=f"token={token}&what_happened={sent}", headers=form)
    await person.fill_in({**SHORT, "what-happened": {}}, until="what-happened")
    assert shown in person.page.text
    await person.see("feedback/files")
    while person.where != CHECK:
        await person.post(person.where, {**FILLED_IN, **SHORT}[person.where.removeprefix("feedback/")])
    assert shown in person.page.text
    await person.send()
    (contact,) = await house.contacts()
    assert [each.partition(":")[0] for each in contact.warnings] == ["not-read"]


async def test_row_22_line_ends_in_a_name_are_refused_and_the_field_is_named(house: House, person: Person) -> None:
    await person.fill_in(SHORT, until="name")
    await person.post("feedback/name", {"name": "Ada\r\nBcc: everybody@example.org"})
    assert person.page.status_code == 422
    assert person.errors() == ["Full name must be on one line"]
    assert "<title>Error: What is your name?" in person.page.text


async def test_row_54_a_session_that_ends_amid_a_page_keeps_what_stands_on_it(house: House, person: Person) -> None:
    await person.fill_in(SHORT, until="what-happened")
    fields = {**person.hidden(), "what_happened": "An hour's work."}
    house.clock.pass_by(timedelta(hours=25))
    person.client.cookies.clear()  # as a browser does by then
    person.page = await person.client.post("/feedback/what-happened", data=fields)
    assert person.page.status_code == 403
    assert "Your session ended before this page was kept" in person.page.text
    assert "An hour&#39;s work." in person.page.text
    await person.post("feedback/what-happened", {"what_happened": "An hour's work."})
    assert person.where == "feedback/purpose", "what came before it is asked again"
    await person.post("feedback/purpose", SHORT["purpose"])
    assert "An hour&#39;s work." in person.page.text


async def test_row_54_a_session_that_is_old_and_not_over_goes_on(house: House, person: Person) -> None:
    await person.fill_in(SHORT, until="what-happened")
    house.clock.pass_by(timedelta(hours=23))
    await person.post("feedback/what-happened", {"what_happened": "Slowly written."})
    house.clock.pass_by(timedelta(hours=23))
    await person.see("feedback/what-happened")
    assert "Slowly written." in person.page.text


@pytest.mark.parametrize("token", ["", "x", "{other}"])
async def test_row_55_a_page_that_is_not_ours_is_refused_and_changes_nothing(house: House, token: str) -> None:
    eve, ada = Person(house), Person(house)
    await eve.see("feedback/purpose")
    await ada.fill_in(SHORT, until="what-happened")
    forged = token.format(other=eve.hidden()["token"])
    answer = await ada.client.post("/feedback/what-happened", data={"token": forged, "what_happened": "Not hers."})
    assert answer.status_code == 403
    await ada.see("feedback/what-happened")
    assert "Not hers." not in ada.page.text


async def test_row_55_what_another_site_posts_is_refused_whatever_it_carries(house: House, person: Person) -> None:
    await person.see("feedback/purpose")
    answer = await person.client.post(
        "/feedback/purpose", data={**person.hidden(), "purpose": "question"}, headers={"sec-fetch-site": "cross-site"}
    )
    assert answer.status_code == 403
    assert await house.rows("SELECT count(*) FROM drafts") == [(0,)]


# Robots, limits and what is away


async def test_a_field_that_people_do_not_see_is_no_reason_to_drop_anything(house: House, person: Person) -> None:
    await person.fill_in({**SHORT, "name": {"name": "SEO", "website": "https://spam.example"}})
    await person.send()
    assert person.where == "confirmation"
    (contact,) = await house.contacts()
    assert contact.warnings == ("suspected-robot: a field was filled in that people do not see",)


async def test_what_is_filled_in_faster_than_a_person_reads_says_so(serving: Serving) -> None:
    async with serving({"quickest": "30m"}) as house:
        person = Person(house)
        await person.fill_in(SHORT)
        await person.send()
        (contact,) = await house.contacts()
        assert contact.warnings == ("suspected-robot: it was filled in faster than a person reads it",)


async def test_past_the_limit_of_a_network_the_next_waits_with_its_answers_kept_and_comes_through(serving: Serving) -> None:
    async with serving({"most_an_hour": 2}) as house:
        for _ in range(2):
            before = Person(house)
            await before.fill_in(SHORT)
            await before.send()
        person = Person(house)
        await person.fill_in(SHORT)
        await person.send()
        assert person.page.status_code == 503
        wait = int(person.page.headers["retry-after"])
        assert "Your answers are kept: try again in 30 minutes" in person.page.text
        house.clock.pass_by(timedelta(seconds=wait))
        await person.see(CHECK)
        await person.send()
        assert person.where == "confirmation"
        assert len(await house.contacts()) == 3


async def test_while_we_cannot_take_it_in_nothing_is_said_and_the_answers_are_kept(house: House, person: Person) -> None:
    await person.fill_in(SHORT)
    fields = person.hidden()
    house.away += [Unavailable("log-unavailable", "kafka-7 did not answer"), ValueError("Ada Pargeter")]
    for status, said in ((503, "Sorry, the service is unavailable"), (500, "Sorry, there is a problem with the service")):
        answer = await person.client.post("/check", data=fields)
        assert answer.status_code == status
        assert said in answer.text
        assert "kafka-7" not in answer.text
    assert await house.contacts() == []
    answer = await person.client.post("/check", data=fields)
    assert answer.headers["location"] == "/confirmation"
    assert len(await house.contacts()) == 1


async def test_what_cannot_answer_is_asked_again_later(house: House, person: Person) -> None:
    await person.fill_in(SHORT)
    house.away += [Unavailable("log-unavailable", "away")]
    await person.send()
    assert person.page.headers["retry-after"]
    assert 'href="/check"' in person.page.text


# Uploads


async def test_a_file_comes_with_the_contact_under_a_name_that_is_no_path(house: House, person: Person) -> None:
    await person.fill_in(SHORT, until="files")
    await person.post("feedback/files", {"add": "add"}, files={"file": ("../../etc/pass\u200bwd.pdf", PDF)})
    assert "passwd.pdf" in person.page.text
    await person.post("feedback/files", {"go": "on"}, files={"file": ("", b"")})
    while person.where != CHECK:
        await person.post(person.where, {**FILLED_IN, **SHORT}[person.where.removeprefix("feedback/")])
    await person.send()
    (contact,) = await house.contacts()
    (attachment,) = contact.attachments
    assert (attachment.name, attachment.content_type, attachment.verdict) == (
        "passwd.pdf",
        "application/pdf",
        Verdict.UNSCANNED,
    )
    assert await house.originals.get(attachment.digest) == PDF
    assert await house.rows("SELECT count(*) FROM uploads") == [(0,)]


async def test_files_wait_as_long_as_the_answers_beside_them(house: House, person: Person) -> None:
    await person.fill_in(SHORT, until="files")
    await person.post("feedback/files", {"add": "add"}, files={"file": ("letter.pdf", PDF)})
    await person.post("feedback/files", {"go": "on"}, files={"file": ("", b"")})
    (added,) = await house.rows("SELECT at FROM uploads")
    house.clock.pass_by(timedelta(hours=20))
    await person.post(person.where, {**FILLED_IN, **SHORT}[person.where.removeprefix("feedback/")])
    (since,) = await house.rows("SELECT at FROM uploads")
    assert since > added


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The selected file is empty"),
        (b"<html><script>alert(1)</script>", "The selected file must be a PDF or TXT"),
        (PDF + b"0" * 20_000, "The selected file must be smaller than 0.02MB"),
        (
            b"%PDF-1.4\n2 0 obj<</Filter/Standard/V 1/R 2/O(x)/U(y)/P -4>>endobj\ntrailer<</Encrypt 2 0 R>>\n%%EOF\n",
            "The selected file is password protected",
        ),
    ],
)
async def test_what_is_wrong_with_a_file_is_said_as_the_design_system_says_it(
    serving: Serving, content: bytes, said: str
) -> None:
    async with serving(uploads={"most_bytes": 20_000, "types": ["pdf", "txt"]}) as house:
        person = Person(house)
        await person.fill_in(SHORT, until="files")
        await person.post("feedback/files", {"add": "add"}, files={"file": ("letter.pdf", content)})
        assert (person.page.status_code, person.errors()) == (422, [said])
        assert await house.rows("SELECT count(*) FROM uploads") == [(0,)]


@pytest.mark.needs("clamd")
async def test_a_file_with_a_virus_is_refused_and_a_clean_one_may_be_opened(serving: Serving, clamd: Clamd) -> None:
    async with serving(scan={"clamd": clamd.settings().clamd}) as house:
        person = Person(house)
        await person.fill_in(SHORT, until="files")
        await person.post("feedback/files", {"add": "add"}, files={"file": ("notes.txt", b"Notes. " + VIRUS)})
        assert person.errors() == ["The selected file contains a virus"]
        await person.post("feedback/files", {"add": "add"}, files={"file": ("notes.txt", b"Notes.")})
        assert await house.rows("SELECT label, verdict FROM uploads") == [("notes.txt", "clean")]


async def test_of_several_files_the_good_are_kept_and_the_others_named(serving: Serving) -> None:
    async with serving(uploads={"most_files": 2}) as house:
        person = Person(house)
        await person.fill_in(SHORT, until="files")
        files = [("file", (f"{each}.txt", each.encode())) for each in ("one", "two", "three")]
        await person.post("feedback/files", {"add": "add"}, files=[("file", ("none.txt", b"")), *files])
        assert person.errors() == [
            "none.txt: The selected file is empty",
            "three.txt: You can only select up to 2 files at the same time",
        ]
        assert "one.txt" in person.page.text
        digest = _button(person.page, "one.txt")
        await person.post("feedback/files", {"remove": digest})
        assert "one.txt" not in person.page.text
        assert "two.txt" in person.page.text


async def test_adding_no_file_is_told_and_going_on_without_one_is_no_mistake(person: Person) -> None:
    await person.fill_in(SHORT, until="files")
    await person.post("feedback/files", {"add": "add"}, files={"file": ("", b"")})
    assert person.errors() == ["Select a file"]
    await person.post("feedback/files", {"go": "on"}, files={"file": ("", b"")})
    assert person.where == "feedback/for-whom"


def _button(page: httpx.Response, name: str) -> str:
    return (
        page.text[: page.text.index(f'Remove<span class="govuk-visually-hidden"> {name}')]
        .rpartition('value="')[2]
        .partition('"')[0]
    )


def _without_tokens(page: httpx.Response) -> str:
    return "\n".join(line for line in page.text.splitlines() if 'name="token"' not in line)
