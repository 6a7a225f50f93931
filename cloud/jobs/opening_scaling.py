"""The parts of scaling as settings ask for them: who decides and who shows it see the same."""

import os
from collections.abc import Mapping

from cloud.analysis.load_outlook import outlook
from cloud.config import Settings
from cloud.domain.load import POOLS, Service
from cloud.domain.pools import Executor
from cloud.domain.scaling import Bounds
from cloud.operations.executors.dry_run import DryRun
from cloud.operations.executors.supervised import Supervised
from cloud.operations.host import HostMeter
from cloud.operations.situations import Situations
from cloud.ports import Clock

_DRY_RUN = "dry-run"


def open_executor(settings: Settings, clock: Clock) -> Executor:
    """Return who carries decisions out."""
    if settings.scaling.executor == "dry_run":
        return DryRun(settings.instances_path / _DRY_RUN)
    return Supervised(settings.instances_path, clock)


def open_situations(settings: Settings, clock: Clock, executor: Executor) -> Situations:
    """Return what tells where each service stands."""
    return Situations(bounds_of(settings), executor, outlook, HostMeter(clock).look)


def bounds_of(settings: Settings) -> Mapping[Service, Bounds]:
    """Return how many instances each service may have where somebody says, else what is usual."""
    found = {service: Bounds(1, default_most(settings, service)) for service in Service}
    for one in settings.scaling.instances:
        service = Service(one.service)
        most = default_most(settings, service) if one.most is None else one.most
        found[service] = Bounds(one.least, max(one.least, most))
    return found


def default_most(settings: Settings, service: Service) -> int:
    """Return the most instances of a service that nobody bounded: the cores, one where several would do harm.

    Without a broker nothing can share ingest's work. Stock clients of Socket.IO poll first, and are lost where another
    process of the api answers the next poll: who wants several says so, and puts a proxy before them.
    """
    is_real = settings.scaling.executor == "supervisor"
    if is_real and (POOLS[service] == "api" or (service is Service.INGEST and settings.mqtt is None)):
        return 1
    return max(1, os.cpu_count() or 1)
