"""ApiKeyRow: the keys of the API, without their secrets."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import String, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from cloud.domain.api_key import ApiKey
from cloud.domain.scopes import Scope
from cloud.records.base import Base, UtcDateTime


class ApiKeyRow(Base):
    """One key; scopes are separated by spaces, digest is a sha256 in hex."""

    __tablename__ = "api_keys"

    id: Mapped[int] = mapped_column(primary_key=True)
    prefix: Mapped[str] = mapped_column(String(16), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    digest: Mapped[str] = mapped_column(String(64))
    scopes: Mapped[str] = mapped_column(String(1000))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    rotated_from: Mapped[str | None] = mapped_column(String(16))
    rotated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


def add_key(session: Session, key: ApiKey) -> None:
    """Keep a new key."""
    session.add(
        ApiKeyRow(
            prefix=key.prefix,
            name=key.name,
            digest=key.digest,
            scopes=" ".join(sorted(key.scopes)),
            created_at=key.created_at,
            expires_at=key.expires_at,
            rotated_from=key.rotated_from,
        )
    )


def find_key(session: Session, prefix: str) -> ApiKey | None:
    """Return the key with this prefix."""
    row = _row(session, prefix)
    return None if row is None else _key(row)


def find_keys(session: Session, prefixes: Collection[str]) -> list[ApiKey]:
    """Return the keys with these prefixes."""
    return [_key(row) for row in session.scalars(select(ApiKeyRow).where(ApiKeyRow.prefix.in_(prefixes)))]


def list_keys(session: Session) -> list[ApiKey]:
    """Return all keys, in order of creation."""
    return [_key(row) for row in session.scalars(select(ApiKeyRow).order_by(ApiKeyRow.id))]


def mark_used(session: Session, prefixes: Collection[str], at: datetime) -> None:
    """Keep when these keys were last used."""
    session.execute(update(ApiKeyRow).where(ApiKeyRow.prefix.in_(prefixes)).values(last_used_at=at))


def mark_revoked(session: Session, prefix: str, at: datetime) -> None:
    """Keep that a key was taken back; the first time counts."""
    row = _row(session, prefix)
    if row is not None and row.revoked_at is None:
        row.revoked_at = at


def mark_rotated(session: Session, prefix: str, at: datetime, *, ends_at: datetime) -> None:
    """Keep that another key came in the place of this one, which holds until `ends_at` at most."""
    row = _row(session, prefix)
    if row is not None:
        row.rotated_at = at
        row.expires_at = ends_at if row.expires_at is None else min(row.expires_at, ends_at)


def _row(session: Session, prefix: str) -> ApiKeyRow | None:
    return session.scalar(select(ApiKeyRow).where(ApiKeyRow.prefix == prefix))


def _key(row: ApiKeyRow) -> ApiKey:
    return ApiKey(
        prefix=row.prefix,
        name=row.name,
        digest=row.digest,
        scopes=frozenset(Scope(text) for text in row.scopes.split()),
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
        rotated_from=row.rotated_from,
        rotated_at=row.rotated_at,
    )
