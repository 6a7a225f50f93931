"""The Modbus driver against a server that behaves well, and against one that does not."""

from collections.abc import AsyncIterator, Callable

import pytest

from edge_agent.config.devices import ModbusTag, Table
from edge_agent.drivers.modbus import ModbusDriver
from edge_agent.errors import DeviceError, DeviceLost, DeviceRefused
from protocols.reading import Quality
from protocols.tag import DataType, WordOrder
from tests.support.drivers import HandClock, modbus_device, modbus_driver, qualities, values, words
from tests.support.modbus_server import Memory, RawServer, Request, Respond, serving


@pytest.fixture
def memory() -> Memory:
    filled = Memory()
    filled.set_registers(0, list(range(2000)))
    return filled


@pytest.fixture
async def server(memory: Memory) -> AsyncIterator[RawServer]:
    async with serving(memory.respond) as running:
        yield running


async def opened(server: RawServer, *tags: ModbusTag, **settings: object) -> ModbusDriver:
    driver = modbus_driver(modbus_device(f"tcp://127.0.0.1:{server.port}", *tags, **settings))
    await driver.open()
    return driver


def asked(server: RawServer) -> list[tuple[int, int]]:
    return [(request.address, request.count) for request in server.requests]


async def test_a_thousand_registers_are_read_with_eight_requests(server: RawServer) -> None:
    driver = await opened(server, *words(*range(1000)))
    assert values(await driver.read(tuple(range(1000)))) == {tag: tag for tag in range(1000)}
    assert asked(server) == [(start, 125) for start in range(0, 1000, 125)]
    await driver.close()


async def test_every_table_and_type_is_read_in_one_go(server: RawServer, memory: Memory) -> None:
    memory.set_registers(100, [0x0001, 0x0002, 0x4148, 0x0000, 0x6F76, 0x656E, 0b1000])
    memory.bits[5], memory.bits[9] = 1, 1
    driver = await opened(
        server,
        ModbusTag(name="long", address=100, type=DataType.INT32, word_order=WordOrder.LITTLE),
        ModbusTag(name="float", address=102, type=DataType.FLOAT32, scale=2.0, offset=1.0),
        ModbusTag(name="text", address=104, type=DataType.TEXT, length=2),
        ModbusTag(name="bit", address=106, type=DataType.BOOL, bit=3),
        ModbusTag(name="coil", address=5, table=Table.COIL),
        ModbusTag(name="off", address=6, table=Table.COIL),
        ModbusTag(name="discrete", address=9, table=Table.DISCRETE),
        ModbusTag(name="input", address=7, table=Table.INPUT),
    )
    read = values(await driver.read(tuple(range(8))))
    assert read == {0: 0x20001, 1: 26.0, 2: "oven", 3: 1, 4: 1, 5: 0, 6: 1, 7: 7}
    assert len(server.requests) == 4
    await driver.close()


async def test_a_refused_tag_is_found_and_the_others_flow_with_few_requests(server: RawServer, memory: Memory) -> None:
    memory.illegal = frozenset({40})
    driver = await opened(server, *words(*range(100)))
    for _ in range(2):
        block = await driver.read(tuple(range(100)))
        assert values(block) == {tag: None if tag == 40 else tag for tag in range(100)}
        assert qualities(block)[40] is Quality.CONFIGURATION_ERROR
        server.requests.clear()
    await driver.read(tuple(range(100)))
    assert asked(server) == [(0, 40), (41, 59)]
    await driver.close()


async def test_a_gap_that_is_refused_is_not_bridged_again(server: RawServer, memory: Memory) -> None:
    memory.illegal = frozenset({5})
    driver = await opened(server, *words(0, 1, 9, 10))
    assert values(await driver.read((0, 1, 2, 3))) == {0: 0, 1: 1, 2: 9, 3: 10}
    server.requests.clear()
    await driver.read((0, 1, 2, 3))
    assert asked(server) == [(0, 2), (9, 2)]
    await driver.close()


async def test_a_device_that_takes_only_small_requests_gets_them(server: RawServer, memory: Memory) -> None:
    def small(request: Request) -> bytes | None:
        return request.refuse(2) if request.count > 40 else memory.respond(request)

    server.respond = small
    driver = await opened(server, *words(*range(100)))
    assert values(await driver.read(tuple(range(100)))) == {tag: tag for tag in range(100)}
    server.requests.clear()
    await driver.read(tuple(range(100)))
    assert all(count <= 40 for _, count in asked(server))
    assert len(server.requests) <= 4
    await driver.close()


async def test_many_refused_tags_are_found_over_several_reads(server: RawServer, memory: Memory) -> None:
    memory.illegal = frozenset(range(0, 120, 2))
    driver = await opened(server, *words(*range(120)))
    for _ in range(6):
        server.requests.clear()
        block = await driver.read(tuple(range(120)))
        assert len(server.requests) < 200
    assert values(block) == {tag: tag if tag % 2 else None for tag in range(120)}
    await driver.close()


async def test_a_refused_tag_is_asked_for_again_rarely_and_taken_back(server: RawServer, memory: Memory) -> None:
    clock = HandClock()
    memory.illegal = frozenset({1})
    driver = modbus_driver(modbus_device(f"tcp://127.0.0.1:{server.port}", *words(0, 1, 2)), clock=clock)
    await driver.open()
    await driver.read((0, 1, 2))
    memory.illegal = frozenset()
    assert values(await driver.read((0, 1, 2)))[1] is None
    await clock.move(100)
    await driver.read((0, 1, 2))
    assert values(await driver.read((0, 1, 2))) == {0: 0, 1: 1, 2: 2}
    await driver.close()


@pytest.mark.parametrize(
    ("code", "quality"), [(1, Quality.CONFIGURATION_ERROR), (4, Quality.READ_ERROR), (6, Quality.READ_ERROR)]
)
async def test_an_exception_marks_the_tags_of_its_request_only(
    server: RawServer, memory: Memory, code: int, quality: Quality
) -> None:
    server.respond = lambda request: request.refuse(code) if request.function == 4 else memory.respond(request)
    driver = await opened(server, *words(3), ModbusTag(name="input", address=3, table=Table.INPUT))
    block = await driver.read((0, 1))
    assert values(block) == {0: 3, 1: None}
    assert qualities(block)[1] is quality
    await driver.close()


async def test_a_silent_unit_costs_one_request_however_many_there_are(server: RawServer) -> None:
    server.respond = lambda _: None
    driver = await opened(server, *words(*range(1000)))
    with pytest.raises(DeviceLost, match="did not answer within"):
        await driver.read(tuple(range(1000)))
    assert len(server.requests) == 1
    await driver.close()


async def test_a_block_that_is_silent_is_left_alone_while_the_rest_flows(server: RawServer, memory: Memory) -> None:
    server.respond = lambda request: None if request.address == 125 else memory.respond(request)
    driver = await opened(server, *words(*range(375)))
    await driver.read(tuple(range(375)))
    server.requests.clear()
    read = values(await driver.read(tuple(range(375))))
    assert asked(server) == [(0, 125), (250, 125)]
    assert read == {tag: None if 125 <= tag < 250 else tag for tag in range(375)}
    await driver.close()


def garbage(_: Request) -> bytes:
    return b"\x15" * 40


def half_a_frame(request: Request) -> bytes:
    return Memory().respond(request)[:30]  # type: ignore[index]  # memory always answers a read


def another_unit(request: Request) -> bytes:
    return request.answer(b"\x04\0\1\0\2", unit=request.unit + 1)


def another_function(request: Request) -> bytes:
    return request.answer(b"\x04\0\1\0\2", function=4)


def too_few(request: Request) -> bytes:
    return request.answer(b"\x02\0\1")


def too_many(request: Request) -> bytes:
    return request.answer(bytes((2 * request.count + 2,)) + bytes(2 * request.count + 2))


def lying_count(request: Request) -> bytes:
    return request.answer(b"\xff" + bytes(2 * request.count))


def hang_up(_: Request) -> bytes:
    return b""


WRONG: dict[str, tuple[Callable[[Request], bytes], str]] = {
    "garbage": (garbage, "not Modbus: 15 15"),
    "half a frame": (half_a_frame, "half a frame came: 30 of"),
    "another unit's frame": (another_unit, "unit 2 answered instead"),
    "another function": (another_function, "an answer to function 4 came, not to 3"),
    "too few registers": (too_few, "sent 2 bytes of data, not 200"),
    "too many registers": (too_many, "sent 202 bytes of data, not 200"),
    "a lying byte count": (lying_count, "sent 200 bytes of data, not 200"),
    "a connection broken off": (hang_up, "the connection was closed"),
}


@pytest.mark.parametrize(("wrong", "reason"), WRONG.values(), ids=WRONG.keys())
async def test_a_wrong_answer_is_a_lost_device_with_a_reason_and_the_next_answer_is_right(
    server: RawServer, memory: Memory, wrong: Respond, reason: str
) -> None:
    driver = await opened(server, *words(*range(100)))
    server.respond = wrong
    with pytest.raises(DeviceLost, match=reason):
        await driver.read(tuple(range(100)))
    server.respond = memory.respond
    await driver.open()
    assert values(await driver.read(tuple(range(100)))) == {tag: tag for tag in range(100)}
    assert server.accepted == 2
    await driver.close()


@pytest.mark.parametrize("wrong", [wrong for wrong, _ in WRONG.values() if wrong is not hang_up])
async def test_a_wrong_answer_to_one_request_marks_its_tags_and_no_others(
    server: RawServer, memory: Memory, wrong: Respond
) -> None:
    server.respond = lambda request: wrong(request) if request.address == 200 else memory.respond(request)
    driver = await opened(server, *words(*range(100), *range(200, 300)))
    for _ in range(3):
        block = await driver.read(tuple(range(200)))
        assert values(block) == {tag: tag if tag < 100 else None for tag in range(200)}
        assert qualities(block)[150] is Quality.READ_ERROR
    await driver.close()


async def test_a_late_answer_is_not_taken_for_the_next_one(server: RawServer, memory: Memory) -> None:
    driver = await opened(server, *words(*range(10), *range(500, 510)))
    late: list[bytes] = []

    def second_after_first(request: Request) -> bytes | None:
        answer = memory.respond(request)
        assert answer is not None
        if request.address == 0:
            late.append(answer)
            return answer
        return late[-1] + answer

    server.respond = second_after_first
    assert values(await driver.read(tuple(range(20)))) == {t: t if t < 10 else 490 + t for t in range(20)}
    await driver.close()


async def test_a_gateway_that_says_the_unit_is_silent_loses_the_device(server: RawServer) -> None:
    server.respond = lambda request: request.refuse(11)
    driver = await opened(server, *words(0))
    with pytest.raises(DeviceLost, match="gateway target did not respond"):
        await driver.read((0,))
    await driver.close()


async def test_values_are_written_as_they_are_read(server: RawServer, memory: Memory) -> None:
    driver = await opened(
        server,
        ModbusTag(name="long", address=10, type=DataType.INT32, scale=0.1),
        ModbusTag(name="coil", address=3, table=Table.COIL),
        *words(20),
    )
    for tag, value in ((0, -12345.6), (1, 1), (2, -7)):
        await driver.write(tag, value)
    assert values(await driver.read((0, 1, 2))) == {0: -12345.6, 1: 1, 2: -7}
    assert [request.function for request in server.requests[:3]] == [16, 5, 6]
    memory.illegal = frozenset({20})
    with pytest.raises(DeviceRefused, match="illegal address"):
        await driver.write(2, 1)
    await driver.close()


@pytest.mark.parametrize(
    ("tag", "value", "reason"),
    [
        (ModbusTag(name="x", address=0, table=Table.INPUT), 1, "the input table"),
        (ModbusTag(name="x", address=0, type=DataType.BOOL, bit=1), 1, "one bit of a register"),
        (ModbusTag(name="x", address=0, type=DataType.INT16), 40_000, "40000"),
    ],
)
async def test_what_cannot_be_written_is_refused_before_it_is_sent(
    server: RawServer, tag: ModbusTag, value: float, reason: str
) -> None:
    driver = await opened(server, tag)
    with pytest.raises(DeviceError, match=reason):
        await driver.write(0, value)
    assert server.requests == []
    await driver.close()
