"""The channels: name to settings, what takes in and what sends, one line each."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

import channels.email.ingress
import channels.email.look
import channels.email.send
import channels.sms.ingress
import channels.sms.look
import channels.sms.poll
import channels.sms.send
import channels.social.ingress
import channels.social.look
import channels.social.send
import channels.web_form.ingress
from channels.email.settings import EmailAccount
from channels.sending import Connection
from channels.sms.settings import SmsAccount
from channels.social.settings import SocialAccount
from channels.web_form.settings import FormAccount
from ingest.errors import Misconfigured
from ingest.finding import Finding
from ingest.settings import Section, Settings, misconfigured
from ingest.web import Door


@dataclass(frozen=True, slots=True)
class Channel:
    """One way in, and out where there is one. Each takes an account's section, which is of the type ``settings``.

    ``look`` is what `ingest check` says of an account; it is given the account's name, ``database``, ``clock`` and the whole ``settings``.

    ``run`` goes and fetches, in a role of the channel's own name. ``door`` is for what comes by HTTP: what answers on the public port, in
    the role ``web``. Both are given by name ``arrive``, which takes contacts in, ``append``, which puts records of ``ingest.reports`` on
    their topic, ``database``, ``clock`` and the whole ``settings``; ``run`` also ``stopping``, ``door`` also ``uploads``. ``send`` makes
    an account's way out, None where its provider has none; it is given the account's name and the whole ``settings``.
    """

    settings: type[Section]
    look: Callable[..., Coroutine[Any, Any, list[Finding]]]
    run: Callable[..., Coroutine[Any, Any, None]] | None = None
    send: Callable[..., Connection | None] | None = None
    door: Callable[..., Door] | None = None


CHANNELS: Final[Mapping[str, Channel]] = {
    "email": Channel(EmailAccount, channels.email.look.look, run=channels.email.ingress.run, send=channels.email.send.way_out),
    "sms": Channel(
        SmsAccount,
        channels.sms.look.look,
        run=channels.sms.poll.run,
        door=channels.sms.ingress.door,
        send=channels.sms.send.way_out,
    ),
    "social": Channel(
        SocialAccount, channels.social.look.look, door=channels.social.ingress.door, send=channels.social.send.way_out
    ),
    "web_form": Channel(FormAccount, channels.web_form.ingress.look, door=channels.web_form.ingress.door),
}


def accounts(settings: Settings) -> dict[tuple[str, str], Section]:
    """Every account by channel and name, each checked by its channel. Raises Misconfigured, whose reason is the dotted key."""
    found: dict[tuple[str, str], Section] = {}
    for channel, named in settings.channels.items():
        if channel not in CHANNELS:
            known = ", ".join(sorted(CHANNELS))
            raise Misconfigured(f"channels.{channel}", f"channels.{channel}: there is no such channel. There is: {known}.")
        for name, given in named.items():
            try:
                found[channel, name] = CHANNELS[channel].settings.model_validate(given)
            except ValidationError as error:
                raise misconfigured(error, "channels", channel, name) from error
    if len(forms := [name for channel, name in found if channel == "web_form"]) > 1:
        key = f"channels.web_form.{forms[1]}"
        raise Misconfigured(key, f"{key}: the public port has one form, and channels.web_form.{forms[0]} is it.")
    return found


def ways_out(found: Mapping[tuple[str, str], Section], settings: Settings) -> dict[tuple[str, str], Connection]:
    """How each account of ``found`` sends, those that cannot left out; none is connected yet."""
    made = {
        (channel, name): send(name, account, settings=settings)
        for (channel, name), account in found.items()
        if (send := CHANNELS[channel].send)
    }
    return {at: connection for at, connection in made.items() if connection is not None}
