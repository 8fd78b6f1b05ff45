"""The table of docs/deciding.md is the rules as they stand, in order."""

from pathlib import Path

from router.decide import RULES, HandOff, HoldForReview, Rule, Situation
from router.match import Unmatched
from router.read import Outcome, Reading
from tests.router.test_decide import CONTACT, TODAY

PAGE = Path(__file__).parents[2] / "docs" / "deciding.md"
HEAD = ("| | rule | it applies where | it makes | from |", "| --- | --- | --- | --- | --- |")
ANY = Situation(CONTACT, Reading(Outcome.REVIEW, 0.5), Unmatched("nobody"), TODAY)


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
