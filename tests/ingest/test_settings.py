"""What is refused before the service starts: each with its key named, and no value shown."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from channels.table import accounts
from ingest.errors import Misconfigured
from ingest.key import known
from ingest.settings import AcknowledgementSettings, Settings, load, load_matching, path_of

KEY = "5b0e4c6f9d8a7312e0f4b6c8d1a29375"
LEAST = """
[teams]
intake = "intake@example.org"
investigators = "investigators@example.org"
customer_care = "care@example.org"
duty = "duty@example.org"
"""
MAILBOX = """
[channels.email.Care]
host = "imap.example.org"
user = "care"
smtp = "smtp.example.org:587"
sender = "care@example.org"
"""

Load = Callable[..., Settings]


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Loads a settings file of that text, with a sound key in the environment unless told otherwise."""
    monkeypatch.setenv("INGEST_KEY", KEY)

    def load_text(text: str = LEAST, *, without: str | None = None, **variables: str) -> Settings:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        if without:
            monkeypatch.delenv(without)
        (tmp_path / "ingest.toml").write_text(text, encoding="utf-8")
        return load(tmp_path / "ingest.toml")

    return load_text


def refused(call: Callable[[], object]) -> Misconfigured:
    with pytest.raises(Misconfigured) as caught:
        call()
    assert caught.value.reason in caught.value.sentence or caught.value.reason == "config"
    return caught.value


def test_the_least_there_is_to_write_is_four_mailboxes_and_a_key(loaded: Load):
    settings = loaded()
    assert settings.teams.duty == "duty@example.org"
    assert settings.outgoing.mode == "on"
    assert settings.acknowledgement.within == timedelta(hours=48)


@pytest.mark.parametrize("team", ["intake", "investigators", "customer_care", "duty"])
def test_the_service_does_not_start_without_a_mailbox_that_somebody_must_read(loaded: Load, team: str):
    without = "\n".join(line for line in LEAST.splitlines() if not line.startswith(f"{team} "))
    assert refused(lambda: loaded(without)).reason == f"teams.{team}"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[lgo]\n", "lgo"),
        ('[log]\nulr = "sqlite:///x"\n', "log.ulr"),
        ("[publishers.'urn:example:crm']\nmay_vuoch = true\n", "publishers.urn:example:crm.may_vuoch"),
        ('sort = "of"\n', "sort"),
    ],
)
def test_an_unknown_key_stops_the_start_and_is_named(loaded: Load, text: str, key: str):
    found = refused(lambda: loaded(text + LEAST))
    assert found.reason == key
    assert "--write-example" in found.sentence


@pytest.mark.parametrize(
    "text",
    [
        '[log]\nurl = "sqlite:///a"\nurl = "sqlite:///b"\n' + LEAST,
        "[log]\n[router]\n[log]\n" + LEAST,
        "log.url = 'sqlite:///a'\n[log]\n" + LEAST,
    ],
)
def test_a_key_or_section_given_twice_is_refused_by_its_line(loaded: Load, text: str):
    found = refused(lambda: loaded(text))
    assert found.reason == "config"
    assert "line" in found.sentence
    assert "only once" in found.sentence


@pytest.mark.parametrize(
    ("times", "says"),
    [
        ('contacts = "30d"', "contacts must be longer than [log] retention"),
        ('originals = "30d"', "originals must be longer than [log] retention"),
        ('dead_letters = "8d"', "dead_letters must be longer than [log] retention"),
        ('receipts = "8d"', "receipts must be longer than [log] retention"),
        ('messages = "6d"', "messages is shorter than 7d"),
        ('contacts = "365d"\nfeedback = "366d"', "feedback is longer than contacts"),
        ('contacts = "for ever"', "write a length of time as a number and a unit"),
    ],
)
def test_a_time_that_cannot_be_kept_to_stops_the_start_and_says_why(loaded: Load, times: str, says: str):
    found = refused(lambda: loaded(f"[retention]\n{times}\n{LEAST}"))
    assert says in found.sentence
    assert found.reason.startswith("retention")


def test_everything_is_kept_for_good_unless_it_is_said(loaded: Load):
    assert not any(loaded(LEAST).retention.model_dump().values())
    chosen = loaded(
        '[retention]\napply = true\ncontacts = "2192d"\nmessages = "366d"\n[log]\nretention = "90d"\n' + LEAST
    ).retention
    assert (chosen.apply, chosen.contacts, chosen.messages) == (True, timedelta(days=2192), timedelta(days=366))


@pytest.mark.parametrize("content", [b"[log\n", b"\xff\xfe[log]", b"url = \x00"])
def test_a_file_that_is_not_toml_is_refused(tmp_path: Path, content: bytes):
    (tmp_path / "ingest.toml").write_bytes(content)
    assert refused(lambda: load(tmp_path / "ingest.toml")).reason == "config"


def test_a_file_that_was_named_and_is_not_there_or_is_a_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert refused(lambda: load(tmp_path / "none.toml")).reason == "config"
    assert refused(lambda: load(tmp_path)).reason == "config"
    monkeypatch.setenv("INGEST_CONFIG", str(tmp_path / "none.toml"))
    assert refused(lambda: load(None)).reason == "config"


def test_without_a_file_the_environment_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INGEST_KEY", KEY)
    for team in ("intake", "investigators", "customer_care", "duty"):
        monkeypatch.setenv(f"INGEST_TEAMS__{team.upper()}", f"{team}@example.org")
    assert load(None).teams.intake == "intake@example.org"


# Secrets.


def test_a_missing_secret_is_refused_and_where_it_goes_is_said(loaded: Load):
    found = refused(lambda: loaded(without="INGEST_KEY"))
    assert found.reason == "key"
    assert "INGEST_KEY" in found.sentence
    assert "key_file" in found.sentence


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "short",
        KEY[:31],
        "replace-me-with-what-openssl-rand-hex-32-prints",
        "changemechangemechangemechangeme",
        "Change-Me-Change-Me-Change-Me-1234",
        "0" * 64,
        "0123456" * 10,
        "12345678901234567890123456789012",
        "my-very-own-Secret-that-is-quite-long",
    ],
)
def test_a_short_or_default_secret_is_refused_and_never_shown(loaded: Load, secret: str):
    found = refused(lambda: loaded(INGEST_KEY=secret))
    assert found.reason == "key"
    assert "openssl rand" in found.sentence
    assert not secret or secret not in found.sentence


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (f'key = "{KEY}"\n' + LEAST, "key"),
        (LEAST + MAILBOX + 'password = "hunter2"\n', "channels.email.Care.password"),
    ],
)
def test_a_secret_in_the_settings_file_is_refused(loaded: Load, text: str, key: str):
    found = refused(lambda: loaded(text))
    assert found.reason == key
    assert f"{key}_file" in found.sentence
    assert "hunter2" not in found.sentence
    assert KEY not in found.sentence


def test_a_secret_may_stand_in_a_file_named_beside_the_settings(loaded: Load, tmp_path: Path):
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "care").write_text("hunter2 and a space\n", encoding="utf-8")
    (tmp_path / "secrets" / "key").write_text(f"{KEY}\n", encoding="utf-8")
    settings = loaded('key_file = "secrets/key"\n' + LEAST + MAILBOX + 'password_file = "secrets/care"\n', without="INGEST_KEY")
    assert settings.key.get_secret_value() == KEY
    assert accounts(settings)["email", "Care"].model_dump()["password"].get_secret_value() == "hunter2 and a space"


def test_keys_that_were_the_key_before_stand_in_a_file_one_a_line(
    loaded: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    before = (KEY[::-1], KEY[7:] + KEY[:7])
    (tmp_path / "before").write_text("\n".join(before) + "\n", encoding="utf-8")
    assert known(loaded().own_key) == (KEY.encode(),)
    named = known(loaded('previous_keys_file = "before"\n' + LEAST).own_key)
    assert named == tuple(each.encode() for each in (KEY, *before))
    monkeypatch.setenv("INGEST_PREVIOUS_KEYS_FILE", str(tmp_path / "before"))
    assert known(loaded().own_key) == named


@pytest.mark.parametrize("wrong", [f"{KEY[::-1]}\nshort", "0" * 64])
def test_a_key_of_before_that_can_be_guessed_is_refused_and_not_shown(loaded: Load, wrong: str):
    found = refused(lambda: loaded(INGEST_PREVIOUS_KEYS=wrong))
    assert found.reason == "previous_keys"
    assert "one a line" in found.sentence
    assert KEY[::-1] not in found.sentence


def test_the_environment_may_name_a_secrets_file_too_and_stands_over_the_settings(loaded: Load, tmp_path: Path):
    (tmp_path / "care").write_text("hunter2", encoding="utf-8")
    other = KEY[::-1]
    (tmp_path / "a").write_text(KEY, encoding="utf-8")
    (tmp_path / "b").write_text(other, encoding="utf-8")
    settings = loaded(
        'key_file = "a"\n' + LEAST + MAILBOX,
        without="INGEST_KEY",
        INGEST_KEY_FILE=str(tmp_path / "b"),
        INGEST_CHANNELS__EMAIL__CARE__PASSWORD_FILE=str(tmp_path / "care"),
    )
    assert settings.key.get_secret_value() == other
    assert accounts(settings)["email", "Care"].model_dump()["password"].get_secret_value() == "hunter2"


def test_a_secret_given_outright_stands_over_a_file_of_it(loaded: Load, tmp_path: Path):
    (tmp_path / "a").write_text(KEY[::-1], encoding="utf-8")
    assert loaded('key_file = "a"\n' + LEAST).key.get_secret_value() == KEY


@pytest.mark.parametrize("password", ["12345678", "true", "null", '"quoted"', "[1]", "1e5", '{"a": 1}'])
def test_a_password_in_the_environment_is_taken_as_it_is_written(loaded: Load, password: str):
    settings = loaded(LEAST + MAILBOX, INGEST_CHANNELS__EMAIL__CARE__PASSWORD=password)
    assert accounts(settings)["email", "Care"].model_dump()["password"].get_secret_value() == password


def test_a_secrets_file_that_cannot_be_read_or_is_empty_is_refused(loaded: Load, tmp_path: Path):
    assert refused(lambda: loaded('key_file = "none"\n' + LEAST)).reason == "key_file"
    (tmp_path / "empty").touch()
    assert refused(lambda: loaded('key_file = "empty"\n' + LEAST, without="INGEST_KEY")).reason == "key"
    found = refused(lambda: accounts(loaded(LEAST + MAILBOX + 'password_file = "empty"\n', INGEST_KEY=KEY)))
    assert found.reason == "channels.email.Care.password"
    assert "empty" in found.sentence


def test_settings_printed_show_no_secret(loaded: Load):
    settings = loaded(LEAST + MAILBOX, INGEST_CHANNELS__EMAIL__CARE__PASSWORD="hunter2")
    assert KEY not in f"{settings!r} {settings}"
    assert "hunter2" not in repr(accounts(settings))


# The environment.


def test_the_environment_stands_over_the_file(loaded: Load):
    settings = loaded('[outgoing]\nmode = "on"\nburst = 10\n' + LEAST, INGEST_OUTGOING__MODE="off", INGEST_ROUTER__BATCH="7")
    assert (settings.outgoing.mode, settings.outgoing.burst, settings.router.batch) == ("off", 10, 7)


@pytest.mark.parametrize(
    ("variable", "key"),
    [
        ("INGEST_LGO__URL", "INGEST_LGO__URL"),
        ("INGEST_LOG_URL", "INGEST_LOG_URL"),
        ("INGEST_LOG__ULR", "log.ulr"),
        ("INGEST_LOG", "log"),
        ("INGEST_ACKNOWLEDGEMENT", "acknowledgement"),
        ("INGEST_CHANNELS", "channels"),
    ],
)
def test_a_variable_that_is_no_setting_is_refused_by_name(loaded: Load, variable: str, key: str):
    found = refused(lambda: loaded(**{variable: "whatever-it-said"}))
    assert found.reason == key
    assert "whatever-it-said" not in found.sentence


# Values.


@pytest.mark.parametrize(
    ("section", "name", "wrong"),
    [
        ("log", "retention", '"0d"'),
        ("log", "retention", '"-1d"'),
        ("log", "retention", '"0.0001ms"'),
        ("log", "retention", '"thirty days"'),
        ("log", "retention", "30"),
        ("log", "retention", '"99999999999999999d"'),
        ("log", "most_record_bytes", "0"),
        ("acknowledgement", "within", '"0h"'),
        ("router", "urgent_unclaimed_after", '"-30m"'),
        ("router", "batch", "0"),
        ("router", "dead_letters_in_a_row", "0"),
        ("outgoing", "mode", '"maybe"'),
        ("outgoing", "burst", "-1"),
        ("outgoing", "digest_at", '"25:00"'),
        ("outgoing", "time_zone", '"Mars/Olympus"'),
        ("outgoing", "time_zone", '"../../etc/passwd"'),
        ("web", "private", '"8099"'),
        ("web", "private", '"127.0.0.1:94640"'),
        ("web", "public", '"8080"'),
        ("web", "public_url", '"contact.example.net"'),
        ("web", "public_url", '"ftp://contact.example.org"'),
        ("web", "public_url", '"https://user:pass@contact.example.org"'),
        ("web", "public_url", '"https://contact.example.org/form"'),
        ("web", "at_once", "0"),
        ("teams", "duty", '"Duty <duty@example.org>"'),
        ("teams", "duty", '"duty@example.org\\n"'),
        ("teams", "duty", '"a@example.org, b@example.org"'),
        ("teams", "duty", '""'),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_its_key_and_not_shown(loaded: Load, section: str, name: str, wrong: str):
    if section == "teams":
        text = "\n".join(f"{name} = {wrong}" if line.startswith(f"{name} ") else line for line in LEAST.splitlines())
    else:
        text = f"[{section}]\n{name} = {wrong}\n{LEAST}"
    found = refused(lambda: loaded(text))
    assert found.reason == f"{section}.{name}"
    shown = wrong.strip('"')
    assert len(shown) < 4 or shown not in found.sentence


@pytest.mark.parametrize("wrong", ["*", "proxy.example.org", "10.0.0.0/33", "10.1.2.3/8", ""])
def test_a_proxy_is_trusted_by_its_address_or_network_and_nobody_by_a_star(loaded: Load, wrong: str):
    assert refused(lambda: loaded(f'[web]\ntrusted_proxies = ["{wrong}"]\n' + LEAST)).reason == "web.trusted_proxies.0"
    assert loaded('[web]\ntrusted_proxies = ["::1", "10.1.0.0/16"]\n' + LEAST).web.trusted_proxies == ("::1", "10.1.0.0/16")


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (f'keys = ["{"a" * 64}"]', f'keys = ["{"b" * 64}", "{"a" * 64}"]', "the same key"),
        ('certificate = "crm"', 'certificate = "crm"', "the same certificate"),
    ],
)
def test_two_publishers_that_nobody_could_tell_apart_are_refused(loaded: Load, first: str, second: str, said: str):
    text = f'[publishers."urn:example:a"]\n{first}\n[publishers."urn:example:b"]\n{second}\n{LEAST}'
    found = refused(lambda: loaded(text))
    assert (found.reason, said in found.sentence) == ("publishers", True)


def test_a_key_that_stands_in_the_settings_as_itself_is_refused_and_not_shown(loaded: Load):
    key = "0d7fa1b2c3e4958677a8b9c0d1e2f3a4"
    found = refused(lambda: loaded(f'[publishers."urn:example:a"]\nkeys = ["{key}"]\n{LEAST}'))
    assert found.reason == "publishers.urn:example:a.keys.0"
    assert key not in found.sentence


@pytest.mark.parametrize(
    ("written", "seconds"), [("250ms", 0.25), ("90s", 90), ("30m", 1800), ("48h", 172_800), (" 1.5 d ", 129_600)]
)
def test_a_length_of_time_is_a_number_and_a_unit(loaded: Load, written: str, seconds: float):
    assert loaded(f'[log]\nretention = "{written}"\n' + LEAST).log.retention == timedelta(seconds=seconds)


def test_paths_are_relative_to_the_settings_file_wherever_the_service_is_started(
    loaded: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir("/")
    text = '[log]\nurl = "sqlite:///kept/log.db"\n[register]\nurl = "sqlite:////var/lib/register.db"\n'
    settings = loaded(text + '[acknowledgement]\nanswers = "answers"\n[matching]\nweights = "w.json"\n' + LEAST)
    assert settings.matching.weights == tmp_path / "w.json"
    assert path_of(settings.log.url) == tmp_path / "kept" / "log.db"
    assert path_of(settings.register.url) == Path("/var/lib/register.db")
    assert path_of(settings.originals.url) == tmp_path / "originals"
    assert settings.acknowledgement.answers == tmp_path / "answers"
    assert settings.log.spool == tmp_path / "spool"
    assert loaded('[log]\nspool = "/var/spool/ingest"\n' + LEAST).log.spool == Path("/var/spool/ingest")


def test_a_file_that_is_no_secret_is_beside_the_settings_too(loaded: Load, tmp_path: Path):
    settings = loaded(LEAST + MAILBOX + 'ca_file = "ca.pem"\n', INGEST_CHANNELS__EMAIL__CARE__PASSWORD="hunter2")
    assert accounts(settings)["email", "Care"].model_dump()["ca_file"] == str(tmp_path / "ca.pem")


def test_a_path_given_by_the_environment_is_beside_the_settings_as_well(loaded: Load, tmp_path: Path):
    assert path_of(loaded(INGEST_LOG__URL="sqlite:///other.db").log.url) == tmp_path / "other.db"


def test_matching_can_be_told_alone_and_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "ingest.toml"
    path.write_text('[matching]\nweights = "w.json"\n[teams]\n', encoding="utf-8")
    assert load_matching(path).weights == tmp_path / "w.json"
    monkeypatch.setenv("INGEST_MATCHING__WEIGHTS", "other.json")
    assert load_matching(path).weights == tmp_path / "other.json"
    monkeypatch.setenv("INGEST_MATCHING__WAITS", "w.json")
    assert refused(lambda: load_matching(path)).reason == "matching.waits"


# A mailbox's own section.


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("prot = 993", "channels.email.Care.prot"),
        ("port = 0", "channels.email.Care.port"),
        ('poll_every = "0s"', "channels.email.Care.poll_every"),
        ("tls = false", "channels.email.Care"),
        ('smtp_security = "none"', "channels.email.Care"),
        ('folder = "INBOX\\r\\nA1 LOGOUT"', "channels.email.Care.folder"),
    ],
)
def test_a_mailbox_that_would_be_unsafe_or_unknown_is_refused(loaded: Load, line: str, reason: str):
    settings = loaded(LEAST + MAILBOX + line + "\n", INGEST_CHANNELS__EMAIL__CARE__PASSWORD="hunter2")
    found = refused(lambda: accounts(settings))
    assert found.reason == reason
    assert "hunter2" not in found.sentence


def test_a_mailbox_without_a_password_is_refused_and_where_it_goes_is_said(loaded: Load):
    found = refused(lambda: accounts(loaded(LEAST + MAILBOX)))
    assert found.reason == "channels.email.Care.password"
    assert "INGEST_CHANNELS__EMAIL__CARE__PASSWORD" in found.sentence


def test_an_address_of_a_server_is_not_shown_since_people_write_passwords_into_it(loaded: Load):
    text = LEAST + MAILBOX.replace("smtp.example.org:587", "care:hunter2@smtp.example.org")
    found = refused(lambda: accounts(loaded(text, INGEST_CHANNELS__EMAIL__CARE__PASSWORD="x")))
    assert "hunter2" not in found.sentence
    assert "smtp" in found.sentence


def test_a_channel_that_there_is_not_is_refused_by_name(loaded: Load):
    assert refused(lambda: accounts(loaded(LEAST + "[channels.emial.care]\nhost = 'x'\n"))).reason == "channels.emial"


def test_settings_are_frozen(loaded: Load):
    with pytest.raises(ValueError, match="frozen"):
        loaded().teams.duty = "somebody@example.org"  # type: ignore[misc]


@pytest.mark.parametrize(
    "words",
    ["", "  ", "Dear {name}, ring us.", "Ring us, %s.", "Ring us, %(name)s.", "Ring us, $name.", "Dear <name>", "Dear [name]",
     "Dear ___", "Dear XXX", "Your reference is CC-7F3KQ-92QXA."],
)  # fmt: skip
@pytest.mark.parametrize("key", ["public_reply", "public_reply_cy"])
def test_a_public_reply_is_the_same_words_for_everybody(key: str, words: str):
    with pytest.raises(ValidationError, match="the same words for everybody"):
        AcknowledgementSettings.model_validate({key: words})


def test_a_public_reply_may_be_ones_own():
    assert (
        AcknowledgementSettings(public_reply=" Please ring us on 01632 960000. ").public_reply
        == "Please ring us on 01632 960000."
    )
