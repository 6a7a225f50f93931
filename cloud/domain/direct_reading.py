"""DirectReading: one value that a sensor sends by itself over HTTP; what is believed, and how it enters the store."""

import math
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from uuid import UUID, uuid5

import numpy as np

from cloud.domain.times import to_text
from cloud.errors import Invalid
from cloud.ports import Arrival
from protocols.errors import InvalidTopic
from protocols.reading import Column, Kind, Quality, ReadingBlock
from protocols.tag import DeviceInfo, TagInfo, TagTable
from protocols.topics import check_name

EARLIEST_US = 946_684_800_000_000
"""2000-01-01: what claims to be older comes from a clock that was never set."""
_EVENTS = UUID("5b0f7c0e-7d0a-5c1e-9a58-3f1f5d6f9d11")


class SensorType(StrEnum):
    """What a sensor measures."""

    TEMPERATURE = "temperature"
    VIBRATION = "vibration"
    PRESSURE = "pressure"
    HUMIDITY = "humidity"
    CURRENT = "current"
    VOLTAGE = "voltage"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class DirectReading:
    """One value of one sensor; time_us is None where the sender has no clock."""

    sensor_id: str
    value: float
    sensor_type: SensorType
    unit: str = ""
    location: str = ""
    time_us: int | None = None

    @property
    def body_hash(self) -> str:
        """Return the same text for the same reading, however it was written."""
        return sha256(repr((self.sensor_id, self.value, *self._rest())).encode()).hexdigest()

    def _rest(self) -> tuple[object, ...]:
        return self.sensor_type.value, self.unit, self.location, self.time_us

    def event_id(self, at_us: int) -> str:
        """Return the name of this reading at this time: the same for the same reading, so a repeat is recognised."""
        return str(uuid5(_EVENTS, f"{self.sensor_id}\n{self.sensor_type}\n{at_us}\n{self.value!r}"))

    def check(self, *, now_us: int, max_future_s: float) -> None:
        """Raise Invalid where the value is no number, the name could not be one, or the time cannot be right."""
        if not math.isfinite(self.value):
            raise _wrong("value", "must be a finite number")
        try:
            check_name(self.sensor_id)
        except InvalidTopic as error:
            raise _wrong("sensor_id", str(error)) from error
        if self.time_us is None:
            return
        if self.time_us > now_us + max_future_s * 1e6:
            ahead = (self.time_us - now_us) / 1e6
            issue = f"{to_text(self.time_us)} is {ahead:.0f} s in the future; at most {max_future_s:g} s are allowed"
            raise _wrong("timestamp", issue)
        if self.time_us < EARLIEST_US:
            raise _wrong("timestamp", f"{to_text(self.time_us)} is before {to_text(EARLIEST_US)}")

    def arrival(self, *, at_us: int, now_us: int) -> Arrival:
        """Return it as the store takes it: a Device of its own with one Tag, named after what it measures."""
        device = DeviceInfo(self.sensor_id, f"{self.sensor_type}_sensor", location=self.location)
        tag = TagInfo(0, self.sensor_type.value, Kind.FLOAT, self.unit, is_primary=True)
        column = Column(
            Kind.FLOAT,
            np.zeros(1, np.uint32),
            np.array([at_us], np.int64),
            np.array([self.value], np.float64),
            np.array([Quality.GOOD], np.uint8),
        )
        return Arrival("", TagTable((device,), (tag,)), ReadingBlock((column,)), received_us=now_us)


def _wrong(field: str, issue: str) -> Invalid:
    return Invalid(f"{field}: {issue}", code="INVALID_READING", details={"field": field, "issue": issue})
