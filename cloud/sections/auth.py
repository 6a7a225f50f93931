"""How people log in, and who may come in without."""

from typing import Annotated, Literal

from pydantic import Field

from cloud.sections.base import Section


class AuthSettings(Section):
    """Users, their sessions, and calls without a credential."""

    registration: Literal["open", "invite", "closed"] = "invite"
    """Who may register: everybody, who holds an invite, nobody; administrators make users in any case."""
    anonymous: bool = False
    """Whether programs on this machine may do without a credential what an operator may; on loopback only."""
    access_minutes: Annotated[int, Field(ge=1, le=1440)] = 10
    """How long an access token of a session holds before it is renewed."""
    session_days: Annotated[int, Field(ge=1, le=365)] = 14
    """How long a session lasts before somebody has to log in again."""
    refresh_csrf: bool = True
    """Whether renewing a session takes the CSRF token too, as every other change by cookie does."""
    secure_cookies: bool | None = None
    """Whether cookies go over https only; null: where the request came by it."""
    free_failures: Annotated[int, Field(ge=1, le=1000)] = 5
    """Wrong passwords for one name before it has to wait, 2 s and then double each time, a minute at most."""
    free_failures_of_address: Annotated[int, Field(ge=1, le=100_000)] = 50
    """Wrong passwords from one address before it has to wait, a quarter of an hour at most."""
