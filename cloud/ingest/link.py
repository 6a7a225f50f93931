"""Link: one connection to the broker, kept for ever; messages are acknowledged by hand. The only user of paho here.

Invariants: an acknowledgement goes out on the connection that its message came on, or not at all, since numbers begin
anew with each connection; whatever is refused by the receiver stays with the broker, for the connection is given up.
"""

import contextlib
import logging
import random
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, cast

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from cloud.ingest.stall import Stall
from cloud.sections.readings import MqttSettings, TlsSettings

Receive = Callable[[str, bytes, bool, Callable[[], None]], bool]
"""Takes topic, payload, whether it was retained, and what to call when it is durable; False: no room."""
_log = logging.getLogger(__name__)
_KEEPALIVE_S = 10
"""A connection that carries nothing any more is found after twice this, and the broker gives its share to others."""
_RECEIVE_MAXIMUM = 64
_MAX_PACKET_BYTES = 2 * 1024 * 1024
_MAX_QUEUED = 2000
_IN_FLIGHT = 20
_KEPT_SESSION_S = 7 * 24 * 3600
_FIRST_DELAY_S = 0.2
_LAST_DELAY_S = 1.0
"""Gateways wait for ingest as soon as the broker is back, and ingest processes are few: waiting on spares nothing."""


class Wake:
    """Lets other threads end a wait on sockets."""

    def __init__(self) -> None:
        self.ear, self._mouth = socket.socketpair()
        self.ear.settimeout(0)
        self._mouth.settimeout(0)

    def call(self) -> None:
        """End the wait, now or the next one. Any thread."""
        with contextlib.suppress(BlockingIOError, OSError):
            self._mouth.send(b"!")

    def hear(self) -> None:
        """Take note of every call so far."""
        with contextlib.suppress(BlockingIOError):
            self.ear.recv(4096)

    def close(self) -> None:
        """Let go of the sockets."""
        self.ear.close()
        self._mouth.close()


def _nothing() -> None:
    pass


class Link:
    """A client in a thread of its own; name: the client id, kept: whether the broker keeps its messages while away.

    changed: called when the broker was found or lost; stall: when to connect anew though the connection stands.
    """

    def __init__(  # noqa: PLR0913 - what a link is, each by its name
        self,
        settings: MqttSettings,
        password: str,
        *,
        name: str,
        kept: bool,
        filters: Sequence[str],
        receive: Receive,
        changed: Callable[[], None] = _nothing,
        stall: Stall | None = None,
    ) -> None:
        self._settings = settings
        self._name = name
        self._is_kept = kept
        self._filters = tuple(filters)
        self._receive = receive
        self._changed = changed
        self._sending = threading.Lock()
        self._connection = 0
        self._is_connected = False
        self._delay_s = _FIRST_DELAY_S
        self._stopping = threading.Event()
        self._wake = Wake()
        self._stall = stall or Stall()
        self._client = self._make_client(password)
        self._thread = threading.Thread(target=self._run, name=f"link {name}", daemon=True)

    @property
    def is_connected(self) -> bool:
        """Return whether the broker is there and the subscriptions were sent."""
        return self._is_connected

    def start(self) -> None:
        """Begin to connect, and never give up."""
        self._thread.start()

    def stop(self) -> None:
        """Say goodbye and end the thread."""
        self._stopping.set()
        self._client.disconnect()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def publish(self, topic: str, payload: bytes, *, is_retained: bool = False) -> bool:
        """Hand over a message of QoS 1; return False where there is no connection to send it on. Any thread."""
        with self._sending:
            return self._is_connected and self._client.publish(topic, payload, qos=1, retain=is_retained).rc == 0

    def _acknowledge(self, connection: int, number: int) -> None:
        with self._sending:
            if self._is_connected and connection == self._connection:
                self._client.ack(number, 1)
                self._stall.answered()

    def _make_client(self, password: str) -> Client:
        is_old = self._settings.protocol == "3.1.1"
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._name,
            clean_session=not self._is_kept if is_old else None,
            protocol=MQTTProtocolVersion.MQTTv311 if is_old else MQTTProtocolVersion.MQTTv5,
            transport=self._settings.transport,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.max_queued_messages_set(_MAX_QUEUED)
        client.max_inflight_messages_set(_IN_FLIGHT)
        if self._settings.username:
            client.username_pw_set(self._settings.username, password or None)
        if self._settings.tls is not None:
            client.tls_set_context(_tls(self._settings.tls))
        client.on_socket_open = send_at_once
        client.on_socket_register_write = lambda *_: self._wake.call()
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        return client

    def _run(self) -> None:
        """Connect, converse, and begin anew: the supervised root of this thread."""
        is_known_lost = False
        while not self._stopping.is_set():
            try:
                self._connect()
                self._converse()
                is_known_lost = False
            except OSError as error:
                if not is_known_lost:
                    _log.warning("no broker at %s:%d: %s", self._settings.host, self._settings.port, error)
                is_known_lost = True
            except Exception:  # noqa: BLE001 logged, and begun anew
                _log.exception("the connection as %s failed and is made anew", self._name)
            self._lost()
            self._stopping.wait(self._delay_s * random.uniform(0.8, 1.2))  # noqa: S311 jitter
            self._delay_s = min(2 * self._delay_s, _LAST_DELAY_S)
        self._wake.close()

    def _converse(self) -> None:
        """Read and write until the connection ends; everything that paho does with its socket is done here."""
        connected = cast("socket.socket", self._client.socket())  # paho's type also allows what wraps one
        with selectors.DefaultSelector() as selector:
            selector.register(connected, selectors.EVENT_READ)
            selector.register(self._wake.ear, selectors.EVENT_READ)
            while self._client.socket() is connected:
                wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._client.want_write() else 0)
                selector.modify(connected, wanted)
                ready = {key.fileobj: events for key, events in selector.select(0 if _has_more(connected) else 1.0)}
                if self._wake.ear in ready:
                    self._wake.hear()
                events = ready.get(connected, 0)
                if events & selectors.EVENT_WRITE:
                    self._client.loop_write()
                if events & selectors.EVENT_READ or _has_more(connected):
                    self._client.loop_read()
                self._client.loop_misc()
                if self._stall.is_likely(time.monotonic()):
                    _log.info("%s was brought nothing for long and connects anew", self._name)
                    self._stall.connected()
                    self._client.disconnect()

    def _connect(self) -> None:
        host, port = self._settings.host, self._settings.port
        if self._settings.protocol == "3.1.1":
            self._client.connect(host, port, keepalive=_KEEPALIVE_S)
            return
        wishes = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho leaves it so
        wishes.ReceiveMaximum = _RECEIVE_MAXIMUM
        wishes.MaximumPacketSize = _MAX_PACKET_BYTES
        wishes.SessionExpiryInterval = _KEPT_SESSION_S if self._is_kept else 0
        self._client.connect(host, port, keepalive=_KEEPALIVE_S, clean_start=not self._is_kept, properties=wishes)

    def _lost(self) -> None:
        with self._sending:
            self._is_connected = False
        self._changed()

    def _on_connect(self, client: Client, _: object, __: object, reason: ReasonCode, ___: object) -> None:
        if reason.is_failure:
            _log.error("the broker refuses %s: %s", self._name, reason)
            return
        client.subscribe([(one, 1) for one in self._filters])
        with self._sending:
            self._stall.connected()
            self._connection += 1
            self._is_connected = True
        self._changed()
        self._delay_s = _FIRST_DELAY_S
        _log.info("connected to the broker as %s", self._name)

    def _on_disconnect(self, _: Client, __: object, ___: object, reason: ReasonCode, ____: object) -> None:
        self._lost()
        if not self._stopping.is_set():
            _log.warning("%s lost the broker: %s", self._name, reason)

    def _on_subscribe(self, _: Client, __: object, ___: int, reasons: list[ReasonCode], ____: object) -> None:
        for wanted, reason in zip(self._filters, reasons, strict=False):
            if reason.is_failure:
                _log.error("the broker refuses %s the subscription %s: %s", self._name, wanted, reason)

    def _on_message(self, client: Client, _: Any, message: MQTTMessage) -> None:  # noqa: ANN401 paho's own
        connection, number = self._connection, message.mid
        is_promised = message.qos > 0
        if is_promised:
            self._stall.heard(time.monotonic())

        def done() -> None:
            if is_promised:
                self._acknowledge(connection, number)

        try:
            topic = message.topic
        except UnicodeDecodeError:
            done()
            return
        if not self._receive(topic, bytes(message.payload), message.retain, done) and is_promised:
            client.disconnect()


def send_at_once(_: Client, __: object, opened: object) -> None:
    """Let each small packet go out by itself: one held back until the other side is heard waits for up to 40 ms."""
    if isinstance(opened, socket.socket):  # a WebSocket is wrapped and has no options
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _has_more(connected: socket.socket) -> bool:
    """Return whether bytes were read already that no select will tell of."""
    pending = getattr(connected, "pending", None)
    return pending is not None and pending() > 0


def _tls(settings: TlsSettings) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=settings.ca)
    if settings.certificate is not None:
        context.load_cert_chain(settings.certificate, settings.key)
    return context
