"""HazardRow: the hazard model of each class of Devices, as it was fitted last; plain numbers, nothing executable."""

from datetime import datetime

from sqlalchemy import JSON, Float, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from cloud.records.base import Base, UtcDateTime


class HazardRow(Base):
    """One class of Devices (their type) and the model of its failures; brier: on devices held out of the fit."""

    __tablename__ = "hazard_models"

    device_type: Mapped[str] = mapped_column(String(200), primary_key=True)
    fitted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    failures: Mapped[int]
    brier: Mapped[float] = mapped_column(Float)
    brier_of_base_rate: Mapped[float] = mapped_column(Float)
    model: Mapped[dict[str, object]] = mapped_column(JSON)


def put_hazard(session: Session, row: HazardRow) -> None:
    """Keep a model in place of the one before."""
    session.merge(row)


def find_hazard(session: Session, device_type: str) -> HazardRow | None:
    """Return the model of a class."""
    return session.scalar(select(HazardRow).where(HazardRow.device_type == device_type))
