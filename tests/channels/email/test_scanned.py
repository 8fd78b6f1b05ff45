"""Files beside a mail: only what a real scanner has wholly looked at may be opened, and no mail waits for it or is lost by it."""

import io
import zipfile
from collections.abc import Generator
from datetime import timedelta
from functools import partial
from typing import Any, cast

import pytest

from channels.email.translate import translate
from ingest.contract import Verdict
from ingest.receive import Arrival
from ingest.scan import scanner
from tests.channels.email.conftest import Office
from tests.channels.email.test_attached import docx, mail, p
from tests.channels.email.test_translate import RECEIVED
from tests.servers.clamd import EICAR, MOST_BYTES, VIRUS, Clamd, running_clamd

pytestmark = pytest.mark.needs("clamd")


@pytest.fixture
def own_clamd() -> Generator[Clamd]:
    """One that may be stopped and frozen."""
    yield from running_clamd()


def zipped(content: bytes, *, locked: bool = False) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("a.txt", content)
    changed = bytearray(made.getvalue())
    for at in (6, changed.rindex(b"PK\x01\x02") + 8):
        changed[at] |= locked  # general purpose bit 0 (APPNOTE.TXT section 4.4.4)
    return bytes(changed)


FILES = {
    "letter.txt": (b"A letter.", Verdict.CLEAN),
    "eicar.com": (EICAR, Verdict.INFECTED),
    "letter.docx": (docx(p("A letter."), **{"word/x.bin": VIRUS.decode()}), Verdict.INFECTED),
    "locked.zip": (zipped(b"A letter.", locked=True), Verdict.WITHHELD),
    "bomb.zip": (zipped(bytes(300 * MOST_BYTES)), Verdict.WITHHELD),
    "large.bin": (b"x" * (MOST_BYTES + 1), Verdict.WITHHELD),
}


def arrival() -> Arrival:
    raw = mail("Six files.", *[(name, content) for name, (content, _) in FILES.items()])
    return Arrival(raw, partial(translate, account="care", received_at=RECEIVED, backfill=False, authserv_id=None))


async def test_each_file_of_a_mail_has_what_the_scanner_says_of_it(office: Office, clamd: Clamd):
    (contact,) = await partial(cast("Any", office.arrive), scan=scanner(clamd.settings()))([arrival()])
    assert {each.name: each.verdict for each in contact.attachments} == {name: said for name, (_, said) in FILES.items()}
    assert await office.contacts() == [contact]
    for each in contact.attachments:
        assert await office.originals.get(each.digest) == FILES[each.name][0]


@pytest.mark.parametrize("fault", ["stop", "pause"])
async def test_while_the_scanner_is_down_or_slow_mail_comes_in_and_no_file_of_it_is_clean(
    office: Office, own_clamd: Clamd, fault: str
):
    getattr(own_clamd, fault)()
    settings = own_clamd.settings(timedelta(milliseconds=300))
    (contact,) = await partial(cast("Any", office.arrive), scan=scanner(settings))([arrival()])
    found = {each.name: each.verdict for each in contact.attachments}
    assert found["eicar.com"] is Verdict.UNSCANNED
    assert set(found.values()) <= {Verdict.UNSCANNED, Verdict.WITHHELD}
