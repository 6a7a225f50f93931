"""The ingest process: the one that writes readings."""

import asyncio
import signal
import sys
from collections.abc import Callable

from cloud.clock import SystemClock
from cloud.config import Settings, load_settings, read_secret
from cloud.domain.retention import RetentionPolicy, RetentionRule
from cloud.ingest.worker import IngestParts, nothing, run_ingest
from cloud.logs import configure_logs
from cloud.processes.tether import Tether
from cloud.storage.chunks.database import Database
from cloud.storage.chunks.store import ChunkStore

_MIB = 1024 * 1024


def serve_ingest(settings: Settings, tether: Tether, *, committed: Callable[[], None] = nothing) -> None:
    """Take readings in until SIGTERM; raise InvalidConfig, Unavailable.

    committed: called between each commit and its acks, where tests let the process die.
    """
    asyncio.run(_serve(settings, lambda: tether.tell_ready({"intake": str(settings.intake_path)}), committed))


async def _serve(settings: Settings, ready: Callable[[], None], committed: Callable[[], None]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    database = open_readings(settings)
    clock = SystemClock()
    store = ChunkStore(database, clock)
    try:
        parts = IngestParts(
            store=store,
            database=database,
            clock=clock,
            door=settings.intake_path,
            mqtt=settings.mqtt,
            password=read_secret(settings.mqtt.password) if settings.mqtt is not None else "",
            policy=policy_of(settings),
        )
        await run_ingest(parts, stop=stop, ready=ready, committed=committed)
    finally:
        store.close()
        database.close()


def open_readings(settings: Settings) -> Database:
    """Return the readings' file opened for writing; raise Unavailable where another process has it."""
    bound = settings.store.max_size_mib
    return Database(
        settings.readings_path,
        minimum_free=settings.store.minimum_free,
        max_bytes=None if bound is None else bound * _MIB,
    )


def policy_of(settings: Settings) -> RetentionPolicy:
    """Return how long which series are kept."""
    rules = tuple(RetentionRule(rule.days, rule.gateway, rule.device, rule.tag) for rule in settings.store.retention)
    return RetentionPolicy(rules, settings.store.retention_days)


def main() -> None:
    """Run as a child of the supervisor."""
    tether = Tether.parse(sys.argv[1:])
    settings = load_settings(tether.config)
    configure_logs(settings.log.level, settings.log_level_path)
    tether.hold()
    serve_ingest(settings, tether)


if __name__ == "__main__":
    main()
