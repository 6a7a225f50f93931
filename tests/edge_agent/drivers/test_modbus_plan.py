"""Few requests, none too large, none across what was refused; and a search that always ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.config.devices import Table
from edge_agent.drivers.modbus_plan import Knowledge, Limits, Request, Span, plan, split

TABLES = st.sampled_from([Table.HOLDING, Table.INPUT, Table.COIL, Table.DISCRETE])


@st.composite
def spans(draw: st.DrawFn, *, min_size: int = 0) -> list[Span]:
    places = draw(st.lists(st.tuples(TABLES, st.integers(0, 400), st.integers(1, 4)), min_size=min_size, max_size=60))
    return [
        Span(tag, table, address, 1 if table.is_bits else count) for tag, (table, address, count) in enumerate(places)
    ]


LIMITS = st.builds(Limits, st.integers(4, 125), st.integers(4, 2000), st.integers(0, 20))


def holding(*addresses: int) -> list[Span]:
    return [Span(tag, Table.HOLDING, address, 1) for tag, address in enumerate(addresses)]


def asked(requests: tuple[Request, ...]) -> list[tuple[int, int]]:
    return [(request.address, request.count) for request in requests]


def test_a_thousand_registers_are_eight_requests() -> None:
    assert asked(plan(holding(*range(1000)), Limits())) == [(start, 125) for start in range(0, 1000, 125)]


def test_two_thousand_coils_are_one_request() -> None:
    coils = [Span(tag, Table.COIL, tag, 1) for tag in range(2000)]
    assert asked(plan(coils, Limits())) == [(0, 2000)]


def test_a_gap_is_bridged_up_to_its_limit_and_not_beyond() -> None:
    assert asked(plan(holding(0, 5), Limits(max_gap=4))) == [(0, 6)]
    assert asked(plan(holding(0, 6), Limits(max_gap=4))) == [(0, 1), (6, 1)]


def test_no_request_bridges_what_was_refused() -> None:
    known = Knowledge(walls=frozenset({(Table.HOLDING, 2)}))
    assert asked(plan(holding(0, 1, 3, 4), Limits(), known)) == [(0, 2), (3, 2)]


@given(spans(), LIMITS)
def test_every_tag_is_served_once_by_a_request_that_covers_it(wanted: list[Span], limits: Limits) -> None:
    requests = plan(wanted, limits)
    served = [span for request in requests for span in request.spans]
    assert sorted(span.tag for span in served) == [span.tag for span in wanted]
    for request in requests:
        assert all(request.address <= span.address for span in request.spans)
        assert all(span.end <= request.address + request.count for span in request.spans)
        assert {span.table for span in request.spans} == {request.table}


@given(spans(), LIMITS)
def test_no_request_asks_for_more_than_allowed(wanted: list[Span], limits: Limits) -> None:
    for request in plan(wanted, limits):
        assert request.count <= limits.most(request.table)


@given(spans(), LIMITS)
def test_no_gap_is_wider_than_allowed(wanted: list[Span], limits: Limits) -> None:
    for request in plan(wanted, limits):
        gaps = sorted(address for _, address in request.gaps())
        width = limits.gap(request.table)
        assert all(gaps[i + width] - gaps[i] > width for i in range(len(gaps) - width))


@given(spans(min_size=1), LIMITS)
def test_splitting_serves_the_same_tags_and_ends_at_single_ones(wanted: list[Span], limits: Limits) -> None:
    queue = list(plan(wanted, limits))
    singles: list[int] = []
    while queue:
        request = queue.pop()
        if len(request.spans) == 1:
            singles.append(request.spans[0].tag)
            continue
        parts = split(request)
        assert all(len(part.spans) < len(request.spans) for part in parts)
        assert sorted(s.tag for part in parts for s in part.spans) == sorted(s.tag for s in request.spans)
        queue.extend(parts)
    assert sorted(singles) == [span.tag for span in wanted]


@given(spans(min_size=1), st.sets(st.tuples(TABLES, st.integers(0, 400)), max_size=5))
def test_what_was_refused_is_neither_asked_for_nor_bridged(wanted: list[Span], walls: set[tuple[Table, int]]) -> None:
    refused = frozenset(
        span.tag for span in wanted if any((span.table, a) in walls for a in range(span.address, span.end))
    )
    for request in plan(wanted, Limits(), Knowledge(walls=frozenset(walls), refused=refused)):
        assert not {(request.table, a) for a in range(request.address, request.address + request.count)} & walls


def test_refused_tags_explain_a_refusal_before_its_gaps_do_and_its_gaps_before_its_size() -> None:
    gapped, whole = Request.over(holding(0, 5)), Request.over(holding(0, 1))
    assert Knowledge().after_refusal(gapped, gapped.spans[:1], 1).refused == {0}
    assert Knowledge().after_refusal(gapped, (), 1).walls == {(Table.HOLDING, address) for address in range(1, 5)}
    assert Knowledge().after_refusal(whole, (), 1).most_of(Table.HOLDING, 125) == 1


def test_a_tag_that_answers_again_is_planned_again() -> None:
    span = holding(7)[0]
    known = Knowledge().after_refusal(Request.over([span]), [span], 0)
    assert plan([span], Limits(), known) == ()
    assert asked(plan([span], Limits(), known.after_success(span))) == [(7, 1)]


@pytest.mark.parametrize("start", [0, 3, 8, 13])
def test_bits_of_a_part_are_put_where_they_belong(start: int) -> None:
    coils = [Span(tag, Table.COIL, tag, 1) for tag in range(20)]
    whole, piece = Request.over(coils), Request.over(coils[start : start + 5])
    into = bytearray(whole.size_bytes)
    whole.place(bytes([0b10101]), piece, into)
    assert int.from_bytes(into, "little") == 0b10101 << start
