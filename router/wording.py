"""The words we send: acknowledgements to people, in English and Welsh, and notices to our own teams.

Pure. An acknowledgement or invitation never repeats the sender's words, their subject, or anything of a case: it may reach somebody who only
borrowed an address (DESIGN promise 4). A notice of a task has no words of the contact either; a handoff has, since the team acts on it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from ingest.contract import GivenDetails, Handoff, LedgerEntry, Task, TaskKind, Team
from ingest.settings import AcknowledgementSettings
from router.decide import Disposition, HandOff, RecordFeedback

Words = tuple[str, str]
"""A subject and a body."""

ANSWERED = "answered"
_OWN_SENTENCE = 4  # words; shorter ones may be anybody's

_NEXT = {
    "recorded": (
        "We have recorded it as feedback about our service. Our Customer Care team will look at it and tell you what happens",
        "Rydym wedi'i gofnodi fel adborth am ein gwasanaeth. Bydd ein tîm Gofal Cwsmeriaid yn edrych arno ac yn rhoi gwybod i chi beth sy'n digwydd",
    ),
    "passed": (
        "We have passed it to the colleagues who deal with such matters. They will tell you what happens next",
        "Rydym wedi'i drosglwyddo i'r cydweithwyr sy'n delio â materion o'r fath. Byddant yn rhoi gwybod i chi beth sy'n digwydd nesaf",
    ),
    "looked-at": (
        "A member of our Customer Care team will read it and tell you what happens next",
        "Bydd aelod o'n tîm Gofal Cwsmeriaid yn ei ddarllen ac yn rhoi gwybod i chi beth sy'n digwydd nesaf",
    ),
    ANSWERED: (
        "If this does not answer your question, reply to this message. A member of our Customer Care team will answer you",
        "Os nad yw hyn yn ateb eich cwestiwn, atebwch y neges hon. Bydd aelod o'n tîm Gofal Cwsmeriaid yn eich ateb",
    ),
}

_NEXT_BY_TEXT = {
    "recorded": (
        "It is recorded as feedback and you will hear from us",
        "Fe'i cofnodwyd fel adborth a chewch ateb",
    ),
    "passed": (
        "The colleagues who deal with it will answer you",
        "Bydd y cydweithwyr priodol yn eich ateb",
    ),
    "looked-at": (
        "One of us will read it and answer you",
        "Bydd un ohonom yn ei darllen ac yn eich ateb",
    ),
    ANSWERED: (
        "Not what you asked? Text back and one of us will answer",
        "Nid dyna'r cwestiwn? Tecstiwch eto a bydd un ohonom yn ateb",
    ),
}

_KINDS = {
    TaskKind.URGENT: "URGENT: a risk of serious harm, or a threat",
    TaskKind.NOT_READ_FOR_RISK: "not read for risk: a person must look",
    TaskKind.ALLOCATION: "a post on social media waits to be allocated",
    TaskKind.REVIEW: "a decision is needed",
    TaskKind.LETTER: "a letter or call is needed",
}


UNDELIVERED = {
    "email": ("Mail to them", "The mail server"),
    "sms": ("A text message to them", "The provider"),
    "social": ("A reply to them on social media", "The portal"),
}
"""What did not arrive, and who says so, by the channel that sent it."""

_AGAIN = (
    "Nobody has claimed this task yet.",
    "It is past its time, and nobody has said whose it is. Nothing is sent meanwhile.",
)
_MARKS = ("UNCLAIMED ", "NOT ALLOCATED ")


def next_step(disposition: Disposition) -> str:
    """What the acknowledgement says happens next, without saying what we made of the contact's words."""
    match disposition:
        case RecordFeedback():
            return "recorded"
        case HandOff(team=Team.INTAKE):
            return "passed"
        case _:
            return "looked-at"


def acknowledgement(
    reference: str,
    step: str,
    settings: AcknowledgementSettings,
    *,
    welsh_first: bool,
    answers: Mapping[str, str] | None = None,
) -> Words:
    """The receipt: reference, what happens next and by when, how to tell us of a need, and that we are no emergency service.

    ``answers`` holds approved answers by language (``en``, ``cy``), where the contact was one query that has them.
    """
    answers = answers or {}
    english = _english(reference, step, settings, answers.get("en"))
    welsh = _welsh(reference, step, settings, answers.get("cy"))
    halves = (welsh, english) if welsh_first else (english, welsh)
    title = (
        ("Rydym wedi cael eich neges", "We have your message")
        if welsh_first
        else ("We have your message", "Rydym wedi cael eich neges")
    )
    return f"{title[0]} / {title[1]} [{reference}]", f"\n{'-' * 40}\n\n".join(halves)


def _english(reference: str, step: str, settings: AcknowledgementSettings, answer: str | None) -> str:
    call = f", or ring {settings.telephone}" if settings.telephone else ""
    return (
        f"Thank you for writing to us. We have your message. Its reference is {reference}.\n\n"
        + (f"{answer.strip()}\n\n" if answer else "")
        + f"What happens next: {_NEXT[step][0]} within {settings.next_step_within}.\n\n"
        "If you need us to do something differently, such as large print, a call instead of mail, an interpreter or more time,\n"
        f"reply to this message{call} and tell us.\n\n"
        f"{_emergency(settings)}\n\n"
        f"{settings.organisation}\n\nThis message was sent automatically. You can reply to it.\n"
    )


def _welsh(reference: str, step: str, settings: AcknowledgementSettings, answer: str | None) -> str:
    call = f", neu ffoniwch {settings.telephone}" if settings.telephone else ""
    return (
        f"Diolch am ysgrifennu atom. Rydym wedi cael eich neges. Ei chyfeirnod yw {reference}.\n\n"
        + (f"{answer.strip()}\n\n" if answer else "")
        + f"Beth sy'n digwydd nesaf: {_NEXT[step][1]} o fewn {settings.next_step_within_cy}.\n\n"
        "Os oes angen i ni wneud rhywbeth yn wahanol, megis print bras, galwad yn lle e-bost, cyfieithydd neu fwy o amser,\n"
        f"atebwch y neges hon{call} a rhowch wybod i ni.\n\n"
        f"{_emergency_cy(settings)}\n\n"
        f"{settings.organisation_cy}\n\nAnfonwyd y neges hon yn awtomatig. Gallwch ei hateb.\n"
    )


def text_message(
    reference: str, step: str, settings: AcknowledgementSettings, language: Literal["en", "cy"], answer: str | None = None
) -> str:
    """The receipt where every character is charged: in one language, and in one part as long as our own name is short.

    With an approved ``answer`` it is that, and what to do where it is none.
    """
    if language == "cy":
        begin, cited = answer or "Cawsom eich neges.", f"Cyf {reference}."
        end = f"Mewn perygl? Ffoniwch {settings.emergency} nawr. {settings.organisation_cy}"
        following = f"{_NEXT_BY_TEXT[step][1]} o fewn {settings.next_step_within_cy}."
    else:
        begin, cited = answer or "We have your message.", f"Ref {reference}."
        end = f"In danger? Ring {settings.emergency} now. {settings.organisation}"
        following = f"{_NEXT_BY_TEXT[step][0]} within {settings.next_step_within}."
    return f"{begin.strip()} {cited} {following} {end}"


def _emergency(settings: AcknowledgementSettings) -> str:
    return (
        f"We are not an emergency service. If you or somebody else is in danger, ring {settings.emergency} now. "
        f"To talk to somebody at any hour, ring {settings.listening}."
    )


def _emergency_cy(settings: AcknowledgementSettings) -> str:
    return (
        f"Nid ydym yn wasanaeth brys. Os ydych chi neu rywun arall mewn perygl, ffoniwch {settings.emergency} nawr. "
        f"I siarad â rhywun ar unrhyw adeg, ffoniwch {settings.listening_cy}."
    )


@dataclass(frozen=True, slots=True)
class Ways:
    """How somebody on social media may reach us instead; what is not said is not named."""

    telephone: str | None
    text_number: str | None
    email: str | None
    letter: str | None
    form: str | None  # with the link's token


def invitation(reference: str, ways: Ways, settings: AcknowledgementSettings, *, welsh: bool) -> str:
    """What is said where only its reader sees it: every way to reach us, our reference and name, and that we are no emergency service."""
    if welsh:
        lines = (
            _way("dros y ffôn ar", ways.telephone, "neu drwy neges destun i", ways.text_number),
            _way("drwy e-bost i", ways.email, "neu drwy lythyr i", ways.letter),
            _way("gyda'n ffurflen ar-lein:", ways.form),
        )
        return (
            f"Diolch am eich neges. Hoffem helpu, ac nid dyma'r lle diogel i wneud hynny. Cysylltwch â ni:\n\n{_listed(lines)}\n\n"
            f"Rhowch eich cyfeirnod i ni: {reference}.\n\n{_emergency_cy(settings)}\n\n{settings.organisation_cy}\n"
        )
    lines = (
        _way("by telephone on", ways.telephone, "or by text message to", ways.text_number),
        _way("by email to", ways.email, "or by letter to", ways.letter),
        _way("with our online form:", ways.form),
    )
    return (
        f"Thank you for your message. We would like to help, and this is not a safe place for it. Please contact us:\n\n"
        f"{_listed(lines)}\n\nPlease tell us your reference: {reference}.\n\n{_emergency(settings)}\n\n{settings.organisation}\n"
    )


def _way(by: str, where: str | None, or_by: str = "", or_where: str | None = None) -> str | None:
    """Two ways in one line; the second alone is begun as the first would be."""
    both = [f"{by} {where}"] if where else []
    both += [f"{or_by} {or_where}" if where else f"{or_by.partition(' ')[2]} {or_where}"] if or_where else []
    return ", ".join(both) or None


def _listed(lines: Sequence[str | None]) -> str:
    return "\n".join(f"- {each}" for each in lines if each)


@lru_cache(maxsize=4)
def own_words(settings: AcknowledgementSettings) -> re.Pattern[str]:
    """What finds the sentences of our own acknowledgements in somebody's answer, however it was wrapped and quoted.

    They speak of danger and of large print; read as the writer's own, they would raise an alarm at every answer.
    """
    whole = [half("", step, settings, None) for half in (_english, _welsh) for step in _NEXT]
    whole += [text_message("", step, settings, each) for each in ("en", "cy") for step in _NEXT_BY_TEXT]
    whole += [invitation("", Ways(None, None, None, None, None), settings, welsh=each) for each in (False, True)]
    whole += [settings.public_reply, settings.public_reply_cy]
    said = {each for half in whole for each in re.split(r"(?<=[.:])\s+|\n\n", half) if len(each.split()) >= _OWN_SENTENCE}
    return re.compile(
        "|".join(r"[\s>|]+".join(re.escape(word) for word in each.split()) for each in sorted(said, key=len, reverse=True))
    )


def handoff_notice(handoff: Handoff, zone: ZoneInfo) -> Words:
    """For the team that takes over: what is not safe and needs first, then who, which case, why, and the words."""
    marks = "URGENT " if handoff.urgent else ""
    case = f" case {handoff.case_reference}" if handoff.case_reference else ""
    lines = [*handoff_lines(handoff, zone), "", f"Subject: {handoff.subject or '(none)'}", "", handoff.full_text]
    return f"{marks}Handoff {handoff.reference} to {handoff.team.value}{case}", "\n".join(lines) + "\n"


def handoff_lines(handoff: Handoff, zone: ZoneInfo) -> list[str]:
    """All that a handoff says but the words themselves and whom they write for; what of theirs stands in it is one line each."""
    needs = ", ".join(each.replace("_", " ") for each in handoff.reasonable_adjustments)
    unsafe = " or ".join(each.method for each in handoff.unsafe_ways)
    clock, points = handoff.legal_clock, handoff.key_points
    return [
        *(["URGENT: signs of serious harm. The duty mailbox has been told as well.", ""] if handoff.urgent else []),
        *([f"NOT SAFE: never reach them by {unsafe}", ""] if unsafe else []),
        *(["UNDER 18: by their own words a child writes.", ""] if handoff.under_18 else []),
        *([f"A CLOCK OF THE LAW RUNS ({clock.kind.replace('-', ' ')}): until {clock.due:%d %B %Y}", ""] if clock else []),
        *([f"REASONABLE ADJUSTMENTS: {needs}", ""] if needs else []),
        f"Reference:      {handoff.reference}",
        f"Received:       {_when(handoff.received_at, zone)} by {handoff.channel.replace('_', ' ')}",
        f"From:           {_in_line(handoff.sender_name) or 'no name given'}",
        *[f"{each.kind.capitalize() + ':':<15} {_in_line(each.given)}" for each in handoff.sender_identifiers],
        *_of_person("They say:", handoff.given),
        *(
            ["Writes for:     somebody else, by a right that is claimed. Answer the writer only."]
            if handoff.on_behalf_of or handoff.represented
            else []
        ),
        f"Individual:     {handoff.individual_id or 'not matched to the register'}",
        f"Case:           {handoff.case_reference or 'none'}",
        *([f"About:          {_in_line(handoff.organisation_complained_of)}"] if handoff.organisation_complained_of else []),
        *([f"They want:      {_in_line(handoff.remedy_sought)}"] if handoff.remedy_sought else []),
        *([f"Reach them by:  {handoff.agreed_method}"] if handoff.agreed_method else []),
        f"Attachments:    {len(handoff.attachments)}",
        f"Original:       {handoff.original}",
        "",
        "Why it is yours:",
        *[f"- {reason}" for reason in handoff.because],
        *(["", "The chief of what they say:", *(f"- {_in_line(each)}" for each in points)] if points else []),
        "",
        *([f"Take it by {_when(handoff.due, zone)}, or return it:"] if handoff.due else []),
        f"  ingest handoffs take {handoff.id} --by YOUR-NAME",
        f"  ingest handoffs return {handoff.id} --by YOUR-NAME --because WHY",
    ]


def represented_lines(handoff: Handoff) -> list[str]:
    """Whom they write for and by what right, which no mail has: it is somebody else's, and nobody has asked them."""
    declared = handoff.on_behalf_of
    said = [declared.name or "", *(each.given for each in declared.identifiers)] if declared else []
    return [
        *([f"For, declared:  {'; '.join(_in_line(each) for each in said if each)}"] if any(said) else []),
        *_of_person("For, in words:", handoff.represented),
        *([f"By what right:  {_in_line(handoff.authority)}"] if handoff.authority else []),
    ]


def _of_person(label: str, given: GivenDetails | None) -> list[str]:
    """What was said of somebody, in one line; none where nothing was."""
    said = [_in_line(str(each)) for each in given.model_dump(exclude_none=True).values()] if given else []
    return [f"{label:<15} {'; '.join(said)}"] if said else []


def _in_line(text: str | None) -> str:
    return " ".join((text or "").split())


def handoff_not_taken(handoff: Handoff, zone: ZoneInfo) -> Words:
    """That a team has not said in time that it has taken a handoff; nothing of what was written."""
    lines = [
        f"A handoff to {handoff.team.value} was sent to {handoff.mailbox}, and nobody has taken it or returned it.",
        "",
        f"Handoff:    {handoff.id}",
        f"Reference:  {handoff.reference}",
        f"Received:   {_when(handoff.received_at, zone)}",
        f"Handed on:  {_when(handoff.handed_off_at, zone)}",
        f"Case:       {handoff.case_reference or 'none'}",
        "",
        f"See it:     ingest handoffs show {handoff.id}",
        f"Take it:    ingest handoffs take {handoff.id} --by YOUR-NAME",
        f"Return it:  ingest handoffs return {handoff.id} --by YOUR-NAME --because WHY",
    ]
    return f"NOT TAKEN Handoff {handoff.reference} to {handoff.team.value}", "\n".join(lines) + "\n"


def task_notice(task: Task, zone: ZoneInfo, *, again: bool = False) -> Words:
    """That there is a task, why, and by when; nothing of what was written."""
    lines = [
        *([_AGAIN[task.kind is TaskKind.ALLOCATION], ""] if again else []),
        f"Task:       {task.id}",
        f"Kind:       {_KINDS[task.kind]}",
        f"Reference:  {task.reference}",
        f"Came by:    {(task.channel or 'none').replace('_', ' ')}",
        f"Due:        {_when(task.due, zone)}",
        f"Case:       {task.case_reference or 'none told for certain'}",
        f"May be:     {', '.join(task.candidates) or 'nobody found in the register'}",
        "",
        "Why a person is asked:",
        *[f"- {reason}" for reason in task.reasons],
        "",
        f"See it:     ingest review show {task.id}",
        f"Take it:    ingest review claim {task.id} --by YOUR-NAME",
        *(
            [f"Allocate:   ingest social allocate {task.contact_id} --to customer-care|nobody --by YOUR-NAME"]
            if task.kind is TaskKind.ALLOCATION
            else []
        ),
    ]
    mark = _MARKS[task.kind is TaskKind.ALLOCATION] if again else ""
    return f"{mark}{_KINDS[task.kind].split(':')[0]} [{task.reference}]", "\n".join(lines) + "\n"


def over_budget(reference: str, budget: int) -> Words:
    """That an address has written more often in a day than it is answered by itself: it may be a robot that hides."""
    lines = [
        f"Whoever wrote {reference} has had {budget} messages from us today, which is all that goes to one address by itself.",
        "It may be a robot that answers our answers. What more would go to them today is held until a person looks.",
        "",
        "See what is held:  ingest outgoing list --state held",
    ]
    return f"Held: too many messages to one address in a day [{reference}]", "\n".join(lines) + "\n"


def came_back(reference: str) -> Words:
    """That a message of ours to a person was taken in as mail to us."""
    lines = [
        f"A message that we had sent to a person came into a mailbox of ours as {reference}. Nothing is sent because of it.",
        "Somebody's mailbox, or a rule in one of ours, sends our mail back to us: whoever that is may not be reading what we write.",
        "",
        "You are told of this once a day, however many come.",
    ]
    return f"Our own mail comes back to us [{reference}]", "\n".join(lines) + "\n"


def ledger_gap(line: LedgerEntry, since: datetime, zone: ZoneInfo) -> Words:
    """That the receipt ledger does not balance for an hour of a channel, and where to look."""
    channel = line.channel.replace("_", " ")
    lines = [
        f"By {channel} {line.received} were received in the hour from {_when(line.hour, zone)}.",
        f"{line.unaccounted} of them are in no disposition, dead letter or queue, and have not been since {_when(since, zone)}.",
        "",
        "Their originals are kept, and so is the note that we received them. Where Kafka is or was away they may wait on the disk of",
        "whatever took them in: `ingest check` on that machine says so. Else look in the telemetry of that hour.",
        "",
        f"See it:  ingest ledger --since {line.hour:%Y-%m-%dT%H:%M}",
    ]
    return f"The receipt ledger does not balance: {line.unaccounted} by {channel}", "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A line of the digest."""

    reference: str
    what: str
    due: datetime
    claimed_by: str | None


def owed(lines: Sequence[Unfinished], zone: ZoneInfo, *, late: bool) -> Words:
    """That people are to hear from us soon, or should have by now, and how each of them stands; nothing of what was written."""
    number = f"{len(lines)} acknowledgement{'' if len(lines) == 1 else 's'}"
    said = [
        f"{number} {'should have gone and' if late else 'must go soon and'} {'has' if len(lines) == 1 else 'have'} not:",
        "",
        *[f"{_when(each.due, zone)}  {each.reference}  {each.what}" for each in lines],
        "",
        "What is held:       ingest outgoing list, then ingest outgoing release ID --by YOUR-NAME",
        "A letter or call:   ingest review list --kind letter",
        "What is not sent:   see that the dispatcher runs and that sending is not stopped",
    ]
    return (
        f"{'LATE' if late else 'DUE SOON'}: {number}, {lines[0].reference}{' and others' if len(lines) > 1 else ''}",
        "\n".join(said) + "\n",
    )


def digest(unfinished: Sequence[Unfinished], number: int, late: int, now: datetime, zone: ZoneInfo) -> Words:
    """What is not settled this morning, the most overdue first: how much, how much of it late, and those that there is room for."""
    ordered = sorted(unfinished, key=lambda each: each.due)
    lines = [
        f"{number} not settled, {late} of them past their time.",
        "",
        *[
            f"{'LATE ' if each.due < now else '     '}{_when(each.due, zone)}  {each.reference}  {each.what}"
            f"{f' (claimed by {each.claimed_by})' if each.claimed_by else ''}"
            for each in ordered
        ],
    ]
    if more := number - len(ordered):
        lines += ["", f"And {more} more: ingest review list, ingest handoffs list"]
    return f"This morning: {number} not settled, {late} late", "\n".join(lines) + "\n"


def _when(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime("%a %d %b %Y %H:%M")
