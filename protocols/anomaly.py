"""Anomaly: a score, or a rule, that left what is normal; how a gateway tells of it, as events in the batch stream.

An episode opens once and closes once, under one id. A gateway that starts begins without open episodes and says so
(`anomalies_reset`): what its earlier run had opened is over, or opens again under a new id.
"""

from enum import StrEnum

import msgspec

from protocols.batch import GatewayEvent
from protocols.errors import InvalidContent

OPENED = "anomaly_opened"
CLOSED = "anomaly_closed"
RESET = "anomalies_reset"
MAX_SHARES = 16
"""The most channels whose shares an event names."""


class AnomalySource(StrEnum):
    """What found it: the model, or one of the rules beside it."""

    MODEL = "model"
    FROZEN = "frozen"
    RANGE = "range"
    RATE = "rate"


class Anomaly(msgspec.Struct, frozen=True, kw_only=True):
    """One episode on one Device, as it opened or as it closed.

    episode: unique on its gateway; channel: the Tag that explains most of it; shares: of the score by Tag, highest
    first, their sum is at most 1; score, peak: 0..1 with 0.5 at the threshold; at_us: the time of the row that opened
    or closed it; onset_us: the first row of the run that opened it; model: `name@version` of the model that judged,
    empty for a rule.
    """

    episode: str
    source: AnomalySource
    device: str
    channel: str
    shares: tuple[tuple[str, float], ...]
    score: float
    peak: float
    onset_us: int
    at_us: int
    model: str = ""
    limit: str = ""
    """Of a rule: what was broken, as people read it, such as `12.5 above 10 bar`."""

    def event(self, name: str) -> GatewayEvent:
        """Return the event of this name, OPENED or CLOSED, that tells of it."""
        detail: dict[str, str | int | float | bool] = {
            "episode": self.episode,
            "source": self.source.value,
            "channel": self.channel,
            "shares": ";".join(f"{share:.4f} {channel}" for channel, share in self.shares[:MAX_SHARES]),
            "score": self.score,
            "peak": self.peak,
            "onset_us": self.onset_us,
            "model": self.model,
            "limit": self.limit,
        }
        return GatewayEvent(at_us=self.at_us, name=name, device=self.device, detail=detail)


def read_anomaly(event: GatewayEvent) -> Anomaly:
    """Return what an OPENED or CLOSED event tells of; raise InvalidContent that names the field."""
    try:
        told = msgspec.convert({**event.detail, "shares": _shares(event.detail.get("shares"))}, type=_Told)
        _check_parts(told)
    except (msgspec.ValidationError, ValueError) as error:
        raise InvalidContent(f"not an anomaly of {event.device or 'a gateway'}: {error}") from error
    return Anomaly(
        episode=told.episode,
        source=told.source,
        device=event.device,
        channel=told.channel,
        shares=told.shares,
        score=told.score,
        peak=told.peak,
        onset_us=told.onset_us,
        at_us=event.at_us,
        model=told.model,
        limit=told.limit,
    )


class _Told(msgspec.Struct, frozen=True):
    episode: str
    source: AnomalySource
    channel: str
    shares: tuple[tuple[str, float], ...]
    score: float
    peak: float
    onset_us: int
    model: str = ""
    limit: str = ""


def _check_parts(told: _Told) -> None:
    parts = (("score", told.score), ("peak", told.peak), *(("shares", share) for _, share in told.shares))
    wrong = next(((name, part) for name, part in parts if not 0 <= part <= 1), None)
    if wrong is not None:
        raise InvalidContent(f"{wrong[0]}: must be from 0 to 1, not {wrong[1]}")


def _shares(text: object) -> tuple[tuple[str, float], ...]:
    if not isinstance(text, str):
        raise InvalidContent(f"shares: must be a text such as `0.7 vibration;0.2 flow`, not {text!r:.80}")
    pairs = (part.partition(" ") for part in text.split(";") if part)
    try:
        return tuple((channel, float(share)) for share, _, channel in pairs)
    except ValueError as error:
        raise InvalidContent(f"shares: {text[:80]!r}: {error}") from error
