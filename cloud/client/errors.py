"""Every way in which a call of the client fails.

ClientError
|-- ConnectionFailed          no answer: refused, cut, or too slow
|-- TimedOut                  a job had not ended in the time it was given
|-- JobFailed                 a job ended badly; says why
`-- ApiError                  the server said no; carries status, code, detail, request_id
    |-- RequestInvalid        400, 413, 422; errors name the fields
    |-- AuthenticationFailed  401
    |-- PermissionMissing     403
    |-- NotFound              404
    |-- Conflict              409
    |-- RateLimited           429; retry_after_s says when to come again
    `-- ServerFailed          5xx
"""

from collections.abc import Mapping, Sequence
from typing import Any


class ClientError(Exception):
    """The root."""


class ConnectionFailed(ClientError):
    """No answer: refused, cut, or too slow."""


class TimedOut(ClientError):
    """A job had not ended in the time it was given."""


class JobFailed(ClientError):
    """A job ended badly."""


class ApiError(ClientError):
    """The server said no."""

    def __init__(
        self,
        detail: str,
        *,
        status: int,
        code: str = "",
        errors: Sequence[Mapping[str, Any]] = (),
        request_id: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {detail}" if code else f"{status}: {detail}")
        self.detail = detail
        self.status = status
        self.code = code
        self.errors = tuple(errors)
        self.request_id = request_id
        self.retry_after_s = retry_after_s


class RequestInvalid(ApiError):
    """What was sent cannot be; errors name the fields."""


class AuthenticationFailed(ApiError):
    """Not known: no credentials, or wrong ones."""


class PermissionMissing(ApiError):
    """Known, but not allowed."""


class NotFound(ApiError):
    """There is no such thing."""


class Conflict(ApiError):
    """It contradicts what is there."""


class RateLimited(ApiError):
    """Too many requests; retry_after_s says when to come again."""


class ServerFailed(ApiError):
    """The server could not."""


_KINDS: Mapping[int, type[ApiError]] = {
    400: RequestInvalid,
    401: AuthenticationFailed,
    403: PermissionMissing,
    404: NotFound,
    409: Conflict,
    413: RequestInvalid,
    422: RequestInvalid,
    429: RateLimited,
}


def error_of(status: int, body: object, headers: Mapping[str, str]) -> ApiError:
    """Return the error that an answer tells of, whatever its body is."""
    told: Mapping[str, Any] = body if isinstance(body, dict) else {}
    errors = told.get("errors")
    kind = _KINDS.get(status, ServerFailed if status >= 500 else ApiError)
    return kind(
        str(told.get("detail") or told.get("message") or "no reason given"),
        status=status,
        code=str(told.get("error_code") or ""),
        errors=errors if isinstance(errors, list) else (),
        request_id=headers.get("x-request-id", ""),
        retry_after_s=seconds(headers.get("retry-after", "")),
    )


def seconds(text: str) -> float | None:
    """Return the number of seconds that a header says, None for anything else."""
    try:
        return max(0.0, float(text))
    except ValueError:
        return None
