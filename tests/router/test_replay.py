"""Stored contacts through today's rules: what is the same comes to the same, what has changed is told, and nothing is written."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from ingest import commands
from ingest.contract import Automatic, Team
from router import decide as deciding
from router import desk, replay
from router.decide import RULES, HandOff
from router.desk import Ruling
from router.register import tables
from router.replay import Which, numbers

SAMPLES = Path(commands.__file__).parent / "samples" / "contacts.jsonl"
FEEDBACK = "I waited nine months for your decision and nobody told me why."
DRAFT = "Thank you for the draft report on my case. Paragraph 12 of the draft report is wrong: I was never in Ward 7."
UNCLEAR = "Hello. It is about the thing."


@pytest.fixture
def replayed(database, house, clock, monkeypatch: pytest.MonkeyPatch):
    """Replay, with writing forbidden; by reference."""

    async def run(which: Which = Which(), most: int = 10_000):  # noqa: B008 - it is frozen
        with monkeypatch.context() as during:
            during.setattr(type(database), "write", None)
            found = [each async for page in replay.replay(database, house, clock(), which, most) for each in page]
        assert len({each.reference for each in found}) == len(found), "each once"
        return {each.reference: each for each in found}

    return run


@pytest.fixture
def reference_of(rows):
    async def find(about) -> str:
        (row,) = await rows(tables.contacts, tables.contacts.c.id == about.id)
        return row.reference

    return find


@pytest.fixture
async def joan(person, case):
    await case("C-2034655")
    return await person(cases=[("C-2034655", "complainant", "none")])


def from_joan(contact, text: str, **fields):
    return contact(text, "joan@example.com", name="Joan Pettifer", verified_by="dmarc", **fields)


async def test_what_has_not_changed_comes_to_the_same(append, route, contact, joan, replayed):
    await append(
        contact(FEEDBACK),
        contact(UNCLEAR),
        contact("I am going to kill myself tonight."),
        contact(FEEDBACK, automatic=Automatic.BOUNCE),
        from_joan(contact, FEEDBACK),
        from_joan(contact, f"Case C-2034655. {DRAFT}"),
        from_joan(contact, f"C-2034655 again. {DRAFT}"),
    )
    await route()
    found = await replayed()
    assert len(found) == 7
    assert [each.differs_in for each in found.values()] == [()] * 7
    assert {"RecordFeedback", "HoldForReview", "NoAction", "HandOff to investigators"} <= {
        e.was.disposition for e in found.values()
    }


async def test_so_do_all_the_samples(append, route, contact, joan, replayed):
    samples = [json.loads(line) for line in SAMPLES.read_text(encoding="utf-8").splitlines()]
    await append(*(contact(each["text"], subject=each["subject"], channel=each["channel"]) for each in samples))
    await route()
    found = await replayed()
    assert len(found) == len(samples)
    assert [each.differs_in for each in found.values() if each.differs_in] == []
    assert len({each.was.rule for each in found.values()}) > 6


async def test_a_record_of_its_own_is_not_one_to_add_a_contact_to(append, route, contact, joan, database, house, clock):
    one = from_joan(contact, f"Case C-2034655. {DRAFT}")
    await append(one)
    await route()
    async with database.read() as connection:
        read = [(one, replay.reading_of(one, house))]
        ((situation, _),) = await replay.situations(connection, read, house, clock())
    assert deciding.decide(situation).disposition == HandOff(Team.INVESTIGATORS)
    assert situation.individual
    assert not situation.individual.written_before


async def test_a_rule_taken_out_is_told_by_what_its_contacts_would_come_to(
    append, route, contact, replayed, reference_of, monkeypatch: pytest.MonkeyPatch
):
    about, other = contact(FEEDBACK), contact(UNCLEAR)
    await append(about, other)
    await route()
    monkeypatch.setattr(deciding, "RULES", tuple(each for each in RULES if each.name != "feedback"))
    found = await replayed()
    changed = found[await reference_of(about)]
    assert changed.differs_in == ("disposition", "rule")
    assert (changed.was.disposition, changed.was.rule) == ("RecordFeedback", "feedback")
    assert changed.becomes
    assert (changed.becomes.disposition, changed.becomes.rule) == ("HoldForReview", "nothing-fits")
    assert found[await reference_of(other)].differs_in == ()


async def test_somebody_imported_since_is_found(append, route, contact, replayed, reference_of, person):
    about = from_joan(contact, FEEDBACK)
    await append(about)
    await route()
    await person()
    changed = (await replayed())[await reference_of(about)]
    assert changed.differs_in == ("individual",)
    assert changed.was.individual
    assert changed.was.individual.startswith("made-"), "nobody had known of them"
    assert changed.becomes
    assert changed.becomes.individual == "R1"


async def test_a_case_that_has_closed_since_is_for_its_owner(append, route, contact, replayed, joan, database):
    await append(from_joan(contact, f"Case C-2034655. {DRAFT}"))
    await route()
    async with database.write() as connection:
        await connection.execute(update(tables.cases).values(status="closed"))
    (changed,) = (await replayed()).values()
    assert changed.differs_in == ("disposition", "rule")
    assert (changed.was.disposition, changed.becomes and changed.becomes.disposition) == (
        "HandOff to investigators",
        "HandOff to case-owner",
    )


async def test_what_a_person_has_decided_on_is_left_out_and_counted(
    append, route, contact, replayed, database, store, house, clock, rows
):
    unclear = contact(UNCLEAR)
    await append(unclear, contact(FEEDBACK))
    await route()
    (task,) = await rows(tables.tasks, tables.tasks.c.contact_id == unclear.id)
    await desk.rule(database, store, house, task.id, [Ruling(HandOff(Team.INTAKE), None, None, "it is plain")], "Sam", clock)
    assert await numbers(database, Which()) == (1, 1)
    assert [each.was.disposition for each in (await replayed()).values()] == ["RecordFeedback"]


async def test_those_wanted_are_replayed_the_latest_first_and_over_pages(
    append, route, contact, replayed, clock, database, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(replay, "_PAGE", 2)
    early = clock()
    for _ in range(3):
        await append(contact(UNCLEAR), contact(UNCLEAR, channel="letter", account="post"))
        await route()
        clock.forward(days=1)
    everything = await replayed()
    received = [each.received_at for each in everything.values()]
    assert (len(received), received) == (6, sorted(received, reverse=True))
    since = Which(since=early + timedelta(days=1))
    assert len(await replayed(since)) == 4
    assert await numbers(database, since) == (4, 0)
    assert {each.channel for each in (await replayed(Which(channel="letter"))).values()} == {"letter"}
    assert list(await replayed(most=3)) == list(everything)[:3]
    assert len(await replayed(Which(early + timedelta(days=3)))) == 0


async def test_one_that_can_no_longer_be_read_is_told_and_hides_no_other(
    append, route, contact, replayed, database, reference_of
):
    about, other = contact(UNCLEAR), contact(UNCLEAR)
    await append(about, other)
    await route()
    async with database.write() as connection:
        broken = update(tables.contacts).where(tables.contacts.c.id == about.id)
        await connection.execute(broken.values(body='{"id": 1}'))
    found = await replayed()
    gone = found[await reference_of(about)]
    assert (gone.becomes, gone.broken, gone.differs_in) == (None, "ValidationError", ("disposition",))
    assert found[await reference_of(other)].differs_in == ()


async def test_one_that_breaks_a_rule_is_told_and_hides_no_other(
    append, route, contact, replayed, monkeypatch: pytest.MonkeyPatch
):
    await append(contact(UNCLEAR), contact(FEEDBACK))
    await route()

    def breaks(situation):
        if situation.contact.text == UNCLEAR:
            raise ZeroDivisionError
        return deciding.decide(situation)

    monkeypatch.setattr(replay, "decide", breaks)
    assert sorted(str(each.broken) for each in (await replayed()).values()) == ["None", "ZeroDivisionError"]
