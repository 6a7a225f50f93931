"""Scalars of JSON bodies as JSON has them: a text or a truth is no number, a number or a text no truth."""

from typing import Annotated

from pydantic import BeforeValidator, Field, Strict


def _numeric(value: object) -> object:
    is_other = isinstance(value, bool | str)
    if is_other:
        raise ValueError("not a valid number: it is written without quotes")
    return value


Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
"""A finite number."""
WHOLE = BeforeValidator(_numeric)
"""Beside an int, after its bounds: a whole number, as 3 or 3.0."""
Truth = Annotated[bool, Strict()]
"""true or false."""
