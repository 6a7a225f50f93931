"""Recordings as Devices: rows by the clock, whatever the separator, and honest about what is missing."""

import gzip
from pathlib import Path

import pytest

from edge_agent.config.devices import ReplayDevice, ReplayTag
from edge_agent.drivers import Surroundings, make_driver, tag_infos, tags_of
from edge_agent.drivers.recording import read_columns, read_recording
from edge_agent.errors import DeviceLost
from protocols.reading import Kind, Quality
from protocols.tag import DataType
from tests.support.drivers import HandClock, half, qualities, values


def recording(folder: Path, text: str, name: str = "recording.csv") -> Path:
    path = folder / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


@pytest.mark.parametrize("name", ["recording.csv", "recording.csv.gz"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_numeric_columns_are_found_whatever_the_separator(tmp_path: Path, name: str, separator: str) -> None:
    text = "at,a,word,b\n2020-01-01,1.5,x,2\n2020-01-02,,y,-3e2\n".replace(",", separator)
    found = read_recording(recording(tmp_path, text, name))
    assert found.columns == ("a", "b")
    assert found.values.tolist()[0] == [1.5, 2.0]
    assert str(found.values.tolist()[1]) == "[nan, -300.0]"


@pytest.mark.parametrize("content", [b"", b"a,b\n", b"\xff\xfe\x00", None])
def test_what_is_no_recording_is_a_lost_device_with_a_reason(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "recording.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DeviceLost, match=r"recording\.csv"):
        read_columns(path)


def test_a_damaged_archive_is_a_lost_device_with_a_reason(tmp_path: Path) -> None:
    path = recording(tmp_path, "a,b\n" + "1,2\n" * 1000, "recording.csv.gz")
    path.write_bytes(path.read_bytes()[:20] + b"\0" * 20)
    with pytest.raises(DeviceLost, match="cannot read the recording"):
        read_recording(path)


async def test_rows_follow_the_clock_and_begin_anew_at_the_end(tmp_path: Path) -> None:
    clock = HandClock()
    settings = ReplayDevice(id="bench", file=recording(tmp_path, "a,b\n1,10\n2,20\n3,30\n"), speed=20.0)
    driver = make_driver(settings, 7, Surroundings(clock, half, str))
    await driver.open()
    seen = []
    for _ in range(5):
        seen.append(values(await driver.read((7, 8))))
        await clock.move(0.05 + 1e-9)
    assert [row[7] for row in seen] == [1, 2, 3, 1, 2]
    assert [row[8] for row in seen] == [10, 20, 30, 10, 20]


async def test_a_finished_recording_keeps_its_last_row_and_says_that_it_is_stale(tmp_path: Path) -> None:
    clock = HandClock()
    settings = ReplayDevice(id="bench", file=recording(tmp_path, "a\n1\n2\n"), repeat=False)
    driver = make_driver(settings, 0, Surroundings(clock, half, str))
    await driver.open()
    await clock.move(10.0)
    block = await driver.read((0,))
    assert (values(block), qualities(block)) == ({0: 2.0}, {0: Quality.STALE})


async def test_an_empty_cell_is_a_bad_reading(tmp_path: Path) -> None:
    clock = HandClock()
    settings = ReplayDevice(id="bench", file=recording(tmp_path, "a,b\n1,1\n,2\n"))
    driver = make_driver(settings, 0, Surroundings(clock, half, str))
    await driver.open()
    await clock.move(1.0)
    assert qualities(await driver.read((0, 1))) == {0: Quality.NOT_A_NUMBER, 1: Quality.GOOD}


def test_without_tags_each_numeric_column_is_one(tmp_path: Path) -> None:
    settings = ReplayDevice(id="bench", file=recording(tmp_path, "at,a,b\nx,1,2\n"), period_s=0.5)
    assert [tag.name for tag in tags_of(settings)] == ["a", "b"]
    assert [(info.device, info.name, info.kind, info.period_s) for info in tag_infos(settings, 3)] == [
        (3, "a", Kind.FLOAT, 0.5),
        (3, "b", Kind.FLOAT, 0.5),
    ]


async def test_a_column_may_have_another_name_type_and_scale(tmp_path: Path) -> None:
    tags = (ReplayTag(name="x", column="a", type=DataType.INT32), ReplayTag(name="y", column="b", scale=0.5, offset=1))
    settings = ReplayDevice(id="bench", file=recording(tmp_path, "a,b\n3,4\n"), tags=tags)
    driver = make_driver(settings, 0, Surroundings(HandClock(), half, str))
    await driver.open()
    block = await driver.read((0, 1))
    assert values(block) == {0: 3, 1: 3.0}
    assert [column.kind for column in block.columns] == [Kind.FLOAT, Kind.INT]
