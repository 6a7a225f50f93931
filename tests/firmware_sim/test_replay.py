"""Recordings served row by row."""

import asyncio
import gzip
import math
import struct
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from asyncua.client.client import Client
from pymodbus.client import AsyncModbusTcpClient

from firmware_sim.errors import InvalidRecording
from firmware_sim.plant import replay_plant
from firmware_sim.recording import read_recording
from tests.support.plant import running_plant
from tests.support.waiting import until

CHANNELS = ("Current", "Pressure", "Volume Flow RateRMS")


def write_recording(path: Path, rows: int, *, delimiter: str = ";") -> list[tuple[float, ...]]:
    """Write rows of 1 Hz with labels, and return their channels as float32."""
    start = datetime(2020, 3, 9, 10, 14, 33)  # noqa: DTZ001 - recordings have naive times
    lines = [delimiter.join(("datetime", *CHANNELS, "anomaly", "changepoint"))]
    made = []
    for index in range(rows):
        values = (math.sin(index) * 1.1, index / 7, 32.0 + index)
        at = start + timedelta(seconds=index)
        lines.append(delimiter.join((f"{at:%Y-%m-%d %H:%M:%S}", *map(repr, values), "0.0", "1.0")))
        made.append(struct.unpack("<3f", struct.pack("<3f", *values)))
    text = "\n".join(lines) + "\n"
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return made


def decoded(registers: list[int]) -> tuple[int, tuple[float, ...]]:
    row, *values = struct.unpack(">I3f", struct.pack(">8H", *registers))
    return row, tuple(values)


async def test_every_row_comes_with_its_number_in_one_answer_and_the_last_one_stays(tmp_path: Path) -> None:
    made = write_recording(tmp_path / "r.csv.gz", 30)
    document = replay_plant(tmp_path / "r.csv.gz", speed=40).model_dump(mode="json", exclude_none=True)
    async with running_plant(tmp_path, document) as plant:
        assert [tag.name for tag in plant.endpoint("replay-1").tags] == ["row", *CHANNELS]
        client = AsyncModbusTcpClient("127.0.0.1", port=plant.port("replay-1"), retries=0, timeout=5)
        assert await client.connect()
        seen: dict[int, tuple[float, ...]] = {}
        async with asyncio.timeout(60):
            while len(made) not in seen:  # a busy machine may pass over a row, which must not hold up the others
                answer = await client.read_holding_registers(0, count=8, device_id=1)
                row, values = decoded(list(answer.registers))
                assert seen.setdefault(row, values) == values
                await asyncio.sleep(0.002)
        client.close()
        assert seen.items() <= dict(enumerate(made, start=1)).items()
        assert len(seen) > 1
        truth = plant.truth()
        assert truth.rows("replay-1") == sorted(seen)
        assert {answer.row: answer.values[1:] for answer in truth} == seen
        times = {answer.row: answer.at_us for answer in reversed(truth.answers)}
        assert (times[30] - times[min(seen)]) / 1e6 > (30 - min(seen)) / 40 - 0.2


async def test_the_first_row_waits_for_the_first_read(tmp_path: Path) -> None:
    write_recording(tmp_path / "r.csv", 50, delimiter=",")
    machines = [{"id": "one", "type": "replay", "server": "line", "recording": "r.csv", "speed": 1000}]
    document = {"servers": [{"id": "line", "protocol": "modbus-tcp"}], "machines": machines}
    async with running_plant(tmp_path, document) as plant:
        await asyncio.sleep(0.03)
        client = AsyncModbusTcpClient("127.0.0.1", port=plant.port("one"), retries=0, timeout=5)
        assert await client.connect()
        first, _ = decoded(list((await client.read_holding_registers(0, count=8, device_id=1)).registers))
        assert first == 1
        await until(lambda: plant.works.machines["one"].row.number == 50)
        last, _ = decoded(list((await client.read_holding_registers(0, count=8, device_id=1)).registers))
        client.close()
        assert last == 50


async def test_a_recording_is_served_over_opcua_too(tmp_path: Path) -> None:
    made = write_recording(tmp_path / "r.csv.gz", 3)
    document = replay_plant(tmp_path / "r.csv.gz", speed=1, with_opcua=True).model_dump(mode="json", exclude_none=True)
    async with running_plant(tmp_path, document) as plant, Client(plant.endpoint("replay-2").url) as client:
        nodes = [client.get_node(tag.node) for tag in plant.endpoint("replay-2").tags]
        row, *values = await client.read_values(nodes)
        assert row == 1
        assert values == pytest.approx(made[0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ":1: needs a column of times"),
        ("datetime\n", ":1: needs a column of times"),
        ("datetime,a,a\n", "different names"),
        ("datetime,a\n", "has no rows"),
        ("datetime,a\n2020-01-01 00:00:00,1,2\n", ":2: has 3 columns, the header 2"),
        ("datetime,a\n2020-01-01 00:00:00,x\n", ":2: could not convert"),
        ("datetime,a\n2020-01-01 00:00:00,1\nyesterday,2\n", ":3: Invalid isoformat"),
    ],
)
def test_a_bad_recording_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(InvalidRecording) as caught:
        read_recording(path)
    assert str(path) in str(caught.value)
    assert message in str(caught.value)


def test_half_a_gzip_and_no_file_at_all_are_said_to_be_unreadable(tmp_path: Path) -> None:
    write_recording(tmp_path / "r.csv.gz", 500)
    whole = (tmp_path / "r.csv.gz").read_bytes()
    (tmp_path / "half.csv.gz").write_bytes(whole[: len(whole) // 2])
    for name in ("half.csv.gz", "none.csv.gz"):
        with pytest.raises(InvalidRecording, match="cannot be read"):
            read_recording(tmp_path / name)


def test_labels_are_no_channels_and_long_gaps_are_shortened(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    times = ["00:00:00", "00:00:01", "00:00:02", "05:00:00", "05:00:00"]
    path.write_text("t,x,anomaly\n" + "".join(f"2020-01-01 {at},1.5,0\n" for at in times))
    recording = read_recording(path)
    assert recording.channels == ("x",)
    assert recording.interval_s == (1.0, 1.0, 10.0, 0.5, 1.0)
