"""What a job that exports does: readings become a file that people may fetch."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import msgspec

from cloud.domain.download import Download, DownloadKind
from cloud.domain.export import MEDIA_TYPES, ExportFormat, ExportRequest
from cloud.domain.job import Job
from cloud.domain.times import to_datetime
from cloud.jobs.bench import Bench
from cloud.learning.algorithm import Progress
from cloud.operations.exporting import WRITERS, Export, Named, Rows
from cloud.ports import SeriesKey
from cloud.records.devices import list_devices
from cloud.records.downloads import add_download
from cloud.records.jobs import Outcome
from protocols.reading import Kind

KEPT = timedelta(days=7)
MOST_BYTES = 32 * 1024**3
_KINDS = {
    "timestamp": "time",
    "gateway_id": "text",
    "device_id": "text",
    "metric": "text",
    "value": "number",
    "text": "text",
    "unit": "text",
    "quality": "text",
}


def export_readings(bench: Bench, job: Job, progress: Progress) -> Outcome:
    """Write the file; raise Unavailable, TooLarge, Cancelled: then nothing of it stays."""
    request = msgspec.convert(job.parameters, ExportRequest)
    export = Export(bench.readings(), request, _names(bench), lambda share: progress(0.99 * share, "writing"))
    file = bench.files.put_stream(DownloadKind.EXPORT.value, _written(request, export.rows()), limit=MOST_BYTES)
    now = to_datetime(bench.clock.now_us())
    facts: dict[str, object] = {"format": request.format.value, "rows": export.count}
    made = Download(
        id=job.id,
        kind=DownloadKind.EXPORT,
        name=request.file_name(job.id, now),
        media_type=MEDIA_TYPES[request.format],
        file=file.name,
        size_bytes=file.size,
        by=job.requested_by,
        made_at=now,
        kept_until=now + KEPT,
        job=job.id,
        facts=facts,
    )
    told = {"status": "SUCCESS", "export_path": made.path, "filename": made.name, "size_bytes": file.size, **facts}
    return Outcome(told, lambda session: add_download(session, made))


def _written(request: ExportRequest, rows: Iterator[Rows]) -> Iterator[bytes]:
    if request.format is not ExportFormat.PARQUET:
        return WRITERS[request.format](rows)
    from cloud.learning.uploads.parquet import write_parquet  # noqa: PLC0415 - heavy, and only this format needs it

    return write_parquet(_KINDS, map(_columns, rows))


def _columns(rows: Rows) -> Mapping[str, Any]:
    count, is_text = len(rows.time_us), rows.kind is Kind.TEXT
    nothing: Iterable[None] = [None] * count
    return {
        "timestamp": rows.time_us,
        "gateway_id": [rows.key.source] * count,
        "device_id": [rows.device] * count,
        "metric": [rows.key.tag] * count,
        "value": nothing if is_text else [None if one is None else float(one) for one in rows.values],
        "text": rows.values if is_text else nothing,
        "unit": [rows.unit] * count,
        "quality": rows.quality,
    }


def _names(bench: Bench) -> Named:
    with bench.records.reading() as session:
        known = {(one.source, one.device_id): one.shown_id for one in list_devices(session)}

    def named(key: SeriesKey) -> str:
        return known.get((key.source, key.device), key.device)

    return named
