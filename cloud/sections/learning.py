"""What runs beside the requests, what may be learnt from, and what is looked for."""

from typing import Annotated

from pydantic import Field

from cloud.sections.base import Days, Section


class JobSettings(Section):
    """What runs beside the requests: training, retraining, checks; each job is a process of its own."""

    workers: Annotated[int, Field(ge=1, le=64)] | None = None
    """How many jobs run at once; null: one less than there are cores, and at least one."""
    limit_s: Annotated[float, Field(gt=0, le=7 * 86_400)] = 300.0
    """How long one job may run before it is stopped."""
    memory_mib: Annotated[int, Field(ge=128, le=1 << 20)] = 2048
    keep_days: Annotated[float, Field(gt=0)] = 90.0
    """How long jobs that ended are shown."""


class LearningSettings(Section):
    """What may be uploaded, and when models are trained anew by themselves."""

    max_upload_mib: Annotated[int, Field(ge=1, le=4096)] = 50
    max_expanded_mib: Annotated[int, Field(ge=1, le=1 << 16)] = 512
    """The memory that an upload may take when it is read."""
    max_rows: Annotated[int, Field(ge=1, le=100_000_000)] = 2_000_000
    max_columns: Annotated[int, Field(ge=1, le=10_000)] = 1_000
    models_mib: Annotated[int, Field(ge=1, le=1 << 20)] = 256
    """The memory for models that answer; those asked for least are let go of beyond it."""
    retrain_every_days: Days | None = 7.0
    """How old a served model gets before it is trained anew; null: never by its age alone."""
    retrain_on_drift: bool = True
    retrain_on_labels: Annotated[int, Field(ge=1)] | None = 50
    """How many new labels of a model's devices make it learn anew; null: none do."""
    training_days: Days = 14.0
    """How many days of readings a retraining looks at."""


class ForecastSettings(Section):
    """Series that are foretold each hour; `*` in a pattern stands for any text."""

    gateway: str = "*"
    device: str = "*"
    tag: str = "*"
    horizons_h: Annotated[tuple[Annotated[int, Field(ge=1, le=168)], ...], Field(min_length=1, max_length=24)] = (1, 24)
    """How many hours ahead."""


class AnalysisSettings(Section):
    """What is looked for in stored readings without being asked."""

    drift_every_minutes: Annotated[int, Field(ge=1, le=7 * 24 * 60)] = 60
    drift_window_minutes: Annotated[int, Field(ge=1, le=7 * 24 * 60)] = 60
    """How much of the newest readings a check on schedule looks at."""
    drift_false_alarms: Annotated[float, Field(gt=0, lt=0.5)] = 0.003
    """The share of corrected checks that may cry without drift."""
    forecasts: tuple[ForecastSettings, ...] = ()
    """The first that fits a series counts; a series that none fits is not foretold."""
