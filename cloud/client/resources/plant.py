"""Devices, readings, alarms, decisions: the plant and what people do about it."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from cloud.client.call import Call, given
from cloud.client.resources.base import Many_co, One_co, Raw_co, Resource


class Devices(Resource[One_co, Many_co, Raw_co]):
    """The machines."""

    def list(self, *, limit: int | None = None) -> Many_co:
        """Return the devices with their newest values and scores."""
        return self._list("/devices", **given(limit=limit))

    def get(self, device_id: str) -> One_co:
        """Return one device."""
        return self._get(f"/devices/{_part(device_id)}")

    def history(
        self, device_id: str, *, hours: float = 24, metric: str | None = None, max_points: int | None = None
    ) -> One_co:
        """Return times and values of a channel, the primary one where none is named."""
        return self._get(
            "/historical_data", device_id=device_id, hours=hours, **given(metric=metric, max_points=max_points)
        )

    def health_scores(self, *device_ids: str) -> One_co:
        """Return the score 0..1 of each device, or of these."""
        return self._get("/health_scores", **given(device_id=[*device_ids] or None))

    def recommendations(self) -> Many_co:
        """Return what to do, the most pressing first."""
        return self._list("/recommendations")


class Readings(Resource[One_co, Many_co, Raw_co]):
    """Values sent without a gateway."""

    def send(
        self,
        sensor_id: str,
        value: float,
        sensor_type: str,
        unit: str,
        *,
        location: str | None = None,
        timestamp: str | None = None,
        idempotency_key: str | None = None,
    ) -> One_co:
        """Send one reading; sent again under the same key it is stored once."""
        body = {"sensor_id": sensor_id, "value": value, "sensor_type": sensor_type, "unit": unit}
        headers = {} if idempotency_key is None else {"Idempotency-Key": idempotency_key}
        more = given(location=location, timestamp=timestamp)
        return self._doer.thing(Call("POST", "/data/ingest", json={**body, **more}, is_keyed=True, headers=headers))


class Alarms(Resource[One_co, Many_co, Raw_co]):
    """What is wrong."""

    def list(
        self, *, severity: str | None = None, acknowledged: bool | None = None, limit: int | None = None
    ) -> Many_co:
        """Return the alarms, the newest first."""
        known = None if acknowledged is None else str(acknowledged).lower()
        return self._list("/alerts", **given(severity=severity, acknowledged=known, limit=limit))

    def acknowledge(self, alarm_id: str) -> One_co:
        """Mark an alarm as seen; seeing it twice changes nothing."""
        return self._post(f"/alerts/acknowledge/{_part(alarm_id)}", is_keyed=True)

    def comment(self, alarm_id: str, text: str) -> One_co:
        """Say something about an alarm."""
        return self._post(f"/alarms/{_part(alarm_id)}/comments", {"text": text})


class Decisions(Resource[One_co, Many_co, Raw_co]):
    """What people have to decide."""

    def list(self, **wanted: Any) -> Many_co:  # noqa: ANN401 - filters of the route
        """Return the requests in the inbox."""
        return self._list("/decisions", **wanted)

    def submit(self, request_id: str, decision: str, justification: str, operator_id: str) -> One_co:
        """Approve, reject or defer."""
        body = {"request_id": request_id, "decision": decision}
        return self._post("/decisions/submit", {**body, "justification": justification, "operator_id": operator_id})


class Reports(Resource[One_co, Many_co, Raw_co]):
    """Reports at once, or as jobs with a file."""

    def generate(
        self,
        report_type: str,
        time_range_start: str,
        time_range_end: str,
        *,
        format: str = "json",  # noqa: A002 - the documented name
        include_charts: bool = False,
    ) -> One_co:
        """Return a report with its content."""
        body = {"report_type": report_type, "format": format, "include_charts": include_charts}
        span = {"time_range_start": time_range_start, "time_range_end": time_range_end}
        return self._post("/reports/generate", {**body, **span})

    def start(self) -> One_co:
        """Begin a report as a job."""
        return self._post("/tasks/start_report")

    def download(self, filename: str) -> Raw_co:
        """Return the bytes of a report's file."""
        return self._doer.content(Call("GET", f"/reports/{_part(filename)}", from_root=True))


class Exports(Resource[One_co, Many_co, Raw_co]):
    """Readings as files."""

    def start(self, *, format: str = "json", days: int = 7) -> One_co:  # noqa: A002 - the documented name
        """Begin an export as a job."""
        return self._get("/export_data", format=format, days=days)

    def download(self, filename: str) -> Raw_co:
        """Return the bytes of an export's file."""
        return self._doer.content(Call("GET", f"/exports/{_part(filename)}", from_root=True))


class Tasks(Resource[One_co, Many_co, Raw_co]):
    """Jobs that make files, in the words of their document."""

    def status(self, task_id: str) -> One_co:
        """Return how far one is."""
        return self._get(f"/tasks/status/{_part(task_id)}")

    def wait(self, task_id: str, *, timeout_s: float = 300.0, every_s: float = 0.5) -> One_co:
        """Return one when it has ended; raise JobFailed, TimedOut."""
        look = Call("GET", f"/tasks/status/{_part(task_id)}")
        return self._doer.ended(look, timeout_s=timeout_s, every_s=every_s)


class Webhooks(Resource[One_co, Many_co, Raw_co]):
    """Where the server tells of what happens."""

    def create(self, url: str, events: Sequence[str], **more: Any) -> One_co:  # noqa: ANN401 - fields of the route
        """Have these events sent to a URL; the answer holds the secret of the signatures, once."""
        return self._post("/webhooks", {"url": url, "events": [*events], **more})

    def list(self) -> Many_co:
        """Return the webhooks."""
        return self._list("/webhooks")

    def get(self, webhook_id: str) -> One_co:
        """Return one."""
        return self._get(f"/webhooks/{_part(webhook_id)}")

    def delete(self, webhook_id: str) -> One_co:
        """Send nothing more there."""
        return self._delete(f"/webhooks/{_part(webhook_id)}")

    def deliveries(self, webhook_id: str) -> Many_co:
        """Return what was sent there, and what came of it."""
        return self._list(f"/webhooks/{_part(webhook_id)}/deliveries")


def _part(text: str) -> str:
    """Return a text as one part of a path."""
    return quote(str(text), safe="")
