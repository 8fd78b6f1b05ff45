"""What a person needs and wants of us: adjustments, the method they prefer, methods that must not be used, the remedy they seek.

A wish that restricts is read generously, since it is obeyed at once and a mistaken one only costs a letter.
"""

import re
from collections.abc import Iterable
from typing import Final, Literal, cast

from router.read.phrases import Found, Hit, Row, Table
from router.read.reading import Fact
from router.read.sentences import Sentence

Method = Literal["telephone", "sms", "email", "letter"]

_GUIDE: Final = "labelling guide: reasonable_adjustments"
_NOT_NEEDED: Final = (
    "do not need|want",
    "no need for",
    "rather than",
    "instead of large|braille",
    "not offered|provided|given",
    "they|hospital|surgery did not .. provide|offer|book",
)

ADJUSTMENTS: Final = (
    Row("large-print", "large_print", _GUIDE, (
        "large|larger|big|bigger|enlarged print|font|type|letters|text|writing",
        "point|pt size|font|or|print|type|please|if", "16|18|20|22|24|28 point|pt", "16pt|18pt|20pt|24pt|14pt",
        "print bras|mawr",
    ), unless=(
        *_NOT_NEEDED, "big letters .. saying",
    )),
    Row("easy-read", "easy_read", _GUIDE, (
        "easy read|reading|to_read", "easyread", "words and|with pictures", "with pictures",
        "simple|simpler|plain|short|easy words|language", "hawdd ei_ddeall|ei_ddarllen|iw_ddarllen",
    ), unless=(
        *_NOT_NEEDED, "was|were|is|nice .. plain|simple", "put .. in plain|simple|normal",
    )),
    Row("braille", "braille", _GUIDE, (
        "braille", "brail*", "moon type",
    ), unless=_NOT_NEEDED),
    Row("audio", "audio", _GUIDE, (
        "audio", "on|by|a|or cd|tape|disc|cassette", "tape|tapes|cassette|recording_of or|please|instead|of_your|would",
        "carry on .. tapes|cd|discs|audio", "talking letter|book", "read .. onto|to tape|cd",
    ), unless=(
        "voicemail", "audio file of|from|attached", "cd of|with .. scan|scans|xray|images|notes|records",
        "on|a cd|tape|disc .. enclosed|attached|from the hospital",
    )),
    Row("bsl", "bsl_interpreter", _GUIDE, (
        "bsl", "sign language", "british sign", "signer", "iaith arwyddion",
    ), unless=_NOT_NEEDED),
    Row("interpreter", "spoken_interpreter", _GUIDE, (
        "interpreter|interpreters|translator|interpretor|interpretter|tłumacz*|tlumacz*|cyfieithydd", "language line",
        "someone|somebody|anyone who speaks|speak|talks|can_speak", "do not speak|understand .. english",
        "no|little|not_much|not_good|not_very_good|bad|poor english", "english .. not .. good|well|first|great|enough",
    ), unless=(
        "bsl|sign|deaf", "no|without|not|never|never_got|refused|wrong a|an|any|get interpreter", "english .. pictures",
        "no|without interpreter", "interpreter .. was|did not .. turn|show|there|come|provided|booked|cancelled",
    )),
    Row("welsh", "welsh", _GUIDE, (
        "in|through|speak|the|medium_of|use|letters_in|please welsh",
        "yn|drwy|trwy|siarad|ateb_yn|ymateb_yn|gohebu_yn|cyfrwng|y|ngymraeg|gyfrwng gymraeg|ngymraeg|cymraeg",
        "welsh speaker|speaking|language|please|preferred|version|copy|letter", "gymraeg|cymraeg os|plis|yn unig",
    ), unless=(
        "do not|no need", "in the welsh", "sorry .. welsh",
    )),
    Row("text-relay", "text_relay", _GUIDE, (
        "relay uk", "text relay|phone", "textrelay|typetalk|minicom|textphone|ngt|relayuk", "type talk", "18001",
    )),
    Row("phone-only", "phone_only", _GUIDE, (
        "phone|telephone|calls|ring only", "only phone|ring|call|telephone me|please|us|her|him",
        "only by|on|over|contacted_by|by_the the? phone|telephone",
        "can not write|read .. so .. phone|ring|call|telephone",
        "by phone|telephone only|please_only|not|as|because .. read|write|letters|email",
        "do not|can_not read|write .. ring|phone|call|speak", "anything in writing .. no|useless",
        "ffoniwch fi yn_unig", "ffôn yn unig",
    ), unless=(
        "do not|not|never .. only", "only phone|ring|call|telephone .. once|back|if|when|to",
        "is|was|it .. only .. phone|telephone line|number", "only phoned|rang|called", "not .. phone only",
    )),
    Row("no-phone", "no_phone", _GUIDE, (
        "do not|never|not|stop|without|please_do_not|no_need_to {ring} me|us|her|him|back|at|the",
        "no phone|telephone calls|call|contact|please|numbers", "please|pls|but do not {ring}",
        "do not {ring} as|because|when|before|unless|since", "do not .. like|do .. phones|phone|telephone|calls",
        "not to be {ring}|phoned|rung|called|contacted_by_phone|telephoned",
        ("can not|hard_to|difficult_to|unable_to|find_it_hard_to|struggle_to "
        "use|do|hear|manage|take|speak|talk|answer|cope_with|deal_with .. phone|telephone|calls"),
        "do not use|have|want .. phone|telephone|mobile", "not .. by|on|over the? phone|telephone", "no calls",
        "not the phone|telephone", "peidiwch a|â ffonio", "dim galwadau|ffonio",
        "phone|calls|telephone .. make|makes|give|trigger me .. anxious|panic|ill|attack|shake|worse",
    ), unless=(
        "do not have|want .. phone number|numbers|call_centre", "do not ring back",
        "they|he|she|told|said|nobody|never|you|investigator .. did|does|do not|never .. {ring} .. me|us",
        "hospital|surgery|ward|trust|dwp .. not .. {ring}", "can not .. answer|hear .. on_your",
        "you|they do not|never", "can not use|get .. phone|online .. in", "no need to {ring}",
        "not .. {ring} .. before|unless|until|after|between|early",
    )),
    Row("email-only", "email_only", _GUIDE, (
        "email only|please_only|and_nothing_else|and_not",
        "only email|by_email|contact_me_by_email|use_email|reply_by_email|write_by_email|through_email|communicate_by_email",
        "ebost yn_unig", "just email|by_email me|us|please|not|only",
    ), unless=(
        "not|do_not|is .. only email|by_email", "only email i|address", "tell me everything",
    )),
    Row("post-only", "post_only", _GUIDE, (
        "post|letter|letters|mail only",
        ("only write|post|by_post|letters|by_letter|send_letters|in_writing_by_post|reply_by_post|contact_me_by_post|"
        "way_is_by_post to|by|please|me|in|and|through|on|at|no"), "only write|post",
        "can only|please_only .. write|letter|post",
        "no email|internet|computer|phone or|nor|and|no phone|email|mobile|internet|computer|telephone",
        "by post|letter as_before|as_usual|and_not|only|and_nothing_else|because|not_email|not_phone|alone|please_and",
        "no computer|internet and|or no? mobile|phone|telephone|email", "trwy|drwy y? post yn_unig|yn|unig",
        "not|neither phone|telephone|email nor|or email|phone|telephone|ring", "in writing .. by post",
    ), unless=(
        "not|do_not|never .. post|letter only", "only write|wrote to|when|once .. you|if_i|ask", "only post code",
    )),
    Row("extra-time", "extra_time", _GUIDE, (
        ("extra|more|longer|additional|bit_more time? to|for|please .. "
        "read|reply|respond|comment|answer|get|go|look|process|think|write|me"),
        "will|would|may|might need longer|more_time", "deadline .. put_back|moved|extended|later", "need longer",
        "extra time|days|week|weeks",
        "need|want|have|allow|give|get|had|ask_for|allowed|given|take .. more|longer|extra time|to|weeks|days|than",
        "extension|extend|extended", "takes me longer|a_while|ages|time|a_long_time",
        "till|until|til the|next|end|after instead|please|to_reply|to_comment|because", "slow reader",
        "mwy|ragor o amser",
    ), unless=(
        "took|taken|takes|taking you|longer", "wait* .. longer|more|time", "how much longer|more", "any longer",
        "no longer", "longer|more .. told|than_six|than_you|than_a|than_3|than_the", "wasted|waste .. time",
        "deadline .. extended .. hospital|trust",
        "house|building|extension|lead|number|tel|ext extension|number|lead|lead|cable", "visa|tenancy|leave",
    )),
    Row("advocate", "advocate_or_representative", _GUIDE, (
        "advocate|advocacy|advocates", "power of attorney", "poa|lpa", "support worker|person|workers|coordinator",
        ("speak|speaking|act|acting|deal|write|writing|complain|complaining|talk|respond|contact|calling|ring|ringing|"
        "representing .. on|for behalf|my_behalf|me|him|her|his_behalf|her_behalf"), "on behalf of|his|her",
        "as|is|am my|his|her|their representative|advocate|appointee",
        ("my|a|the|her|his representative|carer|keyworker|key_worker|appointee|deputy|social_worker|guardian|advocate "
        "will|can|is|helps|should|to|has|does|who|speak|by|for|must|and"),
        ("speak|talk|write|deal|everything|correspondence|copy to|with|through|via .. my|her|his .. "
        "instead|for_me|on_my|not_me"), "all|any correspondence .. to|should|come .. me",
        "litigation friend|next_friend", "pohvala", "eiriolwr|eiriolaeth", "deputy for", "appointee",
    ), unless=(
        "complain .. on behalf of .. can|do|who|is|could", "can|could|may|who|does .. complain|bring .. behalf",
        "on behalf of .. constituent|trust|hospital|department|the_practice|patients|clients|everyone|all|team",
        "devil", "advocate for_change|general", "no advocate",
    )),
    Row("screen-reader", "screen_reader", _GUIDE, (
        "screen reader|readers|reading", "screenreader", "jaws|nvda|voiceover", "text to speech",
        "accessible pdf|word|format|document", "darllenydd sgrin",
    ), unless=_NOT_NEEDED),
)  # fmt: skip

_METHODS: Final = "DESIGN promise 4: on the person's channel"
PREFERRED: Final = (
    Row("prefers-telephone", "telephone", _METHODS, (
        ("prefer|rather|easier|easiest|best|better|like|happy|want .. "
        "phone|call|ring|telephone|speak_on|talk_on|phoned|called|rung|phoning|calls"),
        ("please|pls|can|could|would|will someone|somebody|you|anyone|one_of_you? .. {ring} .. "
        "me|us|back|on|0*|her|him|about|any"), "please {ring} me|us|back|on|after|before|between|0*|her|him",
        "{ring} me|us .. please|on|back|when|after|any|0*|mornings|evenings", "{ring} me|us please",
        "phone|telephone|call is|would_be|works best|better|easiest|easier|good|fine|preferred",
        "by phone|telephone please|only|if|is|mornings|rather", "telephone|phone only",
        "best|easiest to|way .. ring|phone|call|telephone",
        "want|would_like|wants|asked_for|request|like .. call|callback|phone_call|ring back|please|from|me",
        "call back|callback please|wanted|requested|asap", "ffoniwch", "a .. ffonio",
    ), unless=(
        "phoned|rang|called me|us|back",
        "do not|not|never|no|without|no_need .. {ring}|phone_call|calls|phoned|phoning|telephone|speak|called",
        "you|they|he|she|nobody|hospital|investigator .. said|promised|told|never|would .. {ring}",
        "can not|could_not {ring}|phone|telephone|speak|talk|use|hear|answer|take", "promised", "supposed to {ring}",
        "best|better .. not", "{ring} .. us|me .. liars|names", "emergency call",
    )),
    Row("prefers-sms", "sms", _METHODS, (
        "prefer|rather|easier|easiest|best|better .. text|sms|texts|texting", "please|pls|can|could .. text me|us|back",
        "text me|us|back",
        "text|texts|texting|sms is|are|would_be|works|please|only|preferred best|better|easiest|good|fine|please",
        "text|texts|sms only|please|preferred", "by|via text|sms", "tecstiwch", "neges destun",
    ), unless=(
        "text relay", "do not|not|never|no|stop .. text|texts|sms", "you|they|he|she .. said|told|sent .. text",
        "rather than|not .. text", "discharged .. by text", "by text .. message from", "reads .. texts", "in text",
    )),
    Row("prefers-email", "email", _METHODS, (
        "prefer|prefers|rather|easier|easiest|best|better|simplest|like .. email|emails|emailed|emailing",
        ("reply|answer|respond|write|contact|response|correspond|send|confirm|contacted|back|written|communicate|replies|"
        "keep .. by|via|on|to|through email|my_email|this_email"),
        "please|pls|can|could .. email me|us|it|back|the|your|them", "email me|us .. please|instead|back|at|on",
        "email|emails is|are|works|would_be|please|only|preferred best|better|easiest|fine|good|please|for|only",
        "email|emails only|please|preferred|back_please", "by email please|only|as|because|if|not|rather|instead",
        "only email", "by email", "ebost", "to|at *@*",
    ), unless=(
        "do not|not|never|stop|no .. email|emails|by_email", "you|they|he|she .. said|told|sent|wrote .. email",
        "i|we .. sent|wrote|emailed|asked|complained|replied|been|went|contacted|told .. email|by_email",
        "send|sent|was .. by email .. documents|you", "and by email", "will email", "refuse|refused .. email",
    )),
    Row("prefers-letter", "letter", _METHODS, (
        "prefer|prefers|rather|easier|easiest|best|better .. letter|post|letters|write|writing|written|posted",
        "by|through|via|in_the post|letter|royal_mail please|only|as|because|if|not|rather|instead|to",
        ("please|pls|can|could .. write|post|reply_in_writing|send_a_letter .. "
        "to_me|me|to_us|back|at_the|by_letter|it_to_me|letter"), "write to me",
        "post|letter|letters only|please|preferred|is_best",
        "answer|answers|reply|respond|replies .. with|by|in a? letter|post|writing_by_post",
        "asked for|wants letters|letter|post", "only write", "by post", "in|by letter|post", "so good as to write",
        "write in large", "drwy_y_post|trwy_r_post",
    ), unless=(
        "do not|not|never|stop|no .. write|post|letter|letters",
        "you|they|he|she|trust|hospital|gp .. said|told|sent|wrote .. letter|post|write",
        "i|we .. sent|wrote|posted|got|received .. post|letter|by_post", "letter of apology", "prefer .. email",
        "written apology", "came|sent|arrived|lost .. by|in .. post", "send .. form", "better .. in writing",
        "documents|notes|copies|form .. by post", "will post|send", "post .. on facebook|form", "form .. in the post",
    )),
)  # fmt: skip
_WANTS: Final = re.compile(
    r"\b(?:(?:I|we|he|she|I['’]?d|we['’]?d) (?:just |only |really |would |should )?(?:wants?|wish|like|ask|seek|need|asks|wishes|need)|(?:^|\. )(?:wants?|wishes|asks|looking for|seeks|needs)|"
    r"(?:all )?(?:I|we) (?:want|ask|need) is|he just needs|she just needs|obliged if you would|grateful if you would|could you please|please (?=put|tell|make|stop|give|let|send|move))"
    r"(?: for| is| that)? (?P<what>[^.;!?\n]{4,120})",
    re.IGNORECASE,
)
_WANTING: Final = ("want", "wish", "like", "ask", "seek", "need", "looking for", "if you would", "please")
_NO_REMEDY: Final = re.compile(
    r"(?:to (?:complain|know how|know if|know whether|know about|ask|say|find out|make a complaint|raise|suggest|thank|check|start|be clear)|you to (?:know|investigate|look)|a form|one of|to (?:a |the )?(?:stop|think)|me know (?:if|how)|"
    r"your |not |nothing|in the|it |me |him |her |them |this |that |how |if |what )",
    re.IGNORECASE,
)
_IMPLIED: Final = {"phone_only": "telephone", "email_only": "email", "post_only": "letter"}

_PROMISE: Final = "DESIGN promise 4: a wish that restricts is obeyed at once"
RESTRICTIONS: Final = (
    Row("phone-is-read", "sms telephone", _PROMISE, (
        ("he|she|they|husband|partner|boyfriend|wife|ex|son|dad|father|mum|mother|daughter|brother|someone|somebody|carer "
        "reads|read|checks|check|checking|looks_at|looks_through|goes_through|go_through|sees|watches|monitors|tracks|has|"
        "takes|took|controls|answers|picks_up|listens_to|hears|has_access_to|can_see|gets .. my? .. "
        "phone|texts|mobile|calls|messages|text|voicemail|voicemails|phones"),
        "share|shared|sharing .. phone|mobile .. with|him|her",
        ("phone|mobile|texts|calls|messages .. "
        "not_safe|unsafe|being_watched|is_watched|is_monitored|are_read|is_checked|tracked|bugged|monitored|read_by"),
        "not safe .. to? .. phone|text|ring|call", "darllen fy|ffôn|negeseuon",
        "czyta .. telefon|wiadomości|smsy|sprawdza",
    ), unless=(
        ("they|trust|hospital|surgery|dwp|you .. reads|read|check|has|got|took|answer|answers|picks|monitor .. the|your|a "
        "phone|calls|messages"), "never|nobody|no_one|not .. answers|answer|picks|pick", "has my number",
    )),
    Row("no-sms", "sms", _PROMISE, (
        "do not|never|not|stop|please_do_not text|texting|sms|send_texts|send_me_texts|send_text|send_sms|message",
        "no texts|text|sms|text_messages", "not .. by|via text|sms", "not a text",
    ), unless=(
        "they|you|he|she|hospital .. do|did|does not", "not texting", "no text .. in|from", "do not text back",
    )),
    Row("no-telephone", "telephone", _PROMISE, (
        "do not {ring}", "do not|never|stop|please_not {ring} me|us|my|the|at|this|on|back|home|her|him|here|unless",
        "please|pls|but|and|so do not {ring}", "no phone|telephone calls|contact|please", "no calls|phoning|ringing",
        "not to be {ring}|phoned|rung|called|telephoned",
        "do not leave|leaving .. voicemail|voicemails|message|messages|answerphone|answer_machine|answering_machine",
        "not .. by|over|on|via the? phone|telephone", "not to phone|ring|call|telephone me|us|her|him|please",
        "not phone|ring|call|telephone me|us", "peidiwch a|â ffonio", "dim galwadau", "nie dzwoni*|dzwonić",
    ), unless=(
        "they|he|she|you|nobody|surgery|hospital|investigator|trust .. do|did|does|never not? .. {ring}",
        "never {ring} me|us .. back", "you never|do_not|did_not|have_not",
        "told|said|telling|says .. not_to|do_not|never .. {ring}", "not .. {ring} me a|liar", "why .. not .. {ring}",
        "not .. on the phone .. explain", "get|got .. not .. phone",
        "i|we|who|people|to|they|he|she|staff|investigator do not {ring}", "do not ring bell|bells|true",
    )),
    Row("no-email", "email", _PROMISE, (
        ("do not|never|stop|please_not|not "
        "email|emailing|emails|send_emails|send_me_emails|send_email|use_email|use_my_email|write_to_this_email|"
        "reply_to_this_email|reply_by_email|reply_to_this_address"),
        "no emails|email please|at_all|contact|as|because|only|he", "not .. by|via|to email|this_email|my_email",
        ("reads|checks|sees|opens|monitors|has|has_access_to|can_see|looks_at|logs_into|gets_into|knows_the_password .. "
        "my|our|the? .. email|emails|inbox|account"),
        "email|emails|account|inbox .. not_safe|unsafe|is_shared|is_read|hacked|are_read|monitored|being_read",
        "do not reply to this|my|here", "peidiwch a|â ebostio|e_bostio", "nie pisz*|wysył* .. mail|email|maila",
        "do not put .. in|on .. email",
    ), unless=(
        "they|you|he|she|hospital|trust|nobody .. do|did|does|never not? email|reply", "do not email .. often|much",
        "it says|said do_not|not", "do not have|use .. email", "automated|automatic|noreply",
        "no email .. received|from|since|yet",
    )),
    Row("no-letter", "letter", _PROMISE, (
        ("do not|never|stop|please_not|not "
        "write|post|send_letters|send_post|send_anything|send_me_letters|send_a_letter|send_letter .. "
        "home|to_me|to_the_house|to_my|here|letters|post|address|to_us|in_the_post|by_post|anything|house|please"),
        "no letters|post|mail please|to|at|home|because|as|he|in",
        "opens|opened|reads|takes|intercepts|hides|gets_to|sees|checks .. my|our|the|all? .. post|mail|letters|letter",
        "post|letters|mail .. not_safe|gets_opened|is_opened|goes_missing|is_shared|unsafe|stolen",
        "nothing by|in|through post|the_post|writing_to_the_house", "not .. by|in|through the? post",
        "not .. to|at my|the|home|our home|address|house|old_address",
    ), unless=(
        "they|you|he|she|hospital|trust|nobody .. do|did|does|have|had|never not? write|post|send",
        "no letter|letters|post .. from|yet|received|since|arrived|came|has|sent|saying", "no post|letters .. all week",
        "to my .. complaint|letter", "never write|wrote .. before",
        "not .. to my|the .. decision|letter|complaint|report|email|satisfaction",
    )),
    Row("post-only", "email sms telephone", _PROMISE, next(row.phrases for row in ADJUSTMENTS if row.name == "post-only"), unless=next(row.unless for row in ADJUSTMENTS if row.name == "post-only")),
    Row("email-only", "letter sms telephone", _PROMISE, next(row.phrases for row in ADJUSTMENTS if row.name == "email-only"), unless=next(row.unless for row in ADJUSTMENTS if row.name == "email-only")),
    Row("phone-only", "email letter sms", _PROMISE, next(row.phrases for row in ADJUSTMENTS if row.name == "phone-only"), unless=next(row.unless for row in ADJUSTMENTS if row.name == "phone-only")),
    Row("text-only", "email letter telephone", _PROMISE, (
        "text|texts|sms only|and_nothing_else", "only text|by_text|sms",
    ), unless=(
        "not|do_not .. text|texts only",
    )),
    Row("nothing-home", "letter", _PROMISE, (
        "do|must|can not .. know|find|see .. letter|letters|post|complaint|this|i_wrote|written|contacted|i_have",
        "anything|nothing .. home|house|my_address|the_house",
    ), unless=(
        "they|you|hospital|trust|nobody|doctors|gp|staff .. do|did|can not .. know|find|see",
        "i|we do|did|can not .. know|find|see", "anything .. wrong|at_home|left|in_the_house|else",
        "nothing .. wrong|left|done|at_home", "nothing .. in .. house",
    )),
)  # fmt: skip

_REMEDY: Final = "labelling guide: remedy_sought"
REMEDIES: Final = (
    Row("apology", "apology", _REMEDY, (
        "{want} .. apology|apologies|sorry|apologise", "say|saying sorry",
        "apology .. please|and|for|from|would|in_writing|required", "to|should|must|them_to apologise", "an apology",
        "get .. to apologise", "ymddiheuriad", "przepros*",
    ), unless=(
        ("got|received|had|gave|sent|offered|no|never|without|accept|already|sufficient|given|please_accept|not_want|"
        "do_not_want .. apology|sorry|apologies"), "not .. sorry|apology|apologised", "refuse|refused .. apologise",
        "will not|wont .. say sorry", "i want to say sorry", "my apologies", "not interested .. sorry|apology",
    )),
    Row("review", "review", _REMEDY, (
        "{want} .. review|reviewed|reconsider*|reopen*|appeal", "apply for|request|requesting a? review",
        "review .. my|the|your|this decision|case|findings|complaint|outcome|report|please",
        ("decision|case|complaint|it|this .. be|looked|reviewed "
        "reviewed|looked_at_again|again|reconsidered|reopened|re_opened"), "look|looked at .. again", "do .. again",
        "done again", "reopen|re_open|reconsider|re_examine|revisit|overturn|re_investigate|reinvestigate",
        "second look", "ask .. to review", "consider .. again", "think again", "change .. decision|mind",
        "ailystyried|adolyg*|adolygiad", "fresh|independent|new pair|look|eyes|investigator|review",
    ), unless=(
        "local resolution|independent_review|their review", "has since reviewed", "seen the review",
        "clinical|medication|pip|benefit|annual|care review", "acknowledged .. review", "where .. review",
        "hospital|trust|dwp|hmrc|they .. review|reviewed|reconsider*",
    )),
    Row("call-back", "call back", _REMEDY, (
        "please|can|could|would|will someone|somebody|you|anyone|one_of_you? .. {ring} .. me|back|us|0*",
        "{ring} me|back|us .. please|on|0*|asap|when|about", "please {ring}",
        "{want} .. call|phone_call|callback|call_back|ring_back|speak|talk", "call back|callback",
    ), unless=(
        "never|not|do_not|no|did_not .. {ring}|call_back", "said|promised|told .. {ring}", "can not .. ring|call",
        "thank|thanks .. calling|ringing", "phone line|number",
    )),
    Row("explanation", "explanation", _REMEDY, (
        "{want} .. explanation|explain|reason|reasons|answers|know_why|know_how|know_what_happened|answer",
        "explain|explanation .. why|how|please|of|for|in_writing", "to know why|how_this|what_happened|who_decided",
        "tell me why", "egluro|esboniad|wyjaśni*",
    ), unless=(
        "no|without|never explanation|reason|reasons|answers",
        "explained|explain everything|clearly|nicely|it_well|slow", "before i", "not|did_not explain*",
        "wanted to know",
    )),
    Row("payment", "payment", _REMEDY, (
        "{want} .. compensation|compensated|payment|money|paid|£*|reimburse*|redress|costs|lost_earnings",
        "compensation|compensate|reimburse|reimbursement|redress please|for|me|us|my|our|of|and|would|i",
        "pay me|us|back|for|my|the|compensation", "give .. back .. money", "what i lost", "costs of|back",
        "iawndal|odszkodowani*|zwrot*",
    ), unless=(
        "not|do_not|no .. want|compensation|money|payment",
        "offered|declines|declined|refused|paid|got|received .. compensation|£*|payment", "sum be reduced",
        "not .. about .. money",
    )),
    Row("refund", "refund", _REMEDY, (
        "refund|refunded|money_back|repaid|repay|paid_back|pay_back|give_back_my_money|returned_to_me",
        "{want} .. money|£* .. back|returned", "money|£* back|returned", "put .. money back",
    ), unless=(
        "refused|refuse|will_not|would_not|did_not|not .. refund*|pay_back|repay", "repaid|refunded .. but",
    )),
    Row("correction", "correction", _REMEDY, (
        ("correct|corrected|correcting|amend|amended|put_right|rectify|rectified|fix|changed "
        "please|the|it|this|before|and|them|those|these|my|that|record"),
        "{want} .. corrected|correction|corrections|amended|changed|put_right|on_record|put_on_record|removed",
        "on record that", "record* .. corrected|changed|amended|put_right", "put .. right", "get .. facts right",
        "gywiro|cywiro",
    ), unless=(
        "was|is|are correct", "correct spelling", "what would put things right", "correct .. time|times", "not correct",
    )),
    Row("update", "an update", _REMEDY, (
        "{want} .. update|updates|informed|progress|date|timescale|told_what|know_when|know_where", "an update",
        "any news|update", "when will|can|is|am .. hear|get|decision|draft|report|finished|done",
        "keep me informed|updated|posted", "regular updates", "let me know .. happening|progress|where", "actual date",
        "diweddariad",
    ), unless=(
        "no|without|never|not .. update|updates|news", "promised .. updates", "opening",
        "thank* .. keeping|for_the_update",
    )),
    Row("reply", "reply", _REMEDY, (
        "{want} .. reply|response|answer|acknowledgement", "expect .. reply|answer|response",
        "reply|respond|answer .. please|to_my|within|by_return", "please reply|respond|answer",
        "look forward .. reply|response|hearing", "answer .. letter", "reads a letter", "please acknowledge",
    ), unless=(
        "no|never|not|without|nobody|had .. reply|response|answer|answered", "reply by|of|from|says|said|came|was",
        "reply .. not .. needed|necessary", "final response|reply", "not need .. reply",
        "please answer|reply|respond by|in email|post|letter|text|writing|welsh",
    )),
    Row("documents-back", "return of documents", _REMEDY, (
        ("return|send|get|give|have .. back|returned .. "
        "documents|certificate|certificates|originals|passport|papers|photographs|photos|letters|them"),
        "send them|it|my .. back", "please return|send_back",
        "documents|originals|certificate|certificates|photographs|photos|papers|notes back|returned|sent_back",
        "return .. originals|documents|photographs|photos|certificates",
    ), unless=(
        "i|we will|have .. send|return|sent|returned", "send .. form", "returned to work",
    )),
    Row("closed", "complaint to be closed", _REMEDY, (
        ("please|like_to|want_to|wish_to|can_you|would_you|decided_to close|withdraw|drop|stop|cancel|end .. "
        "complaint|case|investigation|it|c|p|my"), "close|withdraw|drop my|the|our complaint|case|investigation",
        "withdraw*", "tynnu .. cwyn",
    ), unless=(
        "not|do_not|never .. want|close|closed|withdraw|drop", "you|they .. closed|close", "without .. closing",
    )),
    Row("more-time", "more time to comment on the draft", _REMEDY, (
        "more|extra|additional|longer time|to_comment|to_reply|to_respond|days|weeks|please", "extension|extend",
        "could|can i|we .. have .. till|until|til|longer|more", "mwy|rhagor o amser",
    ), unless=(
        "took|taken|taking", "waste* .. time", "visa", "no more", "longer|more .. than",
    )),
    Row("change", "change of practice", _REMEDY, (
        "{want} .. stop|change|changed|changes|improve|learn|happens_to_anyone|again|training|trained|different",
        "does not|never|not|will_not happen|happens again|to_anyone|to_anybody|to_someone|to_another",
        "stop .. doing|happening|discharging", "so .. no one else|nobody_else", "lessons .. learned|learnt|be",
        "what they have changed", "not .. anyone|anybody else",
    ), unless=(
        "want to stop|close", "change my|of address|number", "i want .. stop",
    )),
    Row("investigation", "investigation", _REMEDY, (
        "hold .. accountable|to_account", "disciplin*|struck_off|sacked|dismissed", "held accountable|responsible",
    )),
    Row("appointment", "treatment or appointment", _REMEDY, (
        ("{want} .. appointment|operation|referral|referred|treatment|scan|surgery|dentist|prescription|medication|"
        "medicine|visit|visits|seen|assessment|home_visits|my_op|treated"),
        "give me|us|him|her .. prescription|appointment|medication|medicine|treatment",
        "need .. operation|referral|scan|appointment|prescription", "get .. operation|referral|treatment|appointment",
    ), unless=(
        "wanted", "refused|refuse|would_not|cancelled .. appointment|treatment|operation",
        "need .. appointment .. to|with .. you", "want .. appointment .. was", "do|does .. need .. referral",
        "mp referral|referred", "form",
    )),
    Row("benefit", "decision or award changed", _REMEDY, (
        ("{want} .. passport|visa|licence|benefit|benefits|pip|pension|award|arrears|debt|penalties|penalty|fine|charge|"
        "sanction .. back|restored|cancelled|wiped|renewed|sorted|reinstated|lifted|removed|written_off|paid|put_back"),
        "{want} .. cancelled|wiped|restored|reinstated|written_off|sorted|renewed|put_back|lifted|overturned|dropped",
        "debt|penalties|penalty|arrears|fine|sanction|charge|bill wiped|cancelled|written_off|removed|dropped",
        "money put back", "want|wants|need the|my|our passport|licence|visa|money",
    ), unless=(
        "cancelled .. appointment|appt|calls|call|operation", "refused|refuse", "do i need", "wanted",
    )),
    Row("reduced", "reduction of the recommended payment", _REMEDY, (
        "be|is reduced", "reduce* to|the",
    )),
)  # fmt: skip

_ADJUSTMENTS: Final = Table(ADJUSTMENTS)
_NEEDS: Final = frozenset(row.gives for row in ADJUSTMENTS)
_PREFERRED: Final = Table(PREFERRED)
_RESTRICTIONS: Final = Table(RESTRICTIONS)
_REMEDIES: Final = Table(REMEDIES)


def adjustments(found: Found) -> tuple[tuple[str, ...], tuple[Fact, ...]]:
    """The adjustments asked for, in the guide's words, each once; and the sentences."""
    needs = _first(found[_ADJUSTMENTS])
    if "email_only" in needs and "no_phone" not in needs and needs["email_only"].sentence.has("phone", "ring", "call"):
        needs["no_phone"] = needs["email_only"]
    names = tuple(row.gives for row in ADJUSTMENTS if row.gives in needs)
    return names, tuple(_fact("reasonable_adjustments", needs[name]) for name in names)


def need(given: str) -> str:
    """An adjustment declared in a field: in the guide's word where it is one of them, such as "Large print", else as given."""
    word = "_".join(given.lower().replace("_", " ").replace("-", " ").split())
    return word if word in _NEEDS else given.strip()


def preferred_method(found: Found, needs: Iterable[str]) -> tuple[Method | None, tuple[Fact, ...]]:
    """The method they ask us to use; None where they name none, or the last of several."""
    for need in needs:
        if need in _IMPLIED:
            return cast(Method, _IMPLIED[need]), (Fact("preferred_method", _IMPLIED[need], need, need),)
    if not found[_PREFERRED]:
        return None, ()
    best = max(
        found[_PREFERRED],
        key=lambda hit: bool({"prefer", "best", "rather", "easier", "easiest", "prefers", "only"} & set(hit.words.split())),
    )
    return cast(Method, best.row.gives), (_fact("preferred_method", best),)


def restrictions(found: Found) -> tuple[tuple[str, str], ...]:
    """Methods that must not be used, each once, with the sentence that says so."""
    closed: dict[str, str] = {}
    for hit in found[_RESTRICTIONS]:
        for method in hit.row.gives.split():
            closed.setdefault(method, hit.sentence.text[:300])
    return tuple(sorted(closed.items()))


def remedy(lines: Iterable[Sentence], found: Found) -> tuple[str | None, tuple[Fact, ...]]:
    """What they want, in a few words, at most three things; None where they want nothing that a table knows."""
    hits = list(_first(found[_REMEDIES]).values())[:3]
    if hits:
        return " and ".join(hit.row.gives for hit in hits), tuple(_fact("remedy_sought", hit) for hit in hits)
    for sentence in lines:
        lower = sentence.text.lower()
        if lower.isascii() and not any(word in lower for word in _WANTING):
            continue  # outside ASCII some letters are others' lower case
        if (said := _WANTS.search(sentence.text)) and not _NO_REMEDY.match(said["what"]):
            wanted = said["what"].strip(" ,")[:120]
            return wanted, (Fact("remedy_sought", wanted, "said in their words", sentence.text[:300]),)
    return None, ()


def _first(hits: Iterable[Hit]) -> dict[str, Hit]:
    """The first hit for each thing that rows give."""
    first: dict[str, Hit] = {}
    for hit in hits:
        first.setdefault(hit.row.gives, hit)
    return first


def _fact(name: str, hit: Hit) -> Fact:
    return Fact(name, hit.row.gives, hit.row.name, hit.sentence.text[:300])
