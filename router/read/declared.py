"""What people said in fields of their own, such as a form's answers: it stands over what their words would suggest.

They are claims all the same, and prove nobody's identity (DESIGN promise 3). Signs of harm, needs and wishes are read in all of the
answers as they are in the text, since people write such things wherever there is room.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from ingest.contract import DeclaredFacts
from router.read import references, wishes
from router.read.reading import Fact, Outcome, ReadIndividual, Reading
from router.read.sentences import tidy

_LONGEST_REFERENCE: Final = 64
_OWN: Final = ("name", "postcode", "phone", "email", "date_of_birth")
_ASKED: Final = {
    "feedback": Outcome.FEEDBACK_RECORD,
    "new_complaint": Outcome.INTAKE,
    "open_case": Outcome.INVESTIGATORS,
}


def answers(facts: DeclaredFacts | None) -> str:
    """Their own words in fields beside the text, an answer a line."""
    if facts is None:
        return ""
    said = (
        *(each.evidence for each in facts.review_criteria),
        facts.remedy_sought,
        *(each.words for each in facts.unsafe_ways),
        *facts.reasonable_adjustments,
        facts.authority,
    )
    return "\n".join(each for each in said if each)


def outcome(facts: DeclaredFacts | None, read: Outcome, because: Iterable[Fact], query: str | None) -> Outcome | None:
    """What they chose; None where they chose nothing, or what the words say goes before it.

    That is so where a clock of the law runs, or they say plainly that they want two things: a person must part those (labelling
    guide). And a question is one that we answer only where it has a name; else it is what it reads as.
    """
    if facts is None or facts.asks_for is None:
        return None
    if read is Outcome.REVIEW and any(fact.name == "legal_clock" or fact.rule == "two-requests" for fact in because):
        return None
    if facts.asks_for != "question":
        return _ASKED[facts.asks_for]
    if read is Outcome.NO_ACTION:
        return Outcome.REVIEW
    return Outcome.QUERY_ANSWER if query and read is Outcome.REVIEW else None


def over(reading: Reading, facts: DeclaredFacts) -> Reading:
    """The reading with each declared answer in its place; needs, wishes and case references are added to those that were read."""
    given, read = facts, reading.individual
    reference = _references(given.case_reference)
    needs = tuple(wishes.need(each) for each in given.reasonable_adjustments if each.strip())
    by_right = tidy(given.authority or "")
    not_theirs = {fact.value for fact in reading.evidence if fact.name == "reasonable_adjustments" and fact.words in by_right}
    wished = dict(reading.restrictions)
    unsafe = {each.method: each.words or wished.get(each.method, "") for each in given.unsafe_ways}
    declared = tuple(
        Fact(name, str(value), "declared", words)
        for name, value, words in (
            ("feedback_type", given.feedback_type, ""),
            *(("review_criteria", each.name, each.evidence) for each in given.review_criteria),
            ("remedy_sought", given.remedy_sought, ""),
            ("contacted_before", None if given.contacted_before is None else str(given.contacted_before).lower(), ""),
            *(("case_reference", each, given.case_reference or "") for each in reference),
            ("organisation_complained_of", given.organisation_complained_of, ""),
            *(("reasonable_adjustments", each, "") for each in needs),
            ("preferred_method", given.preferred_method, ""),
            *((f"own {each}", getattr(given, each), "") for each in _OWN),
            ("own address", ", ".join(given.address), ""),
            ("authority", given.authority, ""),
        )
        if value
    )
    settled = {fact.name for fact in declared} - {"case_reference", "reasonable_adjustments"}
    chosen = tuple(fact for fact in reading.evidence if fact.name == "outcome" and fact.rule == "declared")
    others = tuple(fact for fact in reading.evidence if fact not in chosen and fact.name not in settled)
    return replace(
        reading,
        feedback_type=given.feedback_type or reading.feedback_type,
        review_criteria=tuple((each.name, each.evidence) for each in given.review_criteria) or reading.review_criteria,
        remedy_sought=given.remedy_sought or reading.remedy_sought,
        contacted_before=reading.contacted_before if given.contacted_before is None else given.contacted_before,
        case_references=tuple(dict.fromkeys((*reference, *reading.case_references))),
        organisation_complained_of=given.organisation_complained_of or reading.organisation_complained_of,
        reasonable_adjustments=tuple(
            dict.fromkeys((*needs, *(each for each in reading.reasonable_adjustments if each not in not_theirs)))
        ),
        preferred_method=given.preferred_method or reading.preferred_method,
        restrictions=tuple({**wished, **unsafe}.items()),
        individual=ReadIndividual(
            name=given.name or read.name,
            postcode=given.postcode or read.postcode,
            phone=given.phone or read.phone,
            email=given.email or read.email,
            date_of_birth=given.date_of_birth or read.date_of_birth,
            address=", ".join(each.strip() for each in given.address if each.strip()) or read.address,
        ),
        authority=given.authority or reading.authority,
        evidence=(*chosen, *declared, *others),
    )


def _references(given: str | None) -> tuple[str, ...]:
    """Our references in the field for them. What has figures and is none of ours is kept as written, so that a person looks at it."""
    if not given or not any(each.isdigit() for each in given):
        return ()
    found, _ = references.case_references(f"Your reference {given}")
    return found or (given.strip()[:_LONGEST_REFERENCE],)
