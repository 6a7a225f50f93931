"""The retention policy reaches every series, over restarts and changes of the policy, in short steps."""

from cloud.domain.retention import RetentionPolicy, RetentionRule
from cloud.ingest.keeping import Keeping
from cloud.storage.memory import MemoryStore
from tests.support.cloud_clock import HandClock
from tests.support.readings import block, table
from tests.support.stores import all_points, arrival, memory_store, merge_all, write

MONTH_S = 30 * 86_400.0
POLICY = RetentionPolicy((RetentionRule(1, tag="flow"),))


def told(store: MemoryStore, clock: HandClock, policy: RetentionPolicy = POLICY) -> Keeping:
    keeping = Keeping(store, policy, clock)
    assert not keeping.step(deadline_s=1)
    return keeping


def left(store: MemoryStore) -> list[int]:
    merge_all(store)
    return [len(all_points(store, series).value) for series in store.series()]


def filled(clock: HandClock) -> MemoryStore:
    store = memory_store(clock)
    write(store, arrival(block([1.0]), table("flow")), arrival(block([1.0]), table("speed")))
    return store


def test_a_series_is_kept_as_long_as_its_rule_says() -> None:
    clock = HandClock()
    store = filled(clock)
    told(store, clock)
    clock.move(MONTH_S)
    assert left(store) == [0, 1]


def test_a_series_that_comes_later_is_told_too() -> None:
    clock = HandClock()
    store = memory_store(clock)
    keeping = told(store, clock)
    write(store, arrival(block([1.0]), table("flow")))
    clock.move(MONTH_S)
    assert left(store) == [1]
    assert not keeping.step(deadline_s=1)
    assert left(store) == [0]


def test_another_policy_at_the_next_start_is_the_one_that_counts() -> None:
    clock = HandClock()
    store = filled(clock)
    told(store, clock)
    told(store, clock, RetentionPolicy())
    clock.move(MONTH_S)
    assert left(store) == [1, 1]


def test_many_series_are_told_in_steps() -> None:
    clock = HandClock()
    store = filled(clock)
    keeping = Keeping(store, POLICY, clock)
    assert keeping.step(deadline_s=0)
    assert not keeping.step(deadline_s=1)
