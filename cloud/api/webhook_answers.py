"""Webhooks, deliveries and dead letters as the API takes and shows them."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from cloud.api.scalars import Truth
from cloud.bus.webhooks import DELIVERY, WEBHOOK
from cloud.domain.alarm import Severity
from cloud.domain.circuit import CircuitState
from cloud.domain.delivery import Attempt, DeadLetter, Delivery
from cloud.domain.identity import shown
from cloud.domain.times import EPOCH
from cloud.domain.webhook import MAX_URL, EventType, Webhook, WebhookFormat

WEBHOOK_EXAMPLE: dict[str, Any] = {
    "id": "wh_0197f3a25c1e7d409a6b001122334455",
    "name": "shift lead",
    "url": "https://hooks.example.com/lineside",
    "format": "json",
    "events": ["alarm.raised", "scaling.executed"],
    "severity": "warning",
    "devices": ["pump-*"],
    "enabled": True,
    "circuit_state": "closed",
    "created_at": "2026-01-15T10:30:00Z",
    "created_by": "anna",
}
MADE_EXAMPLE = WEBHOOK_EXAMPLE | {"secret": "whsec_2f0c0e..."}
ATTEMPT_EXAMPLE = {"success": False, "status_code": 503, "error": "it answered 503", "seconds": 0.021}
DELIVERY_EXAMPLE: dict[str, Any] = {
    "id": "dlv_0197f3a25c1e7d409a6b001122334455",
    "webhook_id": "wh_0197f3a25c1e7d409a6b001122334455",
    "event_type": "scaling.executed",
    "state": "pending",
    "attempts": 1,
    "created_at": "2026-01-15T10:30:00Z",
    "next_attempt_at": "2026-01-15T10:30:02Z",
    "ended_at": None,
    "payload": {
        "event_type": "scaling.executed",
        "timestamp": "2026-01-15T10:30:00Z",
        "data": {"service_name": "api", "from_instances": 4, "to_instances": 6, "status": "success"},
    },
    "log": [{"at": "2026-01-15T10:30:00Z", "status_code": 503, "error": "it answered 503", "seconds": 0.021}],
}
LETTER_EXAMPLE: dict[str, Any] = {
    "id": "dlv_0197f3a25c1e7d409a6b001122334455",
    "webhook_id": "wh_0197f3a25c1e7d409a6b001122334455",
    "target": "",
    "event_type": "scaling.executed",
    "error": "it answered 503",
    "attempts": 4,
    "created_at": "2026-01-15T10:30:12Z",
    "payload": DELIVERY_EXAMPLE["payload"],
}
Pattern = Annotated[str, Field(min_length=1, max_length=200)]


class WebhookBody(BaseModel):
    """A target; events and devices: empty for all, devices as patterns; severity: the least of alarms, null for any."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
    url: Annotated[str, Field(min_length=1, max_length=MAX_URL)]
    format: WebhookFormat = WebhookFormat.JSON
    events: Annotated[list[EventType], Field(max_length=len(EventType))] = []
    severity: Severity | None = None
    devices: Annotated[list[Pattern], Field(max_length=200)] = []
    enabled: Truth = True

    def webhook(self) -> Webhook:
        """Return what was asked for, as of nobody and without an id."""
        return Webhook(
            id="",
            name=self.name,
            url=self.url,
            format=self.format,
            events=frozenset(self.events),
            created_at=EPOCH,
            created_by="",
            severity=self.severity,
            devices=tuple(self.devices),
            is_enabled=self.enabled,
        )


class WebhookAnswer(BaseModel):
    """A target as it is kept; its secret is shown once, when it is made."""

    id: str
    name: str
    url: str
    format: WebhookFormat
    events: list[EventType]
    severity: Severity | None
    devices: list[str]
    enabled: bool
    circuit_state: CircuitState
    created_at: datetime
    created_by: str


class MadeAnswer(WebhookAnswer):
    """A target with the secret that signs what is sent to it."""

    secret: str


class LogAnswer(BaseModel):
    """One attempt."""

    at: datetime
    status_code: int | None
    error: str
    seconds: float


class DeliveryAnswer(BaseModel):
    """One event on its way, and how its attempts came out."""

    id: str
    webhook_id: str
    event_type: str
    state: str
    attempts: int
    created_at: datetime
    next_attempt_at: datetime | None
    ended_at: datetime | None
    payload: dict[str, Any]
    log: list[LogAnswer]


class LetterAnswer(BaseModel):
    """An event that reached nobody."""

    id: str
    webhook_id: str
    target: str
    event_type: str
    error: str
    attempts: int
    created_at: datetime
    payload: dict[str, Any]


class AttemptAnswer(BaseModel):
    """How a test came out."""

    success: bool
    status_code: int | None
    error: str
    seconds: float


def show_webhook(webhook: Webhook, circuit: CircuitState = CircuitState.CLOSED) -> WebhookAnswer:
    """Return a webhook as it is shown."""
    return WebhookAnswer(
        id=shown(WEBHOOK, webhook.id),
        name=webhook.name,
        url=webhook.url,
        format=webhook.format,
        events=sorted(webhook.events),
        severity=webhook.severity,
        devices=list(webhook.devices),
        enabled=webhook.is_enabled,
        circuit_state=circuit,
        created_at=webhook.created_at,
        created_by=webhook.created_by,
    )


def show_made(webhook: Webhook, secret: str, circuit: CircuitState = CircuitState.CLOSED) -> MadeAnswer:
    """Return a webhook with its secret."""
    return MadeAnswer(**show_webhook(webhook, circuit).model_dump(), secret=secret)


def show_delivery(delivery: Delivery) -> DeliveryAnswer:
    """Return a delivery as it is shown."""
    return DeliveryAnswer(
        id=shown(DELIVERY, delivery.id),
        webhook_id=shown(WEBHOOK, delivery.webhook),
        event_type=delivery.event_type,
        state=delivery.state.value,
        attempts=delivery.attempts,
        created_at=delivery.created_at,
        next_attempt_at=None if delivery.ended_at is not None else delivery.next_at,
        ended_at=delivery.ended_at,
        payload=dict(delivery.payload),
        log=[
            LogAnswer(at=one.at, status_code=one.status, error=one.error, seconds=one.seconds) for one in delivery.log
        ],
    )


def show_letter(letter: DeadLetter) -> LetterAnswer:
    """Return a dead letter as it is shown; a target of the settings is called by its name."""
    is_made = len(letter.webhook) == len(letter.id)
    return LetterAnswer(
        id=shown(DELIVERY, letter.id),
        webhook_id=shown(WEBHOOK, letter.webhook) if is_made else letter.webhook,
        target=letter.target,
        event_type=letter.event_type,
        error=letter.error,
        attempts=letter.attempts,
        created_at=letter.at,
        payload=dict(letter.payload),
    )


def show_attempt(attempt: Attempt) -> AttemptAnswer:
    """Return how a test came out."""
    return AttemptAnswer(
        success=attempt.is_good, status_code=attempt.status, error=attempt.error, seconds=round(attempt.seconds, 3)
    )
