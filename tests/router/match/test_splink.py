"""A model that Splink trained weighs every pair here as it does there; what cannot be weighed so is refused."""

import json
import random
from copy import deepcopy
from typing import Any

import duckdb
import pyarrow as pa
import pytest
import splink.comparison_library as compare
from splink import Linker, SettingsCreator, block_on
from splink.backends.duckdb import DuckDBAPI

from router.match.splink import SplinkModel, UnknownModel, as_weights, parse
from router.match.weights import COMPARISONS, read, shipped, written

FORENAMES = [
    "Joan",
    "Arthur",
    "Ruth",
    "Imran",
    "Dilys",
    "Kevin",
    "Agnes",
    "Tomasz",
    "Mei",
    "Gareth",
    "Nkechi",
    "Siân",
    "Peter",
    "Paula",
    "Owen",
]
SURNAMES = [
    "Pettifer",
    "Abernethy",
    "Khan",
    "Evans",
    "Smith",
    "Smyth",
    "Jones",
    "Okafor",
    "Kowalski",
    "Chan",
    "Ashcroft",
    "Bell",
    "Bellamy",
    "Price",
    "Pryce",
]
TOWNS = ["Leeds", "Cardiff", "Wrexham", "York", "Luton"]


def records(number: int) -> list[dict[str, Any]]:
    """People who share names, each sometimes there twice with an error or a gap."""
    dice = random.Random(20_061)
    made: list[dict[str, Any]] = []
    for _ in range(number):
        first, last = dice.choice(FORENAMES), dice.choice(SURNAMES)
        born = f"19{dice.randrange(30, 99)}-{dice.randrange(1, 13):02}-{dice.randrange(1, 29):02}"
        person: dict[str, str | None] = {
            "first_name": first,
            "surname": last,
            "dob": born,
            "town": dice.choice(TOWNS),
            "email": None,
        }
        person["email"] = f"{first.lower()}.{last.lower()}{dice.randrange(40)}@example.org"
        made.append(person)
        if dice.random() < 0.6:
            again = dict(person)
            for column in dice.sample(["first_name", "surname", "dob", "town", "email"], 2):
                again[column] = dice.choice([None, slipped(dice, again[column]), slipped(dice, slipped(dice, again[column]))])
            made.append(again)
    return [{"unique_id": place, **each} for place, each in enumerate(made)]


def slipped(dice: random.Random, word: str | None) -> str:
    """One letter dropped or another."""
    assert word
    at = dice.randrange(len(word))
    return word[:at] + dice.choice(["", "a", "e", "n"]) + word[at + 1 :]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[dict[str, Any]]]:
    """A model's file, and pairs as Splink itself scored them."""
    file = tmp_path_factory.mktemp("splink") / "model.json"
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[
            compare.NameComparison("first_name"),
            compare.JaroWinklerAtThresholds("surname").configure(term_frequency_adjustments=True),
            compare.LevenshteinAtThresholds("dob"),
            compare.ExactMatch("town").configure(term_frequency_adjustments=True),
            compare.EmailComparison("email"),
        ],
        blocking_rules_to_generate_predictions=[block_on("surname"), block_on("first_name")],
        retain_intermediate_calculation_columns=True,
    )
    api = DuckDBAPI(connection=duckdb.connect())
    linker = Linker(api.register(pa.Table.from_pylist(records(600))), settings, log_level="ERROR")
    linker.training.estimate_probability_two_random_records_match([block_on("email")], recall=0.6)
    linker.training.estimate_u_using_random_sampling(max_pairs=200_000, seed=1)
    for rule in (block_on("dob"), block_on("email")):
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
    linker.misc.save_model_to_json(str(file), overwrite=True)
    scored = linker.inference.predict(threshold_match_weight=-1_000)
    return file.read_text(), scored.as_record_list()


def test_a_model_weighs_five_thousand_pairs_as_splink_itself_does(trained: tuple[str, list[dict[str, Any]]]):
    told, pairs = trained
    model = parse(told)
    assert len(pairs) >= 5_000
    names = [each.name for each in model.comparisons]
    apart = [abs(weighed(model, names, pair) - pair["match_weight"]) for pair in pairs]
    assert max(apart) < 1e-9
    assert len({pair["match_weight"] for pair in pairs}) > 100
    assert any(pair["mw_tf_adj_surname"] for pair in pairs)


def weighed(model: SplinkModel, names: list[str], pair: dict[str, Any]) -> float:
    frequencies = {
        name: max(known)
        for name in names
        if (known := [pair[side] for side in (f"tf_{name}_l", f"tf_{name}_r") if pair.get(side) is not None])
    }
    return model.weight({name: pair[f"gamma_{name}"] for name in names}, frequencies)


LEVELS = [
    {"sql_condition": "a IS NULL", "label_for_charts": "absent", "is_null_level": True},
    {"sql_condition": "a = b", "label_for_charts": "same", "m_probability": 0.9, "u_probability": 0.01},
    {"sql_condition": "ELSE", "label_for_charts": "else", "m_probability": 0.1, "u_probability": 0.99},
]
MODEL: dict[str, Any] = {
    "probability_two_random_records_match": 0.001,
    "comparisons": [{"output_column_name": "surname", "comparison_levels": LEVELS}],
}


def broken(where: tuple[str | int, ...], value: Any) -> str:
    model = deepcopy(MODEL)
    at: Any = model
    for each in where[:-1]:
        at = at[each]
    at[where[-1]] = value
    return json.dumps(model)


_FIRST = ("comparisons", 0, "comparison_levels", 1)


@pytest.mark.parametrize(
    ("told", "because"),
    [
        ("{", "the file"),
        ("[]", "the file"),
        (broken(("comparisons",), []), "comparisons"),
        (broken(("probability_two_random_records_match",), 1), "probability_two_random_records_match"),
        (broken((*_FIRST, "m_probability"), None), "Train the model to the end"),
        (broken((*_FIRST, "u_probability"), 0), "u_probability"),
        (broken((*_FIRST, "a_way_of_2031"), 1), "a_way_of_2031"),
        (broken(("comparisons", 0, "comparison_levels"), [LEVELS[0], LEVELS[0]]), "no level"),
        (broken(("comparisons",), MODEL["comparisons"] * 2), "one output_column_name"),
        (
            broken(("comparisons", 0, "comparison_levels"), [*LEVELS[:2], {**LEVELS[2], "tf_adjustment_column": "surname"}]),
            "likest",
        ),
        (" " * 1_000_001, "longer than"),
    ],
)
def test_what_cannot_be_weighed_as_splink_would_is_refused_and_says_why(told: str, because: str):
    with pytest.raises(UnknownModel, match=because):
        parse(told)


def test_a_level_is_known_by_its_place_and_its_sql_is_not_read():
    model = parse(broken((*_FIRST, "sql_condition"), "(("))
    assert model.weight({"surname": 1}, {}) - model.weight({"surname": -1}, {}) == pytest.approx(6.4918531)
    assert model.weight({"surname": 0}, {}) < model.weight({"surname": -1}, {})


def ours(comparison: str, **changed: Any) -> dict[str, Any]:
    """A comparison of a model with our names, its levels half as frequent each as the one before."""
    levels = [
        {"label_for_charts": name, "sql_condition": "?", "m_probability": 0.5**at, "u_probability": 0.001 * 2**at}
        for at, name in enumerate(COMPARISONS[comparison], 1)
    ]
    return {"output_column_name": comparison, "comparison_levels": [LEVELS[0], *levels], **changed}


def told(*comparisons: dict[str, Any]) -> str:
    return json.dumps({**MODEL, "comparisons": comparisons})


def test_a_model_with_our_names_becomes_weights_and_what_it_does_not_know_stays_as_shipped():
    base = shipped()
    made = as_weights(parse(told(ours("surname"), ours("email"))), base)
    assert made.version.startswith("splink-")
    assert (made.comparisons["surname"]["exact"].m, made.comparisons["surname"]["exact"].u) == (0.5, 0.002)
    assert made.comparisons["forename"] == base.comparisons["forename"]
    email = made.comparisons["email"]["exact"]
    assert (email.m, email.u, email.each) == (0.5, base.comparisons["email"]["exact"].u, True)
    assert made.registered == base.registered
    assert written(read(written(made))) == written(made)


@pytest.mark.parametrize(
    ("comparisons", "because"),
    [
        (
            (ours("surname"), ours("email", output_column_name="shoe size")),
            "no comparison shoe size. Known are forename, surname",
        ),
        ((ours("surname", comparison_levels=LEVELS),), "surname has the levels same, else. They must be, in this order, exact"),
    ],
)
def test_a_comparison_or_a_level_that_is_not_known_is_refused_with_those_that_are(comparisons: Any, because: str):
    with pytest.raises(UnknownModel, match=because):
        as_weights(parse(told(*comparisons)), shipped())
