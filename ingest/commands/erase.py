"""``ingest erase``: all that is held on an individual, erased for good: first only shown, then done on somebody's word."""

from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ingest.commands.terminal import Config, Json, bar, fail, log_and_register, run_async, say, settings, table, warn
from ingest.errors import Refused

if TYPE_CHECKING:
    from ingest.database import Database
    from ingest.log import Log
    from ingest.originals import Originals
    from ingest.settings import Settings
    from router.erasure import Erased, Finished, Mentions, OnTopic
    from router.removal import Word
    from router.subjects import Subject

_COLUMNS = ("What", "Number", "Becomes", "Why")
Line = tuple[str, int, str, str]


def command(
    individual: Annotated[
        str | None, typer.Argument(metavar="[INDIVIDUAL_ID]", help="As `ingest register search` shows it.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it. Without, it is only shown what would go and what stays.")] = False,
    by: Annotated[str | None, typer.Option("--by", metavar="NAME", help="On whose word; it stands on the audit trail.")] = None,
    because: Annotated[
        str | None,
        typer.Option(
            "--because", metavar="TEXT", help="Why, without a word about them: it stands on the audit trail for good."
        ),
    ] = None,
    even_if_open: Annotated[
        bool, typer.Option("--even-if-open", help="Though a case of theirs is open, or a handoff or task is not at its end.")
    ] = False,
    contact: Annotated[
        list[str] | None,
        typer.Option(
            "--contact", metavar="CONTACT", help="A contact that is linked to nobody and is theirs too; as often as needed."
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only look whether anything is left of anybody who was erased.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Erase anew whoever is back, as after a copy of the register was put back.")
    ] = False,
    readmit: Annotated[
        bool, typer.Option("--readmit", help="Let somebody be imported again who was erased and has come back to you.")
    ] = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """Erase all that is held on an individual: what the register has of them and of each contact that is linked to them, the originals and
    files that came with those and with nobody else's, what was sent and waits to be sent, and what the log has of it.

    Nothing is changed without --yes. First it is shown, table by table, how much would go, and what stays and why: what is somebody
    else's too, what mail servers and other teams hold. Where a case, a handoff or a task is open it is refused; settle those first.

    Left are entries of the audit trail that say that something was done and not about whom, and marks by which nothing of it is filed anew.
    What they write to us from now on is a new contact, as a stranger's. Kafka keeps what is on its topics until their retention is over:
    --check says until when, and when nothing is left. Stopped midway, run it again: it goes on.
    """
    asked = [name for name, given in (("--check", check), ("--again", again), ("--readmit", readmit)) if given]
    if len(asked) > 1:
        fail(f"{' and '.join(asked)} are different things: give one of them.", 2)
    if individual is None and not (check or again):
        fail("Name an individual, as `ingest register search` shows them.", 2)
    if (yes or readmit) and not (by and because):
        fail("Say on whose word and why: --by NAME --because TEXT. Both stand on the audit trail.", 2)
    word_by, word_because = by or "", because or ""
    if check:
        run_async(_check(config, json=json))
    elif again:
        run_async(_again(word_by, word_because, config, yes=yes, json=json))
    elif readmit:
        run_async(_readmit(str(individual), word_by, word_because, config))
    else:
        run_async(
            _erase(str(individual), word_by, word_because, contact or [], config, yes=yes, anyway=even_if_open, json=json)
        )


@dataclass(frozen=True, slots=True)
class _Stores:
    """Everything that may hold something of theirs."""

    chosen: "Settings"
    key: bytes
    database: "Database"
    log: "Log"
    originals: "Originals"
    kept: "tuple[Originals, ...]"


@asynccontextmanager
async def _opened(config: Path | None) -> AsyncGenerator[_Stores]:
    from ingest.originals import Originals
    from router.erasure import marks_kept

    chosen = settings(config)
    originals, kept = Originals(chosen.originals.url, chosen.originals), marks_kept(chosen.originals, chosen.audit)
    async with log_and_register(chosen) as (log, database):
        yield _Stores(chosen, chosen.own_key, database, log, originals, kept)


def _word(by: str, because: str) -> "Word":
    from ingest.clock import now
    from router.removal import ERASED, Word

    return Word(ERASED, by, because, now())


async def _erase(
    individual: str, by: str, because: str, contacts: list[str], config: Path | None, *, yes: bool, anyway: bool, json: bool
) -> None:
    from router.desk import id_of
    from router.erasure import erase, erased_before
    from router.register import tables
    from router.subjects import Subject

    async with _opened(config) as it:
        async with it.database.read() as connection:
            also = [await id_of(connection, tables.contacts, each) for each in contacts]
        word = _word(by, because)
        try:
            done = await erase(it.database, it.key, individual, word, also=also, rehearse=True)
            found = await _named_elsewhere(it, done)
            if yes:
                done = await erase(
                    it.database, it.key, individual, word, also=also, represented=found.represented, even_if_open=anyway
                )
            done.stays += [found.stays] if found.stays else []
        except Refused as error:
            if error.reason == "open":
                fail(f"{error.sentence} Settle that first, or say --even-if-open.")
            before = await erased_before(it.database, it.key, individual) if error.reason == "no-such-individual" else None
            if before is None:
                raise
            at, whose = before
            title = f"{individual} was erased on {at:%d %B %Y}, on the word of {whose}"
            await _finished(it, gone=[Subject("individual", individual)], json=json, title=title)
            return
        if yes:
            await _finished(it, done, json=json, title=f"Erased: {individual}")
            return
        table(f"What would become of {individual}", _COLUMNS, [*_lines(done, yes=False), *await _on_log(it, done)], json=json)
        for each in (*done.on_hold, *done.holds):
            warn(each)
        if done.holds and not anyway:
            warn("Nothing is erased while that is so, unless you say --even-if-open.")
        warn("Nothing was changed. To do it, say --yes --by NAME --because TEXT.")


async def _named_elsewhere(it: _Stores, done: "Erased") -> "Mentions":
    from router.erasure import mentions, stored

    with bar("Contacts", await stored(it.database)) as advance:
        return await mentions(it.database, done, advance)


async def _again(by: str, because: str, config: Path | None, *, yes: bool, json: bool) -> None:
    from router.erasure import again, recall

    async with _opened(config) as it:
        await recall(it.database, it.kept)
        done = await again(it.database, it.key, _word(by, because), rehearse=not yes)
        if yes:
            await _finished(it, done, json=json, title="Erased again")
            return
        table("What would be erased again", _COLUMNS, _lines(done, yes=False), json=json)
        warn("Nothing was changed. To do it, say --yes --by NAME --because TEXT.")


async def _readmit(individual: str, by: str, because: str, config: Path | None) -> None:
    from router.erasure import readmit

    async with _opened(config) as it:
        if not await readmit(it.database, it.key, individual, _word(by, because), it.kept):
            fail(f"{individual} was not erased here.")
    say(f"{individual} is imported again from now on. What was erased of them is gone and stays so.")


async def _check(config: Path | None, *, json: bool) -> None:
    """Exit status 1 where something is left."""
    from router.erasure import back, recall, unwanted

    async with _opened(config) as it:
        new = await recall(it.database, it.kept)
        people, own, shared = await back(it.database, it.key)
        left = await _left_on_log(it, ())
        originals = await unwanted(it.database)
    lines: list[Line] = []
    if new or people or own or shared:
        why = "a copy of the register was put back: `ingest erase --again`"
        lines += [("individuals", len(people), "is back", why), ("contacts", len(own) + len(shared), "is back", why)]
    lines += [_on_topic(it, each) for each in left]
    if originals:
        lines.append(
            (
                "originals",
                originals,
                "waits to go",
                "an erasure was stopped midway, or a mail came again: `ingest erase --again` sees to them",
            )
        )
    lines = [each for each in lines if each[1]]
    if lines:
        table("What is left of whoever was erased", _COLUMNS, lines, json=json)
        fail("Something is left of whoever was erased.")
    say("Nothing is left of anybody who was erased, but marks that name nobody.")


async def _finished(
    it: _Stores, done: "Erased | None" = None, *, json: bool, title: str, gone: "Collection[Subject]" = ()
) -> None:
    """See to all that is outside the register, and say what came of the whole."""
    from ingest.clock import now
    from router.erasure import finish

    with bar("Records of the log", await _records(it)) as advance:
        found = await finish(
            it.database, it.log, it.originals, it.kept, it.key, now,
            also=done.gone if done else gone, spool=it.chosen.log.spooled, watch=lambda _topic, number: advance(number),
        )  # fmt: skip
    lines = [*(_lines(done, yes=True) if done else []), *_outside(it, found)]
    if lines or done:
        table(title, _COLUMNS, lines, json=json)
    else:
        warn(f"{title}. Nothing of it was left to see to.")
    if found.remain:
        warn("Kafka keeps what the table says until then. `ingest erase --check` says when nothing is left.")
    if not json:
        say("Nothing of it is filed anew. Copies of earlier days hold it until you let go of those.")


def _lines(done: "Erased", *, yes: bool) -> list[Line]:
    went = "went" if yes else "goes"
    lines = [(name, number, went, "") for name, number in sorted(done.removed.rows.items()) if number and name != "audit"]
    if number := done.removed.rows["audit"]:
        lines.append(
            ("audit entries", number, "emptied", "they say that something was done, when and by whom, and not about whom")
        )
    if not yes and done.removed.digests:
        lines.append(("originals and files", len(done.removed.digests), "goes", "unless another contact refers to it"))
    lines += [(each.what, each.number, "stays", each.because) for each in done.stays]
    return lines


def _outside(it: _Stores, found: "Finished") -> list[Line]:
    lines: list[Line] = []
    if found.emptied:
        lines.append(("records of the log", found.emptied, "emptied", ""))
    if found.originals.removed:
        lines.append(("originals and files", found.originals.removed, "went", ""))
    if found.originals.kept:
        lines.append(("originals and files", found.originals.kept, "stays", "another contact refers to it"))
    return lines + [_on_topic(it, each) for each in found.remain]


async def _on_log(it: _Stores, done: "Erased") -> list[Line]:
    from ingest.log import Feature

    left = await _left_on_log(it, done.gone)
    if Feature.REWRITES in it.log.features:
        return [("records of the log", sum(each.records for each in left), "emptied", "")] if left else []
    return [_on_topic(it, each) for each in left]


async def _left_on_log(it: _Stores, also: Any) -> "Sequence[OnTopic]":
    from router.erasure import remaining

    with bar("Records of the log", await _records(it)) as advance:
        return await remaining(it.database, it.log, it.key, also, lambda _topic, number: advance(number))


async def _records(it: _Stores) -> int:
    """How many there are, for a bar."""
    from ingest.contract import TOPIC_NAMES
    from ingest.errors import Unavailable

    number = 0
    for topic in TOPIC_NAMES:
        try:
            number += (await it.log.lag(topic, "nobody")).records
        except Unavailable as error:
            if error.reason != "topic-missing":
                raise
    return number


def _on_topic(it: _Stores, each: "OnTopic") -> Line:
    until = each.youngest + it.chosen.log.retention + timedelta(days=1)
    return (f"records on {each.topic}", each.records, "stays", f"Kafka keeps it by its retention, until about {until:%d %B %Y}")
