"""A link that we sent ties the form to what it answers, is shown nowhere, and lets nobody see or do anything."""

from datetime import timedelta
from uuid import UUID

import pytest

from channels.web_form.questions import CHECK
from ingest.ids import reply_token
from tests.channels.web_form.conftest import KEY, House, Person
from tests.channels.web_form.test_sending import SHORT

POST = UUID(int=7)


def link(house: House, key: str = KEY, **lasts: float) -> str:
    return reply_token(key.encode(), POST, house.clock() + timedelta(**(lasts or {"days": 30})))


async def follow(person: Person, token: str) -> None:
    person.page = await person.client.get(f"{person.at or '/'}?reply={token}", follow_redirects=True)


@pytest.mark.parametrize("language", ["en", "cy"])
async def test_what_is_sent_after_a_link_of_ours_carries_its_token(house: House, language: str) -> None:
    person, token = Person(house, language), link(house)
    await follow(person, token)
    assert (person.page.status_code, person.where, person.page.url.query) == (200, "", b"")
    await person.fill_in(SHORT)
    await person.send()
    (contact,) = await house.contacts()
    assert contact.thread.reply_token == token


async def test_no_page_shows_it(house: House) -> None:
    person, token = Person(house), link(house)
    await follow(person, token)
    shown = [person.page.text]
    await person.fill_in(SHORT)
    shown.append(person.page.text)
    await person.send()
    shown.append(person.page.text)
    assert person.where == "confirmation"
    assert not any(token in each for each in shown)


@pytest.mark.parametrize("made", ["forged", "stale", "nonsense", "altered"])
async def test_a_link_that_is_not_ours_or_past_its_time_is_the_form_as_everybody_has_it(house: House, made: str) -> None:
    token = {
        "forged": link(house, "another key that nobody knows of here"),
        "stale": link(house, seconds=-1),
        "nonsense": "%00%ff" + "x" * 3_000,
        "altered": "B" + link(house)[1:],
    }[made]
    person = Person(house)
    await follow(person, token)
    assert person.page.status_code == 200
    assert await house.rows("SELECT * FROM drafts") == []
    await person.fill_in(SHORT)
    await person.send()
    (contact,) = await house.contacts()
    assert contact.thread.reply_token is None


async def test_answers_that_were_begun_stay_and_are_tied_as_well(house: House) -> None:
    person, token = Person(house), link(house)
    await person.fill_in(SHORT)
    await follow(person, token)
    await person.see(CHECK)
    assert person.where == CHECK
    await person.send()
    (contact,) = await house.contacts()
    assert contact.thread.reply_token == token


async def test_who_has_sent_a_form_may_follow_a_link_to_another(house: House) -> None:
    person, token = Person(house), link(house)
    await person.fill_in(SHORT)
    await person.send()
    await follow(person, token)
    await person.fill_in(SHORT)
    await person.send()
    assert [each.thread.reply_token for each in await house.contacts()] == [None, token]
