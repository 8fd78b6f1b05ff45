"""How much a sentence sounds as if it asked for an adjustment, whatever words it says it in.

A linear model (adjustments.json, learned by tests/router/read/train_adjustments.py) weighs its words, its pairs of words and which
kinds of words stand in it together, so that what was learned of "no calls, I stammer" is known of "I lip-read, so don't ring".
"""

from collections.abc import Sequence
from itertools import pairwise
from math import log
from typing import Final, NamedTuple

from router.read.linear import Linear, together
from router.read.risk import evened
from router.read.sentences import Sentence

# By which a need may be known: a sentence with none of them asks for none.
_OF_NEEDS: Final = {
    "PHONE": (
        "phone phones telephone telephones telephoned phoned phoning telephoning ring rings ringing rung rang call calls calling called caller mobile landline "
        "voicemail fone fones tel line voice verbally verbal ffon ffonio ffoniwch"
    ),
    "EMAIL": "email emails emailed emailing mail inbox electronic electronically online computer computers internet broadband laptop ebost",
    "POST": "post posted posting letter letters write writing written paper stamp postman envelope envelopes llythyr llythyrau bost hardcopy",
    "TEXT": "text texts texted texting sms whatsapp",
    "RELAY": "relay relayuk typetalk textphone minicom 18001 18002 captions ngt operator textdirect typed",
    "SEE": (
        "sight eyes eyesight eye blind sighted visually visual vision partially macular glaucoma cataract cataracts retinitis retinopathy magnifier "
        "magnifying sightless see golwg ddall"
    ),
    "HEAR": "hear hearing deaf deafened deafblind deafness aids lipread lipreads clyw byddar",
    "MUTE": "stammer stammers stutter stutters mute mutism speech voicebox laryngectomy aphasia nonverbal dysarthria",
    "BIG": (
        "large larger largest big bigger biggest enlarge enlarged enlarging enlargement magnified magnify bold huge massive thick blown giant increase mawr fawr fras bras"
    ),
    "PRINT": "print printed font fonts type typeface lettering size sized pt point arial verdana print writing ffont",
    "SIMPLE": "simple simpler simply simplified easy easier plain short shorter straightforward everyday basic literal jargon hawdd syml easyread",
    "PICTURES": "picture pictures photo photos photographs symbols drawings images widgit makaton lluniau",
    "LEARNING": "disability disabilities difficulties dyslexia dyslexic downs illiterate literacy spell processing anabledd",
    "READ": "read reads reading reader readers darllen ddarllen",
    "BRAILLE": "braille brailled braillist moon tactile",
    "AUDIO": "audio cd cds tape tapes cassette disc discs mp3 recording recordings recorded record daisy usb stick talking sain playback sound listen listens listening aloud",
    "SIGN": "bsl sign signs signer signers signing signvideo signlive interpreternow lipspeaker terp arwyddion",
    "INTERPRET": (
        "interpreter interpreters interpreting interpreted interpret translator translators translate translated translation translating languageline cyfieithydd bilingual"
    ),
    "TONGUE": (
        "language english angielsku albanian amharic arabic bengali bulgarian cantonese chinese czech dari dutch farsi french german greek gujarati hakka hindi hungarian "
        "italian japanese korean kurdish kurmanji sorani latvian lithuanian malayalam mandarin mirpuri nepali oromo pashto persian polish portuguese punjabi romani romanian "
        "russian sinhala slovak somali spanish swahili sylheti tagalog tamil telugu thai tigrinya turkish twi ukrainian urdu vietnamese wolof yoruba igbo hausa shona"
    ),
    "WELSH": "welsh cymraeg gymraeg nghymraeg",
    "SCREEN": "screen jaws nvda voiceover talkback zoomtext supernova dolphin software pdf pdfs scanned scan scans html tagged accessible attachments headings",
    "TIME": "time longer extension extend extended deadline deadlines weeks days fortnight month slow slowly slower pace patient patience break breaks rush rushed grace later amser",
    "SPEAKER": (
        "advocate advocates advocacy representative represent represents representing attorney appointee guardian deputy carer carers keyworker supporter nominee "
        "litigation imca pohwer voiceability seap befriender escort"
    ),
    "BEHALF": "behalf authority authorise authorised authorises permission consent consents liaise instead copy copied copies accompany accompanied together nominate ran",
}  # fmt: skip
# And what tells who asks for it of whom, or that nobody does.
_BESIDE: Final = {
    "ONLY": "only alone solely exclusively just nothing purely unig dim sole nowt always every everything all",
    "NOT": (
        "no not never cannot without none neither nor unable impossible useless don't stop nothing hardly struggle struggles struggling refuse peidiwch methu ni"
    ),
    "ASK": (
        "please pls can could would need needs needed want wants wanted ask asks asked asking request requests requested require requires required requirement prefer prefers preferred "
        "preference like grateful appreciate appreciated wish wishes hoffwn hoffai rather better best may must should kindly help helps gwelwch allwch"
    ),
    "KIN": (
        "mum mam mom mother dad father son daughter husband wife partner brother sister aunt uncle nan gran grandmother grandfather grandson granddaughter niece nephew "
        "friend neighbour cousin merch mab"
    ),
    "WORKER": "worker social support key link officer nurse manager therapist solicitor lawyer mp",
    "TALK": "speak speaks speaking spoken spoke talk talks talking deal deals dealing act acts acting discuss contact correspond correspondence communicate communication siarad",
    "MEET": "meeting meetings interview interviews appointment visit present attend attends attending sit sits meet face",
    "OTHERS": (
        "hospital ward trust surgery practice gp doctor doctors consultant dwp jobcentre council hmrc tribunal home office they receptionist nurses clinic bank school police company"
    ),
    "PAST": "was were had did gave sent refused provided told said got never received came used",
    "ILL": (
        "stroke ms me arthritis dementia anxiety panic autism autistic adhd asd ptsd epilepsy seizure seizures parkinsons mnd fatigue injury brain depression chemo cancer "
        "condition illness disabled tremor hands memory confused forget muddle muddled flustered"
    ),
    "PRISON": "prison prisoner cell wing hmp jail detained detention ward secure",
}  # fmt: skip

KIND: Final = {word: kind for table in (_BESIDE, _OF_NEEDS) for kind, words in table.items() for word in words.split()}
CUES: Final = frozenset(word for words in _OF_NEEDS.values() for word in words.split())


ODDS: Final = -0.5  # of a need, from which it is asked for: a natural logarithm
ODDS_OF_A_ROW: Final = -2.75  # and from which what a row finds is believed: below, it is told of somebody else's
OF_LENGTH: Final = -0.4  # of the logarithm of how many sentences there are: among many, one will sound like it


class Heard(NamedTuple):
    """The sentence that sounds most like one need."""

    odds: float  # that it is asked for somewhere in the contact
    sentence: Sentence


MODEL: Final = Linear("adjustments.json")


def hear(lines: Sequence[Sentence]) -> dict[str, Heard]:
    """Of each need the sentence that sounds most like it; none where no sentence may."""
    best: dict[str, Heard] = {}
    among_many = of_length(len(lines))
    for line in lines:
        if not may_ask(line):
            continue
        words = line.plain.count(" ") + 1
        for need, total in zip(MODEL.labels, MODEL.weigh(line.weight + together(kinds(line.plain))), strict=True):
            odds = evened(total, words) + among_many
            if need not in best or odds > best[need].odds:
                best[need] = Heard(odds, line)
    return best


def may_ask(line: Sentence) -> bool:
    """Whether a need may be known by one of its words."""
    return not CUES.isdisjoint(line.spoken)


def of_length(sentences: int) -> float:
    """What a contact of so many adds to the odds of the best."""
    return OF_LENGTH * log(max(1, sentences))


def kinds(spelt: str) -> list[str]:
    """Of a plain sentence the kinds of words in it, each two that follow one another, or with one between, and each two at all."""
    there = [kind for each in spelt.split(" ") if (kind := KIND.get(each) or _figure(each))]
    twos = [f"{one}>{two}" for one, two in pairwise(there)]
    twos += [f"{one}>>{two}" for one, two in zip(there, there[2:], strict=False)]
    both = [f"{one}+{two}" for one in sorted(set(there)) for two in sorted(set(there)) if one < two]
    return [*dict.fromkeys(there), *dict.fromkeys(twos), *both]


def _figure(word: str) -> str | None:
    """A size of print, or another figure."""
    if not word[:1].isdigit():
        return None
    return "SIZE" if word.removesuffix("pt") in _SIZES else "FIGURE"


_SIZES: Final = frozenset(map(str, range(14, 37)))
