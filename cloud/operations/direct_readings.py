"""DirectReadings: takes what sensors send over HTTP, once, durably."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from cloud.domain.api_key import Principal
from cloud.domain.direct_reading import DirectReading
from cloud.domain.idempotency import Claim, Claimed, Slot
from cloud.operations.idempotency import Idempotency
from cloud.ports import Clock, Intake
from cloud.threads import Closeable

_ROUTE = "data.ingest"
Held = TypeVar("Held", bound=Closeable)


@dataclass(frozen=True, slots=True)
class Published:
    """What became of a reading: event_id is that of the first time it came."""

    event_id: str
    is_duplicate: bool


class DirectReadings(Generic[Held]):
    """The way from one HTTP request to the one door of the store."""

    def __init__(self, intake: Intake, idempotency: Idempotency[Held], clock: Clock, *, max_future_s: float) -> None:
        self._intake = intake
        self._idempotency = idempotency
        self._clock = clock
        self._max_future_s = max_future_s

    async def publish(self, reading: DirectReading, *, caller: Principal, key: str | None) -> Published:
        """Return when the reading is durable; raise Invalid, or Unavailable where the store is full or away."""
        now_us = self._clock.now_us()
        reading.check(now_us=now_us, max_future_s=self._max_future_s)
        at_us = now_us if reading.time_us is None else reading.time_us
        if key is None:
            is_duplicate = await self._take(reading, at_us)
            return Published(reading.event_id(at_us), is_duplicate)
        offer = Claim(Claimed.OURS, reading.event_id(at_us), at_us)
        slot = Slot(caller.name, _ROUTE, key)
        was_stored = False

        async def take(claim: Claim) -> None:
            nonlocal was_stored
            was_stored = await self._take(reading, claim.at_us)

        claim, was_done = await self._idempotency.once(slot, body_hash=reading.body_hash, offer=offer, do=take)
        return Published(claim.event_id, was_done or was_stored)

    async def _take(self, reading: DirectReading, at_us: int) -> bool:
        written = await self._intake.take(reading.arrival(at_us=at_us, now_us=self._clock.now_us()))
        return written.duplicate > 0
