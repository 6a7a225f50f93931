"""SessionRow, RefreshTokenRow, LoginAttemptsRow: log-ins, the tokens that renew them, and what was tried in vain."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ForeignKey, String, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.orm import Session as Db

from cloud.domain.session import Attempts, Ending, RefreshToken, Session
from cloud.records.base import Base, UtcDateTime


class SessionRow(Base):
    """One log-in; ended_because: a word of Ending."""

    __tablename__ = "sessions"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    address: Mapped[str] = mapped_column(String(64))
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_because: Mapped[str] = mapped_column(String(32))


class RefreshTokenRow(Base):
    """One refresh token by its id; the token itself is signed and kept nowhere."""

    __tablename__ = "refresh_tokens"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), index=True)
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    rotated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class LoginAttemptsRow(Base):
    """Failures in a row of one name or address; subject: its kind and a digest, so that nothing typed is kept."""

    __tablename__ = "login_attempts"

    subject: Mapped[str] = mapped_column(String(80), primary_key=True)
    failures: Mapped[int]
    last_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


def add_session(db: Db, session: Session) -> None:
    """Keep a new log-in."""
    db.add(
        SessionRow(
            id=session.id,
            user_id=session.user_id,
            created_at=session.created_at,
            expires_at=session.expires_at,
            address=session.address,
            ended_because=Ending.NONE.value,
        )
    )
    db.flush()


def find_session(db: Db, session_id: str) -> Session | None:
    """Return the log-in with this id."""
    row = db.get(SessionRow, session_id)
    return None if row is None else _session(row)


def find_sessions(db: Db, session_ids: Collection[str]) -> dict[str, Session]:
    """Return the log-ins with these ids, by id."""
    return {row.id: _session(row) for row in db.scalars(select(SessionRow).where(SessionRow.id.in_(session_ids)))}


def end_session(db: Db, session_id: str, at: datetime, because: Ending) -> bool:
    """End a log-in and return whether it was open; the first ending counts."""
    row = db.get(SessionRow, session_id)
    if row is None or row.ended_at is not None:
        return False
    row.ended_at, row.ended_because = at, because.value
    return True


def end_sessions_of(db: Db, user_id: int, at: datetime, because: Ending) -> None:
    """End all log-ins of a user."""
    open_ones = update(SessionRow).where(SessionRow.user_id == user_id, SessionRow.ended_at.is_(None))
    db.execute(open_ones.values(ended_at=at, ended_because=because.value))


def forget_sessions(db: Db, *, before: datetime) -> None:
    """Drop log-ins that were over before a time, with their refresh tokens, and failures of before it."""
    old = select(SessionRow.id).where(SessionRow.expires_at < before)
    db.execute(delete(RefreshTokenRow).where(RefreshTokenRow.session_id.in_(old)))
    db.execute(delete(SessionRow).where(SessionRow.expires_at < before))
    db.execute(delete(LoginAttemptsRow).where(LoginAttemptsRow.last_at < before))


def add_refresh_token(db: Db, token: RefreshToken) -> None:
    """Keep a new refresh token."""
    db.add(RefreshTokenRow(id=token.id, session_id=token.session_id, issued_at=token.issued_at))


def find_refresh_token(db: Db, token_id: str) -> RefreshToken | None:
    """Return the refresh token with this id."""
    row = db.get(RefreshTokenRow, token_id)
    return None if row is None else RefreshToken(row.id, row.session_id, row.issued_at, row.rotated_at)


def mark_token_rotated(db: Db, token_id: str, at: datetime) -> None:
    """Keep when a refresh token was exchanged; the first time counts."""
    row = db.get_one(RefreshTokenRow, token_id)
    row.rotated_at = row.rotated_at or at


def read_attempts(db: Db, subject: str) -> Attempts | None:
    """Return what was tried in vain under this name or from this address."""
    row = db.get(LoginAttemptsRow, subject)
    return None if row is None else Attempts(row.failures, row.last_at)


def keep_attempts(db: Db, subject: str, attempts: Attempts | None) -> None:
    """Keep what was tried in vain; None: nothing is held against it any more."""
    row = db.get(LoginAttemptsRow, subject)
    if attempts is None:
        if row is not None:
            db.delete(row)
    elif row is None:
        db.add(LoginAttemptsRow(subject=subject, failures=attempts.failures, last_at=attempts.last_at))
    else:
        row.failures, row.last_at = attempts.failures, attempts.last_at


def _session(row: SessionRow) -> Session:
    return Session(row.id, row.user_id, row.created_at, row.expires_at, row.address, row.ended_at)
