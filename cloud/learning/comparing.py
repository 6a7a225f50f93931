"""Comparing: how a new version does beside the one that serves, on the same rows that neither has learned from now."""

from collections.abc import Mapping

import numpy as np

from cloud.domain.model import CHAMPION
from cloud.errors import CloudError
from cloud.learning.algorithm import Task, Trained
from cloud.learning.evaluation import figures_of
from cloud.learning.registry import Registry
from cloud.learning.shelf import Ready, Shelf
from cloud.learning.table import Table

_ROOM = 1 << 40
_DECIDES: Mapping[Task, tuple[tuple[str, int], ...]] = {
    Task.CLASSIFICATION: (("f1", 1), ("f1_macro", 1), ("accuracy", 1)),
    Task.REGRESSION: (("mae", -1),),
    Task.FORECAST: (("mae", -1),),
    Task.ANOMALY: (("f1", 1), ("expected_alarms_per_day", -1), ("over_share", -1)),
}
"""By what it is decided who is better, the first that both have; -1: less of it is better."""


def beside_champion(registry: Registry, model: str, trained: Trained, judged: Table) -> dict[str, object] | None:
    """Return the figures of both and which is better; None without a champion, or where it cannot judge these rows."""
    champion = _champion(registry, model)
    if champion is None or champion.learned.task is not trained.learned.task:
        return None
    if champion.learned.classes != trained.learned.classes:
        return None
    try:
        before, now = _figures(champion.trained, judged), _figures(trained, judged)
    except CloudError:
        return None  # its columns are others: there is nothing to compare
    metric, sign = next(
        ((name, sign) for name, sign in _DECIDES[trained.learned.task] if name in before and name in now), ("", 0)
    )
    return {
        "champion": champion.version.version,
        "champion_metrics": before,
        "challenger_metrics": now,
        "rows": len(judged),
        "metric": metric,
        "is_better": bool(metric) and sign * now[metric] > sign * before[metric],
    }


def _champion(registry: Registry, model: str) -> Ready | None:
    try:
        return Shelf(registry, most_bytes=_ROOM).take(registry.version(model, CHAMPION))
    except CloudError:
        return None  # there is none, or one that cannot be loaded compares with nothing


def _figures(trained: Trained, judged: Table) -> dict[str, float]:
    return {name: value for name, value in figures_of(trained, judged).items() if np.isfinite(value)}
