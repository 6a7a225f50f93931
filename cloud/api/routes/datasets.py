"""Datasets: upload, list, look at, delete; the same thing is called a file in one of the documents."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Query, Request, Response

from cloud.api.dataset_views import (
    EXAMPLE,
    FILE_EXAMPLE,
    SAMPLE_EXAMPLE,
    DatasetDetails,
    DatasetView,
    FileView,
    Format,
    FromReadings,
    SampleView,
    show_dataset,
    show_details,
    show_file,
)
from cloud.api.deps import LearningReader, LearningWriter, ServicesDep
from cloud.api.document import answers
from cloud.api.job_view import JOB_EXAMPLE, JobView, show_job
from cloud.api.limits import limited_as_documented
from cloud.api.pagination import Limit, Offset, paged
from cloud.api.resource import Resource
from cloud.api.uploading import Form, documented, received
from cloud.domain.times import to_us
from cloud.learning.dataset_drawing import DrawRequest
from cloud.learning.datasets import Upload

router = Resource(tags=["datasets"])


@router.post(
    "/upload",
    responses=answers(FILE_EXAMPLE, 400, 401, 403, 413, 422, 503),
    openapi_extra=documented(),
)
async def upload_file(request: Request, caller: LearningWriter, services: ServicesDep) -> FileView:
    """Upload a CSV file with a header row."""
    async with received(request) as form:
        dataset = await services.uploads.run(lambda _: services.datasets.upload(_as_file(form, caller.name)))
        return show_file(dataset, form.file_name)


@router.post(
    "/datasets",
    status_code=201,
    dependencies=[limited_as_documented()],
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
    return show_dataset(dataset)


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


@router.get("/datasets", dependencies=[limited_as_documented()], responses=answers([EXAMPLE], 401, 403, 422, 503))
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
        show_dataset(one)
        for one in await services.threads.run(lambda _: services.datasets.list())
        if file_format in (None, one.file_format) and has_target in (None, bool(one.target))
    ]
    return paged(found, request, response, limit=limit, offset=offset)


@router.get(
    "/datasets/{dataset_id}",
    dependencies=[limited_as_documented()],
    responses=answers(EXAMPLE, 401, 403, 404, 422, 503),
)
async def get_dataset(dataset_id: str, _caller: LearningReader, services: ServicesDep) -> DatasetDetails:
    """Show one dataset with what is known of its columns."""
    return show_details(await services.threads.run(lambda _: services.datasets.get(dataset_id)))


@router.get(
    "/datasets/{dataset_id}/sample",
    dependencies=[limited_as_documented()],
    responses=answers(SAMPLE_EXAMPLE, 401, 403, 404, 422, 503),
)
async def sample_dataset(
    dataset_id: str,
    _caller: LearningReader,
    services: ServicesDep,
    size: Annotated[int, Query(ge=1, le=1000)] = 10,
    offset: Offset = 0,
) -> SampleView:
    """Show rows of a dataset: the first ones, or those after an offset."""
    dataset, rows = await services.threads.run(lambda _: services.datasets.sample(dataset_id, size, offset))
    return SampleView(
        data=[dict(row) for row in rows],
        total_samples=dataset.n_rows,
        sample_size=len(rows),
        feature_names=[one.name for one in dataset.features],
    )


@router.delete(
    "/datasets/{dataset_id}",
    status_code=204,
    dependencies=[limited_as_documented()],
    responses=answers(None, 401, 403, 404, 422, 503, good=204),
)
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
