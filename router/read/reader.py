"""The story of a reading: tidy the text, find the facts, look for harm, weigh what it asks for; what is declared stands over it."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from ingest.contract import DeclaredFacts
from router.read import declared, feedback, outcome, references, wishes
from router.read.language import language, unreadable
from router.read.people import who
from router.read.phrases import Found, find
from router.read.reading import Fact, Outcome, Reading, Sign
from router.read.sentences import LIMIT, Sentence, fields, plain, sentences, tidy
from router.read.signs import signs

_MOST_POINTS: Final = 5


class Looked(NamedTuple):
    """A contact taken apart, once for all that is read in it."""

    head: str
    body: str
    whole: str
    lines: tuple[Sentence, ...]
    found: Found
    form: Mapping[str, str]
    refs: tuple[str, ...]  # our case references
    ref_facts: tuple[Fact, ...]
    named: references.Named  # the other bodies


def look(subject: str | None, text: str, answers: tuple[Sentence, ...] = ()) -> Looked:
    """Take it apart; ``answers`` are the sentences of what is declared beside it."""
    head, body = tidy(subject or ""), tidy(text)
    whole = f"{head}\n{body}" if head else body
    lines = sentences(head, from_subject=True) + sentences(body)
    refs, ref_facts = references.case_references(whole)
    return Looked(head, body, whole, lines, find(lines + answers), fields(body), refs, ref_facts, references.bodies(whole))


def read(
    channel: str,
    subject: str | None,
    text: str,
    facts: DeclaredFacts | None = None,
    *,
    for_another: bool = False,
    automatic_at: float = outcome.AUTOMATIC_AT,
) -> Reading:
    """The reading of a contact's new words. Any text has one; it never raises.

    ``facts`` is what they declared beside them. Of somebody who writes for another person only what is declared tells who they are:
    a birth date in the words may be either's. ``automatic_at`` is how sure it must be of an outcome that nobody looks at.
    """
    given = declared.answers(facts)
    beside = tidy(given)
    answers = sentences(beside)
    head, body, whole, lines, found, form, refs, ref_facts, named = look(subject, text, answers)
    tongue = language(whole)
    unread = (*(("too-long",) if max(len(text), len(given)) > LIMIT else ()), *_unreadable(head, body, beside, tongue))
    at_risk = signs(lines + answers, found)
    body_named, body_facts = references.organisation(whole, named, form)
    weighed = outcome.weigh(
        outcome.traits_of(channel, lines + answers, found, references=len(refs), named=len({name for _, name in named})),
        lines + answers,
        found,
        at_risk=bool(at_risk),
        automatic_at=automatic_at,
    )
    query = outcome.query(found)
    chosen = declared.outcome(facts, weighed.outcome, weighed.evidence, query)
    said = chosen or weighed.outcome
    if unread and unread != ("too-long",) and not chosen:
        said = Outcome.REVIEW
    # The facts of what it most likely is are a help to whoever decides.
    asked = weighed.leaning if said is weighed.outcome else said
    needs, need_facts = wishes.adjustments(lines + answers, found)
    method, method_facts = wishes.preferred_method(found, needs)
    told = feedback.weigh(lines + answers, found)
    remedy, remedy_facts = wishes.remedy(feedback.asks_for_something(told), found)
    kind, kind_facts = feedback.feedback_type(told, hints=weighed.hints) if asked is Outcome.FEEDBACK_RECORD else (None, ())
    if chosen and facts:
        kind = facts.feedback_type or (kind if kind_facts else None)  # what nothing shows is still to be asked
    before, before_facts = feedback.contacted_before(told, form, kind if asked is Outcome.FEEDBACK_RECORD else asked)
    points = feedback.key_points(told[: len(lines)], kind) if asked is Outcome.FEEDBACK_RECORD else ()
    if said is Outcome.FEEDBACK_RECORD and not points:
        points = tuple(line.text for line in lines if not line.from_subject)[:_MOST_POINTS]
    advert = weighed.spam and (chosen is not None or said is Outcome.NO_ACTION)
    if advert and not chosen and not any({"i", "my", "me", "myself"} & set(plain(sign.words).split()) for sign in at_risk):
        at_risk = ()  # a course on suicide prevention is no cry for help
    may_ask_again = asked in (Outcome.FEEDBACK_RECORD, Outcome.REVIEW)
    criteria, criteria_facts = feedback.review_criteria(told, kind) if may_ask_again else ((), ())
    broken, broken_facts = feedback.promises_broken(told) if kind in ("service", "mixed") else ((), ())
    people = who(channel, body, form, found, declared_alone=for_another)
    reading = Reading(
        outcome=said,
        confidence=1.0 if chosen else weighed.confidence if asked is weighed.leaning else 0.0,
        leaning=asked,
        legal_clock=weighed.legal_clock,
        feedback_type=kind,
        review_criteria=criteria,
        remedy_sought=None if said is Outcome.NO_ACTION else remedy,
        contacted_before=None if said is Outcome.NO_ACTION else before,
        case_references=refs,
        organisation_complained_of=None if said in (Outcome.NO_ACTION, Outcome.QUERY_ANSWER) else body_named,
        reasonable_adjustments=() if advert else needs,
        preferred_method=None if advert else method,
        restrictions=wishes.restrictions(found, need_facts),
        signs=at_risk,
        under_18=None if for_another else wishes.under_18(found),
        individual=people.writer,
        represented=people.represented,
        authority=people.authority,
        key_points=points,
        promises_broken=broken,
        query=query if said is Outcome.QUERY_ANSWER else None,
        queries=outcome.queries(lines + answers, found) if said is Outcome.QUERY_ANSWER else (),
        seems_spam=advert,
        language=tongue,
        unread=unread,
        evidence=(
            *_choice(facts, chosen, weighed.outcome), *weighed.evidence,
            *(Fact("unread", why, "language", "") for why in unread), *ref_facts, *body_facts, *kind_facts,
            *criteria_facts, *broken_facts, *need_facts, *method_facts, *remedy_facts, *before_facts, *people.evidence,
        ),
    )  # fmt: skip
    return declared.over(reading, facts) if facts else reading


def signs_in(channel: str, text: str) -> tuple[Sign, ...]:
    """The signs of harm that ``read`` finds, at the cost of a reading only where there may be some."""
    lines = sentences(tidy(text))
    return read(channel, None, text).signs if signs(lines, find(lines)) else ()


def _unreadable(head: str, body: str, beside: str, tongue: str | None) -> tuple[str, ...]:
    """Why some of it cannot be read for risk; an empty text is nothing amiss where the answers beside it are not."""
    text = unreadable(body or head, tongue)
    if not any(each.isalnum() for each in beside):
        return text
    answers = unreadable(beside, language(beside))
    return tuple(dict.fromkeys(each for each in (*text, *answers) if each != "empty"))


def _choice(facts: DeclaredFacts | None, chosen: Outcome | None, read: Outcome) -> tuple[Fact, ...]:
    """What they chose, and where the words say something else, that they do."""
    if not chosen or not facts:
        return ()
    otherwise = () if read in (chosen, Outcome.REVIEW) else (Fact("outcome", read.value, f"reads as {read.value}", ""),)
    return (Fact("outcome", chosen.value, "declared", facts.asks_for or ""), *otherwise)
