"""What a contact says of who writes, as matching compares it."""

from dataclasses import replace

from ingest.contract import DeclaredFacts, Identifier, Person
from router.match import Ambiguous
from router.match.weights import shipped
from router.opening import reading_of
from router.register import tables
from router.writer import query_of


def test_what_somebody_declares_of_themselves_is_compared_and_is_no_proof(contact, house):
    about = contact(
        declared=DeclaredFacts(
            name="Joan Pettifer", email="Joan@Example.com", phone="01632 960114", postcode="de80 4pt", date_of_birth="1950-02-01",
            address=("14 Quarry Lane", "Sandholt"), case_reference="C-2034655",
        ),
    )  # fmt: skip
    query = query_of(about, reading_of(about, house))
    assert query.names == ("Joan Pettifer",)
    assert (query.emails, query.phones) == (("jo@example.com", "joan@example.com"), ("+441632960114",))
    assert (query.postcodes, query.address) == (("DE80 4PT",), "14 Quarry Lane, Sandholt")
    assert str(query.date_of_birth) == "1950-02-01"
    assert query.case_references == ("C-2034655",)
    assert (query.verified_emails, query.verified_phones) == (frozenset(), frozenset())


def test_of_somebody_who_writes_for_another_only_the_writer_is_compared(contact, house):
    mother = Person(
        name="Gwen Prosser", identifiers=(Identifier(kind="email", given="gwen@example.com", canonical="gwen@example.com"),)
    )
    about = contact(
        "My mother is Gwen Prosser, date of birth: 3 March 1931, NR40 8TE. Her phone is 01632 960111.\n\nGwen Prosser",
        sender="sian@example.com", name="Siân Prosser", on_behalf_of=mother, declared=DeclaredFacts(name="Siân Prosser"),
    )  # fmt: skip
    query = query_of(about, reading_of(about, house))
    assert (query.names, query.emails) == (("Siân Prosser",), ("sian@example.com",))
    assert (query.phones, query.postcodes, query.date_of_birth) == ((), (), None)


async def test_all_that_decides_weighs_by_the_houses_own_weights_and_the_audit_trail_has_their_version(
    contact, append, route, worker, person, house, rows
):
    worker.house = replace(house, weights=replace(shipped(), version="ours", automatic=0.99999999999))
    await person()
    about = contact("Your service was rude.", name="Joan Pettifer", sender="joan@example.com")
    await append(about)
    await route()
    (decided,) = await rows(tables.audit, tables.audit.c.action == "decided")
    assert decided.evidence["weights"] == "ours"
    assert decided.evidence["match"] == Ambiguous.__name__
