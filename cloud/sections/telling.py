"""How people and programs outside are told: live feeds, webhooks, mails."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from cloud.sections.base import Port, Secret, Section

Delay = Annotated[float, Field(ge=0, le=86_400)]


def _check_address(text: str) -> str:
    if text and (text.count("@") != 1 or any(character <= " " or character == "\x7f" for character in text)):
        raise ValueError("write a mail address as name@host")
    return text


class FeedSettings(Section):
    """The live feeds at /ws and /socket.io/."""

    max_connections: Annotated[int, Field(ge=1, le=10_000)] = 100
    """How many may be connected to /ws at once; the next one is told to try later."""
    max_socketio: Annotated[int, Field(ge=1, le=10_000)] = 500
    allowed_origins: tuple[str, ...] = ()
    """Pages of other servers that may connect, such as https://board.example; pages of this one always may."""
    keep_hours: Annotated[float, Field(gt=0, le=8_760)] = 48.0
    """For how long what happened is kept for those who were away."""


class WebhookSettings(Section):
    """How webhooks are sent."""

    allow_private: bool = False
    """Whether they may go to this machine and to private networks."""
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 5.0
    retry_delays_s: Annotated[tuple[Delay, ...], Field(max_length=20)] = (2.0, 4.0, 6.0)
    jitter: Annotated[float, Field(ge=0, le=1)] = 0.0
    """The share of a pause by which it may be longer."""
    keep_days: Annotated[float, Field(gt=0, le=3_650)] = 30.0
    """For how long deliveries that ended are shown."""
    ca: Path | None = None
    """Certificates of authorities to trust beside the machine's own."""


class MailSettings(Section):
    """The server that takes our mails; without a host none are sent."""

    host: str = ""
    port: Port = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    """`none` sends in the clear and never logs in."""
    username: str = ""
    password: Secret = ""
    sender: Annotated[str, AfterValidator(_check_address)] = ""
    ca: Path | None = None
