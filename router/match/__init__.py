"""Who wrote this contact? Compares it with candidates from the register and says how sure it is.

Pure: values in, a value out. Comparisons stand at levels and are weighed in bits; the posterior is over the whole register, so two
near-equal candidates lower each other. Above it stands DESIGN promise 3: identity has four independent groups (person, address,
phone, email), a match made without a person needs the person and one more, what several people share counts for nothing, and a
case reference or a claimed address is never proof. See docs/matching.md for what it gets wrong.
"""

from router.match.decision import Ambiguous, Candidate, Evidence, Matched, MatchResult, Query, Unmatched, match
from router.match.settling import settles

__all__ = [
    "Ambiguous",
    "Candidate",
    "Evidence",
    "MatchResult",
    "Matched",
    "Query",
    "Unmatched",
    "match",
    "settles",
]
