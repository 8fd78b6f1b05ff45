"""``ingest run``: the service. Puts the rooms together, starts the roles asked for, and drains them when told to stop."""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, Awaitable, Collection, Coroutine, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import text

from channels import dispatcher
from channels.email import translate
from channels.email.settings import EmailAccount
from channels.sms.settings import SmsAccount
from channels.table import CHANNELS, accounts, ways_out
from channels.web_form.settings import FormAccount
from ingest import certificates, disks, publishing, receive, spans, state, supervisor, web
from ingest.bounded import Bounded
from ingest.clock import Clock, now
from ingest.commands.terminal import Config, open_database, open_log, open_spool, run_async, settings
from ingest.commands.weights import set_by
from ingest.database import Database
from ingest.errors import Halted, IngestError, Misconfigured, Unavailable
from ingest.log import Log, Partition
from ingest.log.spool import SpooledLog, left_in
from ingest.originals import Originals
from ingest.scan import scanner
from ingest.settings import Section, Settings
from ingest.telemetry import ERRORS, RETENTION, RETENTION_APPLIES, guard, telemetry, write_lines
from ingest.uploads import Uploads
from router import duties, outbox, retention
from router.answers import Answers, Fault, library
from router.consequences import House
from router.erasure import marks_kept, recall
from router.handoffs import follow_receipts
from router.heads import Heads, open_heads
from router.readers import Readers
from router.shelves import Times
from router.store import Store
from router.worker import Worker, follow_allocations, follow_statuses

_READERS = ("router", "dispatcher")
ROLES = (*(name for name, channel in CHANNELS.items() if channel.run), "web", *_READERS)
_DRAIN_SECONDS = 25.0

_say = telemetry("run")


@dataclass(frozen=True, slots=True)
class Service:
    """Everything the roles lean on."""

    settings: Settings
    accounts: Mapping[tuple[str, str], Section]
    database: Database
    log: Log
    spool: SpooledLog | None
    originals: Originals
    store: Store
    house: House
    clock: Clock
    stopping: asyncio.Event
    heads: Heads | None


def command(
    roles: Annotated[
        list[str] | None, typer.Argument(metavar="[ROLE]...", help=f"Any of {', '.join(ROLES)}; all where none is named.")
    ] = None,
    config: Config = None,
) -> None:
    """Run the service until SIGTERM or Ctrl-C: it then takes nothing new, finishes what is in hand, and ends within half a minute.

    A second signal ends it at once; nothing accepted is lost by that either. The public's pages are on [web] public,
    health and metrics on [web] private.
    """
    chosen, known = settings(config), _known(roles or list(ROLES))
    write_lines()
    guard()
    with reading(known) as readers:
        run_async(_run(chosen, known, readers))


def _known(roles: Sequence[str]) -> list[str]:
    for role in roles:
        if role not in ROLES:
            raise typer.BadParameter(f"There is no role {role}. There are {', '.join(ROLES)}.")
    return list(dict.fromkeys(roles))


def house_of(chosen: Settings) -> House:
    """What deciding needs to know of us. Raises Misconfigured."""
    found = accounts(chosen)
    mailboxes = {name: each for (_, name), each in found.items() if isinstance(each, EmailAccount)}
    if not mailboxes:
        raise Misconfigured(
            "channels.email", "There is no [channels.email.NAME]: nothing could be acknowledged and no team told."
        )
    notices = chosen.outgoing.account or next(iter(mailboxes))
    if notices not in mailboxes:
        raise Misconfigured("outgoing.account", f"outgoing.account is {notices}, and there is no [channels.email.{notices}].")
    return House(
        teams=chosen.teams,
        acknowledgement=chosen.acknowledgement,
        outgoing=chosen.outgoing,
        router=chosen.router,
        reading=chosen.reading,
        senders={name: each.sender for name, each in mailboxes.items()},
        notices_from=notices,
        accounts=_sending(ways_out(found, chosen)),
        numbers=frozenset(each.number for each in found.values() if isinstance(each, SmsAccount)),
        answers=_answers(chosen.acknowledgement.answers),
        form=chosen.web.public_url if any(channel == "web_form" for channel, _ in found) else None,
        key=chosen.own_key,
        weights=set_by(chosen.matching),
    )


def times_of(chosen: Settings) -> Times:
    """How long everything is kept. Raises Misconfigured."""
    forms = [each for each in accounts(chosen).values() if isinstance(each, FormAccount)]
    drafts = max((each.draft_kept_for for each in forms), default=None)
    return Times(chosen.retention, chosen.uploads.kept_for, drafts, chosen.own_key)


def _sending(ways: Collection[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """The accounts that can send, by channel."""
    return {channel: tuple(name for at, name in ways if at == channel) for channel, _ in ways}


def answers_in(folder: Path | None) -> tuple[Answers, tuple[Fault, ...]]:
    """The approved answers in a folder, and everything that is wrong with its files. Raises Misconfigured where it cannot be read."""
    if folder is None:
        return {}, ()
    try:
        if not folder.is_dir():
            raise Misconfigured("acknowledgement.answers", f"acknowledgement.answers: there is no folder {folder}.")
        return library({path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.md")})
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured("acknowledgement.answers", f"acknowledgement.answers: {folder} cannot be read: {error}.") from error


def _answers(folder: Path | None) -> Answers:
    """Those of the settings. Raises Misconfigured, naming the file and line of each fault."""
    answers, faults = answers_in(folder)
    if faults:
        raise Misconfigured("acknowledgement.answers", f"acknowledgement.answers: {' '.join(map(str, faults))}")
    return answers


@asynccontextmanager
async def service(
    chosen: Settings, clock: Clock, stopping: asyncio.Event, roles: Sequence[str] = ROLES
) -> AsyncGenerator[Service]:
    """Open everything that roles need, the log first since it refuses a second service; close it again, the log last."""
    house, mailboxes = house_of(chosen), accounts(chosen)
    log = await open_log(chosen, exclusive=True)
    try:
        database = open_database(chosen)
        originals = Originals(chosen.originals.url, chosen.originals)
        heads = open_heads(chosen.audit, chosen.originals)
        try:
            store = Store(database, house, clock)
            await _reconcile(log, database, store)
            async with _spool(chosen, log, roles) as spool:
                yield Service(chosen, mailboxes, database, log, spool, originals, store, house, clock, stopping, heads)
        finally:
            await database.close()
    finally:
        await log.close()


async def _reconcile(log: Log, database: Database, store: Store) -> None:
    """Where the log was put back from a copy that is older than the register, see to it before anything is appended."""
    seen = await store.positions()
    async with database.read() as connection:
        taken_in = await state.taken_in(connection)
    seen |= {Partition(log_id, dispatcher.OUTGOING.name, number): at for (log_id, number), at in taken_in.items()}
    for topic in await log.reconcile(seen):
        ERRORS.labels("restore", "log-put-back").inc()
        _say.error("log-put-back", topic=topic)
        await store.put_back(topic, {})


@asynccontextmanager
async def _spool(chosen: Settings, log: Log, roles: Sequence[str]) -> AsyncGenerator[SpooledLog | None]:
    """By the name of the first role that takes contacts in, so that one that later runs by itself finds what was left here."""
    name = next((each for each in ROLES if each in roles and each not in _READERS), None)
    spool = await open_spool(chosen, log, name)
    try:
        if spool is not None:
            await _tell_of_others(chosen.log.spool, spool.name)
        yield spool
    finally:
        if spool is not None:
            await spool.close()


@asynccontextmanager
async def desk_of(chosen: Settings) -> AsyncGenerator[tuple[Database, Store, House]]:
    """What the acts of people need, beside a running service. Raises Misconfigured, Unavailable."""
    house, database = house_of(chosen), open_database(chosen)
    try:
        yield database, Store(database, house, now), house
    finally:
        await database.close()


async def _tell_of_others(folder: Path, ours: str) -> None:
    """Contacts that wait in another process's spool, which may be one that nobody starts any more."""
    try:
        for each in await left_in(folder, now):
            if each.records and each.name != ours:
                _say.warning("another-spool", name=each.name, records=each.records, oldest=str(each.oldest))
    except IngestError as error:
        _say.warning("another-spool", reason=error.reason, sentence=error.sentence)


@contextmanager
def reading(roles: Sequence[str]) -> Generator[Readers]:
    """What the router reads by, where it is among the roles; to be called before there are threads."""
    with closing(Readers.for_this_machine() if "router" in roles else Readers(0)) as readers:
        readers.begin()
        yield readers


async def run_roles(it: Service, roles: Sequence[str], readers: Readers) -> None:
    """Run roles until ``stopping`` is set, then until each has finished what it has in hand.

    The outbox ends after the router, so that what was decided is on the log. Whatever one role raises ends all.
    """
    RETENTION.set(it.settings.log.retention.total_seconds())
    RETENTION_APPLIES.set(it.settings.retention.apply)
    if "router" in roles:
        await _recall(it)
    disks.watch(disks.places(it.settings))
    certificates.watch(it.settings.model_dump())
    with closing(Bounded(knowing=[translate.__name__])) as bounded:
        await _run_bounded(it, roles, bounded, readers)


async def _recall(it: Service) -> None:
    """Know what was erased before anything is read from the log: a register that was put back from a copy does not."""
    try:
        marks = await recall(it.database, marks_kept(it.settings.originals, it.settings.audit))
    except Unavailable as error:
        ERRORS.labels("router", error.reason).inc()
        _say.warning("marks-not-read", reason=error.reason)
        return
    if marks:
        _say.error("erased-before", marks=marks, mend="ingest erase --again")


async def _run_bounded(it: Service, roles: Sequence[str], bounded: Bounded, readers: Readers) -> None:
    routed = asyncio.Event()
    key = it.settings.own_key
    scan = scanner(it.settings.scan)
    keep = partial(receive.receive, originals=it.originals, log=it.spool or it.log, database=it.database, key=key)
    append = (it.spool or it.log).append
    leaned_on: dict[str, Any] = {"append": append, "database": it.database, "clock": it.clock, "settings": it.settings}
    arrive = partial(keep, scan=scan if it.settings.scan.clamd else None, bounded=bounded)

    async def router() -> None:
        worker = Worker(it.log, it.database, it.store, it.house, it.settings.publishers, it.clock, it.stopping, key, readers)
        async with asyncio.TaskGroup() as group:
            group.create_task(_whole(worker.run()))
            group.create_task(_whole(worker.watch()))
            group.create_task(_whole(follow_statuses(it.log, it.database, it.store, it.stopping)))
            group.create_task(_whole(follow_allocations(it.log, it.store, it.settings.publishers, key, it.stopping)))
            following = follow_receipts(it.log, it.store, it.house, it.settings.publishers, key, it.clock, it.stopping)
            group.create_task(_whole(following))
            group.create_task(_whole(duties.run(it.log, it.database, it.store, it.house, it.clock, it.stopping, it.heads)))
            times, spool = times_of(it.settings), it.settings.log.spooled
            held = retention.Holding(it.database, it.store, it.log, it.originals, times, spool)
            group.create_task(_whole(retention.daily(held, it.clock, it.stopping)))
        routed.set()

    async with asyncio.TaskGroup() as group:
        for (channel, name), account in it.accounts.items():
            if channel in roles and (run := CHANNELS[channel].run):
                group.create_task(_whole(run(name, account, arrive=arrive, stopping=it.stopping, **leaned_on)))
        if "web" in roles:
            uploads = Uploads(it.settings.uploads, scan, originals=it.originals, database=it.database, clock=it.clock)
            # What is uploaded was looked at then; a contact that waited for it again would keep others waiting.
            doors = _doors(it, arrive=keep, uploads=uploads, **leaned_on)
            group.create_task(_whole(web.serve_public(it.settings.web, doors, it.stopping)))
            for beside in (uploads.run, *(door.beside for door in doors if door.beside)):
                group.create_task(_whole(beside(it.stopping)))
        if "router" in roles:
            group.create_task(router())
            group.create_task(_whole(outbox.run(it.log, it.database, it.store.pending, routed)))
        if "dispatcher" in roles:
            sending = dispatcher.run(
                log=it.log,
                database=it.database,
                ways=ways_out(it.accounts, it.settings),
                mode=it.settings.outgoing.mode,
                burst=it.settings.outgoing.burst,
                clock=it.clock,
                stopping=it.stopping,
            )
            group.create_task(_whole(sending))
        group.create_task(_whole(supervisor.watch(it.stopping)))
        pages = web.private_routes(partial(_ready, it), partial(_borne, it))
        group.create_task(web.serve(it.settings.web.private, pages, it.stopping))


def _doors(it: Service, **leaned_on: Any) -> list[web.Door]:
    """What the public port answers: the pages of channels first, since whoever is lost there is a person."""
    pages = [
        door(name, account, **leaned_on) for (channel, name), account in it.accounts.items() if (door := CHANNELS[channel].door)
    ]
    pages.sort(key=lambda each: each.explain is web.problem)
    return [*pages, web.Door(publishing.routes(**leaned_on), web.problem)]


async def _whole(role: Coroutine[Any, Any, None]) -> None:
    """The role to its end. Raises Halted(``role-lost``) where a library cancelled it: a group would not miss it, and the rest go on."""
    try:
        await role
    except asyncio.CancelledError as error:
        if (task := asyncio.current_task()) is None or task.cancelling():
            raise
        raise Halted("role-lost", "A part of the service was cancelled by nobody. Nothing is lost: start it again.") from error


async def _ready(it: Service) -> dict[str, str | None]:
    """What is leaned on, and what is wrong with it. Whoever takes contacts in needs no Kafka for as long as the spool does."""
    return {
        "stopping": "told to stop" if it.stopping.is_set() else None,
        "register": await _why(_touch(it.database)),
        "log": await _why((it.spool.check if it.spool else it.log.lag)("contacts", "router")),
        "originals": await _why(it.originals.check()),
    }


def _borne(it: Service) -> dict[str, str]:
    """What is away and can be, for now."""
    return {"log": "spooling"} if it.spool and it.spool.spooling else {}


async def _touch(database: Database) -> None:
    async with database.read() as connection:
        await connection.execute(text("SELECT 1"))


async def _why(asking: Awaitable[object]) -> str | None:
    try:
        await asking
    except IngestError as error:
        return error.reason
    return None


async def _run(chosen: Settings, roles: Sequence[str], readers: Readers) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()

    def told() -> None:
        if stopping.is_set():
            os._exit(130)
        supervisor.tell("STOPPING=1")
        _say.info("stopping", within_seconds=_DRAIN_SECONDS)
        stopping.set()
        loop.call_later(_DRAIN_SECONDS, _give_up)

    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, told)
    try:
        spans.begin(chosen.telemetry)
        async with service(chosen, now, stopping, roles) as it:
            _say.info("started", roles=list(roles), accounts=[f"{channel}.{name}" for channel, name in it.accounts])
            supervisor.tell("READY=1")
            await run_roles(it, roles, readers)
    except* IngestError as group:
        error = _first(group)
        _say.error("ended", reason=error.reason, sentence=error.sentence)
        raise error from None
    finally:
        await asyncio.to_thread(spans.end)
    _say.info("stopped")


def _first(group: BaseExceptionGroup[IngestError]) -> IngestError:
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner


def _give_up() -> None:
    _say.error("drain-limit", seconds=_DRAIN_SECONDS)
    os._exit(1)
