"""A further ingest process: takes messages from the broker and hands them to the one that writes."""

import asyncio
import os
import signal
import sys

from cloud.config import Settings, load_settings, read_secret
from cloud.errors import InvalidConfig
from cloud.ingest.consumer import Consumer
from cloud.logs import configure_logs
from cloud.processes.tether import Tether


def serve_consumer(settings: Settings, tether: Tether) -> None:
    """Take messages until SIGTERM; raise InvalidConfig where there is no broker."""
    if settings.mqtt is None:
        raise InvalidConfig(["mqtt: further ingest processes take from a broker, and none is configured"])
    asyncio.run(_serve(settings, tether))


async def _serve(settings: Settings, tether: Tether) -> None:
    assert settings.mqtt is not None  # noqa: S101 - the caller looked
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    password = read_secret(settings.mqtt.password)
    consumer = Consumer(settings.mqtt, password, settings.intake_path, name=f"lineside-consumer-{os.getpid()}")
    tether.tell_ready({})
    await consumer.run(stop)


def main() -> None:
    """Run as a child of the supervisor."""
    tether = Tether.parse(sys.argv[1:])
    settings = load_settings(tether.config)
    configure_logs(settings.log.level, settings.log_level_path)
    tether.hold()
    serve_consumer(settings, tether)


if __name__ == "__main__":
    main()
