"""AlarmWatch: what time does with alarms: those nobody saw get worse, planned work keeps some quiet for a while."""

from datetime import datetime

from sqlalchemy.orm import Session

from cloud.domain.alarm import Alarm, Seen
from cloud.domain.alarm_change import AlarmChange
from cloud.domain.times import to_datetime
from cloud.operations.alarm_desk import AlarmDesk
from cloud.ports import Clock
from cloud.records.alarms import KeptAlarms
from cloud.records.database import Records
from cloud.records.muting import Mutes
from cloud.records.settings import number_of

ESCALATE_AFTER = "alarms.escalateAfterMinutes"
_CLOCK = "clock"
_MINUTE_US = 60_000_000


class AlarmWatch:
    """One thread."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records = records
        self._clock = clock

    def look(self) -> None:
        """Escalate, mute and unmute; nothing is written where nothing changed. Raise Unavailable, Conflict."""
        now_us = self._clock.now_us()
        with self._records.reading() as session:
            if not _changes(session, KeptAlarms(session), now_us):
                return
        with self._records.writing() as session:
            desk = AlarmDesk(session, now_us)
            for alarm, change in _changes(session, desk.kept, now_us):
                desk.do(alarm, change)


def _changes(session: Session, kept: KeptAlarms, now_us: int) -> list[tuple[Alarm, AlarmChange]]:
    muted = _mutings(session, kept, to_datetime(now_us))
    quiet = {alarm.id for alarm, _ in muted}
    return [*muted, *((one, change) for one, change in _escalations(session, kept, now_us) if one.id not in quiet)]


def _escalations(session: Session, kept: KeptAlarms, now_us: int) -> list[tuple[Alarm, AlarmChange]]:
    minutes = number_of(session, ESCALATE_AFTER)
    if minutes <= 0:
        return []
    due = kept.unseen(before_us=now_us - round(minutes * _MINUTE_US))
    return [(alarm, _escalating(Seen(_CLOCK, now_us), minutes)) for alarm in due]


def _mutings(session: Session, kept: KeptAlarms, now: datetime) -> list[tuple[Alarm, AlarmChange]]:
    mutes = Mutes(session)
    # Of thousands of alarms all are read only where there is something that may keep one quiet.
    audible = kept.audible() if mutes.are_any(now) else ()
    wanted = [(alarm, mutes.event_of(alarm.condition, now)) for alarm in (*audible, *kept.muted())]
    return [(alarm, _muting(event)) for alarm, event in wanted if event != alarm.muted_by]


def _escalating(seen: Seen, minutes: float) -> AlarmChange:
    details = {"unseen_for_minutes": minutes}
    return AlarmChange("alarm.escalate", seen.by, lambda alarm: alarm.escalate(seen.at_us), details=details)


def _muting(event: str) -> AlarmChange:
    action = "alarm.mute" if event else "alarm.unmute"
    return AlarmChange(action, _CLOCK, lambda alarm: alarm.mute(event), details={"event": event} if event else {})
