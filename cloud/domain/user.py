"""User and Invite: people who log in, and the tokens by which they come to be."""

import re
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from cloud.domain.api_key import Principal
from cloud.domain.role import Role

MIN_PASSWORD = 10
MAX_PASSWORD = 200
MAX_NAME = 64
MAX_EMAIL = 254
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?")
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?")
MARK = "user:"
"""Before the name of a user wherever somebody is named who may also be a key or the cloud itself."""


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who logs in; session_version: rises when every token that was given out is to end."""

    id: int
    name: str
    email: str
    password_hash: str
    role: Role
    created_at: datetime
    is_disabled: bool = False
    session_version: int = 1
    last_login_at: datetime | None = None

    @property
    def principal(self) -> Principal:
        """Return who calls when this user does."""
        return Principal(f"{MARK}{self.name}", self.role.scopes, self.role, self.id)


@dataclass(frozen=True, slots=True)
class NewUser:
    """Somebody who is to be; the hash is of the password."""

    name: str
    email: str
    password_hash: str
    role: Role
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Invite:
    """Who holds its token may register once; is_setup: the one that `init` writes, for the first administrator."""

    id: int
    digest: str
    role: Role
    email: str
    created_at: datetime
    created_by: str
    expires_at: datetime
    is_setup: bool = False
    used_at: datetime | None = None
    used_by: str | None = None
    revoked_at: datetime | None = None

    def is_open(self, at: datetime) -> bool:
        """Return whether it can still be used."""
        return self.used_at is None and self.revoked_at is None and at < self.expires_at


def digest_of(token: str) -> str:
    """Return the sha256 in hex by which a random token is kept."""
    return sha256(token.encode()).hexdigest()


def fold(text: str) -> str:
    """Return a name or an e-mail address as it is compared: without regard to case."""
    return text.lower()


def issue_of_name(name: str) -> str:
    """Return what is wrong with a name, empty where nothing is."""
    if _NAME.fullmatch(name):
        return ""
    return f"1 to {MAX_NAME} letters, digits, dots, dashes and underscores; the first and last a letter or digit"


def issue_of_email(email: str) -> str:
    """Return what is wrong with an e-mail address, empty where nothing is."""
    domain = email.rpartition("@")[2]
    if len(email) <= MAX_EMAIL and _EMAIL.fullmatch(email) and ".." not in domain:
        return ""
    return "must be an e-mail address such as user@example.com"


def issue_of_password(password: str, *, name: str = "", email: str = "") -> str:
    """Return what is wrong with a password, empty where nothing is."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        return f"must have {MIN_PASSWORD} to {MAX_PASSWORD} characters"
    if len(set(password)) < 4:
        return "must have at least 4 different characters"
    if fold(password) in {fold(name), fold(email)}:
        return "must not be the name or the e-mail address"
    return ""
