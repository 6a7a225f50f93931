"""Reads back through the REST API what the store holds, page by page, as any user would."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx

from deploy.counting import Value

PAGE = 50_000
SHADOW_ROWS = 50


@dataclass(frozen=True, slots=True)
class Stored:
    """One series as the API tells of it: times as ISO 8601 texts, values, None where none was read."""

    at: Sequence[str]
    values: Sequence[Value | None]

    def read_values(self) -> Sequence[Value]:
        """Return the values that a device really gave."""
        return [value for value in self.values if value is not None]


class Api:
    """A client for the few questions that the demo asks."""

    def __init__(self, url: str, key: str) -> None:
        self._client = httpx.Client(base_url=f"{url}/api/v1", headers={"X-API-Key": key}, timeout=60.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def account(self, gateway: str) -> dict[str, Any]:
        """Return the sum of a gateway's accounts, nothing where the cloud does not know it yet or does not answer."""
        total: dict[str, Any] = self._get(f"/gateways/{gateway}").get("total", {})
        return total

    def has_value(self) -> bool:
        """Return whether any device shows a reading."""
        return any(device["value"] is not None for device in self._get("/devices") or ())

    def models(self, gateway: str) -> Sequence[dict[str, Any]]:
        """Return how each Device of a gateway is judged, by its last word."""
        found: Sequence[dict[str, Any]] = self._get(f"/gateways/{gateway}").get("models", ())
        return found

    def roll_out(self, model: str, device: str) -> bool:
        """Start to bring a model to one Device, on all gateways at once; return whether the API agreed."""
        wish = {"model": model, "devices": [device], "groups": [100], "soak_s": 0, "shadow_rows": SHADOW_ROWS}
        return self._client.post("/rollouts", json=wish).is_success

    def alarms(self) -> Sequence[dict[str, Any]]:
        """Return the newest alarms, those too that are over."""
        return self._get("/alerts?limit=200") or ()

    def series(self, device: str, tag: str, *, start: str, end: str) -> Stored:
        """Return all readings of one series in a range; an unknown one has none."""
        at: list[str] = []
        values: list[Value | None] = []
        for page in self._pages({"device_id": device, "metric": tag, "start": start, "end": end, "limit": PAGE}):
            at += page["timestamps"]
            values += page["values"]
        return Stored(at, values)

    def _pages(self, query: dict[str, Any]) -> Iterator[dict[str, Any]]:
        cursor: str | None = None
        while True:
            answer = self._client.get("/historical_data", params=query | ({"cursor": cursor} if cursor else {}))
            if answer.status_code == httpx.codes.NOT_FOUND:
                return
            page = answer.raise_for_status().json()
            yield page
            cursor = page.get("next_cursor")
            if not cursor:
                return

    def _get(self, path: str) -> Any:  # noqa: ANN401 - JSON, checked where it is used
        try:
            return self._client.get(path).raise_for_status().json()
        except (httpx.HTTPError, ValueError):
            return {}


def answers(url: str) -> bool:
    """Return whether a GET of this loopback address is answered well."""
    try:
        return httpx.get(url, timeout=1.0).is_success
    except httpx.HTTPError:
        return False


def ask(url: str) -> dict[str, Any]:
    """Return the JSON document at this loopback address, an empty one where nothing answers."""
    try:
        found: dict[str, Any] = httpx.get(url, timeout=1.0).raise_for_status().json()
    except (httpx.HTTPError, ValueError):
        return {}
    return found
