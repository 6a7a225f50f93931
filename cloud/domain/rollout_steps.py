"""What becomes of a rollout from what its gateways say: one target judged, then the whole stepped; pure.

A group begins when the one before it has proved itself: enough of its targets serve the model, few failed, and it was
left alone for a while. Too many failures in any group that has begun stop the whole, and everything goes back to the
model before.
"""

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum

from cloud.domain.rollout import Rollout, RolloutState, Rules, Target, Verdict
from protocols.wanted import ModelStanding, Phase, Standing

_SLOW_SHADOW = 3.0
"""A shadow may take so many times as long as its rows should; then its Device is as good as away."""
_JUDGED = (Verdict.GOOD, Verdict.FAILED)


def judge(target: Target, told: ModelStanding | None, rollout: Rollout, *, is_online: bool, now_us: int) -> Target:
    """Return a target that has begun with what its gateway said of the new model; told: None where it said nothing.

    A failure stays one, whatever is said later.
    """
    if target.verdict is Verdict.FAILED:
        return target
    trouble = _trouble(target, told, rollout)
    if trouble:
        return replace(target, verdict=Verdict.FAILED, reason=trouble)
    if told is not None and _has_arrived(told, rollout.rules):
        return replace(target, verdict=Verdict.GOOD, reason="")
    if not is_online:
        return replace(target, verdict=Verdict.AWAY, reason="the gateway is offline")
    return _awaited(target, told, rollout, now_us=now_us)


def judge_return(target: Target, told: ModelStanding | None, *, is_online: bool, now_us: int) -> Target:
    """Return a target that was told the model before, with the time from which its gateway runs the new one no more."""
    runs_it = told is not None and told.standing in (Standing.FETCHING, Standing.SHADOWING, Standing.SERVING)
    if target.back_us or runs_it or not is_online:
        return target
    return replace(target, back_us=now_us)


def _awaited(target: Target, told: ModelStanding | None, rollout: Rollout, *, now_us: int) -> Target:
    """Return a target whose gateway is there and has not finished."""
    if told is not None and told.standing is Standing.SHADOWING:
        rows_s = max(rollout.rules.shadow_rows, rollout.rules.min_rows) * rollout.period_s
        is_stuck = now_us - target.told_us > (rollout.rules.answer_s + _SLOW_SHADOW * rows_s) * 1e6
        stuck = f"in the shadow since long, with {told.rows} rows: its device says too little"
        return replace(target, verdict=Verdict.AWAY if is_stuck else Verdict.WAITING, reason=stuck if is_stuck else "")
    if target.verdict in (Verdict.AWAY, Verdict.GOOD):  # it was away, or begins anew: so does its time to answer
        return replace(target, verdict=Verdict.WAITING, reason="", told_us=now_us)
    if now_us - target.told_us > rollout.rules.answer_s * 1e6:
        return replace(target, verdict=Verdict.FAILED, reason=f"no answer in {rollout.rules.answer_s:g} s")
    return replace(target, verdict=Verdict.WAITING, reason="")


def _trouble(target: Target, told: ModelStanding | None, rollout: Rollout) -> str:
    if told is None:
        return ""
    if told.standing in (Standing.REFUSED, Standing.ROLLED_BACK, Standing.OFF):
        return f"{told.standing}: {told.reason}" if told.reason else told.standing.value
    if told.rows < rollout.rules.min_rows:
        return ""
    limit = max(3 * rollout.nominal, rollout.rules.max_over, 2 * (target.before.over or 0.0))
    if told.over is not None and told.over > limit and told.over * told.rows >= rollout.rules.min_rows:
        return f"over: {told.over:.3f} of its rows are over the threshold, allowed are {limit:.3f}"
    least = rollout.rules.min_agreement
    if told.standing is Standing.SHADOWING and told.agreement is not None and told.agreement < least:
        return f"agreement: {told.agreement:.3f} with the model before is under {least:g}"
    return ""


def _has_arrived(told: ModelStanding, rules: Rules) -> bool:
    if rules.phase is Phase.SHADOW:
        return told.standing is Standing.SHADOWING and told.rows >= max(rules.shadow_rows, rules.min_rows)
    return told.standing is Standing.SERVING


class Move(StrEnum):
    """What is to be done with a rollout now."""

    NONE = "none"
    BEGIN = "begin"
    """Tell the targets of the group that it now names."""
    REPLACE = "replace"
    """Nobody of the group is there: take one gateway of the next group into it."""
    STOP = "stop"
    """Tell all targets that have begun the model before."""
    FINISH = "finish"


def step(rollout: Rollout, targets: Sequence[Target], *, now_us: int) -> tuple[Rollout, Move]:
    """Return the rollout as it is now and what to do; targets: all, judged just now."""
    if not rollout.state.is_open:
        return rollout, Move.NONE
    reason = _failure(rollout, targets)
    if reason:
        return rollout.stop(reason, now_us=now_us), Move.STOP
    if rollout.state is not RolloutState.RUNNING:
        return rollout, Move.NONE
    if not rollout.began_us:
        return replace(rollout, began_us=now_us), Move.BEGIN
    return _grown(rollout, targets, now_us=now_us)


def is_back(targets: Sequence[Target]) -> bool:
    """Return whether all targets that were told anything, and are there, are back on the model before."""
    return all(one.back_us or one.verdict is Verdict.AWAY for one in targets if one.has_begun)


def _grown(rollout: Rollout, targets: Sequence[Target], *, now_us: int) -> tuple[Rollout, Move]:
    group = [one for one in targets if one.group == rollout.group]
    if not _is_complete(rollout, group, now_us=now_us):
        return _deserted(replace(rollout, complete_us=0), group, targets, now_us=now_us)
    if not rollout.complete_us:
        rollout = replace(rollout, complete_us=now_us)
    if now_us - rollout.complete_us < rollout.rules.soak_s * 1e6:
        return rollout, Move.NONE
    return _onward(rollout, targets, now_us=now_us)


def _deserted(
    rollout: Rollout, group: Sequence[Target], targets: Sequence[Target], *, now_us: int
) -> tuple[Rollout, Move]:
    """Return what becomes of a rollout whose group may have nobody there: it must not wait for ever."""
    if not _has_waited(rollout, now_us) or any(one.verdict is not Verdict.AWAY for one in group):
        return rollout, Move.NONE
    if any(one.group > rollout.group for one in targets):
        return rollout, Move.REPLACE
    if any(one.verdict is Verdict.GOOD for one in targets):
        return _onward(rollout, targets, now_us=now_us)
    return rollout, Move.NONE


def _onward(rollout: Rollout, targets: Sequence[Target], *, now_us: int) -> tuple[Rollout, Move]:
    following = min((one.group for one in targets if one.group > rollout.group), default=None)
    if following is None:
        return replace(rollout, state=RolloutState.FINISHED, ended_us=now_us), Move.FINISH
    if rollout.rules.needs_approval:
        return replace(rollout, state=RolloutState.WAITING, group=following - 1), Move.NONE
    return replace(rollout, group=following, began_us=now_us, complete_us=0), Move.BEGIN


def _failure(rollout: Rollout, targets: Sequence[Target]) -> str:
    """Return why the rollout must be stopped, empty where it may go on."""
    begun = [one for one in targets if one.has_begun]
    for group in sorted({one.group for one in begun}):
        members = [one for one in begun if one.group == group]
        failed = [one for one in members if one.verdict is Verdict.FAILED]
        good = sum(one.verdict is Verdict.GOOD for one in members)
        is_judged = all(one.verdict in _JUDGED for one in members)
        too_few = is_judged and 100 * good < rollout.rules.success_percent * len(members)
        if failed and (too_few or 100 * len(failed) > rollout.rules.error_percent * len(members)):
            first = f"{failed[0].gateway}/{failed[0].device}: {failed[0].reason}"
            return f"{len(failed)} of {len(members)} failed in group {group + 1}; {first}"
    return ""


def _is_complete(rollout: Rollout, group: Sequence[Target], *, now_us: int) -> bool:
    here = [one for one in group if one.verdict is not Verdict.AWAY]
    if len(here) < len(group) and not _has_waited(rollout, now_us):
        return False
    good = sum(one.verdict is Verdict.GOOD for one in here)
    is_judged = all(one.verdict in _JUDGED for one in here)
    return good > 0 and is_judged and 100 * good >= rollout.rules.success_percent * len(here)


def _has_waited(rollout: Rollout, now_us: int) -> bool:
    return now_us - rollout.began_us >= rollout.rules.away_s * 1e6
