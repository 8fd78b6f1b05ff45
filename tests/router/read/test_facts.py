"""What the reading finds in a contact's words, from invented sentences: references, people, needs, wishes, earlier contact."""

import pytest

from router.read import read


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


def test_the_person_represented_is_not_the_writer():
    person = reading("I write for my mother, Edna Shaw, dob 11/06/1931, who is in hospital.\n\nRegards\nPaul Shaw").individual
    assert (person.name, person.date_of_birth) == ("Paul Shaw", None)


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


def test_key_points_are_the_person_s_own_sentences_and_at_most_eight():
    text = " ".join(f"Nobody from your team has answered my letter number {number}." for number in range(20))
    points = reading(text, subject="Complaint about your service").key_points
    assert len(points) == 8
    assert all(point in text for point in points)


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
