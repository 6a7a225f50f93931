"""The files between worker and supervisor: whole or not at all, and no file makes a pool larger than allowed."""

from pathlib import Path

import pytest

from cloud.clock import SystemClock
from cloud.domain.pools import RunningPool
from cloud.errors import Unavailable
from cloud.operations.executors.supervised import Supervised
from cloud.processes.staff import Staff
from cloud.storage.instances import MOST, Running, read_running, read_wanted, write_running, write_wanted


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    running = Running(17, {"ingest": RunningPool(2, (3, 5)), "api": RunningPool(1)})
    write_wanted(tmp_path / "made", {"ingest": 2})
    write_running(tmp_path / "made", running)
    assert read_wanted(tmp_path / "made") == {"ingest": 2}
    assert read_running(tmp_path / "made") == running


@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"pools": 3, "at_us": 1}', '{"pools": {"api": 1}, "at_us": 1}', "\xff"]
)
def test_damaged_files_say_nothing(tmp_path: Path, content: str) -> None:
    for name in ("wanted.json", "running.json"):
        (tmp_path / name).write_text(content, encoding="latin-1")
    assert read_running(tmp_path) is None
    assert "api" not in read_wanted(tmp_path)


def test_no_file_asks_for_more_than_the_most_or_less_than_one(tmp_path: Path) -> None:
    (tmp_path / "wanted.json").write_text('{"ingest": 100000, "api": 0, "jobs": "many", "x": -4}')
    assert read_wanted(tmp_path) == {"ingest": MOST}


def test_who_asks_where_no_supervisor_tells_lately_is_refused(tmp_path: Path) -> None:
    clock = SystemClock()
    executor = Supervised(tmp_path, clock)
    with pytest.raises(Unavailable, match="no supervisor"):
        executor.want({"ingest": 2})
    write_running(tmp_path, Running(clock.now_us() - 60_000_000, {"ingest": RunningPool(1)}))
    assert executor.running() == {}
    write_running(tmp_path, Running(clock.now_us(), {"ingest": RunningPool(1)}))
    executor.want({"ingest": 2})
    executor.want({"api": 3})
    assert read_wanted(tmp_path) == {"ingest": 2, "api": 3}


class Crew:
    """Processes that are only numbers."""

    def __init__(self) -> None:
        self.numbers = {"ingest": [1], "api": [1]}
        self.deeds: list[str] = []

    def extras(self, pool: str) -> list[int]:
        """Return those beyond the first."""
        return [number for number in self.numbers[pool] if number > 1]

    def pools(self) -> dict[str, RunningPool]:
        """Return how many there are."""
        return {pool: RunningPool(len(numbers)) for pool, numbers in self.numbers.items()}

    def add(self, pool: str, number: int) -> None:
        """Have one more."""
        self.numbers[pool].append(number)
        self.deeds.append(f"+{pool}-{number}")

    async def remove(self, pool: str, number: int) -> None:
        """Have one less."""
        self.numbers[pool].remove(number)
        self.deeds.append(f"-{pool}-{number}")


async def test_pools_grow_from_below_and_shrink_from_above(tmp_path: Path) -> None:
    crew = Crew()
    staff = Staff(tmp_path, crew, SystemClock())
    await staff.look()
    assert crew.deeds == []
    write_wanted(tmp_path, {"ingest": 3, "billing": 9})
    await staff.look()
    write_wanted(tmp_path, {"ingest": 1})
    await staff.look()
    assert crew.deeds == ["+ingest-2", "+ingest-3", "-ingest-3", "-ingest-2"]
    told = read_running(tmp_path)
    assert told is not None
    assert told.pools["ingest"] == RunningPool(1)
