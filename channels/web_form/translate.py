"""A form's answers to the bytes that are kept of them, and those bytes to a contact.

Pure and total. The original is JSON in ASCII with its keys in order, so that the same answers are the same bytes. What a person said in
their own words is the contact's text, wherever on the form they said it, so that signs of harm are read in all of it; the whole text
has each answer under its question's name in English, since it is read by people and not by a machine: a machine has ``declared``.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Literal, cast

from channels.web_form.questions import CRITERIA, PAGES, WAYS, Answer, Answers, answers_from, hides_words, purpose
from channels.web_form.words import Language, Words
from ingest.contract import (
    Attachment,
    Contact,
    Criterion,
    DeclaredFacts,
    FeedbackType,
    Identifier,
    Method,
    Person,
    Thread,
    UnsafeWay,
    canonical_email,
    canonical_phone,
    within_limit,
)
from ingest.ids import contact_id, digest

_FORM: Final = "contact-ingest web_form 1"
_OWN_WORDS: Final = ("what_happened", *CRITERIA, "remedy", "unsafe_words", "adjustments_other", "authority_other")
_TYPES: Final[tuple[FeedbackType, ...]] = ("service", "decision", "mixed", "praise", "suggestion")
_ENGLISH: Final = Words("en", {})

Purpose = Literal["feedback", "new_complaint", "open_case", "question"]


def fingerprint(answers: Answers, attachments: Sequence[Attachment]) -> str:
    """What tells whether answers are the same as before; it follows from them, and they not from it."""
    told = {"answers": answers, "attachments": [each.digest for each in attachments]}
    return digest(json.dumps(told, sort_keys=True).encode())


def original_of(
    token: str,
    answers: Answers,
    attachments: Sequence[Attachment],
    *,
    language: Language,
    suspicions: Sequence[str] = (),
    reply: str | None = None,
) -> bytes:
    """What is kept of a form as it was sent; ``reply`` is the token of the link of ours that it came by."""
    told = {
        "form": _FORM,
        "token": token,
        "language": language,
        "answers": answers,
        "attachments": [each.model_dump(mode="json") for each in attachments],
        "suspicions": list(suspicions),
        **({"reply": reply} if reply else {}),
    }
    return json.dumps(told, sort_keys=True, separators=(",", ":")).encode()


def translate(raw: bytes, *, account: str, received_at: datetime) -> tuple[Contact, dict[str, bytes]]:
    """The contact that a form is, and no bytes of attachments: those are kept already.

    Its id follows from the form's token and what was answered, so that the same form sent twice is one contact.
    """
    try:
        return _translate(raw, account, received_at), {}
    except Exception as error:  # noqa: BLE001 - total by promise: a person looks at the bytes
        return _unread(raw, account, received_at, type(error).__name__), {}


def _unread(raw: bytes, account: str, received_at: datetime, why: str) -> Contact:
    return Contact(
        id=contact_id("web_form", account, digest(raw)),
        source=f"urn:contact-ingest:web_form:{account}",
        channel="web_form",
        account=account,
        received_at=received_at,
        text="",
        full_text="",
        original=digest(raw),
        warnings=(f"not-read: {why}",),
    )


def _translate(raw: bytes, account: str, received_at: datetime) -> Contact:
    told = json.loads(raw)
    if told["form"] != _FORM:
        return _unread(raw, account, received_at, "it is no form of this release")
    answers = answers_from(told["answers"])
    attachments = tuple(Attachment.model_validate(each) for each in told["attachments"])
    full_text, cut = within_limit(_full_text(answers, attachments))
    email, phone = _line(answers, "email"), _line(answers, "telephone")
    identifiers: list[Identifier] = []
    if email and (canonical := canonical_email(email)):
        identifiers.append(Identifier(kind="email", given=email, canonical=canonical))
    if phone and (canonical := canonical_phone(phone)):
        identifiers.append(Identifier(kind="phone", given=phone, canonical=canonical))
    return Contact(
        id=contact_id("web_form", account, f"{told['token']}:{fingerprint(answers, attachments)}"),
        source=f"urn:contact-ingest:web_form:{account}",
        channel="web_form",
        account=account,
        received_at=received_at,
        sender=Person(name=_line(answers, "name"), identifiers=tuple(identifiers)),
        on_behalf_of=Person(name=answers["other_name"]) if answers.get("other_name") else None,  # type: ignore[arg-type]
        text="\n\n".join(str(answers[name]) for name in _OWN_WORDS if answers.get(name)),
        full_text=full_text,
        full_text_cut=cut,
        language=told["language"],
        original=digest(raw),
        attachments=attachments,
        thread=Thread(reply_token=told.get("reply")),
        declared=_declared(answers),
        warnings=(*_hidden(answers), *(f"suspected-robot: {each}" for each in told["suspicions"])),
    )


def _hidden(answers: Answers) -> tuple[str, ...]:
    said = (part for each in answers.values() for part in ((each,) if isinstance(each, str) else each))
    if any(hides_words(each) for each in said):
        return ("not-read: it has characters that hide or turn words; the original has them",)
    return ()


def _line(answers: Answers, name: str) -> str | None:
    found = answers.get(name)
    return found if isinstance(found, str) and found else None


def _ticked(answers: Answers, name: str) -> tuple[str, ...]:
    found = answers.get(name, ())
    return found if isinstance(found, tuple) else (found,)


def _declared(answers: Answers) -> DeclaredFacts:
    unsafe: list[Method] = [way for way in WAYS if _ticked(answers, "unsafe_ways").count(way)]
    about = _line(answers, "about")
    return DeclaredFacts(
        asks_for=cast("Purpose", purpose(answers)) or None,
        feedback_type=next((each for each in _TYPES if each == about), None),
        review_criteria=tuple(Criterion(name=name, evidence=str(answers[name])) for name in CRITERIA if answers.get(name)),
        name=_line(answers, "name"),
        address=tuple(str(answers[each]) for each in ("address_1", "address_2", "town") if answers.get(each)),
        postcode=_line(answers, "postcode"),
        date_of_birth=_line(answers, "date_of_birth"),
        email=_line(answers, "email"),
        phone=_line(answers, "telephone"),
        case_reference=_line(answers, "case_reference"),
        contacted_before={"yes": True, "no": False}.get(str(answers.get("contacted_before"))),
        organisation_complained_of=_line(answers, "organisation"),
        remedy_sought=_line(answers, "remedy"),
        preferred_method=next((each for each in WAYS if each == _line(answers, "reply")), None),
        unsafe_ways=tuple(UnsafeWay(method=each, words=str(answers.get("unsafe_words", ""))) for each in unsafe),
        reasonable_adjustments=(
            *_ticked(answers, "adjustments"),
            *(each for each in (_line(answers, "adjustments_other"),) if each),
        ),
        authority=_authority(answers),
    )


def _authority(answers: Answers) -> str | None:
    said = _line(answers, "authority")
    return _line(answers, "authority_other") or (_shown("authority", said) if said else None)


def _full_text(answers: Answers, attachments: Sequence[Attachment]) -> str:
    said = [
        f"{_ENGLISH(f'fields.{field.name}.label')}: {_in_words(field.name, answers[field.name])}"
        for page in PAGES
        for field in page.fields
        if answers.get(field.name)
    ]
    files = [f"{_ENGLISH('fields.files_done.label')}: {', '.join(each.name for each in attachments)}"] if attachments else []
    return "\n\n".join((*said, *files))


def _in_words(name: str, answer: Answer) -> str:
    return ", ".join(_shown(name, each) for each in answer) if isinstance(answer, tuple) else _shown(name, answer)


def _shown(name: str, answer: str) -> str:
    return _CHOICES.get((name, answer), answer)


_CHOICES: Final[Mapping[tuple[str, str], str]] = {
    (field.name, choice): _ENGLISH(f"fields.{field.name}.choices.{choice}")
    for page in PAGES
    for field in page.fields
    for choice in field.choices
}
