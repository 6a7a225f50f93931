"""Real pymodbus clients against the plant's Modbus servers: TCP, TLS and RTU."""

import asyncio
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient, AsyncModbusTlsClient
from pymodbus.client.base import ModbusBaseClient

from firmware_sim.endpoints import Endpoint, Security
from firmware_sim.errors import CannotListen
from firmware_sim.truth import Truth
from tests.support.plant import RunningPlant, modbus_plant, running_plant

WORDS = 14
"""The counter and six float32 channels."""


async def tcp(plant: RunningPlant, machine: str) -> AsyncModbusTcpClient:
    client = AsyncModbusTcpClient("127.0.0.1", port=plant.port(machine), retries=0, timeout=5)
    assert await client.connect()
    return client


def values(registers: Sequence[int]) -> tuple[int | float, ...]:
    kinds = ModbusBaseClient.DATATYPE
    count = ModbusBaseClient.convert_from_registers(list(registers[:2]), kinds.UINT32)
    floats = ModbusBaseClient.convert_from_registers(list(registers[2:]), kinds.FLOAT32)
    assert isinstance(count, int)
    assert isinstance(floats, list)
    return (count, *(float(value) for value in floats))


def served(truth: Truth, machine: str) -> list[tuple[Any, ...]]:
    return [answer.values for answer in truth if answer.machine == machine]


async def test_the_truth_is_exactly_what_a_tcp_client_saw(tmp_path: Path) -> None:
    async with running_plant(tmp_path, modbus_plant({"id": "pump-1"}, {"id": "pump-2", "unit": 2})) as plant:
        client = await tcp(plant, "pump-1")
        seen: dict[int, list[tuple[int | float, ...]]] = {1: [], 2: []}
        async with asyncio.timeout(60):
            while len({row[0] for row in seen[1]}) < 4:
                for unit, rows in seen.items():
                    answer = await client.read_holding_registers(0, count=WORDS, device_id=unit)
                    rows.append(values(answer.registers))
        client.close()
        truth = plant.truth()
        assert served(truth, "pump-1") == seen[1]
        assert served(truth, "pump-2") == seen[2]


async def test_a_part_of_the_registers_is_told_as_the_tags_wholly_inside(tmp_path: Path) -> None:
    async with running_plant(tmp_path, modbus_plant({"id": "pump-1"})) as plant:
        client = await tcp(plant, "pump-1")
        await client.read_holding_registers(3, count=5, device_id=1)
        client.close()
        assert [answer.tags for answer in plant.truth()] == [("pressure", "current")]


async def test_rows_switch_between_answers_however_many_clients_ask(tmp_path: Path) -> None:
    async with running_plant(tmp_path, modbus_plant({"id": "pump-1", "period_s": 0.01})) as plant:
        clients = [await tcp(plant, "pump-1") for _ in range(4)]
        rows: list[tuple[int | float, ...]] = []
        async with asyncio.timeout(60):
            while len({row[0] for row in rows}) < 8:
                reads = (client.read_holding_registers(0, count=WORDS, device_id=1) for client in clients)
                rows += [values(answer.registers) for answer in await asyncio.gather(*reads)]
        for client in clients:
            client.close()
        by_number = {row[0]: row for row in rows}
        assert all(row == by_number[row[0]] for row in rows)
        assert sorted(served(plant.truth(), "pump-1")) == sorted(rows)


async def test_rtu_over_a_pseudo_terminal(tmp_path: Path) -> None:
    document = modbus_plant({"id": "pump-1", "unit": 9})
    document["servers"] = [{"id": "line", "protocol": "modbus-rtu", "link": str(tmp_path / "tty")}]
    async with running_plant(tmp_path, document) as plant:
        assert plant.endpoint("pump-1").url == f"rtu://{tmp_path}/tty"
        client = AsyncModbusSerialClient(str(tmp_path / "tty"), baudrate=115200, retries=0, timeout=2)
        assert await client.connect()
        seen = []
        for _ in range(5):
            answer = await client.read_holding_registers(0, count=WORDS, device_id=9)
            seen.append(values(answer.registers))
        client.close()
        assert served(plant.truth(), "pump-1") == seen
    assert not (tmp_path / "tty").is_symlink()


def tls_client(endpoint: Endpoint, *, with_certificate: bool) -> AsyncModbusTlsClient:
    security = endpoint.security or Security()
    context = ssl.create_default_context(cafile=security.ca)
    if with_certificate:
        context.load_cert_chain(security.client_certificate, security.client_key)
    port = int(endpoint.url.rpartition(":")[2])
    return AsyncModbusTlsClient("localhost", port=port, sslctx=context, retries=0, timeout=3, reconnect_delay=0)


async def test_tls_with_a_certificate_of_the_plants_own_authority(tmp_path: Path) -> None:
    document = modbus_plant({"id": "pump-1"})
    document["servers"] = [{"id": "line", "protocol": "modbus-tls", "verify_clients": True, "host": "127.0.0.1"}]
    async with running_plant(tmp_path, document) as plant:
        endpoint = plant.endpoint("pump-1")
        assert endpoint.url.startswith("tls://")
        client = tls_client(endpoint, with_certificate=True)
        assert await client.connect()
        answer = await client.read_holding_registers(0, count=WORDS, device_id=1)
        client.close()
        assert served(plant.truth(), "pump-1") == [values(answer.registers)]


async def test_what_is_not_there_is_refused_with_the_right_code(tmp_path: Path) -> None:
    machine = {"id": "pump-1", "gaps": "illegal", "max_registers": 20}
    machine["tags"] = [{"name": "flow", "address": 10}, {"name": "pressure", "address": 14}]
    async with running_plant(tmp_path, modbus_plant(machine)) as plant:
        client = await tcp(plant, "pump-1")
        read = client.read_holding_registers
        codes = [
            (await read(10, count=2, device_id=1)).isError(),
            (await read(10, count=6, device_id=1)).exception_code,
            (await read(10, count=21, device_id=1)).exception_code,
            (await read(60000, count=2, device_id=1)).exception_code,
            (await client.read_coils(0, count=1, device_id=1)).exception_code,
            (await client.read_exception_status(device_id=1)).exception_code,
            (await read(0, count=1, device_id=77)).exception_code,
        ]
        client.close()
        assert codes == [False, 2, 3, 2, 2, 1, 11]
        assert [answer.tags for answer in plant.truth()] == [("flow",)]


async def test_a_gap_reads_as_zero_where_the_machine_is_open(tmp_path: Path) -> None:
    tags = [{"name": "flow", "address": 10}, {"name": "pressure", "address": 14}]
    async with running_plant(tmp_path, modbus_plant({"id": "pump-1", "tags": tags})) as plant:
        client = await tcp(plant, "pump-1")
        answer = await client.read_holding_registers(8, count=8, device_id=1)
        client.close()
        assert answer.registers[:2] == answer.registers[4:6] == [0, 0]
        assert answer.registers[2:4] != [0, 0]


async def test_a_written_value_is_shown_at_once_and_told(tmp_path: Path) -> None:
    tags = [
        {"name": "flow", "type": "int16", "scale": 0.1, "address": 0},
        {"name": "running", "table": "coil", "address": 5},
        {"name": "speed", "type": "uint32", "word_order": "little", "address": 1},
    ]
    async with running_plant(tmp_path, modbus_plant({"id": "pump-1", "tags": tags, "period_s": 60})) as plant:
        client = await tcp(plant, "pump-1")
        await client.write_register(0, 123, device_id=1)
        await client.write_registers(1, [7, 1], device_id=1)
        await client.write_coil(5, value=False, device_id=1)
        registers = await client.read_holding_registers(0, count=3, device_id=1)
        coils = await client.read_coils(5, count=1, device_id=1)
        client.close()
        assert registers.registers == [123, 7, 1]
        assert coils.bits[0] is False
        assert [answer.values for answer in plant.truth()] == [(pytest.approx(12.3), 65543), (False,)]


async def test_a_taken_port_is_named(tmp_path: Path) -> None:
    (tmp_path / "second").mkdir()
    async with running_plant(tmp_path, modbus_plant({"id": "pump-1"})) as plant:
        document = modbus_plant({"id": "pump-1"})
        document["servers"][0]["port"] = plant.port("pump-1")
        with pytest.raises(CannotListen, match=f"127.0.0.1:{plant.port('pump-1')}"):
            async with running_plant(tmp_path / "second", document):
                pass


async def test_bytes_that_are_no_modbus_end_the_connection_and_nothing_else(tmp_path: Path) -> None:
    async with running_plant(tmp_path, modbus_plant({"id": "pump-1"})) as plant:
        client = await tcp(plant, "pump-1")
        reader, writer = await asyncio.open_connection("127.0.0.1", plant.port("pump-1"))
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)
        writer.close()
        answer = await client.read_holding_registers(0, count=WORDS, device_id=1)
        client.close()
        assert served(plant.truth(), "pump-1") == [values(answer.registers)]
