"""Datasets over HTTP: in every documented shape, streamed, bounded, and refused in words that name the place."""

from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from cloud.api.v1 import UPLOADS
from cloud.domain.scopes import Scope
from tests.support.cloud import Cloud, Template, running_cloud

CSV = b"speed,state\n1,on\n2,off\n3,on\n"
WIDE = b",".join(b"c%d" % n for n in range(5000)) + b"\n"
SCOPES = (Scope.LEARNING_READ, Scope.LEARNING_WRITE)
ROW = {
    "id", "file_id", "name", "description", "file_format", "n_samples", "n_features", "has_target", "target_column",
    "feature_names", "file_size_mb", "created_at",
}  # fmt: skip


def sent(data: bytes, file_name: str = "data.csv", **fields: str) -> dict[str, Any]:
    return {"files": {"file": (file_name, data)}, "data": fields}


async def add(
    client: httpx.AsyncClient, data: bytes = CSV, file_name: str = "data.csv", **fields: str
) -> dict[str, Any]:
    answer = await client.post("/api/v1/datasets", **sent(data, file_name, **fields))
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


@pytest.mark.parametrize("prefix", ["/api/v1", "/api"])
async def test_an_uploaded_file_is_told_as_documented(cloud: Cloud, prefix: str) -> None:
    async with cloud.client(*SCOPES) as client:
        answer = await client.post(f"{prefix}/upload", **sent(CSV))
    body = answer.json()
    assert answer.status_code == 200
    assert body.pop("file_id").startswith("file_")
    assert body.pop("upload_time").endswith("Z")
    assert body == {
        "filename": "data.csv",
        "size": len(CSV),
        "rows": 3,
        "columns": 2,
        "column_names": ["speed", "state"],
        "validation": {"status": "valid", "warnings": []},
    }


async def test_a_dataset_is_made_listed_shown_and_deleted(cloud: Cloud) -> None:
    async with cloud.client(*SCOPES) as client:
        made = await add(client, file_name="bearings.csv", description="of hall 1", target_column="state")
        assert set(made) == ROW
        assert (made["name"], made["n_samples"], made["n_features"]) == ("bearings", 3, 1)
        assert (made["has_target"], made["target_column"], made["feature_names"]) == (True, "state", ["speed"])
        UUID(made["id"])
        listed = await client.get("/api/v1/datasets")
        assert (listed.json(), listed.headers["X-Total-Count"]) == ([made], "1")
        shown = (await client.get(f"/api/v1/datasets/{made['file_id']}")).json()
        assert shown["columns"][0] | {"mean": 2.0} == {
            "name": "speed", "kind": "number", "missing": 0, "distinct": 3, "minimum": 1.0, "maximum": 3.0, "mean": 2.0,
        }  # fmt: skip
        gone = await client.delete(f"/api/v1/datasets/{made['id']}")
        assert (gone.status_code, gone.content) == (204, b"")
        missing = await client.get(f"/api/v1/datasets/{made['id']}")
    assert (missing.status_code, missing.json()["error_code"]) == (404, "DATASET_NOT_FOUND")
    assert [path for path in (cloud.settings.files_path).rglob("*") if path.is_file()] == []


async def test_lists_are_narrowed_by_format_and_target(cloud: Cloud) -> None:
    async with cloud.client(*SCOPES) as client:
        await add(client)
        await add(client, b'[{"a": 1}]', "a.json")
        formats = [
            [one["file_format"] for one in (await client.get("/api/v1/datasets", params=query)).json()]
            for query in ({"format": "json"}, {"has_target": "true"}, {"limit": "1"}, {})
        ]
        assert formats == [["json"], [], ["json"], ["json", "csv"]]
        assert (await client.get("/api/v1/datasets", params={"format": "xlsx"})).status_code == 422


async def test_a_sample_holds_as_many_rows_as_asked_and_runs_nowhere(cloud: Cloud) -> None:
    async with cloud.client(*SCOPES) as client:
        made = await add(client, b"speed,note\n1,=1+1\n2,fine\n3,also\n")
        path = f"/api/v1/datasets/{made['id']}/sample"
        body = (await client.get(path, params={"size": 2})).json()
        rest = [(await client.get(path, params={"size": 2, "offset": n})).json()["data"] for n in (2, 3)]
        assert rest == [[{"speed": 3.0, "note": "also"}], []]
        assert (await client.get(path, params={"offset": -1})).status_code == 422
        assert [(await client.get(path, params={"size": size})).status_code for size in (0, 1001)] == [422, 422]
    assert body == {
        "data": [{"speed": 1.0, "note": "'=1+1"}, {"speed": 2.0, "note": "fine"}],
        "total_samples": 3,
        "sample_size": 2,
        "feature_names": ["speed", "note"],
    }


@pytest.mark.parametrize(
    ("path", "data", "file_name", "fields", "status", "code"),
    [
        ("/upload", b"[1]", "data.json", {}, 400, "INVALID_FORMAT"),
        ("/upload", b"1,2\n3,4\n", "data.csv", {}, 400, "NO_HEADER"),
        ("/datasets", b"a,b\n1,x\n2,3\n", "data.csv", {}, 400, "MIXED_TYPES"),
        ("/datasets", b"a,b\n1,\xff\n", "data.csv", {}, 400, "WRONG_ENCODING"),
        ("/datasets", CSV, "data.csv", {"target_column": "colour"}, 422, "INVALID_DATASET"),
        ("/datasets", CSV, "data.csv", {"name": "x" * 201}, 422, "INVALID_DATASET"),
        (
            "/datasets",
            WIDE,
            "a.csv",
            {},
            413,
            "TOO_MANY_COLUMNS",
        ),
    ],
)
async def test_a_bad_file_is_refused_and_nothing_is_kept(
    cloud: Cloud, path: str, data: bytes, file_name: str, fields: dict[str, str], status: int, code: str
) -> None:
    async with cloud.client(*SCOPES) as client:
        answer = await client.post(f"/api/v1{path}", **sent(data, file_name, **fields))
        assert (await client.get("/api/v1/datasets")).json() == []
    assert (answer.status_code, answer.json()["error_code"]) == (status, code), answer.text
    assert [one for one in cloud.settings.files_path.rglob("*") if one.is_file()] == []


@pytest.mark.parametrize("prefix", ["/api/v1", "/api"])
async def test_a_file_over_the_bound_is_413_by_its_length_and_by_what_comes(
    template: Template, tmp_path: Path, prefix: str
) -> None:
    body = b"a\n" + b"1\n" * (1 << 19)
    async with (
        running_cloud(template, tmp_path, learning={"max_upload_mib": 1}) as small,
        small.client(*SCOPES) as client,
    ):
        answers = [
            await client.post(f"{prefix}/upload", **sent(body)),
            await client.post(f"{prefix}/upload", **sent(body + b"1\n" * (1 << 19))),
        ]
    assert [(one.status_code, one.json()["error_code"]) for one in answers] == [(413, "FILE_TOO_LARGE")] * 2


async def test_a_body_without_a_file_is_400(cloud: Cloud) -> None:
    async with cloud.client(*SCOPES) as client:
        for body in ({"json": {"a": 1}}, {"data": {"name": "x"}}, {"files": {"other": ("a.csv", CSV)}}):
            answer = await client.post("/api/v1/datasets", **body)
            assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_FORMAT")


async def test_nobody_uploads_without_the_scope_and_the_body_is_not_read_before(cloud: Cloud) -> None:
    async with cloud.client(Scope.LEARNING_READ) as reader, cloud.client() as nobody:
        for path in UPLOADS:
            assert (await reader.post(path, **sent(CSV))).status_code == 403
            assert (await nobody.post(path, **sent(CSV))).status_code == 401


async def test_other_routes_keep_their_own_bound(cloud: Cloud) -> None:
    async with cloud.client(Scope.DATA_INGEST) as client:
        answer = await client.post("/api/v1/data/ingest", content=b"x" * (2 << 20))
    assert answer.status_code == 413
