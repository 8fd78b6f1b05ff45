"""The new words of a mail apart from the history it quotes, and the language they are in.

Pure. Works line by line with bounded look-ahead, so a hostile body costs what its length does. In doubt words are kept: one
that is lost may be the one that mattered, while a line of history too many only costs a reader time. Answers written below
or between quotations are the person's; signatures are kept, since they say who writes; a forward without comment keeps the
words that were forwarded.
"""

import re
from dataclasses import dataclass
from typing import Final

MOST_ATTRIBUTION_LINES: Final = 6
MOST_LINES: Final = 20_000
"""Lines that are looked at for what introduces a quotation; below them only ``>`` marks one."""
MOST_LINE: Final = 400
"""Characters of a line that are looked at to tell what it is."""

_QUOTED = re.compile(r"[ \t\xa0]{0,8}(?!>>.{0,200}<<\s{0,8}$)[A-Za-z]{0,4}>")
_QUOTE_MARKS = re.compile(r"\A(?:[ \t\xa0]{0,8}[A-Za-z]{0,4}>)+[ \t\xa0]?")
_RULE = re.compile(r"[ \t\xa0]*[-_=~*#+—–ᐧ•]{2,}[ \t\xa0]*|[ \t\xa0]*[-—–ᐧ][ \t\xa0]*")
_MARKER = re.compile(
    r"(?ix)[\s>*_]*(?:"
    r"[-–—_]{2,}\s*(?P<kind>original\s(?:message|appointment)|forwarded\s(?:message|by\s.+)|reply\smessage|neges\swreiddiol"
    r"|neges\swedi.i\s(?:hanfon|blaenyrru)(?:\symlaen)?|ursprüngliche\s(?:nachricht|e-?mail)|original-?nachricht|weitergeleitete\snachricht"
    r"|message\s(?:d['’]origine|original|transféré|initial)|mail\soriginal|mensaje\s(?:original|reenviado)|mensagem\s(?:original|encaminhada)"
    r"|messaggio\s(?:originale|inoltrato)|oorspronkelijk\sbericht|oorspronkelijke\sbericht|doorgestuurd\sbericht"
    r"|(?:wiadomość|wiadomosc)\s(?:oryginalna|przekazana)|przekazana\swiadomość|oryginalna\swiadomość"
    r"|ursprungligt\smeddelande|opprinnelig\smelding|oprindelig\smeddelelse|исходное\sсообщение|пересылаемое\sсообщение|原始邮件|原始郵件)"
    r"\s*[-–—_]{2,}.{0,80}"
    r"|(?P<begin>begin\sforwarded\smessage|début\sdu\smessage\s(?:transféré|réexpédié)|inicio\sdel\smensaje\sreenviado"
    r"|anfang\sder\sweitergeleiteten\s(?:nachricht|e-?mail)|inizio\smessaggio\sinoltrato|início\sda\smensagem\s(?:reencaminhada|encaminhada)"
    r"|begin\sdoorgestuurd\sbericht|początek\sprzekazywanej\swiadomości|dechrau\s(?:y\s)?neges\sa\sanfonwyd\symlaen)\s*:"
    r")[\s*_]*"
)
_FORWARDED = re.compile(r"(?i)forward|transf|réexp|weitergel|reenv|reencam|encam|inoltr|doorgest|przekaz|anfon|blaenyr|пересыл")
_LABELS: Final = (
    (
        "from",
        "from|de|von|da|van|od|oddi wrth|oddi\xa0wrth|gan|fra|från|expéditeur|mittente|afzender|nadawca|от|от кого|发件人|寄件者",
    ),
    (
        "date",
        (
            "sent|date|gesendet|datum|envoyé|envoyé le|le|enviado|enviado el|enviada em|enviado em|fecha|data|inviato|verzonden|wysłano"
            "|anfonwyd|dyddiad|sendt|skickat|dato|дата|отправлено|发送时间|日期|date d'envoi|data wysłania"
        ),
    ),
    ("to", "to|à|an|para|a|aan|do|at|til|till|destinataire|destinatario|empfänger|кому|收件人"),
    ("subject", "subject|objet|betreff|asunto|assunto|oggetto|onderwerp|temat|pwnc|testun|emne|ämne|тема|主题|主旨"),
    ("cc", "cc|kopie|copie|bcc|reply-to|organi[sz]ation|importance|dw|kopia|copi"),
)
_LABEL_KIND: Final = {
    each: kind for kind, labels in _LABELS for each in labels.replace("organi[sz]ation", "organisation|organization").split("|")
}
_LABEL = re.compile(r"[\s>*_|]{0,12}([^\W\d_][^\W_'’]{0,20}(?:[ \xa0'’-][^\W\d_]{1,10}){0,2})[ \xa0*_]{0,4}[:：]")
_ADDRESS = re.compile(r"[^\s<>@]{1,64}@[^\s<>@]{1,100}")
_CLOCK = re.compile(r"\b\d{1,2}(?:[:.h]|\s?[ap]\.?m\b|\s?uhr\b)\d{0,2}", re.IGNORECASE)
_YEAR = re.compile(r"\b(?:19|20)\d\d\b|\b\d{1,2}[./-]\d{1,2}[./-]\d{2}\b")
_VERB = (
    r"(?:wrote|writes|said|says|schrieb(?:en\sSie)?|geschrieben|a\s[ée]crit|nous\sa\sdit|escribi[óo]|ha\sscritto|escreveu|schreef|geschreven|sent|đã\sviết"
    r"|napisa[łl](?:\(a\)|/a|a)?|pisze|ysgrifennodd|skrev|skrifaði|kirjoitti|написала?|написал\(а\)|пишет|пише|写道|寫道|napsal(?:\(a\)|a)?|yazdı)"
)
_ENDS = re.compile(
    rf"(?i)(?:{_VERB}\b|\(a\)|写道|寫道|@[^\s]{{1,100}}[>)\]]|the\sfollowing|uhr)[\s:：.>*_-]{{0,12}}$|:[\s>*_-]{{0,6}}$|wrote\s-{{2,}}$"
)
_END_MARKS = frozenset(":：>)]*_-")
_END_WORDS = (
    "wrote", "writes", "said", "says", "schrieb", "schrieben sie", "geschrieben", "écrit", "ecrit", "dit", "escribió", "escribio", "scritto",
    "escreveu", "schreef", "geschreven", "sent", "viết", "napisał", "napisal", "napisała", "pisze", "ysgrifennodd", "skrev", "skrifaði", "kirjoitti",
    "написал", "написала", "пишет", "пише", "写道", "寫道", "napsal", "napsala", "yazdı", "following", "uhr",
)  # fmt: skip
_ON = r"(?:on|at|am|le|el|il|em|op|den|dnia|w\sdniu|ar|på|vào)"
_DAY = (
    r"(?:mon|tue|wed|thu|fri|sat|sun|mo|di|mi|do|fr|sa|so|lun|mar|mer|mié|jeu|jue|ven|vie|sam|sáb|dim|dom|seg|ter|qua|qui|sex|man|tir|ons|tor|fre|lør|søn"
    r"|pon|wt|śr|czw|pt|sob|ndz|llun|maw|mer|iau|gwen|sad|sul|dydd|пн|вт|ср|чт|пт|сб|вс|понедельник|вторник|среда|четверг|пятница|суббота|воскресенье)"
)
_OPENS = re.compile(
    rf"(?i)[\s>*_<-]{{0,12}}(?:(?:{_ON}|in\s(?:message|article)|quoting|zitat\svon|citando|selon|wiadomość\snapisana)\b|{_DAY}[a-zé]{{0,8}}\.?,?\s(?=.{{0,12}}\d)"
    r"|\d{1,4}[.\s/-]|在|20\d\d年|-{2,}\s)"
)
_COLON = re.compile(r"(?<!mailto)[:：][\s>*_-]{0,6}$", re.IGNORECASE)
_SHARED = re.compile(rf"\S(\s+)(?=on\s(?:{_DAY}[a-z]{{0,7}},?\s)?[^:]{{0,20}}\d)", re.IGNORECASE)
_ATTRIBUTIONS: Final = tuple(
    re.compile(each, re.IGNORECASE)
    for each in (
        rf"{_ON}\b(?=.{{0,300}}\d).{{3,400}}?(?<!\w){_VERB}(?:\s?the\sfollowing)?[\s:：.>*_-]*",
        rf"{_ON}\b(?=.{{0,300}}\d).{{3,400}}?(?<!\w){_VERB}\s[^:]{{1,200}}:[\s>*_-]*",
        rf"[^\s].{{0,30}}?\d.{{3,300}}?(?<!\w){_VERB}(?:\s[^:]{{0,120}})?[:：][\s>*_-]*",
        r"20\d\d[/-]\d\d?[/-]\d\d?\s.{3,200}?<[^\s<>@]{1,64}@[^\s<>]{1,100}>:?[\s*_-]*",
        r"[^\s].{0,30}?\d{1,4}.{3,200}?<[^\s<>@]{1,64}@[^\s<>]{1,100}>:[\s*_-]*",
        rf"[^:]{{0,120}}[^\s@]{{1,64}}@[^\s@]{{1,100}}\s{{0,3}}(?<!\w){_VERB}(?:\s[^:]{{1,80}}\d.{{0,40}})?[:：][\s>*_-]*",
        rf".{{1,100}}\svia\s.{{1,100}}(?<!\w){_VERB}:?\s*",
        r"(?:in\s(?:message|article)|quoting|zitat\svon|citando)\s.{3,300}[:：]\s*",
        r"[-\s]{2,}.{3,300}\swrote\s-{2,}\s*",
        r"在.{3,300}写道[:：]?\s*",
        r"wiadomość\snapisana\s(?:przez\s.{1,200}\s)?w\sdniu\s.{0,40}\d.{0,200}:\s*",
        r"posted\sby\s.{1,100}\son\s\d\d/\d\d/\d{4}",
        r"sent\sfrom\s.{3,60}[^\s@]{1,64}@[^\s@]{1,100}\swrote:",
    )
)
_ON_START = re.compile(rf"(?i){_ON}\b")
_AGAIN = re.compile(rf"(?i){_ON}\s(?:{_DAY}|\d)")
"""An attribution that begins on a later line is that line's own."""
_ISO = re.compile(r"20\d\d[-/]\d\d?[-/]\d\d?\s\d\d?:\d\d\s(?:GMT|UTC)[+-]\d\d:\d\d\s[\w\s.]{1,100}")
_WROTE = re.compile(rf"(?i)>\s?{_VERB}:")
_MAILTO = re.compile(r"<?\s?mailto:[^<>]{1,200}>?|\[mailto:[^\[\]]{1,200}\]")
_IN_BRACKETS = re.compile(r"<\s*([^<>]*?)\s*>")
_SAID = re.compile(rf"(?<!\w){_VERB}(?!\w)", re.IGNORECASE)
_TOLD = re.compile(r"\b(?:I|we|he|she|they|who|the|my|your|their)\s")
"""What a person says who tells of somebody's words, and no mail program."""
_MACHINE = re.compile(r"\svia\s|\A20\d\d[/-]|\s(?:GMT|UTC)[+-]\d\d|-{2,}$")
_BAR = re.compile(r"[ \t]{0,4}\|")
_DEVICE = (
    r"(?:i-?(?:phone|pad|pod)|android|samsung|galaxy|htc|nokia|huawei|xiaomi|honor|oneplus|pixel|motorola|moto|lg|sony|xperia|blackberry|windows|"
    r"mobile|mobiltelefon|handy|smartphone|phone|tablet|ipad|surface|outlook|yahoo|aol|gmail|mail\b|mailbox|airmail|proton|sparrow|ti-85|alcatel|"
    r"cell|device|mac\b|mobil|téléphone|fairphone|o2|ee\b|vodafone|three\b|bt\b|e-?mail)"
)
_FOOTER = re.compile(
    r"(?ix)[\s<(*_\[]{0,6}(?:"
    rf"sent\s(?:from|via|with|by|using)\s(?:(?:my|the|a|an)\s)?(?:[\w'’-]{{1,15}}\s){{0,3}}?\[?{_DEVICE}.{{0,80}}"
    r"|get\s\[?outlook\sfor\s.{1,80}"
    rf"|from\smy\s{_DEVICE}.{{0,30}}"
    r"|(?:envoyé|envoye)\s(?:depuis|de|à\spartir\sde)\s(?:mon|ma|yahoo|outlook).{0,60}"
    r"|(?:von\smeinem\s.{1,40}\sgesendet|gesendet\s(?:von|mit)\s.{1,60}|diese\snachricht\swurde\svon\smeinem\s.{1,60}gesendet.?)"
    r"|inviato\sda(?:l\smio)?\s.{1,40}|enviado\s(?:do\smeu|desde\smi|a\spartir\sdo)\s.{1,40}|(?:verzonden|verstuurd)\s(?:met|vanaf|via)\s.{1,40}"
    r"|wysłane?\s(?:z|ze)\s.{1,40}|(?:wedi.i\s)?anfon(?:wyd)?\so(?:.m|\sfy)\s.{1,40}|sendt\sfra\smin\s.{1,40}|skickat\sfrån\smin\s.{1,40}"
    r"|從我的\siphone\s傳送|[\w'’]{1,20}\sfrom\smobile"
    r")[\s>)*_\].!]{0,6}"
)
_REPLY_SUBJECT = re.compile(r"(?i)\s*(?:re|aw|sv|vs|antw|odp|atb|res|rif|ynt|回复|答复)\s*(?:\[\d+\])?\s*[:：]")
_PGP_HEAD = re.compile(r"-----BEGIN PGP SIGNED MESSAGE-----\n(?:[A-Za-z]{1,20}: [^\n]{0,100}\n){0,5}\n?")


@dataclass(frozen=True, slots=True)
class _Block:
    """Lines ``start`` to ``end`` (excluded) that introduce somebody else's words."""

    start: int
    end: int
    certain: bool
    forwarded: bool = False
    headers: bool = False
    before: str = ""
    """Words of the person's own that stand on the same line."""


class _Kept(list[str]):
    """Lines that are taken for the person's own, and only added to."""

    def __init__(self) -> None:
        super().__init__()
        self._looked = 0
        self._verdict: bool | None = None

    def say_something(self) -> bool:
        """Whether a person's own words stand there: not only rules, a telephone's footer, or a signature set by the mail program.

        Each line is looked at once, however often this is asked.
        """
        while self._verdict is None and self._looked < len(self):
            line = self[self._looked]
            self._looked += 1
            if line.rstrip() == "--":
                self._verdict = False
            elif line.strip() and not _RULE.fullmatch(line[:MOST_LINE]) and not _FOOTER.fullmatch(line[:MOST_LINE]):
                self._verdict = True
        return self._verdict is True


def new_words(text: str, subject: str = "") -> str:
    """What the person wrote themselves; empty where there is nothing but a quotation. ``text`` has line feeds only."""
    lines = _unarmoured(text).replace("\u200e", "").split("\n")
    closing = [_could_end(line[-160:].rstrip()) for line in lines[: MOST_LINES + MOST_ATTRIBUTION_LINES]]
    kept = _Kept()
    at = 0
    introduced, history = False, -1
    while at < len(lines):
        line = lines[at]
        if not line.strip():
            kept.append("")
            at += 1
            continue
        if _QUOTED.match(line):
            if not introduced and kept.say_something():
                history = _next_history(lines, closing, at) if history < 0 else history
                if history < len(lines):
                    kept.append(line.rstrip())
                    at += 1
                    continue
            block = None if kept.say_something() else _forwarded_within_quotation(lines, at)
            if block is not None:
                kept += [_QUOTE_MARKS.sub("", each).rstrip() for each in lines[block.end :]]
                break
            at += 1
            continue
        if line.startswith("____") and _list_footer(lines, at):
            break
        block = _introduction(lines, closing, at) if at < MOST_LINES else None
        if block is None:
            kept.append(line.rstrip())
            at += 1
            continue
        if block.before:
            kept.append(block.before)
        introduced = introduced or _opens_history(lines, block)
        after = _next_words(lines, block.end)
        if after < len(lines) and _QUOTED.match(lines[after]):
            at = after
        elif after < len(lines) and _BAR.match(lines[after]):
            at = _past_bars(lines, after)
        elif not block.certain:
            kept.append(line.rstrip())
            at += 1
        elif kept.say_something() or (block.headers and not block.forwarded and _REPLY_SUBJECT.match(subject)):
            break
        elif block.headers:
            kept += [each.rstrip() for each in lines[block.end :]]
            break
        else:
            at = block.end
    return _trimmed(kept)


def _opens_history(lines: list[str], block: _Block) -> bool:
    after = _next_words(lines, block.end)
    return block.certain or (after < len(lines) and _QUOTED.match(lines[after]) is not None)


def _next_history(lines: list[str], closing: list[bool], at: int) -> int:
    """Where the history begins below; past the end where it does not.

    What stands behind marks above it, with nobody said to have written it, the person quoted themselves, of a letter perhaps.
    """
    for place in range(at, min(len(lines), MOST_LINES)):
        if not _QUOTED.match(lines[place]) and lines[place].strip():
            block = _introduction(lines, closing, place)
            if block is not None and _opens_history(lines, block):
                return place
    return len(lines)


def _unarmoured(text: str) -> str:
    """A PGP-signed text without what the signing put around it."""
    if "-----BEGIN PGP SIGNED MESSAGE-----" not in text:
        return text
    text = _PGP_HEAD.sub("", text)
    start = text.find("-----BEGIN PGP SIGNATURE-----")
    end = text.find("-----END PGP SIGNATURE-----", start)
    return text[:start] + text[end + len("-----END PGP SIGNATURE-----") :] if 0 <= start < end else text


def _next_words(lines: list[str], at: int) -> int:
    while at < len(lines) and not lines[at].strip():
        at += 1
    return at


def _list_footer(lines: list[str], at: int) -> bool:
    """Whether a rule is the one that a mailing list sets above the words it adds below each mail."""
    return any("mailing list" in each[:MOST_LINE].lower() for each in lines[at + 1 : at + 3])


def _past_bars(lines: list[str], at: int) -> int:
    """Past a quotation that is marked with ``|``, as some programs did."""
    while at < len(lines) and (_BAR.match(lines[at]) or not lines[at].strip()):
        at += 1
    return at


def _forwarded_within_quotation(lines: list[str], at: int) -> _Block | None:
    """A forward as Apple's programs write it, wholly behind quotation marks."""
    block = _marker(lines, at)
    return block if block is not None and block.forwarded else None


def _trimmed(kept: list[str]) -> str:
    """Without the rules and telephone footers at the end, and without runs of empty lines."""
    while kept and (not kept[-1].strip() or _RULE.fullmatch(kept[-1][:MOST_LINE]) or _FOOTER.fullmatch(kept[-1][:MOST_LINE])):
        kept.pop()
    words = re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip("\n")
    return words if any(not each.isspace() for each in words) else ""


def _introduction(lines: list[str], closing: list[bool], at: int) -> _Block | None:
    """What introduces somebody else's words at this line; ``closing`` says of each line whether an attribution could end there."""
    return _marker(lines, at) or _header_block(lines, at, least=3) or _attribution(lines, closing, at)


def _marker(lines: list[str], at: int) -> _Block | None:
    """``-----Original Message-----`` and its like, with the headers below it."""
    marker = _MARKER.fullmatch(lines[at][:MOST_LINE])
    if marker is None:
        return None
    start = at + 1
    while start < len(lines) and start < at + 4 and not _QUOTE_MARKS.sub("", lines[start]).strip(" >*_-"):
        start += 1
    headers = _header_block(lines, start, least=1)
    forwarded = bool(marker["begin"] or _FORWARDED.search(marker["kind"] or ""))
    return _Block(at, headers.end if headers else at + 1, certain=True, forwarded=forwarded, headers=True)


def _header_block(lines: list[str], at: int, least: int) -> _Block | None:
    """``From:``, ``Sent:``, ``To:``, ``Subject:`` as mail programs write them above what they quote."""
    if at >= len(lines) or (":" not in lines[at] and "：" not in lines[at]):
        return None
    first = _label(lines[at])
    if first is None or (least > 1 and first == "cc"):
        return None
    kinds: set[str] = set()
    real_address = real_date = False
    last = at
    for place in range(at, min(len(lines), at + 24)):
        line = _QUOTE_MARKS.sub("", lines[place][:MOST_LINE])
        kind = _label(line)
        if (kind in kinds and kind != "cc") or place - last > 3 or (len(kinds) >= 3 and not line.strip()):
            break
        if kind is not None:
            kinds.add(kind)
            last = place
            real_address = real_address or (kind in {"from", "to"} and _ADDRESS.search(line) is not None)
            real_date = real_date or (kind == "date" and _YEAR.search(line) is not None and _CLOCK.search(line) is not None)
    enough = {"from", "date"} <= kinds or {"from", "subject", "to"} <= kinds
    if least > 1 and len(kinds) < least and not (real_date and real_address and len(kinds) == 2):
        return None
    if len(kinds) < min(least, 2) or (len(kinds) >= 3 and least > 1 and not enough):
        return None
    end = last + 1
    while end < len(lines) and lines[end].startswith((" ", "\t")) and lines[end].strip():
        end += 1
    return _Block(at, end, certain=real_address or real_date or least == 1, headers=True)


def _label(line: str) -> str | None:
    found = _LABEL.match(line[:80])
    return _LABEL_KIND.get(found[1].replace("\xa0", " ").lower()) if found else None


def _could_end(line: str) -> bool:
    """Whether an attribution could end with this line: cheap, since it is asked of each."""
    return (line[-1:] in _END_MARKS or line.lower().endswith(_END_WORDS)) and _ENDS.search(line) is not None


def _attribution(lines: list[str], closing: list[bool], at: int) -> _Block | None:
    """``On … wrote:`` in one of its forms and languages, over a few lines at most."""
    first = lines[at][:MOST_LINE]
    if _ISO.fullmatch(first):
        return _Block(at, at + 1, certain=True)
    if not any(closing[at : at + MOST_ATTRIBUTION_LINES]):
        return None
    opens = _OPENS.match(first[:60]) is not None
    if not opens and "@" not in first and " via " not in first and "wrote" not in first:
        return None
    joined = ""
    for end in range(at, min(len(lines), at + MOST_ATTRIBUTION_LINES)):
        piece = (
            _QUOTE_MARKS.sub("", lines[end][: MOST_LINE + 1]).strip()
            if end == at or not _WROTE.match(lines[end])
            else lines[end].strip()
        )
        if len(piece) > MOST_LINE or len(joined) + len(piece) > MOST_LINE or (not piece and not _ON_START.match(first)):
            return None
        if end > at and (_AGAIN.match(piece) or _label(piece)):
            return None
        joined = f"{joined} {piece}".strip()
        if not piece or not closing[end] or (end + 1 < len(lines) and _WROTE.match(lines[end + 1])):
            continue
        whole = _IN_BRACKETS.sub(r"<\1>", _MAILTO.sub("", joined))
        if any(form.fullmatch(whole.lstrip("<>*_- ")) or form.fullmatch(whole) for form in _ATTRIBUTIONS):
            dated = _YEAR.search(whole) and _CLOCK.search(whole)
            signed = _ADDRESS.search(whole) and _SAID.search(whole)
            certain = bool(_MACHINE.search(whole) or dated or signed) and _TOLD.search(whole) is None
            shared = None if opens else _SHARED.search(first)
            return _Block(at, end + 1, certain=certain, before=first[: shared.start(1)].rstrip("-_ ") if shared else "")
        if _COLON.search(piece):
            return None
    return None


_COMMON: Final = {
    "en": re.compile(
        r"\b(?:i|am|the|and|of|to|that|was|have|with|for|this|you|not|my|your|is|are|been|would|because|they|which|when|from|it|in|on|at|be|by|we|if|as"
        r"|can|me|he|she|her|his|him|so|all|there|what|who|how|has|had|but|about|will|did|don't|didn't|i'm|i've|it's|said|like|please)\b"
    ),
    "cy": re.compile(
        r"\b(?:yn|yr|y|mae|a'r|i'r|o'r|ac|wedi|fy|eich|ei|gan|oedd|nid|dim|chi|rwy|rwy'n|dwi|dwi'n|bod|hyn|ein|ond|sydd|roedd|gyda|hoffwn|diolch|ydych|annwyl|helo)\b"
    ),
    "pl": re.compile(
        r"\b(?:nie|się|jest|że|jak|czy|mnie|moja|moje|mój|proszę|dla|ale|był|była|od|po|przez|które|którą|został|jestem|mam|na|do|to|dzień|oraz|dobry)\b"
    ),
}


def language_of(text: str) -> str | None:
    """``en``, ``cy`` or ``pl`` where the common words leave no doubt; None otherwise."""
    said = text[:8192].lower().replace("’", "'")
    words = len(re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", said))
    if words < 6:
        return None
    found = sorted(((len(common.findall(said)) / words, language) for language, common in _COMMON.items()), reverse=True)
    (best, language), (second, _) = found[0], found[1]
    return language if best >= 0.15 and best >= 2.5 * second else None
