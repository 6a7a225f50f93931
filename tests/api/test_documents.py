"""Every entry of the five documents, on a live, freshly seeded cloud under both prefixes; a table at the end.

`documents.yaml` is our record of the entries. REST entries are asked here; the others name the test that proves them.
"""

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import yaml

from tests.support.seeded import CLASSES, PASSWORD, ROW, SeededPlant

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
HERE = Path(__file__).parent
ENTRIES: list[dict[str, Any]] = yaml.safe_load((HERE / "documents.yaml").read_text(encoding="utf-8"))
ASKED = ("rest", "registry", "doc")
MOUNTS = ("/api/v1", "/api")
SPAN = {"time_range_start": "2026-01-01T00:00:00Z", "time_range_end": "2026-01-31T00:00:00Z"}
EVENT = {
    "event_type": "flash_sale",
    "name": "Backlog",
    "start_time": "2099-11-29T00:00:00Z",
    "end_time": "2099-11-29T23:59:59Z",
    "expected_impact_multiplier": 5.0,
    "source": "calendar",
    "metadata": {"region": "north"},
}
AI4I = {
    "Air_temperature_K": 298.1,
    "Process_temperature_K": 308.6,
    "Rotational_speed_rpm": 1551,
    "Torque_Nm": 42.8,
    "Tool_wear_min": 108,
}
READING = {"sensor_id": "TEMP_9", "value": 25.5, "sensor_type": "temperature", "unit": "celsius"}
SEEN = {**READING, "timestamp": "2026-01-01T00:00:00Z", "quality": 1.0}
Ids = Mapping[str, str]
PASSED: Counter[str] = Counter()


@dataclass(frozen=True)
class Probe:
    """How an entry is asked: arguments of httpx, ids for its path that are made for it, and with which credential."""

    body: Callable[[SeededPlant], dict[str, Any]] = lambda _: {}
    fresh: Callable[[SeededPlant], Ids] = lambda _: {}
    credential: str = "key"
    text: str = ""
    """What an answer that is no JSON holds."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """Values that the answer has."""


def sent(**body: Any) -> Callable[[SeededPlant], dict[str, Any]]:  # noqa: ANN401 - JSON
    """Return the sending of a JSON body."""
    return lambda _: {"json": body}


def asked(**query: Any) -> Callable[[SeededPlant], dict[str, Any]]:  # noqa: ANN401 - values of a query
    """Return the asking with a query."""
    return lambda _: {"params": query}


def detecting(**more: Any) -> Callable[[SeededPlant], dict[str, Any]]:  # noqa: ANN401 - JSON
    """Return the sending of a body about the fitted detector."""
    return lambda plant: {"json": {"detector_id": plant.ids["detector_id"], **more}}


def newcomer(plant: SeededPlant) -> dict[str, Any]:
    """Return the registration of somebody new."""
    plant.ids["people"] = str(int(plant.ids.get("people", "0")) + 1)
    name = f"anna{plant.ids['people']}"
    return {"json": {"username": name, "email": f"{name}@plant.example", "password": PASSWORD}}


PROBES: dict[str, Probe] = {
    "S0-001": Probe(credential=""),
    "S0-002": Probe(credential="", fields={"database": "ok", "status": "healthy"}),
    "S0-003": Probe(credential="", fields={"db_status": "connected"}),
    "S0-004": Probe(credential="", fields={"status": "healthy"}),
    "S0-006": Probe(credential="", text="# TYPE"),
    "S0-007": Probe(credential="", text="swagger"),
    "S0-008": Probe(credential="", text="redoc"),
    "S0-009": Probe(sent(**READING), fields={"status": "event_published", "sensor_id": "TEMP_9"}),
    "S0-012": Probe(sent(report_type="anomaly_summary", format="json", include_charts=True, parameters={}, **SPAN)),
    "S0-017": Probe(
        sent(request_id="req_maintenance_123", decision="approve", justification="hot", operator_id="operator_001"),
        fields={"status": "success", "request_id": "req_maintenance_123"},
    ),
    "S0-018": Probe(sent(model_name="ai4i_classifier_randomforest_baseline", model_version="auto", features=AI4I)),
    "S0-019": Probe(
        sent(
            model_name="anomaly_detector_refined_v2", model_version="auto", sensitivity=0.7, sensor_readings=[SEEN] * 20
        ),
        fields={"total_readings_analyzed": 20},
    ),
    "S0-020": Probe(sent(sensor_id="sensor_001", window_minutes=60, p_value_threshold=0.05, min_samples=30)),
    "S0-022": Probe(),
    "S0-023": Probe(sent(name="anomaly_detector_refined_v2")),
    "S1-001": Probe(credential="", fields={"status": "healthy"}),
    "S1-002": Probe(fields={"status": "operational"}),
    "S1-003": Probe(lambda _: {"files": {"file": ("data.csv", CLASSES)}}, fields={"rows": 90, "columns": 3}),
    "S1-004": Probe(lambda plant: {"json": {"file_id": plant.ids["file_id"]}}, fields={"status": "started"}),
    "S1-005": Probe(
        fresh=lambda plant: {"job_id": plant.post("/train", json={"file_id": plant.ids["file_id"]})["job_id"]}
    ),
    "S1-007": Probe(asked(status="deployed", sort="name", limit=5), fields={"limit": 5}),
    "S1-008": Probe(fields={"name": "fails"}),
    "S1-009": Probe(fields={"status": "deployed"}),
    "S1-010": Probe(sent(data=[{"speed": 3, "load": 2}])),
    "S1-012": Probe(sent(training={"defaultTimeout": 240}), fields={"updated_fields": ["training.defaultTimeout"]}),
    "S1-013": Probe(asked(limit=50, type="training")),
    "S2-001": Probe(
        lambda _: {"data": {"username": "admin", "password": PASSWORD}},
        credential="",
        fields={"token_type": "bearer", "expires_in": 3600},
    ),
    "S2-002": Probe(credential="", fields={"status": "healthy"}),
    "S2-003": Probe(credential=""),
    "S2-004": Probe(asked(algorithm="IsolationForest", limit=10)),
    "S2-005": Probe(
        sent(
            name="Fans", algorithm_name="IsolationForest", contamination_rate=0.1, hyperparameters={}, description="x"
        ),
        fields={"is_fitted": False, "algorithm_name": "IsolationForest"},
    ),
    "S2-007": Probe(
        sent(description="new words"),
        fresh=lambda plant: {"detector_id": plant.detector("Changed")},
        fields={"description": "new words"},
    ),
    "S2-008": Probe(fresh=lambda plant: {"detector_id": plant.detector("Gone")}),
    "S2-009": Probe(asked(format="csv", has_target="false")),
    "S2-010": Probe(
        lambda _: {"files": {"file": ("n.csv", CLASSES)}, "data": {"name": "n", "target_column": "fails"}},
        fields={"n_samples": 90, "target_column": "fails", "has_target": True},
    ),
    "S2-012": Probe(asked(size=5), fields={"sample_size": 5, "total_samples": 400}),
    "S2-013": Probe(fresh=lambda plant: {"dataset_id": plant.dataset("gone")}),
    "S2-014": Probe(
        lambda plant: {
            "json": {
                "detector_id": plant.ids["detector_id"],
                "dataset_id": plant.ids["dataset_id"],
                "validation_split": 0.2,
                "cross_validation": False,
                "save_model": True,
            }
        },
        fields={"success": True},
    ),
    "S2-015": Probe(
        lambda plant: {
            "json": {
                "detector_id": plant.ids["detector_id"],
                "dataset_id": plant.ids["dataset_id"],
                "threshold": 0.5,
                "return_scores": True,
            }
        },
        fields={"threshold_used": 0.5},
    ),
    "S2-018": Probe(detecting(instance=ROW, method="shap", feature_names=list(ROW))),
    "S2-020": Probe(sent(name="Fans", description="two", tags=["a", "b"]), fields={"tags": ["a", "b"]}),
    "S2-026": Probe(credential="", text="swagger"),
    "S2-027": Probe(credential="", text="redoc"),
    "S2-028": Probe(credential=""),
    "S2-029": Probe(credential="", text="swagger"),
    "S3-001": Probe(credential="", fields={"status": "healthy"}),
    "S3-002": Probe(asked(service="ingest", horizon="short")),
    "S3-003": Probe(asked(service="ingest", limit=10)),
    "S3-005": Probe(asked(limit=10)),
    "S3-006": Probe(sent(service_name="ingest", target_instances=1, reason="a test"), fields={"status": "pending"}),
    "S3-007": Probe(sent(**EVENT), fields={"status": "active", "event_type": "flash_sale"}),
    "S3-009": Probe(
        fresh=lambda plant: {"event_id": plant.post("/events", json=EVENT)["id"]}, fields={"status": "cancelled"}
    ),
    "S3-010": Probe(text="# TYPE"),
    "S3-011": Probe(asked(window="24h"), fields={"window": "24h"}),
    "S3-013": Probe(
        lambda _: {"json": {"model_name": "anomaly_detector_refined_v2", "training_days": 1}},
        fields={"status": "queued"},
    ),
    "S3-045": Probe(credential=""),
    "S3-046": Probe(credential="", text="swagger"),
    "S3-047": Probe(credential="", text="redoc"),
    "S4-001": Probe(newcomer, credential=""),
    "S4-002": Probe(
        sent(username="admin", password=PASSWORD),
        credential="",
        fields={"user.username": "admin", "user.role": "admin"},
    ),
    "S4-003": Probe(credential="cookie"),
    "S4-004": Probe(credential="cookie"),
    "S4-005": Probe(credential="token", fields={"logged_in_as": "admin", "role": "admin"}),
    "S4-007": Probe(asked(limit=1000)),
    "S4-008": Probe(fields={"device_id": "pump-1"}),
    "S4-009": Probe(asked(limit=50, acknowledged="false")),
    "S4-010": Probe(fields={"message": "Alert acknowledged"}),
    "S4-011": Probe(asked(device_id="pump-1"), fields={"device_id": "pump-1"}),
    "S4-015": Probe(asked(device_id="pump-1", hours=1, metric="value"), fields={"device_id": "pump-1"}),
    "S4-016": Probe(fields={"status": "PENDING"}),
    "S4-019": Probe(asked(format="json", days=7), fields={"status": "PENDING"}),
}
"""How each entry is asked that is more than its method and path with a key."""


@pytest.fixture(scope="module")
def plant(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeededPlant]:
    """Give one seeded plant to all entries."""
    directory = tmp_path_factory.mktemp("plant")
    shutil.copytree(prepared, directory, dirs_exist_ok=True)
    with SeededPlant(directory) as running:
        yield running.seed()


def mounts_of(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the prefixes under which an entry is served; what is at the root is served there alone."""
    path = urlsplit(entry["path"]).path
    is_mounted = path.startswith("/api/") and not path.startswith("/api/2.0/") and path != "/api/docs"
    return MOUNTS if is_mounted else ("",)


ALL = [
    (entry, mount) for entry in ENTRIES if entry["kind"] in ASKED and "method" in entry for mount in mounts_of(entry)
]
NAMES = [f"{entry['id']} {mount}" for entry, mount in ALL]


def url_of(entry: Mapping[str, Any], mount: str, ids: Ids) -> str:
    """Return where an entry is asked, with ids in place of names."""
    path = urlsplit(entry["path"]).path
    suffix = path.removeprefix("/api/v1").removeprefix("/api") if mount else path
    file = ids.get("report_file" if "/reports/" in path else "export_file", "")
    return f"{mount}{suffix}".format_map({**ids, "filename": file})


def ask(plant: SeededPlant, entry: Mapping[str, Any], mount: str) -> httpx.Response:
    """Return what an entry answers."""
    probe = PROBES.get(entry["id"], Probe())
    url = url_of(entry, mount, {**plant.ids, **probe.fresh(plant)})
    with closing(visitor(plant, probe.credential)) as client:
        return client.request(entry["method"], url, follow_redirects=True, **probe.body(plant))


def visitor(plant: SeededPlant, credential: str) -> httpx.Client:
    """Return a client with a key, a token, the cookies of a session, or nothing."""
    client = plant.client(plant.ids["key"] if credential == "key" else "")
    if credential == "token":
        client.headers["Authorization"] = f"Bearer {plant.ids['token']}"
    if credential == "cookie":
        client.post("/api/v1/auth/login", json={"username": "admin", "password": PASSWORD}).raise_for_status()
        client.headers["X-CSRF-Token"] = client.cookies["csrf_refresh_token"]
    return client


def values(body: Any, path: str) -> list[Any]:  # noqa: ANN401 - JSON
    """Return what stands under a dotted path, one for each item of the lists on the way; raise AssertionError."""
    found = [body]
    for name in path.split("."):
        is_list = name.endswith("[]")
        if name != "[]":
            found = [_field(one, name.removesuffix("[]"), path) for one in found if one is not None]
        if is_list:
            found = [item for one in found for item in one]
            assert found, f"{path}: the list is empty"
    return found


def _field(body: Any, name: str, path: str) -> Any:  # noqa: ANN401 - JSON
    assert isinstance(body, dict), f"{path}: no object at {name}: {str(body)[:200]}"
    assert name in body, f"{path}: there is no {name} among {', '.join(body)}"
    return body[name]


def never(text: str) -> float:
    """Refuse what is no JSON number."""
    raise AssertionError(f"the answer holds {text}")


@pytest.mark.parametrize(("entry", "mount"), ALL, ids=NAMES)
def test_an_entry_answers_as_documented(plant: SeededPlant, entry: dict[str, Any], mount: str) -> None:
    answer = ask(plant, entry, mount)
    good = [status for status in entry.get("statuses", [200]) if status < 400]
    assert answer.status_code in good, f"{answer.request.url} {answer.status_code}: {answer.text[:1000]}"
    assert answer.headers["X-Request-ID"]
    probe = PROBES.get(entry["id"], Probe())
    if probe.text:
        assert probe.text in answer.text.lower() or probe.text in answer.text
    is_json = answer.headers.get("content-type", "").startswith("application/json")
    body = json.loads(answer.text, parse_constant=never) if is_json and answer.content else None
    for path in entry.get("fields", []):
        values(body, path)
    for path, wanted in probe.fields.items():
        assert values(body, path) == [wanted], path
    if "limit" in entry:
        assert "X-RateLimit-Limit" in answer.headers
    PASSED[entry["id"]] += 1


@pytest.mark.parametrize(("entry", "mount"), ALL, ids=NAMES)
def test_an_entry_that_needs_a_credential_is_401_without(plant: SeededPlant, entry: dict[str, Any], mount: str) -> None:
    probe = PROBES.get(entry["id"], Probe())
    if not probe.credential or entry["id"] in ("S0-005", "S4-004"):
        pytest.skip("it is open")
    with plant.client() as nobody:
        answer = nobody.request(entry["method"], url_of(entry, mount, plant.ids), **probe.body(plant))
    assert answer.status_code == 401, answer.text[:300]
    told = answer.json()
    if entry["kind"] == "rest":
        assert isinstance(told["error"], str if mount == "/api" else dict)
        assert {"detail", "error_code", "timestamp", "request_id"} <= set(told)


UNKNOWN = [(entry, mount) for entry, mount in ALL if "{" in entry["path"]]


@pytest.mark.parametrize(("entry", "mount"), UNKNOWN, ids=[f"{one['id']} {mount}" for one, mount in UNKNOWN])
@pytest.mark.parametrize("identity", ["0197f3a2-5c1e-7d40-9a6b-001122334455", "..%2f..%2fetc%2fpasswd"])
def test_an_id_of_nothing_is_404(plant: SeededPlant, entry: dict[str, Any], mount: str, identity: str) -> None:
    names = ("job_id", "model_id", "detector_id", "dataset_id", "event_id", "device_id", "alert_id", "task_id")
    ids = dict.fromkeys((*names, "report_file", "export_file"), identity)
    body = PROBES.get(entry["id"], Probe()).body(plant)
    answer = plant.http.request(entry["method"], url_of(entry, mount, ids), **body)
    assert answer.status_code == 404, f"{answer.status_code} {answer.text[:300]}"


def test_every_entry_is_recorded_once() -> None:
    assert len({entry["id"] for entry in ENTRIES}) == len(ENTRIES) == 236


def test_every_entry_is_asked_or_names_its_proof_or_what_it_is_left_to() -> None:
    asked = {entry["id"] for entry, _ in ALL}
    rest = [entry for entry in ENTRIES if entry["id"] not in asked]
    without = [entry["id"] for entry in rest if "proved" not in entry and "left" not in entry]
    gone = [entry["id"] for entry in rest if "proved" in entry and not (HERE.parent / entry["proved"]).exists()]
    assert (without, gone) == ([], [])


def test_the_table_of_all_entries(capsys: pytest.CaptureFixture[str]) -> None:
    wanted = Counter(entry["id"] for entry, _ in ALL)
    if not PASSED:
        pytest.skip("the entries were not asked in this run")
    documents = sorted({entry["id"][:2] for entry in ENTRIES})
    with capsys.disabled():
        print("\ndocument  entries  asked  covered  passed")  # noqa: T201 - the table is what this test is for
        for document in documents:
            ids = [entry["id"] for entry in ENTRIES if entry["id"].startswith(document)]
            mine = [one for one in ids if one in wanted]
            done = sum(PASSED[one] == wanted[one] for one in mine)
            print(f"{document:8}  {len(ids):7}  {len(mine):5}  {len(mine):7}  {done:6}")  # noqa: T201 - see above
    missing = sorted(one for one in wanted if PASSED[one] < wanted[one])
    assert missing == [], f"{len(missing)} of {len(wanted)} entries did not answer as documented"
