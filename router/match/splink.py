"""A trained model as Splink writes it (``linker.misc.save_model_to_json``): read, weighed exactly as Splink does, and made weights of.

Levels are known by their place and their declared label, never by their SQL, which is not read. What a model needs beyond that
is refused. Term frequencies are not in the file: whoever weighs a pair gives them.

Source: Splink 5, "Fellegi-Sunter model" and "Term frequency adjustments".
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from router.match import weights as ours
from router.match.weights import COMPARISONS, Weights

_LONGEST: Final = 1_000_000

Probability = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]


class UnknownModel(ValueError):
    """The file is no model that this service can weigh by; says where and why."""


class Level(BaseModel):
    """One way in which two values may agree. ``m`` is how often the same person's do, ``u`` how often two strangers'."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: str = Field(alias="label_for_charts")
    sql: str = Field(alias="sql_condition")
    is_null: bool = Field(alias="is_null_level", default=False)
    m: Probability | None = Field(alias="m_probability", default=None)
    u: Probability | None = Field(alias="u_probability", default=None)
    frequency_of: str | None = Field(alias="tf_adjustment_column", default=None)
    frequency_weight: float = Field(alias="tf_adjustment_weight", default=1.0, ge=0, le=1)
    frequency_least: float = Field(alias="tf_minimum_u_value", default=0.0, ge=0, le=1)
    frequency_by_own_u: bool = Field(alias="disable_tf_exact_match_detection", default=False)
    # How Splink came by m and u, which changes nothing in what they weigh.
    fix_m_probability: bool = False
    fix_u_probability: bool = False

    @property
    def bits(self) -> float:
        """What this level speaks for the pair being one person, before term frequencies."""
        return 0.0 if self.m is None or self.u is None else math.log2(self.m / self.u)


class Comparison(BaseModel):
    """What is compared, and its levels from the likest to the least."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(alias="output_column_name")
    levels: tuple[Level, ...] = Field(alias="comparison_levels", min_length=2, max_length=50)
    description: str = Field(alias="comparison_description", default="")

    @property
    def compared(self) -> tuple[Level, ...]:
        """Without the level of what is absent."""
        return tuple(level for level in self.levels if not level.is_null)

    def level(self, gamma: int) -> Level | None:
        """By Splink's number: the likest has the highest, the least 0, and what is absent -1 (None here)."""
        return None if gamma < 0 else self.compared[len(self.compared) - 1 - gamma]


@dataclass(frozen=True, slots=True)
class SplinkModel:
    """The comparisons, and the prior: how often two records taken at random are one person's."""

    version: str
    prior: float
    comparisons: tuple[Comparison, ...]

    def weight(self, gammas: Mapping[str, int], frequencies: Mapping[str, float]) -> float:
        """The match weight of a pair in bits, as Splink's own ``match_weight``.

        ``gammas`` has the level's number by comparison; ``frequencies`` the greater of both values' frequencies by column.
        """
        bits = math.log2(self.prior / (1 - self.prior))
        for comparison in self.comparisons:
            level = comparison.level(gammas[comparison.name])
            if level is not None:
                bits += level.bits + _by_frequency(comparison, level, frequencies)
        return bits


def _by_frequency(comparison: Comparison, level: Level, frequencies: Mapping[str, float]) -> float:
    """A name that many bear says less than one that few do."""
    frequency = frequencies.get(level.frequency_of) if level.frequency_of else None
    if frequency is None:
        return 0.0
    usual = (level if level.frequency_by_own_u else comparison.compared[0]).u
    return level.frequency_weight * math.log2((usual or 1.0) / max(frequency, level.frequency_least))


class _Settings(BaseModel):
    """What of Splink's settings bears on a weight; the rest says how pairs are found and told, and is ours to do."""

    probability_two_random_records_match: Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]
    comparisons: tuple[Comparison, ...] = Field(min_length=1, max_length=100)


def parse(text: str) -> SplinkModel:
    """The model in a file's text. Raises UnknownModel."""
    if len(text) > _LONGEST:
        raise UnknownModel(f"It is longer than {_LONGEST} characters.")
    try:
        settings = _Settings.model_validate_json(text)
    except ValidationError as error:
        raise UnknownModel("; ".join(_complaints(error))) from error
    for comparison in settings.comparisons:
        _refuse(comparison)
    names = [each.name for each in settings.comparisons]
    if len(set(names)) < len(names):
        raise UnknownModel("Two comparisons have one output_column_name.")
    version = f"splink-{sha256(text.encode()).hexdigest()[:12]}"
    return SplinkModel(version, settings.probability_two_random_records_match, settings.comparisons)


def as_weights(model: SplinkModel, base: Weights) -> Weights:
    """``base`` with the m and u of a model whose comparisons and levels are named as ours are, each by its label.

    A comparison that the model has not stays as it is. What Splink knows nothing of stays too: how a household agrees, how many
    hold an email or phone, and the shares of contacts, which take the place of the model's own prior. Raises UnknownModel.
    """
    changed = dict(base.comparisons)
    for comparison in model.comparisons:
        known = COMPARISONS.get(comparison.name)
        if known is None:
            raise UnknownModel(f"There is no comparison {comparison.name}. Known are {', '.join(COMPARISONS)}.")
        labels = tuple(level.label for level in comparison.compared)
        if labels != known:
            raise UnknownModel(
                f"{comparison.name} has the levels {', '.join(labels)}. They must be, in this order, {', '.join(known)}."
            )
        changed[comparison.name] = dict(_levels(comparison, base.comparisons[comparison.name]))
    return replace(base, version=model.version, comparisons=changed)


def _levels(comparison: Comparison, base: Mapping[str, ours.Level]) -> Iterator[tuple[str, ours.Level]]:
    for level in comparison.compared:
        before = base[level.label]
        m = level.m or before.m
        # A household agrees as it did beside the person: no oftener where a level speaks for them, no seldomer where against.
        share = min(1.0, before.h * m / before.m)
        if before.each:  # by how many hold it in the register at hand, which no model can know
            yield level.label, replace(before, m=m, h=share)
        else:
            frequency = level.frequency_weight if level.frequency_of else 0.0
            yield level.label, ours.Level(m, share, level.u or before.u, frequency)


def _refuse(comparison: Comparison) -> None:
    compared = comparison.compared
    if not compared:
        raise UnknownModel(f"{comparison.name} has no level but that of what is absent.")
    for level in compared:
        where = f"{comparison.name}, “{level.label}”"
        if level.m is None or level.u is None:
            raise UnknownModel(f"{where}: m_probability or u_probability is missing. Train the model to the end.")
        if level.frequency_of and level is not compared[0] and not level.frequency_by_own_u:
            raise UnknownModel(f"{where}: term frequencies are known for the likest level only.")


def _complaints(error: ValidationError) -> list[str]:
    return [f"{'.'.join(map(str, each['loc'])) or 'the file'}: {each['msg']}" for each in error.errors(include_input=False)[:5]]
