"""Rollouts: what people do with them: start, look, pause, resume, approve, roll back; the worker does the rest."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from sqlalchemy.orm import Session

from cloud.domain.audit import AuditEntry
from cloud.domain.model import CHALLENGER, CHAMPION, Model, ModelVersion
from cloud.domain.rollout import Rollout, RolloutState, Rules, Target, check_rules, in_groups
from cloud.domain.times import to_datetime
from cloud.errors import Conflict, Invalid, NotFound
from cloud.fleet.rollout_moves import send_back, supersede
from cloud.fleet.standings import GatewayModels
from cloud.ports import Clock
from cloud.records.audit import add_audit
from cloud.records.database import Records
from cloud.records.models import find_model, set_alias
from cloud.records.rollouts import (
    add_rollout,
    find_rollout,
    list_rollouts,
    save_rollout,
    targets_of,
    unsettled_rollouts,
)
from protocols.wanted import Phase

_MAX_PATTERNS = 1000
_MOST = 10_000
Fleet = Mapping[str, GatewayModels]


@dataclass(frozen=True, slots=True)
class Whereto:
    """Which Devices a rollout is for: patterns of gateways' and Devices' names, `*` for any text.

    devices: empty for those that the model learned from, or for all where it is a model of the fleet.
    """

    gateways: tuple[str, ...] = ("*",)
    devices: tuple[str, ...] = ()


class Rollouts:
    """The rollouts of one installation; safe to use from several threads and processes."""

    def __init__(self, records: Records, clock: Clock, draw: Callable[[int], str] = secrets.token_hex) -> None:
        """Draw gives that many random bytes in hex."""
        self._records = records
        self._clock = clock
        self._draw = draw

    def start(self, name: str, version: int, *, rules: Rules, whereto: Whereto, fleet: Fleet, by: str) -> Rollout:
        """Begin to bring a published version to the gateways; rollouts of the same Devices are superseded.

        Raises NotFound, Invalid that names the field, Conflict where it is not published or archived, Unavailable.
        """
        check_rules(rules)
        now_us = self._clock.now_us()
        with self._records.writing() as session:
            model, found = _published(session, name, version)
            rollout = Rollout(
                id=f"rollout_{self._draw(8)}",
                model=model.name,
                version=version,
                path=found.path,
                rules=rules,
                nominal=max(0.01, _figure(found, "alarm_share", 0.01)),
                period_s=_figure(found, "period_s", 1.0),
                champion_before=model.aliases.get(CHAMPION, 0),
                created_us=now_us,
                created_by=by,
            )
            targets = in_groups(_places(found, whereto, fleet), rules, salt=rollout.id)
            _supersede(session, rollout, targets, now_us=now_us)
            if rules.phase is Phase.SHADOW or model.aliases.get(CHAMPION) != version:
                set_alias(session, model.name, CHALLENGER, version)
            add_rollout(session, rollout, targets)
            self._note(session, rollout, "start", by, targets=len(targets))
        return rollout

    def list(self, *, limit: int = 100, offset: int = 0) -> tuple[Sequence[Rollout], int]:
        """Return the newest first, and how many there are; raise Unavailable."""
        with self._records.reading() as session:
            return list_rollouts(session, limit=limit, offset=offset)

    def get(self, rollout_id: str) -> tuple[Rollout, Sequence[Target]]:
        """Return one with all its targets; raise NotFound, Unavailable."""
        with self._records.reading() as session:
            return _found(session, rollout_id), targets_of(session, rollout_id)

    def pause(self, rollout_id: str, *, by: str) -> Rollout:
        """Let no new group begin; failures still stop it. Raise NotFound, Conflict, Unavailable."""
        return self._changed(rollout_id, "pause", Rollout.pause, by=by)

    def resume(self, rollout_id: str, *, by: str) -> Rollout:
        """Go on after a pause; raise NotFound, Conflict, Unavailable."""
        return self._changed(rollout_id, "resume", Rollout.resume, by=by)

    def approve(self, rollout_id: str, *, by: str) -> Rollout:
        """Let the next group begin where it waits for that; raise NotFound, Conflict, Unavailable."""
        return self._changed(rollout_id, "approve", Rollout.approve, by=by)

    def roll_back(self, rollout_id: str, *, by: str, reason: str = "") -> Rollout:
        """Tell all its gateways the model before, at once; raise NotFound, Conflict, Unavailable."""
        now_us = self._clock.now_us()
        said = reason or f"rolled back by {by}"
        with self._records.writing() as session:
            rollout = _found(session, rollout_id).stop(said, now_us=now_us)
            send_back(session, rollout, targets_of(session, rollout_id), now_us=now_us)
            save_rollout(session, rollout)
            self._note(session, rollout, "roll_back", by, reason=said)
        return rollout

    def revert(self, created_by: str, *, by: str) -> Sequence[str]:
        """Roll back whatever somebody began as the newest of its model; return the ids. Raise Unavailable."""
        found, _ = self.list(limit=_MOST)
        newest = {one.model: one for one in reversed(found)}
        begun = [one for one in newest.values() if one.created_by == created_by and one.can_go_back]
        for one in begun:
            self.roll_back(one.id, by=by, reason=f"{by} stopped what {created_by} began")
        return [one.id for one in begun]

    def _changed(self, rollout_id: str, action: str, change: Callable[[Rollout], Rollout], *, by: str) -> Rollout:
        with self._records.writing() as session:
            rollout = change(_found(session, rollout_id))
            save_rollout(session, rollout)
            self._note(session, rollout, action, by)
        return rollout

    def _note(self, session: Session, rollout: Rollout, action: str, by: str, **details: object) -> None:
        facts = {"model": f"{rollout.model}@{rollout.version}", **details}
        add_audit(session, AuditEntry(to_datetime(self._clock.now_us()), by, f"rollout.{action}", rollout.id, facts))


def _published(session: Session, name: str, version: int) -> tuple[Model, ModelVersion]:
    model = find_model(session, name)
    found = model.find(version) if model is not None else None
    if model is None or found is None:
        raise NotFound(f"there is no model {name[:120]}@{version}", code="MODEL_NOT_FOUND")
    if found.archived_at is not None:
        raise Conflict(f"{found.label} is archived", code="MODEL_ARCHIVED")
    if not found.path:
        raise Conflict(f"{found.label} is not published: publish it first", code="MODEL_NOT_PUBLISHED")
    return model, found


def _places(version: ModelVersion, whereto: Whereto, fleet: Fleet) -> list[tuple[str, str]]:
    """Return the (gateway, device) pairs that the patterns and the model's card allow; raise Invalid for none."""
    if len(whereto.gateways) > _MAX_PATTERNS or len(whereto.devices) > _MAX_PATTERNS:
        raise Invalid(f"gateways, devices: at most {_MAX_PATTERNS} patterns each", code="INVALID_ROLLOUT")
    learned = version.lineage.get("devices")
    sources = tuple(map(str, learned)) if isinstance(learned, (list, tuple)) else ()
    is_bound = not whereto.devices and not version.card.get("is_fleet") and sources
    places = [
        (gateway, device)
        for gateway, models in fleet.items()
        if _fits(gateway, whereto.gateways)
        for device in sorted(models.devices())
        if (f"{gateway}/{device}" in sources if is_bound else _fits(device, whereto.devices or ("*",)))
    ]
    if not places:
        asked = f"gateways {', '.join(whereto.gateways)}; devices {', '.join(whereto.devices or sources or ('*',))}"
        said = f"no gateway judges a device that fits: {asked[:500]}"
        raise Invalid(f"gateways: {said}", code="NO_TARGETS", details={"field": "gateways", "issue": said})
    return places


def _fits(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _supersede(session: Session, rollout: Rollout, targets: Sequence[Target], *, now_us: int) -> None:
    places = {(one.gateway, one.device) for one in targets}
    for other in unsettled_rollouts(session):
        its = targets_of(session, other.id)
        if other.state is not RolloutState.ROLLING_BACK and any((one.gateway, one.device) in places for one in its):
            supersede(session, other, its, rollout.id, now_us=now_us)


def _found(session: Session, rollout_id: str) -> Rollout:
    found = find_rollout(session, rollout_id)
    if found is None:
        raise NotFound(f"there is no rollout {rollout_id[:80]!r}", code="ROLLOUT_NOT_FOUND")
    return found


def _figure(version: ModelVersion, name: str, otherwise: float) -> float:
    """Return a figure of how the model scores, from its card."""
    scoring = version.card.get("scoring")
    value = scoring.get(name) if isinstance(scoring, dict) else None
    return float(value) if isinstance(value, (int, float)) else otherwise


def counted(targets: Sequence[Target]) -> dict[str, int]:
    """Return how many targets there are by verdict, and how many are back."""
    counts: dict[str, int] = {}
    for one in targets:
        counts[one.verdict.value] = counts.get(one.verdict.value, 0) + 1
    return counts | {"back": sum(bool(one.back_us) for one in targets)}
