"""DeviceRow: the Devices with their numbers, their shown ids and what people told of them."""

from collections.abc import Sequence

from sqlalchemy import JSON, Float, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from cloud.domain.device import Device, shown_id
from cloud.domain.device_facts import USUAL_CRITICALITY
from cloud.ports import StoredDevice
from cloud.records.base import Base


class DeviceRow(Base):
    """One Device; (source, device_id) is who sends, shown_id how it is called."""

    __tablename__ = "devices"
    __table_args__ = (UniqueConstraint("source", "device_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(String(64))
    device_id: Mapped[str] = mapped_column(String(64))
    shown_id: Mapped[str] = mapped_column(String(160), unique=True)
    type: Mapped[str] = mapped_column(String(200), default="")
    name: Mapped[str] = mapped_column(String(200), default="")
    location: Mapped[str] = mapped_column(String(200), default="")
    criticality: Mapped[float] = mapped_column(Float, default=USUAL_CRITICALITY)
    metadata_: Mapped[dict[str, object]] = mapped_column("metadata", JSON, default=dict)


def list_devices(session: Session) -> list[Device]:
    """Return all Devices in order of their first appearance."""
    return [_device(row) for row in session.scalars(select(DeviceRow).order_by(DeviceRow.id))]


def register_devices(session: Session, told: Sequence[StoredDevice]) -> list[Device]:
    """Give each Device that is new a number and a shown id, take over what is told of the others; return all."""
    rows = list(session.scalars(select(DeviceRow).order_by(DeviceRow.id)))
    known = {(row.source, row.device_id): row for row in rows}
    taken = {row.shown_id for row in rows}
    for device in told:
        row = known.get((device.source, device.info.id))
        if row is None:
            row = _new_row(device, taken)
            taken.add(row.shown_id)
            known[device.source, device.info.id] = row
            session.add(row)
        _take_over(row, device)
    session.flush()
    return [_device(row) for row in known.values()]


def _new_row(device: StoredDevice, taken: set[str]) -> DeviceRow:
    return DeviceRow(
        source=device.source,
        device_id=device.info.id,
        shown_id=shown_id(device.source, device.info.id, taken=taken),
        criticality=USUAL_CRITICALITY,
        metadata_={},
    )


def _take_over(row: DeviceRow, device: StoredDevice) -> None:
    row.type = device.info.type[:200]
    row.name = device.info.name[:200]
    row.location = device.info.location[:200]


def _device(row: DeviceRow) -> Device:
    return Device(
        id=row.id,
        source=row.source,
        device_id=row.device_id,
        shown_id=row.shown_id,
        type=row.type,
        name=row.name,
        location=row.location,
        criticality=row.criticality,
        metadata=row.metadata_,
    )
