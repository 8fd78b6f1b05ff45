"""The table of docs/deciding.md is the rules as they stand, in order."""

from datetime import date
from pathlib import Path
from uuid import UUID

from ingest.contract import Contact
from router.decide import RULES, HandOff, HoldForReview, Rule, Situation
from router.match import Unmatched
from router.read import Outcome, Reading

PAGE = Path(__file__).parents[2] / "docs" / "deciding.md"
HEAD = ("| | rule | it applies where | it makes | from |", "| --- | --- | --- | --- | --- |")
ANY = Situation(
    Contact(
        id=UUID(int=1),
        source="urn:contact-ingest:email:care",
        channel="email",
        account="care",
        received_at="2026-03-02T09:30:00Z",  # type: ignore[arg-type]
        text="words",
        full_text="words",
        original="0" * 64,
    ),
    Reading(Outcome.REVIEW, 0.5),
    Unmatched("nobody"),
    date(2026, 3, 2),
)


def row(number: int, rule: Rule) -> str:
    made = rule.becomes(ANY)
    kind = f"`{type(made).__name__}`"
    if isinstance(made, HandOff):
        kind = f"`HandOff` to {made.team.value}"
    if isinstance(made, HoldForReview) and made.seems_spam:
        kind += ", on the daily list"
    if isinstance(made, HoldForReview) and made.kind.value == "allocation":
        kind += " until it is allocated"
    return f"| {number} | `{rule.name}` v{rule.version} | {rule.when} | {kind} | {rule.source} |"


def test_the_page_shows_every_rule_in_order_as_it_stands():
    table = "\n".join((*HEAD, *(row(number, rule) for number, rule in enumerate(RULES, 1))))
    assert table in PAGE.read_text(encoding="utf-8"), f"docs/deciding.md should have this table:\n{table}"
