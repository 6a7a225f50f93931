"""Pages of readings: cursors, completeness, runs of bad quality, down-sampled points; pure."""

import base64
from dataclasses import dataclass
from functools import lru_cache

import msgspec
import numpy as np
from numpy.typing import NDArray

from cloud.errors import Invalid
from cloud.ports import Buckets
from protocols.reading import SEVERITY_MASK, Quality

MOST_GAPS = 100
"""The most gaps that are listed; all are counted."""
_GAP_IN_PERIODS = 1.5


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """Where the next page begins; the end stays what it was at the first page, so that paging comes to an end."""

    series: int
    start_us: int
    end_us: int

    def encode(self) -> str:
        """Return it as text that fits into a URL."""
        return base64.urlsafe_b64encode(msgspec.msgpack.encode(self)).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str) -> "Cursor":
        """Return the cursor; raise Invalid where it is not one of ours."""
        try:
            padded = text + "=" * (-len(text) % 4)
            return msgspec.msgpack.decode(base64.b64decode(padded, altchars=b"-_", validate=True), type=cls)
        except (ValueError, msgspec.MsgspecError) as error:
            raise Invalid("cursor: not one that was given out", code="INVALID_CURSOR") from error


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch without readings, longer than one and a half periods."""

    start_us: int
    end_us: int
    missing: int


@dataclass(frozen=True, slots=True)
class Completeness:
    """How much of what was to be expected is there; share, expected are None where a tag is reported on change."""

    period_s: float
    present: int
    expected: int | None
    share: float | None
    gap_count: int
    gaps: tuple[Gap, ...]


@dataclass(frozen=True, slots=True)
class QualityRun:
    """Consecutive readings of one quality that is not good; positions count from 0 and are inclusive."""

    first: int
    last: int
    quality: Quality


def measure(
    time_us: NDArray[np.int64], quality: NDArray[np.uint8], *, period_s: float, start_us: int, end_us: int
) -> Completeness:
    """Return the completeness of readings in start_us <= time < end_us; only those that are not bad are present."""
    usable = time_us[(quality & SEVERITY_MASK) != Quality.BAD]
    if period_s <= 0 or end_us <= start_us:
        return Completeness(period_s, len(usable), None, None, 0, ())
    period_us = period_s * 1e6
    expected = max(1, round((end_us - start_us) / period_us))
    edges = np.concatenate(([start_us - period_us], usable, [end_us])).astype(np.float64)
    steps = np.diff(edges)
    wide = np.flatnonzero(steps > _GAP_IN_PERIODS * period_us)
    gaps = tuple(
        Gap(
            start_us=start_us if index == 0 else int(edges[index]),
            end_us=int(edges[index + 1]),
            missing=max(1, round(float(steps[index]) / period_us) - 1),
        )
        for index in wide[:MOST_GAPS].tolist()
    )
    return Completeness(period_s, len(usable), expected, min(1.0, len(usable) / expected), len(wide), gaps)


def quality_runs(quality: NDArray[np.uint8]) -> tuple[QualityRun, ...]:
    """Return the runs of readings that are not good, in order."""
    if not quality.any():
        return ()
    starts = np.flatnonzero(np.diff(quality, prepend=quality[:1] ^ 0xFF))
    ends = np.append(starts[1:], len(quality)) - 1
    codes = quality[starts]
    poor = (codes & SEVERITY_MASK) != 0
    return tuple(
        QualityRun(first, last, to_quality(code))
        for first, last, code in zip(starts[poor].tolist(), ends[poor].tolist(), codes[poor].tolist(), strict=True)
    )


@lru_cache(maxsize=256)  # so many codes there are
def to_quality(code: int) -> Quality:
    """Return the quality of a code; a reason that this version does not know is read by its severity alone."""
    try:
        return Quality(code)
    except ValueError:
        return Quality.UNCERTAIN if code & SEVERITY_MASK == Quality.UNCERTAIN else Quality.BAD


def bucket_width_us(buckets: Buckets, *, end_us: int) -> int:
    """Return how wide the buckets are, as their starts tell; the first one may be cut by the range."""
    if not len(buckets.start_us):
        return 0
    steps = np.diff(buckets.start_us)
    whole = steps[1:] if len(steps) > 1 else steps
    return int(whole.min()) if len(whole) else end_us - int(buckets.start_us[0])


def outline(buckets: Buckets, *, width_us: int, end_us: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return times and values that keep each bucket's minimum and maximum: two points a bucket, one where they agree.

    The maximum stands in the middle of the bucket: which of them came first is not known.
    """
    room = np.minimum(np.diff(buckets.start_us, append=end_us), width_us)
    both = np.stack([buckets.minimum, buckets.maximum], axis=1).ravel()
    times = np.stack([buckets.start_us, buckets.start_us + room // 2], axis=1).ravel()
    keep = np.ones(len(both), dtype=bool)
    keep[1::2] = buckets.minimum != buckets.maximum
    return times[keep], both[keep]
