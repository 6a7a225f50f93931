"""Telling the gateways, by the live ledger, up to where their batches are in a backup and need no safety copy."""

import asyncio
from collections.abc import Iterator
from itertools import islice

from cloud.config import Settings
from cloud.errors import Unavailable
from cloud.ingest.archiving import Marks
from cloud.ingest.books import Books
from cloud.ingest.remote import RemoteIntake
from cloud.ports import Clock
from cloud.processes.ingest import open_readings

_AT_ONCE = 10_000
_PATIENCE_S = 30.0
_PAUSE_S = 0.2


def tell_marks(settings: Settings, marks: Marks, clock: Clock) -> None:
    """Put these marks into the live ledger: through the process that writes it, or directly where none runs.

    Raises Unavailable where neither works within half a minute; the next backup tells of all again.
    """
    for some in _in_parts(marks):
        asyncio.run(_tell(settings, some, clock))


async def _tell(settings: Settings, marks: Marks, clock: Clock) -> None:
    until_s = clock.monotonic_s() + _PATIENCE_S
    while True:
        try:
            async with RemoteIntake(settings.intake_path) as intake:
                return await intake.archive(marks)
        except Unavailable as away:
            problem = away
        if problem.code == "INGEST_AWAY" and _write(settings, marks, clock):
            return None
        if clock.monotonic_s() > until_s:
            raise problem
        await asyncio.sleep(_PAUSE_S)


def _write(settings: Settings, marks: Marks, clock: Clock) -> bool:
    """Write the marks as the one process that does; return False where another is that."""
    try:
        database = open_readings(settings)
    except Unavailable as locked:
        if locked.code != "STORE_LOCKED":
            raise
        return False
    try:
        ledger = Books.open(database, now_s=clock.now_us() // 1_000_000).ledger
        with database.transaction(when_low=True):
            ledger.archive(marks)
    finally:
        database.close()
    return True


def _in_parts(marks: Marks) -> Iterator[Marks]:
    rest = iter(marks.items())
    while some := dict(islice(rest, _AT_ONCE)):
        yield some
