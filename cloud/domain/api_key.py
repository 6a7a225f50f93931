"""ApiKey and Principal: who calls, until when a key holds, and what it may do."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from hmac import compare_digest
from typing import NamedTuple

from cloud.domain.role import Role
from cloud.domain.scopes import Scope

MARK = "lsk"
"""The first part of every key, so that scanners for leaked secrets can know one."""
_MAX_TEXT = 200


class KeyText(NamedTuple):
    """A key as its owner holds it: `lsk_<prefix>_<secret>`; the prefix finds the record, the secret proves it."""

    prefix: str
    secret: str

    def __str__(self) -> str:
        return f"{MARK}_{self.prefix}_{self.secret}"

    def __repr__(self) -> str:
        return f"KeyText({self.prefix!r}, ...)"

    @property
    def digest(self) -> str:
        """Return the sha256 of the whole key in hex; the secret has 256 random bits, so no slow hash is needed."""
        return sha256(str(self).encode()).hexdigest()


def parse_key(text: str) -> KeyText | None:
    """Return the parts of a key, or None where the text cannot be one."""
    mark, _, rest = text.partition("_")
    prefix, _, secret = rest.partition("_")
    if len(text) > _MAX_TEXT or mark != MARK or not prefix or not secret or not text.isascii():
        return None
    return KeyText(prefix, secret)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls: a name for logs and the audit, and the scopes it holds; role and user_id: of people alone.

    name: `key:<prefix>`, `user:<name>` or `anonymous`; session_id: of the log-in that the call belongs to.
    """

    name: str
    scopes: frozenset[Scope]
    role: Role | None = None
    user_id: int | None = None
    session_id: str = ""

    def allows(self, scope: Scope) -> bool:
        """Return whether it may do this."""
        return scope in self.scopes or Scope.ADMIN in self.scopes


@dataclass(frozen=True, slots=True)
class Caller:
    """A Principal and how it proved itself; csrf: what a page must send beside a cookie, empty for keys."""

    principal: Principal
    csrf: str = ""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as the cloud keeps it: never the secret, only its digest."""

    prefix: str
    name: str
    digest: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None
    rotated_from: str | None = None
    """The prefix of the key in whose place this one came."""
    rotated_at: datetime | None = None
    """When another key came in the place of this one, which goes on until it expires."""

    def matches(self, text: KeyText) -> bool:
        """Return whether this text is the key, in a time that does not depend on how much of it is right."""
        return compare_digest(self.digest, text.digest)

    def is_expired(self, at: datetime) -> bool:
        """Return whether its time is over."""
        return self.expires_at is not None and at >= self.expires_at

    @property
    def is_revoked(self) -> bool:
        """Return whether somebody took it back."""
        return self.revoked_at is not None

    @property
    def principal(self) -> Principal:
        """Return who calls with this key."""
        return Principal(f"key:{self.prefix}", self.scopes)
