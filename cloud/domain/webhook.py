"""Webhook: who outside wants to be told of what, and in which form; which notices it means, and what it is sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fnmatch import fnmatchcase

from cloud.domain.alarm import Severity
from cloud.domain.notice import Notice, NoticeKind

MAX_URL = 2_000
MAX_WEBHOOKS = 200


class EventType(StrEnum):
    """What a webhook may ask for; the values are the words of the payload."""

    SCALING_PENDING = "scaling.pending"
    SCALING_EXECUTED = "scaling.executed"
    SCALING_FAILED = "scaling.failed"
    SCALING_ROLLED_BACK = "scaling.rolled_back"
    PREDICTION_ANOMALY = "prediction.anomaly"
    MODEL_RETRAINED = "model.retrained"
    ALARM_RAISED = "alarm.raised"
    ALARM_ACKNOWLEDGED = "alarm.acknowledged"
    ALARM_CHANGED = "alarm.changed"
    DEVICE_STATUS = "device.status"
    DECISION_REQUEST = "decision.request"


TEST_EVENT = "webhook.test"
"""The event type of what somebody sends to try a webhook."""
_EVENTS: Mapping[NoticeKind, EventType] = {
    NoticeKind.SCALING_PENDING: EventType.SCALING_PENDING,
    NoticeKind.SCALING_EXECUTED: EventType.SCALING_EXECUTED,
    NoticeKind.SCALING_FAILED: EventType.SCALING_FAILED,
    NoticeKind.SCALING_ROLLED_BACK: EventType.SCALING_ROLLED_BACK,
    NoticeKind.PREDICTION_ANOMALY: EventType.PREDICTION_ANOMALY,
    NoticeKind.MODEL_RETRAINED: EventType.MODEL_RETRAINED,
    NoticeKind.ALERT: EventType.ALARM_RAISED,
    NoticeKind.ALERT_ACKNOWLEDGED: EventType.ALARM_ACKNOWLEDGED,
    NoticeKind.ALERT_CHANGED: EventType.ALARM_CHANGED,
    NoticeKind.DEVICE_STATUS: EventType.DEVICE_STATUS,
    NoticeKind.DECISION_REQUEST: EventType.DECISION_REQUEST,
}
"""Notices that are told outside; all others are for live feeds alone."""
_ORDER = tuple(Severity)


class WebhookFormat(StrEnum):
    """In which form it is told."""

    JSON = "json"
    """The documented payload, signed."""
    SLACK = "slack"
    """A text, as incoming webhooks of Slack and of those who copy it take it."""
    EMAIL = "email"
    """A mail, to a `mailto:` address."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """One target; events, devices: empty for all, devices as patterns; severity: the least, None for any.

    generation: rises when the secret is made anew.
    """

    id: str
    name: str
    url: str
    format: WebhookFormat
    events: frozenset[EventType]
    created_at: datetime
    created_by: str
    severity: Severity | None = None
    devices: tuple[str, ...] = ()
    is_enabled: bool = True
    generation: int = 1

    def wants(self, notice: Notice) -> bool:
        """Return whether it is to be told of this."""
        event = event_of(notice.kind)
        if event is None or not self.is_enabled or (self.events and event not in self.events):
            return False
        return self._is_severe_enough(notice) and self._is_about(notice)

    def _is_severe_enough(self, notice: Notice) -> bool:
        if self.severity is None or "severity" not in notice.data:
            return True
        told = str(notice.data["severity"])
        return told in _ORDER and _ORDER.index(Severity(told)) >= _ORDER.index(self.severity)

    def _is_about(self, notice: Notice) -> bool:
        names = [name for name in (notice.device, notice.gateway) if name]
        if not self.devices or not names:
            return True
        return any(fnmatchcase(name, pattern) for name in names for pattern in self.devices)


def event_of(kind: NoticeKind) -> EventType | None:
    """Return what a kind of notice is called outside, None for what is not told there."""
    return _EVENTS.get(kind)


def payload_of(event: str, at: datetime, data: Mapping[str, object]) -> dict[str, object]:
    """Return the documented payload."""
    return {"event_type": event, "timestamp": at.isoformat().replace("+00:00", "Z"), "data": dict(data)}


def words_of(payload: Mapping[str, object]) -> tuple[str, Sequence[tuple[str, str]]]:
    """Return a headline, and the facts below it, for people who read a message and not a payload."""
    data = payload.get("data")
    facts = data if isinstance(data, Mapping) else {}
    event = str(payload.get("event_type", ""))
    severity = facts.get("severity")
    message = facts.get("message") or facts.get("model_name") or facts.get("service_name") or ""
    mark = f"[{severity}] " if severity else ""
    headline = f"{mark}{event}: {message}" if message else f"{mark}{event}"
    plain = [(str(name), str(value)) for name, value in facts.items() if isinstance(value, str | int | float)]
    return headline[:500], [("timestamp", str(payload.get("timestamp", ""))), *plain][:40]
