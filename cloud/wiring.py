"""The composition root of the api process: settings become services, services become the application."""

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path

from cloud.access.opening import open_access
from cloud.analysis.drift_checks import DriftChecks
from cloud.analysis.failures import Failures
from cloud.analysis.forecasts import Forecasts
from cloud.analysis.health.scores import HealthScores
from cloud.analysis.recent_anomalies import RecentAnomalies
from cloud.api.credentials import who_connects
from cloud.api.metrics import Metrics
from cloud.api.wire import App
from cloud.app import Door, build_app
from cloud.bus.opening import open_errands, open_webhooks
from cloud.config import Settings
from cloud.fleet.package_files import PackageFiles
from cloud.fleet.rollouts import Rollouts
from cloud.ingest.remote import RemoteIntake
from cloud.jobs.exports import Exports
from cloud.jobs.limits import limits_of
from cloud.jobs.opening import (
    open_datasets,
    open_detectors,
    open_inference,
    open_judging,
    open_models,
    open_trainings,
    open_uploads,
)
from cloud.jobs.opening_downloads import open_downloads
from cloud.jobs.opening_scaling import open_executor, open_situations
from cloud.jobs.queue import Jobs
from cloud.jobs.reports import Reports
from cloud.learning.autonomy import Autonomous
from cloud.learning.experiments import Experiments
from cloud.learning.inference import Inference
from cloud.learning.promotions import BY as AUTONOMOUS
from cloud.listening import LOOPBACK_NAMES, is_loopback, refuse_open_door
from cloud.live.hub import Hub
from cloud.live.opening import open_hub
from cloud.operations.activities import Activities
from cloud.operations.alarm_rules import AlarmRules
from cloud.operations.alarms import Alarms
from cloud.operations.api_load import ApiLoad
from cloud.operations.collector import Collector
from cloud.operations.decisions import Decisions
from cloud.operations.direct_readings import DirectReadings
from cloud.operations.facts import Facts
from cloud.operations.handovers import Handovers
from cloud.operations.idempotency import Idempotency
from cloud.operations.labels import Labels
from cloud.operations.log_level import LogLevel
from cloud.operations.moments import VITALS, Moments
from cloud.operations.planned_events import PlannedEvents
from cloud.operations.recommendations import Recommendations
from cloud.operations.registry import Registry
from cloud.operations.scaling import Scaling
from cloud.operations.settings import LiveSettings
from cloud.operations.traffic import Traffic
from cloud.ports import Clock
from cloud.readings import open_views
from cloud.records.database import Records
from cloud.records.settings import is_set
from cloud.services import (
    AccessServices,
    AnalysisServices,
    FleetServices,
    FrameServices,
    LearningServices,
    OperationServices,
    Services,
    Views,
)
from cloud.storage.chunks.lists import Lists
from cloud.threads import Threads
from cloud.watching import Watched, open_rates

_CONSOLE = Path(__file__).parent / "console" / "static"


@dataclass(frozen=True, slots=True)
class Api:
    """The application and what must be let go of after it."""

    app: App
    services: Services
    intake: RemoteIntake
    records: Records
    hub: Hub
    trusted_proxies: Sequence[str] = ()

    async def end(self) -> None:
        """Let go of what belongs to the event loop; before `close`."""
        self.hub.close()
        await self.services.rates.close()
        await self.intake.close()

    def close(self) -> None:
        """Let go of threads and connections."""
        self.services.close()
        self.records.close()


@dataclass(frozen=True, slots=True)
class _Ground:
    """What the groups of services stand on."""

    settings: Settings
    clock: Clock
    records: Records
    moments: Moments
    threads: Threads[Views]
    watching: Threads[Views]
    intake: RemoteIntake
    idempotency: Idempotency[Views]
    alarms: Alarms
    scores: HealthScores
    jobs: Jobs


def open_api(settings: Settings, clock: Clock) -> Api:
    """Return the application over the settings' databases; raise InvalidConfig, or Unavailable for older tables."""
    refuse_open_door(settings)
    ground = _ground(settings, clock)
    access, learning = _access(ground), _learning(ground)
    services = Services.of(
        access,
        learning,
        _frame(ground, access),
        _fleet(ground),
        _analysis(ground, learning.inference),
        _operations(ground),
    )
    hub = open_hub(settings, ground.records, services, partial(who_connects, services))
    app = build_app(services, Metrics(), door_of(settings), hub)
    return Api(app, services, ground.intake, ground.records, hub, settings.api.trusted_proxies)


def _ground(settings: Settings, clock: Clock) -> _Ground:
    records = Records(settings.records_url)
    records.require_current()
    alarms, scores = Alarms(records, clock), HealthScores(records, clock)
    moments = Moments(records, clock, age_s=settings.api.shared_for_s)
    alarmed, vitals = partial(moments.shared, "alarmed", alarms.worst), partial(moments.shared, VITALS, scores.vitals)
    views = partial(open_views, settings, clock, alarmed, vitals, Lists())
    threads, watching = Threads(views, count=settings.api.threads), Threads(views, count=1)
    intake, idempotency = RemoteIntake(settings.intake_path), Idempotency(records, threads, clock)
    jobs = Jobs(records, clock)
    return _Ground(settings, clock, records, moments, threads, watching, intake, idempotency, alarms, scores, jobs)


def _access(ground: _Ground) -> AccessServices:
    settings, records, clock = ground.settings, ground.records, ground.clock
    access = open_access(settings, records, clock)
    return AccessServices(
        auth=settings.auth,
        gate=access.gate,
        keys=access.keys,
        sessions=access.sessions,
        users=access.users,
        settings=LiveSettings(records, clock),
        activities=Activities(records),
    )


def _frame(ground: _Ground, access: AccessServices) -> FrameServices:
    settings, records, clock = ground.settings, ground.records, ground.clock
    rates, traffic = open_rates(settings, clock), Traffic()
    watched = Watched(
        settings, records, ground.threads, clock, ground.intake, ground.alarms, access.keys, access.sessions, rates,
        traffic,
    )  # fmt: skip
    return FrameServices(
        clock=clock,
        threads=ground.threads,
        watching=ground.watching,
        rates=watched.rates,
        traffic=watched.traffic,
        log_level=LogLevel(records, clock, settings.log_level_path, settings.log.level),
        idempotency=ground.idempotency,
        load=ApiLoad(records, clock, instance=f"api-{os.getpid()}"),
        collector=Collector(records, clock, settings.data),
        moments=ground.moments,
        doctor=watched.doctor(),
        figures=watched.figures,
        version=version("lineside"),
        max_future_s=settings.ingest.max_future_s,
        console=_CONSOLE,
        metrics_require_key=settings.api.metrics_require_key,
    )


def _fleet(ground: _Ground) -> FleetServices:
    settings, records, clock = ground.settings, ground.records, ground.clock
    max_future_s = settings.ingest.max_future_s
    return FleetServices(
        registry=Registry(records),
        packages=PackageFiles(settings.packages_path),
        rollouts=Rollouts(records, clock),
        direct_readings=DirectReadings(ground.intake, ground.idempotency, clock, max_future_s=max_future_s),
    )


def _analysis(ground: _Ground, inference: Inference) -> AnalysisServices:
    settings, records, clock = ground.settings, ground.records, ground.clock
    return AnalysisServices(
        drift=DriftChecks(records, clock, false_alarms=settings.analysis.drift_false_alarms),
        failures=Failures(records, clock),
        forecasts=Forecasts(records, clock),
        health_scores=ground.scores,
        recent_anomalies=RecentAnomalies(records, clock, inference.score_rows),
        recommendations=Recommendations(records, clock),
    )


def _operations(ground: _Ground) -> OperationServices:
    settings, records, clock = ground.settings, ground.records, ground.clock
    return OperationServices(
        alarms=ground.alarms,
        alarm_rules=AlarmRules(records, clock),
        labels=Labels(records, clock),
        decisions=Decisions(records, clock, lambda session: is_set(session, "decisions.strict")),
        reports=Reports(ground.jobs, limits_of(settings)),
        exports=Exports(ground.jobs, limits_of(settings)),
        downloads=open_downloads(settings, records, clock),
        facts=Facts(records, clock),
        handovers=Handovers(records, clock),
        planned_events=PlannedEvents(records, clock),
        scaling=Scaling(records, clock, open_situations(settings, clock, open_executor(settings, clock))),
        webhooks=open_webhooks(settings, records, clock),
        errands=open_errands(),
    )


def _learning(ground: _Ground) -> LearningServices:
    settings, records, clock = ground.settings, ground.records, ground.clock
    models, datasets = open_models(settings, records, clock), open_datasets(settings, records, clock)
    return LearningServices(
        jobs=ground.jobs,
        models=models,
        datasets=datasets,
        experiments=Experiments(records, clock),
        trainings=open_trainings(settings, records, clock, datasets, models),
        autonomous=Autonomous(records, clock, lambda by: Rollouts(records, clock).revert(AUTONOMOUS, by=by)),
        detectors=open_detectors(settings, records, clock),
        inference=open_inference(settings, models),
        judging=open_judging(),
        uploads=open_uploads(),
    )


def door_of(settings: Settings) -> Door:
    """Return what the frame lets in: names of a loopback bind, or of this machine, and configured ones."""
    names = LOOPBACK_NAMES if is_loopback(settings.api.host) else {*LOOPBACK_NAMES, socket.gethostname()}
    allowed = {*names, settings.api.host, *settings.api.allowed_hosts}
    return Door(allowed, settings.api.max_body_kib * 1024, settings.api.docs, settings.learning.max_upload_mib << 20)
