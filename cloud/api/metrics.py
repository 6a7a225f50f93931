"""Metrics: what Prometheus may read of this process and of the store."""

from collections.abc import Iterable, Iterator

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from cloud.domain.figure import Distribution, Figure

CONTENT_TYPE = CONTENT_TYPE_LATEST
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_ALWAYS = {
    "predictions_generated_total": ("service", "horizon"),
    "scaling_decisions_total": ("service", "type"),
    "circuit_state": ("target",),
}
"""Families and their labels."""
_HELP = {
    "predictions_generated_total": "Total predictions generated",
    "scaling_decisions_total": "Total scaling decisions made",
    "prediction_latency_seconds": "Prediction generation latency",
    "circuit_state": "Whether a target of notifications is tried: 0 closed, 0.5 half open, 1 open",
    "lineside_readings": "Readings in the store",
    "lineside_series": "Series in the store",
    "lineside_store_bytes": "Bytes that the store takes on the disk",
    "lineside_store_free_bytes": "Bytes that are free on the store's disk",
    "lineside_store_waiting_for_merge": "Batches that were stored and not merged yet",
}


class Metrics:
    """The figures of one API process; a registry of its own, so that two can live in one process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        self._requests = Counter(
            "http_requests",
            "HTTP requests by method, route and status",
            ("method", "handler", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "http_request_duration_seconds",
            "HTTP request duration",
            ("method", "handler"),
            buckets=_BUCKETS,
            registry=self._registry,
        )

    def observe(self, method: str, handler: str, status: int, seconds: float) -> None:
        """Count one request."""
        if method not in _METHODS:
            method = "OTHER"
        self._requests.labels(method, handler, str(status)).inc()
        self._seconds.labels(method, handler).observe(seconds)

    def render(self, figures: Iterable[Figure | Distribution]) -> bytes:
        """Return the text that Prometheus reads: the figures of this process, and others' beside them."""
        beside = CollectorRegistry(auto_describe=False)
        beside.register(_Figures(tuple(figures)))
        return generate_latest(self._registry) + generate_latest(beside)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class _Figures(Collector):
    def __init__(self, figures: tuple[Figure | Distribution, ...]) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        """Return one family a name; the families of scaling are there before their first number."""
        families: dict[str, CounterMetricFamily | GaugeMetricFamily] = {
            name: _family(name, labels) for name, labels in _ALWAYS.items()
        }
        for one in self._figures:
            if isinstance(one, Distribution):
                yield _histogram(one)
                continue
            family = families.setdefault(one.name, _family(one.name, tuple(one.labels)))
            family.add_metric(list(one.labels.values()), one.value)
        yield from families.values()


def _family(name: str, labels: tuple[str, ...]) -> CounterMetricFamily | GaugeMetricFamily:
    kind = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
    return kind(name, _HELP.get(name, _in_words(name)), labels=labels)


def _histogram(told: Distribution) -> HistogramMetricFamily:
    buckets = [*((f"{bound:g}", count) for bound, count in told.buckets), ("+Inf", told.count)]
    return HistogramMetricFamily(told.name, _HELP.get(told.name, _in_words(told.name)), buckets, told.seconds)


def _in_words(name: str) -> str:
    return name.removeprefix("lineside_").removesuffix("_total").replace("_", " ").capitalize()
