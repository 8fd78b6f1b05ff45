"""What a person wrote is told from what their mail program quotes, in the forms that programs write in six languages."""

from itertools import product

import pytest

from channels.email.mime import unflowed
from channels.email.translate import read
from channels.email.words import new_words

OWN = "Thank you, but nobody has rung me.\n\nMair"
THEIRS = "We will ring you by Friday.\n\nOffice"

MARKED = {
    "gmail-en": "On Fri, 27 Feb 2026 at 16:02, Office <help@example.net> wrote:\n",
    "gmail-en-us": "On Fri, Feb 27, 2026 at 4:02 PM Office <help@example.net> wrote:\n",
    "gmail-en-folded": "On Fri, Feb 27, 2026 at 4:02 PM The Office of the Ombudsman <\nhelp@example.net> wrote:\n",
    "gmail-cy": "Ar Gwen, 27 Chwef 2026 am 16:02, ysgrifennodd Office <help@example.net>:\n",
    "gmail-de": "Am Fr., 27. Feb. 2026 um 16:02 Uhr schrieb Office <help@example.net>:\n",
    "gmail-de-older": "Office <help@example.net> schrieb am Fr., 27. Feb. 2026, 16:02:\n",
    "gmail-fr": "Le ven. 27 févr. 2026 à 16:02, Office <help@example.net> a écrit :\n",
    "gmail-es": "El vie, 27 feb 2026 a las 16:02, Office (<help@example.net>) escribió:\n",
    "gmail-pl": "pt., 27 lut 2026 o 16:02 Office <help@example.net> napisał(a):\n",
    "apple-en": "On 27 Feb 2026, at 16:02, Office <help@example.net> wrote:\n",
    "apple-cy": "Ar 27 Chwef 2026, am 16:02, ysgrifennodd Office <help@example.net>:\n",
    "apple-de": "Am 27.02.2026 um 16:02 schrieb Office <help@example.net>:\n",
    "apple-fr": "Le 27 févr. 2026 à 16:02, Office <help@example.net> a écrit :\n",
    "apple-es": "El 27 feb 2026, a las 16:02, Office <help@example.net> escribió:\n",
    "apple-pl": "Wiadomość napisana przez Office <help@example.net> w dniu 27.02.2026, o godz. 16:02:\n",
    "thunderbird-en": "On 27/02/2026 16:02, Office wrote:",
    "thunderbird-cy": "Ar 27/02/2026 16:02, ysgrifennodd Office:",
    "thunderbird-de": "Am 27.02.26 um 16:02 schrieb Office:",
    "thunderbird-fr": "Le 27/02/2026 à 16:02, Office a écrit :",
    "thunderbird-es": "El 27/02/2026 a las 16:02, Office escribió:",
    "thunderbird-pl": "W dniu 27.02.2026 o 16:02, Office pisze:",
    "roundcube-en": "On 2026-02-27 16:02, Office wrote:",
    "roundcube-de": "Am 27.02.2026 16:02, schrieb Office:",
    "roundcube-fr": "Le 27.02.2026 16:02, Office a écrit :",
    "roundcube-es": "El 27.02.2026 16:02, Office escribió:",
    "roundcube-pl": "W dniu 27.02.2026 16:02, Office napisał(a):",
    "proton-en": "On Friday, February 27th, 2026 at 16:02, Office <help@example.net> wrote:\n",
    "proton-de": "Office <help@example.net> schrieb am Freitag, 27. Februar 2026 um 16:02:\n",
    "interia-pl": "Dnia 27 lutego 2026 16:02 Office <help@example.net> napisał(a):\n",
    "onet-pl": "W dniu 2026-02-27 16:02:11 użytkownik Office <help@example.net> napisał:",
    "mutt": "On Fri, Feb 27, 2026 at 04:02:11PM +0000, Office wrote:",
}
UNMARKED = {
    "yahoo-en": "On Friday, 27 February 2026 at 16:02:11 GMT, Office <help@example.net> wrote:\n\n",
    "yahoo-de": "Am Freitag, 27. Februar 2026 um 16:02:11 MEZ hat Office <help@example.net> Folgendes geschrieben:\n\n",
    "yahoo-fr": "Le vendredi 27 février 2026 à 16:02:11 UTC+1, Office <help@example.net> a écrit :\n\n",
    "yahoo-es": "El viernes, 27 de febrero de 2026, 16:02:11 CET, Office <help@example.net> escribió:\n\n",
    "outlook-en": "From: Office <help@example.net>\nSent: 27 February 2026 16:02\nTo: Mair <mair@example.org>\nSubject: RE: My complaint\n\n",
    "outlook-en-rule": f"{'_' * 32}\nFrom: Office <help@example.net>\nSent: Friday, February 27, 2026 4:02:11 PM\nTo: Mair <mair@example.org>\n"
    "Subject: Re: My complaint\n\n",
    "outlook-cy": "Oddi wrth: Office <help@example.net>\nAnfonwyd: 27 Chwefror 2026 16:02\nAt: Mair <mair@example.org>\nPwnc: RE: Cwyn\n\n",
    "outlook-de": "Von: Office <help@example.net>\nGesendet: Freitag, 27. Februar 2026 16:02\nAn: Mair <mair@example.org>\nBetreff: AW: Frage\n\n",
    "outlook-fr": "De : Office <help@example.net>\nEnvoyé : vendredi 27 février 2026 16:02\nÀ : Mair <mair@example.org>\nObjet : RE: Plainte\n\n",
    "outlook-es": "De: Office <help@example.net>\nEnviado: viernes, 27 de febrero de 2026 16:02\nPara: Mair <mair@example.org>\nAsunto: RE: Queja\n\n",
    "outlook-pl": "Od: Office <help@example.net>\nWysłano: piątek, 27 lutego 2026 16:02\nDo: Mair <mair@example.org>\nTemat: RE: Skarga\n\n",
    "outlook-on-a-phone": f"Get Outlook for iOS<https://aka.ms/o0ukef>\n{'_' * 32}\nFrom: Office <help@example.net>\nSent: Friday, February 27, 2026 4:02:11 PM\n"
    "To: Mair <mair@example.org>\nSubject: Re: My complaint\n\n",
    "outlook-express": "----- Original Message -----\nFrom: Office\nTo: mair@example.org\nSent: Friday, February 27, 2026 4:02 PM\nSubject: Re: My complaint\n\n",
    "outlook-2003": "-----Original Message-----\nFrom: Office [mailto:help@example.net]\nSent: 27 February 2026 16:02\nTo: Mair\nSubject: RE: My complaint\n\n",
    "outlook-2003-cy": "-----Neges Wreiddiol-----\nOddi wrth: Office [mailto:help@example.net]\nAnfonwyd: 27 Chwefror 2026 16:02\nAt: Mair\nPwnc: RE: Cwyn\n\n",
    "outlook-2003-de": "-----Ursprüngliche Nachricht-----\nVon: Office [mailto:help@example.net]\nGesendet: Freitag, 27. Februar 2026 16:02\nAn: Mair\n"
    "Betreff: AW: Frage\n\n",
    "outlook-2003-fr": "-----Message d'origine-----\nDe : Office [mailto:help@example.net]\nEnvoyé : vendredi 27 février 2026 16:02\nÀ : Mair\n"
    "Objet : RE: Plainte\n\n",
    "outlook-2003-fr-typographic": "-----Message d’origine-----\nDe : Office <help@example.net>\nEnvoyé : vendredi 27 février 2026 16:02\nÀ : Mair\n"
    "Objet : RE: Plainte\n\n",
    "outlook-2003-es": "-----Mensaje original-----\nDe: Office [mailto:help@example.net]\nEnviado el: viernes, 27 de febrero de 2026 16:02\nPara: Mair\n"
    "Asunto: RE: Queja\n\n",
    "outlook-2003-pl": "-----Wiadomość oryginalna-----\nOd: Office [mailto:help@example.net]\nWysłano: piątek, 27 lutego 2026 16:02\nDo: Mair\n"
    "Temat: RE: Skarga\n\n",
    "samsung-en": "Sent from my Galaxy\n\n-------- Original message --------\nFrom: Office <help@example.net>\nDate: 27/02/2026 16:02 (GMT+00:00)\n"
    "To: mair@example.org\nSubject: Re: My complaint\n\n",
    "samsung-de": "Von meinem Galaxy gesendet\n\n-------- Ursprüngliche Nachricht --------\nVon: Office <help@example.net>\nDatum: 27.02.26 16:02 (GMT+01:00)\n"
    "An: mair@example.org\nBetreff: Re: Frage\n\n",
    "samsung-fr": "Envoyé depuis mon appareil Galaxy\n\n-------- Message d'origine --------\nDe : Office <help@example.net>\nDate : 27/02/2026 16:02 (GMT+01:00)\n"
    "À : mair@example.org\nObjet : Re: Plainte\n\n",
    "samsung-es": "Enviado desde mi Galaxy\n\n-------- Mensaje original --------\nDe: Office <help@example.net>\nFecha: 27/2/26 16:02 (GMT+01:00)\n"
    "Para: mair@example.org\nAsunto: Re: Queja\n\n",
    "samsung-pl": "Wysłane z mojego Galaxy\n\n-------- Oryginalna wiadomość --------\nOd: Office <help@example.net>\nData: 27.02.2026 16:02 (GMT+01:00)\n"
    "Do: mair@example.org\nTemat: Re: Skarga\n\n",
    "gmx-de": "Gesendet: Freitag, 27. Februar 2026 um 16:02 Uhr\nVon: Office <help@example.net>\nAn: mair@example.org\nBetreff: Re: Frage\n\n",
    "zimbra-en": '----- Original Message -----\nFrom: "Office" <help@example.net>\nTo: "mair" <mair@example.org>\nSent: Friday, 27 February, 2026 16:02:11\n'
    "Subject: Re: My complaint\n\n",
    "zimbra-fr": 'De: "Office" <help@example.net>\nÀ: "mair" <mair@example.org>\nEnvoyé: Vendredi 27 Février 2026 16:02:11\nObjet: Re: Plainte\n\n',
    "zimbra-fr-marker": '----- Mail original -----\nDe: "Office" <help@example.net>\nÀ: "mair" <mair@example.org>\nEnvoyé: Vendredi 27 Février 2026 16:02:11\n'
    "Objet: Re: Plainte\n\n",
    "aol-en": "-----Original Message-----\nFrom: Office <help@example.net>\nTo: mair@example.org\nSent: Fri, 27 Feb 2026 16:02\nSubject: Re: My complaint\n\n",
    "hotmail-en": "Date: Fri, 27 Feb 2026 16:02:11 +0000\nFrom: help@example.net\nTo: mair@example.org\nSubject: Re: My complaint\n\n",
    "bold-labels": "*From:* Office <help@example.net>\n*Sent:* 27 February 2026 16:02\n*To:* Mair <mair@example.org>\n*Subject:* RE: My complaint\n\n",
    "android-de": "Am 27. Februar 2026 16:02:11 MEZ schrieb Office <help@example.net>:\n",
    "k9-en": "On 27 February 2026 16:02:11 GMT, Office <help@example.net> wrote:\n",
    "wp-pl": "Dnia 27 lutego 2026 16:02 Office <help@example.net> napisał(a):\n\n",
    "interia-header-pl": "Od: Office <help@example.net>\nDo: mair@example.org;\nWysłane: 16:02 piątek 2026-02-27\nTemat: Re: Skarga\n\n",
    "trojita-es": "El 27 de febrero de 2026 16:02:11 CET, Office <help@example.net> escribió:\n",
}  # fmt: skip
BEFORE_MARKS = {
    "ox-en": "> On 27/02/2026 16:02 GMT Office <help@example.net> wrote:\n>\n>\n",
    "ox-de": "> Office <help@example.net> hat am 27.02.2026 16:02 CET geschrieben:\n>\n>\n",
    "ox-fr": "> Le 27/02/2026 16:02 CET, Office <help@example.net> a écrit :\n>\n>\n",
    "orange-fr": '> Message du 27/02/26 16:02\n> De : "Office" <help@example.net>\n> A : mair@example.org\n> Copie à :\n> Objet : Re: Plainte\n>\n',
    "apple-quoted": "> On 27 Feb 2026, at 16:02, Office <help@example.net> wrote:\n> \n",
}  # fmt: skip


def marked(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


@pytest.mark.parametrize("form", MARKED.values(), ids=MARKED.keys())
def test_an_answer_above_marked_history(form: str):
    assert new_words(f"{OWN}\n\n{form}\n{marked(THEIRS)}\n", "Re: My complaint") == OWN


@pytest.mark.parametrize("form", BEFORE_MARKS.values(), ids=BEFORE_MARKS.keys())
def test_an_answer_above_history_whose_introduction_is_marked_too(form: str):
    assert new_words(f"{OWN}\n\n{form}{marked(THEIRS)}\n", "Re: My complaint") == OWN


@pytest.mark.parametrize("form", UNMARKED.values(), ids=UNMARKED.keys())
def test_an_answer_above_unmarked_history(form: str):
    assert new_words(f"{OWN}\n\n{form}{THEIRS}\n", "Re: My complaint") == OWN


@pytest.mark.parametrize("form", MARKED.values(), ids=MARKED.keys())
def test_an_answer_below_marked_history(form: str):
    assert new_words(f"{form}\n{marked(THEIRS)}\n\n{OWN}\n", "Re: My complaint") == OWN


@pytest.mark.parametrize("form", MARKED.values(), ids=MARKED.keys())
def test_answers_between_marked_history(form: str):
    written = f"{form}\n> Has anybody rung you?\n\nNobody has.\n\n> Which day suits you?\n\nAny day.\n"
    assert new_words(written, "Re: My complaint") == "Nobody has.\n\nAny day."


TOLD = [
    "The council wrote to me on 3 May 2025:\nyour bin will be emptied.\nIt was not.",
    "On 3 May 2025 I wrote to the council. They said:\nnothing at all.",
    "From: what I understand, nothing was done.\nTo: my mind, that is wrong.\nDate: none was given.",
    "Dear Sir,\n\nSubject: my complaint about Ludford Council\n\nThey lost my file.",
    "Am 3. Mai 2025 habe ich angerufen. Man sagte mir:\nmorgen.",
    "Le 3 mai 2025 j'ai appelé. On m'a dit :\ndemain.",
    "1) I rang.\n2) Nobody answered.\n3) I wrote:\nplease ring me.",
    "Name: Mair Pryce\nDate: 3 May 2025\nAddress: 1 High Street\n\nThey lost my file.",
    "My rent went up by >10 % and I was told\n-- by a neighbour -- that nobody checked.",
    "Timeline\n--------\n3 May: rang\n4 May: rang again\n--------\nNobody came.",
    'They sent this letter:\n\n"We will ring you by Friday."\n\nThey did not.',
    "Sent from hospital, where I have been since May.",
    "On Monday, they wrote:",
]  # fmt: skip


@pytest.mark.parametrize("written", TOLD)
def test_what_a_person_tells_is_never_taken_for_history(written: str):
    assert new_words(written, "My complaint").split() == written.split()


@pytest.mark.parametrize(("written", "history"), list(product(TOLD[:6], list(MARKED.values())[:4])))
def test_what_a_person_tells_is_kept_above_history(written: str, history: str):
    assert new_words(f"{written}\n\n{history}\n{marked(THEIRS)}\n", "Re: My complaint").split() == written.split()


def test_what_a_person_quotes_themselves_above_the_history_is_theirs():
    written = f"Your letter says\n> We shall ring.\nNobody did.\n\n{MARKED['gmail-en']}\n{marked(THEIRS)}\n"
    assert new_words(written) == "Your letter says\n> We shall ring.\nNobody did."


def test_a_line_between_angles_is_no_quotation():
    assert (
        new_words("Look here\n>>> >>> http://example.org <<<\nand there")
        == "Look here\n>>> >>> http://example.org <<<\nand there"
    )


HTML_ANSWERS = {
    "gmail": '<div dir="ltr">{own}</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">On Fri, 27 Feb 2026 at 16:02, Office &lt;<a href='
    '"mailto:help@example.net">help@example.net</a>&gt; wrote:<br></div><blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex;border-left:1px solid'
    ' rgb(204,204,204);padding-left:1ex"><div>{theirs}</div></blockquote></div>',
    "apple": '<html><body>{own}<br><div><blockquote type="cite"><div>On 27 Feb 2026, at 16:02, Office &lt;help@example.net&gt; wrote:</div><br><div>{theirs}'
    "</div></blockquote></div></body></html>",
    "iphone": '<html><body>{own}<br><br><div dir="ltr">Sent from my iPhone</div><div dir="ltr"><br><blockquote type="cite">On 27 Feb 2026, at 16:02, Office '
    '&lt;help@example.net&gt; wrote:<br><br></blockquote></div><blockquote type="cite"><div>{theirs}</div></blockquote></body></html>',
    "outlook": '<div class="WordSection1"><p class="MsoNormal">{own}</p><div><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm">'
    '<p class="MsoNormal"><b>From:</b> Office &lt;help@example.net&gt; <br><b>Sent:</b> 27 February 2026 16:02<br><b>To:</b> Mair &lt;mair@example.org&gt;<br>'
    '<b>Subject:</b> RE: My complaint</p></div></div><p class="MsoNormal">{theirs}</p></div>',
    "outlook-de": '<div><p class="MsoNormal">{own}</p><div style="border-top:solid 1.0pt"><p><b>Von:</b> Office &lt;help@example.net&gt;<br><b>Gesendet:</b> Freitag, '
    "27. Februar 2026 16:02<br><b>An:</b> Mair<br><b>Betreff:</b> AW: Frage</p></div><p>{theirs}</p></div>",
    "outlook-on-the-web": '<div>{own}</div><div id="appendonsend"></div><hr style="display:inline-block;width:98%" tabindex="-1"><div id="divRplyFwdMsg" dir="ltr"><font>'
    "<b>From:</b> Office &lt;help@example.net&gt;<br><b>Sent:</b> Friday, February 27, 2026 4:02:11 PM<br><b>To:</b> Mair &lt;mair@example.org&gt;<br><b>Subject:"
    "</b> Re: My complaint</font><div>&nbsp;</div></div><div>{theirs}</div>",
    "thunderbird": '<p>{own}</p><div class="moz-cite-prefix">On 27/02/2026 16:02, Office wrote:<br></div><blockquote type="cite" cite="mid:a@example.net"><p>{theirs}</p>'
    "</blockquote>",
    "yahoo": '<div class="ydp1"><div>{own}</div></div><div id="yahoo_quoted_1" class="yahoo_quoted"><div><div>On Friday, 27 February 2026 at 16:02:11 GMT, Office '
    "&lt;help@example.net&gt; wrote: </div><div><br></div><div>{theirs}</div></div></div>",
    "gmx": '<div>{own}<div name="quote" style="margin:10px 5px 5px 10px; padding: 10px 0 10px 10px; border-left:2px solid #C3D9E5;"><div style="margin:0 0 10px 0;"><b>Gesendet:'
    "</b>&nbsp;Freitag, 27. Februar 2026 um 16:02 Uhr<br/><b>Von:</b>&nbsp;Office &lt;help@example.net&gt;<br/><b>An:</b>&nbsp;mair@example.org<br/><b>Betreff:</b>&nbsp;"
    "Re: Frage</div><div>{theirs}</div></div></div>",
    "samsung": "<div>{own}</div><div><br></div><div>Sent from my Galaxy</div><div><br></div><div>-------- Original message --------</div><div>From: Office &lt;help@example.net&gt;"
    " </div><div>Date: 27/02/2026 16:02 (GMT+00:00) </div><div>To: mair@example.org </div><div>Subject: Re: My complaint </div><div><br></div><div>{theirs}</div>",
    "proton": '<div>{own}</div><div class="protonmail_quote">On Friday, February 27th, 2026 at 16:02, Office &lt;help@example.net&gt; wrote:<br><blockquote class="protonmail_quote"'
    ' type="cite"><div>{theirs}</div></blockquote></div>',
}  # fmt: skip


@pytest.mark.parametrize("page", HTML_ANSWERS.values(), ids=HTML_ANSWERS.keys())
def test_an_answer_above_history_in_html(page: str):
    body = page.format(own="Thank you, but nobody has rung me.", theirs="We will ring you by Friday.")
    got = read(b"From: mair@example.org\nSubject: Re: My complaint\nContent-Type: text/html; charset=utf-8\n\n" + body.encode())
    assert got.text == "Thank you, but nobody has rung me."
    assert "We will ring you by Friday." in got.full_text


@pytest.mark.parametrize(
    "tag",
    [
        '<blockquote style="margin:0 0 0 40px;border:none;padding:0px">',
        '<blockquote class="webkit-indent-blockquote" style="margin: 0 0 0 40px; border: none; padding: 0px;">',
        '<blockquote style="margin-left: 40px">',
    ],
)
def test_words_that_are_only_moved_to_the_right_are_the_persons_own(tag: str):
    body = f"<div>I wrote:</div>{tag}<div>Please ring me.</div></blockquote><div>Nobody did.</div>"
    got = read(b"From: mair@example.org\nContent-Type: text/html; charset=utf-8\n\n" + body.encode())
    assert got.text.split() == ["I", "wrote:", "Please", "ring", "me.", "Nobody", "did."]


@pytest.mark.parametrize("nested", ["<blockquote>" * 400, "</blockquote>" * 400, "<blockquote><p>" * 20 + "</blockquote>"])
def test_quotations_that_do_not_close_hide_nothing_from_what_is_kept(nested: str):
    got = read(b"From: mair@example.org\nContent-Type: text/html\n\n" + f"<p>One</p>{nested}<p>two</p>".encode())
    assert {"One", "two"} <= set(got.full_text.split())


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("One \nparagraph\n\nand \nanother\n", "One paragraph\n\nand another\n"),
        ("> quoted \n> words\nmine \nas well", "> quoted words\nmine as well"),
        (" From here\n  two", "From here\n two"),
        ("words\n-- \nMair \nPryce", "words\n-- \nMair Pryce"),
        (">> deep \n> less deep", ">> deep \n> less deep"),
    ],
)
def test_flowed_text_has_its_paragraphs_again(written: str, meant: str):
    assert unflowed(written) == meant


def test_flowed_text_without_spaces_at_its_ends_is_joined_without_them():
    assert unflowed("日本 \n語", delsp=True) == "日本語"
