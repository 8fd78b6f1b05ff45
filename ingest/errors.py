"""What can go wrong, named by what the caller must do.

IngestError
├── Refused         the sender can mend it: say what and how; nothing was kept
├── Unreadable      accepted, cannot be understood: keep the original, dead-letter it with its reason
├── Unavailable     something we lean on is away: the same thing again, later
├── Misconfigured   an operator can mend it: the start is refused and the key named
└── Halted          going on would do harm: stop, and say what a person must look at

``reason`` is a stable word for machines, the message a sentence for people.
"""


class IngestError(Exception):
    """The root; never raised itself."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.sentence = sentence


class Refused(IngestError):
    """The sender can mend it."""


class Unreadable(IngestError):
    """It was accepted and cannot be understood."""


class Unavailable(IngestError):
    """Something we lean on is away for now."""


class Misconfigured(IngestError):
    """A setting is wrong; ``reason`` is its dotted key."""


class Halted(IngestError):
    """A person must look before the work goes on."""
