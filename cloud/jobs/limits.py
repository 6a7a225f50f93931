"""Limits: what the settings allow jobs, and when they let models learn anew."""

import os

from cloud.config import Settings
from cloud.domain.job import JobLimits
from cloud.learning.triggers import TriggerRules


def default_workers() -> int:
    """Return how many jobs run at once where nobody says: one core is left to those who wait for answers."""
    return max(1, (os.cpu_count() or 1) - 1)


def limits_of(settings: Settings) -> JobLimits:
    """Return what one job may take."""
    return JobLimits(settings.jobs.limit_s, settings.jobs.memory_mib)


def rules_of(settings: Settings) -> TriggerRules:
    """Return when models learn anew by themselves."""
    learning = settings.learning
    return TriggerRules(
        every_days=learning.retrain_every_days,
        on_drift=learning.retrain_on_drift,
        new_labels=learning.retrain_on_labels,
        training_days=learning.training_days,
    )
