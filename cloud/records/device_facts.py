"""DeviceFactsRow, ChannelLimitsRow: what people told of Devices, and the limits of their Tags."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Float, String, UniqueConstraint, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from cloud.domain.device_facts import NO_ENERGY, ChannelLimits, DeviceFacts, EnergyChannels, Running
from cloud.records.base import Base, UtcDateTime
from cloud.records.devices import DeviceRow

_SIDES = ("low_crit", "low_warn", "high_warn", "high_crit")
Whose = tuple[str, str]
"""Source and device."""


class DeviceFactsRow(Base):
    """What was told of one Device; its criticality stands with the Device."""

    __tablename__ = "device_facts"

    source: Mapped[str] = mapped_column(String(64), primary_key=True)
    device: Mapped[str] = mapped_column(String(200), primary_key=True)
    rated_interval_s: Mapped[float | None] = mapped_column(Float)
    tariff_per_kwh: Mapped[float | None] = mapped_column(Float)
    energy: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    running: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    baseline_reset_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ChannelLimitsRow(Base):
    """The limits of one Tag."""

    __tablename__ = "channel_limits"
    __table_args__ = (UniqueConstraint("source", "device", "tag"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(String(64))
    device: Mapped[str] = mapped_column(String(200))
    tag: Mapped[str] = mapped_column(String(200))
    low_crit: Mapped[float | None] = mapped_column(Float)
    low_warn: Mapped[float | None] = mapped_column(Float)
    high_warn: Mapped[float | None] = mapped_column(Float)
    high_crit: Mapped[float | None] = mapped_column(Float)


def all_facts(session: Session) -> Mapping[Whose, DeviceFacts]:
    """Return the facts of every Device that is registered or that something was told of."""
    found = {(row.source, row.device): _facts(row) for row in session.scalars(select(DeviceFactsRow))}
    columns = select(DeviceRow.source, DeviceRow.device_id, DeviceRow.criticality).order_by(DeviceRow.id)
    for source, device, criticality in session.execute(columns):
        known = found.get((source, device), DeviceFacts(source, device))
        found[source, device] = replace(known, criticality=criticality)
    limits: dict[Whose, list[ChannelLimits]] = {}
    for one in list_limits(session):
        limits.setdefault((one.source, one.device), []).append(one)
    for whose, each in limits.items():
        found[whose] = replace(found.get(whose, DeviceFacts(*whose)), limits=tuple(each))
    return found


def facts_of(session: Session, source: str, device: str) -> DeviceFacts:
    """Return the facts of one Device, the usual ones where nobody told any."""
    row = session.get(DeviceFactsRow, (source, device))
    found = DeviceFacts(source, device) if row is None else _facts(row)
    registered = _registered(session, source, device)
    limits = tuple(list_limits(session, source=source, device=device))
    return replace(
        found, criticality=found.criticality if registered is None else registered.criticality, limits=limits
    )


def put_facts(session: Session, facts: DeviceFacts) -> None:
    """Keep facts in place of those before; limits are kept by `put_limits`."""
    registered = _registered(session, facts.source, facts.device)
    if registered is not None:
        registered.criticality = facts.criticality
    session.merge(
        DeviceFactsRow(
            source=facts.source,
            device=facts.device,
            rated_interval_s=facts.rated_interval_s,
            tariff_per_kwh=facts.tariff_per_kwh,
            energy=asdict(facts.energy) if facts.energy.is_set else None,
            running=None if facts.running is None else asdict(facts.running) | {"steps": list(facts.running.steps)},
            baseline_reset_at=facts.baseline_reset_at,
        )
    )
    session.flush()


def list_limits(session: Session, *, source: str | None = None, device: str | None = None) -> Sequence[ChannelLimits]:
    """Return limits in the order in which they were set."""
    query = select(ChannelLimitsRow).order_by(ChannelLimitsRow.id)
    if source is not None:
        query = query.where(ChannelLimitsRow.source == source)
    if device is not None:
        query = query.where(ChannelLimitsRow.device == device)
    return [_limits(row) for row in session.scalars(query)]


def put_limits(session: Session, limits: ChannelLimits) -> None:
    """Keep the limits of a Tag in place of those before."""
    row = session.scalar(select(ChannelLimitsRow).where(*_of(limits)))
    if row is None:
        row = ChannelLimitsRow(source=limits.source, device=limits.device, tag=limits.tag)
        session.add(row)
    for side in _SIDES:
        setattr(row, side, getattr(limits, side))
    session.flush()


def delete_limits(session: Session, source: str, device: str, tag: str) -> bool:
    """Forget the limits of a Tag; return whether there were any."""
    wanted = _of(ChannelLimits(source, device, tag))
    is_there = session.scalar(select(ChannelLimitsRow.id).where(*wanted)) is not None
    session.execute(delete(ChannelLimitsRow).where(*wanted))
    return is_there


def _of(one: ChannelLimits) -> tuple[Any, ...]:
    row = ChannelLimitsRow
    return row.source == one.source, row.device == one.device, row.tag == one.tag


def _registered(session: Session, source: str, device: str) -> DeviceRow | None:
    return session.scalar(select(DeviceRow).where(DeviceRow.source == source, DeviceRow.device_id == device))


def _limits(row: ChannelLimitsRow) -> ChannelLimits:
    return ChannelLimits(row.source, row.device, row.tag, *(getattr(row, side) for side in _SIDES))


def _facts(row: DeviceFactsRow) -> DeviceFacts:
    return DeviceFacts(
        source=row.source,
        device=row.device,
        rated_interval_s=row.rated_interval_s,
        tariff_per_kwh=row.tariff_per_kwh,
        energy=NO_ENERGY if row.energy is None else EnergyChannels(**row.energy),
        running=None
        if row.running is None
        else Running(row.running["tag"], row.running["above"], tuple(row.running["steps"])),
        baseline_reset_at=row.baseline_reset_at,
    )
