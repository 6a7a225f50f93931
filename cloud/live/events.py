"""LiveEvent: one thing that connected clients are told, and what a client must hold to be told of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import msgspec

from cloud.domain.notice import Notice, NoticeKind
from cloud.domain.scopes import Scope

DEVICE_UPDATE, DEVICE_UPDATES = "device_update", "device_updates"
SYSTEM_METRICS = "system_metrics"
REPLAY_GAP = "replay_gap"
_SCOPES: Mapping[NoticeKind, Scope] = {
    NoticeKind.ALERT: Scope.ALARMS_READ,
    NoticeKind.ALERT_ACKNOWLEDGED: Scope.ALARMS_READ,
    NoticeKind.ALERT_CHANGED: Scope.ALARMS_READ,
    NoticeKind.DEVICE_STATUS: Scope.DATA_READ,
    NoticeKind.HEALTH_SCORE_UPDATE: Scope.DATA_READ,
    NoticeKind.TRAINING_PROGRESS: Scope.LEARNING_READ,
    NoticeKind.TASK_UPDATE: Scope.LEARNING_READ,
    NoticeKind.MODEL_RETRAINED: Scope.LEARNING_READ,
    NoticeKind.DECISION_REQUEST: Scope.TASKS_UPDATE,
    NoticeKind.SCALING_PENDING: Scope.SYSTEM_READ,
    NoticeKind.SCALING_EXECUTED: Scope.SYSTEM_READ,
    NoticeKind.SCALING_FAILED: Scope.SYSTEM_READ,
    NoticeKind.SCALING_ROLLED_BACK: Scope.SYSTEM_READ,
    NoticeKind.PREDICTION_ANOMALY: Scope.SYSTEM_READ,
}
"""What each kind takes; the same as the route that shows its subject."""
_FLAT = frozenset({SYSTEM_METRICS, NoticeKind.TRAINING_PROGRESS.value, NoticeKind.TASK_UPDATE.value})
"""Messages of /ws whose fields stand beside their type, as documented; all others carry theirs in `data`."""
_ONGOING = ("training", "STARTED")


@dataclass(frozen=True)
class LiveEvent:
    """One event; key: events of one key replace each other while they wait, empty for those that never may.

    sequence: of the notice that it was made of, None for readings and figures; device, gateway: whom it is about.
    """

    name: str
    data: Mapping[str, object]
    scope: Scope | None = None
    sequence: int | None = None
    key: str = ""
    device: str = ""
    gateway: str = ""

    def payload(self) -> dict[str, object]:
        """Return what Socket.IO carries."""
        return dict(self.data) if self.sequence is None else {**self.data, "seq": self.sequence}

    @cached_property
    def text(self) -> str:
        """Return the message of /ws, made once for all who are told."""
        body: dict[str, object] = dict(self.data) if self.name in _FLAT else {"data": dict(self.data)}
        if self.sequence is not None:
            body["seq"] = self.sequence
        if "timestamp" in self.data:
            body["timestamp"] = self.data["timestamp"]
        return msgspec.json.encode({"type": self.name, **body}).decode()


def event_of(notice: Notice) -> LiveEvent:
    """Return what clients are told of a notice."""
    data = {"timestamp": _text(notice.at), **notice.data}
    if notice.device:
        data.setdefault("device_id", notice.device)
    return LiveEvent(
        name=notice.kind.value,
        data=data,
        scope=_SCOPES[notice.kind],
        sequence=notice.sequence,
        key=_key(notice),
        device=notice.device,
        gateway=notice.gateway,
    )


def _key(notice: Notice) -> str:
    """Return the key of what is soon out of date: a score, a progress that is not the last one."""
    match notice.kind:
        case NoticeKind.HEALTH_SCORE_UPDATE:
            return f"health {notice.device or notice.subject}"
        case NoticeKind.TRAINING_PROGRESS | NoticeKind.TASK_UPDATE:
            is_ongoing = notice.data.get("status") in _ONGOING and notice.data.get("progress") != 100
            return f"job {notice.subject}" if is_ongoing else ""
        case _:
            return ""


def _text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
