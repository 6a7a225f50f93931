"""How datasets look in the API: as ours, and as the files of one of the documents."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from cloud.api.scalars import Number
from cloud.api.times import Time
from cloud.domain.dataset import ColumnFacts, Dataset
from cloud.domain.identity import shown
from cloud.domain.times import to_text, to_us
from cloud.learning.datasets import FILE

EXAMPLE = {
    "id": "0197f3a2-5c1e-7d40-9a6b-001122334455",
    "file_id": "file_0197f3a25c1e7d409a6b001122334455",
    "name": "bearings",
    "description": "",
    "file_format": "csv",
    "n_samples": 10000,
    "n_features": 8,
    "has_target": True,
    "target_column": "failure",
    "feature_names": ["torque", "speed"],
    "file_size_mb": 0.52,
    "created_at": "2026-01-15T10:30:00Z",
}
FILE_EXAMPLE = {
    "file_id": "file_0197f3a25c1e7d409a6b001122334455",
    "filename": "bearings.csv",
    "size": 545_000,
    "rows": 10_000,
    "columns": 9,
    "column_names": ["torque", "speed", "failure"],
    "upload_time": "2026-01-15T10:30:00Z",
    "validation": {"status": "valid", "warnings": []},
}
SAMPLE_EXAMPLE = {
    "data": [{"torque": 42.8, "speed": 1551.0, "failure": "no"}],
    "total_samples": 10_000,
    "sample_size": 1,
    "feature_names": ["torque", "speed"],
}


class Format(StrEnum):
    """How a dataset came; npz: drawn from readings."""

    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"
    NPZ = "npz"


class DatasetView(BaseModel):
    """One dataset."""

    id: str
    file_id: str
    name: str
    description: str
    file_format: str
    n_samples: int
    n_features: int
    has_target: bool
    target_column: str | None
    feature_names: list[str]
    file_size_mb: float
    created_at: datetime


class ColumnView(BaseModel):
    """What is known of one column."""

    name: str
    kind: str
    missing: int
    distinct: int
    minimum: float | None
    maximum: float | None
    mean: float | None


class DatasetDetails(DatasetView):
    """One dataset with its columns and where it came from."""

    origin: str
    columns: list[ColumnView]
    warnings: list[str]
    lineage: dict[str, Any]


class Validation(BaseModel):
    """What a person should know before learning from it."""

    status: str
    warnings: list[str]


class FileView(BaseModel):
    """An uploaded file."""

    file_id: str
    filename: str
    size: int
    rows: int
    columns: int
    column_names: list[str]
    upload_time: str
    validation: Validation


class SampleView(BaseModel):
    """Rows of a dataset; texts that a spreadsheet would run have an apostrophe before them."""

    data: list[dict[str, Any]]
    total_samples: int
    sample_size: int
    feature_names: list[str]


class FromReadings(BaseModel):
    """Which stored readings become a dataset; devices: `gateway/device`."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=200)]
    devices: Annotated[list[str], Field(min_length=1, max_length=1000)]
    start: Time
    end: Time
    tags: list[str] = []
    period_s: Annotated[Number, Field(ge=0, le=86_400)] = 0.0
    labels: Literal["exclude", "use", "ignore"] = "exclude"
    description: Annotated[str, Field(max_length=2000)] = ""


def show_dataset(dataset: Dataset) -> DatasetView:
    """Return a dataset as it is shown in lists."""
    return DatasetView(
        id=str(UUID(dataset.id)),
        file_id=shown(FILE, dataset.id),
        name=dataset.name,
        description=dataset.description,
        file_format=dataset.file_format,
        n_samples=dataset.n_rows,
        n_features=len(dataset.features),
        has_target=bool(dataset.target),
        target_column=dataset.target or None,
        feature_names=[one.name for one in dataset.features],
        file_size_mb=dataset.size_mib,
        created_at=dataset.created_at,
    )


def show_details(dataset: Dataset) -> DatasetDetails:
    """Return a dataset with all that is known of it."""
    return DatasetDetails(
        **show_dataset(dataset).model_dump(),
        origin=dataset.origin.value,
        columns=[_column(column) for column in dataset.columns],
        warnings=dataset.warnings,
        lineage=dict(dataset.lineage),
    )


def show_file(dataset: Dataset, file_name: str) -> FileView:
    """Return a dataset as the document that calls it a file shows it."""
    return FileView(
        file_id=shown(FILE, dataset.id),
        filename=file_name,
        size=dataset.sent_size,
        rows=dataset.n_rows,
        columns=len(dataset.columns),
        column_names=[one.name for one in dataset.columns],
        upload_time=to_text(to_us(dataset.created_at)),
        validation=Validation(status="valid", warnings=dataset.warnings),
    )


def _column(column: ColumnFacts) -> ColumnView:
    return ColumnView(
        name=column.name,
        kind=column.kind.value,
        missing=column.missing,
        distinct=column.distinct,
        minimum=column.minimum,
        maximum=column.maximum,
        mean=column.mean,
    )
