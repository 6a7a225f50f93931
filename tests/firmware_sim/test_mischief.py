"""Each way of misbehaving, as the bytes on the wire show it."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.plant import RunningPlant, modbus_plant, running_plant
from tests.support.waiting import until

READ = bytes.fromhex("1234 0000 0006 01 03 0000 000e")
HONEST_BYTES = 9 + 28


@asynccontextmanager
async def misbehaving(
    folder: Path, kind: str, value: float = 0.0
) -> AsyncIterator[tuple[RunningPlant, asyncio.StreamReader, asyncio.StreamWriter]]:
    """Run two pumps of which the first misbehaves, with a connection to them."""
    document = modbus_plant({"id": "pump-1", "period_s": 0.5}, {"id": "pump-2", "unit": 2, "period_s": 0.5})
    async with running_plant(folder, document) as plant:
        reader, writer = await asyncio.open_connection("127.0.0.1", plant.port("pump-1"))
        assert (await plant.ask(do="mischief", kind=kind, machine="pump-1", value=value))["ok"]
        yield plant, reader, writer
        writer.close()


async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, size: int) -> bytes:
    writer.write(READ)
    async with asyncio.timeout(60):
        return await reader.readexactly(size)


async def silent(reader: asyncio.StreamReader) -> bool:
    try:
        async with asyncio.timeout(0.1):
            await reader.readexactly(1)
    except TimeoutError:
        return True
    return False


async def test_silence_answers_nothing_and_tells_nothing_until_it_is_calmed(tmp_path: Path) -> None:
    async with misbehaving(tmp_path, "silence") as (plant, reader, writer):
        writer.write(READ)
        assert await silent(reader)
        assert len(plant.truth()) == 0
        assert await plant.ask(do="calm") == {"ok": True, "ended": 1}
        assert len(await exchange(reader, writer, HONEST_BYTES)) == HONEST_BYTES
        assert len(plant.truth()) == 1


async def test_only_the_named_machine_misbehaves(tmp_path: Path) -> None:
    async with misbehaving(tmp_path, "silence") as (plant, reader, writer):
        writer.write(READ[:6] + b"\x02" + READ[7:])
        async with asyncio.timeout(60):
            assert (await reader.readexactly(HONEST_BYTES))[6] == 2
        assert [answer.machine for answer in plant.truth()] == ["pump-2"]


async def test_a_delayed_answer_comes_late_and_is_told_as_late(tmp_path: Path) -> None:
    async with misbehaving(tmp_path, "delay", 0.2) as (plant, reader, writer):
        writer.write(READ)
        assert await silent(reader)
        async with asyncio.timeout(60):
            await reader.readexactly(HONEST_BYTES)
        assert [answer.is_late for answer in plant.truth()] == [True]


async def test_a_late_answer_to_nobody_is_not_told(tmp_path: Path) -> None:
    async with misbehaving(tmp_path, "delay", 0.1) as (plant, _, writer):
        writer.write(READ)
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        await asyncio.sleep(0.2)
        assert len(plant.truth()) == 0


async def test_half_a_frame_is_half_of_the_honest_one(tmp_path: Path) -> None:
    async with misbehaving(tmp_path, "half_frame") as (plant, reader, writer):
        half = await exchange(reader, writer, HONEST_BYTES // 2)
        assert half[:8] == struct.pack(">HHHBB", 0x1234, 0, 31, 1, 3)
        assert await silent(reader)
        assert len(plant.truth()) == 0


@pytest.mark.parametrize(
    ("kind", "position", "expected"),
    [("wrong_unit", 6, 2), ("other_unit", 6, 2), ("wrong_transaction", 0, 0x12 ^ 0x55)],
)
async def test_a_foreign_answer_carries_another_number(tmp_path: Path, kind: str, position: int, expected: int) -> None:
    async with misbehaving(tmp_path, kind) as (plant, reader, writer):
        frame = await exchange(reader, writer, HONEST_BYTES)
        assert frame[position] == expected
        assert len(plant.truth()) == 0


async def test_another_units_answer_holds_that_units_values(tmp_path: Path) -> None:
    async with misbehaving(tmp_path, "other_unit") as (plant, reader, writer):
        frame = await exchange(reader, writer, HONEST_BYTES)
        assert struct.unpack(">6f", frame[13:]) == plant.works.machines["pump-2"].row.raw[1:]


async def test_garbage_has_the_right_length_and_no_sense(tmp_path: Path) -> None:
    async with misbehaving(tmp_path, "garbage") as (plant, reader, writer):
        frame = await exchange(reader, writer, HONEST_BYTES)
        assert frame[:2] != READ[:2]
        assert len(plant.truth()) == 0


@pytest.mark.parametrize(("kind", "code"), [("illegal_address", 2), ("device_failure", 4), ("busy", 6)])
async def test_a_refusal_carries_its_exception_code(tmp_path: Path, kind: str, code: int) -> None:
    async with misbehaving(tmp_path, kind) as (plant, reader, writer):
        assert (await exchange(reader, writer, 9))[7:] == bytes((0x83, code))
        assert len(plant.truth()) == 0


async def test_a_reset_breaks_the_connection_off_each_time_it_is_asked(tmp_path: Path) -> None:
    async with running_plant(tmp_path, modbus_plant({"id": "pump-1"})) as plant:
        reader, writer = await asyncio.open_connection("127.0.0.1", plant.port("pump-1"))
        await exchange(reader, writer, HONEST_BYTES)
        await plant.ask(do="mischief", kind="reset", machine="pump-1", for_s=0.01)
        with pytest.raises(ConnectionResetError):
            await exchange(reader, writer, 1)
        writer.close()
        await plant.calm()
        reader, writer = await asyncio.open_connection("127.0.0.1", plant.port("pump-1"))
        await exchange(reader, writer, HONEST_BYTES)
        writer.close()


async def test_a_restart_refuses_connections_and_comes_back_at_the_same_port(tmp_path: Path) -> None:
    async with running_plant(tmp_path, modbus_plant({"id": "pump-1"}, {"id": "pump-2", "unit": 2})) as plant:
        port = plant.port("pump-1")
        reader, _ = await asyncio.open_connection("127.0.0.1", port)
        assert len((await plant.ask(do="mischief", kind="restart", for_s=0.1))["ids"]) == 2
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        await plant.calm()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await exchange(reader, writer, HONEST_BYTES)
        writer.close()


async def test_the_timetable_of_the_plant_file_is_kept_and_told(tmp_path: Path) -> None:
    timetable = [{"kind": "busy", "at_s": 0.0, "for_s": 0.05, "machine": "pump-1"}]
    async with running_plant(tmp_path, modbus_plant({"id": "pump-1"}, mischief=timetable)) as plant:
        await until(lambda: any(window.end_us for window in plant.truth().mischiefs))
        (window,) = plant.truth().mischiefs
        assert (window.kind, window.machine) == ("busy", "pump-1")
        assert (window.end_us or 0) - window.onset_us >= 40_000


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({"do": "mischief", "kind": "dance"}, "Invalid enum value 'dance'"),
        ({"do": "mischief", "kind": "silence", "machine": "x"}, "no machine 'x'; allowed: pump-1"),
        ({"do": "mischief", "kind": "certificate"}, "certificate: no machine here can do that"),
        ({"do": "fault", "machine": "pump-1", "kind": "stuck"}, "channel: stuck needs one of flow, pressure"),
        ({"do": "fault", "machine": "x", "kind": "leak"}, "no machine 'x'; allowed: pump-1"),
        ({"do": "set", "machine": "pump-1", "channel": "x", "value": 1}, "has no 'x'; allowed: sequence, flow"),
        ({"do": "dance"}, "Invalid value 'dance'"),
        ({"do": "status", "more": 1}, "unknown field `more`"),
    ],
)
async def test_a_request_that_cannot_be_done_says_why(tmp_path: Path, request_: dict[str, object], error: str) -> None:
    async with running_plant(tmp_path, modbus_plant({"id": "pump-1"})) as plant:
        answer = await plant.ask(**request_)
        assert answer["ok"] is False
        assert error in answer["error"]


async def test_a_value_set_by_hand_is_shown_until_it_is_given_back(tmp_path: Path) -> None:
    async with running_plant(tmp_path, modbus_plant({"id": "pump-1"})) as plant:
        await plant.ask(do="set", machine="pump-1", channel="flow", value=12.5)
        shown = (await plant.ask(do="status"))["machines"]["pump-1"]["values"]
        await plant.ask(do="set", machine="pump-1", channel="flow", value=None)
        given_back = (await plant.ask(do="status"))["machines"]["pump-1"]["values"]
        assert shown["flow"] == 12.5
        assert given_back["flow"] != 12.5


async def test_a_plant_that_is_held_answers_and_stands_still(tmp_path: Path) -> None:
    async with running_plant(tmp_path, modbus_plant({"id": "pump-1", "period_s": 0.01})) as plant:
        machine = plant.works.machines["pump-1"]
        await plant.ask(do="hold")
        row = machine.row.number
        await asyncio.sleep(0.1)
        assert machine.row.number == row
        reader, writer = await asyncio.open_connection("127.0.0.1", plant.port("pump-1"))
        await exchange(reader, writer, HONEST_BYTES)
        writer.close()
        await plant.ask(do="hold", on=False)
        await until(lambda: machine.row.number > row)
