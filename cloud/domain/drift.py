"""DriftCheck, Baseline: what a comparison of a series' newest readings with earlier ones found; pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from cloud.ports import SeriesKey


class BaselineKind(StrEnum):
    """What the newest readings were compared with."""

    TRAINING = "training"
    """The baseline that was stored when a Model was trained."""
    WEEK_BEFORE = "week_before"
    """The equally long window seven days earlier."""


class Origin(StrEnum):
    """Why a check was made."""

    REQUEST = "request"
    SCHEDULE = "schedule"


@dataclass(frozen=True, slots=True)
class Documented:
    """The documented verdict: two-sample Kolmogorov-Smirnov on raw values, which takes readings for independent."""

    is_drift: bool
    statistic: float
    p_value: float


@dataclass(frozen=True, slots=True)
class Corrected:
    """The verdict that bears autocorrelation; p_value is adjusted over `channels` series checked together.

    autocorrelation: of neighbouring readings; effective_*: how many independent readings the counts are worth.
    """

    is_drift: bool
    p_value: float
    location_p: float
    spread_p: float
    shape_p: float
    autocorrelation: float
    effective_recent: float
    effective_baseline: float
    channels: int = 1


@dataclass(frozen=True, slots=True)
class DriftCheck:
    """One check of one series; without a verdict where there are too few readings, and notes say so.

    in_a_row: how many scheduled checks of the series, this one included, found corrected drift one after another.
    """

    at: datetime
    series: SeriesKey
    origin: Origin
    baseline: BaselineKind
    window_minutes: int
    p_value_threshold: float
    recent_count: int
    baseline_count: int
    notes: str
    documented: Documented | None = None
    corrected: Corrected | None = None
    psi: float | None = None
    in_a_row: int = 0
    id: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """Raw values of a series in order of time, shape (n,), as a Model was trained on; model says which one."""

    series: SeriesKey
    values: NDArray[np.float64]
    start_us: int
    end_us: int
    set_at: datetime
    model: str = ""
