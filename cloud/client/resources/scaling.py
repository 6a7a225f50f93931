"""Load forecasts, planned events, scaling, and the server itself."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from cloud.client.call import Call, given
from cloud.client.resources.base import Many_co, One_co, Raw_co, Resource


class Predictions(Resource[One_co, Many_co, Raw_co]):
    """What is foretold: the load of services, and failures of devices."""

    def current(self, service: str | None = None, horizon: str | None = None) -> One_co:
        """Return the newest `predictions` of load."""
        return self._get("/predictions/current", **given(service=service, horizon=horizon))

    def history(
        self,
        service: str | None = None,
        *,
        start_time: str | None = None,
        end_time: str | None = None,
        limit: int | None = None,
    ) -> One_co:
        """Return earlier `predictions` beside what came."""
        wanted = given(service=service, start_time=start_time, end_time=end_time, limit=limit)
        return self._get("/predictions/history", **wanted)

    def of_device(self, device_id: str) -> One_co:
        """Return anomalies and the risk of failure of a device."""
        return self._get("/predictions", device_id=device_id)


class Events(Resource[One_co, Many_co, Raw_co]):
    """What is planned and changes the load."""

    def create(  # noqa: PLR0913 - the documented fields
        self,
        event_type: str,
        name: str,
        start_time: str,
        end_time: str,
        impact_multiplier: float | None = None,
        *,
        expected_impact_multiplier: float | None = None,
        source: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> One_co:
        """Plan an event; the multiplier goes by either of its two documented names."""
        multiplier = impact_multiplier if expected_impact_multiplier is None else expected_impact_multiplier
        body = {"event_type": event_type, "name": name, "start_time": start_time, "end_time": end_time}
        more = given(expected_impact_multiplier=multiplier, source=source, metadata=metadata)
        return self._post("/events", {**body, **more})

    def active(self) -> One_co:
        """Return the `events` that have not ended."""
        return self._get("/events/active")

    def cancel(self, event_id: str) -> One_co:
        """Take one back."""
        return self._delete(f"/events/{quote(event_id, safe='')}")


class Scaling(Resource[One_co, Many_co, Raw_co]):
    """How many processes serve."""

    def status(self, service: str | None = None) -> One_co:
        """Return how many instances of a service there are, and shall be."""
        return self._get("/scaling/status", **given(service=service))

    def decisions(self, *, service: str | None = None, status: str | None = None, limit: int | None = None) -> One_co:
        """Return the `decisions`, the newest first."""
        return self._get("/scaling/decisions", **given(service=service, status=status, limit=limit))

    def manual(self, service_name: str, target_instances: int, reason: str) -> One_co:
        """Ask for a number of instances; needs the right `admin`."""
        body = {"service_name": service_name, "target_instances": target_instances, "reason": reason}
        return self._post("/scaling/manual", body)


class System(Resource[One_co, Many_co, Raw_co]):
    """The server itself."""

    def health(self) -> One_co:
        """Return how the server is; needs no credentials."""
        return self._doer.thing(Call("GET", "/health", from_root=True, is_open=True))

    def status(self) -> One_co:
        """Return counts of models and jobs, and what the server uses."""
        return self._get("/status")

    def dashboard(self) -> One_co:
        """Return the plant at a glance."""
        return self._get("/dashboard")

    def settings(self) -> One_co:
        """Return the settings."""
        return self._get("/settings")

    def change_settings(self, changes: Mapping[str, Any]) -> One_co:
        """Change some settings, the others stay."""
        return self._put("/settings", dict(changes))

    def activity(self, *, limit: int | None = None) -> One_co:
        """Return the newest `activities`."""
        return self._get("/activity", **given(limit=limit))

    def me(self) -> One_co:
        """Return who calls."""
        return self._get("/auth/me")
