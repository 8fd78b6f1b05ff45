"""What is on ``outgoing`` reaches people and teams, its end is told, and nothing that goes wrong on the way sends it twice unasked."""

import asyncio
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import pytest
from prometheus_client import REGISTRY
from pydantic import SecretStr
from sqlalchemy import Table, select, update

import channels.social.send
from channels import dispatcher
from channels.email import send
from channels.email.settings import EmailAccount
from channels.sending import Connection
from channels.sms.settings import SmsAccount
from channels.social.settings import SocialAccount
from channels.table import ways_out
from ingest import state
from ingest.contract import (
    Audience,
    Event,
    Outgoing,
    OutgoingKind,
    OutgoingState,
    OutgoingStatus,
    Post,
    Record,
    decode,
    encode,
    topic_of,
)
from ingest.database import Database, upgrade
from ingest.errors import Halted
from ingest.log import Lag
from ingest.log.sqlite import SqliteLog
from ingest.reports import status_record
from ingest.settings import Settings
from tests.servers.portal import Portal, running_portal
from tests.servers.postgres import Postgres
from tests.servers.providers import DROP as DROPPED
from tests.servers.providers import Notify, Provider, serving
from tests.servers.smtp import DROP, HANG, SmtpServer, smtp_server

START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
OUTGOING = topic_of("outgoing")


class MovableClock:
    """It goes on by a millisecond at each look, and is moved by hand."""

    def __init__(self) -> None:
        self._now = START

    def __call__(self) -> datetime:
        self.move(milliseconds=1)
        return self._now

    def move(self, **by: float) -> None:
        self._now += timedelta(**by)


def message(number: int, *, audience: Audience = Audience.PERSON, account: str = "care", **changed: Any) -> Outgoing:
    kind = OutgoingKind.ACKNOWLEDGEMENT if audience is Audience.PERSON else OutgoingKind.TASK
    return Outgoing(
        id=UUID(int=number), kind=kind, audience=audience, channel="email", account=account, recipient=f"r{number}@example.com",
        subject="We have your message", body="Thank you.", message_id=f"<{number}@example.org>", created_at=START,
        due=START + timedelta(hours=48),
    ).model_copy(update=changed)  # fmt: skip


def staff(number: int) -> Outgoing:
    return message(number, audience=Audience.STAFF)


def record(outgoing: Outgoing) -> Record:
    data = outgoing.model_dump_json().encode()
    return encode(Event(id=str(outgoing.id), source="urn:test", type=OUTGOING.ce_type, data=data), str(outgoing.id))


def account(server: SmtpServer) -> EmailAccount:
    return EmailAccount(
        host="localhost", user="care", password=SecretStr("secret"), smtp=server.address, smtp_security="none", smtp_login=False,
        sender="care@example.org",
    )  # fmt: skip


class House:
    """A log, a database, a mail server and a clock, and the dispatcher between them."""

    def __init__(self, log: SqliteLog, database: Database, server: SmtpServer, clock: MovableClock) -> None:
        self.log = log
        self.database = database
        self.server = server
        self.clock = clock
        self.ways: dict[tuple[str, str], Connection] = {}

    async def publish(self, *outgoing: Outgoing) -> None:
        await self.log.append("outgoing", [record(each) for each in outgoing])

    @asynccontextmanager
    async def dispatching(self, *, mode: Literal["off", "review", "on"] = "on", burst: int = 300) -> AsyncGenerator[None]:
        stopping = asyncio.Event()
        ways = {("email", "care"): send.Connection(account(self.server)), **self.ways}
        running = asyncio.create_task(
            dispatcher.run(
                log=self.log, database=self.database, ways=ways, mode=mode, burst=burst, clock=self.clock, stopping=stopping
            )
        )  # fmt: skip
        try:
            yield
        finally:
            stopping.set()
            await running

    async def told(self) -> list[OutgoingStatus]:
        records = await self.log.read("outgoing.status", after={}, most=1000)
        return [OutgoingStatus.model_validate_json(decode(each.record).data) for each in records]

    async def ends(self) -> list[tuple[int, str, str | None]]:
        return [(each.outgoing_id.int, each.state.value, each.reason) for each in await self.told()]

    async def states(self) -> dict[int, str]:
        async with self.database.read() as connection:
            rows = await connection.execute(select(state.sends.c.outgoing_id, state.sends.c.state))
            return {row.outgoing_id.int: row.state for row in rows}

    async def becomes(self, states: dict[int, str]) -> None:
        async def so() -> bool:
            return await self.states() == states

        await until(so)

    async def tells(self, number: int) -> None:
        async def so() -> bool:
            return len(await self.told()) >= number

        await until(so)


async def let_go_on(house: House) -> None:
    """As a person does at the desk."""
    async with house.database.write() as connection:
        await state.turn(connection, stopped=False, by="r.patel", at=house.clock())


async def until(so: Callable[[], Any]) -> None:
    """Wait for something to be so; a generous bound against hanging."""
    async with asyncio.timeout(30):
        while not await so():
            await asyncio.sleep(0.01)


def opened(folder: Path, clock: Callable[[], datetime]) -> Any:
    return SqliteLog.open(
        folder / "log.db", exclusive=True, clock=clock, retention=timedelta(days=30), most_record_bytes=8_000_000
    )


def database_in(folder: Path) -> Database:
    url = f"sqlite:///{folder / 'register.db'}"
    upgrade(url, [state.MIGRATIONS])
    return Database(url)


@pytest.fixture
async def house(tmp_path: Path, register_url: str) -> AsyncGenerator[House]:
    clock = MovableClock()
    log, database = await opened(tmp_path, clock), Database(register_url)
    async with smtp_server() as server:
        yield House(log, database, server, clock)
    await database.close()
    await log.close()


async def test_a_message_is_sent_once_and_its_acceptance_told(house: House) -> None:
    await house.publish(message(1))
    async with house.dispatching():
        await house.tells(1)
    assert [(each.recipient, each.message["Message-ID"]) for each in house.server.taken] == [
        ("r1@example.com", "<1@example.org>")
    ]
    (told,) = await house.told()
    assert (told.outgoing_id, told.state, told.attempts, told.reason) == (UUID(int=1), "accepted", 1, None)
    assert START < told.at < START + timedelta(seconds=1)
    (delivery,) = await house.log.read("outgoing.status", after={}, most=10)
    assert delivery.record.key == str(UUID(int=1))
    assert await house.log.lag("outgoing", "dispatcher") == Lag(0, None)


async def test_messages_go_in_the_order_they_came_over_one_connection(house: House) -> None:
    await house.publish(*(message(each) for each in range(1, 51)))
    async with house.dispatching():
        await house.tells(50)
    assert house.server.recipients() == [f"r{each}@example.com" for each in range(1, 51)]
    assert house.server.connections == 1


async def test_a_replayed_topic_sends_nothing_twice_and_tells_again(house: House) -> None:
    await house.publish(message(1), message(2))
    async with house.dispatching():
        await house.tells(2)
    await house.publish(message(1), message(2), message(3))
    async with house.dispatching():
        await house.tells(5)
    assert house.server.recipients() == ["r1@example.com", "r2@example.com", "r3@example.com"]
    told = [decode(each.record).id for each in await house.log.read("outgoing.status", after={}, most=10)]
    assert len(told) == 5
    assert len(set(told)) == 3


async def test_told_to_stop_it_finishes_the_message_in_hand_and_leaves_the_rest(house: House) -> None:
    await house.publish(message(1), message(2))
    stopping = asyncio.Event()
    house.server.on_taken = stopping.set
    await dispatcher.run(
        log=house.log, database=house.database, ways={("email", "care"): send.Connection(account(house.server))}, mode="on", burst=300,
        clock=house.clock, stopping=stopping,
    )  # fmt: skip
    assert await house.states() == {1: "accepted", 2: "waiting"}
    assert await house.ends() == [(1, "accepted", None)]


async def test_a_greylisted_message_is_deferred_and_sent_when_its_time_has_come(house: House) -> None:
    house.server.to_recipient.append("450 4.7.1 greylisted")
    await house.publish(message(1), message(2))
    async with house.dispatching():
        await house.becomes({1: "deferred", 2: "accepted"})
        house.clock.move(seconds=61)
        await house.tells(2)
    assert await house.ends() == [(2, "accepted", None), (1, "accepted", None)]
    assert [each.attempts for each in await house.told()] == [1, 2]


async def test_a_connection_dropped_once_costs_nothing_but_another_try_at_once(house: House) -> None:
    house.server.to_recipient.append("421 4.3.2 closing")
    await house.publish(message(1))
    async with house.dispatching():
        await house.tells(1)
    assert await house.ends() == [(1, "accepted", None)]


async def test_a_refused_recipient_fails_for_good_and_others_go_on(house: House) -> None:
    house.server.to_recipient.append("550 5.1.1 <r1@example.com> unknown")
    await house.publish(message(1), message(2))
    async with house.dispatching():
        await house.tells(2)
    assert await house.ends() == [(1, "failed", "recipient-refused: 550 5.1.1"), (2, "accepted", None)]


async def test_an_account_that_is_not_ours_and_a_header_that_holds_a_line_end_fail(house: House) -> None:
    await house.publish(message(1, account="gone"), message(2, subject="a\r\nBcc: all@example.com"), message(3))
    async with house.dispatching():
        await house.tells(3)
    assert await house.ends() == [(1, "failed", "no-such-account"), (2, "failed", "header-refused"), (3, "accepted", None)]
    assert house.server.recipients() == ["r3@example.com"]


@pytest.mark.parametrize("fault", [HANG, DROP])
async def test_silence_after_the_message_gives_two_copies_at_most_with_one_message_id(
    house: House, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(send, "TAKEN_SECONDS", 0.2)
    house.server.to_message += [fault] * 5
    await house.publish(message(1))
    async with house.dispatching():
        await house.becomes({1: "deferred"})
        house.clock.move(minutes=2)
        await house.tells(1)
        house.clock.move(hours=2)
        await asyncio.sleep(0.6)
    assert [each.message["Message-ID"] for each in house.server.taken] == ["<1@example.org>"] * 2
    ((_, end, reason),) = await house.ends()
    assert end == "failed"
    assert reason == ("unknown: no-answer" if fault == HANG else "unknown: connection-lost")


async def test_an_ambiguous_message_is_remembered_as_such_across_a_plain_deferral(house: House) -> None:
    house.server.to_message += [DROP, "451 4.3.0 later", DROP, DROP]
    await house.publish(message(1))
    async with house.dispatching():
        for _ in range(2):
            await house.becomes({1: "deferred"})
            house.clock.move(minutes=6)
            await asyncio.sleep(0.6)
        await house.tells(1)
    assert len(house.server.taken) == 2
    assert await house.ends() == [(1, "failed", "unknown: connection-lost")]


async def test_while_the_server_is_down_messages_wait_and_go_when_it_is_back(house: House) -> None:
    await house.server.stop()
    await house.publish(*(message(each) for each in range(1, 6)))
    async with house.dispatching():
        await house.becomes({1: "deferred", 2: "waiting", 3: "waiting", 4: "waiting", 5: "waiting"})
        await house.server.start()
        house.clock.move(minutes=2)
        await house.tells(5)
    assert Counter(house.server.recipients()) == Counter(f"r{each}@example.com" for each in range(1, 6))


async def test_one_that_is_deferred_for_days_is_given_up_and_told_as_failed(house: House) -> None:
    house.server.to_recipient += ["450 4.2.0 later"] * 1000
    await house.publish(message(1))
    tries = 0
    async with house.dispatching():
        while not await house.told():
            await house.becomes({1: "deferred"})
            tries += 1
            house.clock.move(hours=24)
            with suppress(TimeoutError):
                async with asyncio.timeout(0.7):
                    await house.tells(1)
    assert await house.ends() == [(1, "failed", "given-up: recipient-refused: 450 4.2.0")]
    assert tries == 4


async def test_stopping_by_hand_holds_what_is_for_the_public_within_seconds_and_notices_go_on(house: House) -> None:
    async with house.dispatching():
        await house.publish(message(1))
        await house.tells(1)
        await state.stop(house.database, "r.patel", house.clock)
        await asyncio.sleep(1.1)
        await house.publish(message(2), staff(3), message(4), staff(5))
        await house.becomes({1: "accepted", 2: "waiting", 3: "accepted", 4: "waiting", 5: "accepted"})
        assert REGISTRY.get_sample_value("outgoing_stopped") == 1
        assert (await state.stopped(house.database)).by == "r.patel"
        assert await house.log.lag("outgoing", "dispatcher") == Lag(0, None)
        house.clock.move(minutes=1)
        await let_go_on(house)
        await house.publish(message(6))
        await house.tells(6)
        assert REGISTRY.get_sample_value("outgoing_stopped") == 0
    assert house.server.recipients() == [f"r{each}@example.com" for each in (1, 3, 5, 2, 4, 6)]


async def test_with_sending_off_only_our_own_people_hear_and_what_waited_goes_when_it_is_on(house: House) -> None:
    await house.publish(message(1), staff(2))
    async with house.dispatching(mode="off"):
        await house.becomes({1: "waiting", 2: "accepted"})
        await asyncio.sleep(0.6)
    assert house.server.recipients() == ["r2@example.com"]
    async with house.dispatching(mode="review"):
        await house.tells(2)
    assert house.server.recipients() == ["r2@example.com", "r1@example.com"]


async def test_a_burst_stops_sending_to_the_public_until_a_person_lets_it_go_on(house: House) -> None:
    await house.publish(*(message(each) for each in range(1, 9)), staff(9))
    public = dict.fromkeys((1, 2, 3), "accepted")
    async with house.dispatching(burst=3):
        await house.becomes(public | dict.fromkeys(range(4, 9), "waiting") | {9: "accepted"})
    switch = await state.stopped(house.database)
    assert (switch.stopped, switch.by) == (True, "burst-limit")
    house.clock.move(minutes=1)
    async with house.dispatching(burst=3):  # remembered over a restart
        await house.publish(staff(10))
        await house.tells(5)
        assert len(house.server.taken) == 5
        await let_go_on(house)
        await house.tells(8)
        await house.becomes(dict.fromkeys((*range(1, 7), 9, 10), "accepted") | {7: "waiting", 8: "waiting"})
    assert (await state.stopped(house.database)).by == "burst-limit"


async def test_the_burst_is_counted_over_a_restart_and_forgotten_after_ten_minutes(house: House) -> None:
    await house.publish(message(1), message(2))
    async with house.dispatching(burst=3):
        await house.tells(2)
    await house.publish(message(3), message(4))
    async with house.dispatching(burst=3):
        await house.becomes({1: "accepted", 2: "accepted", 3: "accepted", 4: "waiting"})
    house.clock.move(minutes=11)
    await let_go_on(house)
    async with house.dispatching(burst=3):
        await house.publish(message(5), message(6))
        await house.tells(6)
    assert not (await state.stopped(house.database)).stopped


async def test_what_a_person_cancelled_is_not_sent_and_told_as_cancelled(house: House) -> None:
    async with house.database.write() as connection:
        await state.cancel(connection, [UUID(int=1)], START)
    await house.publish(message(1), message(2))
    async with house.dispatching(mode="off"):
        await house.becomes({1: "cancelled", 2: "waiting"})
    async with house.database.write() as connection:
        await state.cancel(connection, [UUID(int=2)], START)
    async with house.dispatching():
        await house.tells(2)
        await house.publish(message(3))
        await house.becomes({1: "cancelled", 2: "cancelled", 3: "accepted"})
    assert house.server.recipients() == ["r3@example.com"]
    assert {(number, end) for number, end, _ in await house.ends()} >= {(1, "cancelled"), (2, "cancelled")}


def strangers(number: int) -> Sequence[Record]:
    kinds = (
        Record("k", b"\xff\x00 not json"),
        Record("k", None),
        encode(Event(id="1", source="urn:x", type="contact-ingest.contact.v1", data=b"{}"), "k"),
        encode(Event(id="1", source="urn:x", type=OUTGOING.ce_type, data=b'{"id": 1}'), "k"),
    )
    return [kinds[each % len(kinds)] for each in range(number)]


async def test_records_that_are_not_ours_are_skipped_and_counted(house: House) -> None:
    def counted() -> float:
        return REGISTRY.get_sample_value("contact_errors_total", {"stage": "dispatcher", "reason": "not-valid"}) or 0

    before = counted()
    await house.log.append("outgoing", [*strangers(50), record(message(1)), *strangers(50), record(message(2))])
    async with house.dispatching():
        await house.tells(2)
    assert house.server.recipients() == ["r1@example.com", "r2@example.com"]
    assert counted() - before == 24


async def test_more_than_fifty_in_a_row_that_are_not_ours_stop_it_and_nothing_of_them_is_settled(house: House) -> None:
    await house.log.append("outgoing", strangers(51))
    with pytest.raises(Halted) as halted:
        async with house.dispatching():
            await asyncio.sleep(1)
    assert halted.value.reason == "outgoing-unreadable"
    assert (await house.log.lag("outgoing", "dispatcher")).records == 51


async def test_a_recipients_address_is_in_no_diagnostics(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.server.to_recipient += ["550 5.1.1 <r1@example.com> unknown", "450 <r2@example.com> later"]
    await house.publish(message(1), message(2), message(3))
    async with house.dispatching():
        await house.becomes({1: "failed", 2: "deferred", 3: "accepted"})
    said = "".join(capsys.readouterr())
    assert "recipient-refused" in said
    assert "example.com" not in said


def sms_account(provider: Provider, **changed: Any) -> SmsAccount:
    assert isinstance(provider, Notify)
    own: dict[str, Any] = {"provider": "notify", "bearer": "b" * 32, "api_key": provider.api_key, "template": provider.template}
    return SmsAccount(number="+441632960111", api=provider.url, **{**own, **changed})


def by_sms(number: int, **changed: Any) -> Outgoing:
    return message(number, channel="sms", recipient=f"+44770090{number:04}", message_id=str(UUID(int=number)), **changed)


def sends_by_sms(house: House, provider: Provider, **changed: Any) -> None:
    settings = Settings(
        key="7f3a91c04be82d6659d1e07ab34c8f20",  # type: ignore[arg-type]
        teams=dict.fromkeys(("intake", "investigators", "customer_care", "duty"), "team@example.org"),  # type: ignore[arg-type]
    )
    house.ways = ways_out({("sms", "care"): sms_account(provider, **changed)}, settings)


async def left_sending(house: House, *numbers: int) -> None:
    """As a process leaves them that died."""
    async with house.database.write() as connection:
        died = update(state.sends).where(state.sends.c.outgoing_id.in_([UUID(int=each) for each in numbers]))
        await connection.execute(died.values(state="sending", try_after=None, attempts=1))


async def test_messages_of_several_channels_go_in_the_order_they_came(house: House) -> None:
    async with serving(Notify()) as provider:
        sends_by_sms(house, provider)
        await house.publish(by_sms(1), message(2), by_sms(3), message(4))
        async with house.dispatching():
            await house.tells(4)
        assert await house.ends() == [(each, "accepted", None) for each in (1, 2, 3, 4)]
        assert provider.numbers() == ["+447700900001", "+447700900003"]
    assert house.server.recipients() == ["r2@example.com", "r4@example.com"]


async def test_a_message_of_a_channel_that_has_no_such_account_fails_and_others_go_on(house: House) -> None:
    await house.publish(by_sms(1), message(2), message(3, channel="social"))
    async with house.dispatching():
        await house.tells(3)
    assert await house.ends() == [
        (1, "failed", "no-such-account"),
        (2, "accepted", None),
        (3, "failed", "no-such-account"),
    ]


async def test_a_provider_that_is_away_holds_up_its_own_messages_and_no_others(house: House) -> None:
    async with serving(Notify()) as provider:
        sends_by_sms(house, provider)
        provider.refusing = 401
        await house.publish(by_sms(1), by_sms(2), message(3))
        async with house.dispatching():
            await house.becomes({1: "deferred", 2: "waiting", 3: "accepted"})
            provider.refusing = None
            house.clock.move(minutes=2)
            await house.tells(3)
        assert provider.numbers() == ["+447700900002", "+447700900001"]


async def test_found_sending_after_a_crash_the_provider_is_asked_and_no_second_copy_goes(house: House) -> None:
    """The first had been taken when the process died, the second had not."""
    async with serving(Notify()) as provider:
        sends_by_sms(house, provider)
        await house.publish(by_sms(1), by_sms(2))
        async with house.dispatching(mode="off"):
            await house.becomes({1: "waiting", 2: "waiting"})
        await house.ways["sms", "care"].send(by_sms(1), START)
        await left_sending(house, 1, 2)
        async with house.dispatching():
            await house.tells(2)
        assert sorted(await house.ends()) == [(1, "accepted", None), (2, "accepted", None)]
        assert sorted(provider.numbers()) == ["+447700900001", "+447700900002"]


# A register that was put back from an older copy.


async def remembered(house: House) -> list[tuple[Table, list[dict[str, Any]]]]:
    """A copy of what the dispatcher remembers."""
    async with house.database.read() as connection:
        return [
            (table, [dict(row) for row in (await connection.execute(select(table))).mappings()])
            for table in (state.sends, state.switches)
        ]


async def put_back(house: House, copy: list[tuple[Table, list[dict[str, Any]]]]) -> None:
    async with house.database.write() as connection:
        for table, rows in copy:
            await connection.execute(table.delete())
            for row in rows:
                await connection.execute(table.insert().values(row))


def noticed() -> float:
    return REGISTRY.get_sample_value("contact_errors_total", {"stage": "restore", "reason": "register-put-back"}) or 0.0


async def test_what_an_older_register_has_forgotten_is_learned_from_the_log_and_not_sent_again(house: House) -> None:
    await house.publish(message(1))
    async with house.dispatching():
        await house.tells(1)
    async with house.dispatching(mode="off"):
        await house.publish(message(2))
        await house.becomes({1: "accepted", 2: "waiting"})
    copy, before = await remembered(house), noticed()
    async with house.dispatching():
        house.server.to_recipient[:] = ["550 no such user"]
        await house.publish(message(3), message(4), staff(5))
        await house.tells(5)
        await house.log.append(
            "outgoing.status", [status_record("urn:test", UUID(int=3), OutgoingState.BOUNCED, START, 1, "bounced: 5.1.1")]
        )
    ends, recipients = sorted(await house.ends()), house.server.recipients()
    assert len(recipients) == 4
    assert noticed() == before, "a start is no restore"

    await put_back(house, copy)
    async with house.dispatching():
        await house.becomes(
            {each: "failed" if (each, "failed") in [end[:2] for end in ends] else "accepted" for each in range(1, 6)}
        )
        await house.publish(*(message(each) for each in (1, 2, 3, 4)), staff(5), message(6))  # as routing them again does
        await house.tells(12)
    assert house.server.recipients() == [*recipients, "r6@example.com"]
    assert set(ends) - {(3, "bounced", "bounced: 5.1.1")} <= set((await house.ends())[6:]), "what is forgotten is told again"
    assert noticed() == before + 1
    async with house.dispatching():
        await house.publish(message(7))
        await house.tells(13)
    assert noticed() == before + 1


async def test_what_may_have_gone_just_before_the_register_was_lost_is_asked_of_the_provider(house: House) -> None:
    async with serving(Notify()) as provider:
        sends_by_sms(house, provider)
        copy = await remembered(house)
        await house.publish(by_sms(1), by_sms(2))
        async with house.dispatching(mode="off"):
            await house.becomes({1: "waiting", 2: "waiting"})
        await house.ways["sms", "care"].send(by_sms(1), START)  # and the disk is lost before that is noted
        await put_back(house, copy)
        async with house.dispatching():
            await house.becomes({1: "deferred", 2: "deferred"})
            assert provider.numbers() == ["+447700900001"], "nobody has asked for them again yet"
            await house.publish(by_sms(1), by_sms(2))
            await house.tells(2)
        assert sorted(await house.ends()) == [(1, "accepted", None), (2, "accepted", None)]
        assert sorted(provider.numbers()) == ["+447700900001", "+447700900002"]


async def test_what_the_provider_refused_while_we_were_away_has_failed_and_does_not_go_again(house: House) -> None:
    async with serving(Notify()) as provider:
        sends_by_sms(house, provider)
        await house.publish(by_sms(1))
        async with house.dispatching(mode="off"):
            await house.becomes({1: "waiting"})
        await house.ways["sms", "care"].send(by_sms(1), START)
        provider.sent[0].status = "permanent-failure"
        await left_sending(house, 1)
        async with house.dispatching():
            await house.tells(1)
        assert await house.ends() == [(1, "failed", "undelivered: permanent-failure")]
        assert len(provider.sent) == 1


async def test_after_a_silence_the_provider_is_asked_before_anything_goes_again(house: House) -> None:
    async with serving(Notify()) as provider:
        sends_by_sms(house, provider)
        provider.to_send.append(DROPPED)
        await house.publish(by_sms(1))
        async with house.dispatching():
            await house.becomes({1: "deferred"})
            provider.to_ask.append(500)
            house.clock.move(minutes=2)
            await house.tells(1)
        assert await house.ends() == [(1, "accepted", None)]
        assert len(provider.sent) == 1


async def test_a_provider_that_cannot_be_asked_now_is_asked_again_and_gets_no_copy_meanwhile(house: House) -> None:
    async with serving(Notify()) as provider:
        sends_by_sms(house, provider)
        provider.to_send.append(DROPPED)
        await house.publish(by_sms(1))
        async with house.dispatching():
            await house.becomes({1: "deferred"})
            provider.to_ask += [500] * 3  # as many as are tried at once
            house.clock.move(minutes=2)
            await until(lambda: _awaited(not provider.to_ask))
            await house.becomes({1: "deferred"})
            house.clock.move(minutes=6)
            await house.tells(1)
        assert await house.ends() == [(1, "accepted", None)]
        assert len(provider.sent) == 1


async def _awaited(value: bool) -> bool:
    return value


async def test_in_quiet_hours_a_message_waits_for_their_end_and_waiting_is_no_failed_attempt(house: House) -> None:
    def counted() -> float:
        return REGISTRY.get_sample_value("contact_errors_total", {"stage": "send", "reason": "quiet-hours"}) or 0

    before = counted()
    async with serving(Notify()) as provider:
        sends_by_sms(house, provider, quiet="09:00-11:00")
        await house.publish(by_sms(1), by_sms(2, due=START + timedelta(minutes=5)), message(3))
        async with house.dispatching():
            await house.becomes({1: "deferred", 2: "accepted", 3: "accepted"})
            house.clock.move(minutes=89)
            await asyncio.sleep(0.6)
            assert provider.numbers() == ["+447700900002"], "it is not 11 yet"
            house.clock.move(minutes=2)
            await house.tells(3)
        assert provider.numbers() == ["+447700900002", "+447700900001"]
    assert [(each.outgoing_id.int, each.attempts) for each in await house.told()][-1] == (1, 1)
    assert counted() == before


async def test_nights_are_not_what_a_message_is_given_up_for(house: House) -> None:
    async with serving(Notify()) as provider:
        sends_by_sms(house, provider, quiet="00:00-23:59")
        await house.publish(by_sms(1, due=START + timedelta(days=30)))
        async with house.dispatching():
            for _ in range(9):
                await house.becomes({1: "deferred"})
                house.clock.move(hours=23)
                await asyncio.sleep(0.6)
            assert await house.told() == []
        assert provider.numbers() == []


def by_portal(number: int, **changed: Any) -> Outgoing:
    post = Post(network="facebook", thread_id="t")
    return message(number, channel="social", recipient="@jo", in_reply_to="p", post=post, **changed)


def sends_by_portal(house: House, portal: Portal) -> None:
    account = SocialAccount(secret=SecretStr(portal.secret), replies=portal.replies)
    house.ways = {("social", "care"): channels.social.send.Connection(account)}


async def test_a_portal_that_asks_for_time_gets_it_for_all_that_waits_for_it(house: House) -> None:
    with running_portal() as portal:
        sends_by_portal(house, portal)
        portal.answers.append((429, {"Retry-After": "600"}))
        await house.publish(by_portal(1), by_portal(2), message(3))
        async with house.dispatching():
            await house.becomes({1: "deferred", 2: "waiting", 3: "accepted"})
            house.clock.move(minutes=9)
            await asyncio.sleep(0.6)
            assert len(portal.requests) == 1
            house.clock.move(minutes=2)
            await until(lambda: _awaited(len(portal.requests) > 1))


async def test_a_message_that_is_put_off_past_its_time_is_given_up_for_a_person_to_see_to(house: House) -> None:
    with running_portal() as portal:
        sends_by_portal(house, portal)
        portal.answers.append((429, {"Retry-After": "600"}))
        await house.publish(by_portal(1, due=START - timedelta(hours=48)))
        async with house.dispatching():
            await house.tells(1)
        assert await house.ends() == [(1, "failed", "given-up: portal-busy: 429")]


LIVES = """
import asyncio, os, sys
from datetime import timedelta
from pathlib import Path
from pydantic import SecretStr
from channels import dispatcher
from channels.email.send import Connection
from channels.email.settings import EmailAccount
from channels.sms.settings import SmsAccount
from channels.table import ways_out
from ingest import clock
from ingest.database import Database
from ingest.log.sqlite import SqliteLog
from ingest.settings import Settings

def texting(api, api_key, template):
    account = SmsAccount(
        provider="notify", number="+441632960111", bearer=SecretStr("b" * 32), api_key=SecretStr(api_key), template=template, api=api
    )
    team = dict.fromkeys(("intake", "investigators", "customer_care", "duty"), "team@example.org")
    return ways_out({("sms", "care"): account}, Settings(key="7f3a91c04be82d6659d1e07ab34c8f20", teams=team))

async def live(folder, smtp, *sms):
    log = await SqliteLog.open(
        Path(folder) / "log.db", exclusive=True, clock=clock.now, retention=timedelta(days=1), most_record_bytes=8_000_000
    )
    account = EmailAccount(
        host="localhost", user="care", password=SecretStr("x"), smtp=smtp, smtp_security="none", smtp_login=False,
        sender="care@example.org",
    )
    await dispatcher.run(
        log=log, database=Database(f"sqlite:///{folder}/register.db"),
        ways={("email", "care"): Connection(account), **(texting(*sms) if sms else {})}, mode="on",
        burst=10_000, clock=clock.now, stopping=asyncio.Event(),
    )

for _ in sys.stdin:  # a life for each line, without the seconds that importing takes
    if not (pid := os.fork()):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        asyncio.run(live(*sys.argv[1:]))
    print(pid, flush=True)
    os.waitpid(pid, 0)
    print("gone", flush=True)
"""


async def last_life(process: asyncio.subprocess.Process, folder: Path, messages: int) -> None:
    """Let it live until the end of every message is told, and no longer."""
    assert process.stdin
    assert process.stdout
    process.stdin.write(b"\n")
    pid = int(await process.stdout.readline())
    look = await SqliteLog.open(
        folder / "log.db", exclusive=False, clock=MovableClock(), retention=timedelta(days=1), most_record_bytes=10**7
    )

    async def all_told() -> bool:
        told = await look.read("outgoing.status", after={}, most=1000)
        return len({each.record.key for each in told}) == messages

    await until(all_told)
    await look.close()
    os.kill(pid, signal.SIGKILL)
    process.stdin.close()
    await process.wait()


@pytest.mark.journey
async def test_killed_again_and_again_every_message_goes_and_copies_are_no_more_than_kills(tmp_path: Path) -> None:
    kills, messages, chance = 10, 60, random.Random(7)
    database_in(tmp_path)
    log = await opened(tmp_path, MovableClock())
    await log.append("outgoing", [record(message(each)) for each in range(1, messages + 1)])
    async with smtp_server() as server:
        await log.close()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", LIVES, str(tmp_path), server.address, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )  # fmt: skip
        assert process.stdin
        assert process.stdout
        async with asyncio.timeout(60):
            for life in range(kills):
                process.stdin.write(b"\n")
                pid = int(await process.stdout.readline())
                fatal = len(server.taken) + chance.randint(1, 5)
                # Every other time just as the server says yes, else a moment later.
                after = chance.uniform(0, 0.02) if life % 2 else 0

                def taken(pid: int = pid, fatal: int = fatal, after: float = after) -> None:
                    if len(server.taken) == fatal:
                        asyncio.get_running_loop().call_later(after, os.kill, pid, signal.SIGKILL)

                server.on_taken = taken
                await process.stdout.readline()
            await last_life(process, tmp_path, messages)
    copies = Counter(each.message["Message-ID"] for each in server.taken)
    assert set(copies) == {f"<{each}@example.org>" for each in range(1, messages + 1)}
    assert sum(copies.values()) - messages <= kills


@pytest.mark.journey
async def test_killed_as_a_provider_takes_each_text_no_second_copy_goes_since_it_is_asked(tmp_path: Path) -> None:
    kills, messages = 5, 12
    database_in(tmp_path)
    log = await opened(tmp_path, MovableClock())
    await log.append("outgoing", [record(by_sms(each)) for each in range(1, messages + 1)])
    await log.close()
    async with serving(Notify()) as provider:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", LIVES, str(tmp_path), "localhost:1", provider.url, provider.api_key, provider.template,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdin
        assert process.stdout
        async with asyncio.timeout(90):
            for _ in range(kills):
                process.stdin.write(b"\n")
                pid = int(await process.stdout.readline())
                fatal = len(provider.sent) + 2

                def taken(pid: int = pid, fatal: int = fatal) -> None:
                    if len(provider.sent) == fatal:
                        os.kill(pid, signal.SIGKILL)

                provider.on_taken = taken
                await process.stdout.readline()
            await last_life(process, tmp_path, messages)
    assert sorted(provider.numbers()) == [f"+44770090{each:04}" for each in range(1, messages + 1)]


@pytest.mark.needs("postgres")
async def test_of_two_dispatchers_one_sends_and_the_other_takes_its_place(house: House, postgres: Postgres):
    url = postgres.url(postgres.create())
    upgrade(url, [state.MIGRATIONS])
    one, other = (House(house.log, Database(url), house.server, house.clock) for _ in range(2))
    async with one.dispatching():
        async with other.dispatching():
            await one.publish(*(message(number) for number in range(1, 11)))
            await one.tells(10)
        await one.publish(message(11))
        await one.tells(11)
    async with other.dispatching():
        await one.publish(message(12))
        await one.tells(12)
    assert [end for _, end, _ in await one.ends()] == ["accepted"] * 12
    assert len(house.server.taken) == 12
    for each in (one, other):
        await each.database.close()
    postgres.drop(url.rpartition("/")[2])
