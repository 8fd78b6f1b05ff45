"""The story of a reading: tidy the text, find the facts, look for harm, weigh what it asks for."""

from router.read import feedback, outcome, people, references, wishes
from router.read.language import language, unreadable
from router.read.phrases import find
from router.read.reading import Fact, Outcome, Reading
from router.read.sentences import LIMIT, fields, plain, sentences, tidy
from router.read.signs import signs


def read(channel: str, subject: str | None, text: str) -> Reading:
    """The reading of a contact's new words. Any text has one; it never raises."""
    head, body = tidy(subject or ""), tidy(text)
    lines = sentences(head, from_subject=True) + sentences(body)
    whole = f"{head}\n{body}" if head else body
    tongue = language(whole)
    unread = (*(("too-long",) if len(text) > LIMIT else ()), *unreadable(whole if not head else body or head, tongue))
    found = find(lines)
    at_risk = signs(found)
    refs, ref_facts = references.case_references(whole)
    form = fields(body)
    named = references.bodies(whole)
    body_named, body_facts = references.organisation(whole, named, form)
    weighed = outcome.weigh(
        channel,
        lines,
        found,
        references=len(refs),
        named=len({name for _, name in named}),
        at_risk=bool(at_risk),
        form_body=any(fact.rule == "form field" for fact in body_facts),
    )
    said = weighed.outcome
    if unread and unread != ("too-long",):
        said = Outcome.REVIEW
    needs, need_facts = wishes.adjustments(found)
    method, method_facts = wishes.preferred_method(found, needs)
    remedy, remedy_facts = wishes.remedy(lines, found)
    before, before_facts = feedback.contacted_before(found, form)
    kind, kind_facts = feedback.feedback_type(found, hints=weighed.hints) if said is Outcome.FEEDBACK_RECORD else (None, ())
    advert = weighed.spam and said is Outcome.NO_ACTION
    if advert and not any({"i", "my", "me", "myself"} & set(plain(sign.words).split()) for sign in at_risk):
        at_risk = ()  # a course on suicide prevention is no cry for help
    return Reading(
        outcome=said,
        confidence=weighed.confidence if said is weighed.outcome else 0.0,
        feedback_type=kind,
        review_criteria=feedback.review_criteria(found) if kind in ("decision", "mixed") else (),
        remedy_sought=None if said is Outcome.NO_ACTION else remedy,
        contacted_before=None if said is Outcome.NO_ACTION else before,
        case_references=refs,
        organisation_complained_of=None if said in (Outcome.NO_ACTION, Outcome.QUERY_ANSWER) else body_named,
        reasonable_adjustments=() if advert else needs,
        preferred_method=None if advert else method,
        restrictions=wishes.restrictions(found),
        signs=at_risk,
        individual=people.individual(channel, body, form),
        key_points=feedback.key_points(lines, found) if kind else (),
        promises_broken=feedback.promises_broken(found) if kind in ("service", "mixed") else (),
        query=outcome.query(found) if said is Outcome.QUERY_ANSWER else None,
        seems_spam=advert,
        language=tongue,
        unread=unread,
        evidence=(
            *weighed.evidence, *(Fact("unread", why, "language", "") for why in unread), *ref_facts, *body_facts, *kind_facts,
            *need_facts, *method_facts, *remedy_facts, *before_facts,
        ),
    )  # fmt: skip
