"""Every number and every diagnostic line: the catalogue of metrics, and structured lines without anybody's words.

A label value is one of a known few, never a person, a case, an address or text. Times are exported as moments, not ages,
so that a stopped exporter cannot look healthy (prometheus.io, "Instrumentation").
"""

import logging
import sys
import threading
from importlib.metadata import version
from json import dumps
from traceback import extract_tb
from typing import Any, Final, TextIO, cast

import structlog
from prometheus_client import REGISTRY, Counter, Gauge, Histogram, Info
from structlog.typing import EventDict

RECEIVED: Final = Counter("contact_ingested_total", "Contacts kept and appended to the log", ["channel"])
PASSED_OVER: Final = Counter(
    "contact_passed_over_total",
    "What came and is no contact to take up, such as an echo of ourselves, or one that was erased before",
    ["channel", "reason"],
)
PROCESSED: Final = Counter("contact_processed_total", "Contacts the router has decided on", ["channel", "outcome"])
ERRORS: Final = Counter("contact_errors_total", "Things that went wrong, by stage and stable reason", ["stage", "reason"])
OLDEST: Final = Gauge(
    "contact_oldest_unprocessed_timestamp_seconds", "When the oldest contact not yet routed was appended; 0 where none waits"
)
PROCESSING: Final = Histogram(
    "contact_processing_seconds",
    "From our edge to a decision",
    buckets=(0.1, 0.5, 1, 5, 15, 60, 300, 1800, 7200, 43200, 172800),
)
ACKNOWLEDGED: Final = Histogram(
    "contact_acknowledgement_seconds",
    "From our edge to the acknowledgement's acceptance by the mail server or provider; the promise is 172800",
    buckets=(1, 5, 15, 60, 300, 1800, 7200, 43200, 86400, 172800, 345600),
)
BOUNCES: Final = Counter(
    "bounces_total",
    "What mail systems sent back: failed, delayed or delivered mail of ours, or unproved where nothing shows that it was ours",
    ["outcome"],
)
SCANNED: Final = Counter("files_scanned_total", "Files by what the virus scan said of them", ["verdict"])
LAG: Final = Gauge("log_lag_records", "Records not yet settled", ["topic"])
MEASURED: Final = Gauge(
    "duties_last_success_timestamp_seconds",
    "When the router last looked at what is due and how things stand; what it then measured is as old",
)
RETENTION: Final = Gauge("log_retention_seconds", "How long the settings have the log keep a record that every reader has had")
LAST_BATCH: Final = Gauge("router_last_success_timestamp_seconds", "When the router last committed a batch; 0 before the first")
DEAD_LETTERS: Final = Gauge("dead_letters_open", "Dead letters that nobody has replayed or discarded")
SENDS: Final = Counter("outgoing_total", "Messages by kind and what became of them", ["kind", "state"])
TEXT_PARTS: Final = Counter(
    "sms_parts_total", "Parts of text messages that a provider has taken from us, which is what it charges", ["account"]
)
HELD: Final = Gauge("outgoing_held", "Messages that wait for a person to release them")
SENDING_STOPPED: Final = Gauge(
    "outgoing_stopped", "1 while nothing is sent to the public: by mode, by hand or by the burst limit"
)
TASKS: Final = Gauge("tasks_unclaimed", "Tasks that nobody has claimed", ["kind"])
TASKS_OLDEST: Final = Gauge(
    "tasks_oldest_unclaimed_timestamp_seconds",
    "When the oldest task that nobody has claimed was raised; 0 where none waits",
    ["kind"],
)
HANDOFFS_OVERDUE: Final = Gauge("handoffs_overdue", "Handoffs that a team has not taken or returned in time", ["team"])
UNALLOCATED: Final = Gauge("social_unallocated", "Posts on social media that wait to be allocated")
UNALLOCATED_OLDEST: Final = Gauge(
    "social_oldest_unallocated_timestamp_seconds", "When the oldest of them reached our edge; 0 where none waits"
)
LATE: Final = Gauge(
    "acknowledgements_overdue", "Acknowledgements owed for longer than the promise, letters and calls among them"
)
DUE_SOON: Final = Gauge("acknowledgements_due_soon", "Acknowledgements owed that are due within warn_before")
EARLIEST_DUE: Final = Gauge(
    "acknowledgement_earliest_due_timestamp_seconds",
    "When the first of those that are owed is or was due; 0 where none is owed",
)
MAIL_POLLED: Final = Gauge(
    "email_last_success_timestamp_seconds", "When a mailbox was last looked at without fault", ["account"]
)
MAIL_WAITING: Final = Gauge("email_unsettled", "Messages in the mailbox that are not yet taken in", ["account"])
MAIL_LAST: Final = Gauge(
    "email_last_mail_timestamp_seconds", "When the newest mail was taken in; 0 where none ever was", ["account"]
)
MAIL_UNACCOUNTED: Final = Gauge(
    "email_unaccounted",
    "Messages in the mailbox that are neither taken in nor waiting to be; anything but 0 is an alarm",
    ["account"],
)
MAIL_CANARY: Final = Gauge(
    "email_canary_timestamp_seconds",
    "When the newest mail to ourselves that came all the way round was sent; 0 before the first",
    ["account"],
)
SMS_ASKED: Final = Gauge(
    "sms_last_success_timestamp_seconds", "When a provider last told without fault which texts it has for us", ["account"]
)
SMS_LAST: Final = Gauge("sms_last_text_timestamp_seconds", "When the newest text was received; 0 before the first", ["account"])
REQUESTS: Final = Histogram(
    "web_request_seconds",
    "Requests to the public port, by the route's own path (none where no route has it), method and answer",
    ["route", "method", "status"],
    buckets=(0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 20),
)
REQUESTS_IN_HAND: Final = Gauge("web_requests_in_hand", "Requests to the public port that are not yet answered")
UNACCOUNTED: Final = Gauge(
    "ledger_unaccounted", "Contacts received and in no disposition, dead letter or queue; anything but 0 is an alarm"
)
AUDIT_SEALED: Final = Gauge("audit_sealed_entries", "Audit entries in the tree")
RETENTION_APPLIES: Final = Gauge("retention_applies", "1 where the router removes once a day what is past its time")
RETENTION_DUE: Final = Gauge(
    "retention_due", "Things past their time that nothing keeps, when they were last counted", ["kind"]
)
RETENTION_REMOVED: Final = Counter("retention_removed_total", "Things removed because their time was over", ["kind"])
RETENTION_LAST: Final = Gauge(
    "retention_last_success_timestamp_seconds", "When all that was past its time had last been removed; 0 before the first time"
)
REWOUND: Final = Counter(
    "log_rewound_total", "Times a topic did not hold the register's position and was read again from the earliest", ["topic"]
)
SPOOL_OLDEST: Final = Gauge(
    "contact_spool_oldest_timestamp_seconds",
    "When the oldest contact that waits on this process's disk for Kafka was accepted; 0 where none waits",
)
SPOOLED_RECORDS: Final = Gauge("contact_spooled_records", "Contacts that wait on this process's disk for Kafka")
SPOOLED_BYTES: Final = Gauge("contact_spooled_bytes", "Their size")
DISK_SIZE: Final = Gauge("disk_size_bytes", "How large the disk is that this process keeps something on", ["kept"])
DISK_FREE: Final = Gauge("disk_free_bytes", "What is left of it for this process", ["kept"])
CERTIFICATE_END: Final = Gauge(
    "certificate_end_timestamp_seconds",
    "When the first of the certificates in a file that the settings name is good no longer; 0 where it cannot be read",
    ["key"],
)
BUILD: Final = Info("contact_ingest_build", "Which release is running")

BUILD.info({"version": version("contact-ingest")})

Telemetry = structlog.stdlib.BoundLogger
_MOST_PLACES: Final = 20


def telemetry(room: str) -> Telemetry:
    """A writer of diagnostics for one room. Pass ids, counts and reasons; never a contact's words or addresses."""
    return structlog.get_logger(room=room)


_say: Final = telemetry("telemetry")


def write_lines(stream: TextIO | None = None) -> None:
    """One JSON object a line, on standard output where no other stream is named; what libraries say of themselves among them."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            _without_words,
            structlog.processors.JSONRenderer(ensure_ascii=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(stream or sys.stdout),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[_Libraries()], level=logging.WARNING, force=True)
    logging.captureWarnings(capture=True)


def guard() -> None:
    """Have what nobody caught, in a thread or while something is let go of, told by ``not_foreseen``: Python itself would print its words."""
    threading.excepthook = lambda told: not_foreseen(told.exc_value)
    sys.unraisablehook = lambda told: not_foreseen(told.exc_value)


def not_foreseen(error: BaseException | None) -> None:
    """A line on an exception that nobody caught; on standard error where no lines are written."""
    told = {} if error is None else what_broke(error)
    if structlog.is_configured():
        _say.critical("not-foreseen", **told)
    else:
        print("This was not foreseen. What it was is not said, since it may be somebody's words:", dumps(told), file=sys.stderr)  # noqa: T201


def what_broke(error: BaseException) -> dict[str, Any]:
    """Of which kind an exception is, and where it was raised: not what it says, which may be somebody's words, nor with which values."""
    places = [f"{each.filename}:{each.lineno}" for each in extract_tb(error.__traceback__)]
    told: dict[str, Any] = {"error": type(error).__name__, "where": places[-_MOST_PLACES:]}
    if isinstance(error, BaseExceptionGroup):
        within = cast(tuple[BaseException, ...], error.exceptions)
        told["errors"] = [what_broke(each) for each in within[:_MOST_PLACES]]
    if (cause := error.__cause__ or error.__context__) is not None:
        told["because"] = type(cause).__name__
    return told


class _Libraries(logging.Handler):
    """What libraries say of themselves: which, and where in it. Their words have in them whatever they stumbled on."""

    def emit(self, record: logging.LogRecord) -> None:
        """As a line of ours."""
        broke = what_broke(record.exc_info[1]) if record.exc_info and record.exc_info[1] else {}
        told = {"library": record.name, "place": f"{record.pathname}:{record.lineno}", **broke}
        _say.log(max(record.levelno, logging.INFO), "library", **told)


def _without_words(_: Any, __: str, line: EventDict) -> EventDict:
    """An exception that is passed along is told as ``what_broke`` tells it."""
    error: Any = line.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    return {**line, **what_broke(error)} if isinstance(error, BaseException) else line


def catalogue() -> list[tuple[str, str, str]]:
    """Name, kind and meaning of every metric of ours."""
    ours = (metric for metric in globals().values() if isinstance(metric, Counter | Gauge | Histogram | Info))
    described = (family for metric in ours for family in metric.describe())
    return sorted(
        (each.name + ("_total" if each.type == "counter" else ""), each.type, each.documentation) for each in described
    )


__all__ = ["REGISTRY", "Telemetry", "catalogue", "guard", "not_foreseen", "telemetry", "what_broke", "write_lines"]
