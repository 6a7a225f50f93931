"""The Python client of the API: sync and async; needs httpx and nothing of the server.

with Client(username="admin", password="...") as client:
    detector = client.detectors.create(name="Pumps", algorithm_name="IsolationForest", contamination_rate=0.1)
"""

from cloud.client.connection import AsyncClient, Client
from cloud.client.errors import (
    ApiError,
    AuthenticationFailed,
    ClientError,
    Conflict,
    ConnectionFailed,
    JobFailed,
    NotFound,
    PermissionMissing,
    RateLimited,
    RequestInvalid,
    ServerFailed,
    TimedOut,
)
from cloud.client.thing import Thing

__all__ = [
    "ApiError",
    "AsyncClient",
    "AuthenticationFailed",
    "Client",
    "ClientError",
    "Conflict",
    "ConnectionFailed",
    "JobFailed",
    "NotFound",
    "PermissionMissing",
    "RateLimited",
    "RequestInvalid",
    "ServerFailed",
    "Thing",
    "TimedOut",
]
