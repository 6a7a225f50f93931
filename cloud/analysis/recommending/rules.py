"""The rules of recommending, one function each: from a Situation to Proposals that name their evidence; pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np

from cloud.analysis.drift_checks import PERSISTENT
from cloud.analysis.recommending.situation import Situation, Whose
from cloud.domain.alarm import Alarm, Severity
from cloud.domain.health import Band, HealthScore, Part
from cloud.domain.recommendation import Evidence, Proposal, RecommendationType
from cloud.domain.times import to_us

_HOURS = (0.0, 24.0, 72.0, 168.0, 336.0, 720.0)
_URGENCY_THEN = (1.0, 0.9, 0.8, 0.7, 0.5, 0.3)
"""Hours to a limit, and how urgent that is; between them by a line."""
_URGENCY: Mapping[Severity, float] = {Severity.INFO: 0.3, Severity.WARNING: 0.6, Severity.CRITICAL: 0.9}
_SENSOR_URGENCY = 0.6
_MILD = 0.4
_REPEATED = 3
_DAY_US = 86_400_000_000
_ALARMS_OF_BUFFERING = ("gateway_offline", "readings_dropped", "readings_refused")
_HISTORY, _ALARM, _CHECKS, _LOAD = "historical_analysis", "alarm_analysis", "drift_detection", "load_analysis"
Rule = Callable[[Situation], Iterable[Proposal]]


def urgency_of(hours: float) -> float:
    """Return how urgent it is that a limit is so many hours away; it never rises with them."""
    return round(float(np.interp(hours, _HOURS, _URGENCY_THEN)), 4)


def rising_trend(now: Situation) -> Iterator[Proposal]:
    """Propose maintenance where a Tag is on its way to its critical limit."""
    for whose, score in now.scores.items():
        trend = score.facts.get("trend")
        hours = trend.get("hours_to_limit") if isinstance(trend, Mapping) else None
        if score.is_stale or not isinstance(trend, Mapping) or not isinstance(hours, int | float):
            continue
        tag, name = str(trend["tag"]), now.name(whose)
        yield Proposal(
            rule="rising_trend",
            type=RecommendationType.MAINTENANCE,
            source=whose[0],
            device=whose[1],
            title=f"{tag.capitalize()} trend towards its limit",
            action=f"Investigate {tag} of {name}: it reaches its critical limit in {_spell(hours)}",
            urgency=urgency_of(hours),
            impact=now.impact(whose),
            origin=_HISTORY,
            evidence=[_of_score(now, whose, score, dict(trend))],
        )


def critical_health(now: Situation) -> Iterator[Proposal]:
    """Propose an inspection where the health of a Device is critical for another reason than a trend."""
    for whose, score in now.scores.items():
        if score.band is not Band.CRITICAL or score.is_stale or score.score is None:
            continue
        part, worst = min(score.parts.items(), key=lambda pair: pair[1])
        yield Proposal(
            rule="critical_health",
            type=RecommendationType.INSPECTION,
            source=whose[0],
            device=whose[1],
            title="Health is critical",
            action=f"Inspect {now.name(whose)}: health {score.score:.2f}, worst is {part.value.replace('_', ' ')}",
            urgency=_URGENCY[Severity.CRITICAL],
            impact=now.impact(whose),
            origin=_HISTORY,
            evidence=[_of_score(now, whose, score, {"score": score.score, part.value: worst})],
        )


def stuck_sensor(now: Situation) -> Iterator[Proposal]:
    """Propose calibration where a Tag that used to move has not moved for hours, or a gateway says it is frozen."""
    found: dict[Whose, list[Evidence]] = {}
    for series, shape in now.shapes.values():
        if shape.is_stuck:
            facts: dict[str, object] = {"level": shape.level, "usual_range": shape.usual_range}
            found.setdefault(series.key[:2], []).append(_of_series(now, series.key, facts))
    for alarm in now.alarms:
        if alarm.condition.kind == "frozen" and alarm.is_active:
            found.setdefault((alarm.condition.source, alarm.condition.device), []).append(_of_alarm(alarm))
    for whose, evidence in found.items():
        action = f"Check the sensor of {_tags(evidence)} of {now.name(whose)}: its value does not move"
        kind = RecommendationType.CALIBRATION
        yield _about_sensor(now, whose, "stuck_sensor", kind, "Sensor is stuck", action, evidence)


def noise_step(now: Situation) -> Iterator[Proposal]:
    """Propose an inspection where the noise of a Tag grew at one blow."""
    found: dict[Whose, list[Evidence]] = {}
    for series, shape in now.shapes.values():
        if shape.is_noisy:
            facts: dict[str, object] = {"recent_range": shape.recent_range, "usual_range": shape.usual_range}
            found.setdefault(series.key[:2], []).append(_of_series(now, series.key, facts))
    for whose, evidence in found.items():
        action = f"Inspect wiring and mounting of {_tags(evidence)} of {now.name(whose)}: its noise grew at one blow"
        kind = RecommendationType.INSPECTION
        yield _about_sensor(now, whose, "noise_step", kind, "Noise grew", action, evidence)


def drift_without_violation(now: Situation) -> Iterator[Proposal]:
    """Propose to recalibrate or to retrain where Tags drift lastingly though no limit is near."""
    found: dict[Whose, list[Evidence]] = {}
    for one in now.drifts:
        score = now.scores.get(one.series[:2])
        margin = 1.0 if score is None else score.parts.get(Part.LIMITS, 1.0)
        if one.in_a_row >= PERSISTENT and margin >= 1.0:
            facts: dict[str, object] = {"tag": one.series.tag, "checks_in_a_row": one.in_a_row}
            found.setdefault(one.series[:2], []).append(Evidence("drift_check", str(one.check), facts))
    for whose, evidence in found.items():
        yield Proposal(
            rule="drift_without_violation",
            type=RecommendationType.CALIBRATION,
            source=whose[0],
            device=whose[1],
            title="Lasting drift within the limits",
            action=f"Recalibrate {_tags(evidence)} of {now.name(whose)}, or retrain its model if the process changed",
            urgency=_MILD,
            impact=now.impact(whose),
            origin=_CHECKS,
            evidence=evidence,
        )


def clock_skew(now: Situation) -> Iterator[Proposal]:
    """Propose to see after a gateway's clock that had to be set again and again."""
    action = "Check the time synchronisation of {name}: its clock was set {count} times in a week"
    yield from _repeated(now, ("clock_stepped",), "clock_skew", "Clock is not steady", action)


def repeated_buffering(now: Situation) -> Iterator[Proposal]:
    """Propose to see after a gateway's way to the cloud that broke again and again."""
    action = "Check the network of {name}: it was cut off or lost readings {count} times in a week"
    yield from _repeated(now, _ALARMS_OF_BUFFERING, "repeated_buffering", "Gateway buffers again and again", action)


def chattering_alarm(now: Situation) -> Iterator[Proposal]:
    """Propose a wider deadband or a delay where an alarm comes and goes."""
    found: dict[Whose, list[Alarm]] = {}
    for alarm in now.alarms:
        if alarm.is_chattering(to_us(now.now)):
            found.setdefault((alarm.condition.source, alarm.condition.device), []).append(alarm)
    for whose, alarms in found.items():
        worst = max(alarms, key=lambda one: one.occurrences)
        yield Proposal(
            rule="chattering_alarm",
            type=RecommendationType.OPTIMIZATION,
            source=whose[0],
            device=whose[1],
            title="Alarm chatters",
            action=f"Widen hysteresis or delay of {worst.condition.point or worst.condition.kind} of {now.name(whose)}",
            urgency=_MILD,
            impact=now.impact(whose),
            origin=_ALARM,
            evidence=[_of_alarm(one) for one in alarms],
        )


def oversized_pool(now: Situation) -> Iterator[Proposal]:
    """Propose fewer instances where the busiest minute of a day would have needed fewer."""
    for pool in now.pools:
        if pool.minutes < _DAY_US // 120_000_000 or pool.instances <= pool.needed:
            continue
        facts = {"peak_per_s": pool.peak_per_s, "capacity_per_s": pool.capacity_per_s, "instances": pool.instances}
        yield Proposal(
            rule=f"oversized_pool_{pool.service.value}",
            type=RecommendationType.CAPACITY,
            source="",
            device="",
            title=f"Too many instances of {pool.service.value}",
            action=f"Run {pool.needed} instead of {pool.instances}: the busiest minute of a day needs no more",
            urgency=_URGENCY[Severity.INFO],
            impact=_URGENCY[Severity.INFO],
            origin=_LOAD,
            evidence=[Evidence("service_load", pool.service.value, facts)],
        )


RULES: tuple[Rule, ...] = (
    rising_trend,
    critical_health,
    stuck_sensor,
    noise_step,
    drift_without_violation,
    clock_skew,
    repeated_buffering,
    chattering_alarm,
    oversized_pool,
)
"""Every rule; one Proposal a Device and rule."""


def _repeated(now: Situation, kinds: tuple[str, ...], rule: str, title: str, action: str) -> Iterator[Proposal]:
    found: dict[str, list[Alarm]] = {}
    for alarm in now.alarms:
        if alarm.condition.kind in kinds and alarm.condition.source:
            found.setdefault(alarm.condition.source, []).append(alarm)
    for source, alarms in found.items():
        count = sum(alarm.occurrences for alarm in alarms)
        if count < _REPEATED:
            continue
        worst = max((_URGENCY[one.finding.severity] for one in alarms), default=_MILD)
        yield Proposal(
            rule=rule,
            type=RecommendationType.DATA_QUALITY,
            source=source,
            device="",
            title=title,
            action=action.format(name=source, count=count),
            urgency=worst,
            impact=now.impact((source, "")),
            origin=_ALARM,
            evidence=[_of_alarm(one) for one in alarms],
        )


def _about_sensor(
    now: Situation, whose: Whose, rule: str, kind: RecommendationType, title: str, action: str, evidence: list[Evidence]
) -> Proposal:
    return Proposal(
        rule=rule,
        type=kind,
        source=whose[0],
        device=whose[1],
        title=title,
        action=action,
        urgency=_SENSOR_URGENCY,
        impact=now.impact(whose),
        origin=_HISTORY,
        evidence=evidence,
    )


def _of_score(now: Situation, whose: Whose, score: HealthScore, facts: Mapping[str, object]) -> Evidence:
    at = {"computed_at": score.computed_at.isoformat()}
    return Evidence("health_score", now.name(whose), {**facts, **at})


def _of_series(now: Situation, key: tuple[str, str, str], facts: Mapping[str, object]) -> Evidence:
    return Evidence("series", f"{now.name(key[:2])}/{key[2]}", {"tag": key[2], **facts})


def _of_alarm(alarm: Alarm) -> Evidence:
    facts = {"tag": alarm.finding.channel, "kind": alarm.condition.kind, "occurrences": alarm.occurrences}
    return Evidence("alarm", alarm.id, facts)


def _tags(evidence: Iterable[Evidence]) -> str:
    return ", ".join(dict.fromkeys(str(one.facts["tag"]) for one in evidence))


def _spell(hours: float) -> str:
    return f"{hours:.0f} h" if hours < 72 else f"{hours / 24:.0f} days"
