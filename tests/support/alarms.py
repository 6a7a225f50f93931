"""Builders of alarms, and of events as gateways send them."""

from cloud.domain.alarm import Condition, Finding, Severity
from protocols.anomaly import CLOSED, OPENED, Anomaly, AnomalySource
from protocols.batch import GatewayEvent
from protocols.codec import seal_event
from tests.support.cloud_clock import START_US
from tests.support.ingest import EPOCH, GATEWAY, frame

PUMP = Condition(GATEWAY, "pump-1", "anomaly")
SECOND_US = 1_000_000


def finding(at_s: float = 0.0, *, episode: str = "", severity: Severity = Severity.WARNING, epoch: int = 0) -> Finding:
    """Return what was found so many seconds after the start."""
    at_us = START_US + round(at_s * SECOND_US)
    return Finding(at_us, severity, "vibration of pump-1 is unlike it", at_us, episode=episode, epoch=epoch)


def anomaly(
    episode: str = "e-1",
    *,
    device: str = "pump-1",
    source: AnomalySource = AnomalySource.MODEL,
    at_s: float = 0.0,
    peak: float = 0.93,
    channel: str = "vibration",
    limit: str = "",
) -> Anomaly:
    """Return one as a gateway's detector tells of it, with its onset a second before."""
    at_us = START_US + round(at_s * SECOND_US)
    return Anomaly(
        episode=episode,
        source=source,
        device=device,
        channel=channel,
        shares=(("vibration", 0.71), ("pressure", 0.18)),
        score=0.93,
        peak=peak,
        onset_us=at_us - SECOND_US,
        at_us=at_us,
        model="own@3",
        limit=limit,
    )


def opened(seq: int, what: Anomaly | None = None, *, epoch: int = EPOCH, gateway: str = GATEWAY) -> bytes:
    """Return the frame in which an episode opens."""
    return told(seq, (what or anomaly()).event(OPENED), epoch=epoch, gateway=gateway)


def closed(seq: int, what: Anomaly | None = None, *, epoch: int = EPOCH, gateway: str = GATEWAY) -> bytes:
    """Return the frame in which an episode closes."""
    return told(seq, (what or anomaly()).event(CLOSED), epoch=epoch, gateway=gateway)


def happened(
    seq: int,
    name: str,
    *,
    device: str = "",
    at_s: float = 0.0,
    detail: dict[str, str | int | float | bool] | None = None,
    epoch: int = EPOCH,
    gateway: str = GATEWAY,
) -> bytes:
    """Return the frame of any event."""
    event = GatewayEvent(START_US + round(at_s * SECOND_US), name, device, detail or {})
    return told(seq, event, epoch=epoch, gateway=gateway)


def told(seq: int, event: GatewayEvent, *, epoch: int = EPOCH, gateway: str = GATEWAY) -> bytes:
    """Return the frame of an event."""
    return frame(seal_event(event, segment=0), seq, gateway=gateway, epoch=epoch)
