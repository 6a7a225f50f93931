"""The anomaly summary: the alarms that were raised in the range, by device, severity, kind, day and length."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from cloud.domain.alarm import Alarm, Severity
from cloud.domain.alarm_news import rule_name
from cloud.domain.report import Chart, Figure, Findings, Table
from cloud.domain.times import to_datetime, to_us
from cloud.operations.reports.facts import Facts, ranked
from cloud.records.alarms import AlarmFilter, list_alarms

_PAGE = 2000
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_MOST_BARS = 62


def anomaly_summary(facts: Facts) -> Findings:
    """Return the findings; every count is one of stored alarms with start <= raised < end."""
    alarms = [one for one in _alarms(facts) if facts.is_wanted(one.condition.source, one.condition.device)]
    severities = Counter(alarm.finding.severity for alarm in alarms)
    devices = Counter(facts.name(alarm.condition.source, alarm.condition.device) for alarm in alarms)
    kinds = Counter(rule_name(alarm) for alarm in alarms)
    days = Counter(f"{to_datetime(alarm.raised_us):%Y-%m-%d}" for alarm in alarms)
    top = facts.request.top
    return Findings(
        figures=(
            Figure("alarms", len(alarms)),
            Figure("occurrences", sum(alarm.occurrences for alarm in alarms)),
            Figure("acknowledged", sum(alarm.acknowledged is not None for alarm in alarms)),
            Figure("resolved", sum(not alarm.is_active for alarm in alarms)),
            Figure("devices", len(devices)),
            *(Figure(f"severity_{one}", severities[one]) for one in Severity),
        ),
        tables=(
            Table("by_severity", ("severity", "alarms"), tuple((one.value, severities[one]) for one in Severity)),
            Table("by_device", ("device_id", "alarms"), ranked(devices, len(devices))),
            Table("by_rule", ("rule_name", "alarms"), ranked(kinds, len(kinds))),
            Table("top_hours", ("from", "alarms"), ranked(_hours(alarms), top)),
            _windows(facts, alarms),
        ),
        charts=(
            _per_day(facts, days),
            Chart(
                "by_severity",
                "Alarms by severity",
                tuple(one.value for one in Severity),
                tuple(float(severities[one]) for one in Severity),
            ),
            _bars("by_device", "Devices with most alarms", devices, top),
            _bars("by_rule", "Rules that raised most", kinds, top),
        ),
    )


def _alarms(facts: Facts) -> Iterator[Alarm]:
    wanted = AlarmFilter(from_us=to_us(facts.request.start), to_us=to_us(facts.request.end))
    offset = 0
    while True:
        found, total = list_alarms(facts.session, wanted, limit=_PAGE, offset=offset)
        yield from found
        offset += _PAGE
        if offset >= total:
            return


def _hours(alarms: list[Alarm]) -> Counter[str]:
    hours = (to_datetime(alarm.raised_us).replace(minute=0, second=0, microsecond=0) for alarm in alarms)
    return Counter(f"{hour:%Y-%m-%dT%H:%MZ}" for hour in hours)


def _windows(facts: Facts, alarms: list[Alarm]) -> Table:
    """Return the alarms whose conditions lasted longest."""
    now_us = to_us(facts.now)
    spans = [(alarm.window(now_us), alarm) for alarm in alarms]
    longest = sorted(spans, key=lambda pair: (pair[0][0] - pair[0][1], pair[1].id))[: facts.request.top]
    rows = tuple(
        (
            alarm.id,
            facts.name(alarm.condition.source, alarm.condition.device),
            alarm.finding.severity.value,
            to_datetime(from_us).isoformat(),
            to_datetime(until_us).isoformat(),
            round((until_us - from_us) / 60e6, 1),
            alarm.finding.message,
        )
        for (from_us, until_us), alarm in longest
    )
    columns = ("alert_id", "device_id", "severity", "from", "to", "minutes", "message")
    return Table("top_windows", columns, rows)


def _per_day(facts: Facts, days: Counter[str]) -> Chart:
    first, last = facts.request.start, facts.request.end
    count = min(-(-(last - first) // _DAY) + 1, _MOST_BARS)
    labels = [f"{last - _DAY * back:%Y-%m-%d}" for back in reversed(range(count))]
    shown = tuple(label for label in labels if f"{first:%Y-%m-%d}" <= label)
    return Chart("per_day", "Alarms per day", shown, tuple(float(days[one]) for one in shown))


def _bars(name: str, title: str, counts: Counter[str], top: int) -> Chart:
    best = ranked(counts, top)
    return Chart(name, title, tuple(label for label, _ in best), tuple(float(count) for _, count in best))
