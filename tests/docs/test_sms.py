"""What docs/sms.md shows is what the channel takes, and the words and figures it names are those of the code."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from channels.sms import ingress, poll
from channels.sms.settings import SmsAccount
from channels.sms.taking import Pace
from channels.sms.translate import STOP_WORDS

PAGE = Path("docs/sms.md").read_text(encoding="utf-8")
SECRETS = {"token": "of Twilio's", "bearer": "0d7fa1b2c3e4958677a8b9c0", "api_key": "of Notify's"}


@pytest.mark.parametrize("shown", re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL))
def test_each_number_that_is_shown_is_one(shown: str):
    given: dict[str, Any] = tomllib.loads(shown)["channels"]["sms"]["care"]
    secrets = {key.removesuffix("_file"): SECRETS[key.removesuffix("_file")] for key in given if key.endswith("_file")}
    plain = {key: value for key, value in given.items() if not key.endswith("_file")}
    assert SmsAccount.model_validate(plain | secrets).number == given["number"]


def test_the_words_for_stop_are_all_named():
    named = re.search(r"nothing but (.*?), in any case", PAGE, re.DOTALL)
    assert named
    words = {each for each in re.split(r",\s+|\s+or\s+", named[1]) if each}
    assert words == STOP_WORDS


def test_the_figures_are_those_of_the_code():
    assert f"over {ingress._MOST_BYTES:,} bytes" in PAGE
    assert (poll.OVERLAP.days, poll.LEFT_TO_THE_WEBHOOK.seconds) == (1, 6 * 60)
    assert (Pace().pictures_for.seconds, Pace().parts_for.seconds) == (5 * 60, 10 * 60)
    assert SmsAccount.model_fields["reconcile_every"].default.seconds == 10 * 60
