"""Door: a Unix socket by which other processes of the cloud hand readings to the one that writes, and ask its figures.

Readings that come this way are committed in the same groups as those from the broker. The socket belongs to its owner
only. When the writer's queue is full, or the store unavailable, the answer is `Unavailable`, at once.
"""

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

import msgspec

from cloud.errors import Invalid, Unavailable
from cloud.ingest.door_messages import (
    Archive,
    Hand,
    Handed,
    Publish,
    Reply,
    Request,
    Take,
    Tell,
    arrival_of,
    framed,
    read_message,
    reply_of,
    short_path,
)
from cloud.ingest.figures import Figures
from cloud.ingest.inbox import Inbox
from cloud.ingest.parcels import ArchiveParcel, BatchParcel, DirectParcel, HelloParcel, Outcome
from cloud.logs import about_request
from cloud.ports import Written

_BACKLOG = 64
_log = logging.getLogger(__name__)
_FAMILY = "lineside_ingest_mqtt"
_NO_READINGS = (0, 0, 0, 0, 0)


class ToGateway(Protocol):
    """Puts a message on a topic of a gateway."""

    def __call__(self, topic: str, payload: bytes, *, is_retained: bool) -> None:
        """Return when it is on its way; raise Invalid, Unavailable."""


def no_broker(topic: str, payload: bytes, *, is_retained: bool) -> None:
    """Refuse, where this installation has no broker; raise Unavailable."""
    _ = payload, is_retained
    raise Unavailable(f"nothing can be published on {topic}: there is no broker here", code="BROKER_AWAY")


class Door:
    """The server's side; trouble: why nothing can be written now, None while all is well; publish: to gateways."""

    def __init__(
        self,
        inbox: Inbox,
        figures: Figures,
        *,
        trouble: Callable[[], Unavailable | None],
        publish: ToGateway = no_broker,
    ) -> None:
        self._inbox = inbox
        self._figures = figures
        self._trouble = trouble
        self._publish = publish
        self._callers: set[asyncio.StreamWriter] = set()

    @asynccontextmanager
    async def open(self, path: Path) -> AsyncIterator[None]:
        """Listen on this socket until the end of the block; a socket left behind by a crash is taken over."""
        listening = _listen(path)
        server = await asyncio.start_unix_server(self._serve, sock=listening)
        try:
            yield
        finally:
            server.close()
            callers = tuple(self._callers)
            for caller in callers:
                caller.close()
            await asyncio.gather(*(caller.wait_closed() for caller in callers), return_exceptions=True)
            _remove(path)

    async def _serve(self, reader: asyncio.StreamReader, caller: asyncio.StreamWriter) -> None:
        self._callers.add(caller)
        decoder: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
        try:
            while True:
                self._handle(decoder.decode(await read_message(reader)), caller)
                await caller.drain()
        except (Unavailable, msgspec.MsgspecError, OSError):
            return
        finally:
            self._callers.discard(caller)
            caller.close()

    def _handle(self, request: Request, caller: asyncio.StreamWriter) -> None:
        match request:
            case Tell():
                _send(caller, Reply(request.number, samples=tuple(self._figures.samples())))
            case Publish():
                _send(caller, reply_of(request.number, self._published(request)))
            case Take():
                self._take(request, caller)
            case Hand():
                self._hand(request, caller)
            case Archive():
                self._archive(request, caller)

    def _archive(self, request: Archive, caller: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()

        def done(outcome: Outcome) -> None:
            loop.call_soon_threadsafe(_send, caller, reply_of(request.number, outcome))

        marks = {(gateway, epoch): seq for gateway, epoch, seq in request.marks}
        if not self._inbox.offer(ArchiveParcel(marks), done):
            _send(caller, reply_of(request.number, Unavailable("too much waits to be written", code="INGEST_BUSY")))

    def _published(self, request: Publish) -> Outcome:
        try:
            self._publish(request.topic, request.payload, is_retained=request.is_retained)
        except (Invalid, Unavailable) as error:
            return error
        return None

    def _take(self, request: Take, caller: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()

        def done(outcome: Outcome) -> None:
            _tell_of(request, outcome)
            loop.call_soon_threadsafe(_send, caller, reply_of(request.number, outcome))

        trouble = self._trouble()
        if trouble is not None:
            _send(caller, reply_of(request.number, trouble))
            return
        try:
            is_taken = self._inbox.offer(DirectParcel(arrival_of(request)), done)
        except Invalid as error:
            _send(caller, reply_of(request.number, error))
            return
        if not is_taken:
            busy = Unavailable("too many readings wait to be written", code="INGEST_BUSY")
            _send(caller, reply_of(request.number, busy))

    def _hand(self, request: Hand, caller: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        settling = _Settling(len(request.messages))
        if not request.messages:
            _send(caller, Reply(request.number, written=_NO_READINGS))

        def done(_: Outcome) -> None:
            if settling.one_more():
                loop.call_soon_threadsafe(_send, caller, Reply(request.number, written=_NO_READINGS))

        for message in request.messages:
            if not self._inbox.offer(_parcel(message), done):
                busy = Unavailable("too many messages wait to be written", code="INGEST_BUSY")
                _send(caller, reply_of(request.number, busy))
                return
        self._figures.count(_FAMILY, "handed", len(request.messages))


class _Settling:
    """Counts what became durable, for one thread."""

    def __init__(self, count: int) -> None:
        self._left = count

    def one_more(self) -> bool:
        """Return whether that was the last."""
        self._left -= 1
        return self._left == 0


def _parcel(message: Handed) -> BatchParcel | HelloParcel:
    kind = HelloParcel if message.is_hello else BatchParcel
    return kind(message.gateway, message.payload)


def _tell_of(request: Take, outcome: Outcome) -> None:
    """Log what became of readings that came by a request, so that it can be followed from its first line to here."""
    if not request.request_id:
        return
    with about_request(request.request_id):
        if isinstance(outcome, Written):
            facts = {"stored": outcome.stored, "duplicate": outcome.duplicate, "rejected": outcome.rejected}
            _log.info("readings of a request are durable", extra=facts)
        else:
            _log.warning("readings of a request were refused: %s", outcome)


def _send(caller: asyncio.StreamWriter, reply: Reply) -> None:
    if not caller.is_closing():
        caller.write(framed(reply))


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def _listen(path: Path) -> socket.socket:
    _remove(path)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        with short_path(path) as address:
            listening.bind(address)
    except OSError:
        listening.close()
        raise
    finally:
        os.umask(before)
    listening.listen(_BACKLOG)
    return listening
