"""What a reasonable adjustment asks of a message of ours: which ways break it, and what whoever reaches them by hand must keep to.

Pure. The table is written out for people in docs/operations.md, with why. What goes by itself is plain text: it has no size of type, is
neither Braille nor a recording, and its words are not Easy Read.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Need:
    """``breaks`` are the methods by which a plain message breaks it; ``wished`` says that one they have asked for or agreed does not.

    ``only`` is the one method it leaves. ``by_hand`` follows "A person …".
    """

    by_hand: str
    breaks: frozenset[str] = frozenset()
    wished: bool = False
    only: str | None = None


_PLAIN: Final = frozenset({"email", "sms"})
NEEDS: Final = {
    "large_print": Need("writes in large print", _PLAIN, wished=True),
    "braille": Need("writes in Braille", _PLAIN, wished=True),
    "audio": Need("sends a recording", _PLAIN, wished=True),
    "easy_read": Need("writes in Easy Read", _PLAIN),
    "phone_only": Need("rings them and writes nothing", only="telephone"),
    "post_only": Need("writes by post and does not ring", only="letter"),
    "email_only": Need("writes by email and does not ring", only="email"),
    "no_phone": Need("does not ring them"),
    "text_relay": Need("rings them by text relay"),
    "bsl_interpreter": Need("has a BSL interpreter to talk with them"),
    "spoken_interpreter": Need("has an interpreter to talk with them"),
    "welsh": Need("writes in Welsh"),
    "screen_reader": Need("sends what a screen reader can read"),
    "extra_time": Need("gives them more time"),
    "advocate_or_representative": Need("asks whether somebody speaks for them"),
}  # fmt: skip


def broken_by(method: str, needs: Iterable[str], wished: Collection[str]) -> str | None:
    """The first of the needs that a plain message by that method would break; ``wished`` are methods they have asked for or agreed."""
    return next(
        (
            each
            for each in needs
            if (need := NEEDS.get(each)) and method in need.breaks and not (need.wished and method in wished)
        ),
        None,
    )


def ruled_out(needs: Iterable[str]) -> frozenset[str]:
    """The methods that are not to be used at all: all but those that some need leaves as the only ones, and the telephone where so said."""
    needs = tuple(needs)
    only = {need.only for each in needs if (need := NEEDS.get(each)) and need.only}
    others = {"email", "sms", "telephone", "letter"} - only if only else set[str]()
    return frozenset(others | ({"telephone"} if "no_phone" in needs else set[str]()))


def by_hand(needs: Iterable[str]) -> str | None:
    """A sentence for whoever reaches them by hand, with none of their words: what they said in others than ours is with the contact."""
    said = list(dict.fromkeys(NEEDS[each].by_hand if each in NEEDS else "sees what else they ask for" for each in needs))
    return f"A person {', '.join(said[:-1])}{' and ' if said[1:] else ''}{said[-1]}." if said else None
