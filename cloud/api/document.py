"""What the OpenAPI document says of each operation: an example of the answer, and every error it may give."""

from typing import Any

from pydantic import BaseModel

from cloud.api.credentials import ACCESS_COOKIE
from cloud.api.frame import CODES, TITLES

Responses = dict[int | str, dict[str, Any]]
_RATE_HEADERS = {
    "Retry-After": "Seconds until the next request is taken.",
    "X-RateLimit-Limit": "Requests that one caller may send in a window.",
    "X-RateLimit-Remaining": "Requests that are left in this window.",
    "X-RateLimit-Reset": "When the window ends, in seconds since 1970.",
}


class ErrorDetail(BaseModel):
    """The generic code, the message for people, and facts."""

    code: str
    message: str
    details: dict[str, Any]


class FieldError(BaseModel):
    """What is wrong with one field."""

    field: str
    message: str
    value: str


class ErrorBody(BaseModel):
    """The body of every error; under /api `error` is a text, with `details` and `code` beside it."""

    error: ErrorDetail | str
    detail: str
    error_code: str
    errors: list[FieldError]
    timestamp: str
    request_id: str


KEY_HEADER, KEY_SCHEME = "X-API-Key", "ApiKey"
_OTHER_SCHEMES: dict[str, dict[str, str]] = {
    "Bearer": {"type": "http", "scheme": "bearer"},
    "Cookie": {"type": "apiKey", "in": "cookie", "name": ACCESS_COOKIE},
}
"""What does instead of a key wherever a key does."""
NEEDS_NOBODY: dict[str, Any] = {"security": [{}]}
"""openapi_extra of an operation to which a credential is welcome, and none is needed."""
_BODY = {"$ref": f"#/components/schemas/{ErrorBody.__name__}"}


def answers(example: object, *statuses: int, good: int = 200) -> Responses:
    """Return the documented answers of an operation: an example of a good one (204 has none), and its errors."""
    documented: Responses = {good: {"content": {"application/json": {"example": example}}} if good != 204 else {}}
    return documented | {status: _error(status) for status in (*statuses, 500)}


def refused_too_often() -> dict[str, Any]:
    """Return what a document says of one request too many, with the headers that tell a client when to come again."""
    headers = {name: {"description": what, "schema": {"type": "integer"}} for name, what in _RATE_HEADERS.items()}
    return _error(429) | {"headers": headers}


def complete(document: dict[str, Any]) -> None:
    """Add the errors that the frame may give for any operation of its kind, where the operation does not name them."""
    for operation in (one for item in document.get("paths", {}).values() for one in item.values()):
        told: dict[str, Any] = operation["responses"]
        told |= {str(one): _as_document(one) for one in sorted(_given_by_the_frame(operation)) if not _shown(told, one)}
        _let_errors_have_their_body(told)
        _add_other_schemes(operation.get("security", []))
    document.get("components", {}).get("securitySchemes", {}).update(_OTHER_SCHEMES)


def _add_other_schemes(taken: list[dict[str, list[str]]]) -> None:
    for index, one in enumerate(taken):
        if KEY_SCHEME in one:
            taken[index + 1 : index + 1] = [{name: one[KEY_SCHEME]} for name in _OTHER_SCHEMES]
            return


def _shown(told: dict[str, Any], status: int) -> bool:
    return "example" in told.get(str(status), {}).get("content", {}).get("application/json", {})


def _let_errors_have_their_body(answers_told: dict[str, Any]) -> None:
    for status, answer in answers_told.items():
        content = answer.get("content", {}).get("application/json")
        if int(status) >= 400 and content is not None:
            content.setdefault("schema", _BODY)


def _given_by_the_frame(operation: dict[str, Any]) -> set[int]:
    parameters = operation.get("parameters", [])
    found = {422} if parameters else set()
    if "requestBody" in operation:
        found |= {400, 413, 422}
    if any(one["name"].lower() == "idempotency-key" for one in parameters):
        found |= {409, 503}
    return found


def _as_document(status: int) -> dict[str, Any]:
    told = _error(status)
    del told["model"]
    told["content"]["application/json"]["schema"] = _BODY
    return told


def _error(status: int) -> dict[str, Any]:
    message = f"{TITLES[status]}."
    example = {
        "error": {"code": CODES[status], "message": message, "details": {}},
        "detail": message,
        "error_code": CODES[status],
        "errors": [],
        "timestamp": "2026-01-15T10:30:00Z",
        "request_id": "e0c4d7a0-1234-4b2a-9a8b-001122334455",
    }
    return {"model": ErrorBody, "description": TITLES[status], "content": {"application/json": {"example": example}}}
