"""Alarms: what operators see of them and do with them; every change is in the audit."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from cloud.domain.alarm import Alarm, AlarmState, Seen, Severity
from cloud.domain.audit import AuditEntry
from cloud.domain.label import Label, Verdict
from cloud.domain.times import to_datetime
from cloud.errors import Conflict, Invalid, NotFound
from cloud.operations.alarm_follower import FOLLOWER
from cloud.ports import Clock
from cloud.records.alarms import (
    AlarmFilter,
    Comment,
    KeptAlarms,
    add_comment,
    count_live,
    devices_in_alarm,
    find_alarm,
    list_alarms,
    list_comments,
)
from cloud.records.audit import add_audit, list_audit
from cloud.records.database import Records
from cloud.records.followers import Progress, read_progress
from cloud.records.labels import add_label, delete_alarm_label

MAX_COMMENT = 2000
MAX_AT_ONCE = 1000
Change = Callable[[Alarm], Alarm]


@dataclass(frozen=True, slots=True)
class AlarmStory:
    """An alarm, what people wrote beside it, and what became of it, the oldest first."""

    alarm: Alarm
    comments: Sequence[Comment]
    history: Sequence[AuditEntry]


class Alarms:
    """The alarms of one installation; safe to use from several threads."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records = records
        self._clock = clock

    def list(self, wanted: AlarmFilter, *, limit: int, offset: int = 0) -> tuple[Sequence[Alarm], int]:
        """Return one page, the newest first, and how many there are in all; raise Unavailable."""
        with self._records.reading() as session:
            return list_alarms(session, wanted, limit=limit, offset=offset)

    def get(self, alarm_id: str) -> AlarmStory:
        """Return one with its comments and its history; raise NotFound, Unavailable."""
        with self._records.reading() as session:
            alarm = _there(find_alarm(session, alarm_id), alarm_id)
            history = list_audit(session, subject=alarm_id)[::-1]
            return AlarmStory(alarm, list_comments(session, alarm_id), history)

    def acknowledge(self, alarm_id: str, *, by: str, comment: str = "") -> Alarm:
        """Mark it as seen; the first one to see it is kept. Raise NotFound, Invalid, Unavailable."""
        seen = Seen(by, self._clock.now_us())
        return self._change(alarm_id, "alarm.acknowledge", by, lambda alarm: alarm.acknowledge(seen), comment=comment)

    def acknowledge_many(self, alarm_ids: Collection[str], *, by: str, comment: str = "") -> Sequence[Alarm]:
        """Mark all of these as seen, or none; raise NotFound that names those that are not there, Invalid."""
        if len(alarm_ids) > MAX_AT_ONCE:
            raise _invalid("ids", f"at most {MAX_AT_ONCE} at once")
        seen = Seen(by, self._clock.now_us())
        with self._records.writing() as session:
            kept = KeptAlarms(session)
            found = kept.many(alarm_ids)
            missing = sorted(set(alarm_ids) - {alarm.id for alarm in found})
            if missing:
                raise NotFound(f"there is no alarm {missing[0]}", code="ALARM_NOT_FOUND", details={"ids": missing[:20]})
            changes = [(alarm, alarm.acknowledge(seen)) for alarm in found]
            for before, after in changes:
                self._keep(session, kept, (before, after), "alarm.acknowledge", by, comment)
        return [after for _, after in changes]

    def shelve(self, alarm_id: str, *, for_s: float, by: str, why: str = "", is_one_shot: bool = False) -> Alarm:
        """Put it out of sight for so long; raise NotFound, Invalid, Conflict, Unavailable."""
        placed = Seen(by, self._clock.now_us(), _checked(why, "comment"))

        def change(alarm: Alarm) -> Alarm:
            return alarm.shelve(placed, for_s=for_s, is_one_shot=is_one_shot)

        return self._change(alarm_id, "alarm.shelve", by, change, details={"for_s": for_s, "why": why})

    def unshelve(self, alarm_id: str, *, by: str) -> Alarm:
        """Bring it back into sight; raise NotFound, Unavailable."""
        return self._change(alarm_id, "alarm.unshelve", by, Alarm.unshelve)

    def end_shelves(self) -> None:
        """Bring back what was shelved until now; raise Unavailable."""
        now_us = self._clock.now_us()
        with self._records.reading() as session:
            if not KeptAlarms(session).due(now_us):
                return
        with self._records.writing() as session:
            kept = KeptAlarms(session)
            for alarm in kept.due(now_us):
                self._keep(session, kept, (alarm, alarm.at(now_us)), "alarm.shelf_ended", "clock", "")

    def clear(self, alarm_id: str, *, by: str, comment: str = "") -> Alarm:
        """Declare its condition over, which is seen with it; raise NotFound, Invalid, Unavailable."""
        seen = Seen(by, self._clock.now_us())

        def change(alarm: Alarm) -> Alarm:
            return alarm.clear(seen.at_us).acknowledge(seen)

        return self._change(alarm_id, "alarm.clear", by, change, comment=comment)

    def take_out_of_service(self, alarm_id: str, *, by: str, why: str = "") -> Alarm:
        """Put it out of sight until somebody brings it back; raise NotFound, Invalid, Conflict, Unavailable."""
        removed = Seen(by, self._clock.now_us(), _checked(why, "comment"))

        def change(alarm: Alarm) -> Alarm:
            return alarm.take_out_of_service(removed)

        return self._change(alarm_id, "alarm.out_of_service", by, change, details={"why": why})

    def return_to_service(self, alarm_id: str, *, by: str) -> Alarm:
        """Bring it back into service; raise NotFound, Unavailable."""
        return self._change(alarm_id, "alarm.return_to_service", by, Alarm.return_to_service)

    def comment(self, alarm_id: str, text: str, *, by: str) -> AlarmStory:
        """Write something beside it; raise NotFound, Invalid, Unavailable."""
        if not text.strip():
            raise _invalid("comment", "must not be empty")
        self._change(alarm_id, "alarm.comment", by, lambda alarm: alarm, comment=text)
        return self.get(alarm_id)

    def assign(self, alarm_id: str, to: str, *, by: str) -> Alarm:
        """Put it into somebody's hands, or with an empty name into nobody's; raise NotFound, Invalid, Unavailable."""
        if len(to) > 200:
            raise _invalid("to", "has more than 200 characters")
        return self._change(alarm_id, "alarm.assign", by, lambda alarm: alarm.assign(to), details={"to": to})

    def label(self, alarm_id: str, verdict: Verdict, *, by: str, kind: str = "", note: str = "") -> tuple[Alarm, Label]:
        """Say what it was: its window becomes a label, in place of an earlier one of the same alarm.

        Raises NotFound, Invalid, Unavailable, and Conflict where another label says the opposite of the same time.
        """
        now_us = self._clock.now_us()
        with self._records.writing() as session:
            kept = KeptAlarms(session)
            alarm = _there(kept.one(alarm_id), alarm_id)
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
            self._keep(session, kept, (alarm, alarm.judged(verdict)), "alarm.label", by, "", {"verdict": verdict.value})
        return alarm.judged(verdict), made

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

    def _change(
        self,
        alarm_id: str,
        action: str,
        by: str,
        change: Change,
        *,
        comment: str = "",
        details: dict[str, object] | None = None,
    ) -> Alarm:
        with self._records.writing() as session:
            kept = KeptAlarms(session)
            before = _there(kept.one(alarm_id), alarm_id)
            after = change(before)
            self._keep(session, kept, (before, after), action, by, comment, details)
        return after

    def _keep(
        self,
        session: Session,
        kept: KeptAlarms,
        change: tuple[Alarm, Alarm],
        action: str,
        by: str,
        comment: str,
        details: dict[str, object] | None = None,
    ) -> None:
        before, after = change
        at = to_datetime(self._clock.now_us())
        if comment:
            add_comment(session, after.id, Comment(by, at, _checked(comment, "comment")))
        if after != before or comment:
            add_audit(session, AuditEntry(at, by, action, after.id, details or {}))
        if after != before:
            kept.put(after)


def _there(alarm: Alarm | None, alarm_id: str) -> Alarm:
    if alarm is None:
        raise NotFound(f"there is no alarm {alarm_id!r:.60}", code="ALARM_NOT_FOUND", details={"id": alarm_id[:60]})
    return alarm


def _checked(text: str, field: str) -> str:
    if len(text) > MAX_COMMENT:
        raise _invalid(field, f"has {len(text)} characters, {MAX_COMMENT} are allowed")
    return text


def _invalid(field: str, issue: str) -> Invalid:
    return Invalid(f"{field}: {issue}", code="INVALID_ALARM_CHANGE", details={"field": field, "issue": issue})
