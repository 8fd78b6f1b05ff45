"""Access tokens by which a service logs in to a mailbox without a password: OAuth 2 client credentials, fetched by msal.

msal blocks, so it works in a thread, and what it waits for has a deadline of its own. It keeps a token until five minutes before its end;
one that the mail server refused is forgotten, so that the next is a fresh one.
"""

import asyncio
from pathlib import Path
from typing import Any, Final, cast

import httpx
import msal
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate

from channels.email.settings import OAuth
from channels.email.trust import trust
from ingest.errors import Misconfigured, Unavailable

SECONDS: Final = 20.0
"""For all of a fetch; a third of it for each connection."""


class Tokens:
    """Those of one account. Nothing is fetched before the first is wanted."""

    def __init__(self, oauth: OAuth, ca_file: str | None, seconds: float = SECONDS) -> None:
        self._oauth = oauth
        self._ca_file = ca_file
        self._seconds = seconds
        self._client: Any = None
        self._one = asyncio.Lock()

    async def token(self) -> str:
        """One that is valid for some minutes. Raises Unavailable(``oauth-refused``, ``oauth-unreachable``), Misconfigured."""
        where = f"{self._oauth.authority}/{self._oauth.tenant}"
        async with self._one:
            try:
                async with asyncio.timeout(self._seconds):
                    found = await asyncio.to_thread(self._fetch, where)
            except (httpx.HTTPError, TimeoutError) as error:
                raise Unavailable(
                    "oauth-unreachable",
                    f"{where} gives no token: {type(error).__name__}. Check oauth.authority, and that we may reach it.",
                ) from error
            except ValueError as error:  # msal's word for an answer that is none, such as that of a tenant nobody has
                raise Unavailable(
                    "oauth-refused",
                    f"{where} knows no such tenant, or is no server of tokens. Check oauth.tenant and oauth.authority.",
                ) from error
        if token := found.get("access_token"):
            return str(token)
        raise Unavailable(
            "oauth-refused",
            f"{where} gives {self._oauth.client_id} no token ({found.get('error', 'no reason')}). Check oauth.client_id, and whether "
            "its secret or certificate has run out.",
        )

    def forget(self) -> None:
        """Have the next token fetched anew: somebody did not take the last."""
        if self._client is not None:
            self._client.remove_tokens_for_client()

    def _fetch(self, where: str) -> dict[str, Any]:
        client = self._client
        if client is None:
            client = msal.ConfidentialClientApplication(
                self._oauth.client_id,
                client_credential=_credential(self._oauth),
                authority=where,
                instance_discovery=False,  # it would ask Microsoft about everybody else's servers
                http_client=httpx.Client(verify=trust(self._ca_file), timeout=self._seconds / 3),
            )
            self._client = client
        return cast(dict[str, Any], client.acquire_token_for_client(scopes=[self._oauth.scope]) or {})


def _credential(oauth: OAuth) -> str | dict[str, str]:
    if oauth.client_secret is not None:
        return oauth.client_secret.get_secret_value()
    assert oauth.certificate_file is not None
    pem = b""
    try:
        pem = Path(oauth.certificate_file).read_bytes()
        load_pem_x509_certificate(pem)
        fits = isinstance(load_pem_private_key(pem, password=None), RSAPrivateKey)
    except (OSError, ValueError, TypeError):
        fits = False
    if not fits:
        raise Misconfigured(
            "oauth.certificate_file",
            f"oauth.certificate_file {oauth.certificate_file} cannot be read: it must hold a certificate and its private RSA key as PEM, "
            "without a passphrase.",
        )
    return {"private_key": pem.decode(), "public_certificate": pem.decode()}
