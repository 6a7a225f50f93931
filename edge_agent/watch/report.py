"""Gathers the agent's status from plain counters, and answers `/health`, `/health/live`, `/status` and `/metrics`."""

import asyncio
import resource
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from importlib import import_module
from pathlib import Path
from typing import Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge_agent.errors import BufferUnusable
from edge_agent.ports import Clock, Ledger
from edge_agent.watch.health import Answer, Answerer
from edge_agent.watch.last_values import LastValues, known
from edge_agent.watch.status import (
    AgentStatus,
    BufferState,
    DeliveryState,
    DeviceState,
    EpochCount,
    JudgedState,
    encode,
)
from protocols.reading import ReadingBlock


class Counts(Protocol):
    """What a poller has gone through; seconds are those spent in reads."""

    @property
    def polls(self) -> int:
        """Return how many reads were answered."""

    @property
    def skipped(self) -> int:
        """Return how many were given up because they were late."""

    @property
    def losses(self) -> int:
        """Return how often the Device went."""

    @property
    def read_s(self) -> float:
        """Return the seconds spent in reads."""

    @property
    def longest_read_s(self) -> float:
        """Return the longest of them."""

    @property
    def is_reachable(self) -> bool:
        """Return whether the Device answers now."""


class Sealing(Protocol):
    """How far sealing has come; in readings, but for the commits."""

    @property
    def waiting(self) -> int:
        """Return how many are in memory only."""

    @property
    def overflowed(self) -> int:
        """Return how many went because the disk did not keep up."""

    @property
    def refused(self) -> int:
        """Return how many no batch could hold."""

    @property
    def lost_events(self) -> int:
        """Return how many events came while too many waited."""

    @property
    def commits(self) -> int:
        """Return how many commits were made."""

    @property
    def commit_s(self) -> float:
        """Return how long the last one took."""


@dataclass(slots=True)
class WatchedDevice:
    """One Device as the watch sees it; qualities: readings by code, shape (256,); reason: why it is lost."""

    id: str
    protocol: str
    counts: Counts
    qualities: NDArray[np.int64] = field(default_factory=lambda: np.zeros(256, np.int64))
    reason: str = ""

    def take(self, block: ReadingBlock) -> None:
        """Count the readings of a block by Quality."""
        for column in block.columns:
            self.qualities += np.bincount(column.quality, minlength=256)

    def shown(self) -> DeviceState:
        """Return the Device as the status document has it."""
        readings = {known(code).text: int(self.qualities[code]) for code in np.flatnonzero(self.qualities).tolist()}
        state = "ok" if self.counts.is_reachable else "lost" if self.reason or self.counts.losses else "starting"
        return DeviceState(
            id=self.id,
            protocol=self.protocol,
            state=state,
            error="" if state == "ok" else self.reason,
            polls=self.counts.polls,
            losses=self.counts.losses,
            skipped_polls=self.counts.skipped,
            readings=readings,
            read_s_sum=self.counts.read_s,
            read_s_max=self.counts.longest_read_s,
        )


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a report asks; each is cheap, and none waits for a Device or the network."""

    ledger: Callable[[], Awaitable[Ledger]]
    epoch: Callable[[], Awaitable[int]]
    sealing: Callable[[], Sealing]
    unsendable: Callable[[], int]
    delivery: Callable[[], DeliveryState]
    hidden: Callable[[], int]
    stuck: Callable[[], str]
    judged: Callable[[], tuple[JudgedState, ...]] = tuple


class Report:
    """What the agent says of itself, made when it is asked."""

    def __init__(
        self,
        name: tuple[str, str],
        devices: Sequence[WatchedDevice],
        values: LastValues,
        sources: Sources,
        clock: Clock,
    ) -> None:
        """name: gateway and version."""
        self._gateway, self._version = name
        self._devices = tuple(devices)
        self._values = values
        self._sources = sources
        self._clock = clock
        self._started_at = datetime.fromtimestamp(clock.now_us() / 1e6, UTC).isoformat(timespec="milliseconds")
        self._started_s = clock.monotonic_s()

    def pages(self) -> Mapping[str, Answerer]:
        """Return what each path answers."""
        return {
            "/health": self.health,
            "/health/live": self.live,
            "/status": self.page,
            "/metrics": self.metrics,
        }

    async def live(self) -> Answer:
        """Answer 200 while polling and committing advance, else 503."""
        stuck = self._sources.stuck()
        status = HTTPStatus.SERVICE_UNAVAILABLE if stuck else HTTPStatus.OK
        return Answer(status, msgspec.json.encode({"ok": not stuck, "stuck": stuck}))

    async def health(self) -> Answer:
        """Answer 200 where readings are taken and kept, else 503; a broker that is away is told and is no failure."""
        status = await self.status()
        is_ok = not status.buffer.error and not self._sources.stuck()
        document = {
            "status": "ok" if is_ok and not status.problems else "degraded" if is_ok else "failing",
            "problems": status.problems,
            "devices": {device.id: device.state for device in status.devices},
            "buffer": status.buffer.error or "ok",
            "uplink": "connected" if status.delivery.connected else "away",
        }
        return Answer(HTTPStatus.OK if is_ok else HTTPStatus.SERVICE_UNAVAILABLE, msgspec.json.encode(document))

    async def page(self) -> Answer:
        """Answer the whole status document."""
        return Answer(HTTPStatus.OK, encode(await self.status()))

    async def metrics(self) -> Answer:
        """Answer the metrics; the first scrape loads prometheus_client, off the loop."""
        module = await asyncio.to_thread(import_module, "edge_agent.watch.metrics")
        text = module.exposition(await self.status(), resident_bytes=resident_bytes(), cpu_s=time.process_time())
        return Answer(HTTPStatus.OK, text, module.CONTENT_TYPE)

    async def status(self) -> AgentStatus:
        """Return everything at this moment."""
        buffer = await self._buffer()
        delivery = self._sources.delivery()
        lost = self._lost(buffer)
        lost_events = self._sources.sealing().lost_events
        judged = self._sources.judged()
        devices = tuple(device.shown() for device in self._devices)
        return AgentStatus(
            gateway=self._gateway,
            version=self._version,
            started_at=self._started_at,
            uptime_s=round(self._clock.monotonic_s() - self._started_s, 3),
            problems=problems(devices, buffer, delivery, lost) + slips(judged, lost_events),
            devices=devices,
            buffer=buffer,
            delivery=delivery,
            values=self._values.rows(),
            hidden_readings=self._sources.hidden(),
            lost_readings=lost,
            judged=judged,
            lost_events=lost_events,
        )

    def _lost(self, buffer: BufferState) -> dict[str, int]:
        sealing = self._sources.sealing()
        return {
            "buffer full": sum(epoch.dropped for epoch in buffer.epochs),
            "disk too slow": sealing.overflowed,
            "not encodable": sealing.refused,
            "not sendable": self._sources.unsendable(),
        }

    async def _buffer(self) -> BufferState:
        sealing = self._sources.sealing()
        try:
            ledger = await self._sources.ledger()
            epoch = await self._sources.epoch()
        except BufferUnusable as error:
            return BufferState(error=str(error), unsealed_readings=sealing.waiting)
        oldest = ledger.oldest_waiting_us
        return BufferState(
            epoch=f"{epoch:016x}",
            epochs=tuple(EpochCount(f"{e.epoch:016x}", e.sealed, e.acked, e.waiting, e.dropped) for e in ledger.epochs),
            batches_waiting=ledger.batches_waiting,
            bytes_used=ledger.bytes_used,
            bytes_cap=ledger.bytes_cap,
            oldest_waiting_s=0.0 if oldest is None else max(0.0, (self._clock.now_us() - oldest) / 1e6),
            bytes_written_today=ledger.bytes_written_today,
            unsealed_readings=sealing.waiting,
            commits=sealing.commits,
            commit_s=sealing.commit_s,
        )


def problems(
    devices: Sequence[DeviceState], buffer: BufferState, delivery: DeliveryState, lost: Mapping[str, int]
) -> tuple[str, ...]:
    """Return what an operator should know, worst first, in words."""
    found = [f"the buffer cannot be used: {buffer.error}"] if buffer.error else []
    found.extend(f"{count} readings were lost: {reason}" for reason, count in lost.items() if count)
    found.extend(f"{device.id} does not answer: {device.error}" for device in devices if device.state == "lost")
    if not delivery.connected:
        found.append(f"the broker {delivery.broker} is away; readings wait in the buffer")
    return tuple(found)


def slips(judged: Sequence[JudgedState], lost_events: int) -> tuple[str, ...]:
    """Return in words what was neither told nor judged."""
    found = [f"{lost_events} events were lost: too many waited"] if lost_events else []
    late = (one for one in judged if one.left_out)
    found.extend(f"{one.left_out} readings of {one.device} were not judged: the gateway is too slow" for one in late)
    return tuple(found)


def resident_bytes() -> int:
    """Return the memory in use now, or at its peak where the kernel does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
