"""A discrete-time hazard model of a class of Devices: the chance of a failure in the next hours, given none so far.

Logistic regression on person-periods with a small ridge (Allison, Discrete-Time Methods for the Analysis of Event
Histories, 1982), then isotonic calibration of the chance within the horizon on folds that hold out whole Devices, or
stretches of time where there is one Device only (Zadrozny and Elkan, 2002). The Brier score is of such held-out rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cloud.analysis.statistics import Floats, isotonic
from cloud.errors import Invalid

LEAST_FAILURES = 20
STEP_H = 6
_FOLDS = 5
_RIDGE = 1.0
_NEWTON_STEPS = 30
_CLOSE = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Exposure:
    """Periods of STEP_H hours under watch, in order of time within each device.

    rows (n, k): the condition at the beginning; failed (n,): whether a failure began in the period; within (n,):
    whether one began within the horizon, NaN where that is not known yet; device (n,): whose period it is.
    """

    rows: Floats
    failed: NDArray[np.bool_]
    within: Floats
    device: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Hazard:
    """Weights (k + 1,) on rows standardised by mean and scale, and the steps of the calibration."""

    mean: Floats
    scale: Floats
    weights: Floats
    horizon_h: float
    raw_chance: Floats
    true_chance: Floats

    def within(self, rows: Floats, horizon_h: float) -> Floats:
        """Return the calibrated chance of a failure within a horizon for rows (n, k): it never falls with it."""
        raw = self.uncalibrated(rows)
        chance = np.interp(raw, self.raw_chance, self.true_chance)
        return np.asarray(-np.expm1(np.log1p(-np.minimum(chance, 1 - 1e-12)) * horizon_h / self.horizon_h), np.float64)

    def uncalibrated(self, rows: Floats) -> Floats:
        """Return the chance within the model's own horizon while the condition stays as it is, (n,)."""
        score = _design((rows - self.mean) / self.scale) @ self.weights
        log_survival = -np.logaddexp(0.0, score)
        return np.asarray(-np.expm1(log_survival * self.horizon_h / STEP_H), np.float64)

    def facts(self) -> dict[str, object]:
        """Return it as plain numbers."""
        arrays = ("mean", "scale", "weights", "raw_chance", "true_chance")
        return {"horizon_h": self.horizon_h} | {name: getattr(self, name).tolist() for name in arrays}

    @classmethod
    def of_facts(cls, facts: Mapping[str, object]) -> "Hazard":
        """Return the model of such numbers; raise Invalid where they are none."""
        try:
            names = ("mean", "scale", "weights", "raw_chance", "true_chance")
            mean, scale, weights, raw, true = (np.asarray(facts[name], np.float64) for name in names)
            return cls(mean, scale, weights, float(str(facts["horizon_h"])), raw, true)
        except (KeyError, TypeError, ValueError) as error:
            raise Invalid(f"not a hazard model: {error}") from error


@dataclass(frozen=True, slots=True)
class Fitted:
    """A model, how many failures it learned from, and its Brier score beside that of the base rate, held out."""

    hazard: Hazard
    failures: int
    brier: float
    brier_of_base_rate: float


def fit_hazard(exposure: Exposure, *, horizon_h: float) -> Fitted:
    """Return the model of a class; raise Invalid for fewer than 20 failures."""
    failures = int(exposure.failed.sum())
    if failures < LEAST_FAILURES:
        raise Invalid(f"{failures} labelled failures, {LEAST_FAILURES} are needed", code="TOO_FEW_FAILURES")
    fold = _folds(exposure)
    raw = np.empty(len(exposure.rows))
    for held in range(_FOLDS):
        others = fold != held
        raw[~others] = _regress(exposure, others, horizon_h).uncalibrated(exposure.rows[~others])
    known = np.isfinite(exposure.within)
    score, truth, part = raw[known], exposure.within[known], fold[known]
    honest = np.empty(len(score))
    for held in range(_FOLDS):
        others = part != held
        honest[~others] = np.interp(score[~others], *_steps(score[others], truth[others]))
    whole = _regress(exposure, np.ones(len(fold), bool), horizon_h)
    hazard = Hazard(whole.mean, whole.scale, whole.weights, horizon_h, *_steps(score, truth))
    base = np.array([truth[part != held].mean() if (part != held).any() else truth.mean() for held in range(_FOLDS)])
    return Fitted(hazard, failures, float(((honest - truth) ** 2).mean()), float(((base[part] - truth) ** 2).mean()))


def _folds(exposure: Exposure) -> NDArray[np.int64]:
    devices, number = np.unique(exposure.device, return_inverse=True)
    if len(devices) >= _FOLDS:
        return np.asarray(number % _FOLDS, np.int64)
    return np.arange(len(exposure.device)) * _FOLDS // len(exposure.device)


def _regress(exposure: Exposure, chosen: NDArray[np.bool_], horizon_h: float) -> Hazard:
    rows, target = exposure.rows[chosen], exposure.failed[chosen].astype(np.float64)
    mean, scale = rows.mean(axis=0), rows.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    design = _design((rows - mean) / scale)
    ridge = np.full(design.shape[1], _RIDGE)
    ridge[0] = 1e-6
    weights = np.zeros(design.shape[1])
    share = float(np.clip(target.mean(), 1e-6, 1 - 1e-6))
    weights[0] = np.log(share / (1 - share))
    for _ in range(_NEWTON_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
        slope = design.T @ (target - chance) - ridge * weights
        bend = (design.T * (chance * (1 - chance))) @ design + np.diag(ridge)
        step = np.linalg.solve(bend, slope)
        weights = weights + step * min(1.0, 4.0 / max(float(np.abs(step).max()), 1e-12))
        if float(np.abs(step).max()) < _CLOSE:
            break
    return Hazard(mean, scale, weights, horizon_h, np.array([0.0, 1.0]), np.array([0.0, 1.0]))


def _design(rows: Floats) -> Floats:
    return np.column_stack([np.ones(len(rows)), rows])


def _steps(score: Floats, truth: Floats) -> tuple[Floats, Floats]:
    """Return points of the calibration curve, rising in both."""
    levels, number = np.unique(score, return_inverse=True)
    weight = np.bincount(number).astype(np.float64)
    risen = isotonic(np.bincount(number, truth) / weight, weight)
    return levels, risen
