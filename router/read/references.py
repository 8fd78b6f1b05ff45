"""Our case references in a text, and the other body it complains of, as written.

A number is ours by its form and by the words around it: hospital numbers, order codes and other bodies' references may look alike.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from ingest.contract import canonical_case_reference
from router.read.reading import Fact

Named = Sequence[tuple[int, str]]  # where a body's name begins in the text, and the name

_REFERENCE: Final = re.compile(
    r"(?P<kind>[CEPcep](?<![\w/-].)(?:(?<=[Ee])[Nn]|(?<=[CPcp])))(?P<mark> ?[-–—‐] ?| ?)(?P<digits>\d(?:[ -]?\d){5,6})(?![\w/]|-\d| ?\d)"
)
_SIX_DIGITS: Final = re.compile(r"\d(?:[ -]?\d){5}")  # no reference has fewer
_ELSEWHERE_BEFORE: Final = re.compile(
    r"(?:hospital|patient|booking|order|invoice|receipt|policy|account|passport|licence|license|tracking|parcel|application|customer|nhs|"
    r"insurance|meter|flight|ticket|prescription|unit|ward|mrn|their|trust['’]?s?|pals|dwp|hmrc|dvla|council['’]?s?|surgery['’]?s?|gwf|utr|member|"
    r"membership|library|course|part|serial|model|stock|item|product|registration|reg|payroll|staff|chassis|batch|lot|voucher|catalogue)"
    r"(?: own| case| my)?(?: (?:number|no|ref|reference|id|code|num|nr))?\.?(?: there| here| with them)?(?: is| was|:| -|,)*[ (#]{0,3}$",
    re.IGNORECASE,
)
_ELSEWHERE_AFTER: Final = re.compile(
    r"^[)\]]?,?\s?(?:is|was|being|on|\(|=|-)?\s?(?:my|the|their|a|an|our)?\s?(?:hospital|patient|booking|order|invoice|receipt|policy|account|passport|tracking|"
    r"parcel|nhs|insurance|trust|flight|hotel|customer|member)(?:'s)? (?:number|no\b|ref|reference|id\b|code|one\b)",
    re.IGNORECASE,
)
_CALLED_OURS: Final = re.compile(
    r"(?:\bref|reference|case|complaint|number|\bno|\bcyf|cyfeirnod|quote|your)\b[^\n.]{0,20}$", re.IGNORECASE
)


def case_references(text: str) -> tuple[tuple[str, ...], tuple[Fact, ...]]:
    """Our references, canonical, each once and in order; and why, with the numbers that look alike and are not ours."""
    if not _SIX_DIGITS.search(text):
        return (), ()
    references: dict[str, None] = {}
    evidence: list[Fact] = []
    for found in _REFERENCE.finditer(text):
        before = text[max(0, found.start() - 60) : found.start()]
        after = text[found.end() : found.end() + 40]
        around = f"{before[-30:]}{found[0]}{after[:15]}".strip()
        canonical = canonical_case_reference(f"{found['kind']}-{re.sub(r'[ -]', '', found['digits'])}")
        if canonical is None:
            continue
        if _ELSEWHERE_BEFORE.search(before) or _ELSEWHERE_AFTER.match(after):
            evidence.append(Fact("not-a-case-reference", found[0], "another body's number", around))
            continue
        if not found["mark"].strip() and not _CALLED_OURS.search(before):
            continue
        if canonical not in references and len(references) < 20:
            references[canonical] = None
            evidence.append(Fact("case_reference", canonical, "form and words around", around))
    return tuple(references), tuple(evidence)


_PART: Final = r"(?:St\.?|[A-Z][\w'’-]{0,30}|&|and|of|the|for|upon|on|in|le|y)"
_NOUN: Final = (
    r"(?:NHS Foundation Trust|NHS Trust|Foundation Trust|Hospitals?(?: NHS(?: Foundation)? Trust)?|Infirmary|Integrated Care Board|ICB|Care Board|Health Board|Trust|Surgery|"
    r"Medical (?:Centre|Practice|Group|Transport|Services)|Health (?:Centre|Clinic)|Clinic|(?:Group |Family |Dental )?Practice|Dental(?: Care| Surgery| Practice| Centre)?|Dentists?|"
    r"Pharmacy|Chemists?|Ambulance(?: Service| Trust)?(?: NHS(?: Foundation)? Trust)?|Nursing Home|Care Home|Hospice|Birth Centre|Walk[ -]in Centre|Urgent Care(?: Centre)?|"
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


_BODIES: Final = (
    "DEPARTMENT (?:FOR|OF) [A-Z]+(?:(?: AND|,)? [A-Z]+){0,4}", r"Department (?:for|of) [A-Z]\w+(?:,? (?:and |& )?[A-Z]\w+){0,4}", "DWP",
    r"D\.W\.P\.?", "HMRC", "HM Revenue (?:&|and) Customs", "DVLA", "DVSA", "UKVI", "HM Passport Office", "Passport Office", "passport office",
    "Home Office", "home office", r"Ministry of [A-Z]\w+", "HMCTS", "HM Courts (?:&|and) Tribunals Service", "HM Land Registry", "Land Registry",
    "Environment Agency", "Child Maintenance Service", "CMS", "Student Loans Company", "SLC", "UK Visas and Immigration", "Border Force",
    "Planning Inspectorate", "Rural Payments Agency", "Natural England", "Legal Aid Agency", "Cafcass", "CAFCASS", "DEFRA", "Defra",
    "Companies House", "Insolvency Service", "Charity Commission", "Valuation Office(?: Agency)?", "Pension Service", "Pensions Service",
    "The Pension Service", "NHS England", "NHS 111", "CQC", "Care Quality Commission", "Ofsted", "Jobcentre Plus", "Jobcentre",
    r"jobcentre(?: in [a-z]\w+)?", r"job centre(?: in [a-z]\w+)?", "Disclosure and Barring Service", "DBS",
    "Criminal Injuries Compensation Authority", "CICA", "UK Border Agency", "dwp", "hmrc", "dvla", "Cafcass Cymru", "Job Centre",
    "Crown Prosecution Service", "CPS", "Probation Service", "HM Prison Service", "NHS Business Services Authority", "NHSBSA",
    "Independent Case Examiner",
)  # fmt: skip
_KNOWN: Final = re.compile(rf"(?:{_begun(_BODIES)})(?!\w)")
_LOWER: Final = re.compile(
    rf"(?:{_begun(('at', 'about', 'from', 'by', 'against', 'to', 'with', 're', 'of', 'into', 'and'))}) "
    r"(?P<name>(?!the |my |our |this |that |a |your |an |local |same )[a-z'’]{3,20}(?: [a-z'’]{3,20}){0,2} (?:hospital|general|infirmary|surgery|medical centre|medical practice|health centre|"
    r"pharmacy|ambulance service|ambulance|dental practice|dental|council|nhs trust|clinic))(?!\w)"
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
    r"Then|Against|Organisation|This|That|Is|It|We|I|He|She|You|Your|Because|Also|Formal complaint|New complaint|Enquiry|Regarding|By|Head of Patient Experience|Of|and|of|the|for|on|in)[ :,]+)+"
)
_OURSELVES: Final = re.compile(
    r"ombudsman|customer care|citizens|royal mail|recorded|special delivery|next of kin|final|your|^general (?:question|enquiry|practice|hospital)|patient|subject|^medical (?:centre|practice)$",
    re.IGNORECASE,
)
_FAR: Final = 16 * 1024  # characters in which a body is looked for; it is named early or not at all
_FIELDS: Final = (
    "organisation", "organisation name", "organisation complained about", "organisation you are complaining about", "who is your complaint about", "which organisation",
    "name of organisation", "complaint about", "body", "organisation or gp", "who are you complaining about", "what organisation is your complaint about",
)  # fmt: skip


def organisation(text: str, named: Named, form: Mapping[str, str]) -> tuple[str | None, tuple[Fact, ...]]:
    """The other body's name as written: a form's field, else what stands after 'complain about', else the one named most, first."""
    for label in _FIELDS:
        if form.get(label):
            return form[label][:120], (Fact("organisation_complained_of", form[label][:120], "form field", label),)
    if not named:
        return None, ()
    chosen, rule = named[0][1], "named"
    for start, name in named:
        if _AFTER_ABOUT.search(text[max(0, start - 60) : start]):
            chosen, rule = name, "complained about"
            break
    full = next((name for _, name in named if "".join(word[0] for word in name.split() if word[0].isupper()) == chosen), None)
    longer = full or next((name for _, name in named if name.startswith(chosen) and len(name) > len(chosen)), None)
    chosen = longer or chosen
    return chosen, (Fact("organisation_complained_of", chosen, rule, chosen),)


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
            start += len(whole) - len(name)
            if len(name) < 3 or _OURSELVES.search(name) or (pattern is _NAMED and " " not in name):
                continue
            if not any(other <= start < other + len(held) for other, held in found):
                found.append((start, name.strip(" .,'’")))
        if len(found) > 40:
            break
    return sorted(found)
