"""Did a person write this mail? Told from headers and the shape of bounces (RFC 3834, RFC 3464, RFC 8098).

Pure. Nothing here grants anything: a sender who claims to be a robot only loses an answer.
"""

import re
from typing import Final

from channels.email.mime import Mail
from ingest.contract import Automatic

_DAEMON = re.compile(
    r"(?i)(?:mailer[-_.]?daemon|mail[-_]?daemon|mdaemon|mail[-_.]?deliver\w*|bounces?|majordomo|postoffice|ndr|imss|e500_smtp\w*|smtp[-_.]\w+"
    r"|microsoftexchange[0-9a-f]{16,}|system.administrator|mail[-_.]?(?:admin|system)\w*)(?:[-_.+].*)?"
)
_SYSTEM_NAME = re.compile(
    r"(?i)mail delivery (?:sub)?system|system administrator|mail administrator|internet mail delivery|mailer[- ]daemon|jetmail system"
)
_BOUNCE_SUBJECT = re.compile(
    r"(?ix)\s*(?:\*+[^*]{1,30}\*+\s*|\[[^\]]{1,30}\]\s*)?(?:undeliver(?:able|ed)|(?:e-?mail|message)\sdelivery\s(?:fail|warning|status|problem|error)|delivery\s(?:status\snotification|delayed|failure|has\sfailed|notification|problem"
    r"|report)|delayed\s(?:mail|delivery)|mail\s(?:delivery\s(?:fail|problem|sys|err|stat|warn)|system\serror|status\sreport|could\snot)|message\s(?:undeliver|delayed|not\sdelivered"
    r"|status)|returned\s(?:mail|e-?mail|to\ssender|message)|failure\s(?:notice|delivery|notification)|failed\s(?:mail|delivery|notice)|non[- ]?deliver|rejected\smail|nondeliver"
    r"|undelivered\smail|warning:\s(?:could\snot\ssend|message)|mail\s(?:failed|error)|processing\serror|automatically\srejected|error\s(?:sending|in\sdelivery)|unzustellbar|nicht\szustellbar|zustell|mail\sdelivery|"
    r"message\snon\s(?:remis|distribu)|non\sremis|échec\sde\s(?:la\s)?(?:remise|livraison)|no\s(?:se\spuede\s|se\spudo\s)?entreg|devolución|correo\sdevuelto|"
    r"mancato\srecapito|consegna\snon|onbestelbaar|niedostarcz|nie\smożna\sdostarczyć|não\sentregue|falha\sna\sentrega|n[ia]\s(?:ellid|ellir)\s(?:ei\s)?ddanfon|ni\sellid\sdanfon|methu\s(?:â\s)?danfon|heb\sei\sddanfon|nid\soedd\smodd|\S.{0,60}(?:could\snot\sbe\sdelivered|delivery\sfailed|не\sдоставлено)|.{0,20}(?:传输失败|退信|无法送达))"
)
_BOUNCE_WORDS = re.compile(
    r"(?i)(?:could not be delivered|was not delivered|undeliverable|delivery (?:has )?failed|permanent (?:fatal )?errors?|unable to deliver|"
    r"not be delivered|returned to sender|mail(?:box)? (?:is )?full|user unknown|no such user|unknown user|does not exist|qmail-send|"
    r"unknown or illegal alias|delivery to the following|following recipients?|couldn't be delivered|failed permanently|message rejected|over quota|"
    r"mailbox unavailable|bounced|mail has been ret|returning to sender|could not deliver|failed recipients?|non-delivery|automatically rejected|quota|не доставлен|无法送达|n'a pas (?:pu|été)|unzustellbar|wasn't able to deliver|not our customer|5[50]\d[ -]\d?\.?\d)"
)
_RETURNED_WORDS = re.compile(
    r"(?i)(?:\b[45]\.\d{1,3}\.\d{1,3}\b|\b(?:55[0-4]|45[0-2])[ -](?:[45]\.|requested|user|no such|mailbox|sorry|unknown|invalid|recipient|address|message|relay)"
    r"|(?:user unknown|no such user|unknown user)\b|permanent fatal errors?|mail delivery (?:software|system|subsystem)|qmail-send"
    r"|following (?:recipients?|address(?:es)?)\b|following e-?mail address|recipients? (?:could|were|was) not|original message (?:follows|headers?|was received|attached)"
    r"|(?:message|mail) headers? follow|copy of (?:the|your) (?:original )?(?:message|mail)|your (?:message|mail|e-?mail) (?:to|could|was|cannot|can not|has)\b.{0,80}"
    r"(?:deliver|reject|return|fail)|(?:mail|message) (?:server|host)|returning (?:the )?(?:message|mail|to) |n'a pas pu etre delivre)"
)
"""What only a mail system says; a letter, a parcel or a postal vote can come back too."""
_SUBJECTS: Final = {  # what mail programs alone write above an answer of theirs, and what a person may write above one too
    "en": (
        (r"auto(?:matic|mated)?[\s:_-]*(?:reply|response|answer|respon[ds]er)",),
        (r"auto", r"out[\s-]of[\s-](?:the[\s-])?office(?:\s(?:auto)?reply|\sautoreply|\snotification|\sresponse)?", r"ooo",
         r"(?:on\s)?(?:annual\sleave|vacation|holiday)"),
    ),
    "cy": ((r"(?:ateb|ymateb)\sawtomati[gc]",), (r"allan\so'?r\sswyddfa",)),
    "pl": (
        (r"odpowiedź\sautomatyczna", r"autoodpowiedź", r"automatyczna\sodpowiedź"),
        (r"nieobecn(?:ość|y|a)(?:\sw\sbiurze)?", r"poza\sbiurem"),
    ),
    "de": (
        (r"abwesenheits(?:notiz|nachricht|meldung|assistent)", r"automatische[s]?\s(?:antwort|rückmeldung)", r"autom\.\santwort"),
        (r"abwesen(?:heit\w*|d)", r"nicht\sim\sbüro", r"außer\shaus"),
    ),
    "fr": (
        (r"r[ée]ponse\sautomatique",),
        (r"r[ée]ponse\sd'absence", r"(?:message|avis)\sd'absence", r"absence(?:\sdu\sbureau)?", r"absent(?:\(e\)|e)?(?:\sdu\sbureau)?"),
    ),
    "es": (
        (r"respuesta\sautom[áa]tica", r"autorrespuesta"),
        (r"(?:fuera|ausente)\sde\s(?:la\s)?oficina", r"ausen(?:te|cia)"),
    ),
    "others": (
        (r"automatische[s]?\santwoord", r"automatisch\santwoord", r"risposta\sautomatica", r"resposta\sautom[áa]tica", r"autosvar",
         r"automatiskt?\ssvar", r"automaattinen\svastaus", r"автоответ\w*", r"автоматический\sответ", r"自动回复\w*", r"自動回覆\w*", r"自動返信\w*",
         r"automatická\sodpověď", r"automatikus\sválasz", r"otomatik\syanıt", r"răspuns\sautomat"),
        (r"afwezig\w*", r"fuori\s(?:sede|ufficio)", r"assente", r"fora\sd[oe]\sescritório", r"ausência", r"frånvaro", r"fravær"),
    ),
}  # fmt: skip


def _begins(*phrases: str, then: str) -> re.Pattern[str]:
    """A subject that begins with one of these, whatever list or bracket stands before it; none hides another, in whichever order they are."""
    return re.compile(rf"(?i)\s*(?:\[(?!auto)[^\]]{{1,30}}\]\s*)?\[?(?:{'|'.join(phrases)}){then}")


_SURE: Final = tuple(each for sure, _ in _SUBJECTS.values() for each in sure)
_AWAY: Final = (*_SURE, *(each for _, away in _SUBJECTS.values() for each in away))
_SURE_SUBJECT = _begins(*_SURE, then=r"\s*[:：\]]\s*\S")
_AWAY_SUBJECT = _begins(*_AWAY, then=r"(?!\w)")
_AWAY_AND_CLOSED = _begins(*_AWAY, then=r"\s*(?:[:：!\]]|-\s|$|(?=(?:re|aw|odp|atb)\s?:))")
_READ_SUBJECT = re.compile(
    r"(?i)\s*(?:read|not\sread|gelesen|ungelesen|lu|non\slu|leído|no\sleído|przeczytano|nie\sprzeczytano|darllenwyd|heb\sei\sddarllen)\s*[:：]\s"
)
_READ_WORDS = re.compile(
    r"(?i)(?:was (?:read|deleted without being read)|(?:has been|was) displayed|wurde .{0,80}(?:gelesen|gelöscht)|a été (?:lu|supprimé)"
    r"|se (?:leyó|ha leído|eliminó)|został[ao]? (?:przeczytan|usunięt|odczytan)|(?:cafodd|wedi) ei (?:d?darllen|d?dileu))"
)
"""A receipt says so in its words too: "Read: my complaint" may be a plea."""
_AWAY_WORDS = re.compile(
    r"(?i)(?:out of (?:the )?office|on (?:annual |maternity |sick )?leave|away from (?:the office|my desk)|limited access to (?:my )?e-?mail|on holiday|on vacation|"
    r"do not reply to this|automat(?:ed|ic) (?:reply|response|message)|i will (?:be back|return|respond)|am currently (?:out|away)|"
    r"nicht im (?:büro|haus)|im urlaub|außer haus|abwesend|nicht erreichbar|wieder (?:erreichbar|im (?:büro|haus))|automatisch|"
    r"absente? (?:du bureau|jusqu|pour|du \d)|(?:suis|serai) (?:actuellement )?absente?|en congé|de retour le|à mon retour|fuori ufficio|"
    r"fuera de (?:la )?oficina|de vacaciones|(?:estoy|estaré|encuentro) ausente|a mi (?:regreso|vuelta)|afwezig|"
    r"poza biurem|urlop|jestem nieobecn|nieobecn[ya] w biurze|po (?:moim )?powrocie|fora do escritório|"
    r"allan o'r swyddfa|ar wyliau|i ffwrdd o'r|ar ôl (?:i mi )?(?:ddychwelyd|dychwelyd)|nid wyf yn y swyddfa)"
)
_ROBOT_HEADER = re.compile(
    r"x-(?:[a-z]{1,20}-)?auto-?(?:repl(?:y|ied)|respon(?:d|se|der)|submitted|generated)(?:-[a-z]{1,20})?"
)
"""However a vendor writes it; ``X-Auto-Response-Suppress`` asks robots to be quiet, and people's mail has it."""
_REPORTS: Final = frozenset({"message/disposition-notification", "message/feedback-report"})
_ROBOT_HEADERS: Final = frozenset({
    "feedback-type", "x-amazon-auto-reply", "x-cron-env", "x-fc-machinegenerated", "x-is-auto-reply", "x-out-of-office", "x-vacation",
})  # fmt: skip


def automatic(mail: Mail, sender: str | None) -> Automatic:
    """Who wrote it: a person, a robot that answers, a mail system that returns, or a list. ``sender`` is the address in From."""
    subject = mail.decoded("subject")[:200].replace("’", "'")
    words = " ".join(mail.words[:3000].split()).replace("’", "'")
    envelope = _null_envelope(mail)
    report = mail.parameters.get("report-type", "").lower()
    if _is_bounce(mail, sender, subject, words, report, envelope=envelope):
        return Automatic.BOUNCE
    if report in {"disposition-notification", "feedback-report"} or _REPORTS & set(mail.types):
        return Automatic.REPLY
    submitted = _token(mail.first("auto-submitted"))
    precedence = {_token(each) for name in ("precedence", "x-precedence", "preference") for each in mail.all(name)}
    robot = any(_token(value) not in {"no", "false", "0", "none"} for name, value in mail.headers if _says_robot(name))
    if precedence & {"auto_reply", "auto-reply", "autoreply"} or robot or submitted == "auto-replied" or _made_by_a_rule(mail):
        return Automatic.REPLY
    if _is_list(mail, precedence):
        return Automatic.LIST
    if submitted not in {"", "no"} or precedence & {"bulk", "junk"}:
        return Automatic.REPLY
    if submitted == "no":
        return Automatic.NONE  # RFC 3834 section 5: a person made it
    if _SURE_SUBJECT.match(subject) or (_READ_SUBJECT.match(subject) and _READ_WORDS.search(words[:1000])):
        return Automatic.REPLY
    if not (_AWAY_SUBJECT if envelope else _AWAY_AND_CLOSED).match(subject):
        return Automatic.NONE
    evidence = (
        envelope
        or any(mail.first(name) for name in ("x-auto-response-suppress", "in-reply-to", "references"))
        or re.match(r"(?i)(?:no|do-?not)[-_.]?reply", sender or "") is not None
        or _AWAY_WORDS.search(words) is not None
    )
    return Automatic.REPLY if evidence else Automatic.NONE


def _says_robot(name: str) -> bool:
    return name in _ROBOT_HEADERS or (name != "x-auto-response-suppress" and _ROBOT_HEADER.fullmatch(name) is not None)


def _token(value: str | None) -> str:
    """A header's first word: ``auto-replied (vacation)`` and ``auto-replied; x=y`` are ``auto-replied``."""
    return re.split(r"[\s;(]", (value or "").strip(), maxsplit=1)[0].lower()


def _null_envelope(mail: Mail) -> bool:
    """Whether the envelope had no sender, as bounces and good robots send (RFC 5321 section 4.5.5)."""
    return any(re.fullmatch(r"\s*<\s*>\s*", value) for value in mail.all("return-path"))


def _made_by_a_rule(mail: Mail) -> bool:
    source = mail.first("x-ms-exchange-generated-message-source") or ""
    delivered = (mail.first("delivered-to") or "").strip().lower()
    return (
        "rules agent" in source.lower()
        or delivered.startswith("autoresponder")
        or "autoresponder" in (mail.first("x-post-messageclass") or "").lower()
        or _token(mail.first("x-gnd-status")) == "vacation"
        or _token(mail.first("x-mailer")) in {"vacation", "autoresponder"}
    )


def _is_list(mail: Mail, precedence: set[str]) -> bool:
    """A newsletter or a mailing list. A bare List-Unsubscribe, or ``Precedence: list`` alone, is not enough."""
    bulk = bool(precedence & {"bulk", "junk"})
    named, unsubscribe, post = (mail.first(name) is not None for name in ("list-id", "list-unsubscribe", "list-post"))
    older = any(mail.first(name) is not None for name in ("mailing-list", "x-mailing-list", "x-beenthere"))
    owner = re.search(r"(?i)\bowner-|-(?:owner|request|bounces)\b", mail.first("sender") or "") is not None
    return (unsubscribe and (named or bulk or post)) or (bulk and (named or post or older or owner))


def _is_bounce(mail: Mail, sender: str | None, subject: str, words: str, report: str, *, envelope: bool) -> bool:
    if report == "delivery-status" or (mail.content_type == "multipart/report" and "message/delivery-status" in mail.types):
        return True
    if mail.first("x-failed-recipients") is not None:
        return True
    local = (sender or mail.decoded("from")).partition("@")[0].strip(' "<')
    system = _DAEMON.fullmatch(local) is not None or _SYSTEM_NAME.search(mail.decoded("from")[:200]) is not None
    says = _BOUNCE_SUBJECT.match(subject) is not None
    if system or envelope:
        if says or "message/delivery-status" in mail.types:
            return True
        return system and _AWAY_SUBJECT.match(subject) is None and _BOUNCE_WORDS.search(words) is not None
    if local.lower().startswith("postmaster"):
        return says
    return says and (
        "message/delivery-status" in mail.types
        or (_RETURNED_WORDS.search(words[:1200]) is not None and "@" in words and mail.first("in-reply-to") is None)
    )
