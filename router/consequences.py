"""What a decision gives rise to, as values: a record or handoff, tasks, messages, wishes to obey, and the entries of the audit trail.

Pure. Every id is derived from the contact and its purpose, so that the same decision made again gives the same rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from ingest.contract import (
    Allocation,
    AllocationOutcome,
    Audience,
    Automatic,
    Contact,
    Criterion,
    FeedbackRecord,
    GivenDetails,
    Handoff,
    Identifier,
    LegalClock,
    Outgoing,
    OutgoingKind,
    OutgoingState,
    Task,
    TaskKind,
    Team,
    UnsafeWay,
    canonical_email,
    canonical_phone,
)
from ingest.ids import bounced_by, derived_id, new_id, reference, replies_to, reply_token
from ingest.promise import acknowledgement_due
from ingest.segments import length
from ingest.settings import AcknowledgementSettings, OutgoingSettings, ReadingSettings, RouterSettings, Teams
from router import adjustments, wording
from router.answers import Answer, Answers, holding
from router.audit import AuditEntry
from router.decide import (
    AnswerQuery,
    Decision,
    Disposition,
    HandOff,
    HoldForReview,
    InviteToContact,
    NoAction,
    RecordFeedback,
    Situation,
    not_read,
)
from router.law import legal_clock
from router.match import Ambiguous, Evidence, Matched, Unmatched
from router.match.register_view import CaseView, IndividualView
from router.match.weights import Weights
from router.read import ReadIndividual
from router.writer import Newcomer, newcomer

ROUTER = "router"
MOST_PARTS: Final = 3  # of a text message to a person
LINK_HOLDS = timedelta(days=30)
REPLY_HOLDS = timedelta(days=180)  # the token of a mail: an answer may wait for a report, and must not work for ever
COVERS = timedelta(hours=48)  # how long one acknowledgement stands for further contacts on the same matter
_AUDITED = {OutgoingKind.INVITATION: "invitation"}
OVER_BUDGET = "over-budget"
MISSING = "missing"
"""The purpose of the task to ask for what a feedback record lacks."""
ASK = "ask-what-is-missing"
_ON_THE_DAILY_LIST = ("reads-like-spam", ASK)


@dataclass(frozen=True, slots=True)
class House:
    """What deciding needs to know of us: our teams, promises and addresses."""

    teams: Teams
    acknowledgement: AcknowledgementSettings
    outgoing: OutgoingSettings
    router: RouterSettings
    senders: Mapping[str, str]  # email account -> its address
    notices_from: str  # the email account that sends notices
    accounts: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])  # channel -> accounts that send
    numbers: frozenset[str] = frozenset()  # our own for text messages, canonical
    answers: Answers = field(default_factory=dict[str, Mapping[str, Answer]])  # approved
    form: str | None = None  # where the online form is, without a slash at its end
    key: bytes = field(default=b"", repr=False)  # signs the token of a link that we send
    reading: ReadingSettings = field(default_factory=ReadingSettings)
    weights: Weights | None = None  # of matching; those it comes with where there are none

    @property
    def own_addresses(self) -> frozenset[str]:
        """What we send from, canonical."""
        return self.numbers.union(each for address in self.senders.values() if (each := canonical_email(address)))

    @property
    def zone(self) -> ZoneInfo:
        """For times in notices."""
        return ZoneInfo(self.outgoing.time_zone)


@dataclass(frozen=True, slots=True)
class Message:
    """An outgoing message and how it starts: due, or held or impossible for a reason."""

    id: UUID
    contact_id: UUID | None
    kind: OutgoingKind
    audience: Audience
    recipient: str | None  # canonical
    state: OutgoingState
    reason: str | None
    due: datetime
    body: Outgoing | None
    answers: tuple[Answer, ...] = ()  # the approved ones that it holds


@dataclass(frozen=True, slots=True)
class Waiting:
    """That a post waits to be allocated: the contact of it as it was first written, and by when."""

    first: UUID
    due: datetime


class Grade(StrEnum):
    """How it was found whose a contact is."""

    VERIFIED = "verified"  # an identifier that was proved to be the sender's, and the person agrees
    PROBABLE = "probable"  # enough agrees, and nothing is proved
    FIRST = "first"  # they were made an individual of the register out of this contact
    CHOSEN = "chosen"  # a person said so


@dataclass(frozen=True, slots=True)
class Candidacy:
    """Somebody whom a contact may be from, as a person is asked: at which rank among them, how sure, and on what evidence."""

    individual_id: str
    rank: int
    score: float | None
    evidence: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Bounced:
    """A message of ours that a contact returns. ``named`` are the addresses that it says it did not reach, of which its recipient must be
    one: a Message-ID proves nothing by itself. None where our token proves that the message went.
    """

    outgoing_id: UUID
    named: frozenset[str] | None
    code: str | None


@dataclass(frozen=True, slots=True)
class Consequences:
    """All that one contact's decision writes."""

    contact: Contact
    reference: str
    fingerprint: str
    decision: Decision
    grade: Grade | None = None  # of its link to the individual, where it has one
    score: float | None = None
    link_evidence: tuple[dict[str, Any], ...] = ()
    newcomer: Newcomer | None = None  # who is made an individual of the register
    candidates: tuple[Candidacy, ...] = ()
    feedback: FeedbackRecord | None = None
    handoff: Handoff | None = None
    added_to: UUID | None = None
    tasks: tuple[Task, ...] = ()
    messages: tuple[Message, ...] = ()
    restrictions: tuple[tuple[str, str], ...] = ()  # method, their words
    needs: tuple[str, ...] = ()  # adjustments that it asks for
    bounced: Bounced | None = None
    came_back: UUID | None = None  # the message of ours that this contact is
    waiting: Waiting | None = None
    allocation: Allocation | None = None  # where it came with one
    tied_to: UUID | None = None  # the contact whose writer we had sent the link that it came by
    entries: tuple[AuditEntry, ...] = ()

    @property
    def sender(self) -> str | None:
        """The canonical address it came from."""
        return sender_of(self.contact)

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every address of who wrote: a wish of theirs is kept under each."""
        return addresses_of(self.contact)


def sender_of(contact: Contact) -> str | None:
    """The canonical address of who wrote: the one they are answered at, where they gave one."""
    return next(iter(addresses_of(contact)), None)


def addresses_of(contact: Contact) -> tuple[str, ...]:
    """Every address of who wrote, canonical, the one they are answered at first; none of anybody they write for."""
    mail, said = mail_of(contact), contact.declared
    phone = canonical_phone(said.phone) if said and said.phone else None
    given = (mail.canonical if mail else None, *(each.canonical for each in contact.sender.identifiers), phone)
    return tuple(dict.fromkeys(each for each in given if each))


def mail_of(contact: Contact) -> Identifier | None:
    """The mail address that they are answered at: what they wrote from, else what they declared."""
    given = next((each for each in contact.sender.identifiers if each.kind == "email"), None)
    said = contact.declared.email if contact.declared else None
    if given is None and said and (canonical := canonical_email(said)):
        return Identifier(kind="email", given=said.strip(), canonical=canonical)
    return given


@dataclass(frozen=True, slots=True)
class Way:
    """How somebody is answered by itself: by which method, from which account of ours, at which address of theirs."""

    method: Literal["email", "sms"]  # as the channel that sends it is called
    account: str
    address: Identifier


@dataclass(frozen=True, slots=True)
class NoWay:
    """Why nothing goes to somebody by itself, and whether a person can reach them."""

    because: str
    by_hand: bool


@dataclass(frozen=True, slots=True)
class Told:
    """An acknowledgement that somebody has had, or has on its way: of which contact, by which channel that came and by which method it
    goes, and of which matter.
    """

    id: UUID
    contact_id: UUID
    received_at: datetime
    channel: str
    method: str
    matter: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What is already known of a sender: methods they have forbidden, whether an urgent contact of theirs waits, and what they have been
    told; of a post, whether it is allocated already, so that nobody need be asked; and of an answer, to what.
    """

    forbidden: frozenset[str] = frozenset()
    urgent_waits: bool = False
    budget_spent: int = 0
    allocated: bool = False
    told: tuple[Told, ...] = ()
    follows: UUID | None = None  # the contact that the mail of ours was about which this one answers


def consequences(
    situation: Situation,
    decision: Decision,
    fingerprint: str,
    house: House,
    standing: Standing,
    now: datetime,
    *,
    by_person: bool = False,
    ended: int = 0,
) -> Consequences:
    """Everything to be written for one contact; ``by_person`` where somebody has decided it, who sends an answer by deciding so.

    ``ended`` of its handoffs to the team that it goes to came to an end before.
    """
    contact = situation.contact
    ref = reference(contact.id)
    new = newcomer_of(situation, decision, house, by_person=by_person)
    if new:
        decision = replace(decision, individual_id=new.individual_id)
    disposition = decision.disposition
    feedback = (
        _feedback(situation, decision, ref, house, standing, now)
        if isinstance(disposition, RecordFeedback) and not disposition.added_to
        else None
    )
    handoff = (
        _handoff(situation, decision, ref, house, standing, now, ended)
        if isinstance(disposition, HandOff) and not disposition.added_to
        else None
    )
    added_to = disposition.added_to if isinstance(disposition, RecordFeedback | HandOff) else None
    answer = (
        _answer(situation, decision, house, standing, _way(situation, house, standing), by_person=by_person)
        if isinstance(disposition, AnswerQuery)
        else None
    )
    tasks = _tasks(situation, decision, answer, house, standing, now)
    tasks += _ask_what_is_missing(situation, feedback, house, standing, now) if feedback else ()
    if contact.to_be_allocated:
        reply, letter = _invitation(situation, decision, ref, house, standing, now)
    elif by_person and answer and answer.sent:
        reply, letter = _answered_by_person(situation, decision, answer, ref, house, standing, now)
    else:
        reply, letter = _acknowledgement(situation, decision, answer, ref, house, standing, now)
    tasks += letter
    tied_to = _tied_to(contact, house, standing, now)
    messages = (
        *reply,
        *((_handoff_mail(handoff, house, now),) if handoff else ()),
        *(message for task in tasks for message in task_mail(task, house, now, to_safety=_threatens(decision))),
        *(
            _loop_mail(each, ref, house, now)
            for each in reply
            if each.state is OutgoingState.HELD and each.reason == OVER_BUDGET
        ),
    )
    allocation = _came_with(contact, now) if _waits(decision) else None
    candidates = _candidacies(situation, decision)
    grade, score, evidence = _found(situation, decision, new, by_person=by_person)
    return Consequences(
        contact=contact,
        reference=ref,
        fingerprint=fingerprint,
        decision=decision,
        grade=grade,
        score=score,
        link_evidence=evidence,
        newcomer=new,
        candidates=candidates,
        feedback=feedback,
        handoff=handoff,
        added_to=added_to,
        tasks=tasks,
        messages=messages,
        restrictions=situation.reading.restrictions if contact.automatic is Automatic.NONE else (),
        needs=situation.reading.reasonable_adjustments if contact.automatic is Automatic.NONE else (),
        bounced=_bounced(contact, house),
        came_back=_message_of_ours(contact.thread.message_id, house) if situation.ours else None,
        waiting=Waiting(first_of(contact), contact.received_at + house.router.allocate_within) if _waits(decision) else None,
        allocation=allocation,
        tied_to=tied_to,
        entries=(
            *_entries(
                situation,
                decision,
                ref,
                feedback,
                handoff,
                added_to,
                tied_to,
                tasks,
                messages,
                now,
                new,
                grade,
                score,
                candidates,
            ),
            *((_allocated(contact, allocation, now),) if allocation else ()),
        ),
    )


def _tied_to(contact: Contact, house: House, standing: Standing, now: datetime) -> UUID | None:
    """Which earlier contact it comes after, by a token of ours or by our mail that it answers.

    That is told to whoever looks at either, and nothing follows from it: what we sent may have been forwarded to anybody.
    """
    if contact.automatic is not Automatic.NONE:
        return None
    earlier = replies_to(house.key, contact.thread.reply_token, now) or standing.follows
    return None if earlier == contact.id else earlier


def newcomer_of(situation: Situation, decision: Decision, house: House, *, by_person: bool = False) -> Newcomer | None:
    """Who is made an individual of the register: only who gives feedback or is handed on, and whom nobody of the register comes near."""
    made_for = isinstance(decision.disposition, RecordFeedback | HandOff)
    if not made_for or decision.individual_id or not isinstance(situation.match, Unmatched) or situation.ours:
        return None
    if situation.contact.automatic is not Automatic.NONE:
        return None
    return newcomer(situation.contact, situation.reading, house.key, apart=situation.contact.id if by_person else None)


def _found(
    situation: Situation, decision: Decision, new: Newcomer | None, *, by_person: bool
) -> tuple[Grade | None, float | None, tuple[dict[str, Any], ...]]:
    """How it was found whose it is, how sure that is, and on what evidence."""
    match = situation.match
    if new:
        return Grade.FIRST, None, ()
    if decision.individual_id is None or not isinstance(match, Matched):
        return None, None, ()
    if by_person:
        return Grade.CHOSEN, None, _told(match.evidence)
    verified = any(each.verified and each.agrees for each in match.evidence)
    return Grade.VERIFIED if verified else Grade.PROBABLE, match.score, _told(match.evidence)


def _candidacies(situation: Situation, decision: Decision) -> tuple[Candidacy, ...]:
    """Whom a person is asked about, where they are asked who it is."""
    match, disposition = situation.match, decision.disposition
    if not isinstance(match, Ambiguous) or not isinstance(disposition, HoldForReview):
        return ()
    return tuple(
        Candidacy(
            each,
            rank,
            match.scores[rank] if rank < len(match.scores) else None,
            _told(match.evidence[rank]) if rank < len(match.evidence) else (),
        )
        for rank, each in enumerate(match.candidates)
        if each in disposition.candidates
    )


def _told(evidence: Sequence[Evidence]) -> tuple[dict[str, Any], ...]:
    return tuple(
        {
            "group": each.group.value, "agrees": each.agrees, "verified": each.verified, "because": each.because,
            "comparison": each.comparison, "level": each.level, "bits": round(each.bits, 3),
        }
        for each in evidence
    )  # fmt: skip


def first_of(contact: Contact) -> UUID:
    """The contact of a post as it was first written: the one that its allocation names."""
    return (contact.post.first if contact.post else None) or contact.id


def _waits(decision: Decision) -> bool:
    return isinstance(decision.disposition, HoldForReview) and decision.disposition.kind is TaskKind.ALLOCATION


def _came_with(contact: Contact, now: datetime) -> Allocation | None:
    """Where its publisher says that it is allocated already, and may say so (``opening`` has seen to that)."""
    if contact.needs_allocation:
        return None
    first = first_of(contact)
    return Allocation(
        id=derived_id(first, f"allocation:{contact.source}"), contact_id=first, outcome=AllocationOutcome.CUSTOMER_CARE,
        by=contact.source, at=now,
    )  # fmt: skip


def _allocated(contact: Contact, said: Allocation, now: datetime) -> AuditEntry:
    told = {"allocation": str(said.id), "outcome": said.outcome.value}
    return AuditEntry(new_id(), now, contact.id, "allocated", said.by, evidence=told)


def _bounced(contact: Contact, house: House) -> Bounced | None:
    """Which message of ours a bounce returns: by our token, else by its Message-ID, which is the message's id at one of our domains.

    What is only delayed, or was delivered, returns nothing.
    """
    said = contact.returned
    if contact.automatic is not Automatic.BOUNCE or said is None or said.outcome != "failed":
        return None
    if proved := bounced_by(house.key, said.token):
        return Bounced(proved, None, said.code)
    named = _message_of_ours(said.message_id, house)
    return Bounced(named, frozenset(said.addresses), said.code) if named else None


def answers_of(contact: Contact, house: House) -> tuple[UUID, ...]:
    """Which messages of ours it answers, by their Message-IDs, the nearest first; those of anybody else tie nothing."""
    thread = contact.thread
    given = (thread.in_reply_to, *reversed(thread.references))
    return tuple(dict.fromkeys(id_ for each in given if each and (id_ := _message_of_ours(each, house))))


def _message_of_ours(message_id: str | None, house: House) -> UUID | None:
    """Which message of ours would have such a Message-ID."""
    name, _, domain = (message_id or "").strip("<>").rpartition("@")
    if domain.lower() not in {address.rpartition("@")[2].lower() for address in house.senders.values()}:
        return None
    try:
        return UUID(name)
    except ValueError:
        return None


def kind_of(disposition: Disposition) -> str:
    """The disposition's name as DESIGN section 1 has it."""
    return type(disposition).__name__


def matter_of(decision: Decision) -> str:
    """What an acknowledgement is about: the case, or where there is none what became of the contact."""
    return decision.case_reference or kind_of(decision.disposition)


def team_of(disposition: Disposition) -> Team | None:
    """Which team it goes to, where it goes to one."""
    return disposition.team if isinstance(disposition, HandOff) else None


def mailbox_of(team: Team, case: CaseView | None, teams: Teams) -> str:
    """Where a handoff's notice goes: the case's owner while active, else the team that has it."""
    owner = case.owner_email if case and case.owner_active else None
    match team:
        case Team.INTAKE:
            return teams.intake
        case Team.INVESTIGATORS:
            return owner or (case.team_mailbox if case else None) or teams.investigators
        case Team.CASE_OWNER:
            return owner or teams.customer_care


def _adjustments(situation: Situation) -> tuple[str, ...]:
    """What they say now and what the register holds; both last for the life of the complaint."""
    held = situation.individual.adjustments if situation.individual else ()
    return tuple(dict.fromkeys((*situation.reading.reasonable_adjustments, *held)))


def _unsafe_ways(situation: Situation, standing: Standing) -> tuple[UnsafeWay, ...]:
    """How they must not be reached: as they say it now, and without words what they said earlier and what the register holds."""
    held = situation.individual.forbidden_methods if situation.individual else ()
    ways = {**dict.fromkeys((*sorted(standing.forbidden), *held), ""), **dict(situation.reading.restrictions)}
    return tuple(UnsafeWay.model_validate({"method": method, "words": words}) for method, words in ways.items())


def _agreed_method(situation: Situation, standing: Standing) -> str | None:
    """How they want to be reached: as they say it now, else as the register has it, and never by a way that is not safe."""
    held = situation.individual.agreed_methods if situation.individual else ()
    forbidden = standing.forbidden | _forbidden(situation)
    return next((each for each in (situation.reading.preferred_method, *held) if each and each not in forbidden), None)


def _given(said: ReadIndividual) -> GivenDetails:
    return GivenDetails(
        name=said.name, address=said.address, postcode=said.postcode, phone=said.phone, email=said.email, date_of_birth=said.date_of_birth
    )  # fmt: skip


def _represented(situation: Situation) -> GivenDetails | None:
    """What their words give of the person they write for; nothing where they declare it and their words add nothing."""
    whom = situation.reading.represented
    adds_nothing = whom == ReadIndividual() and situation.contact.on_behalf_of is not None
    return None if whom is None or adds_nothing else _given(whom)


def _authority(situation: Situation) -> str | None:
    """By what right they say that they write for another: as they declare it, else in their words."""
    declared = situation.contact.declared
    return (declared.authority if declared else None) or situation.reading.authority


def _clock(situation: Situation, house: House) -> LegalClock | None:
    """What the law has a clock for, from the day here on which it reached our edge."""
    return legal_clock(situation.reading.legal_clock, situation.contact.received_at.astimezone(house.zone).date())


def _feedback(
    situation: Situation, decision: Decision, ref: str, house: House, standing: Standing, now: datetime
) -> FeedbackRecord:
    contact, reading, person = situation.contact, situation.reading, situation.individual
    said = reading.individual
    name = said.name or contact.sender.name
    address = _postal(situation)
    missing = tuple(
        what
        for what, known in (
            ("name", bool(name)),
            ("address", bool(address or (person and person.address))),
            ("type of feedback", reading.feedback_type is not None),
            ("whether they have contacted us before", reading.contacted_before is not None or bool(person and person.written_before)),
        )
        if not known
    )  # fmt: skip
    return FeedbackRecord(
        id=derived_id(contact.id, "feedback-record"),
        reference=ref,
        contact_ids=(contact.id,),
        channel=contact.channel,
        received_at=contact.received_at,
        recorded_at=now,
        individual_id=decision.individual_id,
        name_given=name,
        name_held=person.name if person else None,
        address_given=address,
        address_held=person.address if person else None,
        phone_given=said.phone,
        email_given=said.email,
        date_of_birth_given=said.date_of_birth,
        type=reading.feedback_type,
        key_points=reading.key_points,
        review_criteria=tuple(
            Criterion.model_validate({"name": each, "evidence": words}) for each, words in reading.review_criteria
        ),
        remedy_sought=reading.remedy_sought,
        contacted_before_said=reading.contacted_before,
        contacted_before_held=bool(person and person.written_before),
        case_reference=decision.case_reference,
        organisation_complained_of=reading.organisation_complained_of,
        reasonable_adjustments=_adjustments(situation),
        agreed_method=_agreed_method(situation, standing),
        unsafe_ways=_unsafe_ways(situation, standing),
        on_behalf_of=contact.on_behalf_of,
        represented=_represented(situation),
        authority=_authority(situation),
        under_18=reading.under_18,
        legal_clock=_clock(situation, house),
        promises_broken=reading.promises_broken,
        missing=missing,
    )


def _postal(situation: Situation) -> str | None:
    """Their address as declared, else as they write it, or the postcode where that is all there is."""
    declared, said = situation.contact.declared, situation.reading.individual
    postcode = said.postcode
    lines = [each for each in declared.address if each.strip()] if declared else []
    lines = lines or ([said.address] if said.address else [])
    if postcode and not any(postcode.upper() in each.upper() for each in lines):
        lines.append(postcode)
    return ", ".join(lines) or None


def _handoff(
    situation: Situation, decision: Decision, ref: str, house: House, standing: Standing, now: datetime, ended: int
) -> Handoff:
    contact, reading, team = situation.contact, situation.reading, team_of(decision.disposition)
    assert team is not None
    case = situation.case if decision.case_reference else None
    again = f":{ended}" if ended else ""
    return Handoff(
        id=derived_id(contact.id, f"handoff:{team.value}{again}"),
        contact_id=contact.id,
        reference=ref,
        team=team,
        mailbox=mailbox_of(team, case, house.teams),
        channel=contact.channel,
        received_at=contact.received_at,
        handed_off_at=now,
        due=now + house.router.handoff_within,
        sender_name=contact.sender.name or reading.individual.name,
        sender_identifiers=contact.sender.identifiers,
        given=_given(reading.individual).model_copy(update={"address": _postal(situation)}),
        individual_id=decision.individual_id,
        case_reference=decision.case_reference,
        subject=contact.subject,
        text=contact.text,
        full_text=contact.full_text,
        attachments=contact.attachments,
        original=contact.original,
        urgent=bool(decision.urgent),
        asks_for=reading.outcome.value,
        key_points=reading.key_points,
        remedy_sought=reading.remedy_sought,
        organisation_complained_of=reading.organisation_complained_of,
        under_18=reading.under_18,
        legal_clock=_clock(situation, house),
        reasonable_adjustments=_adjustments(situation),
        agreed_method=_agreed_method(situation, standing),
        unsafe_ways=_unsafe_ways(situation, standing),
        on_behalf_of=contact.on_behalf_of,
        represented=_represented(situation),
        authority=_authority(situation),
        because=decision.because,
    )


def _threatens(decision: Decision) -> bool:
    return any(sign.kind == "threat-to-staff" for sign in decision.urgent)


def _on_spam_list(disposition: HoldForReview) -> bool:
    """What could not be read for risk is looked at before ordinary tasks, and waits on no list."""
    return disposition.seems_spam and disposition.kind is not TaskKind.NOT_READ_FOR_RISK


def _never_by(situation: Situation, standing: Standing) -> tuple[str, ...]:
    """For whoever takes a task: which ways to reach them are not safe. Without their words, which a task never holds."""
    ways = [each.method for each in _unsafe_ways(situation, standing)]
    return (f"They must not be reached by {' or '.join(ways)}.",) if ways else ()


def _keeping_to(situation: Situation) -> tuple[str, ...]:
    """For whoever reaches them by hand: what they need."""
    sentence = adjustments.by_hand(_adjustments(situation))
    return (sentence,) if sentence else ()


def _tasks(
    situation: Situation, decision: Decision, answer: "_Answered | None", house: House, standing: Standing, now: datetime
) -> tuple[Task, ...]:
    contact, disposition = situation.contact, decision.disposition
    case, never_by = decision.case_reference, _never_by(situation, standing)
    tasks: list[Task] = []
    if decision.urgent:
        kinds = sorted({"a risk of serious harm" if sign.kind == "harm" else "a threat to staff" for sign in decision.urgent})
        tasks.append(
            task(
                contact.id, contact.channel, TaskKind.URGENT, house.teams.duty, now, now + house.router.urgent_unclaimed_after,
                (f"It shows signs of {' and of '.join(kinds)}.", *sorted({f"sign: {sign.rule}" for sign in decision.urgent}),
                 *never_by),
                candidates=(decision.individual_id,) if decision.individual_id else (), case=case,
            )
        )  # fmt: skip
    if _waits(decision):
        tasks += _until_allocated(situation, decision, house, standing, now)
    elif isinstance(disposition, HoldForReview):
        within = timedelta(days=1) if _on_spam_list(disposition) else within_of(disposition.kind, house)
        tasks.append(
            task(
                contact.id, contact.channel, disposition.kind, house.teams.customer_care, now, now + within,
                (*decision.because, *_of_clock(_clock(situation, house)), *never_by), candidates=disposition.candidates, case=case,
                suggestion="reads-like-spam" if _on_spam_list(disposition) else situation.reading.outcome.value,
            )
        )  # fmt: skip
    if isinstance(disposition, AnswerQuery) and answer and answer.because:
        tasks.append(
            task(
                contact.id, contact.channel, TaskKind.REVIEW, house.teams.customer_care, now, now + house.router.review_within,
                (f"A general query, and {answer.because}.", *_suggested(answer), *never_by),
                suggestion=f"answer: {disposition.query or 'general query'}",
            )
        )  # fmt: skip
    if situation.allocation and situation.allocation.differs:
        tasks.append(
            task(
                contact.id, contact.channel, TaskKind.REVIEW, house.teams.customer_care, now, now + house.router.review_within,
                (*decision.because[:2], "Nothing is sent because of it."), case=case, suggestion=situation.reading.outcome.value,
                purpose="later-version",
            )
        )  # fmt: skip
    return tuple(tasks)


def within_of(kind: TaskKind, house: House) -> timedelta:
    """How long a person has to take up a task of that kind."""
    return house.router.not_read_within if kind is TaskKind.NOT_READ_FOR_RISK else house.router.review_within


def _of_clock(clock: LegalClock | None) -> tuple[str, ...]:
    """For whoever takes a task: that the law has a clock for it, and its last day."""
    return (f"A clock of the law runs ({clock.kind.replace('-', ' ')}), until {clock.due:%d %B %Y}.",) if clock else ()


def _ask_what_is_missing(
    situation: Situation, record: FeedbackRecord, house: House, standing: Standing, now: datetime
) -> tuple[Task, ...]:
    """A record that lacks what the service model asks for has a person ask, where there is anybody to ask.

    Nobody is asked for more who only praises us, who is dead, who wrote before we began, or who wanted nobody to know who they are.
    """
    contact, person = situation.contact, situation.individual
    anonymous = not (addresses_of(contact) or _reachable_by_hand(situation))
    if not record.missing or record.type == "praise" or anonymous or contact.backfill or (person and person.died_on):
        return ()
    asked = task(
        contact.id, contact.channel, TaskKind.REVIEW, house.teams.customer_care, now, now + house.router.review_within,
        (f"The feedback record is without what the service model asks for: {', '.join(record.missing)}. Ask them.",
         *_never_by(situation, standing)),
        candidates=(record.individual_id,) if record.individual_id else (), case=record.case_reference,
        suggestion=ASK, purpose=MISSING,
    )  # fmt: skip
    return (asked,)


def _until_allocated(
    situation: Situation, decision: Decision, house: House, standing: Standing, now: datetime
) -> Sequence[Task]:
    """Who allocates is asked for nothing but that, and not where it is known already; what nobody has read for risk is for us, and first."""
    contact, unread = situation.contact, not_read(situation)
    tasks: list[Task] = []
    if unread:
        tasks.append(
            task(
                contact.id, contact.channel, TaskKind.NOT_READ_FOR_RISK, house.teams.customer_care, now,
                now + within_of(TaskKind.NOT_READ_FOR_RISK, house),
                ("It could not be read in full, so nobody has looked for risk.", *unread, *_never_by(situation, standing)),
                suggestion=situation.reading.outcome.value,
            )
        )  # fmt: skip
    if contact.needs_allocation and not standing.allocated:
        edited = ("It is a later version of a post that we have had.",) if contact.post and contact.post.first else ()
        asked = house.teams.external_affairs or house.teams.customer_care
        tasks.append(
            task(
                contact.id, contact.channel, TaskKind.ALLOCATION, asked, now, contact.received_at + house.router.allocate_within,
                (*decision.because, *edited), case=decision.case_reference, suggestion=situation.reading.outcome.value,
            )
        )  # fmt: skip
    return tasks


def task(
    contact_id: UUID, channel: str, kind: TaskKind, mailbox: str, now: datetime, due: datetime, reasons: tuple[str, ...],
    *, candidates: tuple[str, ...] = (), case: str | None = None, suggestion: str | None = None, purpose: str | None = None,
) -> Task:  # fmt: skip
    """A task about a contact; ``purpose`` tells apart two of one kind."""
    return Task(
        id=derived_id(contact_id, f"task:{purpose or kind.value}"), contact_id=contact_id, reference=reference(contact_id), kind=kind,
        mailbox=mailbox, channel=channel, created_at=now, due=due, reasons=reasons, candidates=candidates, case_reference=case,
        suggestion=suggestion,
    )  # fmt: skip


def notice_id(of: UUID, purpose: str, mailbox: str) -> UUID:
    """The id of a notice: the same for whoever would send it again."""
    return derived_id(of, f"notice:{purpose}:{mailbox}")


def staff_message(
    house: House,
    kind: OutgoingKind,
    mailbox: str,
    words: wording.Words,
    of: UUID,
    purpose: str,
    contact_id: UUID | None,
    now: datetime,
) -> Message:
    """A notice to one of our own mailboxes; neither holds nor limits apply to it."""
    id_ = notice_id(of, purpose, mailbox)
    body = Outgoing(
        id=id_, kind=kind, audience=Audience.STAFF, channel="email", account=house.notices_from, recipient=mailbox,
        subject=words[0], body=words[1], message_id=f"<{id_}@{house.senders[house.notices_from].rpartition('@')[2]}>",
        contact_id=contact_id, created_at=now, due=now,
    )  # fmt: skip
    return Message(id_, contact_id, kind, Audience.STAFF, mailbox, OutgoingState.DUE, None, now, body)


def _loop_mail(held: Message, ref: str, house: House, now: datetime) -> Message:
    """That an address has had all that goes to it by itself on one day: once a day and address, however often it writes."""
    of = derived_id(UUID(int=0), f"{OVER_BUDGET}:{held.recipient}:{now.date()}")
    words = wording.over_budget(ref, house.outgoing.sender_budget)
    return staff_message(house, OutgoingKind.TASK, house.teams.customer_care, words, of, OVER_BUDGET, held.contact_id, now)


def came_back_mail(contact_id: UUID, house: House, now: datetime) -> Message:
    """That what we sent to a person came to us as a letter: once a day."""
    of = derived_id(UUID(int=0), f"came-back:{now.date()}")
    words = wording.came_back(reference(contact_id))
    return staff_message(house, OutgoingKind.TASK, house.teams.customer_care, words, of, "came-back", contact_id, now)


def _handoff_mail(handoff: Handoff, house: House, now: datetime) -> Message:
    words = wording.handoff_notice(handoff, house.zone)
    return staff_message(house, OutgoingKind.HANDOFF, handoff.mailbox, words, handoff.id, "handoff", handoff.contact_id, now)


def not_taken_mail(handoff: Handoff, house: House, now: datetime) -> tuple[Message, ...]:
    """That a handoff was not taken in time: to where it went, and to Customer Care, whose promise to the person it is."""
    words = wording.handoff_not_taken(handoff, house.zone)
    return tuple(
        staff_message(house, OutgoingKind.HANDOFF, each, words, handoff.id, "not-taken", handoff.contact_id, now)
        for each in dict.fromkeys((handoff.mailbox, house.teams.customer_care))
    )


def task_mail(task: Task, house: House, now: datetime, *, to_safety: bool = False, again: bool = False) -> tuple[Message, ...]:
    """The notices of a task: its team's mailbox, and where staff are threatened the staff safety one as well."""
    if task.suggestion in _ON_THE_DAILY_LIST:
        return ()  # the digest tells of it
    mailboxes = [task.mailbox]
    if again:
        mailboxes = [_also_told(task, house)]
    elif to_safety and task.kind is TaskKind.URGENT and house.teams.staff_safety:
        mailboxes.append(house.teams.staff_safety)
    words = wording.task_notice(task, house.zone, again=again)
    purpose = "again" if again else "task"
    return tuple(
        staff_message(house, OutgoingKind.TASK, each, words, task.id, purpose, task.contact_id, now) for each in mailboxes
    )


def _also_told(task: Task, house: House) -> str:
    """Who is told of a task that nobody has taken up in time."""
    match task.kind:
        case TaskKind.ALLOCATION:
            return task.mailbox
        case TaskKind.NOT_READ_FOR_RISK:
            return house.teams.duty
        case _:
            return house.teams.duty_second or house.teams.duty


def _acknowledgement(
    situation: Situation,
    decision: Decision,
    answer: "_Answered | None",
    ref: str,
    house: House,
    standing: Standing,
    now: datetime,
) -> tuple[tuple[Message, ...], tuple[Task, ...]]:
    """The acknowledgement, or the answer that counts as one; a letter task where nothing sent by itself may or can reach them; or an
    end called impossible.
    """
    contact, person = situation.contact, situation.individual
    if isinstance(decision.disposition, NoAction) or contact.backfill or contact.acknowledged:
        return (), ()
    id_ = derived_id(contact.id, "acknowledgement")
    due, counted = acknowledgement_due(contact.received_at, house.acknowledgement)
    way = _way(situation, house, standing)
    if isinstance(way, NoWay):
        if way.by_hand and _is_spam(decision):
            return (), ()  # whoever clears the list and says that it is none has the letter asked for then
        if way.by_hand:
            letter = task(
                contact.id, contact.channel, TaskKind.LETTER, house.teams.customer_care, now, due,
                (f"The acknowledgement is owed by {due:%d %B %Y %H:%M} UTC, {counted}, and cannot go by itself: {way.because}.",
                 *_keeping_to(situation), *_never_by(situation, standing)),
                candidates=(decision.individual_id,) if decision.individual_id else (),
            )  # fmt: skip
            return (), (letter,)
        message = Message(
            id_,
            contact.id,
            OutgoingKind.ACKNOWLEDGEMENT,
            Audience.PERSON,
            None,
            OutgoingState.IMPOSSIBLE,
            way.because,
            due,
            None,
        )
        return (message,), ()
    answers: Mapping[str, Answer] = answer.sent if answer and not answer.because else {}
    step = wording.ANSWERED if answers else wording.next_step(decision.disposition)
    kind = OutgoingKind.ANSWER if answers else OutgoingKind.ACKNOWLEDGEMENT
    if not answers and (covering := _covering(situation, decision, way, standing)):
        covered = f"covered-by:{covering.id}"
        return (
            Message(id_, contact.id, kind, Audience.PERSON, way.address.canonical, OutgoingState.COVERED, covered, due, None),
        ), ()
    body = _body(id_, kind, way, situation, ref, step, answers, house, due, now)
    reason = _held_because(decision, person, standing, house)
    return (_to_them(body, way, reason, answers),), ()


def _covering(situation: Situation, decision: Decision, way: Way, standing: Standing) -> Told | None:
    """The acknowledgement that they have had of the same matter by the same way, and within 48 hours; None where this one is to go.

    What is urgent is never covered, nor what comes after it while that waits, nor what reads like spam: a person must see to those.
    """
    contact = situation.contact
    if decision.urgent or standing.urgent_waits or _is_spam(decision):
        return None
    alike = (contact.channel, way.method, matter_of(decision))
    return next(
        (
            each
            for each in standing.told
            if (each.channel, each.method, each.matter) == alike
            and each.contact_id != contact.id
            and abs(contact.received_at - each.received_at) < COVERS
        ),
        None,
    )


def _to_them(body: Outgoing, way: Way, held: str | None, answers: Mapping[str, Answer]) -> Message:
    state = OutgoingState.HELD if held else OutgoingState.DUE
    return Message(
        body.id, body.contact_id, body.kind, body.audience, way.address.canonical, state, held, body.due, body,
        tuple(answers.values()),
    )  # fmt: skip


def _body(
    id_: UUID, kind: OutgoingKind, way: Way, situation: Situation, ref: str, step: str, answers: Mapping[str, Answer],
    house: House, due: datetime, now: datetime,
) -> Outgoing:  # fmt: skip
    texts = {language: each.text for language, each in answers.items()}
    return Outgoing(
        id=id_, kind=kind, audience=Audience.PERSON, channel=way.method, account=way.account, contact_id=situation.contact.id,
        created_at=now, due=due, **(_text if way.method == "sms" else _mail)(id_, way, situation, ref, step, texts, house),
        reply_token=reply_token(house.key, situation.contact.id, now + REPLY_HOLDS) if way.method == "email" else None,
    )  # fmt: skip


def _mail(
    id_: UUID, way: Way, situation: Situation, ref: str, step: str, answers: Mapping[str, str], house: House
) -> dict[str, Any]:
    """As mail: in both languages, in their thread."""
    thread, welsh = situation.contact.thread, _prefers_welsh(situation)
    subject, body = wording.acknowledgement(ref, step, house.acknowledgement, welsh_first=welsh, answers=answers)
    return {
        "recipient": way.address.given,
        "subject": subject,
        "body": body,
        "message_id": f"<{id_}@{house.senders[way.account].rpartition('@')[2]}>",
        "in_reply_to": thread.message_id,
        "references": (*thread.references[-20:], *((thread.message_id,) if thread.message_id else ())),
    }


def _text(
    id_: UUID, way: Way, situation: Situation, ref: str, step: str, answers: Mapping[str, str], house: House
) -> dict[str, Any]:
    """As a text message: in one language, short."""
    language = "cy" if _prefers_welsh(situation) else "en"
    body = wording.text_message(ref, step, house.acknowledgement, language, answers.get(language))
    return {
        "recipient": way.address.canonical,
        "subject": "",
        "body": body,
        "message_id": str(id_),
        "language": language,
    }


def _prefers_welsh(situation: Situation) -> bool:
    held = situation.individual.language if situation.individual else None
    return "cy" in (situation.contact.language, situation.reading.language, held) or "welsh" in _adjustments(situation)


@dataclass(frozen=True, slots=True)
class _Answered:
    """What a query has for an answer: the approved ones, by language, that would be sent, and why they do not go by themselves."""

    sent: Mapping[str, Answer]
    because: str | None


def _answer(
    situation: Situation, decision: Decision, house: House, standing: Standing, way: Way | NoWay, *, by_person: bool
) -> _Answered:
    """The approved answers to the query, and why a person must send them or write one; nothing where they may go by themselves."""
    assert isinstance(decision.disposition, AnswerQuery)
    query = decision.disposition.query
    kept = holding(house.answers, query, situation.today)
    language = "cy" if _prefers_welsh(situation) else "en"
    if not kept:
        once = house.answers.get(query or "", {}).get("en")
        if once and once.valid_until < situation.today:
            return _Answered({}, f"its approved answer ran out on {once.valid_until:%d %B %Y}")
        return _Answered({}, "no approved answer to it is kept")
    if language not in kept:
        return _Answered({}, "no approved answer to it is kept in their language")
    if isinstance(way, Way) and way.method == "sms":
        kept = {language: kept[language]}
        said = wording.text_message(
            reference(situation.contact.id), wording.ANSWERED, house.acknowledgement, language, kept[language].text
        )
        if length(said).parts > MOST_PARTS:
            return _Answered({}, "the approved answer is too long for a text message")
    return _Answered(kept, None if by_person else _not_by_itself_since(situation, decision, kept, way, standing))


def _not_by_itself_since(
    situation: Situation, decision: Decision, answers: Mapping[str, Answer], way: Way | NoWay, standing: Standing
) -> str | None:
    """Why a person sends an approved answer; None where it may go by itself."""
    contact, reading = situation.contact, situation.reading
    another = contact.on_behalf_of or reading.represented or reading.authority
    reasons = (
        ("its approved answer is one that a person sends", not all(each.automatic for each in answers.values())),
        ("nothing goes to them by itself", contact.backfill or contact.acknowledged or isinstance(way, NoWay)),
        ("more than one thing is asked", len(reading.queries) > 1),
        ("it may be from somebody in the register", isinstance(situation.match, Ambiguous)),
        ("it names a case", bool(situation.named or situation.unknown_references)),
        ("they have an open case", any(case.is_open for case in situation.theirs)),
        ("it is urgent, or another contact of theirs is", bool(decision.urgent) or standing.urgent_waits),
        ("they need something done differently", bool(_adjustments(situation))),
        ("they write for somebody else", another is not None),
        ("the writer may be a child", reading.under_18 is not None),
        ("something is attached to it", bool(contact.attachments)),
    )
    return next((because for because, applies in reasons if applies), None)


def _suggested(answer: _Answered) -> tuple[str, ...]:
    """For whoever takes the task: which answer it is, and how it is sent."""
    one = answer.sent.get("en")
    if one is None:
        return ()
    return (
        f"The answer is “{one.title}”, approved by {one.approved_by} until {one.valid_until:%d %B %Y}.",
        "Deciding the task `--as answer` sends it.",
    )


def _answered_by_person(
    situation: Situation, decision: Decision, answer: _Answered, ref: str, house: House, standing: Standing, now: datetime
) -> tuple[tuple[Message, ...], tuple[Task, ...]]:
    """The approved answer that a person sends, besides the acknowledgement that they had; or the task to bring it to them."""
    contact, disposition = situation.contact, decision.disposition
    assert isinstance(disposition, AnswerQuery)
    purpose = f"answer:{disposition.query}"
    due = max(now, acknowledgement_due(contact.received_at, house.acknowledgement).at)
    way = _way(situation, house, standing)
    if isinstance(way, NoWay):
        by_hand = task(
            contact.id, contact.channel, TaskKind.LETTER, house.teams.customer_care, now, due,
            (f"The approved answer {disposition.query} is to reach them, and cannot go by itself: {way.because}.",
             *_keeping_to(situation), *_never_by(situation, standing)),
            candidates=(decision.individual_id,) if decision.individual_id else (), purpose=purpose,
        )  # fmt: skip
        return (), (by_hand,)
    id_ = derived_id(contact.id, purpose)
    body = _body(id_, OutgoingKind.ANSWER, way, situation, ref, wording.ANSWERED, answer.sent, house, due, now)
    reason = _held_because(decision, situation.individual, standing, house, by_person=True)
    return (_to_them(body, way, reason, answer.sent),), ()


def _invitation(
    situation: Situation, decision: Decision, ref: str, house: House, standing: Standing, now: datetime
) -> tuple[tuple[Message, ...], tuple[Task, ...]]:
    """The one thing that is said on social media: how else to reach us, or a task to say so by hand.

    Where everybody can read it, it is word for word the same to all, one a thread, and never under another person's post.
    """
    contact, said = situation.contact, situation.allocation
    spoken_for = said is not None and not said.speaks
    if not isinstance(decision.disposition, InviteToContact) or spoken_for or contact.backfill or contact.acknowledged:
        return (), ()
    due = acknowledgement_due(contact.received_at, house.acknowledgement).at
    post, handle = contact.post, next((each for each in contact.sender.identifiers if each.kind == "handle"), None)
    private = post is not None and (post.private or post.private_way)
    if because := _not_by_itself(contact, house, private=private):
        return (), (invite_by_hand(contact, because, house, now),)
    assert post is not None
    assert handle is not None
    # Never by what the register holds: a language that only we know of would tell others that we know them.
    welsh = "cy" in (contact.language, situation.reading.language)
    words = house.acknowledgement
    if private:
        id_, body = (
            derived_id(first_of(contact), "invitation"),
            wording.invitation(ref, _ways(contact, house, now, welsh=welsh), words, welsh=welsh),
        )
    else:
        id_ = derived_id(UUID(int=0), f"public-reply:{contact.account}:{post.network}:{post.thread_id}")
        body = words.public_reply_cy if welsh else words.public_reply
    outgoing = Outgoing(
        id=id_, kind=OutgoingKind.INVITATION, audience=Audience.PERSON, channel="social", account=contact.account, recipient=handle.given,
        subject="", body=body, message_id=str(id_), in_reply_to=contact.thread.message_id, post=post, private=private,
        language="cy" if welsh else "en", contact_id=contact.id, created_at=now, due=due,
    )  # fmt: skip
    reason = _held_because(decision, situation.individual, standing, house)
    state = OutgoingState.HELD if reason else OutgoingState.DUE
    return (Message(id_, contact.id, outgoing.kind, Audience.PERSON, handle.canonical, state, reason, due, outgoing),), ()


def invite_by_hand(contact: Contact, because: str, house: House, now: datetime) -> Task:
    """That a person must do it, and why."""
    due = acknowledgement_due(contact.received_at, house.acknowledgement).at
    reasons = (
        f"They are to be invited to contact us by {due:%d %B %Y %H:%M} UTC, and a person must do it: {because}.",
        "Where others can read it, name nobody and say nothing of what it is about.",
    )
    return task(
        contact.id, contact.channel, TaskKind.LETTER, house.teams.customer_care, now, due, reasons, purpose="invitation"
    )


def _not_by_itself(contact: Contact, house: House, *, private: bool) -> str | None:
    """Why nothing goes to them by itself; None where it may."""
    reasons = (
        ("we were not told where on its network the post stands", contact.post is None or not contact.thread.message_id),
        ("no account of ours can answer there", contact.account not in house.accounts.get(contact.channel, ())),
        ("nobody told us who wrote it", not any(each.kind == "handle" for each in contact.sender.identifiers)),
        ("it stands under another person's post, where nothing is said by itself", not private and not (contact.post and contact.post.own_thread)),
    )  # fmt: skip
    return next((reason for reason, applies in reasons if applies), None)


def _ways(contact: Contact, house: House, now: datetime, *, welsh: bool) -> wording.Ways:
    words = house.acknowledgement
    page = f"{house.form}/{'cy' if welsh else ''}" if house.form else None
    link = f"{page}?reply={reply_token(house.key, contact.id, now + LINK_HOLDS)}" if page else None
    return wording.Ways(words.telephone, words.text_number, house.senders.get(house.notices_from), words.postal_address, link)


@dataclass(frozen=True, slots=True)
class Lost:
    """A message of ours that did not reach its person: what was said of it, and by which methods nothing of it has reached them."""

    outgoing: Outgoing
    because: str
    tried: frozenset[str]


@dataclass(frozen=True, slots=True)
class Instead:
    """What is done where a message did not reach its person."""

    messages: tuple[Message, ...]
    tasks: tuple[Task, ...]
    entries: tuple[AuditEntry, ...]


def instead_of(
    lost: Lost, situation: Situation, decision: Decision, house: House, standing: Standing, now: datetime
) -> Instead:
    """The same by the next way that is theirs; a letter or call where nothing may go by itself; or an end called impossible.

    It is due when the first was: the promise is of the person's hearing, not of our sending.
    """
    contact, gone = situation.contact, lost.outgoing
    answers: Mapping[str, Answer] = {}
    way = _another_way(situation, house, replace(standing, forbidden=standing.forbidden | lost.tried), gone)
    if isinstance(way, Way) and gone.kind is OutgoingKind.ANSWER:
        answers = _sent_again(situation, decision, house, standing, way)
        way = way if answers else NoWay("the approved answer is none for another way", by_hand=True)
    if isinstance(way, Way):
        id_ = derived_id(gone.id, f"instead:{way.method}")
        step = wording.ANSWERED if answers else wording.next_step(decision.disposition)
        body = _body(id_, gone.kind, way, situation, reference(contact.id), step, answers, house, gone.due, now)
        message = _to_them(body, way, _held_because(decision, situation.individual, standing, house), answers)
        return Instead((message,), (), (_instead(message, gone, contact, now),))
    if not way.by_hand:
        id_ = derived_id(gone.id, "instead:nothing")
        message = Message(
            id_, contact.id, gone.kind, Audience.PERSON, None, OutgoingState.IMPOSSIBLE, way.because, gone.due, None
        )
        return Instead((message,), (), (_instead(message, gone, contact, now),))
    letter = undelivered(
        contact.id, contact.channel, lost, house, now, (*_keeping_to(situation), *_never_by(situation, standing)),
        candidates=(situation.individual.individual_id,) if situation.individual else (),
    )  # fmt: skip
    evidence = {"task": str(letter.id), "kind": letter.kind.value, "instead_of": str(gone.id)}
    entry = AuditEntry(new_id(), now, contact.id, "task-raised", ROUTER, evidence=evidence)
    return Instead(task_mail(letter, house, now), (letter,), (entry,))


def undelivered(
    contact_id: UUID, channel: str, lost: Lost, house: House, now: datetime, more: tuple[str, ...] = (),
    *, candidates: tuple[str, ...] = (),
) -> Task:  # fmt: skip
    """Have a person reach somebody whom a message of ours did not."""
    what, who = wording.UNDELIVERED[lost.outgoing.channel]
    reasons = (f"{what} did not arrive; what is owed must reach them another way.", f"{who} said: {lost.because}", *more)
    purpose = f"undelivered:{lost.outgoing.id}"
    return task(
        contact_id, channel, TaskKind.LETTER, house.teams.customer_care, now, lost.outgoing.due, reasons,
        candidates=candidates, purpose=purpose,
    )  # fmt: skip


def _instead(message: Message, gone: Outgoing, contact: Contact, now: datetime) -> AuditEntry:
    evidence = {
        "outgoing": str(message.id), "state": message.state.value, "reason": message.reason, "instead_of": str(gone.id),
    }  # fmt: skip
    return AuditEntry(new_id(), now, contact.id, _action(message), ROUTER, evidence=evidence)


def _another_way(situation: Situation, house: House, standing: Standing, gone: Outgoing) -> Way | NoWay:
    """The way that they would have been answered by were those that failed forbidden; else the first that is agreed with them and can be
    used, at what the register holds of whose contact it is.
    """
    contact, person = situation.contact, situation.individual
    if gone.kind is OutgoingKind.INVITATION:
        return NoWay("the portal did not bring it to them", by_hand=True)
    way = _way(situation, house, standing)
    if isinstance(way, Way):
        return way
    held = {"sms": person.phones, "email": person.emails} if person else {}
    ours = {
        "sms": next(iter(house.accounts.get("sms", ())), None),
        "email": contact.account if contact.account in house.senders else house.notices_from,
    }
    for method in person.agreed_methods if person else ():
        address = next((each for each in held.get(method, ()) if each not in house.own_addresses), None)
        account = ours.get(method)
        free = method not in standing.forbidden | _forbidden(situation) and _broken_by(method, situation) is None
        if free and address and account:
            kind: Literal["email", "phone"] = "email" if method == "email" else "phone"
            return Way(
                "email" if method == "email" else "sms", account, Identifier(kind=kind, given=address, canonical=address)
            )
    by_hand = _reachable_by_hand(situation) or bool(person and (person.phones or person.emails not in ((), (gone.recipient,))))
    return NoWay("what was sent came back, and there is no other way", by_hand=by_hand)


def _sent_again(situation: Situation, decision: Decision, house: House, standing: Standing, way: Way) -> Mapping[str, Answer]:
    """The approved answers as they go by another way; none where it is no query any more, or too long for it."""
    if not isinstance(decision.disposition, AnswerQuery):
        return {}
    answer = _answer(situation, decision, house, standing, way, by_person=True)
    return {} if answer.because else answer.sent


def _reachable_by_hand(situation: Situation) -> bool:
    """Whether there is anywhere to write to or to ring."""
    person, sender = situation.individual, situation.contact.sender
    called = situation.reading.individual.phone or any(each.kind == "phone" for each in sender.identifiers)
    return bool(called or _postal(situation) or (person and person.address))


def _way(situation: Situation, house: House, standing: Standing) -> Way | NoWay:
    """How the acknowledgement goes, or why it cannot go by itself.

    By text where they wrote so, or declare that they prefer it, and a number of ours can; else by mail. Neither where a plain message
    would break what they need, or where another way is agreed with them. Another way they declared that they prefer goes before mail,
    where there is somewhere to write to or to ring: nobody chose mail by writing from it.
    """
    contact, forbidden = situation.contact, standing.forbidden | _forbidden(situation)
    reachable, text = _reachable_by_hand(situation), _by_text(contact, house)
    broken: str | None = None
    if isinstance(text, Way) and "sms" not in forbidden:
        broken = _broken_by("sms", situation)
        if broken is None:
            return text
    address = mail_of(contact)
    if address is None or address.canonical in house.own_addresses:
        if broken:
            return NoWay(broken, by_hand=True)
        if text is None:
            return NoWay("no mail address to answer to", by_hand=reachable)
        return NoWay("a wish not to be reached by text" if "sms" in forbidden else str(text), by_hand=reachable)
    if "email" in forbidden:
        return NoWay("a wish not to be reached by mail", by_hand=reachable)
    account = contact.account if contact.account in house.senders else house.notices_from
    method = contact.declared.preferred_method if contact.declared else None
    if method not in (None, "email") and method not in forbidden and reachable:
        return NoWay(f"they ask to be reached by {method}", by_hand=True)
    if broken := _broken_by("email", situation):
        return NoWay(broken, by_hand=True)
    return Way("email", account, address)


def _broken_by(method: str, situation: Situation) -> str | None:
    """Why a plain message by that method is not for them: what they need, said now or held, or what is agreed with them."""
    said, person = situation.contact.declared, situation.individual
    agreed = person.agreed_methods if person else ()
    wished = {each for each in (situation.reading.preferred_method, said.preferred_method if said else None, *agreed) if each}
    if need := adjustments.broken_by(method, _adjustments(situation), wished):
        return f"they need {need.replace('_', ' ')}"
    return f"it is agreed to reach them by {' or '.join(agreed)}" if agreed and method not in agreed else None


def _by_text(contact: Contact, house: House) -> Way | str | None:
    """From the number they wrote to, or where they only prefer it from our first; why not, or None where nobody asked for it."""
    ours, said = house.accounts.get("sms", ()), contact.declared
    theirs = next((each for each in contact.sender.identifiers if each.kind == "phone"), None)
    method = said.preferred_method if said else None
    if contact.is_text:
        account = contact.account if contact.account in ours else None
    elif said and method == "sms":
        account = next(iter(ours), None)
        if theirs is None and said.phone and (canonical := canonical_phone(said.phone)):
            theirs = Identifier(kind="phone", given=said.phone, canonical=canonical)
    else:
        return None
    if theirs is None or theirs.canonical in house.own_addresses:
        return "no number to answer to"
    return Way("sms", account, theirs) if account else "the number they wrote to sends nothing"


def _forbidden(situation: Situation) -> frozenset[str]:
    """Methods that must not be used: by the register, by these words, or by an adjustment that leaves only another."""
    methods = {method for method, _ in situation.reading.restrictions}
    if situation.individual:
        methods.update(situation.individual.forbidden_methods)
    return adjustments.ruled_out(_adjustments(situation)) | methods


def _is_spam(decision: Decision) -> bool:
    return isinstance(decision.disposition, HoldForReview) and decision.disposition.seems_spam


def _held_because(
    decision: Decision, person: IndividualView | None, standing: Standing, house: House, *, by_person: bool = False
) -> str | None:
    """Why a person must release it first; None where it may go. What a person sends is past what only keeps the router in bounds."""
    reasons = (
        ("urgent", bool(decision.urgent)),
        ("urgent-earlier", standing.urgent_waits),
        ("register-says-died", bool(person and person.died_on)),
        ("contact-arrangement", bool(person and person.arrangement)),
        ("safe-contact-note", bool(person and person.safe_contact_note)),
        ("reads-like-spam", _is_spam(decision)),
        ("sending-off", house.outgoing.mode == "off"),
        ("review-mode", house.outgoing.mode == "review" and not by_person),
        (OVER_BUDGET, standing.budget_spent >= house.outgoing.sender_budget and not by_person),
    )
    return next((reason for reason, applies in reasons if applies), None)


def _entries(
    situation: Situation, decision: Decision, ref: str, feedback: FeedbackRecord | None, handoff: Handoff | None, added_to: UUID | None,
    tied_to: UUID | None, tasks: tuple[Task, ...], messages: tuple[Message, ...], now: datetime, new: Newcomer | None, grade: Grade | None,
    score: float | None, candidates: tuple[Candidacy, ...],
) -> tuple[AuditEntry, ...]:  # fmt: skip
    contact = situation.contact

    def entry(action: str, **evidence: Any) -> AuditEntry:
        return AuditEntry(new_id(), now, contact.id, action, ROUTER, decision.rule, decision.version, evidence)

    decided = entry(
        "decided",
        reference=ref,
        disposition=kind_of(decision.disposition),
        team=team.value if (team := team_of(decision.disposition)) else None,
        because=list(decision.because),
        outcome=situation.reading.outcome.value,
        confidence=round(situation.reading.confidence, 3),
        match=type(situation.match).__name__,
        weights=situation.match.weights,
        individual=decision.individual_id,
        case=decision.case_reference,
        urgent=[{"kind": sign.kind, "rule": sign.rule, "words": sign.words} for sign in decision.urgent],
        original=contact.original,
        **(
            {"candidates": [{"individual": each.individual_id, "score": each.score} for each in candidates]}
            if candidates
            else {}
        ),
    )
    return (
        decided,
        *((entry("individual-made", individual=new.individual_id),) if new else ()),
        *((entry("linked", individual=decision.individual_id, grade=grade, score=score),) if decision.individual_id else ()),
        *((entry("feedback-recorded", record=str(feedback.id)),) if feedback else ()),
        *((entry("handed-off", handoff=str(handoff.id), team=handoff.team.value, mailbox=handoff.mailbox),) if handoff else ()),
        *((entry("added-to", subject=str(added_to)),) if added_to else ()),
        *((entry("tied-to", earlier=str(tied_to)),) if tied_to else ()),
        *(entry("task-raised", task=str(each.id), kind=each.kind.value) for each in tasks),
        *(
            entry(_action(each), outgoing=str(each.id), state=each.state.value, reason=each.reason)
            for each in messages
            if each.audience is Audience.PERSON
        ),
        *(entry("answered", outgoing=str(each.id), **_version(each.answers)) for each in messages if each.answers),
        *(entry("wish-obeyed", method=method, words=words) for method, words in situation.reading.restrictions),
    )


def _action(message: Message) -> str:
    return "covered" if message.state is OutgoingState.COVERED else _AUDITED.get(message.kind, "acknowledgement")


def _version(answers: Sequence[Answer]) -> dict[str, Any]:
    """Which approved answer it is, in which version, and by whose leave."""
    return {
        "query": answers[0].query,
        "answers": [
            {
                "language": each.language,
                "sha256": each.digest,
                "approved_by": each.approved_by,
                "approved_on": f"{each.approved_on}",
            }
            for each in answers
        ],
    }
