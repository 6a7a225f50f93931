"""A connection that brought messages and brings none any more is made anew; one that never had much to say is not."""

import asyncio

import pytest

from cloud.ingest.link import Link
from cloud.ingest.stall import FEWEST, LONGEST_S, Stall
from cloud.sections.readings import MqttSettings
from tests.support.waiting import until


@pytest.fixture
def stall() -> Stall:
    made = Stall()
    for _ in range(FEWEST):
        made.heard(100.0)
        made.answered()
    return made


def test_long_silence_after_messages_is_likely_a_stall(stall: Stall) -> None:
    assert not stall.is_likely(100.0 + LONGEST_S)
    assert stall.is_likely(101.0 + LONGEST_S)


def test_a_message_ends_the_silence(stall: Stall) -> None:
    stall.heard(150.0)
    stall.answered()
    assert not stall.is_likely(101.0 + LONGEST_S)


def test_a_connection_that_waits_for_our_acknowledgement_may_be_silent(stall: Stall) -> None:
    stall.heard(101.0)
    assert not stall.is_likely(1e9)


def test_a_new_connection_and_one_that_says_little_may_be_silent(stall: Stall) -> None:
    stall.connected()
    assert not stall.is_likely(1e9)
    for _ in range(FEWEST - 1):
        stall.heard(1e9)
        stall.answered()
    assert not stall.is_likely(2e9)


class ForgetfulBroker:
    """Welcomes with MQTT 3.1.1, brings some messages and then nothing, as if no PUBACK had come; keeps its clients."""

    def __init__(self) -> None:
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Converse with one client."""
        self.connections += 1
        await reader.read(1024)
        writer.write(b"\x20\x02\x00\x00")
        subscribe = await reader.readexactly(4)
        writer.write(b"\x90\x03" + subscribe[2:] + b"\x01")
        for number in range(1, FEWEST + 1):
            writer.write(b"\x32\x07\x00\x01x" + number.to_bytes(2, "big") + b"ok")
        await reader.read()
        while await reader.read(1024):
            pass
        writer.close()


async def test_a_link_whose_broker_brings_nothing_any_more_connects_anew() -> None:
    broker = ForgetfulBroker()
    got: list[bytes] = []
    server = await asyncio.start_server(broker.serve, "127.0.0.1", 0)
    settings = MqttSettings(port=server.sockets[0].getsockname()[1], protocol="3.1.1")

    def receive(_: str, payload: bytes, __: bool, done: object) -> bool:  # noqa: FBT001 the form of Receive
        assert callable(done)
        got.append(payload)
        done()
        return True

    link = Link(settings, "", name="test", kept=False, filters=["x"], receive=receive, stall=Stall(longest_s=0.1))
    async with server:
        link.start()
        await until(lambda: broker.connections > 1 and len(got) > FEWEST)
        await asyncio.to_thread(link.stop)
