"""Conductor: lets rollouts go on by what gateways say, and tells gateways what is wanted of them."""

import logging
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy.orm import Session

from cloud.domain.rollout import Rollout, RolloutState, Target, Verdict
from cloud.domain.rollout_steps import Move, is_back, judge, judge_return, step
from cloud.fleet.rollout_moves import begin, bring_forward, finish, send_back
from cloud.fleet.standings import GatewayModels
from cloud.ports import Clock
from cloud.records.database import Records
from cloud.records.rollouts import save_rollout, save_targets, targets_of, unsettled_rollouts
from cloud.records.wanted import Telling, list_tellings, mark_sent, wanted_of
from protocols.topics import GatewayTopic, gateway_topic
from protocols.wanted import encode_wanted

Publish = Callable[[str, bytes], None]
"""Puts a retained message on a topic; raises Unavailable where that cannot be done now."""
Fleet = Mapping[str, GatewayModels]
_TELL_AGAIN_US = 15_000_000
"""A message may be lost with the process that had it: who does not react is told again."""
_log = logging.getLogger(__name__)


class Conductor:
    """One round: judge what gateways said, step every rollout, tell what is new; one worker at a time."""

    def __init__(self, records: Records, clock: Clock, fleet: Callable[[], Fleet], publish: Publish) -> None:
        self._records = records
        self._clock = clock
        self._fleet = fleet
        self._publish = publish

    def run(self) -> None:
        """Do one round; raise Unavailable where records, roster or broker are away: then the next round goes on."""
        with self._records.reading() as session:
            rollouts = unsettled_rollouts(session)
            has_news = bool(list_tellings(session))
        if not rollouts and not has_news:
            return
        fleet = self._fleet()
        unanswered = {name for rollout in rollouts for name in self._conduct(rollout.id, fleet)}
        self._tell(fleet, unanswered)

    def _conduct(self, rollout_id: str, fleet: Fleet) -> set[str]:
        """Step one rollout and return the gateways that are there and have not reacted yet."""
        now_us = self._clock.now_us()
        with self._records.writing() as session:
            rollout = next((one for one in unsettled_rollouts(session) if one.id == rollout_id), None)
            if rollout is None:
                return set()
            before = targets_of(session, rollout_id)
            targets = [_judged(rollout, one, fleet, now_us=now_us) for one in before]
            save_targets(session, rollout_id, (new for new, old in zip(targets, before, strict=True) if new != old))
            if rollout.state is RolloutState.ROLLING_BACK:
                _settle(session, rollout, targets)
                return {one.gateway for one in targets if one.has_begun and not one.back_us}
            stepped, move = step(rollout, targets, now_us=now_us)
            if stepped != rollout:
                save_rollout(session, stepped)
            _do(session, stepped, move, targets, fleet, now_us=now_us)
        if move is Move.STOP:
            _log.warning("a rollout was stopped: %s", stepped.reason, extra={"rollout": stepped.id})
        return {one.gateway for one in targets if one.verdict is Verdict.WAITING}

    def _tell(self, fleet: Fleet, unanswered: set[str]) -> None:
        now_us = self._clock.now_us()
        with self._records.reading() as session:
            due = [one for one in list_tellings(session) if _is_due(one, fleet, unanswered, now_us=now_us)]
            messages = {one.gateway: wanted_of(session, one.gateway) for one in due}
        told: dict[str, int] = {}
        try:
            for gateway, wanted in messages.items():
                self._publish(gateway_topic(gateway, GatewayTopic.MODELS), encode_wanted(wanted))
                told[gateway] = wanted.revision
        finally:
            self._note(told, now_us=now_us)

    def _note(self, told: Mapping[str, int], *, now_us: int) -> None:
        if not told:
            return
        with self._records.writing() as session:
            for gateway, revision in told.items():
                mark_sent(session, gateway, revision, now_us=now_us)


def _judged(rollout: Rollout, target: Target, fleet: Fleet, *, now_us: int) -> Target:
    if not target.has_begun:
        return target
    gateway = fleet.get(target.gateway)
    told = gateway.of(target.device, rollout.model, rollout.version, rollout=rollout.id) if gateway else None
    is_online = gateway is not None and gateway.is_online
    if rollout.state is RolloutState.ROLLING_BACK:
        return judge_return(target, told, is_online=is_online, now_us=now_us)
    return judge(target, told, rollout, is_online=is_online, now_us=now_us)


def _do(
    session: Session, rollout: Rollout, move: Move, targets: Sequence[Target], fleet: Fleet, *, now_us: int
) -> None:
    group = [one for one in targets if one.group == rollout.group and not one.has_begun]
    match move:
        case Move.BEGIN:
            begin(session, rollout, group, _overs(fleet), now_us=now_us)
        case Move.REPLACE:
            moved = bring_forward(session, rollout, targets)
            begin(session, rollout, moved, _overs(fleet), now_us=now_us)
        case Move.STOP:
            send_back(session, rollout, targets, now_us=now_us)
        case Move.FINISH:
            finish(session, rollout, now_us=now_us)
        case Move.NONE:
            return


def _settle(session: Session, rollout: Rollout, targets: Sequence[Target]) -> None:
    if is_back(targets):
        save_rollout(session, rollout.returned())


def _overs(fleet: Fleet) -> dict[tuple[str, str], float]:
    serving = ((name, gateway.serving(device)) for name, gateway in fleet.items() for device in gateway.devices())
    return {(name, one.device): one.over for name, one in serving if one is not None and one.over is not None}


def _is_due(telling: Telling, fleet: Fleet, unanswered: set[str], *, now_us: int) -> bool:
    gateway = fleet.get(telling.gateway)
    is_new = telling.revision > telling.sent_revision
    came_back = gateway is not None and gateway.hello_us >= telling.sent_us
    is_silent = telling.gateway in unanswered and now_us - telling.sent_us > _TELL_AGAIN_US
    return is_new or came_back or is_silent
