"""The OpenAPI documents: every operation says what it is, who may call it, an example, and its errors."""

from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import pytest

from cloud.app import alias_api, web
from cloud.domain.export import MEDIA_TYPES as EXPORT_TYPES
from cloud.domain.report import MEDIA_TYPES as REPORT_TYPES
from cloud.domain.scopes import Scope

OURS = version("lineside")
DOCUMENTS = {"v1": web(OURS, docs=True).openapi(), "aliases": alias_api(OURS).openapi()}
LOG_INS = {f"/auth/{page}" for page in ("register", "login", "refresh", "logout", "token", "me", "password")}
OPEN = {
    "/",
    "/metrics",
    "/health",
    "/health/live",
    "/health/db",
    "/health/redis",
    "/health/detailed",
}
Operation = tuple[str, str, dict[str, Any]]


def is_open_page(path: str) -> bool:
    """Say whether a page answers whoever asks: those at the root, health and log-ins under the prefixes too."""
    bare = path.removeprefix("/api/v1").removeprefix("/api")
    return path in OPEN or bare in LOG_INS or (bare in OPEN and bare != "/metrics")


def operations(document: dict[str, Any]) -> Iterator[Operation]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield method, path, operation


EVERY = [
    pytest.param(operation, id=f"{name} {operation[0]} {operation[1]}")
    for name, document in DOCUMENTS.items()
    for operation in operations(document)
]


@pytest.mark.parametrize("operation", EVERY)
def test_an_operation_has_a_summary_a_description_and_an_example(operation: Operation) -> None:
    _, _, what = operation
    assert what["summary"]
    assert what["description"].endswith(".")
    assert what["tags"]
    good = {status: answer for status, answer in what["responses"].items() if status.startswith("2")}
    assert good
    for answer in (answer for status, answer in good.items() if status != "204"):
        assert any("example" in content for content in answer["content"].values())


@pytest.mark.parametrize("operation", EVERY)
def test_an_operation_documents_its_errors_with_the_common_body(operation: Operation) -> None:
    _, path, what = operation
    errors = {status: answer for status, answer in what["responses"].items() if int(status) >= 400}
    assert "500" in errors
    assert all("example" in answer["content"]["application/json"] for answer in errors.values())
    is_open = is_open_page(path)
    assert is_open or {"401", "403", "503"} <= set(errors)


@pytest.mark.parametrize("operation", EVERY)
def test_an_operation_names_its_scope_unless_it_is_open(operation: Operation) -> None:
    _, path, what = operation
    if is_open_page(path):
        assert not any(scopes for way in what.get("security", []) for scopes in way.values())
        return
    ways = {name: scopes for way in what["security"] for name, scopes in way.items()}
    assert set(ways) == {"ApiKey", "Bearer", "Cookie"}
    assert all(len(scopes) == 1 and set(scopes) <= set(Scope) for scopes in ways.values())


@pytest.mark.parametrize("name", list(DOCUMENTS))
def test_operation_ids_are_unique(name: str) -> None:
    ids = [what["operationId"] for _, _, what in operations(DOCUMENTS[name])]
    assert len(ids) == len(set(ids))


def test_the_first_slice_is_all_there() -> None:
    assert set(DOCUMENTS["v1"]["paths"]) >= OPEN | {f"/api/v1{page}" for page in LOG_INS} | {
        "/api/v1/data/ingest",
        "/api/v1/devices",
        "/api/v1/devices/{device_id}",
        "/api/v1/historical_data",
        "/api/v1/gateways",
        "/api/v1/gateways/{gateway_id}",
        "/api/v1/alerts",
        "/api/v1/alerts/acknowledge",
        "/api/v1/alerts/acknowledge/{alert_id}",
        "/api/v1/alerts/{alert_id}",
        "/api/v1/alerts/{alert_id}/acknowledge",
        "/api/v1/alerts/{alert_id}/assign",
        "/api/v1/alerts/{alert_id}/clear",
        "/api/v1/alerts/{alert_id}/comments",
        "/api/v1/alerts/{alert_id}/label",
        "/api/v1/alerts/{alert_id}/out-of-service",
        "/api/v1/alerts/{alert_id}/return-to-service",
        "/api/v1/alerts/{alert_id}/shelve",
        "/api/v1/alerts/{alert_id}/unshelve",
        "/api/v1/alarm-rules",
        "/api/v1/alarm-rules/{rule_id}",
        "/api/v1/labels",
        "/api/v1/labels/import",
        "/api/v1/labels/{label_id}",
        "/api/v1/devices/{device_id}/failure",
        "/api/v1/ml/check_drift",
        "/api/v1/ml/drift_checks",
        "/api/v1/predictions/current",
        "/api/v1/predictions/history",
        "/api/v1/metrics/accuracy",
        "/api/v1/packages/metadata/{file}",
        "/api/v1/packages/targets/{path}",
    }


@pytest.mark.parametrize("operation", EVERY)
def test_an_operation_documents_what_the_frame_may_answer(operation: Operation) -> None:
    _, path, what = operation
    told = set(what["responses"])
    assert "requestBody" not in what or {"400", "413", "422"} <= told
    assert not what.get("parameters") or "422" in told
    is_open = is_open_page(path)
    assert is_open or "429" in told
    errors = [answer for status, answer in what["responses"].items() if int(status) >= 400]
    assert all(answer["content"]["application/json"]["schema"]["$ref"].endswith("/ErrorBody") for answer in errors)


@pytest.mark.parametrize(
    ("path", "types"), [("/reports/{filename}", REPORT_TYPES), ("/exports/{filename}", EXPORT_TYPES)]
)
def test_a_file_is_documented_as_every_type_that_it_can_have(path: str, types: dict[str, str]) -> None:
    content = DOCUMENTS["v1"]["paths"][path]["get"]["responses"]["200"]["content"]
    assert set(content) == {one.partition(";")[0] for one in types.values()}
