"""The providers, a line each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from channels.sms import notify, twilio, vonage
from channels.sms.inbound import InboundText, Part, Receipt
from channels.sms.settings import SmsAccount


@dataclass(frozen=True, slots=True)
class Provider:
    """What there is to know of one. A request is its body, its headers by their names in lower case, and its public URL."""

    verify: Callable[[bytes, Mapping[str, str], str, SmsAccount], bool]
    """Whether the provider made a request; all that is not surely so is not."""
    parse: Callable[[bytes, Mapping[str, str]], InboundText | Part]
    """The text of a request. Raises Unreadable, and Refused where it is of another kind."""
    receipt: Callable[[bytes, Mapping[str, str], str], Receipt]
    """What a request says became of a text of ours. Raises Unreadable."""
    answer: tuple[int, str | None, bytes]
    """What it wants to hear when a text is kept: status, media type and body, the same however often it is sent."""
    fetchable: Callable[[str, SmsAccount], bool] = lambda _url, _account: False
    """Whether a picture lies with the provider itself: nothing else is fetched."""
    sent_on: Callable[[str, SmsAccount], bool] = lambda _url, _account: False
    """Whether whoever fetches one may be sent on to an address."""


PROVIDERS: Final[Mapping[str, Provider]] = {
    "twilio": Provider(
        twilio.verify,
        twilio.parse,
        twilio.receipt,
        (200, "text/xml", b'<?xml version="1.0" encoding="UTF-8"?><Response/>'),  # with words in it, they would be sent
        twilio.fetchable,
        twilio.sent_on,
    ),
    "notify": Provider(notify.verify, notify.parse, notify.receipt, (204, None, b"")),
    "vonage": Provider(vonage.verify, vonage.parse, vonage.receipt, (204, None, b"")),
}
