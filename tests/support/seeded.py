"""SeededPlant: a freshly seeded cloud as real processes, with at least one of everything that the documents speak of.

Readings of 34 hours (a sensor is stuck at their end), alarms, datasets, a fitted detector, a served classifier, the
documented models, an experiment, a planned event, users. What a test asks for by name is in `ids`.
"""

import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import numpy as np

from cloud.clock import SystemClock
from cloud.config import Settings, load_settings
from cloud.domain.load import LoadBin, Service
from cloud.ports import Arrival
from cloud.processes.ingest import open_readings
from cloud.records.database import Records
from cloud.records.load import add_load
from cloud.storage.chunks.store import ChunkStore
from protocols.delivery import State
from protocols.reading import Column, Kind, ReadingBlock
from protocols.tag import DeviceInfo, TagInfo, TagTable
from tests.support.alarms import anomaly, opened
from tests.support.cloud import CloudServer
from tests.support.ingest import GATEWAY, Desk
from tests.support.plant_rows import TAGS, healthy
from tests.support.stores import write
from tests.support.waiting import wait_until

V1 = "/api/v1"
HOURS = 34
STUCK_HOURS = 8
PERIOD_S = 10
PASSWORD = "correct-horse-battery-7"  # noqa: S105 - of users that live as long as a test
CLASSES = b"speed,load,fails\n" + b"".join(
    b"%d,%d,%s\n" % (n, n * n % 7, b"yes" if n % 3 else b"no") for n in range(90)
)
_WELL = healthy(400, seed=7)
NUMBERS = b"flow,pressure,speed,vibration\n" + b"".join(b"%.3f,%.3f,%.3f,%.3f\n" % tuple(row) for row in _WELL)
ROW = {"flow": 10.0, "pressure": 10.0, "speed": 10.0, "vibration": 10.0}


def plant_readings(devices: Sequence[str], now_us: int) -> Sequence[Arrival]:
    """Return the last 34 hours of machines that are well, a row each ten seconds; a sensor of the last one is stuck."""
    n = HOURS * 3600 // PERIOD_S
    times = now_us - 1_000_000 * PERIOD_S * np.arange(n, 0, -1, dtype=np.int64)
    rows = [healthy(n, seed=number) for number in range(len(devices))]
    stuck = STUCK_HOURS * 3600 // PERIOD_S
    rows[-1][-stuck:, 0] = rows[-1][-stuck, 0]
    return [_arrival(device, times, of) for device, of in zip(devices, rows, strict=True)]


def _arrival(device: str, times: Any, rows: Any) -> Arrival:  # noqa: ANN401 - arrays
    n, width = rows.shape
    column = Column(
        Kind.FLOAT,
        np.tile(np.arange(width, dtype=np.uint32), n),
        np.repeat(times, width),
        rows.ravel(),
        np.zeros(n * width, np.uint8),
    )
    tags = tuple(TagInfo(0, tag, Kind.FLOAT, "mm/s", period_s=PERIOD_S, is_primary=tag == "vibration") for tag in TAGS)
    return Arrival(GATEWAY, TagTable((DeviceInfo(device, "pump", device, "Hall 1"),), tags), ReadingBlock((column,)))


def past_load(minute: int) -> Sequence[LoadBin]:
    """Return what each service was asked for in the last 30 hours, with a swing of an hour."""
    return [
        LoadBin(
            service, minute - back, "seeded", messages=600 + 10 * (back % 60), readings=6000, seconds=60.0, online=2
        )
        for service in Service
        for back in range(1, 60 * HOURS)
    ]


@dataclass
class SeededPlant:
    """A cloud in a directory of its own, seeded before and after it starts. A context manager."""

    directory: Path
    mode: str = "auth: {registration: open}\n"
    devices: Sequence[str] = ("pump-1", "pump-2")
    are_models_seeded: bool = True
    ids: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # No process less in the midst of a request.
        kept = "scaling: {executor: dry_run, instances: [{service: jobs, most: 2}]}\nlimits: {profile: high}\n"
        extra = f"api: {{port: 0, registry_port: 0}}\n{kept}{self.mode}"
        self.server = CloudServer(self.directory, extra=extra)
        self.key_file = self.directory / "first-key"

    def prepare(self) -> Self:
        """Write what was there before the cloud starts but for readings: keys, models; nothing where that is done."""
        if not self.key_file.exists():
            self.server.run("init", "--key-file", str(self.key_file))
            if self.are_models_seeded:
                seed = [sys.executable, "-m", "cloud.cli", "seed-models", "--config", str(self.server.config)]
                subprocess.run(seed, check=True, capture_output=True, timeout=600)
        return self

    def __enter__(self) -> Self:
        self.prepare()
        # Now, not when it was prepared: of readings older than a quarter of an hour nothing is judged.
        self._write_past(load_settings(self.server.config))
        self.ids["key"] = self.key_file.read_text().strip()
        self.ids["setup"] = load_settings(self.server.config).setup_token_path.read_text().strip()
        self.server.__enter__()
        self.http = self.client(self.ids["key"])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.http.close()
        self.server.__exit__(kind, error, trace)

    @property
    def url(self) -> str:
        """Return the API's address."""
        return self.server.url

    @property
    def registry_url(self) -> str:
        """Return the address of the registry's own port."""
        return str(self.server.facts["registry"])

    def client(self, key: str = "") -> httpx.Client:
        """Return a client that carries a key, or nothing."""
        headers = {"X-API-Key": key} if key else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=90)

    def seed(self) -> Self:
        """Make one of everything by the API, as its users would."""
        self.people()
        self._data()
        self._learning()
        self._operations()
        return self

    def post(self, path: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - arguments of httpx
        """Return what a POST under /api/v1 answers; raise AssertionError with the body for an error."""
        answer = self.http.post(f"{V1}{path}", **more)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        found: dict[str, Any] = answer.json()
        return found

    def get(self, path: str, **query: Any) -> Any:  # noqa: ANN401 - JSON
        """Return what a GET under /api/v1 answers; raise AssertionError with the body for an error."""
        answer = self.http.get(f"{V1}{path}", params=query)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def dataset(self, name: str, content: bytes = NUMBERS, **form: str) -> str:
        """Upload a dataset and return its id."""
        sent = self.post("/datasets", files={"file": (f"{name}.csv", content)}, data={"name": name, **form})
        return str(sent["id"])

    def detector(self, name: str, *, is_fitted: bool = False) -> str:
        """Make a detector, fitted on numbers if wanted, and return its id."""
        body = {"name": name, "algorithm_name": "IsolationForest", "contamination_rate": 0.1}
        made = str(self.post("/detectors", json=body)["id"])
        if is_fitted:
            self.post("/detection/train", json={"detector_id": made, "dataset_id": self.ids["dataset_id"]})
        return made

    def ended(self, path: str) -> dict[str, Any]:
        """Return a job when it has ended."""
        told: dict[str, Any] = {}

        def has_ended() -> bool:
            told.update(self.get(path))
            state = told.get("status", told.get("state"))
            return state in ("completed", "failed", "succeeded", "SUCCESS", "FAILURE")

        wait_until(has_ended, deadline_s=90, every_s=0.1)
        return told

    def _write_past(self, settings: Settings) -> None:
        database = open_readings(settings)
        store = ChunkStore(database, SystemClock())
        write(store, *plant_readings(self.devices, SystemClock().now_us()))
        store.close()
        database.close()
        desk = Desk(settings.readings_path)
        desk.state(State(online=True, epoch=7, version="1"))
        desk.batches(opened(1), opened(2, anomaly("e-2", device="pump-2", at_s=10)))
        desk.database.close()
        with closing(Records(settings.records_url)) as records, records.writing() as session:
            add_load(session, past_load(SystemClock().now_us() // 60_000_000))

    def _is_filled(self, path: str) -> None:
        """Wait until a list has an item."""

        def has_any() -> bool:
            told = self.get(path)
            return bool(told if isinstance(told, list) else told["predictions"])

        wait_until(has_any, deadline_s=90, every_s=0.2)

    def people(self) -> None:
        """Let the administrator register with the set-up token and take a token."""
        admin = {"username": "admin", "email": "admin@plant.example", "password": PASSWORD}
        with self.client() as nobody:
            assert nobody.post(f"{V1}/auth/register", json=admin | {"invite": self.ids["setup"]}).status_code == 201
            form = {"username": "admin", "password": PASSWORD}
            self.ids["token"] = nobody.post(f"{V1}/auth/token", data=form).json()["access_token"]

    def _data(self) -> None:
        self.ids["file_id"] = str(self.post("/upload", files={"file": ("data.csv", CLASSES)})["file_id"])
        self.ids["dataset_id"] = self.dataset("numbers")
        reading = {"sensor_id": "sensor_001", "value": 21.5, "sensor_type": "temperature", "unit": "celsius"}
        self.post("/data/ingest", json=reading)
        self.ids["device_id"] = "pump-1"

    def _learning(self) -> None:
        self.ids["experiment_id"] = str(self.post("/experiments", json={"name": "Bearings"})["id"])
        wish = {"file_id": self.ids["file_id"], "model_name": "fails", "experiment_id": self.ids["experiment_id"]}
        self.ids["job_id"] = str(self.post("/train", json=wish)["job_id"])
        done = self.ended(f"/training/{self.ids['job_id']}")
        assert done["status"] == "completed", done
        self.ids["model_id"] = str(done["model_id"])
        self.post(f"/models/{self.ids['model_id']}/deploy")
        self.ids["detector_id"] = self.detector("Pumps", is_fitted=True)

    def _operations(self) -> None:
        event = {"event_type": "shift_change", "name": "Late shift", "expected_impact_multiplier": 1.3}
        span = {"start_time": "2099-01-01T06:00:00Z", "end_time": "2099-01-01T07:00:00Z"}
        self.ids["event_id"] = str(self.post("/events", json=event | span)["id"])
        wait_until(lambda: bool(self.get("/alerts")), deadline_s=30, every_s=0.1)
        self.ids["alert_id"] = str(self.get("/alerts")[0]["id"])
        for path in ("/recommendations", "/predictions/current", "/predictions/history"):
            self._is_filled(path)
        wish = {"service_name": "jobs", "target_instances": 2, "reason": "month's end"}
        self.ids["scaling_decision_id"] = str(self.post("/scaling/manual", json=wish)["decision_id"])
        report = self.post("/tasks/start_report")
        export = self.get("/export_data", format="json", days=7)
        self.ids["task_id"] = str(report["task_id"])
        for name, task in (("report", report), ("export", export)):
            done = self.ended(f"/tasks/status/{task['task_id']}")
            assert done["status"] == "SUCCESS", done
            path = str(done["result"].get(f"{name}_path"))
            self.ids[f"{name}_file"] = str(done["result"].get("filename") or path.rpartition("/")[2])
