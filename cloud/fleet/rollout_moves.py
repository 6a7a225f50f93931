"""What each move of a rollout does to the records: what gateways shall run, how targets stand, what aliases name."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from sqlalchemy.orm import Session

from cloud.domain.model import CHALLENGER, CHAMPION
from cloud.domain.rollout import Before, Rollout, RolloutState, Target, Verdict
from cloud.domain.times import to_datetime
from cloud.records.models import find_model, mark_version, set_alias
from cloud.records.rollouts import save_rollout, save_targets
from cloud.records.wanted import want, wanted_of
from protocols.wanted import Phase, WantedModel

Overs = Mapping[tuple[str, str], float]
"""Share of rows over the threshold of the model that serves, by gateway and device."""


def begin(session: Session, rollout: Rollout, targets: Sequence[Target], overs: Overs, *, now_us: int) -> None:
    """Want the new model on these targets, and keep what was wanted there before."""
    for gateway, group in groupby(targets, key=lambda one: one.gateway):
        members = list(group)
        wanted = {one.device: one for one in wanted_of(session, gateway).models}
        told = [
            replace(
                one,
                verdict=Verdict.WAITING,
                told_us=now_us,
                before=_before(wanted.get(one.device), overs.get((gateway, one.device))),
            )
            for one in members
        ]
        want(session, gateway, [_wanted(rollout, one.device) for one in members], (), now_us=now_us)
        save_targets(session, rollout.id, told)


def send_back(session: Session, rollout: Rollout, targets: Sequence[Target], *, now_us: int) -> None:
    """Want the model before on all targets that were told the new one, unless something else is wanted there by now."""
    begun = [one for one in targets if one.has_begun]
    for gateway, group in groupby(begun, key=lambda one: one.gateway):
        ours = {one.device for one in wanted_of(session, gateway).models if one.rollout == rollout.id}
        members = [one for one in group if one.device in ours]
        back = [_as_before(one) for one in members if one.before.path]
        own = [one.device for one in members if not one.before.path]
        if members:
            want(session, gateway, back, own, now_us=now_us)
    save_targets(session, rollout.id, (replace(one, told_us=now_us, back_us=0) for one in begun))
    _forget_aliases(session, rollout)


def supersede(session: Session, rollout: Rollout, targets: Sequence[Target], by: str, *, now_us: int) -> None:
    """End a rollout because a newer one takes its targets over; what it had begun goes back first."""
    send_back(session, rollout, targets, now_us=now_us)
    ended = replace(rollout, state=RolloutState.SUPERSEDED, reason=f"superseded by {by}", ended_us=now_us)
    save_rollout(session, ended)


def bring_forward(session: Session, rollout: Rollout, targets: Sequence[Target]) -> list[Target]:
    """Take the first gateway of the next group into this one, since nobody of it is there; return its targets."""
    following = next(one for one in targets if one.group > rollout.group)
    moved = [replace(one, group=rollout.group) for one in targets if one.gateway == following.gateway]
    save_targets(session, rollout.id, moved)
    return moved


def finish(session: Session, rollout: Rollout, *, now_us: int) -> None:
    """Let the aliases say that this version serves; a rollout that only went to the shadow changes none."""
    model = find_model(session, rollout.model)
    version = model.find(rollout.version) if model is not None else None
    if version is None or rollout.rules.phase is Phase.SHADOW:
        return
    set_alias(session, rollout.model, CHAMPION, rollout.version)
    set_alias(session, rollout.model, CHALLENGER, None)
    mark_version(session, replace(version, deployed_at=to_datetime(now_us)))


def _forget_aliases(session: Session, rollout: Rollout) -> None:
    model = find_model(session, rollout.model)
    aliases = model.aliases if model is not None else {}
    if aliases.get(CHALLENGER) == rollout.version:
        set_alias(session, rollout.model, CHALLENGER, None)
    if aliases.get(CHAMPION) == rollout.version != rollout.champion_before:
        set_alias(session, rollout.model, CHAMPION, rollout.champion_before or None)


def _before(wanted: WantedModel | None, over: float | None) -> Before:
    if wanted is None:
        return Before(over=over)
    return Before(wanted.name, wanted.version, wanted.path, over)


def _wanted(rollout: Rollout, device: str) -> WantedModel:
    rules = rollout.rules
    return WantedModel(device, rollout.model, rollout.version, rollout.path, rules.phase, rules.shadow_rows, rollout.id)


def _as_before(target: Target) -> WantedModel:
    before = target.before
    return WantedModel(target.device, before.name, before.version, before.path, Phase.SERVING)
