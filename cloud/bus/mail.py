"""Mail: one message to one address by SMTP, over TLS unless the settings say otherwise."""

import smtplib
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from cloud.domain.webhook import words_of
from cloud.errors import NotInstalled, Unavailable

_ONE_LINE = str.maketrans("\r\n\t", "   ")


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mails go out; security: starttls, tls or none."""

    host: str
    port: int
    security: str
    sender: str
    tls: ssl.SSLContext
    timeout_s: float
    username: str = ""
    password: str = ""


def mail_of(payload: Mapping[str, object], *, sender: str, to: str, delivery: str) -> EmailMessage:
    """Return the mail that tells of an event; delivery: its id, the same at every attempt."""
    headline, facts = words_of(payload)
    return plain_mail(f"Lineside {headline}", facts, sender=sender, to=to, delivery=delivery)


def plain_mail(subject: str, facts: Sequence[tuple[str, str]], *, sender: str, to: str, delivery: str) -> EmailMessage:
    """Return a mail whose subject is one line, whatever is in it."""
    message = EmailMessage()
    message["Subject"] = subject.translate(_ONE_LINE)[:200]
    message["From"] = sender
    message["To"] = to
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(delivery, domain=sender.rpartition("@")[2] or None)
    message["Auto-Submitted"] = "auto-generated"
    message["X-Lineside-Delivery"] = delivery
    message.set_content("".join(f"{name}: {value}\n" for name, value in facts))
    return message


def send_mail(server: MailServer, message: EmailMessage) -> None:
    """Hand a mail to the server; raise NotInstalled without one, Unavailable where it does not take the mail."""
    if not server.host or not server.sender:
        raise NotInstalled("no mail server is set: mail.host and mail.sender", code="NO_MAIL_SERVER")
    try:
        with _connected(server) as connection:
            if server.username and server.security != "none":
                connection.login(server.username, server.password)
            connection.send_message(message)
    except (OSError, smtplib.SMTPException, ValueError) as error:
        raise Unavailable(f"{server.host} did not take the mail: {error}", code="MAIL_REFUSED") from error


def _connected(server: MailServer) -> smtplib.SMTP:
    if server.security == "tls":
        return smtplib.SMTP_SSL(server.host, server.port, timeout=server.timeout_s, context=server.tls)
    connection = smtplib.SMTP(server.host, server.port, timeout=server.timeout_s)
    if server.security == "starttls":
        try:
            connection.starttls(context=server.tls)
        except (OSError, smtplib.SMTPException):
            connection.close()
            raise
    return connection
