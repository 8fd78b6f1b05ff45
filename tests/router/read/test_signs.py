"""Signs of serious harm and of threats to staff, from invented sentences. Recall first: in doubt, a sign."""

import pytest

from router.read import read

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


@pytest.mark.parametrize("sentence", HARM)
def test_a_plain_or_implied_sign_of_harm_is_seen(sentence):
    assert read("sms", None, sentence).safeguarding


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
