"""Origin: which pages may open live connections, and what a connection shows who it is by.

A browser sends cookies with a WebSocket to whoever asks, and no CORS stops it: only this check does.
"""

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

_BEARER = "bearer "
_TOKEN_LENGTH = 8_192


def is_welcome(connection: HTTPConnection, allowed: Collection[str]) -> bool:
    """Return whether no page opens it, or one of this server, or one of an origin that is allowed."""
    origin = connection.headers.get("origin")
    if origin is None:
        return True
    if origin.lower() in {one.lower().rstrip("/") for one in allowed}:
        return True
    parts = urlsplit(origin)
    return parts.scheme in ("http", "https") and parts.netloc.lower() == connection.headers.get("host", "").lower()


def shown_token(connection: HTTPConnection) -> str:
    """Return the key or token in the headers or in the query, empty where there is none."""
    headers = connection.headers
    key = headers.get("x-api-key", "")
    bearer = headers.get("authorization", "")
    if not key and bearer.lower().startswith(_BEARER):
        key = bearer[len(_BEARER) :].strip()
    return (key or connection.query_params.get("token", ""))[:_TOKEN_LENGTH]


def sent_token(sent: object) -> str:
    """Return the token in a message such as `{token: ...}`, empty where there is none."""
    token = sent.get("token") if isinstance(sent, dict) else None
    return token.removeprefix("Bearer ")[:_TOKEN_LENGTH] if isinstance(token, str) else ""


def sent_number(sent: object, name: str) -> int | None:
    """Return a whole number of a message, None where there is none."""
    value = sent.get(name) if isinstance(sent, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 62 else None
