"""Imbalance: an epoch of a Gateway whose readings do not add up: some are nowhere, or more came than were sealed."""

from dataclasses import dataclass
from datetime import datetime

from cloud.domain.times import to_datetime


@dataclass(frozen=True, slots=True)
class Imbalance:
    """What does not add up, in readings: sealed = settled + buffered + lost, or settled is `ahead` of sealed.

    settled: stored, quarantined or declared dropped; told_us: when the gateway last counted, None where unknown.
    """

    gateway: str
    epoch: int
    sealed: int
    settled: int
    buffered: int
    lost: int
    ahead: int
    told_us: int | None

    @property
    def size(self) -> int:
        """Return by how many readings it is out."""
        return max(self.lost, self.ahead)

    def words(self) -> str:
        """Return what an operator reads of it."""
        said = f"{self.gateway} sealed {self.sealed} readings in epoch {self.epoch:016x}"
        if self.lost:
            places = f"{self.settled} are stored or accounted for and {self.buffered} wait there"
            return f"{self.lost} readings are nowhere: {said}, of which {places} ({self._freshness()})"
        return f"{self.ahead} readings too many: {said}, but {self.settled} came ({self._freshness()})"

    def _freshness(self) -> str:
        return "told at an unknown time" if self.told_us is None else f"told at {_plain(to_datetime(self.told_us))}"


def _plain(at: datetime) -> str:
    return at.isoformat(sep=" ", timespec="seconds")
