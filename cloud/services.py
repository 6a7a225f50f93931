"""Services: everything that a route may call, in one place."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self, cast

from cloud.access.gate import Gate
from cloud.access.keys import Keys
from cloud.access.rates import Rates
from cloud.access.sessions import Sessions
from cloud.access.users import Users
from cloud.analysis.drift_checks import DriftChecks
from cloud.analysis.failures import Failures
from cloud.analysis.forecasts import Forecasts
from cloud.analysis.health.scores import HealthScores
from cloud.analysis.recent_anomalies import RecentAnomalies
from cloud.bus.webhooks import Webhooks
from cloud.domain.figure import Distribution, Figure
from cloud.fleet.devices import Devices
from cloud.fleet.gateways import Gateways
from cloud.fleet.package_files import PackageFiles
from cloud.fleet.rollouts import Rollouts
from cloud.fleet.standings import Standings
from cloud.jobs.exports import Exports
from cloud.jobs.queue import Jobs
from cloud.jobs.reports import Reports
from cloud.jobs.trainings import Trainings
from cloud.learning.autonomy import Autonomous
from cloud.learning.datasets import Datasets
from cloud.learning.detectors import Detectors
from cloud.learning.experiments import Experiments
from cloud.learning.inference import Inference
from cloud.learning.registry import Registry as Models
from cloud.operations.activities import Activities
from cloud.operations.alarm_rules import AlarmRules
from cloud.operations.alarms import Alarms
from cloud.operations.api_load import ApiLoad
from cloud.operations.collector import Collector
from cloud.operations.decisions import Decisions
from cloud.operations.direct_readings import DirectReadings
from cloud.operations.downloads import Downloads
from cloud.operations.facts import Facts
from cloud.operations.handovers import Handovers
from cloud.operations.health import Doctor
from cloud.operations.idempotency import Idempotency
from cloud.operations.labels import Labels
from cloud.operations.log_level import LogLevel
from cloud.operations.moments import Moments
from cloud.operations.planned_events import PlannedEvents
from cloud.operations.recommendations import Recommendations
from cloud.operations.registry import Registry
from cloud.operations.scaling import Scaling
from cloud.operations.settings import LiveSettings
from cloud.operations.traffic import Traffic
from cloud.ports import Clock, ReadingStore
from cloud.sections.auth import AuthSettings
from cloud.threads import Threads


@dataclass(frozen=True, slots=True)
class Views:
    """What one reading thread holds, all on one read-only connection."""

    store: ReadingStore
    devices: Devices
    gateways: Gateways
    standings: Standings
    newest_event: Callable[[], int]
    """The number of the last event that a gateway told."""
    release: Callable[[], None]

    def close(self) -> None:
        """Let go of the connection."""
        self.release()


@dataclass(frozen=True, kw_only=True)
class AccessServices:
    """Who may come in, and what they did."""

    auth: AuthSettings
    gate: Gate
    keys: Keys
    sessions: Sessions
    users: Users
    settings: LiveSettings
    activities: Activities


@dataclass(frozen=True, kw_only=True)
class FrameServices:
    """What counts and looks at the service itself."""

    clock: Clock
    threads: Threads[Views]
    watching: Threads[Views]
    """Where it is waited for readings while somebody listens to them."""
    rates: Rates
    traffic: Traffic
    log_level: LogLevel
    idempotency: Idempotency[Views]
    load: ApiLoad
    """Counts the requests of this process."""
    collector: Collector
    moments: Moments
    doctor: Doctor[Views]
    figures: Callable[[], Awaitable[Sequence[Figure | Distribution]]]
    """What the store, the ingest process and the records count; raises nothing."""
    version: str
    max_future_s: float
    console: Path
    """The folder of the operator console's built files; nothing is in it before `make console`."""
    metrics_require_key: bool = False


@dataclass(frozen=True, kw_only=True)
class FleetServices:
    """Devices, the readings that come without a gateway, and models on their way to gateways."""

    registry: Registry
    packages: PackageFiles
    rollouts: Rollouts
    direct_readings: DirectReadings[Views]


@dataclass(frozen=True, kw_only=True)
class AnalysisServices:
    """What stored readings say."""

    drift: DriftChecks
    failures: Failures
    forecasts: Forecasts
    health_scores: HealthScores
    recent_anomalies: RecentAnomalies
    recommendations: Recommendations


@dataclass(frozen=True, kw_only=True)
class OperationServices:
    """What people do all day."""

    alarms: Alarms
    alarm_rules: AlarmRules
    labels: Labels
    decisions: Decisions
    reports: Reports
    exports: Exports
    downloads: Downloads
    facts: Facts
    handovers: Handovers
    planned_events: PlannedEvents
    scaling: Scaling
    webhooks: Webhooks
    errands: Threads[ExitStack]
    """Where somebody outside is waited for, such as the target of a test."""


@dataclass(frozen=True, kw_only=True)
class LearningServices:
    """What learns, and what it learned."""

    jobs: Jobs
    models: Models
    datasets: Datasets
    experiments: Experiments
    trainings: Trainings
    autonomous: Autonomous
    detectors: Detectors
    inference: Inference
    judging: Threads[ExitStack]
    """Where models answer: few at once, so that they hold up nobody else."""
    uploads: Threads[ExitStack]
    """Where uploads are read: few at once, so that they hold up nobody else."""


@dataclass(frozen=True, kw_only=True)
class Services(AccessServices, FrameServices, FleetServices, AnalysisServices, OperationServices, LearningServices):
    """Everything behind the API."""

    @classmethod
    def of(cls, *parts: object) -> Self:
        """Return the services that these groups are, one of each."""
        return cls(**{one.name: getattr(part, one.name) for part in parts for one in fields(cast("Any", part))})

    def close(self) -> None:
        """Let go of the threads."""
        self.load.stop()
        self.threads.close()
        self.watching.close()
        self.uploads.close()
        self.errands.close()
        self.judging.close()
