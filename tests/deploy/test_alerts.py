"""Every alert fires where it should and not before, asks for metrics that there are, and has an entry that says what to do."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from ingest.telemetry import catalogue
from tests.servers.prometheus import promtool

RULES = Path(__file__).parents[2] / "deploy" / "prometheus" / "alerts.yaml"
PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
_EVERY: list[dict[str, Any]] = [
    rule for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]
]
ALERTS = [rule for rule in _EVERY if "alert" in rule]
RECORDED = {rule["record"] for rule in _EVERY if "record" in rule}
JOB = 'instance="a:9464",job="contact-ingest"'

pytestmark = pytest.mark.needs("promtool")


@dataclass(frozen=True, slots=True)
class Case:
    """What Prometheus sees from the first minute of 1970 on, when nothing has fired yet, when it has, and what is said then."""

    alert: str
    series: dict[str, str]
    quiet: str
    fires: str
    says: str
    labels: dict[str, str] | None = None
    minutes: int = 1
    """Between two looks: what takes days is looked at less often."""


def of(name: str, labels: str = "") -> str:
    """A series as our service has it."""
    return f"{name}{{{JOB}{',' if labels else ''}{labels}}}"


CASES = (
    Case(
        "UrgentTaskUnclaimed",
        {of("tasks_oldest_unclaimed_timestamp_seconds", 'kind="urgent"'): "0x9 600x100"},
        "40m",
        "41m",
        "Nobody has claimed an urgent task for 31m 0s",
    ),
    Case(
        "NotReadForRisk",
        {of("tasks_oldest_unclaimed_timestamp_seconds", 'kind="not-read-for-risk"'): "300x60"},
        "4h5m",
        "4h10m",
        "Nobody has looked for 4h 5m 0s at what could not be read for risk",
        minutes=5,
    ),
    Case(
        "AcknowledgementDueSoon",
        {of("acknowledgements_due_soon"): "0 3x20"},
        "5m",
        "6m",
        "3 acknowledgements are owed and due within hours",
    ),
    Case(
        "AcknowledgementLate",
        {of("acknowledgements_overdue"): "0 2x20"},
        "1m",
        "2m",
        "2 people have not been told in time that we have what they wrote",
    ),
    Case(
        "HandoffsOverdue",
        {of("handoffs_overdue", 'team="intake"'): "0 1x20", of("handoffs_overdue", 'team="investigators"'): "0 2x20"},
        "5m",
        "6m",
        "3 handoffs were neither taken nor returned in time",
    ),
    Case(
        "PostsUnallocated",
        {of("social_oldest_unallocated_timestamp_seconds"): "300x300"},
        "24h5m",
        "24h10m",
        "A post has waited for 1d 0h 5m 0s to be allocated",
        minutes=5,
    ),
    Case(
        "ProcessDown",
        {of("up"): "1 0x20"},
        "2m",
        "3m",
        "a:9464 does not answer for its metrics",
        {"instance": "a:9464", "job": "contact-ingest"},
    ),
    Case(
        "RouterAbsent",
        {of("duties_last_success_timestamp_seconds"): "0+60x5 300x20"},
        "10m",
        "11m",
        "No router runs, or none has looked for minutes at what is due",
    ),
    Case(
        "ContactsWait",
        {of("contact_oldest_unprocessed_timestamp_seconds"): "0x1 120x60"},
        "22m",
        "23m",
        "The oldest contact that is not routed has waited for 21m 0s",
    ),
    Case(
        "RouterStuck",
        {of("log_lag_records", 'topic="contacts"'): "7x60", of("router_last_success_timestamp_seconds"): "60x60"},
        "12m",
        "13m",
        "7 contacts wait and no router has committed for 10 minutes",
    ),
    Case(
        "LagNearsRetention",
        {of("contact_oldest_unprocessed_timestamp_seconds"): "60x60", of("log_retention_seconds"): "3600x60"},
        "31m",
        "32m",
        "What is not routed has used 51.67% of the time that the log keeps it",
    ),
    Case(
        "ReadersBehind",
        {of("log_lag_records", 'topic="outgoing"'): "0 101x60"},
        "15m",
        "16m",
        "101 records wait on outgoing",
        {"topic": "outgoing"},
    ),
    Case(
        "LedgerGap",
        {of("ledger_unaccounted"): "0 -1x60"},
        "15m",
        "16m",
        "1 contacts were received and are in no disposition, dead letter or queue",
    ),
    Case(
        "DeadLetters",
        {of("dead_letters_open"): "0 4x60"},
        "5m",
        "6m",
        "4 records could not be understood, and wait for a person",
    ),
    Case(
        "StrangerOnTheTopic",
        {of("contact_errors_total", 'stage="router",reason="not-ours"'): "_x9 1x60"},
        "8m",
        "9m",
        "1 records on contacts are from somebody the settings do not name, or claim to be ours and are not",
    ),
    Case(
        "LogReadAgain",
        {of("log_rewound_total", 'topic="contacts"'): "_x9 1x60"},
        "8m",
        "9m",
        "The log did not hold the register's position and was read again from its beginning",
    ),
    Case(
        "RegisterPutBack",
        {of("contact_errors_total", 'stage="restore",reason="register-put-back"'): "_x9 1x60"},
        "8m",
        "9m",
        "The register knows less than the log says that we had come to: it is an older copy",
    ),
    Case(
        "ReaderLost",
        {of("contact_errors_total", 'stage="router",reason="reader-lost"'): "_x9 1x60"},
        "8m",
        "9m",
        "A process that reads what came in was lost",
    ),
    Case(
        "RetentionNotRun",
        {of("retention_last_success_timestamp_seconds"): "300x700", of("retention_applies"): "1x700"},
        "50h5m",
        "50h10m",
        "The settings have what is past its time removed each day, and it has not all been for two days",
        minutes=5,
    ),
    Case(
        "MailboxUnread",
        {of("email_last_success_timestamp_seconds", 'account="care"'): "0+60x5 300x30"},
        "16m",
        "17m",
        "The mailbox care was last looked at 12m 0s ago",
        {"account": "care"},
    ),
    Case(
        "MailNotTakenIn",
        {of("email_unsettled", 'account="care"'): "0 2x60"},
        "35m",
        "36m",
        "2 mails or more have lain in care for half an hour and are not taken in",
        {"account": "care"},
    ),
    Case(
        "MailboxSilent",
        {of("email_last_mail_timestamp_seconds", 'account="care"'): "14400x200"},
        "12h",
        "12h5m",
        "No mail has come to care for 8h 5m 0s, in working hours",
        {"account": "care"},
        minutes=5,
    ),
    Case(
        "CertificateEnds",
        {of("certificate_end_timestamp_seconds", 'key="web.certificate_file"'): "1210200x60"},
        "10m",
        "11m",
        "The certificate of web.certificate_file is good for 13d 23h 59m 0s more, or cannot be read",
        {"key": "web.certificate_file"},
    ),
    Case(
        "MailUnaccounted",
        {of("email_unaccounted", 'account="care"'): "0 2x20"},
        "0m",
        "1m",
        "2 mails in care were neither taken in nor waited to be",
        {"account": "care"},
    ),
    Case(
        "MailCanaryLate",
        {of("contact_errors_total", 'stage="email",reason="canary-late"'): "_x9 1x60"},
        "8m",
        "9m",
        "A mail that we sent to ourselves has not come round",
    ),
    Case(
        "MailBreaksItsReader",
        {of("contact_errors_total", 'stage="receive",reason="broke-its-reader"'): "_x9 1x60"},
        "8m",
        "9m",
        "A mail took more time or memory than it may, and was not read in full",
    ),
    Case(
        "MailLoop",
        {of("contact_errors_total", 'stage="router",reason="over-budget"'): "_x9 1x60"},
        "8m",
        "9m",
        "An address has had all of a day's messages, or our own mail came back to us",
    ),
    Case(
        "TextsNotAsked",
        {of("sms_last_success_timestamp_seconds", 'account="care"'): "0x120"},
        "1h5m",
        "1h6m",
        "care was last asked for texts 1h 6m 0s ago",
        {"account": "care"},
    ),
    Case(
        "TextsMissed",
        {of("contact_errors_total", 'stage="sms",reason="webhook-missed"'): "_x9 3x60"},
        "8m",
        "9m",
        "A provider's webhook did not bring us texts, or none has come for long",
    ),
    Case(
        "SpoolWaits",
        {of("contact_spool_oldest_timestamp_seconds"): "0x1 120x60"},
        "7m",
        "8m",
        "Contacts have waited on the disk of a:9464 for 6m 0s: Kafka is away or slow",
        {"instance": "a:9464"},
    ),
    Case(
        "DiskFilling",
        {of("disk_free_bytes", 'kept="log"'): "50 9x60", of("disk_size_bytes", 'kept="log"'): "100x60"},
        "10m",
        "11m",
        "9% are left of the disk under log on a:9464",
        {"instance": "a:9464", "kept": "log"},
    ),
    Case(
        "BurstOfContacts",
        {of("contact_ingested_total", 'channel="email"'): "0+5x287 1440+150x12"},
        "24h",
        "24h15m",
        "450 contacts came by email in a quarter of an hour, ten times what is usual",
        {"channel": "email"},
        minutes=5,
    ),
    Case(
        "SendingStopped",
        {of("outgoing_stopped"): "0 1x60"},
        "10m",
        "11m",
        "Nothing is sent to the public: by mode, by hand or by the burst limit",
    ),
    Case(
        "SendingFails",
        {of("contact_errors_total", 'stage="send",reason="smtp-unreachable"'): "_x9 1+1x60"},
        "23m",
        "24m",
        "Messages have not gone for half an hour: 15 faults",
    ),
    Case(
        "FilesUnscanned",
        {of("files_scanned_total", 'verdict="unscanned"'): "_x9 2x60"},
        "8m",
        "9m",
        "2 files were kept that nothing has looked at",
    ),
    Case(
        "PublicPortRefuses",
        {
            of("web_request_seconds_count", 'status="503"'): "0x10 0+1x60",
            of("web_request_seconds_count", 'status="303"'): "0+9x80",
        },
        "10m",
        "30m",
        "10% of what comes to the public port is told to come again",
    ),
    Case(
        "KeysRefused",
        {of("web_request_seconds_count", 'status="401"'): "0x10 0+4x60"},
        "10m",
        "30m",
        "60 requests came with a key or signature that is none",
    ),
    Case(
        "AcknowledgementBudgetBurnsFast",
        {
            of("contact_acknowledgement_seconds_count"): "0+10x200",
            of("contact_acknowledgement_seconds_bucket", 'le="172800.0"'): "0+10x100 1000+9x100",
        },
        "1h40m",
        "1h50m",
        "3.167% of those told lately were told later than 48 hours",
    ),
    Case(
        "AcknowledgementBudgetBurnsSlowly",
        {
            of("contact_acknowledgement_seconds_count"): "0+4x500",
            of("contact_acknowledgement_seconds_bucket", 'le="172800.0"'): "0+4x400 1602+4x99",
        },
        "66h40m",
        "66h50m",
        "0.1247% of those told in three days were told later than 48 hours",
        minutes=10,
    ),
)


def asked(case: Case, at: str, *, firing: bool) -> dict[str, Any]:
    """What promtool is to find."""
    (rule,) = (each for each in ALERTS if each["alert"] == case.alert)
    found = {
        "exp_labels": {**rule["labels"], **(case.labels or {})},
        "exp_annotations": {"summary": case.says, "entry": rule["annotations"]["entry"]},
    }
    return {"eval_time": at, "alertname": case.alert, "exp_alerts": [found] if firing else []}


@pytest.mark.parametrize("minutes", sorted({case.minutes for case in CASES}))
def test_each_fires_when_it_should_and_not_before(tmp_path: Path, minutes: int):
    tests = [
        {
            "interval": f"{minutes}m",
            "input_series": [{"series": name, "values": values} for name, values in case.series.items()],
            "alert_rule_test": [asked(case, case.quiet, firing=False), asked(case, case.fires, firing=True)],
        }
        for case in CASES
        if case.minutes == minutes
    ]
    file = tmp_path / "alerts.test.yaml"
    given = {"rule_files": [str(RULES)], "evaluation_interval": f"{minutes}m", "tests": tests}
    file.write_text(yaml.safe_dump(given), encoding="utf-8")
    ran = promtool("test", "rules", file)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_each_alert_there_is_has_fired_here():
    assert sorted(case.alert for case in CASES) == sorted(rule["alert"] for rule in ALERTS)


@pytest.mark.parametrize("rule", _EVERY, ids=lambda rule: rule.get("alert") or rule["record"])
def test_each_asks_only_for_what_the_service_tells(rule: dict[str, Any]):
    ours = {name for name, _, _ in catalogue()} | RECORDED
    inside = re.compile(r"\{[^}]*\}|\[[^]]*\]|\"[^\"]*\"|\b(?:by|on) \([^)]*\)")
    names = set(re.findall(r"[a-z:]+_[a-z_:0-9]+|up", inside.sub("", rule["expr"]))) - {"min_over_time", "day_of_week", "up"}
    assert {name.removesuffix("_count").removesuffix("_bucket") for name in names} <= ours


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_each_has_an_entry_that_says_what_people_feel_where_to_look_and_what_to_do(rule: dict[str, Any]):
    assert rule["annotations"]["entry"] == f"docs/operations.md#{rule['alert'].lower()}"
    entry = PAGE.partition(f"\n#### {rule['alert']}\n")[2].partition("\n#")[0]
    for part in ("**What people feel**: ", "**Where to look**: ", "**What to do**: "):
        assert part in entry
