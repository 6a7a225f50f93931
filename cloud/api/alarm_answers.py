"""Alarms as the API shows them: the documents' fields of an alert, and all that is known beside them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from cloud.domain.alarm import Alarm, AlarmState, Severity
from cloud.domain.alarm_news import rule_name
from cloud.domain.label import Label, Verdict
from cloud.domain.times import to_datetime
from cloud.operations.alarms import AlarmStory
from cloud.services import Services, Views

ALARM_EXAMPLE: dict[str, Any] = {
    "id": "5f2b1c9e-8d1f-4b7e-9a51-0c6f3f6f1c11",
    "device_id": "pump-1",
    "gateway_id": "gw-1",
    "type": "anomaly",
    "rule_name": "anomaly",
    "severity": "warning",
    "message": "vibration of pump-1 is unlike its normal behaviour (score 0.93, 71 % vibration, 18 % pressure)",
    "timestamp": "2026-01-15T10:30:00Z",
    "acknowledged": False,
    "resolved": False,
    "value": 0.93,
    "state": "unack_active",
    "channel": "vibration",
    "shares": [{"channel": "vibration", "share": 0.71}, {"channel": "pressure", "share": 0.18}],
    "score": 0.93,
    "peak": 0.97,
    "model": "own@3",
    "limit": "",
    "onset_at": "2026-01-15T10:29:57Z",
    "raised_at": "2026-01-15T10:30:00Z",
    "last_raised_at": "2026-01-15T10:30:00Z",
    "cleared_at": None,
    "occurrences": 1,
    "chattering": False,
    "chattering_since": None,
    "stale": False,
    "acknowledged_by": None,
    "acknowledged_at": None,
    "shelved_until": None,
    "shelved_by": None,
    "out_of_service_by": None,
    "assigned_to": "",
    "escalated_at": None,
    "muted_by": None,
    "label": None,
    "metadata": {"source": "gw-1"},
}
STORY_EXAMPLE: dict[str, Any] = ALARM_EXAMPLE | {
    "comments": [{"by": "key:1a2b3c4d", "at": "2026-01-15T10:31:00Z", "text": "bearing is warm"}],
    "history": [{"by": "gateway", "at": "2026-01-15T10:30:00Z", "action": "alarm.raise", "details": {"occurrence": 1}}],
}
LABEL_EXAMPLE: dict[str, Any] = {
    "id": 7,
    "device_id": "pump-1",
    "gateway_id": "gw-1",
    "from": "2026-01-15T10:29:57Z",
    "to": "2026-01-15T10:41:00Z",
    "verdict": "true_fault",
    "kind": "bearing",
    "note": "",
    "alarm_id": "5f2b1c9e-8d1f-4b7e-9a51-0c6f3f6f1c11",
    "by": "key:1a2b3c4d",
    "at": "2026-01-15T10:45:00Z",
}


class ShareAnswer(BaseModel):
    """How much of a score a channel explains."""

    channel: str
    share: float


class AlarmAnswer(BaseModel):
    """An alarm; times are of the gateway's clock where it raised it; an alarm of a gateway has its name as device_id.

    muted_by: the planned event that keeps it quiet;
    value: the score, or what broke a limit; raised_at, onset_at: of its first occurrence; stale: its gateway is away.
    """

    id: str
    device_id: str
    gateway_id: str
    type: str
    rule_name: str
    severity: Severity
    message: str
    timestamp: datetime
    acknowledged: bool
    resolved: bool
    value: float | None
    state: AlarmState
    channel: str
    shares: list[ShareAnswer]
    score: float | None
    peak: float | None
    model: str
    limit: str
    onset_at: datetime
    raised_at: datetime
    last_raised_at: datetime
    cleared_at: datetime | None
    occurrences: int
    chattering: bool
    chattering_since: datetime | None
    stale: bool
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    shelved_until: datetime | None
    shelved_by: str | None
    out_of_service_by: str | None
    assigned_to: str
    escalated_at: datetime | None
    muted_by: str | None
    label: Verdict | None
    metadata: dict[str, Any]


class CommentAnswer(BaseModel):
    """What somebody wrote beside an alarm."""

    by: str
    at: datetime
    text: str


class ChangeAnswer(BaseModel):
    """What somebody, or something, changed."""

    by: str
    at: datetime
    action: str
    details: dict[str, Any]


class StoryAnswer(AlarmAnswer):
    """An alarm with what was written beside it and what became of it, the oldest first."""

    comments: list[CommentAnswer]
    history: list[ChangeAnswer]


class LabelAnswer(BaseModel):
    """What an operator said of from <= time < to."""

    id: int
    device_id: str
    gateway_id: str
    from_: datetime
    to: datetime
    verdict: Verdict
    kind: str
    note: str
    alarm_id: str | None
    by: str
    at: datetime

    model_config = {"alias_generator": lambda name: name.rstrip("_"), "populate_by_name": True}


@dataclass(frozen=True, slots=True)
class Plant:
    """What an alarm does not know itself: how its device is called, and whether its gateway is there."""

    names: Mapping[tuple[str, str], str]
    online: Collection[str]
    now_us: int

    @classmethod
    def seen(cls, services: Services, views: Views) -> "Plant":
        """Return the plant as it is now; raise Unavailable."""
        names = services.registry.names(views.store.devices)
        return cls(names, views.gateways.presence().there, services.clock.now_us())

    def name(self, source: str, device: str) -> str:
        """Return how people call a device, or a gateway where there is no device."""
        return self.names.get((source, device), device or source)

    def shown(self, alarm: Alarm) -> AlarmAnswer:
        """Return an alarm for people."""
        return AlarmAnswer(**_facts(alarm, self))

    def told(self, alarm: Alarm) -> dict[str, Any]:
        """Return what AlarmAnswer says of an alarm, as plain data: lists of a thousand must be quick."""
        return _facts(alarm, self)

    def story(self, story: AlarmStory) -> StoryAnswer:
        """Return an alarm with all that is written of it."""
        comments = [CommentAnswer(by=one.by, at=one.at, text=one.text) for one in story.comments]
        history = [
            ChangeAnswer(by=one.actor, at=one.at, action=one.action, details=one.details) for one in story.history
        ]
        return StoryAnswer(**_facts(story.alarm, self), comments=comments, history=history)

    def label(self, label: Label) -> LabelAnswer:
        """Return a label for people."""
        return LabelAnswer(
            id=label.id,
            device_id=self.name(label.source, label.device),
            gateway_id=label.source,
            from_=to_datetime(label.from_us),
            to=to_datetime(label.to_us),
            verdict=label.verdict,
            kind=label.kind,
            note=label.note,
            alarm_id=label.alarm_id,
            by=label.by,
            at=label.at,
        )


def _facts(alarm: Alarm, plant: Plant) -> dict[str, Any]:
    found, condition = alarm.finding, alarm.condition
    return _doings(alarm) | {
        "id": alarm.id,
        "device_id": plant.name(condition.source, condition.device),
        "gateway_id": condition.source,
        "type": condition.kind,
        "rule_name": rule_name(alarm),
        "severity": found.severity,
        "message": found.message,
        "timestamp": to_datetime(alarm.raised_us),
        "resolved": not alarm.is_active,
        "value": found.value,
        "state": alarm.state,
        "channel": found.channel,
        "shares": [{"channel": channel, "share": share} for channel, share in found.shares],
        "score": found.score,
        "peak": found.peak,
        "model": found.model,
        "limit": found.limit,
        "onset_at": to_datetime(alarm.onset_us),
        "raised_at": to_datetime(alarm.raised_us),
        "last_raised_at": to_datetime(alarm.raises[-1]),
        "cleared_at": _time(alarm.cleared_us),
        "occurrences": alarm.occurrences,
        "chattering": alarm.is_chattering(plant.now_us),
        "chattering_since": _time(alarm.chattering_since_us),
        "stale": bool(condition.source) and condition.source not in plant.online,
        "metadata": {"source": condition.source, "episode": found.episode},
    }


def _doings(alarm: Alarm) -> dict[str, Any]:
    """Return what people did with an alarm."""
    seen, shelf, removed = alarm.acknowledged, alarm.shelf, alarm.removed
    return {
        "acknowledged": seen is not None,
        "acknowledged_by": None if seen is None else seen.by,
        "acknowledged_at": None if seen is None else to_datetime(seen.at_us),
        "shelved_until": None if shelf is None else to_datetime(shelf.until_us),
        "shelved_by": None if shelf is None else shelf.placed.by,
        "out_of_service_by": None if removed is None else removed.by,
        "assigned_to": alarm.assigned_to,
        "escalated_at": _time(alarm.escalated_us),
        "muted_by": alarm.muted_by or None,
        "label": alarm.verdict,
    }


def _time(time_us: int | None) -> datetime | None:
    return None if time_us is None else to_datetime(time_us)
