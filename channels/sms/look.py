"""What `ingest check` says of a number: whether its provider has us for its owner and sends us what people write, and where to mend it."""

from typing import Any, Final

from channels.sms.api import Api, api_of
from channels.sms.inbound import word_of
from channels.sms.ingress import path
from channels.sms.send import way_out
from channels.sms.settings import SmsAccount
from ingest.clock import Clock
from ingest.errors import Unavailable
from ingest.finding import Finding
from ingest.settings import Settings

_TO_MEND: Final = {
    "server-refused": "The provider refused our keys, or our clock is wrong. Make them anew there, and mend token or api_key.",
    "api-key-malformed": "api_key is none of Notify's. Copy it whole, with its two ids.",
    "certificate-refused": "Its certificate is not trusted. Check the host name in api.",
    "account-not-active": "Twilio has suspended or closed the account. Its Console says why.",
    "template-wrong": "The template must be one for text messages, with ((message)) for its text and no other placeholder. Mend it at Notify.",
    "not-found": "The provider has no such account or template. Check account_sid or template.",
}
_UNREACHABLE: Final = "Check api, and that a firewall lets us out to it."


async def look(name: str, account: SmsAccount, *, clock: Clock, settings: Settings, **_: Any) -> list[Finding]:
    """Findings for what comes in, and one for what goes out."""
    about, url = f"channels.sms.{name} in", f"{settings.web.public_url}{path(name)}"
    found = list[Finding]()
    if not url.startswith("https://"):
        found.append(
            Finding(about, False, f"{account.provider} would call us at {url}, which is not https. Set public_url in [web].")
        )
    async with api_of(account, clock) as api:
        try:
            wrong, how_it_stands = await _LOOKS[account.provider](name, account, api, url)
        except Unavailable as error:
            wrong, how_it_stands = f"{error.sentence} {_UNREACHABLE}", ""
    return [*found, Finding(about, not wrong, wrong or how_it_stands), await _out(name, account, settings)]


async def _out(name: str, account: SmsAccount, settings: Settings) -> Finding:
    about, way = f"channels.sms.{name} out", way_out(name, account, settings=settings)
    if way is None:
        why = "vonage only takes in" if account.provider == "vonage" else "template is not set"
        return Finding(about, True, f"Nothing is sent from {account.number}: {why}.")
    try:
        wrong = await way.check()
    finally:
        await way.close()
    if wrong is None:
        return Finding(about, True, f"{account.provider} would send what we write from {account.number}{_cost(account)}.")
    return Finding(about, False, f"{_TO_MEND.get(wrong.reason.partition(':')[0], _UNREACHABLE)} ({wrong.reason})")


def _cost(account: SmsAccount) -> str:
    return f", at {account.price_per_part} {account.currency} a part" if account.price_per_part is not None else ""


async def _twilio(name: str, account: SmsAccount, api: Api, url: str) -> tuple[str, str]:
    try:
        number = await api.number()
    except Unavailable as error:
        if error.reason != "provider-refused":
            raise
        return (
            "Twilio refused account_sid and token. Copy both from Account Info on the Console's first page; "
            f"the token goes into {_variable(name, 'token')} or the file that token_file names."
        ), ""
    if number is None:
        return (
            f"{account.number} is no number of {account.account_sid}. Look under Phone Numbers, Active numbers in the Console, "
            "and mend number or account_sid."
        ), ""
    told = dict(number)
    here = "In the Console, under Phone Numbers, Active numbers, the number's Messaging Configuration"
    called, method = word_of(told, "sms_url"), word_of(told, "sms_method").upper()
    if word_of(told, "sms_application_sid"):
        return f"A TwiML App answers for {account.number}. {here}: choose Webhook instead, {url} by HTTP POST.", ""
    if called != url or method != "POST":
        return f"{account.number} does not send us what comes. {here}: a message comes in, Webhook, {url} by HTTP POST.", ""
    return "", f"{account.number} is ours, and Twilio sends what comes to {url}."


async def _notify(name: str, account: SmsAccount, api: Api, url: str) -> tuple[str, str]:
    where = f"{_variable(name, 'api_key')} or the file that api_key_file names"
    made = f"Make a key under API integration, API keys at Notify, and put all of it into {where}."
    if account.notify_key is None:
        return f"api_key is none of Notify's: such a one ends in two ids, 73 characters. {made}", ""
    try:
        await api.newest()
    except Unavailable as error:
        if error.reason != "provider-refused":
            raise
        return f"Notify refused api_key, or our clock is more than 30 seconds wrong. {made}", ""
    return "", (
        f"Notify has our key. Whether it calls us cannot be asked: under API integration, Callbacks, received text messages go to {url} "
        f"and delivery receipts to {url}/receipts, each with the bearer token."
    )


async def _vonage(name: str, account: SmsAccount, api: Api, url: str) -> tuple[str, str]:  # noqa: ARG001 - as every provider's
    return "", (
        f"Vonage can be asked nothing. Its dashboard, API settings, SMS settings: inbound SMS webhook {url}, HTTP method POST or POST-JSON, "
        f"and under signed webhooks the method that signature names ({account.signature})."
    )


_LOOKS: Final = {"twilio": _twilio, "notify": _notify, "vonage": _vonage}


def _variable(name: str, key: str) -> str:
    return f"INGEST_CHANNELS__SMS__{name}__{key}".upper()
