"""DeviceFacts, ChannelLimits: what people know of a Device and no reading tells; rules about them, pure."""

import math
from dataclasses import dataclass, field
from datetime import datetime

from cloud.errors import Invalid

USUAL_CRITICALITY = 0.5
"""Of a Device of which nobody said how much the plant depends on it."""
LONGEST_INTERVAL_S = 31 * 86_400.0
MOST_STEPS = 16
_PHASES = (1, 3)


@dataclass(frozen=True, slots=True)
class ChannelLimits:
    """How far a Tag may go: past a warning limit it needs a look, past a critical one it fails; a side has both."""

    source: str
    device: str
    tag: str
    low_crit: float | None = None
    low_warn: float | None = None
    high_warn: float | None = None
    high_crit: float | None = None

    @property
    def sides(self) -> tuple[tuple[float, float], ...]:
        """Return (warn, crit) of each side that is limited."""
        pairs = ((self.low_warn, self.low_crit), (self.high_warn, self.high_crit))
        return tuple((warn, crit) for warn, crit in pairs if warn is not None and crit is not None)

    def check(self) -> "ChannelLimits":
        """Return the limits; raise Invalid, which names the field, where they contradict one another."""
        for name, issue in self._findings():
            raise _invalid(name, issue)
        return self

    def _findings(self) -> list[tuple[str, str]]:
        known = [one for one in (self.low_crit, self.low_warn, self.high_warn, self.high_crit) if one is not None]
        tests = (
            ("tag", "must not be empty", not self.tag),
            ("high_crit", "limits must be finite numbers", not all(map(math.isfinite, known))),
            ("low_warn", "low_warn and low_crit go together", (self.low_warn is None) != (self.low_crit is None)),
            ("high_warn", "high_warn and high_crit go together", (self.high_warn is None) != (self.high_crit is None)),
            ("high_crit", "at least one side needs its limits", not known),
            ("low_crit", "must rise: low_crit, low_warn, high_warn, high_crit", sorted(set(known)) != known),
        )
        return [(name, issue) for name, issue, is_broken in tests if is_broken]


@dataclass(frozen=True, slots=True)
class Running:
    """A Device runs while this Tag is above a value; steps: rising values of the Tag that part its regimes."""

    tag: str
    above: float
    steps: tuple[float, ...] = ()

    def check(self) -> "Running":
        """Return the definition; raise Invalid, which names the field."""
        rising = (self.above, *self.steps)
        if not self.tag:
            raise _invalid("running.tag", "must not be empty")
        if not all(map(math.isfinite, rising)) or sorted(set(rising)) != list(rising):
            raise _invalid("running.steps", "above and steps must be finite and rise")
        if len(self.steps) > MOST_STEPS:
            raise _invalid("running.steps", f"at most {MOST_STEPS}")
        return self


@dataclass(frozen=True, slots=True)
class EnergyChannels:
    """Which Tags tell the energy: a counter, else a power, else voltage and current (power factor 1 without a Tag)."""

    counter: str = ""
    power: str = ""
    voltage: str = ""
    current: str = ""
    power_factor: str = ""
    phases: int = 1

    @property
    def is_set(self) -> bool:
        """Return whether any channel is named."""
        return bool(self.counter or self.power or self.voltage)

    def check(self) -> "EnergyChannels":
        """Return the channels; raise Invalid, which names the field."""
        if bool(self.voltage) != bool(self.current):
            raise _invalid("energy.current", "voltage and current go together")
        if self.power_factor and not self.voltage:
            raise _invalid("energy.power_factor", "goes with voltage and current")
        if self.phases not in _PHASES:
            raise _invalid("energy.phases", "must be 1 or 3")
        return self


NO_ENERGY = EnergyChannels()


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """What was told of one Device; None and empty where nobody told.

    criticality: 0..1, how much the plant depends on it; rated_interval_s: how often it should speak; tariff: the price
    of a kWh; baseline_reset_at: since when it is as new, after a repair: nothing older is compared with.
    """

    source: str
    device: str
    criticality: float = USUAL_CRITICALITY
    rated_interval_s: float | None = None
    tariff_per_kwh: float | None = None
    energy: EnergyChannels = NO_ENERGY
    running: Running | None = None
    baseline_reset_at: datetime | None = None
    limits: tuple[ChannelLimits, ...] = field(default=())

    def check(self) -> "DeviceFacts":
        """Return the facts; raise Invalid, which names the field."""
        if not 0 <= self.criticality <= 1:
            raise _invalid("criticality", "must be 0 to 1")
        if self.rated_interval_s is not None and not 0 < self.rated_interval_s <= LONGEST_INTERVAL_S:
            raise _invalid("rated_interval_s", f"must be above 0 and at most {LONGEST_INTERVAL_S:.0f}")
        if self.tariff_per_kwh is not None and not (math.isfinite(self.tariff_per_kwh) and self.tariff_per_kwh >= 0):
            raise _invalid("tariff_per_kwh", "must be a finite number, not below 0")
        self.energy.check()
        if self.running is not None:
            self.running.check()
        return self


def _invalid(name: str, issue: str) -> Invalid:
    return Invalid(f"{name}: {issue}", code="INVALID_DEVICE_FACTS", details={"field": name, "issue": issue})
