"""The agent's status as Prometheus metrics; read when scraped, so that the hot way pays nothing.

Imports prometheus_client (9 MiB, a tenth of a second): only the first scrape loads this module.
"""

from collections.abc import Iterable, Iterator

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.registry import Collector

from edge_agent.watch.status import AgentStatus, BufferState, DeliveryState, DeviceState, JudgedState

CONTENT_TYPE = CONTENT_TYPE_LATEST
PREFIX = "lineside_agent"


def exposition(status: AgentStatus, *, resident_bytes: int, cpu_s: float) -> bytes:
    """Return the text that Prometheus scrapes."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(StatusCollector(status, resident_bytes, cpu_s))
    return generate_latest(registry)


class StatusCollector(Collector):
    """One status document, family by family."""

    def __init__(self, status: AgentStatus, resident_bytes: int, cpu_s: float) -> None:
        self._status = status
        self._resident_bytes = resident_bytes
        self._cpu_s = cpu_s

    def collect(self) -> Iterable[Metric]:
        """Yield every metric of docs/configuration.md."""
        yield from self._agent()
        yield from _devices(self._status.devices)
        yield from _buffer(self._status.buffer)
        yield from _delivery(self._status.delivery)
        if self._status.judged:
            yield from _judged(self._status.judged)

    def _agent(self) -> Iterator[Metric]:
        status = self._status
        info = GaugeMetricFamily(
            f"{PREFIX}_info", "1, with the gateway's name and version", labels=["gateway", "version"]
        )
        info.add_metric([status.gateway, status.version], 1)
        yield info
        yield _gauge("uptime_seconds", "Seconds since the start", status.uptime_s)
        yield _gauge("resident_memory_bytes", "Memory in use", self._resident_bytes)
        yield _counter("cpu_seconds", "CPU time used since the start", self._cpu_s)
        yield _counter("readings_hidden", "Readings held back by a deadband", status.hidden_readings)
        lost = CounterMetricFamily(f"{PREFIX}_readings_lost", "Readings given up, by reason", labels=["reason"])
        for reason, count in status.lost_readings.items():
            lost.add_metric([reason], count)
        yield lost
        yield _counter("events_lost", "Events that came while too many waited", status.lost_events)


def _devices(devices: tuple[DeviceState, ...]) -> Iterator[Metric]:
    up = GaugeMetricFamily(f"{PREFIX}_source_up", "1 while the Device answers", labels=["source"])
    polls = CounterMetricFamily(f"{PREFIX}_polls", "Polls by result: done or skipped", labels=["source", "result"])
    losses = CounterMetricFamily(f"{PREFIX}_source_losses", "Times that the Device went", labels=["source"])
    readings = CounterMetricFamily(f"{PREFIX}_readings", "Readings by quality", labels=["source", "quality"])
    duration = SummaryMetricFamily(f"{PREFIX}_read_duration_seconds", "Time to read a Device once", labels=["source"])
    for device in devices:
        up.add_metric([device.id], float(device.state == "ok"))
        polls.add_metric([device.id, "done"], device.polls)
        losses.add_metric([device.id], device.losses)
        polls.add_metric([device.id, "skipped"], device.skipped_polls)
        duration.add_metric([device.id], count_value=device.polls, sum_value=device.read_s_sum)
        for quality, count in device.readings.items():
            readings.add_metric([device.id, quality], count)
    yield from (up, polls, losses, readings, duration)


def _buffer(buffer: BufferState) -> Iterator[Metric]:
    yield _gauge("buffer_up", "1 while the buffer can be written", float(not buffer.error))
    yield _gauge("buffer_bytes", "Bytes in use by the buffer", buffer.bytes_used)
    yield _gauge("buffer_limit_bytes", "Most that the buffer may use", buffer.bytes_cap)
    yield _gauge("buffer_batches_waiting", "Batches that the cloud does not have yet", buffer.batches_waiting)
    yield _gauge("buffer_oldest_age_seconds", "Age of the oldest batch that waits", buffer.oldest_waiting_s)
    yield _gauge("buffer_written_today_bytes", "Bytes written to disk since midnight UTC", buffer.bytes_written_today)
    yield _gauge("buffer_unsealed_readings", "Readings in memory only", buffer.unsealed_readings)
    yield _counter("commits", "Commits to the buffer", buffer.commits)
    yield _gauge("commit_duration_seconds", "Time that the last commit took", buffer.commit_s)
    buffered = GaugeMetricFamily(
        f"{PREFIX}_buffer_readings", "Readings that the buffer accounts for, by state", labels=["state"]
    )
    for state in ("sealed", "acked", "waiting", "dropped"):
        buffered.add_metric([state], sum(getattr(epoch, state) for epoch in buffer.epochs))
    yield buffered


def _delivery(delivery: DeliveryState) -> Iterator[Metric]:
    yield _gauge("uplink_up", "1 while the broker is connected", float(delivery.connected))
    yield _counter("uplink_connects", "Connections made to the broker", delivery.connects)
    yield _gauge("batches_in_flight", "Batches sent and not acknowledged yet", delivery.in_flight)
    yield _counter("sent_bytes", "Bytes sent to the broker as readings", delivery.bytes_sent)
    published = CounterMetricFamily(f"{PREFIX}_publish", "What was published and came back", labels=["result"])
    for result, count in delivery.published.items():
        published.add_metric([result], count)
    yield published


def _judged(devices: tuple[JudgedState, ...]) -> Iterator[Metric]:
    info = GaugeMetricFamily(
        f"{PREFIX}_model_info", "1, with the model that judges a Device", labels=["source", "model", "standing"]
    )
    rows = CounterMetricFamily(f"{PREFIX}_judged_rows", "Rows that were judged", labels=["source"])
    unscored = CounterMetricFamily(f"{PREFIX}_unscored_rows", "Rows of which no model said anything", labels=["source"])
    left_out = CounterMetricFamily(
        f"{PREFIX}_unjudged_readings", "Readings that came too fast to be judged", labels=["source"]
    )
    score = GaugeMetricFamily(f"{PREFIX}_score", "Newest score, 0.5 at the threshold", labels=["source"])
    anomalies = CounterMetricFamily(
        f"{PREFIX}_anomalies", "Anomalies opened, by what found them", labels=["source", "found_by"]
    )
    taken = GaugeMetricFamily(f"{PREFIX}_inference_seconds", "Median time to score a row", labels=["source"])
    for device in devices:
        info.add_metric([device.device, device.model, device.standing], 1)
        rows.add_metric([device.device], device.rows)
        unscored.add_metric([device.device], device.unscored)
        left_out.add_metric([device.device], device.left_out)
        for found_by, count in device.opened.items():
            anomalies.add_metric([device.device, found_by], count)
        if device.score is not None:
            score.add_metric([device.device], device.score)
        if device.invoke_us is not None:
            taken.add_metric([device.device], device.invoke_us / 1e6)
    yield from (info, rows, unscored, left_out, score, anomalies, taken)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"{PREFIX}_{name}", text, value=value)


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(f"{PREFIX}_{name}", text, value=value)
