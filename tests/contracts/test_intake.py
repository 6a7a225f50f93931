"""What every Intake owes: durable when it answers, refusals as errors, repeats and changes counted."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cloud.errors import Invalid
from cloud.ingest.local import LocalIntake
from cloud.ingest.remote import RemoteIntake
from cloud.ports import Arrival, Intake, Written
from protocols.reading import Kind, ReadingBlock
from tests.support.ingest import TABLE, Desk
from tests.support.ingest_process import IngestProcess
from tests.support.readings import block


@pytest.fixture(params=["local", "remote"])
async def intake(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Intake]:
    if request.param == "local":
        desk = Desk(tmp_path / "readings.db")
        yield LocalIntake(desk.intake)
        desk.database.close()
        return
    with IngestProcess(tmp_path) as ingest:
        async with RemoteIntake(ingest.door) as remote:
            yield remote


def _arrival(readings: ReadingBlock) -> Arrival:
    return Arrival("", TABLE, readings)


async def test_each_reading_is_counted_by_what_became_of_it(intake: Intake) -> None:
    assert await intake.take(_arrival(block([1.0, 2.0]))) == Written(stored=2)
    assert await intake.take(_arrival(block([1.0, 3.0, 4.0]))) == Written(stored=1, duplicate=1, replaced=1)


@pytest.mark.parametrize(
    "wrong",
    [
        ReadingBlock(),
        block([1.0], tag=2),
        block([1], kind=Kind.INT),
        block([1.0], start_us=-1),
        block([1.0], start_us=1 << 60),
    ],
)
async def test_readings_that_cannot_be_are_invalid_and_stop_nobody(intake: Intake, wrong: ReadingBlock) -> None:
    with pytest.raises(Invalid):
        await intake.take(_arrival(wrong))
    assert await intake.take(_arrival(block([1.0]))) == Written(stored=1)
