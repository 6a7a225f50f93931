"""Alarms: what operators see of them and do with them; every change is in the audit."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from cloud.domain.alarm import Alarm, AlarmState, Seen, Severity
from cloud.domain.alarm_change import (
    AlarmChange,
    acknowledging,
    assigning,
    clearing,
    commenting,
    invalid_change,
    removing,
    returning,
    shelving,
    unshelving,
)
from cloud.domain.audit import AuditEntry
from cloud.domain.label import Label, Verdict
from cloud.domain.times import to_datetime
from cloud.errors import CloudError, Conflict, NotFound
from cloud.operations.alarm_desk import AlarmDesk
from cloud.operations.alarm_follower import FOLLOWER
from cloud.ports import Clock
from cloud.records.alarms import (
    AlarmFilter,
    Comment,
    KeptAlarms,
    count_live,
    count_raised,
    devices_in_alarm,
    find_alarm,
    list_alarms,
    list_comments,
)
from cloud.records.audit import list_audit
from cloud.records.database import Records
from cloud.records.followers import Progress, read_progress
from cloud.records.labels import add_label, delete_alarm_label

MAX_AT_ONCE = 1000
_HOUR_US = 3_600_000_000
_CLOCK = "clock"


@dataclass(frozen=True, slots=True)
class AlarmStory:
    """An alarm, what people wrote beside it, and what became of it, the oldest first."""

    alarm: Alarm
    comments: Sequence[Comment]
    history: Sequence[AuditEntry]


@dataclass(frozen=True, slots=True)
class ItemResult:
    """What became of one of many: the alarm as it is now, or why it stayed as it was."""

    id: str
    alarm: Alarm | None
    refusal: CloudError | None = None


class Alarms:
    """The alarms of one installation; safe to use from several threads."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records = records
        self._clock = clock

    def list(self, wanted: AlarmFilter, *, limit: int, offset: int = 0) -> tuple[Sequence[Alarm], int]:
        """Return one page, the newest first, and how many there are in all; raise Unavailable."""
        with self._records.reading() as session:
            return list_alarms(session, wanted, limit=limit, offset=offset)

    def hourly(self, now_us: int, *, hours: int) -> Sequence[int]:
        """Return how many were raised in each of the hours before a time, the oldest first; raise Unavailable.

        What is raised later than that, by a clock that is ahead, counts in the newest hour.
        """
        with self._records.reading() as session:
            found = count_raised(session, now_us, width_us=_HOUR_US, spans=hours)
        counts = [0] * hours
        for back, count in found.items():
            counts[hours - 1 - max(0, back)] += count
        return counts

    def get(self, alarm_id: str) -> AlarmStory:
        """Return one with its comments and its history; raise NotFound, Unavailable."""
        with self._records.reading() as session:
            alarm = _there(find_alarm(session, alarm_id), alarm_id)
            history = list_audit(session, subject=alarm_id)[::-1]
            return AlarmStory(alarm, list_comments(session, alarm_id), history)

    def acknowledge(self, alarm_id: str, *, by: str, comment: str = "") -> Alarm:
        """Mark it as seen; the first one to see it is kept. Raise NotFound, Invalid, Unavailable."""
        return self._change(alarm_id, acknowledging(self._seen(by), comment))

    def acknowledge_many(self, alarm_ids: Collection[str], *, by: str, comment: str = "") -> Sequence[Alarm]:
        """Mark all of these as seen, or none; raise NotFound that names those that are not there, Invalid."""
        return self.change_all(alarm_ids, acknowledging(self._seen(by), comment))

    def shelve(self, alarm_id: str, *, for_s: float, by: str, why: str = "", is_one_shot: bool = False) -> Alarm:
        """Put it out of sight for so long; raise NotFound, Invalid, Conflict, Unavailable."""
        return self._change(alarm_id, shelving(self._seen(by, why), for_s=for_s, is_one_shot=is_one_shot))

    def unshelve(self, alarm_id: str, *, by: str) -> Alarm:
        """Bring it back into sight; raise NotFound, Unavailable."""
        return self._change(alarm_id, unshelving(by))

    def end_shelves(self) -> None:
        """Bring back what was shelved until now; raise Unavailable."""
        now_us = self._clock.now_us()
        with self._records.reading() as session:
            if not KeptAlarms(session).due(now_us):
                return
        change = AlarmChange("alarm.shelf_ended", _CLOCK, lambda alarm: alarm.at(now_us))
        with self._records.writing() as session:
            desk = AlarmDesk(session, now_us)
            for alarm in desk.kept.due(now_us):
                desk.do(alarm, change)

    def clear(self, alarm_id: str, *, by: str, comment: str = "") -> Alarm:
        """Declare its condition over, which is seen with it; raise NotFound, Invalid, Unavailable."""
        return self._change(alarm_id, clearing(self._seen(by), comment))

    def take_out_of_service(self, alarm_id: str, *, by: str, why: str = "") -> Alarm:
        """Put it out of sight until somebody brings it back; raise NotFound, Invalid, Conflict, Unavailable."""
        return self._change(alarm_id, removing(self._seen(by, why)))

    def return_to_service(self, alarm_id: str, *, by: str) -> Alarm:
        """Bring it back into service; raise NotFound, Unavailable."""
        return self._change(alarm_id, returning(by))

    def comment(self, alarm_id: str, text: str, *, by: str) -> AlarmStory:
        """Write something beside it; raise NotFound, Invalid, Unavailable."""
        self._change(alarm_id, commenting(by, text))
        return self.get(alarm_id)

    def assign(self, alarm_id: str, to: str, *, by: str) -> Alarm:
        """Put it into somebody's hands, or with an empty name into nobody's; raise NotFound, Invalid, Unavailable."""
        return self._change(alarm_id, assigning(by, to))

    def change_all(self, alarm_ids: Collection[str], change: AlarmChange) -> Sequence[Alarm]:
        """Change all of these, or none; raise NotFound that names those that are not there, Invalid, Conflict."""
        with self._records.writing() as session:
            desk = AlarmDesk(session, self._clock.now_us())
            found = desk.kept.many(_bounded(alarm_ids))
            missing = sorted(set(alarm_ids) - {alarm.id for alarm in found})
            if missing:
                raise NotFound(f"there is no alarm {missing[0]}", code="ALARM_NOT_FOUND", details={"ids": missing[:20]})
            return [desk.do(alarm, change) for alarm in found]

    def change_each(self, alarm_ids: Collection[str], change: AlarmChange) -> Sequence[ItemResult]:
        """Change what can be changed of these, and say of each, in this order, how it went; raise Invalid."""
        ids = tuple(dict.fromkeys(alarm_ids))
        with self._records.writing() as session:
            desk = AlarmDesk(session, self._clock.now_us())
            found = {alarm.id: alarm for alarm in desk.kept.many(_bounded(ids))}
            return [_tried(desk, found.get(one), one, change) for one in ids]

    def label(self, alarm_id: str, verdict: Verdict, *, by: str, kind: str = "", note: str = "") -> tuple[Alarm, Label]:
        """Say what it was: its window becomes a label, in place of an earlier one of the same alarm.

        Raises NotFound, Invalid, Unavailable, and Conflict where another label says the opposite of the same time.
        """
        now_us = self._clock.now_us()
        with self._records.writing() as session:
            desk = AlarmDesk(session, now_us)
            alarm = _there(desk.kept.one(alarm_id), alarm_id)
            if not alarm.condition.device:
                raise Conflict(
                    f"alarm {alarm_id} is of a gateway: only those of devices are labelled", code="NO_DEVICE"
                )
            from_us, to_us = alarm.window(now_us)
            source, device = alarm.condition[:2]
            at = to_datetime(now_us)
            wanted = Label(0, source, device, from_us, to_us, verdict, by, at, kind, note, alarm_id).check()
            delete_alarm_label(session, alarm_id)
            made = add_label(session, wanted)
            details = {"verdict": verdict.value}
            judged = desk.do(alarm, AlarmChange("alarm.label", by, lambda one: one.judged(verdict), details=details))
        return judged, made

    def live(self) -> Sequence[tuple[AlarmState, Severity, int]]:
        """Return how many live, by state and severity; raise Unavailable."""
        with self._records.reading() as session:
            return count_live(session)

    def progress(self) -> Progress:
        """Return how far the events of the gateways were followed; raise Unavailable."""
        with self._records.reading() as session:
            return read_progress(session, FOLLOWER)

    def worst(self) -> Mapping[tuple[str, str], Severity]:
        """Return the worst severity in sight of each source and device that has an active alarm; raise Unavailable."""
        with self._records.reading() as session:
            found = devices_in_alarm(session)
        ranks = list(Severity)
        worst: dict[tuple[str, str], Severity] = {}
        for source, device, severity in found:
            before = worst.get((source, device), severity)
            worst[source, device] = max(before, severity, key=ranks.index)
        return worst

    def _change(self, alarm_id: str, change: AlarmChange) -> Alarm:
        with self._records.writing() as session:
            desk = AlarmDesk(session, self._clock.now_us())
            return desk.do(_there(desk.kept.one(alarm_id), alarm_id), change)

    def _seen(self, by: str, why: str = "") -> Seen:
        return Seen(by, self._clock.now_us(), why)


def _tried(desk: AlarmDesk, alarm: Alarm | None, alarm_id: str, change: AlarmChange) -> ItemResult:
    try:
        return ItemResult(alarm_id, desk.do(_there(alarm, alarm_id), change))
    except (NotFound, Conflict) as refusal:
        return ItemResult(alarm_id, None, refusal)


def _bounded(alarm_ids: Collection[str]) -> Collection[str]:
    if len(alarm_ids) > MAX_AT_ONCE:
        raise invalid_change("ids", f"at most {MAX_AT_ONCE} at once")
    return alarm_ids


def _there(alarm: Alarm | None, alarm_id: str) -> Alarm:
    if alarm is None:
        raise NotFound(f"there is no alarm {alarm_id!r:.60}", code="ALARM_NOT_FOUND", details={"id": alarm_id[:60]})
    return alarm
