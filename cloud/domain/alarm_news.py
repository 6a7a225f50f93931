"""What live feeds and webhooks are told of an alarm: the documents' fields of an alert, and what was done with it."""

from collections.abc import Mapping

from cloud.domain.alarm import Alarm, AlarmState
from cloud.domain.notice import NewNotice, NoticeKind
from cloud.domain.times import to_datetime, to_text

RAISED = "alarm.raise"
_NEWS = (RAISED, "alarm.escalate", "alarm.unmute")
"""What makes people look, where the alarm is active and in sight."""
ACKNOWLEDGED = "alarm.acknowledge"
_OWN_POINTS = ("limit", "silence")
"""Kinds whose point is the name of a rule that somebody made."""
_IN_SIGHT = (AlarmState.UNACK_ACTIVE, AlarmState.ACK_ACTIVE)


def rule_name(alarm: Alarm) -> str:
    """Return what found it: a rule by its name, anything else by its kind."""
    condition = alarm.condition
    return condition.point if condition.kind in _OWN_POINTS else condition.kind


def alert_facts(alarm: Alarm, device: str) -> dict[str, object]:
    """Return an alert as the documents show it, JSON; device: how people call it."""
    found = alarm.finding
    return {
        "id": alarm.id,
        "device_id": device,
        "rule_name": rule_name(alarm),
        "severity": found.severity.value,
        "message": found.message,
        "timestamp": to_text(alarm.raised_us),
        "acknowledged": alarm.acknowledged is not None,
        "resolved": not alarm.is_active,
        "value": found.value,
        "metadata": {"source": alarm.condition.source, "episode": found.episode},
        "type": alarm.condition.kind,
        "state": alarm.state.value,
        "gateway_id": alarm.condition.source,
        "occurrences": alarm.occurrences,
        "assigned_to": alarm.assigned_to,
        "escalated": alarm.escalated_us is not None,
        "muted_by": alarm.muted_by or None,
    }


def news_of_alarm(
    alarm: Alarm, action: str, *, device: str, by: str, at_us: int, details: Mapping[str, object] | None = None
) -> NewNotice:
    """Return what to tell of an alarm that was just changed; action: as the audit calls it."""
    change = {"action": action.removeprefix("alarm."), "by": by, **(details or {})}
    return NewNotice(
        kind=_kind_of(alarm, action, at_us),
        at=to_datetime(at_us),
        subject=alarm.id,
        data=alert_facts(alarm, device) | {"change": change},
        device=device if alarm.condition.device else "",
        gateway=alarm.condition.source,
    )


def _kind_of(alarm: Alarm, action: str, at_us: int) -> NoticeKind:
    """Return whether people must look: a chattering alarm, or one that somebody put out of sight, only changes."""
    if action == ACKNOWLEDGED:
        return NoticeKind.ALERT_ACKNOWLEDGED
    is_quiet = alarm.is_chattering(at_us) and alarm.occurrences > 1
    is_news = action in _NEWS and alarm.state in _IN_SIGHT and not alarm.muted_by and not is_quiet
    return NoticeKind.ALERT if is_news else NoticeKind.ALERT_CHANGED
