"""Signs of serious harm and of threats to staff. Recall first: a false alarm costs a person a minute.

A table of phrases by kind of danger, in English with Welsh, Polish and common misspellings. Idioms are taken back only where
they are plainly idioms; what is past and told as history (a death, an inquest) is taken back too.
"""

from collections.abc import Sequence
from typing import Final

from router.read.phrases import Found, Hit, Row, Table
from router.read.reading import Sign
from router.read.risk import MODEL, hear
from router.read.sentences import Sentence

ODDS: Final = -2.75  # of a risk, from which it is told: a natural logarithm, one in sixteen
OF_A_RULE: Final = 2.5  # what a row that is found adds to them

_SOURCE: Final = "DESIGN section 1, Urgent"
_GUIDE: Final = "labelling guide: safeguarding"

# A death told as history is what many complaints are about. It is no sign by itself.
_HISTORY: Final = (
    "took his|her|their own life", "taken his|her|their own life", "killed himself|herself|themselves", "died by suicide", "committed suicide",
    "inquest", "coroner*", "hanged himself|herself", "after his|her|their suicide", "suicide of my",
)  # fmt: skip
# Words that are for sale or taught are not said of oneself.
_TAUGHT: Final = (
    "suicide|suicidal prevention|awareness|first|training|helpline|bereavement", "training|course|webinar|workshop|leaflet|delegates|dissertation|policy",
    "suicide watch policy",
)  # fmt: skip

ROWS: Final = (
    Row("said-outright", "harm", _SOURCE, (
        "kill|kil|killing|hang|drown|shoot myself|my_self|meself|mysef|mself|myslef|ourselves",
        "end|ending|take|taking my own? life", "do away with myself",
        "want|wanna|going|plan|planning|intend|ready|rather|wish to? die|be_dead", "better off dead",
        "better|be_better off without me", "wish i was|were dead|not_here|not_alive",
        "i|i_am|am|feel|feeling|been|felt suicidal|sucidal|suicidle|suisidal", "sucidal|suicidle|suisidal|suiciadal",
        "taken|took|swallowed all|thirty|forty|fifty|the_whole|30|40|50|60 .. pills|tablets|paracetamol|meds",
        "cutting|cut|harming|burning|hurting myself|my_arms|my_wrists|my_legs",
    ), unless=(
        *_HISTORY, "laughing|with_laughter", "did|used_to|wanted .. die|dead", "cut myself shaving|off|a|on",
        "myself .. in|back|when|years 19*|20*|ago|i_was_younger", "kill|hang myself trying|rushing|getting|on_that|on_the",
        "asked|ask if|whether .. myself|my_life", "not .. kill|hang|harm|hurt myself", "lol|haha|lmao", "thoughts of .. no",
    )),
    Row("told-in-the-subject", "harm", _GUIDE, (
        "risk of serious? harm|self_harm|suicide|death|abuse", "risk to life|his_life|her_life",
        "safeguarding concern|referral|alert|urgent", "urgent safeguarding", "immediate risk|danger",
    ), where="subject", unless=(
        *_TAUGHT, "no safeguarding", "newsletter|bulletin|conference",
    )),
    Row("suicide", "harm", _SOURCE, (
        "suicid*|sucid*|suiside|suicde|siucid*|suisid*|suacid*",
        ("kill|kil|killing|kiling|hang|drown|shoot|cut|cutting|harm|harming|hurt|hurting "
        "myself|my_self|meself|mysef|mself|myslef|ourselves"), "do away with myself",
        "end|ending|take|taking my own? life", "end|ending it all|now|tonight|today", "just want|going to end it",
        "self harm*", "selfharm*", "overdos*", "taken|took|take|swallow all? .. pills|tablets|paracetamol|meds",
        "do something stupid|silly|daft", "want|wanna|wish .. be|i_was|i_were|to_be dead",
        "wish i was|were|am not here", "want to die", "ready to die", "rather be dead", "better off dead",
        "want it to end", "jump off|from|in_front", "under a|the train", "a rope",
        "saving|saved|stockpil* up? .. tablets|pills|paracetamol", "tried to|and end|kill it|myself|herself|himself",
        "hang|kill|harm|hurt|cut himself|herself|themselves|hisself|themself", "ligature*", "slit my",
        "cut|cutting my wrists|arms|legs",
    ), unless=(
        *_HISTORY, *_TAUGHT, "jump off|from the page|form|website", "kill|hurt|hang myself laughing|with_laughter",
    )),
    Row("no-reason-to-live", "harm", _GUIDE, (
        ("no|not|nothing .. point|reason .. "
        "going_on|carrying_on|living|anymore|any_more|in_living|to_go_on|to_live|being_here|left"),
        "see|seen no|the point .. anymore|any_more|now|of_them|in_it|living|going_on|any_of_it",
        "can not see|see_any|see_the point .. them|it|anything|anymore|living|going_on|life",
        "can not|not_sure_i_can go|carry on|on_like_this|anymore", "can not .. carry|go|going on",
        "can not|do_not do|take this|it any_more|anymore|any_longer|no_more",
        "can not cope|cope_with_it anymore|any_more|any_longer|much_longer", "can not cope",
        "do not want to be here|alive|around|live|wake_up|go_on|exist", "not want to be here|alive|around|wake_up|live",
        "nothing|not_much|nothing_left|no_one left? to live|to_live_for|live_for",
        "no reason|point to|in live|living|go_on|carry_on|get_up", "hope i do not wake|wake_up", "i .. not wake up",
        "go to sleep and not|never wake", "better|be_better off without me",
        "everyone|everybody|world|family|kids|they would|will|is|be better|better_off without me",
        "given up on|with life|living", "have given up .. life|living|eating|hope",
        "will not be here|around|alive|about", "would not be here|alive",
        "might|may not be here|around .. to|much|when|for|by|next|long",
        "not be here|around much longer|to_see|next_week|by_then|for_long",
        "no one|nobody here|left|there to open|read|answer",
        "will not matter|make_a_difference .. after|soon|anyway|to_me|when_i|by",
        "by the time you read|get|receive|open this", "for|to whoever finds|comes|clears",
        "papers|letter|note|keys|will are|is .. for|in whoever|whoever_comes|finds",
        "put|putting|got|getting .. affairs|things in order", "sorted my funeral|affairs|will_out",
        "this is|my|final goodbye|my_goodbye", "goodbye to|my everyone|everybody|kids|all|world|family",
        "saying goodbye", "said my goodbyes", "you were the last",
        "last|final letter|message|note|time|email|words .. ever|you_will|i_will|i_write|from_me|to_anyone",
        "last .. you will .. hear from|of me", "will not hear from me again", "hopeless*|worthless",
        "life is not worth|over|finished", "not worth living", "want to disappear|vanish|sleep_forever",
        "had enough of life|living", "tired of living|life|being_alive", "at the end of my tether|rope",
        "i am at breaking point", "i .. breaking point", "broken and alone",
        "rehom*|rehomed|given|taken|found the|my|a dog|cat|dogs|cats|home ... better|for_him|for_her|away|for_them",
        "join|be_with .. him|her|my_husband|my_wife|my_son|my_mum|my_daughter again|soon|in_heaven",
        "she|he|they was|were the only reason", "no future", "dark|darkest place|thoughts|days", "intrusive thoughts",
    ), unless=(
        "can not go on|carry_on .. holiday|trip|website|portal|your|that_date|strike",
        "can not .. go on the|a|your|holiday", "carry on .. holding|using",
        ("will not|not be here|around|about on|at|until|from|between|till .. "
        "monday|tuesday|wednesday|thursday|friday|saturday|sunday|june|july|august|holiday|am|pm|o_clock"),
        "can not carry on .. my|the|chasing|complaint|case|waiting|paying|with_this_complaint",
        "no reason to complain|think|doubt", "no point to|in .. complaint|form|appeal",
        "hopeless service|website|phone|form|organisation|lot|team|at", "end of my tether with you|your|the|this",
    )),
    Row("not-eating-or-sleeping", "harm", _GUIDE, (
        "not eaten|slept|eating|sleeping|ate", "not .. slept .. or eaten", "have not .. eaten", "not eating",
        "stopped eating|drinking|washing", "not left the house|bed|flat", "can not sleep or|and eat",
        "lost .. stone since|in|from", "not been eating", "can not eat", "starving myself",
    ), unless=(
        "not eaten before|prior|breakfast|fasting|the", "not eating into", "not eaten for the operation|scan|procedure|test",
        "told not to eat", "nil by mouth",
    )),
    Row("medicine-stopped", "harm", _SOURCE, (
        "stopped|stopping|stop|given_up|quit|refusing|refuse|come_off|off|not taking|my|all|his|her|take? .. {medicine}",
        "not taking|taken|took .. {medicine}", "skipping|rationing|missing|halving|sharing .. {medicine}|doses|dose",
    ), unless=(
        "stopped|stopping giving|prescribing",
        "they|gp|surgery|hospital|doctor|doctors|nurse|clinic|practice .. stopped|stop|stopping", "stopped by",
    )),
    Row("no-medicine", "harm", _GUIDE, (
        "run|running|ran|nearly|almost|got out|no|none of|left? .. {medicine}",
        "no {medicine}|more_insulin left|for|until|since|at_all|now", "without .. {medicine}", "out of {medicine}",
        "enough {medicine} for|until|to", "last|only one|two|three|few|day|days? .. {medicine} left",
        "can not afford|get|pick_up|collect|access .. {medicine}", "could not get .. {medicine}",
        "will not|not|refuse|refused|refusing|stopped|stop .. prescribe|prescribing|give|giving|issue .. {medicine}",
        "back up bottle|cylinder|tank is|was empty", "oxygen machine|concentrator|runs_out",
        "ventilator|nebuliser|feeding_tube|dialysis_machine .. power|electric*|off|mains|cut|stop*",
        "{medicine} runs|run|will_run|ran|has_run|have_run out", "{medicine} left|for today|tomorrow|until|only",
        "insulin|oxygen|epipen .. gone|left|empty|tomorrow|out", "days without .. {medicine}",
    ), unless=(
        "without|no adequate|proper treatment", "without .. treatment .. being", "prescription charge*",
    )),
    Row("no-food-or-heat", "harm", _SOURCE, (
        "no|without|any food|heating|heat|electric|electricity|gas|power|water|money_for_food|hot_water|leccy",
        "nothing|not_a_thing|no_money|cant_afford to|for eat|food|feed",
        "nothing|bare|empty in|the cupboard|cupboards|fridge|larder", "cupboards are|is|empty|bare",
        "food bank*|foodbank*",
        "can not afford|buy|pay .. food|eat|heat|heating|electric|gas|feed|milk|nappies|rent_or",
        "feed my|the|our kids|children|baby|family|son|daughter .. can_not|nothing|cereal|bread|with|on",
        "can not feed", "kids|children|baby|babies|son|daughter|they are|is|go|going|went .. hungry|starving|cold",
        "not having|eating|eaten anything|any|myself|so_the_kids",
        "going|gone|go without food|meals|eating|so|heating|for_days", "starving|starve|hungry",
        "freezing in|to|cold .. flat|house|home|death|bed", "on|in|into emergency credit",
        "on .. leccy|electric|gas|meter .. emergency|left|gone", "emergency credit",
        "cut|cutting|disconnect* .. us|me|off|our|my .. electric|electricity|gas|water|power|supply|debt",
        "sleeping rough|in_my_car|in_the_car|on_the_street*|outside|in_a_tent|in_a_doorway",
        "on the streets tonight|now|with", "nowhere to sleep|go|live|stay",
        "made|being|be|are|become|going_to_be homeless|evicted", "living|sleeping in my|a|the|our car|van|tent",
        "i am homeless", "evict* .. tomorrow|today|tonight|with|baby|children|kids",
        "live|living on bread|toast|cereal|tins|nothing|water",
        "last|only £*|few_pounds|quid left|to_last|until|for|on", "not eaten for|in|since",
    ), unless=(
        "no food|water at|on|in the|your event|canteen|cafe|waiting_room", "no power to|over|in", "without power to",
        "not eaten .. before", "bring|leave food", "hungry for", "no heat .. moment",
        "without water|food|heating in_the_ward|on_the_ward", "power of attorney", "no more money|heat in",
    )),
    Row("abuse", "harm", _SOURCE, (
        "abus*", "rape|raped|raping|rapist|molest*|grooming|groomed", "sexual|sexually assault*|abus*|touch*|harass*",
        ("he|she|they|husband|partner|boyfriend|wife|son|dad|father|stepdad|carer|carers|ex|staff|nurse|man|brother|mother|"
        "mum hits|hit|beats|beat|punches|punched|slaps|slapped|kicks|kicked|strangled|strangles|choked|chokes|hurts|hurt|"
        "bites|burns|burned|burnt|pushes|shoves|shoved|throttled "
        "{kin}|my|the_kids|the_children|patients|residents|people|him|mum|dad|mam|nan"),
        "hits|beats|hitting|beating|punching|kicking|strangling|slapping|hurting {kin}|my|the_kids|patients|residents",
        "been|being|gets|got|was|is|be hit|beaten|punched|slapped|strangled|kicked|assaulted|attacked|hurt|tied|locked",
        "domestic violence|abuse|incident", "coercive control|controlling",
        ("violent|aggressive|controlling "
        "husband|partner|ex|boyfriend|son|father|wife|relationship|towards|to|at_home|with_me"),
        "he|she|husband|partner|ex|boyfriend|son|dad is|gets|has_been|was|can_be violent|aggressive|dangerous",
        ("scared|afraid|frightened|terrified|fear|petrified of|for|to .. "
        "him|her|my_husband|my_partner|my_ex|my_son|my_life|my_safety|my_carer|her_life|his_life|their_lives|the_staff|"
        "go_home|be_alone|what_he|what_she|he_will|she_will|for_my|for_our|for_her|for_his|them|home"),
        ("he|she|husband|partner|ex|wife|son|they|boyfriend|dad "
        "reads|read|checks|check|goes_through|looks_at|watches|monitors|tracks|takes|took|controls|controlling|got|has|"
        "sees|opens .. my? .. phone|texts|messages|emails|email|post|letters|money|bank|mail|location|calls"),
        "does not|not|must_not|can_not let|allow me|us leave|out|go|speak|talk|see|have|use|know",
        "must not|cant|can_not find out .. i|where|that|about|told",
        "if he|she|they finds|find|found|knows|sees|see|hears|knew",
        "he|she|they will|would|going_to kill|hurt|hit|find|beat {kin}|me",
        "threaten*|threatens to kill|hurt|stab|burn|hit|harm|take|beat",
        "threatened .. with .. knife|gun|hammer|bat|violence|acid", "death threat*",
        "hide|hiding from him|her|my_ex|my_husband|my_partner",
        "refuge|safe_house|restraining_order|non_molestation|non_mol", "not|do_not feel|am safe|feeling_safe",
        "unsafe at|here|with|in|to", "not safe at|here|with|in|to|for",
        "bruis* on|all|over|again|every|and|appear*|keep",
        "lock|locks|locked {kin}|in|my|him|mum|dad in|up|room|out|her|alone", "restrained|tied|pinned to|down|up",
        "neglect*|left_lying|left_in .. care|home|carers|child|children|faeces|urine|own|soiled|dehydrated",
        "marry|married .. never|not .. met|choose|say|know|want", "sent|flown|flying|taken|fly .. marry|married|wedding",
        "trafficked|modern_slavery|forced_marriage|fgm|honour_based|slave|passport_taken",
        "takes|took|stole|steals|stealing|taking .. my|his|her|mum|mums|dads money|pension|card|benefits", "stalk*",
        "knife|knives|machete|gun|acid|hammer", "make|makes me do things",
        "touches|touched|touching {kin}|the_residents|inappropriately|private*",
        "carer|carers|care_home|home|staff|nurses shouts|shouting|screams|rough|handling|cruel|mistreat*|pinch*|left",
    ), unless=(
        "verbally abusive|abused", "abus* of power|process|position|trust", "abuse the system", "not abuse",
        "abusive language|calls policy", "knife|hammer blow|to|edge", "not safe|unsafe discharge",
        "unsafe to drive|discharge", "not .. hurt anyone|anybody", "not let me leave|know .. page|form", "refuge .. in",
        "lol|haha|lmao",
        "if they find|found|see|knew .. error|mistake|fault|wrong|time|room|evidence|against|out_of_time",
        "left .. voicemail|message|a_message|the_trust|job|note",
    )),
    Row("violence", "harm", _SOURCE, (
        ("i|we|ill|gonna|might|he|she|son|brother "
        "will|would|going_to|swear|could|am_going_to|gonna|is_going_to|may|want_to|feel_like|wants_to|to|i_will .. "
        "kill|murder|stab|shoot|strangle|hurt|batter|smash|burn|do_time|swing_for|attack "
        "{kin}|them|someone|somebody|him|that|the|those|every|down|all|for"),
        ("kill|stab|murder|shoot|batter|burn|hurt|smash "
        "him|them|her|someone|somebody|people|everyone|that_doctor|his_face|you|your|the_lot|every"),
        "going to|gonna|will|get get|be|is hurt|killed|stabbed|what_is_coming|violent|physical",
        "someone|somebody|one_of|people .. going|will|gonna|get|is|end_up .. hurt|killed|dead|die",
        "blood on your|their|hands", "bomb|petrol|arson", "take|taking the law into|in my",
        "not responsible for|what .. my|what|i actions|i_do|do", "wont|not be responsible for|what", "do time for",
        "rip|tear .. head|throat|apart",
    ), unless=(
        "lol|haha|hahaha|lmao|joke|joking", "this waiting|wait|queue|delay|heat|suspense", "murder|kill for a",
        "could murder a", "would kill for", "blood .. hands .. tests", "nearly|almost killed me laughing",
        "hurt my feelings", "petrol money|receipt*|costs|station|mileage|bill*", "hit|hurt the deadline",
        "he|she|they|it nearly|almost|could_have|would_have|might_have killed|kill|hurt|died|die",
        "could have killed|hurt|died", "would|will|going hurt you to|if", "kill|killed .. time",
    )),
    Row("danger-now", "harm", _SOURCE, (
        "in|immediate|serious|grave|real danger", "life|lives at risk|threatening|in_danger|is_at|are_at",
        "risk to life|his_life|her_life|my_life", "going to die|be_dead|end_up_dead", "will die", "could die|be_dead",
        "i am dying", "might die|be_dead", "let|leave|leaving|left {kin} to die|here_to_die",
        "die|dying|dead before|in_pain|alone|of_cold|if_you|if_nobody|if_no_one|by_then", "in crisis",
        "mental health crisis|breakdown|breaking", "sectioned", "nervous|mental breakdown",
        "heart attack|chest_pain|cant_breathe|can_not_breathe|stroke .. now|right_now|today|having", "can not breathe",
        "on the floor now|still|and_can_not|cannot|since|for_days|all_night", "fallen and can_not|no_one",
        ("no one|nobody|not|never|noone|no_carer|carers .. come|coming|been|came|check*|feeding|washing .. "
        "days|my|to|him|her|on"), "samaritans", "emotionally|mentally broken|broke|destroyed|drained",
        "drinking myself|again_heavily|bottle", "harm|risk of serious? harm",
        "at risk of? harm|death|dying|abuse|neglect",
    ), unless=(
        "dying to|for", "died", "die .. will", "going to die .. then|we_were|he_was|she_was|i_was|told|thought",
        "thought|told|scared .. going_to_die|would_die|die", "was|were in danger", "could have died", "not in danger",
        "out of danger", "nobody|no_one|not|never .. came|come|been .. to .. meeting|interview", "never been|came back",
        "not .. been on", "no_one|nobody|noone|never|not .. come|came|coming back", "been on", "not been on",
        "heart attack .. in|last|ago", "not been .. told|to",
        "no_one|nobody|never .. check .. form|facts|file|records|bloods|notes|ulcers",
    )),
    Row("distress-noted", "harm", "labelling guide: implied", (
        "asked if|whether she|he|they was|were|is safe|ok|alright|suicidal", "long silence",
        "caller|he|she|they was? sounded? .. crying|tearful|sobbing|distressed|slurring|hysterical|in_tears|weeping",
        "crying|tearful|sobbing|very_distressed|distressed|weeping|in_tears|slurred",
        "told|informed|passed|alerted duty|line manager|duty_manager|safeguarding", "welfare check|concern",
        "concerned|worried|concern for|about his|her|their safety|welfare|wellbeing|life",
    ), unless=(
        "cried .. and so did",
        "was|were crying|in_tears|tearful|distressed .. when|because|in_the_ward|at_the|all_night|on_the_ward|in_pain",
        "left .. crying|in_tears|distressed", "distress and|caused", "for the distress",
        "she|he|mum|dad was crying|tearful .. hospital|ward|surgery|nurse", "my .. was crying|distressed|tearful",
    )),
    Row("thoughts-of-ending", "harm", _GUIDE, (
        ("think*|thought|thoughts .. "
        "bridge|ending_things|ending_it|railway|train_line|cliff|rope|dying|death|killing|suicide|doing_something|"
        "hurting_myself|my_own_funeral|not_being_here|pills|tablets"),
        "walk|walking into|in_front .. sea|river|traffic|lake|water|road|train",
        "cutting|cut|burning|harming|hurting again|my_arms|my_legs",
        "drive|driving|drove .. into .. wall|tree|river|lorry", "only .. way|one_way out", "the|an easy|only way out",
        "way out .. of this", "no way out", "want .. pain|it|everything|all .. stop|end|over .. for_good|forever|now",
        "make|want it|the_pain|everything? stop for_good|forever", "put an end to it|everything|this|my",
        "could end it", "sooner be with", "how many i|it|you need|takes|take|would_need|would_take",
        "not .. see .. christmas|another_birthday|the_summer|the_new_year|the_spring|the_winter|next_year",
        "not going to make it", "it would be easier if|to .. die|dead|sleep|went|gone",
        "locked|shut|barricaded himself|herself|myself|themselves in",
        "enough .. put_by|saved_up|stashed|hidden|hoarded",
        "empty|hidden|found .. blister|packets|packs|pill|bottles_of_pills", "blister packs",
        ("giving|given|gave away? .. his|her|my|their .. "
        "things|possessions|belongings|watch|xbox|savings|everything|pets|clothes|ring|phone .. to|away"),
        "giving|given|gave away all|his|her|my|everything|things", "crisis line|helpline|number",
        ("advised|told_to_ring|told_her_to_ring|told_him_to_ring|told|call|rang|ring 999|ambulance .. "
        "while|now|immediately|on_the_line|at_once|straight_away"), "too much to bear",
        "unbearable|can_not_bear_it|can_not_stand_it|can_not_take_it", "lost .. will to live|go_on|carry_on",
        "will to live",
    ), unless=(
        "end_it .. complaint|case|tenancy|contract", "stop|end .. letters|calls|delays",
        "thinking .. ending .. complaint|contract|tenancy", "cut|cutting again .. benefits|money|staff",
        "how many i|you need .. pages|copies|letters|forms|stamps|signatures|send|fill",
        "unbearable pain|noise|heat|delay|wait",
    )),
    Row("gone-and-unmissed", "harm", _GUIDE, (
        "nobody|noone|no_one|who|anyone would|will|even .. notice|miss|care|cry .. gone|dead|died|me|not_here|disappeared",
        "if i was|were gone|dead|not_here|not_around", "when|once|after i am|have gone|dead|died",
        "i will be gone|dead",
        "not|wont have|need .. worry|bother|hear|deal .. me|from_me much_longer|any_longer|anymore|any_more|again|soon",
        "be|feel|become|am|being a burden|such_a_burden|nothing_but_a_burden|just_a_burden",
        "burden to|on everyone|anyone|my|them|the_family|everybody|you|him|her",
        ("written|wrote|writing|left .. letters|letter|note|notes .. to|for .. "
        "kids|children|family|wife|husband|afterwards|when_i|mum|dad|them|find"),
        "told .. where .. keys|will|papers|money|insurance|bank", "nothing left|here for_me",
        "there is nothing|nobody|no_one left", "nobody left",
        "what is the use|point .. any_more|anymore|now|in_anything|of_anything|of_carrying|of_going|of_living",
        "what is the use", "give|giving|gave up on|with life|everything|living|hope", "nothing .. lose",
        "do not know|care what i|if_i .. do|might_do|will_do|live|die|wake_up", "not care if|whether i live|die|wake",
        "affairs .. order|straight|sorted", "paid .. milkman|gas|electric|rent|bills|everything .. up_to_date|in_advance|off",
        "everything|affairs|papers are|is .. in_order|sorted|in_the_bureau|in_the_drawer|on_the_table",
        "no one|nobody here|left .. to .. open|read|answer|find",
        "by then it|i will|would .. too_late|gone|be_over|dead", "too late for me",
        "all alone|on_my_own .. now|no_one|nobody|left",
        "not .. spoken|seen|talked to? .. soul|anyone|anybody .. days|weeks|months|since",
    ), unless=(
        "burden of proof", "foreign|home|public|consumer|veterans|external affairs", "burden on .. nhs|taxpayer|service|system",
        "when|once i have gone .. through|to|back|over",
        "after i had", "nothing left to say|add|do|claim", "letters .. to .. trust|hospital|you",
        "no point .. complaining", "what is the use .. of .. you|form|complaint",
        "no one here to help|answer|ask .. ward|desk|phone", "who would notice .. error|mistake",
        "gone through|back|over|to_the|on_holiday|away|home", "have gone to|through|back|over|into|on",
        "not .. hear from me .. until|before",
    )),
    Row("self-neglect", "harm", _GUIDE, (
        "bottle|litre|bottles of vodka|whisky|gin|wine|spirits|rum|brandy",
        "drinking .. every|day|all_day|morning|too_much|again|cope|more|heavily|through",
        "back on .. drugs|heroin|the_drink|drink|gear", "relaps*",
        "not|never|barely|hardly .. had .. meal|hot_meal|proper_meal|food|drink|bath|wash .. since|week|days|for|in",
        "barely|hardly|not eaten|slept|eat|sleep|eating|sleeping|got_up|get_up",
        "lost .. stone|stones|kilos|kg|weight .. since|in|not|and|month*|week*",
        "not|do_not|can_not|never get|got|getting .. out of bed|of_my_bed",
        "not .. leave|left .. house|room|bed|flat .. in|for|since", "not .. wash*|shower*|dressed .. days|weeks",
        "on the floor since|all|for|now|still", "lying|lain|sat .. in .. own|urine|faeces|mess|dirt|soiled",
        "sores|bedsores|bed_sores|pressure_sores|maggots|malnourished|dehydrated|emaciated|skin_and_bone",
        "carer|carers|nurse|nurses not|never|stopped|have_stopped|did_not|do_not .. come|coming|turn|turned|visit|show|been",
        "no carer|carers|care|care_package .. at_all|now|since|anymore|at_home|in_place",
        "left .. alone|on_his_own|on_her_own .. all|days|night|hours|with_no|without|fell|fire|dementia",
        "wander* .. road|street|night|outside|lost", "can not .. keep .. safe|alive|going|him_safe|her_safe|them_safe",
        "hypotherm*|pneumonia .. cold|damp|house|flat", "damp|mould|mold .. baby|asthma|chest|lungs|children|kids",
    ), unless=(
        "not eating into", "not sleep|slept well", "lost weight watchers",
        "on the floor .. ward|hospital|a_and_e|corridor|hrs .. home_with|said",
        "not eaten before|prior", "left alone with the form", "bottle .. sample|enclosed|of_water",
        "get out of .. hospital", "care .. not .. provided",
    )),
    Row("threatened-by-others", "harm", _SOURCE, (
        ("said|say|says|told|threatened .. will|would|going_to|gonna .. break|burn|hurt|kill|petrol|smash|get|find|harm .. "
        "me|my|us|legs|house|family|kids"), "break .. my|his|her|our legs|arms|neck|door", "loan shark|sharks",
        "gang|gangs|county_lines|dealer|dealers",
        ("grab|grabs|grabbed|drag|drags|dragged|pins|pinned|twist|twists|twisted|squeeze|squeezes|spit|spits|spat "
        "{kin}|my|mum|dad|mam|nan|the_kids|her_by|him_by|by_the"),
        "flinch*|cower*|scared_when|cries_when|cry_when|shakes_when|goes_quiet_when",
        "being hurt|harmed|hit|beaten|abused|threatened|blackmailed|exploited|followed|stalked|bullied",
        "outside my house|door|flat .. again|every|night|shouting|waiting|threatening",
        "throws|threw|throwing .. things|plates|at_me|at_us|me|her|him",
        "smashed|smashing|smashes up? .. house|flat|door|tv|phone|my|everything",
        "turned|turns|came|comes up|round|to .. knife|gun|bat|weapon|drunk|threatening|screaming|violent",
        "weapon|weapons", "will not|not|never let me|her|him|us .. leave|out|alone|eat|see|speak|have|go",
        "he|she|they gets|get|got|is|goes|turns .. angry|nasty|violent|physical .. when|if|with|and|drunk|drink*",
        "walking on eggshells", "do not tell|let|want my|him|her .. husband|partner|know|find|son|dad|father|wife",
        "frightened|scared|afraid|terrified .. him|her|in_my|at_home|of_what|sleep|night|live",
    ), unless=(
        "they|hospital .. will|would .. get|find .. back|out",
        "told .. would .. get .. reply|letter|appointment|call|refund|answer",
        "said .. would|will .. find|get .. out|back|notes|file|results",
        "scared of|about needles|the_operation|hospitals|surgery|dentists", "twisted my|his|her words|ankle|knee",
        "being hurt by your words|decision",
    )),
    Row("welsh", "harm", _SOURCE, (
        "lladd fy|ei|eu hun|hunan|hunain", "lladd fi|hi|ef|fe|nhw", "hunan laddiad|niweidio",
        "hunanladd*|hunanniweid*|hunan-ladd*", "hunan laddiad", "eisiau marw", "am farw", "ddim|dim eisiau byw",
        "dim eisiau bod yma", "dim pwynt byw|mynd|cario",
        "methu|ddim_yn_gallu cario|mynd|dal|ymdopi ymlaen|rhagor|mwy|ati|bellach",
        "dim bwyd|gwres|trydan|meddyginiaeth|moddion|nwy|arian_am_fwyd",
        "heb fwyd|wres|feddyginiaeth|drydan|inswlin|foddion|fwyta|gwsg", "dim byd i|iw fwyta",
        "mae|mae'n|roedd .. fy|fi ngham|nghuro|mrifo|mygwth|nharo|curo|taro",
        "yn|yn_fy|fy nghuro|nharo|mrifo|mygwth|ngham_drin|ngham-drin", "camdrin*|cam_drin|gam_drin|cham_drin",
        "ofn .. gwr|ngwr|fy_ngwr|partner|am_fy_mywyd|adref|fe|hi", "trais|treisio|treisiwyd|ymosod|bygwth*|fygwth*",
        "mewn perygl", "plentyn|plant .. perygl|risg|llwglyd|niwed", "stopio cymryd", "wedi rhoi r gorau i .. gymryd",
        "goddos|gorddos|orddos", "ddim gwerth byw", "yn well hebdda", "ddim yma",
    )),
    Row("polish", "harm", _SOURCE, (
        "samobój*|samoboj*", "zabi* się|sie|siebie|mnie|go|ją", "chcę|chce|wolę umrzeć|umrzec|zniknąć|skończyć_z_sobą",
        "nie chcę|chce|mogę|moge|mam|mam_już .. żyć|zyc|siły|po_co_żyć|dalej", "odebrać|odebrac .. życie|zycie",
        "nie ma|mam|mamy .. jedzenia|jeść|jesc|leków|lekow|lekarstw|insuliny|ogrzewania|prądu|pradu|gazu|pieniędzy_na",
        "bez leków|lekow|jedzenia|ogrzewania|insuliny|prądu",
        "bije|bił|bil|pobił|uderzył|dusi|dusił|grozi|groził mnie|mi|nas|dzieci|dziecko|ją|go|że",
        "mąż|maz|partner|on .. bije|grozi|uderzył|dusi",
        "boję|boje się|sie .. męża|meza|o_życie|o_zycie|partnera|go|jego|o_dzieci|wrócić", "przemoc*",
        "zgwałci*|gwałt*|molest*", "głodne|glodne|głoduj*|głodu", "w niebezpieczeństwie|niebezpieczenstwie",
        "znęca*|zneca*", "przedawk*",
    )),
    Row("other-languages", "harm", _SOURCE, (
        "me suicider|tuer|tuera", "veux|envie .. mourir", "quiero morir", "quiero matarme",
        "me quiero morir|matar", "me pega|golpea|mata|bat|frappe|viole", "ich will sterben", "mich umbringen",
        "bringe mich um", "schlägt|schlaegt mich", "vreau să|sa mor", "mă|ma bate|omoară|omor", "quero morrer",
        "me bate|matar", "voglio morire", "mi picchia", "ölmek istiyorum", "intihar", "noriu mirti", "самоуб*",
        "убить|убьет|убьёт|бьет|бьёт|б'є", "хочу умереть|померти", "انتحار", "أريد أن أموت|الموت", "আত্মহত্যা",
        "خودکشی", "自杀|自殺|想死", "ਖੁਦਕੁਸ਼ੀ", "आत्महत्या",
    ), unless=(
        *_HISTORY, *_TAUGHT,
    )),
    Row("threat", "threat-to-staff", "DESIGN section 1, Urgent", (
        ("know|found_out|find_out|finding_out where|which_building|which_office .. "
        "you|your|he|she|they|staff|mr|mrs|ms|the_investigator|that .. live|lives|work|works|park*|in|are|come_out|go|sit"),
        "know what time|car|time_you .. you|your|staff",
        "stood|sat|waited|waiting|standing|parked|been|be|am .. outside|across|opposite .. your|you|the_building|office|it",
        ("will|going_to|gonna|am|be come|coming|go|turn_up|waiting|down|pay* .. to|for|down|there|round .. "
        "your|you|the|and .. office|building|sort|find|see|make_you|him|her|you|one_of"),
        ("come|coming|comin down|there|round|for|after there|and|to|you .. "
        "sort|make|smash|kick|find|someone|hurt|knock|burn|deal_with"),
        ("someone|somebody|one_of_you|people|you|your_staff|that_man|that_woman|she|he|investigator "
        "in_there|there|at_your_office|of_yours|is|will|are|going_to|gonna|deserve* .. get|gets|be|end_up "
        "hurt|killed|stabbed|what|whats|knocked|punched|smacked|battered|a_slap|dead"), "you have had your warning",
        "had|been|this_is|your warned|warning|a_warning|your_last_warning|final_warning_to_you",
        "watch your|yourself|yourselves|out|his|her|their back|step|backs|if",
        "in|at your|that|the office|building|place .. get|be hurt|killed|stabbed", "know .. car .. drives|drive",
        ("you will|gonna|going_to regret|be_sorry|pay|get|suffer|find_out|wish|see|burn .. "
        "this|it|yours|me|what|for|you_had|hurt|soon|in"),
        ("kill|stab|hurt|shoot|burn|smash|batter|punch|slap|bomb|strangle|smack|knock|hunt|break|rip .. "
        "you|your|him|her|the_office|the_building|yous|investigator|caseworker|receptionist|staff|office|teeth|place|out"),
        "burn .. down|your|the office|building|place|it", "bomb .. your|the|office|building",
        "you|your|he|she|your_family|kids deserve* .. die|dead|cancer|hurt|killed|shot",
        "hope you|your|he|she|they .. die|dies|dead|rot|suffer|get_cancer|burn|crash",
        "find|hunt|track|follow* you|him|her|your|them .. down|home|family|car|house", "see you in hell",
        "you are|your dead", "dead man|meat|woman", "i have got|have got a knife|gun|machete|bat|hammer",
        "know people who",
        "if|when|next_time i|we|my_brother|my_son .. see|meet|catch|find you|him|her|that|them .. street|outside|person|town|road|dark",
        "know|no where|were your|the office|building|place is .. train|bus|minutes|letter|web|map",
        "know .. what|which school|school_run|nursery|gym|pub|bus .. she|he|you|they|run|goes|go|uses",
        "your|his|her address|home_address|kids|children|family .. know|find|online|facebook|safe|visit",
        "facebook .. your|his|her family|kids|house|wife", "sleep with one eye",
    ), where="ours", unless=(
        "cheerfully|gladly|happily .. strangle|kill|throttle", "hurt you to|if", "kill you to", "would it|not it kill|hurt you",
        "kill|hurt .. to .. reply|answer|ring",
        "let|leave you know", "see what you", "find your|you .. website|form|office|helpful|number|email|address",
        "where you are|we_are up|with|at|in_the", "know where you .. up|got|stand|with_it",
        "know where|what .. are|is .. up_to|at|with|step_free",
        "you will find|see|get .. enclosed|attached|that|copy|reply|from", "pay for|you",
        "know where|whether you|office is|are now|thank|thanks", "break down", "rip off", "burn*|smash .. hospital|surgery",
        "you .. waiting outside .. ward", "you will get .. letter|evidence|reply", "burn .. cd|dvd|disc", "lol|haha",
    )),
    Row("staff-sought-out", "threat-to-staff", "DESIGN section 1, Urgent", (
        "i know where you|your|he|she|they live|lives|work|works|park", "coming for you|him|her|them|one_of_you",
        "know which building|door|car .. you*|in", "somebody|someone in there is going|gonna",
        "got|been|have .. warning|warned", "what time you|they|she|he .. come|leave|go out|home|work",
        "gwybod lle|ble .. chi|rydych|dach .. byw|gweithio", "dod i .. swyddfa .. brifo|lladd|ladd",
    ), unless=(
        "got|been|have .. written|first|no|without|a|any|final|storm|weather warning",
        "warning|warned .. at|by|that|about|of|letter", "not .. warned", "no|any|without warning",
    )),
)  # fmt: skip
_TABLE: Final = Table(ROWS)
OFTEN_HARMLESS: Final = frozenset(
    {
        "suicide",
        "not-eating-or-sleeping",
        "medicine-stopped",
        "abuse",
        "danger-now",
        "distress-noted",
        "self-neglect",
        "threatened-by-others",
    }
)  # rows that are no sign where all the rest is calm


def by_rule(found: Found) -> tuple[Hit, ...]:
    """What the rows find, each row once."""
    return tuple({hit.row: hit for hit in reversed(found[_TABLE])}.values())[::-1]


def signs(lines: Sequence[Sentence], found: Found) -> tuple[Sign, ...]:
    """Every sign in the sentences: what the rows find, and what sounds like one though no row has its words.

    A row that is often harmless ("crying", "overdose") is none where all of the contact sounds as if nothing were the matter.
    """
    hits, heard = by_rule(found), hear(lines)
    if heard is None:
        return ()
    likely = heard.odds + OF_A_RULE * bool(hits) >= ODDS
    named = tuple(
        _sign(hit.row.gives, hit.row.name, hit.sentence.text) for hit in hits if likely or hit.row.name not in OFTEN_HARMLESS
    )
    return (
        (*named, _sign("threat-to-staff" if heard.of_staff else "harm", f"model harm {MODEL.version}", heard.words))
        if likely
        else named
    )


def _sign(kind: str, rule: str, words: str) -> Sign:
    return Sign("threat-to-staff" if kind == "threat-to-staff" else "harm", rule, words[:300])
