"""A plant's store and records for each test of what looks into them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from cloud.domain.device import Device
from cloud.ports import ReadingStore, Series
from cloud.records.database import Records
from tests.cloud.analysis.rows import Floats
from tests.support.cloud import arrival
from tests.support.cloud_clock import HandClock
from tests.support.records import new_records
from tests.support.stores import chunk_store

PUMP = Device(1, "gw-1", "pump-1", "pump-1", type="pump")


@dataclass(frozen=True, slots=True)
class Plant:
    """One pump, whose newest reading is of now."""

    store: ReadingStore
    records: Records
    clock: HandClock

    def send(self, values: Floats, *, every_s: float, ago_s: float = 0.0, tag: str = "flow") -> None:
        """Store values, the last one so long ago."""
        step_us = round(every_s * 1e6)
        end_us = self.clock.now_us() - round(ago_s * 1e6)
        times = end_us - step_us * np.arange(len(values) - 1, -1, -1)
        with self.store.transaction():
            self.store.write([arrival(tag=tag, time_us=times.tolist(), value=values.tolist(), period_s=every_s)])

    @property
    def series(self) -> Sequence[Series]:
        """Return the pump's series."""
        return self.store.series(source="gw-1", device="pump-1")


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    """Give a plant with real stores."""
    records = new_records(tmp_path)
    clock = HandClock()
    store, database = chunk_store(tmp_path / "readings.db", clock)
    yield Plant(store, records, clock)
    store.close()
    database.close()
    records.close()
