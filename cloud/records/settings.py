"""SettingRow: what administrators changed while the cloud runs; what they did not change has its default."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import JSON, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from cloud.domain.setting import SETTINGS, Value
from cloud.records.base import Base, UtcDateTime


class SettingRow(Base):
    """One setting that was changed; version: how often."""

    __tablename__ = "settings"

    key: Mapped[str] = mapped_column(String(130), primary_key=True)
    value: Mapped[object] = mapped_column(JSON)
    version: Mapped[int]
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_by: Mapped[str] = mapped_column(String(200))


def setting_of(session: Session, key: str) -> Value:
    """Return a setting's value, its default where nobody changed it; raise KeyError for one not in the table."""
    known = SETTINGS[key]
    row = session.get(SettingRow, key)
    kept = None if row is None else row.value
    # A kept value that a newer program's rules refuse must not break what reads it.
    return kept if isinstance(kept, bool | int | float | str) and not known.issue_of(kept) else known.default


def is_set(session: Session, key: str) -> bool:
    """Return whether a setting that is true or false is true."""
    return bool(setting_of(session, key))


def number_of(session: Session, key: str) -> float:
    """Return a setting that is a number."""
    return float(setting_of(session, key))


def text_of(session: Session, key: str) -> str:
    """Return a setting that is a text."""
    return str(setting_of(session, key))


def plant_zone(session: Session) -> ZoneInfo:
    """Return the time zone in which the plant's days begin."""
    return ZoneInfo(text_of(session, "general.timezone"))


def changed_settings(session: Session) -> Mapping[str, Value]:
    """Return everything that was changed, free keys included."""
    rows = session.scalars(select(SettingRow))
    return {row.key: row.value for row in rows if isinstance(row.value, bool | int | float | str)}


def keep_setting(session: Session, key: str, value: Value, at: datetime, *, by: str) -> None:
    """Keep a value that was checked."""
    row = session.get(SettingRow, key)
    if row is None:
        session.add(SettingRow(key=key, value=value, version=1, changed_at=at, changed_by=by))
        return
    row.value, row.version, row.changed_at, row.changed_by = value, row.version + 1, at, by
