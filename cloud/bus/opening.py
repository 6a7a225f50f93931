"""Opening: the parts of the bus that the processes share, out of the settings."""

import secrets
import ssl
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from cloud.bus.deliverer import Deliverer, Retries
from cloud.bus.http import Outside, resolve_name
from cloud.bus.mail import MailServer
from cloud.bus.master import read_master
from cloud.bus.sending import Sender
from cloud.bus.webhooks import Trial, Webhooks
from cloud.config import Settings, read_secret
from cloud.errors import InvalidConfig
from cloud.ports import Clock
from cloud.records.database import Records
from cloud.records.settings import is_set
from cloud.threads import Threads


def open_sender(settings: Settings, records: Records, clock: Clock) -> Sender:
    """Return who sends one delivery; raise InvalidConfig where a certificate or a secret cannot be read."""
    webhooks = settings.webhooks
    # To read the system's authorities takes 70 ms, and both usually want the same.
    tls = {authorities: _tls(authorities, settings) for authorities in {webhooks.ca, settings.mail.ca}}
    return Sender(
        clock=clock,
        outside=Outside(tls[webhooks.ca], webhooks.timeout_s, resolve_name),
        mail=_mail_server(settings, tls[settings.mail.ca]),
        master=lambda: read_master(settings.webhooks_key_path),
        allows_private=_allows_private(settings, records),
    )


def open_webhooks(settings: Settings, records: Records, clock: Clock) -> Webhooks:
    """Return the webhooks as administrators see them; raise InvalidConfig."""
    sender = open_sender(settings, records, clock)
    trial = Trial(sender.send, resolve_name, sender.allows_private, sender.master)
    return Webhooks(records, clock, trial)


def open_errands() -> Threads[ExitStack]:
    """Return the threads in which the API waits for somebody outside; what is beyond them is refused."""
    return Threads(ExitStack, count=2, waiting=8)


def open_deliverer(settings: Settings, records: Records, clock: Clock) -> Deliverer:
    """Return who sends what waits; raise InvalidConfig."""
    draw = secrets.SystemRandom()
    retries = Retries(settings.webhooks.retry_delays_s, lambda: draw.uniform(0, settings.webhooks.jitter))
    return Deliverer(records, clock, open_sender(settings, records, clock).send, retries)


def _allows_private(settings: Settings, records: Records) -> Callable[[], bool]:
    """Return what asks the file first, then the settings that administrators change."""

    def asked() -> bool:
        if settings.webhooks.allow_private:
            return True
        with records.reading() as session:
            return is_set(session, "webhooks.allowPrivate")

    return asked


def _mail_server(settings: Settings, tls: ssl.SSLContext) -> MailServer:
    mail = settings.mail
    return MailServer(
        host=mail.host,
        port=mail.port,
        security=mail.security,
        sender=mail.sender,
        tls=tls,
        timeout_s=settings.webhooks.timeout_s,
        username=mail.username,
        password=read_secret(mail.password),
    )


def _tls(authorities: Path | None, settings: Settings) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if authorities is None:
        return context
    try:
        context.load_verify_locations(cafile=settings.data / authorities)
    except (OSError, ssl.SSLError) as error:
        raise InvalidConfig([f"ca: {authorities} cannot be read: {error}"]) from error
    return context
