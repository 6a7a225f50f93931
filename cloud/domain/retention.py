"""How long the readings of a series are kept: the first rule that fits it, else what holds for all."""

from dataclasses import dataclass

from cloud.ports import SeriesKey


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """Keep what fits all three patterns (`*` any text, `?` any character) for so many days; None: for ever."""

    days: float | None
    gateway: str = "*"
    device: str = "*"
    tag: str = "*"

    def fits(self, key: SeriesKey) -> bool:
        """Return whether the rule is about this series."""
        return key.fits(gateway=self.gateway, device=self.device, tag=self.tag)


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """The rules in the order in which they are tried; default_days: for series that none of them fits."""

    rules: tuple[RetentionRule, ...] = ()
    default_days: float | None = None

    def days(self, key: SeriesKey) -> float | None:
        """Return for how many days raw readings of the series are kept, None for ever."""
        return next((rule.days for rule in self.rules if rule.fits(key)), self.default_days)
