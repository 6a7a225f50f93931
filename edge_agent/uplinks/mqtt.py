"""MqttUplink: one connection to an MQTT broker through paho, whose thread stays behind this file.

A new client is made for each connection, with a clean session: paho keeps what a lost connection left unsent and would
send it again, while here only the outbox decides what is sent. Callbacks come in paho's thread and are handed to the
loop in batches.
"""

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from edge_agent.errors import UplinkLost
from edge_agent.uplinks.proxy import proxy_options
from edge_agent.uplinks.socket_options import send_at_once

if TYPE_CHECKING:
    from paho.mqtt.client import Client, MQTTMessage
    from paho.mqtt.reasoncodes import ReasonCode

_GOODBYE_S = 1.0
_MOST_IN_FLIGHT = 10
"""More than the outbox's window, less than the receive maximum of common brokers (20), which paho does not heed."""

_TAKEN_OVER = 0x8E
"""The reason code of MQTT 5, "session taken over"."""


@dataclass(frozen=True, slots=True)
class MqttTls:
    """PEM files; without ca the system's authorities are trusted, without certificate none is shown."""

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def context(self) -> ssl.SSLContext:
        """Return what these files allow; raise UplinkLost where they cannot be used."""
        try:
            context = ssl.create_default_context(cafile=self.ca)
            if self.certificate is not None:
                context.load_cert_chain(self.certificate, self.key)
        except (OSError, ssl.SSLError) as error:
            raise UplinkLost(f"the TLS files of the uplink cannot be used: {error}") from error
        return context


@dataclass(frozen=True, slots=True)
class MqttSettings:
    """How to reach a broker; proxy: http://HOST:PORT or socks5://HOST:PORT; version: of MQTT."""

    host: str
    port: int
    client_id: str
    transport: Literal["tcp", "websockets"] = "tcp"
    path: str = "/mqtt"
    tls: MqttTls | None = None
    proxy: str | None = None
    version: Literal["5", "3.1.1"] = "5"
    username: str = ""
    password: str | None = None
    keepalive_s: int = 30
    timeout_s: float = 5.0


class _Link:
    """What belongs to one connection: paho's client, and futures that its callbacks settle on the loop."""

    def __init__(self, client: "Client", loop: asyncio.AbstractEventLoop) -> None:
        self.client = client
        self.loop = loop
        self.answered: asyncio.Future[str] = loop.create_future()
        self.subscribed: asyncio.Future[None] = loop.create_future()
        self.lost: asyncio.Future[None] = loop.create_future()
        self.confirming: dict[int, asyncio.Future[None]] = {}
        self.is_confirming = False

    def is_up(self) -> bool:
        return not self.lost.done() and self.client.is_connected()


class MqttUplink:
    """The Uplink port over MQTT 5 or 3.1.1, by TCP, TLS, WebSockets, and a proxy where there is one."""

    def __init__(self, settings: MqttSettings) -> None:
        self._settings = settings
        self._listeners: dict[str, Callable[[bytes], None]] = {}
        self._will: tuple[str, bytes] | None = None
        self._link: _Link | None = None
        self._arrived: deque[Callable[[], None]] = deque()
        self._is_announced = False
        self._tell_taken_over: Callable[[], None] = _nothing

    def listen(self, topic: str, receive: Callable[[bytes], None]) -> None:
        """Call `receive` with each payload on this topic, from the next connection on."""
        self._listeners[topic] = receive

    def leave_behind(self, topic: str, payload: bytes) -> None:
        """Have the broker publish this, retained, when a connection made from now on ends without a goodbye."""
        self._will = (topic, payload)

    def when_taken_over(self, tell: Callable[[], None]) -> None:
        """Call `tell` whenever the broker says that it gave our name to another connection; some of MQTT 5 do."""
        self._tell_taken_over = tell

    async def connect(self) -> None:
        """Connect and subscribe; raise UplinkLost that says what the broker or the way to it refused."""
        await self.close()
        loop = asyncio.get_running_loop()
        link = self._link = _Link(self._client(), loop)
        self._bind(link)
        where = f"{self._settings.host}:{self._settings.port}"
        try:
            async with asyncio.timeout(2 * self._settings.timeout_s):
                await loop.run_in_executor(None, self._dial, link)
                await self._greet(link)
        except TimeoutError as error:
            await self.close()
            raise UplinkLost(f"no answer from the broker at {where} in {2 * self._settings.timeout_s} s") from error
        except (OSError, ValueError) as error:
            await self.close()
            raise UplinkLost(f"cannot reach the broker at {where}: {error}") from error
        except BaseException:
            await self.close()
            raise

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Hand the message to the broker, QoS 1, without waiting for its PUBACK; raise UplinkLost."""
        self._publish(self._up(), topic, payload, retain=retain)

    async def publish_confirmed(self, topic: str, payload: bytes) -> None:
        """Publish and wait for the broker's PUBACK; raise UplinkLost."""
        link = self._up()
        confirmed: asyncio.Future[None] = link.loop.create_future()
        link.is_confirming = True
        link.confirming[self._publish(link, topic, payload)] = confirmed
        await confirmed

    async def lost(self) -> None:
        """Wait until the connection is gone."""
        if self._link is not None:
            await asyncio.shield(self._link.lost)

    async def close(self) -> None:
        """Say goodbye; always safe to call."""
        link, self._link = self._link, None
        if link is None:
            return
        if link.is_up():
            link.client.disconnect()
            with suppress(TimeoutError):
                async with asyncio.timeout(_GOODBYE_S):
                    await asyncio.shield(link.lost)
        await link.loop.run_in_executor(None, _end, link.client)

    def _client(self) -> "Client":
        from paho.mqtt.client import Client, MQTTv5, MQTTv311  # noqa: PLC0415  # time and memory only where it is used
        from paho.mqtt.enums import CallbackAPIVersion  # noqa: PLC0415  # the same

        told = self._settings
        is_v5 = told.version == "5"
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=told.client_id,
            clean_session=None if is_v5 else True,
            protocol=MQTTv5 if is_v5 else MQTTv311,
            transport=told.transport,
            reconnect_on_failure=False,
        )
        client.connect_timeout = told.timeout_s
        client.max_inflight_messages_set(_MOST_IN_FLIGHT)
        client.ws_set_options(path=told.path)
        if told.username:
            client.username_pw_set(told.username, told.password)
        if told.tls is not None:
            client.tls_set_context(told.tls.context())
        if told.proxy:
            client.proxy_set(**proxy_options(told.proxy))
        if self._will is not None:
            client.will_set(*self._will, qos=1, retain=True)
        return client

    def _dial(self, link: _Link) -> None:
        """Block until the network lets us through; runs in a thread of its own."""
        told = self._settings
        if told.version == "5":
            link.client.connect(told.host, told.port, told.keepalive_s, clean_start=True)
        else:
            link.client.connect(told.host, told.port, told.keepalive_s)
        if self._link is link:
            link.client.loop_start()
        else:
            _end(link.client)

    async def _greet(self, link: _Link) -> None:
        """Wait for the broker's welcome, then subscribe."""
        if refusal := await link.answered:
            raise UplinkLost(f"the broker at {self._settings.host}:{self._settings.port} refused: {refusal}")
        if self._listeners:
            link.client.subscribe([(topic, 1) for topic in self._listeners])
            await link.subscribed

    def _up(self) -> _Link:
        if self._link is None or not self._link.is_up():
            raise UplinkLost("there is no connection to the broker")
        return self._link

    def _publish(self, link: _Link, topic: str, payload: bytes, *, retain: bool = False) -> int:
        info = link.client.publish(topic, payload, qos=1, retain=retain)
        if info.rc:
            raise UplinkLost(f"the broker's client refused a message: {info.rc.name}")
        return info.mid

    def _bind(self, link: _Link) -> None:
        """Give paho callbacks that do nothing but hand over to the loop."""

        def on_connect(_: object, __: object, ___: object, reason: "ReasonCode", ____: object) -> None:
            self._hand_over(link, lambda: _settle(link.answered, str(reason) if reason.is_failure else ""))

        def on_subscribe(*_: object) -> None:
            self._hand_over(link, lambda: _settle(link.subscribed, None))

        def on_disconnect(_: object, __: object, ___: object, reason: "ReasonCode", ____: object) -> None:
            if reason.value == _TAKEN_OVER:
                self._hand_over(link, self._tell_taken_over)
            self._hand_over(link, lambda: _cut(link))

        def on_publish(_: object, __: object, mid: int, ___: object, ____: object) -> None:
            if link.is_confirming:
                self._hand_over(link, lambda: _confirm(link, mid))

        def on_message(_: object, __: object, message: "MQTTMessage") -> None:
            with suppress(UnicodeDecodeError):  # bent on its way, and so none of our topics
                topic, payload = message.topic, bytes(message.payload)
                self._hand_over(link, lambda: self._receive(link, topic, payload))

        client = link.client
        client.on_connect, client.on_subscribe, client.on_disconnect = on_connect, on_subscribe, on_disconnect
        client.on_publish, client.on_message, client.on_socket_open = on_publish, on_message, send_at_once

    def _hand_over(self, link: _Link, act: Callable[[], None]) -> None:
        """Run `act` on the loop; the loop is woken once for all that arrives before it gets there. In paho's thread."""
        self._arrived.append(act)
        if not self._is_announced:
            self._is_announced = True
            with suppress(RuntimeError):  # the loop is closed: nobody is left to be told
                link.loop.call_soon_threadsafe(self._drain)

    def _drain(self) -> None:
        self._is_announced = False
        while self._arrived:
            self._arrived.popleft()()

    def _receive(self, link: _Link, topic: str, payload: bytes) -> None:
        receive = self._listeners.get(topic)
        if receive is not None and link is self._link:
            receive(payload)


def _nothing() -> None:
    pass


def _settle(future: "asyncio.Future[Any]", value: str | None) -> None:
    if not future.done():
        future.set_result(value)


def _confirm(link: _Link, mid: int) -> None:
    confirmed = link.confirming.pop(mid, None)
    if confirmed is not None:
        _settle(confirmed, None)


def _cut(link: _Link) -> None:
    """Tell everybody who waits on a connection that is gone."""
    _settle(link.lost, None)
    _settle(link.answered, "the connection was closed")
    waiting, link.confirming = list(link.confirming.values()), {}
    for future in (link.subscribed, *waiting):
        if not future.done():
            future.set_exception(UplinkLost("the connection to the broker was lost"))
            future.exception()  # nobody may be waiting any more


def _end(client: "Client") -> None:
    """Stop paho's thread; a broker that reads nothing any more must not hold it up."""
    end = client.socket()
    if isinstance(end, socket.socket):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
    client.loop_stop()
    client.on_connect = client.on_subscribe = client.on_disconnect = None  # paho closes its last sockets when nothing
    client.on_publish = client.on_message = None  # refers to the client any more; the callbacks do
