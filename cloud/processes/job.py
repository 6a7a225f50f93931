"""The process of one job: takes its order, bounds itself, does the work, and dies with its worker."""

import os
import resource
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from cloud.clock import SystemClock
from cloud.config import Settings
from cloud.domain.job import JobKind
from cloud.jobs.bench import Bench, Work
from cloud.jobs.doing import do_job
from cloud.jobs.opening import open_models
from cloud.jobs.order import Order, die_with
from cloud.logs import configure_logs
from cloud.operations.gateway_events import GatewayEvents, GatewayFacts
from cloud.ports import ReadingStore
from cloud.records.database import Records
from cloud.storage.chunks.database import Database
from cloud.storage.chunks.store import ChunkStore
from cloud.storage.files import DirectoryFiles

_MIB = 1024 * 1024
_BESIDES_MIB = 512
"""Address space for code, stacks and pools; the worker watches what is really used."""
_SPARE_S = 60
_NICE = 5


def serve_job(kinds: Mapping[JobKind, Work]) -> None:
    """Do the job that stands on standard input; raise Invalid, Unavailable."""
    pipe = sys.stdin.buffer
    order = Order.read(pipe)
    die_with(pipe)
    _bound(order)
    settings = Settings.model_validate_json(order.settings)
    configure_logs(settings.log.level)
    with ExitStack() as closing:
        do_job(open_bench(settings, closing), order, kinds)


def open_bench(settings: Settings, closing: ExitStack) -> Bench:
    """Return what jobs use; nothing but the records is opened before somebody asks."""
    clock = SystemClock()
    records = Records(settings.records_url)
    closing.callback(records.close)
    opened: list[tuple[ReadingStore, GatewayEvents]] = []

    def opened_once() -> tuple[ReadingStore, GatewayEvents]:
        if not opened:
            database = Database(settings.readings_path, read_only=True)
            closing.callback(database.close)
            opened.append((ChunkStore(database, clock), GatewayEvents(database)))
        return opened[0]

    def gateways() -> Sequence[GatewayFacts]:
        return opened_once()[1].gateways()

    return Bench(
        settings,
        clock,
        records,
        DirectoryFiles(settings.files_path),
        open_models(settings, records, clock),
        readings=lambda: opened_once()[0],
        gateways=gateways,
    )


def _bound(order: Order) -> None:
    """Let the kernel end what the worker cannot: a job that outlives it, or takes all memory between two looks."""
    os.nice(_NICE)
    seconds = int(order.seconds + _SPARE_S) * (os.cpu_count() or 1)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    data = (order.memory_mib + _BESIDES_MIB) * _MIB
    resource.setrlimit(resource.RLIMIT_DATA, (data, data))


def main() -> None:
    """Run as a child of the worker."""
    from cloud.jobs.kinds import KINDS  # noqa: PLC0415 - what learns is loaded within the bounds

    serve_job(KINDS)


if __name__ == "__main__":
    main()
