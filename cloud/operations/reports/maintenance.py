"""The maintenance summary: what was to be decided and how that went, how long it took, and what is still open."""

from collections import Counter
from collections.abc import Sequence
from statistics import fmean, median

from cloud.domain.decision import DecisionKind, DecisionRequest, RequestState
from cloud.domain.recommendation import RecommendationState
from cloud.domain.report import Chart, Figure, Findings, Table
from cloud.operations.reports.facts import Facts, percentile, ranked, rounded
from cloud.records.decisions import decisions_between, list_requests
from cloud.records.planned_events import events_between
from cloud.records.recommendations import list_recommendations

_MOST = 100_000
_HOUR_S = 3600.0


def maintenance_summary(facts: Facts) -> Findings:
    """Return the findings: requests that were made in the range, and what is open at this moment."""
    asked, _ = list_requests(facts.session, since=facts.request.start, before=facts.request.end, limit=_MOST)
    requests = [one for one in asked if not one.device or facts.is_wanted(one.gateway, one.device)]
    states = Counter(one.state for one in requests)
    hours = [_hours(one) for one in requests if one.state in (RequestState.APPROVED, RequestState.REJECTED)]
    decisions = decisions_between(facts.session, facts.request.start, facts.request.end)
    operators = Counter(one.operator for one in decisions)
    waiting = _open(facts)
    return Findings(
        figures=(
            Figure("requests", len(requests)),
            *(Figure(f"requests_{one}", states[one]) for one in RequestState),
            Figure("decisions", len(decisions)),
            Figure("hours_to_decision_median", rounded(median(hours) if hours else None), "h"),
            Figure("hours_to_decision_mean", rounded(fmean(hours) if hours else None), "h"),
            Figure("hours_to_decision_p90", rounded(percentile(hours, 0.9)), "h"),
            Figure("open_now", len(waiting)),
        ),
        tables=(
            Table("by_outcome", ("outcome", "requests"), tuple((one.value, states[one]) for one in RequestState)),
            Table("by_kind", ("kind", *(one.value for one in RequestState)), _by_kind(requests)),
            Table("by_operator", ("operator", "decisions"), ranked(operators, len(operators))),
            _work(facts, waiting),
            _recommendations(facts),
            _planned(facts),
        ),
        charts=(
            Chart(
                "by_outcome",
                "Requests by outcome",
                tuple(one.value for one in RequestState),
                tuple(float(states[one]) for one in RequestState),
            ),
            _times(hours),
        ),
    )


def _hours(request: DecisionRequest) -> float:
    decided_at = request.decided_at or request.requested_at
    return (decided_at - request.requested_at).total_seconds() / _HOUR_S


def _by_kind(requests: Sequence[DecisionRequest]) -> tuple[tuple[str | int, ...], ...]:
    counts = Counter((one.kind, one.state) for one in requests)
    return tuple((kind.value, *(counts[kind, state] for state in RequestState)) for kind in DecisionKind)


def _open(facts: Facts) -> Sequence[DecisionRequest]:
    states = [RequestState.OPEN, RequestState.DEFERRED]
    found, _ = list_requests(facts.session, states=states, before=facts.now, limit=_MOST)
    return [one for one in found if not one.device or facts.is_wanted(one.gateway, one.device)]


def _work(facts: Facts, waiting: Sequence[DecisionRequest]) -> Table:
    rows = tuple(
        (
            one.id,
            one.kind.value,
            one.state.value,
            one.title,
            facts.name(one.gateway, one.device),
            one.requested_at.isoformat(),
            None if one.due_at is None else one.due_at.isoformat(),
            one.due_at is not None and one.due_at < facts.now,
        )
        for one in sorted(waiting, key=lambda one: (one.requested_at, one.id))
    )
    columns = ("request_id", "kind", "state", "title", "device_id", "requested_at", "due_at", "overdue")
    return Table("open_work", columns, rows)


def _recommendations(facts: Facts) -> Table:
    found, _ = list_recommendations(facts.session, states=[RecommendationState.OPEN])
    proposals = [(one.id, one.proposal) for one in found]
    rows = tuple(
        (identity, facts.name(one.source, one.device), one.title, rounded(one.composite), one.priority.value)
        for identity, one in proposals
        if facts.is_wanted(one.source, one.device)
    )
    return Table("open_recommendations", ("id", "device_id", "title", "composite_score", "priority"), rows)


def _planned(facts: Facts) -> Table:
    found = events_between(facts.session, facts.request.start, facts.request.end)
    rows = tuple((one.event_type.value, one.name, one.start_at.isoformat(), one.end_at.isoformat()) for one in found)
    return Table("planned_events", ("event_type", "name", "from", "to"), rows)


def _times(hours: Sequence[float]) -> Chart:
    bounds = ((1, "1 h"), (4, "4 h"), (24, "1 day"), (168, "1 week"))
    counts = Counter(next((label for most, label in bounds if one <= most), "longer") for one in hours)
    labels = (*(label for _, label in bounds), "longer")
    return Chart("time_to_decision", "Time to decision, up to", labels, tuple(float(counts[one]) for one in labels))
