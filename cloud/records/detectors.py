"""DetectorRow: detectors as people set them up; each belongs to a Model for anomalies, made by its first fit."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import JSON, Float, String, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from cloud.domain.detector import Detector, of_version
from cloud.domain.model import ModelVersion
from cloud.records.base import Base, UtcDateTime
from cloud.records.experiments import RunRow
from cloud.records.models import ModelAliasRow, ModelRow, ModelVersionRow
from cloud.records.retrainings import RetrainingRow
from cloud.records.wanted import WantedModelRow


class DetectorRow(Base):
    """One detector."""

    __tablename__ = "detectors"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    model: Mapped[str] = mapped_column(String(100), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    algorithm: Mapped[str] = mapped_column(String(100))
    contamination_rate: Mapped[float] = mapped_column(Float)
    hyperparameters: Mapped[dict[str, object]] = mapped_column(JSON)
    description: Mapped[str] = mapped_column(String(2000))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    fitted_version: Mapped[int | None]
    revision: Mapped[int]


def save_detector(session: Session, detector: Detector) -> None:
    """Keep a new one, or what was changed of one."""
    session.merge(
        DetectorRow(
            id=detector.id,
            model=detector.model,
            name=detector.name,
            algorithm=detector.algorithm,
            contamination_rate=detector.contamination_rate,
            hyperparameters=dict(detector.hyperparameters),
            description=detector.description,
            created_at=detector.created_at,
            updated_at=detector.updated_at,
            fitted_version=detector.fitted_version,
            revision=detector.revision,
        )
    )
    session.flush()


def list_detectors(session: Session) -> Sequence[Detector]:
    """Return all, the newest first."""
    return [_detector(row) for row in session.scalars(select(DetectorRow).order_by(DetectorRow.id.desc()))]


def find_detector(session: Session, identity: str) -> Detector | None:
    """Return one by its id."""
    row = session.get(DetectorRow, identity)
    return None if row is None else _detector(row)


def detector_of(session: Session, model: str) -> Detector | None:
    """Return the one of a Model, by the Model's name or id."""
    named = select(ModelRow.name).where(ModelRow.public_id == model)
    found = session.scalar(select(DetectorRow).where((DetectorRow.model == model) | DetectorRow.model.in_(named)))
    return None if found is None else _detector(found)


def note_fit(session: Session, version: ModelVersion, *, new_id: Callable[[], str]) -> None:
    """Let a detector be fitted as this version; where the Model has none yet, it becomes one of its own."""
    found = detector_of(session, version.model)
    if found is not None:
        at = max(version.created_at, found.updated_at)
        save_detector(session, replace(found, fitted_version=version.version, updated_at=at))
        return
    save_detector(session, of_version(version, new_id()))


def uses_of(session: Session, model: str) -> tuple[list[str], int]:
    """Return the aliases of a Model, and on how many Devices gateways are to run it."""
    owner = select(ModelRow.id).where(ModelRow.name == model)
    aliases = session.scalars(select(ModelAliasRow.alias).where(ModelAliasRow.model_id.in_(owner)))
    devices = session.scalar(select(func.count()).select_from(WantedModelRow).where(WantedModelRow.name == model))
    return sorted(aliases), devices or 0


def delete_detector(session: Session, detector: Detector) -> list[str]:
    """Forget a detector with all versions, retrainings and runs of its Model; return the names of its files."""
    files: list[str] = []
    row = session.scalar(select(ModelRow).where(ModelRow.name == detector.model))
    if row is not None:
        versions = session.scalars(select(ModelVersionRow).where(ModelVersionRow.model_id == row.id))
        files = [str(file["name"]) for one in versions for file in one.files.values() if isinstance(file, dict)]
        session.execute(delete(ModelAliasRow).where(ModelAliasRow.model_id == row.id))
        session.execute(delete(ModelVersionRow).where(ModelVersionRow.model_id == row.id))
        session.execute(delete(ModelRow).where(ModelRow.id == row.id))
    session.execute(delete(RetrainingRow).where(RetrainingRow.model == detector.model))
    session.execute(delete(RunRow).where(RunRow.model == detector.model))
    session.execute(delete(DetectorRow).where(DetectorRow.id == detector.id))
    return files


def _detector(row: DetectorRow) -> Detector:
    return Detector(
        id=row.id,
        model=row.model,
        name=row.name,
        algorithm=row.algorithm,
        contamination_rate=row.contamination_rate,
        hyperparameters=row.hyperparameters,
        description=row.description,
        created_at=row.created_at,
        updated_at=row.updated_at,
        fitted_version=row.fitted_version,
        revision=row.revision,
    )
