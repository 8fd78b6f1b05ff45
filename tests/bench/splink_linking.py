"""Splink, linking contacts to a register: one by one and many at once, to be held against our own search and match."""

import logging
import statistics
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import duckdb
import pyarrow as pa
import splink.comparison_library as compare
from splink import Linker, SettingsCreator, block_on
from splink.backends.duckdb import DuckDBAPI

from ingest.contract import as_date, canonical_email, canonical_phone, canonical_postcode

_ALONE: Final = 10  # contacts that are asked for one by one
_PAIRS: Final = 200_000  # by which it estimates what strangers have in common

# What its blocking has in common with router.match.keys, as far as it goes without making anything of the cells.
_RULES: Final = (
    block_on("email"),
    block_on("phone"),
    block_on("surname", "given_name"),
    block_on("postcode", "substr(given_name, 1, 1)"),
    block_on("date_of_birth", "surname"),
    block_on("date_of_birth", "given_name"),
    block_on("surname", "town"),
)


def linked(register: Sequence[Mapping[str, str]], contacts: Sequence[Mapping[str, str]]) -> tuple[float, float]:
    """Seconds of wall time for one contact (the median of some), and for all of them at once; from cells to scored pairs.

    It is given the register ready, and what it has learnt of it; that takes no part in the time.
    """
    logging.getLogger("splink").setLevel(logging.ERROR)
    settings = SettingsCreator(
        link_type="link_only",
        comparisons=[
            compare.JaroWinklerAtThresholds("given_name", [0.92, 0.82]),
            compare.JaroWinklerAtThresholds("surname", [0.93, 0.85]),
            compare.LevenshteinAtThresholds("date_of_birth", [1]),
            compare.ExactMatch("postcode"),
            compare.ExactMatch("address"),
            compare.LevenshteinAtThresholds("email", [1]),
            compare.LevenshteinAtThresholds("phone", [1]),
        ],
        blocking_rules_to_generate_predictions=list(_RULES),
    )
    api = DuckDBAPI(connection=duckdb.connect())
    held = api.register(_table(register, "register"), dataset_display_name="register")
    linker = Linker(
        [held, api.register(_table(contacts, "contacts"), dataset_display_name="contacts")], settings, log_level="ERROR"
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=_PAIRS, seed=1)

    def seconds(some: Sequence[Mapping[str, str]], name: str) -> float:
        began = time.perf_counter()
        theirs = api.register(_table(some, "contacts"), dataset_display_name=name)
        linker.inference.predict_between(held, theirs).as_pyarrow_table()
        return time.perf_counter() - began

    return statistics.median(seconds([each], f"one_{at}") for at, each in enumerate(contacts[:_ALONE])), seconds(
        contacts, "many"
    )


def _table(some: Sequence[Mapping[str, str]], source: str) -> Any:
    """A contact's cells as Splink takes them, in canonical form."""

    def row(number: int, cells: Mapping[str, str]) -> dict[str, Any]:
        born = as_date(cells["date_of_birth"])
        return {
            "source_dataset": source,
            "unique_id": str(number),
            "given_name": cells["given_name"].casefold() or None,
            "surname": cells["surname"].casefold() or None,
            "date_of_birth": born.isoformat() if born else None,
            "postcode": canonical_postcode(cells["postcode"]) or None,
            "address": cells["address_1"].casefold() or None,
            "town": cells["town"].casefold() or None,
            "email": canonical_email(cells["email"]) or None,
            "phone": canonical_phone(cells["phone"]) or None,
        }

    columns = (
        "source_dataset",
        "unique_id",
        "given_name",
        "surname",
        "date_of_birth",
        "postcode",
        "address",
        "town",
        "email",
        "phone",
    )
    schema = pa.schema([(name, pa.string()) for name in columns])
    return pa.Table.from_pylist([row(at, each) for at, each in enumerate(some)], schema=schema)
