"""What the register holds of a person and of a case, as values that deciding may use."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class PartyView:
    """Somebody's part in a case. ``authority`` is none, claimed or seen; ``until`` is when it ends."""

    individual_id: str
    role: str
    authority: str
    until: date | None = None


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case as the register holds it."""

    reference: str
    status: str
    stage: str | None = None
    organisation: str | None = None
    owner_email: str | None = None
    owner_active: bool = True
    team_mailbox: str | None = None
    decided_on: date | None = None
    comments_due: date | None = None
    parties: tuple[PartyView, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether it is still worked on."""
        return self.status == "open"


@dataclass(frozen=True, slots=True)
class IndividualView:
    """A person as the register holds them, together with whoever was merged into them (``also``)."""

    individual_id: str
    name: str | None
    address: str | None = None
    emails: tuple[str, ...] = ()
    language: str | None = None
    adjustments: tuple[str, ...] = ()
    agreed_methods: tuple[str, ...] = ()
    forbidden_methods: tuple[str, ...] = ()
    safe_contact_note: str | None = None
    arrangement: str | None = None
    died_on: date | None = None
    cases: tuple[str, ...] = ()
    written_before: bool = False
    also: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
