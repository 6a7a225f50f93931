"""Mail to a real SMTP server: one message an event, over TLS unless it was said otherwise."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from cloud.domain.notice import NoticeKind
from cloud.domain.webhook import WebhookFormat
from cloud.errors import Invalid
from tests.support.bus import Bus, open_bus
from tests.support.cloud import Template


class Post:
    """Keeps the mails that a server takes."""

    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.lock = threading.Lock()

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:  # noqa: ANN401, N802 - aiosmtpd
        await asyncio.sleep(0)
        with self.lock:
            self.mails.append(envelope)
        return "250 OK"


@pytest.fixture
def post() -> Iterator[tuple[Post, int]]:
    """Give a mail server on a free port."""
    kept = Post()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(kept, hostname="127.0.0.1", port=port)
    controller.start()
    yield kept, port
    controller.stop()


@pytest.fixture
def mailing(template: Template, tmp_path: Path, post: tuple[Post, int]) -> Iterator[Bus]:
    """Give a bus whose mails go there."""
    mail = {"host": "127.0.0.1", "port": post[1], "security": "none", "sender": "lineside@plant.example"}
    with open_bus(template, tmp_path, mail=mail) as opened:
        yield opened


def test_an_alarm_is_one_mail_with_a_subject_of_one_line(mailing: Bus, post: tuple[Post, int]) -> None:
    mailing.hook("mailto:ops@plant.example", format=WebhookFormat.EMAIL)
    mailing.tell(NoticeKind.ALERT, severity="critical", message="hot\r\nBcc: evil@example.com")
    mailing.round()
    (envelope,) = post[0].mails
    mail = message_from_bytes(envelope.content)
    assert envelope.rcpt_tos == ["ops@plant.example"]
    assert "critical" in mail["Subject"]
    assert mail["Bcc"] is None
    assert "severity: critical" in mail.get_payload()


def test_a_server_without_tls_gets_no_mail_where_tls_is_wanted(
    template: Template, tmp_path: Path, post: tuple[Post, int]
) -> None:
    mail = {"host": "127.0.0.1", "port": post[1], "sender": "lineside@plant.example"}
    with open_bus(template, tmp_path, mail=mail) as bus:
        webhook, _ = bus.hook("mailto:ops@plant.example", format=WebhookFormat.EMAIL)
        assert "did not take the mail" in bus.webhooks.try_one(webhook.id).error
    assert post[0].mails == []


def test_without_a_mail_server_a_test_says_so(bus: Bus) -> None:
    webhook, _ = bus.hook("mailto:ops@plant.example", format=WebhookFormat.EMAIL)
    assert "no mail server is set" in bus.webhooks.try_one(webhook.id).error


@pytest.mark.parametrize(
    "url", ["mailto:", "mailto:ops", "ops@plant.example", "mailto:a@b,c@d", "mailto:a@b?bcc=c@d", "mailto:a@b\r\nX"]
)
def test_what_is_not_one_address_is_refused(bus: Bus, url: str) -> None:
    with pytest.raises(Invalid):
        bus.hook(url, format=WebhookFormat.EMAIL)
