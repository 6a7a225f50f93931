"""Health: whether each part of the cloud does its work, and what an operator must be told."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from time import perf_counter
from typing import Generic, TypeVar

from cloud.errors import CloudError
from cloud.ports import CacheFacts, Clock
from cloud.records.database import Records
from cloud.threads import Closeable, Threads

Held = TypeVar("Held", bound=Closeable)
_AWAY = "the ingest process does not answer"
_TAKES = "lineside_ingest_store_available"
_FULL = "lineside_ingest_store_full"
_WAITING = "lineside_ingest_waiting"
_BROKER = "lineside_ingest_broker_connected"


class Status(StrEnum):
    """How well; unhealthy is what makes a load balancer look elsewhere."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"
    NOT_CONFIGURED = "not_configured"
    """Nobody asked for it, so nothing is wrong."""


@dataclass(frozen=True, slots=True)
class Component:
    """One part; details are facts that anybody may see, private ones only for callers with a key."""

    status: Status
    details: dict[str, object] = field(default_factory=dict)
    private: dict[str, object] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """The whole; alarms are the names of what an operator must see to, such as disk_full."""

    components: dict[str, Component]
    alarms: tuple[str, ...]
    uptime_s: float
    at_us: int

    @property
    def status(self) -> Status:
        """Return unhealthy where nothing can be answered, degraded where any part is not well."""
        worst = [component.status for component in self.components.values()]
        for status in (Status.UNHEALTHY, Status.DEGRADED):
            if status in worst:
                return status
        return Status.HEALTHY


@dataclass(frozen=True, slots=True)
class Room:
    """Bytes on the disk of the readings, and below which share nothing is taken."""

    total: int
    free: int
    minimum_free: float

    @property
    def is_full(self) -> bool:
        """Return whether the store takes nothing any more."""
        return self.free < self.total * self.minimum_free


Figures = dict[str, object]
Gauges = dict[str, float]


@dataclass(frozen=True, slots=True)
class Parts(Generic[Held]):
    """How each part is asked; `store` in a reader's thread, `intake` for its gauges, None where it does not answer."""

    store: Callable[[Held], Figures]
    intake: Callable[[], Awaitable[Gauges | None]]
    room: Callable[[], Room]
    cache: Callable[[], Awaitable[CacheFacts]]
    circuits: Callable[[], Mapping[str, str]]
    workers: Callable[[], int]
    has_broker: bool


class Doctor(Generic[Held]):
    """Asks each part."""

    def __init__(self, records: Records, threads: Threads[Held], clock: Clock, parts: Parts[Held]) -> None:
        self._records = records
        self._threads = threads
        self._clock = clock
        self._parts = parts
        self._begun_s = clock.monotonic_s()

    @property
    def uptime_s(self) -> float:
        """Return seconds since the start."""
        return self._clock.monotonic_s() - self._begun_s

    async def examine(self) -> Health:
        """Return how everything is; raises nothing for a part that is not well."""
        room, gauges = self._parts.room(), await self._parts.intake()
        ingest = self.ingest(room, gauges)
        components = {
            "database": await self.database(),
            "store": await self.store(room),
            "ingest": ingest,
            "broker": self.broker(gauges),
            "cache": await self.cache(),
            "workers": await self.workers(),
            "circuits": await self.circuits(),
        }
        alarms = [name for name, is_raised in self._alarms(components, room).items() if is_raised]
        return Health(components, tuple(alarms), self.uptime_s, self._clock.now_us())

    def _alarms(self, components: dict[str, Component], room: Room) -> dict[str, bool]:
        ingest = components["ingest"]
        return {
            "records_unavailable": components["database"].status is Status.UNHEALTHY,
            "readings_unavailable": components["store"].status is Status.UNHEALTHY,
            "ingest_down": ingest.problem == _AWAY,
            "disk_full": room.is_full or ingest.details.get("store_is_full") is True,
            "store_takes_nothing": ingest.status is not Status.HEALTHY and ingest.problem != _AWAY,
        }

    async def database(self) -> Component:
        """Return how the records are."""
        try:
            seconds = await self._threads.run(lambda _: self._records.ping())
        except CloudError as error:
            return Component(Status.UNHEALTHY, problem=str(error))
        used, size = self._records.pool_in_use()
        details: Figures = {"connection_pool": f"{used}/{size} active", "response_time_ms": round(seconds * 1e3, 3)}
        return Component(Status.HEALTHY, details, {"engine": self._records.engine_name})

    async def store(self, room: Room) -> Component:
        """Return how the reading store is; it must be readable, and have room."""
        begun = perf_counter()
        try:
            figures = await self._threads.run(self._parts.store)
        except CloudError as error:
            return Component(Status.UNHEALTHY, problem=str(error))
        details = figures | {
            "response_time_ms": round((perf_counter() - begun) * 1e3, 3),
            "free_share": round(room.free / room.total, 4) if room.total else 0.0,
        }
        return Component(Status.DEGRADED if room.is_full else Status.HEALTHY, details)

    def ingest(self, room: Room, gauges: Gauges | None) -> Component:
        """Return whether readings are taken."""
        if gauges is None:
            return Component(Status.DEGRADED, {"takes_readings": False}, problem=_AWAY)
        takes = gauges.get(_TAKES, 1.0) > 0 and not room.is_full
        details: Figures = {
            "takes_readings": takes,
            "store_is_full": room.is_full or gauges.get(_FULL, 0.0) > 0,
            "waiting": int(gauges.get(_WAITING, 0)),
        }
        problem = "" if takes else "the store takes nothing: its disk is full, or cannot be written to"
        return Component(Status.HEALTHY if takes else Status.DEGRADED, details, problem=problem)

    def broker(self, gauges: Gauges | None) -> Component:
        """Return whether the ingest process reaches the broker of messages."""
        if not self._parts.has_broker:
            return Component(Status.NOT_CONFIGURED)
        if gauges is None:
            return Component(Status.DEGRADED, problem=_AWAY)
        if gauges.get(_BROKER, 0.0) > 0:
            return Component(Status.HEALTHY)
        return Component(Status.DEGRADED, problem="the broker does not answer: readings wait at the gateways")

    async def cache(self) -> Component:
        """Return how the store of counters is; it is embedded where there is no Redis."""
        try:
            facts = await self._parts.cache()
        except CloudError as error:
            return Component(Status.DEGRADED, {"mode": "standalone"}, problem=str(error))
        details: Figures = {
            "mode": facts.mode,
            "memory_usage": f"{facts.memory_bytes / 1e6:.1f}MB",
            "hit_rate": f"{(facts.hit_rate or 0.0):.0%}",
            "memory_bytes": facts.memory_bytes,
            "hit_share": facts.hit_rate,
            "response_time_ms": round(facts.response_s * 1e3, 3),
        }
        return Component(Status.HEALTHY, details, {"version": facts.version} if facts.version else {})

    async def workers(self) -> Component:
        """Return whether somebody runs jobs."""
        try:
            alive = await self._threads.run(lambda _: self._parts.workers())
        except CloudError as error:
            return Component(Status.DEGRADED, {"alive": 0}, problem=str(error))
        if alive:
            return Component(Status.HEALTHY, {"alive": alive})
        return Component(Status.DEGRADED, {"alive": 0}, problem="no worker was heard of lately: jobs and alarms wait")

    async def circuits(self) -> Component:
        """Return which targets of notifications are left alone for a while; that they failed is no illness of ours."""
        try:
            states = await self._threads.run(lambda _: self._parts.circuits())
        except CloudError as error:
            return Component(Status.DEGRADED, problem=str(error))
        is_open = sum(state != "closed" for state in states.values())
        return Component(Status.HEALTHY, {"open": is_open}, {"targets": dict(states)} if states else {})
