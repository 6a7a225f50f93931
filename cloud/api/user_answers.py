"""Users and invites as the API shows them."""

from datetime import datetime

from pydantic import BaseModel

from cloud.domain.role import Role
from cloud.domain.user import Invite, User

USER = {
    "id": 1,
    "username": "testuser",
    "email": "test@example.com",
    "created_at": "2026-01-15T10:30:00Z",
    "role": "user",
    "disabled": False,
    "last_login_at": "2026-01-15T10:31:00Z",
}
INVITE = {
    "id": 1,
    "role": "operator",
    "email": "",
    "created_at": "2026-01-15T10:30:00Z",
    "created_by": "user:admin",
    "expires_at": "2026-01-22T10:30:00Z",
    "used_at": None,
    "used_by": None,
    "revoked_at": None,
}


class UserAnswer(BaseModel):
    """A user, without the password."""

    id: int
    username: str
    email: str
    created_at: datetime
    role: Role
    disabled: bool
    last_login_at: datetime | None


class InviteAnswer(BaseModel):
    """An invite, without its token."""

    id: int
    role: Role
    email: str
    created_at: datetime
    created_by: str
    expires_at: datetime
    used_at: datetime | None
    used_by: str | None
    revoked_at: datetime | None


class NewInviteAnswer(InviteAnswer):
    """A new invite with its token, shown this once."""

    token: str


def show_user(user: User) -> UserAnswer:
    """Return a user as the API shows it."""
    return UserAnswer(
        id=user.id,
        username=user.name,
        email=user.email,
        created_at=user.created_at,
        role=user.role,
        disabled=user.is_disabled,
        last_login_at=user.last_login_at,
    )


def show_invite(invite: Invite) -> InviteAnswer:
    """Return an invite as the API shows it."""
    return InviteAnswer(
        id=invite.id,
        role=invite.role,
        email=invite.email,
        created_at=invite.created_at,
        created_by=invite.created_by,
        expires_at=invite.expires_at,
        used_at=invite.used_at,
        used_by=invite.used_by,
        revoked_at=invite.revoked_at,
    )
