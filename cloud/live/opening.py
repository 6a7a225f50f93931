"""Opening: the live side of one process, out of the settings and the services."""

from cloud.config import Settings
from cloud.live.device_updates import DeviceUpdates
from cloud.live.feed import Feed
from cloud.live.hub import Admit, Bounds, Figures, Hub
from cloud.live.source import Source
from cloud.records.database import Records
from cloud.services import Services


def open_hub(settings: Settings, records: Records, services: Services, admit: Admit) -> Hub:
    """Return the hub; it does nothing before somebody connects."""
    feed = Feed(Source(records, services.threads))
    updates = DeviceUpdates(feed, services.watching, services.registry, services.clock)
    live = settings.live
    bounds = Bounds(live.max_connections, live.max_socketio, live.allowed_origins)
    return Hub(services.clock, feed, updates, admit, _figures(services), bounds)


def _figures(services: Services) -> Figures:
    async def figures() -> dict[str, object]:
        told = await services.collector.live(
            lambda look: services.threads.run(lambda _: look()), services.doctor.examine
        )
        return dict(told)

    return figures
