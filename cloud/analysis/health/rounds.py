"""HealthRounds: judges all Devices each minute, keeps the scores, and tells who must know of what changed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from cloud.analysis.health.burden import Burden
from cloud.analysis.health.grounds import Given, read_given
from cloud.analysis.health.hours import HourlyMedians, usable
from cloud.analysis.health.judging import Grounds, Verdict, judge_all
from cloud.analysis.health.meter import EnergySource, Meter, read_meter
from cloud.analysis.health.news import steps_of, tell
from cloud.analysis.health.plant import member, plant_point
from cloud.analysis.health.sight import ANOMALY_SCORE, Case, Sight, look_at
from cloud.analysis.health.usual import UsualWork
from cloud.domain.alarm_words import Step
from cloud.domain.device_status import Presence, is_offline, status_of
from cloud.domain.health import Band, DeviceStatus, HealthScore, band_of
from cloud.domain.times import to_datetime, to_us
from cloud.ports import Clock, ReadingStore
from cloud.records.database import Records
from cloud.records.health_scores import add_point, put_scores

RaiseAlarms = Callable[[Session, Sequence[Step]], object]
"""Carries out steps of alarms in a transaction."""
_HOUR_US = 3_600_000_000
_DAY_US = 24 * _HOUR_US
_ANOMALOUS = 0.5
_OWN_SHARE = 0.01
_MOST_SCORES = 200_000
_KEPT = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class _Round:
    """One look: what is known at its beginning, and the times that it goes by."""

    given: Given
    now_us: int
    day_us: int

    @property
    def now(self) -> datetime:
        return to_datetime(self.now_us)


@dataclass(frozen=True, slots=True)
class _Judged:
    """What one round found of a Device, and what the next one goes on from."""

    case: Case
    score: HealthScore
    memory: Mapping[str, Any]
    used_kwh: float | None


class HealthRounds:
    """One thread. presence: asked for the gateways that are there or gone; raise_alarms: of whoever keeps alarms."""

    def __init__(
        self,
        records: Records,
        store: ReadingStore,
        clock: Clock,
        *,
        presence: Callable[[], Presence],
        raise_alarms: RaiseAlarms,
    ) -> None:
        self._records = records
        self._store = store
        self._clock = clock
        self._presence = presence
        self._raise_alarms = raise_alarms
        self._hours = HourlyMedians(records, store, clock)
        self._work = UsualWork(store, clock)

    def look(self) -> None:
        """Judge all Devices once; raise Unavailable, Conflict."""
        now_us = self._clock.now_us()
        given = read_given(self._records, self._store, self._presence(), now=to_datetime(now_us))
        if not given.cases:
            return
        self._hours.keep_up([series for case in given.cases for series in case.limited])
        self._work.keep_up(given.cases)
        look = _Round(given, now_us, to_us(given.day_began))
        judged = self._judged(look)
        self._keep(look, judged)

    def _judged(self, look: _Round) -> Sequence[_Judged]:
        grounds = [self._grounds(look, case) for case in look.given.cases]
        verdicts = judge_all(grounds)
        return [self._one(look, one, verdict) for one, verdict in zip(grounds, verdicts, strict=True)]

    def _grounds(self, look: _Round, case: Case) -> Grounds:
        given, memory = look.given, look.given.memories.get(case.whose, {})
        reset = case.facts.baseline_reset_at
        reset_us = 0 if reset is None else to_us(reset)
        trends = {one.key: self._hours.trend(one.key, since_us=reset_us) for one in case.limited}
        is_quiet = case.newest_us is None or look.now_us - case.newest_us > _DAY_US
        first_us = max(_first_us(memory, case, look.now_us), reset_us)
        nothing = Sight({}, 0, 0.0, None)
        sight = nothing if is_quiet else look_at(self._store, case, now_us=look.now_us, first_us=first_us)
        return Grounds(
            case=case,
            sight=sight,
            burden=self._burden(case, memory, reset_us, look.now_us),
            own_share=given.own_shares.get(case.whose, _OWN_SHARE),
            trends={key: trend for key, trend in trends.items() if trend is not None},
            drifting=given.drifts.get(case.whose, (0, 0))[0],
            checked=given.drifts.get(case.whose, (0, 0))[1],
            passed_h=(look.now_us - self._hours.end_us) / _HOUR_US,
        )

    def _burden(self, case: Case, memory: Mapping[str, Any], reset_us: int, now_us: int) -> Burden:
        kept = memory.get("burden")
        before = Burden() if kept is None else Burden(*kept)
        if before.upto_us < reset_us:
            before = Burden(upto_us=reset_us)
        scored = next((one for one in case.series if one.key.tag == ANOMALY_SCORE), None)
        if scored is None:
            return before
        start_us = max(before.upto_us + 1, now_us - 2 * _DAY_US)
        points = self._store.points(scored, start_us=start_us, end_us=now_us + 1, limit=_MOST_SCORES)
        times, values = usable(points)
        return before.after(times, values >= _ANOMALOUS)

    def _one(self, look: _Round, one: Grounds, verdict: Verdict) -> _Judged:
        case, given = one.case, look.given
        before = given.scores.get(case.whose) or HealthScore(*case.whose, look.now)
        memory = given.memories.get(case.whose, {})
        meter_before = Meter.of_facts(memory.get("meter", {}))
        meter = read_meter(self._store, case, meter_before, now_us=look.now_us, day_us=look.day_us)
        scored = _scored(before, verdict, one, look.now)
        status = self._status(look, case, scored.band)
        score = self._with_work(replace(scored, status=status), case, meter, given)
        used = meter.kwh - (meter_before.kwh if meter_before.day_us == meter.day_us else 0.0)
        kept = {
            "first_us": None if case.newest_us is None else _first_us(memory, case, look.now_us),
            "burden": [one.burden.anomalous, one.burden.rows, one.burden.upto_us],
            "meter": meter.facts(),
        }
        return _Judged(case, score, kept, None if meter.source is EnergySource.NONE else max(0.0, used))

    def _with_work(self, score: HealthScore, case: Case, meter: Meter, given: Given) -> HealthScore:
        tariff = case.facts.tariff_per_kwh
        kwh = None if meter.source is EnergySource.NONE else meter.kwh
        return replace(
            score,
            efficiency=self._work.of(case) if self._work.is_known(case) else score.efficiency,
            energy_kwh=kwh,
            energy_cost=None if kwh is None else kwh * (given.tariff if tariff is None else tariff),
        )

    def _status(self, look: _Round, case: Case, band: Band) -> DeviceStatus:
        silence_us = None if case.newest_us is None else look.now_us - case.newest_us
        is_away = is_offline(
            silence_us,
            interval_s=case.interval_s,
            source=case.facts.source,
            presence=look.given.presence,
            is_lost=case.is_lost,
        )
        return status_of(is_away=is_away, band=band, alarm=look.given.alarmed.get(case.whose))

    def _keep(self, look: _Round, judged: Sequence[_Judged]) -> None:
        told = [(one.case, look.given.scores.get(one.case.whose), one.score) for one in judged]
        steps = [step for case, before, after in told for step in steps_of(case, before, after, now_us=look.now_us)]
        used = [one.used_kwh for one in judged if one.used_kwh is not None]
        point = plant_point(
            [member(one.case.facts, one.score) for one in judged],
            planned=look.given.planned,
            before=look.given.point,
            used_kwh=sum(used) if used else None,
            now=look.now,
        )
        with self._records.writing() as session:
            kept = [tell(session, case, before, after) for case, before, after in told]
            memories = (one.memory for one in judged)
            put_scores(session, zip(kept, memories, strict=True))
            add_point(session, point, forget_before=look.now - _KEPT)
            if steps:
                self._raise_alarms(session, steps)


def _scored(before: HealthScore, verdict: Verdict, one: Grounds, now: datetime) -> HealthScore:
    """Return the new score; where nothing came lately the last one stands, and is stale."""
    newest_us = one.sight.newest_us
    windows = [one.case.window_us(series) for series in one.case.judged]
    is_fresh = newest_us is not None and to_us(now) - newest_us <= max(windows, default=0)
    if not is_fresh:
        return replace(before, computed_at=now, is_stale=before.score is not None)
    return replace(
        before,
        computed_at=now,
        score=verdict.score,
        parts=verdict.parts,
        facts=verdict.facts,
        measured_at=to_datetime(newest_us or 0),
        is_stale=False,
        band=band_of(verdict.score, before.band),
    )


def _first_us(memory: Mapping[str, Any], case: Case, now_us: int) -> int:
    """Return from when on readings are due: from the newest one of when the Device was judged for the first time."""
    kept = memory.get("first_us")
    newest_us = now_us if case.newest_us is None else case.newest_us
    return min(newest_us, now_us) if kept is None else int(kept)
