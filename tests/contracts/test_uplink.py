"""What every Uplink owes, asked of MQTT 5, MQTT 3.1.1, TLS, WebSockets and a proxy, over a real mosquitto."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.ports import free_port
from edge_agent.errors import UplinkLost
from edge_agent.uplinks.mqtt import MqttSettings, MqttTls, MqttUplink
from tests.support.broker import Broker
from tests.support.tunnel import Tunnel
from tests.support.uplink_certificates import Certificates
from tests.support.waiting import until


class Ways:
    """One broker, and the settings of the way to it under test."""

    def __init__(self, broker: Broker, settings: MqttSettings) -> None:
        self.broker = broker
        self._settings = settings
        self._made: list[MqttUplink] = []

    def uplink(self, client_id: str = "gw-1", **changes: object) -> MqttUplink:
        """Return a new uplink."""
        self._made.append(MqttUplink(replace(self._settings, client_id=client_id, **changes)))  # type: ignore[arg-type]
        return self._made[-1]

    async def close(self) -> None:
        """Close every uplink."""
        for uplink in self._made:
            await uplink.close()


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def broker(tmp_path: Path, certificates: Certificates) -> Iterator[Broker]:
    more = (
        f"listener {free_port()} 127.0.0.1\nprotocol websockets\n"
        f"listener {free_port()} 127.0.0.1\n{certificates.mosquitto_lines()}"
    )
    with Broker(tmp_path, extra=more) as broker:
        yield broker


@pytest.fixture(params=["mqtt 5", "mqtt 3.1.1", "websockets", "tls", "proxy"])
async def ways(request: pytest.FixtureRequest, broker: Broker, certificates: Certificates) -> AsyncIterator[Ways]:
    ports = broker.ports
    plain = MqttSettings(broker.host, ports[0], client_id="gw-1", timeout_s=2.0)
    tls = MqttTls(ca=certificates.ca, certificate=certificates.client, key=certificates.client_key)
    async with Tunnel() as tunnel:
        settings = {
            "mqtt 5": plain,
            "mqtt 3.1.1": replace(plain, version="3.1.1"),
            "websockets": replace(plain, port=ports[1], transport="websockets"),
            "tls": replace(plain, port=ports[2], tls=tls),
            "proxy": replace(plain, proxy=f"http://127.0.0.1:{tunnel.port}"),
        }[request.param]
        ways = Ways(broker, settings)
        yield ways
        await ways.close()
        assert request.param != "proxy" or tunnel.connections > 0


async def test_a_message_reaches_who_listens(ways: Ways) -> None:
    got: list[bytes] = []
    listener, speaker = ways.uplink("a"), ways.uplink("b")
    listener.listen("v1/gw/gw-1/ack", got.append)
    await listener.connect()
    await speaker.connect()
    await speaker.publish("v1/gw/gw-1/ack", b"hello")
    await until(lambda: bool(got))
    assert got == [b"hello"]


async def test_large_messages_arrive_whole_and_in_order(ways: Ways) -> None:
    got: list[bytes] = []
    plain = {"port": ways.broker.port, "transport": "tcp", "tls": None, "proxy": None}
    listener, speaker = ways.uplink("a", **plain), ways.uplink("b")
    listener.listen("data", got.append)
    await listener.connect()
    await speaker.connect()
    sent = [bytes([at]) * 64 * 1024 for at in range(20)]
    for payload in sent:
        await speaker.publish("data", payload)
    await until(lambda: len(got) == len(sent))
    assert got == sent


async def test_a_confirmed_message_waits_for_the_broker(ways: Ways) -> None:
    uplink = ways.uplink()
    await uplink.connect()
    async with asyncio.timeout(60):
        await asyncio.gather(*(uplink.publish_confirmed("x", b"1") for _ in range(50)))


async def test_a_lost_connection_is_noticed_and_refuses_messages(ways: Ways) -> None:
    uplink = ways.uplink()
    await uplink.connect()
    ways.broker.kill()
    async with asyncio.timeout(60):
        await uplink.lost()
    with pytest.raises(UplinkLost):
        await uplink.publish("x", b"1")


async def test_a_confirmation_that_cannot_come_any_more_is_an_error(ways: Ways) -> None:
    uplink = ways.uplink()
    await uplink.connect()
    waits = [asyncio.create_task(uplink.publish_confirmed("x", bytes(64 * 1024))) for _ in range(50)]
    await asyncio.sleep(0)
    ways.broker.kill()
    results = await asyncio.wait_for(asyncio.gather(*waits, return_exceptions=True), 60)
    assert all(result is None or isinstance(result, UplinkLost) for result in results)


async def test_listening_goes_on_after_a_reconnect(ways: Ways) -> None:
    got: list[bytes] = []
    uplink = ways.uplink()
    uplink.listen("x", got.append)
    await uplink.connect()
    ways.broker.restart()
    await uplink.lost()
    await uplink.connect()
    await uplink.publish("x", b"again")
    await until(lambda: bool(got))
    assert got == [b"again"]


async def test_nothing_from_before_is_sent_again_by_the_client_itself(ways: Ways) -> None:
    got: list[bytes] = []
    uplink = ways.uplink()
    uplink.listen("x", got.append)
    await uplink.connect()
    ways.broker.kill()
    await uplink.lost()
    with pytest.raises(UplinkLost):
        await uplink.publish("x", b"too late")
    ways.broker.start()
    await uplink.connect()
    await uplink.publish_confirmed("x", b"new")
    await until(lambda: bool(got))
    assert got == [b"new"]


async def test_no_broker_is_an_error_that_says_where(ways: Ways) -> None:
    ways.broker.kill()
    with pytest.raises(UplinkLost, match=r"127\.0\.0\.1:\d+"):
        await ways.uplink().connect()


async def test_the_will_is_published_when_the_agent_dies_and_not_after_a_goodbye(ways: Ways) -> None:
    got: list[bytes] = []
    watcher, dying, leaving = ways.uplink("a"), ways.uplink("b"), ways.uplink("c")
    watcher.listen("state", got.append)
    await watcher.connect()
    leaving.leave_behind("state", b"left")
    await leaving.connect()
    await leaving.close()
    dying.leave_behind("state", b"died")
    await dying.connect()
    again = ways.uplink("b")
    await again.connect()
    await until(lambda: bool(got))
    assert got == [b"died"]


async def test_closing_twice_or_before_connecting_is_safe(ways: Ways) -> None:
    uplink = ways.uplink()
    await uplink.close()
    await uplink.connect()
    await uplink.close()
    await uplink.close()
    with pytest.raises(UplinkLost):
        await uplink.publish("x", b"1")


async def test_a_wrong_password_is_told_as_such(tmp_path: Path) -> None:
    with Broker(tmp_path, anonymous=False) as broker:
        for version, words in (("5", "Not authorized"), ("3.1.1", "Not authorized|not authori")):
            settings = MqttSettings(broker.host, broker.port, "x", username="u", password="p", timeout_s=2.0)  # noqa: S106
            uplink = MqttUplink(replace(settings, version=version))  # type: ignore[arg-type]
            with pytest.raises(UplinkLost, match=words):
                await uplink.connect()


async def test_a_broker_that_says_nothing_is_given_up_on() -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        with pytest.raises(UplinkLost, match="no answer"):
            await MqttUplink(MqttSettings("127.0.0.1", port, "x", timeout_s=0.2)).connect()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # paho forgets to close that socket
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
async def test_a_certificate_of_another_authority_is_refused(tmp_path: Path, broker: Broker) -> None:
    other = Certificates(tmp_path / "other")
    settings = MqttSettings(broker.host, broker.ports[2], "x", tls=MqttTls(ca=other.ca), timeout_s=2.0)
    with pytest.raises(UplinkLost, match="certificate"):
        await MqttUplink(settings).connect()


async def test_tls_files_that_are_missing_are_named_as_the_cause(tmp_path: Path) -> None:
    settings = MqttSettings("127.0.0.1", 1, "x", tls=MqttTls(ca=tmp_path / "none.pem"))
    with pytest.raises(UplinkLost, match="TLS files"):
        await MqttUplink(settings).connect()


async def _give_the_name_away(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Be a broker of MQTT 5 that says "session taken over" right after its welcome."""
    await reader.read(1024)
    writer.write(b"\x20\x03\x00\x00\x00" + b"\xe0\x02\x8e\x00")
    await reader.read()
    writer.close()


async def test_a_name_that_goes_to_another_connection_is_told_of_where_the_broker_says_so() -> None:
    told: list[str] = []
    server = await asyncio.start_server(_give_the_name_away, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        uplink = MqttUplink(MqttSettings("127.0.0.1", port, client_id="gw-1"))
        uplink.when_taken_over(lambda: told.append("taken over"))
        await uplink.connect()
        await asyncio.wait_for(uplink.lost(), 60)
        await uplink.close()
    assert told == ["taken over"]


async def test_a_lost_connection_alone_is_not_told_of_as_taken_over(ways: Ways) -> None:
    told: list[str] = []
    uplink = ways.uplink()
    uplink.when_taken_over(lambda: told.append("taken over"))
    await uplink.connect()
    ways.broker.kill()
    await asyncio.wait_for(uplink.lost(), 60)
    assert told == []


async def _bend_a_topic(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Be a broker of MQTT 3.1.1 that sends a message on a topic that is no text, and one on x."""
    await reader.read(1024)
    writer.write(b"\x20\x02\x00\x00")
    subscribe = await reader.readexactly(4)
    writer.write(b"\x90\x03" + subscribe[2:] + b"\x01")
    for topic in (b"\xe1", b"x"):
        writer.write(b"\x30\x05\x00\x01" + topic + b"ok")
    await reader.read()
    writer.close()


async def test_a_topic_that_is_no_text_stops_no_other_message(caplog: pytest.LogCaptureFixture) -> None:
    got: list[bytes] = []
    server = await asyncio.start_server(_bend_a_topic, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        uplink = MqttUplink(MqttSettings("127.0.0.1", port, client_id="gw-1", version="3.1.1"))
        uplink.listen("x", got.append)
        await uplink.connect()
        await until(lambda: bool(got))
        await uplink.close()
    assert (got, caplog.messages) == ([b"ok"], [])
