"""The composition root of the worker process: settings become the chores that it does."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass

from cloud.chores import Chore
from cloud.config import Settings
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


CHORES: tuple[Callable[[Workshop], Sequence[Chore]], ...] = (alarm_chores,)
"""Who brings chores: one function a subject."""
