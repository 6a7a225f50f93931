"""Raises and clears: steps become changes of alarms, inside the transaction of whoever found them."""

from collections.abc import Callable, Iterable, Sequence
from uuid import uuid4

from sqlalchemy.orm import Session

from cloud.domain.alarm import Alarm, Condition, raised
from cloud.domain.alarm_words import Clear, ClearRun, Raise, Step
from cloud.domain.audit import AuditEntry
from cloud.domain.times import to_datetime
from cloud.records.alarm_news import AlarmNews
from cloud.records.alarms import KeptAlarms
from cloud.records.audit import add_audit
from cloud.records.labels import stretch_alarm_label
from cloud.records.muting import Mutes

NewId = Callable[[], str]


def draw_id() -> str:
    """Return an id that nobody else draws."""
    return str(uuid4())


def apply_steps(session: Session, steps: Sequence[Step], *, by: str, new_id: NewId = draw_id) -> list[Alarm]:
    """Return the alarms that these steps changed, each as it is now, kept and written down."""
    changes = _Changes(session, steps, by, new_id)
    for step in steps:
        match step:
            case Raise(condition, finding, is_over):
                changes.raise_one(condition, step)
                if is_over:
                    changes.clear(Clear(condition, finding.at_us))
            case Clear():
                changes.clear(step)
            case ClearRun():
                changes.clear_run(step)
    return changes.finish()


class _Changes:
    """The newest alarm of each condition that the steps name, loaded at once, and what becomes of them."""

    def __init__(self, session: Session, steps: Iterable[Step], by: str, new_id: NewId) -> None:
        self._session = session
        self._by = by
        self._new_id = new_id
        self._kept = KeptAlarms(session)
        self._news = AlarmNews(session)
        self._mutes = Mutes(session)
        self._runs_are_loaded: set[str] = set()
        named = {step.condition for step in steps if not isinstance(step, ClearRun)}
        self._known = dict(self._kept.newest(named)) if named else {}
        self._changed: dict[str, Alarm] = {}

    def raise_one(self, condition: Condition, step: Raise) -> None:
        """Raise a condition."""
        last = self._known.get(condition)
        new_id = self._new_id() if last is None or not last.is_live else last.id
        alarm = raised(last, condition, step.finding, new_id=new_id)
        if alarm is not last:
            alarm = alarm.mute(self._mutes.event_of(condition, to_datetime(step.finding.at_us)))
            self._note(alarm, "alarm.raise", step.finding.at_us, {"occurrence": alarm.occurrences})

    def clear(self, step: Clear) -> None:
        """Clear a condition, unless it is another episode's by now."""
        last = self._known.get(step.condition)
        if last is None or not last.is_active or step.episode not in ("", last.finding.episode):
            return
        self._cleared(last, step.at_us, step.peak)

    def clear_run(self, step: ClearRun) -> None:
        """Clear what another run of this gateway raised."""
        for alarm in self._of_run(step):
            if alarm.is_active and alarm.finding.epoch != step.epoch:
                self._cleared(alarm, step.at_us, None)

    def finish(self) -> list[Alarm]:
        """Keep all that was changed."""
        for alarm in self._changed.values():
            self._kept.put(alarm)
        return list(self._changed.values())

    def _of_run(self, step: ClearRun) -> list[Alarm]:
        if step.source not in self._runs_are_loaded:
            self._runs_are_loaded.add(step.source)
            stored = self._kept.active(kinds=step.kinds, source=step.source)
            self._known = {alarm.condition: alarm for alarm in stored} | self._known
        return [
            alarm
            for condition, alarm in self._known.items()
            if condition.source == step.source and condition.kind in step.kinds
        ]

    def _cleared(self, alarm: Alarm, at_us: int, peak: float | None) -> None:
        cleared = alarm.clear(at_us, peak=peak)
        self._note(cleared, "alarm.clear", at_us, {})
        if cleared.verdict is not None:
            stretch_alarm_label(self._session, cleared.id, at_us)

    def _note(self, alarm: Alarm, action: str, at_us: int, details: dict[str, object]) -> None:
        self._known[alarm.condition] = self._changed[alarm.id] = alarm
        add_audit(self._session, AuditEntry(to_datetime(at_us), self._by, action, alarm.id, details))
        self._news.tell(alarm, action, by=self._by, at_us=at_us)
