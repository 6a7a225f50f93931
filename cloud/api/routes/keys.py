"""/keys: API keys for programs: made, rotated, taken back; for administrators. A key is shown once."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from cloud.api.deps import Admin, ServicesDep
from cloud.api.document import answers
from cloud.api.pagination import Limit, Offset, paged
from cloud.api.resource import Resource
from cloud.api.scalars import WHOLE
from cloud.domain.api_key import ApiKey
from cloud.domain.scopes import Scope
from cloud.domain.times import to_datetime

router = Resource(prefix="/keys", tags=["access"])
_ERRORS = (401, 403, 404, 422, 503)
_KEY = {
    "id": "3f9a1c2e",
    "name": "line 1",
    "scopes": ["data:ingest"],
    "created_at": "2026-01-15T10:30:00Z",
    "expires_at": None,
    "last_used_at": "2026-01-15T10:31:00Z",
    "revoked_at": None,
    "rotated_from": None,
    "rotated_at": None,
}
_NEW = _KEY | {"key": "lsk_3f9a1c2e_0123456789abcdef", "last_used_at": None}
_OLD_ID = "91b0c7de"
_ROTATED = {
    "new": _NEW | {"rotated_from": _OLD_ID},
    "old": _KEY | {"id": _OLD_ID, "rotated_at": "2026-01-15T10:30:00Z"},
}
KeyId = Annotated[str, Path(min_length=1, max_length=16, pattern="^[0-9a-f]+$")]


class NewKeyBody(BaseModel):
    """Who will use it, and what it may do; expires_in_days: null for a key that holds until it is taken back."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=len(Scope))]
    expires_in_days: Annotated[int, Field(ge=1, le=3650), WHOLE] | None = None


class KeyAnswer(BaseModel):
    """A key without its secret; id: the part of the key that says which it is."""

    id: str
    name: str
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    rotated_from: str | None
    rotated_at: datetime | None


class NewKeyAnswer(KeyAnswer):
    """A new key with its text, shown this once."""

    key: str


class RotatedAnswer(BaseModel):
    """The new key with its text, and the old one, which holds until it expires."""

    new: NewKeyAnswer
    old: KeyAnswer


@router.get("", responses=answers([_KEY], 401, 403, 422, 503))
async def list_keys(
    request: Request,
    response: Response,
    _caller: Admin,
    services: ServicesDep,
    limit: Limit = 1000,
    offset: Offset = 0,
) -> Sequence[KeyAnswer]:
    """List all keys, without their secrets, in order of their making."""
    found = await services.threads.run(lambda _: services.keys.list())
    return [_show(one) for one in paged(found, request, response, limit=limit, offset=offset)]


@router.post("", status_code=201, responses=answers(_NEW, 401, 403, 422, 503, good=201))
async def make_key(body: NewKeyBody, caller: Admin, services: ServicesDep) -> NewKeyAnswer:
    """Make a key and show it, this once."""
    now = to_datetime(services.clock.now_us())
    ends = None if body.expires_in_days is None else now + timedelta(days=body.expires_in_days)
    text, key = await services.threads.run(
        lambda _: services.keys.create(body.name, body.scopes, by=caller.name, expires_at=ends)
    )
    return NewKeyAnswer(**_show(key).model_dump(), key=str(text))


@router.get("/{key_id}", responses=answers(_KEY, *_ERRORS))
async def get_key(key_id: KeyId, _caller: Admin, services: ServicesDep) -> KeyAnswer:
    """Show one key, without its secret."""
    return _show(await services.threads.run(lambda _: services.keys.get(key_id)))


@router.post("/{key_id}/rotate", status_code=201, responses=answers(_ROTATED, *_ERRORS, 409, good=201))
async def rotate_key(key_id: KeyId, caller: Admin, services: ServicesDep) -> RotatedAnswer:
    """Put a new key in the place of an old one, which holds for a day more, by the settings; its use is logged."""
    text, new, old = await services.threads.run(lambda _: services.keys.rotate(key_id, by=caller.name))
    return RotatedAnswer(new=NewKeyAnswer(**_show(new).model_dump(), key=str(text)), old=_show(old))


@router.delete("/{key_id}", responses=answers(_KEY, *_ERRORS))
async def revoke_key(key_id: KeyId, caller: Admin, services: ServicesDep) -> KeyAnswer:
    """Take a key back; it is refused within a second, and twice changes nothing."""
    return _show(await services.threads.run(lambda _: services.keys.revoke(key_id, by=caller.name)))


def _show(key: ApiKey) -> KeyAnswer:
    return KeyAnswer(
        id=key.prefix,
        name=key.name,
        scopes=sorted(key.scopes),
        created_at=key.created_at,
        expires_at=key.expires_at,
        last_used_at=key.last_used_at,
        revoked_at=key.revoked_at,
        rotated_from=key.rotated_from,
        rotated_at=key.rotated_at,
    )
