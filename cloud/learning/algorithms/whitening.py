"""Whitening T-squared over trailing means: the very function that gateways fit with, over stored rows of one machine.

Hotelling 1947; Kessy, Lewin and Strimmer 2018 for the symmetric whitening that explains itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from cloud.errors import Invalid
from cloud.learning.algorithm import Learned, Progress, Settings, Task, Trained, own_settings
from cloud.learning.algorithms.scored import Scored, load_scored, period_of
from cloud.learning.soundness import normal_rows, require_columns, require_finite, require_rows
from cloud.learning.table import Table
from protocols.scoring.fit import MIN_ROWS, FitOptions, fit
from protocols.scoring.model import InvalidRows

_AS_ON_GATEWAYS = FitOptions()


class WhiteningSettings(Settings):
    """alarm_share: of normal rows over the threshold; spans: rows of each mean, chosen from the rows where none is.

    smooth: rows of the last mean of log scores; period_s: time from row to row, taken from the times where known.
    """

    alarm_share: Annotated[float, Field(ge=1e-4, le=0.5)] = _AS_ON_GATEWAYS.alarm_share
    spans: Annotated[tuple[Annotated[int, Field(ge=1, le=10_000)], ...], Field(max_length=8)] = _AS_ON_GATEWAYS.spans
    smooth: Annotated[int, Field(ge=1, le=1_000)] = _AS_ON_GATEWAYS.smooth
    period_s: Annotated[float, Field(gt=0, le=86_400)] = 1.0


@dataclass(frozen=True, slots=True)
class Whitening:
    """How far the last rows are from normal, over several spans, with the share of each channel."""

    name: str = "whitening"
    summary: str = "One machine's channels against their usual ways together; runs on the gateway."
    task: Task = Task.ANOMALY
    settings: type[Settings] = WhiteningSettings

    def fit(self, table: Table, settings: Settings, progress: Progress, seed: int) -> Trained:
        """Learn from the rows that are not labelled faulty; a channel that never moves is left out."""
        del seed
        own = own_settings(WhiteningSettings, settings)
        progress(0.0, "checking")
        require_columns(table)
        table = normal_rows(table)
        require_rows(table, MIN_ROWS)
        require_finite(table)
        if table.groups is not None and len(np.unique(table.groups)) > 1:
            raise Invalid("groups: whitening learns one machine; the autoencoder learns several at once")
        options = FitOptions(alarm_share=own.alarm_share, spans=own.spans, smooth=own.smooth)
        progress(0.1, "fitting")
        try:
            fitted = fit(table.values, table.columns, period_s=period_of(table, own.period_s), options=options)
        except InvalidRows as error:
            raise Invalid(str(error), details={"field": "columns"}) from error
        progress(1.0, "fitted")
        figures = {"threshold": fitted.scoring.threshold, "rows": float(fitted.scoring.rows), **fitted.figures}
        columns = tuple(fitted.scoring.channels)
        return Scored(Learned(self.name, self.task, columns, ("normal", "anomaly"), own, figures), fitted)

    def load(self, files: Mapping[str, bytes]) -> Trained:
        """Return the model kept as these files; raise Invalid where they are no such model."""
        return load_scored(files, self.name, self.settings)
