"""What every request carries through the frame: its id, the form of its errors, and bodies for failures.

The prefix decides the form of `error`: a string under /api, an object under /api/v1 and at the root.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

API_PREFIX = "/api"
V1_PREFIX = "/api/v1"
MLFLOW_PREFIX = "/api/2.0/mlflow"
"""Another product's shape, with errors of its own; below the mount, so it must be registered before it."""
CRASHED = "something went wrong inside"
PREFIXES = (V1_PREFIX, API_PREFIX)


def prefix_of(path: str) -> str:
    """Return the mount that a path lies under, `` for the root."""
    return next((prefix for prefix in PREFIXES if path == prefix or path.startswith(f"{prefix}/")), "")


@dataclass(frozen=True, slots=True)
class Failure:
    """A refused request; code is the generic one, specific the exact one, errors name the fields."""

    status: int
    code: str
    message: str
    specific: str = ""
    details: Mapping[str, object] = field(default_factory=dict)
    errors: Sequence[Mapping[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self, *, path: str, request_id: str, timestamp: str) -> bytes:
        """Return the JSON body in the form of the path's mount."""
        specific = self.specific or self.code
        if path.startswith(MLFLOW_PREFIX):
            return msgspec.json.encode({"error_code": MLFLOW_CODES.get(self.status, specific), "message": self.message})
        known: dict[str, object] = {
            "detail": self.message,
            "error_code": specific,
            "errors": list(self.errors),
            "timestamp": timestamp,
            "request_id": request_id,
        }
        if prefix_of(path) == API_PREFIX:
            plain = {"error": TITLES.get(self.status, "Error"), "details": self._in_words(), "code": specific}
            return msgspec.json.encode(plain | known)
        structured = {"code": self.code, "message": self.message, "details": dict(self.details)}
        return msgspec.json.encode({"error": structured} | known)

    def _in_words(self) -> str:
        named = "; ".join(f"{error['field']}: {error['message']}" for error in self.errors)
        return named or self.message


TITLES: Mapping[int, str] = {
    400: "Invalid request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    413: "Payload too large",
    422: "Validation error",
    429: "Too many requests",
    500: "Internal server error",
    501: "Not installed",
    503: "Service unavailable",
}
CODES: Mapping[int, str] = {
    400: "INVALID_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    409: "CONFLICT",
    413: "PAYLOAD_TOO_LARGE",
    422: "VALIDATION_ERROR",
    429: "RATE_LIMITED",
    500: "INTERNAL_ERROR",
    501: "NOT_INSTALLED",
    503: "SERVICE_UNAVAILABLE",
}
"""The generic code of each status."""
MLFLOW_CODES: Mapping[int, str] = {
    400: "INVALID_PARAMETER_VALUE",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
    422: "INVALID_PARAMETER_VALUE",
    429: "REQUEST_LIMIT_EXCEEDED",
    500: "INTERNAL_ERROR",
    503: "TEMPORARILY_UNAVAILABLE",
}
"""MLflow's codes."""


def failure(status: int, message: str, *, specific: str = "", headers: Mapping[str, str] | None = None) -> Failure:
    """Return a failure with the generic code of its status."""
    return Failure(status, CODES.get(status, f"HTTP_{status}"), message, specific, headers=headers or {})
