"""A contact's text as sentences in one spelling, and the language it is in, to the letter: all that is read is read of these."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.read.language import language, unreadable
from router.read.sentences import LIMIT, Sentence, fields, ngrams, plain, sentences, tidy


@pytest.mark.parametrize(
    ("written", "spelt"),
    [
        ("I've recieved ur letter, don't ring", "i have received your letter do not ring"),
        ("E-mail me at 5 p.m. on £20", "email me at 5 p m on £20"),
        ("the Trust’s reply, Mum‘s and Dad`s", "the trust reply mum and dad"),
        ("O'Dowd can't and CANNOT", "odowd can not and can not"),
        ("wouldn't wouldnt", "would not would not"),
        ("one\ntwo", "one \n two"),
        ("a" * 40, "a" * 40),
        ("a" * 41, "a" * 40),
        ("a'" * 30, "a" * 20),
        ("nobody's fault", "nobody has fault"),
        ("jo's ur's", "jo your"),
        ("-- … !", ""),
    ],
)
def test_whatever_way_it_is_spelt_it_is_compared_in_one(written, spelt):
    assert plain(written) == spelt


@pytest.mark.many
@given(st.text(max_size=200))
def test_the_one_spelling_is_lower_case_with_single_spaces_and_without_a_mark(text):
    spelt = plain(text)
    assert spelt == spelt.lower()
    assert "  " not in spelt
    assert not set(spelt) & set(".,;:!?’'`\"()")


LONG = "This line is as long as the lines are which mail wraps "  # 54 characters without the last space


@pytest.mark.parametrize(
    ("text", "tidied"),
    [
        ("ﬁrst\r\nsecond\rthird", "first\nsecond\nthird"),
        ("a \t b\x00c", "a b c"),
        (f"{LONG}xx\nand goes on", f"{LONG}xx and goes on"),
        (f"{LONG.strip()}\nand goes on", f"{LONG.strip()}\nand goes on"),
        (f"{LONG}x\nand goes on", f"{LONG}x and goes on"),
        (f"{LONG}x.\nand goes on", f"{LONG}x.\nand goes on"),
        (f"{LONG}x:\nand goes on", f"{LONG}x:\nand goes on"),
        (f"{LONG}x\nGoes on", f"{LONG}x\nGoes on"),
        (f"{LONG}x\n(goes on", f"{LONG}x (goes on"),
        (f"{LONG}x\n£5", f"{LONG}x £5"),
        (f"{LONG}x\n\nand goes on", f"{LONG}x\n\nand goes on"),
        (f"short\n{LONG}x\nand\nmore", f"short\n{LONG}x and\nmore"),
        ("a" * (LIMIT + 1), "a" * LIMIT),
        ("\ufdfa" * LIMIT, ("صلى الله عليه وسلم" * LIMIT)[:LIMIT]),
    ],
    ids=range(14),
)
def test_lines_that_mail_wrapped_are_joined_and_all_others_stay_as_they_are(text, tidied):
    assert tidy(text) == tidied


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("I rang. Nobody came! Why? So…", ["I rang.", "Nobody came!", "Why?", "So…"]),
        ('He said "no." Then left.', ['He said "no.', "Then left."]),
        ("Mr. Gantry rang. So did Dr. Pell (v. late).", ["Mr. Gantry rang.", "So did Dr. Pell (v. late)."]),
        ("I saw J. Abara. It ended", ["I saw J. Abara.", "It ended"]),
        ("See para. 9 and p. 4. They differ.", ["See para. 9 and p. 4.", "They differ."]),
        ("one\ntwo", ["one", "two"]),
        ("it cost 5.50 in all", ["it cost 5.50 in all"]),
        ("Ask for Mr.", ["Ask for Mr."]),
        ("", []),
        ("!!! ... ???", []),
        ("Ring me. " * 5, ["Ring me."] * 3),
        ("a " * 300 + "b", ["a " * 299 + "a", "b"]),
        ("a" * 601, ["a" * 600, "a"]),
        ("a" * 600, ["a" * 600]),
        ("a " * 297 + "Mr. Gantry rang", ["a " * 297 + "Mr.", "Gantry rang"]),
    ],
    ids=range(15),
)  # fmt: skip
def test_a_text_is_taken_apart_where_its_sentences_end_and_nowhere_else(text, said):
    assert [each.text for each in sentences(text)] == said


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("is it open?", True),
        ('She said "is it open?"', True),
        ("it is open", False),
        ("how do I complain", True),
        ("show me", False),
        ("Where are you", True),
    ],
)
def test_a_question_is_known_by_its_mark_or_its_first_word(text, asks):
    assert [each.question for each in sentences(text)] == [asks]


def test_a_sentence_of_the_subject_says_so_and_carries_its_words_and_neighbours_once():
    [said] = sentences("No, no, no", from_subject=True)
    assert said == Sentence("No, no, no", "no no no", False, True, ("^", "no", "$", "^ no", "no no", "no $"), said.weight)
    assert sentences("No")[0].from_subject is False
    assert ngrams("a b") == ("^", "a", "b", "$", "^ a", "a b", "b $")


def test_a_word_stands_in_a_sentence_only_as_a_whole():
    [said] = sentences("He rang twice")
    assert (said.has("rang"), said.has("he", "x"), said.has("twice"), said.has("ran"), said.has()) == (
        True, True, True, False, False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "answers"),
    [
        ("Organisation: Elm Road Surgery\nName : Jo", {"organisation": "Elm Road Surgery", "name": "Jo"}),
        ("Have you rung before? Yes: twice", {"have you rung before": "Yes: twice"}),
        ("Name:Jo\nname: Jo\n: Jo\nName: ", {}),
        (f"{'N' * 59}: Jo", {"n" * 59: "Jo"}),
        (f"{'N' * 60}: Jo", {}),
    ],
    ids=["labels", "question", "no label", "long", "too long"],
)
def test_what_stands_behind_a_label_of_a_form_is_its_answer(text, answers):
    assert fields(text) == answers


@pytest.mark.parametrize(
    ("text", "tongue"),
    [
        ("the and to", None),
        ("the and to of", "en"),
        ("Thank you, I am well", "en"),
        ("diolch am y llythyr", "cy"),
        ("Je suis malade et je ne vous ai pas vu", "fr"),
        ("no hablo mucho pero me duele la cabeza", "es"),
        ("ich bin krank und habe keine Zeit", "de"),
        ("zebra yak gnu okapi", None),
        ("the " + "zebra " * 7, "en"),
        ("the " + "zebra " * 8, None),
        ("diolch " + "zebra " * 5, "cy"),
        ("diolch " + "zebra " * 6, None),
        ("Нет больше сил", "ru"),
        ("Нет abcd", "ru"),
        ("Нет abcde", None),
        ("ქართული ენა", "ka"),
        ("東京のラーメン", "ja"),
        ("エーーー", "ja"),
        ("Հայերեն լեզու ու գիր", None),
        ("o’r i’r a’r tŷ", "cy"),
        ("the and with this hola gracias señor pero usted", "en"),
        ("the and with hola gracias señor pero usted", "es"),
        ("with this hello please diolch annwyl gwelwch byddai hoffwn", "cy"),
        ("the and with this hola gracias señor pero bonjour merci dans avec" + " zebra" * 18, "en"),
        ("the and with this hola gracias señor pero bonjour merci dans avec" + " zebra" * 22, None),
        ("", None),
    ],
)
def test_a_text_is_in_the_language_of_its_commonest_words_or_of_its_script(text, tongue):
    assert language(text) == tongue


def test_the_words_of_another_language_within_english_leave_it_english():
    assert language("I want the answer on la casa de mi madre, please, and that is all I have to say to you") == "en"


@pytest.mark.parametrize(
    ("text", "tongue", "why"),
    [
        (" …\n", None, ("empty",)),
        ("ok", None, ()),
        ("skarga", "pl", ("language",)),
        ("achos", "cy", ()),
        ("l wr|te y~u n^w p|ease", "en", ("garbled",)),
        ("De4r Sir I write to you now", "en", ()),
        ("a� b� c�", None, ("garbled",)),
        ("a� b�", None, ()),
        ("brtgh xcvbn mnbvc plkjh wrtzp", None, ("garbled",)),
        ("BRTGH XCVBN MNBVC PLKJH WRTZP", None, ()),
        ("brtgh Mr Dr St TV PC GP", "en", ()),
        ("brtgh škrtž ščtvrt strčk čtvrtk krtčk", None, ()),
        ("brtgh is one word of these that is none", None, ()),
        ("ref P-0412276 C-2031234 £12 07700 900123 a@b.example AB1-22", None, ()),
        ("one tw|o th|ree four five six", None, ("garbled",)),
        ("one tw|o th|ree four five six seven", None, ()),
    ],
)
def test_what_a_person_must_read_since_we_cannot_says_why(text, tongue, why):
    assert unreadable(text, tongue) == why
