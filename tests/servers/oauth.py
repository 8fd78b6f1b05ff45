"""A server of access tokens on the loopback, as RFC 6749 section 4.4 and Microsoft's OpenID configuration have it, over TLS."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trustme
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.servers.loopback import free_ports, listens

TENANT = "example.org"
SECRET = "the app's own secret"


@dataclass
class TokenServer:
    """Who asked, and what it shall do."""

    port: int
    ca_file: Path
    lasts: int = 3600
    """Seconds, of each token from here on."""
    hangs: bool = False
    refuses: str | None = None
    """An error of RFC 6749 section 5.2."""
    asked: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    given: list[str] = field(default_factory=list[str])

    @property
    def authority(self) -> str:
        return f"https://localhost:{self.port}"

    def settings(self, **other: Any) -> dict[str, Any]:
        """What [channels.email.NAME.oauth] would hold."""
        return {"tenant": TENANT, "client_id": "the-app", "client_secret": SECRET, "authority": self.authority} | other

    async def configuration(self, request: Request) -> JSONResponse:
        if request.path_params["tenant"] != TENANT:
            return JSONResponse({"error": "invalid_tenant"}, 400)
        at = f"{self.authority}/{TENANT}"
        named = {f"{each}_endpoint": f"{at}/oauth2/v2.0/{each}" for each in ("authorization", "token")}
        return JSONResponse(named | {"issuer": f"{at}/v2.0"})

    async def token(self, request: Request) -> JSONResponse:
        form = {key: str(value) for key, value in (await request.form()).items()}
        self.asked.append(form)
        if self.hangs:
            await asyncio.sleep(60)
        right = form.get("client_secret") == SECRET or "client_assertion" in form
        if self.refuses or not right:
            return JSONResponse({"error": self.refuses or "invalid_client", "error_description": "AADSTS7000215"}, 401)
        self.given.append(f"token-{next(_numbers)}")
        return JSONResponse({"access_token": self.given[-1], "token_type": "Bearer", "expires_in": self.lasts})


_numbers = itertools.count(1)


@asynccontextmanager
async def token_server(folder: Path) -> AsyncGenerator[TokenServer]:
    """One for as long as the block lasts; its certificates stand in ``folder``."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "oauth-ca.pem"))
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(folder / "oauth-key.pem"))
    (port,) = free_ports(1)
    it = TokenServer(port, folder / "oauth-ca.pem")
    routes = [
        Route("/{tenant}/v2.0/.well-known/openid-configuration", it.configuration),
        Route("/{tenant}/oauth2/v2.0/token", it.token, methods=["POST"]),
    ]
    pem = str(folder / "oauth-key.pem")
    server = uvicorn.Server(
        uvicorn.Config(
            Starlette(routes=routes),
            host="localhost",
            port=port,
            ssl_certfile=pem,
            ssl_keyfile=pem,
            log_config=None,
            lifespan="off",
        )
    )
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    running = asyncio.create_task(server.serve())
    while not running.done() and not listens(port):
        await asyncio.sleep(0.01)
    try:
        yield it
    finally:
        server.should_exit = server.force_exit = True
        with contextlib.suppress(TimeoutError, asyncio.CancelledError):
            await asyncio.wait_for(running, 5)
