"""What every section of the configuration file is made of."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _check_secret(text: str) -> str:
    if text and not text.startswith(("env:", "file:")):
        raise ValueError("write a secret as env:NAME or file:PATH, never as it is")
    return text


Secret = Annotated[str, AfterValidator(_check_secret)]
Port = Annotated[int, Field(ge=0, le=65535)]
Days = Annotated[float, Field(gt=0, le=36_500)]


class Section(BaseModel):
    """A part of the file; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")
