"""``ingest audit``: whether the audit trail is whole, and what it says."""

from json import dumps
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from ingest.commands.terminal import Config, Json, fail, open_database, run_async, say, settings, table, warn
from ingest.errors import Refused

app = typer.Typer(
    help="The audit trail: every action and decision, sealed so that no change goes unseen.", no_args_is_help=True
)


@app.command()
def verify(config: Config = None) -> None:
    """Hold every sealed entry against the Merkle tree (RFC 6962) and each of its heads, those kept in [audit] heads among them.

    Where there are none, keep the root it prints somewhere else: a later run shows that what was there then is still the beginning.
    """

    async def look() -> tuple[Any, list[str], int, str, list[str]]:
        from router.duties import verify_audit
        from router.heads import open_heads

        chosen = settings(config)
        heads = open_heads(chosen.audit, chosen.originals)
        kept, faults = await heads.every() if heads else ([], [])
        database = open_database(chosen)
        try:
            found = await verify_audit(database, kept)
            beyond = await heads.beyond(found.sealed) if heads else []
            return found, faults, len(kept), heads.public_key if heads else "", beyond
        finally:
            await database.close()

    found, unsigned, kept, public_key, beyond = run_async(look())
    if not found.holds or unsigned:
        for fault in (*found.faults, *unsigned):
            say(fault)
        if beyond:
            say(
                f"The trail ends at {found.sealed} entries, and {len(beyond)} heads kept in [audit] heads name more: its end was cut off, or the "
                "register was put back from a copy of before. If you know that it was, write down who did it and why, and move these heads aside, "
                "to keep (docs/operations.md, Putting it back):"
            )
            for place in beyond:
                say(f"  {place}")
        fail("The audit trail does not verify. Stop changing the register, keep a copy of it, and tell whoever answers for it.")
    say(
        f"The audit trail verifies: {found.sealed} entries under {found.heads} heads, and {found.unsealed} more to be sealed.\n"
        f"Root {found.root}"
    )
    if public_key:
        say(f"{kept} signed heads are kept elsewhere and say the same. Whoever checks them needs this key: {public_key}")


@app.command()
def show(
    contact: Annotated[
        str | None,
        typer.Argument(
            metavar="[CONTACT_ID_OR_REFERENCE]", help="Only what was done about this contact; else the latest of all."
        ),
    ] = None,
    most: Annotated[int, typer.Option("--most", min=1, max=10_000, help="So many entries at most, the latest.")] = 200,
    json: Json = False,
    config: Config = None,
) -> None:
    """Print entries of the audit trail in order: what was done, by whom, under which rule, on what evidence."""
    entries = run_async(_entries(contact, most, config))
    rows = [
        (
            each.at,
            each.action,
            each.actor,
            _rule(each),
            each.contact_id,
            each.evidence if json else dumps(each.evidence, ensure_ascii=False),
        )
        for each in entries
    ]
    table("Audit trail", ("At", "Action", "Actor", "Rule", "Contact", "Evidence"), rows, json=json)
    if len(entries) == most:
        warn(f"These are the latest {most}; --most shows more.")


def _rule(entry: Any) -> str | None:
    return f"{entry.rule} v{entry.rule_version}" if entry.rule else None


async def _entries(given: str | None, most: int, config: Path | None) -> list[Any]:
    from router.desk import id_of
    from router.duties import audit_trail
    from router.register import tables

    database = open_database(settings(config))
    try:
        contact_id: UUID | None = None
        if given is not None:
            async with database.read() as connection:
                try:
                    contact_id = await id_of(connection, tables.contacts, given)
                except Refused:
                    contact_id = await id_of(connection, tables.dead_letters, given)
        return list(await audit_trail(database, contact_id, most))
    finally:
        await database.close()
