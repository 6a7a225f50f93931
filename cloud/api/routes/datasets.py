"""Datasets: upload, list, look at, delete; the same thing is called a file in one of the documents."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from cloud.api.deps import LearningReader, LearningWriter, ServicesDep
from cloud.api.document import answers
from cloud.api.job_view import JOB_EXAMPLE, JobView, show_job
from cloud.api.pagination import Limit, Offset, paged
from cloud.api.uploading import Form, documented, received
from cloud.domain.dataset import Dataset
from cloud.domain.identity import shown
from cloud.domain.times import to_text, to_us
from cloud.learning.dataset_drawing import DrawRequest
from cloud.learning.datasets import FILE, Upload

router = APIRouter(tags=["datasets"])
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
    """The first rows of a dataset; texts that a spreadsheet would run have an apostrophe before them."""

    data: list[dict[str, Any]]
    total_samples: int
    sample_size: int
    feature_names: list[str]


class FromReadings(BaseModel):
    """Which stored readings become a dataset; devices: `gateway/device`."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=200)]
    devices: Annotated[list[str], Field(min_length=1, max_length=1000)]
    start: AwareDatetime
    end: AwareDatetime
    tags: list[str] = []
    period_s: Annotated[float, Field(ge=0, le=86_400)] = 0.0
    labels: Literal["exclude", "use", "ignore"] = "exclude"
    description: Annotated[str, Field(max_length=2000)] = ""


@router.post(
    "/upload",
    responses=answers(FILE_EXAMPLE, 400, 401, 403, 413, 422, 503),
    openapi_extra=documented(),
)
async def upload_file(request: Request, caller: LearningWriter, services: ServicesDep) -> FileView:
    """Upload a CSV file with a header row."""
    async with received(request) as form:
        dataset = await services.uploads.run(lambda _: services.datasets.upload(_as_file(form, caller.name)))
        return FileView(
            file_id=shown(FILE, dataset.id),
            filename=form.file_name,
            size=dataset.sent_size,
            rows=dataset.n_rows,
            columns=len(dataset.columns),
            column_names=[one.name for one in dataset.columns],
            upload_time=to_text(to_us(dataset.created_at)),
            validation=Validation(status="valid", warnings=dataset.warnings),
        )


@router.post(
    "/datasets",
    status_code=201,
    responses=answers(EXAMPLE, 400, 401, 403, 413, 422, 503, good=201),
    openapi_extra=documented(
        name="What it is called; the file's name without it.",
        description="What it is.",
        target_column="The column that shall be foretold.",
        text_columns="Columns, separated by commas, that hold texts even where they look like numbers.",
    ),
)
async def add_dataset(request: Request, caller: LearningWriter, services: ServicesDep) -> DatasetView:
    """Upload a dataset as CSV, JSON or Parquet."""
    async with received(request) as form:
        dataset = await services.uploads.run(lambda _: services.datasets.upload(_as_dataset(form, caller.name)))
    return _view(dataset)


@router.post("/datasets/from-readings", status_code=202, responses=answers(JOB_EXAMPLE, 401, 403, 422, 503, good=202))
async def draw_dataset(asked: FromReadings, caller: LearningWriter, services: ServicesDep) -> JobView:
    """Make a dataset out of stored readings, as a job whose id the dataset will have."""
    request = DrawRequest(
        name=asked.name,
        devices=tuple(asked.devices),
        start_us=to_us(asked.start),
        end_us=to_us(asked.end),
        tags=tuple(asked.tags),
        period_s=asked.period_s,
        labels=asked.labels,
        description=asked.description,
    )
    job = await services.threads.run(lambda _: services.trainings.draw(request, by=caller.name))
    return show_job(job, services.clock)


@router.get("/datasets", responses=answers([EXAMPLE], 401, 403, 422, 503))
async def list_datasets(
    request: Request,
    response: Response,
    _caller: LearningReader,
    services: ServicesDep,
    file_format: Annotated[Format | None, Query(alias="format")] = None,
    has_target: Annotated[bool | None, Query()] = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Sequence[DatasetView]:
    """List the datasets, the newest first."""
    found = [
        _view(one)
        for one in await services.threads.run(lambda _: services.datasets.list())
        if file_format in (None, one.file_format) and has_target in (None, bool(one.target))
    ]
    return paged(found, request, response, limit=limit, offset=offset)


@router.get("/datasets/{dataset_id}", responses=answers(EXAMPLE, 401, 403, 404, 422, 503))
async def get_dataset(dataset_id: str, _caller: LearningReader, services: ServicesDep) -> DatasetDetails:
    """Show one dataset with what is known of its columns."""
    one = await services.threads.run(lambda _: services.datasets.get(dataset_id))
    return DatasetDetails(
        **_view(one).model_dump(),
        origin=one.origin.value,
        columns=[
            ColumnView(
                name=column.name,
                kind=column.kind.value,
                missing=column.missing,
                distinct=column.distinct,
                minimum=column.minimum,
                maximum=column.maximum,
                mean=column.mean,
            )
            for column in one.columns
        ],
        warnings=one.warnings,
        lineage=dict(one.lineage),
    )


@router.get("/datasets/{dataset_id}/sample", responses=answers(SAMPLE_EXAMPLE, 401, 403, 404, 422, 503))
async def sample_dataset(
    dataset_id: str,
    _caller: LearningReader,
    services: ServicesDep,
    size: Annotated[int, Query(ge=1, le=1000)] = 10,
) -> SampleView:
    """Show the first rows of a dataset."""
    dataset, rows = await services.threads.run(lambda _: services.datasets.sample(dataset_id, size))
    return SampleView(
        data=[dict(row) for row in rows],
        total_samples=dataset.n_rows,
        sample_size=len(rows),
        feature_names=[one.name for one in dataset.features],
    )


@router.delete("/datasets/{dataset_id}", status_code=204, responses=answers(None, 401, 403, 404, 422, 503, good=204))
async def delete_dataset(dataset_id: str, caller: LearningWriter, services: ServicesDep) -> None:
    """Delete a dataset and its file; what was learned from it stays."""
    await services.threads.run(lambda _: services.datasets.delete(dataset_id, by=caller.name))


def _as_file(form: Form, by: str) -> Upload:
    return Upload(form.chunks(), form.file_name, _name(form), by, only="csv")


def _as_dataset(form: Form, by: str) -> Upload:
    texts = tuple(name.strip() for name in form.fields.get("text_columns", "").split(",") if name.strip())
    return Upload(
        form.chunks(),
        form.file_name,
        form.fields.get("name", "") or _name(form),
        by,
        description=form.fields.get("description", ""),
        target=form.fields.get("target_column", ""),
        texts=texts,
    )


def _name(form: Form) -> str:
    return form.file_name.rpartition(".")[0] or form.file_name or "upload"


def _view(dataset: Dataset) -> DatasetView:
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
