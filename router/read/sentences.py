"""A contact's text as sentences, each with its plain form: the one spelling that every table of phrases is compared with.

Pure and linear. At most ``LIMIT`` characters are read, and words over 40 characters are cut, so that hostile text costs no more
than long text.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from typing import Final, NamedTuple

from router.read.linear import together

LIMIT: Final = 64 * 1024  # characters; the longest real letter of the samples has under 3,000
_LONGEST: Final = 600  # characters of one sentence; past it, it is cut at a space

_LONGEST_WORD: Final = 40

# Here and in the rooms beside it a pattern begins, where it can, with the characters that it may begin with and only then looks
# back: those are found several times quicker than a place that has something behind it.
_WORD: Final = re.compile(r"[£€$@]?[^\W_]+(?:'[^\W_]+)*|\n")
_BREAK: Final = re.compile(r"[\n.!?…](?:(?<=\n)|[\"”')\]]{0,3} )")
_ABBREVIATED: Final = re.compile(
    r"(?:mr|mrs|ms|dr|st|no|nr|prof|rev|ref|tel|sgt|cllr|hon|dept|re|v|vs|approx|betw|para|p|pp|[a-z])\.", re.IGNORECASE
)
_LONGEST_ABBREVIATED: Final = len("approx.")
_FIELD: Final = re.compile(r"([A-Z][^:?]{1,58})[:?] (.+)")

_SPELLINGS: Final = {
    **{
        short: long
        for long, shorts in {
            "you": "u yu", "your": "ur yr yor", "are": "r", "please": "pls plz pleas", "thanks": "thx thnx thanx ta thanku", "text": "txt",
            "texts": "txts", "before": "b4", "tomorrow": "2moro tmrw tomoz 2morrow", "what": "wot", "weeks": "wks", "week": "wk",
            "months": "mths mnths", "years": "yrs", "hours": "hrs", "message": "msg", "people": "ppl", "hospital": "hosp", "appointment": "appt",
            "because": "cos cuz coz becos", "was": "woz", "with": "wiv w", "something": "summat sumthing", "can": "kan", "though": "tho",
            "through": "thru", "complaint": "complant complaynt", "regarding": "re", "would": "wud", "should": "shud", "could": "cud",
            "decision": "desision descision decison", "ombudsman": "ombudsmen ombusman ombudsmans omdudsman onbudsman ombudswoman",
            "definitely": "definately defo", "receive": "recieve", "received": "recieved recd", "know": "kno", "want": "wanna", "going": "goin",
        }.items()
        for short in shorts.split()
    },
    "cannot": "can not", "gonna": "going to", "dunno": "do not know",
    "its": "its", "it's": "its", "i'm": "i am", "im": "i am", "i'll": "i will", "ive": "i have", "i've": "i have", "i'd": "i would",
    "youve": "you have", "you've": "you have", "youre": "you are", "you're": "you are", "you'd": "you would", "you'll": "you will",
    "youll": "you will", "he'll": "he will", "she'll": "she will", "they'll": "they will", "he'd": "he would", "she'd": "she would",
    "they'd": "they would", "they've": "they have", "theyve": "they have", "they're": "they are", "theyre": "they are", "we've": "we have",
    "weve": "we have", "we'd": "we would", "we're": "we are", "we'll": "we will", "who's": "who is", "whos": "who is", "what's": "what is",
    "whats": "what is", "that's": "that is", "thats": "that is", "there's": "there is", "theres": "there is", "he's": "he is", "hes": "he is",
    "she's": "she is", "shes": "she is", "nobody's": "nobody has", "let's": "let us", "won't": "will not", "wont": "will not",
    "can't": "can not", "cant": "can not", "ain't": "is not", "aint": "is not", "shan't": "will not", "wouldve": "would have",
}  # fmt: skip
for _verb in (
    "do",
    "does",
    "did",
    "have",
    "has",
    "had",
    "could",
    "would",
    "should",
    "is",
    "was",
    "were",
    "are",
    "need",
    "must",
    "might",
):
    _SPELLINGS[f"{_verb}n't"] = _SPELLINGS[f"{_verb}nt"] = f"{_verb} not"


class Sentence(NamedTuple):
    """One sentence as written, and its plain form: lower case, contractions and text speak written out, words one space apart."""

    text: str
    plain: str
    question: bool
    from_subject: bool = False
    spoken: tuple[str, ...] = ()  # the plain form taken apart, once for all that weigh it
    weight: int = 0  # what that weighs in all models together

    def has(self, *words: str) -> bool:
        """Whether one of the plain words stands in it."""
        return any(f" {word} " in f" {self.plain} " for word in words)


def plain(text: str) -> str:
    """The one spelling: "I've recieved ur letter, don't ring" becomes ``i have received your letter do not ring``.

    Lines stay lines, with a space around the break.
    """
    lower = text.lower().replace("e-mail", "email").replace("’", "'").replace("‘", "'").replace("`", "'")
    words: list[str] = _WORD.findall(lower)
    return " ".join(
        [
            _SPELLINGS.get(word, word) if "'" not in word and len(word) <= _LONGEST_WORD else _written_out(word[:_LONGEST_WORD])
            for word in words
        ]
    )


def _written_out(word: str) -> str:
    bare = word.removesuffix("'s").replace("'", "")
    return _SPELLINGS.get(word) or _SPELLINGS.get(bare, bare)


def tidy(text: str) -> str:
    """NFKC, without control characters or runs of space, lines that mail wrapped joined again, at most ``LIMIT`` characters."""
    kept = unicodedata.normalize("NFKC", text[:LIMIT])[:LIMIT].replace("\r\n", "\n").replace("\r", "\n")
    lines: list[str] = []
    long = False  # the line before was long and open, so this one may go on from it
    for written in kept.split("\n"):
        line = written if written.isprintable() else "".join(each if each.isprintable() else " " for each in written)
        stripped = " ".join(line.split())
        if long and stripped and (stripped[0].islower() or stripped[0] in "(£\"'"):
            lines[-1] = f"{lines[-1]} {stripped}"
        else:
            lines.append(stripped)
        long = len(stripped) >= 55 and stripped[-1] not in ".!?:;"
    return "\n".join(lines)


def sentences(text: str, *, from_subject: bool = False) -> tuple[Sentence, ...]:
    """The sentences of tidied text, none longer than 600 characters; what is said over and over is kept three times."""
    if not text:
        return ()
    said: dict[str, int] = {}
    found: list[Sentence] = []
    pieces = list(_pieces(text))
    for piece, words in zip(pieces, plain("\n".join(pieces)).split("\n"), strict=False):
        spelt = words.strip(" ")
        said[spelt] = said.get(spelt, 0) + 1
        if spelt and said[spelt] <= 3:
            asks = piece.rstrip("\"”') ").endswith("?") or spelt.startswith(_ASKS)
            has = spoken(spelt)
            found.append(Sentence(piece, spelt, asks, from_subject, has, together(has)))
    return tuple(found)


def ngrams(spelt: str) -> tuple[str, ...]:
    """Of a plain sentence each word and each two neighbours, once; ``^`` is before the first word and ``$`` behind the last."""
    words = ["^", *spelt.split(" "), "$"]
    return tuple(dict.fromkeys([*words, *map(" ".join, pairwise(words))]))


def spoken(spelt: str) -> tuple[str, ...]:
    """The same, and how its longer words begin, such as ``compl-``."""
    return (*ngrams(spelt), *dict.fromkeys([each[:5] + "-" for each in spelt.split(" ") if len(each) > 5]))


_ASKS: Final = (
    "how ", "do you ", "can you ", "could you ", "what ", "where ", "when ", "who ", "which ", "why ", "is there ", "are you ", "does ",
    "can i ", "do i ", "is it ", "are there ", "can people ", "will you ", "would you ",
)  # fmt: skip


def _pieces(text: str) -> Iterator[str]:
    begun = ""
    for piece in _split(text):
        whole = f"{begun} {piece}".strip() if begun else piece.strip()
        if whole.endswith(".") and len(whole) < _LONGEST and _ends_abbreviated(whole):
            begun = whole
            continue
        begun = ""
        yield from _cut(whole)
    yield from _cut(begun)


def _split(text: str) -> Iterator[str]:
    """What stands between breaks, with its own full stop."""
    start = 0
    for stop in _BREAK.finditer(text):
        at = stop.start()
        yield text[start : at if text[at] == "\n" else at + 1]
        start = stop.end()
    yield text[start:]


def _ends_abbreviated(whole: str) -> bool:
    begins = max(whole.rfind(" "), whole.rfind("(")) + 1
    return len(whole) - begins <= _LONGEST_ABBREVIATED and bool(_ABBREVIATED.fullmatch(whole, begins))


def _cut(whole: str) -> Iterator[str]:
    start = 0
    while len(whole) - start > _LONGEST:
        space = whole.rfind(" ", start, start + _LONGEST)
        end = space if space > start else start + _LONGEST
        yield whole[start:end].strip()
        start = end
    if rest := whole[start:].strip():
        yield rest


def fields(text: str) -> dict[str, str]:
    """From tidied text what stands behind the labels of a form, such as ``Organisation: ...``, by the label in lower case."""
    likely = [line for line in text.split("\n") if ": " in line or "? " in line]
    return {found[1].strip().lower(): found[2] for found in map(_FIELD.match, likely) if found}
