"""Who wrote this contact? Compares it with candidates from the register and says how sure it is.

Pure: values in, a value out. Identity has four independent groups: person (name, birth date), address, phone and email. A
match made without a person needs two of them, one being person, or one verified identifier with the person agreeing; what
several people share counts for nothing; a case reference, a References header or a claimed address is never proof (DESIGN
promise 3).
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
