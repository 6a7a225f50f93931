"""What is told of a Device's health: notices for feeds and webhooks, and the alarm of a score that is critical."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from cloud.analysis.health.sight import Case
from cloud.domain.alarm import Condition, Finding, Severity
from cloud.domain.alarm_words import Clear, Raise, Step
from cloud.domain.health import CRITICAL_BELOW, Band, HealthScore
from cloud.domain.notice import NewNotice, NoticeKind
from cloud.domain.times import to_text, to_us
from cloud.records.notices import add_notice

ALARM_KIND = "health"
LEAST_CHANGE = 0.02
"""Feeds are told of a score that moved so far from what they were told last."""


def steps_of(case: Case, before: HealthScore | None, after: HealthScore, *, now_us: int) -> Sequence[Step]:
    """Return what happens to the alarm of this Device's health."""
    was_critical = before is not None and before.band is Band.CRITICAL
    condition = Condition(*case.whose, ALARM_KIND)
    if after.band is Band.CRITICAL and not was_critical:
        return [Raise(condition, _finding(case, after, now_us))]
    return [Clear(condition, now_us)] if was_critical and after.band is not Band.CRITICAL else []


def tell(session: Session, case: Case, before: HealthScore | None, after: HealthScore) -> HealthScore:
    """Write the notices of what changed; return the score as it was told by now."""
    if before is None or before.status is not after.status:
        add_notice(session, _notice(NoticeKind.DEVICE_STATUS, case, after, _status_told(before, after)))
    if not _has_moved(after):
        return after
    add_notice(session, _notice(NoticeKind.HEALTH_SCORE_UPDATE, case, after, _score_told(after)))
    return replace(after, told_score=after.score)


def _has_moved(after: HealthScore) -> bool:
    if after.score is None or after.told_score is None:
        return after.score is not after.told_score
    return abs(after.score - after.told_score) >= LEAST_CHANGE


def _notice(kind: NoticeKind, case: Case, after: HealthScore, facts: dict[str, object]) -> NewNotice:
    told = {"device_id": case.shown_id, **facts, "timestamp": to_text(to_us(after.computed_at))}
    return NewNotice(kind, after.computed_at, case.shown_id, told, case.shown_id, case.facts.source)


def _status_told(before: HealthScore | None, after: HealthScore) -> dict[str, object]:
    previous = None if before is None else before.status.value
    return {"status": after.status.value, "previous_status": previous, "health_score": after.score}


def _score_told(after: HealthScore) -> dict[str, object]:
    return {
        "health_score": after.score,
        "previous_score": after.told_score,
        "components": {part.value: round(value, 6) for part, value in after.parts.items()},
        "is_stale": after.is_stale,
    }


def _finding(case: Case, after: HealthScore, now_us: int) -> Finding:
    worst = min(after.parts.items(), key=lambda pair: pair[1], default=None)
    because = "" if worst is None else f"; worst is {worst[0].value.replace('_', ' ')} with {worst[1]:.2f}"
    message = f"the health of {case.shown_id} is {after.score or 0.0:.2f}{because}"
    limit = f"score below {CRITICAL_BELOW:g}"
    return Finding(now_us, Severity.CRITICAL, message, now_us, value=after.score, limit=limit)
