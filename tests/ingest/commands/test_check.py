"""``ingest check`` says of everything the service leans on whether it stands, and what to do where it does not."""

import base64
import re
import tomllib
from collections.abc import Generator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from channels.email.settings import EmailAccount
from channels.sms.settings import SmsAccount
from channels.social.settings import SocialAccount
from channels.table import accounts
from ingest.clock import now
from ingest.commands.check import Finding, example, findings
from ingest.commands.run import house_of
from ingest.contract import Record
from ingest.errors import Misconfigured
from ingest.log.kafka import KafkaLog
from ingest.log.spool import SpooledLog
from ingest.originals import Originals
from ingest.settings import Publisher, Section, Settings, load
from router.heads import signed
from router.match.weights import shipped, written
from tests.ingest.commands.conftest import KEY, Ingest
from tests.servers.clamd import MOST_BYTES, Clamd
from tests.servers.dovecot import PASSWORD, Dovecot, running_dovecot
from tests.servers.loopback import free_ports
from tests.servers.portal import SECRET as PORTALS
from tests.servers.postgres import Postgres
from tests.servers.smtp import smtp_server

MAILBOX = """
[channels.email.care]
host = "localhost"
port = {imap}
{more}
user = "care@example.org"
password_file = "care.password"
smtp = "localhost:{smtp}"
smtp_security = "none"
sender = "care@example.org"
"""


@pytest.fixture(scope="module")
def dovecot() -> Generator[Dovecot]:
    yield from running_dovecot()


@pytest.fixture
def free_port() -> int:
    """Nobody listens there."""
    return free_ports(1)[0]


def with_mailbox(config: Path, imap: int, smtp: int, more: str = "tls = false") -> Path:
    (config.parent / "care.password").write_text(PASSWORD, encoding="utf-8")
    config.write_text(config.read_text(encoding="utf-8") + MAILBOX.format(imap=imap, smtp=smtp, more=more), encoding="utf-8")
    return config


def by_name(found: list[Finding]) -> dict[str, Finding]:
    return {each.about: each for each in found}


@pytest.mark.needs("dovecot")
async def test_where_all_is_well_every_line_says_so(config: Path, dovecot: Dovecot):
    dovecot.deliver("care@example.org", b"Subject: waiting\r\n\r\nSince last year.\r\n")
    async with smtp_server(login=("care@example.org", PASSWORD)) as server:
        found = await findings(load(with_mailbox(config, dovecot.port, server.port, f'ca_file = "{dovecot.ca_file}"')))
    assert all(each.well for each in found), found
    named = by_name(found)
    assert list(named) == [
        "settings",
        "duty mailbox",
        "weights",
        "channels.email.care.ca_file",
        "disk of log",
        "disk of register",
        "disk of originals",
        "log",
        "originals",
        "audit heads",
        "scan",
        "register",
        "clock",
        "channels.email.care in",
        "channels.email.care out",
    ]
    assert "nothing is sent about them" in named["channels.email.care in"].sentence
    assert server.taken == []


@pytest.mark.needs("dovecot")
async def test_looking_takes_nothing_in_and_marks_nothing(config: Path, dovecot: Dovecot):
    user = "looked-at@example.org"
    dovecot.deliver(user, b"Subject: x\r\n\r\nx\r\n")
    path = with_mailbox(config, dovecot.port, 1, f'ca_file = "{dovecot.ca_file}"')
    path.write_text(path.read_text(encoding="utf-8").replace("care@example.org", user), encoding="utf-8")
    before = dovecot.flags(user)
    assert "1 messages, 1 of them not yet taken in" in by_name(await findings(load(path)))["channels.email.care in"].sentence
    assert dovecot.flags(user) == before


async def test_signed_heads_are_counted_and_one_that_was_tampered_with_is_named(
    config: Path, free_port: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("INGEST_AUDIT__HEADS", "file:///heads")
    monkeypatch.setenv("INGEST_AUDIT__KEY", base64.b64encode(bytes(range(32))).decode())
    chosen = load(with_mailbox(config, free_port, free_port))
    found = by_name(await findings(chosen))["audit heads"]
    assert found.well
    assert "0 signed heads, the first comes when the trail is next sealed" in found.sentence
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    await Originals(f"file:///{config.parent}/heads", chosen.originals).put([signed(7, bytes(32), key)])
    assert "1 signed heads, the newest of 7 entries" in by_name(await findings(chosen))["audit heads"].sentence
    await Originals(f"file:///{config.parent}/heads", chosen.originals).put([signed(8, bytes(32), key).replace(b"8", b"9", 1)])
    found = by_name(await findings(chosen))["audit heads"]
    assert not found.well
    assert "was not signed as it stands" in found.sentence


def test_a_secret_that_everybody_on_the_machine_can_read_is_named_by_its_key(
    ingest: Ingest, config: Path, monkeypatch: pytest.MonkeyPatch
):
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        for name in ("key", "previous_keys"):
            (path := Path(folder) / name).write_text(KEY[::-1] if name == "previous_keys" else KEY, encoding="utf-8")
            path.chmod(0o644)
            monkeypatch.setenv(f"INGEST_{name}_FILE".upper(), str(path))
        ran = ingest("check", "--config", config)
    for name in ("key", "previous_keys"):
        path = Path(folder) / name
        assert f"✗ {name}_file: Everybody on this machine can read {path}: `chmod o= {path}`" in ran.out


@pytest.mark.parametrize("minutes", [-3, 3])
async def test_a_clock_that_is_not_the_registers_is_named(
    config: Path, free_port: int, minutes: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("ingest.commands.check.now", lambda: now() + timedelta(minutes=minutes))
    clock = by_name(await findings(load(with_mailbox(config, free_port, free_port))))["clock"]
    assert not clock.well
    assert re.search(r"1(79|80|81) s apart", clock.sentence)
    assert "NTP" in clock.sentence


async def test_servers_that_are_away_are_named_with_what_to_check(config: Path, free_port: int):
    named = by_name(await findings(load(with_mailbox(config, free_port, free_port))))
    assert [name for name, each in named.items() if not each.well] == ["channels.email.care in", "channels.email.care out"]
    assert "firewall" in named["channels.email.care out"].sentence


async def test_a_refused_password_is_told_apart_from_a_server_that_is_away(config: Path, free_port: int):
    async with smtp_server(login=("care@example.org", "another")) as server:
        named = by_name(await findings(load(with_mailbox(config, free_port, server.port))))
    assert not named["channels.email.care out"].well
    assert "password" in named["channels.email.care out"].sentence
    assert PASSWORD not in repr(named)


def test_it_ends_with_1_and_counts_what_must_be_seen_to(ingest: Ingest, config: Path, free_port: int):
    ran = ingest("check", "--config", with_mailbox(config, free_port, free_port))
    assert ran.status == 1
    assert [line[0] for line in ran.out.splitlines()] == [*"✓✓✓✓✓✓✓✓✓✓✓✓✗✗", *"✓✓"]
    assert "2 of these must be seen to." in ran.err


def test_without_any_mailbox_there_is_nobody_to_tell(ingest: Ingest, config: Path):
    ran = ingest("check", "--config", config)
    assert ran.status == 1
    assert ran.out.startswith("✗ settings: ")
    assert "channels.email" in ran.out


@pytest.mark.parametrize(
    ("url", "about"),
    [("log", "log"), ("register", "register"), ("originals", "originals")],
)
def test_a_place_that_cannot_be_written_is_named(
    ingest: Ingest, config: Path, monkeypatch: pytest.MonkeyPatch, url: str, about: str, free_port: int
):
    scheme = "file" if url == "originals" else "sqlite"
    monkeypatch.setenv(f"INGEST_{url.upper()}__URL", f"{scheme}:////proc/nowhere/it")
    ran = ingest("check", "--config", with_mailbox(config, free_port, free_port))
    assert ran.status == 1
    assert f"✗ {about}: " in ran.out
    assert "/proc/nowhere" in ran.out or about == "register"


# The weights of matching.


def with_weights(config: Path, port: int, text: str | None, named: str = "own.json") -> Path:
    if text is not None:
        config.with_name(named).write_text(text, encoding="utf-8")
    config.write_text(f'{config.read_text("utf-8")}\n[matching]\nweights = "{named}"\n', encoding="utf-8")
    return with_mailbox(config, port, port)


def test_weights_of_ones_own_are_named_by_their_version(ingest: Ingest, config: Path, free_port: int):
    with_weights(config, free_port, written(replace(shipped(), version="ours-7")))
    assert (
        f"✓ weights: Matching weighs by ours-7, in {config.with_name('own.json')}." in ingest("check", "--config", config).out
    )
    chosen = house_of(load(config)).weights
    assert chosen
    assert chosen.version == "ours-7"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "own.json cannot be read"),
        ("{", "It is no weights file"),
        ('{"version": "1", "comparisons": {}}', "It is no weights file"),
        (written(shipped()).replace('"one slip"', '"two slips"'), "does not name the known levels: one slip, two slips"),
        ('{"probability_two_random_records_match": 0.1}', "ingest match weights"),
    ],
    ids=["missing", "no JSON", "not whole", "unknown level", "a model of Splink's"],
)
def test_weights_that_matching_does_not_know_in_full_stop_the_start(
    ingest: Ingest, config: Path, free_port: int, text: str | None, says: str
):
    path = with_weights(config, free_port, text)
    checked = ingest("check", "--config", path)
    assert checked.status == 1
    assert "✗ settings: matching.weights: " in checked.out
    assert says in checked.out
    for command in (("run", "router"), ("replay", "--dry-run")):
        started = ingest(*command, "--config", path)
        assert started.status == 2
        assert says in started.err


# Approved answers.

ANSWER = """+++
query = "cost"
language = "en"
title = "What it costs"
approved_by = "A. Morgan"
approved_on = 2026-01-05
valid_until = {until}
+++
Nothing.
"""


def with_answers(config: Path, port: int, **files: str) -> Path:
    folder = config.with_name("answers")
    folder.mkdir()
    for name, text in files.items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    config.write_text(f'{config.read_text("utf-8")}\n[acknowledgement]\nanswers = "answers"\n', encoding="utf-8")
    return with_mailbox(config, port, port)


async def said_of_answers(config: Path) -> list[tuple[bool, str]]:
    return [(each.well, each.sentence) for each in await findings(load(config)) if each.about == "approved answers"]


async def test_approved_answers_are_counted(config: Path, free_port: int):
    until = now().date() + timedelta(days=31)
    told = await said_of_answers(with_answers(config, free_port, cost=ANSWER.format(until=until)))
    assert told == [(True, "There are 1, 0 of which may go by themselves.")]


@pytest.mark.parametrize(("days", "when"), [(30, "runs out on"), (0, "runs out on"), (-1, "ran out on")])
async def test_an_answer_that_has_run_out_or_does_within_30_days_is_named(config: Path, free_port: int, days: int, when: str):
    until = now().date() + timedelta(days=days)
    _, (well, sentence) = await said_of_answers(with_answers(config, free_port, cost=ANSWER.format(until=until)))
    assert not well
    assert sentence.startswith(f"cost.md {when} {until:%d %B %Y} and is not used")


async def test_each_fault_of_an_answer_is_named_with_its_file_and_line(config: Path, free_port: int):
    wrong = ANSWER.format(until="2025-01-01").replace('"en"', '"fr"')
    told = await said_of_answers(with_answers(config, free_port, a=wrong, b="Nothing.", c=ANSWER.format(until="2025-01-01")))
    assert told == [
        (False, "a.md, line 3: language: Input should be 'en' or 'cy'."),
        (False, "b.md, line 1: it must begin with a front matter between two lines of +++."),
        (False, "c.md, line 7: valid_until is before approved_on."),
    ]


def test_a_faulty_answer_stops_the_start_and_is_named(config: Path, free_port: int):
    with pytest.raises(Misconfigured, match=r"b\.md, line 1: it must begin") as caught:
        house_of(load(with_answers(config, free_port, b="Nothing.")))
    assert caught.value.reason == "acknowledgement.answers"


def test_a_folder_of_answers_that_is_not_there_stops_the_start(config: Path, free_port: int):
    path = with_answers(config, free_port)
    config.with_name("answers").rmdir()
    with pytest.raises(Misconfigured, match="there is no folder"):
        house_of(load(path))


# The scanner.


async def test_without_a_scanner_it_says_that_files_may_not_be_opened(config: Path):
    found = by_name(await findings(load(with_mailbox(config, 1, 1))))["scan"]
    assert found.well
    assert "may not be opened" in found.sentence


@pytest.mark.needs("clamd")
async def test_a_scanner_that_finds_what_it_should_is_named_with_its_version(config: Path, clamd: Clamd):
    path = with_mailbox(config, 1, 1)
    path.write_text(f'{path.read_text()}\n[scan]\nclamd = "{clamd.unix}"\nmost_bytes = {MOST_BYTES}\n')
    found = by_name(await findings(load(path)))["scan"]
    assert found.well, found
    assert "ClamAV 1" in found.sentence


async def test_what_waits_on_this_machine_for_kafka_is_told_and_who_must_be_started(config: Path, free_port: int):
    with_mailbox(config, free_port, free_port)
    config.write_text(f'log.url = "kafka://127.0.0.1:{free_port}"\n{config.read_text(encoding="utf-8")}', encoding="utf-8")
    chosen = load(config)
    assert by_name(await findings(chosen))["spool"] == Finding("spool", True, f"Nothing waits in {config.parent / 'spool'}.")
    spool = await SpooledLog.open(KafkaLog(chosen.log), "web", chosen.log, now)
    await spool.append("contacts", [Record("sender", b"a contact")])
    running = by_name(await findings(chosen))["spool web"]
    await spool.close()
    left = by_name(await findings(chosen))["spool web"]
    assert running.well
    assert not left.well
    assert left.sentence.startswith("1 contacts wait for Kafka since 20")
    assert left.sentence.endswith("and no process works on them: start `ingest run web` here.")


# The example.


def test_the_example_is_toml_and_holds_every_key_there_is():
    written = tomllib.loads(example())
    sections = {name: field.annotation for name, field in Settings.model_fields.items()}
    for name, section in sections.items():
        if isinstance(section, type) and issubclass(section, Section):
            assert_whole(example(), written[name], section)
    assert_whole(example(), written["channels"]["email"]["care"], EmailAccount)
    assert_whole(example(), written["channels"]["sms"]["care"], SmsAccount)
    assert_whole(example(), written["channels"]["social"]["care"], SocialAccount)
    assert_whole(example(), written["publishers"]["urn:example:crm"], Publisher)
    assert "key_file" in written


def assert_whole(text: str, given: dict[str, object], section: type[Section]) -> None:
    for key, field in section.model_fields.items():
        unsaid = (f"\n# {key} =\n" in text, f"\n# {key}_file =\n" in text)
        assert key in given or f"{key}_file" in given or any(unsaid), key
        assert field.description, f"{section.__name__}.{key} has no sentence"


def test_the_example_as_printed_does_not_start_and_names_what_to_replace(ingest: Ingest, tmp_path: Path):
    ran = ingest("check", "--write-example")
    assert (ran.status, ran.err) == (0, "")
    (tmp_path / "ingest.toml").write_text(ran.out, encoding="utf-8")
    with pytest.raises(Misconfigured) as caught:
        load(tmp_path / "ingest.toml")
    assert caught.value.reason == "key_file"
    (tmp_path / "ingest.key").write_text(KEY, encoding="utf-8")
    for each in ("password", "secret"):
        (tmp_path / f"care.{each}").write_text("x", encoding="utf-8")
    with pytest.raises(Misconfigured) as caught:
        load(tmp_path / "ingest.toml")
    assert caught.value.reason == "teams.intake"


def test_the_example_with_its_placeholders_replaced_is_accepted_and_is_the_defaults(tmp_path: Path):
    before, mark, texts = example().partition("\n[channels.sms.care]\n")
    before = before.replace("\n# password_file =\n# The folder", '\npassword_file = "care.password"\n# The folder', 1)
    text = before + mark + texts.replace("\n# token_file =", '\ntoken_file = "care.token"', 1)
    only_you_know = {"host": "imap.example.org", "user": "care", "smtp": "smtp.example.org:587"}
    for key, value in {**only_you_know, "provider": "vonage", "number": "+447700900555"}.items():
        text = text.replace(f'\n{key} = "REPLACE-ME"', f'\n{key} = "{value}"')
    (tmp_path / "ingest.toml").write_text(text.replace('"REPLACE-ME"', '"care@example.org"'), encoding="utf-8")
    (tmp_path / "ingest.key").write_text(KEY, encoding="utf-8")
    (tmp_path / "care.password").write_text("hunter2", encoding="utf-8")
    (tmp_path / "care.secret").write_text(PORTALS, encoding="utf-8")
    (tmp_path / "care.token").write_text("of Vonage's", encoding="utf-8")
    settings = load(tmp_path / "ingest.toml")
    least = dict.fromkeys(("intake", "investigators", "customer_care", "duty"), "care@example.org")
    (tmp_path / "least.toml").write_text(
        'key_file = "ingest.key"\n[teams]\n' + "".join(f'{name} = "{value}"\n' for name, value in least.items()),
        encoding="utf-8",
    )
    defaults = load(tmp_path / "least.toml")
    apart = {"channels", "publishers"}
    assert settings.model_dump(exclude=apart) == defaults.model_dump(exclude=apart)
    account = accounts(settings)["email", "care"]
    given = {"host": "imap.example.org", "user": "care", "smtp": "smtp.example.org:587", "sender": "care@example.org"}
    assert account == EmailAccount(**given, password="hunter2")  # type: ignore[arg-type]
    vonage = {"provider": "vonage", "number": "+447700900555", "token": "of Vonage's"}
    assert accounts(settings)["sms", "care"] == SmsAccount.model_validate(vonage)
    assert accounts(settings)["social", "care"] == SocialAccount(secret=PORTALS)  # type: ignore[arg-type]
    assert settings.publishers == {"urn:example:crm": Publisher()}


def test_the_words_of_the_examples_placeholder_are_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("INGEST_KEY", "REPLACE-ME" * 4)
    (tmp_path / "ingest.toml").touch()
    with pytest.raises(Misconfigured) as caught:
        load(tmp_path / "ingest.toml")
    assert caught.value.reason == "key"


@pytest.mark.needs("postgres")
async def test_a_register_on_postgresql_is_brought_up_to_date_and_answers(config: Path, postgres: Postgres):
    name = postgres.create()
    with_mailbox(config, 1, 1)
    config.write_text(f'{config.read_text()}\n[register]\nurl = "{postgres.url(name)}"\n')
    register = by_name(await findings(load(config)))["register"]
    postgres.drop(name)
    assert register == Finding("register", True, f"{postgres.url(name)} answers, and its tables are up to date.")
