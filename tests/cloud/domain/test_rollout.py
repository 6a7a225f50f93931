"""The laws of a rollout: who is in which group, what a gateway's words mean, when the next group may begin."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.domain.rollout import Before, Rollout, RolloutState, Rules, Target, Verdict, check_rules, in_groups
from cloud.domain.rollout_steps import Move, is_back, judge, judge_return, step
from cloud.errors import Conflict, Invalid
from protocols.wanted import ModelStanding, Phase, Standing

S = 1_000_000
RULES = Rules(soak_s=10, answer_s=60, away_s=600, min_rows=100, shadow_rows=200)
ROLLOUT = Rollout("r1", "pump", 2, "pump/2.lsp", RULES, began_us=S)
ONE = Target("gw-1", "pump-1", 0, Verdict.WAITING, told_us=S)


def said(standing: Standing, *, rows: int = 500, over: float | None = 0.01, **more: object) -> ModelStanding:
    told = {"agreement": 0.99, **more}
    return ModelStanding("pump-1", "pump", 2, standing, rollout="r1", rows=rows, over=over, **told)  # type: ignore[arg-type]  # fields by name


def judged(told: ModelStanding | None, *, online: bool = True, at_s: float = 2, target: Target = ONE) -> Target:
    return judge(target, told, ROLLOUT, is_online=online, now_us=round(at_s * S))


def places(gateways: int, devices: int = 1) -> list[tuple[str, str]]:
    return [(f"gw-{gateway}", f"pump-{device}") for gateway in range(gateways) for device in range(devices)]


def all_as(verdict: Verdict, count: int, *, group: int = 0) -> list[Target]:
    return [Target(f"gw-{n}", "pump-1", group, verdict, "why", told_us=S) for n in range(count)]


@given(st.integers(1, 300), st.integers(1, 3), st.text("abc", max_size=4))
def test_groups_hold_every_place_once_and_a_gateway_is_in_one_group(gateways: int, devices: int, salt: str) -> None:
    targets = in_groups(places(gateways, devices), RULES, salt=salt)
    assert sorted((one.gateway, one.device) for one in targets) == sorted(places(gateways, devices))
    assert len({(one.gateway, one.group) for one in targets}) == gateways
    assert targets == in_groups(places(gateways, devices)[::-1], RULES, salt=salt)
    sizes = [sum(one.group == group for one in targets) for group in range(3)]
    assert sizes[0] >= 1
    if gateways >= 20:
        assert sizes[0] == -(-gateways * 5 // 100) * devices
        assert sizes[0] + sizes[1] == -(-gateways * 25 // 100) * devices


def test_other_rollouts_begin_with_other_gateways() -> None:
    firsts = {next(one.gateway for one in in_groups(places(200), RULES, salt=f"r{n}")) for n in range(20)}
    assert len(firsts) > 10


@pytest.mark.parametrize(
    ("told", "verdict", "why"),
    [
        (None, Verdict.WAITING, ""),
        (said(Standing.FETCHING), Verdict.WAITING, ""),
        (said(Standing.SHADOWING), Verdict.WAITING, ""),
        (said(Standing.SERVING), Verdict.GOOD, ""),
        (said(Standing.REFUSED, reason="signature"), Verdict.FAILED, "refused: signature"),
        (said(Standing.ROLLED_BACK), Verdict.FAILED, "rolled_back"),
        (said(Standing.OFF, reason="too slow"), Verdict.FAILED, "off: too slow"),
        (said(Standing.SERVING, over=0.2), Verdict.FAILED, "over: 0.200"),
        (said(Standing.SHADOWING, over=0.2), Verdict.FAILED, "over: 0.200"),
        (said(Standing.SERVING, over=0.2, rows=10), Verdict.GOOD, ""),
        (said(Standing.SERVING, over=0.09, rows=500), Verdict.GOOD, ""),  # 45 rows: one run of a healthy machine
        (said(Standing.SHADOWING, agreement=0.5), Verdict.FAILED, "agreement: 0.500"),
    ],
)
def test_what_a_gateway_says_is_judged(told: ModelStanding | None, verdict: Verdict, why: str) -> None:
    target = judged(told)
    assert target.verdict is verdict
    assert target.reason.startswith(why)


def test_a_machine_that_was_in_alarm_before_is_not_the_new_models_fault() -> None:
    ill = replace(ONE, before=Before(over=0.3))
    assert judged(said(Standing.SERVING, over=0.5), target=ill).verdict is Verdict.GOOD
    assert judged(said(Standing.SERVING, over=0.7), target=ill).verdict is Verdict.FAILED


def test_no_answer_is_a_failure_only_of_a_gateway_that_is_there() -> None:
    assert judged(None, at_s=70).reason == "no answer in 60 s"
    assert judged(said(Standing.FETCHING), at_s=70).verdict is Verdict.FAILED
    assert judged(None, at_s=70, online=False).verdict is Verdict.AWAY


def test_the_time_to_answer_begins_when_a_gateway_is_there_again() -> None:
    away = judged(None, at_s=500, online=False)
    back = judged(None, at_s=1000, target=away)
    assert back.verdict is Verdict.WAITING
    assert judged(None, at_s=1059, target=back).verdict is Verdict.WAITING
    assert judged(None, at_s=1061, target=back).verdict is Verdict.FAILED


def test_a_restarted_gateway_gets_its_time_anew() -> None:
    good = judged(said(Standing.SERVING))
    assert judged(None, at_s=5000, target=good).verdict is Verdict.WAITING


def test_a_shadow_that_gets_no_rows_counts_as_away() -> None:
    assert judged(said(Standing.SHADOWING, rows=5), at_s=600).verdict is Verdict.WAITING
    assert judged(said(Standing.SHADOWING, rows=5), at_s=700).verdict is Verdict.AWAY


@given(st.sampled_from(Standing), st.booleans(), st.floats(0, 1), st.integers(0, 1000), st.integers(1, 10_000))
def test_a_failure_stays_a_failure(standing: Standing, online: bool, over: float, rows: int, at_s: int) -> None:  # noqa: FBT001 drawn
    failed = replace(ONE, verdict=Verdict.FAILED, reason="once")
    assert judged(said(standing, over=over, rows=rows), online=online, at_s=at_s, target=failed) == failed


def test_a_rollout_to_the_shadow_ends_there() -> None:
    shadow = replace(ROLLOUT, rules=replace(RULES, phase=Phase.SHADOW))
    few = judge(ONE, said(Standing.SHADOWING, rows=150), shadow, is_online=True, now_us=2 * S)
    enough = judge(ONE, said(Standing.SHADOWING, rows=200), shadow, is_online=True, now_us=2 * S)
    assert (few.verdict, enough.verdict) == (Verdict.WAITING, Verdict.GOOD)


def test_the_first_group_begins_at_once() -> None:
    fresh = replace(ROLLOUT, began_us=0)
    stepped, move = step(fresh, all_as(Verdict.PENDING, 3), now_us=5 * S)
    assert (move, stepped.began_us) == (Move.BEGIN, 5 * S)


def test_the_next_group_begins_after_a_good_group_was_left_alone() -> None:
    targets = [*all_as(Verdict.GOOD, 5), *all_as(Verdict.PENDING, 5, group=1)]
    complete, move = step(ROLLOUT, targets, now_us=2 * S)
    assert (move, complete.complete_us, complete.group) == (Move.NONE, 2 * S, 0)
    still, move = step(complete, targets, now_us=11 * S)
    assert (move, still) == (Move.NONE, complete)
    onward, move = step(complete, targets, now_us=12 * S)
    assert (move, onward.group, onward.began_us) == (Move.BEGIN, 1, 12 * S)


def test_a_group_that_is_no_longer_good_is_left_alone_anew() -> None:
    complete, _ = step(ROLLOUT, all_as(Verdict.GOOD, 5), now_us=2 * S)
    shaken, _ = step(complete, [*all_as(Verdict.GOOD, 4), *all_as(Verdict.WAITING, 1)], now_us=3 * S)
    assert shaken.complete_us == 0


def test_after_the_last_group_it_is_finished() -> None:
    complete, _ = step(ROLLOUT, all_as(Verdict.GOOD, 5), now_us=2 * S)
    ended, move = step(complete, all_as(Verdict.GOOD, 5), now_us=12 * S)
    assert (move, ended.state) == (Move.FINISH, RolloutState.FINISHED)


@pytest.mark.parametrize(("failed", "of", "stops"), [(1, 10, False), (2, 10, True), (1, 5, True), (1, 1, True)])
def test_more_failures_than_allowed_stop_it_and_say_who_and_why(failed: int, of: int, stops: bool) -> None:  # noqa: FBT001 a case
    targets = [*all_as(Verdict.FAILED, failed), *all_as(Verdict.WAITING, of - failed)]
    stepped, move = step(ROLLOUT, targets, now_us=2 * S)
    assert (move is Move.STOP) == stops == (stepped.state is RolloutState.ROLLING_BACK)
    if stops:
        assert stepped.reason == f"{failed} of {of} failed in group 1; gw-0/pump-1: why"


def test_too_few_good_ones_stop_it_even_where_failures_are_allowed() -> None:
    lenient = replace(ROLLOUT, rules=replace(RULES, error_percent=50, success_percent=80))
    targets = [*all_as(Verdict.FAILED, 3), *all_as(Verdict.GOOD, 7)]
    assert step(lenient, targets, now_us=2 * S)[1] is Move.STOP


@pytest.mark.parametrize("state", [RolloutState.PAUSED, RolloutState.WAITING])
def test_a_paused_rollout_begins_nothing_but_is_still_stopped(state: RolloutState) -> None:
    resting = replace(ROLLOUT, state=state)
    good = [*all_as(Verdict.GOOD, 5), *all_as(Verdict.PENDING, 5, group=1)]
    assert step(resting, good, now_us=99 * S) == (resting, Move.NONE)
    assert step(resting, all_as(Verdict.FAILED, 2), now_us=2 * S)[1] is Move.STOP


def test_a_failure_in_an_earlier_group_stops_it_too() -> None:
    later = replace(ROLLOUT, group=1)
    targets = [*all_as(Verdict.FAILED, 2), *all_as(Verdict.GOOD, 8, group=1)]
    assert step(later, targets, now_us=2 * S)[1] is Move.STOP


def test_approval_is_waited_for_and_then_the_next_group_begins() -> None:
    gated = replace(ROLLOUT, rules=replace(RULES, needs_approval=True, soak_s=0))
    targets = [*all_as(Verdict.GOOD, 5), *all_as(Verdict.PENDING, 5, group=1)]
    waiting, move = step(gated, targets, now_us=2 * S)
    assert (move, waiting.state) == (Move.NONE, RolloutState.WAITING)
    begun, move = step(waiting.approve(), targets, now_us=3 * S)
    assert (move, begun.group, begun.state) == (Move.BEGIN, 1, RolloutState.RUNNING)
    with pytest.raises(Conflict, match="nothing waits"):
        begun.approve()


def test_those_that_are_away_are_waited_for_but_not_for_ever() -> None:
    targets = [*all_as(Verdict.GOOD, 4), *all_as(Verdict.AWAY, 4), *all_as(Verdict.PENDING, 1, group=1)]
    assert step(ROLLOUT, targets, now_us=500 * S)[0].complete_us == 0
    assert step(ROLLOUT, targets, now_us=700 * S)[0].complete_us == 700 * S


def test_a_group_of_which_nobody_is_there_gets_one_of_the_next() -> None:
    targets = [*all_as(Verdict.AWAY, 2), *all_as(Verdict.PENDING, 2, group=1)]
    assert step(ROLLOUT, targets, now_us=500 * S)[1] is Move.NONE
    assert step(ROLLOUT, targets, now_us=700 * S)[1] is Move.REPLACE
    last = [*all_as(Verdict.GOOD, 2), *all_as(Verdict.AWAY, 2, group=1)]
    assert step(replace(ROLLOUT, group=1), last, now_us=700 * S)[1] is Move.FINISH
    assert step(ROLLOUT, all_as(Verdict.AWAY, 2), now_us=700 * S)[1] is Move.NONE


VERDICTS = st.lists(st.sampled_from([Verdict.WAITING, Verdict.GOOD, Verdict.FAILED, Verdict.AWAY]), min_size=1)


@given(VERDICTS, st.integers(1, 10_000), st.booleans())
def test_no_group_begins_while_one_waits_or_too_many_failed(verdicts: list[Verdict], at_s: int, gate: bool) -> None:  # noqa: FBT001 drawn
    rollout = replace(ROLLOUT, complete_us=S, rules=replace(RULES, needs_approval=gate, soak_s=0))
    group = [Target(f"gw-{n}", "pump-1", 0, verdict) for n, verdict in enumerate(verdicts)]
    stepped, move = step(rollout, [*group, Target("gw-x", "pump-1", 1)], now_us=at_s * S)
    failed = verdicts.count(Verdict.FAILED)
    if move is Move.BEGIN or stepped.state is RolloutState.WAITING:
        assert Verdict.WAITING not in verdicts
        assert verdicts.count(Verdict.GOOD) >= 1
        assert 100 * failed <= RULES.error_percent * len(verdicts)
        assert gate == (stepped.state is RolloutState.WAITING)
    if 100 * failed > RULES.error_percent * len(verdicts):
        assert move is Move.STOP


@pytest.mark.parametrize("state", [one for one in RolloutState if not one.is_open])
def test_what_has_ended_steps_no_more(state: RolloutState) -> None:
    ended = replace(ROLLOUT, state=state)
    assert step(ended, all_as(Verdict.FAILED, 9), now_us=9 * S) == (ended, Move.NONE)
    with pytest.raises(Conflict):
        ended.pause()
    if state is not RolloutState.FINISHED:
        with pytest.raises(Conflict, match="cannot go back"):
            ended.stop("x", now_us=1)


def test_a_gateway_is_back_once_it_says_that_it_runs_the_new_model_no_more() -> None:
    def returned(told: ModelStanding | None, *, online: bool = True) -> int:
        return judge_return(ONE, told, is_online=online, now_us=7 * S).back_us

    assert [returned(said(one)) for one in (Standing.SERVING, Standing.SHADOWING, Standing.FETCHING)] == [0, 0, 0]
    assert [returned(None), returned(said(Standing.REFUSED)), returned(None, online=False)] == [7 * S, 7 * S, 0]
    back = replace(ONE, back_us=S)
    assert is_back([back, Target("gw-2", "pump-1", 1), replace(ONE, verdict=Verdict.AWAY)])
    assert not is_back([back, ONE])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"groups": ()}, "groups"),
        ({"groups": (5.0, 5.0, 100.0)}, "groups"),
        ({"groups": (5.0, 50.0)}, "groups"),
        ({"groups": (0.0, 100.0)}, "groups"),
        ({"success_percent": 0.0}, "success_percent"),
        ({"error_percent": 100.0}, "error_percent"),
        ({"soak_s": float("nan")}, "soak_s"),
        ({"answer_s": 0.0}, "answer_s"),
        ({"away_s": 1e9}, "away_s"),
        ({"max_over": 2.0}, "max_over"),
        ({"min_agreement": -0.1}, "min_agreement"),
        ({"min_rows": 0}, "min_rows"),
        ({"shadow_rows": -1}, "shadow_rows"),
    ],
)
def test_wrong_rules_are_refused_by_field(change: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid, match=f"^{field}: "):
        check_rules(replace(RULES, **change))  # type: ignore[arg-type]  # fields by name


def test_the_default_rules_are_right() -> None:
    assert check_rules(Rules()).groups == (5.0, 25.0, 100.0)
