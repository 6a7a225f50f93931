"""Recipe: which columns are made of which, as a person writes it into an algorithm's settings."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

ColumnName = Annotated[str, Field(min_length=1, max_length=200)]
Span = Annotated[int, Field(ge=1, le=10_000)]
MAX_STEPS = 64


class _Words(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Product(_Words):
    """One quantity times another, such as power of torque and speed; relative to a limit that a category decides."""

    kind: Literal["product"] = "product"
    name: ColumnName
    of: tuple[ColumnName, ColumnName]
    times: float = 1.0
    limit_by: ColumnName | None = None
    limits: Mapping[str, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _limits_have_a_category(self) -> Self:
        if (self.limit_by is None) != (not self.limits):
            raise ValueError("limit_by and limits belong together")
        return self


class Difference(_Words):
    """One quantity less another, such as the drop of a temperature."""

    kind: Literal["difference"] = "difference"
    name: ColumnName
    of: tuple[ColumnName, ColumnName]


class Ratio(_Words):
    """One quantity by another; missing where the other is 0."""

    kind: Literal["ratio"] = "ratio"
    name: ColumnName
    of: tuple[ColumnName, ColumnName]


class Windows(_Words):
    """What the last rows of a machine say: means, and slopes a row; no row looks ahead.

    columns: all where none are named; spans, slopes: rows; life_slope: over all rows so far.
    """

    columns: tuple[ColumnName, ...] = ()
    leave_out: tuple[ColumnName, ...] = ()
    spans: Annotated[tuple[Span, ...], Field(max_length=8)] = ()
    slopes: Annotated[tuple[Annotated[int, Field(ge=3, le=10_000)], ...], Field(max_length=8)] = ()
    life_slope: bool = False


Made = Annotated[Product | Difference | Ratio, Field(discriminator="kind")]


class Recipe(_Words):
    """What is made, in this order, and which of the columns given are looked at themselves: all where not said."""

    made: Annotated[tuple[Made, ...], Field(max_length=MAX_STEPS)] = ()
    windows: Windows | None = None
    keep: tuple[ColumnName, ...] | None = None
