"""``ingest decide``: what becomes of one contact, and by ``--explain`` which rules were tried and why. Nothing is stored."""

import json as json_of
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from ingest.clock import now
from ingest.commands.terminal import Config, Json, fail, run_async, say, settings, table
from ingest.commands.unstored import as_published, contact_in
from ingest.contract import Audience, Contact
from ingest.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from router.consequences import Consequences
    from router.decide import Decision, Situation


class _Found(NamedTuple):
    """All there is to tell of it; ``stands`` is what the register says has become of it, where it has it."""

    situation: "Situation"
    decision: "Decision"
    written: "Consequences"
    stands: str | None


class _Written(NamedTuple):
    """One thing that it would write."""

    what: str
    where_to: str | None
    due: datetime | None
    how_it_stands: str


def command(
    contact: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="A stored contact's id, its beginning, or its reference.")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="FILE", exists=True, dir_okay=False, help="Or a file that holds one contact as JSON."),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Each rule in order, whether it applied and why, and what would be written.")
    ] = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """Say what becomes of a contact by today's rules, reading and register. Nothing is stored or sent.

    A stored contact is looked at as if it came now, whatever was decided on it before: see the page docs/deciding.md.
    """
    if (contact is None) == (file is None):
        fail("Name one contact: the id or reference of a stored one, or --file with one as JSON.", 2)
    found = run_async(_found(settings(config), contact, contact_in(file) if file else None))
    if json:
        say(json_of.dumps(_as_json(found, explain=explain)))
        return
    _tell_contact(found)
    if explain:
        say("\n".join(("Who wrote it", *(f"- {each}" for each in _match(found.situation)))))
        _tell_rules(found)
    _tell_decision(found)
    if explain:
        table("Would be written", ("What", "Where to", "Due", "How it stands"), _writes(found), json=False)


async def _found(chosen: Settings, given: str | None, unstored: Contact | None) -> _Found:
    from ingest.commands.run import desk_of
    from router.consequences import consequences
    from router.decide import decide
    from router.desk import contact_of, id_of
    from router.opening import Readable, reading_of
    from router.register import tables
    from router.replay import situations

    moment = now()
    async with desk_of(chosen) as (database, _, house), database.read() as connection:
        if unstored is not None:
            opened = as_published(unstored, chosen, house)
        else:
            contact, fingerprint = await contact_of(connection, await id_of(connection, tables.contacts, given or ""))
            opened = Readable(contact, fingerprint, reading_of(contact, house))
        ((situation, standing),) = await situations(connection, [(opened.contact, opened.reading)], house, moment)
        decision = decide(situation)
        written = consequences(situation, decision, opened.fingerprint, house, standing, moment)
        return _Found(situation, decision, written, await _stands(connection, opened.contact))


async def _stands(connection: "AsyncConnection", contact: Contact) -> str | None:
    from sqlalchemy import select

    from router.register import tables

    current = tables.dispositions
    query = select(current).where(current.c.contact_id == contact.id, current.c.current.is_(True))
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    return f"{row.kind}{f' to {row.team}' if row.team else ''}, by {row.by}, rule {row.rule} v{row.rule_version}"


def _tell_contact(found: _Found) -> None:
    contact = found.situation.contact
    came = f"by {contact.channel.replace('_', ' ')}, {contact.received_at:%d %B %Y %H:%M} UTC"
    say(f"Contact     {found.written.reference}, {came}")
    say(f"Stands as   {found.stands or 'nothing: the register does not have it'}")


def _match(situation: "Situation") -> Sequence[str]:
    """Why it is from whom it is taken to be from, or why that is not known."""
    from router.match import Ambiguous, Matched

    match situation.match:
        case Matched(evidence=evidence):
            return tuple(each.because for each in evidence)
        case Ambiguous(reasons=reasons):
            return reasons
        case unmatched:
            return (unmatched.because,)


def _tell_rules(found: _Found) -> None:
    from router.decide import RULES, trials

    tried = trials(found.situation)
    rows = [
        (number, trial.rule.name, "yes" if trial.applied else "no", trial.rule.when, " ".join(trial.saw))
        for number, trial in enumerate(tried, 1)
    ]
    rows += [(number, each.name, "not tried", each.when, "") for number, each in enumerate(RULES[len(tried) :], len(tried) + 1)]
    table("Rules, the first that applies decides", ("No", "Rule", "Applies", "It applies where", "It saw"), rows, json=False)


def _tell_decision(found: _Found) -> None:
    decision = found.decision
    say(
        "\n".join(
            (
                f"Becomes     {_becomes(decision)}",
                f"Rule        {decision.rule} v{decision.version}",
                f"Individual  {decision.individual_id or 'nobody for certain'}",
                f"Case        {decision.case_reference or 'none for certain'}",
                f"Urgent      {'; '.join(f'{each.kind}, {each.rule}: {each.words}' for each in decision.urgent) or 'no'}",
                "Because",
                *(f"- {each}" for each in decision.because),
            )
        )
    )


def _becomes(decision: "Decision") -> str:
    """The disposition with what tells it from others of its kind."""
    from router.consequences import kind_of

    kind, about = kind_of(decision.disposition), ", ".join(_details(decision))
    return f"{kind} ({about})" if about else kind


def _details(decision: "Decision") -> Sequence[str]:
    from router.decide import AnswerQuery, HandOff, HoldForReview, RecordFeedback

    match decision.disposition:
        case HandOff(team, added_to):
            return (team.value, *((f"added to {added_to}",) if added_to else ()))
        case RecordFeedback(added_to):
            return (f"added to {added_to}",) if added_to else ()
        case AnswerQuery(query):
            return (query or "a query without a name",)
        case HoldForReview(kind, candidates, seems_spam):
            whom = (f"it may be from {' or '.join(candidates)}",) if candidates else ()
            return (kind.value, *(("on the daily list",) if seems_spam else ()), *whom)
        case _:
            return ()


def _writes(found: _Found) -> list[_Written]:
    it = found.written
    rows: list[_Written] = []
    if it.feedback:
        missing = f"still to ask for: {', '.join(it.feedback.missing)}" if it.feedback.missing else "nothing is missing"
        rows.append(_Written("feedback record", None, None, missing))
    if it.handoff:
        rows.append(_Written(f"handoff to {it.handoff.team.value}", it.handoff.mailbox, None, "sent"))
    if it.added_to:
        rows.append(_Written("addition", str(it.added_to), None, "to what nobody has settled yet"))
    rows += [_Written(f"task, {each.kind.value}", each.mailbox, each.due, each.reasons[0]) for each in it.tasks]
    for each in it.messages:
        kind = each.kind.value if each.audience is Audience.PERSON else "notice"
        stands = f"{each.state.value}: {each.reason}" if each.reason else each.state.value
        rows.append(_Written(kind, each.recipient, each.due, stands))
    rows += [_Written("wish to obey", None, None, f"not by {method}") for method, _ in it.restrictions]
    return rows


def _as_json(found: _Found, *, explain: bool) -> dict[str, Any]:
    from router.consequences import kind_of
    from router.decide import RULES, trials

    contact, decision = found.situation.contact, found.decision
    told: dict[str, Any] = {
        "id": str(contact.id),
        "reference": found.written.reference,
        "stands": found.stands,
        "disposition": kind_of(decision.disposition),
        "details": _details(decision),
        "rule": decision.rule,
        "rule_version": decision.version,
        "because": decision.because,
        "individual": decision.individual_id,
        "case": decision.case_reference,
        "urgent": [{"kind": each.kind, "rule": each.rule, "words": each.words} for each in decision.urgent],
    }
    if not explain:
        return told
    told["match"] = _match(found.situation)
    tried = trials(found.situation)
    applied = {trial.rule.name: trial for trial in tried}
    told["rules"] = [
        {
            "rule": each.name,
            "version": each.version,
            "when": each.when,
            "from": each.source,
            "tried": each.name in applied,
            "applies": applied[each.name].applied if each.name in applied else None,
            "saw": applied[each.name].saw if each.name in applied else [],
        }
        for each in RULES
    ]
    told["would_be_written"] = [
        {**each._asdict(), "due": each.due.isoformat() if each.due else None} for each in _writes(found)
    ]
    return told
