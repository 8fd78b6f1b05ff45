"""What an operator may choose of the online form."""

from datetime import timedelta

from pydantic import Field

from ingest.settings import Mailbox, Section, Span


class FormAccount(Section):
    """``[channels.web_form.NAME]``: the online form, on [web] public. There is one; how we sign and what we promise is [acknowledgement]'s."""

    contact: Mailbox
    """What people write to instead of the form, and about its accessibility and their privacy."""
    review_within: str = "3 months"
    """Within what time of a decision a review is asked for, in English."""
    review_within_cy: str = "3 mis"
    """The same, in Welsh."""
    draft_kept_for: Span = timedelta(hours=24)
    """How long answers wait, encrypted, after the last of them, and how long a person can see their reference again."""
    quickest: Span = timedelta(seconds=10)
    """What is filled in sooner is a program's, as far as we can tell: a person looks before anything becomes of it."""
    most_an_hour: int = Field(default=60, ge=1)
    """Forms sent from one address in an hour; past it the next has to wait, with its answers kept. Many people may share one."""
