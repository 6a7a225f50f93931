"""AlarmDesk: changes of alarms in one writing transaction; each with its audit, its comment and its notice."""

from sqlalchemy.orm import Session

from cloud.domain.alarm import Alarm
from cloud.domain.alarm_change import AlarmChange
from cloud.domain.audit import AuditEntry
from cloud.domain.times import to_datetime
from cloud.records.alarm_news import AlarmNews
from cloud.records.alarms import Comment, KeptAlarms, add_comment
from cloud.records.audit import add_audit

_COMMENT = "alarm.comment"


class AlarmDesk:
    """The alarms of one transaction; kept: where they are taken from."""

    def __init__(self, session: Session, now_us: int) -> None:
        self.kept = KeptAlarms(session)
        self._session = session
        self._now_us = now_us
        self._news = AlarmNews(session)

    def do(self, before: Alarm, change: AlarmChange) -> Alarm:
        """Return the alarm as it is afterwards; nothing is written where nothing changed. Raise Conflict, Invalid."""
        after = change.apply(before)
        is_changed = after != before
        at = to_datetime(self._now_us)
        if change.comment:
            add_comment(self._session, after.id, Comment(change.by, at, change.comment))
        if is_changed or change.comment:
            add_audit(self._session, AuditEntry(at, change.by, change.action, after.id, dict(change.details)))
            action = change.action if is_changed else _COMMENT
            self._news.tell(after, action, by=change.by, at_us=self._now_us, details=change.details)
        if is_changed:
            self.kept.put(after)
        return after
