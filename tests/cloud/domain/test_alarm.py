"""The life of an alarm: states, first operators, shelves, chattering, and laws that hold for any sequence."""

from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.domain.alarm import LONGEST_SHELF_S, Alarm, AlarmState, Finding, Seen, raised
from cloud.errors import Conflict, Invalid
from tests.support.alarms import PUMP, SECOND_US, finding
from tests.support.cloud_clock import START_US

ANN, BOB = Seen("ann", START_US), Seen("bob", START_US + 5)


def an_alarm(at_s: float = 0.0) -> Alarm:
    return raised(None, PUMP, finding(at_s), new_id="a")


def again(alarm: Alarm, at_s: float, new_id: str = "next") -> Alarm:
    return raised(alarm.clear(START_US), PUMP, finding(at_s), new_id=new_id)


def test_the_display_states_follow_condition_and_acknowledgement() -> None:
    alarm = an_alarm()
    assert alarm.state is AlarmState.UNACK_ACTIVE
    assert alarm.acknowledge(ANN).state is AlarmState.ACK_ACTIVE
    assert alarm.clear(START_US + 1).state is AlarmState.UNACK_CLEARED
    assert alarm.acknowledge(ANN).clear(START_US + 1).state is AlarmState.NORMAL
    assert alarm.clear(START_US + 1).acknowledge(ANN).state is AlarmState.NORMAL


def test_an_alarm_keeps_the_first_operator_who_saw_it() -> None:
    assert an_alarm().acknowledge(ANN).acknowledge(BOB).acknowledged == ANN


def test_clearing_twice_keeps_the_first_time() -> None:
    assert an_alarm().clear(START_US + 1).clear(START_US + 9).cleared_us == START_US + 1


def test_what_is_raised_again_before_anybody_saw_it_is_the_same_alarm() -> None:
    alarm = again(an_alarm(), 1000)
    assert (alarm.id, alarm.occurrences, alarm.state) == ("a", 2, AlarmState.UNACK_ACTIVE)
    assert alarm.raised_us == START_US


def test_what_is_raised_again_after_it_was_over_is_a_new_alarm() -> None:
    alarm = again(an_alarm().acknowledge(ANN), 1000)
    assert (alarm.id, alarm.occurrences, alarm.acknowledged) == ("next", 1, None)


def test_the_same_episode_told_twice_counts_once_even_after_it_is_over() -> None:
    first = raised(None, PUMP, finding(episode="e-1"), new_id="a")
    assert raised(first, PUMP, finding(episode="e-1"), new_id="b") is first
    over = first.acknowledge(ANN).clear(START_US + 1)
    assert raised(over, PUMP, finding(episode="e-1"), new_id="b") is over
    assert raised(first, PUMP, finding(episode="e-2"), new_id="b").occurrences == 2


@pytest.mark.parametrize(("times", "step_s"), [(3, 30), (10, 100)])
def test_an_alarm_that_keeps_coming_chatters_from_the_first_of_those_times(times: int, step_s: int) -> None:
    alarm = an_alarm()
    for number in range(1, times):
        assert alarm.chattering_since_us is None
        alarm = again(alarm, number * step_s)
    assert alarm.chattering_since_us == START_US
    assert alarm.is_chattering(alarm.raises[-1])
    assert alarm.occurrences == times


def test_rare_returns_are_no_chattering() -> None:
    alarm = an_alarm()
    for number in range(1, 30):
        alarm = again(alarm, number * 101)
    assert alarm.chattering_since_us is None
    assert alarm.occurrences == 30


def test_a_chattering_alarm_stays_one_and_acknowledged_until_a_quiet_quarter_of_an_hour() -> None:
    alarm = again(again(an_alarm(), 10), 20).acknowledge(ANN)
    soon = again(alarm, 30)
    assert (soon.id, soon.state, soon.acknowledged) == ("a", AlarmState.ACK_ACTIVE, ANN)
    late = again(soon, 30 + 901)
    assert (late.id, late.state, late.chattering_since_us) == ("next", AlarmState.UNACK_ACTIVE, None)


def test_chattering_is_noticed_across_alarms_that_were_acknowledged_in_between() -> None:
    alarm = again(an_alarm().acknowledge(ANN), 10, "b").acknowledge(ANN)
    alarm = again(alarm, 20, "c")
    assert (alarm.id, alarm.chattering_since_us) == ("c", START_US)
    assert again(alarm.acknowledge(ANN), 30, "d").id == "c"


def test_a_shelf_hides_until_its_end_and_the_condition_goes_on_behind_it() -> None:
    shelved = an_alarm().shelve(ANN, for_s=3600)
    assert shelved.state is AlarmState.SHELVED
    assert shelved.at(START_US + 3600 * SECOND_US - 1) is shelved
    assert shelved.at(START_US + 3600 * SECOND_US).state is AlarmState.UNACK_ACTIVE
    assert shelved.clear(START_US + 1).state is AlarmState.SHELVED
    assert again(shelved, 60).occurrences == 2
    assert shelved.clear(START_US + 1).unshelve().state is AlarmState.UNACK_CLEARED


def test_a_one_shot_shelf_ends_when_the_alarm_clears() -> None:
    assert an_alarm().shelve(ANN, for_s=3600, is_one_shot=True).clear(START_US + 1).state is AlarmState.UNACK_CLEARED


@pytest.mark.parametrize("for_s", [0, 59, LONGEST_SHELF_S + 1, -1, float("nan"), float("inf")])
def test_a_shelf_has_a_least_and_a_longest_time(for_s: float) -> None:
    with pytest.raises(Invalid, match="for_s"):
        an_alarm().shelve(ANN, for_s=for_s)


def test_what_is_over_can_be_neither_shelved_nor_taken_out_of_service() -> None:
    over = an_alarm().acknowledge(ANN).clear(START_US)
    with pytest.raises(Conflict):
        over.shelve(ANN, for_s=60)
    with pytest.raises(Conflict):
        over.take_out_of_service(ANN)


def test_out_of_service_hides_until_it_is_brought_back() -> None:
    out = an_alarm().shelve(ANN, for_s=60).take_out_of_service(ANN)
    assert (out.state, out.shelf) == (AlarmState.OUT_OF_SERVICE, None)
    assert out.take_out_of_service(BOB).removed == ANN
    assert again(out, 5000).id == "a"
    with pytest.raises(Conflict):
        out.shelve(ANN, for_s=60)
    assert out.return_to_service().state is AlarmState.UNACK_ACTIVE


def test_the_window_of_an_alarm_is_from_its_first_onset_to_its_last_clearing() -> None:
    first = raised(None, PUMP, replace(finding(5), onset_us=START_US), new_id="a")
    assert first.window(START_US + 60 * SECOND_US) == (START_US, START_US + 60 * SECOND_US)
    cleared = first.clear(START_US + 9 * SECOND_US)
    assert cleared.window(START_US + 60 * SECOND_US) == (START_US, START_US + 9 * SECOND_US)


def test_an_alarm_is_the_same_after_json() -> None:
    alarm = again(an_alarm(), 10).shelve(ANN, for_s=60).acknowledge(BOB)
    assert msgspec.json.decode(msgspec.json.encode(alarm), type=Alarm) == alarm


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["raise", "clear", "ack", "shelve", "unshelve", "out", "back", "expire"]),
        st.integers(0, 600),
        st.sampled_from(["ann", "bob"]),
    ),
    max_size=40,
)


class Plant:
    """One condition, all its alarms, and what was done to them in sequence."""

    def __init__(self) -> None:
        self.alarms: dict[str, Alarm] = {}
        self.last: Alarm | None = None
        self.now_us = START_US
        self.raises = 0

    def do(self, what: str, by: str) -> Alarm | None:
        if what == "raise":
            return self._raise()
        if self.last is None:
            return None
        try:
            return self._change(self.last, what, Seen(by, self.now_us))
        except Conflict:
            return self.last

    def _change(self, last: Alarm, what: str, seen: Seen) -> Alarm:
        changes: dict[str, Callable[[], Alarm]] = {
            "clear": lambda: last.clear(self.now_us),
            "ack": lambda: last.acknowledge(seen),
            "shelve": lambda: last.shelve(seen, for_s=300),
            "out": lambda: last.take_out_of_service(seen),
            "unshelve": last.unshelve,
            "back": last.return_to_service,
            "expire": lambda: last.at(self.now_us),
        }
        return changes[what]()

    def _raise(self) -> Alarm:
        was_active = self.last is not None and self.last.is_active
        self.raises += not was_active
        found = Finding(self.now_us, finding().severity, "m", self.now_us)
        return raised(self.last, PUMP, found, new_id=f"a{len(self.alarms)}")


@given(STEPS)
def test_whatever_happens_one_alarm_lives_counts_add_up_and_first_operators_stay(
    steps: list[tuple[str, int, str]],
) -> None:
    plant = Plant()
    first: dict[str, Seen] = {}
    for what, seconds, by in steps:
        plant.now_us += seconds * SECOND_US
        alarm = plant.do(what, by)
        if alarm is None:
            continue
        plant.alarms[alarm.id] = plant.last = alarm
        if alarm.acknowledged is not None:
            assert first.setdefault(alarm.id, alarm.acknowledged) == alarm.acknowledged
        assert sum(one.is_live for one in plant.alarms.values()) <= 1
        assert sum(one.occurrences for one in plant.alarms.values()) == plant.raises
        assert alarm.is_live is (alarm.state is not AlarmState.NORMAL)
        assert len(alarm.raises) <= 10
