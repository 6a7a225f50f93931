"""The composition root of the worker process: settings become the chores that it does."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass

from cloud.chores import Chore
from cloud.config import Settings
from cloud.fleet.conductor import Conductor
from cloud.fleet.repository import PackageRepository
from cloud.fleet.standings import Standings
from cloud.ingest.messenger import Messenger
from cloud.operations.alarm_follower import AlarmFollower
from cloud.operations.alarms import Alarms
from cloud.operations.gateway_events import GatewayEvents
from cloud.operations.gateway_watch import GatewayWatch
from cloud.operations.rule_watch import RuleWatch
from cloud.ports import Clock
from cloud.readings import open_views
from cloud.records.database import Records
from cloud.services import Views
from cloud.storage.chunks.database import Database


@dataclass(frozen=True, slots=True)
class Workshop:
    """What every chore may use; closing: lets go of what was opened, in reverse order."""

    settings: Settings
    clock: Clock
    records: Records
    closing: ExitStack


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

    def views() -> Views:
        return workshop.closing.enter_context(closing(open_views(settings, clock)))

    def events() -> GatewayEvents:
        return workshop.closing.enter_context(closing(GatewayEvents(Database(settings.readings_path, read_only=True))))

    alarms = Alarms(records, clock)
    return [
        Chore("alarms from events", 0.2, AlarmFollower(records, events()).follow),
        Chore("alarms from rules", 1.0, RuleWatch(records, views().store, clock).look),
        Chore("alarms of gateways", 5.0, GatewayWatch(records, events(), views().store, clock).look),
        Chore("shelved alarms", 1.0, alarms.end_shelves),
    ]


def model_chores(workshop: Workshop) -> Sequence[Chore]:
    """Return who lets rollouts go on and tells gateways, and who renews the signatures of packages."""
    settings, clock, records = workshop.settings, workshop.clock, workshop.records
    roster = workshop.closing.enter_context(closing(Database(settings.readings_path, read_only=True)))
    messenger = workshop.closing.enter_context(closing(Messenger(settings.intake_path)))
    conductor = Conductor(records, clock, Standings(roster).all, messenger.publish)
    repository = PackageRepository(settings.packages_path, clock)
    return [
        Chore("rollouts", 1.0, conductor.run),
        Chore("signatures of packages", 600.0, repository.refresh),
    ]


CHORES: tuple[Callable[[Workshop], Sequence[Chore]], ...] = (alarm_chores, model_chores)
"""Who brings chores: one function a subject."""
