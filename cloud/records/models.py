"""ModelRow, ModelVersionRow, ModelAliasRow: what was learned, and which version each alias names."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import JSON, ForeignKey, String, UniqueConstraint, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from cloud.domain.model import Model, ModelVersion, StoredFile, Task
from cloud.records.base import Base, UtcDateTime

_Facts = dict[str, object]


class ModelRow(Base):
    """One Model; public_id is the id that people see."""

    __tablename__ = "models"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    task: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    tags: Mapped[dict[str, str]] = mapped_column(JSON)


class ModelVersionRow(Base):
    """One version; only path and the three last times ever change."""

    __tablename__ = "model_versions"
    __table_args__ = (UniqueConstraint("model_id", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    model_id: Mapped[int] = mapped_column(ForeignKey("models.id"))
    version: Mapped[int]
    algorithm: Mapped[str] = mapped_column(String(100))
    metrics: Mapped[dict[str, float]] = mapped_column(JSON)
    card: Mapped[_Facts] = mapped_column(JSON)
    lineage: Mapped[_Facts] = mapped_column(JSON)
    files: Mapped[_Facts] = mapped_column(JSON)
    sha256: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(String(200))
    path: Mapped[str] = mapped_column(String(200), default="")
    published_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    deployed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    archived_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ModelAliasRow(Base):
    """One alias of one Model."""

    __tablename__ = "model_aliases"

    model_id: Mapped[int] = mapped_column(ForeignKey("models.id"), primary_key=True)
    alias: Mapped[str] = mapped_column(String(40), primary_key=True)
    version: Mapped[int]


def list_models(session: Session) -> list[Model]:
    """Return all Models in order of their first version, each with everything of it."""
    rows = session.scalars(select(ModelRow).order_by(ModelRow.id)).all()
    return [_model(session, row) for row in rows]


def find_model(session: Session, name_or_id: str) -> Model | None:
    """Return a Model by its name or its id."""
    wanted = (ModelRow.name == name_or_id) | (ModelRow.public_id == name_or_id)
    row = session.scalar(select(ModelRow).where(wanted))
    return None if row is None else _model(session, row)


def count_models(session: Session) -> int:
    """Return how many Models there are."""
    return session.scalar(select(func.count()).select_from(ModelRow)) or 0


def datasets_of_models(session: Session) -> set[str]:
    """Return the ids of the datasets that a version of some model was made of."""
    return {
        str(lineage["dataset"]) for lineage in session.scalars(select(ModelVersionRow.lineage)) if "dataset" in lineage
    }


def add_model(session: Session, model: Model) -> None:
    """Keep a new Model, without versions."""
    session.add(
        ModelRow(
            public_id=model.id,
            name=model.name,
            task=model.task.value,
            created_at=model.created_at,
            tags=dict(model.tags),
        )
    )
    session.flush()


def add_version(session: Session, version: ModelVersion) -> None:
    """Keep a new version of a Model that is there."""
    session.add(
        ModelVersionRow(
            model_id=_row(session, version.model).id,
            version=version.version,
            algorithm=version.algorithm,
            metrics=dict(version.metrics),
            card=dict(version.card),
            lineage=dict(version.lineage),
            files=msgspec.to_builtins(version.files),
            sha256=version.sha256,
            created_at=version.created_at,
            created_by=version.created_by,
        )
    )
    session.flush()


def mark_version(session: Session, version: ModelVersion) -> None:
    """Keep what may change of a version: path, publication, deployment, archive."""
    row = session.scalar(
        select(ModelVersionRow).where(
            ModelVersionRow.model_id == _row(session, version.model).id, ModelVersionRow.version == version.version
        )
    )
    if row is not None:
        row.path = version.path
        row.published_at = version.published_at
        row.deployed_at = version.deployed_at
        row.archived_at = version.archived_at


def set_alias(session: Session, model: str, alias: str, version: int | None) -> None:
    """Let an alias name this version; None takes the alias away."""
    model_id = _row(session, model).id
    session.execute(delete(ModelAliasRow).where(ModelAliasRow.model_id == model_id, ModelAliasRow.alias == alias))
    if version is not None:
        session.add(ModelAliasRow(model_id=model_id, alias=alias, version=version))
        session.flush()


def set_tags(session: Session, model: str, tags: Mapping[str, str]) -> None:
    """Keep these tags and no others."""
    _row(session, model).tags = dict(tags)


def _row(session: Session, model: str) -> ModelRow:
    return session.scalars(select(ModelRow).where(ModelRow.name == model)).one()


def _model(session: Session, row: ModelRow) -> Model:
    wanted = select(ModelVersionRow).where(ModelVersionRow.model_id == row.id)
    versions = session.scalars(wanted.order_by(ModelVersionRow.version.desc())).all()
    aliases = session.scalars(select(ModelAliasRow).where(ModelAliasRow.model_id == row.id)).all()
    return Model(
        id=row.public_id,
        name=row.name,
        task=Task(row.task),
        created_at=row.created_at,
        versions=_versions(row, versions),
        aliases={one.alias: one.version for one in aliases},
        tags=row.tags,
    )


def _versions(model: ModelRow, rows: Sequence[ModelVersionRow]) -> tuple[ModelVersion, ...]:
    return tuple(
        ModelVersion(
            model=model.name,
            version=row.version,
            algorithm=row.algorithm,
            task=Task(model.task),
            metrics=row.metrics,
            card=row.card,
            lineage=row.lineage,
            files=msgspec.convert(row.files, dict[str, StoredFile]),
            sha256=row.sha256,
            created_at=row.created_at,
            created_by=row.created_by,
            path=row.path,
            published_at=row.published_at,
            deployed_at=row.deployed_at,
            archived_at=row.archived_at,
        )
        for row in rows
    )
