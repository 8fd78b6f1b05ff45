"""What the pages let nobody do: run a script, go elsewhere, see another's answers, or be led into somebody else's session."""

import re
from datetime import timedelta
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from channels.web_form.pages import ASSETS, read_assets
from channels.web_form.questions import CHECK, PAGES
from channels.web_form.seal import Seals, Session
from ingest.errors import Misconfigured
from tests.channels.web_form.conftest import FILLED_IN, KEY, House, Person, Serving
from tests.channels.web_form.test_sending import SHORT

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; alert(1); '",
    "</textarea><svg onload=alert(1)>",
    "<style>@import 'https://evil.example/x.css'</style>",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:alert(1)//https://evil.example",
    "<a href=https://evil.example>click</a>",
)


@pytest.mark.parametrize("hostile", HOSTILE)
async def test_nothing_that_is_written_becomes_part_of_a_page(house: House, person: Person, hostile: str) -> None:
    given: dict[str, dict[str, Any]] = {
        "name": {"name": hostile},
        "what-happened": {"what_happened": hostile},
        "email": {"email": hostile},
        "address": {"address_1": hostile, "town": hostile},
        "adjustments": {"adjustments_other": hostile},
    }
    await person.fill_in({**SHORT, **given}, until="email")
    await person.post("feedback/email", {"email": hostile})
    assert person.page.status_code == 422
    _is_harmless(person.page.text, hostile)
    await person.post("feedback/email", {"email": ""})
    while person.where != CHECK:
        await person.post(person.where, {**FILLED_IN, **SHORT, **given}[person.where.removeprefix("feedback/")])
    _is_harmless(person.page.text, hostile)
    for where in ("feedback/name?change=1", "feedback/what-happened", "feedback/address"):
        await person.see(where)
        _is_harmless(person.page.text, hostile)


def _is_harmless(page: str, hostile: str) -> None:
    """As a browser takes it apart, the page is made of our own elements alone, and what was written is words."""
    found = _Elements()
    found.feed(page)
    assert not {"img", "svg", "iframe", "style", "object"} & set(found.tags)
    assert found.tags.count("script") == 2
    for name, value in found.attributes:
        assert not name.startswith("on")
        assert name != "style"
        if name in ("href", "src", "action"):
            assert value.startswith(("/", "#")), value
            assert not value.startswith("//")
    assert hostile in "".join(found.words) + "".join(value for _, value in found.attributes)


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


async def test_a_file_name_is_shown_as_words(house: House, person: Person) -> None:
    await person.fill_in(SHORT, until="files")
    name = "<img src=x onerror=alert(1)>.pdf"
    await person.post("feedback/files", {"add": "add"}, files={"file": (name, b"%PDF-1.4\n%%EOF\n")})
    assert person.page.status_code == 200
    assert "&lt;img src=x onerror=alert(1)&gt;.pdf" in person.page.text
    await person.post("feedback/files", {"add": "add"}, files=[("file", (name, b"")), ("file", ("b.txt", b"b"))])
    assert "&lt;img src=x onerror=alert(1)&gt;.pdf: The selected file is empty" in person.page.text
    _is_harmless(person.page.text, name)


async def test_every_page_has_a_policy_that_runs_nothing_but_our_own(house: House, person: Person) -> None:
    await person.fill_in(SHORT)
    for where in ("", "accessibility", "cookies", "privacy", "nowhere", "feedback/purpose", CHECK):
        page = await person.see(where)
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["x-content-type-options"] == "nosniff"
        inline = re.findall(r"<script(?![^>]*src)[^>]*>(.*?)</script>", page.text)
        assert len(inline) == 1
        assert not re.search(r"\sstyle=|<style", page.text)


async def test_what_pages_refer_to_is_ours_and_kept_by_browsers_until_it_changes(house: House, person: Person) -> None:
    page = await person.see("")
    found = set(re.findall(r'(?:href|src)="(/assets/[^"]+)"', page.text))
    assert len(found) == 3
    for each in found:
        answer = await person.client.get(each)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert b"GDS Transport" not in answer.content
        assert (await person.client.get(re.sub(r"/assets/\w+", "/assets/0", each))).status_code == 404
    assert (await person.client.get(f"{found.pop().rpartition('/')[0]}/..%2fsettings.py")).status_code == 404


async def test_no_parameter_leads_anywhere_else(house: House, person: Person) -> None:
    for query in ("next=https://evil.example", "change=//evil.example", "return_to=//evil.example"):
        await person.see(f"feedback/purpose?{query}")
        answer = await person.client.post(
            f"/feedback/purpose?{query}",
            data={**person.hidden(), "purpose": "question", "next": "//evil.example"},
            headers={"host": "evil.example"},
        )
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/")
        assert not answer.headers["location"].startswith("//")


async def test_nobody_sees_what_is_anothers(house: House, person: Person) -> None:
    await person.fill_in(SHORT)
    theirs = person.hidden()
    eve = Person(house)
    for where in ("feedback/name", CHECK, "confirmation", "confirmation.txt"):
        page = await eve.see(where)
        assert "Ada Pargeter" not in page.text
        assert page.url.path in ("/", "/feedback/purpose")
    assert (await eve.client.post("/check", data=theirs)).status_code == 403
    await eve.see("feedback/purpose")
    assert (await eve.client.post("/check", data={**theirs, "token": eve.hidden()["token"]})).status_code == 403
    assert await house.contacts() == []
    await person.send()
    assert (await eve.see("confirmation")).url.path == "/"


async def test_no_session_is_one_that_a_browser_came_with(house: House) -> None:
    planted = Session("planted-by-eve", house.clock())
    forged = Seals(b"another key, as long as it has to be").cookie(planted)
    for cookie in (forged, "planted-by-eve", f"planted-by-eve.{house.clock().timestamp()}.{'0' * 64}", "x" * 5_000):
        person = Person(house, cookies={"form": cookie})
        page = await person.see("feedback/purpose")
        given = page.headers["set-cookie"]
        assert "planted-by-eve" not in given
        for each in ("HttpOnly", "SameSite=lax", "Path=/", "Max-Age=86400"):
            assert each in given


async def test_over_https_the_cookie_is_bound_to_the_host_and_to_https(serving: Serving) -> None:
    async with serving(web={"public_url": "https://contact.ombudsman.example"}) as house:
        person = Person(house)
        page = await person.see("feedback/purpose")
        given = page.headers["set-cookie"]
        assert given.startswith("__Host-form=")
        assert "Secure" in given
        assert "Domain" not in given
        assert "__Host-form" in (await person.see("cookies")).text


async def test_a_cookie_ends_with_its_draft(house: House) -> None:
    seals = Seals(KEY.encode())
    cookie = seals.cookie(Session("x", house.clock.now))
    assert seals.session(cookie, house.clock.now + timedelta(hours=23), timedelta(hours=24))
    assert not seals.session(cookie, house.clock.now + timedelta(hours=24), timedelta(hours=24))


async def test_no_answer_stands_in_an_address(house: House) -> None:
    seen: list[str] = []

    async def note(request: Any) -> None:
        seen.append(str(request.url))

    person = Person(house, event_hooks={"request": [note]})
    await person.fill_in(SHORT)
    await person.send()
    assert person.where == "confirmation"
    assert len(seen) > 20
    assert not [each for each in seen if "?" in each or "Pargeter" in each or person.reference() in each]


async def test_a_page_that_is_not_reached_yet_leads_to_the_first_that_has_no_answer(house: House, person: Person) -> None:
    for page in PAGES[1:]:
        assert (await person.see(f"feedback/{page.name}")).url.path == "/feedback/purpose"
    assert (await person.see("feedback/nothing-of-ours")).status_code == 404


async def test_back_leads_to_the_page_before_with_what_was_answered(house: House, person: Person) -> None:
    await person.fill_in(SHORT, until="for-whom")
    back = re.search(r'<a href="([^"]+)" class="govuk-back-link">', person.page.text)
    assert back
    assert back[1] == "/feedback/files"
    await person.see("feedback/what-happened")
    assert "You took nine months over my case." in person.page.text
    await person.post("feedback/what-happened", {"what_happened": "Another thing."})
    assert person.where == "feedback/files", "and on from there page by page"


async def test_a_change_leads_back_to_the_answers_and_asks_only_what_it_makes_wanted(house: House, person: Person) -> None:
    await person.fill_in(SHORT)
    await person.post("feedback/name?change=1", {"name": "Ada Rees"})
    assert person.where == CHECK
    assert "Ada Rees" in person.page.text
    await person.see("feedback/for-whom?change=1")
    await person.post("feedback/for-whom?change=1", {"for_whom": "somebody"})
    assert person.where == "feedback/other-person"


async def test_whoever_comes_back_goes_on_where_they_stopped(house: House, person: Person) -> None:
    await person.fill_in(SHORT, until="name")
    await person.see("")
    assert '<a class="govuk-link" href="/feedback/name">Go on where you stopped</a>' in person.page.text


async def test_a_decision_without_any_criterion_is_told_what_a_review_needs(house: House, person: Person) -> None:
    none = {"inaccurate-facts": {}, "overlooked-information": {}}
    await person.fill_in(none)
    assert "You have not shown any of the things we need to review a decision." in person.page.text
    await person.see("feedback/inaccurate-facts?change=1")
    await person.post("feedback/inaccurate-facts?change=1", {"inaccurate_facts": "The date is wrong."})
    assert "You have not shown any" not in person.page.text


async def test_whoever_gives_no_way_to_be_reached_is_told_what_that_means(house: House, person: Person) -> None:
    await person.fill_in(SHORT)
    assert "You have not given us a way to reply." in person.page.text
    await person.send()
    assert "we cannot write to you" in person.page.text
    assert "We will tell you that we have it by" not in person.page.text


@pytest.mark.parametrize("where", ["", "accessibility", "cookies", "privacy", "feedback/purpose", "nowhere"])
async def test_each_page_has_its_twin_in_the_other_language(house: House, person: Person, where: str) -> None:
    page = await person.see(where)
    assert '<html lang="en"' in page.text
    other = re.search(r'<a class="govuk-link" href="([^"]+)" hreflang="cy"', page.text)
    assert other
    twin = await person.client.get(other[1])
    assert '<html lang="cy"' in twin.text
    back = re.search(r'<a class="govuk-link" href="([^"]+)" hreflang="en"', twin.text)
    assert back
    assert back[1] == (other[1].removeprefix("/cy") or "/")


async def test_the_welsh_start_page_is_found_with_a_slash_as_well(person: Person) -> None:
    asked = await person.client.get("/cy/", follow_redirects=True)
    assert (asked.status_code, asked.url.path) == (200, "/cy")


async def test_the_other_language_goes_on_with_the_same_answers(house: House, person: Person) -> None:
    await person.fill_in(SHORT, until="name")
    page = await person.client.get("/cy/feedback/name")
    assert "Beth yw eich enw?" in page.text


async def test_the_start_page_says_how_to_give_feedback_what_becomes_of_it_and_what_we_cannot_do(
    house: House, person: Person
) -> None:
    page = await person.see("")
    said = " ".join(unescape(re.sub(r"<[^>]+>", " ", page.text)).split())
    for each in (
        "give feedback about our service, good or bad",
        "You can contact us in another way, in any language, and somebody can fill in the form with you",
        "record what you tell us, and use it to make our service better",
        "pass what you write to the right team, so that you do not have to write it again",
        "change a decision only because you disagree with it",
        "carry out a new investigation as part of a review",
        "Ask us within 3 months of our decision.",
        "only where you show us at least one of these, and it could change the decision",
        "we relied on facts that were not accurate",
        "We will tell you that we have what you sent within 48 hours.",
        "You will hear what happens next within 10 working days.",
    ):
        assert each in said


@pytest.mark.parametrize(
    ("page", "why"),
    [
        ("inaccurate-facts", "how you know, and how they could change our decision"),
        ("new-information", "why it was not available before, and how it might change our decision"),
        ("authority", "We may need to see proof before we can tell you about their case."),
        ("date-of-birth", "It helps us find the records we hold about you."),
        ("safe", "because somebody else reads your messages or opens your letters. We will not use it."),
        ("adjustments", "we can change how we work with you"),
    ],
)
async def test_a_question_whose_reason_is_not_plain_says_why_it_is_asked(
    house: House, person: Person, page: str, why: str
) -> None:
    await person.fill_in({"for-whom": {"for_whom": "somebody"}}, until=page)
    assert why in unescape(person.page.text)


async def test_what_we_promise_is_what_is_set(serving: Serving) -> None:
    promised = {"within": "24h", "next_step_within": "3 weeks", "emergency": "112", "telephone": "0345 015 4033"}
    async with serving({"review_within": "6 months"}, acknowledgement=promised) as house:
        page = await Person(house).see("")
        for each in ("within 24 hours", "within 3 weeks", "Ring 112 now", "telephone 0345 015 4033", "within 6 months"):
            assert each in page.text


def test_without_its_stylesheet_the_form_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="make setup"):
        read_assets(tmp_path)


def test_an_asset_that_changes_has_another_address(tmp_path: Path) -> None:
    for each in ASSETS.iterdir():
        (tmp_path / each.name).write_bytes(each.read_bytes())
    assert read_assets(tmp_path)[0] == read_assets()[0]
    (tmp_path / "form.css").write_text("body {}")
    assert read_assets(tmp_path)[0] != read_assets()[0]
