"""The composition root of the worker process: settings become the chores that it does."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from cloud.chores import Chore
from cloud.config import Settings
from cloud.ports import Clock
from cloud.records.database import Records


@dataclass(frozen=True, slots=True)
class Workshop:
    """What every chore may use; closing: lets go of what was opened, in reverse order."""

    settings: Settings
    clock: Clock
    records: Records
    closing: ExitStack


def open_chores(settings: Settings, clock: Clock) -> tuple[Sequence[Chore], Callable[[], None]]:
    """Return the chores and what lets go of their parts; raise InvalidConfig, or Unavailable for older tables."""
    closing = ExitStack()
    records = Records(settings.records_url)
    closing.callback(records.close)
    records.require_current()
    workshop = Workshop(settings, clock, records, closing)
    return [chore for make in CHORES for chore in make(workshop)], closing.close


CHORES: tuple[Callable[[Workshop], Sequence[Chore]], ...] = ()
"""Who brings chores: one function a subject."""
