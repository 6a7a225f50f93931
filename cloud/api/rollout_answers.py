"""Rollouts as the API shows them: how they stand, and the verdict on every Device."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from pydantic import BaseModel

from cloud.domain.rollout import Rollout, Target
from cloud.domain.times import to_datetime
from cloud.fleet.rollouts import counted

ROLLOUT_EXAMPLE: dict[str, Any] = {
    "id": "rollout_5d1c0f7a9be24e10",
    "model": "pump",
    "version": 3,
    "state": "running",
    "reason": "",
    "group": 1,
    "groups": [5.0, 25.0, 100.0],
    "rules": {"success_percent": 80.0, "error_percent": 10.0, "soak_s": 60.0},
    "targets": {"good": 10, "waiting": 40, "pending": 150, "back": 0},
    "created_at": "2026-01-15T10:06:00Z",
    "created_by": "key:1a2b3c4d",
    "group_began_at": "2026-01-15T10:07:30Z",
    "ended_at": None,
}
STORY_EXAMPLE: dict[str, Any] = ROLLOUT_EXAMPLE | {
    "members": [
        {
            "gateway_id": "gw-1",
            "device": "pump-1",
            "group": 1,
            "verdict": "good",
            "reason": "",
            "told_at": "2026-01-15T10:06:01Z",
            "back_at": None,
            "before": "pump@2",
        }
    ]
}


class RolloutAnswer(BaseModel):
    """A rollout; group counts from 1; targets: how many there are by verdict, and how many are back."""

    id: str
    model: str
    version: int
    state: str
    reason: str
    group: int
    groups: list[float]
    rules: dict[str, Any]
    targets: dict[str, int]
    created_at: datetime
    created_by: str
    group_began_at: datetime | None
    ended_at: datetime | None


class MemberAnswer(BaseModel):
    """One Device of a rollout; before: the model that it goes back to."""

    gateway_id: str
    device: str
    group: int
    verdict: str
    reason: str
    told_at: datetime | None
    back_at: datetime | None
    before: str


class RolloutStory(RolloutAnswer):
    """A rollout with every Device of it."""

    members: list[MemberAnswer]


def rollout_answer(rollout: Rollout, targets: Sequence[Target]) -> RolloutAnswer:
    """Return a rollout as it is shown."""
    rules = msgspec.to_builtins(rollout.rules)
    return RolloutAnswer(
        id=rollout.id,
        model=rollout.model,
        version=rollout.version,
        state=rollout.state.value,
        reason=rollout.reason,
        group=rollout.group + 1,
        groups=rules.pop("groups"),
        rules=rules,
        targets=counted(targets),
        created_at=to_datetime(rollout.created_us),
        created_by=rollout.created_by,
        group_began_at=_time(rollout.began_us),
        ended_at=_time(rollout.ended_us),
    )


def rollout_story(rollout: Rollout, targets: Sequence[Target]) -> RolloutStory:
    """Return a rollout with every Device of it."""
    return RolloutStory(**rollout_answer(rollout, targets).model_dump(), members=[_member(one) for one in targets])


def _member(target: Target) -> MemberAnswer:
    before = target.before
    own = "own" if target.has_begun else ""
    return MemberAnswer(
        gateway_id=target.gateway,
        device=target.device,
        group=target.group + 1,
        verdict=target.verdict.value,
        reason=target.reason,
        told_at=_time(target.told_us),
        back_at=_time(target.back_us),
        before=f"{before.name}@{before.version}" if before.name else own,
    )


def _time(time_us: int) -> datetime | None:
    return to_datetime(time_us) if time_us else None
