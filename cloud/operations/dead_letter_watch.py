"""DeadLetterWatch: an alarm while an event that reached nobody lies there for more than ten minutes."""

from datetime import timedelta

from cloud.domain.alarm import Condition, Finding, Severity
from cloud.domain.alarm_words import Clear, Raise, Step
from cloud.domain.times import to_datetime, to_us
from cloud.operations.raising import NewId, apply_steps, draw_id
from cloud.ports import Clock
from cloud.records.alarms import KeptAlarms
from cloud.records.database import Records
from cloud.records.dead_letters import count_dead_letters, oldest_dead_letter

ACTOR = "cloud"
OLD_AFTER = timedelta(minutes=10)
CONDITION = Condition("", "", "dead_letters")


class DeadLetterWatch:
    """Looks at the dead letters. One thread."""

    def __init__(self, records: Records, clock: Clock, *, new_id: NewId = draw_id) -> None:
        self._records = records
        self._clock = clock
        self._new_id = new_id

    def look(self) -> None:
        """Raise or clear where something changed; raise Unavailable, Conflict."""
        now_us = self._clock.now_us()
        with self._records.reading() as session:
            last = KeptAlarms(session).newest([CONDITION]).get(CONDITION)
            oldest, count = oldest_dead_letter(session), count_dead_letters(session)
        is_raised = last is not None and last.is_active
        is_wrong = oldest is not None and to_datetime(now_us) - oldest > OLD_AFTER
        # What an operator cleared by hand is not raised again for the same letters.
        is_news = oldest is not None and (last is None or to_us(oldest) > (last.cleared_us or 0))
        step: Step | None = None
        if is_wrong and is_news and not is_raised:
            words = f"{count} events reached none of their targets: look at the dead letters"
            step = Raise(CONDITION, Finding(now_us, Severity.WARNING, words, now_us, value=float(count)))
        elif is_raised and not is_wrong:
            step = Clear(CONDITION, now_us)
        if step is not None:
            with self._records.writing() as session:
                apply_steps(session, [step], by=ACTOR, new_id=self._new_id)
