"""Writer: the one thread that writes; everything that waits becomes one durable group, then the acks go out.

While the store is unavailable nothing is acknowledged: direct readings are refused at once, messages are kept and tried
again until they are written, and nothing new is read from the broker meanwhile (see `subscriber`). Merging is done when
nothing waits, and in short steps for a fifth of the time when something always does.
"""

import logging
import random
from collections.abc import Callable, Sequence

from cloud.errors import Unavailable
from cloud.ingest.figures import Figures
from cloud.ingest.inbox import MAX_MESSAGES, Inbox, Item
from cloud.ingest.intake import Intake
from cloud.ingest.maintenance import Maintenance
from cloud.ingest.parcels import DirectParcel, Settlement
from cloud.ingest.settle import is_slow
from cloud.ports import Clock
from protocols.delivery import Ack

Publish = Callable[[Sequence[tuple[str, Ack]]], None]
_log = logging.getLogger(__name__)
_IDLE_S = 0.2
_BUSY_SHARE = 4.0
_AT_LEAST_EVERY_S = 1.0
_FIRST_RETRY_S = 0.1
_LAST_RETRY_S = 5.0


def _nothing() -> None:
    pass


class Writer:
    """Takes groups out of the inbox; publish: sends acks; committed: called between a commit and its acks, for tests.

    Gauges: lineside_ingest_waiting, lineside_ingest_store_available, lineside_ingest_store_full,
    lineside_ingest_longest_group_seconds, lineside_ingest_lag_seconds (how long the oldest of the newest group waited);
    and, since the start, lineside_ingest_lagging_seconds and lineside_ingest_done_while_lagging: the time that groups
    took while more was waiting, and the messages in them.
    """

    def __init__(
        self,
        intake: Intake,
        maintenance: Maintenance,
        inbox: Inbox,
        *,
        publish: Publish,
        clock: Clock,
        figures: Figures,
        committed: Callable[[], None] = _nothing,
    ) -> None:
        self._intake = intake
        self._maintenance = maintenance
        self._inbox = inbox
        self._publish = publish
        self._clock = clock
        self._figures = figures
        self._committed = committed
        self._trouble: Unavailable | None = None
        self._show(None)

    @property
    def trouble(self) -> Unavailable | None:
        """Return why nothing can be written now, None while all is well."""
        return self._trouble

    def run(self) -> None:
        """Write until the inbox is closed and empty, or closed while nothing can be written."""
        has_more = True
        due_s = self._clock.monotonic_s()
        while not (self._inbox.is_closed and not len(self._inbox)):
            items = self._inbox.take(timeout_s=0.0 if has_more else _IDLE_S)
            if items:
                self._settle(items)
            elif self._trouble is not None:
                self._try_again()
            else:
                self._figures.show("lineside_ingest_lag_seconds", 0.0)
            started_s = self._clock.monotonic_s()
            if not items or started_s >= due_s:
                has_more = self._maintenance.step()
                ended_s = self._clock.monotonic_s()
                due_s = ended_s + (_BUSY_SHARE * (ended_s - started_s) if has_more else _AT_LEAST_EVERY_S)

    def _settle(self, items: list[Item]) -> None:
        delay_s = _FIRST_RETRY_S
        while items:
            started_s = self._clock.monotonic_s()
            try:
                settlement = self._intake.settle([item.parcel for item in items], slow=self._is_slow())
            except Unavailable as error:
                items = self._refuse(items, error)
                self._maintenance.step()
                if items and self._inbox.wait_closed(delay_s * random.uniform(0.8, 1.2)):  # noqa: S311 jitter
                    return
                delay_s = min(2 * delay_s, _LAST_RETRY_S)
            else:
                self._answer(items, settlement)
                ended_s = self._clock.monotonic_s()
                self._figures.highest("lineside_ingest_longest_group_seconds", ended_s - started_s)
                self._note_lag(items, ended_s, ended_s - started_s)
                return

    def _answer(self, items: list[Item], settlement: Settlement) -> None:
        self._committed()
        self._figures.count("lineside_ingest_groups", "committed")
        self._show(None)
        self._publish(settlement.acks)
        for item, outcome in zip(items, settlement.outcomes, strict=True):
            item.done(outcome)

    def _note_lag(self, items: list[Item], now_s: float, seconds: float) -> None:
        """Keep how long the oldest waited, and how much is done while something does; once a group, not a message."""
        self._figures.show("lineside_ingest_lag_seconds", max(0.0, now_s - items[0].since_s))
        if len(self._inbox):
            self._figures.add("lineside_ingest_lagging_seconds", seconds)
            self._figures.add("lineside_ingest_done_while_lagging", len(items))

    def _refuse(self, items: list[Item], error: Unavailable) -> list[Item]:
        """Tell those that wait for an answer that there is none now; return the messages, which must wait."""
        self._figures.count("lineside_ingest_groups", "refused")
        self._show(error)
        direct = [item for item in items if isinstance(item.parcel, DirectParcel)]
        for item in (*direct, *self._inbox.take_direct()):
            item.done(error)
        return [item for item in items if not isinstance(item.parcel, DirectParcel)]

    def _try_again(self) -> None:
        try:
            self._intake.settle([])
        except Unavailable as error:
            self._show(error)
        else:
            self._show(None)

    def _show(self, trouble: Unavailable | None) -> None:
        if (trouble is None) != (self._trouble is None):
            if trouble is None:
                _log.warning("the store takes readings again")
            else:
                _log.error("the store takes no readings: %s", trouble, extra={"alarm": "store_unavailable"})
        self._trouble = trouble
        self._figures.show("lineside_ingest_store_available", float(trouble is None))
        self._figures.show("lineside_ingest_store_full", float(trouble is not None and trouble.code == "STORE_FULL"))
        self._figures.show("lineside_ingest_waiting", len(self._inbox))

    def _is_slow(self) -> bool:
        return is_slow(len(self._inbox), MAX_MESSAGES)
