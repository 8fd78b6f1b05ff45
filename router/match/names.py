"""How two names compare: titles, accents, hyphens, short forms and initials, and the keys by which a name is looked up.

A name that was written as one line may be split anywhere between forename and surname, so it is compared with a name of the
register, whose parts are known, by the split that suits best. A surname and a forename that stand in each other's place never
count as more than weak: "James Martin" and "Martin James" are two people.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Final, Literal

Generation = Literal["junior", "senior"]

_LONGEST = 1024
_MOST_WORDS = 8
_LONGEST_SURNAME = 3

_APOSTROPHES = re.compile("['\u2019\u2018\u02bc`\u00b4]")
_APART = re.compile(r"[^\w-]+|_")
_LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"})
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


class Likeness(IntEnum):
    """How far two names agree, likest last, so that the best of several readings is the greatest."""

    DIFFERENT = 0
    HOUSEHOLD = 1  # the surname is the same and the forename is not
    WEAK = 2  # nothing disagrees, and a part is missing, an initial, a middle name or out of its place
    SAME = 3


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
    front, generation = _without_suffix(_without_titles(_words(before)))
    back, generation_behind = _without_suffix(_without_titles(_words(after)), keep=0)
    if comma and front and back:
        return Name(back, front, generation or generation_behind)
    return Name(front or back, None, generation or generation_behind)


def held(given_name: str | None, surname: str | None) -> Name:
    """A name whose parts are known, as the register holds it."""
    given, generation = _without_suffix(_without_titles(_words(given_name or "")))
    family, generation_behind = _without_suffix(_words(surname or ""))
    return Name(given, family, generation or generation_behind)


def likeness(one: Name, other: Name) -> Likeness:
    """How far a written name and a held one agree. Generations are not looked at."""
    given, surname = other.words, other.surname or ()
    best = Likeness.DIFFERENT
    for forenames, family in one.readings():
        best = max(best, _likeness(forenames, family, given, surname))
        if best < Likeness.WEAK and _swapped(forenames, family, given, surname):
            best = Likeness.WEAK
    return best


def canonical_surname(surname: str | None) -> str | None:
    """The surname as it is looked up; None where there is none."""
    words = held(None, surname).surname
    return " ".join(_parts(words)) if words else None


def full_names(name: Name) -> frozenset[tuple[str, str]]:
    """Every canonical surname and first forename under which the register may hold this name: its short and formal forms and its
    parts in each other's place among them.
    """
    found: set[tuple[str, str]] = set()
    for forenames, family in name.readings():
        given, surname = _parts(forenames), _parts(family)
        if not given or not surname:
            continue
        found.update((each, form) for each in _surname_keys(family) for form in _forms(given[0]))
        found.add((" ".join(given), surname[0]))
    return frozenset(found)


def surname_keys(name: Name) -> frozenset[str]:
    """The canonical surnames under which the register may hold this name."""
    return frozenset(key for _, family in name.readings() for key in _surname_keys(family))


def _surname_keys(family: tuple[str, ...]) -> Iterator[str]:
    parts = _parts(family)
    if 0 < len(parts) <= _LONGEST_SURNAME:
        yield " ".join(parts)
    for word in family:
        if "-" in word:
            yield from word.split("-")


def _likeness(
    forenames: tuple[str, ...], family: tuple[str, ...], given: tuple[str, ...], surname: tuple[str, ...]
) -> Likeness:
    surnames = _surnames_agree(family, surname)
    firsts = _forenames_agree(forenames, given)
    if surnames is None:
        return Likeness.WEAK if firsts is Likeness.SAME else Likeness.DIFFERENT
    if firsts is None:
        return Likeness.WEAK if surnames else Likeness.DIFFERENT
    if not surnames:
        return Likeness.DIFFERENT
    return firsts or Likeness.HOUSEHOLD


def _surnames_agree(one: tuple[str, ...], other: tuple[str, ...]) -> bool | None:
    """Whether they are the same, or one is part of the other's double name; None where either is missing."""
    if not one or not other:
        return None
    left, right = _parts(one), _parts(other)
    if "".join(left) == "".join(right):
        return True
    double_left = len(one) == 1 and len(left) > 1
    return (double_left or len(right) > 1) and bool(_ends(left) & _ends(right)) and min(len(left), len(right)) == 1


def _ends(parts: tuple[str, ...]) -> set[str]:
    return {part for part in (parts[0], parts[-1]) if len(part) > 2}


def _forenames_agree(one: tuple[str, ...], other: tuple[str, ...]) -> Likeness | None:
    """SAME, WEAK, DIFFERENT, or None where either is missing."""
    if not one or not other:
        return None
    left, right = _parts(one), _parts(other)
    first, second = left[0], right[0]
    if first == second and len(first) == 1:
        return Likeness.WEAK
    if "".join(left) == "".join(right):
        return Likeness.SAME
    if first == second or first in _forms(second):
        return Likeness.WEAK if _middles_conflict(left[1:], right[1:]) else Likeness.SAME
    if (len(first) == 1 or len(second) == 1) and first[0] == second[0]:
        return Likeness.WEAK
    if (len(first) > 1 and first in right[1:]) or (len(second) > 1 and second in left[1:]):
        return Likeness.WEAK
    return Likeness.DIFFERENT


def _middles_conflict(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether each gives middle names and none of them can be one of the other's."""
    if not one or not other:
        return False
    return not any(left == right or (left[0] == right[0] and 1 in (len(left), len(right))) for left in one for right in other)


def _swapped(forenames: tuple[str, ...], family: tuple[str, ...], given: tuple[str, ...], surname: tuple[str, ...]) -> bool:
    if not forenames or not family or not given or not surname:
        return False
    return _parts(forenames) == _parts(surname) and _parts(family)[0] == _parts(given)[0]


def _forms(forename: str) -> frozenset[str]:
    """The forename, what it is shortened to, and what it may be short for."""
    return _SHORT.get(forename, frozenset()) | _FORMAL.get(forename, frozenset()) | {forename}


def _parts(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(part for word in words for part in word.split("-"))


def _words(text: str) -> tuple[str, ...]:
    return _split(text[:_LONGEST])


@lru_cache(maxsize=4096)
def _split(text: str) -> tuple[str, ...]:
    folded = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(letter for letter in folded if not unicodedata.combining(letter)).translate(_LETTERS)
    words = (word.strip("-") for word in _APART.split(_APOSTROPHES.sub("", plain)))
    return tuple(re.sub("-{2,}", "-", word) for word in words if word)[:_MOST_WORDS]


def _without_titles(words: tuple[str, ...]) -> tuple[str, ...]:
    plain = list(words)
    while plain and plain[0] in _TITLES:
        plain.pop(0)
    return tuple(plain)


def _without_suffix(words: tuple[str, ...], *, keep: int = 1) -> tuple[tuple[str, ...], Generation | None]:
    plain = list(words)
    generation: Generation | None = None
    while len(plain) > keep and (plain[-1] in _GENERATIONS or plain[-1] in _AFTER):
        last = plain.pop()
        if last in _GENERATIONS:
            generation = _GENERATIONS[last]
    return tuple(plain), generation


def canonical_forename(given_name: str | None) -> str | None:
    """The first forename as it is counted and looked up; None where there is none."""
    given = held(given_name, None).words
    return _parts(given)[0] if given else None


def formal_forms(forename: str) -> frozenset[str]:
    """The forename, and every name it may be short for."""
    return _FORMAL.get(forename, frozenset()) | {forename}


def surname_parts(surname: tuple[str, ...]) -> tuple[str, ...]:
    """The words of a surname, a double name's each by itself."""
    return _parts(surname)
