"""ChannelHoursRow: hourly medians of Tags over the last week, so that trends are fitted without reading it all."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import BigInteger, LargeBinary, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from cloud.ports import SeriesKey
from cloud.records.base import Base

HOUR_US = 3_600_000_000


class ChannelHoursRow(Base):
    """One Tag: medians (float64) and counts (int64) of so many hours that end at end_us, little-endian."""

    __tablename__ = "channel_hours"

    source: Mapped[str] = mapped_column(String(64), primary_key=True)
    device: Mapped[str] = mapped_column(String(200), primary_key=True)
    tag: Mapped[str] = mapped_column(String(200), primary_key=True)
    end_us: Mapped[int] = mapped_column(BigInteger)
    medians: Mapped[bytes] = mapped_column(LargeBinary)
    counts: Mapped[bytes] = mapped_column(LargeBinary)


@dataclass(frozen=True, slots=True, eq=False)
class ChannelHours:
    """Medians of hours that end at end_us, NaN where an hour holds nothing, and of how many readings: each (n,)."""

    end_us: int
    medians: NDArray[np.float64]
    counts: NDArray[np.int64]

    def moved_to(self, end_us: int) -> "ChannelHours":
        """Return as many hours that end at a later time: what falls out is dropped, what is new is unknown."""
        size = len(self.medians)
        shift = max(0, min(size, (end_us - self.end_us) // HOUR_US))
        medians = np.concatenate((self.medians[shift:], np.full(shift, np.nan)))
        counts = np.concatenate((self.counts[shift:], np.zeros(shift, np.int64)))
        return ChannelHours(end_us, medians, counts)


def read_channel_hours(session: Session) -> Mapping[SeriesKey, ChannelHours]:
    """Return what is known of each Tag."""
    return {
        SeriesKey(row.source, row.device, row.tag): ChannelHours(
            row.end_us, np.frombuffer(row.medians, "<f8").copy(), np.frombuffer(row.counts, "<i8").copy()
        )
        for row in session.scalars(select(ChannelHoursRow))
    }


def put_channel_hours(session: Session, changed: Iterable[tuple[SeriesKey, ChannelHours]]) -> None:
    """Keep what is known of these Tags in place of what was."""
    for key, hours in changed:
        session.merge(
            ChannelHoursRow(
                source=key.source,
                device=key.device,
                tag=key.tag,
                end_us=hours.end_us,
                medians=hours.medians.astype("<f8").tobytes(),
                counts=hours.counts.astype("<i8").tobytes(),
            )
        )
