"""The readings' file as those see it who only read: the views of one thread, and the room on its disk."""

import shutil

from cloud.config import Settings
from cloud.fleet.devices import Alarmed, Devices, Health
from cloud.fleet.gateways import Gateways
from cloud.fleet.standings import Standings
from cloud.operations.gateway_events import GatewayEvents
from cloud.operations.health import Room
from cloud.ports import Clock, ReadingStore
from cloud.services import Views
from cloud.storage.chunks.database import Database
from cloud.storage.chunks.lists import Lists
from cloud.storage.chunks.store import ChunkStore

_ONLINE_US = 300_000_000


def open_views(
    settings: Settings, clock: Clock, alarmed: Alarmed = dict, health: Health = dict, lists: Lists | None = None
) -> Views:
    """Return what one reading thread holds; lists: what several share. Raise Unavailable without a file of readings."""
    database = Database(settings.readings_path, read_only=True)
    store = ChunkStore(database, clock, lists=lists)
    gateways = Gateways(database)
    devices = Devices(store, clock, gateways.presence, alarmed, health)
    standings = Standings(database)
    return Views(store, devices, gateways, standings, GatewayEvents(database).newest, database.close)


def room_of(settings: Settings) -> Room:
    """Return the room on the disk of the readings."""
    usage = shutil.disk_usage(settings.data)
    return Room(usage.total, usage.free, settings.store.minimum_free)


def devices_online(store: ReadingStore, now_us: int) -> int:
    """Return how many Devices have a reading of the last five minutes, by its own time."""
    series = store.series()
    pairs = zip(series, store.latest(series), strict=True)
    since_us = now_us - _ONLINE_US
    return len({one.key[:2] for one, found in pairs if len(found.time_us) and found.time_us.item(0) > since_us})
