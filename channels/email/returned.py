"""What a bounce says of the mail that it returns: which one, whom it did not reach, and whether for good (RFC 3464, RFC 3463, RFC 5337).

Pure. Mail systems that write no report say it in words, or return the headers alone; what is not said is left out. Nothing here is
believed by itself: whoever holds the key and the register knows whether there was such a mail, and to whom.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final, Literal

from channels.email.mime import Mail
from ingest.contract import Returned, canonical_email

RETURNED: Final = "b-"
"""Stands before the token in the envelope's sender, to which mail systems return what they cannot deliver."""
MOST_ADDRESSES: Final = 50
_SEARCHED: Final = 262_144
"""Characters looked through for addresses; whom it did not reach is told at the top, or in the report behind it."""

_TOKEN = re.compile(rb"(?i)\+b-([a-z2-7]{42})@")
_REPORT = re.compile(rb"(?i)^content-type:[ \t]*message/(?:global-)?delivery-status\b", re.MULTILINE)
_REPORT_ENDS = re.compile(rb"\n--")
_ACTION = re.compile(rb"(?im)^action:[ \t]*([a-z]+)")
_GOES_ON: Final = frozenset({b"delayed", b"delivered", b"relayed", b"expanded"})
_STATUS = re.compile(rb"(?im)^status:[ \t]*([245]\.\d{1,3}\.\d{1,3})\b")
_CODE = re.compile(r"(?<![\d.])5\.\d{1,3}\.\d{1,3}(?![\d.])")
_MESSAGE_ID = re.compile(
    rb"(?im)^(?:>[ \t]?)?[ \t]{0,8}(?:x-)?(?:original-)?message-id:[ \t]*(?:\r?\n[ \t]+)?(<[^<>\s]{3,250}>)"
)
_ANSWERED = re.compile(r"<[^<>\s]{3,250}>")
_NO_ADDRESSES = re.compile(
    r"(?im)^>?[ \t]*(?:(?:x-)?(?:original-)?message-id|references|in-reply-to|content-id|received):.*(?:\r?\n[ \t].*){0,20}"
)
_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w.-]{1,255}")
_LATE = re.compile(
    r"(?i)\b(?:delivery (?:is|was|has been|may be) delayed|has(?: not|n't) (?:yet )?been (?:able to be )?delivered (?:yet|so far)"
    r"|not yet been delivered|has been delayed|delay(?:ed)? (?:in )?delivery|(?:will|is going to) (?:be retried|keep trying|continue (?:to try|trying))"
    r"|do not need to (?:resend|send)|no action is required on your part|still (?:be )?trying|could not send message for (?:the )?past"
    r"|this is (?:only )?a warning|warning message only|temporary (?:problem|failure|delivery)|delivery incomplete"
    r"|zustellung (?:ist |wurde )?verzögert|verzögerte zustellung|remise (?:est |a été )?retardée|entrega (?:está |se ha )?retrasada"
    r"|dostarczenie (?:jest )?opóźnione|danfon wedi'i oedi)"
)
_FOR_GOOD = re.compile(
    r"(?i)\b(?:permanent|giving up|given up|gave up|(?:retry )?time-?out exceeded|no longer try|will not be (?:re)?tried|too old|5\.\d{1,3}\.\d{1,3})"
)


def returned(raw: bytes, mail: Mail) -> Returned:
    """What a bounce says, for any that is one."""
    words = mail.words[:_SEARCHED]
    report = _report(raw)
    status = _STATUS.search(report)
    code = status[1].decode() if status else next(iter(_CODE.findall(words)), None)
    token = _TOKEN.search(raw)
    return Returned(
        outcome=_outcome(report, mail.decoded("subject")[:200], words[:4000]),
        token=token[1].decode().lower() if token else None,
        message_id=_message_id(raw, mail),
        addresses=tuple(islice(dict.fromkeys(_addresses(raw, report, mail, words)), MOST_ADDRESSES)),
        code=code,
    )


def _report(raw: bytes) -> bytes:
    """The part that is for machines, where there is one: what the returned mail itself says must not be taken for it."""
    begins = _REPORT.search(raw)
    if begins is None:
        return b""
    ends = _REPORT_ENDS.search(raw, begins.end())
    return raw[begins.end() : ends.start() if ends else len(raw)]


def _outcome(report: bytes, subject: str, words: str) -> Literal["failed", "delayed", "delivered"]:
    """``failed`` where any recipient is given up, which ours is: each mail has one. Without a report, the words say only if it is late."""
    actions = {each.lower() for each in _ACTION.findall(report)}
    if actions - _GOES_ON:  # `failed`, and what mail systems that have not read the standard write for it
        return "failed"
    if actions:
        return "delayed" if b"delayed" in actions else "delivered"
    said = f"{subject}\n{words}"
    return "delayed" if _LATE.search(said) and not _FOR_GOOD.search(said) else "failed"


def _message_id(raw: bytes, mail: Mail) -> str | None:
    """Of the returned mail: from its own headers, which stand last, else what the bounce says that it answers."""
    own = mail.first("message-id") or ""
    written = mail.words[:_SEARCHED].encode("utf-8", "replace")
    for each in reversed([*_MESSAGE_ID.findall(written), *_MESSAGE_ID.findall(raw)]):
        if (found := each.decode("ascii", "replace")) not in own:
            return found
    answered = [each for name in ("references", "in-reply-to") for each in _ANSWERED.findall((mail.first(name) or "")[:8192])]
    return answered[-1] if answered else None


def _addresses(raw: bytes, report: bytes, mail: Mail, words: str) -> Iterator[str]:
    """Whom it names, those first that it says were not reached; ours among them, since it comes to us."""
    failed = " ".join(mail.all("x-failed-recipients"))
    behind = raw[-_SEARCHED:].decode("utf-8", "replace")
    for text in (failed, report.decode("utf-8", "replace"), words, behind):
        for each in _ADDRESS.findall(_NO_ADDRESSES.sub("", text)):
            if canonical := canonical_email(each.strip(".'`=")):
                yield canonical
