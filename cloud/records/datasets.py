"""DatasetRow: what datasets there are; their rows are files."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import JSON, BigInteger, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from cloud.domain.dataset import ColumnFacts, ColumnKind, Dataset, Origin
from cloud.ports import FileRef
from cloud.records.base import Base, UtcDateTime


class DatasetRow(Base):
    """One dataset."""

    __tablename__ = "datasets"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(String(2000))
    origin: Mapped[str] = mapped_column(String(20))
    file_format: Mapped[str] = mapped_column(String(20))
    n_rows: Mapped[int]
    columns: Mapped[list[dict[str, object]]] = mapped_column(JSON)
    target: Mapped[str] = mapped_column(String(200))
    file_name: Mapped[str] = mapped_column(String(200))
    file_sha256: Mapped[str] = mapped_column(String(64))
    file_size: Mapped[int] = mapped_column(BigInteger)
    sent_size: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(String(200))
    lineage: Mapped[dict[str, object]] = mapped_column(JSON)


def add_dataset(session: Session, dataset: Dataset) -> None:
    """Keep a new one."""
    session.add(
        DatasetRow(
            id=dataset.id,
            name=dataset.name,
            description=dataset.description,
            origin=dataset.origin.value,
            file_format=dataset.file_format,
            n_rows=dataset.n_rows,
            columns=[asdict(column) for column in dataset.columns],
            target=dataset.target,
            file_name=dataset.file.name,
            file_sha256=dataset.file.sha256,
            file_size=dataset.file.size,
            sent_size=dataset.sent_size,
            created_at=dataset.created_at,
            created_by=dataset.created_by,
            lineage=dict(dataset.lineage),
        )
    )


def find_dataset(session: Session, identity: str) -> Dataset | None:
    """Return one."""
    row = session.get(DatasetRow, identity)
    return None if row is None else _dataset(row)


def list_datasets(session: Session) -> Sequence[Dataset]:
    """Return all, the newest first."""
    return [_dataset(row) for row in session.scalars(select(DatasetRow).order_by(DatasetRow.id.desc()))]


def delete_dataset(session: Session, identity: str) -> bool:
    """Forget one; return whether it was there."""
    row = session.get(DatasetRow, identity)
    if row is not None:
        session.delete(row)
    return row is not None


def kept_files(session: Session) -> set[str]:
    """Return the names of the files that datasets stand on."""
    return set(session.scalars(select(DatasetRow.file_name)))


def _dataset(row: DatasetRow) -> Dataset:
    return Dataset(
        id=row.id,
        name=row.name,
        description=row.description,
        origin=Origin(row.origin),
        file_format=row.file_format,
        n_rows=row.n_rows,
        columns=tuple(_facts(one) for one in row.columns),
        target=row.target,
        file=FileRef(row.file_name, row.file_sha256, row.file_size),
        sent_size=row.sent_size,
        created_at=row.created_at,
        created_by=row.created_by,
        lineage=row.lineage,
    )


def _facts(told: dict[str, object]) -> ColumnFacts:
    def number(name: str) -> float | None:
        value = told[name]
        return float(value) if isinstance(value, int | float) else None

    return ColumnFacts(
        name=str(told["name"]),
        kind=ColumnKind(str(told["kind"])),
        missing=int(number("missing") or 0),
        distinct=int(number("distinct") or 0),
        minimum=number("minimum"),
        maximum=number("maximum"),
        mean=number("mean"),
    )
