"""Bus: webhooks with real records, a clock that can be moved, and a deliverer that a test lets work."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloud.bus.deliverer import Deliverer
from cloud.bus.opening import open_deliverer, open_webhooks
from cloud.bus.outbox import Outbox
from cloud.bus.webhooks import Webhooks
from cloud.config import Settings
from cloud.domain.delivery import DeadLetter, Delivery
from cloud.domain.notice import NewNotice, NoticeKind
from cloud.domain.times import EPOCH, to_datetime
from cloud.domain.webhook import Webhook, WebhookFormat
from cloud.records.database import Records
from cloud.records.notices import add_notice
from tests.support.cloud import MovedClock, Template, settings_in
from tests.support.waiting import wait_until


@dataclass(frozen=True)
class Bus:
    """Everything that a test of webhooks needs."""

    settings: Settings
    records: Records
    clock: MovedClock
    webhooks: Webhooks
    deliverer: Deliverer

    def hook(self, url: str, **more: Any) -> tuple[Webhook, str]:  # noqa: ANN401 - fields of a webhook
        """Return a new webhook and its secret."""
        plain: dict[str, Any] = {"format": WebhookFormat.JSON, "events": frozenset(), **more}
        return self.webhooks.make(Webhook("", "test", url, created_at=EPOCH, created_by="", **plain), by="anna")

    def tell(self, kind: NoticeKind = NoticeKind.SCALING_EXECUTED, device: str = "", **data: Any) -> None:  # noqa: ANN401 - JSON
        """Let something happen."""
        with self.records.writing() as session:
            add_notice(session, NewNotice(kind, to_datetime(self.clock.now_us()), "it", data, device))

    def follow(self) -> None:
        """Let notices become deliveries."""
        while Outbox(self.records, self.clock).follow():
            pass

    def round(self) -> None:
        """Let everything that is due be sent, and write down how it came out."""
        self.follow()
        self.deliverer.look()
        self.settle()

    def settle(self) -> None:
        """Wait until nothing is being sent."""

        def is_quiet() -> bool:
            self.deliverer.look()
            return self.deliverer.going == 0

        wait_until(is_quiet)

    def deliveries(self, webhook: Webhook) -> list[Delivery]:
        """Return what went to it, the newest first."""
        return list(self.webhooks.deliveries(webhook.id, states=(), limit=1000, offset=0)[0])

    def letters(self) -> list[DeadLetter]:
        """Return the dead letters."""
        return list(self.webhooks.dead_letters(limit=1000, offset=0)[0])


@contextmanager
def open_bus(template: Template, directory: Path, **settings_of: Any) -> Iterator[Bus]:  # noqa: ANN401 - sections
    """Give a bus in a directory; settings_of: sections of its settings."""
    template.copy_to(directory)
    settings = settings_in(directory, **settings_of)
    records, clock = Records(settings.records_url), MovedClock()
    deliverer = open_deliverer(settings, records, clock)
    try:
        yield Bus(settings, records, clock, open_webhooks(settings, records, clock), deliverer)
    finally:
        deliverer.stop()
        records.close()
