"""One contact in a file, as the router would take it off the log: held to the contract, and to what its publisher may say."""

from pathlib import Path
from typing import TYPE_CHECKING, cast

from ingest.commands.terminal import fail
from ingest.commands.validate import line_of, tell
from ingest.contract import Contact
from ingest.settings import Settings

if TYPE_CHECKING:
    from router.consequences import House
    from router.opening import Readable


def contact_in(file: Path) -> Contact:
    """The contact that a file holds as JSON, or the end, with what is wrong with it."""
    line = line_of(1, file.read_bytes().removeprefix(b"\xef\xbb\xbf").strip())
    if line.contact is None:
        tell(line, json=False)
        fail(f"{file} holds no contact.", 1)
    return line.contact


def as_published(contact: Contact, chosen: Settings, house: "House") -> "Readable":
    """As the router would read it, or the end where it would be a dead letter."""
    from ingest.receive import record_of
    from router.opening import Terms, Unopened, opened

    key = chosen.own_key
    (found,) = opened([record_of(contact, key)], Terms(chosen.publishers, key, house))
    if isinstance(found, Unopened):
        fail(f"It would be a dead letter ({found.reason}). {found.sentence}")
    return cast("Readable", found)  # of this release's own version
