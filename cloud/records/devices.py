"""DeviceRow: the Devices with their numbers, their shown ids and what people told of them."""

from collections.abc import Collection, Sequence

from sqlalchemy import JSON, Float, String, UniqueConstraint, select, tuple_
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


def list_devices(session: Session, only: Collection[tuple[str, str]] | None = None) -> list[Device]:
    """Return all Devices, or those of these (source, device_id), in order of their first appearance."""
    row = DeviceRow
    columns = (row.id, row.source, row.device_id, row.shown_id, row.type, row.name, row.location)
    query = select(*columns, row.criticality, row.metadata_).order_by(row.id)
    if only is not None:
        query = query.where(tuple_(row.source, row.device_id).in_(only))
    return [Device(*facts) for facts in session.execute(query)]


def read_criticalities(session: Session) -> dict[tuple[str, str], float]:
    """Return how much the plant depends on each (source, device) of which it is not as usual."""
    columns = select(DeviceRow.source, DeviceRow.device_id, DeviceRow.criticality)
    columns = columns.where(DeviceRow.criticality != USUAL_CRITICALITY)
    return {(source, device): criticality for source, device, criticality in session.execute(columns)}


def register_devices(session: Session, told: Sequence[StoredDevice]) -> None:
    """Give each Device that is new a number and a shown id, take over what is told of the others."""
    row = DeviceRow
    known = {
        (source, device): number
        for number, source, device in session.execute(select(row.id, row.source, row.device_id))
    }
    taken = set(session.scalars(select(row.shown_id)))
    for device in told:
        number = known.get((device.source, device.info.id))
        found = None if number is None else session.get(DeviceRow, number)
        if found is None:
            found = _new_row(device, taken)
            taken.add(found.shown_id)
            session.add(found)
        _take_over(found, device)
    session.flush()


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
