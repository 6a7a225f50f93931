"""Call: one request to the API before it is sent, and the one type of all answers; no I/O here."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SAFE = ("GET", "PUT", "DELETE")
"""Methods that change nothing more when they are sent twice."""


@dataclass(frozen=True, slots=True)
class File:
    """A file to be uploaded."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Call:
    """One request; path below the API's base, or from the root where `from_root`.

    is_keyed: it carries an Idempotency-Key that the server knows, so that it may be sent again after a cut.
    """

    method: str
    path: str
    query: Mapping[str, Any] = field(default_factory=dict)
    json: object = None
    form: Mapping[str, str] | None = None
    file: File | None = None
    is_keyed: bool = False
    from_root: bool = False
    is_open: bool = False
    """It needs no credentials."""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_repeatable(self) -> bool:
        """Return whether it may be sent again when nobody knows whether it arrived."""
        return self.method in SAFE or self.is_keyed


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; headers by their names in small letters."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def is_good(self) -> bool:
        """Return whether the server did it."""
        return self.status < 400

    def json(self) -> Any:  # noqa: ANN401 - JSON
        """Return the body as JSON, None where it is empty, its text where it is something else."""
        if not self.content:
            return None
        try:
            return json.loads(self.content)
        except ValueError:
            return self.content.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Lost:
    """Nothing came back; was_sent: the server may have taken the request all the same."""

    reason: str
    was_sent: bool


@dataclass(frozen=True, slots=True)
class Pause:
    """Time to wait before the next step."""

    seconds: float


def given(**values: object) -> dict[str, Any]:
    """Return the values that are not None."""
    return {name: value for name, value in values.items() if value is not None}
