"""``ingest export``: all that is held on an individual, in a folder, for whoever asked to see what we hold on them."""

from collections import Counter
from datetime import date
from json import dumps
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from ingest.commands.terminal import Config, bar, fail, open_database, run_async, say, settings, table
from ingest.contract import Contact
from ingest.durable import make_folder
from ingest.errors import Unreadable
from ingest.originals import Originals

_READ_ME: Final = """\
What the contact-ingest service holds on {who}, taken out on {at}.

register.jsonl   each row of each table that is about them or about a contact of theirs, one JSON object a line
originals/       each contact as it came, and each file that came with it, as REFERENCE and its name

Before it is handed over, a person must read it: other people may be named in it, and what they said in confidence is theirs
(Data Protection Act 2018, Schedule 2, paragraph 16). What the case system, the mail servers and backups hold is not in it.
{wanting}"""


def command(
    individual: Annotated[str, typer.Argument(metavar="INDIVIDUAL_ID", help="As `ingest register search` shows it.")],
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to write it; it must not be there yet.")],
    config: Config = None,
) -> None:
    """Write down all that is held on an individual: the register's rows, their contacts as they came, what was decided, sent and noted.

    For a subject access request. Nothing is changed. Run it where the originals can be read; nothing is sent anywhere.
    """
    if folder.exists():
        fail(f"{folder} is there already: name a folder that is not, so that nothing of somebody else's is among it.", 2)
    found, wanting = run_async(_export(individual, folder, config))
    table(f"Held on {individual}", ("Table", "Rows"), sorted(found.items()), json=False)
    say(f"Written to {folder}. Read READ-ME.txt there before anything is handed over.")
    if wanting:
        fail(f"{len(wanting)} originals could not be had; READ-ME.txt names them.")


async def _export(individual: str, folder: Path, config: Path | None) -> tuple[Counter[str], list[str]]:
    from ingest.clock import now
    from router.holdings import contacts_of, holdings, who

    chosen = settings(config)
    originals = Originals(chosen.originals.url, chosen.originals)
    database = open_database(chosen)
    found: Counter[str] = Counter()
    wanting: list[str] = []
    try:
        async with database.read() as connection:
            people = await who(connection, individual)
            contacts = await contacts_of(connection, people)
            _make(folder)
            with (folder / "register.jsonl").open("x", encoding="utf-8") as lines, bar("Contacts", len(contacts)) as advance:
                async for name, rows in holdings(connection, people, contacts):
                    found[name] += len(rows)
                    lines.writelines(f"{dumps({'table': name, **row}, default=_plain, ensure_ascii=False)}\n" for row in rows)
                    if name == "contacts":
                        for row in rows:
                            wanting += await _originals(originals, row, folder / "originals")
                            advance(1)
        missing = "\nNot to be had:\n" + "".join(f"  {each}\n" for each in wanting) if wanting else ""
        (folder / "READ-ME.txt").write_text(_READ_ME.format(who=", ".join(people), at=f"{now():%d %B %Y}", wanting=missing))
    finally:
        await database.close()
    return found, wanting


def _make(folder: Path) -> None:
    """For nobody else's eyes."""
    make_folder(folder / "originals")
    folder.chmod(0o700)


async def _originals(originals: Originals, row: dict[str, Any], folder: Path) -> list[str]:
    """Write a contact's original and files; which of them could not be had, and why."""
    contact, wanting = Contact.model_validate_json(row["body"]), list[str]()
    if row["stripped_at"] is not None:
        return []  # there is nothing to be had: their time was over, and the row says since when
    files = [(contact.original, "original"), *((each.digest, each.name) for each in contact.attachments)]
    for number, (digest, name) in enumerate(files):
        # The name is theirs and is a label; no part of it becomes a place.
        place = folder / f"{row['reference']}-{row['id'].hex[-6:]}-{number}-{Path(name).name[-100:]}"
        try:
            place.write_bytes(await originals.get(digest))
        except KeyError:
            wanting.append(f"{row['reference']}: {name} ({digest}) is not among the originals")
        except Unreadable as error:
            wanting.append(f"{row['reference']}: {name}: {error.sentence}")
    return wanting


def _plain(value: object) -> str:
    match value:
        case bytes():
            return value.decode(errors="replace")
        case date():
            return value.isoformat()
        case _:
            return str(value)
