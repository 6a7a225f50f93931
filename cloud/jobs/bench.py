"""Bench: what a job may use, and the words between a job and the process that does it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cloud.config import Settings
from cloud.domain.job import Job
from cloud.learning.algorithm import Progress
from cloud.learning.registry import Registry
from cloud.operations.gateway_events import GatewayFacts
from cloud.ports import Clock, FileStore, ReadingStore
from cloud.records.database import Records
from cloud.records.jobs import Outcome


@dataclass(frozen=True, slots=True)
class Bench:
    """What every job may use; readings, gateways: open the readings for reading only, once."""

    settings: Settings
    clock: Clock
    records: Records
    files: FileStore
    registry: Registry
    readings: Callable[[], ReadingStore]
    gateways: Callable[[], Sequence[GatewayFacts]] = tuple


Work = Callable[[Bench, Job, Progress], Outcome]
"""Does one job; nothing is kept before its Outcome is; raises CloudError for what it was given, Cancelled."""
