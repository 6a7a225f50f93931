"""Measures the REST API: `python -m tests.bench.rest [--times 40] [--report FILE]`.

A real cloud, both processes, over a file made beforehand: 30 days of 1 Hz of one series, merged, and 100 devices with
ten series each. One client asks over one connection, sequentially, and reads whole answers; its own share is in the
figures. The readings are those of `tests.bench.store`.
"""

import argparse
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from urllib.parse import urlencode, urlsplit

import numpy as np

from cloud.config import Settings
from cloud.domain.scopes import Scope
from cloud.ports import Arrival
from cloud.processes.ingest import open_readings
from cloud.setup import migrate
from cloud.storage.chunks.store import ChunkStore
from cloud.storage.spans import DAY_US
from protocols.reading import Column, Kind, ReadingBlock
from protocols.tag import DeviceInfo, TagInfo, TagTable
from tests.bench.measure import Figure, Target, save, say, table
from tests.bench.store import SEED, START_US, WallClock, arrivals, drain, polls
from tests.bench.store import table as tag_table
from tests.support.cloud import CloudServer, settings_in

DAYS = 30
DEVICES, TAGS_EACH = 100, 10
END_US = START_US + DAYS * DAY_US
_RAW = DAY_US // 1_000_000


def fill(settings: Settings) -> None:
    """Write the readings that are asked for."""
    settings.data.mkdir()
    clock = WallClock()
    migrate(settings, clock)
    database = open_readings(settings)
    store = ChunkStore(database, clock)
    times, values = polls(np.random.default_rng(SEED), DAYS * 86_400, 1)
    for one in (*arrivals(times, values, tag_table(1, "press-2"), 8192), hall()):
        with store.transaction():
            store.write([one])
        store.maintain(deadline_s=0.05)
    drain(store)
    database.close()


def hall() -> Arrival:
    """Return one reading of each series of many devices."""
    count = DEVICES * TAGS_EACH
    devices = tuple(DeviceInfo(f"machine-{number}") for number in range(DEVICES))
    tags = tuple(
        TagInfo(device, f"tag-{number}", Kind.FLOAT, is_primary=not number)
        for device in range(DEVICES)
        for number in range(TAGS_EACH)
    )
    column = Column(
        Kind.FLOAT,
        np.arange(count, dtype=np.uint32),
        np.full(count, END_US, np.int64),
        np.arange(count) / 8,
        np.zeros(count, np.uint8),
    )
    return Arrival("gw-2", TagTable(devices, tags), ReadingBlock((column,)))


class Client:
    """Asks over one connection that is kept."""

    def __init__(self, url: str, key: str) -> None:
        place = urlsplit(url)
        assert place.hostname is not None
        self._connection = HTTPConnection(place.hostname, place.port, timeout=60)
        self._headers = {"X-API-Key": key}

    def get(self, path: str, **query: str | int) -> bytes:
        """Return the body of an answer, which must be a good one."""
        asked = f"{path}?{urlencode(query)}" if query else path
        self._connection.request("GET", asked, headers=self._headers)
        answer = self._connection.getresponse()
        body = answer.read()
        assert answer.status == 200, body
        return body

    def timed_ms(self, times: int, path: str, **query: str | int) -> Sequence[float]:
        """Return how long each of so many answers took, after two that are not counted."""
        took = []
        for _ in range(times + 2):
            begun = perf_counter()
            self.get(path, **query)
            took.append((perf_counter() - begun) * 1e3)
        return took[2:]

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


def figures(name: str, took_ms: Sequence[float], target_ms: float | None = None) -> list[Figure]:
    """Return the median, against its target, and what 95 % of the answers stay below."""
    target = None if target_ms is None else Target(target_ms)
    return [
        Figure(f"{name}, p50", statistics.median(took_ms), "ms", target),
        Figure(f"{name}, p95", float(np.percentile(took_ms, 95)), "ms"),
    ]


def measure(directory: Path, *, times: int) -> list[Figure]:
    """Ask a new cloud each question so many times."""
    fill(settings_in(directory / "data"))
    with CloudServer(directory) as server:
        client = Client(server.url, server.key(Scope.DATA_READ))
        day = history(END_US - DAY_US)
        assert abs(client.get("/api/v1/historical_data", **day).count(b"Z") - _RAW) <= 1, "times jitter at the borders"
        found = [
            *figures("nothing but the way through (GET /)", client.timed_ms(times, "/")),
            *figures("one device of 101", client.timed_ms(times, "/api/v1/devices/press-2")),
            *figures("all devices: latest of 1001 series", client.timed_ms(times, "/api/v1/devices")),
            *figures(f"24 h raw, {_RAW:,} readings", client.timed_ms(times, "/api/v1/historical_data", **day), 80),
            *figures(
                f"{DAYS} days of 1 Hz to 1000 points",
                client.timed_ms(times, "/api/v1/historical_data", **history(START_US), max_points=1000),
                10,
            ),
        ]
        client.close()
    return found


def history(start_us: int) -> dict[str, str | int]:
    """Return a question for the long series from this time to its end."""
    start, end = (datetime.fromtimestamp(time_us / 1e6, UTC).isoformat() for time_us in (start_us, END_US))
    return {"device_id": "press-2", "metric": "tag-0", "start": start, "end": end}


def main() -> None:
    """Parse the command line, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=40)
    parser.add_argument("--report", type=Path)
    wishes = parser.parse_args()
    with TemporaryDirectory() as directory:
        found = measure(Path(directory), times=wishes.times)
    say(table("REST, one client, sequentially", found))
    if wishes.report:
        save(wishes.report, found)


if __name__ == "__main__":
    main()
