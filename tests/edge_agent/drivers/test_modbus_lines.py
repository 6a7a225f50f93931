"""Modbus over TCP, TLS and RTU against the servers of a library that is not ours."""

import asyncio
import os
import ssl
import tty
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
from pymodbus.server import ModbusSerialServer, ModbusTcpServer, ModbusTlsServer
from pymodbus.simulator import DataType as SimType
from pymodbus.simulator import SimData, SimDevice

from edge_agent.config.devices import ModbusDevice, TlsFiles
from edge_agent.drivers.modbus import ModbusBus
from edge_agent.errors import DeviceGarbled, DeviceLost
from tests.support.drivers import modbus_device, modbus_driver, values, words
from tests.support.tls import make_certificate
from tests.support.waiting import until


def two_units() -> list[SimDevice]:
    return [
        SimDevice(id=unit, simdata=[SimData(0, values=[100 * unit + i for i in range(10)], datatype=SimType.REGISTERS)])
        for unit in (1, 2)
    ]


@asynccontextmanager
async def running(server: Any) -> AsyncIterator[Any]:  # noqa: ANN401 - the library's servers are untyped
    await server.serve_forever(background=True)
    yield server
    await server.shutdown()


def port_of(server: Any) -> int:  # noqa: ANN401 - the library's servers are untyped
    return int(server.transport.sockets[0].getsockname()[1])


async def both_units_are_read(device: ModbusDevice) -> None:
    buses: dict[str, ModbusBus] = {}
    first = modbus_driver(device, buses)
    second = modbus_driver(
        ModbusDevice(**{f: getattr(device, f) for f in device.__struct_fields__} | {"unit": 2}), buses
    )
    for driver in (first, second):
        await driver.open()
    for _ in range(3):
        assert values(await first.read((0, 1, 2))) == {0: 100, 1: 101, 2: 109}
        assert values(await second.read((0, 1, 2))) == {0: 200, 1: 201, 2: 209}
    await first.write(1, 7)
    assert values(await first.read((1,))) == {1: 7}
    (bus,) = buses.values()
    assert bus.counts.openings == 1
    await first.close()
    assert values(await second.read((0,))) == {0: 200}
    await second.close()


async def test_two_units_are_read_over_one_tcp_connection() -> None:
    async with running(ModbusTcpServer(two_units(), address=("127.0.0.1", 0))) as server:
        await both_units_are_read(modbus_device(f"tcp://127.0.0.1:{port_of(server)}", *words(0, 1, 9)))


def tls_server(certificate: Path, key: Path, ca: Path) -> ModbusTlsServer:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(ca)
    context.verify_mode = ssl.CERT_REQUIRED
    return ModbusTlsServer(two_units(), address=("127.0.0.1", 0), sslctx=context)


async def test_two_units_are_read_over_tls_with_certificates_on_both_sides(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path, "plc.example")
    files = TlsFiles(ca=certificate, certificate=certificate, key=key, server_name="plc.example")
    async with running(tls_server(certificate, key, certificate)) as server:
        await both_units_are_read(modbus_device(f"tls://127.0.0.1:{port_of(server)}", *words(0, 1, 9), tls=files))


@pytest.mark.parametrize("wrong", ["name", "ca"])
async def test_a_server_that_cannot_prove_who_it_is_is_not_spoken_to(tmp_path: Path, wrong: str) -> None:
    certificate, key = make_certificate(tmp_path, "plc.example")
    other, _ = make_certificate(tmp_path, "other.example")
    name = "other.example" if wrong == "name" else "plc.example"
    files = TlsFiles(ca=other if wrong == "ca" else certificate, certificate=certificate, key=key, server_name=name)
    async with running(tls_server(certificate, key, certificate)) as server:
        driver = modbus_driver(modbus_device(f"tls://127.0.0.1:{port_of(server)}", *words(0), tls=files))
        with pytest.raises(DeviceLost, match="certificate verify failed"):
            await driver.open()
        await driver.close()


class Cable:
    """Two pseudo terminals whose far ends are tied together; `noise` is put before what comes to the first end."""

    def __init__(self) -> None:
        pairs = [os.openpty() for _ in range(2)]
        for _, terminal in pairs:
            tty.setraw(terminal)
        self.ends = [os.ttyname(terminal) for _, terminal in pairs]
        self._masters = [master for master, _ in pairs]
        self._terminals = [terminal for _, terminal in pairs]
        self.noise = b""
        self.is_cut = False
        self.answers = self.questions = 0

    def __enter__(self) -> Self:
        loop = asyncio.get_running_loop()
        for end, master in enumerate(self._masters):
            loop.add_reader(master, self._carry, end)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for descriptor in self._masters:
            asyncio.get_running_loop().remove_reader(descriptor)
        for descriptor in (*self._masters, *self._terminals):
            os.close(descriptor)

    def say(self, data: bytes) -> None:
        """Have bytes come to the first end, as if the other one had sent them."""
        os.write(self._masters[0], data)

    def _carry(self, end: int) -> None:
        data = os.read(self._masters[end], 4096)
        self.questions += 1 - end
        if not self.is_cut:
            os.write(self._masters[1 - end], (self.noise if end == 1 else b"") + data)
            self.answers += end


async def test_two_units_are_read_over_one_serial_line() -> None:
    with Cable() as cable:
        async with running(ModbusSerialServer(two_units(), port=cable.ends[1], baudrate=115_200)):
            await both_units_are_read(modbus_device(f"rtu://{cable.ends[0]}?baudrate=115200", *words(0, 1, 9)))


async def test_noise_on_a_serial_line_is_never_a_value() -> None:
    with Cable() as cable:
        async with running(ModbusSerialServer(two_units(), port=cable.ends[1], baudrate=115_200)):
            driver = modbus_driver(modbus_device(f"rtu://{cable.ends[0]}?baudrate=115200", *words(0, 1)))
            await driver.open()
            cable.noise = bytes.fromhex("01 03 04 00 01 00 02 00 00")
            with pytest.raises(DeviceLost, match="garbage"):
                await driver.read((0, 1))
            cable.noise = b""
            assert values(await driver.read((0, 1))) == {0: 100, 1: 101}
            await driver.close()


async def test_a_serial_answer_that_comes_too_late_is_not_taken_for_the_next_one() -> None:
    with Cable() as cable:
        async with running(ModbusSerialServer(two_units(), port=cable.ends[1], baudrate=115_200)):
            driver = modbus_driver(modbus_device(f"rtu://{cable.ends[0]}?baudrate=115200", *words(0, 1)))
            await driver.open()
            cable.is_cut = True
            with pytest.raises(DeviceLost, match="did not answer"):
                await driver.read((0, 1))
            cable.is_cut = False
            read = asyncio.ensure_future(driver.read((0, 1)))
            await until(lambda: cable.answers)
            cable.say(bytes.fromhex("01 03 04 00 64 00 65 7b c7"))
            with pytest.raises(DeviceLost, match="answers later than"):
                await read
            await driver.close()


async def test_a_late_serial_answer_that_comes_together_with_the_right_one_is_not_taken_for_it() -> None:
    with Cable() as cable:
        driver = modbus_driver(modbus_device(f"rtu://{cable.ends[0]}?baudrate=115200", *words(0, 1)))
        await driver.open()
        with pytest.raises(DeviceLost, match="did not answer"):
            await driver.read((0, 1))
        read = asyncio.ensure_future(driver.read((0, 1)))
        await until(lambda: cable.questions > 1)
        cable.say(bytes.fromhex("01 03 04 00 64 00 65 7b c7") * 2)
        with pytest.raises(DeviceLost, match="answers later than"):
            await read
        await driver.close()


async def test_a_serial_line_that_is_not_there_is_a_lost_device_with_a_reason(tmp_path: Path) -> None:
    driver = modbus_driver(modbus_device(f"rtu://{tmp_path}/ttyNONE", *words(0)))
    with pytest.raises(DeviceLost, match=r"ttyNONE.*No such file"):
        await driver.open()
    await driver.close()


async def test_a_line_that_cannot_be_opened_is_not_tried_for_each_unit(tmp_path: Path) -> None:
    buses: dict[str, ModbusBus] = {}
    drivers = [modbus_driver(modbus_device(f"rtu://{tmp_path}/ttyNONE", *words(0)), buses) for _ in range(2)]
    for driver, reason in zip(drivers, ("No such file", "next attempt in"), strict=True):
        with pytest.raises(DeviceLost, match=reason):
            await driver.open()


async def test_a_server_that_comes_back_is_read_over_a_new_connection() -> None:
    async with running(ModbusTcpServer(two_units(), address=("127.0.0.1", 0))) as server:
        port = port_of(server)
        driver = modbus_driver(modbus_device(f"tcp://127.0.0.1:{port}", *words(0)))
        await driver.open()
        await driver.read((0,))
    with pytest.raises(DeviceLost):
        await driver.read((0,))
    async with running(ModbusTcpServer(two_units(), address=("127.0.0.1", port))):
        found: list[dict[int, float | str | None]] = []

        async def try_again() -> None:
            while not found:
                try:
                    found.append(values(await driver.read((0,))))
                except (DeviceLost, DeviceGarbled):
                    await asyncio.sleep(0.05)

        trying = asyncio.ensure_future(try_again())
        await until(lambda: found)
        await trying
        assert found == [{0: 100}]
        await driver.close()
