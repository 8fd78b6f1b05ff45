"""The channels: name to settings, what takes in and what sends, one line each."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from channels.email import ingress
from channels.email.send import Connection
from channels.email.settings import EmailAccount
from channels.web_form.ingress import door
from channels.web_form.settings import FormAccount
from ingest.errors import Misconfigured
from ingest.settings import Section, Settings, misconfigured
from ingest.web import Door


@dataclass(frozen=True, slots=True)
class Channel:
    """One way in, and out where there is one. Each takes an account's section, which is of the type ``settings``.

    ``run`` goes and fetches, in a role of the channel's own name. ``door`` is for what comes by HTTP: what answers on the public port, in
    the role ``web``. It is given ``arrive``, ``database``, ``uploads``, ``clock`` and the whole ``settings`` by name.
    """

    settings: type[Section]
    run: Callable[..., Coroutine[Any, Any, None]] | None = None
    send: Callable[[Any], Connection] | None = None
    door: Callable[..., Door] | None = None


CHANNELS: Final[Mapping[str, Channel]] = {
    "email": Channel(EmailAccount, run=ingress.run, send=Connection),
    "web_form": Channel(FormAccount, door=door),
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
