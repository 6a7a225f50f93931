"""Modbus over TCP, TLS and RTU with pymodbus: one question, its own answer as bytes, or a DeviceError that says why.

pymodbus skips what it does not expect and waits for better; here whatever comes is screened first, so that garbage
costs no time-out and an answer is never taken for that to another question. Its own retries and reconnects are off.
"""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.bit_message import (
    ReadCoilsRequest,
    ReadCoilsResponse,
    ReadDiscreteInputsRequest,
    ReadDiscreteInputsResponse,
    WriteSingleCoilRequest,
)
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadHoldingRegistersResponse,
    ReadInputRegistersRequest,
    ReadInputRegistersResponse,
    WriteMultipleRegistersRequest,
    WriteSingleRegisterRequest,
)

from edge_agent.config.addresses import BusAddress, Link
from edge_agent.config.devices import Table, TlsFiles
from edge_agent.drivers.modbus_frames import EXCEPTIONS, GATEWAY_SILENT, screen_tcp, unanswered
from edge_agent.errors import DeviceError, DeviceGarbled, DeviceLost, DeviceRefused

OPENING_TIMEOUT_S = 3.0
Created = TypeVar("Created")


class _Payload(ModbusPDU):
    """Keeps the answer's bytes: making 125 Python integers of them costs more than all the rest of an exchange."""

    payload = b""

    def decode(self, data: bytes) -> None:
        """Take the byte count and what follows it."""
        self.payload = data

    def __str__(self) -> str:
        return f"{len(self.payload)} bytes"


class _HoldingAnswer(_Payload, ReadHoldingRegistersResponse):
    pass


class _InputAnswer(_Payload, ReadInputRegistersResponse):
    pass


class _CoilAnswer(_Payload, ReadCoilsResponse):
    pass


class _DiscreteAnswer(_Payload, ReadDiscreteInputsResponse):
    pass


_ANSWERS = (_HoldingAnswer, _InputAnswer, _CoilAnswer, _DiscreteAnswer)
_QUESTIONS: dict[Table, type[ModbusPDU]] = {
    Table.HOLDING: ReadHoldingRegistersRequest,
    Table.INPUT: ReadInputRegistersRequest,
    Table.COIL: ReadCoilsRequest,
    Table.DISCRETE: ReadDiscreteInputsRequest,
}


def _rtu_bytes(answer: ModbusPDU) -> int:
    """Return how long an answer is on a serial line, with unit, function and crc."""
    if isinstance(answer, _Payload):
        return len(answer.payload) + 4
    return 5 if answer.function_code & 0x80 else 8


class ModbusWire:
    """One connection; whoever calls sees to it that there is one exchange at a time."""

    def __init__(self, address: BusAddress, tls: TlsFiles | None = None) -> None:
        logging.getLogger("pymodbus").setLevel(logging.CRITICAL)  # it would log each silence; we report once
        self.address = address
        self.tls = tls
        self._client: AsyncModbusTcpClient | AsyncModbusSerialClient | None = None
        self._asked: tuple[int, int] | None = None
        self._number = b""
        self._received = b""
        self._arrivals = 0
        self._reason = ""
        self._wait: asyncio.Timeout | None = None
        self._late: set[int] = set()

    @property
    def is_open(self) -> bool:
        """Return whether an exchange can begin."""
        return self._client is not None and self._client.connected

    async def open(self) -> None:
        """Connect; raise DeviceLost where nothing answers."""
        self.close()
        self._reason = "no answer"
        try:
            client = self._serial_client() if self.address.link is Link.RTU else self._tcp_client()
            client.ctx.call_create = partial(self._create, client.ctx.call_create)
            for answer in _ANSWERS:
                client.register(answer)
            async with asyncio.timeout(OPENING_TIMEOUT_S):
                await client.connect()
        except (TimeoutError, OSError) as error:
            raise DeviceLost(f"cannot open {self.address}: {error or self._reason}") from error
        if not client.connected:
            client.close()
            raise DeviceLost(f"cannot open {self.address}: {self._reason}")
        self._client = client

    async def _create(self, create: Callable[[], Awaitable[Created]]) -> Created:
        """Note why the connection could not be made, which pymodbus keeps to itself."""
        try:
            return await create()
        except OSError as error:
            self._reason = str(error)
            raise

    def close(self) -> None:
        """Disconnect and forget what has come in."""
        if self._client is not None:
            self._client.close()
        self._client = None

    async def read(self, unit: int, table: Table, address: int, count: int, timeout_s: float) -> bytes:
        """Return registers (big-endian, 2 bytes each) or bits (packed, lowest first); raise a DeviceError."""
        question = _QUESTIONS[table](address=address, count=count, dev_id=unit)
        answer = await self._ask(question, timeout_s)
        payload: bytes = answer.payload if isinstance(answer, _Payload) else b""
        size = (count + 7) // 8 if table.is_bits else 2 * count
        if len(payload) != size + 1 or payload[0] != size:
            raise DeviceGarbled(f"unit {unit} on {self.address} sent {len(payload) - 1} bytes of data, not {size}")
        return payload[1:]

    async def write_registers(self, unit: int, address: int, words: list[int], timeout_s: float) -> None:
        """Set holding registers; raise a DeviceError."""
        if len(words) == 1:
            single = WriteSingleRegisterRequest(address=address, registers=words, dev_id=unit)
            await self._ask(single, timeout_s)
        else:
            await self._ask(WriteMultipleRegistersRequest(address=address, registers=words, dev_id=unit), timeout_s)

    async def write_coil(self, unit: int, address: int, *, on: bool, timeout_s: float) -> None:
        """Set one coil; raise a DeviceError."""
        await self._ask(WriteSingleCoilRequest(address=address, bits=[on], dev_id=unit), timeout_s)

    async def _ask(self, question: ModbusPDU, timeout_s: float) -> ModbusPDU:
        client = self._client
        if client is None:
            raise DeviceLost(f"{self.address} is not open")
        unit, self._received, self._reason = question.dev_id, b"", ""
        self._asked = (unit, question.function_code)
        try:
            async with asyncio.timeout(timeout_s) as self._wait:
                answer: ModbusPDU = await client.execute(False, question)  # noqa: FBT003 - pymodbus has no name for it
        except TimeoutError as error:
            self._late.add(unit)
            raise self._unanswered(unit, timeout_s) from error
        except ModbusException as error:
            raise DeviceLost(f"{self.address}: {error}") from error
        finally:
            self._asked = self._wait = None
        if unit in self._late:
            await self._expect_quiet(unit, answer, timeout_s)
        self._check(question, answer)
        return answer

    def _check(self, question: ModbusPDU, answer: ModbusPDU) -> None:
        if answer.function_code == question.function_code | 0x80:
            code = answer.exception_code
            message = f"unit {question.dev_id} on {self.address}: {EXCEPTIONS.get(code, f'exception {code}')}"
            raise DeviceLost(message) if code in GATEWAY_SILENT else DeviceRefused(message, code=code)
        if answer.function_code != question.function_code:
            raise DeviceGarbled(
                f"unit {question.dev_id} on {self.address} answered function {answer.function_code}, "
                f"not {question.function_code}"
            )

    async def _expect_quiet(self, unit: int, answer: ModbusPDU, timeout_s: float) -> None:
        """Make sure, where answers carry no number, that this one was not a late one, with the right one to follow.

        The right one may have come in the same read: then more bytes came than the answer has.
        """
        self._late.discard(unit)
        if self.address.link is not Link.RTU:
            return
        before, came = self._arrivals, len(self._received)
        await asyncio.sleep(timeout_s)
        if self._arrivals != before or came > _rtu_bytes(answer):
            self._late.add(unit)
            raise DeviceGarbled(f"unit {unit} on {self.address} answers later than {timeout_s} s")

    def _unanswered(self, unit: int, timeout_s: float) -> DeviceError:
        place = f"unit {unit} on {self.address}"
        if not self.is_open:
            return DeviceLost(f"{place}: the connection was closed")
        if self._reason:
            return DeviceGarbled(f"{place}: {self._reason}")
        if self._received:
            return DeviceGarbled(f"{place}: {unanswered(self._received, is_serial=self.address.link is Link.RTU)}")
        return DeviceLost(f"{place} did not answer within {timeout_s} s")

    def _watch(self, sending: bool, data: bytes) -> bytes:  # noqa: FBT001 - pymodbus calls it so
        if sending:
            self._number = data[:2]
            return data
        self._arrivals += 1
        self._received = data
        if self._asked is None or self.address.link is Link.RTU:
            return data
        self._reason = screen_tcp(data, self._number, *self._asked)
        if self._reason:
            self._end_wait()
            return b""
        return data

    def _connection_changed(self, is_connected: bool) -> None:  # noqa: FBT001 - pymodbus calls it so
        if not is_connected:
            self._end_wait()

    def _end_wait(self) -> None:
        if self._wait is not None and not self._wait.expired():
            self._wait.reschedule(asyncio.get_running_loop().time())

    def _tcp_client(self) -> AsyncModbusTcpClient:
        client = AsyncModbusTcpClient(
            self.address.host,
            port=self.address.port,
            timeout=None,  # type: ignore[arg-type]  # ours holds; a second one costs a fifth of an exchange
            retries=0,
            reconnect_delay=0,
            trace_packet=self._watch,
            trace_connect=self._connection_changed,
        )
        if self.tls is not None:
            client.ctx.call_create = partial(
                asyncio.get_running_loop().create_connection,
                client.ctx.handle_new_connection,
                self.address.host,
                self.address.port,
                ssl=_tls_context(self.tls),
                server_hostname=self.tls.server_name or self.address.host,
            )
        return client

    def _serial_client(self) -> AsyncModbusSerialClient:
        return AsyncModbusSerialClient(
            self.address.path,
            baudrate=self.address.baudrate,
            parity=self.address.parity,
            stopbits=self.address.stopbits,
            bytesize=self.address.bytesize,
            timeout=60.0,
            retries=0,
            reconnect_delay=0,
            trace_packet=self._watch,
            trace_connect=self._connection_changed,
        )


def _tls_context(files: TlsFiles) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(files.ca))
    if files.certificate is not None:
        context.load_cert_chain(files.certificate, files.key)
    return context
