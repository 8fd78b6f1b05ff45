"""The receipt ledger: it balances whatever happens on the way, and a loss stands out."""

from datetime import timedelta

import pytest
from sqlalchemy import delete

from ingest import state
from ingest.contract import Automatic, Identifier, OutgoingState, OutgoingStatus, Person, Record
from ingest.log import Partition
from router import desk, ledger, outbox
from router.register import tables
from router.store import Batch
from tests.router.conftest import written


@pytest.fixture
def arrive(database, append):
    """Contacts at our edge: on the log, and in its own note of what it accepted."""

    async def take(*contacts, on_the_log: bool = True):
        if on_the_log:
            await append(*contacts)
        async with database.write() as connection:
            await connection.execute(
                state.receipts.insert(),
                [
                    {
                        "contact_id": each.id,
                        "channel": each.channel,
                        "account": each.account,
                        "received_at": each.received_at,
                        "original": each.original,
                    }
                    for each in contacts
                ],
            )

    return take


@pytest.fixture
def count(log, database, clock):
    """The total of the ledger's lines."""

    async def total(**span):
        lines = await ledger.entries(log, database, clock(), **span)
        for line in lines:
            accounted = sum(line.dispositions.values()) + line.dead_lettered + line.waiting + line.unaccounted
            assert line.received == accounted
        return {
            name: sum(getattr(line, name) for line in lines) for name in ("received", "dead_lettered", "waiting", "unaccounted")
        }

    return total


async def test_what_waits_on_the_log_is_waiting_and_what_is_decided_is_decided(
    contact, arrive, route, count, log, database, clock
):
    await arrive(contact(), contact())
    assert await count() == {"received": 2, "dead_lettered": 0, "waiting": 2, "unaccounted": 0}
    await route()
    await arrive(contact())
    assert await count() == {"received": 3, "dead_lettered": 0, "waiting": 1, "unaccounted": 0}
    (line,) = await ledger.entries(log, database, clock())
    assert sum(line.dispositions.values()) == 2


async def test_a_planted_loss_is_found(contact, arrive, route, count):
    await arrive(contact(), contact())
    await arrive(contact(), on_the_log=False)
    await route()
    assert (await count())["unaccounted"] == 1


async def test_a_contact_taken_out_of_the_register_is_found(contact, arrive, route, count, database):
    await arrive(contact(), contact())
    await route()
    async with database.write() as connection:
        await connection.execute(delete(tables.dispositions))
    assert (await count())["unaccounted"] == 2


async def test_a_dead_letter_a_parked_one_and_one_behind_it_balance(contact, arrive, append, route, count, database):
    bad, newer, behind = contact(), contact(sender="b@example.com"), contact(sender="b@example.com")
    v2 = written(newer, ce_type="contact-ingest.contact.v2")
    await arrive(bad, newer, on_the_log=False)
    await append(written(bad, value=b"{"), v2, v2)
    await arrive(behind)
    await route()
    assert await count() == {"received": 3, "dead_lettered": 1, "waiting": 2, "unaccounted": 0}


async def test_putting_a_dead_letter_back_balances_at_every_step(
    contact, append, arrive, route, count, rows, database, store, log, clock
):
    about = contact()
    await arrive(about, on_the_log=False)
    await append(written(about, value=b"{"), Record("k", b"no event at all"))
    await route()
    assert (await count())["dead_lettered"] == 2
    for dead in await rows(tables.dead_letters):
        await desk.replay(database, store, dead.id, "Sam", clock)
        assert (await count())["unaccounted"] == 0
    await outbox.publish(log, database)
    assert (await count())["unaccounted"] == 0
    await route()
    after = await count()
    assert after["unaccounted"] == after["waiting"] == 0
    assert {row.state for row in await rows(tables.dead_letters, tables.dead_letters.c.id == about.id)} == {"open"}


async def test_several_dispositions_of_one_contact_count_once(
    contact, arrive, route, count, rows, database, store, house, clock
):
    await arrive(contact("I am unsure what to say."))
    await route()
    for task in await rows(tables.tasks, tables.tasks.c.kind.in_(("review", "not-read-for-risk"))):
        rulings = [desk.Ruling(desk.NoAction(), None, None, "nothing to do")]
        await desk.rule(database, store, house, task.id, rulings, "Sam", clock)
    assert await count() == {"received": 1, "dead_lettered": 0, "waiting": 0, "unaccounted": 0}


async def test_lines_are_by_hour_and_channel_and_cut_by_whole_hours(contact, arrive, clock, log, database, count):
    nine = clock()
    await arrive(contact(), contact(received_at=nine + timedelta(hours=1)), contact(received_at=nine - timedelta(minutes=20)))
    await arrive(contact(channel="letter"))
    lines = await ledger.entries(log, database, clock())
    assert [(line.hour.hour, line.channel, line.received) for line in lines] == [
        (9, "email", 2),
        (9, "letter", 1),
        (10, "email", 1),
    ]
    assert (await count(since=nine))["received"] == 4
    assert (await count(since=nine + timedelta(minutes=35)))["received"] == 1
    assert (await count(until=nine))["received"] == 1


async def test_more_than_a_page_is_counted_whole(contact, arrive, route, count, monkeypatch):
    monkeypatch.setattr(ledger, "_PAGE", 4)
    await arrive(*(contact() for _ in range(7)))
    await route()
    await arrive(*(contact() for _ in range(6)))
    assert await count() == {"received": 13, "dead_lettered": 0, "waiting": 6, "unaccounted": 0}


async def test_a_parked_contact_that_no_channel_of_ours_took_in_is_counted_as_waiting(contact, append, route, count):
    await append(written(contact(), ce_type="contact-ingest.contact.v2"))
    await route()
    assert await count() == {"received": 1, "dead_lettered": 0, "waiting": 1, "unaccounted": 0}


async def test_a_line_says_whose_writers_have_heard_from_us_who_is_owed_it_and_by_when(
    contact, arrive, route, log, database, clock, store, rows
):
    earlier = clock() - timedelta(minutes=10)
    going, urgent, robot = (
        contact(sender="a@example.com"),
        contact("I am going to kill myself tonight.", sender="b@example.com", received_at=earlier),
        contact(sender="c@example.com", automatic=Automatic.REPLY),
    )
    await arrive(going, urgent, robot)
    await route()

    async def line():
        (only,) = await ledger.entries(log, database, clock())
        return only.acknowledged, only.owed, only.earliest_due

    assert await line() == (0, 2, earlier + timedelta(hours=48))
    async with database.write() as connection:
        await connection.execute(tables.outgoing.update().where(tables.outgoing.c.state == "due").values(state="accepted"))
    assert await line() == (1, 1, earlier + timedelta(hours=48))
    (held,) = await rows(tables.outgoing, tables.outgoing.c.state == "held")
    await desk.cancel(database, store, held.id, "rung her", "Sam", clock)
    assert await line() == (1, 0, None)


async def test_a_message_that_came_back_is_owed_until_somebody_has_written(
    contact, arrive, route, log, database, clock, store, rows
):
    reached = Person(
        identifiers=(
            Identifier(kind="email", given="jo@example.com", canonical="jo@example.com"),
            Identifier(kind="phone", given="01632 960114", canonical="+441632960114"),
        )
    )
    await arrive(contact().model_copy(update={"sender": reached}))
    await route()
    (sent,) = await rows(tables.outgoing, tables.outgoing.c.audience == "person")
    bounced = OutgoingStatus(outgoing_id=sent.id, state=OutgoingState.BOUNCED, at=clock(), attempts=1, reason="550")
    partition = Partition("the-log", "outgoing.status", 0)
    await store.assume([partition])
    await store.commit_statuses(Batch(partition, 0, 1), [bounced])
    (line,) = await ledger.entries(log, database, clock())
    assert (line.acknowledged, line.owed, line.earliest_due) == (0, 1, clock() + timedelta(hours=48))
    (task,) = await rows(tables.tasks, tables.tasks.c.kind == "letter")
    await desk.finish(database, store, task.id, "posted", "Sam", clock)
    (line,) = await ledger.entries(log, database, clock())
    assert (line.acknowledged, line.owed, line.earliest_due) == (1, 0, None)
