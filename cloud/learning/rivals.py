"""Rivals: the candidates that learn from the same rows when a model learns anew by itself."""

from collections.abc import Sequence

import msgspec

from cloud.learning.retrain_request import RetrainRequest

_STRICT = 0.003
"""A third of the usual share of normal rows over the threshold: fewer false alarms for later ones."""


def rivals_of(plan: RetrainRequest, *, machines: int) -> Sequence[RetrainRequest]:
    """Return the plans of at most `plan.rivals` candidates, as it was first; several machines share a network."""
    other = "autoencoder" if plan.algorithm != "autoencoder" or machines > 1 else "whitening"
    plans = [
        plan,
        _with(plan, other, {"hidden": 64} if other == plan.algorithm else {}),
        _with(plan, plan.algorithm, {**plan.settings, "alarm_share": _STRICT}),
    ]
    return plans[: plan.rivals]


def _with(plan: RetrainRequest, algorithm: str, settings: dict[str, object]) -> RetrainRequest:
    return msgspec.structs.replace(plan, algorithm=algorithm, settings=settings)
