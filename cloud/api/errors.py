"""Turns everything that can be raised in a request into one error body, once."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from math import ceil
from typing import Any, cast

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from cloud.access.rates import Rates
from cloud.api.backing import backing_of
from cloud.api.frame import CODES, CRASHED, Failure, failure
from cloud.api.limits import count_unread
from cloud.api.once import Replayed, replay
from cloud.api.resource import methods_of
from cloud.domain.times import to_text
from cloud.errors import (
    CloudError,
    Conflict,
    Failed,
    Forbidden,
    Invalid,
    Limited,
    Malformed,
    NotFound,
    NotInstalled,
    TooLarge,
    Unauthorized,
    Unavailable,
)

MISSING_IS_400 = "x-missing-field-is-400"
"""Routes that carry this mark answer a missing required field with 400 INVALID_REQUEST, as their documents say."""
INVALID_IS_400 = "x-invalid-field-is-400"
"""Routes that carry this mark answer every wrong field so."""
_STATUS: dict[type[CloudError], int] = {
    Malformed: 400,
    Unauthorized: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    TooLarge: 413,
    Invalid: 422,
    Limited: 429,
    Failed: 500,
    NotInstalled: 501,
    Unavailable: 503,
}
_RETRY_AFTER_S = 5
_ISSUES = {"missing": "This field is required"}
Handler = Callable[[Request, Any], Awaitable[Response]]


def install_errors(app: FastAPI, fixed: Mapping[str, Sequence[str]]) -> None:
    """Let this application render all its errors here; fixed: the methods of the paths that have no id in them."""

    def handler(describe: Callable[[Request, Any], Failure]) -> Handler:
        async def handle(request: Request, error: Any) -> Response:  # noqa: ANN401 each kind has its own
            rates: Rates = backing_of(request).services.rates
            standing = await count_unread(rates, request)
            if standing is not None and standing.is_over:
                return render(_of_cloud(request, rates.refusal(standing)), request)
            return render(_of_method(fixed, request) or describe(request, error), request)

        return handle

    async def handle_crash(request: Request, _error: Exception) -> Response:
        # Logged by the middleware outside, to which the web framework raises it again.
        return render(failure(500, CRASHED), request)

    async def handle_replay(_request: Request, replayed: Replayed) -> Response:
        return replay(replayed)

    app.add_exception_handler(Replayed, cast("Handler", handle_replay))
    app.add_exception_handler(CloudError, handler(_of_cloud))
    app.add_exception_handler(HTTPException, handler(partial(_of_http, fixed)))
    app.add_exception_handler(RequestValidationError, handler(_of_validation))
    app.add_exception_handler(Exception, handle_crash)


def render(what: Failure, request: Request) -> Response:
    """Return the answer that tells of a failure."""
    body = what.body(
        path=request.url.path,
        request_id=request.scope.get("request_id", ""),
        timestamp=to_text(backing_of(request).services.clock.now_us()),
    )
    return Response(body, what.status, dict(what.headers), "application/json")


def _of_cloud(_request: Request, error: CloudError) -> Failure:
    status = next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 500)
    message = str(error) if status != 500 or isinstance(error, Failed) else CRASHED
    named = error.details.get("field")
    errors = [{"field": str(named), "message": str(error.details.get("issue", message)), "value": ""}] if named else []
    return Failure(status, CODES[status], message, error.code, error.details, errors, _headers(status, error))


def _headers(status: int, error: CloudError) -> dict[str, str]:
    match status:
        case 401:
            return {"WWW-Authenticate": "Bearer"}
        case 429:
            return {"Retry-After": str(max(1, ceil(getattr(error, "retry_after_s", _RETRY_AFTER_S))))}
        case 503:
            return {"Retry-After": str(_RETRY_AFTER_S)}
        case _:
            return {}


def _of_http(fixed: Mapping[str, Sequence[str]], request: Request, error: HTTPException) -> Failure:
    headers = dict(error.headers or {})
    if "Allow" in headers:
        path = request.scope["path"]
        headers["Allow"] = ", ".join(fixed.get(path) or methods_of(request.app.routes, path))
    return failure(error.status_code, str(error.detail), headers=headers)


def _of_method(fixed: Mapping[str, Sequence[str]], request: Request) -> Failure | None:
    # A path such as /labels/import is no label of that name, whatever a route of labels made of it.
    allowed = fixed.get(request.scope["path"])
    if allowed is None or request.method in allowed:
        return None
    return failure(405, "Method Not Allowed", headers={"Allow": ", ".join(allowed)})


def _of_validation(request: Request, error: RequestValidationError) -> Failure:
    found = error.errors()
    if any(one["type"] == "json_invalid" for one in found):
        return failure(400, "the body is not valid JSON", specific="INVALID_FORMAT")
    errors = [{"field": _field(one["loc"]), "message": _issue(one), "value": _shown(one)} for one in found]
    details = {"field": errors[0]["field"], "issue": errors[0]["message"]}
    missing = next((index for index, one in enumerate(found) if one["type"] == "missing"), None)
    extra = getattr(request.scope.get("route"), "openapi_extra", None) or {}
    if missing is not None and extra.get(MISSING_IS_400):
        details = {"field": errors[missing]["field"], "issue": errors[missing]["message"]}
        return Failure(400, CODES[400], _message(found[missing]), CODES[400], details, errors)
    if extra.get(INVALID_IS_400):
        return Failure(400, CODES[400], _message(found[0]), CODES[400], details, errors)
    return Failure(422, CODES[422], "Validation error", "INVALID_PARAMETERS", details, errors)


def _message(found: dict[str, Any]) -> str:
    return f"The request {'body' if found['loc'][0] == 'body' else 'query'} is invalid"


def _field(where: tuple[str | int, ...]) -> str:
    return ".".join(str(part) for part in where[1:]) or str(where[0])


def _issue(found: dict[str, Any]) -> str:
    return _ISSUES.get(found["type"], str(found["msg"]).removeprefix("Value error, "))


def _shown(found: dict[str, Any]) -> str:
    value = found.get("input")
    if any("password" in str(part) for part in found["loc"]):
        return ""
    return "" if found["type"] == "missing" or isinstance(value, dict | list) else str(value)[:100]
