"""Deliverer: sends what waits, a few at once, two to a target at most; keeps how it came out, retries, gives up.

A row is taken under a lease before it is sent. Whoever dies while sending leaves it to be sent again: at least once.
"""

import logging
import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from cloud.bus.own_targets import target_of
from cloud.domain.circuit import CircuitState
from cloud.domain.delivery import Attempt, DeadLetter, Delivery, DeliveryState, wait_before
from cloud.domain.times import to_datetime
from cloud.domain.webhook import Webhook
from cloud.ports import Clock
from cloud.records.circuits import find_circuit, put_circuit
from cloud.records.database import Records
from cloud.records.dead_letters import drop_dead_letter, put_dead_letter
from cloud.records.deliveries import LEASE, due_deliveries, end_attempt, has_due, postpone, take_delivery

AT_ONCE = 16
_TO_ONE = 2
Send = Callable[[Delivery, Webhook], Attempt]
_GONE = "the webhook is gone or switched off"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Retries:
    """The pauses after failed attempts; stretch: gives the share by which the next one is longer."""

    delays_s: Sequence[float]
    stretch: Callable[[], float]


class Deliverer:
    """The sending side of one worker; one thread calls it."""

    def __init__(self, records: Records, clock: Clock, send: Send, retries: Retries) -> None:
        self._records = records
        self._clock = clock
        self._send = send
        self._retries = retries
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="webhook")
        self._going: dict[Future[Attempt], Delivery] = {}

    def look(self) -> None:
        """Do one round: write down what ended, begin what is due; raise Unavailable, and look again.

        What cannot be written down now is written down in the next round.
        """
        self._end()
        self._begin()

    def stop(self) -> None:
        """Wait for what goes on, at most as long as an attempt takes, and write it down."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._end()

    @property
    def going(self) -> int:
        """Return how many are being sent."""
        return len(self._going)

    def _end(self) -> None:
        for future in [one for one in self._going if one.done()]:
            if not future.cancelled():
                self._note(self._going[future], future.result())
            del self._going[future]

    def _begin(self) -> None:
        room = AT_ONCE - len(self._going)
        at = self._now()
        busy = Counter(delivery.webhook for delivery in self._going.values())
        if room <= 0:
            return
        with self._records.reading() as session:
            if not has_due(session, at, but=_full(busy)):
                return
        with self._records.writing() as session:
            taken = self._take(session, at, room, busy)
        for delivery, webhook in taken:
            self._going[self._pool.submit(self._send, delivery, webhook)] = delivery

    def _take(
        self, session: Session, at: datetime, room: int, busy: Counter[str]
    ) -> Sequence[tuple[Delivery, Webhook]]:
        """Return what is sent now; a target with a long queue holds up no other: one that is busy is left out."""
        taken: list[tuple[Delivery, Webhook]] = []
        while len(taken) < room:
            found = due_deliveries(session, at, but=_full(busy), limit=1)
            if not found:
                break
            webhook = self._taken(session, found[0], at)
            if webhook is None:
                continue
            run = secrets.token_hex(16)
            take_delivery(session, found[0].id, run, at)
            busy[found[0].webhook] += 1
            taken.append((replace(found[0], run=run), webhook))
        return taken

    def _taken(self, session: Session, delivery: Delivery, at: datetime) -> Webhook | None:
        """Return where it goes; None where it goes nowhere now, and then it is not due any more."""
        webhook = target_of(session, delivery.webhook, delivery.target)
        if webhook is None or not webhook.is_enabled:
            self._bury(session, delivery, _GONE, at)
            return None
        return webhook if self._may_try(session, delivery, at) else None

    def _may_try(self, session: Session, delivery: Delivery, at: datetime) -> bool:
        """Return whether its target is not left alone; what waits for one that is, waits longer."""
        circuit = find_circuit(session, delivery.circuit)
        match circuit.state(at):
            case CircuitState.CLOSED:
                return True
            case CircuitState.HALF_OPEN:
                put_circuit(session, circuit.probing(at, LEASE))
                return True
            case CircuitState.OPEN:
                assert circuit.open_until is not None  # noqa: S101 - it is open
                postpone(session, delivery, at, circuit.open_until)
                return False

    def _note(self, delivery: Delivery, attempt: Attempt) -> None:
        with self._records.writing() as session:
            circuit = find_circuit(session, delivery.circuit)
            put_circuit(session, circuit.succeeded() if attempt.is_good else circuit.failed(attempt.at))
            if attempt.is_good:
                end_attempt(session, delivery, attempt, state=DeliveryState.DELIVERED, next_at=attempt.at)
                drop_dead_letter(session, delivery.id)
                return
            pause = wait_before(delivery.attempts + 1, self._retries.delays_s, self._retries.stretch())
            if pause is not None:
                next_at = self._now() + pause
                end_attempt(session, delivery, attempt, state=DeliveryState.PENDING, next_at=next_at)
                return
            if end_attempt(session, delivery, attempt, state=DeliveryState.DEAD, next_at=attempt.at):
                put_dead_letter(session, _letter(delivery, attempt.error, delivery.attempts + 1, attempt.at))
                _log.warning("an event is a dead letter", extra={"delivery": delivery.id, "reason": attempt.error})

    def _bury(self, session: Session, delivery: Delivery, why: str, at: datetime) -> None:
        attempt = Attempt(at, None, why, 0.0)
        end_attempt(session, delivery, attempt, state=DeliveryState.DEAD, next_at=at)
        put_dead_letter(session, _letter(delivery, why, delivery.attempts, at))

    def _now(self) -> datetime:
        return to_datetime(self._clock.now_us())


def _full(busy: Counter[str]) -> list[str]:
    return [webhook for webhook, count in busy.items() if count >= _TO_ONE]


def _letter(delivery: Delivery, error: str, attempts: int, at: datetime) -> DeadLetter:
    return DeadLetter(
        id=delivery.id,
        webhook=delivery.webhook,
        target=delivery.target,
        event_type=delivery.event_type,
        payload=delivery.payload,
        error=error,
        attempts=attempts,
        at=at,
    )
