"""How the api process is watched: its health, its figures and its limits, put together from the settings."""

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

from cloud.access.keys import Keys
from cloud.access.rates import Profile, RateRules, Rates
from cloud.access.sessions import Sessions
from cloud.analysis.load_foretelling import BUCKETS_S, GENERATED, LATENCY
from cloud.config import Settings, read_secret
from cloud.domain.circuit import CircuitState
from cloud.domain.figure import Distribution, Figure
from cloud.domain.scaling import Count
from cloud.domain.times import to_datetime
from cloud.errors import Unavailable
from cloud.fleet.accounting import COUNTS
from cloud.ingest.remote import RemoteIntake
from cloud.operations.alarms import Alarms
from cloud.operations.health import Doctor, Gauges, Parts
from cloud.operations.pulse import Pulse
from cloud.operations.scaler import DECISIONS
from cloud.operations.traffic import Traffic
from cloud.ports import CacheFacts, Clock, Counters
from cloud.readings import room_of
from cloud.records.circuits import circuit_states
from cloud.records.database import Records
from cloud.records.scaling import scaling_counts
from cloud.services import Views
from cloud.storage.counters.file import FileCounters
from cloud.storage.counters.memory import MemoryCounters
from cloud.threads import Threads

_FAMILIES = {GENERATED: ("predictions_generated_total", "horizon"), DECISIONS: ("scaling_decisions_total", "type")}


def open_rates(settings: Settings, clock: Clock) -> Rates:
    """Return the limits of the settings, counted in Redis where there is one, else in a file of this host."""
    rules = RateRules(Profile(settings.limits.profile), settings.limits.routes)
    return Rates(_counters(settings), MemoryCounters(), clock, rules)


def _counters(settings: Settings) -> Counters:
    url = settings.redis.url
    if not url:
        return FileCounters(settings.counters_path)
    from cloud.storage.counters.redis import RedisCounters  # noqa: PLC0415 - an extra

    return RedisCounters(read_secret(url) if url.startswith(("env:", "file:")) else url)


@dataclass(frozen=True, slots=True)
class Watched:
    """The parts of the api process that are looked at."""

    settings: Settings
    records: Records
    threads: Threads[Views]
    clock: Clock
    intake: RemoteIntake
    alarms: Alarms
    keys: Keys
    sessions: Sessions
    rates: Rates
    traffic: Traffic

    def doctor(self) -> Doctor[Views]:
        """Return who examines everything."""
        parts = Parts(
            store=_store_facts,
            intake=self._gauges,
            room=lambda: room_of(self.settings),
            cache=self._cache,
            circuits=lambda: {target: state.value for target, state in self._circuits().items()},
            workers=Pulse(self.records, self.clock).alive,
            has_broker=self.settings.mqtt is not None,
        )
        return Doctor(self.records, self.threads, self.clock, parts)

    async def figures(self) -> Sequence[Figure | Distribution]:
        """Return what the store, the ingest process and the records count; raises nothing."""
        told = [*await self._store_told(), *await self._gateways_told()]
        return [*told, *await self._alarms_told(), *await self._counted()]

    def _circuits(self) -> dict[str, CircuitState]:
        with self.records.reading() as session:
            return dict(circuit_states(session, to_datetime(self.clock.now_us())))

    async def _cache(self) -> CacheFacts:
        shared = await self.rates.facts()
        if shared is not None:
            return shared
        begun = perf_counter()
        memory_bytes = self.keys.footprint() + self.sessions.footprint()
        return CacheFacts("embedded", memory_bytes, self.traffic.hit_rate, perf_counter() - begun)

    async def _gauges(self) -> Gauges | None:
        try:
            return {sample.name: sample.value for sample in await self.intake.samples() if not sample.outcome}
        except Unavailable:
            return None

    async def _store_told(self) -> Sequence[Figure]:
        try:
            figures = await self.threads.run(lambda views: views.store.figures())
        except Unavailable:
            return [Figure("lineside_store_up", 0.0)]
        told = [
            Figure("lineside_store_up", 1.0),
            Figure("lineside_readings", float(figures.readings)),
            Figure("lineside_series", float(figures.series)),
            Figure("lineside_store_bytes", float(figures.bytes_used)),
            Figure("lineside_store_free_bytes", float(figures.bytes_free)),
            Figure("lineside_store_waiting_for_merge", float(figures.waiting_for_merge)),
        ]
        try:
            samples = await self.intake.samples()
        except Unavailable:
            return [*told, Figure("lineside_ingest_up", 0.0)]
        return [*told, Figure("lineside_ingest_up", 1.0), *(_by_outcome(*sample) for sample in samples)]

    async def _gateways_told(self) -> Sequence[Figure]:
        def read(views: Views) -> Sequence[Figure]:
            known, there = views.gateways.count()
            total = views.gateways.total()
            return [
                Figure("lineside_gateways", float(known)),
                Figure("lineside_gateways_online", float(there)),
                Figure("lineside_gateway_epochs_uneven", float(len(views.gateways.uneven()))),
                *(_by_outcome("lineside_gateway_readings", name, float(getattr(total, name))) for name in COUNTS),
            ]

        try:
            return await self.threads.run(read)
        except Unavailable:
            return []

    async def _alarms_told(self) -> Sequence[Figure]:
        def read(views: Views) -> Sequence[Figure]:
            progress = self.alarms.progress()
            lag = max(0, views.newest_event() - progress.position)
            live = self.alarms.live()
            return [
                *(
                    _by_outcome("lineside_alarms", f"{state}_{severity}", float(count))
                    for state, severity, count in live
                ),
                Figure("lineside_alarms_events_waiting", float(lag)),
                Figure("lineside_alarms_events_unreadable_total", float(progress.unreadable)),
            ]

        try:
            return await self.threads.run(read)
        except Unavailable:
            return []

    async def _counted(self) -> Sequence[Figure | Distribution]:
        def read(_: Views) -> Sequence[Figure | Distribution]:
            with self.records.reading() as session:
                counts = scaling_counts(session)
            circuits = (
                Figure("circuit_state", state.gauge, {"target": target}) for target, state in self._circuits().items()
            )
            return [*_families(counts), _latency(counts), *circuits]

        try:
            return await self.threads.run(read)
        except Unavailable:
            return []


def _by_outcome(name: str, outcome: str, value: float) -> Figure:
    return Figure(name, value, {"outcome": outcome} if outcome else {})


def _families(counts: Sequence[Count]) -> Sequence[Figure]:
    known = [(one, *_FAMILIES[one.family]) for one in counts if one.family in _FAMILIES]
    return [Figure(name, one.value, {"service": one.service, label: one.label}) for one, name, label in known]


def _latency(counts: Sequence[Count]) -> Distribution:
    told = {one.label: one.value for one in counts if one.family == LATENCY}
    buckets = [(bound, told.get(f"{bound:g}", 0.0)) for bound in BUCKETS_S]
    return Distribution("prediction_latency_seconds", buckets, told.get("count", 0.0), told.get("sum", 0.0))


def _store_facts(views: Views) -> dict[str, object]:
    figures = views.store.figures()
    return {
        "readings": figures.readings,
        "series": figures.series,
        "bytes_used": figures.bytes_used,
        "waiting_for_merge": figures.waiting_for_merge,
    }
