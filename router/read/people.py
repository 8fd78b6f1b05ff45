"""Who writes, where they live and how to reach them, and for whom they write, as their words give it.

Three people stand in many contacts and are kept apart: the writer or caller, the person they write for ("my aunt, born 1931"
says nothing of the writer), and everybody else: our staff whom they address, a doctor complained of, the sender of a quoted mail.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from ingest.contract import canonical_email, canonical_phone, canonical_postcode
from router.read.phrases import Found, Row, Table
from router.read.reading import Fact, ReadIndividual

_GUIDE: Final = "labelling guide: individual"
_SERVICE: Final = "service model: who writes, for whom, by what right"

AUTHORITY: Final = (
    Row("power-of-attorney", "power of attorney", _SERVICE, (
        "power|powers of attorney", "lpa|poa", "mum's|dad's|his|her|their|my_mother's|my_father's|as attorney", "attorney for",
        "court appointed|of_protection .. deputy", "deputy for|appointed_by", "deputyship", "atwrneiaeth",
    ), unless=(
        "what|how|whether|do_i|could_i|should_i .. power_of_attorney|lpa", "no|not|without|need power|lpa|poa|a_power",
    )),
    Row("executor", "executor", _SERVICE, (
        "executor|executors|executrix|personal_representative|administrator_of_the_estate|administratrix", "grant of probate",
        "letters of administration", "on behalf of the estate", "ysgutor",
    ), unless=(
        "the|only_to_the|to_the executor .. and_probate",
    )),
    Row("solicitor", "solicitor", _SERVICE, (
        "we|i act|acts|acting for|on_behalf_of", "we|i am|are instructed by|on_behalf_of|to", "our client|clients", "solicitor|solicitors|clerk for|acting",
    ), unless=(
        "solicitor .. quote|cost|charge|afford", "get|need|want|see|my|a solicitor",
    )),
    Row("mp", "member of parliament", _SERVICE, (
        "my|our|a|member's|mp's constituent|constituents", "constituent of", "on behalf of .. constituent", "etholwr|etholwraig",
    ), unless=(
        "i am|as .. a|your constituent",
    )),
    Row("parent", "parent", _SERVICE, (
        "i am|iam his|her|their mum|mother|dad|father|parent|guardian|mam", "as his|her|their mum|mother|dad|father|parent|guardian",
        "parental responsibility", "legal guardian", "complaining|complain|writing|ringing for|on_behalf_of my? .. son|daughter|baby|child|little_boy|little_girl|kids",
        "on behalf of my .. son|daughter|child|baby|children",
    )),
    Row("next-of-kin", "next of kin", _SERVICE, (
        "i am|as|his|her|registered .. next_of_kin|nok|nearest_relative", "next of kin for|of|to",
    ), unless=(
        "she|he|they|hospital|ward|who|whose .. next_of_kin .. was|is|not|wrong",
    )),
    Row("consent", "consent form", _SERVICE, (
        "form|letter|signed|written|her|his|their|with .. of|consent|authority|authorisation .. enclosed|attached|signed|herewith",
        "signed authority|consent|permission|authorisation|mandate", "form|letter of authority|consent|authorisation", "consent form",
        "gave|given|gives me|us .. permission|consent|authority", "has|have authorised me|us", "it is ok|okay|fine for him|her|me to talk|speak",
        "with his|her|their permission|consent|blessing|say_so", "says i am allowed",
    ), unless=(
        "no|not|never|without|sign|signed_a|operation|surgery|procedure .. consent_form", "consent .. operation|procedure|surgery|treatment|theatre",
        "consent form .. says|said|for_the|was|before|theatre|anaesthetic|signature", "who|which|whether .. signs|sign", "do|does|will|how|what|where|send ... consent|authority|permission",
    )),
    Row("advocate", "advocate", _SERVICE, (
        "i|we|she|he am|work|are|as|is ... advocate|advocacy", "my|our client|clients",  "his|her|their|nhs|independent|mental_health|complaints advocate", "eiriolwr|eiriolaeth",
        "advocate for|on_behalf_of|from|with|at|helping|supporting", "i|we represent", "as his|her|their representative", "litigation friend", "appointee",
        "outreach|support|family_support|key worker .. for|with|to|from|at|on_behalf_of",
        "i am .. support_worker|carer|key_worker|social_worker|home_help|befriender|interpreter",
        "caseworker|case_worker|volunteer with|for|at", "my|a client", "citizens advice|bureau .. behalf|client|for", "all his|her|their talking",
    ), unless=(
        "asked|ask|want|wanted|need|needed|no|never|without|get|see|my_own .. advocate", "your|case_worker|our .. caseworker|case_worker .. with|for",
        "bank|gas|council|mental_health .. client",
    )),
    Row("behalf", "on behalf of another", _SERVICE, (
        "on behalf of", "on his|her|their|my_mother's|my_father's|mum's|dad's|my_mum's|my_dad's behalf", "ar ran", "w imieniu",
        "writing|write|ringing|rings|ring|rang|calling|complaining|complain|emailing|texting|contacting|speaking|asking this? for|for_my|as .. {family}|he|she|him|her",
        "dad's|mum's|my_father's|my_mother's words", "do the typing for",
        "told me what to put|say|write",
    ), unless=(
        "speak|talk|act|complain on my behalf", "on behalf of .. ombudsman|hospital|trust|nhs|department|dwp|themselves|everyone|all_of_us|both_of_us|the_family",
        "who|could|can|anyone|someone|somebody|may .. on_behalf_of", "ringing|ring|rang|calling|call for .. help|ages|ambulance|update",
    )),
)  # fmt: skip
_AUTHORITY: Final = Table(AUTHORITY)

_UPPER: Final = "A-Z" + "".join(each for each in map(chr, range(0xC0, 0x250)) if each.isupper())
_TITLES: Final = r"(?:The )?(?:Mrs|Mr|Ms|Miss|Mx|Mister|Dr|Revd?|Reverend|Canon|Prof|Professor|Sir|Lady|Dame|Lord|Cllr|Councillor|Sgt|Sr|Fr|Col|Capt|Major|Rt\.? Hon|Barrister|Prisoner|Imam|Rabbi|Pastor)"
_TITLE: Final = rf"(?:{_TITLES}\b\.?(?: \(retd?\.?\))? ){{1,3}}"
_GIVEN: Final = rf"(?:(?:[{_UPPER}]\.){{1,3}}|St\.|[{_UPPER}](?:[dD]['’])?[\w'’-]{{0,25}})"
_FULL: Final = rf"(?:{_TITLE})?{_GIVEN}(?:[ \t](?:(?:&|and)[ \t](?!I\b))?(?:{_GIVEN}|(?:de|van|von|der|den|al|bin|bint|el|ap|ab|ferch|la|le|du|da|dos|ter)\b)){{0,4}}"
_TITLED: Final = rf"{_TITLE}{_GIVEN}(?:[ \t]{_GIVEN}){{0,4}}"

_NO_NAMES = """
please thanks thank you regards hello dear yes no the this that sent from my phone it is was they he she we i
complaint complaints ombudsman customer care team sir madam help what where when who why how and but not never
nothing nobody awful disgusting ref reference case draft report hospital surgery trust street road lane house
close yours cheers diolch kind best warm post only mornings afternoons evenings review appeal decision urgent
asap email text call letter there here again enough done end final your our re sorry stop lol x xx ok okay ta
god bless ignore test head department office manager officer director service services monday tuesday wednesday
thursday friday saturday sunday january february march april june july august september october november
december everyone anyone somebody whoever all just mr mrs ms miss dr compensation shame disgrace disgraceful
pathetic useless investigation apology england wales scotland ireland london yma chi ydych prefer in writing an to do now answer
answers needed constituent hi hiya cottage bungalow avenue court terrace drive way row gardens place crescent
farm villas flat too fed up looking still waiting having trying asking calling ringing also so very really being
at on a deaf blind disabled autistic dyslexic going getting sick tired unhappy happy glad afraid worried
solicitor solicitors partner llp ltd limited plc trustee trustees chair chairman chief staff policy secretary executive clerk
coordinator adviser advisor advocate advocacy assistant worker support family legal affairs public senior clinic centre practice
infirmary royal general nhs council committee association society alliance group charity foundation agency board bureau unit ward
university college school church vicarage rectory lodge hall manor mill bank hill view green park square yard barn rise grove
mews walk wharf building buildings north south east west upper lower hmp prison dwp hmrc dvla pip gp mp icb pals gdpr
foi sms www http confidential private enclosed enc encs copy cc bcc subject date to day today tomorrow yesterday night
regarding sincerely faithfully truly respectfully gratefully love from signed with much many more about for if or as by of can will would could
should have has had did does were are been am me him her his their them us its mum mam dad mother father son daughter wife husband brother
sister nan gran grandad baby friend neighbour carer patient client british english welsh scottish irish polish muslim christian catholic
attached photo photos page para paragraph part yes number tel mob mobile home work ffurflen achos cwyn helo annwyl
says states nurse matron anonymous got get need want know think see look going sort cant dont wont isnt wasnt didnt im ive one two three four five six
new old same other thing things people time way back off out over down into then than because until before after since
money pay paid call rang told said say asked tell give gave take took made make done went came come let put
bad good great lovely brilliant shocking ridiculous absolute absolutely anything everything something someone none every each both
i've i'm complaining writing downs caller callers gentleman lady governor tribunal unsubscribe queue hurry texting worse well click book worst fine winners offer mulțumesc dziękuję gracias merci danke
any news update own address postcode lot lots bit welcome total complete utter proper mate pal joke shambles peace fuming scandal liars crooks farce rubbish enough thats whats thx tks ty pls plz lol omg tbh hope hoping wish wishes waits hours weeks months years days minutes
"""
_NOT_NAMES: Final = frozenset(_NO_NAMES.split())
# Among several words with a capital these are names too: "June Whittingstall", "Tessa Green", "Nguyen An".
_ALSO_FORENAMES: Final = frozenset(["april", "may", "june", "august", "hope", "will"])
_ALSO_SURNAMES: Final = frozenset(
    [
        "hill",
        "green",
        "hall",
        "park",
        "day",
        "best",
        "west",
        "north",
        "east",
        "lane",
        "church",
        "mill",
        "love",
        "may",
        "english",
        "french",
        "welsh",
        "page",
        "an",
        "do",
        "so",
        "to",
    ]
)

_EMAIL: Final = re.compile(r"(?<![\w.+-])[\w.+'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
_NOBODYS: Final = re.compile(
    r"(?:bookings?|sales|no-?reply|donotreply|postmaster|mailer-daemon|newsletter|marketing|offers|unsubscribe)@", re.IGNORECASE
)
_POSTCODE: Final = re.compile(r"(?<![\w-])([A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2})(?!\w)", re.IGNORECASE)
_PHONE: Final = re.compile(r"[+(0](?<![\w.£-].)(?:(?<=\+)\d|(?<=\()0|(?<=0))[\d() -]{7,20}\d(?!\w)")
_MONTH: Final = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec)[a-z]{0,6}"
_NUMERIC: Final = r"(?:\d{1,2}[./-]\d{1,2}[./-](?:19|20)?\d{2}|\d{4}-\d{2}-\d{2}|\d{1,2} \d{1,2} (?:19|20)?\d{2})"
_WORDED: Final = rf"(?:\d{{1,2}}-{_MONTH}-\d{{2,4}}|\d{{1,2}}(?: ?(?:st|nd|rd|th))?(?: of)? {_MONTH}\.?,? '?\d{{2,4}}|{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}})"
_DATE: Final = rf"(?:{_NUMERIC}|{_WORDED})"
_BORN: Final = re.compile(
    rf"[BbDd](?<!\w.)(?i:(?:(?<=d)(?:\.?\s?o\.?\s?b\b\.?|ate of birth|yddiad geni|eiti a?nwyd)|(?<=b)(?:orn|irth ?date|irthday|\.(?= ?\d))))"
    rf"(?i:\s?(?:(?P<whose>\(?(?:hers?|his|theirs|patient['’]?s?|client['’]?s?|mum['’]?s|dad['’]?s)\)?)|\(?(?:mine|own|caller|self)\)?)?(?: is| was| on| the|:|,|\)| -|=)*\s{{0,3}}(?P<date>{_DATE}))(?!\w)"
)
_BARE_DATE: Final = re.compile(rf"(?<![\w./-])(?P<date>{_DATE})(?![\w/-])", re.IGNORECASE)
_YEAR: Final = re.compile(r"(\d{4}|\d{2})$|^(\d{4})-")
_SOMEBODY: Final = re.compile(
    r"\b(?:his|hers?|their|mum['’]?s?|dad['’]?s?|mother['’]?s?|father['’]?s?|son['’]?s?|daughter['’]?s?|patient['’]?s?|client['’]?s?|constituent['’]?s?|"
    r"for (?:mr|mrs|ms|miss|(?-i:[A-Z]\w+ [A-Z]\w+))|my (?:late |dear )?(?:aunt\w*|uncle|mother|mum|mam|father|dad|son|daughter|"
    r"husband|wife|partner|brother|bro|sister|sis|nan\w?|gran|grand\w{3,8}|friend|neighbour|client|baby|lad|girl|boy|niece|nephew)|[A-Z]\w+['’]s(?= (?:dob|d\.o\.b|date)))\b",
    re.IGNORECASE,
)
_THEIRS: Final = re.compile(
    r"\b(?:old|your|from your|surgery|hospital|ward|pals|trust|department|helpline|contact (?:the|our)|team on|switchboard|(?<!/)fax|emergency|"
    r"(?:his|her|their|dad['’]?s|mum['’]?s|the client['’]?s|patient['’]?s) (?:\w+ )?(?:number|phone|mobile|mob|tel|no|landline)|(?:ring|call|phone) (?:him|her|them|mum|dad) on)\b[^.\n]{0,25}$",
    re.IGNORECASE,
)
_THE_OTHERS: Final = re.compile(
    r"(?:his|her|their|dad['’]?s|mum['’]?s|the client['’]?s|patient['’]?s|[A-Z]\w+['’]s) (?:own )?(?:number|phone|mobile|mob|tel|no|landline)\b[^.\n]{0,15}$|(?:ring|call|phone) (?:him|her|them|mum|dad) on $",
    re.IGNORECASE,
)
_NOT_A_PHONE: Final = re.compile(
    r"\b(?:nhs|ref|reference|account|application|utr|no\. of|order|invoice|case|claim|policy|hospital|hosp|charity|card|customer|payment)(?: (?:no|number|num|ref|id))?\b\.?[^.\n\d]{0,12}$",
    re.IGNORECASE,
)
_OF_ANOTHER: Final = re.compile(
    r"\b(?:his|her|their|mum['’]?s|dad['’]?s|(?:mother|father|son|daughter|client|patient|sister|brother|aunt|uncle|friend|neighbour|nan|gran)['’]s|hospital['’]?s?|surgery['’]?s?|practice['’]?s?|old|previous|last|the) (?:home )?(?:address|postcode|post code)",
    re.IGNORECASE,
)
_OURS_NOW: Final = re.compile(r"\b(?:mine|my|ours|our|i|i['’]m|we)\b", re.IGNORECASE)  # after somebody else's
_UNDELIVERED: Final = re.compile(
    r"n['’]t be (?:delivered|found)|not found at|delivery (?:has failed|to the following|status notification)|undeliverable|550 5\.|(?:could|was) not (?:be )?delivered",
    re.IGNORECASE,
)

_CLOSE: Final = (
    r"(?:(?:with )?(?:kind|best|warm|warmest|kindest|many|sincere|thank)?\s?(?:regards|wishes|thanks|you)(?: (?:again|and|&|to all)[\w ]{0,20})?|"
    r"yours?(?: very| most)?(?: (?:sincerely|sincerly|faithfully|faithfuly|truly|truely|etc|ever|in \w+|respectfully|gratefully|aye|hopefully|\w{3,12}ly))?(?: \w{1,12})?|yours,(?-i:(?: [a-z]+){1,3})|"
    r"thanks?[\w' ]{0,30}|thank ?you[\w' ]{0,40}|many thanks|(?:with )?thanks in (?:advance|anticipation)|with thanks[\w ]{0,40}|thx|tks|ty|"
    r"cheers|ta|best|bw|br|kr|rgds|regards|respectfully|sincerely|faithfully|truly|cofion(?: \w+){0,2}|yn gywir(?: iawn)?|yr eiddoch yn \w+|dymuniadau gorau|gyda diolch|diolch[\w ]{0,20}|"
    r"z poważaniem|pozdrawiam|le meas|cu respect|saludos|atentamente|cordialement|mit freundlichen grüßen|hochachtungsvoll|love|from|signed|all the best|god bless(?: you)?|take care|"
    r"i have the honour to be|i remain[\w, ]{0,40}|in hope|speak soon|mulțumesc|dziękuję)"
)
_CLOSING: Final = re.compile(rf"^{_CLOSE}[,.!:x ]{{0,5}}$", re.IGNORECASE)
_CLOSED: Final = re.compile(
    r"^(?:(?:with )?(?:many |kind |best |warm )?(?:thanks|thank you|regards|wishes)(?: (?:again|in advance|so much|very much))?|cheers|ta|thx|tks|yours(?: (?:sincerely|faithfully|truly|etc))?|sincerely|faithfully|truly|"
    r"love|best|diolch(?: yn fawr)?|cofion(?: gorau)?|gyda diolch|from|signed|god bless|x{1,3}|by|pp\.?|its|it['’]s|this is|i am|hi|[-–—~*_]+)[ ,.!:–—-]{1,4}",
    re.IGNORECASE,
)
_NOISE: Final = re.compile(
    r"(?:sent (?:from|via)|get outlook|this (?:e-?mail|message)|please consider|p\.?\s?p?\.?s\b|disclaimer|\[|\(.{0,80}\)$|www\.|https?:|registered|charity|-{2,}|_{2,}|\*{2,}|=+$|enc[ls]?\b|cc\b|sorry for)",
    re.IGNORECASE,
)
_DISCLAIMS: Final = ("confidential", "intended recipient", "privileged", "virus", "regulated by", "not accept service", " ext ")
_QUOTE_BEGINS: Final = re.compile(
    r"^(?:-{3,} ?(?:original|forwarded)|begin forwarded|on .{5,90} wrote ?:?$|.{2,60} wrote on .{4,30}:$|_{10,}$)",
    re.IGNORECASE,
)
_HEADER: Final = re.compile(r"^(?:from|sent|to|date|subject|cc)\s?:", re.IGNORECASE)
_ROLE: Final = re.compile(
    r"[,(/|;]| [-–—~] |\b(?:for|on behalf of|aged?|d\.?o\.?b|born|tel|mob|mobile|phone|ph|email|ref|case|nee|née|rang|formerly|room|flat)\b|\d",
    re.IGNORECASE,
)
_SENTENCE_ENDS: Final = re.compile(
    r"\s(?:(?<=[.!?…)].)(?<![ .(][A-Z]\..)(?<!^[A-Z]\..)(?<!\bMr\..|\bMs\..|\bDr\..|\bSt\..|\bSr\..|\bFr\..)(?<!\bMrs\..|\bRev\..|\bCol\..|\bSgt\..)"
    r"(?<!\bProf\..|\bRevd\..|\bCapt\..|\bMiss\..)\s*|[-–—]{1,2}\s)"
)
_NAME_LINE: Final = re.compile(rf"{_FULL}")
_LOWER_NAME: Final = re.compile(r"(?:(?:mr|mrs|ms|miss|dr) )?[a-z][a-z'’-]{1,20}(?: [a-z][a-z'’-]{0,20}){0,2}")

_MY_NAME: Final = re.compile(
    rf"(?:(?i:\bmy (?:full )?name['’]?s?(?: is)?|\bi am called|\bmy particulars:?)|[Ff]y enw i (?:yw|ydi|ydy)|[Nn]azywam się|[Mm]am na imię|[Mm]ă numesc|[Mm]e llamo|"
    rf"(?i:(?<!\w )(?:full |your |contact )?\bname ?:))[:,]?\s{{0,3}}(?P<name>{_FULL})"
)
_INTRODUCES: Final = re.compile(
    rf"[IiTtMmEeLlYy](?<!\w.)(?:(?<=[Ii])(?:(?<=I),|t['’]?s(?: only| just)?(?: me)?|t is|['’]?m| am)|(?<=[Tt])(?:his is(?: from)?|ext(?: is)? from)|(?<=[Mm])(?:essage(?: is)? from|e again)|(?<=[Ee])mail(?: is)? from|(?<=[Ll])etter(?: is)? from|(?<=[Yy])ma)"
    rf"[,:]? \(?(?:only |just |um,? |er,? )*(?:it['’]?s )?(?P<name>{_FULL})(?![\w'’])"
)
_HERE: Final = re.compile(
    rf"(?P<name>{_FULL}),? (?:here\b|speaking\b|(?:writing|emailing|texting|messaging) (?:again|about|from|to)\b|yma\b|sy ['’]?ma\b|sydd yma\b|sy['’]n siarad\b)"
)
_LOWER_INTRODUCES: Final = re.compile(
    r"(?:^(?:hi,? )?(?:its|it's|this is|im) (?P<begins>[a-z]{2,15} [a-z'-]{2,20})(?=\. )|\b(?:hi|hello|hiya),? (?P<greets>[a-z]{2,15}(?: [a-z'-]{2,20})?)(?= here\b))|"
    r"\b(?:its|it's|this is|my name is|my names|my name's|im|i am) (?:(?P<said>[a-z]{2,15}),? (?=(?P=said) ))?(?P<name>[a-z]{2,15}(?: [a-z'-]{2,20}){0,2}?)(?=,? (?:just )?(?:ringing|calling|phoning)\b| here\b| again\b|[.!,]? (?:ref|case|p-|c-|any|just|about|bout|re|ringing|calling|texting|from|wot|what|where|when)\b|[.,]? (?:p|c|en)\d)|"
    r"^(?P<first>[a-z]{3,12}(?: [a-z'-]{3,20})?)(?= here\b(?! (?:is|are|in|at|on|i)\b))",
)
_MESSAGE_FROM: Final = re.compile(rf"\[[\w ]{{0,20}}(?:[Mm]essage|DM|[Pp]ost|[Cc]omment) (?:from|by) (?P<name>{_FULL})\]")
_WRITES_BEFORE: Final = re.compile(rf"^(?P<name>{_FULL}): ", re.MULTILINE)
_WRITES_FROM: Final = re.compile(
    rf"^(?:(?:From|FROM|Name|Mum|Dad|Sender|Complainant)[:.] ?|From (?=[^.\n]{{3,60}},))(?P<name>{_FULL}?)(?= [A-Z]{{1,2}}\d|[^\w'’ ]|\n|$| \()",
    re.MULTILINE,
)

_RANG: Final = r"(?:rang|ring|rings|ringing|called|calls|calling|phoned|phones|phoning|telephoned|on the (?:line|phone)|wants?|wishes|asks?|asked|says|said|complains|complained|states?|stated|reports|disputes|disagrees|requests|would like|, re\b| re\b)"
_CALLER: Final = re.compile(
    rf"(?:\b(?:[Gg]ave (?:(?:her|his|their|the|a) )?name(?: only)?(?: as)?|[Gg]ives name(?: as)?|(?<!irst )[Nn]ame(?: given| of caller)?(?: as|:)?|[Nn]ame is)|"
    rf"\b(?:[Cc]aller|CALLER|[Cc]ust(?:omer)?|CUST|[Ii]ncoming|[Ii]nbound|[Ee]nquirer|(?:[Rr]ang|[Cc]alled) back(?: as \w+)?|[Gg]ave (?:her|his|their) details as)(?:['’]s name)?(?: is| was|:|,| -| =)?(?: (?:says|gave|called|a|an|the|is|was|her name is|his name is))?|"
    rf"\b(?:[Cc]all|T/[Cc]|t/c|[Mm]essage|[Mm]sg|VM|vm|[Vv]oice ?mail|[Cc]allback)(?: for [\w .]{{2,25}}?)? (?:please )?(?:from|by)|"
    rf"\b(?:(?:DIL|SIL|FIL|MIL) is|(?:[Cc]lerk|[Ww]orker|[Aa]dvocate|[Cc]haplain|[Ss]ecretary|[Cc]are manager)(?: is|,)))"
    rf",? [\"“]?(?:I['’]?m )?(?P<name>{_FULL})(?![\w'’])"
)
_SOMEONE: Final = re.compile(rf"\b(?:[Ll]ady|[Gg]entleman|[Mm]an|[Ww]oman|[Ff]emale|[Mm]ale),? (?P<name>{_FULL})(?![\w'’])")
# Whom one of us rang back or spoke to, where a note begins so.
_SPOKEN_TO: Final = re.compile(
    rf"^(?:[^\n.]{{0,14}}[.:] )?(?:[Ss]poke(?:n)?|[Tt]alked|[Rr]eturned(?: a| the)? call|[Cc]all[- ]?back(?: made)?|[Rr]ang|[Rr]ung|[Cc]alled|[Pp]honed|[Cc]all made)(?: back)?(?: (?:to|w/|with))? (?P<name>{_FULL})(?![\w'’])"
)
_ALONE: Final = re.compile(rf"(?:^|(?<=[.!?\n\"”] ))(?P<name>{_FULL})(?<! \w)(?=[.]?(?:$|\n)|\. |, (?:re|ref|case|about)\b)")
_WHOLE_NAME: Final = re.compile(
    rf"(?<![\w’'-])(?P<name>{_GIVEN}(?:[ \t](?:{_GIVEN}|de|van|der|von|ap|ab|ferch|al|el|bin|ul)){{1,3}})(?![\w'’])"
)
_RINGS: Final = re.compile(rf"(?P<name>{_FULL})(?: \([^)]{{1,40}}\))?,? {_RANG}")
_TITLED_ONE: Final = re.compile(rf"(?<!\w)(?P<name>{_TITLED})(?![\w'’])")
_IN_DETAIL: Final = re.compile(
    rf"(?<![\w’'-])(?P<name>(?:{_TITLE})?{_GIVEN}(?:[ \t](?:{_GIVEN}|de|van|ap|ab|al|el)){{1,3}}),? "
    rf"(?=\(?\d{{2}}(?:,|\))|\(?0\d|\+\d|\d{{1,4}}[a-z]? [{_UPPER}]|{_NUMERIC}|{_WORDED}|[\w.+-]{{1,64}}@|[A-Z]\d{{4}}[A-Z]{{2}}\b|(?i:p|c|en)[ -]?\d{{3}}|[A-Za-z]{{1,2}}\d{{1,2}}[A-Za-z]? ?\d[A-Za-z]{{2}}\b|(?i:d\.?o\.?b|born|b\. ?\d|aged? \d|tel|mob|ref|email (?:is|best)))"
)
_NOT_THE_CALLER: Final = re.compile(
    r"\b(?:for|of|is|investigator|to|with|by|re|about|our|your|behalf|patient|client|neighbour|constituent|mother|father|mum|dad|husband|wife|son|daughter|brother|sister|aunt|uncle|late|"
    r"against|from Dr|tell|told|asked|and|the|caseworker|officer|v\.?)[,:(]?\s*$",
    re.IGNORECASE,
)
_SOMEBODY_ELSES: Final = re.compile(
    r"^(?:['’]s?\b(?! (?:\d?\w+ )?call)| (?:[Ss]urgery|[Pp]ractice|[Hh]ospital|[Ww]ard|[Cc]linic))"
)

_RELATION: Final = (
    r"(?:late |dear |elderly |disabled |own |poor )*(?:mother|mum|mam|mom|ma|father|dad|son|daughter|husband|wife|partner|brother|bro|sister|sis|aunt|auntie|aunty|uncle|nan|nana|gran|"
    r"grandmother|grandfather|grandad|grandson|granddaughter|child|baby|boy|girl|lad|friend|neighbour|client|constituent|patient|niece|nephew|cousin|godmother|godfather|"
    r"(?:mother|father|son|daughter|brother|sister)[- ]in[- ]law|step[- ]?(?:mother|father|son|daughter)|boyfriend|girlfriend|fianc[eé]e?|tenant|resident|member|service user)"
)
_ASIDE: Final = r"(?:,? \((?!Mrs?|Ms|Miss)[^)]{0,30}\))?(?:[,:]|,? who is|,? called| \()?"
_FOR_WHOM: Final = re.compile(
    rf"(?:(?i:\bon behalf of|\bar ran|\b(?:i|we) (?:now )?(?:act|represent|speak|write|am writing|ring|am ringing|complain|am complaining|am here)(?: for| this for| on behalf of)?|\bacting for|\binstructed by|"
    rf"\b(?:writing|ringing|rang|calling|complaining|contacting|emailing|texting|advocate|attorney|appointee|deputy|executors? (?:of|for)|carer|support worker|solicitors?|representative)(?: this)? (?:for|of|to|on behalf of)|"
    rf"\bfor(?= (?:my|patient|our|a|neighbour|client|her|his|their))|\bestate of(?: the late)?|\bin re:?|\bwith(?= (?:my client|our client)))\s)?"
    rf"(?:(?i:(?:(?:my|our|his|her|their|the|a|your)(?: mutual)? )?(?P<relation>{_RELATION}|neighbour|executors? of|the late|estate of(?: the late)?))\b{_ASIDE}\s)?"
    rf"(?P<name>{_FULL})(?![\w])"
)
_BEGINS_FOR: Final = re.compile(
    r"\b(?:behalf of|ar ran|act for|acting for|instructed by|represent|(?:my|our|his|her|a|the) (?:late |elderly |disabled )?(?:client|constituent|neighbour|mother|mum|mam|father|dad|son|daughter|husband|wife|partner|brother|bro|sister|sis|aunt\w*|uncle|nan\w?|gran|"
    r"grand\w{3,8}|friend|patient|child|boy|girl|godmother|godfather|niece|nephew|cousin|(?:mother|father|son|daughter|brother|sister)[- ]in[- ]law)|for patient|"
    r"for neighbour|our client|client[: (]|appointee for|(?:attorney|executors?|executrix|deputy) (?:for|of)|carer (?:of|for)|carer \(\w+\) of|(?:writing|ringing|ring|rang|complaining|writes|calling)(?: this)? for|estate of|with (?=Mrs? ))",
    re.IGNORECASE,
)
_WHOSE: Final = re.compile(
    rf"\b(?i:i am|i['’]?m|we are|this is) (?P<name>{_FULL})['’]s? (?:own )?(?:Deaf |deaf )?(?:{_RELATION}|carer|support worker|advocate|attorney|solicitors?|representative|social worker|executor)"
)
_FOR_AT_THE_END: Final = re.compile(rf"^(?:for|pp|on behalf of) (?P<name>{_FULL})", re.MULTILINE)


_FIGURE: Final = re.compile(r"\d")
_INWARD: Final = re.compile(r"\d[^\W\d_]{2}")  # how a postcode ends
_SAYS_NAME: Final = ("name", "am called", "enw i", "nazywam", "mam na", "numesc", "llamo", "particulars")
_BIRTH: Final = ("b", "B", "anwyd", "geni")
_STREET: Final = re.compile(
    r"\b(?:street|st|road|rd|lane|avenue|ave|close|drive|court|terrace|row|gardens?|place|crescent|way|house|cottages?|bungalow|farm|villas?|flat|grove|hill|mews|square|walk|view|bank|rise|park|green|"
    r"lodge|hall|mill|yard|buildings?|parade|path|end|heol|ffordd|stryd|maes|wing|ward|room|hmp|hotel|caravan|p\.?o\.? box|laurels|vicarage|rectory|barn|maltings|spinney|race|buildings)\b",
    re.IGNORECASE,
)
_NUMBERED: Final = re.compile(
    r"^(?:(?:flat|room|unit|apt|apartment|no\.?) ?)?\d{1,4}[a-z]?(?:[,/-] ?\d{1,4}[a-z]?)? +[A-Z]", re.IGNORECASE
)
_SAYS_ADDRESS: Final = re.compile(
    r"\b(?:(?:my |new |home |our |the |postal )*address(?: is|:| now)*|live(?:s)? at|moved to|(?:i am|i'm|now) at|of|cyfeiriad)[: ]*$",
    re.IGNORECASE,
)
_LONGEST_PART: Final = 45


class Who(NamedTuple):
    """The writer, whom they write for and by what right, with the words for each."""

    writer: ReadIndividual
    represented: ReadIndividual | None
    authority: str | None
    evidence: tuple[Fact, ...]


class _Said(NamedTuple):
    value: str
    rule: str
    words: str


def who(channel: str, text: str, form: Mapping[str, str], found: Found, *, declared_alone: bool = False) -> Who:
    """The people of a contact, from its tidied text; ``declared_alone`` leaves the writer to what fields of a form say."""
    hits = found[_AUTHORITY]
    right = min(hits, key=lambda hit: _RANK[hit.row.name], default=None)
    other = _represented(text, bool(hits))
    represented = _of_the_other(text, other) if other or right else {}
    evidence: list[Fact] = []
    if right:
        evidence.append(Fact("authority", right.row.gives, right.row.name, right.sentence.text[:300]))
    if declared_alone:
        writer = ReadIndividual()
    else:
        own = _own_lines(text)
        figures = bool(_FIGURE.search(text))
        name = _name(channel, text, own, form, other.value if other else None)
        said: dict[str, _Said | None] = {
            "name": name,
            "postcode": (place := _postcode(text) if figures and _INWARD.search(text) else None),
            "phone": _phone(channel, "\n".join(own) if _quotes(text) else text) if figures else None,
            "email": _email(text, own) if "@" in text else None,
            "date_of_birth": _born(channel, text, name, represented.get("date_of_birth")) if figures else None,
            "address": _address(own, form, place, name),
        }
        writer = ReadIndividual(**{each: told.value for each, told in said.items() if told})
        evidence += [Fact(f"own {each}", told.value, told.rule, told.words[:200]) for each, told in said.items() if told]
    if other is None and not right:
        return Who(writer, None, None, tuple(evidence))
    evidence += [Fact(f"represented {each}", told.value, told.rule, told.words[:200]) for each, told in represented.items()]
    return Who(
        writer,
        ReadIndividual(**{each: told.value for each, told in represented.items()}),
        right.sentence.text[:300] if right else None,
        tuple(evidence),
    )


_RANK: Final = {row.name: rank for rank, row in enumerate(AUTHORITY)}


def _before(text: str, at: int, most: int) -> str:
    """What stands before a place in it, ``most`` characters of it at most."""
    return text[max(0, at - most) : at]


def _own_lines(text: str) -> list[str]:
    """The lines without those quoted from somebody else's letter, or all of them where nothing else is there."""
    lines = [line for line in text.split("\n") if line]
    if not _quotes(text):
        return lines
    own: list[str] = []
    heads = False  # in the head of a quoted letter that their own words stand below
    for line, following in pairwise([*lines, ""]):
        if line.startswith(">"):
            continue
        if _QUOTE_BEGINS.match(line) or (_HEADER.match(line) and _SENT.match(following)):
            if own:
                break
            heads = True
        elif not (heads and _HEADER.match(line)):
            heads = False
            own.append(line)
    return own or lines


def _quotes(text: str) -> bool:
    """Whether it may hold lines of somebody else's letter."""
    return any(mark in text for mark in _QUOTING)


_SENT: Final = re.compile(r"^(?:sent|date|subject)\s?:", re.IGNORECASE)
_QUOTING: Final = (">", "wrote", "---", "___", "From:", "Sent:")


def _name(channel: str, text: str, own: Sequence[str], form: Mapping[str, str], other: str | None) -> _Said | None:
    for label in ("name", "your name", "full name", "my name", "enw", "contact name", "contact", "name of person complaining"):
        if form.get(label) and (name := _trim(form[label], declared=True)):
            return _Said(name, "form field", form[label])
    for first, last in (
        ("first name", "surname"),
        ("first name", "last name"),
        ("forename", "surname"),
        ("first names", "surname"),
    ):
        if form.get(first) and form.get(last) and (name := _trim(f"{form[first]} {form[last]}", declared=True)):
            return _Said(name, "form field", form[last])
    beginning = "\n".join(own)[:20_000]
    if (
        beginning.startswith("[")
        and (found := _MESSAGE_FROM.search(beginning))
        and (name := _trim(found["name"], declared=True))
    ):
        return _Said(name, "sender of the message", found[0])
    if channel == "social" and (found := _WRITES_BEFORE.search(beginning)) and (name := _trim(found["name"])):
        return _Said(name, "sender of the message", found[0])
    if channel == "telephone":
        return _caller(beginning, other)
    lower = beginning.lower()
    says: _Said | None = None
    if any(each in lower for each in _SAYS_NAME):
        says = _says(beginning)
    signed = _signature(own)
    if signed and other and signed.value == other:
        signed = None
    if signed and says and signed.rule == "ends the text":
        signed = None
    best = _fuller(signed, says) or _introduced(beginning) or _heading(own) or _with_details(beginning, other)
    if best is None and own != (whole := [line for line in text.split("\n") if line]):
        best = _signature(whole)
    if best and (" " not in best.value or _INITIAL.match(best.value)):
        best = _fuller(best, _heading(own), _introduced(beginning))
    return best


def _with_details(text: str, other: str | None) -> _Said | None:
    """A name with ways to reach somebody right behind it."""
    for found in _IN_DETAIL.finditer(text) if _FIGURE.search(text) or "@" in text else ():
        before = _before(text, found.start(), 18)
        name = _trim(found["name"])
        if name and name != other and not _NOT_THE_CALLER.search(before) and not _STREET.search(name):
            return _Said(name, "name before details", found[0])
    return None


_INITIAL: Final = re.compile(rf"(?:[{_UPPER}]\.? ?)+(?: |$)")


def _fuller(first: _Said | None, *others: _Said | None) -> _Said | None:
    """The first, or one of the others where it is the same name with more of it written out."""
    for other in others:
        if first is None or (other and _more_of(first.value, other.value)):
            first = other
    return first


def _more_of(name: str, other: str) -> bool:
    """Whether the other name is this one with more written out: "Gemma" and "Gemma Nwosu", "D. Chaudhry" and "Dilshad Chaudhry"."""
    mine, theirs = name.replace(".", ". ").split(), other.replace(".", ". ").split()
    if name.isupper() and len(name) < 5 and name.isalpha() and len(name) > 1:
        return name == "".join(each[0] for each in theirs)
    if len(other) <= len(name) or len(theirs) < len(mine):
        return False
    if len(mine) == 1:
        return (
            mine[0].lower().strip(".") == theirs[0].lower() if len(mine[0].strip(".")) > 1 else theirs[0].startswith(mine[0][0])
        )
    return mine[-1].lower() == theirs[-1].lower() and mine[0][0] == theirs[0][0]


def _says(text: str) -> _Said | None:
    for found in _MY_NAME.finditer(text):
        if name := _trim(found["name"]):
            return _Said(_again(text, found.end("name"), name), "says their name", found[0])
    return None


def _again(text: str, end: int, name: str) -> str:
    """The name, said again at once with more of it: "it's Courtney, Courtney Blake"."""
    said = _NEXT.match(text, end)
    more = _trim(said["name"]) if said else None
    return more if more and more.startswith(f"{name} ") else name


_NEXT: Final = re.compile(rf"[,.]? (?P<name>{_FULL})")


def _caller(text: str, other: str | None) -> _Said | None:
    """Who rings, from the note of a call or the transcript of a voicemail."""
    lower = text.lower()
    if any(each in lower for each in _SAYS_NAME) and (says := _says(text)):
        return says
    if any(each in lower for each in _SPOKEN) and (found := _introduced(text)):
        return found
    unnamed = any(each in lower for each in _UNNAMED)
    for pattern, rule in _CALLERS[:-1] if unnamed else _CALLERS:
        for found in pattern.finditer(text):
            before = _before(text, found.start("name"), 18)
            if pattern not in _CUED and (_NOT_THE_CALLER.search(before) or _DOCTOR.match(found["name"])):
                continue
            if _SOMEBODY_ELSES.match(text[found.end("name") : found.end("name") + 18]):
                continue
            name = _trim(found["name"])
            if (
                name
                and name != other
                and (pattern is not _RINGS or " " in name or found.start() < 40)
                and (pattern not in _UNTITLED or (" " in name and not _ORGANISATION.search(name) and not _STREET.search(name)))
            ):
                return _Said(name, rule, found[0])
    return _introduced(text) or _signature(text.split("\n"))


_SPOKEN: Final = ('"', "“", "voicemail", "vm", "siarad", "transcript", "message")  # where the note has the caller's own words
_CALLERS: Final = (
    (_CALLER, "named as the caller"),
    (_SPOKEN_TO, "whom we spoke to"),
    (_SOMEONE, "named as the caller"),
    (_ALONE, "a name by itself"),
    (_TITLED_ONE, "first titled name"),
    (_RINGS, "rings"),
    (_IN_DETAIL, "name before details"),
    (_WHOLE_NAME, "first whole name"),
)
_CUED: Final = (_CALLER, _SPOKEN_TO)
_UNTITLED: Final = (_ALONE, _SOMEONE, _WHOLE_NAME)
_UNNAMED: Final = ("anonymous", "withheld", "not give name", "not give her name", "not give his name", "no name")
_DOCTOR: Final = re.compile(r"(?:The )?(?:Dr|Sr|Prof|Professor)\b")


def _introduced(text: str) -> _Said | None:
    lower = text.lower()
    for pattern, signs in ((_HERE, _HERE_SIGNS), (_INTRODUCES, _INTRODUCING)):
        for found in pattern.finditer(text) if any(each in lower for each in signs) else ():
            after = text[found.end("name") :][:14]
            if _SOMEBODY_ELSES.match(after) or (pattern is _INTRODUCES and not _INTRODUCED.match(after)):
                continue
            if name := _trim(found["name"]):
                return _Said(_again(text, found.end("name"), name), "introduces themselves", found[0])
    if not any(each in lower for each in _INTRODUCING):
        return None
    for found in _LOWER_INTRODUCES.finditer(lower):
        begins, ends = next(found.span(group) for group in ("name", "begins", "greets", "first") if found[group])
        if (name := _trim(text[begins:ends])) and not any(map(_NO_LOWER.search, name.lower().split())):
            return _Said(name, "introduces themselves", found[0])
    return None


_HERE_SIGNS: Final = (" here", " writing", " emailing", " texting", " messaging", " speaking", "yma", " 'ma", " ’ma", "siarad")
_INTRODUCING: Final = (
    "it's",
    "it’s",
    "its ",
    "it is",
    "this is",
    "i'm",
    "i’m",
    "im ",
    "i am",
    "me again",
    "from ",
    "yma ",
    " here",
    "name",
)
_INTRODUCED: Final = re.compile(
    r"(?: here| again| any\b| x\b| new\b| for\b| from\b| of\b| and i\b|,| \(|[.!?:;]|\s*$|\s?[-–—]| (?:re|ref|case|about|i|im|i'm|i am|my|p|c|en|on|just|calling|ringing|with|speaking|sy|yma|you)\b| [PCE]N?-?\d| \d)",
    re.IGNORECASE | re.MULTILINE,
)


def _heading(own: Sequence[str]) -> _Said | None:
    """A name that stands before or above what they write: "From: D. W. Arkwright", or a line of its own above an address."""
    for line in own:
        if (found := _WRITES_FROM.match(line)) and (name := _trim(found["name"])):
            return _Said(name, "named as the writer", line)
    if len(own) > 3 and _NUMBERED.match(own[1]) and _NAME_LINE.fullmatch(own[0]) and (name := _trim(own[0])):
        return _Said(name, "name above the letter", own[0])
    return None


def _signature(own: Sequence[str]) -> _Said | None:
    lines = [line for line in own[-16:] if not _is_noise(line)]
    # Below a closing.
    for index in range(len(lines) - 1, max(-1, len(lines) - 12), -1):
        if (len(lines[index]) < 60 and _CLOSING.match(lines[index])) or (index > 0 and _ENDS_OPEN.match(lines[index])):
            below = [_Said(name, "below a closing", line) for line in lines[index + 1 : index + 5] if (name := _signed(line))]
            if below:
                return _fuller(*below)
            break
    # What ends it, from the end upwards: the first line of what is no sentence. Ways to reach them and such are passed over.
    signed: _Said | None = None
    for passed, (piece, alone) in enumerate(_from_the_end(lines)):
        if (signed and not alone) or passed > 9:
            break
        closed = _unclosed(piece)
        if name := _signed(closed, alone=alone, closed=closed != piece):
            signed = _Said(name, "at the end", piece)
        elif not _is_detail(piece) and (signed or not alone or len(piece) > 70 or piece[-1] in ".?!" or passed > 4):
            break
    return signed or _trailing(lines)


_ENDS_OPEN: Final = re.compile(
    r"(?!(?i:dear|annwyl|hi|hello|good|to|attn|flat|the|re)\b)[^\W\d_][^\W\d_'’]*(?: [^\W\d_A-Z][^\W\d_'’]*){0,4},$"
)
"""A few words and a comma on a line of their own: a closing, whatever its words and language."""


def _unclosed(piece: str) -> str:
    """It without the closing that it begins with."""
    found = _CLOSED.match(piece)
    return piece[found.end() :] if found else piece


def _from_the_end(lines: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Lines and the sentences in them, last first; and whether it is a line of its own among others."""
    for line in reversed(lines[-9:]):
        pieces = [piece for each in _SENTENCE_ENDS.split(line) if each and (piece := each.strip(" -–—"))]
        if len(pieces) > 1 or len(lines) > 1:
            for piece in reversed(pieces):
                yield piece, len(pieces) == 1


_TRAILING: Final = re.compile(rf"[a-z)!?.,] (?P<name>(?:{_TITLE})?{_GIVEN}(?: {_GIVEN}){{1,3}})[ x!]*$")


def _trailing(lines: Sequence[str]) -> _Said | None:
    """Two names or more that end the last line without a stop before them."""
    if lines and (found := _TRAILING.search(_bare(lines[-1])[-90:])) and (name := _trim(found["name"])) and " " in name:
        return _Said(name, "ends the text", found[0])
    if lines and (found := _AFTER_A_KISS.search(lines[-1][-60:])) and (name := _trim(found["name"])):
        return _Said(name, "ends the text", found[0])
    return None


_AFTER_A_KISS: Final = re.compile(
    rf"(?:\bx{{1,4}}|[\u2190-\u2bff\U0001f000-\U0001faff]) (?P<name>{_GIVEN}(?: {_GIVEN})?)[ x!]*$"
)
_DETAIL_WORDS: Final = frozenset(
    [
        "tel",
        "mob",
        "mobile",
        "phone",
        "ph",
        "email",
        "e-mail",
        "home",
        "work",
        "dob",
        "d.o.b",
        "ref",
        "case",
        "no",
        "number",
        "our",
        "your",
        "postcode",
        "thanks",
        "thank",
        "you",
        "ta",
        "cheers",
        "x",
        "xx",
        "xxx",
        "m",
        "t",
        "f",
        "h",
        "w",
        "p",
        "c",
        "en",
        "and",
        "or",
        "before",
        "after",
        "from",
        "anytime",
        "evenings",
        "mornings",
        "only",
        "best",
        "on",
        "am",
        "pm",
        "born",
        "age",
        "aged",
        "nhs",
        "text",
        "fax",
        "ext",
        "call",
        "please",
    ]
)


def _is_noise(line: str) -> bool:
    """Whether it is a notice, an aside or a mark that a mail ends with."""
    if _NOISE.match(line):
        return True
    if len(line) < 20:
        return False
    lower = line.lower()
    return any(each in lower for each in _DISCLAIMS)


def _is_detail(piece: str) -> bool:
    """Whether nothing but ways to reach somebody, dates, numbers and courtesies stands in it."""
    if _CLOSING.match(piece) or _is_noise(piece):
        return True
    rest = _bare(piece)
    return all(
        word.lower().strip(".,:;()|/-") in _DETAIL_WORDS or not any(map(str.isalpha, word)) or any(map(str.isdigit, word))
        for word in rest.split()
    ) or (len(piece) < 60 and bool(_NUMBERED.match(piece) or _POSTCODE.search(piece)))


def _signed(line: str, *, alone: bool = True, closed: bool = False) -> str | None:
    """The name that a line of a signature begins with."""
    rest = _unclosed(line) if len(line) < 200 else ""
    if "(" in rest:
        rest = _BRACKETED_TITLE.sub("", _RETIRED.sub("", rest))
    bare = _bare(rest).lstrip(" ,.;:-–—")
    if _SEVERAL.match(bare):
        return bare.strip(" .,")
    first = _POST_NOMINAL.sub("", _ROLE.split(bare, maxsplit=1)[0].strip(" .,-–—!*~"))
    if first and (first[-1] == "x" or not first[-1].isalnum()):
        first = _KISSES.sub("", first)
    if not first or len(first) > 60:
        return None
    after = rest[len(first) :]
    if not alone and sum(word.islower() and word.isalpha() for word in after.split()) > 4:
        return None
    if _NAME_LINE.fullmatch(first):
        name = _trim(first)
        return None if name and " " not in name and len(name) == 2 and name.isupper() else name
    lower = first.islower() and _LOWER_NAME.fullmatch(first) and line[-1] not in "?!"
    likely = closed or after.strip(" .!x") or (" " in first and alone) or not _NO_LOWER.search(first.split()[0])
    return _trim(first) if lower and likely else None


_SEVERAL: Final = re.compile(rf"(?:{_GIVEN}, )+{_GIVEN},? (?:and|&) {_GIVEN}(?: {_GIVEN})?$")
_POST_NOMINAL: Final = re.compile(r"(?<=[a-z])(?:,? (?:[A-Z]{2,}[a-z]?[A-Z]*|BSc|MBChB|BCh|PhD|Hons)\b)+$")
_NO_LOWER: Final = re.compile(r"(?:ful|able|ible|ing|ed|ous|ly|less|ness|ment|tion|ive|est|ism|ty|ish)$|^.{1,2}$|^.{13,}$")
_KISSES: Final = re.compile(r"(?: x{1,4}|[^\w.)'’]+)$")
_RETIRED: Final = re.compile(r"\(retd?\.?\) ")
_BRACKETED_TITLE: Final = re.compile(rf"^\({_TITLES}[^)]{{0,12}}\) ")


def _bare(line: str) -> str:
    """The end of a line, without phone, postcode, mail address, case reference or date."""
    line = line[-_LONGEST_END:]
    if "@" in line:
        line = _EMAIL.sub(" ", line)
    if _FIGURE.search(line):
        line = _PHONE.sub(" ", line)
        line = _POSTCODE.sub(" ", line)
        line = _BARE_DATE.sub(" ", line)
        line = _PRISONER.sub(" ", _CASE.sub(" ", line))
    line = line.rstrip()
    last = line[line.rfind(" ") + 1 :].lower().rstrip(".")
    if last.isalnum() and last not in _LEFT_OVER:
        return line.lstrip()
    return _ENDS_LEFT_OVER.sub("", line).strip()


_CASE: Final = re.compile(r"(?<![\w-])(?:ref\.? ?)?(?:P|C|EN) ?[-–]? ?[\dOIl](?:[ -]?[\dOIl]){5,6}(?!\w)", re.IGNORECASE)
_LEFT_OVER: Final = frozenset(
    [
        "tel",
        "mob",
        "mobile",
        "phone",
        "ph",
        "ref",
        "case",
        "no",
        "on",
        "re",
        "email",
        "dob",
        "born",
        "b",
        "text",
        "call",
        "number",
        "and",
        "or",
        "age",
        "aged",
        "ring",
        "at",
    ]
)
_LONGEST_END: Final = 300
_PRISONER: Final = re.compile(r"\b[A-Z]\d{4}[A-Z]{2}\b")
_ENDS_LEFT_OVER: Final = re.compile(
    r"(?:[\s,;:(|/-]|\b(?:tel|mob|mobile|phone|ph|ref|case|no|on|re|email|dob|d\.o\.b|born|b|text|call|number|and|or|age|aged|ring|at)\b\.?|\.(?=\s))+$",
    re.IGNORECASE,
)


def _trim(given: str, *, declared: bool = False) -> str | None:
    """A name without its title (kept where one word is all there is), brackets and closing marks; None where it is no name.

    What is ``declared`` to be a name may have words in it that are mostly none.
    """
    name = (_ASIDES.sub("", given) if "(" in given else given).strip(' ,;:-–—!\t"“”')
    if name.endswith((".", "x")) and not _ENDS_INITIAL.search(name):
        name = _ENDS_MARKED.sub("", name)
    title = _TITLE_FIRST.match(name)
    untitled = name[title.end() :] if title else name
    words = untitled.split()
    if (
        not words
        or len(words) > 5
        or len(name) > 60
        or any(any(mark.isdigit() or mark in "@£/_" for mark in word) for word in words)
    ):
        return None
    if not declared and any(
        _is_no_name(word) and not _also_a_name(at, words) for at, word in enumerate(words) if word not in ("and", "&")
    ):
        return None
    return untitled if len(words) > 1 or name == untitled else name


_ASIDES: Final = re.compile(r"\s?\([^)]{0,40}\)?")
_ENDS_INITIAL: Final = re.compile(r"(?:^|[ .])[A-Z]\.$")
_ENDS_MARKED: Final = re.compile(r"(?: x{1,3}|\.)$")
_TITLE_FIRST: Final = re.compile(_TITLE, re.IGNORECASE)


def _also_a_name(at: int, words: Sequence[str]) -> bool:
    """Whether a word that is mostly none is one where it stands: before a surname, or last behind a forename."""
    if len(words) < 2 or not words[at][0].isupper():
        return False
    return words[at].lower().strip(".,") in (_ALSO_FORENAMES if at == 0 else _ALSO_SURNAMES if at == len(words) - 1 else ())


def _is_no_name(word: str) -> bool:
    bare = word.strip(".,'’")
    if len(bare) == 1:
        return not bare.isupper() or word == "I"
    return word.endswith(("'s", "’s")) or bare.lower() in _NOT_NAMES


def _born(channel: str, text: str, name: _Said | None, others: _Said | None) -> _Said | None:
    """The writer's birth date; ``others`` is that of the person they write for."""
    if not _DATEISH.search(text):
        return None
    if any(each in text for each in _BIRTH):
        for found in _BORN.finditer(text):
            before = _before(text, found.start(), 60)
            if others and found["date"].strip() == others.value:
                continue
            if found["whose"] and not (channel == "telephone" and _is_the_caller(text, found["whose"])):
                continue
            if not _ONES_OWN.search(before) and not _SOMEBODY.search(re.split(r"[.\n]", before)[-1]):
                return _Said(found["date"].strip(), "said to be born", found[0])
    # A date with a year of birth that stands among the details.
    for found in _BARE_DATE.finditer(text):
        date = found["date"]
        if not _of_birth(date) or _SOMEBODY.search(_before(text, found.start(), 25).rsplit("\n", 1)[-1]):
            continue
        before, after = (
            _before(text, found.start(), 40).rstrip(" ,.;(|-\n"),
            text[found.end() :][:20].lstrip(" ,.;)|\n"),
        )
        ends = not after or bool(_DETAIL.match(after))
        follows = bool(_DETAIL_BEFORE.search(before)) or (name is not None and before.endswith(name.value.split()[-1]))
        if ends and follows:
            return _Said(date, "a date among the details", text[max(0, found.start() - 20) : found.end()])
    return None


def _is_the_caller(text: str, whose: str) -> bool:
    """Whether "hers" or "his" in the note of a call is the caller's, by the first title in it."""
    first = _GENDERED.search(text)
    return first is not None and whose.strip("()").lower() in (("his",) if first[1] == "Mr" else ("hers", "her"))


_GENDERED: Final = re.compile(r"\b(Mr|Mrs|Miss|Ms)\b")
_DATEISH: Final = re.compile(
    r"\d(?:[./ -]\d{1,2}[./ -]\d\d| ?(?:st|nd|rd|th)?(?: of)?[ -][A-Za-z]{3,9}\.?[,' -]{1,2}\d\d|(?:st|nd|rd|th)?,? \d{4})"
)
_ONES_OWN: Final = re.compile(r"[A-Z][\w-]+['’]s $")
_DETAIL: Final = re.compile(
    r"(?:[+(]?0\d|\+\d|[\w.+-]{1,40}@|[A-Z]{1,2}\d|\d{1,4} [A-Z]|(?:P|C|EN) ?-? ?\d|(?:tel|mob|ref|case|phone|email)\b)",
    re.IGNORECASE,
)
_DETAIL_BEFORE: Final = re.compile(r"(?:\d{5,}|\d{3}[ -]\d{3,6}|@[\w.-]+|\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2})$", re.IGNORECASE)


def _of_birth(date: str) -> bool:
    """Whether the year may be that of somebody who writes; of two figures, it is in the last century or before 2012."""
    found = _YEAR.search(date)
    if found is None:
        return False
    year = int(found[1] or found[2])
    return 1910 <= year <= 2014 or (year < 100 and not 13 <= year <= 29)


def _email(text: str, own: Sequence[str]) -> _Said | None:
    """The last address that is theirs; none in a report of what could not be delivered."""
    if _UNDELIVERED.search(text[:2_000]):
        return None
    words = "\n".join(own)
    theirs = [
        found[0]
        for found in _EMAIL.finditer(words)
        if canonical_email(found[0])
        and not _NOBODYS.match(found[0])
        and not _OTHERS_MAIL.search(_before(words, found.start(), 40))
    ]
    return _Said(theirs[-1], "mail address", theirs[-1]) if theirs else None


_OTHERS_MAIL: Final = re.compile(
    r"\b(?:his|her|their|your|old|hospital['’]?s?|surgery['’]?s?|trust['’]?s?|\bI (?:have )?(?:emailed|(?:wrote|written|sent (?:it|this|them)) to)|contact (?:the|our)|from: .{0,30}|to: .{0,30})(?: (?:e-?mail|address))?(?: is| was|:|,|<|\()*\s*[<(]?$",
    re.IGNORECASE,
)


def _phone(channel: str, text: str) -> _Said | None:
    """The last number that is theirs; in the note of a call, "her number" is the caller's where no other is given."""
    given: list[_Said] = []
    spoken_of: _Said | None = None
    for found in _PHONE.finditer(text):
        before = _before(text, found.start(), 40)
        number = found[0].strip()
        if _NOT_A_PHONE.search(before) or canonical_phone(number) is None:
            continue
        if _THEIRS.search(before):
            if channel == "telephone" and _THE_OTHERS.search(before):
                spoken_of = _Said(number, "their number", f"{before[-25:]}{found[0]}")
            continue
        if number.startswith("(") and number.count("(") != number.count(")"):
            number = number.lstrip("(").rstrip(")")
        given.append(_Said(number, "telephone number", f"{before[-25:]}{found[0]}"))
        if len(given) > 4:
            break
    return given[-1] if given else spoken_of


def _postcode(text: str) -> _Said | None:
    behind = 0
    for found in _POSTCODE.finditer(text):
        before = _before(text, found.start(), 90)
        if behind and _OURS_NOW.search(between := text[max(behind, found.start() - 90) : found.start()]):
            before = between
        behind = found.end()
        if canonical_postcode(found[1]) is None or _OF_ANOTHER.search(before):
            continue
        if (
            found[1] != found[1].upper()
            and not re.search(r"\b(?:post ?code|address)\b", before, re.IGNORECASE)
            and not text[found.end() :].strip()
        ):
            continue
        return _Said(found[1], "postcode", f"{before[-30:]}{found[1]}")
    return None


def _address(own: Sequence[str], form: Mapping[str, str], postcode: _Said | None, name: _Said | None) -> _Said | None:
    """The postal address as written, its lines apart by commas: what leads up to the postcode, or a line that begins as one does."""
    for label in ("address", "your address", "home address", "postal address", "cyfeiriad"):
        if form.get(label):
            given = form[label].strip(" ,.")
            whole = given if not postcode or postcode.value in given else f"{given}, {postcode.value}"
            return _Said(whole, "form field", form[label])
    if postcode:
        index = next((index for index, line in enumerate(own) if postcode.value in line), None)
        if index is None:
            return None
        parts = _parts_before(own[index][: own[index].find(postcode.value)], name)
        begins = own[index].startswith(parts[0]) if parts else own[index].startswith(postcode.value)
        if not begins and len(parts) == 1 and not _FIGURE.search(parts[0]) and not _STREET.search(parts[0]):
            return None
        above = index - 1
        while begins and above >= 0 and len(parts) < 6 and _is_part(own[above], name):
            parts[:0] = [each.strip() for each in own[above].split(",") if each.strip()]
            above -= 1
        if not parts:
            return None
        return _Said(", ".join([*parts, postcode.value]), "up to the postcode", ", ".join(parts))
    for index, line in enumerate(own[:4]):
        if _NUMBERED.match(line) and _STREET.search(line) and len(line) < 70 and line[-1] not in ".?!":
            parts = [each.strip() for each in line.split(",") if each.strip()]
            for below in own[index + 1 : index + 5]:
                if not _is_part(below, name):
                    break
                parts += [each.strip() for each in below.split(",") if each.strip()]
            return _Said(", ".join(parts), "above the letter", line)
    return None


_ENDS_ADDRESS: Final = re.compile(
    rf"\b(?:{_MONTH} \d{{2,4}}|\d{{1,2}}(?:st|nd|rd|th)|(?:mon|tues|wednes|thurs|fri|satur|sun)day|dear|our ref|your ref|ref|re)\b",
    re.IGNORECASE,
)


def _parts_before(line: str, name: _Said | None) -> list[str]:
    """The parts of a line that lead up to its postcode, back to where the sentence or the name before them ends."""
    rest = line.rstrip(" ,.-–—")
    if name and name.value in rest:
        rest = rest[rest.rfind(name.value) + len(name.value) :].lstrip(" ,.)-–—")
    rest = re.split(
        r"[.!?:;|](?<!St\.) |\s[-–—]\s|\b(?:[Aa]ddress(?: is| now)?|live at|lives at|moved to|living at|[Ff]rom) ", rest
    )[-1]
    parts = [each.strip() for each in rest.split(",")]
    kept: list[str] = []
    for part in reversed(parts):
        if not part or not _looks_like_a_part(part):
            if tail := _NUMBERED_END.search(part):
                kept.insert(0, tail[0])
            break
        kept.insert(0, part)
        if _NUMBERED.match(part) and not (
            len(kept) < len(parts) and re.match(r"(?i)flat|room|unit", parts[len(parts) - len(kept) - 1])
        ):
            break
    return kept


_NUMBERED_END: Final = re.compile(r"(?<![\w.,/-])\d{1,4}[A-Za-z]? [A-Z][\w'’-]+(?: [A-Z][\w'’-]+){0,3}$")
_NO_PART: Final = re.compile(
    r"(?:tel|mob|mobile|phone|dob|d\.o\.b|born|postcode|post code|pc|address|ref|email|no|annwyl|dear|age|aged)\b",
    re.IGNORECASE,
)


def _is_part(line: str, name: _Said | None) -> bool:
    """Whether a line is one of an address and nothing else."""
    if (
        len(line) > 70
        or line[-1:] in ".?!:"
        or (name and name.value in line)
        or _CLOSING.match(line)
        or _ENDS_ADDRESS.search(line)
    ):
        return False
    return all(_looks_like_a_part(each.strip()) for each in line.split(",") if each.strip()) and not _PHONE.search(line)


def _looks_like_a_part(part: str) -> bool:
    words = part.split()
    if (
        not words
        or len(words) > 6
        or len(part) > _LONGEST_PART
        or "@" in part
        or _FULL_TITLE.match(part)
        or _NO_PART.match(part)
    ):
        return False
    if _PHONE.search(part) or _BARE_DATE.search(part):
        return False
    plain = [
        word
        for word in words
        if word[0].islower() and word not in ("y", "yr", "the", "on", "of", "upon", "le", "in", "by", "under", "and", "next")
    ]
    return not plain or (bool(_NUMBERED.match(part)) and bool(_STREET.search(part)))


_FULL_TITLE: Final = re.compile(rf"{_TITLE}")


def _represented(text: str, writes_for: bool) -> _Said | None:
    """The name of the person they write for; only looked for where they say that they write for somebody."""
    if not writes_for:
        return None
    beginning = text[:20_000]
    for found in _WHOSE.finditer(beginning):
        if name := _trim(found["name"]):
            return _Said(name, "says whose they are", found[0])
    for begun in _BEGINS_FOR.finditer(beginning):
        found = _FOR_WHOM.match(beginning, begun.start()) or _NAMED_NEXT.match(beginning, begun.end())
        if found and found["name"] and (name := _trim(found["name"])) and len(name) > 2 and not _ORGANISATION.search(name):
            return _Said(name, "whom they write for", beginning[begun.start() : found.end()])
    if (found := _FOR_AT_THE_END.search(beginning)) and (name := _trim(found["name"])) and not _ORGANISATION.search(name):
        return _Said(name, "signed for", found[0])
    return None


_NAMED_NEXT: Final = re.compile(
    rf"(?:,? (?:\([^)]{{0,30}}\)|who is \w+|aged? \d+)|['’]s)?[.,:( ]{{1,3}}(?:the late |a |my |our )?(?:(?i:{_RELATION})[,:]? )?(?P<name>{_FULL})(?!\w)"
)
_ORGANISATION: Final = re.compile(
    r"(?i)\b(?:llp|solicitors|trust|hospital|surgery|department|council|alliance|association|parliament)\b"
)


def _of_the_other(text: str, name: _Said | None) -> dict[str, _Said]:
    """What the words give of the person represented."""
    told = {"name": name} if name else {}
    for found in _BORN.finditer(text):
        before = re.split(r"\n|\. ", _before(text, found.start(), 60))[-1]
        near = name is not None and name.value.split()[-1] in before
        if found["whose"] or _SOMEBODY.search(before) or near:
            told["date_of_birth"] = _Said(found["date"].strip(), "said to be born", found[0])
            break
    for found in _PHONE.finditer(text):
        before = _before(text, found.start(), 40)
        if _THE_OTHERS.search(before) and canonical_phone(found[0]):
            told["phone"] = _Said(found[0].strip(), "their number", f"{before[-25:]}{found[0]}")
            break
    return told
