"""/export, /export_data: readings as files, whole, in three formats, in bounded memory."""

import csv
import io
import json
from typing import Any

import httpx
import pyarrow.parquet as pq

from cloud.domain.scopes import Scope
from cloud.domain.times import to_datetime, to_text
from protocols.reading import Kind, Quality
from tests.support.cloud import GOOD, Cloud, arrival
from tests.support.papers import write_papers

SECOND_US = 1_000_000


async def stored(cloud: Cloud) -> int:
    """Store ten readings of two pumps and three texts of a valve, and return when the first was taken."""
    start_us = cloud.clock.now_us() // SECOND_US * SECOND_US - 3600 * SECOND_US
    times = [start_us + index * SECOND_US for index in range(10)]
    values = [*range(8), float("nan"), 9.0]
    quality = [GOOD] * 7 + [int(Quality.DEVICE_LOST), GOOD, GOOD]
    await cloud.write(arrival(device="pump-1", time_us=times, value=values, quality=quality))
    await cloud.write(arrival(device="=pump-2", time_us=times, value=range(10)))
    texts = ("open", "=1+1", "shut")
    await cloud.write(
        arrival(device="valve", tag="state", time_us=times[:3], value=[0, 1, 2], kind=Kind.TEXT, texts=texts)
    )
    return start_us


async def exported(cloud: Cloud, client: httpx.AsyncClient, **body: Any) -> httpx.Response:  # noqa: ANN401 - JSON
    asked = await client.post("/api/v1/export", json=body)
    assert asked.status_code == 202, asked.text
    assert asked.json()["status"] == "PENDING"
    write_papers(cloud)
    done = (await client.get(f"/api/v1/export/{asked.json()['id']}")).json()
    assert done["status"] == "SUCCESS", done
    file = await client.get(done["export_path"])
    assert (file.status_code, len(file.content)) == (200, done["size_bytes"])
    assert file.headers["content-disposition"] == f'attachment; filename="{done["filename"]}"'
    return file


async def test_a_csv_export_holds_every_reading_once_and_runs_nothing(cloud: Cloud) -> None:
    start_us = await stored(cloud)
    async with cloud.client(Scope.REPORTS_GENERATE) as client:
        file = await exported(cloud, client, format="csv")
    rows = list(csv.DictReader(io.StringIO(file.text)))
    assert len(rows) == 23
    pump = [row for row in rows if row["device_id"] == "pump-1"]
    assert [row["timestamp"] for row in pump[:1]] == [to_text(start_us).replace("Z", ".000000Z")]
    assert [row["value"] for row in pump] == ["0.0", "1.0", "2.0", "3.0", "4.0", "5.0", "6.0", "", "", "9.0"]
    assert (pump[7]["quality"], pump[0]["quality"], pump[0]["unit"]) == ("device_lost", "good", "l/min")
    assert {row["device_id"] for row in rows} == {"pump-1", "'=pump-2", "valve"}
    assert [row["value"] for row in rows if row["device_id"] == "valve"] == ["open", "'=1+1", "shut"]


async def test_a_json_export_is_one_array_without_nan(cloud: Cloud) -> None:
    await stored(cloud)
    async with cloud.client(Scope.REPORTS_GENERATE) as client:
        file = await exported(cloud, client, format="json", device_ids=["pump-1"])
        empty = await exported(cloud, client, format="json", metrics=["nothing"])
    rows = json.loads(file.text, parse_constant=str)
    assert [row["value"] for row in rows] == [0, 1, 2, 3, 4, 5, 6, None, None, 9]
    assert empty.json() == []


async def test_a_parquet_export_has_types(cloud: Cloud) -> None:
    start_us = await stored(cloud)
    async with cloud.client(Scope.REPORTS_GENERATE) as client:
        file = await exported(cloud, client, format="parquet")
    table = pq.read_table(io.BytesIO(file.content))
    assert str(table.schema.field("timestamp").type) == "timestamp[us, tz=UTC]"
    assert table.num_rows == 23
    rows = [row for row in table.to_pylist() if row["device_id"] == "valve"]
    assert [(row["text"], row["value"]) for row in rows] == [("open", None), ("=1+1", None), ("shut", None)]
    assert min(row["timestamp"] for row in table.to_pylist()) == to_datetime(start_us)


async def test_an_export_keeps_to_its_time_end_excluded(cloud: Cloud) -> None:
    start_us = await stored(cloud)
    span = {"from": to_text(start_us + 2 * SECOND_US), "to": to_text(start_us + 5 * SECOND_US)}
    async with cloud.client(Scope.REPORTS_GENERATE) as client:
        file = await exported(cloud, client, format="json", metrics=["flow"], device_ids=["pump-1"], **span)
    assert [row["value"] for row in file.json()] == [2, 3, 4]


async def test_the_documented_export_is_a_task_whose_result_names_the_file(cloud: Cloud) -> None:
    await stored(cloud)
    async with cloud.client(Scope.REPORTS_GENERATE) as client:
        asked = await client.get("/api/export_data")
        assert (asked.status_code, asked.json()["status"]) == (202, "PENDING")
        assert asked.headers["cache-control"] == "no-store"
        write_papers(cloud)
        task = (await client.get(f"/api/tasks/status/{asked.json()['task_id']}")).json()
        assert (task["status"], task["result"]["status"]) == ("SUCCESS", "SUCCESS")
        assert task["result"]["export_path"] == f"/exports/{task['result']['filename']}"
    async with cloud.client() as stranger:
        file = await stranger.get(task["result"]["download_url"])
        assert len(file.json()) == 23
        assert (await stranger.get(task["result"]["export_path"])).status_code == 401


BAD: tuple[tuple[dict[str, Any], int], ...] = (
    ({"format": "xls"}, 422),
    ({"days": 0}, 422),
    ({"days": 7, "to": "2026-01-01T00:00:00Z"}, 422),
    ({"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, 422),
    ({"from": "2026-01-02T00:00:00"}, 422),
    ({"device_ids": ["nobody"]}, 404),
    ({"device_ids": ["../../etc"]}, 404),
    ({"metrics": [""]}, 422),
    ({"metrics": ["x"] * 1001}, 422),
    ({"colour": "red"}, 422),
)


async def test_a_bad_export_is_refused_and_no_job_is_made(cloud: Cloud) -> None:
    async with cloud.client(Scope.REPORTS_GENERATE) as client:
        for body, status in BAD:
            answer = await client.post("/api/v1/export", json=body)
            assert answer.status_code == status, (body, answer.text)
        for query in ({"format": "parquet"}, {"days": "0"}, {"days": "x"}):
            assert (await client.get("/api/v1/export_data", params=query)).status_code == 422
        assert (await client.get("/api/v1/export/job_none")).status_code == 404
    async with cloud.client(Scope.DATA_READ) as reader:
        assert (await reader.post("/api/v1/export", json={})).status_code == 403
    assert cloud.api.services.jobs.list()[1] == 0
