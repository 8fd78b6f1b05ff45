"""What the reading finds in a contact's words, from invented sentences: references, people, needs, wishes, earlier contact."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.read import needs, read
from router.read.reading import Fact
from tests.router.read.lessons import adjustment_files, digest
from tests.router.read.measure import CORPUS, contacts, measure

PIECES = (
    "Dear Ms Holloway,", "Yours sincerely", "Ann Carter", "Mr G. P. Hobbs", "14 Mill Row", "Sandholt", "NR40 8TE", "dob 3 March 1984", "thanks", "Jo x",
    "07700 900123", "ann@example.net", "my mother, Edna Shaw, born 1/2/1931", "> Dear Mr Gantry", "On 2 May 2026 Customer Care wrote:", "From: R Kalu",
    "Sent: Monday", "C-2031234", "Her number is 07700 900471", "I write on behalf of Mr Danjuma", "p.s. one more thing", "(Mrs)", "12/1/50", "", "kwame",
    "Caller gave her name as Gwen", "Kemble & Stott LLP, 12 Assize Court, Thornwick TW40 1AB",
)  # fmt: skip


def reading(text: str, channel: str = "email", subject: str | None = None):
    return read(channel, subject, text)


@pytest.mark.parametrize(
    ("text", "references"),
    [
        ("My reference is P-0456123.", ("P-0456123",)),
        ("ref c - 203 0999 please", ("C-2030999",)),
        ("Enquiry en–123456 and case C-2040001", ("EN-123456", "C-2040001")),
        ("case number P0456123, as on your letter", ("P-0456123",)),
        ("My hospital number is P-0456123.", ()),
        ("(my patient number there is P-0456123)", ()),
        ("P-0456123 is my hospital number, not yours", ()),
        ("The order no. was C-2031234 and it never came", ()),
        ("Their ref: C-2031234. Yours is P-0400002.", ("P-0400002",)),
        ("Booking ref EN-883017 for the hotel", ()),
        ("NHS number 999 123 4567, NI QQ 12 34 56 C, born 01/02/1950", ()),
        ("Phone 01632 960123 or C-12345", ()),
        ("policy AC-2031234 and XP-0456123", ()),
        ("Jo Bright p0456123", ("P-0456123",)),
        ("Re: P0456123 and C2031234", ("P-0456123", "C-2031234")),
        ("ref.c2031234 recieved ur letter", ("C-2031234",)),
        ("case number C 2 0 3 1 2 3 4, thank you", ("C-2031234",)),
        ("C-2O3l234 (from your letter)", ("C-2031234",)),
        ("P-O4I2276 it says at the top", ("P-0412276",)),
        ("EN2l1777 is mine", ("EN-211777",)),
        ("yr ref: P-0456123 12 January 2026", ("P-0456123",)),
        ("c.2031234", ("C-2031234",)),
        ("Your reference: P/0456123, as printed", ("P-0456123",)),
        ("C-2031234/P-0456123", ("C-2031234", "P-0456123")),
        ("C_2031234", ("C-2031234",)),
        ("I complained about Thornley NHS Trust, C-2031234, in May.", ("C-2031234",)),
        ("My number is P for Peter, zero four five, six one double two.", ("P-0456122",)),
        ("it's C two oh three one two three four", ("C-2031234",)),
        ("Hospital reference number C-2031234", ()),
        ("their ref no. is P-0456123", ()),
        ("The DWP reference is C-2031234.", ()),
        ("Trust complaint ref P-0456123", ()),
        ("my policy, C-2031234, ran out", ()),
        ("parcel P0456123 never came", ()),
        ("NI number EN 12 34 56 C", ()),
        ("NINO EN123456C", ()),
        ("C-2031234 is the surgery's reference", ()),
        ("Ring 01632 960123 or P 07700 900123", ()),
        ("the scan cost £P0456123x", ()),
        ("EN-1234567 and P-012345", ()),
        ("ref QX/P-0456123/7", ()),
    ],
)
def test_a_case_reference_is_known_by_its_form_and_the_words_around_it(text, references):
    assert reading(text).case_references == references


def test_a_look_alike_number_is_named_in_the_evidence():
    assert any(fact.name == "not-a-case-reference" for fact in reading("My hospital number is P-0456123.").evidence)


@pytest.mark.parametrize(
    ("channel", "text", "name"),
    [
        ("email", "I want a review.\n\nKind regards\nHelen Marsh\n01632 960111", "Helen Marsh"),
        ("email", "I want a review.\n\nYours faithfully,\n\nMr G. P. Hobbs\n3 Mill Lane, Sandholt", "G. P. Hobbs"),
        ("letter", "Please look again.\n\nYours sincerely\nMargaret O'Dowd (Mrs)", "Margaret O'Dowd"),
        ("sms", "can you ring me about my case. thanks, Jo Bright", "Jo Bright"),
        ("sms", "Hi its Ade Cole here, any news on my complaint?", "Ade Cole"),
        ("web_form", "Name: Siân ap Rhys\nMessage: I moved.", "Siân ap Rhys"),
        ("email", "My name is Priya Nair and I need help with the DWP.", "Priya Nair"),
        ("telephone", "11:05 Mrs Ivy Dunn rang about her dentist. Wants an apology.", "Ivy Dunn"),
        ("email", "When will you be open?", None),
        ("sms", "it is a disgrace. Sort it out", None),
        # -- signatures: cultures, initials, one name, titles, more than one person
        ("letter", "Please look again.\n\nYours faithfully\n(Miss) Perpetua Obi-Cole", "Perpetua Obi-Cole"),
        ("letter", "I ask for a review.\n\nYours truly\nRev. Canon Hugh Averill", "Hugh Averill"),
        ("letter", "I ask for a review.\n\nCol. (retd.) P. St J. Marchmont", "P. St J. Marchmont"),
        ("email", "Could you ring me.\n\nLe meas,\nSiobhán Ní Bhriain", "Siobhán Ní Bhriain"),
        ("email", "My complaint is with you.\n\nCofion gorau\nElin ap Gwyn", "Elin ap Gwyn"),
        ("email", "Any news?\n\nŁukasz Żuraw\nC-2031234", "Łukasz Żuraw"),
        ("email", "Any news?\n\nŠtěpán Čapek", "Štěpán Čapek"),
        ("email", "You have my file.\n\nThanks\nIvy and Ken Rush", "Ivy and Ken Rush"),
        ("email", "You have my file.\n\nOld Mr Finch", "Mr Finch"),
        ("web_form", "Nobody rang. somebody ring me 07700 900 171 - Vera Tonks", "Vera Tonks"),
        ("web_form", "look at it again pls. craig mundon 14/8/79", "craig mundon"),
        ("sms", "wots the point of u. Shaz p0456123", "Shaz"),
        ("sms", "ref P-0456123 i cant come on friday. thx kwame", "kwame"),
        ("social", "Your staff were so kind to me - Effie T", "Effie T"),
        ("email", "im waiting for my answer\n\nthank you\nstacey-jo hibb\n07700 900118", "stacey-jo hibb"),
        ("social", "[Facebook message from Agnes Wrona]\nCan you help me please?", "Agnes Wrona"),
        # -- introduced in the first line, the rest signed short
        ("email", "Hello, I'm Gemma Tolland-Nwosu and I had a baby in May.\n\nThank you\nGemma", "Gemma Tolland-Nwosu"),
        (
            "letter",
            "Mrs Lakshmi Subra\n2 Heron Way, Ashmere\n\nDear Sir,\nYou have my letter.\n\nYours faithfully\nL. Subra",
            "Lakshmi Subra",
        ),
        # -- a role, firm or note below the name
        (
            "email",
            "I write for a client.\n\nKind regards\n\nBart Quaye\nComplaints Manager\nLindmoor Hospitals NHS Trust",
            "Bart Quaye",
        ),
        ("email", "Please look again.\n\nTom Ferris\n\nThis message may contain confidential information.", "Tom Ferris"),
        (
            "email",
            "Any news?\n\nTrevor Gant\n> On 2 February R Kalu wrote:\n> Dear Mr Gantry, please find it here.\n> Rita Kalu",
            "Trevor Gant",
        ),
        # -- telephone
        ("telephone", "10:10. Caller Simran Gull, 19, sounded calm. Disagrees with our decision.", "Simran Gull"),
        ("telephone", "Call from Sunita (surname not given) about a form.", "Sunita"),
        ("telephone", "Caller gave her name as Gwen, elderly.", "Gwen"),
        ("telephone", 'Voicemail: "Hello, this is Olive Tanner, could Mr Lowther ring me."', "Olive Tanner"),
        (
            "telephone",
            "Caller's daughter-in-law rang on behalf of Mrs Olwen Tasker, 88. DIL is Fiona Tasker 07700 900587.",
            "Fiona Tasker",
        ),
        ("telephone", "Mr Yaw Darko, hospital chaplain, for patient Mrs Vi Sugden. She wants it corrected.", "Yaw Darko"),
        ("telephone", "Mrs Khan rang, would not give more. Call back on 01632 960 388", "Mrs Khan"),
        # -- nobody's name
        ("letter", "Dear Ms Holloway,\nNobody has written to me.", None),
        ("email", "Dr Patel was rude to my mother and nobody said sorry.", None),
        ("web_form", "My name is on your list and I want it off.", None),
        ("email", "We wish to complain.\n\nYours faithfully\npp. Harland & Oduya Solicitors", None),
    ],
)
def test_the_writer_is_named_by_signature_or_introduction(channel, text, name):
    assert reading(text, channel).individual.name == name


def test_the_writer_s_details_are_kept_as_given():
    person = reading(
        "Please close my case.\n\nAnn Carter\n14 Mill Row, Sandholt NR40 8TE\ndob 3 March 1984\nann.carter@example.net\n07700 900123"
    ).individual
    assert (person.postcode, person.date_of_birth, person.email, person.phone) == (
        "NR40 8TE",
        "3 March 1984",
        "ann.carter@example.net",
        "07700 900123",
    )


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("> You may ring me on 01632 960 388.\nWhen may I ring?\n\nAnn Carter", None),
        ("I have a new number, 07700 900123.\n> You may ring me on 01632 960 388.\nI did.\n\nAnn Carter", "07700 900123"),
    ],
)
def test_a_number_in_what_they_quote_is_not_theirs(text, phone):
    assert reading(text).individual.phone == phone


@pytest.mark.parametrize(
    ("text", "postcode"),
    [
        ("The hospital's postcode is AS4 2QP. Mine is NR40 8TE.", "NR40 8TE"),
        ("The hospital's postcode is AS4 2QP, and its other site is at NR40 8TE.", None),
        ("My postcode is NR40 8TE and the hospital's postcode is AS4 2QP.", "NR40 8TE"),
    ],
)
def test_a_postcode_of_somebody_else_s_is_not_theirs_and_what_they_call_theirs_is(text, postcode):
    assert reading(text).individual.postcode == postcode


def test_the_person_represented_is_not_the_writer():
    person = reading("I write for my mother, Edna Shaw, dob 11/06/1931, who is in hospital.\n\nRegards\nPaul Shaw").individual
    assert (person.name, person.date_of_birth) == ("Paul Shaw", None)


@pytest.mark.parametrize(
    ("text", "born"),
    [
        ("Ray Blenk, b. 12/1/50, 07700 900268", "12/1/50"),
        ("I was born on the 30th of May 1943, they always ask.", "30th of May 1943"),
        ("D.o.B. 8 November 1951", "8 November 1951"),
        ("Wants it reviewed. Tel. 01632 960 680. 14/02/1958", "14/02/1958"),
        ("Temi Fisher, 1/8/93, 07700900 298", "1/8/93"),
        ("My son Jack, dob 3/4/2011, was seen there.", None),
        ("I saw him on 14/02/2019 and 3/4/99 was worse.", None),
        ("Our Rafi was born on 2 January this year.", None),
    ],
)
def test_a_birth_date_is_the_writer_s_own_and_as_written(text, born):
    assert reading(text).individual.date_of_birth == born


@pytest.mark.parametrize(
    ("text", "email"),
    [
        ("Write to me at jo.bright@example.com.", "jo.bright@example.com"),
        ("I emailed complaints@hospital.example and heard nothing. Jo, jo@example.com", "jo@example.com"),
        ("Her email is mum@example.com, mine is jo@example.com", "jo@example.com"),
        (
            "See below.\n\nJo\n\n---------- Forwarded message ---------\nFrom: Complaints <complaints@trust.example>\nSubject: x",
            None,
        ),
        ("Delivery has failed to these recipients: nobody@example.com. The mailbox is full, so it was not delivered.", None),
    ],
)
def test_the_mail_address_is_the_writer_s_own(text, email):
    assert reading(text).individual.email == email


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (
            "The Laurels\n14 Tanyard Lane\nHexmoor\nLA62 4QP\n\n9th February 2026\n\nDear Sirs,\nI ask for a review.",
            "The Laurels, 14 Tanyard Lane, Hexmoor, LA62 4QP",
        ),
        (
            "Please look again.\n\nYours\nHubert Lacey\n17 Rookery Close, Oakenthorpe\nDN94 5RS",
            "17 Rookery Close, Oakenthorpe, DN94 5RS",
        ),
        (
            "moved in with my son. new address 2 Calder View, Thornfield, WF95 8AA. case is C-2037610",
            "2 Calder View, Thornfield, WF95 8AA",
        ),
        ("10 Hafod Terrace, Cwm Isaf\n\nDear Ombudsman,\nI ask for a review.", "10 Hafod Terrace, Cwm Isaf"),
        ("Natasha Brell, 4 Weir Cottages NE88 1QQ", "4 Weir Cottages, NE88 1QQ"),
        ("My mother's address is 3 Almshouse Row, Stang BD84 1TT.", None),
        ("Thornley Hospital, 5 Bath Hill, has my notes.", None),
        ("Mrs Ivy Dunn, SA99 5TT", None),
    ],
)
def test_their_own_postal_address_is_kept_as_written(text, address):
    assert reading(text, "letter").individual.address == address


@pytest.mark.parametrize(
    ("text", "represented", "authority"),
    [
        (
            "We act for Mrs Doreen Lyle. Please review it.\n\nYours faithfully\nMary Prewett\nCrowe LLP",
            "Doreen Lyle",
            "solicitor",
        ),
        ("I am instructed by Mr Danjuma, who is ill.\n\nEleanor Bose", "Mr Danjuma", "solicitor"),
        ("I write on behalf of my father-in-law, Mr Chuk Anozie.\n\nNgozi Hart", "Chuk Anozie", "on behalf of another"),
        ("I'm writing for my mother. Ludmila Hrab, 88.\n\nPetra Jones", "Ludmila Hrab", "on behalf of another"),
        ("I have power of attorney for my aunt, Edna Shaw.\n\nPaul Shaw", "Edna Shaw", "power of attorney"),
        ("I am the executor of the late Walter Lomas.\n\nJo Lomas", "Walter Lomas", "executor"),
        ("My constituent, Mrs Thandi Moyo, has waited.\n\nOffice of Hilary Tench MP", "Thandi Moyo", "member of parliament"),
        ("I am Alan Whitlow's son and I hold his signed authority.\n\nStephen Whitlow", "Alan Whitlow", "consent form"),
        ("I am an advocate and my client, Mr Dewi Tomos, asks for more time.\n\nAnn Pugh", "Dewi Tomos", "advocate"),
        ("I am his mum and he is six.\n\nJo Bright", None, "parent"),
    ],
)
def test_whom_they_write_for_and_by_what_right_is_kept_in_their_words(text, represented, authority):
    said = reading(text)
    assert (said.represented and said.represented.name) == represented
    assert said.authority
    assert said.authority in text
    assert any(fact.name == "authority" and fact.value == authority for fact in said.evidence)


@pytest.mark.parametrize(
    "text",
    [
        "I rang you twice and my own case is P-0456123.\n\nJo Bright",
        "Do I need a solicitor? Can my MP sign?",
        "The hospital lost my consent form for the operation.",
        "My mother died there and I want to know why.\n\nJo Bright",
    ],
)
def test_who_writes_for_themselves_represents_nobody(text):
    said = reading(text)
    assert (said.represented, said.authority) == (None, None)


def test_a_number_or_birth_date_of_the_person_represented_is_theirs():
    said = reading("I write for my sister Ann Lee, dob 4/4/1933. Her number is 07700 900471, mine is 07700 900472.\n\nJo Lee")
    assert said.represented
    assert (said.represented.date_of_birth, said.represented.phone) == ("4/4/1933", "07700 900471")
    assert (said.individual.date_of_birth, said.individual.phone) == (None, "07700 900472")


def test_every_fact_stands_on_words_of_the_contact():
    text = (
        "14 Mill Row\nSandholt\nNR40 8TE\n\nYour decision on C-2031234 is wrong. The date in paragraph 4 is incorrect. I wrote to you in May. "
        "You promised to ring me and never did. I want an apology.\n\nYours\nAnn Carter, dob 3 March 1984\nann.carter@example.net\n07700 900123"
    )
    said = reading(text, "letter", "Review")
    facts = {fact.name: fact for fact in said.evidence}
    assert {"case_reference", "own name", "own postcode", "own phone", "own email", "own date_of_birth", "own address"} <= set(
        facts
    )
    assert {"review_criteria", "contacted_before", "remedy_sought", "feedback_type"} <= set(facts)
    assert all(fact.rule for fact in said.evidence)


def test_an_old_number_and_ours_are_not_the_writer_s_phone():
    assert reading("My old number was 07700 900111, my new one is 07700 900222.").individual.phone == "07700 900222"
    assert reading("I was rung from your number 01632 960000 at night.").individual.phone is None


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ("I wish to complain about Thornley General Hospital.", "Thornley General Hospital"),
        ("The DWP stopped my benefit.", "DWP"),
        ("My complaint against HM Revenue & Customs is about a penalty.", "HM Revenue & Customs"),
        ("Meadow Lane Surgery refused to see me. St Hilda's Infirmary agreed with them.", "Meadow Lane Surgery"),
        ("Organisation: Oakfield Dental Practice\nWhat happened: they took out the wrong tooth", "Oakfield Dental Practice"),
        ("can you look into thornley general they lost my notes", "thornley general"),
        ("The Trust has not answered and nor has my GP.", None),
    ],
)
def test_the_other_body_is_named_as_written(text, body):
    assert reading(text).organisation_complained_of == body


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        ("Please send everything in large print, at least 18 point.", {"large_print"}),
        ("I need it in easy read with pictures.", {"easy_read"}),
        ("I read Braille.", {"braille"}),
        ("Could your letters come on CD or as audio?", {"audio"}),
        ("I am deaf and would need a BSL interpreter.", {"bsl_interpreter"}),
        ("I would need a Punjabi interpreter, my English is not good.", {"spoken_interpreter"}),
        ("Hoffwn gael ateb yn Gymraeg, os gwelwch yn dda.", {"welsh"}),
        ("Ring me through Relay UK.", {"text_relay"}),
        ("Please contact me by phone only as I cannot read letters.", {"phone_only"}),
        ("Please do not phone me.", {"no_phone"}),
        ("Email only please.", {"email_only"}),
        ("Please write by post only.", {"post_only"}),
        ("I am dyslexic and need more time to read the draft.", {"extra_time"}),
        ("My advocate from Voice will speak on my behalf.", {"advocate_or_representative"}),
        ("I use a screen reader, so no scanned letters.", {"screen_reader"}),
        ("Could the next one be typed bigger please, my sight is going.", {"large_print"}),
        ("Short words and pictures for me please.", {"easy_read"}),
        ("Can it be put on a disc so I can listen to it?", {"audio"}),
        ("Somebody will have to sign for me at the meeting.", {"bsl_interpreter"}),
        ("My father speaks Gujarati and would need an interpreter.", {"spoken_interpreter"}),
        ("I am Deaf and need an interpreter.", {"bsl_interpreter"}),
        ("Send me it in Welsh, please.", {"welsh"}),
        ("Phones are torture for me, I stammer.", {"no_phone"}),
        ("Asks that we write, not ring.", {"no_phone"}),
        ("No more calls please, I get in a muddle.", {"no_phone"}),
        ("Nothing but email, I am at sea.", {"email_only"}),
        ("Letters and nothing else, I have no computer.", {"post_only"}),
        ("I can only do the phone, paper is no use to me.", {"phone_only"}),
        ("Could I have another fortnight to comment?", {"extra_time"}),
        ("May he have until the end of June?", {"extra_time"}),
        ("My support worker Ray can speak to you for me.", {"advocate_or_representative"}),
        ("Everything should come through me and not to Mum, it upsets her.", {"advocate_or_representative"}),
        ("My laptop reads out loud to me, so send Word and not a picture.", {"screen_reader"}),
        ("I do not need large print.", set()),
        ("I have waited longer than you told me.", set()),
        ("I am writing on behalf of my father.", set()),
        ("My support worker did not know your address.", set()),
        ("The hospital had no interpreter when she was in labour.", set()),
        ("The ward's phone rang out all day.", set()),
        ("Can you say when the Welsh half term is?", set()),
        ("Your letters only ever give his surname.", set()),
    ],
)
def test_an_adjustment_is_read_where_it_is_asked_for(text, needs):
    assert set(reading(text).reasonable_adjustments) == needs


def test_an_adjustment_that_no_row_has_words_for_is_heard_and_its_evidence_names_the_model_and_the_sentence():
    told = reading(
        "Thank you for your letter. Reasonable adjustments: enlarged documents, left aligned. I look forward to your answer."
    )
    fact = next(fact for fact in told.evidence if fact.name == "reasonable_adjustments")
    assert fact == Fact("reasonable_adjustments", "large_print", f"model adjustments {needs.MODEL.version}", fact.words)
    assert "enlarged documents" in fact.words


def test_the_model_of_adjustments_has_learned_what_there_is_to_learn():
    """Where it has not: ``python -m tests.router.read.train_adjustments --vectors FILE``, and say in docs/reading.md what it prints."""
    assert needs.MODEL.version == digest(adjustment_files())


@pytest.mark.parametrize(
    ("text", "closed"),
    [
        ("I have neither telephone nor computer, so letters only please.", {"email", "sms", "telephone"}),
        ("Phone calls make my illness worse, never ring.", {"telephone"}),
    ],
)
def test_who_can_be_reached_in_one_way_only_is_reached_in_no_other(text, closed):
    assert closed <= {method for method, _ in reading(text).restrictions}


def test_nobody_is_to_be_reached_only_by_telephone_and_only_by_post():
    told = reading(
        "Only ever write to me, letters only. I cannot come to the telephone, so by post only please, not only by telephone."
    )
    assert len({"phone_only", "post_only", "email_only"} & set(told.reasonable_adjustments)) == 1


@pytest.mark.many
def test_of_the_sentences_about_adjustments_most_are_read_and_few_others_for_one():
    """These the rows were written by and the model has learned; docs/reading.md has what they do on others."""
    rows = [
        json.loads(line)
        for file in sorted((CORPUS / "sentences").glob("adjustments*.jsonl"))
        for line in file.read_text(encoding="utf-8").splitlines()
    ]
    pairs = [(set(read("email", None, row["text"]).reasonable_adjustments), set(row["labels"])) for row in rows]
    both, found, wanted = (sum(map(len, sets)) for sets in zip(*((a & b, a, b) for a, b in pairs), strict=True))
    assert 2 * both / (found + wanted) >= 0.94


@pytest.mark.parametrize(
    ("text", "method"),
    [
        ("Please ring me after six.", "telephone"),
        ("Text is best as I work nights.", "sms"),
        ("I would prefer to hear by email.", "email"),
        ("Kindly write to me at the above address.", "letter"),
        ("I would welcome a telephone call before you decide.", "telephone"),
        ("I may be telephoned on 01632 960123.", "telephone"),
        ("Email is fine.", "email"),
        ("Preferred contact: email", "email"),
        ("Post suits me best.", "letter"),
        ("Please text me, do not ring.", "sms"),
        ("I'd like his manager to ring me.", "telephone"),
        ("Please ring, but email is best.", "email"),
        ("Nobody ever rang me back as you promised.", None),
        ("If you ring, say who you are.", None),
        ("I was told by email that it was lost.", None),
        ("They sent the link by text.", None),
    ],
)
def test_the_preferred_method_is_the_one_asked_for(text, method):
    assert reading(text).preferred_method == method


@pytest.mark.parametrize(
    ("text", "methods"),
    [
        ("My husband reads my phone.", {"sms", "telephone"}),
        ("He checks my emails so be careful.", {"email"}),
        ("Please don't email me.", {"email"}),
        ("Do not ring, he answers it.", {"telephone"}),
        ("Post only please.", {"email", "sms", "telephone"}),
        ("My son opens my post.", {"letter"}),
        ("Please do not leave a voicemail.", {"telephone"}),
        ("Peidiwch â ffonio.", {"telephone"}),
        ("He goes through the call log every night.", {"sms", "telephone"}),
        ("No texts, they come up on the family tablet.", {"sms"}),
        ("My ex has the password to my email.", {"email"}),
        ("Nothing is to come to the house.", {"letter"}),
        ("The warden opens our letters before we get them.", {"letter"}),
        ("You never ring me back.", set()),
        ("The hospital did not phone me.", set()),
        ("The surgery never sent me a letter.", set()),
    ],
)
def test_a_wish_that_restricts_is_read_with_its_words(text, methods):
    found = dict(reading(text).restrictions)
    assert set(found) == methods
    assert all(words in text for words in found.values())


@pytest.mark.parametrize(
    "text",
    [
        "I am 15 and nobody asks me what I want.",
        "im 13 can i complain by myself",
        "I'm in year 9 and I want to tell you about the clinic.",
        "Can I complain without my mum and dad knowing?",
        "I live with foster carers.",
        "Caller is 16 and rang from school.",
        "I've got my GCSEs in May.",
    ],
)
def test_a_writer_who_is_a_child_is_seen_with_their_words(text):
    assert reading(text).under_18 == text


@pytest.mark.parametrize(
    "text",
    [
        "My son is 15 and was refused a bed.",
        "I am 17 weeks pregnant.",
        "I'm 16 stone.",
        "When I was 14 they put me in a unit.",
        "I have been a teacher for 15 years.",
        "My daughter, who is 12, is in year 7.",
        "Caller rang about her son aged 9.",
        "I was under 18 at the time, in 1987.",
        "I am writing for my daughter, 16.",
    ],
)
def test_a_parent_and_a_memory_are_not_a_child(text):
    assert reading(text).under_18 is None


@pytest.mark.parametrize(
    ("text", "before"),
    [
        ("I rang you twice in May and wrote to you in June.", True),
        ("As I told your investigator in March, the date is wrong.", True),
        ("Contacted us before? No", False),
        ("This is the first time I have contacted you.", False),
        ("I rang the hospital twice.", None),
    ],
)
def test_earlier_contact_with_us_is_read_and_never_guessed(text, before):
    assert reading(text).contacted_before is before


def test_criteria_come_with_the_sentence_that_shows_them():
    said = reading(
        "Your final decision on C-2099123 is wrong and I ask for a review. "
        "The date of admission in paragraph 4 is incorrect. "
        "You did not consider the statement I sent you in May. "
        "New evidence has come to light since your decision."
    )
    assert {name for name, _ in said.review_criteria} == {"inaccurate_facts", "overlooked_information", "new_information"}
    assert dict(said.review_criteria)["inaccurate_facts"] == "The date of admission in paragraph 4 is incorrect."


def test_key_points_are_the_person_s_own_sentences_and_at_most_five():
    months = ("January", "March", "May", "June", "July", "August", "October", "November")
    text = " ".join(f"Nobody from your team has answered the letter I sent you in {month}." for month in months)
    points = reading(text, subject="Complaint about your service").key_points
    assert len(points) == 5
    assert all(point in text for point in points)


def test_key_points_are_the_most_telling_and_in_their_order():
    points = reading(
        "I hope you are well. Your adviser was rude to me and put the phone down. It was raining that day. My cat is called Tom. "
        "I have waited eleven months and nobody from your office has rung me back as you promised. The sun shone later.",
        subject="Complaint about you",
    ).key_points
    assert points[0].startswith("Your adviser was rude")
    assert any(each.startswith("I have waited") for each in points)
    assert not any("cat" in each or "sun shone" in each for each in points)


def test_a_broken_promise_is_kept_in_their_words():
    said = reading(
        "Your caseworker promised to ring me every month. Nobody from your office has rung since May.",
        subject="Complaint about you",
    )
    assert said.promises_broken == ("Your caseworker promised to ring me every month.",)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("I would like to know what happened with my complaint to you.", "en"),
        ("Rwyf wedi darllen eich adroddiad ac mae gennyf sylwadau ar y dyddiadau.", "cy"),
        ("Chcę złożyć skargę na szpital, ponieważ nie dostałam pomocy.", "pl"),
        ("لم أحصل على أي رد من المستشفى منذ شهور", "ar"),
        ("ok", None),
    ],
)
def test_the_language_is_told_by_its_commonest_words(text, language):
    assert reading(text).language == language


@pytest.mark.many
def test_the_corpus_is_read_at_least_this_well():
    """Tables and patterns were written against it, and the model of feedback learned from it: floors, and no promise."""
    figures, _ = measure(contacts([CORPUS]))
    floors = {
        "case_reference precision": 0.99, "case_reference recall": 0.99, "own name precision": 0.96, "own name recall": 0.94,
        "own postcode F1": 0.99, "own phone F1": 0.96, "own email F1": 0.96, "own date_of_birth F1": 0.97, "organisation F1": 0.87,
        "contacted_before F1": 0.8, "remedy_sought (any) F1": 0.85, "review_criteria F1": 0.6,
    }  # fmt: skip
    assert {name: figures[name] for name, floor in floors.items() if figures[name] < floor} == {}


@pytest.mark.many
@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["email", "letter", "web_form", "sms", "social", "telephone"]),
    st.lists(st.sampled_from(PIECES), max_size=25),
)
def test_what_is_read_of_a_person_stands_in_the_text(channel, pieces):
    text = "\n".join(pieces)
    person = read(channel, None, text).individual
    tidied = " ".join(text.split())
    for value in (person.name, person.phone, person.email, person.postcode, person.date_of_birth):
        assert value is None or value in tidied
    for part in (person.address or "").split(", "):
        assert part in tidied
