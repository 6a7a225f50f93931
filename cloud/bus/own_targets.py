"""Targets that nobody made as webhooks: the mail address and the Slack channel of the settings."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from cloud.domain.alarm import Severity
from cloud.domain.times import EPOCH
from cloud.domain.webhook import EventType, Webhook, WebhookFormat
from cloud.records.settings import is_set, text_of
from cloud.records.webhooks import find_webhook, list_webhooks

BY_MAIL, BY_SLACK = "settings-email", "settings-slack"
MAILTO = "mailto:"
_TOLD = frozenset(
    {
        EventType.ALARM_RAISED,
        EventType.DECISION_REQUEST,
        EventType.MODEL_RETRAINED,
        EventType.PREDICTION_ANOMALY,
        EventType.SCALING_FAILED,
        EventType.SCALING_ROLLED_BACK,
    }
)
"""What somebody has to know; alarms from warnings on."""


def own_target(session: Session, identity: str) -> Webhook | None:
    """Return the target of the settings with this id, switched on or not; None where it has no address."""
    if identity == BY_MAIL:
        address = text_of(session, "notifications.emailAddress")
        is_on = is_set(session, "notifications.emailEnabled")
        return _target(identity, f"{MAILTO}{address}", WebhookFormat.EMAIL, is_on=is_on) if address else None
    if identity == BY_SLACK:
        url = text_of(session, "notifications.slackWebhookUrl")
        is_on = is_set(session, "notifications.slackEnabled")
        return _target(identity, url, WebhookFormat.SLACK, is_on=is_on) if url else None
    return None


def all_targets(session: Session) -> Sequence[Webhook]:
    """Return every webhook and every target of the settings."""
    own = (own_target(session, identity) for identity in (BY_MAIL, BY_SLACK))
    return [*(one for one in own if one is not None), *list_webhooks(session)]


def target_of(session: Session, webhook: str, target: str) -> Webhook | None:
    """Return where a delivery goes, by its webhook's id; by its own address where it has none of these."""
    if not webhook and target:
        return _target("", target, WebhookFormat.EMAIL, is_on=True)
    return own_target(session, webhook) or find_webhook(session, webhook)


def _target(identity: str, url: str, form: WebhookFormat, *, is_on: bool) -> Webhook:
    return Webhook(
        id=identity,
        name=identity,
        url=url,
        format=form,
        events=_TOLD,
        created_at=EPOCH,
        created_by="settings",
        severity=Severity.WARNING,
        is_enabled=is_on,
    )
