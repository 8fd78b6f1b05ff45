"""Our case references in a text, and the other body it complains of, as written.

A number is ours by its form and by the words around it: hospital numbers, order codes and other bodies' references may look alike.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from ingest.contract import canonical_case_reference
from router.read.reading import Fact

Named = Sequence[tuple[int, str]]  # where a body's name begins in the text, and the name

_FIGURE: Final = r"[\dOoIl|]"  # a scan has O for 0, and l, I or | for 1
_REFERENCE: Final = re.compile(
    rf"(?P<kind>[CEPcep](?<![\w-].)(?<![^\W\d]/.)(?:(?<=[Ee])[Nn]|(?<=[CPcp])))(?P<mark> ?[-–—‐:./_] ?| ?)"
    rf"(?P<digits>{_FIGURE}{{6,7}}|{_FIGURE}(?:[ -]?{_FIGURE}){{5,6}}(?! ?\d))(?![\w|]|-\w|/(?!(?:P|C|EN)[ -]?\d)\w)"
)
_SAID: Final = (
    {"zero": "0", "oh": "0", "o": "0", "nought": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6",
     "seven": "7", "eight": "8", "nine": "9"}
)  # fmt: skip
_SPOKEN: Final = re.compile(
    r"\b(?P<kind>P|C|E[ .-]?N)(?:[ ,-]{1,3}(?:for|as in) \w{3,12})?"
    rf"(?P<digits>(?:[ ,.-]{{1,3}}(?:dash|hyphen|(?:double |treble |triple )?(?:{'|'.join(_SAID)}|\d))){{4,9}})\b",
    re.IGNORECASE,
)
_SPOKEN_WORDS: Final = ("zero", " oh ", "nought", "double", " for p", " for c", " as in ")
_AS_FIGURES: Final = str.maketrans("OoIl|", "00111")
_FEW: Final = re.compile(rf"\d(?:[ -]?{_FIGURE}){{3}}")  # each has more than this
_OF_A_BODY: Final = (
    r"hospital|patient|customer|nhs|unit|ward|their|trust['’]?s?|pals|dwp|hmrc|dvla|council['’]?s?|surgery['’]?s?|practice['’]?s?|court|"
    r"police|bank|application|member|membership|solicitor['’]?s?|clinic|home office|claim|staff|payroll|employee|prison|licen[cs]e|crime"
)
_OF_A_THING: Final = (
    r"booking|order|invoice|receipt|policy|account|passport|tracking|parcel|insurance|meter|flight|ticket|prescription|mrn|gwf|utr|library|"
    r"course|part|serial|model|stock|item|product|registration|reg|chassis|batch|lot|voucher|catalogue|hosp|ni|nino|national insurance|vat|"
    r"queue|quote"
)
_NUMBER: Final = r"(?:number|no|nr|num|ref|reference|refs|id|code|case|#)"
_ELSEWHERE_BEFORE: Final = re.compile(
    rf"(?:\b(?:{_OF_A_BODY})(?:['’]s)?(?: own| my| complaint| complaints| case)?(?:\.? {_NUMBER}){{1,3}}|"
    rf"\b(?:{_OF_A_THING})(?:\.? {_NUMBER}){{0,3}})"
    r"\.?(?: (?:there|here|with (?:them|the \w+(?: \w+)?)|for (?:my|the|this|that) \w+))?(?: is| was|:| -|,|=)*[ (#]{0,3}$",
    re.IGNORECASE,
)
_ELSEWHERE_AFTER: Final = re.compile(
    rf"^[)\]]?,?\s?(?:which is|that is|that['’]s|is|was|being|on|\(|=|-)?\s?(?:only )?(?:my|the|their|a|an|our)?\s?"
    rf"(?:(?:{_OF_A_BODY})(?:['’]s)?(?: {_NUMBER}\b| one\b)|(?:{_OF_A_THING})(?: {_NUMBER}\b| one\b))",
    re.IGNORECASE,
)
_GOES_ON: Final = re.compile(r" \d{3,4}\b| ?[A-D]\b")  # a longer number, or a National Insurance number


def case_references(text: str) -> tuple[tuple[str, ...], tuple[Fact, ...]]:
    """Our references, canonical, each once and in order; and why, with the numbers that look alike and are not ours."""
    references: dict[str, None] = {}
    evidence: list[Fact] = []
    for found, canonical in _candidates(text):
        before = text[max(0, found.start() - 60) : found.start()]
        after = text[found.end() : found.end() + 40]
        around = f"{before[-30:]}{found[0]}{after[:15]}".strip()
        if _ELSEWHERE_BEFORE.search(before) or _ELSEWHERE_AFTER.match(after):
            evidence.append(Fact("not-a-case-reference", found[0], "another body's number", around))
        elif canonical not in references and len(references) < 20:
            references[canonical] = None
            evidence.append(Fact("case_reference", canonical, "form and words around", around))
    return tuple(references), tuple(evidence)


def _candidates(text: str) -> Iterator[tuple[re.Match[str], str]]:
    """What has the form of one of our references, in any spelling of it, and its canonical form."""
    if _FEW.search(text):
        for found in _REFERENCE.finditer(text):
            digits = found["digits"]
            if 2 * sum(each.isdigit() for each in digits) <= len(digits.replace(" ", "").replace("-", "")):
                continue
            if not found["mark"].strip() and _GOES_ON.match(text, found.end()):
                continue
            if canonical := _canonical(found["kind"], digits):
                yield found, canonical
    lower = text.lower()
    if any(each in lower for each in _SPOKEN_WORDS):
        for found in _SPOKEN.finditer(text):
            written = (
                found["digits"].replace(" ", "").strip(",.-").isdigit()
                and " for " not in found[0]
                and " as in " not in found[0]
            )
            canonical = None if written else _canonical(re.sub(r"[ .-]", "", found["kind"]), _figures(found["digits"]))
            if canonical:
                yield found, canonical


def _canonical(kind: str, digits: str) -> str | None:
    return canonical_case_reference(f"{kind}-{re.sub(r'[ -]', '', digits).translate(_AS_FIGURES)}")


def _figures(spoken: str) -> str:
    """Spoken digits as figures: double two is 22."""
    figures, times = "", 1
    words: list[str] = re.findall(r"[a-z]+|\d", spoken.lower())
    for word in words:
        if word in ("double", "treble", "triple"):
            times = 2 if word == "double" else 3
        elif word not in ("dash", "hyphen"):
            figures += _SAID.get(word, word) * times
            times = 1
    return figures


_PART: Final = r"(?:St\.?|[A-Z][\w'’-]{0,30}|&|and|of|the|for|upon|on|in|le|y)"
_NOUN: Final = (
    r"(?:NHS Foundation Trust|NHS Trust|Foundation Trust|Hospitals?(?: NHS(?: Foundation)? Trust)?|Infirmary|Integrated Care Board|ICB|Care Board|Health Board|Trust|Surgery|"
    r"Medical (?:Centre|Practice|Group|Transport|Services)|Health (?:Centre|Clinic)|Clinic|(?:Group |Family |Dental )?Practice|Dental(?: Care| Surgery| Practice| Centre)?|Dentists?|"
    r"Residential Home|Homecare|House(?= (?:nursing|care|residential))|Maternity(?: Unit| Hospital)?|Lodge|Assessments|Lettings|Audiology|Opticians?|Opticals?|Physiotherapy|Podiatry|Orthodontics?|Partnership(?: Trust)?|"
    r"Loans Company|Unit|(?:[Ss]upported|[Aa]ssisted) [Ll]iving|Maternity|Women['’]s Health|Care(?: Home| Centre| Group| Services| Ltd)?|Hospitals|"
    r"Pharmacy|Chemists?|Ambulance(?: Service| Trust)?(?: NHS(?: Foundation)? Trust)?|Nursing Home|Care Home|Hospice|Birth Centre|Walk[ -][Ii]n Centre|Urgent Care(?: Centre)?|"
    r"Borough Council|County Council|City Council|District Council|Council|Building Society|Bank|Insurance|Energy|Water|Gas|Electric|Telecom|Broadband|Airways|Airlines|"
    r"Housing(?: Association| Trust| Group)?|Homes|Police|Constabulary|University|College|Academy|School|(?:Custodial |Community |Mental )?Health(?:care)?(?: Services?)?(?: Ltd| Limited| NHS Foundation Trust| NHS Trust)?|"
    r"Ltd|Limited|plc|PLC|Service|Services|(?:GP|gp|[Ww]heelchair|[Oo]ut of [Hh]ours(?: GP)?) service|Agency|Authority|Commission|General(?: Hospital)?|Royal|Tribunals?|Jobcentre(?: Plus)?|Job Centre(?: Plus)?|Medical)"
)
_NAMED: Final = re.compile(rf"[A-Z](?<![\w@].)(?:(?<=S)t\.|[\w'’-]{{0,30}}) (?:{_PART} ){{0,6}}{_NOUN}(?![\w@])")


def _begun(names: Iterable[str]) -> str:
    """A pattern for one of the names, as a word of its own: by first letters, each of which looks back only where it stands."""
    rests: dict[str, list[str]] = {}
    for name in names:
        rests.setdefault(name[0], []).append(name[1:])
    return "|".join(rf"{first}(?<![\w@].)(?:{'|'.join(rest)})" for first, rest in rests.items())


_WELSH: Final = tuple(
    rf"{each}(?: (?:y|yr|a|ac|ar|i|dros)| [A-Z][\w'’-]*){{0,5}} [A-Z][\w'’-]*"
    for each in (
        "Ysbyty",
        "Meddygfa",
        "Bwrdd Iechyd",
        "Adran",
        "Swyddfa",
        "Cyngor",
        "Canolfan Iechyd",
        "Deintyddfa",
        "Ymddiriedolaeth",
        "Uned",
    )
)
_BODIES: Final = (
    "UC", "HMPO", r"HM Courts (?:&|and) Tribunals(?: Service)?", *_WELSH,
    r"St\.? [A-Z][\w-]{1,20}['’]s(?: (?:[A-Z][\w-]+ ){0,2}(?:Hospital|Infirmary|Surgery|Hospice|Medical Centre|Health Centre|Practice|Clinic|General|Royal))?(?! (?:Street|Road|Church|School|Lane|Way|Close|Court|Place|Avenue|Terrace|Square|Crescent|Row|Hill|Park|Day|Gardens?))",
    r"Royal (?!Infirmary|Hospital|Mail|Navy|Air|Family|College|Charter)[A-Z][\w-]{2,20}(?: [A-Z][\w-]{2,20})?",
    "DEPARTMENT (?:FOR|OF) [A-Z]+(?:(?: AND|,)? [A-Z]+){0,4}", r"Department (?:for|of) [A-Z]\w+(?:,? (?:and |& )?[A-Z]\w+){0,4}", "DWP",
    r"D\.W\.P\.?", "HMRC", "HM Revenue (?:&|and) Customs", "DVLA", "DVSA", "UKVI", "HM Passport Office", "Passport Office", "passport office",
    "Home Office", "home office", r"Ministry of [A-Z]\w+", "HMCTS", "HM Land Registry", "Land Registry",
    "Environment Agency", "Child Maintenance Service", "CMS", "Student Loans Company", "SLC", "UK Visas and Immigration", "Border Force",
    "Planning Inspectorate", "Rural Payments Agency", "Natural England", "Legal Aid Agency", "Cafcass", "CAFCASS", "DEFRA", "Defra",
    "Companies House", "Insolvency Service", "Charity Commission", "Valuation Office(?: Agency)?", "Pension Service", "Pensions Service",
    "The Pension Service", "NHS England", "NHS 111", "CQC", "Care Quality Commission", "Ofsted", "Jobcentre Plus", "Jobcentre",
    r"jobcentre(?: in [a-z]\w+)?", r"job centre(?: in [a-z]\w+)?", "Disclosure and Barring Service", "DBS",
    "Criminal Injuries Compensation Authority", "CICA", "UK Border Agency", "dwp", "hmrc", "dvla", "Cafcass Cymru", "Job Centre",
    "Crown Prosecution Service", "CPS", "Probation Service", "HM Prison Service", "NHS Business Services Authority", "NHSBSA",
    "Independent Case Examiner",
)  # fmt: skip
_KNOWN: Final = re.compile(rf"(?:{_begun(_BODIES)})(?![\w@])")
_LOWER: Final = re.compile(
    rf"(?:{_begun(('at', 'about', 'from', 'by', 'against', 'to', 'with', 're', 'of', 'into', 'and'))}) "
    r"(?P<name>(?!the |my |our |this |that |a |your |an |local |same )[a-z'’]{3,20}(?: [a-z'’]{3,20}){0,2} (?:hospital|general|infirmary|surgery|medical centre|medical practice|health centre|"
    r"pharmacy|ambulance service|ambulance|dental practice|dental|council|nhs trust|clinic))(?!\w)"
)
_AFTER_SMALL_WORDS: Final = re.compile(
    r"^.*\b(?:the|with|for|his|her|their|new|our|your|all|one|about|and|to|of|from|at|in|on|or|that|this|any|some|another|local|same) "
)
_PLACES: Final = (
    "hospital", "general", "infirmary", "surgery", "medical ", "health centre", "pharmacy", "ambulance", "dental", "council", "nhs trust", "clinic",
)  # fmt: skip
_AFTER_ABOUT: Final = re.compile(
    r"(?:complain(?:t|ts|ing|ed)?|concerns?|unhappy|problem|problems|dispute)[^.\n]{0,30}?\b(?:about|against|re|with|of|regarding|concerning|at|to)\b[: ]{1,3}(?:the (?:way |conduct of )?)?$",
    re.IGNORECASE,
)
_DROP: Final = re.compile(
    r"^(?:(?:Dear|The|At|In|On|From|To|My|Our|When|While|After|And|But|For|Complaint about|Complaint re|Complaint against|Complaint|Complaints|Re|RE|About|Since|Now|Why|If|So|With|"
    r"Then|Against|Organisation|This|That|Is|It|We|I|He|She|You|Your|Because|Also|Formal complaint|New complaint|Enquiry|Regarding|By|Head of Patient Experience|PALS|All|all|one|his|her|their|my|our|your|about|with|New|new|Some|Another|another|Any|Ring|ring|Called|Of|and|of|the|for|on|in)[ :,]+)+"
)
_OURSELVES: Final = re.compile(
    r"ombudsman|parliamentary|^health service$|^seg |voices|^(?:the |his |her |my |new |local |old )*(?:hospital|surgery|council|practice|trust|clinic|ward|bank|dentist|pharmacy|general|royal)$|customer care|(?:continuing|social|primary|intensive|special|palliative|community|package of|duty of|secondary|end of life|urgent|personal|day|after|palliative|take|health) care$|"
    r"^(?:renal|stroke|eye|burns|intensive care|high dependency|special care|maternity|neonatal|assessment|day|medical|minor injuries|coronary care|surgical|acute|short stay|the) unit$|^flat |information commissioner|"
    r"citizens|royal mail|recorded|special delivery|next of kin|final|your|^general (?:question|enquiry|practice|hospital)|patient|subject|^medical (?:centre|practice)$",
    re.IGNORECASE,
)
_CAPITALS: Final = r"[A-Z][\w'’-]{1,25}(?: (?:[A-Z][\w'’-]{1,25}|&|of|and|upon|the)){0,4}"
_TYPED: Final = re.compile(
    rf"(?<![\w@])(?P<name>{_CAPITALS})(?=,? (?:it is|it['’]s|which is|that is|that['’]s|\() ?(?:a |an |my |the |her |his )?(?:private |nhs |NHS |local |council )*"
    r"(?:nursing home|care home|residential home|home|hospital|surgery|GP|practice|dentist|pharmacy|hospice|clinic|trust|maternity|supported living|council|gym|bank)\b)"
)
_CALLED: Final = re.compile(
    rf"\b(?:[Hh]ospital|HOSPITAL|[Tt]rust|[Ss]urgery|[Pp]ractice|[Cc]linic|[Nn]ursing home|[Cc]are home|[Oo]rganisation|[Dd]entist|GP|[Cc]ouncil|[Bb]ank|[Ll]andlord|[Cc]ontractor|[Cc]risis team|[Gg]ym|[Gg]artref|they)(?: is| was| =|:|,| called| \(|(?<=surgery)|(?<=gartref)|(?<=hospital)) ?(?:the |called )?(?P<name>{_CAPITALS})"
)
_COMPLAINED_OF: Final = re.compile(
    rf"\b(?:[Cc]omplain(?:t|ts|ing|ed)?|COMPLAINT|[Cc]oncerns?|[Uu]nhappy)(?:(?: is| was)? (?:about|against|of|re|to|with|v\.?)|:):? (?:the )?(?P<name>{_CAPITALS})(?![\w'’-])"
)
_AT: Final = re.compile(
    r"\b(?:at|under|by) (?:the )?(?P<name>[A-Z][\w'’-]{2,25}(?: [A-Z][\w'’-]{2,25}){1,3})(?![\w'’-])(?! (?:on|and I)\b)"
)
_NO_BODY: Final = re.compile(
    r"^(?:Mrs?|Ms|Miss|Dr|Prof|Sir|Rev|Sister|Nurse|My|Your?|Our|I|The Ombudsman|Dear|January|February|March|April|May|June|July|August|September|October|November|December|"
    r"Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|Christmas|Easter|Ward|Flat|Room|Paragraph|Page|Final|Draft|Service|About|Us|We|Not|No|PIP|GP|MP|PALS|NHS|Stage|Ref|Language|Customer|England|Wales|English|A&E|Please|Thank|Hi|Hello)\b|\d",
)
_NOWHERE: Final = re.compile(
    r"\b(?:Ward|Hub|Exchange|LLP|Advice|Solicitors|Rise|View|Close|Street|Road|Lane|Avenue|Court|Terrace|Drive|Row|Gardens|Crescent|Cottages?|Farm)$"
)
_FAR: Final = 16 * 1024  # characters in which a body is looked for; it is named early or not at all
_HOUSE_NUMBER: Final = re.compile(r"\d[A-Za-z]?,? $")
_IN_AN_ADDRESS: Final = re.compile(r"(?:Bank|Lodge|House|School|Water|College|Court)$")
_FIELDS: Final = (
    "organisation", "organisation name", "organisation complained about", "organisation you are complaining about", "who is your complaint about", "which organisation",
    "name of organisation", "complaint about", "body", "organisation or gp", "who are you complaining about", "what organisation is your complaint about",
)  # fmt: skip


def organisation(text: str, named: Named, form: Mapping[str, str]) -> tuple[str | None, tuple[Fact, ...]]:
    """The other body's name as written: a form's field, else what stands after 'complain about', else the first named."""
    for label in _FIELDS:
        if form.get(label):
            return form[label][:120], (Fact("organisation_complained_of", form[label][:120], "form field", label),)
    named = [each for each in named if not _signs(text, *each)]
    if not named:
        return _guessed(text[:_FAR])
    chosen, rule = named[0][1], "named"
    for start, name in named:
        if _AFTER_ABOUT.search(text[max(0, start - 60) : start]):
            chosen, rule = name, "complained about"
            break
    full = next((name for _, name in named if "".join(word[0] for word in name.split() if word[0].isupper()) == chosen), None)
    longer = full or next((name for _, name in named if name.startswith(chosen) and len(name) > len(chosen)), None)
    chosen = longer or chosen
    return chosen, (Fact("organisation_complained_of", chosen, rule, chosen),)


def _signs(text: str, start: int, name: str) -> bool:
    """Whether it stands alone on a line near the end, as the body of the person who signs does."""
    begins, ends = text.rfind("\n", 0, start) + 1, text.find("\n", start + len(name))
    line = text[begins : ends if ends >= 0 else len(text)]
    return (
        begins > 0
        and line.startswith(name)
        and len(text) - start < 160
        and (line == name or line[len(name) :].lstrip()[:1] in ("|", ","))
        and text.count("\n") > 2
    )


def _guessed(text: str) -> tuple[str | None, tuple[Fact, ...]]:
    """A name that no word of shows to be a body's, by what stands around it."""
    lower = text.lower()
    for pattern, rule, wants in _GUESSES:
        for found in pattern.finditer(text) if any(each in lower for each in wants) else ():
            name = _DROP.sub("", found["name"]).strip(" ,'’")
            name = re.sub(r"(?: (?:of|and|&|upon|the))+$", "", name)
            if pattern is _AT and _NOWHERE.search(name):
                continue
            if len(name) > 2 and not _NO_BODY.search(name) and not _OURSELVES.search(name):
                return name, (Fact("organisation_complained_of", name, rule, found[0]),)
    return None, ()


_GUESSES: Final = (
    (_TYPED, "said what it is", ("it is ", "it's ", "it’s ", "which is ", "that is ", "that's ", "that’s ", "(")),
    (_CALLED, "said what it is", ("hospital", "trust", "surgery", "practice", "clinic", "home", "organisation", "dentist", "gp", "council", "bank", "landlord",
                                  "contractor", "crisis team", "gym", "gartref", "they (")),
    (_COMPLAINED_OF, "complained about", ("complain", "concern", "unhappy")),
    (_AT, "where it happened", ("at ", "under ", "by ")),
)  # fmt: skip


def bodies(text: str) -> Named:
    """Every other body the text names, as written, and where."""
    found: list[tuple[int, str]] = []
    beginning = text[:_FAR]
    for pattern in (_KNOWN, _NAMED, _LOWER) if any(each in beginning for each in _PLACES) else (_KNOWN, _NAMED):
        for match in pattern.finditer(beginning):
            whole = match.groupdict().get("name") or match[0]
            start = match.end() - len(whole)
            dropped = _DROP.match(whole)
            name = whole[dropped.end() :] if dropped else whole
            if pattern is _LOWER:
                name = _AFTER_SMALL_WORDS.sub("", name)
            start += len(whole) - len(name)
            if _HOUSE_NUMBER.search(text, max(0, start - 6), start) and _IN_AN_ADDRESS.search(name):
                continue
            if len(name) < 2 or _OURSELVES.search(name) or (pattern is _NAMED and " " not in name):
                continue
            if not any(other <= start < other + len(held) for other, held in found):
                found.append((start, name.strip(" .,'’")))
        if len(found) > 40:
            break
    return sorted(found)
