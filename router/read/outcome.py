"""What a contact asks for: a model weighs its words and the rows that hit, and says how sure it is; a few rules stand above it.

Unsure is an answer, ``review``. The weights are in outcome.json, learned by tests/router/read/train.py.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from router.read.linear import Linear, known
from router.read.phrases import Found, Hit, Row, Table
from router.read.reading import Fact, Outcome
from router.read.sentences import Sentence
from router.read.traits import WHOLE, traits

AUTOMATIC_AT: Final = 0.81  # below it a person decides; the settings may say otherwise ([reading] automatic_at)

_F, _I, _V, _Q, _N, _R = "feedback_record", "intake", "investigators", "query_answer", "no_action", "review"
_GUIDE: Final = "labelling guide: outcome"
_FORM: Final = "the form's own kinds of contact"
_LAW: Final = "labelling guide 11"

CLUES: Final = (
    # -- what the form or the subject says outright
    Row("form-feedback", _F, _FORM, (
        "complaint about us|you|your_service|our_service|the_ombudsman|your", "feedback",
        "compliment|compliments|praise", "suggestion|suggestions", "ask us .. review", "review .. decision|request",
        "request for a? review", "service complaint", "thank|thanks you?", "adborth|cwyn_amdanoch",
    ), where="subject", unless=(
        "draft",
    )),
    Row("form-intake", _I, _FORM, (
        "make|new|start|submit a? complaint", "complaint form",
        "complaint about|against|re|regarding a|the|government|nhs|hospital|gp|department|dwp|hmrc|dvla|home",
        "i need help to complain", "complaint about a",
    ), where="subject", unless=(
        "about us|you|your", "your online complaint form", "existing",
    )),
    Row("form-investigators", _V, _FORM, (
        "update my details", "send us .. information|evidence", "question about my case", "existing case",
        "more information", "comments on .. draft|provisional", "change .. address|details|number", "my case",
        "draft report", "new evidence", "case update",
    ), where="subject", unless=(
        "decision", "how much longer",
    )),
    Row("form-query", _Q, _FORM, (
        "general question|enquiry|query", "quick question", "opening|time hours|times|limits|limit",
        "question|enquiry|query", "how long", "why an mp", "visiting", "a question",
    ), where="subject", unless=(
        "about my case|complaint",
    )),
    # -- feedback on us
    Row("our-decision", _F, _GUIDE, (
        "{you} .. final? {final}", "{final} .. you .. made|make|sent|reached", "the|my final {decision}",
        "final decision|report|letter", "review .. your|the|my|this|of final? {decision}",
        "the|this|that decision has|just? come|came|arrived|says|said|states|letter|is_wrong",
        "your .. findings|conclusions|report|conclusion|finding", "{decision} .. {you} .. made|sent|reached",
        "outcome of my|your", "eich penderfyniad", "penderfyniad terfynol",
    ), unless=(
        "{draft}", "their final|decision|report|letter", "final response",
        "before you|your .. make|decide|decision|reach", "when|until you make|decide|reach",
        "decided|decide whether|to|not",
    )),
    Row("disagrees-with-us", _F, _GUIDE, (
        "{you} .. did_not|have_not|not|refused_to .. uphold|upheld",
        "{you} .. found|find|decided|concluded|ruled .. no|nothing|not|there_was|that|against|in_their|for_them",
        ("your|the|this|ombudsman {decision} .. "
        "wrong|flawed|unfair|biased|perverse|joke|whitewash|disgrace|rests|built|cannot_stand|ignores|proceeds|unjust|"
        "nonsense|inaccurate"),
        ("wrong|unhappy|disagree|dissatisfied|disappointed|angry|not_happy|not_satisfied|shocked|devastated|appalled .. "
        "with|by|about|at your|the .. {decision}"),
        "not|do_not|never|can_not|will_not|not_going_to agree|accept|accepting .. {decision}|it|this|that|any",
        "disagree|challenge|dispute|appeal .. your|the|this .. {decision}|it", "whitewash|cover_up",
        "you .. reopen|reconsider|look_at_it_again|look_again|overturn|re_open|look_again_at",
        "want|apply|ask|asking|request|requesting|like|application .. a? review of|and|on|by|please",
        "ask you to? .. review|reconsider|look_again|reopen", "be reviewed|reconsidered|looked_at_again|reopened",
        "looked at again", "do it again properly", "done again by", "no failings|no_injustice",
        "still found|find nothing", "your decision", "took their|the_hospitals|the_trusts side|word",
        "anghytuno .. penderfyniad|eich", "your review process", "read .. i gave|sent you",
        "how|so .. can|could|did you|the_ombudsman .. decide|conclude|find|say",
    ), unless=(
        "{draft}", "local resolution", "decide to|whether", "medication review",
        "their|trust|hospital|dwp|hmrc .. {decision} .. review", "{they} .. found no", "do you .. review",
        "can i .. review|appeal .. if",
    )),
    Row("kept-waiting", _F, _GUIDE, (
        ("{you} .. sat|sitting|taken|took|kept|left|ignored|lost|cancelled|promised|forgotten|forgot|failed|messed|fobbed|"
        "dragged|wasted|let|broke|broken|breached ... "
        "me|us|my|on|down|forever|months|weeks|years|around|calls|it|long|about|off|promise|again|time"),
        ("still|been waiting .. "
        "you|to_hear|for_someone|for_a_reply|update|your|investigator|decision|to_be_told|for_news|acknowledge*|reply"),
        "waiting since .. for .. acknowledge|you", "how much longer", "this waiting",
        "{time} .. to say|reach|decide|tell|reply|answer|get", "it took you", "your .. delay|delays",
        "explanation for .. delay", "{you} .. had|have|got my complaint|case|file|form ... {time}", "in a queue",
        "on hold", "cut me off", "hold music", "start to finish", "only ever got", "put .. phone down",
        "third|fourth|3rd|4th|5th|fifth text|email|letter|time|investigator|caseworker",
        "i|we have .. chased|rung|rang|emailed|called .. times|twice|you|three|four|five",
    ), unless=(
        "how long .. you .. take", "let me|us know", "{draft}", "you sent|you_asked .. form", "thank",
        "{they}|dwp|hmrc|dvla .. promised|said|told|took|lost|cancelled|kept|ignored|not|never",
        "your .. line|helpline .. open|hours|times",
    )),
    Row("nobody-answers", _F, _GUIDE, (
        ("{nobody} .. {you}|has_replied|rung_back|rings_back|calls_back|called_back|answers|answered|got_back|acknowledged|"
        "tells|told|bothers|picks_up|phoned_back|phones_back|come_back|returns|replies|phone_me|ring_me|call_me|does|rang|"
        "replied|contacted_me"),
        ("not|never|have_not|nothing|no_reply|no_answer|no_response|no_word|no_news .. "
        "heard|had|received|back|answer|reply|response|anything|word .. from "
        "you|your|ombudsman|investigator|mr|anyone|anybody|him|her|either"),
        "get|getting|got .. answer|reply|response|word|sense .. out_of|from you|your|anyone", "when .. chase|chased",
        "unless you? chase", "passed from|around|round .. you|team|investigator|person|caseworker", "answer the phone",
        "not one of you", "picks up|rings back", "moved teams",
        "{you} .. not .. replied|answered|rung|called|responded|bothered|acknowledged|rang",
        "heb glywed .. gennych|oddi", "neb .. ffonio|ateb|cysylltu",
    ), unless=(
        "{they}|dwp|hmrc|dvla|pharmacy .. not|never|nobody|replied|answered", "thank", "{draft}",
        "not .. heard .. hospital|surgery|gp|trust|dwp|hmrc|them", "{nobody} .. told .. hospital|ward|surgery",
    )),
    Row("promise-not-kept", _F, _GUIDE, (
        "{you} .. said|told|promised|assured|say ... {time}|would|you_will|ring|call|back|reply",
        "promise|promised .. kept|kept_to|broken|by_your|and_nobody|respected|three|twice|times",
        "keep|kept the|your|his|her|their promise", "not .. {ring}|written|replied|been_in_touch .. as promised",
        "told .. would .. get|have|receive|hear .. call|reply|letter|update|decision|by",
        "told|said .. {ring}|get_back|somebody_will|someone_will|will .. me|back",
    ), unless=(
        "{they}|dwp|hmrc|dvla|ward|home_office .. promised|said|told",
        "told|promised .. by .. hospital|surgery|trust|gp|dwp|hmrc", "thank|quick|quickly|lovely",
        "{you} .. said|told|asked .. send|if|to|for .. this|documents|evidence|photos|dates|comments",
        "when .. said .. would|she_would|he_would", "rang|phoned|called me back", "let me|us know",
    )),
    Row("our-manner", _F, _GUIDE, (
        ("{you} .. rude|useless|unhelpful|incompetent|dismissive|patronising|pathetic|disgrace|disgraceful|shambles|"
        "appalling|hopeless|unprofessional|joke|not_fit|waste|ignorant|awful|terrible|disappointing|toothless|arrogant|cold"),
        ("rude|unhelpful|dismissive|patronising|abrupt|unprofessional|sarcastic|appalling|shambles|disgrace|useless|"
        "pathetic|disappointed|disgusted|fed_up|sick|unhappy|dissatisfied|not_happy ... "
        "{you}|{ours}|call_handler|customer_care"),
        ("{ours} ... rude|abrupt|dismissive|patronising|sarcastic|hung_up|shouted|laughed|refused|talked_over|spoke_over|"
        "short|cold|unhelpful|snapped|lied|useless|not_listen|not_care|ignored|sighed"),
        ("complain|complaint|complaining|unhappy|dissatisfied|concerned|disappointed .. about|with|of|at|that "
        "your|the_ombudsman|customer_care|{ours}|the_way_you|the_service_from|service_i|how_you|you"),
        "complaint about|regarding|against you|your|the_ombudsman|us",
        "our agent|adviser|staff|line|phone_line|call_handler .. put|hung|rude|said|told|not|never|cut",
        "cwyn|cwyno .. gwasanaeth|staff|ymddygiad .. gennych|gennych_chi|eich",
        ("your staff|{ours}|officer|clerk|colleague|team|letter|letters ... "
        "rude|wrong|ordinary|not|hung_up|shouted|laughed|never|refused|misstates|patronising|sent|small|told_me"),
        "not good enough", "what is the point of|in you|having|an|your|it", "call yourselves",
        "service .. from you|your|the_ombudsman",
        ("your letter|email|form|website|leaflet|reply .. "
        "addressed|misstate*|wrong|spelt|crash*|times_out|lost|confus*|impossible"), "cwyno amdanoch",
        "your|the_ombudsman service .. poor|terrible|bad|slow|awful|shocking|appalling",
        "your .. line|website|form .. useless|broken|down|not_work*|shocking|hopeless|does_not",
    ), unless=(
        "{draft}", "{they} .. rude|dismissive|unhelpful", "waste your time", "do you",
        "unhappy|concerned|disappointed|complaint|complain .. you|your .. gp|hospital|surgery",
    )),
    Row("our-praise", _F, _GUIDE, (
        ("thank|thanks|grateful|praise|credit|compliment|well_done|appreciate* ... "
        "your|you|ombudsman|ombudsmancare|investigator|caseworker|danny|lady|phones|staff|team|mr|mrs|ms|miss|"
        "customer_care|man|gentleman|everything .. "
        "staff|team|investigator|phones|phone|ombudsman|you|work|helped|help|kind|service|report|kindness|patience|rang|"
        "called|this_morning|today|yesterday|office|line|from|who|done|me|for"), "credit where",
        ("{you} .. brilliant|wonderful|excellent|fantastic|lovely|amazing|so_kind|very_kind|very_helpful|so_helpful|great|"
        "kind|helpful|patient|superb|outstanding|marvellous|quick|professional|first_class|clear"),
        ("brilliant|wonderful|excellent|fantastic|lovely|amazing|kind|helpful|patient|superb|outstanding|impressed|pleased|"
        "marvellous|great ... "
        "you|your|ombudsman|investigator|caseworker|customer_care|lady_on|man_on|lady_who|adviser|service"),
        ("investigator|caseworker|adviser|mr|mrs|ms|miss|lady|man|lad|girl|gentleman|woman ... "
        "kind|patient|helpful|brilliant|lovely|wonderful|excellent|clear|listened|explained|rush|normal_words|"
        "plain_english|fantastic|credit|amazing|professional|courteous|rang_me"), "five|5 stars",
        "this goes on her|his|their file", "pass|passed .. thanks|thank|on_to|to_her|to_his|to_their",
        "hope|let|tell his|her|their boss|manager|know", "good work|job|service", "god bless",
        "wanted|want|like to say|record|put_on_record .. kind|kindness|thank|thanks|bless|good|lovely|helpful",
        "kindness|kindnesses", "explained|explain|explains everything|what|it|clearly|slowly|slow",
        "lady|man|lad|woman|bloke|girl|person|human .. on .. phone|phones|line|end", "say thank|thanks .. to|for",
        "diolch .. i|am .. eich|staff|help|gwaith|caredigrwydd", "could not .. more helpful|kinder|nicer",
        "very quick|clear to|and",
    ), unless=(
        "hospital|ward|nurse|nurses|surgeon|gp|surgery|paramedic*|midwife|doctor|doctors",
        ("thank|thanks .. reading|in_advance|looking|this|time|attention|your_letter|your_email|your_message|the_draft|"
        "draft|sending|taking_it|helping .. draft|this|in_advance|time"), "no thanks to",
        "would|could|can be|you .. grateful|appreciate*", "be grateful|obliged", "please pass", "useless|ignore",
        "thank you for .. tape", "kind regards", "thanks .. in advance",
    )),
    Row("our-suggestion", _F, _GUIDE, (
        "suggestion|suggest|idea|propose|awgrym|feedback|remark .. you|your|form|website|letters|for", "idea for|4|to",
        "my|an|one|here_is_an idea .. make|put|have|send|use|add|let|give|show|print|could|is|would",
        ("could|can|why_do_not|why_not|should you|your .. have|add|put|send|make|offer|include|print|use|let_people ... "
        "tracker|form|website|letters|letter|line|text|button|option|update|people|leaflet|video|version|sign|app"),
        ("your|the_online|online "
        "form|website|leaflet|letters|phone_line|hold_music|recorded_message|portal|leaflets|envelopes ... "
        "could|should|would|needs|ought|times_out|better|clearer|improve*|easier"),
        "would|might .. be|help .. if you|your", "would save|help your|you|people|staff", "could you have",
        "why do|dont not you", "have you .. thought|considered", "suggestion", "may i propose|suggest", "constructive",
        "improve* .. your|the .. service|form|website|letters|leaflet",
        "you .. should|ought .. have|add|put|send|offer|consider",
    ), unless=(
        "could|can you .. send_me|put_me|make_sure|send_it|put_it|look|help", "suggested i",
        "hospital|surgery|ward|trust", "they .. should", "mp .. suggested", "i should have", "can you .. send .. form",
    )),
    # -- a complaint about another body
    Row("complains-of-another", _I, _GUIDE, (
        ("complain|complaint|complaining|complaints|concerns .. "
        "about|against|re|regarding|concerning|of|with|at|to|on_behalf .. "
        "{they}|nhs|ambulance|dentist|dental|pharmacy|dwp|hmrc|dvla|office|service|services|home|care|my_gp|visa|benefit|"
        "benefits|universal_credit|pip|council|prison|passport|agency|surgeon|midwife|consultant|bank|school"),
        "want|wish|would_like|need|like|wishes|trying to complain|make_a_complaint|lodge|raise|report|submit|bring",
        "i am|we_are writing about|regarding|to_complain|concerning|on_behalf|because",
        "can|could|will|would|please|hoping you .. look_into|investigate|help|take|make_them|sort|deal_with|look_at",
        "look into what|this|my|how|it|wot", "hoping you can|could|will", "want you to investigate|look_into",
        "who .. complain|go|turn to", "right people|person|place", "you are the people|next_step|only|last_hope",
        "where do|can i go", "what do i do", "what .. can|do i|we .. do|send", "chcę złożyć skargę", "skargę|skarga na",
        "hoffwn|eisiau|am|dymuno gwyno|cwyno|gwneud_cwyn", "cwyn am|yn_erbyn",
        "nobody|noone|no_one else|will help|listens|to_turn", "referral form", "on behalf of my constituent",
    ), unless=(
        "about|with|against|of you|your|the_ombudsman|us", "my complaint .. investigator|draft", "complaint about you",
        "how|why|do|can|if|whether|before|if_somebody .. complain|bring .. you",
        "why|how|whether .. complain|complaint|bring", "not|never .. complaining", "before i complain|decide",
        "just .. complain", "withdraw|close .. complaint", "review .. decision", "your decision|report",
    )),
    Row("final-response", _I, "domain: enquiries", (
        "their reply|response|answer|letter .. says|said|say|was|is|came|states|of",
        "removed|struck|taken|took .. from|off .. list", "reinstated", "final response|reply|answer", "deadlock letter",
        "pals", "complaint response|reply", "stage one|two|1|2|three|3", "complaints team|department|procedure|manager",
        "tier 1|2|one|two", "complained to .. {they}|them|it|practice|dwp|hmrc|dvla|surgery",
        "mandatory reconsideration", "independent case examiner", "adjudicator|ombudsman_next",
        "mp .. signed|referred|form", "signed .. form|referral", "mp .. referred|suggested|signed|supports",
        "formal complaint", "local resolution", "tribunal",
        "wrote to .. practice|hospital|surgery|trust|chief|manager|them",
        "i|we .. complained|complain .. nothing|no_reply|replied|reply|march|january|february|april|may|june|they|answered",
        ("they|hospital|practice|surgery|trust .. say|said|replied|reply|answered ... "
        "sorry|satisfied|nothing|procedures|followed|upheld|wrong|appropriate|no"),
        "conceded|admitted|apologised|offered|declines|refuse .. the|error|mistake|compensate|£*",
    ), unless=("why|need|must|have_to|do|does|without .. mp",)),
    Row("their-doing", _I, _GUIDE, (
        ("{they}|dwp|hmrc|dvla|cms|they|home_office|ambulance|dentist|pharmacy|chemist|gp|midwife|surgeon|consultant|"
        "registrar|paramedic|paramedics|home_office|passport_office .. "
        "refused|refuse|lost|cancelled|stopped|failed|ignored|left|told|said|missed|gave|misdiagnosed|discharged|sent|"
        "delayed|sanctioned|took|shouted|overcharged|wrote|charged|never|did_not|will_not|say|have|had|made|took_me"),
        ("my|our|his|her operation|appointment|referral|benefit|benefits|pip|pension|passport|licence|visa|prescription|"
        "scan|treatment|records|universal_credit|tax_credits|application|claim|esa|surgery ... "
        "cancelled|stopped|refused|lost|delayed|late|wrong|been|was|has"),
        ("i|he|she|my_mum|mum|dad|my_dad|we|my_mother|my_father|husband|wife|son|daughter .. "
        "was|were|been|waited|went|had|fell|died|got|lay ... "
        "hospital|ward|hours|discharged|left|corridor|trolley|ambulance|refused|misdiagnosed|operation|pain|a_and_e|"
        "surgery|clinic|stopped|sanctioned"), "sanctioned|sanction",
        "left me|him|her|us|mum|dad|on|at .. hours|floor|corridor|trolley|in_pain|alone|til|waiting",
        ("universal credit|pip|esa|tax_credits|state_pension|child_maintenance|attendance_allowance|carers_allowance|"
        "pension_credit|child_benefit|jsa"), "misdiagnos*|negligen*|malpractice|botched|mistreat*",
        "took|taken {kin} off", "waiting list", "appointment|appt cancelled",
        "application .. submitted|refused|rejected|no_decision", "submitted|applied .. no|still|refused",
        "my|our son|daughter|mother|father|mum|dad|husband|wife|baby|mam|nan|gran .. died|death|passed_away|suffered",
    ), unless=(
        "{you} .. found|decided|report|concluded|findings", "{draft}",
    )),
    Row("wants-of-another", _I, _GUIDE, (
        ("want|wants|like|would_like|need|make|get "
        "them|him|her|the_hospital|the_surgery|the_trust|the_gp|hospital|gp|dwp|hmrc .. to"),
        "want .. apology|compensation|refund|money|back|appointment|passport|sorry|debt|arrears|penalties|prescription",
        "they|hospital|surgery|gp|dwp|hmrc|trust .. apologise|say_sorry|pay|compensate", "make them",
        "can|could you .. make|get|force them", "do|does not want|know .. else to? .. turn|write|go|ask",
        "what i|we want", "what would put", "wants .. apology|refund|compensation|visit|penalties|cancelled|cleared",
    ), unless=(
        "review|reopen", "want .. you to apologise", "draft",
    )),
    Row("first-contact", _I, _GUIDE, (
        "first time .. contact*|writing|ringing|calling|complain*",
        "never|not|have_not|ive_not .. contacted|rung|rang|written|dealt|complained|done ... before|you|this",
        "contacted us before no", "first contact", "pierwszy kontakt", "i hope i have got the right",
        "not sure if you|this",
    )),
    # -- for an open case
    Row("draft-report", _V, "service model: draft report comments to Investigators", (
        "{draft} report|decision|view|findings|statement|letter|version|views|conclusion|conclusions|reports|came|of",
        "your|the|my|this {draft}", "{draft} .. comments|comment|response",
        "comment|comments|response|respond|corrections .. on|to|about .. {draft}|report|tape",
        "adroddiad drafft|dros_dro", "drafft", "scott schedule",
        "before .. final|finalise*|finished|publish*|issued|goes_out|sent_out", "my comments", "corrections to",
        "to comment",
    ), unless=(
        "never|not .. sent|saw|seen|received|shown|got .. draft", "draft .. letter .. mp|hospital", "draft .. form",
    )),
    Row("draft-detail", _V, "service model: draft report comments to Investigators", (
        "paragraph|para|page|section|point|p|paragraff *[0-9]",
        "page|pages|para|paragraph|paragraff|paragraphs 1*|2*|3*|4*|5*|6*|7*|8*|9*", "you have left out",
        "put .. correct|in", "sylw|sylwadau",
    )),
    Row("for-the-investigator", _V, _GUIDE, (
        ("for|to|tell|inform|pass_to|forward_to|give|fao|attention|attn|let|please_tell .. "
        "investigator|case_officer|caseworker|case_worker|whoevers|whoever_is|whoever_has|whoever_deals|whoever_does"),
        ("my|the|his|her|our investigator|caseworker .. "
        "is|asked|wants|wanted|needs|said|should|know|if|please|has|mr|mrs|ms|miss|name"), "tell|ask mr|mrs|ms|miss|dr",
        "fao mr|mrs|ms|miss", "for mr|mrs|ms|miss * please", "whoever .. my case|complaint|file",
        "for|during|to|help|part_of the|your|my|our investigation", "investigation into|of|number|reference",
        ("my|our|open|ongoing|existing case|investigation|complaint_with_you|complaint_you_are .. "
        "with|officer|is|for|has|and|number"),
    ), unless=(
        "decision|decided", "their investigation|case|ref", "investigation by .. trust|hospital",
        "you asked .. review|reopen", "investigator .. rude|not|never|hung_up|shouted|promised|laughed|ignored",
        "thank* .. investigator", "investigation take*|usually|normally", "investigation .. once|before|if",
    )),
    Row("writes-to-an-officer", _V, _GUIDE, (
        "dear|annwyl|hi|hello mr|mrs|ms|miss|dr *",
    ), unless=(
        "manager",
    )),
    Row("sends-evidence", _V, _GUIDE, (
        ("evidence|information|documents|photos|photographs|notes|dates|records|details|voicemail|receipts ... "
        "asked_for|requested|for_the_investigation|as_requested|for_my_case"),
        ("attached|enclosed|enclose|uploaded|attach|here_are|here_is|amgaeaf|attaching|sending ... "
        "evidence|photos|photographs|notes|records|statement|receipts|documents|dates|copy|copies|diary|rota|response|"
        "nodiadau"), "further|additional|more|new evidence|information|witness", "willing to talk|speak|give",
        "thought you|she|he ought|should|would|might|want", "just|do to|need|want|let|know .. you know",
    ), unless=(
        "decision|decided", "final response|reply", "referral form", "signed .. form", "more information about|on how",
        "{they}|dwp|hmrc|dvla .. asked_for|requested",
    )),
    Row("as-asked", _V, _GUIDE, (
        "you|mr|mrs|ms|miss|investigator|she asked me|us? for|to_send|if",
        "here is|are .. you wanted|asked|needed|requested",
        "put it|this|that to .. trust|hospital|them|surgery|practice|department",
        "you wanted|needed .. both|copy|it|attached|here", "as requested|asked|promised", "you asked for|me_for|me_to",
        "following|after our|your|my call|conversation|meeting|request",
    ), unless=(
        "decision|decided|review", "asked for .. form", "you asked me not", "not .. as promised|requested|asked",
        "as_promised .. three|never|not", "hospital|surgery|gp|dwp|hmrc .. as_requested",
    )),
    Row("closes-own-case", _V, _GUIDE, (
        "close|withdraw|drop|stop|discontinue .. my|the|our|this .. complaint|case|investigation",
        "please close|withdraw", "withdraw*", "not .. take|go|proceed .. further|with_the_complaint", "tynnu .. cwyn",
    ), unless=(
        "you|they .. closed|close", "not .. want .. closed|withdrawn",
    )),
    Row("runs-a-case", _V, "labelling guide 4", (
        "change|changed|new|update|updating .. my|our .. address|phone|number|email|details|name|mobile|bank|surname",
        "new .. number|address|email|mobile|phone|one", "moved house|address|home|to|in|again",
        "i have|am moved|moving", "any news|update|progress",
        "where .. up_to|we_are|things_are|are_we|it_is|my_case_is|at_with",
        "how .. is|are .. my|the|our .. case|complaint|investigation|going|getting_on",
        "what .. stage|happening|happens_next .. my|with|case|complaint",
        "when .. will|can|is|might .. hear|draft|decision|report|finished|investigation",
        "can not|cant|cannot .. make|do|attend .. call|meeting|appointment|interview|2pm",
        "rearrange|reschedule|postpone|put_off|move .. call|meeting|interview",
        "meeting|interview|call with mr|mrs|ms|miss|the_investigator|my_investigator|you",
        "offered|offer .. settle|settlement|full_and_final", "have offered|written_to_me|replied|admitted|settled",
        "passed away|died|in_hospital .. case|investigation", "away|holiday .. draft|from|until|between",
        "looking into my|what|it|this|our",
        ("{you} was|were|are|have_been? investigating|looking_at|dealing_with|handling|doing|looking_after .. "
        "complaint|case|it|my|his|her|mum|mums|dads|for_me|for_us"),
        "complaint|case .. you are|were doing|looking|dealing|handling|investigating",
        "person|whoever_is|whoevers dealing|handling|looking .. it|this|my|case|complaint",
        "executor|executrix|probate .. complaint|case|carried_on|continue|carry_on",
        "want|like|like_it .. carried_on|continued|to_continue", "looking after my",
        "more time|longer|extension .. comment|draft|reply|respond|till|please", "could i have til|till|until",
        "newid cyfeiriad|rhif", "still on nights", "unrhyw newyddion", "taken|taking|took my|our complaint|case on",
        "is dealing|handling|investigating|looking_into .. with|my|it|this",
    ), unless=(
        "want|wants|hope|can|could|will you? .. look_into|looking_into",
        "can|could|would|please you? .. look_into|investigate|looking",
        "nobody|no_one|never|not|how_many .. update|news|told|heard", "why|how .. no update|news", "looked into .. not",
        "hmrc|dwp|dvla|hospital|trust|council|surgery|practice .. moved", "any news .. again|yet|months",
        "moved .. off|out_of_area|surgery|gp", "dwp|hmrc|hospital .. looking_into|offered .. £* .. adjudicator",
        "closed",
    )),
    # -- a general query
    Row("asks-in-general", _Q, "service model: answering query not relating to a specific feedback", (
        ("do|does|can|could|will|are|is|have "
        "you|your|the_ombudsman|there|people|anyone|someone|somebody|anybody|i|one|a|it|we|u ... "
        "charge|free|cost|open|cover|look|deal|take|publish|accept|do|offer|have|provide|complain|come|visit|email|upload|"
        "form|forms|need|limit|limits|fee|interpreter|interpreters|office|send|complaints|private|handle|investigate|bsl|"
        "download|library|online|phone|version|helpline|anonymous*|english|wales|scotland|braille|leaflet|leaflets|"
        "solicitor|lawyer|consent|behalf|evidence|children|work"),
        ("what|which|when|where|who|how|why ... "
        "you|your|form|forms|hours|times|limit|open|long|complain|complaint|complaints|mp|cost|need|ombudsman|address|"
        "allowed|upload|difference|deadline|office|evidence|size|number|send|email|phone|free|charge|bring|qualify"),
        "how|what|where|which ... get|find|use|fill|download|send|ring|contact",
        "ydych|oes|sut|pryd|pam|beth|a|faint|ble|ydy .. chi|mae|ydw|mae_n|modd|agor|ffurflen|rhaid|oes|i|hir|yn",
        ("is it|there|this free|twelve|12|possible|ok|too_late|one|just|true|only|still|the|a|same|quicker|someone|"
        "somewhere|any"), "just want|wanted|wondering to|if|know|whether|ask|how", "wanted to know",
        "would like|should_like|like|want|wants to know .. how|what|whether|if|who|when|why|where",
        "wondering|wonder .. if|whether|how|what|you",
        "i need|want|would_like|like|can_i_have|could_i|please_send .. form|forms|leaflet|application|copy_of_your",
        "not complaining", "not about|regarding a|my|any|specific case|complaint",
        ("in general|general_question|general_query|asking_in_case|in_case|before_i_decide|just_asking|just_curious|"
        "haven_not_decided|have_not_decided"), "difference between", "do i need",
        "for a friend|school|dissertation|essay|project|research|training|leaflet", "quick question",
    ), where="question", unless=(
        "my|our|the_draft case|investigation|draft|report",
        "do you .. know|think|realise|understand|want|care|call|expect|even|have_any_idea", "when will you .. my",
        "can you .. make|look_into|help|ring|call|tell_me_why|do_anything|please_ring|sort", "would you .. like",
        "why .. not|nobody|did|was|were|has|have|should", "what .. happened|are_you|is_the_point|do_i_do",
        "how .. can|could|dare|did|many_times|much_longer|is_this|is_it|long_do", "who .. decided|is_going", "{draft}",
        "where do i go", "where|how .. my case|investigation", "is this how", "is there .. point", "does nobody",
    )),
    Row("asks-politely", _Q, "service model: answering query not relating to a specific feedback", (
        ("want|wanted|would_like|should_like|like|need|trying|wondering|wonder|asking|ask|curious|wants "
        "to|if|whether|how|what|about ... "
        "know|find_out|form|forms|opening|hours|long|limit|limits|mp|allowed|charge|difference|leaflet|free|cost|private|"
        "eligible|you_deal|you_cover|you_look|you_take"),
        "send|post|email .. me|us|him|her|a|your|some .. form|forms|leaflet|leaflets",
        "like .. one_of_your|a|your .. form|forms|leaflet|complaint_forms",
        "not|havent|have_not .. decided|complained|about_a_case|complaining|started", "nothing to look at",
        "tell me .. how|what|when|where ... complain|form|open|limit|long|opening|hours", "asking in case",
        "before i decide|start|complain|bring", "dissertation|coursework|essay|research|journalist|student",
        "general question|enquiry|query",
    ), unless=(
        "my case|investigator|draft", "want|need to know why|what_happened|who|the_truth|which",
        "find out what_happened|why|who", "know .. what_happened|whoever", "know .. what .. changed", "whole truth",
        "hours .. in|on|left|late|floor|later", "free from|of", "long .. wait|waited",
    )),
    Row("standing-query", _Q, "service model: standing queries", (
        "why|do|does|must|need|have_to|whether|is_it .. mp|mps|member_of_parliament", "opening hours|times",
        "what|which time|times|days|hours .. open|shut|close|closed",
        ("open|closed .. saturday|saturdays|sunday|sundays|weekend|weekends|bank_holiday|bank_holidays|christmas|easter|"
        "today|tomorrow|tonight"), "time|12_month|twelve_month|year limit|limits", "charge|cost|fee|fees|free|pay",
        "need .. solicitor|lawyer", "how long .. take|takes|investigation|average|beginning|usually|normally",
        "get|have|send|find|where_is|same|one|which|use .. form|forms|leaflet|leaflets",
        "do|can you .. look|deal|cover|take|handle|investigate .. with|at|on|up|complaints|private|about",
        "can|could|may|who|allowed .. complain|bring|make ... behalf|for|somebody|someone|complaint|who_is|died|allowed",
        ("bsl|braille|large_print|easy_read|interpreter|interpreters|sign_language .. "
        "version|form|forms|service|leaflet|available"), "ar agor", "oriau agor", "ffurflen", "aelod seneddol|as",
    ), where="question", unless=(
        "my|our case|investigation|investigator", "free from|of", "not free", "{draft}", "how|why .. you .. not",
        "how long .. more|longer|do_i_have_to_wait|must_i",
    )),
    # -- nobody to answer
    Row("robot", _N, "RFC 3834 in words", (
        "out of .. office", "automatic|automated|auto reply|response|message|answer",
        "autoreply|auto_response|autoresponder|outofoffice", "on annual|maternity|sick|parental|paternity leave",
        "i am|currently|away on|out|away leave|office|annual|until|from_the",
        "will not be|not reading|checking|monitoring|monitored|responding messages|emails|email",
        "mailbox|inbox|account is|are not|no|un|unmonitored monitored|longer|full|checked", "not monitored",
        "delivery .. failed|failure|status|delayed|incomplete|notification",
        "undeliverable|undelivered|mailer_daemon|postmaster|bounced", "could not be delivered",
        "message .. was|not|could .. read|delivered|displayed on|to", "was read on", "read receipt",
        "driving .. focus|turned|will_see|do_not_disturb", "with focus turned", "will see your message when",
        "will be back .. on|monday|tuesday|wednesday|thursday|friday",
        "thank you for your email .. will|i_am|we_aim|we_will|your",
        "we have received your|this email|message|enquiry|mail", "do not reply to this", "ymateb awtomatig",
        "allan o r swyddfa", "return* .. to the? office", "is now closed",
        "ticket|case|request .. has|been .. created|logged|raised|received",
    ), unless=(
        "your automatic|automated|auto", "got|received|get|had|sent .. automatic|automated|out_of_office|auto",
        "automatic sounding", "my husband|wife|mother", "i am out of .. {time}",
        "say|says|said ... out_of_office|automated",
    )),
    Row("robot-subject", _N, "RFC 3834 in words", (
        "automatic|automated|auto reply|response", "autoreply|autoresponse", "out of .. office",
        "read your|re|message|regarding|complaint|draft|enquiry|case", "not read", "undeliverable|undelivered",
        "delivery status|failure|failed|delayed|has_failed", "mail delivery", "failure notice",
        "delivered your|regarding", "returned mail", "ymateb awtomatig", "annual leave", "vacation", "away from my|the",
    ), where="subject", unless=(
        "got|received|your|no|only .. automatic|automated|auto", "have you",
        "read your .. decision|report|letter|findings",
    )),
    Row("newsletter", _N, _GUIDE, (
        "unsubscribe|unsub", "manage|update|change|email .. preferences|subscription", "view .. in .. browser",
        "view this email|online", "trouble viewing", "in this issue",
        "newsletter|bulletin|webinar|whitepaper|e_newsletter", "you are receiving this", "forward to a", "opt out",
        "reply stop", "stop to opt|end|unsubscribe", "to stop receiving",
        "book your place|places|now|ticket|stand|seat", "register now|today|here|your", "early bird",
        "places left|remaining|available", "per delegate|head|seat", "cpd accredited|certified",
        "our latest|new_range|new_course", "read more|online", "click here|below|the_link",
        "datdanysgrifio|cylchlythyr", "privacy policy", "all rights reserved", "terms and conditions|apply",
        "sent to you because",
    ), unless=(
        "your website|newsletter|form|link", "{you} .. unsubscribe|newsletter|webinar",
    )),
    Row("sells-or-tricks", _N, _GUIDE, (
        ("verify|confirm|update|validate you|your .. "
        "password|account|mailbox|identity|details|information|email|login|wallet|card|payment|now"),
        "mailbox|account|password|storage|domain .. exceed*|expire*|full|suspend*|locked|limit|quota|deactivat*|terminat*",
        "mailbox .. close*", "final notice", "helpdesk|help_desk administrator|admin|team|it",
        "crypto*|bitcoin|forex|ethereum|casino|betting|viagra|cialis|lottery|jackpot",
        "you have won|been_selected|inherited|a_new|a_parcel|been_chosen",
        ("prize|inheritance|beneficiary|million|dollars|next_of_kin .. "
        "usd|dollars|pounds|winner|fund|claim|claimed|transfer|waiting|bank"),
        "seo|backlinks|rankings|first_page|page_one|web_design|lead_generation|leads",
        "increase|boost|grow|improve|double .. traffic|sales|ranking|revenue|business|followers|website",
        "special|exclusive|limited|amazing|best|great offer|offers|discount|time_offer|price|deal|deals", "% off",
        "free quote|trial|consultation|demo|gift|sample|shipping|delivery",
        ("we offer|supply|provide|specialise|specialize|manufacture|are_a_leading|can_help_your ... "
        "services|solutions|prices|businesses|companies|clients|range|products|packages|rates|quality|organisations|team|"
        "you|customers"),
        "our services|products|solutions|clients|company|range|prices|platform|software|experts|packages",
        "dear sir? user|customer|valued|beneficiary|friend|winner|business_owner|website_owner|account",
        "business owner|proposal|loan|opportunity|opportunities|partnership",
        "loan|loans|credit .. approved|available|offer|rates|percent|interest",
        "invoice|payment|remittance .. attached|overdue|due|advice|pending", "work from home",
        "make|earn £*|money|$*|up .. from|a|per|day|week|month|home|online",
        "parcel|package|delivery .. held|fee|waiting|reschedule|customs|redeliver*", "whatsapp me|us|group|on",
        "act now", "hot singles", "followers|likes", "no win no fee|fee", "claim your", "dear sirmadam",
        "toner|cartridges|franchise|solar|double_glazing",
        ("kindly verify|click|download|find|transfer|open|send|revert .. "
        "link|below|account|attachment|attached|bank|invoice|money"),
        "tax|hmrc refund|rebate .. click|claim|link|due_to_you",
    ), unless=(
        "my|our|your_decision|ombudsman .. hospital|gp|complaint|case",
        "{they}|dwp|hmrc .. sent|lost|said|told|stopped|refused", "they .. told|sent|said", "my (pip|benefit|pension)",
        "hospital|surgery|ward", "my husband|wife|mum|dad|son|daughter",
    )),
    Row("bait", _N, _GUIDE, (
        "pay|click|follow|tap|visit .. fee|link|here|below", "link|button .. below|to_claim|to_reschedule|to_confirm",
        "reschedule delivery|your_delivery", "at|via|on below|the|this|following link|website|button",
        "kindly .. link|click|verify|download|details", "bank details|account_details|card_details",
        "made|make|earn|earned|earning £* .. week|day|month|weekend|hour", "dm .. me|to|for|freedom|info",
        "pencil|fit|squeeze|book .. in .. mins|minutes|chat|call|slot", "would suit your", "who would suit",
        "save|up_to 10*|15|20*|25|30*|40*|50*|60*|70* .. off|this_week|today", "at checkout",
        "reply .. for|with .. quote|price|details|info|list", "book|schedule|arrange .. call|demo|consultation",
        "within 24|48 hour|hours", "text stop|stop_to", "act fast|now",
    ), unless=(
        "my|our hospital|gp|complaint|case|benefit", "{they}|dwp|hmrc|dvla .. sent|lost|said|told|stopped|refused",
        "your website|form .. click|link", "they .. told|sent|said", "my bank",
    )),
    Row("empty-test", _N, _GUIDE, (
        "test test", "asdf*|qwerty|testing", "please|just ignore|a_test|testing", "this is a test",
        "test message|email|only|please|ignore", "checking|testing the form|website|email|system", "ignore this",
        "testing 123|one|1",
    ), unless=(
        "ignore my|me|us|complaint|your", "blood|covid|test_result|driving|blood_test|eye",
        "please ignore my|the|previous", "not|do_not|stop|cannot .. ignore", "test results|result|tests",
    )),
    # -- a person decides, whatever else it says
    Row("subject-access", _R, _LAW, (
        "subject access", "sar|dsar request", "a|dsar sar|dsar",
        ("copy|copies of|all .. everything|all|personal|data|information|records|emails|calls|file|notes .. "
        "you|hold|me|personal|about|your"), "my|all personal data|information",
        "all .. information|data|records|documents .. you|ombudsman .. hold|have|held|keep",
        "what|everything|any|information|data .. you .. hold|have|keep|held .. on|about|about_me",
        "right of access|rectification|erasure|to_erasure|to_be_forgotten", "gais am wybodaeth|mynediad",
        "article 15|17|16|21",
    ), unless=(
        "under|through|via|from|by|released|made|after a? subject_access", "released .. subject access",
        "hospital|dwp|hmrc|trust|gp|surgery|dvla|council|practice .. subject_access|copy|sar",
        "send you|attached|enclosed|enclose|here|sent .. copy|copies",
        "i|we .. enclose|attach|sent|gave|have|had .. copy|copies|all", "passenger",
    )),
    Row("freedom-of-information", _R, _LAW, (
        "freedom of information", "foi|foia", "rhyddid gwybodaeth", "environmental information regulations",
    ), unless=(
        "hospital|dwp|trust|hmrc|council .. foi|freedom", "my foi .. to",
    )),
    Row("data-protection", _R, _LAW, (
        "data protection", "data breach|breached", "gdpr", "breach of .. data|privacy|confidentiality|gdpr",
        "information commissioner", "ico",
        "sent .. my .. to|somebody|someone|another|wrong .. wrong|else|person|address|stranger|neighbour",
        ("someone|somebody|another|other else? .. letter|details|case|papers|report|file .. "
        "in|with|to|was|enclosed|instead|about"), "delete|erase|remove .. my .. data|information|details|records",
        "diogelu data",
    ), where="ours", unless=(
        "hospital|surgery|gp|trust|dwp|hmrc|receptionist|council|practice", "privacy policy",
    )),
    Row("two-requests", _R, "labelling guide: two requests that need two teams", (
        "two|couple|three|few|2|3 .. things|matters|heads|points|separate|issues|complaints|questions",
        "separate|separately|different matter|issue|complaint|thing|totally|i|from|but|note",
        "totally|completely|also separate|different",
        "another|second|other|new|different|additional complaint|matter|hospital|issue",
        "also|as_well|plus|and_another_thing|while_i_am ... new|another|complain|complaint", "secondly", "as well as",
        "i have .. also|now .. complaint|new|another", "which|which_bit|who of_you|deals_with|deals",
        "first|firstly|1 ... second|secondly|2", "add it on", "new form", "on a different|separate|another",
    ), unless=(
        "as well as can|could|i|we|he|she", "couple|few of .. days|weeks|months|years|times|hours|things_wrong",
        "complained .. second|another", "second complaint|stage|one .. reply|feb|closed|was",
        "another hospital .. died|transferred|moved|sent", "another .. investigator|caseworker|person",
        "two|three|2|3 .. complaints .. contradict", "other|different hospital|matter .. transferred",
        "other complaint .. third|answered|closed|still", "for the second|third", "few|couple points|things .. draft",
        "new|another complaint .. just|first", "question",
    )),
    Row("withdraws-and-not", _R, _GUIDE, (
        "withdraw|close|stop|drop .. but|not|do_not|unless|then|carry", "do not .. want .. closed|stopped|withdrawn",
        "carry on .. without|but", "unless you hear", "not .. withdraw|close .. withdraw|close",
        "ignore .. complaint|this|everything .. expect|reply|but|please_reply|answer", "changed my mind .. again|back",
    ), unless=(
        "do not .. close|closed .. my_case|because|just|over|early", "i do not want .. stop",
        "stopped giving|taking|my|payment|pip|money|them|benefits|his|her", "close to", "stop but|blocking",
        "stop .. discharging|doing",
    )),
    Row("praises-a-hospital", _R, "labelling guide 5", (
        ("thank|thanks|grateful|praise|credit|compliment|brilliant|wonderful|excellent|fantastic|amazing|lovely|superb|"
        "marvellous|outstanding|kind ... "
        "hospital|ward|nurse|nurses|surgeon|paramedic|paramedics|midwife|midwives|surgery|gp|a_and_e|doctor|doctors|"
        "ambulance|theatre|consultant|porter|porters|icu|maternity"),
        ("hospital|ward|nurse|nurses|surgeon|paramedics|midwife|midwives|surgery|gp|doctor|doctors|ambulance|consultant|"
        "porters|crew ... brilliant|wonderful|excellent|fantastic|amazing|lovely|superb|marvellous|outstanding|so_kind|"
        "very_kind|credit|medal|angels"),
    ), unless=(
        "not|never|no|nothing|wrong|but|refused|rude|lovely_reason|would_be grateful", "would be", "no thanks",
        "too late now", "thank god|goodness|you_for_reading", "investigator|your",
    )),
    Row("too-vague", _R, _GUIDE, (
        "you know which|what|why|who|exactly", "ring|call|phone me about the|it|that|this", "about the letter",
        "not right and", "the thing|usual|same", "like i said", "does it matter", "would not give name|a_name|details",
        "as discussed",
    ), unless=(
        "your decision|letter_of|report", "you know what .. like|i_mean", "ring me about my|the_draft|the_case",
        "you know it",
    )),
)  # fmt: skip
_CLUES: Final = Table(CLUES)
_CLOCKS: Final = {
    "subject-access": "subject access: within one month (UK GDPR article 12)",
    "freedom-of-information": "freedom of information: within 20 working days (FOI Act 2000 section 10)",
    "data-protection": "data protection complaint: acknowledged within 30 days (Data (Use and Access) Act 2025)",
}
_ROBOTS: Final = frozenset({"robot", "robot-subject"})
_MOST_FACTS: Final = 6

_QUERIES_SOURCE: Final = "service model: standing queries"
QUERIES: Final = (
    Row("mp-referral", "mp-referral", _QUERIES_SOURCE, (
        ("mp|mps|member_of_parliament|mp_referral ... "
        "sign|signed|signature|need|refer|referral|form|why|have_to|through|involve|go|do_it|write|without|won't|refuses"),
        "need|why|have_to|through|without|do_i|via|does_it|who ... mp|mps|member_of_parliament", "aelod seneddol|as",
    )),
    Row("opening-hours", "opening-hours", _QUERIES_SOURCE, (
        "opening hours|times|time", "are|is|r you|your|it|phone|line|lines|office ... open|closed|shut",
        ("open .. saturday|saturdays|sunday|sundays|weekend|weekends|late|evenings|bank|christmas|easter|today|tomorrow|"
        "until|till|on|tonight"), "what time|hours|days", "when .. open|ring|call|close|phone", "ar agor", "oriau agor",
    )),
    Row("time-limits", "time-limits", _QUERIES_SOURCE, (
        "time|12_month|twelve_month|year|month limit|limits|bar|rule|barred", "twelve|12 months", "too late",
        "how long .. have|do_i|to_complain|after|ago|back", "deadline", "out of time", "how far back",
        "how .. old|late", "terfyn amser",
    )),
    Row("how-long", "how-long", _QUERIES_SOURCE, (
        "how long .. take|takes|on_average|does|is|will|before|until|for|usually|would|normally|typically", "how long",
        "average time", "how many .. weeks|months", "how quickly|soon|quick", "faint o amser|hir", "pa mor hir",
    )),
    Row("large-print-form", "large-print-form", _QUERIES_SOURCE, (
        "large|larger|big|bigger print|font ... form|forms|leaflet|complaint|get|one|them",
        "form|forms|leaflet ... large|larger|big|bigger print|font|type", "20|18|16 point",
        "form|forms|leaflet ... easy_read|braille|audio|welsh|large",
        "easy_read|braille|audio ... form|forms|leaflet|version|instructions",
    )),
    Row("cost", "cost", _QUERIES_SOURCE, (
        "charge|charges|cost|costs|fee|fees|free|pay", "solicitor|lawyer|legal",
    ), unless=(
        "free to|time",
    )),
    Row("who-can-complain", "who-can-complain", _QUERIES_SOURCE, (
        "who .. can|allowed|is_allowed", "on behalf of|his|her|my", "next of kin",
        "somebody|someone|mother|father|relative|mum|dad|wife|husband has|who|is died|passed|dead",
        "can|could|may someone|i|my|a|their|we|you .. complain|bring|do_it|make_a_complaint", "both be on",
        "consent|permission|authority", "one form per",
    )),
    Row("what-we-look-at", "what-we-look-at", _QUERIES_SOURCE, (
        "do|can you .. look|deal|cover|take|handle|investigate|do",
        "private|council|councils|schools|school|police|housing|energy|bank|dentists|scotland|wales|ireland",
        "difference between", "which one|ombudsman", "in your|remit",
    )),
    Row("form", "form", _QUERIES_SOURCE, (
        "form|forms|ffurflen|ffurflenni", "how .. complain|apply|make_a|start", "paper copy",
        "upload|file|attachment|jpg|pdf|size",
    )),
    Row("visit", "visit", _QUERIES_SOURCE, (
        "visit|visiting|office|face_to_face|in_person|come_in|drop_in|step_free|appointment|parking",
    )),
    Row("access", "access", _QUERIES_SOURCE, (
        "bsl|interpreter|relay|sign_language|textphone|video|braille|language|languages|translate*",
    )),
    Row("figures", "figures", _QUERIES_SOURCE, (
        "publish|statistics|figures|report|annual|data|region|dissertation|research",
    )),
)  # fmt: skip
_QUERIES: Final = Table(QUERIES)

_BEYOND_US: Final = Table(
    [
        Row("beyond-our-remit", "beyond", "labelling guide: wrong organisation", (
            ("energy|electric|gas|water|broadband|telecom|telecoms|bank|building_society|insurance|landlord|landlords|"
            "council|councils|housing|police|school|university|airline|neighbour|neighbours|employer|boss|supermarket|"
            "shop|british_gas|vodafone|eon|octopus|virgin|sky|bt|social_services|social_worker|letting|estate_agent|"
            "private|ltd|company|bailiffs|loan_shark|gym|rent|rented|tenancy|tenant|homeless|residential|care_home|refuge"),
        ), unless=(
            "council tax",
        )),
    ]
)  # fmt: skip
_WITHIN_US: Final = Table(
    [
        Row("within-our-remit", "within", "domain: who", (
            ("hospital|hospitals|nhs|gp|surgery|ward|clinic|dentist|dental|pharmacy|chemist|ambulance|trust|doctor|doctors|"
            "infirmary|midwife|nurse|dwp|hmrc|dvla|jobcentre|home_office|passport|universal_credit|pip|esa|tax|visa|"
            "prison|hmp|department|child_maintenance|cms|benefit|benefits|ministry|medical|health|crisis_team|consultant|"
            "surgeon|a_and_e|environment_agency|icb|patient|care_board|pension"),
        )),
    ]
)  # fmt: skip


_MODEL: Final = Linear("outcome.json")
_OUTCOMES: Final = tuple(map(Outcome, _MODEL.labels))
_RULE: Final = f"model outcome {_MODEL.version}"
_TEAMS: Final = tuple(_OUTCOMES.index(each) for each in (Outcome.FEEDBACK_RECORD, Outcome.INTAKE, Outcome.INVESTIGATORS))
_ALSO: Final = 0.015  # how likely a second team must be where they say that they want two things
_TO_LEAVE: Final = 0.95  # how sure, before something is put where nobody looks for a person
_MOST_SURE: Final = 0.995  # of what is read; only what is declared is 1
_BY_RULE: Final = 0.7  # how often a person must decide where a rule below says so, on the corpus


@dataclass(frozen=True, slots=True)
class Weighed:
    """What it most likely asks for, how sure that is, what is done about it, and why."""

    outcome: Outcome
    leaning: Outcome
    confidence: float
    evidence: tuple[Fact, ...]
    legal_clock: str | None = None
    hints: tuple[str, ...] = ()  # the types of feedback that the form or subject named
    spam: bool = False


def traits_of(channel: str, lines: Sequence[Sentence], found: Found, *, references: int, named: int) -> Mapping[str, int]:
    """What there is to weigh. ``references`` counts our case references, ``named`` the other bodies named."""
    return traits(channel, lines, dict.fromkeys(hit.row.name for hit in found[_CLUES]), references=references, named=named)


def weigh(there: Mapping[str, int], lines: Sequence[Sentence], found: Found, *, at_risk: bool, automatic_at: float) -> Weighed:
    """Weigh it. What is less sure than ``automatic_at``, and what a rule keeps for a person, is ``review``."""
    hits = {hit.row.name: hit for hit in reversed(found[_CLUES])}
    weights = known(there)
    odds = likelihoods(sum(weights.values()), len(there))
    best = max(range(len(odds)), key=odds.__getitem__)
    leaning, confidence = _OUTCOMES[best], sureness(odds[best])
    clock = next((each for each in _CLOCKS if each in hits), None)
    rule = _for_a_person(leaning, odds, hits, found, at_risk=at_risk) or clock
    if rule:
        leaning, confidence = Outcome.REVIEW, max(confidence, _BY_RULE) if leaning is Outcome.REVIEW else _BY_RULE
    enough = max(automatic_at, _TO_LEAVE) if leaning is Outcome.NO_ACTION else automatic_at
    outcome = leaning if confidence >= enough else Outcome.REVIEW
    evidence = [*_because(weights, there, lines, hits, best)]
    if clock:
        evidence.insert(0, Fact("legal_clock", _CLOCKS[clock], clock, hits[clock].sentence.text[:200]))
    if rule:
        evidence.insert(0, Fact("outcome", Outcome.REVIEW, rule, hits[rule].sentence.text[:200] if rule in hits else ""))
    return Weighed(
        outcome,
        leaning,
        confidence,
        tuple(evidence),
        clock,
        _hints(lines),
        spam=outcome is Outcome.NO_ACTION and not _ROBOTS & hits.keys(),
    )


def likelihoods(weight: int, traits: int) -> list[float]:
    """Of each outcome, by what so many traits weigh together. The more of them are new to the model, the nearer they lie together."""
    scores = _MODEL.weigh(weight, 1 / math.sqrt(traits))
    most = max(scores)
    powers = [math.exp(score - most) for score in scores]
    whole = sum(powers)
    return [power / whole for power in powers]


def sureness(likelihood: float) -> float:
    """The share of readings of such a likelihood that are right, as learned from writers that the model had not seen."""
    slope, shift = _MODEL.sureness
    least = min(max(likelihood, 1e-9), 1 - 1e-9)
    return min(_MOST_SURE, round(1 / (1 + math.exp(-slope * math.log(least / (1 - least)) - shift)), 3))


def _for_a_person(
    leaning: Outcome, odds: Sequence[float], hits: Mapping[str, Hit], found: Found, *, at_risk: bool
) -> str | None:
    """The rule by which a person decides whatever the model says, except that of a clock."""
    if "two-requests" in hits and sorted(odds[each] for each in _TEAMS)[-2] > _ALSO:
        return "two-requests"
    beyond, within = len(found[_BEYOND_US]), len(found[_WITHIN_US])
    if at_risk and leaning in (Outcome.INTAKE, Outcome.REVIEW) and beyond >= max(within, 1):
        return "wrong-organisation-with-risk"
    return None


def _because(
    weights: Mapping[str, int], there: Mapping[str, int], lines: Sequence[Sentence], hits: Mapping[str, Hit], best: int
) -> Iterator[Fact]:
    """The rows and the sentences that spoke most for it, each once."""
    told: set[str] = set()
    for each in _MODEL.strongest(weights, best, 4 * _MOST_FACTS):
        hit = hits.get(each.removeprefix("row "))
        rule = hit.row.name if hit else _RULE
        words = hit.sentence.text if hit else lines[there[each]].text if there[each] != WHOLE else ""
        if words and words not in told and len(told) < _MOST_FACTS:
            told.add(words)
            yield Fact("outcome", _OUTCOMES[best], rule, words[:200])


def _hints(lines: Iterable[Sentence]) -> tuple[str, ...]:
    subject = " ".join(line.plain for line in lines if line.from_subject)
    named = (
        ("about us", "service"),
        ("your service", "service"),
        ("compliment", "praise"),
        ("praise", "praise"),
        ("thank", "praise"),
        ("suggestion", "suggestion"),
        ("review", "decision"),
        ("decision", "decision"),
    )
    return tuple(dict.fromkeys(kind for word, kind in named if word in subject))


def query(found: Found) -> str | None:
    """Which standing query it asks; None where it is none that has a name."""
    order = [row.name for row in QUERIES]
    asked = [hit for hit in found[_QUERIES] if hit.sentence.question] or found[_QUERIES]
    return min((hit.row.name for hit in asked), key=order.index, default=None)


_BESIDE: Final = {  # what a question of one kind often has the words of, and does not ask
    "large-print-form": ("form", "access"), "time-limits": ("how-long",), "mp-referral": ("form", "what-we-look-at"),
    "opening-hours": ("what-we-look-at",),
}  # fmt: skip


def queries(lines: Sequence[Sentence], found: Found) -> tuple[str, ...]:
    """What they ask, each once: the standing query's name, or ``""`` for a question that has none. Two in one sentence are two."""
    asked: dict[str, None] = {}
    for line in lines:
        names = {hit.row.name for hit in found[_QUERIES] if hit.sentence == line} or ({""} if line.question else set[str]())
        asked.update(dict.fromkeys(sorted(names.difference(*(_BESIDE.get(each, ()) for each in names)))))
    return tuple(asked)
