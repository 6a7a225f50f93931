"""People: users of a cloud under test, and clients that carry their tokens or their cookies."""

from dataclasses import dataclass

import httpx

from cloud.access.users import Newcomer
from cloud.api.credentials import ACCESS_CSRF, CSRF_HEADER, REFRESH_CSRF
from cloud.domain.role import Role
from tests.support.cloud import BASE, Cloud

PASSWORD = "correct horse battery"  # noqa: S105 - of nobody


@dataclass(frozen=True, slots=True)
class Person:
    """A user and what it logged in with."""

    id: int
    name: str
    access: str


def browser(cloud: Cloud) -> httpx.AsyncClient:
    """Return a client that keeps cookies and sends no credential of its own."""
    transport = httpx.ASGITransport(cloud.api.app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=BASE)


def make_user(cloud: Cloud, name: str, role: Role = Role.USER) -> int:
    """Make a user whose password is PASSWORD and return its number."""
    newcomer = Newcomer(name, f"{name}@example.com", PASSWORD)
    return cloud.api.services.users.create(newcomer, role, by="test").id


def make_person(cloud: Cloud, name: str, role: Role = Role.USER) -> Person:
    """Make a user who has logged in."""
    number = make_user(cloud, name, role)
    return Person(number, name, cloud.api.services.sessions.log_in(name, PASSWORD, address="127.0.0.1").access)


def bearer(token: str) -> dict[str, str]:
    """Return the header that carries a token."""
    return {"Authorization": f"Bearer {token}"}


async def log_in(client: httpx.AsyncClient, name: str, prefix: str = "/api") -> httpx.Response:
    """Log a user in, cookies included."""
    return await client.post(f"{prefix}/auth/login", json={"username": name, "password": PASSWORD})


def csrf(client: httpx.AsyncClient) -> dict[str, str]:
    """Return the header that a page of ours sends with a change."""
    return {CSRF_HEADER: client.cookies.get(ACCESS_CSRF) or ""}


def refresh_csrf(client: httpx.AsyncClient) -> dict[str, str]:
    """Return the header that a page of ours sends to renew its session."""
    return {CSRF_HEADER: client.cookies.get(REFRESH_CSRF) or ""}
