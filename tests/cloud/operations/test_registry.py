"""The registry: every Device has one number and one name for ever, whoever asks first and however often."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier

import pytest

from cloud.errors import NotFound
from cloud.operations.registry import Registry
from cloud.ports import StoredDevice
from cloud.records.database import Records
from protocols.tag import DeviceInfo
from tests.support.cloud import settings_in
from tests.support.records import new_records


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[tuple[Records, Records]]:
    """Give the records as two processes have them."""
    settings = settings_in(tmp_path)
    with closing(new_records(settings.data)) as one, closing(Records(settings.records_url)) as other:
        yield one, other


def devices(*names: str, source: str = "gw-1", called: str = "") -> Sequence[StoredDevice]:
    """Return Devices of one gateway."""
    return tuple(StoredDevice(source, DeviceInfo(name, "pump", called or name, "Hall 1")) for name in names)


def asked(records: Records) -> int:
    """Return how many statements were asked of the records."""
    return sum(one.count for one in records.statements.slowest(500))


def test_numbers_and_names_stay_when_more_come(processes: tuple[Records, Records]) -> None:
    registry = Registry(processes[0])
    told = devices("a", "b")
    before = registry.all(lambda: told)
    told = (*told, *devices("a", "c", source="gw-2"))
    after = registry.all(lambda: told)
    assert after[:2] == before
    assert [one.shown_id for one in after] == ["a", "b", "gw-2.a", "c"]
    assert [one.id for one in after] == [1, 2, 3, 4]
    assert registry.names(lambda: told)["gw-2", "a"] == "gw-2.a"
    assert registry.find("4", lambda: told) == registry.find("c", lambda: told) == after[3]
    with pytest.raises(NotFound):
        registry.find("d", lambda: told)


def test_what_is_called_anew_is_called_so_in_the_records_and_in_other_processes(
    processes: tuple[Records, Records],
) -> None:
    here, there = (Registry(one) for one in processes)
    told = devices("a", "b")
    assert here.all(lambda: told) == there.all(lambda: told)
    told = (*devices("a", called="Feed pump"), *devices("b"))
    changed = here.all(lambda: told)
    assert [one.name for one in changed] == ["Feed pump", "b"]
    assert there.all(lambda: told) == changed == Registry(processes[1]).all(lambda: told)


def test_what_another_process_registered_first_keeps_its_number(processes: tuple[Records, Records]) -> None:
    here, there = (Registry(one) for one in processes)
    told = devices("a")
    here.all(lambda: told)
    there.all(lambda: told)
    other = (*told, *devices("b", source="gw-2"))
    there.all(lambda: other)
    told = (*told, *devices("b"), *devices("b", source="gw-2"))
    assert here.all(lambda: told) == there.all(lambda: told)
    assert [(one.source, one.shown_id) for one in here.all(lambda: told)] == [
        ("gw-1", "a"),
        ("gw-2", "b"),
        ("gw-1", "gw-1.b"),
    ]


def test_a_new_device_asks_the_records_about_itself_alone_and_nothing_new_asks_nothing(
    processes: tuple[Records, Records],
) -> None:
    records = processes[0]
    registry = Registry(records)
    told = devices(*(f"machine-{number}" for number in range(300)))
    first = registry.all(lambda: told)
    changes, before = records.changes, asked(records)
    same = tuple(told)
    assert registry.all(lambda: same) == registry.all(lambda: list(told)) == first
    assert (records.changes, asked(records)) == (changes, before)
    told = (*told, *devices("new"))
    assert registry.all(lambda: told)[:-1] == first
    assert records.changes == changes + 1
    assert asked(records) - before < 20


def test_threads_that_see_the_same_news_register_them_once(processes: tuple[Records, Records]) -> None:
    here, there = (Registry(one) for one in processes)
    told = devices(*(f"machine-{number}" for number in range(20)))
    ready = Barrier(8)

    def ask(index: int) -> list[int]:
        ready.wait(10)
        return [one.id for one in (here if index % 2 else there).all(lambda: told)]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, range(8)))
    assert found == [list(range(1, 21))] * 8


def test_a_list_from_before_does_not_bring_back_what_was_told_before(processes: tuple[Records, Records]) -> None:
    registry = Registry(processes[0])
    old, new = devices("a"), devices("a", called="Feed pump")
    registry.all(lambda: old)
    answers = iter([old, new])
    registry.all(lambda: new)
    assert [one.name for one in registry.all(lambda: next(answers))] == ["Feed pump"]
