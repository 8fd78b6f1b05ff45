"""``ingest review``: the tasks that wait for a person; seen, claimed, decided and done."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple, cast

import typer

from ingest.clock import now
from ingest.commands.terminal import By, Config, Json, fail, open_database, quoted, run_async, say, settings, table, warn
from ingest.contract import Contact, Task, TaskKind, Team, canonical_case_reference
from ingest.errors import Refused

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection

    from router.consequences import Consequences, House
    from router.decide import Disposition
    from router.desk import Ruled
    from router.match.register_view import IndividualView

app = typer.Typer(
    help="Tasks for a person: what is urgent, what nobody has read for risk, what needs a decision, what must go by letter.",
    no_args_is_help=True,
)

Id = Annotated[str, typer.Argument(metavar="ID", help="The task's id, its beginning, or the contact's reference.")]
_ORDER: Final = [TaskKind.URGENT, TaskKind.NOT_READ_FOR_RISK, TaskKind.ALLOCATION, TaskKind.REVIEW, TaskKind.LETTER]
NOBODY: Final = "nobody"
_ANSWER: Final = "answer: "


class Choice(StrEnum):
    """What a person may make of a contact."""

    FEEDBACK = "feedback"
    INTAKE = "intake"
    INVESTIGATORS = "investigators"
    CASE_OWNER = "case-owner"
    ANSWER = "answer"
    INVITE = "invite"
    NO_ACTION = "no-action"


@app.command("list")
def show_list(
    kind: Annotated[TaskKind | None, typer.Option("--kind", help="Only this kind.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Those that are done as well.")] = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """List tasks in the order to look at them: urgent, not read for risk, allocation, review, letter; the soonest due first.

    A post that waits to be allocated is allocated by `ingest social allocate`; deciding it here ends its waiting too.
    """

    async def found() -> list[Any]:
        from sqlalchemy import case, select

        from router.register import tables

        tasks = tables.tasks
        order = case({each.value: number for number, each in enumerate(_ORDER)}, value=tasks.c.kind, else_=len(_ORDER))
        query = select(tasks).order_by(order, tasks.c.due, tasks.c.id)
        if kind is not None:
            query = query.where(tasks.c.kind == kind.value)
        if not every:
            query = query.where(tasks.c.state != "done")
        database = open_database(settings(config))
        try:
            async with database.read() as connection:
                return list((await connection.execute(query)).all())
        finally:
            await database.close()

    moment = now()
    rows = [_row(each, moment, json=json) for each in run_async(found())]
    table("Tasks", ("ID", "Kind", "Reference", "Came by", "Due", "Late", "State", "Claimed by"), rows, json=json)


def _row(row: Any, moment: datetime, *, json: bool) -> tuple[object, ...]:
    task = Task.model_validate_json(row.body)
    late = row.state != "done" and row.due < moment
    shown_id = str(row.id) if json else str(row.id)[:8]
    shown_late = late if json else ("LATE" if late else "")
    return (shown_id, row.kind, task.reference, task.channel, row.due, shown_late, row.state, row.claimed_by)


@app.command()
def show(task_id: Id, config: Config = None) -> None:
    """Print a task, why a person is asked, who it may be from, and what the contact says.

    The words are a stranger's. What could steer a terminal is taken out of them.
    """
    for each in run_async(_shown(task_id, config)):
        if isinstance(each, _Table):
            table(each.title, each.columns, each.rows, json=False)
        else:
            say("\n".join(each))


class _Table(NamedTuple):
    """What people would rather see side by side than read."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]


async def _shown(given: str, config: Path | None) -> list[list[str] | _Table]:
    from sqlalchemy import select

    from ingest.commands.run import desk_of
    from router.desk import id_of
    from router.register import tables

    async with desk_of(settings(config)) as (database, _, house), database.read() as connection:
        task_id = await id_of(connection, tables.tasks, given)
        row = (await connection.execute(select(tables.tasks).where(tables.tasks.c.id == task_id))).one()
        task = Task.model_validate_json(row.body)
        return [
            [*_of_task(row, task), *_of_answer(task, config)],
            *await _of_candidates(connection, house, task),
            [*await _of_contact(connection, task), *await _of_versions(connection, task)],
        ]


def _of_task(row: Any, task: Task) -> list[str]:
    claimed = f", claimed by {row.claimed_by}" if row.claimed_by else ""
    done = f", done by {row.done_by}: {row.outcome}" if row.state == "done" else ""
    return [
        f"Task        {task.id}",
        f"Kind        {task.kind.value}",
        f"State       {row.state}{claimed}{done}",
        f"Reference   {task.reference}",
        f"Due         {_when(task.due)}{'  LATE' if row.state != 'done' and task.due < now() else ''}",
        f"Case        {task.case_reference or 'none told for certain'}",
        f"Leans to    {task.suggestion or 'nothing'}",
        "",
        "Why a person is asked:",
        *(f"- {each}" for each in task.reasons),
    ]


def _of_answer(task: Task, config: Path | None) -> list[str]:
    """The approved answer that the task suggests, as it would be sent."""
    from ingest.commands.run import answers_in
    from router.answers import holding

    answers, _ = answers_in(settings(config).acknowledgement.answers)
    return [
        line
        for language, each in holding(answers, _answer_of(task), now().date()).items()
        for line in (
            "",
            f"“{each.title}” ({language}), approved by {each.approved_by} until {each.valid_until:%d %B %Y}:",
            *quoted(each.text),
        )
    ]


async def _of_candidates(connection: "AsyncConnection", house: "House", task: Task) -> list[list[str] | _Table]:
    """Who it may be from, each beside the others and beside what the contact says of its writer; what speaks for each; what would settle it."""
    from router.asking import asked_about

    asked = await asked_about(connection, house, task, now())
    if asked is None or not asked.people:
        return [
            ["", "It may be from: " + ", ".join(task.candidates) if task.candidates else "Nobody in the register comes near."]
        ]
    query, people = asked.query, asked.people
    held = [each.candidate for each in people]
    views = [each.view for each in people]

    def row(name: str, given: object, each: "Sequence[object]") -> tuple[object, ...]:
        return (name, given, *each)

    sides = _Table(
        "It may be from:",
        ("", "The contact gives", *(f"{each.id}{'' if each.asked else ' (new since)'}" for each in people)),
        [
            row("Name", query.names, [each.name if each else "not in the register" for each in views]),
            row("Born", query.date_of_birth, [each.date_of_birth if each else None for each in held]),
            row("Address", query.address or query.postcodes, [each.addresses if each else None for each in held]),
            row("Emails", query.emails, [each.emails if each else None for each in held]),
            row("Phones", query.phones, [each.phones if each else None for each in held]),
            row("Cases", query.case_references, [each.cases if each else None for each in held]),
            row("To mind", None, ["; ".join(_to_mind(each)) if each else None for each in views]),
            row("How sure", None, [f"{each.score:.1%}" if each.score is not None else None for each in people]),
        ],
    )
    evidence = [
        (
            each.id,
            said["comparison"] or said["group"],
            said["level"],
            f"{said['bits']:+.1f}" if said["bits"] else "",
            said["because"],
        )
        for each in people
        for said in each.evidence
    ]
    parts: list[list[str] | _Table] = [[""], sides]
    if evidence:
        parts.append(_Table("What speaks for and against each:", ("Of", "Compared", "Level", "Bits", "Which says"), evidence))
    if asked.settles:
        parts.append(["What would settle it (ask, and never read out what is held):", *(f"- {each}" for each in asked.settles)])
    return parts


def _to_mind(person: "IndividualView") -> list[str]:
    """What governs how they are reached."""
    said = [f"died on {person.died_on}"] if person.died_on else []
    said += [f"only by way of {person.arrangement}"] if person.arrangement else []
    said += [f"safe contact: {person.safe_contact_note}"] if person.safe_contact_note else []
    said += [f"counted together with {', '.join(person.also)}"] if person.also else []
    return said + (["has written before"] if person.written_before else [])


async def _of_contact(connection: "AsyncConnection", task: Task) -> list[str]:
    from sqlalchemy import select

    from router.desk import tied_to
    from router.register import tables

    contacts, sent = tables.contacts, tables.outgoing
    body = (await connection.execute(select(contacts.c.body).where(contacts.c.id == task.contact_id))).scalar_one_or_none()
    if body is None:
        return [
            "",
            f"There is no contact to show: it could not be read. `ingest dead-letters show {task.contact_id}` shows its bytes.",
        ]
    contact = Contact.model_validate_json(body)
    held = await connection.execute(
        select(sent.c.id, sent.c.kind, sent.c.state, sent.c.reason).where(
            sent.c.contact_id == contact.id, sent.c.audience == "person"
        )
    )
    tied = await tied_to(connection, contact.id)
    same = contact.full_text.strip() == contact.text.strip()
    return [
        "",
        f"From        {contact.sender.name or 'no name given'}",
        *(
            f"            {each.kind} {each.given} ({'proved by ' + each.verified_by if each.verified_by else 'claimed'})"
            for each in contact.sender.identifiers
        ),
        *(
            [f"Writes for  {contact.on_behalf_of.name or 'somebody they do not name'} (claimed)"]
            if contact.on_behalf_of
            else []
        ),
        *_of_post(contact),
        *[f"{'Follows' if before else 'Followed':<12}{what}" for before, what in tied],
        f"Received    {_when(contact.received_at)} by {contact.channel.replace('_', ' ')} ({contact.account})",
        f"Subject     {contact.subject or 'none'}",
        f"Original    {contact.original}",
        *(f"Warning     {each}" for each in contact.warnings),
        *(
            f"Attached    {each.name} ({each.content_type}, {each.size:,} bytes, {each.verdict.value}, {each.digest})"
            for each in contact.attachments
        ),
        *(f"Reply       {each.kind} {each.id}: {each.state}{f' ({each.reason})' if each.reason else ''}" for each in held),
        "",
        "What they say:",
        *quoted(contact.text),
        *(() if same else ("", "With what is quoted below it:", *quoted(contact.full_text))),
        *(("", "The text was cut; the original has the rest.") if contact.full_text_cut else ()),
        *_declared(contact),
    ]


def _of_post(contact: Contact) -> list[str]:
    post = contact.post
    if post is None:
        return []
    seen = "only they and we see it" if post.private else "everybody can read it"
    version = ", a later version" if post.first else ""
    return [f"Post        {post.network}, {seen}{version}{f': {post.permalink}' if post.permalink else ''}"]


def _declared(contact: Contact) -> list[str]:
    """What they said in fields of their own, those they left empty passed over."""
    given = contact.declared.model_dump(mode="json", exclude_defaults=True) if contact.declared else {}
    said = [line for name, value in given.items() for line in quoted(f"{name.replace('_', ' ')}: {_in_words(value)}")]
    return ["", "What they declare:", *said] if said else []


def _in_words(value: Any) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case dict():
            return ": ".join(_in_words(each) for each in cast("dict[str, Any]", value).values() if each)
        case list():
            return "\n".join(_in_words(each) for each in cast("list[Any]", value))
        case _:
            return str(value)


async def _of_versions(connection: "AsyncConnection", task: Task) -> list[str]:
    from sqlalchemy import select

    from router.register import tables

    versions = tables.dispositions
    rows = (
        await connection.execute(select(versions).where(versions.c.contact_id == task.contact_id).order_by(versions.c.version))
    ).all()
    lines = ["", "What was decided on it:"] if rows else []
    for row in rows:
        what = f"{row.kind}{f' to {row.team}' if row.team else ''}{', URGENT' if row.urgent else ''}"
        whom = f", from {row.individual_id}" if row.individual_id else ""
        lines.append(f"- {row.version}. {what}{whom}; by {row.by}, {_when(row.at)}, rule {row.rule}")
        lines += [f"     {each}" for each in row.because]
    return lines


def _when(moment: datetime) -> str:
    return moment.strftime("%d %B %Y %H:%M UTC")


@app.command()
def claim(task_id: Id, by: By, config: Config = None) -> None:
    """Take a task, so that nobody else works on it. Of two who claim together one wins, and the other is told by whom."""

    async def act() -> None:
        from ingest.commands.run import desk_of
        from router import desk
        from router.register import tables

        async with desk_of(settings(config)) as (database, store, _):
            async with database.read() as connection:
                found = await desk.id_of(connection, tables.tasks, task_id)
            await desk.claim(database, store, found, by, now)

    run_async(act())
    warn("Claimed. Decide it with `ingest review decide`, or note that it is done with `ingest review done`.")


@app.command()
def decide(
    task_id: Id,
    by: By,
    because: Annotated[str, typer.Option("--because", metavar="TEXT", help="Why; it stands on the audit trail.")],
    becomes: Annotated[
        list[Choice],
        typer.Option(
            "--as", help="What becomes of the contact; twice or more where it asks for several things, the chief one first."
        ),
    ],
    individual: Annotated[
        str | None,
        typer.Option(
            "--individual",
            metavar="ID",
            help="Whose it is, by the register's id; `nobody` where it is from nobody of the register. Unsaid, it stays as it was.",
        ),
    ] = None,
    case: Annotated[
        str | None, typer.Option("--case", metavar="REF", help="Which case it is about. Unsaid, none: a reference is no proof.")
    ] = None,
    query: Annotated[
        str | None,
        typer.Option(
            "--query", metavar="NAME", help="Which approved answer `--as answer` sends. Unsaid, what the task suggests."
        ),
    ] = None,
    config: Config = None,
) -> None:
    """Decide what becomes of a contact. What was decided before stays as an earlier version; records and handoffs are made.

    The acknowledgement stands as it was, but for what only read like spam: it goes, or with `no-action` it never will. With `answer`
    the approved answer goes to them, as `ingest review show` has it; where there is none it is for you to write, and nothing is sent.
    Who wrote on social media is asked with `invite` to contact us.
    """
    about = _case(case)
    if query is not None and Choice.ANSWER not in becomes:
        fail("`--query` names the answer that `--as answer` sends.", 2)
    if Choice.NO_ACTION in becomes and len(set(becomes)) > 1:
        fail("`--as no-action` stands alone: with something else there is something to do.", 2)
    if about is None and {Choice.INVESTIGATORS, Choice.CASE_OWNER} & set(becomes):
        fail("Investigators and case owners need to know which case: name it with --case.", 2)

    async def act() -> "Ruled":
        from ingest.commands.run import desk_of
        from router import desk
        from router.answers import holding
        from router.register import tables

        async with desk_of(settings(config)) as (database, store, house):
            if query is not None and not holding(house.answers, query, now().date()):
                known = ", ".join(each for each in house.answers if holding(house.answers, each, now().date()))
                fail(f"There is no approved answer {query}. There are: {known or 'none'}.", 2)
            async with database.read() as connection:
                found = await desk.id_of(connection, tables.tasks, task_id)
                whose = await _whose(connection, found, individual)
                asked = query or await _suggested(connection, found)
            nobody = individual == NOBODY
            rulings = [desk.Ruling(_disposition(each, asked), whose, about, because, nobody) for each in dict.fromkeys(becomes)]
            return await desk.rule(database, store, house, found, rulings, by, now)

    from router.consequences import kind_of

    ruled = run_async(act())
    written = ruled.written
    warn(f"Decided: {', '.join(kind_of(each.decision.disposition) for each in written)}.")
    if made := next((each.newcomer for each in written if each.newcomer), None):
        warn(f"They are in the register now, as {made.individual_id}.")
    if ruled.unseen:
        warn(
            f"The register has changed since you were asked: {' and '.join(ruled.unseen)} may be the writer too. Look once more."
        )
    if ruled.left:
        from router.individuals import left_alone

        warn(left_alone(ruled.left))
    if Choice.ANSWER in becomes:
        warn(_what_was_answered(written))


def _what_was_answered(written: "Sequence[Consequences]") -> str:
    """What became of the approved answer."""
    sent = next((each for one in written for each in one.messages if each.answers), None)
    if sent and sent.body and sent.reason:
        return f"The approved answer is held: {sent.reason}. `ingest outgoing release {sent.id}` sends it."
    if sent and sent.body:
        return f"The approved answer goes to {sent.body.recipient}."
    by_hand = next((each for one in written for each in one.tasks if each.kind is TaskKind.LETTER), None)
    if by_hand:
        return f"It cannot go by itself; a task to bring it to them is raised: `ingest review show {by_hand.id}`."
    return "Nothing is sent: there is no approved answer for it that was not sent before. It is for you to write."


def _case(given: str | None) -> str | None:
    if given is None:
        return None
    if (canonical := canonical_case_reference(given)) is None:
        fail(f"{given} is not written like a case reference: P-0123456, C-0123456 or EN-123456.", 2)
    return canonical


async def _whose(connection: "AsyncConnection", task_id: object, individual: str | None) -> str | None:
    """Who was named; where nobody was, whom the contact is linked to now."""
    from sqlalchemy import select

    from router.register import tables

    if individual is not None:
        return None if individual == NOBODY else individual
    current = tables.dispositions
    linked = (
        select(current.c.individual_id)
        .join(tables.tasks, tables.tasks.c.contact_id == current.c.contact_id)
        .where(tables.tasks.c.id == task_id, current.c.current.is_(True))
    )
    return (await connection.execute(linked)).scalar_one_or_none()


async def _suggested(connection: "AsyncConnection", task_id: "UUID") -> str | None:
    """The query whose answer a task suggests."""
    from sqlalchemy import select

    from router.register import tables

    body = (await connection.execute(select(tables.tasks.c.body).where(tables.tasks.c.id == task_id))).scalar_one()
    return _answer_of(Task.model_validate_json(body))


def _answer_of(task: Task) -> str | None:
    return (task.suggestion or "").removeprefix(_ANSWER) if (task.suggestion or "").startswith(_ANSWER) else None


def _disposition(choice: Choice, query: str | None) -> "Disposition":
    from router.decide import AnswerQuery, HandOff, InviteToContact, NoAction, RecordFeedback

    match choice:
        case Choice.FEEDBACK:
            return RecordFeedback()
        case Choice.INTAKE | Choice.INVESTIGATORS | Choice.CASE_OWNER:
            return HandOff(Team(choice.value))
        case Choice.ANSWER:
            return AnswerQuery(query)
        case Choice.INVITE:
            return InviteToContact()
        case Choice.NO_ACTION:
            return NoAction()


@app.command()
def done(
    task_id: Id,
    by: By,
    outcome: Annotated[str, typer.Option("--outcome", metavar="TEXT", help="What you did; it stands on the audit trail.")],
    config: Config = None,
) -> None:
    """Note that a task which decides nothing is done: a letter sent, an urgent contact seen to, a variant looked at."""

    async def act() -> None:
        from ingest.commands.run import desk_of
        from router import desk
        from router.register import tables

        async with desk_of(settings(config)) as (database, store, _):
            async with database.read() as connection:
                found = await desk.id_of(connection, tables.tasks, task_id)
            await desk.finish(database, store, found, outcome, by, now)

    run_async(act())
    warn("Done.")


@app.command()
def original(
    task_id: Id,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to; it is written anew.", dir_okay=False)],
    config: Config = None,
) -> None:
    """Write the contact that a task is about to a file, to the byte as it came.

    Nobody has made it harmless: look at it with a program that runs nothing in it.
    """
    say(f"{out.write_bytes(run_async(_original(task_id, config))):,} bytes are in {out}.")


async def _original(given: str, config: Path | None) -> bytes:
    from sqlalchemy import select

    from ingest.originals import Originals
    from router.desk import id_of
    from router.register import tables

    chosen = settings(config)
    database = open_database(chosen)
    try:
        async with database.read() as connection:
            task_id = await id_of(connection, tables.tasks, given)
            body = (await connection.execute(select(tables.tasks.c.body).where(tables.tasks.c.id == task_id))).scalar_one()
            contact_id = Task.model_validate_json(body).contact_id
            contacts = tables.contacts
            columns = select(contacts.c.body, contacts.c.stripped_at).where(contacts.c.id == contact_id)
            contact = (await connection.execute(columns)).one_or_none()
    finally:
        await database.close()
    if contact is None:
        raise Refused(
            "no-contact",
            f"There is no contact to write: `ingest dead-letters show {contact_id}` shows the bytes that could not be read.",
        )
    if contact.stripped_at is not None:
        raise Refused("no-original", f"It was let go of on {contact.stripped_at:%d %B %Y}: its time was over.")
    digest = Contact.model_validate_json(contact.body).original
    try:
        return await Originals(chosen.originals.url, chosen.originals).get(digest)
    except KeyError as error:
        raise Refused("no-original", f"The original {digest} is not in {chosen.originals.url}.") from error


@app.command()
def labels(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to; it is written anew.", dir_okay=False)],
    config: Config = None,
) -> None:
    """Export what people have decided about who wrote, as JSON lines to train matching on.

    Each has the contact's id, the candidate's, whether they are the same, and at which level each comparison stood; nobody's words,
    names or addresses.
    """

    async def export() -> int:
        from router.asking import labelled

        database, number = open_database(settings(config)), 0
        try:
            with out.open("w", encoding="utf-8") as lines:
                async for each in labelled(database):
                    lines.write(f"{dumps(each)}\n")
                    number += 1
        finally:
            await database.close()
        return number

    say(f"{run_async(export())} labels are in {out}.")
