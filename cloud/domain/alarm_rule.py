"""AlarmRule: a limit or a silence that the cloud itself watches on one Tag, for Devices without a Gateway."""

import math
from dataclasses import dataclass, replace
from enum import StrEnum

from cloud.domain.alarm import Severity
from cloud.domain.times import to_text
from cloud.errors import Invalid

SILENT_PERIODS = 3
LEAST_SILENCE_S = 60.0
LONGEST_DELAY_S = 24 * 3600.0
MAX_NAME = 64


class RuleKind(StrEnum):
    """What is watched."""

    LIMIT = "limit"
    SILENCE = "silence"


@dataclass(frozen=True, slots=True)
class AlarmRule:
    """Watches one Tag of a Device of a source; a silence without a Tag watches the Device's newest reading.

    hysteresis: how far back inside the limit the value must come; delay_on_s, delay_off_s: how long it must be beyond,
    or back, by the times of the readings; id 0: not kept yet.
    """

    id: int
    name: str
    kind: RuleKind
    source: str
    device: str
    tag: str = ""
    severity: Severity = Severity.WARNING
    high: float | None = None
    low: float | None = None
    hysteresis: float = 0.0
    delay_on_s: float = 0.0
    delay_off_s: float = 0.0
    is_enabled: bool = True

    def check(self) -> "AlarmRule":
        """Return the rule; raise Invalid, which names the field, where it contradicts itself."""
        for field, issue in self._findings():
            raise Invalid(f"{field}: {issue}", code="INVALID_RULE", details={"field": field, "issue": issue})
        return self

    def _findings(self) -> list[tuple[str, str]]:
        is_limit = self.kind is RuleKind.LIMIT
        numbers = (self.high, self.low, self.hysteresis)
        room = None if self.high is None or self.low is None else self.high - self.low
        delays = (self.delay_on_s, self.delay_off_s)
        tests = (
            ("name", "must have 1 to 64 characters", not 1 <= len(self.name) <= MAX_NAME),
            ("high", "must be finite", any(one is not None and not math.isfinite(one) for one in numbers)),
            ("tag", "a limit needs a tag", is_limit and not self.tag),
            ("high", "a limit needs high, low or both", is_limit and self.high is None and self.low is None),
            ("high", "a silence has no limits", not is_limit and (self.high, self.low) != (None, None)),
            ("low", "must be below high", room is not None and room <= 0),
            ("hysteresis", "must not be negative", self.hysteresis < 0),
            ("hysteresis", "must be less than from low to high", room is not None and self.hysteresis >= room > 0),
            ("delay_on_s", "delays are 0 to 86400 seconds", any(not 0 <= one <= LONGEST_DELAY_S for one in delays)),
        )
        return [(field, issue) for field, issue, is_broken in tests if is_broken]

    def longest_silence_us(self, period_s: float) -> int:
        """Return how long a Tag of this rated period may be silent."""
        return round(max(SILENT_PERIODS * period_s, LEAST_SILENCE_S) * 1e6)

    def is_beyond(self, value: float, *, is_active: bool) -> bool:
        """Return whether a value breaks a limit, or, where it did already, is not far enough back."""
        back = self.hysteresis if is_active else 0.0
        is_high = self.high is not None and value > self.high - back
        return is_high or (self.low is not None and value < self.low + back)

    def sentence(self, value: float, unit: str) -> str:
        """Return what an operator reads of a broken limit."""
        is_high = self.high is not None and value > self.high - self.hysteresis
        word, limit = ("above", self.high) if is_high else ("below", self.low)
        return f"{self.tag} of {self.device} is {value:.6g} {unit}".rstrip() + f", {word} {limit:.6g}"

    def silence_sentence(self, since_us: int) -> str:
        """Return what an operator reads of a silence."""
        what = f"{self.tag} of {self.device}" if self.tag else self.device
        return f"{what} has sent nothing since {to_text(since_us)}"


@dataclass(frozen=True, slots=True)
class Watch:
    """What a rule saw: whether it is raised, and since when readings say otherwise, None while they agree."""

    is_active: bool = False
    since_us: int | None = None

    def seen(self, rule: AlarmRule, *, is_beyond: bool, time_us: int) -> "Watch":
        """Return the watch after a reading of this time: it turns where the delay has passed."""
        if is_beyond is self.is_active:
            return replace(self, since_us=None)
        since_us = time_us if self.since_us is None else self.since_us
        delay_s = rule.delay_on_s if is_beyond else rule.delay_off_s
        if time_us - since_us >= round(delay_s * 1e6):
            return Watch(is_active=is_beyond)
        return Watch(self.is_active, since_us)
