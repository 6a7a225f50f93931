"""Traffic: what this process was asked and how long its answers took, by route."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from threading import Lock


@dataclass(frozen=True, slots=True)
class RouteFigures:
    """One route since the start; seconds: of all answers together; failures: answers of 500 and above."""

    method: str
    handler: str
    count: int = 0
    failures: int = 0
    seconds: float = 0.0
    longest_s: float = 0.0

    @property
    def mean_s(self) -> float:
        """Return how long an answer takes on average."""
        return self.seconds / self.count if self.count else 0.0

    def after(self, status: int, seconds: float) -> "RouteFigures":
        """Return the figures with one more answer."""
        return replace(
            self,
            count=self.count + 1,
            failures=self.failures + (status >= 500),
            seconds=self.seconds + seconds,
            longest_s=max(self.longest_s, seconds),
        )


@dataclass(frozen=True, slots=True)
class TrafficFigures:
    """All routes together; active: requests that are being served now, the one that asks included."""

    active: int
    count: int
    failures: int
    mean_s: float

    @property
    def error_share(self) -> float:
        """Return the share of answers that say that something failed inside, 0 before the first answer."""
        return self.failures / self.count if self.count else 0.0


class Traffic:
    """Counts; any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._active = 0
        self._routes: dict[tuple[str, str], RouteFigures] = {}
        self._asked = self._found = 0

    def looked_up(self, *, was_found: bool) -> None:
        """Note that a caller's credential was looked for among those that this process believes."""
        with self._lock:
            self._asked += 1
            self._found += was_found

    @property
    def hit_rate(self) -> float | None:
        """Return the share of credentials that were believed without asking the records; None before the first."""
        return self._found / self._asked if self._asked else None

    def begun(self) -> None:
        """Note that a request came."""
        with self._lock:
            self._active += 1

    def ended(self, method: str, handler: str, status: int, seconds: float) -> None:
        """Note that a request was answered; handler: the route's template, of which there are few."""
        with self._lock:
            self._active -= 1
            key = (method, handler)
            self._routes[key] = self._routes.get(key, RouteFigures(method, handler)).after(status, seconds)

    def figures(self) -> TrafficFigures:
        """Return the sums of all routes."""
        with self._lock:
            active, routes = self._active, tuple(self._routes.values())
        count = sum(route.count for route in routes)
        seconds = sum(route.seconds for route in routes)
        return TrafficFigures(active, count, sum(route.failures for route in routes), seconds / count if count else 0.0)

    def slowest(self, most: int) -> Sequence[RouteFigures]:
        """Return the routes whose answers take longest on average, the slowest first."""
        with self._lock:
            routes = tuple(self._routes.values())
        return sorted(routes, key=lambda route: route.mean_s, reverse=True)[:most]
