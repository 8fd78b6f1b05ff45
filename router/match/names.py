"""A name in comparable words, without titles, accents and other scripts; its short forms, its sound, and the keys it is looked up by.

A name that was written as one line may be split anywhere between forename and surname, so it has several readings.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

import jellyfish
from anyascii import anyascii

Generation = Literal["junior", "senior"]

_LONGEST = 1024
_MOST_WORDS = 8
_LONGEST_SURNAME = 3

_APOSTROPHES = re.compile("['\u2019\u2018\u02bc`\u00b4]")
_APART = re.compile(r"[^\w-]+|_")
_HYPHENS = re.compile("-{2,}")
_ACCENTS = frozenset(chr(code) for code in range(0x300, 0x370))  # those that are no part of one letter in NFC
_TITLES = frozenset(
    "mr mrs ms miss mx master dr prof professor rev revd reverend fr father sir dame lord lady cllr councillor".split()  # noqa: SIM905 - a list of words reads better as one
)
_AFTER = frozenset(["mbe", "obe", "cbe", "kbe", "dbe", "mp", "msp", "jp", "esq", "phd", "md", "bsc", "msc", "frcs"])
_GENERATIONS: Final[dict[str, Generation]] = {
    "jr": "junior",
    "jnr": "junior",
    "junior": "junior",
    "sr": "senior",
    "snr": "senior",
    "senior": "senior",
}

_CONSONANTS = str.maketrans("cqzv", "kksf", "aeiouhyw-")

# Formal name, then what it is shortened to. Two short forms of one name are not each other's: Beth is seldom Liz.
_SHORT_FORMS: Final = """
abigail abi abbie abby gail
alan al allan allen
albert al bert bertie
alexander alex al alec alasdair sandy xander
alexandra alex alexa sandra sandy lexi
alfred alf alfie fred
alison ali allison
amanda mandy
andrea andie
andrew andy drew
angela angie ange
ann annie anne anna
anne annie ann anna
anthony tony ant antony
archibald archie
arthur art artie
barbara barb babs barbie
beatrice bea trixie
benjamin ben benny benji
bernard bernie
bernadette bernie
beverley bev beverly
bridget bridie biddy
cameron cam
caroline carol carrie caz
catherine cath cathy kate katie cat kitty katherine kathryn
charles charlie chas chuck
charlotte charlie lottie
christine chris chrissie tina
christina chris chrissie tina
christopher chris kit topher
clifford cliff
cynthia cindy
daniel dan danny
danielle dani
david dave davey davy dai
deborah deb debbie debra
dennis den denis
derek del
diana di diane
donald don donnie
dorothy dot dotty dolly
douglas doug
edward ed eddie ted ned teddy
edwin ed eddie
eleanor ellie nell nellie elinor
elizabeth liz lizzie beth betty bess betsy libby eliza elisabeth lisa
emily em emmie millie
emma em
eric rick
eugene gene
florence flo florrie
frances fran frankie francesca
francesca fran frankie
francis frank frankie
frederick fred freddie
gabriel gabe
gabrielle gabby
gareth gaz
gary gaz garry
geoffrey geoff jeffrey
gerald gerry jerry
gerard gerry ged
gillian gill jill
gordon gord
graham graeme
gregory greg
gwendoline gwen
harold harry hal
harriet hattie
helen nell ellie
henry harry hal hank
herbert bert herb
hilary hil
ian iain
irene rene
isabel isabelle izzy bella isobel
isabella bella izzy isabel
jacob jake
jacqueline jackie jacqui
james jim jimmy jamie
jane janie
janet jan
janice jan
jason jase
jeffrey jeff
jennifer jen jenny
jeremy jerry
jessica jess jessie
joan joanie
joanna jo joanne
joanne jo joanna
john johnny jon jack
jonathan jon jonny
joseph joe joey
josephine jo josie
joshua josh
judith judy
julia julie
katherine kath kathy kate katie kat kathryn catherine
kathleen kath kathy kathie
kathryn kath kathy kate katie
kenneth ken kenny
kevin kev
kimberley kim kimberly
lawrence larry laurie lawrie laurence
leonard len lenny leo
leslie les lesley
lewis lew louis
lilian lily lil lillian
linda lin lyn lynda
louis lou louie
louise lou
lucinda lucy
lydia liddy
madeleine maddie
malcolm mal malc
margaret maggie meg peggy marge margie mags greta madge
maria marie
marilyn mary
martin marty
mary molly polly may
matilda tilly
matthew matt
maureen mo
maurice mo
maxwell max
megan meg
melanie mel
melissa mel
michael mike mick mickey micky
michelle shell chelle
mohammed mohammad muhammad mohamed mo
moira moyra
nathaniel nat nate nathan
neil niall
nicholas nick nicky nicolas
nicola nicky nikki nic
norman norm
olivia liv livvy
oliver ollie olly
pamela pam
patricia pat patsy trish tricia
patrick pat paddy
paula paulie
penelope penny
peter pete
philip phil phillip pip
philippa pippa pip
phyllis phyl
rachel rach rachael
raymond ray
rebecca becky becca bex
reginald reg reggie
richard rick dick richie ricky rich
robert bob rob bobby robbie bert
roderick rod
rodney rod
roger rog
roland roly
ronald ron ronnie
rosemary rose rosie
roy royston
russell russ
ruth ruthie
samantha sam sammy
samuel sam sammy
sarah sara sally
sandra sandie
sebastian seb
sheila shelagh
shirley shirl
sidney sid sydney
simon si
sophia sophie
stanley stan
stephanie steph
stephen steve steven stevie
stuart stu stewart
susan sue suzie susie
susanna sue susie
suzanne sue suzie
sylvia syl
terence terry terrance
teresa tess terri tessa theresa
theodore ted theo
theresa tess terri tessa teresa
thomas tom tommy
timothy tim
valerie val
vanessa nessa
veronica ronnie
victor vic
victoria vicky vicki vikki tori
vincent vince vinny
vivian viv
walter wally walt
wayne way
wendy wend
wilfred wilf wilfrid
william bill billy will willie liam
winifred win winnie freda
yvonne von
zachary zac zach zack
"""

_SHORT: Final = {line.split()[0]: frozenset(line.split()[1:]) for line in _SHORT_FORMS.strip().splitlines()}
_FORMAL: Final[dict[str, frozenset[str]]] = {
    short: frozenset(formal for formal, shorts in _SHORT.items() if short in shorts)
    for short in frozenset[str]().union(*_SHORT.values())
}


@dataclass(frozen=True, slots=True)
class Name:
    """A name in comparable words, without titles. ``surname`` is None where nobody said which words it is."""

    words: tuple[str, ...]
    surname: tuple[str, ...] | None = None
    generation: Generation | None = None

    def readings(self) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
        """Every (forenames, surname) it may be."""
        if self.surname is not None:
            yield self.words, self.surname
        elif len(self.words) == 1:
            yield self.words, ()
            yield (), self.words
        else:
            for cut in range(1, len(self.words)):
                yield self.words[:cut], self.words[cut:]

    @property
    def is_full(self) -> bool:
        """Whether it says both a forename, in full, and a surname."""
        first = self.words[0] if self.words else ""
        return len(first) > 1 and (len(self.words) > 1 or bool(self.surname))


def written(text: str) -> Name:
    """A name as somebody wrote it on one line: ``Mr Joan Pettifer``, ``PETTIFER, Joan``, ``J. Pettifer Snr``."""
    before, comma, after = text.partition(",")
    front, generation = _without_suffix(_without_titles(words(before)))
    back, generation_behind = _without_suffix(_without_titles(words(after)), keep=0)
    if comma and front and back:
        return Name(back, front, generation or generation_behind)
    return Name(front or back, None, generation or generation_behind)


def held(given_name: str | None, surname: str | None) -> Name:
    """A name whose parts are known, as the register holds it."""
    given, generation = _without_suffix(_without_titles(words(given_name or "")))
    family, generation_behind = _without_suffix(words(surname or ""))
    return Name(given, family, generation or generation_behind)


@lru_cache(maxsize=1 << 14)
def metaphone(word: str) -> str:
    """How an English speaker says it; the same for spellings that sound alike."""
    return jellyfish.metaphone(word)


@lru_cache(maxsize=1 << 14)
def skeleton(word: str) -> str:
    """The consonants without doubles, alike however a name of another script was spelt in ours: Mohammed, Muhamad."""
    heard = word.replace("ph", "f").translate(_CONSONANTS)
    return "".join(letter for at, letter in enumerate(heard) if at == 0 or heard[at - 1] != letter)


def canonical_surname(surname: str | None) -> str | None:
    """The surname as it is looked up; None where there is none."""
    words = held(None, surname).surname
    return " ".join(parts(words)) if words else None


def full_names(name: Name) -> frozenset[tuple[str, str]]:
    """Every canonical surname and first forename under which the register may hold this name: its short and formal forms and its
    parts in each other's place among them.
    """
    found: set[tuple[str, str]] = set()
    for forenames, family in name.readings():
        given, surname = parts(forenames), parts(family)
        if not given or not surname:
            continue
        found.update((each, form) for each in _surname_keys(family) for form in forms(given[0]))
        found.add((" ".join(given), surname[0]))
    return frozenset(found)


def surname_keys(name: Name) -> frozenset[str]:
    """The canonical surnames under which the register may hold this name."""
    return frozenset(key for _, family in name.readings() for key in _surname_keys(family))


def _surname_keys(family: tuple[str, ...]) -> Iterator[str]:
    every = parts(family)
    if 0 < len(every) <= _LONGEST_SURNAME:
        yield " ".join(every)
    for word in family:
        if "-" in word:
            yield from word.split("-")


def forms(forename: str) -> frozenset[str]:
    """The forename, what it is shortened to, and what it may be short for."""
    return _SHORT.get(forename, frozenset()) | _FORMAL.get(forename, frozenset()) | {forename}


def parts(words: tuple[str, ...]) -> tuple[str, ...]:
    """The words with double names taken apart."""
    return tuple([part for word in words for part in word.split("-")])


def words(text: str) -> tuple[str, ...]:
    """Its words in the form that is compared: lower case, in Latin letters, without accents and apostrophes; at most eight."""
    return _split(text[:_LONGEST])


@lru_cache(maxsize=4096)
def _split(text: str) -> tuple[str, ...]:
    plain = text.casefold()
    if not plain.isascii():
        plain = _in_latin(plain)
    elif plain.isalpha():  # as most are
        return (plain,)
    apart = (word.strip("-") for word in _APART.split(_APOSTROPHES.sub("", plain)))
    return tuple([_HYPHENS.sub("-", word) if "--" in word else word for word in apart if word][:_MOST_WORDS])


def _in_latin(text: str) -> str:
    """Letters of whatever script in the Latin one, without accents; everything else as it is."""
    return "".join(
        each if each.isascii() or unicodedata.category(each)[0] not in "LMN" else anyascii(each).lower()
        for each in unicodedata.normalize("NFC", text)
        if each not in _ACCENTS
    )


def _without_titles(words: tuple[str, ...]) -> tuple[str, ...]:
    return next((words[at:] for at, word in enumerate(words) if word not in _TITLES), ())


def _without_suffix(words: tuple[str, ...], *, keep: int = 1) -> tuple[tuple[str, ...], Generation | None]:
    generation: Generation | None = None
    while len(words) > keep and (words[-1] in _GENERATIONS or words[-1] in _AFTER):
        if words[-1] in _GENERATIONS:
            generation = _GENERATIONS[words[-1]]
        words = words[:-1]
    return words, generation


def canonical_forename(given_name: str | None) -> str | None:
    """The first forename as it is counted and looked up; None where there is none."""
    given = held(given_name, None).words
    return parts(given)[0] if given else None


def is_short(one: str, other: str) -> bool:
    """Whether either is what the other is shortened to."""
    return one in _SHORT.get(other, ()) or other in _SHORT.get(one, ())


def formal_forms(forename: str) -> frozenset[str]:
    """The forename, and every name it may be short for."""
    return _FORMAL.get(forename, frozenset()) | {forename}
