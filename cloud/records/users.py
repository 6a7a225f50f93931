"""UserRow and InviteRow: people who log in, and the tokens by which they come to be."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import String, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from cloud.domain.role import Role
from cloud.domain.user import Invite, NewUser, User, fold
from cloud.records.base import Base, UtcDateTime


class UserRow(Base):
    """One user; the keys hold name and e-mail address without regard to case."""

    __tablename__ = "users"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 - read by SQLAlchemy, never changed

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    name_key: Mapped[str] = mapped_column(String(64), unique=True)
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    role: Mapped[str] = mapped_column(String(16))
    is_disabled: Mapped[bool]
    session_version: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_login_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class InviteRow(Base):
    """One invite; digest: a sha256 in hex of the token."""

    __tablename__ = "invites"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 - read by SQLAlchemy, never changed

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    role: Mapped[str] = mapped_column(String(16))
    email: Mapped[str] = mapped_column(String(254))
    is_setup: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(String(200))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    used_by: Mapped[str | None] = mapped_column(String(64))
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


def add_user(session: Session, new: NewUser) -> User:
    """Keep a new user and return it with its number."""
    row = UserRow(
        name=new.name,
        name_key=fold(new.name),
        email=new.email,
        email_key=fold(new.email),
        password_hash=new.password_hash,
        role=new.role.value,
        is_disabled=False,
        session_version=1,
        created_at=new.created_at,
    )
    session.add(row)
    session.flush()
    return _user(row)


def find_user(session: Session, user_id: int) -> User | None:
    """Return the user with this number."""
    row = session.get(UserRow, user_id)
    return None if row is None else _user(row)


def find_users(session: Session, user_ids: Collection[int]) -> dict[int, User]:
    """Return the users with these numbers, by number."""
    return {row.id: _user(row) for row in session.scalars(select(UserRow).where(UserRow.id.in_(user_ids)))}


def find_user_named(session: Session, name: str) -> User | None:
    """Return the user of this name, whatever its case."""
    row = session.scalar(select(UserRow).where(UserRow.name_key == fold(name)))
    return None if row is None else _user(row)


def is_email_taken(session: Session, email: str) -> bool:
    """Return whether somebody has this e-mail address, whatever its case."""
    return session.scalar(select(UserRow.id).where(UserRow.email_key == fold(email))) is not None


def list_users(session: Session) -> Sequence[User]:
    """Return all users, in order of creation."""
    return [_user(row) for row in session.scalars(select(UserRow).order_by(UserRow.id))]


def count_users(session: Session) -> int:
    """Return how many users there are."""
    return session.scalar(select(func.count()).select_from(UserRow)) or 0


def count_admins(session: Session) -> int:
    """Return how many users may administer and are not shut out."""
    query = select(func.count()).select_from(UserRow)
    return session.scalar(query.where(UserRow.role == Role.ADMIN.value, UserRow.is_disabled.is_(False))) or 0


def keep_user(session: Session, user: User) -> None:
    """Keep everything about a user that may change: all but number, name and birth."""
    row = session.get_one(UserRow, user.id)
    row.email, row.email_key = user.email, fold(user.email)
    row.password_hash, row.role, row.is_disabled = user.password_hash, user.role.value, user.is_disabled
    row.session_version, row.last_login_at = user.session_version, user.last_login_at


def delete_user(session: Session, user_id: int) -> None:
    """Forget a user, with its sessions."""
    row = session.get(UserRow, user_id)
    if row is not None:
        session.delete(row)


def add_invite(session: Session, invite: Invite) -> Invite:
    """Keep a new invite and return it with its number."""
    row = InviteRow(
        digest=invite.digest,
        role=invite.role.value,
        email=invite.email,
        is_setup=invite.is_setup,
        created_at=invite.created_at,
        created_by=invite.created_by,
        expires_at=invite.expires_at,
    )
    session.add(row)
    session.flush()
    return _invite(row)


def find_invite(session: Session, digest: str) -> Invite | None:
    """Return the invite whose token has this digest."""
    row = session.scalar(select(InviteRow).where(InviteRow.digest == digest))
    return None if row is None else _invite(row)


def get_invite(session: Session, invite_id: int) -> Invite | None:
    """Return the invite with this number."""
    row = session.get(InviteRow, invite_id)
    return None if row is None else _invite(row)


def list_invites(session: Session) -> Sequence[Invite]:
    """Return all invites, the newest first."""
    return [_invite(row) for row in session.scalars(select(InviteRow).order_by(InviteRow.id.desc()))]


def mark_invite_used(session: Session, invite_id: int, at: datetime, *, by: str) -> None:
    """Keep that somebody registered with it."""
    row = session.get_one(InviteRow, invite_id)
    row.used_at, row.used_by = at, by


def mark_invite_revoked(session: Session, invite_id: int, at: datetime) -> None:
    """Keep that it was taken back."""
    session.get_one(InviteRow, invite_id).revoked_at = at


def _user(row: UserRow) -> User:
    return User(
        id=row.id,
        name=row.name,
        email=row.email,
        password_hash=row.password_hash,
        role=Role(row.role),
        created_at=row.created_at,
        is_disabled=row.is_disabled,
        session_version=row.session_version,
        last_login_at=row.last_login_at,
    )


def _invite(row: InviteRow) -> Invite:
    return Invite(
        id=row.id,
        digest=row.digest,
        role=Role(row.role),
        email=row.email,
        created_at=row.created_at,
        created_by=row.created_by,
        expires_at=row.expires_at,
        is_setup=row.is_setup,
        used_at=row.used_at,
        used_by=row.used_by,
        revoked_at=row.revoked_at,
    )
