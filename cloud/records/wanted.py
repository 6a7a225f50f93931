"""WantedRow, WantedModelRow: which models each gateway shall run, and up to which revision it was told so."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import BigInteger, String, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from cloud.records.base import Base
from protocols.wanted import Phase, Wanted, WantedModel


class WantedRow(Base):
    """One gateway; sent_revision, sent_us: what it was told last, and when."""

    __tablename__ = "wanted"

    gateway: Mapped[str] = mapped_column(String(64), primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger)
    sent_revision: Mapped[int] = mapped_column(BigInteger)
    sent_us: Mapped[int] = mapped_column(BigInteger)


class WantedModelRow(Base):
    """One model on one Device of one gateway."""

    __tablename__ = "wanted_models"

    gateway: Mapped[str] = mapped_column(String(64), primary_key=True)
    device: Mapped[str] = mapped_column(String(200), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    version: Mapped[int]
    path: Mapped[str] = mapped_column(String(200))
    phase: Mapped[str] = mapped_column(String(20))
    shadow_rows: Mapped[int] = mapped_column(BigInteger)
    rollout: Mapped[str] = mapped_column(String(40))


@dataclass(frozen=True, slots=True)
class Telling:
    """How far a gateway was told what is wanted of it."""

    gateway: str
    revision: int
    sent_revision: int
    sent_us: int


def list_tellings(session: Session) -> list[Telling]:
    """Return how far each gateway was told, for all of which something was ever wanted."""
    rows = session.scalars(select(WantedRow).order_by(WantedRow.gateway))
    return [Telling(row.gateway, row.revision, row.sent_revision, row.sent_us) for row in rows]


def wanted_of(session: Session, gateway: str) -> Wanted:
    """Return all that is wanted of a gateway; revision 0 where nothing ever was."""
    row = session.get(WantedRow, gateway)
    models = session.scalars(
        select(WantedModelRow).where(WantedModelRow.gateway == gateway).order_by(WantedModelRow.device)
    )
    return Wanted(0 if row is None else row.revision, tuple(_model(one) for one in models))


def want(session: Session, gateway: str, models: Iterable[WantedModel], none_for: Iterable[str], *, now_us: int) -> int:
    """Want these models of a gateway, and its own again for the Devices `none_for`; return the new revision.

    The revision rises with the clock, so that it does even where the records came back from an older backup.
    """
    for device in none_for:
        session.execute(
            delete(WantedModelRow).where(WantedModelRow.gateway == gateway, WantedModelRow.device == device)
        )
    for model in models:
        session.merge(
            WantedModelRow(
                gateway=gateway,
                device=model.device,
                name=model.name,
                version=model.version,
                path=model.path,
                phase=model.phase.value,
                shadow_rows=model.shadow_rows,
                rollout=model.rollout,
            )
        )
    row = session.get(WantedRow, gateway) or WantedRow(gateway=gateway, revision=0, sent_revision=0, sent_us=0)
    row.revision = max(row.revision + 1, now_us // 1000)
    session.add(row)
    session.flush()
    return row.revision


def mark_sent(session: Session, gateway: str, revision: int, *, now_us: int) -> None:
    """Keep that a gateway was told up to this revision."""
    row = session.get(WantedRow, gateway)
    if row is not None:
        row.sent_revision = max(row.sent_revision, revision)
        row.sent_us = now_us


def _model(row: WantedModelRow) -> WantedModel:
    return WantedModel(
        device=row.device,
        name=row.name,
        version=row.version,
        path=row.path,
        phase=Phase(row.phase),
        shadow_rows=row.shadow_rows,
        rollout=row.rollout,
    )
