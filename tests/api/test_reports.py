"""/reports and /tasks: figures that equal what is stored, in four formats, behind doors and signed links."""

import base64
import csv
import io
import json
import struct
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from cloud.domain.alarm import Condition, Severity
from cloud.domain.alarm_words import Clear, Raise, Step
from cloud.domain.decision import Choice, Decision, DecisionKind, NewDecisionRequest
from cloud.domain.download import DownloadKind
from cloud.domain.scopes import Scope
from cloud.domain.times import to_datetime
from cloud.operations.downloads import DownloadKeeping
from cloud.operations.raising import apply_steps
from cloud.ports import StoredDevice
from cloud.records.decisions import add_request, decide, draw_event_id
from cloud.records.devices import register_devices
from cloud.storage.files import DirectoryFiles
from protocols.tag import DeviceInfo
from tests.support.alarms import PUMP, finding
from tests.support.cloud import Cloud
from tests.support.cloud_clock import START_US
from tests.support.papers import while_writing, write_papers

EVIL = Condition("gw-1", "=HYPERLINK(1)", "anomaly")
DOCUMENTED = {
    "report_type": "anomaly_summary",
    "format": "json",
    "time_range_start": "2025-05-11T00:00:00Z",
    "time_range_end": "2025-07-11T00:00:00Z",
    "include_charts": True,
}
START = to_datetime(START_US)


def raise_alarms(cloud: Cloud) -> None:
    """Three alarms of the range, one of them over, one far later."""
    late_s = 60 * 86_400.0
    steps: list[Step] = [
        Raise(PUMP, finding(0, severity=Severity.CRITICAL)),
        Raise(Condition("gw-1", "pump-1", "frozen", "flow"), finding(7200)),
        Clear(Condition("gw-1", "pump-1", "frozen", "flow"), finding(10_800).at_us),
        Raise(EVIL, finding(60)),
        Raise(Condition("gw-1", "pump-2", "range"), finding(late_s)),
    ]
    with cloud.api.records.writing() as session:
        register_devices(session, [StoredDevice("gw-1", DeviceInfo("pump-1"))])
        apply_steps(session, steps, by="gateway")


async def generate(cloud: Cloud, client: httpx.AsyncClient, **change: Any) -> httpx.Response:  # noqa: ANN401 - JSON
    body = {key: value for key, value in (DOCUMENTED | change).items() if value is not None}
    return await while_writing(cloud, client.post("/api/v1/reports/generate", json=body))


async def findings(cloud: Cloud, report_type: str, **change: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    async with cloud.client(Scope.REPORTS_GENERATE) as client:
        answer = await generate(cloud, client, report_type=report_type, include_charts=False, **change)
    assert answer.status_code == 200, answer.text
    content: dict[str, Any] = json.loads(answer.json()["content"])
    return content


async def test_the_documented_report_has_the_documented_shape_and_charts(cloud: Cloud) -> None:
    raise_alarms(cloud)
    async with cloud.client(Scope.REPORTS_GENERATE) as client:
        answer = await generate(cloud, client)
    assert answer.status_code == 200, answer.text
    report = answer.json()
    assert report["report_id"].startswith("rpt_")
    assert (report["report_type"], report["format"]) == ("anomaly_summary", "json")
    assert report["metadata"]["date_range"] == "2025-05-11 to 2025-07-11"
    assert isinstance(report["content"], str)
    assert 0 < len(report["charts_encoded"]) <= 6
    for encoded in report["charts_encoded"].values():
        picture = base64.b64decode(encoded, validate=True)
        assert picture.startswith(b"\x89PNG")
        assert struct.unpack(">II", picture[16:24]) == (900, 400)


async def test_an_anomaly_summary_counts_the_stored_alarms_of_its_range(cloud: Cloud) -> None:
    raise_alarms(cloud)
    found = await findings(cloud, "anomaly_summary")
    assert {name: found["figures"][name] for name in ("alarms", "resolved", "severity_critical")} == {
        "alarms": 3,
        "resolved": 1,
        "severity_critical": 1,
    }
    devices = {row["device_id"]: row["alarms"] for row in found["tables"]["by_device"]}
    assert devices == {"pump-1": 2, EVIL.device: 1}
    assert {row["severity"]: row["alarms"] for row in found["tables"]["by_severity"]} == {
        "info": 0,
        "warning": 2,
        "critical": 1,
    }
    assert found["tables"]["top_hours"][0]["alarms"] == 2
    lengths = {row["alert_id"]: row["minutes"] for row in found["tables"]["top_windows"]}
    assert 60.0 in lengths.values()


async def test_a_report_of_one_device_leaves_out_the_others(cloud: Cloud) -> None:
    raise_alarms(cloud)
    found = await findings(cloud, "anomaly_summary", parameters={"device_id": "pump-1"})
    assert found["figures"]["alarms"] == 2


async def test_a_health_report_says_what_waits_and_how_the_parts_are(cloud: Cloud) -> None:
    raise_alarms(cloud)
    found = await findings(cloud, "system_health")
    assert found["figures"]["system_health"] is None
    assert found["figures"]["alarms_unack_active"] == 3
    queues = {row["queue"]: row["waiting"] for row in found["tables"]["queues"]}
    assert (queues["jobs_running"], queues["jobs_queued"], queues["decisions_open"]) == (1, 0, 0)
    parts = {row["component"]: row["status"] for row in found["tables"]["components"]}
    assert parts == {"database": "healthy", "readings": "healthy", "gateways": "healthy"}


def decided(cloud: Cloud, choice: Choice | None, *, after: timedelta) -> None:
    new = NewDecisionRequest(DecisionKind.MAINTENANCE, "bearing", "bearing?", "anna", START)
    with cloud.api.records.writing() as session:
        request = add_request(session, new)
        if choice is not None:
            decide(session, Decision(draw_event_id(), request.id, choice, "", "bob", "key:1", START + after))


async def test_a_maintenance_summary_says_outcomes_times_and_open_work(cloud: Cloud) -> None:
    decided(cloud, Choice.APPROVE, after=timedelta(hours=1))
    decided(cloud, Choice.REJECT, after=timedelta(hours=3))
    decided(cloud, None, after=timedelta())
    found = await findings(cloud, "maintenance_summary")
    figures = found["figures"]
    assert (figures["requests"], figures["requests_approved"], figures["requests_rejected"]) == (3, 1, 1)
    assert (figures["hours_to_decision_median"], figures["hours_to_decision_p90"]) == (2.0, 3.0)
    assert [row["title"] for row in found["tables"]["open_work"]] == ["bearing?"]
    assert found["tables"]["by_operator"] == [{"operator": "bob", "decisions": 2}]


async def test_a_performance_summary_counts_jobs_and_requests(cloud: Cloud) -> None:
    now = datetime.now(UTC)
    span = {
        "time_range_start": (now - timedelta(days=1)).isoformat(),
        "time_range_end": (now + timedelta(1)).isoformat(),
    }
    await findings(cloud, "maintenance_summary", **span)
    found = await findings(cloud, "performance_summary", **span)
    (jobs,) = found["tables"]["jobs"]
    assert (jobs["kind"], jobs["ended"], jobs["failed"]) == ("report", 1, 0)
    requests = {row["route"]: row["requests"] for row in found["tables"]["requests"]}
    assert requests == {"POST /api/v1/reports/generate": 1}
    assert found["figures"]["forecasts_matured"] == 0


async def test_a_csv_report_runs_nothing_in_a_spreadsheet(cloud: Cloud) -> None:
    raise_alarms(cloud)
    async with cloud.client(Scope.REPORTS_GENERATE) as client:
        answer = await generate(cloud, client, format="csv", include_charts=False)
    rows = list(csv.reader(io.StringIO(answer.json()["content"])))
    assert ["alarms", "3", ""] in rows
    cells = {cell for row in rows for cell in row}
    assert f"'{EVIL.device}" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "@"))]


async def test_an_html_report_escapes_what_devices_are_called(cloud: Cloud) -> None:
    with cloud.api.records.writing() as session:
        apply_steps(session, [Raise(Condition("", "<script>alert(1)</script>", "anomaly"), finding())], by="gateway")
    async with cloud.client(Scope.REPORTS_GENERATE) as client:
        answer = await generate(cloud, client, format="html")
    page = answer.json()["content"]
    assert "&lt;script&gt;alert(1)" in page
    assert "<script" not in page
    assert 'src="data:image/png;base64,' in page
    assert "http" not in page.replace("http-equiv", "")


async def test_a_pdf_report_is_a_pdf_with_letters_beyond_latin(cloud: Cloud) -> None:
    with cloud.api.records.writing() as session:
        apply_steps(session, [Raise(Condition("", "насос-Ω", "anomaly"), finding())], by="gateway")
    async with cloud.client(Scope.REPORTS_GENERATE) as client:
        answer = await generate(cloud, client, format="pdf")
    report = answer.json()
    assert report["metadata"]["content_encoding"] == "base64"
    assert base64.b64decode(report["content"]).startswith(b"%PDF-")


BAD: tuple[tuple[dict[str, Any], int, str], ...] = (
    ({"report_type": None}, 400, "report_type"),
    ({"time_range_start": None}, 400, "time_range_start"),
    ({"time_range_end": None}, 400, "time_range_end"),
    ({"report_type": "gossip"}, 422, "report_type"),
    ({"format": "docx"}, 422, "format"),
    ({"time_range_start": "yesterday"}, 422, "time_range_start"),
    ({"time_range_start": "2025-01-01T00:00:00"}, 422, "time_range_start"),
    ({"time_range_start": "0001-01-01T00:00:00+14:00"}, 422, "time_range_start"),
    ({"time_range_start": "2025-08-11T00:00:00Z"}, 422, "time_range_end"),
    ({"time_range_end": DOCUMENTED["time_range_start"]}, 422, "time_range_end"),
    ({"time_range_start": "1970-01-01T00:00:00Z"}, 422, "time_range_end"),
    ({"include_charts": "many"}, 422, "include_charts"),
    ({"parameters": {"top": 0}}, 422, "parameters.top"),
    ({"parameters": {"colour": "red"}}, 422, "parameters.colour"),
    ({"colour": "red"}, 422, "colour"),
)


async def test_a_bad_report_is_refused_by_field_and_no_job_is_made(cloud: Cloud) -> None:
    async with cloud.client(Scope.REPORTS_GENERATE) as client:
        for change, status, field in BAD:
            body = {key: value for key, value in (DOCUMENTED | change).items() if value is not None}
            answer = await client.post("/api/v1/reports/generate", json=body)
            assert answer.status_code == status, (change, answer.text)
            assert answer.json()["error"]["details"]["field"] == field
    assert cloud.api.services.jobs.list()[1] == 0


async def test_a_task_goes_from_pending_to_a_file_that_a_link_opens(cloud: Cloud) -> None:
    async with cloud.client(Scope.ADMIN) as admin:
        started = await admin.post("/api/tasks/start_report")
        assert (started.status_code, started.json()["status"]) == (202, "PENDING")
        task = f"/api/tasks/status/{started.json()['task_id']}"
        assert (await admin.get(task)).json() == started.json()
        write_papers(cloud)
        done = (await admin.get(task)).json()
        assert (done["status"], done["result"]["status"]) == ("SUCCESS", "SUCCESS")
        path = done["result"]["report_path"]
        assert path.startswith("/reports/health_report_")
        page = await admin.get(path)
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "sandbox" in page.headers["content-security-policy"]
    async with cloud.client() as stranger:
        assert (await stranger.get(path)).status_code == 401
        link = done["result"]["download_url"]
        assert (await stranger.get(link)).content == page.content
        assert (await stranger.get(link.replace("expires=1", "expires=2"))).status_code == 401
        assert (await stranger.get(link.replace("health_report", "health_retort"))).status_code == 401
        cloud.clock.ahead_s = 24 * 3600 + 1
        assert (await stranger.get(link)).json()["error_code"] == "LINK_INVALID"
    async with cloud.client(Scope.DATA_READ) as reader:
        assert (await reader.get(path)).status_code == 403


NAMES = ("..%2f..%2frecords.db", "%2fetc%2fpasswd", "nothing.html", "C:%5cboot.ini", "a/b.html", "..%5crecords.db")


async def test_only_names_that_were_given_out_lead_to_files(cloud: Cloud) -> None:
    async with cloud.client(Scope.REPORTS_GENERATE) as client:
        for path in [f"/{folder}/{name}" for folder in ("reports", "exports") for name in NAMES]:
            assert (await client.get(path)).status_code == 404, path


async def test_starting_a_report_is_for_administrators_and_unknown_tasks_are_404(cloud: Cloud) -> None:
    async with cloud.client(Scope.REPORTS_GENERATE) as client:
        assert (await client.post("/api/v1/tasks/start_report")).status_code == 403
        missing = await client.get("/api/v1/tasks/status/job_none")
        assert (missing.status_code, missing.json()["error_code"]) == (404, "JOB_NOT_FOUND")


async def test_a_report_that_fails_says_why(cloud: Cloud) -> None:
    async with cloud.client(Scope.ADMIN) as admin:
        task_id = (await admin.post("/api/v1/tasks/start_report")).json()["task_id"]
        cloud.settings.files_path.mkdir(exist_ok=True)
        (cloud.settings.files_path / DownloadKind.REPORT.value).write_text("no folder")
        write_papers(cloud)
        task = (await admin.get(f"/api/v1/tasks/status/{task_id}")).json()
    assert task["status"] == "FAILURE"
    assert "cannot be written" in task["error"]


async def test_a_report_is_forgotten_after_ninety_days_with_its_charts(cloud: Cloud) -> None:
    raise_alarms(cloud)
    files = DirectoryFiles(cloud.settings.files_path)
    keeping = DownloadKeeping(cloud.api.records, files, cloud.clock)
    async with cloud.client(Scope.REPORTS_GENERATE) as client:
        path = (await generate(cloud, client)).json()["metadata"]["report_path"]
        for ahead_s, status in ((89 * 86_400, 200), (91 * 86_400, 404)):
            cloud.clock.ahead_s = ahead_s
            keeping.look()
            keeping.look()
            assert (await client.get(path)).status_code == status
            assert bool(list(files.names("reports"))) is (status == 200)
