"""The ingest process: one thread that writes, two connections to the broker, the door for the other processes."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from cloud.domain.retention import RetentionPolicy
from cloud.ingest.books import Books
from cloud.ingest.door import Door, no_broker
from cloud.ingest.figures import Figures
from cloud.ingest.inbox import Inbox
from cloud.ingest.intake import Intake
from cloud.ingest.maintenance import KEEP_ALL, Maintenance
from cloud.ingest.subscriber import Subscriber
from cloud.ingest.writer import Publish, Writer
from cloud.ports import Clock, ReadingStore
from cloud.sections.readings import MqttSettings
from cloud.storage.chunks.database import Database


@dataclass(frozen=True, slots=True)
class IngestParts:
    """What the ingest process works with; mqtt: None for one that is reached by its door only.

    The database is the one that the store writes to, or stands beside a store of another kind; both are used by the
    writer's thread alone and closed by whoever opened them.
    """

    store: ReadingStore
    database: Database
    clock: Clock
    door: Path
    mqtt: MqttSettings | None = None
    password: str = ""
    name: str = "lineside"
    policy: RetentionPolicy = KEEP_ALL


def nothing() -> None:
    """Do nothing, where nobody wants to be called."""


async def run_ingest(
    parts: IngestParts,
    *,
    stop: asyncio.Event,
    ready: Callable[[], None] = nothing,
    committed: Callable[[], None] = nothing,
) -> None:
    """Take in and write until told to stop; then everything that was taken in is written, or was never acknowledged.

    ready: called when the door is open; committed: between each commit and its acks. Raises Unavailable where the
    tables cannot be opened, and whatever ends the writer.
    """
    figures, inbox = Figures(), Inbox()
    books = Books.open(parts.database, now_s=parts.clock.now_us() // 1_000_000)
    intake = Intake(parts.store, books, clock=parts.clock, figures=figures)
    maintenance = Maintenance(
        parts.store, books.ledger, intake, clock=parts.clock, figures=figures, policy=parts.policy
    )
    subscriber = _subscriber(parts, inbox, figures)
    publish: Publish = subscriber.publish if subscriber else lambda _: None
    writer = Writer(
        intake, maintenance, inbox, publish=publish, clock=parts.clock, figures=figures, committed=committed
    )
    async with AsyncExitStack() as stack:
        writing = asyncio.create_task(asyncio.to_thread(writer.run), name="writer")
        stack.push_async_callback(_finish, writing, inbox)
        to_gateway = subscriber.publish_to_gateway if subscriber else no_broker
        door = Door(inbox, figures, trouble=lambda: writer.trouble, publish=to_gateway)
        await stack.enter_async_context(door.open(parts.door))
        if subscriber is not None:
            subscriber.start()
            stack.push_async_callback(asyncio.to_thread, subscriber.stop)
        ready()
        await _first(writing, stop)


def _subscriber(parts: IngestParts, inbox: Inbox, figures: Figures) -> Subscriber | None:
    if parts.mqtt is None:
        return None
    return Subscriber(parts.mqtt, parts.password, inbox=inbox, figures=figures, name=parts.name)


async def _first(writing: asyncio.Task[None], stop: asyncio.Event) -> None:
    """Wait until told to stop, or until the writer ends by itself, which it only does by failing."""
    stopping = asyncio.create_task(stop.wait(), name="stop")
    await asyncio.wait({writing, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()


async def _finish(writing: asyncio.Task[None], inbox: Inbox) -> None:
    inbox.close()
    await writing
