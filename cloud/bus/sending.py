"""Sender: brings one delivery to its target in the target's form, signed; how it came out is an Attempt."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from cloud.bus.http import Outside, post
from cloud.bus.mail import MailServer, mail_of, send_mail
from cloud.bus.own_targets import MAILTO
from cloud.domain.delivery import Attempt, Delivery
from cloud.domain.outside import parse_place
from cloud.domain.signature import secret_of, sign
from cloud.domain.times import to_datetime
from cloud.domain.webhook import Webhook, WebhookFormat, words_of
from cloud.errors import CloudError
from cloud.ports import Clock

_AGENT = "Lineside-Webhook/1"


@dataclass(frozen=True, slots=True)
class Sender:
    """What sending needs; safe to use from several threads. master: the secret behind all secrets."""

    clock: Clock
    outside: Outside
    mail: MailServer
    master: Callable[[], bytes]
    allows_private: Callable[[], bool]

    def send(self, delivery: Delivery, webhook: Webhook) -> Attempt:
        """Return how one attempt came out; raises nothing."""
        begun_s, at = self.clock.monotonic_s(), to_datetime(self.clock.now_us())
        status: int | None = None
        try:
            if webhook.format is WebhookFormat.EMAIL:
                self._mail(delivery, webhook)
            else:
                status = self._post(delivery, webhook, at)
            error = "" if status is None or 200 <= status < 300 else _told(status)
        except CloudError as problem:
            error = str(problem)
        return Attempt(at, status, error[:500], self.clock.monotonic_s() - begun_s)

    def _mail(self, delivery: Delivery, webhook: Webhook) -> None:
        to = webhook.url.removeprefix(MAILTO)
        send_mail(self.mail, mail_of(delivery.payload, sender=self.mail.sender, to=to, delivery=delivery.id))

    def _post(self, delivery: Delivery, webhook: Webhook, at: datetime) -> int:
        body = body_of(delivery.payload, webhook.format)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": _AGENT,
            "X-Lineside-Event": delivery.event_type,
            "X-Lineside-Delivery": delivery.id,
        }
        if webhook.format is WebhookFormat.JSON:
            stamp = int(at.timestamp())
            headers["X-Lineside-Timestamp"] = str(stamp)
            headers["X-Lineside-Signature"] = sign(self._secret(webhook), stamp, body)
        place = parse_place(webhook.url)
        return post(self.outside, place, headers, body, allow_private=self.allows_private())

    def _secret(self, webhook: Webhook) -> str:
        return secret_of(self.master(), webhook.id, webhook.generation)


def body_of(payload: Mapping[str, object], form: WebhookFormat) -> bytes:
    """Return the bytes that are sent: the payload itself, or a text for people."""
    if form is WebhookFormat.SLACK:
        headline, facts = words_of(payload)
        lines = "\n".join(f"{name}: {value}" for name, value in facts)
        return _json({"text": _escaped(f"{headline}\n{lines}"[:3_000])})
    return _json(payload)


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _escaped(text: str) -> str:
    """Return a text in which nothing is a link or a mention: Slack's three characters."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _told(status: int) -> str:
    if 300 <= status < 400:
        return f"it answered {status}: redirects are not followed"
    return f"it answered {status}"
