"""A draft is nobody's but theirs, lasts as long as it was promised to, and bears two windows."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from channels.web_form.drafts import Draft, Drafts, Sent, begin
from channels.web_form.seal import Session
from ingest.database import Database
from ingest.ids import contact_id
from tests.channels.web_form.conftest import KEY
from tests.clock import Clock
from tests.conftest import FIXED

ADA = Session("ada's secret", FIXED)
ANSWERS = {"name": "Ada Pargeter \ud83d", "unsafe_ways": ("sms", "letter"), "remedy": ""}


@pytest.fixture
async def database(register_url: str) -> AsyncGenerator[Database]:
    it = Database(register_url)
    yield it
    await it.close()


def kept_for_a_day(database: Database, clock: Clock, key: bytes = KEY.encode()) -> Drafts:
    return Drafts(database, key, timedelta(hours=24), clock)


def saying(**answers: str) -> Draft:
    return replace(begin(FIXED), answers=dict(answers))


async def test_a_draft_comes_back_as_it_was(database: Database) -> None:
    clock = Clock()
    drafts = kept_for_a_day(database, clock)
    whole = Draft(
        token="t",
        begun=FIXED,
        answers=dict(ANSWERS),
        trapped=True,
        sent=Sent(contact_id("web_form", "care", "t"), FIXED, "a" * 64, "question", can_reply=False),
    )
    await drafts.change(ADA, lambda _: whole)
    assert await drafts.get(ADA) == whole
    assert await drafts.get(Session("another", FIXED)) is None
    await drafts.forget(ADA)
    assert await drafts.get(ADA) is None


async def test_neither_the_answers_nor_the_secret_stand_in_the_database(database: Database) -> None:
    await kept_for_a_day(database, Clock()).change(ADA, lambda _: saying(name="Ada Pargeter"))
    async with database.read() as connection:
        schema = "" if connection.dialect.name == "sqlite" else "state."
        (row,) = await connection.execute(text(f"SELECT session, sealed FROM {schema}drafts"))
    for each in (row.session.encode(), bytes(row.sealed)):
        assert b"Pargeter" not in each
        assert ADA.secret.encode() not in each


async def test_neither_another_key_nor_a_row_moved_to_another_session_opens_it(database: Database) -> None:
    clock = Clock()
    drafts = kept_for_a_day(database, clock)
    await drafts.change(ADA, lambda _: saying(name="Ada Pargeter"))
    assert await kept_for_a_day(database, clock, b"another key of the service, as long").get(ADA) is None
    eve = Session("eve's secret", FIXED)
    async with database.write() as connection:
        schema = "" if connection.dialect.name == "sqlite" else "state."
        await connection.execute(text(f"UPDATE {schema}drafts SET session = :eve"), {"eve": eve.name})
    assert await drafts.get(eve) is None


async def test_a_draft_is_gone_after_its_time_whether_or_not_anybody_looked(database: Database) -> None:
    clock = Clock()
    drafts = kept_for_a_day(database, clock)
    await drafts.change(ADA, lambda _: saying(name="Ada"))
    clock.pass_by(timedelta(hours=23))
    assert await drafts.expire() == 0
    await drafts.change(ADA, lambda draft: draft or saying())
    clock.pass_by(timedelta(hours=23))
    assert (await drafts.get(ADA)) is not None, "the time is from the last answer"
    clock.pass_by(timedelta(hours=2))
    assert await drafts.get(ADA) is None
    assert await drafts.expire() == 1


async def test_of_two_windows_at_once_neither_takes_away_what_the_other_answered(database: Database) -> None:
    drafts = kept_for_a_day(database, Clock())

    def answering(name: str):
        def change(draft: Draft | None) -> Draft:
            draft = draft or saying()
            return replace(draft, answers={**draft.answers, name: "x"})

        return change

    await asyncio.gather(*(drafts.change(ADA, answering(f"field-{number}")) for number in range(20)))
    draft = await drafts.get(ADA)
    assert draft is not None
    assert len(draft.answers) == 20
