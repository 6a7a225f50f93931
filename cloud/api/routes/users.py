"""/users and /users/invites: who may log in, with which role; for administrators."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

from fastapi import Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from cloud.access.users import Change, Newcomer
from cloud.api.deps import Admin, ServicesDep
from cloud.api.document import answers
from cloud.api.pagination import Limit, Offset, paged
from cloud.api.resource import Resource
from cloud.api.scalars import WHOLE, Truth
from cloud.api.user_answers import INVITE, USER, InviteAnswer, NewInviteAnswer, UserAnswer, show_invite, show_user
from cloud.domain.role import Role
from cloud.domain.user import MAX_EMAIL, MAX_NAME, MAX_PASSWORD

router = Resource(prefix="/users", tags=["access"])
_ERRORS = (401, 403, 404, 422, 503)
UserId = Annotated[int, Path(ge=1, le=(1 << 31) - 1)]
Email = Annotated[str, Field(max_length=MAX_EMAIL)]
Password = Annotated[str, Field(max_length=MAX_PASSWORD)]


class NewUserBody(BaseModel):
    """A user that an administrator makes."""

    model_config = ConfigDict(extra="forbid")

    username: Annotated[str, Field(max_length=MAX_NAME)]
    email: Email
    password: Password
    role: Role = Role.USER


class UserChangeBody(BaseModel):
    """What is to change; what is not sent stays."""

    model_config = ConfigDict(extra="forbid")

    role: Role | None = None
    email: Email | None = None
    disabled: Truth | None = None


class NewPasswordBody(BaseModel):
    """The password that a user shall have."""

    model_config = ConfigDict(extra="forbid")

    password: Password


class NewInviteBody(BaseModel):
    """Who may register; email: only with this address, empty: with any."""

    model_config = ConfigDict(extra="forbid")

    role: Role = Role.USER
    email: Email = ""
    expires_in_hours: Annotated[int, Field(ge=1, le=24 * 90), WHOLE] = 24 * 7


@router.get("", responses=answers([USER], 401, 403, 422, 503))
async def list_users(
    request: Request,
    response: Response,
    _caller: Admin,
    services: ServicesDep,
    limit: Limit = 1000,
    offset: Offset = 0,
) -> Sequence[UserAnswer]:
    """List all users in order of their making."""
    found = await services.threads.run(lambda _: services.users.list())
    return [show_user(one) for one in paged(found, request, response, limit=limit, offset=offset)]


@router.post("", status_code=201, responses=answers(USER, 401, 403, 409, 422, 503, good=201))
async def make_user(body: NewUserBody, caller: Admin, services: ServicesDep) -> UserAnswer:
    """Make a user."""
    newcomer = Newcomer(body.username, body.email, body.password)
    return show_user(
        await services.threads.run(lambda _: services.users.create(newcomer, body.role, by=caller.name)),
    )


@router.get("/invites", responses=answers([INVITE], 401, 403, 422, 503))
async def list_invites(
    request: Request,
    response: Response,
    _caller: Admin,
    services: ServicesDep,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Sequence[InviteAnswer]:
    """List all invites, the newest first; their tokens are known to nobody."""
    found = await services.threads.run(lambda _: services.users.invites())
    return [show_invite(one) for one in paged(found, request, response, limit=limit, offset=offset)]


@router.post(
    "/invites",
    status_code=201,
    responses=answers(INVITE | {"token": "5d41402abc4b2a76b9719d911017c592"}, 401, 403, 422, 503, good=201),
)
async def make_invite(body: NewInviteBody, caller: Admin, services: ServicesDep) -> NewInviteAnswer:
    """Invite somebody: who holds the token may register once, with this role."""
    lasts = timedelta(hours=body.expires_in_hours)
    token, invite = await services.threads.run(
        lambda _: services.users.invite(body.role, by=caller.name, email=body.email, lasts=lasts)
    )
    return NewInviteAnswer(**show_invite(invite).model_dump(), token=token)


@router.delete("/invites/{invite_id}", responses=answers(INVITE, *_ERRORS))
async def revoke_invite(invite_id: UserId, caller: Admin, services: ServicesDep) -> InviteAnswer:
    """Take an invite back; twice changes nothing."""
    return show_invite(
        await services.threads.run(lambda _: services.users.revoke_invite(invite_id, by=caller.name)),
    )


@router.get("/{user_id}", responses=answers(USER, *_ERRORS))
async def get_user(user_id: UserId, _caller: Admin, services: ServicesDep) -> UserAnswer:
    """Show one user."""
    return show_user(await services.threads.run(lambda _: services.users.get(user_id)))


@router.patch("/{user_id}", responses=answers(USER, *_ERRORS, 409))
async def change_user(user_id: UserId, body: UserChangeBody, caller: Admin, services: ServicesDep) -> UserAnswer:
    """Change role or e-mail address of a user, or shut one out; its sessions end within a second."""
    change = Change(body.role, body.email, body.disabled)
    return show_user(await services.threads.run(lambda _: services.users.change(user_id, change, by=caller.name)))


@router.put("/{user_id}/password", status_code=204, responses=answers(None, *_ERRORS, good=204))
async def set_password(user_id: UserId, body: NewPasswordBody, caller: Admin, services: ServicesDep) -> None:
    """Give a user another password; its sessions end within a second."""
    await services.threads.run(lambda _: services.users.set_password(user_id, body.password, by=caller.name))


@router.delete("/{user_id}", status_code=204, responses=answers(None, *_ERRORS, 409, good=204))
async def delete_user(user_id: UserId, caller: Admin, services: ServicesDep) -> None:
    """Forget a user; what it did stays in the audit."""
    await services.threads.run(lambda _: services.users.delete(user_id, by=caller.name))
