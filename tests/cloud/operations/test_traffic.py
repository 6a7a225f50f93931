"""What a process was asked, which statements are slow, and who is alive."""

import pytest

from cloud.operations.pulse import EVERY_S, Pulse
from cloud.operations.traffic import Traffic
from cloud.records.database import Records
from tests.support.cloud_clock import HandClock


def test_traffic_is_summed_over_routes_and_failures_are_those_of_ours() -> None:
    traffic = Traffic()
    for status, seconds in ((200, 0.1), (404, 0.2), (500, 0.6)):
        traffic.begun()
        traffic.ended("GET", "/a", status, seconds)
    traffic.begun()
    figures = traffic.figures()
    assert (figures.active, figures.count, figures.failures) == (1, 3, 1)
    assert figures.mean_s == pytest.approx(0.3)
    assert figures.error_share == pytest.approx(1 / 3)


def test_before_the_first_answer_there_is_nothing_to_divide_by() -> None:
    figures = Traffic().figures()
    assert (figures.mean_s, figures.error_share) == (0.0, 0.0)


def test_the_slowest_routes_are_those_whose_answers_take_longest_on_average() -> None:
    traffic = Traffic()
    for handler, seconds in (("/fast", 0.01), ("/slow", 0.5), ("/slow", 0.7), ("/once", 0.55)):
        traffic.begun()
        traffic.ended("GET", handler, 200, seconds)
    slowest = traffic.slowest(2)
    assert [(route.handler, route.count) for route in slowest] == [("/slow", 2), ("/once", 1)]
    assert slowest[0].longest_s == 0.7


def test_statements_are_counted_without_their_values(records: Records) -> None:
    clock = HandClock()
    pulse = Pulse(records, clock)
    for _ in range(3):
        pulse.beat()
        clock.move(1)
    counted = {one.text: one.count for one in records.statements.slowest(1000)}
    assert [count for text, count in counted.items() if text.startswith("UPDATE heartbeats")] == [2]
    assert all("worker@" not in text for text in counted)
    means = [one.mean_s for one in records.statements.slowest(1000)]
    assert means == sorted(means, reverse=True)


def test_a_process_is_alive_while_it_beats_and_dead_soon_after(records: Records) -> None:
    clock = HandClock()
    pulse = Pulse(records, clock)
    assert pulse.alive() == 0
    pulse.beat()
    clock.move(3 * EVERY_S)
    assert pulse.alive() == 1
    clock.move(EVERY_S)
    assert pulse.alive() == 0
    pulse.beat()
    assert pulse.alive() == 1


def test_those_of_another_kind_do_not_count(records: Records) -> None:
    clock = HandClock()
    Pulse(records, clock, "else").beat()
    assert Pulse(records, clock).alive() == 0
