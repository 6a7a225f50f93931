"""What the words of a gateway mean to an operator: events become steps of alarms, with a sentence for each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cloud.domain.alarm import Condition, Finding, Severity
from protocols.anomaly import CLOSED, MAX_SHARES, OPENED, RESET, Anomaly, AnomalySource, read_anomaly
from protocols.batch import GatewayEvent

_MAX_NAME = 200
_MAX_MESSAGE = 500
_SHOWN_SHARES = 3
ANOMALY_KINDS: Mapping[AnomalySource, str] = {
    AnomalySource.MODEL: "anomaly",
    AnomalySource.FROZEN: "frozen",
    AnomalySource.RANGE: "range",
    AnomalySource.RATE: "rate",
}
DEVICE_LOST = "device_lost"
MODEL_OFF = "model_off"


@dataclass(frozen=True, slots=True)
class EventRow:
    """A gateway's event as ingest kept it; id: rising.

    is_over: the gateway started anew since then and said that nothing is open any more.
    """

    id: int
    gateway: str
    epoch: int
    event: GatewayEvent
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Raise:
    """A condition is there; is_over: and gone again by now."""

    condition: Condition
    finding: Finding
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Clear:
    """A condition is gone; episode: only this one's, empty for any."""

    condition: Condition
    at_us: int
    episode: str = ""
    peak: float | None = None


@dataclass(frozen=True, slots=True)
class ClearRun:
    """All that an earlier run of a gateway found by itself is gone; epoch: of the run that says so."""

    source: str
    kinds: tuple[str, ...]
    epoch: int
    at_us: int


Step = Raise | Clear | ClearRun


@dataclass(frozen=True, slots=True)
class _Meaning:
    kind: str
    severity: Severity
    sentence: str
    clears: bool = False
    is_momentary: bool = True


_MEANINGS: Mapping[str, _Meaning] = {
    "device_lost": _Meaning(
        DEVICE_LOST, Severity.WARNING, "{who} does not answer any more{reason}", is_momentary=False
    ),
    "device_back": _Meaning(DEVICE_LOST, Severity.WARNING, "", clears=True),
    "model_off": _Meaning(
        MODEL_OFF, Severity.WARNING, "no model judges {who} any more{reason}; its rules go on", is_momentary=False
    ),
    "model_replaced": _Meaning(
        "model_replaced", Severity.WARNING, "the model{model} of {who} failed{reason}; {now} judges instead"
    ),
    "model_on": _Meaning(MODEL_OFF, Severity.WARNING, "", clears=True),
    "model_serving": _Meaning(MODEL_OFF, Severity.WARNING, "", clears=True),
    "model_refused": _Meaning("model_refused", Severity.WARNING, "the model{model} for {who} was refused{reason}"),
    "model_rolled_back": _Meaning(
        "model_rolled_back", Severity.WARNING, "{who} went back from the model{model} to the one before{reason}"
    ),
    "model_lost": _Meaning("model_lost", Severity.WARNING, "the model{model} of {who} is gone from its disk{reason}"),
    "models_not_on_disk": _Meaning(
        "models_not_on_disk", Severity.WARNING, "what {who} is judged by cannot be kept on its disk{reason}"
    ),
    "clock_stepped": _Meaning("clock_stepped", Severity.INFO, "the clock of {who} was set{step}"),
    "readings_lost_before_the_buffer": _Meaning(
        "readings_lost", Severity.CRITICAL, "{who} lost {readings} readings before they were buffered{reason}"
    ),
    "readings_refused": _Meaning(
        "readings_refused", Severity.WARNING, "the buffer of {who} refused {readings} readings{reason}"
    ),
    "buffer_damaged": _Meaning("buffer_damaged", Severity.CRITICAL, "the buffer of {who} was damaged{reason}{saved}"),
    "store_went_back": _Meaning(
        "store_went_back",
        Severity.CRITICAL,
        "the store lacks what it had acknowledged to {who}, as an old copy does; {batches} batches are sent again",
    ),
    "identity_cloned": _Meaning(
        "identity_cloned", Severity.CRITICAL, "two gateways seem to run under the name {who}", is_momentary=False
    ),
}
"""What each event is to an operator; events that are not named are no alarms."""
_REPLACED = "model_replaced"
"""Our own word for a model that is off while another one judges."""
_ORDERED = "not_wanted"
"""The reason of what somebody in the cloud asked for."""
_ENDS_WITH_A_RUN = (*ANOMALY_KINDS.values(), MODEL_OFF)


def steps_of(row: EventRow) -> Sequence[Step]:
    """Return what an event changes; raise InvalidContent where it should tell of an anomaly and does not."""
    match row.event.name:
        case name if name == OPENED:
            return _opened(row, read_anomaly(row.event))
        case name if name == CLOSED:
            anomaly = read_anomaly(row.event)
            return [Clear(_condition_of(row.gateway, anomaly), anomaly.at_us, _plain(anomaly.episode), anomaly.peak)]
        case name if name == RESET:
            return [ClearRun(row.gateway, _ENDS_WITH_A_RUN, row.epoch, row.event.at_us)]
        case name:
            meaning = _MEANINGS.get(_REPLACED if _is_replaced(row.event) else name)
            was_ordered = row.event.detail.get("reason") == _ORDERED
            return [] if meaning is None or was_ordered else [_step(row, meaning)]


def _opened(row: EventRow, anomaly: Anomaly) -> Sequence[Step]:
    is_broken = anomaly.source is AnomalySource.RANGE
    finding = Finding(
        at_us=anomaly.at_us,
        severity=Severity.CRITICAL if is_broken else Severity.WARNING,
        message=_plain(sentence(anomaly), _MAX_MESSAGE),
        onset_us=max(0, min(anomaly.onset_us, anomaly.at_us)),
        channel=_plain(anomaly.channel),
        shares=tuple((_plain(channel), share) for channel, share in anomaly.shares[:MAX_SHARES]),
        score=anomaly.score,
        peak=anomaly.peak,
        value=anomaly.score,
        limit=_plain(anomaly.limit),
        model=_plain(anomaly.model),
        episode=_plain(anomaly.episode),
        epoch=row.epoch,
    )
    opened = Raise(_condition_of(row.gateway, anomaly), finding, row.is_over)
    if anomaly.source is not AnomalySource.MODEL:
        return [opened]
    judges_again = Condition(row.gateway, _plain(anomaly.device), MODEL_OFF)
    return [Clear(judges_again, anomaly.at_us), opened]


def sentence(anomaly: Anomaly) -> str:
    """Return what an operator reads of an anomaly."""
    what = f"{anomaly.channel} of {anomaly.device}"
    match anomaly.source:
        case AnomalySource.MODEL:
            shares = [f"{round(100 * share)} % {channel}" for channel, share in anomaly.shares[:_SHOWN_SHARES]]
            facts = ", ".join([f"score {anomaly.score:.2f}", *shares])
            return f"{what} is unlike its normal behaviour ({facts})"
        case AnomalySource.FROZEN:
            return f"{what} is frozen{_because(anomaly.limit)}"
        case AnomalySource.RANGE:
            return f"{what} is out of its range{_because(anomaly.limit)}"
        case AnomalySource.RATE:
            return f"{what} changes too fast{_because(anomaly.limit)}"


def _condition_of(gateway: str, anomaly: Anomaly) -> Condition:
    # A model has one episode a Device at a time, and which channel explains it best may change meanwhile.
    point = "" if anomaly.source is AnomalySource.MODEL else _plain(anomaly.channel)
    return Condition(gateway, _plain(anomaly.device), ANOMALY_KINDS[anomaly.source], point)


def _step(row: EventRow, meaning: _Meaning) -> Step:
    event = row.event
    condition = Condition(row.gateway, _plain(event.device), meaning.kind)
    if meaning.clears:
        return Clear(condition, event.at_us)
    finding = Finding(
        at_us=event.at_us,
        severity=meaning.severity,
        message=_plain(_filled(meaning.sentence, row), _MAX_MESSAGE),
        onset_us=event.at_us,
        value=_number(event.detail.get("readings")),
        epoch=row.epoch,
    )
    return Raise(condition, finding, meaning.is_momentary or row.is_over)


def _is_replaced(event: GatewayEvent) -> bool:
    return event.name == MODEL_OFF and event.detail.get("now", "off") != "off"


def _filled(text: str, row: EventRow) -> str:
    detail = row.event.detail
    stepped_us = _number(detail.get("stepped_us"))
    reasons = [str(detail[name]) for name in ("reason", "detail") if detail.get(name)]
    label = f"{detail['name']}@{detail.get('version', '?')}" if detail.get("name") else detail.get("model")
    model = f" {label}" if label else ""
    return text.format(
        who=row.event.device or row.gateway,
        model=model,
        now=detail.get("now", ""),
        reason=_because(", ".join(reasons)),
        readings=detail.get("readings", "some"),
        batches=detail.get("batches", "all"),
        saved=f"; {detail['batches_saved']} batches were saved" if "batches_saved" in detail else "",
        step="" if stepped_us is None else f" by {stepped_us / 1e6:+.3f} s",
    )


def _plain(text: str, longest: int = _MAX_NAME) -> str:
    # PostgreSQL keeps no NUL, and one event must not hold up those behind it.
    return text.replace("\0", "")[:longest]


def _because(text: str) -> str:
    return f": {text}" if text else ""


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
