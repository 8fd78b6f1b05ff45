"""Whether a text can be read at all, and in which language: by its commonest words, or by its script."""

import re
import unicodedata
from collections import Counter
from itertools import chain, repeat
from typing import Final

_WORDS: Final = {
    "en": (
        "the and to of a i is in that it for you was my have not be on with they me this as at but are your we so if or "
        "from had he she his her what can do did been no there would will an all when how about has by were who just them "
        "please thanks thank hello hi dear want need help out up its am don't dont any get which one our back yes still "
        "told said"
    ),
    "cy": (
        "y yr a ac i yn o ar mae am gan wedi fy ei eu bod dw dwi rwy rwyf roedd oedd nid ddim chi eich nhw hi fe ef hwn "
        "hon i'r o'r a'r gyda heb pan beth sut pam diolch annwyl helo bore da prynhawn os gwelwch dda fi mi ni ein cael "
        "gael gwneud bydd byddai byddwn hoffwn ydy ydych ydw oes sydd rhag gofyn neu ond hefyd gymraeg cymraeg"
    ),
    "pl": (
        "i w na nie się z że do to jest jak o mnie mi za po od czy ale przez są był była proszę dla dzień dobry jestem mój moja"
    ),
    "fr": "je le la les de des et un une est pas que vous mon ma pour dans sur avec ne qui ce suis bonjour merci à au",
    "es": "el la los las de y que en un una no por mi con para se es usted me ha lo del hola gracias pero señor",
    "pt": "o os as de e que em um uma não por minha meu com para se é me foi do da olá obrigado obrigada mas",
    "it": "il lo gli le di e che in un una non per mio mia con sono è mi ho del della ciao grazie ma buongiorno",
    "de": "der die das und ich ist nicht ein eine zu mit mein meine sie es auf für habe bin den dem von bitte danke",
    "ro": "și si în nu este sunt pe cu la de mi am că pentru mea meu vă un o care din bună ziua mulțumesc",
    "lt": "ir aš yra ne kad į su mano iš jūs bet kaip labas ačiū prašau nėra man",
    "tr": "ve bir bu için ben değil çok ile benim var yok merhaba teşekkür ama olarak",
    "so": "waa iyo in ku ka oo ah aan waxaan ma la uu ay soo mid",
}
_SPEAKERS: Final = {
    word: tuple(name for name, words in _WORDS.items() if word in words.split()) for word in " ".join(_WORDS.values()).split()
}  # by a common word, the languages that it is common in
_ENGLISH: Final = frozenset(_WORDS["en"].split())
_OTHERS: Final = frozenset(word for name, words in _WORDS.items() if name != "en" for word in words.split())
_ENOUGH_ENGLISH: Final = 0.12  # of the words
KNOWN: Final = ("en", "cy")
_FAR: Final = 20_000  # characters in which words are counted
_LETTERS: Final = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_BEYOND_LATIN: Final = re.compile(r"[^\W\d_\0-\u024f]")
_SCRIPTS: Final = {"ARABIC": "ar", "CYRILLIC": "ru", "BENGALI": "bn", "DEVANAGARI": "hi", "GURMUKHI": "pa", "CJK": "zh", "GREEK": "el", "HEBREW": "he",
                   "HANGUL": "ko", "HIRAGANA": "ja", "KATAKANA": "ja", "TAMIL": "ta", "GUJARATI": "gu", "ETHIOPIC": "am", "GEORGIAN": "ka", "THAI": "th"}  # fmt: skip


def language(text: str) -> str | None:
    """Its language as ISO 639-1; None where there are too few words to tell."""
    if script := _script(text):
        return script
    words = _LETTERS.findall(text[:_FAR].lower().replace("’", "'"))
    if len(words) < 4:
        return None
    english = sum(map(_ENGLISH.__contains__, words))
    if english >= sum(map(_OTHERS.__contains__, words)):  # none of them can have more
        return "en" if english / len(words) >= _ENOUGH_ENGLISH else None
    spoken = Counter(chain.from_iterable(map(_SPEAKERS.get, words, repeat(()))))
    best = max(_WORDS, key=spoken.__getitem__)
    if spoken["en"] >= 0.8 * spoken[best] and best not in KNOWN:
        best = "en"
    return best if spoken[best] / len(words) >= (_ENOUGH_ENGLISH if best == "en" else 0.16) else None


def _script(text: str) -> str | None:
    if text.isascii():
        return None
    beginning = text[:4_000]
    foreign: Counter[str] = Counter()
    for each in _BEYOND_LATIN.findall(beginning):
        name = unicodedata.name(each, "").split(" ")[0].split("-")[0]
        if each.isalpha() and name in _SCRIPTS:
            foreign[_SCRIPTS[name]] += 1
    if not foreign:
        return None
    [(best, times)] = foreign.most_common(1)
    return best if times > 0.4 * sum(map(str.isalpha, beginning)) else None


def unreadable(text: str, tongue: str | None) -> tuple[str, ...]:
    """Why it cannot be read for risk: ``empty``, ``garbled``, ``language``; nothing where it can."""
    if not any(each.isalnum() for each in text):
        return ("empty",)
    if tongue is not None and tongue not in KNOWN:
        return ("language",)
    return ("garbled",) if _garbled(text) else ()


def _garbled(text: str) -> bool:
    """Bad scans: letters and digits mixed within words, words without vowels, marks where letters belong."""
    beginning = text[:_FAR]
    if not _BROKEN.search(beginning) and not any(map(_consonants, _VOWELLESS.findall(f" {beginning}"))):
        return False
    words = [word for word in beginning.split() if not _FIGURES.match(word)]
    if len(words) < 5:
        return beginning.count("�") > 2
    broken = sum(bool(_BROKEN.search(word)) or _consonants(word) for word in words)
    return broken > 0.3 * len(words)


_FIGURES: Final = re.compile(r"[\d£$(#@+&•*=|/\\-]|https?:|[A-Za-z]{1,3}-?\d|[^\s@]{1,64}@")
_BROKEN: Final = re.compile(r"[\d|\\~^¦¬§�{}<>#%=*_;:](?:(?<=[|\\~^¦¬§�])|(?<=[^\W\d_].)(?=[^\W\d_]))")
_VOWEL: Final = re.compile(r"[aeiouywAEIOUYW]")
_VOWELLESS: Final = re.compile(r"\s([^\saeiouywAEIOUYW]{5,})(?!\S)")


def _consonants(word: str) -> bool:
    """Whether it is a word of our letters, and no name in capitals, that nobody could say."""
    if _VOWEL.search(word):
        return False
    letters = "".join(filter(str.isalpha, word))
    return len(letters) > 4 and letters.isascii() and not letters.isupper()
