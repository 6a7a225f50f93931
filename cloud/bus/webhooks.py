"""Webhooks: made, changed, tried and looked at by administrators; every change is in the audit."""

import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from cloud.bus.http import Resolve, checked_address
from cloud.bus.own_targets import BY_MAIL, BY_SLACK, MAILTO, own_target, target_of
from cloud.domain.audit import AuditEntry
from cloud.domain.circuit import CircuitState
from cloud.domain.delivery import Attempt, DeadLetter, Delivery, DeliveryState, NewDelivery
from cloud.domain.identity import new_id, parse_id
from cloud.domain.outside import parse_place
from cloud.domain.signature import secret_of
from cloud.domain.times import to_datetime
from cloud.domain.webhook import MAX_WEBHOOKS, TEST_EVENT, Webhook, WebhookFormat, payload_of
from cloud.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable
from cloud.ports import Clock
from cloud.records.audit import add_audit
from cloud.records.circuits import circuit_states, find_circuit, forget_circuit
from cloud.records.database import Records
from cloud.records.dead_letters import (
    drop_dead_letter,
    drop_dead_letters_of,
    find_dead_letter,
    list_dead_letters,
)
from cloud.records.deliveries import add_delivery, drop_deliveries, find_delivery, list_deliveries, send_again
from cloud.records.webhooks import count_webhooks, delete_webhook, find_webhook, list_webhooks, put_webhook

WEBHOOK, DELIVERY = "wh", "dlv"
"""Prefixes of ids where they are shown."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What trying a target needs: how a delivery is sent, how names are resolved, whether private ones are allowed."""

    send: Callable[[Delivery, Webhook], Attempt]
    resolve: Resolve
    allows_private: Callable[[], bool]
    master: Callable[[], bytes]


class Webhooks:
    """The webhooks of one installation; safe to use from several threads."""

    def __init__(
        self, records: Records, clock: Clock, trial: Trial, draw: Callable[[int], str] = secrets.token_hex
    ) -> None:
        """Draw gives that many random bytes in hex."""
        self._records = records
        self._clock = clock
        self._trial = trial
        self._draw = draw

    def list(self, *, limit: int, offset: int = 0) -> tuple[Sequence[Webhook], int]:
        """Return some, and how many there are in all; raise Unavailable."""
        with self._records.reading() as session:
            return list_webhooks(session, limit=limit, offset=offset), count_webhooks(session)

    def get(self, webhook_id: str) -> Webhook:
        """Return one; raise NotFound, Unavailable."""
        with self._records.reading() as session:
            return _found(session, webhook_id)

    def make(self, new: Webhook, *, by: str) -> tuple[Webhook, str]:
        """Keep a webhook under an id of its own and return it with its secret; raise Invalid, Conflict, Unavailable."""
        self.check(new)
        now_us = self._clock.now_us()
        webhook = replace(new, id=new_id(now_us, self._draw(10)), created_at=to_datetime(now_us), created_by=by)
        with self._records.writing() as session:
            if count_webhooks(session) >= MAX_WEBHOOKS:
                raise Conflict(f"there are {MAX_WEBHOOKS} webhooks already", code="TOO_MANY_WEBHOOKS")
            put_webhook(session, webhook)
            self._note(session, "webhook.create", webhook, by)
        return webhook, self.secret(webhook)

    def change(self, webhook_id: str, new: Webhook, *, by: str) -> Webhook:
        """Put another in the place of one; raise NotFound, Invalid, Unavailable."""
        self.check(new)
        with self._records.writing() as session:
            old = _found(session, webhook_id)
            kept = replace(
                new, id=old.id, created_at=old.created_at, created_by=old.created_by, generation=old.generation
            )
            put_webhook(session, kept)
            if kept.url != old.url:
                forget_circuit(session, kept.id)
            self._note(session, "webhook.change", kept, by)
        return kept

    def rotate(self, webhook_id: str, *, by: str) -> tuple[Webhook, str]:
        """Give it another secret, from the next attempt on; raise NotFound, Unavailable."""
        with self._records.writing() as session:
            old = _found(session, webhook_id)
            kept = replace(old, generation=old.generation + 1)
            put_webhook(session, kept)
            self._note(session, "webhook.rotate", kept, by)
        return kept, self.secret(kept)

    def delete(self, webhook_id: str, *, by: str) -> None:
        """Forget it with all that was on its way to it; raise NotFound, Unavailable."""
        with self._records.writing() as session:
            webhook = _found(session, webhook_id)
            delete_webhook(session, webhook.id)
            drop_deliveries(session, webhook.id)
            drop_dead_letters_of(session, webhook.id)
            forget_circuit(session, webhook.id)
            self._note(session, "webhook.delete", webhook, by)

    def deliveries(
        self, webhook_id: str, *, states: Collection[DeliveryState], limit: int, offset: int
    ) -> tuple[Sequence[Delivery], int]:
        """Return some of what went to it, the newest first, and how many there are; raise NotFound, Unavailable."""
        with self._records.reading() as session:
            webhook = _found(session, webhook_id)
            return list_deliveries(session, webhook.id, states=states, limit=limit, offset=offset)

    def redeliver(self, webhook_id: str, delivery_id: str, *, by: str) -> Delivery:
        """Send one again, with all attempts and under the same id; raise NotFound, Unavailable."""
        identity = parse_id(DELIVERY, delivery_id, code="DELIVERY_NOT_FOUND")
        with self._records.writing() as session:
            webhook = _found(session, webhook_id)
            known = find_delivery(session, identity)
            if known is None or known.webhook != webhook.id:
                raise NotFound(f"there is no delivery {delivery_id!r:.100}", code="DELIVERY_NOT_FOUND")
            return self._again(session, known.id, by)

    def try_one(self, webhook_id: str) -> Attempt:
        """Send a test event now and return how it came out; raise NotFound, Unavailable."""
        return self._try(self.get(webhook_id))

    def try_own(self, channel: WebhookFormat) -> Attempt:
        """Send a test event to the settings' mail address or Slack channel; raise Conflict where none is set."""
        names = {WebhookFormat.EMAIL: BY_MAIL, WebhookFormat.SLACK: BY_SLACK}
        with self._records.reading() as session:
            target = own_target(session, names[channel]) if channel in names else None
        if target is None:
            raise Conflict(f"the settings name no target for {channel}", code="NO_TARGET")
        return self._try(target)

    def dead_letters(self, *, limit: int, offset: int) -> tuple[Sequence[DeadLetter], int]:
        """Return some, the newest first, and how many there are in all; raise Unavailable."""
        with self._records.reading() as session:
            return list_dead_letters(session, limit=limit, offset=offset)

    def replay(self, letter_id: str, *, by: str) -> Delivery:
        """Send a dead letter again; raise NotFound, Conflict where its webhook is gone or off, Unavailable."""
        identity = parse_id(DELIVERY, letter_id, code="DEAD_LETTER_NOT_FOUND")
        with self._records.writing() as session:
            letter = find_dead_letter(session, identity)
            if letter is None:
                raise _no_letter(letter_id)
            webhook = target_of(session, letter.webhook, letter.target)
            if webhook is None or not webhook.is_enabled:
                raise Conflict("its webhook is gone or switched off", code="NO_TARGET")
            if find_delivery(session, identity) is None:
                again = NewDelivery(letter.event_type, letter.payload, letter.webhook, letter.target)
                add_delivery(session, identity, again, self._now())
            return self._again(session, identity, by)

    def drop(self, letter_id: str, *, by: str) -> None:
        """Forget a dead letter; raise NotFound, Unavailable."""
        identity = parse_id(DELIVERY, letter_id, code="DEAD_LETTER_NOT_FOUND")
        with self._records.writing() as session:
            if not drop_dead_letter(session, identity):
                raise _no_letter(letter_id)
            add_audit(session, AuditEntry(self._now(), by, "dead_letter.drop", identity, {}))

    def circuits(self) -> dict[str, CircuitState]:
        """Return the state of each webhook's circuit that is not as new, by its id; raise Unavailable."""
        with self._records.reading() as session:
            return dict(circuit_states(session, self._now()))

    def circuit(self, webhook: Webhook) -> CircuitState:
        """Return the state of one; raise Unavailable."""
        with self._records.reading() as session:
            return find_circuit(session, webhook.id).state(self._now())

    def secret(self, webhook: Webhook) -> str:
        """Return what signs for a webhook; raise Unavailable."""
        return secret_of(self._trial.master(), webhook.id, webhook.generation)

    def check(self, webhook: Webhook) -> None:
        """Raise Invalid where its URL is wrong or leads where nothing may go; a name without address may come to be."""
        if webhook.format is WebhookFormat.EMAIL:
            _check_mail(webhook.url)
            return
        try:
            place = parse_place(webhook.url)
            checked_address(place, self._trial.resolve, allow_private=self._trial.allows_private())
        except Forbidden as error:
            details: dict[str, object] = {"field": "url", "issue": str(error)}
            raise Invalid(f"url: {error}", code="FORBIDDEN_TARGET", details=details) from error
        except Unavailable:
            return

    def _try(self, webhook: Webhook) -> Attempt:
        now_us = self._clock.now_us()
        at = to_datetime(now_us)
        payload = payload_of(TEST_EVENT, at, {"message": f"a test of {webhook.name}", "webhook": webhook.name})
        identity = new_id(now_us, self._draw(10))
        delivery = Delivery(identity, webhook.id, "", TEST_EVENT, payload, DeliveryState.PENDING, at, at)
        return self._trial.send(delivery, webhook)

    def _again(self, session: Session, identity: str, by: str) -> Delivery:
        drop_dead_letter(session, identity)
        add_audit(session, AuditEntry(self._now(), by, "delivery.resend", identity, {}))
        again = send_again(session, identity, self._now())
        assert again is not None  # noqa: S101 - it was just found
        return again

    def _note(self, session: Session, action: str, webhook: Webhook, by: str) -> None:
        add_audit(session, AuditEntry(self._now(), by, action, webhook.id, {"name": webhook.name}))

    def _now(self) -> datetime:
        return to_datetime(self._clock.now_us())


def _found(session: Session, webhook_id: str) -> Webhook:
    webhook = find_webhook(session, parse_id(WEBHOOK, webhook_id, code="WEBHOOK_NOT_FOUND"))
    if webhook is None:
        raise NotFound(f"there is no webhook {webhook_id!r:.100}", code="WEBHOOK_NOT_FOUND")
    return webhook


def _check_mail(url: str) -> None:
    name, _, host = url.removeprefix(MAILTO).partition("@")
    is_plain = url.isascii() and url.isprintable() and not set(' ,;:<>()[]"\\?&%') & set(name + host)
    if not url.startswith(MAILTO) or not name or not host or "@" in host or not is_plain:
        issue = "write one address as mailto:name@host"
        raise Invalid(f"url: {issue}", code="INVALID_TARGET", details={"field": "url", "issue": issue})


def _no_letter(letter_id: str) -> NotFound:
    return NotFound(f"there is no dead letter {letter_id!r:.100}", code="DEAD_LETTER_NOT_FOUND")
