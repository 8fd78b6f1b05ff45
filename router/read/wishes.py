"""What a person needs and wants of us: adjustments, the method they prefer, methods that must not be used, the remedy they seek.

A wish that restricts is read generously, since it is obeyed at once and a mistaken one only costs a letter.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final, Literal, cast, get_args

from router.read import needs
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

# What somebody else did not provide, and what is thanked for or asked about in general, is no wish of ours to keep.
_ELSEWHERE: Final = (
    "asked|asks|begged the hospital|ward|trust|dwp|council|surgery|department|jobcentre|nurse|nurses|receptionist",
    "complaint is|was .. never|refused|no", "never got|gave my|him|her|us", "would not|refused .. {ring} .. interpreter", "thank you for the",
    "do you offer|provide|publish|produce .. libraries|survey|rack|charity", "what adjustments|formats", "ought to", "tribunal agreed",
    "i asked for .. on the", "hospital|ward|trust|dwp|council|surgery sent|gave|had|used",
)  # fmt: skip

ADJUSTMENTS: Final = (
    Row("large-print", "large_print", _GUIDE, (
        "large|larger|big|bigger|enlarged|giant print|font|type|letters|text|writing|lettering|size|version|edition|copy|format",
        "point|pt size|font|or|print|type|please|if", "16|18|20|22|24|28 point|pt", "16pt|18pt|20pt|22pt|24pt|28pt|14pt",
        "size|font 14|16|18|20|22|24|28", "16|18|20|22|24|28 font|or_above|or_more|or_bigger|or_larger",
        "make|do|send|have|print|need|want|write|reprint .. it|them|letters|letter|one|everything bigger|larger|large|big|fairly_large",
        "do|make|print it|them so? big|large", "bigger|larger please|version|one", "please bigger|larger|enlarge", "big and black",
        "black and big",
        "enlarge|blown_up|blow_it_up", "print|type|writing|letters|words .. too small|tiny",
        "can not read|see .. small writing|print|type|letters",
        "print|writing|size|letters .. she|he|i can see|read", "read .. with my|a|the magnifier|magnifying_glass|glass",
        "fairly|nice_and|good_and large|big", "at that size|double_that", "eyesight|eyes .. bigger|larger|big|headline",
        "large prjnt|pront", "one she|he|i can see|read", "print bras|mawr",
        "arial|verdana|helvetica 14|16|18|20|22|24|26|28|36",
        "print|type|letters|letter|words|font|writing|size|it|yours .. a_good_deal|much|a_lot|a_bit|a_little bigger|larger",
        "printed|done|typed|written|write .. bigger|larger|enlarged|massive|huge|twice_the_size|double_the_size",
        "letters|everything|anything|copies|documents|report|it enlarged|magnified", "enlarged to a3",
        "magnify anything|everything|it|your|the|them",
        "writing|print|letters|words|type|it|they needs_to|need_to|has_to|have_to|must be massive|huge|big|large|larger|bigger",
        "bigger|larger next_time|letters|words|print|type|font|writing", "decent|good|reasonable|sensible sized? print|type|font|lettering",
        "letters|print|type|words|writing .. an|half_an|one inch", "see|read letters|print|words .. tall|high|inch|big",
        "elderly|old|poor|weak|bad eyes .. print|type|letters|bigger|large|again",
        "i|he|she|dad|mum manage|manages|can_manage .. if it_is|its big|large|bigger|larger", "legible to|for .. sight|eyes|blind",
        "i use 18|20|22|24|28|36", "print of this size", "print was .. too small", "bold and big|large", "big and bold",
        "llythrennau|ysgrifen|ffont mawr|fawr|mwy|fwy", "big|bigger|larger|large font|fonts",
    ), unless=(
        *_NOT_NEEDED, "big letters .. saying|over|door", "had .. large|big print|letters",
        "sent|did|got it|them in the? big|large letters|print", "lovely|nice .. if i had one wish",
        "not give|gave .. a large print",
        "too small a|an|to|for|amount|sum", "small print about|of", "bigger version of", "large copy|version of",
        *_ELSEWHERE, "leaflet|leaflets|menus|menu .. was|were in large", "big changes|letter for",
    )),
    Row("easy-read", "easy_read", _GUIDE, (
        "easy|easier read|reading|to_read|version|way|words|sentences", "make it simple|simpler|easy", "do it easy",
        "letter|report|it have|has pictures", "photos|pictures|images .. few words", "picture one|version", "easyread",
        "words|sentences|letters and|with pictures|pics|symbols|drawings",
        "with pictures|pics|symbols|photosymbols|drawings",
        "small|simple|simpler|plain|short|little words|language|sentences|bits|terms", "simple|simpler|easy|plain english",
        "accessible|literal simple? form|sentences", "simple literal sentences", "plain|short pictures|lines",
        "not|no big|long|hard words", "hawdd eu|ei|iw_ddeall|ei_ddeall|ei_ddarllen|iw_ddarllen", "geiriau syml", "lluniau a",
        "child of .. would|could|can|might follow|understand|read",
        "way|words|letter|version|report|form .. i|he|she|they can|could understand|follow",
        "do_not|can_not understand|use|follow|read .. big|long|hard words",
        "say|tell|put|write|explain it|this|me|things .. simple|simply|in_simple_words",
        "learning disability|disabilities|difficulties .. pictures|simple|simpler|plain|easy|easier|explained|simplified|understand",
        "with the? pictures|drawings|symbols|photos in|on|down|beside", "the little|wee drawings|pictures",
        "photo|photos|picture|pictures|symbols next_to|down_the_side|beside", "use|with|need|needs|add|put pictures|photos|symbols",
        "makaton symbols", "one idea|thing|point to_a|at_a|per line|time", "easier to understand|read|follow",
        "simplified version|leaflet|letter|copy|form", "plain|short and simple|plain", "short words|sentences",
        "hawdd ei|eu deall|darllen|ddeall", "not|can_not read good|well .. pictures|simple|short",
    ), unless=(
        *_NOT_NEEDED, "was|were|is|nice .. plain|simple", "put .. in plain|simple|normal", "plain english .. was|is",
        "for people with .. not|why|do_you|patients", "easy read version and_it|was", "promised .. easy read", "explained in easy",
        "or at least do it",
        "simple|plain terms", "the easy way out",
        *_ELSEWHERE, "in plain english you|it|the|this|they", "easy read guide|tenancy|agreement", "simple terms why",
        "way i|he|she can|could understand why",
    )),
    Row("braille", "braille", _GUIDE, (
        "braille|braillist", "brail*", "moon type", "read with|by my fingers", "tactile format|copy|version", "dots not ink",
        "under my fingers", "transcribed to grade", "bra1lle",
        "grade 1|2|one|two contracted|uncontracted|please", "contracted|uncontracted please|for|grade", "the|raised dots", "emboss*",
    ), unless=(
        *_NOT_NEEDED, "braille on the lift|door|sign", "braille was invented", "not do braille", "so is braille", "no braille yet",
        *_ELSEWHERE, "never|not|can_not|did_not|do_not learn|learned|learnt|read|do|use braille", "can_not|never learn* .. braille",
        "braille music|menus|menu|signs|buttons", "deaf charity|club",
    )),
    Row("audio", "audio", _GUIDE, (
        "audio version|format|copy|please|if|instead|cd|tape|disc|would|or|not|only|is|for|on|as|so|it|them",
        "as|in|on|by|via|need|want|prefer|have audio", "format audio",
        "on|by|a|or|onto cd|tape|disc|mp3|cassette",
        "cd|tape|tapes|cassette|disc|recording_of or|please|instead|of_your|would|you_sent|next_time|she_can|i_can|he_can",
        "carry on .. tapes|cd|discs|audio", "talking letter|letters|book|books|version",
        "read|record|spoken|recorded .. onto|to|on_to tape|cd|disc|a_disc|a_tape|a_cd",
        "record it|them|everything for|so|onto|please", "as a recording", "spoken version|copy|format",
        "recording .. i|she|he|we can listen|play|hear",
        "something|thing|it .. can listen to|instead", "listen to it instead|please|again", "sound file", "voice recording|note",
        "spoken|spokn vershun", "daisy disc|cd", "something i can hear", "read it out on|onto", "button and it talks",
        "listening please", "recording please|of_it|of_the_report|of_the_letter|of_the_decision",
        "you give|do|make recording|recordings", "the cassette version", "sound is|would_be best|better|easier",
        "mp3 please|pls|not|if", "ar ffurf sain",
        "rather|sooner|prefer_to listen|hear", "record somebody|someone|anyone reading|read", "as|on|by|in an? mp3|usb|memory_stick|sound_file",
        "on a memory_stick", "version|copy|something i|he|she|we|you can|could play|listen|hear",
        "tape|tapes|disc|audio is|are best|better|what|good|easier", "no good .. tape|disc|audio|cd is|are",
        "need|have|want|wants|likes|like to hear it|them|things", "audio best|better|first", "fersiwn|copi sain",
        "spoken recording|copy|form|file", "got|have|do it spoken",
        "outcome|decision|report|letter|letters|findings|it on|in|by audio|cd|disc|tape",
        "recording|recordings is|are|would_be what|best|better|fine|easier", "send .. a? recording|cd|tape|disc not|instead|never|please|rather",
        "reads|recorded by somebody|someone", "audio format|version",
    ), unless=(
        *_NOT_NEEDED, "voicemail", "audio file of|from|attached", "cd of|with .. scan|scans|xray|images|notes|records",
        "on|a cd|tape|disc .. enclosed|attached|from the hospital", "nothing to play", "annual report", "you sent a cd",
        "call|calls|meeting|interview .. recording|listened|recorded",
        "recording .. call|calls|conversation|meeting|interview", "red tape",
        *_ELSEWHERE, "audio on|of your|the|my webinar|video|call|meeting", "hear it from|about", "rather hear|listen .. from|nothing|that|bad",
    )),
    Row("bsl", "bsl_interpreter", _GUIDE, (
        "bsl", "sign language", "british sign", "signer|signers", "iaith arwyddion", "sign interpreter|interpreters|interpreting",
        "deaf .. interpreter|interpreters",
        "sign for|between|with me|us|her|him|them", "i|he|she|they|we sign only|and_do_not|so_i|and_need",
        "signs|sign with|to her|him|me|us", "i sign",
        "hands on signing", "sing langwidge|language", "signvideo|sign_video|nrcpd", "interpreter .. signing|sign",
        "deaf .. sign .. interpreter", "knows|know sign",
        "somebody|someone|anyone|person|one who|that signs|sign",
        "give|gives|evidence|speak|communicate|answer|talk|communicates .. in|by|through sign", "signlive|sign_live|interpreternow",
        "deaf and sign|signs|signing|we_sign", "deaf couple|family|parents|person|man|woman .. interpreter", "use|uses sign and|language|not|so",
        "i|we|he|she sign and english|i_do|have", "a|qualified|female|male|professional signer|terp", "bsl video|dvd|terp|person|interpreter",
    ), unless=(
        *_NOT_NEEDED, "i sign this|that|off|on|it|the|a|my|with|for|paper|papers|form|forms|consent|name",
        "sign with|to .. pen|form|date", "sign for it|the|a|them_at",
        "bsl interpreter by_trade|by_profession", "no|without .. interpreter .. was|for|when|at",
        *_ELSEWHERE, "never got|booked|provided|gave|offered", "ought_to|you_should offer|publish|have .. bsl",
    )),
    Row("interpreter-of-a-language", "spoken_interpreter", _GUIDE, (
        "{tongue} .. interpreter|interpreters|translator|translators|interpreting", "interpreter|translator .. {tongue}",
        "{tongue} speaker|person|lady|man|speaking_person|someone",
        "someone|somebody|anyone|person who|that speaks|speak|talks|can_speak",
        "only|just speaks|speak|talks|talk|understands {tongue}",
        "i|he|she|we|they|mum|dad|mother|father speak|speaks|talk|talks {tongue}",
        "need|want|put|prefer|ask_for|please .. in|into {tongue}", "need|needs {tongue}",
        "do|does not|no speak|understand|talk .. english", "no speak .. english",
        "no|little|not_much|not_good|not_very_good|bad|poor|small|limited english",
        "english .. not .. good|well|first|great|enough|fluent|conversant",
        "english is|was|very? small|limited|poor|bad|little|weak", "not conversant .. english",
        "language line", "in|is my language .. {tongue}", "{tongue} is what i|we|he|she", "someone speaking {tongue}",
        "speaks only {tongue}", "tłumacza|tłumaczką|tłumaczki|tlumacza|tłumaczem",
        "interprete|intérprete|interprète|dolmetscher|traduttore|traductor|tercüman|tercuman",
        "interpret când|cand|pentru|de|în|in|la", "un|unui interpret", "nu vorbesc|înțeleg engleza|engleză|englezeste",
        "no hablo inglés|ingles", "hable|habla español|espanol",
        "não|nao falo inglês|ingles", "nie mówię|mowie|znam .. angielsku|angielskiego", "nekalbu|nešneku angliškai",
        "не говорю по английски",
        "someone|somebody|one|person|lady|man|who|arrange_who|anyone who? speak|speaks|talk|do|does {tongue}",
        "speak|talk|ring|call .. in? {tongue} or|please|pls|to|if", "please|pls|can_you|could_you speak|talk|ring .. {tongue}",
        "only read|reads|understand|understands {tongue}", "understands|understand|speaks|speak|reads|read only|just {tongue}",
        "lady|man|person|officer|adviser|woman .. have|has|speak|speaks {tongue}", "has {tongue} and very|little|no|not",
        "has|have|with no english", "language is {tongue}", "does not|do_not follow|speak|understand|know|have english",
        "not .. speak|understand|follow english .. well|good|much|when", "{tongue} speaker|speaking|interpretation", "interpretation into|in",
        "do not send .. in english",
    ), unless=(
        "english .. pictures", "use a? translator",
        "no|without|never|did_not|declined|refused .. interpreter|translator .. for|when|was|came|come|turned",
        "do not understand .. english .. you|law|report|letter|this|phrase", "english is perfectly|very_good|fine",
        "the hospital .. interpreter .. never|not",
        "english .. not good enough to", "first language is", "english is not .. i write",
        "poor english .. report|letter|grammar|spelling",
        *_ELSEWHERE, "an? interpreter|translator myself", "i am an? interpreter|translator",
        "surgeon|doctor|nurse|nurses|receptionist .. not speak|understand", "english third|second",
    )),
    Row("interpreter", "spoken_interpreter", _GUIDE, (
        (
            "need|needs|want|wants|require|requires|required|require|book|booked|have|provide|arrange|get|with|through|asked_for|"
            "asks_for|bring|by|please|use an|a|the|your? interpreter|interpreters|translator|interpretor|interpretter|cyfieithydd"
        ),
        "interpreter|interpreters|translator|interpretor|interpretter please|required|needed|is_needed|pls|on_the_phone|and",
        "interpreter .. when|if you ring|call|phone", "cyfieithydd",
        "interpreter|translator be used|arranged|booked|provided|present|on|with|there",
        "interpreter|interpreters|translator to_be arranged|booked|provided",
        "interpreter|translator .. for|on the call|phone|interview|meeting", "translator for", "professional interpreter|one|translator",
    ), unless=(
        "bsl|sign|deaf|signing",
        "no|without|not|never|never_got|refused|wrong|declined|nobody .. a|an|any|get|the|book? interpreter",
        "interpreter .. was|did_not|never .. turn|show|there|come|provided|booked|cancelled|came",
        "they|hospital|ward|trust|surgery|clinic|dwp|jobcentre .. interpreter|translator", "use a? translator", "on the screen",
        "translator machine", "face of", "interpreter by trade",
        *_ELSEWHERE, "interpreter myself", "used his|her|their|my .. as .. interpreter", "interpreter .. asked|wants|invoice",
    )),
    Row("welsh", "welsh", _GUIDE, (
        "in|through|speak|speaks|talk|medium_of|use|letters_in|prefer|want welsh",
        "yn|drwy|trwy|siarad|ateb_yn|ymateb_yn|gohebu_yn|cyfrwng|y|ngymraeg|gyfrwng gymraeg|ngymraeg|cymraeg",
        (
            "welsh speaker|speaking_person|speaking_lady|speaking_officer|speaking_caseworker|language|please|preferred|version|"
            "copy|letter|letters|only|first|for_that"
        ),
        "gymraeg|cymraeg os|plis|yn unig",
        "a welsh speaking", "iaith cymraeg", "fy iaith fy? hun", "the welsh left|at_the_front", "cymraeg version|copy|form",
        "speaking welsh with|to|than", "medrur|syn_medru|medru gymraeg|cymraeg", "at_ease|comfortable|happier .. welsh",
        "rhywun|swyddog .. siarad cymraeg|gymraeg", "cymraeg os_gwelwch|i_mi|imi", "copi|llythyr|ffurflen|fersiwn cymraeg|gymraeg",
        "spoken_to|answered|written_to in welsh",
    ), unless=(
        "do not .. welsh|need|want", "no need", "sorry .. welsh", "switched to|into welsh",
        "in the? welsh ambulance|office|assembly|government|hills",
        "eich ffurflen|gwefan", "awgrym", "roedd|oedd|mae|maer|r .. meddyg|nyrs|nyrsys|meddygon|ward .. siarad", "i speak some welsh|a_bit",
    )),
    Row("text-relay", "text_relay", _GUIDE, (
        "relay uk", "text relay|phone", "textrelay|typetalk|minicom|textphone|textpone|ngt|relayuk", "type talk", "18001",
        "relay app|service|call|calls|operator|assistant",
        "through|via|by|the the|yon|typing? relay", "typing|type .. relay", "types your half", "via an operator",
    ), unless=(
        "relay race|of|team",
    )),
    Row("phone-only", "phone_only", _GUIDE, (
        "phone|telephone|calls|ring only", "only|solely phone|ring|call|telephone me|please|us|her|him",
        "only|solely ever? by|on|over|contacted_by|by_the the? phone|telephone",
        "can not write|read .. so .. phone|ring|call|telephone",
        "by phone|telephone only|please_only|not|as|because .. read|write|letters|email",
        "do not|can_not read|write .. ring|phone|call|speak", "anything in writing .. no|useless", "ffoniwch fi yn_unig",
        "ffôn yn unig",
        "just phone|telephone calls", "only|just do|manage|use|cope_with the? phone|telephone|calls",
        "phone|telephone or nowt|nothing|not_at_all", "phone|telephone and phone|telephone only",
        "nothing|never in writing .. call|ring|phone", "no letters .. phone|ring|telephone|call me",
        "everything over|on|by the? phone|telephone",
        "everything|all|whole .. conduct*|said|done|explained .. over|by the? phone|telephone",
        "not write at_all|anything|letters .. {ring}|phone", "{ring} .. rather_than|instead_of writing|write",
        "telephone|phone contact exclusively|only", "phone|telephone .. only|sole|one way|thing|means|mode|method",
        "only|sole|one way|mode|method|means .. phone|telephone|phoning|mobile", "phone|telephone is all i", "by no other means",
        "has_to|must|will_have_to be the? phone|telephone",
        "it is|has_to_be the phone|telephone or", "solely|exclusively .. phone|telephone|ring",
        "verbal|spoken|verbally updates? only .. phone|telephone",
        "paper|letters|writing .. no use|good|point .. phone|ring|telephone",
        "ring|phone|call|telephone|speak_to|talk_to me .. do_not|never|not|rather_than|instead_of write|writing|email|post|send|letters",
        "only way .. is to? ring|phone|call|telephone", "by|over|on the? telephone|phone and not|nothing|no otherwise|letter|letters|other|else",
        "by|over|on the? telephone|phone since|as|because|owing .. read|see|sight|write|blind|hands",
        "all contact|communication|dealings .. by|over the? telephone|phone", "nothing on paper|in_writing .. phone|ring|call",
        "phone|telephone|ring|call always|every_time", "no letters|emails|post .. just|only ring|phone|call",
        "a|phone call for everything|every_time", "letters|reading|writing are|is beyond .. me|him|her", "telephone|phone is the only",
        "whole_thing|everything|it_all|all_of_it done|said|sorted over|on|by the? phone|telephone", "dim ond dros|ar|drwy y ffôn",
        "illiterate .. phone|telephone|ring|call",
        "do_not|can_not|never|not read .. or? .. please|so|just|u_have_to|have_to|you_have_to ring|phone|call", "tel|telephone|phone only",
        "no_good|no_use|pointless|useless writing|sending .. to|letters|me|him|her", "call|ring|phone instead|me_instead", "never paper",
        "u|you have_to|must|will_have_to ring|phone|call me|him|her", "no reader|scholar",
    ), unless=(
        "do not|not|never .. only", "only phone|ring|call|telephone .. once|back|if|when|to|after|before|between|on_this|this",
        "is|was|it .. only .. phone|telephone line|number",
        "only phoned|rang|called", "not .. phone only", "everything .. told|said|explained .. on|over the phone",
        "told|said|explain .. on|over .. the? phone", "was|were|nice|very .. on|over the phone",
        "do not|can_not read|write .. not|never .. ring|phone|call",
        "never the? telephone|phone", "relay", "hospital|clinic|surgery|gp only", "rather than ring|phone",
        "have to ring|phone|call me|him|her back|before|after",
    )),
    Row("no-phone", "no_phone", _GUIDE, (
        "do not|never|not|stop|without|please_do_not|no_need_to|nae {ring} me|us|her|him|back|at_all|please|ever|and|but",
        "no|nae more? phone|telephone calls|contact|please", "no more|further calls",
        "calls|phone .. out_of_the_question|off_the_table", "no|there_is_not_a|not_a telephone in the house",
        "no point|use .. {ring}|telephoning|voicemail|voicemails", "please|pls|but|so|also do_not|never {ring}",
        "no_more|stop ringing|phoning|calling|phone_calls|telephone_calls",
        "do not {ring} as|because|i|when|unless|since", "do not .. like|do .. phones|phone|telephone|calls",
        "not to be {ring}|phoned|rung|called|contacted_by_phone|telephoned", "not to {ring} her|him|me|back|us",
        "do_not|never|please_not|not {ring} back", "do_not|never ring|phone|call|telephone",
        ("can not|not|hard_to|difficult_to|unable_to|find_it_hard_to|struggle_to|cannae|struggle|struggles|no_good|hopeless|deaf|hearing|useless "
        "use|do|hear|manage|take|speak|talk|answer|cope_with|deal_with|on|by|with|cope|at .. phone|phones|telephone|calls|call"),
        "do not use|have|want|do|like .. phone|telephone|mobile|phones|calls", "not .. by|on|over the? phone|telephone",
        "no calls|calling|phones|ringing|phoning", "not the phone|telephone",
        "peidiwch a|â ffonio", "dim galwadau|ffonio", "ni|methu|ddim .. defnyddio r? ffôn",
        (
            "phone|calls|telephone|phones .. make|makes|give|gives|trigger|set|sets me|my .. anxious|panic|ill|attack|shake|worse|"
            "off|shut|head|dissociation"
        ),
        "{write} .. not|do_not|and_not|never|rather_than|instead_of {ring}|phones|calls",
        "texts|email|emails|letters|writing over calls|phone|phoning|ringing", "not ringing|phoning|calling please|me|thanks",
        (
            "phone|phones|telephone|calls|phoning|telephoning .. no_use|useless|impossible|torture|hopeless|no_good|beyond_me|"
            "not_work|nightmare|wasted|terrifies|panics|panic|hell|disaster"
        ),
        "freeze|panic|muddled|muddle|blank|shut_down|flustered .. on|phone|telephone|calls", "too deaf",
        "deaf .. text|texts|email|emails|write", "deaf .. phone|telephone|ring|calls|call",
        "stammer|stutter|mutism|laryngectomy|no_voice|no_speech|hearing .. phone|calls|call|telephone|ring",
        "phone|calls|telephone .. stammer|stutter|no_voice|hearing",
        "sooner|rather|prefer not be|to_be rung|called|phoned|telephoned", "call|ring|phone me on nothing",
        "must not|never be telephoned|phoned|rung|called",
        "do_not|does_not do|use|like|answer|want telephones|phones|any_phone_calls|phone_calls|any_calls|calls",
        "anything but the? phone|telephone|call", "we|you|that_you not ring|phone|call|telephone",
        "dread|dreads|hate|hates|terrified_of|frightened_of|scared_of|phobia_of the? phone|phones|telephone|calls", "never the? telephone|phone",
        "no phone contact|calls", "no contact by phone|telephone", "unable to use|manage the? telephone|phone", "i have no telephone|phone",
        "non speaking|verbal .. ring|phone|call", "stone deaf",
        "phone|phones|calls|telephone|ringing .. freak|freaks|frighten|frightens|upset|upsets|distress|distresses|confuse|confuses|scare|scares|terrify me|him|her|my",
        "under_no_circumstances|on_no_account ring|call|phone|telephone",
        "hard|difficult .. to hear|follow|understand|process .. on|over the? phone|telephone", "peidiwch âm|am|a_m|ân|an ffonio",
        "do_not|never ring|phone|call|telephone he|she|it|him|her",
        "process|follow|hear speech|words|people|voices over|on|down .. line|phone|telephone",
    ), unless=(
        "do not have|want .. phone number|numbers|call_centre",
        "do not {ring} back|between|before|after|during|in|on_a|early|late|until",
        "they|he|she|told|said|nobody|never|you|investigator .. did|does|do not|never .. {ring} .. me|us",
        "hospital|surgery|ward|trust|dwp|department|council|gp .. not .. {ring}", "can not .. answer|hear .. on_your",
        "you|they|nobody|nobody_has do not|never|not",
        "can not use|get .. phone|online .. in", "can not .. get through|hold", "no need to {ring} .. back",
        "not|no {ring}|calls .. before|unless|until|after|between|early|9|in_the_day",
        "do not|never {ring} the|this|that|house|home|my|it|landline|mum|her|his",
        "i|we|who|people|to|staff|they|you|he|she|nobody|hospital|surgery|investigator|trust|did|does|have|has|had do_not|never|not {ring}",
        "why|could|would|did|was|were|is|it|to|i|we not {ring}", "in|at|during the day|work|school|class|meeting|court",
        "not .. told|said .. on|over the phone",
        "relay|minicom|textphone|18001", "can|could|and manage|use|hear .. phone|telephone .. perfectly|fine|well|ok",
        "pm|am|2pm|3pm|10am call", "in those days", "no calls to_the", "you never {ring}",
        "not .. by|on|over the phone .. you|she|he|they said|told|were", "not deaf",
        "speak|talk to me on the? phone", "not ring .. bell", "no phone nor|at_present|signal|credit|number",
    )),
    Row("email-only", "email_only", _GUIDE, (
        "email|emails only|please_only|and_nothing_else|and_not|alone|exclusively|solely|or_nothing|nowt_else|nothing_else|and_email_only",
        "only|just|solely|exclusively .. email|by_email|emails", "only|solely|just|exclusively write to|by email", "only emails",
        "ebost yn_unig", "e bost yn_unig", "just email|emails|by_email me|us|please|not|only|to|and|so",
        "restrict*|confine|stick|keep .. to .. email", "nothing but|except email",
        "everything|all .. by|in|via|through|on email only|no_exceptions|please_nothing|alone",
        "email .. one|only|sole|single .. way|method|thing|one|means|contact",
        "only|sole|one|single way|method|means|thing .. email",
        "not letters|letter|post|calls .. not calls|letters|post|letter .. email|emails",
        "no letters|post|calls .. no calls|letters|post|phone .. email|emails", "by email and|by nothing|not_by|only",
        "use email .. not the phone", "electronic mail", "by email and by nothing", "only way to reach .. email", "only use *@*",
        "not an email i will not|do_not", "let us have email",
        "nothing in|by|through the? post .. email", "everything|all_correspondence|all to|by|via|through this|my|the email",
        "email exclusively|alone|solely", "email and no|by_no other|means", "emails|email i_do_not do|use",
        "post|texts|txts|letters|calls only emails|email", "just email me|us", "all_correspondence|all_contact|everything by email",
    ), unless=(
        "not|do_not|is|was|were|been|had .. only email|emails|by_email|got",
        "only email|emails i|address|was|were|we|they|came|said|to_say", "tell me everything",
        "only|just .. sent|got|received|had|replied|had .. email",
        "just .. emailed|an_email|the_email|your_email|saw|read .. email", "email .. only .. just|arrived|came",
        "only .. read|open|see|check .. email|emails", "confirmation that", "only if|when .. email",
        "or|and|then .. letter|post|text .. email", "only {ring}|phone|telephone|text|post|letters|write_to_me",
        "just .. {ring} .. email", "only took|takes|need|want|wanted .. email",
        "ever email|emailed|emails|communicated|wrote", "my|the only email", "just email|emailed me the|a|to_say|when|back",
    )),
    Row("post-only", "post_only", _GUIDE, (
        "post|letter|letters|mail only", "letters|post and only|nothing letters|post|else",
        "letters|post nothing_else|alone|exclusively|or_nothing",
        ("only|just|solely|exclusively write|post|by_post|letters|by_letter|send_letters|in_writing_by_post|reply_by_post|contact_me_by_post|the_post|"
        "way_is_by_post to|by|please|me|in|and|through|on|at|no|for|gets|reaches"), "only|just write|post|letters",
        "can|please only|only_please .. write|letter|post",
        "no email|internet|computer|phone or|nor|and|no phone|email|mobile|internet|computer|telephone",
        "by post|letter as_before|as_usual|and_not|only|and_nothing_else|because|not_email|not_phone|alone|please_and|exclusively|and_only",
        "no computer|internet and|or no? mobile|phone|telephone|email", "trwy|drwy y? post yn_unig|yn|unig",
        "not|neither phone|telephone|email nor|or email|phone|telephone|ring", "in writing .. by post",
        "can not use|hear .. phone|telephone ... no computer|internet|email", "letters|post|letter .. no other means|way|method",
        "letters nothing|nowt else", "only get|reach me by post", "limit|restrict contact to post",
        "everything .. through the letterbox", "paper and an envelope", "only send letters", "only thing .. use .. post",
        "have_to|to write there is no other", "post yn unig", "no emails .. no calls .. letter|letters|post",
        "no computer|internet|email .. can_not|too_deaf|no_use|not .. phone|telephone|hear",
        "letters|post .. our|my|only only|sole|link|means|way", "only|sole link|means|way .. letters|letter|post",
        "all|everything|exclusively .. by|through|in royal_mail|the_mails|the_post|post", "nothing but letters|post",
        "post|letter|letters is|are the? one|only|how thing|way|means|to",
        "only be|get|reach|contact|contacted|reached .. by|through|at post|letter|letters", "only reach|contact me|us|him|her by post|letter",
        "have_to|must write .. no_other|not_another|is_not_another|not .. another way|means", "paper|letters|letter through the door|letterbox",
        "only write|contact|respond by post|letter", "contact by letter|post only", "letter|letters only",
        "do_not|not use|have email|internet|computer|the_internet|an_email or|nor|and .. telephone|phone|mobile",
        "no|not computer|internet no|nor|and_no mobile|phone|telephone", "post is how", "you can only write", "can only write",
    ), unless=(
        "not|do_not|never .. post|letter only",
        "only write|wrote to|when|once|if|about|this|down|because .. you|if_i|ask|now|to_say", "only post code",
        "your|their letters|letter only",
        "only|just .. write|post .. email|online|text", "only letter|letters i|we|you|they|from|that",
        "just write|post|letters off|again|it|back|down|a|to_say|this|saying|the",
        "just .. got|had|received|read .. letter|letters|post",
        "just|only .. wrote|written|writing", "i|we just|only write|post", "everything .. sent|posted",
        "only wrote", "your|their letters only",
    )),
    Row("extra-time", "extra_time", _GUIDE, (
        "extra|more|longer|additional|bit_more time to|for|please|on|because|and|due",
        (
            "give|allow|have|need|needs|get|want|let|ask_for|asks_for|asking_for|be_given|appreciate .. longer|more_time|"
            "extra_time|additional_time|more_weeks|more_days"
        ),
        "longer to|for|because|as|please|due .. read|reply|respond|comment|answer|go|look|process|think|write|me|dyslexi*|stroke|condition|it|my",
        "longer than .. days|weeks|usual|fortnight|two_weeks|deadline",
        "will|would|may|might|to|could need|take|have|allow|get .. longer|more_time|extra_time",
        "deadline|date .. put_back|moved|extended|later|open|shifted|stretched",
        "put|move|shift|extend|stretch|hold .. deadline|date|fortnight .. back|open|please|later|on",
        "need|needs longer", "extra time|days|week|weeks|fortnight|month",
        (
            "need|want|have|allow|give|get|had|ask_for|asks_for|asked_for|asking_for|allowed|given|let|be_grateful_for .. another|"
            "one_more|a_further week|fortnight|month|days|few_days|few_weeks|two_weeks|ten_days|14_days"
        ),
        "extension|extend|extended", "takes me longer|a_while|ages|time|a_long_time",
        "could|can|may|might|please .. have|have_it|wait .. till|until|til|to the|next|end|after",
        "till|until|til the|next|end|after .. instead|please|to_reply|to_comment|because", "slow reader",
        "one_more|another|a_further|an_extra week|fortnight|month|few_days|two_weeks|ten_days please|to|for|if", "longer deadline",
        "weeks not days", "bit longer", "shift|stretch .. deadline|date", "fortnight .. stretched",
        "slow* .. words|speech|speak|find|spell", "slower pace", "time to prepare|think|process|find_my_words|answer",
        "double|twice the? time|usual|as_long", "not enough time|for_me",
        "two weeks|14 days|a_fortnight is not enough|long_enough", "do_not|please_not|not_to rush|hurry me|him|her|us",
        "mwy|ragor o amser", "clock start again", "leave me gaps",
        "give|allow me|him|her|us a month|fortnight|few_weeks|couple_of_weeks|while",
        "an|some|few|ten|two|three|four|five|six|couple extra|additional|further|more days|weeks|month|time",
        "an_extra|extra ten|few|two|three|four|couple days|weeks",
        "wait|hold_off till|until after|my|the|i .. operation|comments|reply|home|better|out", "deadlines|deadline .. generous|flexible|relaxed",
        "not enough .. with my|condition|illness|eyesight|dyslexia", "weeks|days|fortnights|months grace",
        "leave it|them|this to|till|until .. end|after|next", "like|want|appreciate|need|asks_for till|until",
        "bit|little|some|lot more time|days|weeks", "bit|little|lot longer", "more time than", "process|processing questions|speech|information",
        "speak|talk|go slowly|slow|slower", "want|need|needs|require more than .. weeks|days|fortnight", "more days|weeks be possible",
        "glad|grateful of|for till|until|more|longer|the_end", "25|50 .. extra|more time", "breaks every|during|as|because",
        "longer deadlines|deadline", "twice|double as|the long|time", "not to be rushed|hurried", "could it be twenty|28|30|21",
        "until|till the? 1*|2*|3* .. please|dyslexi*|because|as|my|means",
    ), unless=(
        "took|taken|taking|waited|waiting|been|lasted .. longer|more|ages|extra", "took you|them|us .. longer",
        "wait* .. longer|more|time", "how much longer|more", "any longer", "no longer",
        "wasted|waste .. time", "deadline .. extended .. hospital|trust",
        "house|building|extension|lead|number|tel|ext extension|number|lead|lead|cable", "visa|tenancy|leave",
        "they|hospital|trust|department|dwp|council .. needed|need|asked|wanted|had|requires .. more|longer|extra|further|extension",
        "you|they|hospital|trust .. gave|given|give .. extension|extensions", "no extra|more time for_patients|is",
        "spend|spent|spending more time", "more time .. than|with my|on_the_phone_to", "requires a further",
        "keep|keeps extending", "extended family|hours|opening",
        *_ELSEWHERE, "thank|thanks .. extra|extension|more", "extension built|had_an_extension", "said|says he|she|they needed|need|wanted",
        "more time was", "extra time in", "no extra", "longer than you said", "told .. more|longer", "say|says|said speak|talk", "slow down",
    )),
    Row("advocate", "advocate_or_representative", _GUIDE, (
        "my|an|a|independent|ask_for advocate|advocates|advocacy|imca|imha|idva", "power of attorney", "poa",
        "court appointed deputy", "deputy for",
        "{helper} .. speak|talk|deal|help|helps|helping|present|beside|copied|speaking|acting|act|acts .. for|with|to|me|him|her|us|in",
        "can|could|will|may|should|please|to .. speak|talk|act|answer|complain for|on_behalf_of|4 me|us|him|her|my_behalf|his_behalf|her_behalf",
        "speak|talk|act|deal|sort .. on my|his|her behalf", "i|am speak|talk|act|answer|speaking|acting for|4 him|her|them|my",
        "do|does all? his|her|my|the talking|letters|paperwork|forms", "can|could|will help me|him|her talk|speak|write|with",
        "who|that supports me",
        "as|is|am|be|me my|his|her|their|a|the|nominated representative|advocate|appointee|spokesperson|voice",
        "naming|named|names|name .. as .. representative", "my|his|her|their|his_dwp|her_dwp appointee",
        "litigation_friend|next_friend",
        (
            "speak|talk|write|deal|reply|respond|contact|send .. to|with|via|through|me|us .. not|instead_of|rather_than|and_not "
            "him|her|them|me|my_mum|my_dad"
        ),
        "deal|talk|speak|ring|communicate|contact with|to|2|through my {family} .. on|instead|not|for_me|about|please|throughout",
        (
            "everything|anything|correspondence|all_of_it goes|go|should_go|should_come|to_come|to_go|must_come|must_go|"
            "has_to_come .. through|thru|to|via me|us|my|him|her"
        ),
        "everything|correspondence|anything|communication|contact .. through|via|thru me|us|my|him|her",
        "everything|all_correspondence|all_letters to me|us|my",
        "through me", "all|any correspondence .. to|should|come|through .. me|us|my", "be directed|addressed to me",
        "one|person|the_one you need|want|would_need|should|must .. deal_with|contact|speak_to",
        "deal with me as|not|on_all|on_this|throughout|from_now_on|please", "me|us .. you .. need|have to deal with",
        "sit|sits in with|on|when|while|beside", "that i sit in",
        "like|want|need|wants|needs .. him|her|me|them in|there the|with|when all? room|meeting|you|me", "with me when you",
        "copied|copy|copies .. in|into|to .. letters|calls|everything|my|emails|him|whenever",
        "authority to|on discuss|speak|talk|deal|sort|tae|file",
        "happy|permission|consent for|that|so_that us|you .. speak|talk to her|him|them|my",
        "speak|talk|stand up for me|him|her|us",
        "someone|somebody|anyone to|who_can|who_would help me complain|speak_for|put_my_case",
        "tell|told him|her anything|everything", "represent|represents|representing me|him|her", "relevant person representative",
        "complaining|writing|write for my .. {family} .. can_not|cannot|autistic|dementia|downs|brain|stroke|lacks",
        "supporting me", "pohwer|poh w er", "fy eiriolwr|eirioladwr", "ar fy|ei rhan|ran i",
        "want|like|need|wants|needs .. her|him|them|someone|somebody|a_friend with|beside me|him|her", "with me when|while|if we|you|the",
        "advocate|advocates from|will|to_attend|there|present|attend|attends",
        "mum|mam|dad|mother|father|wife|husband|son|daughter|sister|brother|niece|nephew|friend speaks|talks|acts for me|him|her",
        "cpn|care_coordinator|carer|support_worker|social_worker|key_worker|keyworker|advocate|mum|mam|dad|mother|father|wife|husband|son|daughter|sister|brother|niece|nephew|friend be|sit|join|come|attend on|in|with|too|along|there|present",
        "spokesman|spokeswoman|mouthpiece", "siarad ar fy|ei|eu rhan|ran",
        "permission|authority|consent|say_so to? speak|talk|deal|act|speaking",
        "send|address|direct everything|letters|all|all_letters to her|him|my", "so send them to", "reads my|his|her letters|post to me|him|her",
        "support_worker|key_worker|carer|advocate there|present|with_me|too", "accompanied by",
        "include|copy|copy_in my|his|her .. advocate|worker|coordinator|nurse|cpn",
        "ring|call|contact|write_to|speak_to|talk_to my mum|mam|dad|mother|father|wife|husband|son|daughter|sister|brother|niece|nephew|friend and|instead|not|please",
        "talk|speak to my carer|support_worker|advocate", "deals|deal with all|everything|this|it|my .. for me|him|her|us",
        "someone|somebody|a_friend with|beside me|him|her", "correspond with me rather|not|instead", "registered|hold lpa",
        "can|could|will|let my mum|mam|dad|mother|father|wife|husband|son|daughter|sister|brother|niece|nephew|friend talk|speak|answer for me",
        "for|to be my|her|his representative", "appointee and", "advocate and|or more|bit|extra",
        "need|needs|want|wants an|my|his|her imca|imha|advocate|idva",
        "ring|phone|call|write_to|contact me instead|not_him|not_her|for_him|for_her",
    ), unless=(
        "complain .. on behalf of .. can|do|who|is|could", "can|could|may|who|does .. complain|bring .. behalf",
        "on behalf of .. constituent|trust|hospital|department|the_practice|patients|clients|everyone|all|team", "devil",
        "advocate for_change|general|said|never|came|at_the",
        "no|nobody|never|without|wrong|could_have|could_have_had .. advocate", "asked for the advocate",
        "advocate|advocacy .. hospital|they|pals gave|offered", "asked my|the support|social worker and",
        "refused|refuses|refuse|would_not|will_not .. speak|talk|deal|reply",
        "nobody|no_one .. would|will|to .. speak|talk|deal|reply",
        "for mps|constituents", "attorney general", "i have joked", "represents|represent .. nobody|myself|a|the|an",
        "power of attorney .. forms|wrong*|never", "held power of attorney", "bring you .. dozen|people|many", "who signs",
        "speaks|speak for itself", "spoke|rang",
        "do_not|not let", "so that i can see", "voice note|mail|message|recording", "power_of_attorney was|form|forms|fee|registration",
        "lost|delayed|registering|refund|leaflet|guide|about|apply .. power_of_attorney|powers_of_attorney", "only talk|speak to",
        "ask* if|whether", "i|she|he|who was|were .. with me when", "there|was|were|came .. with me when|at", "on that ward", "paragraph",
        "used to|i_was",
    )),
    Row("screen-reader", "screen_reader", _GUIDE, (
        "screen reader|readers|reading|software", "screenreader|screenreaders",
        "jaws|nvda|voiceover|talkback|zoomtext|supernova|claroread|dolphin", "text to speech", "assistive technology|software",
        "accessible|tagged pdf|word|format|document|docx",
        "computer|software|tablet|laptop|phone|reader|app|machine reads|speaks|read|speak|talks .. to_me|for_me|it|them|out|aloud",
        "tablet|computer|software speaks", "text reader", "talking software|computer|program", "speech software|program",
        "my reader|reader_programe|software|reader_program .. can_not|could_not|does_not|will_not|skips|jumps|announce",
        "with my reader", "software|thing that reads|talks", "windows narrator", "read aloud as", "images .. read aloud",
        "plain text yin|emails|please", "darllenydd sgrin",
        "as word|docx|a_word_file .. not|so .. pdf|picture|pictures|image|images|scan|scans|reads|speaks",
        "computer|phone|laptop|tablet|software talks|speaks|reads", "no scans|scanned|images", "scanned pdf|pdfs",
        "blind .. pdf|pdfs|scans|scanned|image|images|attachment|attachments", "assistive software|tech",
        "computer|laptop|phone|tablet|machine|pc reads things|emails|letters|it|them|out", "edit edit", "not labelled .. reads",
    ), unless=(
        *_NOT_NEEDED, "relatives|waiting room",
    )),
)  # fmt: skip

_METHODS: Final = "DESIGN promise 4: on the person's channel"
PREFERRED: Final = (
    Row("prefers-telephone", "telephone", _METHODS, (
        (
            "prefer|prefers|preferred|rather|sooner|easier|easiest|simplest|best|better .. phone|call|ring|telephone|speak_on|"
            "talk_on|phoned|called|rung|phoning|calls|telephoned|bell|verbally"
        ),
        "phone|telephone|call|calls|ringing|bell is|would_be|works|are .. best|better|easiest|easier|good|fine|preferred|ok|okay",
        "phone|telephone best|better|easiest|easier|preferred|ok|okay|fine",
        "by phone|telephone please|only|if|is|mornings|rather|not", "telephone|phone only",
        "preferred contact|method|way .. telephone|phone|call",
        "{ring} .. do_not|not|never|rather_than email|write|text|post|writing|letter|letters", "ffoniwch", "a .. ffonio",
    ), unless=(
        "do not|not|never|no|without|no_need .. {ring}|phone_call|calls|phoned|phoning|telephone|speak|called",
        "can not|could_not {ring}|phone|telephone|speak|talk|use|hear|answer|take", "better|best .. not",
        "texts|text|email|emails|letters|letter .. over|than|to calls|phone|phoning", "best phone manner", "i|we rather {ring}",
        "better .. called|call it",
    )),
    Row("asks-for-a-call", "telephone", _METHODS, (
        ("please|can|could|would|will|should someone|somebody|you|anyone|one_of_you|he|she|they|your_manager? .. {ring} .. "
        "me|us|back|on|0*|her|him|about|any"), "please|pls {ring} me|us|back|on|after|before|between|0*|her|him|my",
        "{ring} me|us|him|her|back .. please|on|0*|mornings|evenings|asap|urgently|today|when_you|any|anytime",
        "{ring} me|us please|now", "someone|somebody {ring} me|us|him|her", "{ring} me 0*|instead|with|any",
        (
            "{want}|would_welcome|appreciate|be_grateful_for|like|wants .. a? phone_call|telephone_call|callback|call_back|"
            "ring_back|ring_tomorrow|call_from|call_today|call_please|bell"
        ),
        "{want}|wants|like|likes|would_like .. to {ring} me|us|her|him|them|back",
        "{want}|wants .. me|her|him|them|us rung|phoned|called|telephoned",
        "{want} .. supervisor|manager|somebody|someone on the telephone|phone",
        "call back|callback please|wanted|requested|asap|wed|after|on|any|between",
        "may|can|could be telephoned|phoned|rung|called|reached_on", "i am on 0*", "ring him|her back on", "you {ring} me|us",
        "give me|us a ring|call|bell|phone_call", "get someone|somebody|him|her to ring|call|phone",
        "talk wednesdays|mondays|between|after|on", "only talk between|after|at|before|from",
        "good time|times .. call|ring|phone", "welcome|appreciate a telephone|phone|call",
        "{ring} me that|about|at|as|because|anytime|any_time", "a real person to ring", "try the phone", "call on my number",
        "quick call", "phone call worth", "so please {ring}", "gies a phone|bell|ring", "ring us|me when|on|any|after",
    ), unless=(
        "phoned|rang|called me|us|back",
        "do not|not|never|no|without|no_need|nobody|no_one .. {ring}|phone_call|calls|phoned|phoning|telephone|speak|called",
        (
            "you|they|he|she|nobody|nobody_has|hospital|investigator|surgery|gp|who .. said|promised|told|never|would|did|"
            "was_going|were_going .. {ring}|back"
        ),
        "can not|could_not {ring}|phone|telephone|speak|talk|use|hear|answer|take",
        "promised|supposed to .. {ring}|call_back", "{ring} .. us|me .. liars|names|a_liar|love|dear|by", "emergency call",
        "if you {ring}", "asked her|him|them|you to {ring}|make", "the|this|that|a|recorded call listened|recording",
        "thank|thanks .. {ring}", "can not make him|her|them", "says|told .. {ring} back .. hospital|ward|trust",
        "do your|the people", "how .. can|could you call", "line able to accept", "someone would phone|ring|call back",
        "would call back", "will ring for me", "suit .. better than a call", "who|they|collectors {ring} me",
        "whether anybody rang",
    )),
    Row("prefers-sms", "sms", _METHODS, (
        "prefer|prefers|preference|rather|easier|easiest|best|better|simplest .. text|sms|texts|texting",
        "text|texts|texting|sms|textin .. is|are|would_be|works|me_is best|better|easiest|easier|good|fine|please|ok|okay|the_easiest",
        "text|texts|sms only|please|preferred|best|ok|okay|fine|better|easiest|message_only",
        "text me|us|him|her on|only|back|please|pls|instead|the|when|not|if|at|first|0*", "tecstiwch", "neges destun",
        "preferred contact|method .. text|sms",
        "send|drop|do .. a? text|texts|sms", "asks|asked|wants for .. text", "text|sms not call|ring|phone", "want|wants texts",
        "over|by|via text|sms please|not|only|if|rather|is", "please|pls|can|could|tell .. text me|us|him|her",
        "message my mobile", "text me", "text reminders", "a text will", "come by sms|text", "ping|shoot|send me a text",
        "message on mobile", "way .. is text", "you can text",
    ), unless=(
        "text relay|phone", "do not|not|never|no|stop|nor .. text|texts|sms",
        "you|they|he|she|hospital|surgery .. said|told|sent|text|texted .. text|me|about",
        "rather than|not|instead_of .. text|texts", "discharged|told|sent|send .. by text",
        "by text .. message from", "reads .. texts", "in text", "proper text please", "to text first", "have to text",
        "got|received|get .. text|texts",
    )),
    Row("prefers-email", "email", _METHODS, (
        "prefer|prefers|rather|sooner|easier|easiest|best|better|simplest|like .. email|emails|emailed|emailing",
        ("reply|answer|respond|write|contact|response|correspond|send|confirm|contacted|back|written|communicate|replies|"
        "keep|outcome|it|that .. by|via|on|to|through|in_an|over email|my_email|this_email"),
        "please|pls|can|could|would .. email me|us|it|back|the|your|them|her|him",
        "email me|us .. please|instead|back|at|on|not|the|when|only|and", "if you would|could email", "email me",
        "email|emails .. is|are|works|would_be best|better|easiest|fine|good|easier|grand|ok|okay|simplest",
        "email|emails only|please|preferred|back_please|okay|ok|better|best|fine|easier",
        "by email please|only|as|because|if|not|rather|instead|and",
        "only|just|solely|prefers|preferred email|emails|use_email", "just emails to", "someone|somebody|anyone|you email me|us",
        "emailed|emails to me|us|her|him|*@*", "preferred contact|method .. email", "contact me at|on *@*",
        "at|to *@* please|is|as|for",
        "be emailed", "use email|this_email", "the email is|would be", "as an attachment", "over email", "emails rather",
        "email .. suit|suits|what_i_like", "in an email", "at *@* that", "ebost|e_bost",
    ), unless=(
        "do not|not|never|stop|no|nor .. email|emails|by_email",
        "you|they|he|she|who|hospital .. said|told|sent|wrote|write .. email|emails",
        "i|we .. sent|wrote|emailed|asked|complained|replied|been|went|contacted|told|made|make|got|received .. email|by_email|emails",
        "was|were|been .. told|informed|refused|asked|sent|notified .. by|in email",
        "acknowledged|complaint|complained|received|arrived|came|details|confirmed .. by email",
        "send|sent|was .. by email .. documents|you", "and by email", "will email", "refuse|refused .. email",
        "email .. over the phone", "subject line of your email", "not by email", "not .. in an email", "permission .. email",
        "first email", "cancelled .. by email", "before this email",
        "do|does|can|could you ever|also|take|accept .. by email", "only .. emailed|email i", "rather than|instead_of email",
    )),
    Row("prefers-letter", "letter", _METHODS, (
        "prefer|prefers|rather|sooner|easier|easiest|best|better .. letter|post|letters|write|writing|written|posted",
        "by|through|via|in_the post|letter|royal_mail please|only|as|because|if|not|rather|instead|and",
        ("please|pls|can|could|kindly|would .. write|post|reply_in_writing|send_a_letter|send_me_a_letter .. to_me|me|to_us|back|at_the|by_letter|it_to_me|letter|to_her|to_him"), "please write", "you may|can|could write to",
        "post|letter|letters only|please|preferred|ok|okay|fine|best",
        "post|letter|letters .. is|are|would_be|suits best|easiest|better|the_best|fine|me|me_best",
        "i like|prefer post|letters|a_letter", "letters from you please",
        "answer|answers|reply|respond|replies|confirm .. with|by|in a? letter|post|writing_by_post|proper_letter",
        "asked for|wants letters|letter|post", "wants|asked .. us|you to write", "only|just|kindly write|post|letters", "by post",
        "in a letter so|please", "a proper letter", "post me|it to", "could|can you post|write",
        "write not|instead|rather {ring}|call|phone|of", "written reply|answer|response", "so good as to write", "write in large",
        "drwy_y_post|trwy_r_post|trwy_lythyr|drwy_lythyr", "anfonwch lythyr", "letters to|over calls|emails|phoning",
        "a letter if|instead", "by letter is", "postal letter", "hard copy", "return of post", "in the post than",
        "letters rather_than|instead_of", "put it in a letter", "post it|them please|to",
        "{want}|like .. to write to me|us|her|him", "do write then write", "preferred contact|method .. letter|post",
        "send|give|drop|gie .. a letter|line", "write|letter by_return|care_of", "write me a", "correspond .. by post",
    ), unless=(
        "do not|not|never|stop|no|nor .. write|post|letter|letters|writing",
        "you|they|he|she|trust|hospital|gp|surgery .. said|told|sent|wrote|write|writes|came .. letter|post|write|writing|me",
        "i|we .. sent|wrote|posted|got|received|complained|told|been .. post|letter|by_post", "letter of apology",
        "prefer .. email", "written apology", "came|sent|arrived|lost .. by|in .. post", "send .. form", "better .. in writing",
        "documents|notes|copies|form .. by post", "will post|send", "post .. on facebook|form", "form .. in the post",
        "can not write", "when you write", "by letter on|of|dated", "by email .. he|she|they", "nothing .. by post",
        "write to them|my|the|your", "read|reading .. letters|letter please",
        "then write to me again", "like|want|wanted .. letter i|you|which|that", "best .. letter i", "is it better to write",
        "than write", "post me a form|booklet|copy|leaflet", "your|their letters|letter", "rather than in the post",
        "not come by post", "a line automatically", "talk .. than write", "rather than|instead_of post|write|letters",
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
_CLOSED_BY: Final = {
    "no_phone": frozenset({"telephone"}),
    **{need: frozenset(get_args(Method)) - {way} for need, way in _IMPLIED.items()},
}

_PROMISE: Final = "DESIGN promise 4: a wish that restricts is obeyed at once"
RESTRICTIONS: Final = (
    Row("phone-is-read", "sms telephone", _PROMISE, (
        ("he|she|they|husband|partner|boyfriend|wife|ex|son|dad|father|mum|mother|daughter|brother|someone|somebody|carer "
        "reads|read|checks|check|checking|looks_at|looks_through|goes_through|go_through|sees|watches|monitors|tracks|has|"
        "takes|took|controls|answers|picks_up|listens_to|hears|has_access_to|can_see|gets .. my|our|her|his|the .. "
        "phone|texts|mobile|calls|messages|text|voicemail|voicemails|phones"),
        "share|shared|sharing .. phone|mobile .. with|him|her",
        ("phone|mobile|texts|calls|messages .. "
        "not_safe|unsafe|being_watched|is_watched|is_monitored|are_read|is_checked|tracked|bugged|monitored|read_by"),
        "not safe .. to? .. phone|text|ring|call", "darllen fy|ffôn|negeseuon",
        "czyta .. telefon|wiadomości|smsy|sprawdza",
        "he|she|they|husband|partner|boyfriend|wife|ex|mum|dad .. call_log|call_list|calls_log|call_history|phone_bill",
        "call_log|call_list|phone_bill .. he|she|partner|husband", "phone .. being|is tracked|bugged|watched|his",
        "has|knows .. my pin|passcode", "synced|sync .. to .. his|her", "nothing|do_not .. on|to it|there .. call|message",
        "tracker|spyware on my phone|mobile", "find my phone", "if a man|woman|he|she|anyone answers",
        "work|employer_s|boss_s phone|mobile|handset .. monitor*|owned|checks",
    ), unless=(
        ("they|trust|hospital|surgery|dwp|you .. reads|read|check|has|got|took|answer|answers|picks|monitor .. the|your|a "
        "phone|calls|messages"), "never|nobody|no_one|not .. answers|answer|picks|pick", "has my number",
    )),
    Row("no-sms", "sms", _PROMISE, (
        "do not|never|not|stop|please_do_not text|texting|sms|send_texts|send_me_texts|send_text|send_sms|message",
        "no texts|text|sms|text_messages", "not .. by|via text|sms", "not a text",
        "stop|cease|leave_off .. texts|texting|text_reminders|sms", "nothing .. by|via sms|text",
        "text|texts|texting .. not safe|to_be_used", "never message",
        "texts|text_messages|messages .. flash|pop|come|show up|on|up_on .. screen|tablet|ipad|phone",
        "he|she|son|daughter|partner|husband|wife|employer|boss reads|sees|goes_through|monitors .. messages|texts|handset",
        "nothing that pops up", "not .. message|messages .. on|to mobile|phone",
        "said no texts", "my messages .. he|she|they", "mobile .. reads|read|sees whatever", "never|no text|texts|texting or ring",
        "appointment texts cease", "only text if i", "not texts", "paid peidio a|â tecstio", "dim negeseuon|tecstio",
        "share|shared .. handset|phone|mobile", "shared handset",
    ), unless=(
        "he|she|they|you|hospital|surgery .. sent|texted .. text|texts|messages", "he|she .. text|texts|message back|us|you",
        "told|said|asked|got|received .. text|texts|messages",
        "they|you|he|she|hospital .. do|did|does not", "not texting", "no text .. in|from", "do not text back",
    )),
    Row("no-telephone", "telephone", _PROMISE, (
        "do not {ring}", "do not|never|stop|please_not {ring} me|us|my|the|at|this|on|back|home|her|him|here|unless",
        "please|pls|but|and|so do not {ring}", "no phone|telephone calls|contact|please", "no calls|phoning|ringing",
        "not to be {ring}|phoned|rung|called|telephoned",
        "do not leave|leaving .. voicemail|voicemails|message|messages|answerphone|answer_machine|answering_machine",
        "not .. by|over|on|via the? phone|telephone", "not to phone|ring|call|telephone me|us|her|him|please",
        "not phone|ring|call|telephone me|us", "peidiwch a|â ffonio", "dim galwadau", "nie dzwoni*|dzwonić",
        "stop|no_more phoning|ringing|calling|calls|phone_calls",
        "take|strike|cross|remove|delete|lose .. number|landline|mobile|phone .. off|out|from_my",
        "strike off that|my number|mobile|landline", "not use .. number|landline|mobile|voicemail",
        "number|mobile|landline .. no_good|no_longer_mine|not_safe|belongs_to|must_not_be|not_to_be",
        "voicemail|voicemails|answerphone .. not safe|private", "only {ring} between|when|while|if|on|at",
        "do_not|never ring|phone|call|telephone", "withhold your number", "no calls", "write|text|email|letter not {ring}",
        "picks_up|listens|listens_in .. extension|landline|phone",
        "nothing|not|nae .. phone|call|calls|voicemail please|ever|at_all|efter|after",
        "sooner|rather not be rung|called|phoned|telephoned", "he|she|husband|partner answer|answers .. my? phone",
        "not {ring} back", "not to {ring} her|him|me|back|us|them",
    ), unless=(
        "they|he|she|you|nobody|surgery|hospital|investigator|trust .. do|did|does|never not? .. {ring}",
        "never {ring} me|us .. back", "you never|do_not|did_not|have_not", "did|does|has|had not {ring}",
        "told|telling .. not_to|do_not|never .. {ring}", "not .. {ring} me a|liar", "why .. not .. {ring}",
        "not .. on the phone .. explain", "get|got .. not .. phone",
        "i|we|who|people|to|they|he|she|staff|investigator do not {ring}", "do not ring bell|bells|true",
    )),
    Row("no-email", "email", _PROMISE, (
        ("do not|never|stop|please_not|not "
        "email|emailing|emails|send_emails|send_me_emails|send_email|use_email|use_my_email|write_to_this_email|"
        "reply_to_this_email|reply_by_email|reply_to_this_address"),
        "no emails|email", "do_not|never use my? email|this_email|that_email|it_for_private", "email .. leave out",
        "has|have access to .. hotmail|gmail|email|account", "no emails|email please|at_all|contact|as|because|only|he",
        "not .. by|via|to email|this_email|my_email",
        ("reads|checks|sees|opens|monitors|has|has_access_to|can_see|looks_at|logs_into|gets_into|knows_the_password .. "
        "my|our|the? .. email|emails|inbox|account"),
        "email|emails|account|inbox .. not_safe|unsafe|is_shared|is_read|hacked|are_read|monitored|being_read",
        "he|she|they|ex|husband|wife|partner|boss|uncle|son|daughter|sister|brother|someone .. password|passwords|inbox|email_account|hotmail",
        "share|shared .. inbox|email|emails|account", "withdraw|remove|delete .. email|emails",
        "work email .. not|boss|monitored|closes|only", "nothing .. by|to email|that_email|there",
        "email .. is dead|closed|his|hers", "peidiwch .. ebost|e_bost", "dim ebost|e_bost",
        "somebody|someone .. reading|looking_at|reads|opening .. email|emails|mail", "ring do_not email",
        "not check|look_at my? email|emails|inbox",
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
        "post|letters|mail .. not_safe|gets_opened|get_opened|are_opened|is_opened|goes_missing|is_shared|unsafe|stolen",
        "nothing|anything is? .. to|at|through|come|go|be|posted|dropped .. house|doormat|letterbox|door|there|posted|address|envelope",
        "nothing posted", "no further|more letters|post", "no post|letter|letters|mail", "ask you not to post",
        "nothing is posted", "not want letters|post|mail .. home|house", "peidiwch .. ysgrifennu",
        "do_not|please_not|never post|send anything|letters|post|things",
        (
            "husband|wife|partner|he|she|they|staff|warden|landlord|landlady|mum|dad|father|mother|brother|prison|officers|carer|"
            "son|daughter .. opens|steams|collects|intercepts|censors|burns|open|gets_to_the|first_to_the|found .. letter|letters|"
            "post|mail|envelope|envelopes|box"
        ),
        "post|letters|mail .. opened|torn|steamed|found .. by|he|she|they|him|her|staff|last_time",
        "old|that address .. not|he|she|ex .. use|there|lives|still", "left that|the address|house|flat .. he|she|still",
        "can not give an? address", "take my address off", "not the house",
        "not come by post", "no letters of|and", "not my|our|the house|home_address", "envelope .. name|know",
        "paid peidio|peidiwch .. ysgrifennu|llythyr", "dim llythyrau|post",
        "nothing by|in|through post|the_post|writing_to_the_house", "not .. by|in|through the? post",
        "not .. to|at my|the|home|our home|address|house|old_address",
    ), unless=(
        "they|you|he|she|hospital|trust|nobody .. do|did|does|have|had|never not? write|post|send",
        "no letter|letters|post .. from|yet|received|since|arrived|came|has|sent|saying",
        "no post|letters|letter|mail .. all week|yet|came|come|arrived|received|from|since|has|had|telling|saying|sent|of_apology|explaining|till",
        "to my .. complaint|letter", "never write|wrote .. before",
        "not .. to my|the .. decision|letter|complaint|report|email|satisfaction",
    )),
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

_CHILD: Final = "the service model: people of every age; a child's contact goes to somebody trained for it"
UNDER_18: Final = (
    Row("says-age", "under-18", _CHILD, (
        "i am|am_only|am_just|was_born_and_am {minor}", "i am a {minor} year old",
        "i am|am_still aged? only|just|still|nearly|almost {minor}", "me aged? {minor} and|i|years", "my age is {minor}",
        "and am|im {minor}", "i am aged {minor}",
        "aged {minor} and|i|in_my_own|complaining_for_myself",
        "i turn|will_be|am_going_to_be {minor}|eighteen|18 in|next|on|this|soon|at", "until|till|til|when i am|turn eighteen|18",
        "caller|she|he is|aged|states_she_is|states_he_is|says_she_is|says_he_is|gave_age|gave_her_age|gave_his_age|identified a|as|is|as_a? {minor}",
        "caller|young_person|self_identified|girl|boy aged|as|is|age|a? {minor}",
    ), unless=(
        "i am {minor} {of}", "am {minor} year|years {of}", "{family} .. caller|she|he is|aged", "caller s {family}",
        "when|since|before|because|where|while|until|if i was", "{family} .. she|he is", "she|he is|s {minor} {of}",
        "caller is {minor} {of}", "she|he is .. my|our|the {family}",
        "about|for|of|behalf|re {family}|his|her", "she|he is {minor}",
    )),
    Row("at-school", "under-18", _CHILD, (
        "i am|im|i_was_put in year {form}", "i am in|at the? sixth_form|primary|secondary|reception|my_second_year_of_secondary",
        "my gcse|gcses|mocks|sats|exams_at_school|a_level|form_tutor|head_of_year|school_nurse|headteacher|teachers",
        "my teacher|tutor helped|said|says|is_helping|told", "our|my school nurse|counsellor|counselor|pastoral",
        "ring|call|phone|contact .. at|during|in school", "school .. take our|my phones|phone off", "after|before school i",
        "i get|am home|back|out from school|at_3|at_four",
        "i|am|do_not|not .. go back to school .. after|today|today_because", "when i leave school .. in|which|next",
        "year {form} and|n|so|i|at .. i|my|me|we", "someone my age", "i go to .. school|academy",
        "my school said|says|will|wont|does",
        "bunk|bunking off school i",
    ), unless=(
        "when i|we was|were|left", "{family} .. in year|at|is|was|goes", "i teach|taught|am_a_teacher|work",
        "my teacher training|trained", "at my school where i|teach|work", "my a levels were|was", "i left school at", "used to",
        "my {family} school|teacher", "pick|collect|fetch|drop .. school|kids|children", "school run",
        "teacher .. was|would|in 19|years_ago", "our year", "the kids|children|them|they .. school",
        "my exams .. nursing|medical|university", "english teacher would",
    )),
    Row("is-a-child", "under-18", _CHILD, (
        (
            "i am|am_only|am_just|am_still|being a? minor|kid|child|teenager|schoolboy|schoolgirl|under_age|underage|under_18|"
            "under_16|under_eighteen|under_sixteen|too_young|not_18|not_18_yet|not_16|not_an_adult|only_young|pupil|foster_child|"
            "looked_after_child"
        ),
        "not an adult|a_grown_up|18|old_enough yet", "only a kid|child",
        "i live|living|am with|in my? foster|foster_carers|foster_parents|foster_care|childrens_home|care_and_i_am|a_childrens_home",
        "my foster carer|carers|mum|dad|parents|family|placement|mother",
        "a grown up|grownup|adult .. have_to|need|for_me|to_ask|with_me|to_help",
        "need|have_to|does_it_have_to .. a|be grown|adult up|grown_up",
        "can|do .. children|kids|under_18s|teenagers complain|ring|write .. i|my|me|us",
        "can|may|could i complain|ring .. even|if|because i am|not .. young|adult|kid|child|18",
        "my mum|dad|parents|mam|nan does|do|dont|must|can not .. know|find|see .. school|i_went|i_wrote|clinic",
        "without my mum|dad|mam|parents|guardian|mum_and_dad .. knowing|permission|there|there_too|being_there|her|him",
        "my mum|dad|mam says|said .. not_an_adult|too_young|old_enough",
        "in care|foster and i am|want", "my social worker|iro is_not|never|does_not|will_not|wont .. listen|listening|come|visit",
        "my childrens home", "young caller", "caller .. child|young_girl|young_boy|schoolgirl|schoolboy|teenager",
        "my reviewing officer",
    ), unless=(
        "when|since|because i was|were", "i was .. when|then|at", "as if|like i am|was|were a child|kid", "treat* .. like|as",
        "i am a child of|protection|psychologist|psychiatrist|minder|care", "i am under age 80",
        "adult .. social_care|services|daughter|son|child", "my foster carer assessment|allowance|career",
        "grown up children|kids|son|daughter|family", "i am a foster", "our foster", "my .. is a child|minor|kid", "in my teens",
        "only child", "the child|children|kid|kids social_worker", "my own children|kids",
        "my child|kids|children|son|daughter|baby|grandson|granddaughter",
        "caller .. about|for|re|mother|father|mum|dad|parent .. child|teenager|schoolgirl|schoolboy",
        "minor injuries|ailment|operation|procedure|injury",
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

# What the words of a need are said of, or that it is not one: the model would hear it all the same.
NOT_NEEDED: Final = (
    Row("not-needed", "", _GUIDE, (
        "not need|want|require .. large|larger|bigger|braille|audio|interpreter|translator|welsh|bsl|advocate|relay|easy_read|extra_time|more_time|longer",
        "no need for .. large|braille|audio|interpreter|translator|advocate|easy_read|extra_time|more_time", "no interpreter needed|required|please",
        "welsh half|coast|border|government|assembly|hospital|ambulance|ombudsman|mountains|side|holiday|dresser",
    )),
)  # fmt: skip

_ADJUSTMENTS: Final = Table(ADJUSTMENTS)
_TAKEN_BACK: Final = Table(NOT_NEEDED)
_IN_ORDER: Final = tuple(dict.fromkeys(row.gives for row in ADJUSTMENTS))
NEEDS: Final = frozenset(_IN_ORDER)
_PREFERRED: Final = Table(PREFERRED)
_RESTRICTIONS: Final = Table(RESTRICTIONS)
_UNDER_18: Final = Table(UNDER_18)
_REMEDIES: Final = Table(REMEDIES)


def by_rule(found: Found) -> dict[str, Hit]:
    """The adjustments that the rows find, each once, with the first that does."""
    asked = _first(found[_ADJUSTMENTS])
    if "bsl_interpreter" in asked and not any(hit.row.name == "interpreter-of-a-language" for hit in found[_ADJUSTMENTS]):
        asked.pop("spoken_interpreter", None)  # an interpreter whose language is not named is the one who signs
    return asked


def adjustments(lines: Sequence[Sentence], found: Found) -> tuple[tuple[str, ...], tuple[Fact, ...]]:
    """The adjustments asked for, in the guide's words, each once; and the sentences.

    Rows know the wordings that somebody has thought of, the model hears others. What a row finds in a contact that sounds nothing
    like it is told of somebody else.
    """
    taken_back = [hit.sentence for hit in found[_TAKEN_BACK]]
    rows, heard = by_rule(found), needs.hear([line for line in lines if line not in taken_back] if taken_back else lines)
    facts: dict[str, Fact] = {}
    for name in _IN_ORDER:
        row, sounds = rows.get(name), heard.get(name)
        if row and (not sounds or sounds.odds > needs.ODDS_OF_A_ROW or not needs.may_ask(row.sentence)):
            facts[name] = _fact("reasonable_adjustments", row)
        elif sounds and sounds.odds > needs.ODDS:
            facts[name] = Fact(
                "reasonable_adjustments", name, f"model adjustments {needs.MODEL.version}", sounds.sentence.text[:300]
            )
    ways = [name for name in facts if name in _IMPLIED]
    for name in sorted(ways, key=lambda name: heard[name].odds if name in heard else 0.0)[:-1]:
        facts.pop(name)  # only one way can be the only one
    if "phone_only" in facts:
        facts.pop("no_phone", None)
    return tuple(facts), tuple(facts.values())


def need(given: str) -> str:
    """An adjustment declared in a field: in the guide's word where it is one of them, such as "Large print", else as given."""
    word = "_".join(given.lower().replace("_", " ").replace("-", " ").split())
    return word if word in NEEDS else given.strip()


def preferred_method(found: Found, adjustments: Iterable[str]) -> tuple[Method | None, tuple[Fact, ...]]:
    """The method they ask us to use, one that they call the best before one that they ask for once; None where they name none."""
    for each in adjustments:
        if each in _IMPLIED:
            return cast(Method, _IMPLIED[each]), (Fact("preferred_method", _IMPLIED[each], each, each),)
    open_to_us = [hit for hit in found[_PREFERRED] if hit.row.gives != "telephone" or "no_phone" not in adjustments]
    if not open_to_us:
        return None, ()
    best = max(open_to_us, key=lambda hit: hit.row.name.startswith("prefers"))
    return cast(Method, best.row.gives), (_fact("preferred_method", best),)


def under_18(found: Found) -> str | None:
    """The sentence that shows the writer to be a child."""
    return next((hit.sentence.text[:300] for hit in found[_UNDER_18]), None)


def restrictions(found: Found, adjustments: Iterable[Fact]) -> tuple[tuple[str, str], ...]:
    """Methods that must not be used, each once, with the sentence that says so: of its own, or because it asks for another way."""
    closed: dict[str, str] = {}
    for hit in found[_RESTRICTIONS]:
        for method in hit.row.gives.split():
            closed.setdefault(method, hit.sentence.text[:300])
    for need in adjustments:
        for method in _CLOSED_BY.get(need.value, ()):
            closed.setdefault(method, need.words)
    return tuple(sorted(closed.items()))


def remedy(asking: Sequence[Sentence], found: Found) -> tuple[str | None, tuple[Fact, ...]]:
    """What they want, in a few words, at most three things; None where no sentence asks for anything.

    ``asking`` are the sentences that do, the plainest first: what no row has a name for is given in their words.
    """
    if not asking:
        return None, ()
    hits = list(_first(found[_REMEDIES]).values())[:3]
    if hits:
        return " and ".join(hit.row.gives for hit in hits), tuple(_fact("remedy_sought", hit) for hit in hits)
    for sentence in asking:
        lower = sentence.text.lower()
        if lower.isascii() and not any(word in lower for word in _WANTING):
            continue  # outside ASCII some letters are others' lower case
        if (said := _WANTS.search(sentence.text)) and not _NO_REMEDY.match(said["what"]):
            wanted = said["what"].strip(" ,")[:120]
            return wanted, (Fact("remedy_sought", wanted, "said in their words", sentence.text[:300]),)
    wanted = asking[0].text[:120]
    return wanted, (Fact("remedy_sought", wanted, "the sentence that asks", asking[0].text[:300]),)


def _first(hits: Iterable[Hit]) -> dict[str, Hit]:
    """The first hit for each thing that rows give."""
    first: dict[str, Hit] = {}
    for hit in hits:
        first.setdefault(hit.row.gives, hit)
    return first


def _fact(name: str, hit: Hit) -> Fact:
    return Fact(name, hit.row.gives, hit.row.name, hit.sentence.text[:300])
