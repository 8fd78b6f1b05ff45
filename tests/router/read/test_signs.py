"""Signs of serious harm and of threats to staff, from invented sentences. Recall first: in doubt, a sign."""

import re

import pytest

from router.read import read, signs_in
from router.read.reading import Sign
from router.read.risk import MODEL
from tests.router.read.lessons import digest, harm_files
from tests.router.read.measure import CORPUS, SAMPLES, SET_APART, contacts, measure

HARM = """
I can't do this any more. I have told my sister where the keys are.
im gona kil myself if they stop my money
Honestly there are days I think everyone would be better off without me.
sucidal and no one cares
My husband doesn't let me out of the house and he checks who I've rung. Please don't ring.
She hasn't had a meal since Thursday and the carers have stopped coming.
We have no gas and no electric and a six week old baby.
I've got two days of insulin left and the surgery won't give me any more.
My neighbour's little boy is always outside on his own at night with bruises on his arms.
I've started saving up my tablets.
If nobody helps me by Friday I won't be around to bother you.
I don't see the point in taking my medication now.
He said he will kill me if I leave.
My brother grabs mum by the arm and she cries when he comes in.
I'm sat in my car because I have nowhere to go, it's minus two.
The carer slaps my mother's hands when she won't eat.
I have not eaten for three days.
It would be easier if I just went to sleep and didn't wake up.
I'll swing for that doctor if I see him.
There is nothing left for me here now she has gone.
I've written letters to the kids for afterwards.
you wont have to worry about me much longer
I owe money to people who have said they'll break my legs.
I can't afford to put the heating on and I am 83 with a bad chest.
my partner strangled me on saturday
Dad's carer never turned up and he's been on the floor since last night
Nobody would notice if I was gone
He has locked himself in the bathroom and there are empty pill packets.
Dw i ddim eisiau byw rhagor.
Mae o'n fy nharo i pan mae o wedi yfed.
Mój mąż mnie bije i boję się wracać do domu.
Nie mam już siły żyć.
Хочу умереть, больше нет сил.
""".strip().splitlines()

IDIOM = """
This waiting is killing me.
I was bored to death on hold.
I'd kill for a straight answer lol
My mother died in March 2021 and the hospital says nothing could be done.
My brother took his own life in 2019 and the inquest is over.
I am dying to know the outcome.
The report hurt my feelings.
What are your opening hours?
They left him in a corridor for nine hours.
I can't go on holiday until this is settled.
I can't carry on chasing you like this.
She fell on the ward and broke her hip.
I don't see the point of your second letter.
I gave up in the end and put the phone down.
The trust has apologised for the distress caused.
I had to wait three days for my prescription.
""".strip().splitlines()

THREATS = """
I know where you work and I know what time you come out.
Somebody in your office is going to get hurt.
I will burn your building down.
Tell that investigator to watch his back, I know what car he drives.
You've had your warning.
I'm coming down there with a bat and you will regret it.
""".strip().splitlines()


# What is only hinted at, in words that no row has; and the same words where nothing is the matter.
HINTED = """
I've taken the budgie round to Doreen's and left my door key under her pot.
There is one more thing on my list and then I can stop.
My sister has been giving away her jewellery and she says she's sleeping better than she has in years.
He has been sitting in the garage with the engine running, he says it's to charge the battery.
My lad hasn't come out of his room since your letter and there's blood on the bathroom towels.
She waits until he's gone to the shop and then she rings me and whispers.
He says he'd rather see me in the ground than in my mother's house.
He keeps my tablets in his pocket and I have to ask.
Mum flinches if you go to brush her hair and there are yellow marks on her neck.
The jug's always full and always on the far side of the room, and Dad's tongue is like leather.
They've put a bolt on the outside of her bedroom door.
My nephew's six and he asked me if there's food at my house every day.
She's fourteen and a grown man collects her from the corner in a black car.
We've had the oven door open for heat and now the gas has gone as well.
My youngest had the last of the cereal this morning and it's five days till anything comes in.
I've one syringe left and the pharmacy says next week.
Since the tablets stopped the voices have been telling me to walk into the road.
He's been on the kitchen floor since last night and I can't lift him.
We have to be out at noon, there are three children and it's snowing.
His boss has his passport and he sleeps in the store room behind the kitchen.
The lads on my wing have told me what they'll do on Sunday and the officer laughed.
Her breathing's gone funny and her lips are blue and the line just rings.
""".strip().splitlines()
CALM = """
I've taken my complaint round to the library and they photocopied it.
There is one more thing on my list of questions and then I'm done.
My sister has been giving me lifts to the clinic and she deserves a medal.
I stopped reading at page twelve because the print is too small.
My lad has passed his driving test since your letter came.
She waits in for the district nurse every Tuesday.
He says he'd rather have an apology than the money.
He keeps my letters in a folder and I have to ask him for the dates.
Mum was discharged in March and is well, she only wants the record put right.
The jug you sent as a thank you was a lovely thought.
They've put a new receptionist on the desk and she's a treasure.
My nephew's six and starts school in September, which is why we need the passport.
She's fourteen and the school says she's the best reader they have.
We've had the draft report for a week and have two comments.
The DWP paid my arrears last Friday, so you can close that part.
I've one question left and the leaflet doesn't answer it.
Since the operation was put off I've been waiting for a new date.
The lift in your building was out of order.
We have to comment by the 12th and there are three of us.
His boss has written a reference for the visa and the Home Office has lost it.
The officer who took my statement was polite.
Her reply's gone astray and the line just rings.
A lady in the library is typing this for me as my own machine is broken.
""".strip().splitlines()

AMONG = "Dear Sir or Madam. I wrote to you in May about my case. {} Please send me a copy of your leaflet. I would be glad of an answer."


@pytest.mark.parametrize("sentence", HARM)
def test_a_plain_or_implied_sign_of_harm_is_seen(sentence):
    assert read("sms", None, sentence).safeguarding


@pytest.mark.parametrize("sentence", HINTED)
def test_what_is_only_hinted_at_is_heard_alone_and_among_other_things(sentence):
    assert read("sms", None, sentence).safeguarding
    signs = read("letter", None, AMONG.format(sentence)).signs
    assert any(sentence[:40] in sign.words for sign in signs)


@pytest.mark.parametrize(("channel", "among"), [("sms", "{}"), ("letter", AMONG)])
def test_the_same_words_are_seldom_a_sign_where_nothing_is_the_matter(channel, among):
    """Two may be: "There is one more thing on my list" is what somebody said who was about to die, and a false alarm costs a minute."""
    assert sum(read(channel, None, among.format(sentence)).safeguarding for sentence in CALM) <= 2


@pytest.mark.parametrize("sentence", IDIOM)
def test_an_idiom_or_a_history_is_no_sign(sentence):
    assert read("email", None, sentence).signs == ()


@pytest.mark.parametrize("sentence", THREATS)
def test_a_threat_to_staff_is_its_own_kind_and_counts_as_risk(sentence):
    reading = read("email", None, sentence)
    assert "threat-to-staff" in {sign.kind for sign in reading.signs}
    assert reading.safeguarding


def test_a_sign_carries_the_sentence_it_stands_on_and_may_stand_in_the_subject():
    [sign, *_] = read("email", "I want to die", "Please send me a form.").signs
    assert (sign.kind, sign.words) == ("harm", "I want to die")


def test_each_sign_names_the_row_that_knows_it_and_those_of_rows_come_first_in_the_order_of_the_words():
    heard = f"model harm {MODEL.version}"
    assert read("email", None, "He hits me every night. I want to kill myself. I do want to kill myself.").signs == (
        Sign("harm", "abuse", "He hits me every night."),
        Sign("harm", "said-outright", "I want to kill myself."),
        Sign("harm", "suicide", "I want to kill myself."),
        Sign("harm", heard, "He hits me every night."),
    )
    assert read("email", None, "I will burn your building down.").signs == (
        Sign("harm", "violence", "I will burn your building down."),
        Sign("threat-to-staff", "threat", "I will burn your building down."),
        Sign("threat-to-staff", heard, "I will burn your building down."),
    )


def test_the_words_of_a_sign_are_told_as_far_as_a_person_reads():
    assert {len(sign.words) for sign in read("email", None, f"I want to kill myself {'and so on ' * 40}").signs} == {300}


def test_what_the_model_hears_names_its_version_and_the_words():
    *_, sign = read("sms", None, "My sister has been giving away her jewellery and saying goodbye to the cat.").signs
    assert re.fullmatch(r"model harm [0-9a-f]{12}", sign.rule)
    assert sign.words == "My sister has been giving away her jewellery and saying goodbye to the cat."


def test_a_word_that_is_often_harmless_is_no_sign_in_a_calm_letter():
    text = "Two nurses signed for the morphine, and that overdose is on page nine of the notes. {}"
    assert not read(
        "letter", None, text.format("Please correct paragraph four of your report and send me a copy.")
    ).safeguarding
    assert read("letter", None, text.format("I want to kill myself.")).safeguarding


@pytest.mark.many
def test_of_the_corpus_hardly_a_risk_is_missed_and_few_alarms_are_false():
    """These it has learned from; docs/reading.md has what it does on writers that it has not."""
    figures, _ = measure(contacts([CORPUS]))
    assert figures["safeguarding recall"] >= 0.95
    assert figures["safeguarding precision"] >= 0.8


@pytest.mark.many
def test_of_contacts_that_nothing_is_learned_from_most_risks_are_heard():
    """Half of them are the other half's words with nothing the matter, so that its false alarms are the worst there are."""
    apart = [
        (row["labels"]["safeguarding"], read(row["channel"], row["subject"], row["text"]).safeguarding)
        for row in contacts([SET_APART])
    ]
    heard = [raised for at_risk, raised in apart if at_risk]
    assert sum(heard) / len(heard) >= 0.75
    assert sum(raised and not at_risk for at_risk, raised in apart) / (len(apart) - len(heard)) <= 0.3


def test_the_models_were_learned_from_the_files_that_are_here():
    """Else: python -m tests.router.read.train_harm, with the same vectors."""
    assert digest(harm_files()) == MODEL.version


def test_a_sign_deep_in_a_long_letter_is_seen():
    letter = (
        "They cancelled my appointment on the 4th and then again on the 9th.\n" * 400 + "I am going to kill myself on Friday."
    )
    assert read("letter", None, letter).safeguarding


def test_a_sign_does_not_change_what_a_contact_asks_for():
    text = "Your final decision on my complaint is wrong and I want a review of it. You ignored the letter I sent you."
    calm, urgent = read("email", None, text), read("email", None, f"{text} I can't go on living like this.")
    assert urgent.safeguarding
    assert calm.outcome == urgent.outcome == "feedback_record"


def test_a_risk_with_a_body_that_is_not_ours_goes_to_a_person():
    reading = read(
        "sms", None, "My landlord has cut off the electric and my baby is on a nebuliser. I want to complain about him"
    )
    assert reading.safeguarding
    assert reading.outcome == "review"
    assert "wrong-organisation-with-risk" in {fact.rule for fact in reading.evidence}


def test_a_course_on_suicide_prevention_is_no_cry_for_help():
    advert = "Suicide awareness training for frontline teams. Book your places now, £99 per delegate.\nUnsubscribe | Manage preferences"
    assert read("email", "Training offer", advert).signs == ()
    assert read("email", "Training offer", f"{advert}\nI want to kill myself").safeguarding


@pytest.mark.many
def test_signs_alone_are_those_of_the_whole_reading():
    for row in contacts([SAMPLES, CORPUS]):
        assert signs_in(row["channel"], row["text"]) == read(row["channel"], None, row["text"]).signs
