"""Outbox: notices become deliveries, each to every target that wants it, in one transaction with the position."""

import secrets
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from cloud.bus.own_targets import all_targets
from cloud.domain.delivery import DeadLetter, DeliveryState, NewDelivery
from cloud.domain.identity import new_id
from cloud.domain.notice import Notice
from cloud.domain.times import to_datetime
from cloud.domain.webhook import Webhook, event_of, payload_of
from cloud.ports import Clock
from cloud.records.database import Records
from cloud.records.dead_letters import put_dead_letter
from cloud.records.deliveries import add_delivery, count_waiting
from cloud.records.followers import FollowerRow, Progress, keep_progress, read_progress
from cloud.records.notices import newest_notice, read_notices

FOLLOWER = "webhooks"
MOST_WAITING = 10_000
"""For one target; what comes beyond is a dead letter at once."""
_AT_ONCE = 500


class Outbox:
    """Follows the notices. Several may run: the position's row is locked."""

    def __init__(
        self,
        records: Records,
        clock: Clock,
        draw: Callable[[int], str] = secrets.token_hex,
        *,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        """Draw gives that many random bytes in hex."""
        self._records = records
        self._clock = clock
        self._draw = draw
        self._most_waiting = most_waiting

    def follow(self) -> bool:
        """Do the next notices; return whether there are more. Raise Unavailable, or Conflict: do it again."""
        with self._records.reading() as session:
            if newest_notice(session) <= read_progress(session, FOLLOWER).position:
                return False
        with self._records.writing() as session:
            session.get(FollowerRow, FOLLOWER, with_for_update=True)
            position = read_progress(session, FOLLOWER).position
            notices = read_notices(session, after=position, limit=_AT_ONCE)
            self._put(session, notices)
            if notices:
                keep_progress(session, FOLLOWER, Progress(notices[-1].sequence))
        return len(notices) == _AT_ONCE

    def _put(self, session: Session, notices: Sequence[Notice]) -> None:
        told = [notice for notice in notices if event_of(notice.kind) is not None]
        if not told:
            return
        waiting = dict(count_waiting(session))
        now_us = self._clock.now_us()
        for notice, webhook in _pairs(told, all_targets(session)):
            waiting[webhook.id] = waiting.get(webhook.id, 0) + 1
            is_full = waiting[webhook.id] > self._most_waiting
            self._put_one(session, notice, webhook, now_us, is_full=is_full)

    def _put_one(self, session: Session, notice: Notice, webhook: Webhook, now_us: int, *, is_full: bool) -> None:
        event = event_of(notice.kind)
        assert event is not None  # noqa: S101 - others were left out
        identity, at = new_id(now_us, self._draw(10)), to_datetime(now_us)
        new = NewDelivery(event, payload_of(event, notice.at, notice.data), webhook.id, sequence=notice.sequence)
        add_delivery(session, identity, new, at, state=DeliveryState.DEAD if is_full else DeliveryState.PENDING)
        if is_full:
            put_dead_letter(session, _overflow(identity, new, at, self._most_waiting))


def _pairs(notices: Iterable[Notice], webhooks: Sequence[Webhook]) -> Iterable[tuple[Notice, Webhook]]:
    return ((notice, webhook) for notice in notices for webhook in webhooks if webhook.wants(notice))


def _overflow(identity: str, new: NewDelivery, at: datetime, most: int) -> DeadLetter:
    error = f"{most} events wait for this target already"
    return DeadLetter(identity, new.webhook, new.target, new.event_type, new.payload, error, 0, at)
