"""Recipes: an algorithm with settings that were chosen for a kind of question, to begin from."""

from collections.abc import Mapping
from dataclasses import dataclass

from cloud.learning.algorithm import Settings
from cloud.learning.algorithms.gradient_boosting import ForestClassifierSettings, RegressorSettings
from cloud.learning.features.recipe import Difference, Product, Recipe, Windows


@dataclass(frozen=True, slots=True)
class Preset:
    """One algorithm by name, its settings, and what they are for."""

    algorithm: str
    settings: Settings
    summary: str


MACHINING = Recipe(
    made=(
        Product(name="power [W]", of=("Torque [Nm]", "Rotational speed [rpm]"), times=0.104719755),
        Difference(name="heat drop [K]", of=("Process temperature [K]", "Air temperature [K]")),
        Product(
            name="strain",
            of=("Tool wear [min]", "Torque [Nm]"),
            limit_by="Type",
            limits={"L": 11_000, "M": 12_000, "H": 13_000},
        ),
    ),
    keep=("Rotational speed [rpm]", "Tool wear [min]"),
)
"""What a milling machine fails by, in the columns of AI4I 2020 (Matzka 2020): power, heat that stays in, tool strain.

The limits of strain are the published ones of the three qualities; where power and heat become too much is learned.
"""
WEAR = Recipe(windows=Windows(spans=(5, 15, 30), slopes=(30,), life_slope=True, leave_out=("cycle",)), keep=("cycle",))
"""How worn a machine is: means of its last rows, and slopes over the last and over all rows since it was new."""

PRESETS: Mapping[str, Preset] = {
    "machine_failure": Preset(
        "random_forest_classifier",
        ForestClassifierSettings(features=MACHINING, trees=120, min_rows_a_leaf=3, row_share=0.9, bins=4_095),
        "Whether a milling machine fails, from torque, speed, temperatures and wear; rare limits, so fine bins.",
    ),
    "remaining_life": Preset(
        "gradient_boosting_regressor",
        RegressorSettings(
            features=WEAR, trees=250, min_rows_a_leaf=50, column_share=0.4, row_share=0.6, l2=5.0, cap=125.0
        ),
        "Cycles left before a machine of a fleet fails, from all cycles since it was new.",
    ),
}
