"""Claim: what became of asking to do something under an Idempotency-Key."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Claimed(Enum):
    """What the holder of a claim must do."""

    OURS = "do it, then say so"
    DONE = "it was done: answer the same"
    WAIT = "somebody is at it: look again"
    REUSED = "the key was used for another body"


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a key belongs: the same key of another caller or of another route is another key."""

    principal: str
    route: str
    key: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered, to be answered again."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Claim:
    """The answer to a claim; event_id and at_us are those of the first one who asked under this key.

    answer: what the first one was answered, where that was kept.
    """

    result: Claimed
    event_id: str
    at_us: int
    answer: Answer | None = None
