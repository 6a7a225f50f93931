"""Idempotency: does something once for an Idempotency-Key, whichever process is asked, however often."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

from cloud.domain.idempotency import Answer, Claim, Claimed, Slot
from cloud.domain.times import to_datetime
from cloud.errors import Invalid, Unavailable
from cloud.ports import Clock
from cloud.records.database import Records
from cloud.records.idempotency import LEASE, claim, finish, forget_expired, release
from cloud.threads import Closeable, Threads

_LOOKS_AGAIN_S = 0.02
_FORGETS_EVERY_S = 60.0

Held = TypeVar("Held", bound=Closeable)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a request may take before another one takes it over, and how long that one waits for it."""

    lease: timedelta
    waits_s: float


_SHORT = Patience(LEASE, 20.0)
LONG = Patience(timedelta(seconds=90), 75.0)
"""For requests that wait for a job."""


class Idempotency(Generic[Held]):
    """Keys are kept in the records for ten minutes; an equal request in flight is waited for."""

    def __init__(self, records: Records, threads: Threads[Held], clock: Clock) -> None:
        self._records = records
        self._threads = threads
        self._clock = clock
        self._forgot_s = clock.monotonic_s()

    async def once(
        self, slot: Slot, *, body_hash: str, offer: Claim, do: Callable[[Claim], Awaitable[None]]
    ) -> tuple[Claim, bool]:
        """Return the claim and whether it was done before; raise Invalid for another body, and whatever `do` raises."""
        claimed = await self.claim(slot, body_hash=body_hash, offer=offer)
        if claimed.result is Claimed.DONE:
            return claimed, True
        was_done = False
        try:
            await do(claimed)
            was_done = True
        finally:
            # Shielded: a client that went away must not leave its key locked for the next try.
            await asyncio.shield(self.settle(slot, was_done=was_done))
        return claimed, False

    async def claim(self, slot: Slot, *, body_hash: str, offer: Claim, patience: Patience = _SHORT) -> Claim:
        """Return who has to do it, or that it was done; who has to do it owes `settle`. Raise Invalid, Unavailable."""
        deadline = self._clock.monotonic_s() + patience.waits_s
        while True:
            claimed = await self._threads.run(lambda _: self._claim(slot, body_hash, offer, patience.lease))
            if claimed.result is Claimed.REUSED:
                raise Invalid("this Idempotency-Key was used for another body", code="IDEMPOTENCY_KEY_REUSED")
            if claimed.result is not Claimed.WAIT:
                return claimed
            if self._clock.monotonic_s() > deadline:
                raise Unavailable("the first request under this Idempotency-Key is still at it", code="IN_PROGRESS")
            await asyncio.sleep(_LOOKS_AGAIN_S)

    async def settle(self, slot: Slot, *, was_done: bool, answer: Answer | None = None) -> None:
        """Keep that it was done and what was answered, or let the next one try; raise Unavailable."""
        if was_done:
            await self._threads.run(lambda _: self._finish(slot, answer))
        else:
            await self._threads.run(lambda _: self._release(slot))

    def _claim(self, slot: Slot, body_hash: str, offer: Claim, lease: timedelta) -> Claim:
        at = to_datetime(self._clock.now_us())
        with self._records.writing() as session:
            return claim(session, slot, body_hash=body_hash, offer=offer, at=at, lease=lease)

    def _finish(self, slot: Slot, answer: Answer | None) -> None:
        at = to_datetime(self._clock.now_us())
        with self._records.writing() as session:
            finish(session, slot, at, answer)
            if self._clock.monotonic_s() - self._forgot_s > _FORGETS_EVERY_S:
                self._forgot_s = self._clock.monotonic_s()
                forget_expired(session, at)

    def _release(self, slot: Slot) -> None:
        # What stopped the work may stop this too; the lease ends by itself.
        with suppress(Unavailable), self._records.writing() as session:
            release(session, slot)
