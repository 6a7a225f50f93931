"""The composition root of the worker process: settings become the chores that it does."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from cloud.access.forgetting import OldSessions
from cloud.analysis.drift_checks import DriftChecks, Question
from cloud.analysis.failures import Failures
from cloud.analysis.foretelling import Foreteller, Plan
from cloud.analysis.health.rounds import HealthRounds
from cloud.analysis.health.turns import HealthTurns
from cloud.analysis.load_foretelling import LoadForeteller
from cloud.analysis.load_oddities import LoadOddities
from cloud.analysis.recommending.rounds import Recommender
from cloud.bus.keeping import Keeping
from cloud.bus.opening import open_deliverer
from cloud.bus.outbox import Outbox
from cloud.chores import Chore
from cloud.config import Settings
from cloud.domain.imbalance import Imbalance
from cloud.domain.load import Service
from cloud.domain.rollout import Rules
from cloud.errors import Unavailable
from cloud.fleet.conductor import Conductor
from cloud.fleet.gateways import Gateways
from cloud.fleet.rollouts import Rollouts, Whereto
from cloud.fleet.signing import Signing
from cloud.fleet.standings import Standings
from cloud.ingest.messenger import Messenger
from cloud.jobs.limits import default_workers, limits_of, rules_of
from cloud.jobs.opening import open_models
from cloud.jobs.opening_scaling import open_executor, open_situations
from cloud.jobs.queue import Jobs
from cloud.jobs.reports import Reports
from cloud.jobs.runner import EVERY_S, Runner
from cloud.jobs.weekly import WeeklyReport
from cloud.learning.cleanup import Cleanup
from cloud.learning.housekeeping import Housekeeping
from cloud.learning.promotions import BY as AUTONOMOUS
from cloud.learning.promotions import HandingOn
from cloud.learning.quantiles import fit_quantiles
from cloud.learning.triggers import Triggers
from cloud.operations.account_watch import AccountWatch
from cloud.operations.alarm_follower import AlarmFollower
from cloud.operations.alarm_watch import AlarmWatch
from cloud.operations.alarms import Alarms
from cloud.operations.dead_letter_watch import DeadLetterWatch
from cloud.operations.decisions import Decisions
from cloud.operations.downloads import DownloadKeeping
from cloud.operations.gateway_events import GatewayEvents
from cloud.operations.gateway_watch import GatewayWatch
from cloud.operations.load_watch import EVERY_S as LOAD_EVERY_S
from cloud.operations.load_watch import Counted, LoadWatch
from cloud.operations.pulse import EVERY_S as PULSE_EVERY_S
from cloud.operations.pulse import Pulse
from cloud.operations.raising import apply_steps
from cloud.operations.rule_watch import RuleWatch
from cloud.operations.scaler import EVERY_S as SCALING_EVERY_S
from cloud.operations.scaler import Scaler
from cloud.ports import Clock
from cloud.readings import devices_online, open_views
from cloud.records.database import Records
from cloud.records.devices import list_devices
from cloud.services import Views
from cloud.storage.chunks.database import Database
from cloud.storage.chunks.lists import Lists
from cloud.storage.files import DirectoryFiles


@dataclass(frozen=True, slots=True)
class Workshop:
    """What every chore may use; closing: lets go of what was opened, in reverse order."""

    settings: Settings
    clock: Clock
    records: Records
    closing: ExitStack
    lists: Lists = field(default_factory=Lists)

    def views(self) -> Views:
        """Open what one thread that reads holds; raise Unavailable where there is no file of readings yet."""
        return self.closing.enter_context(closing(open_views(self.settings, self.clock, lists=self.lists)))


def open_chores(settings: Settings, clock: Clock) -> tuple[Sequence[Chore], Callable[[], None]]:
    """Return the chores and what lets go of their parts; raise InvalidConfig, or Unavailable for older tables."""
    closing = ExitStack()
    records = Records(settings.records_url)
    closing.callback(records.close)
    records.require_current()
    workshop = Workshop(settings, clock, records, closing)
    return [chore for make in CHORES for chore in make(workshop)], closing.close


def alarm_chores(workshop: Workshop) -> Sequence[Chore]:
    """Return who raises alarms: from what gateways tell, from what the cloud notices, and from its own rules."""
    settings, clock, records = workshop.settings, workshop.clock, workshop.records

    def events() -> GatewayEvents:
        return workshop.closing.enter_context(closing(GatewayEvents(Database(settings.readings_path, read_only=True))))

    def uneven() -> Callable[[], Sequence[Imbalance]]:
        database = workshop.closing.enter_context(closing(Database(settings.readings_path, read_only=True)))
        return Gateways(database).uneven

    alarms = Alarms(records, clock)
    return [
        Chore("alarms from events", 0.2, AlarmFollower(records, events()).follow),
        Chore("alarms from rules", 1.0, RuleWatch(records, workshop.views().store, clock).look),
        Chore("alarms of gateways", 5.0, GatewayWatch(records, events(), workshop.views().store, clock).look),
        Chore("accounts of gateways", 5.0, AccountWatch(records, uneven(), clock).look),
        Chore("shelved alarms", 1.0, alarms.end_shelves),
        Chore("alarms and time", 5.0, AlarmWatch(records, clock).look),
        Chore("decisions", 5.0, Decisions(records, clock, lambda _: True).wake),
    ]


def model_chores(workshop: Workshop) -> Sequence[Chore]:
    """Return who lets rollouts go on and tells gateways, and who renews the signatures of packages."""
    settings, clock, records = workshop.settings, workshop.clock, workshop.records
    roster = workshop.closing.enter_context(closing(Database(settings.readings_path, read_only=True)))
    messenger = workshop.closing.enter_context(closing(Messenger(settings.intake_path)))
    conductor = Conductor(records, clock, Standings(roster).all, messenger.publish)
    signing = Signing(settings.packages_path, clock)
    return [
        Chore("rollouts", 1.0, conductor.run),
        Chore("signatures of packages", 600.0, signing.refresh),
    ]


def analysis_chores(workshop: Workshop) -> Sequence[Chore]:
    """Return who checks for drift, learns how classes of Devices fail, and foretells series."""
    settings, clock, records = workshop.settings.analysis, workshop.clock, workshop.records

    drift, drifting = DriftChecks(records, clock, false_alarms=settings.drift_false_alarms), workshop.views().store
    failures, failing = Failures(records, clock), workshop.views().store
    foreteller, foretold = Foreteller(records, clock, fit_quantiles), workshop.views().store
    question = Question(settings.drift_window_minutes)
    every = timedelta(minutes=settings.drift_every_minutes)
    plans = [Plan(one.horizons_h, one.gateway, one.device, one.tag) for one in settings.forecasts]

    def learn_failures() -> None:
        with records.reading() as session:
            devices = list_devices(session)
        failures.fit_classes(failing, devices)

    def foretell() -> None:
        foreteller.join_actuals(foretold)
        foreteller.foretell_all(foretold, plans)

    def check_drift() -> None:
        drift.check_all(drifting, question, every=every)

    return [
        Chore("drift checks", 60.0, check_drift),
        Chore("failures of classes", 3600.0, learn_failures),
        Chore("forecasts", 60.0, foretell),
    ]


CANARY = Rules(groups=(5.0, 100.0), soak_s=86_400.0)
"""How what a family learned by itself goes out: to one gateway in twenty for a day, then to all."""


def twin_chores(workshop: Workshop) -> Sequence[Chore]:
    """Return who judges how well Devices are, and who proposes what to do about it."""
    views = workshop.views()
    alarming = partial(apply_steps, by="health")
    presence = views.gateways.presence
    rounds = HealthRounds(workshop.records, views.store, workshop.clock, presence=presence, raise_alarms=alarming)
    turns = HealthTurns(rounds.look, presence, workshop.clock)
    other = workshop.views()
    recommender = Recommender(workshop.records, other.store, workshop.clock)
    return [Chore("health of devices", 2.0, turns.take), Chore("recommendations", 300.0, recommender.look)]


def learning_chores(workshop: Workshop) -> Sequence[Chore]:
    """Return who runs jobs, asks for retrainings, hands on what was promoted, and tidies up."""
    settings, clock, records = workshop.settings, workshop.clock, workshop.records
    files = DirectoryFiles(settings.files_path)
    runner = Runner(records, clock, settings.model_dump_json(), most=settings.jobs.workers or default_workers())
    roster = workshop.closing.enter_context(closing(Database(settings.readings_path, read_only=True)))
    registry = open_models(settings, records, clock)
    rollouts, fleet = Rollouts(records, clock), Standings(roster).all

    def promote(model: str, version: int, is_careful: bool) -> None:  # noqa: FBT001 - the form that promotions have
        by = AUTONOMOUS if is_careful else "retraining"
        registry.publish(model, version, by=by)
        rules = CANARY if is_careful else Rules()
        rollouts.start(model, version, rules=rules, whereto=Whereto(), fleet=fleet(), by=by)

    keeping = Housekeeping(records, files, clock, keep_days=settings.jobs.keep_days)

    def tidy() -> None:
        keeping.look()
        files.sweep(now_us=clock.now_us())

    pulse = Pulse(records, clock)
    pulse.beat()
    triggers = Triggers(records, clock, Jobs(records, clock).add, rules_of(settings), limits_of(settings))
    return [
        Chore("jobs", EVERY_S, runner.look, runner.stop),
        Chore("pulse", PULSE_EVERY_S, pulse.beat),
        Chore("retrainings", 60.0, triggers.look),
        Chore("promotions", 1.0, HandingOn(records, clock, promote).look),
        Chore("housekeeping", 3600.0, tidy),
        Chore("old datasets", 600.0, Cleanup(records, files, clock).look),
        Chore("old sessions", 3600.0, OldSessions(records, clock).look),
    ]


def paper_chores(workshop: Workshop) -> Sequence[Chore]:
    """Return who asks for the report of the week, and who forgets files of reports and exports."""
    clock, records = workshop.clock, workshop.records
    weekly = WeeklyReport(records, clock, Reports(Jobs(records, clock), limits_of(workshop.settings)))
    keeping = DownloadKeeping(records, DirectoryFiles(workshop.settings.files_path), clock)
    return [Chore("report of the week", 60.0, weekly.look), Chore("old downloads", 3600.0, keeping.look)]


def telling_chores(workshop: Workshop) -> Sequence[Chore]:
    """Return who tells webhooks and mail addresses of what happened, and who watches what reached nobody."""
    settings, clock, records = workshop.settings, workshop.clock, workshop.records
    deliverer = open_deliverer(settings, records, clock)
    keeping = Keeping(records, clock, keep_days=settings.webhooks.keep_days, keep_hours=settings.live.keep_hours)
    return [
        Chore("events for webhooks", 0.5, Outbox(records, clock).follow),
        Chore("webhooks", 0.2, deliverer.look, deliverer.stop),
        Chore("dead letters", 15.0, DeadLetterWatch(records, clock).look),
        Chore("old notices", 600.0, keeping.tidy),
    ]


def scaling_chores(workshop: Workshop) -> Sequence[Chore]:
    """Return who counts the load of services, foretells it, and gives them as many processes as they need."""
    settings, clock, records = workshop.settings, workshop.clock, workshop.records
    messenger = workshop.closing.enter_context(closing(Messenger(settings.intake_path)))
    seen = workshop.views()
    executor = open_executor(settings, clock)
    situations = open_situations(settings, clock, executor)

    def ingest() -> Counted | None:
        try:
            return {(one.name, one.outcome): one.value for one in messenger.samples()}
        except Unavailable:
            return None

    def instances(service: Service) -> int:
        return situations.alive(service) or 1

    def online() -> int:
        return devices_online(seen.store, clock.now_us())

    watch = LoadWatch(records, clock, ingest=ingest, instances=instances, online=online)
    foreteller, oddities = LoadForeteller(records, clock, fit_quantiles), LoadOddities(records, clock)
    scaler = Scaler(records, clock, executor, situations, is_automatic=settings.scaling.automatic)

    def foretell() -> None:
        foreteller.look()
        oddities.look()

    return [
        Chore("load", LOAD_EVERY_S, watch.look),
        Chore("load forecasts", 30.0, foretell),
        Chore("scaling", SCALING_EVERY_S, scaler.look),
    ]


def open_job_chores(settings: Settings, clock: Clock) -> tuple[Sequence[Chore], Callable[[], None]]:
    """Return what a further worker does, and what lets go of its parts; raise as `open_chores` does."""
    records = Records(settings.records_url)
    records.require_current()
    runner = Runner(records, clock, settings.model_dump_json(), most=settings.jobs.workers or default_workers())
    pulse = Pulse(records, clock)
    pulse.beat()
    chores = [
        Chore("jobs", EVERY_S, runner.look, runner.stop),
        Chore("pulse", PULSE_EVERY_S, pulse.beat),
    ]
    return chores, records.close


CHORES: tuple[Callable[[Workshop], Sequence[Chore]], ...] = (
    alarm_chores,
    model_chores,
    analysis_chores,
    twin_chores,
    learning_chores,
    scaling_chores,
    telling_chores,
    paper_chores,
)
"""Who brings chores: one function a subject."""
