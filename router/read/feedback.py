"""What feedback on us says: its type, the review criteria it gives grounds for, promises said broken, earlier contact, key points.

Each sentence is weighed by a linear model over its words and over the rows of the tables here that it hits; the tables say what we
know, the model how much each counts (tests/router/read/train_feedback.py). So each finding stands on a sentence.
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import exp, log
from typing import Final, Literal, NamedTuple

from router.read.linear import Linear, together
from router.read.phrases import Found, Row, Table
from router.read.reading import Fact
from router.read.sentences import Sentence, plain, spoken

FeedbackType = Literal["service", "decision", "mixed", "praise", "suggestion"]

_GUIDE: Final = "labelling guide: feedback_type"
FEEDBACK: Final = (
    # -- service: delay, manner, being kept informed, a broken promise
    Row("delay", "service", _GUIDE, (
        "{you} .. sat|sitting|sit on",
        "{you} .. taken|took|taking|take .. {time}|forever|ages|so_long|too_long|long_enough",
        "kept|keep|keeping|left me|us waiting|hanging|in_the_dark",
        "still waiting|no_reply|no_answer|not_heard|nothing|no_news|havent_heard", "been waiting",
        ("waiting since|for|over ... "
        "{time}|january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|aug|sept|"
        "oct|nov|dec|your|you|a|an|any"), "how much longer|more", "how long do|does|must|am ... wait|expect|have_to",
        "this waiting", "waited|waiting .. {time} .. for|to|and",
        "took|taken forever|ages|so_long|too_long|months|years|over", "{time} .. and .. still|nothing|no",
        "explanation for the delay", "delay|delays|slow|slowness|backlog", "chase|chased|chasing|chase_you",
        "should not take|have_taken", "too long", "hurry up", "nothing .. happening|happened", "where is my",
        "wedi aros|disgwyl", "dal i aros|ddisgwyl", "on hold", "hung on for",
        "minutes on|in the|your|hold|a phone|line|queue",
    ), where="any"),
    Row("not-answered", "service", _GUIDE, (
        ("{nobody} .. {ring}|answer|answers|answered|reply|replied|replies|respond|responds|responded|tell|tells|told|"
        "explain|explained|acknowledge|acknowledged|got_back|gets_back|come_back|wrote|writes|bother|bothers|bothered|"
        "picks|pick|listen|listens|listened|knows|knew|seems|seemed|mentioned|read|informed|contacted|let_me_know"),
        ("no|not .. reply|answer|response|acknowledgement|call_back|callback|word|contact|news|update|updates|explanation "
        ".. from|to|since|at_all|yet|after|in|either"),
        ("not|never|have_not .. "
        "heard|had_a_reply|had_an_answer|had_any|replied|answered|responded|acknowledged|rung|phoned|called_back|"
        "called_me|returned"), "heard nothing|not_a_thing|not_one_word|sod_all|nowt", "not one word|reply|call|letter",
        "ignored|ignoring|ignore|ignores|fobbed_off|passed_around|passed_from|messed_about|pillar_to_post|fobbing",
        "passed from", "did not ring|call|phone|reply|answer|respond|get_back|bother|return|turn_up|tell",
        "not .. bothered to|acknowledged", "been told nothing|different",
        "left|leave|leaving .. message|messages|voicemail|voicemails .. no|nothing|nobody|not|times",
        ("lost|mislaid|misplaced my|the|our|all .. "
        "letter|documents|form|papers|file|evidence|email|complaint|notes|certificate|forms"),
        "neb .. ateb|ffonio|dweud|cysylltu", "heb glywed|gael ateb|unrhyw", "dim ateb",
    )),
    Row("promise", "service", _GUIDE, (
        "promise*",
        ("said|told|assured|agreed|guaranteed .. would|you_will|will|you_would .. "
        "{ring}|be|have|get|hear|write|reply|send|email|within|by|let|keep|come|update|respond|ring_back"),
        "told me|us .. within|by|every|around|few_more|about ... {time}",
        "when they|you|he|she said they|you|he|she would",
        "you .. said|told .. {time}|friday|monday|tuesday|wednesday|thursday", "had said they would|by_end",
        "keep|kept|keeping .. word|promise", "addo|wedi_addo",
    )),
    Row("manner", "service", _GUIDE, (
        ("rude|rudeness|abrupt|dismissive|patronising|patronised|condescending|sarcastic|cold|unhelpful|unprofessional|"
        "disrespectful|offhand|off_hand|curt|snapped|laughed|sighed|shouted|hung_up|hung_the_phone|put_the_phone_down|"
        "cut_me_off|talked_over|talked_down|spoke_down|spoken_to_like|spoke_to_me|tone|attitude|interrupted|short_with|"
        "snotty|uncaring|heartless|insensitive"), "made me|us feel|cry|repeat", "treated me|us", "copy and paste|pasted",
        "do not care", "not .. care|interested|helpful|listen|listening|professional|polite",
        ("useless|incompetent|incompetence|shambles|shambolic|joke|disgrace|disgraceful|appalling|pathetic|hopeless|"
        "terrible|awful|poor|disappointed|disappointing|not_good_enough|unacceptable|rubbish|diabolical|waste_of_time|"
        "dreadful|atrocious|letdown|let_down|fed_up|frustrated|frustrating|sick_of|had_enough"),
        "anghwrtais|anfodlon|siomedig",
    )),
    Row("adjustment-ignored", "service", _GUIDE, (
        ("i|we|have|had asked|told|said|requested|explained .. "
        "large_print|email_only|not_to_phone|not_to_ring|braille|welsh|easy_read|phone|letter|interpreter|print|audio"),
        ("letter|letters|reply|report|it|you|form .. in|came_in|was_in|wrote_in|sent .. ordinary|normal|small|tiny|english "
        "print|only|again"), "despite|even_though|after asking|telling|i|having|being|repeatedly",
        "wrong address|name|email|person|number|spelling", "sent .. wrong|somebody_else|someone_else|another_person",
        "spelt|spelled .. wrong", "respected|respecting",
        "timed out|times_out|crashed|crash|would_not_load|not_working|broken|does_not_work",
        "change* investigator|caseworker|caseworkers|investigators",
        "third|fourth|fifth|three|four|different|new investigator|caseworker|investigators|caseworkers|person|people",
        "moved teams|left_the_organisation", "data breach|privacy",
    )),
    # -- decision: disagrees with an outcome
    Row("disagrees", "decision", _GUIDE, (
        "not|do_not|never|cannot|can_not|will_not .. agree|accept|accepting|agreed|accepted",
        "disagree*|dispute*|challenge|challenging|object|contest|appeal|appealing",
        ("{decision} .. wrong|flawed|unfair|unjust|incorrect|mistaken|biased|perverse|irrational|nonsense|joke|disgrace|"
        "whitewash|cannot|can_not|based|rests|built|proceeds|made_on|relied|ignore*|fails|failed|does_not|did_not|says|"
        "states|say|was|is_not"), "wrong|flawed|unfair|unjust|biased|whitewash|incorrect|mistaken .. {decision}",
        "you|your|ombudsman|report|have .. found|decided|concluded|find|conclude|ruled|determined|say|said|state|believed",
        "not|did_not|have_not .. uphold|upheld|upholding",
        "no failings|failing|fault|maladministration|injustice|wrong|evidence_of|service_failure|failure",
        "partly|partially upheld|uphold",
        ("whitewash|cover_up|coverup|took_their_side|takes_their_side|sided|one_sided|biased|their_word|believed_them|"
        "rubber_stamp*"), "review .. {decision}|my_case|case|complaint",
        "{decision} .. review|reviewed|reconsider*|looked_at|again|reopen*",
        ("reopen*|re_open*|reconsider*|overturn*|look_again|look_at_it_again|looked_at_again|second_look|ailystyried|"
        "anghytuno|think_again"), "want|request|requesting|ask|asking|apply|application .. review",
        "do .. again properly", "your final? {decision}", "your|the final {decision}",
        "paragraph|para|page .. says|states|wrong|you", "penderfyniad .. anghywir|annheg|eich", "anghytuno",
        "how can|could you .. say|find|decide|conclude", "nothing wrong", "case .. closed", "closed my case|complaint",
    ), unless=(
        "draft|provisional",
    )),
    # -- praise
    Row("thanks", "praise", _GUIDE, (
        ("thank|thanks|thankyou you? .. "
        "{staff}|for_your|for_all|so_much|lady|man|woman|gentleman|lad|girl|to|very_much|everyone|mr|mrs|ms|miss"),
        "say|saying|pass|send .. thank|thanks|thankyou|gratitude|appreciation",
        "grateful|gratitude|appreciate|appreciated|appreciation|appreciative",
        ("praise|compliment|compliments|commend|commendation|credit|hats_off|kudos|well_done|brilliant|fantastic|excellent|"
        "wonderful|superb|outstanding|first_class|amazing|lovely|marvellous|exemplary|impressed|five_stars|5_stars|star|"
        "top_class|great_service|great_job|good_work|spot_on|cracking|ace|diamond|legend"),
        ("so|very|really|extremely|incredibly|most "
        "kind|helpful|patient|clear|quick|thorough|professional|caring|understanding|polite|good|lovely|sympathetic|"
        "courteous"),
        ("kind|kindness|helpful|patient|patience|courteous|professional|compassionate|compassion|sensitive|understanding|"
        "empathy|empathetic|listened"), "went|gone|go above|out_of|the_extra|to_some_trouble",
        ("could not|cannot|can_not .. have_been|have_asked|fault|praise|thank|speak .. "
        "more|nicer|kinder|better|enough|highly|him|her"),
        "made .. difference|easier|feel .. heard|better|listened|human|stupid", "restored|renewed my",
        "keep up the good", "diolch .. eich|am|yn_fawr|o_galon", "caredig|ardderchog|gwych|bendigedig", "took the time",
        "put .. mind at rest|ease",
    )),
    # -- suggestion
    Row("suggests", "suggestion", _GUIDE, (
        "suggest|suggestion|suggestions|suggesting|propose|proposal|recommend|idea|ideas|awgrym|awgrymu",
        ("could|can|why_do_not|why_not|should|might|would_you|may you|the|your ... "
        "have|add|put|send|make|offer|include|provide|consider|let|allow|use|print|show|give|try"),
        "would|might|it_would|it_might be|help|is .. good|useful|helpful|easier|nice|better|handy|great .. if|to|for|idea",
        "if you|your .. could|would|had|put|added|made|sent", "why not", "have you thought|considered",
        "one thing that would", "may i", "needs|need|ought|wants to|a be|have|bigger|clearer|warning|option",
        "you should|ought|need have|add|put|send|make|offer|include|consider|let|allow|use",
        "make it|your|the .. easier|clearer|bigger|simpler", "improve|improvement|improvements", "would save",
        "save .. come_back",
    ), unless=(
        "if you could .. help|ring|call|let|look|tell|send_me|advise",
        "could you .. please|help|tell|ring|look|call|let_me|advise|send_me|review",
        "can you .. help|tell|ring|look|please|send_me",
    )),
)  # fmt: skip

_CRITERIA_SOURCE: Final = "the ombudsman's review form; labelling guide 7"
CRITERIA: Final = (
    Row("wrong-facts", "inaccurate_facts", _CRITERIA_SOURCE, (
        "error|errors|mistake|mistakes|inaccura* .. fact|facts|date|dates|factual|report|decision|findings",
        "factual* error|errors|wrong|incorrect|inaccura*|mistake*",
        "facts are|were|is|was|you|used|wrong ... wrong|incorrect|not|inaccurate|relied",
        ("wrong|incorrect|inaccurate|mistaken|false|untrue .. "
        "date|dates|facts|time|times|name|ward|hospital|medication|dose|age|person|figures|clock|year|consultant|"
        "information|doctor|address|amount"),
        ("date|dates|facts|time|times|dose|figures|year|ward|amount|paragraph|name|age ... "
        "wrong|incorrect|inaccurate|untrue|false"), "not true|correct|accurate|right|what_happened|the_case",
        "untrue|inaccurate|incorrect|false|factually",
        "based on|built_on|rests_on|proceeds_on|relied_on|relies_on .. wrong|false|incorrect|inaccurate|mistake|error|a",
        ("never|did_not did|said|had|was|were|declined|refused|told|signed|attended|agreed|happened|missed|she|he|i|they|"
        "received|did_so"), "that never happened", "she|he|i|they|we|it|you|there was|were|did|could|had|is not",
        "you say|said|state|stated|wrote|written|have_written|claim|recorded ... never|in_fact|actually|wrong",
        "misquoted|misstate*|mixed_up|confused_with|mistaken_for", "anghywir|gwallau|gwall",
    )),
    Row("new-evidence", "new_information", _CRITERIA_SOURCE, (
        ("new|fresh|further|additional "
        "evidence|information|material|document|documents|witness|facts|report|records|medical|letter|proof|statement"),
        ("not|was_not|were_not available|have_had|had|seen|known|have_known|aware|have_it ... "
        "before|then|when|at_the_time|until|till|time|sooner|earlier"),
        ("since|after your|the|then|that .. decision|report|findings|closed ... "
        "come|found|received|got|obtained|released|told|written|wrote|emerged|sent|out|admitted"),
        ("only|just|recently|now|finally "
        "got|received|come_to_light|obtained|found|been_given|been_sent|released|arrived|discovered|has|had|have|came"),
        "come|came|coming to|into light|my_possession", "subject access",
        "nobody|no_one|could_not|i_could could|have known|had|have|seen ... when|then|before|sooner|until",
        "wrote to me out",
        "has|have now|since|just|recently admitted|confirmed|come_forward|given|told|written|released|found",
        "released to me", "did not have|exist .. then|before|at_the_time|until", "tystiolaeth|gwybodaeth newydd",
    )),
    Row("overlooked", "overlooked_information", _CRITERIA_SOURCE, (
        ("overlook*|disregard*|misunderst*|ignored|ignore|missed|omitted|left_out|not_considered|misread|misconstrued|"
        "misinterpreted"),
        ("not|never|did_not|have_not|havent|has_not|was_not|were_not|failed_to|nowhere|without .. "
        "read|consider*|look|looked|mention*|address*|take_into|taken_into|taken_account|understood|acknowledge*|seen|"
        "included|refer*|considered|answer|weigh*|dealt_with"), "mentioned|referred nowhere|to_nowhere",
        "are|is mentioned|referred nowhere",
        ("i|we gave|sent|supplied|provided|submitted|enclosed|posted|emailed|uploaded|handed ... "
        "you|your|them|ago|copies|statements|report|notes|records|letters|photographs|evidence"),
        ("you|your .. have|had|were_given|were_sent|hold|held|received .. "
        "it|evidence|already|all|them|proof|copies|records|letter|notes|report|statement"),
        "no evidence|record|proof ... you|sent|gave|supplied|provided|have", "absent|missing from",
        "read the|my .. notes|evidence|records|letter|report",
        "half|most|part|parts|one of my|the|what .. complaint|questions|points|evidence",
        "does|did not .. answer|address|deal|cover|mention|include", "take|taken into account",
        "key|important|vital|crucial evidence|witness|document|point|points|part",
        "anwybyddu|heb_ystyried|heb_ddarllen|heb ystyried|ddarllen|sylwi",
    )),
)  # fmt: skip

_BEFORE_SOURCE: Final = "labelling guide: contacted_before"
# What is quoted of a decision that saw no evidence: by itself it shows nothing, and what stands beside it does.
CLAIMS: Final = (
    Row("says-no-evidence", "no-evidence", _CRITERIA_SOURCE, (
        "no|nothing|not_any|lack_of|without .. evidence|record|records|proof|papers|file|notes|documents|documented|documentation",
        "nothing to|in .. suggest|show|indicate|support|tell", "not|nothing|never .. seen|see|find|found any|evidence",
        "did_not|not|never .. provide|provided|supply|send|mention|mentioned", "no_evidence|no_record|no_proof|no_mention|dim_tystiolaeth",
    )),
    Row("says-of-paper", "paper", _CRITERIA_SOURCE, (
        "page|para|paragraph|section|line|annex|tab 0|1|2|3|4|5|6|7|8|9|10|11|12|13|14|15|16|17|18|19|20|21|22|23|24|25|26|27|28|29|30|31|32|33|44",
        "you|report|decision|letter|it say|says|said|state|states|stated|wrote|write|put|claim|claims|quote|quoted|recorded|have_written|got_me|have_me",
    )),
    Row("was-not-so", "denial", _CRITERIA_SOURCE, (
        "she|he|i|they|we|it|there|that was|were|did|had|is|never|have not|never|no", "i|she|he|we|they was|were in|at|on|under|there|unconscious|asleep|already",
        "not|never x|y|but", "it was|is .. not", "wrong way|leg|date|person|patient|name|hospital|ward|side|year|man|woman|child|mr|mrs",
    )),
)  # fmt: skip

CONTACT: Final = (
    Row("first-time", "false", _BEFORE_SOURCE, (
        ("first|1st time|contact ... "
        "contact*|rang|ringing|writing|written|you|used|complain*|ombudsman|speaking|calling|done"),
        ("never|not|have_not|havent|had_not "
        "contacted|rang|rung|called|phoned|written|dealt|emailed|complained|been_in_touch|spoken|used|done ... "
        "you|before|ombudsman|this|us|anything|here"), "no earlier|previous|prior contact", "contacted us before no",
        "this is my first", "not .. contacted .. before", "first contact", "first time contacting|caller|calling",
        "pierwszy kontakt|raz", "tro|y_tro cyntaf", "new caller|to_this|here",
    ), unless=(
        "never|not .. rang|called|phoned|replied|answered me|us|back",
        "first time .. told|said|hospital|rang_and|young",
    )),
    Row("wrote-before", "true", _BEFORE_SOURCE, (
        ("i|we|ive|my_wife|my_husband|caller|she|he have|had? just|already|also|only? "
        "{ring}|emailed|written|wrote|rung|spoken|spoke|contacted|asked|told|sent|gave|given|chased|supplied|complained|"
        "messaged|texted|provided|submitted|explained|queried|said|telephoned|write .. "
        "you|your|ombudsman|ombudsmancare|{ours}|to_you"), "the|a lady|man|person i dealt|spoke with|to",
        "has|had|have rung|rang|called|written|phoned x2|x3|x4|twice|three|several|many|again",
        "spoke|spoken|talked|speaking to|with .. you|your|ombudsman|{ours}|lady_on|man_on|your_phones",
        ("your|the_ombudsman last|recent|previous|earlier? "
        "letter|reply|email|acknowledgement|response|call|message|note|answer|officer|clerk|adviser .. "
        "of|dated|said|says|told|was|to_me|on|came|rang|telephoned|wrote|acknowledged|which|never|in|has|have"),
        ("you|ombudsman|ombudsmancare|someone_from_your|somebody_from_your|your_team|your_officer|your_investigator "
        "have|had|all|then|just|only? "
        "told|promised|said|rang|phoned|called|wrote|replied|emailed|asked|acknowledged|cancelled|kept|assured|advised "
        "me|us|that|back|my|to|for|2|3|two|three|i|the"), "sent you|your", "gave you|your",
        "told you|your_officer|your_investigator", "me again", "hi its .. again",
        "writing|write|ringing|ring|emailing|calling again", "still waiting .. reply|hear|answer|response|you|told",
        "rang feb|twice|several|three|four|again|in|on|and", "cancelled .. calls",
        "kept ringing|calling|chasing|waiting", "chase|chased|chasing", "calls i have",
        ("my|the last|first|second|third|previous|earlier|other letter|email|text|call|message|form .. "
        "to|was|of|i_sent|you|went"), "2nd|3rd|4th|5th|second|third|fourth|fifth|nth text|email|letter|call|message",
        "as i said|told|explained|mentioned", "asked for .. review",
        "further to my|our|your_letter|your_email|your_call",
        "our|my conversation|phone_call|telephone_conversation|discussion",
        "following our|my|your call|conversation|discussion", "it took you",
        "i|she|he was|were|am|had|have|been? told|promised .. you|by|would|i_would|around|someone_will|somebody_will",
        "on .. your phones|phone_line|helpline", "your phones|helpline|line .. this_morning|today|yesterday",
        "passed .. round|around", "rang|phoned|called me|her|him back",
        "when i|we {ring}|phoned|emailed|wrote|complained|spoke ... you|your|answer|told|nobody|queried", "i queried",
        "she|he rang .. when she|he",
    ), unless=(
        ("rang|told|asked|wrote_to|complained_to|written_to|sent|gave|contacted|spoke_to|called|phoned the|my|our? "
        "{they}|pals|999|111|them|dwp|hmrc|dvla|mp|ambulance"),
        "never|not|first .. contacted|rang|written|dealt ... before",
        "{they}|dwp|hmrc|dvla|pals|ambulance .. told|said|rang|promised|asked|wrote|again",
        "was|were|am told .. {they}|you_might|you_are|anaesthetist|nurse|by", "told you|sent_you .. would",
    )),
)  # fmt: skip

SAID_OF_US: Final = Table(FEEDBACK)
_CRITERIA: Final = Table(CRITERIA)
_CLAIMS: Final = Table(CLAIMS)
_CONTACT: Final = Table(CONTACT)
_SOURCES: Final = frozenset({_GUIDE, _CRITERIA_SOURCE, _BEFORE_SOURCE, "labelling guide: remedy_sought"})

MODEL: Linear = Linear("feedback.json")
_AT: Final = {label: at for at, label in enumerate(MODEL.labels)}
_DIGITS: Final = re.compile(r"\d+")
_NUMBERED: Final = frozenset("0123456789")


class Weighed(NamedTuple):
    """A sentence with the weight of each label for it, in natural logarithms of odds."""

    sentence: Sentence
    weights: Sequence[float]
    traits: Sequence[str]
    weight: int  # of the traits in all models together

    def shows(self, label: str) -> float:
        """How much the sentence speaks for it; above nothing it is more likely than not."""
        return self.weights[_AT[label]]


def traits(lines: Sequence[Sentence], found: Found) -> list[list[str]]:
    """What in each sentence may count: words, pairs of words, how longer words begin, and the rows it hits."""
    return [has for _, has, _ in _taken_apart(lines, found)]


def weigh(lines: Sequence[Sentence], found: Found) -> tuple[Weighed, ...]:
    """Each sentence, weighed."""
    return tuple(Weighed(line, MODEL.weigh(weight), has, weight) for line, has, weight in _taken_apart(lines, found))


def _taken_apart(lines: Sequence[Sentence], found: Found) -> Iterator[tuple[Sentence, list[str], int]]:
    """Each sentence with its traits and their weight."""
    rows: dict[int, dict[str, None]] = {}
    for hits in found.values():
        for hit in hits:
            if hit.row.source in _SOURCES:
                rows.setdefault(id(hit.sentence), {})[f"row {hit.row.name}"] = None
    for line in lines:
        has, weight = line.spoken, line.weight
        if _NUMBERED.intersection(line.plain) or not line.plain.isascii():
            has = spoken(_DIGITS.sub("0", line.plain))
            weight = together(has)
        beside = [*rows.get(id(line), ())]
        if line.question:
            beside.append("?")
        if line.from_subject and "subject" not in has:
            beside.append("subject")
        yield line, [*has, *beside], weight + together(beside)


def pairs(each: Sequence[Sequence[str]]) -> list[list[str]]:
    """The traits of each two sentences that follow one another: "You say that I agreed. I was unconscious." shows it only together."""
    return [list(dict.fromkeys((*one, *two))) for one, two in itertools.pairwise(each)]


def _weigh_pairs(told: Sequence[Weighed]) -> list[list[float]]:
    """By label each two of them: what both have counts once."""
    return [
        MODEL.weigh(one.weight + two.weight - together(set(one.traits).intersection(two.traits)))
        for one, two in itertools.pairwise(told)
    ]


_CRITERIA_ORDER: Final = tuple(row.gives for row in CRITERIA)
_KINDS: Final[Sequence[FeedbackType]] = ("service", "decision", "praise", "suggestion")
# What a weight must be for the label to be given, where it did best on writers that the model had not seen.
_CRITERION: Final = {"inaccurate_facts": 0.0, "new_information": 1.0, "overlooked_information": 0.25}
# What tells of a decision overlooking something sounds as if its facts were wrong too: so much of that weight is not theirs.
_SOUNDS_WRONG: Final = 0.5
_PLAINLY_WRONG, _PLAINLY_SEEN = 1.0, -2.0  # but where a sentence tells of wrong facts alone
_NOT_OF_A_DECISION: Final = 1.0  # how much more it must weigh where most of it is about our service
_NOT_SURELY_FEEDBACK: Final = 1.5  # and where it is not known to be feedback
_EARLIER: Final[Mapping[str | None, float]] = {
    "service": -3.0, "mixed": -2.5, "praise": -3.0, "decision": 0.0, "suggestion": 9.0, "investigators": 0.75, "review": -0.25, "intake": 2.0,
}  # fmt: skip
_FIRST: Final = -0.5
_BOTH: Final = -0.1  # for either, the logarithm of how many sentences show it
_ALIKE: Final = 0.7
_PROMISE: Final = -0.25
_REMEDY: Final = 0.58  # the sum of the sentences' chances


def feedback_type(told: Sequence[Weighed], *, hints: Iterable[str] = ()) -> tuple[FeedbackType, tuple[Fact, ...]]:
    """Which type of feedback it is, given that it is feedback. Praise with a real criticism takes the criticism's label."""
    weights = {kind: log(_chances(told, kind) + 1e-6) for kind in _KINDS}
    for hint in hints:
        weights[hint] += 0.5
    chosen = _chosen(weights)
    kinds: Iterable[str] = ("service", "decision") if chosen == "mixed" else (chosen,)
    return chosen, tuple(
        Fact("feedback_type", kind, MODEL.version, best.sentence.text[:200])
        for kind in kinds
        if (best := _best(told, kind)) and best.shows(kind) > 0.0
    )


def _best(told: Sequence[Weighed], label: str) -> Weighed | None:
    """The sentence that shows it best."""
    at = _AT[label]
    return max(told, key=lambda each: each.weights[at], default=None)


def _chances(told: Sequence[Weighed], label: str) -> float:
    """How many of the sentences show it, each by its chance."""
    at = _AT[label]
    return sum([1.0 / (1.0 + exp(-each.weights[at])) for each in told])


def _chosen(weights: Mapping[str, float]) -> FeedbackType:
    service, decision = weights["service"], weights["decision"]
    criticism = max(service, decision)
    if weights["suggestion"] > criticism and weights["suggestion"] >= weights["praise"]:
        return "suggestion"
    if weights["praise"] > criticism:
        return "praise"
    if min(service, decision) > _BOTH and abs(service - decision) < _ALIKE:
        return "mixed"
    return "service" if service > decision else "decision"


def review_criteria(told: Sequence[Weighed], kind: FeedbackType | None) -> tuple[tuple[tuple[str, str], ...], tuple[Fact, ...]]:
    """The criteria a request for review gives grounds for, each with the sentence that shows it best.

    ``kind`` is the type of feedback, or None where it may be none.
    """
    weights = [*(each.weights for each in told), *_weigh_pairs(told)]
    least = {None: _NOT_SURELY_FEEDBACK, "decision": 0.0, "mixed": 0.0}.get(kind, _NOT_OF_A_DECISION)
    overlooked = _AT["overlooked_information"]
    sounds_wrong = _SOUNDS_WRONG * max((each[overlooked] for each in weights), default=0.0)
    found: dict[str, tuple[float, str]] = {}
    for criterion in _CRITERIA_ORDER if told else ():
        at = _AT[criterion]
        place = max(range(len(weights)), key=lambda each: weights[each][at])
        weight = weights[place][at]
        alone = any(each[at] > _PLAINLY_WRONG and each[overlooked] < _PLAINLY_SEEN for each in weights)
        if criterion == "inaccurate_facts" and not alone:
            weight -= max(0.0, sounds_wrong)
        best = told[place] if place < len(told) else _best(told[place - len(told) : place - len(told) + 2], criterion)
        found[criterion] = (weight, best.sentence.text if best else "")
    shown = tuple((name, words) for name, (weight, words) in found.items() if weight - least > _CRITERION[name])
    return shown, tuple(Fact("review_criteria", name, MODEL.version, words[:300]) for name, words in shown)


def contacted_before(
    told: Sequence[Weighed], form: Mapping[str, str], what: str | None
) -> tuple[bool | None, tuple[Fact, ...]]:
    """Whether the text reports an earlier exchange with us; None where it does not say.

    ``what`` is the type of feedback, or the outcome of what is none: who complains of our service has nearly always met it, and
    whoever complains of a hospital for the first time tells of many calls that were to others.
    """
    for label, given in form.items():
        if "before" in label and (answer := plain(given).partition(" ")[0]) in ("yes", "no"):
            return answer == "yes", (Fact("contacted_before", given[:20], "form field", label),)
    true, false = _best(told, "contacted_before_true"), _best(told, "contacted_before_false")
    if not true or not false:
        return None, ()
    earlier, first = true.shows("contacted_before_true"), false.shows("contacted_before_false")
    if first > _FIRST and first > earlier:
        return False, (Fact("contacted_before", "false", MODEL.version, false.sentence.text[:200]),)
    if earlier > _EARLIER.get(what, 9.0):
        return True, (Fact("contacted_before", "true", MODEL.version, true.sentence.text[:200]),)
    return None, ()


def promises_broken(told: Sequence[Weighed]) -> tuple[tuple[str, ...], tuple[Fact, ...]]:
    """Their sentences about a promise of ours that they say was not kept, at most five."""
    broken = tuple(dict.fromkeys(each.sentence.text for each in told if each.shows("promise_broken") > _PROMISE))[:5]
    return broken, tuple(Fact("promises_broken", "true", MODEL.version, words[:300]) for words in broken)


def asks_for_something(told: Sequence[Weighed]) -> tuple[Sentence, ...]:
    """The sentences that say what they want, the plainest first; none where they want nothing."""
    if _chances(told, "remedy") < _REMEDY:
        return ()
    asking = sorted(told, key=lambda each: -each.shows("remedy"))
    return tuple(each.sentence for each in asking if each.shows("remedy") > -1.5)


_TELLING: Final[Mapping[FeedbackType | None, Sequence[str]]] = {
    "service": ("service", "promise_broken"),
    "decision": ("decision", *_CRITERIA_ORDER),
    "mixed": ("service", "promise_broken", "decision", *_CRITERIA_ORDER),
    "praise": ("praise",),
    "suggestion": ("suggestion",),
    None: _KINDS,
}
_MOST_POINTS: Final = 5
_SAYS_SOMETHING: Final = frozenset(f"row {row.name}" for row in FEEDBACK)
_SAYING: Final = 2.0  # how much more a sentence tells that a row of the table hits


def key_points(told: Sequence[Weighed], kind: FeedbackType | None) -> tuple[str, ...]:
    """The person's own sentences that tell it best, at most five, in their order; none where none stands out."""
    carry = [
        (
            max(each.shows(label) for label in _TELLING[kind]) + (0.0 if _SAYS_SOMETHING.isdisjoint(each.traits) else _SAYING),
            -index,
        )
        for index, each in enumerate(told)
        if each.sentence.plain.count(" ") > 2 and not each.sentence.from_subject
    ]
    telling = sorted((weight, index) for weight, index in carry if weight > 0.0)
    chosen = sorted(-index for _, index in telling[-_MOST_POINTS:])
    return tuple(dict.fromkeys(told[index].sentence.text for index in chosen))
