"""Notice: one thing that happened in the cloud and that live feeds, webhooks and mails tell of.

A notice is written in the transaction of the change that it tells of (a transactional outbox), so there is none
without its change and no change without its notice. Its number rises: who has read up to a number asks for more.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class NoticeKind(StrEnum):
    """What can happen; the values are the words of live feeds and of webhooks."""

    ALERT = "alert"
    """An alarm was raised."""
    ALERT_ACKNOWLEDGED = "alert_acknowledged"
    ALERT_CHANGED = "alert_changed"
    """Cleared, shelved, commented, assigned: anything else that changes an alarm."""
    DEVICE_STATUS = "device_status"
    """Normal, warning, critical, offline: it changed."""
    HEALTH_SCORE_UPDATE = "health_score_update"
    TRAINING_PROGRESS = "training_progress"
    TASK_UPDATE = "task_update"
    """A job that is no training came further or ended."""
    DECISION_REQUEST = "decision_request"
    """Somebody has to decide, or has decided."""
    SCALING_PENDING = "scaling.pending"
    SCALING_EXECUTED = "scaling.executed"
    SCALING_FAILED = "scaling.failed"
    SCALING_ROLLED_BACK = "scaling.rolled_back"
    PREDICTION_ANOMALY = "prediction.anomaly"
    MODEL_RETRAINED = "model.retrained"


@dataclass(frozen=True, slots=True)
class NewNotice:
    """What happened; subject: id of the alarm, device, job, decision; data: the facts, JSON that fits the kind.

    device, gateway: whom it is about, empty where nobody; request_id: of the request that caused it, if one did.
    """

    kind: NoticeKind
    at: datetime
    subject: str
    data: Mapping[str, object] = field(default_factory=dict)
    device: str = ""
    gateway: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice as it was written; sequence: its number, higher than that of every notice before."""

    sequence: int
    kind: NoticeKind
    at: datetime
    subject: str
    data: Mapping[str, object]
    device: str = ""
    gateway: str = ""
    request_id: str = ""
