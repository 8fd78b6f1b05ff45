"""What docker-compose.yml starts, as processes of this machine: its own commands, settings and checks, with nothing but hosts, ports and
folders put in their place.
"""

import asyncio
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import asyncpg
import pytest
import trustme

from tests.deploy.installation import ROOT, Deployed
from tests.journeys.house import INGEST
from tests.journeys.test_killed_midway import letter
from tests.servers import s3
from tests.servers.dovecot import PASSWORD, Dovecot, running_dovecot
from tests.servers.kafka import Installed, Kafka, kafka_jars
from tests.servers.loopback import free_ports
from tests.servers.postgres import Postgres
from tests.servers.smtp import SmtpServer, smtp_server

MAILBOX = "customer.care@example.org"
GUIDE = ROOT / "docs" / "operations.md"


class ComposedKafka(Kafka):
    """One node with the properties that its image makes of its environment."""

    def __init__(self, folder: Path, jars: Path, environment: dict[str, Any]) -> None:
        self.folder, self._java = folder, Installed(folder, jars)
        self.port, self.secure_port = free_ports(2)
        here = {
            "//:9092": f"//127.0.0.1:{self.port}",
            "//kafka:9092": f"//127.0.0.1:{self.port}",
            "//:9093": f"//127.0.0.1:{self.secure_port}",
            "@kafka:9093": f"@127.0.0.1:{self.secure_port}",
            "/var/lib/kafka/data": str(folder / "data"),
        }
        properties = {name: str(value) for name, value in environment.items() if name.startswith("KAFKA_")}
        lines = [f"{name.removeprefix('KAFKA_').lower().replace('_', '.')}={value}" for name, value in properties.items()]
        (folder / "server.properties").write_text(replaced("\n".join(lines), here))
        made = self.run("kafka.tools.StorageTool", "format", "-t", environment["CLUSTER_ID"], "-c", "server.properties")
        assert made.returncode == 0, made.stdout + made.stderr


@dataclass
class Composed:
    """What stands in place of what, and the processes."""

    deployed: Deployed
    folder: Path
    here: dict[str, str]
    environment: dict[str, str]
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict[str, subprocess.Popen[bytes]])
    ports: dict[str, int] = field(default_factory=dict[str, int])

    def once(self, service: str) -> None:
        """A service that sets something up."""
        words = [*INGEST, *self.deployed.verbs[service]]
        done = subprocess.run(words, env=self._settings(service), capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr

    def start(self, service: str, name: str) -> None:
        """A role, by its own name among several of the service's."""
        with (self.folder / f"{name}.jsonl").open("ab") as lines:
            words = [*INGEST, *self.deployed.verbs[service]]
            self.running[name] = subprocess.Popen(words, env=self._settings(service, name), stdout=lines, stderr=lines)

    def _settings(self, service: str, name: str = "") -> dict[str, str]:
        """The environment of a service, with the settings mounted where it says."""
        self.ports[name] = free_ports(1)[0]
        (config,) = self.deployed.services[service]["configs"]
        environment = {**self.environment, **self.deployed.services[service]["environment"]}
        path = self.folder / f"{service}{name}.toml"
        text = self.deployed.texts[self.deployed.compose["configs"][config["source"]]["file"]]
        path.write_text(
            replaced(text, {**self.here, "0.0.0.0:9464": f"127.0.0.1:{self.ports[name]}", "0.0.0.0:8080": "127.0.0.1:0"})
        )
        return {each: str(path) if value == config["target"] else value for each, value in environment.items()}

    def healthy(self, service: str, name: str) -> bool:
        """What the service's own check says; it must be there to be asked."""
        assert self.running[name].poll() is None, self.telemetry(name)
        command, *words = self.deployed.services[service]["healthcheck"]["test"]
        assert (command, words[0]) == ("CMD", "python")
        here = [each.replace(":9464/", f":{self.ports[name]}/") for each in words[1:]]
        return subprocess.run([sys.executable, *here], capture_output=True, timeout=30).returncode == 0

    def wanting(self, name: str) -> dict[str, str] | None:
        """What a role says it lacks; None where it does not answer yet."""
        assert self.running[name].poll() is None, self.telemetry(name)
        try:
            with urlopen(f"http://127.0.0.1:{self.ports[name]}/readyz", timeout=8) as answer:
                return json.load(answer)["wanting"]
        except HTTPError as error:
            return json.load(error)["wanting"]
        except OSError:
            return None

    def telemetry(self, name: str) -> str:
        """What it said of itself so far."""
        return (self.folder / f"{name}.jsonl").read_text()[-3000:]


def replaced(text: str, here: dict[str, str]) -> str:
    """Each is there to be put in its place."""
    for there, local in here.items():
        assert there in text, there
        text = text.replace(there, local)
    return text


@pytest.fixture
def deployed() -> Deployed:
    return Deployed.read()


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """As the operating notes have them made."""
    (commands,) = re.findall(r"```sh\n(mkdir -m 700 deploy/secrets\n.*?)```", GUIDE.read_text(), re.DOTALL)
    (tmp_path / "deploy").mkdir()
    subprocess.run(commands, shell=True, cwd=tmp_path, input=PASSWORD.encode(), check=True, timeout=60)
    return tmp_path / "deploy" / "secrets"


@pytest.fixture
def dovecot() -> Generator[Dovecot]:
    yield from running_dovecot()


@pytest.fixture
def broker(deployed: Deployed, tmp_path: Path) -> Generator[Kafka]:
    """Another than the one that all tests share."""
    folder = tmp_path / "kafka"
    folder.mkdir()
    service = deployed.services["kafka"]
    server = ComposedKafka(folder, kafka_jars(), service["environment"])
    check = [each.replace("/9092", f"/{server.port}") for each in service["healthcheck"]["test"][1:]]
    try:
        assert subprocess.run(check, capture_output=True, timeout=10).returncode != 0
        server.start()
        subprocess.run(check, check=True, timeout=10)
        yield server
    finally:
        server.stop()


@pytest.fixture
def database(postgres: Postgres, deployed: Deployed, secrets: Path) -> Generator[Postgres]:
    """The image makes the user, its password and its database."""
    service = deployed.services["postgres"]
    made, (command, *words) = service["environment"], service["healthcheck"]["test"][1:]
    here = [each.replace("5432", str(postgres.port)) for each in words]
    subprocess.run([postgres._binaries / command, *here], check=True, timeout=10)
    user, name = made["POSTGRES_USER"], made["POSTGRES_DB"]
    password = (secrets / Path(made["POSTGRES_PASSWORD_FILE"]).name).read_text().strip()
    postgres.execute(f"ALTER ROLE {user} PASSWORD '{password}'", f"CREATE DATABASE {name}")
    with postgres.admitting(f"host {name} {user} 127.0.0.1/32 scram-sha-256"):
        yield postgres
    postgres.drop(name)


@pytest.fixture
def store(deployed: Deployed, secrets: Path, tmp_path: Path) -> Generator[tuple[int, Path]]:
    """The object store's port, and its folder."""
    binary = s3._binary()
    if binary is None:
        pytest.skip("versitygw is missing: tests/servers/s3.py says how to install it")
    (port,), folder = free_ports(1), tmp_path / "objects"
    place = {"/var/lib/contact-ingest": str(folder)}
    subprocess.run(
        [replaced(each, place) if "/" in each else each for each in deployed.services["bucket"]["entrypoint"]], check=True
    )
    service = deployed.services["objects"]
    command = replaced(service["command"][0], {**place, "/run/secrets": str(secrets), ":7070": f"127.0.0.1:{port}", "$$": "$"})
    process = subprocess.Popen([*service["entrypoint"], command], env={"PATH": f"{binary.parent}:{os.environ['PATH']}"})
    try:
        deadline, check = time.monotonic() + 20, service["healthcheck"]["test"][-1].replace(":7070", f":{port}")
        while True:
            with suppress(OSError), urlopen(check, timeout=1):
                break
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield port, folder
    finally:
        process.kill()
        process.wait(10)


@pytest.fixture
async def smtp(tmp_path: Path) -> AsyncGenerator[SmtpServer]:
    """A mail server that wants STARTTLS and a password."""
    authority, context = trustme.CA(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "smtp.pem"))
    async with smtp_server(login=(MAILBOX, PASSWORD), tls=context, security="starttls") as server:
        yield server


@pytest.fixture
def composed(
    deployed: Deployed,
    secrets: Path,
    broker: Kafka,
    database: Postgres,
    store: tuple[int, Path],
    dovecot: Dovecot,
    smtp: SmtpServer,
    tmp_path: Path,
) -> Generator[Composed]:
    here = {
        "/run/secrets": str(secrets),
        "/var/lib/contact-ingest": str(tmp_path / "role"),
        "kafka:9092": f"127.0.0.1:{broker.port}",
        "@postgres:5432": f"@127.0.0.1:{database.port}",
        "objects:7070": f"127.0.0.1:{store[0]}",
        "imap.example.org": "localhost",
        "port = 993": f"port = {dovecot.port}",
        "smtp.example.org:587": smtp.address,
    }
    (tmp_path / "ca.pem").write_bytes(dovecot.ca_file.read_bytes() + (tmp_path / "smtp.pem").read_bytes())
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "INGEST_CHANNELS__EMAIL__CARE__CA_FILE": str(tmp_path / "ca.pem"),
    }
    it = Composed(deployed, tmp_path, here, environment)
    yield it
    for each in it.running.values():
        each.kill()
        each.wait(10)


@pytest.mark.journey
@pytest.mark.needs("kafka")
@pytest.mark.needs("postgres")
@pytest.mark.needs("dovecot")
@pytest.mark.timeout(500)
async def test_the_composed_roles_route_a_letter_that_came_before_the_topics(
    composed: Composed, secrets: Path, database: Postgres, store: tuple[int, Path], dovecot: Dovecot, smtp: SmtpServer
) -> None:
    roles = {"email": "email", "sms": "sms", "web": "web", "router": "router", "another": "router", "dispatcher": "dispatcher"}
    assert set(roles.values()) == set(composed.deployed.roles)
    await asyncio.to_thread(composed.once, "tables")
    for name, service in roles.items():
        composed.start(service, name)
    async with asyncio.timeout(120):
        for name, service in roles.items():
            while await asyncio.to_thread(composed.wanting, name) != {"log": "topic-missing"}:
                await asyncio.sleep(0.2)
            assert not await asyncio.to_thread(composed.healthy, service, name)
        password = (secrets / "postgres_password").read_text().strip()
        register = await asyncpg.connect(database.url("register"), password=password)
        while not await register.fetch("SELECT FROM state.mailboxes"):
            await asyncio.sleep(0.2)
    dovecot.deliver(MAILBOX, letter(1))

    await asyncio.to_thread(composed.once, "topics")
    async with asyncio.timeout(120):
        for name, service in roles.items():
            while not await asyncio.to_thread(composed.healthy, service, name):
                await asyncio.sleep(0.5)

    async with asyncio.timeout(120):
        while "intake@example.org" not in smtp.recipients():
            await asyncio.sleep(0.2)
    assert [row["kind"] for row in await register.fetch("SELECT kind FROM dispositions WHERE current")] == ["HandOff"]
    # The settings leave it to a person to release what is for the public.
    held = await register.fetch("SELECT recipient FROM outgoing WHERE audience = 'person' AND state = 'held'")
    assert [row["recipient"] for row in held] == ["writer.1@example.net"]
    assert "writer.1@example.net" not in smtp.recipients()
    await register.close()
    assert [path.read_bytes() for path in (store[1] / "originals").rglob("*") if path.is_file()] == [letter(1)]

    for process in composed.running.values():
        process.send_signal(signal.SIGTERM)
    for name, process in composed.running.items():
        assert await asyncio.to_thread(process.wait, 40) == 0, composed.telemetry(name)
