"""``ingest publish`` puts contacts on the topic as a publisher would, all or none unless told otherwise."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from ingest.clock import now
from ingest.contract import Contact, Event, decode
from ingest.log.sqlite import SqliteLog
from ingest.settings import load, path_of
from router.opening import contact_of
from tests.ingest.commands.conftest import Ingest

Make = Callable[..., dict[str, Any]]
Lines = Callable[..., Path]
CRM = "urn:example:crm"


async def on_the_topic(config: Path) -> list[Event]:
    log = (chosen := load(config)).log
    opened = await SqliteLog.open(
        path_of(log.url), exclusive=False, clock=now, retention=log.retention, most_record_bytes=log.most_record_bytes
    )
    found: list[Event] = []
    while page := await opened.read("contacts", after={0: len(found)}, most=500):
        found += [decode(each.record) for each in page]
        for each in page:
            contact_of(each.record, chosen.publishers, b"")  # what the router would make of it
    await opened.close()
    return found


def publish(ingest: Ingest, config: Path, file: Path, *more: str):
    return ingest("publish", file, "--source", CRM, "--config", config, *more)


def test_contacts_are_published_in_order_as_the_publishers_own(ingest: Ingest, config: Path, contact: Make, lines: Lines):
    ids = [str(UUID(int=number)) for number in range(3)]
    ran = publish(ingest, config, lines(*(contact(id=each, source=CRM) for each in ids)))
    assert (ran.status, ran.out) == (0, "3 contacts are on the topic contacts.\n")
    events = asyncio.run(on_the_topic(config))
    assert [each.id for each in events] == ids
    assert {each.source for each in events} == {CRM}
    assert {each.type for each in events} == {"contact-ingest.contact.v1"}
    assert Contact.model_validate_json(events[0].data).text == "call me"


def test_more_than_one_transaction_of_them_arrive_whole(ingest: Ingest, config: Path, contact: Make, lines: Lines):
    ran = publish(ingest, config, lines(*(contact(id=str(UUID(int=number)), source=CRM) for number in range(1_100))))
    assert ran.status == 0
    assert [each.id for each in asyncio.run(on_the_topic(config))] == [str(UUID(int=number)) for number in range(1_100)]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("{", "line 2: Invalid JSON"),
        ({"channel": "pigeon"}, "line 2: channel: "),
        ({"source": "urn:example:other"}, f"line 2: source: It is not {CRM}"),
        ({"source": "urn:contact-ingest:email:care"}, f"line 2: source: It is not {CRM}"),
        ({"text": "x" * 70_000}, "line 2: The record has "),
    ],
)
def test_where_one_line_is_bad_nothing_is_published(
    ingest: Ingest, config: Path, contact: Make, lines: Lines, bad: Any, reason: str
):
    config.write_text(config.read_text(encoding="utf-8") + "[log]\nmost_record_bytes = 65536\n", encoding="utf-8")
    wrong = bad if isinstance(bad, str) else {**contact(source=CRM), **bad}
    file = lines(contact(source=CRM), wrong, contact(source=CRM, id=str(UUID(int=9))))
    ran = publish(ingest, config, file)
    assert ran.status == 1
    assert reason in ran.out
    assert "nothing was published" in ran.err
    assert asyncio.run(on_the_topic(config)) == []
    skipped = publish(ingest, config, file, "--skip-bad")
    assert skipped.status == 1
    assert "2 contacts are on the topic" in skipped.out
    assert len(asyncio.run(on_the_topic(config))) == 2


@pytest.mark.parametrize("source", ["urn:example:nobody", "urn:contact-ingest:email:care"])
def test_a_publisher_that_the_settings_do_not_name_is_refused(
    ingest: Ingest, config: Path, contact: Make, lines: Lines, source: str
):
    ran = ingest("publish", lines(contact(source=source)), "--source", source, "--config", config)
    assert ran.status == 2
    assert f'[publishers."{source}"]' in ran.err


def test_an_empty_file_publishes_nothing_and_says_so(ingest: Ingest, config: Path, lines: Lines):
    ran = publish(ingest, config, lines(""))
    assert (ran.status, ran.out) == (1, "")
    assert "no contacts" in ran.err


def test_settings_that_are_wrong_end_it_with_their_key(ingest: Ingest, config: Path, contact: Make, lines: Lines):
    config.write_text("unknown = 1\n" + config.read_text(encoding="utf-8"), encoding="utf-8")
    ran = publish(ingest, config, lines(contact(source=CRM)))
    assert ran.status == 2
    assert "There is no setting unknown." in ran.err


def test_the_text_of_a_contact_is_never_printed(ingest: Ingest, config: Path, contact: Make, lines: Lines):
    ran = publish(ingest, config, lines(contact(source=CRM, text="my words"), json.dumps({"text": "my words"})))
    assert "my words" not in ran.out + ran.err
