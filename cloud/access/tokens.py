"""Tokens: makes and reads the JSON Web Tokens of sessions (HS256, RFC 7519); who reads one knows that we made it.

A token says whose it is and of which session, never what its bearer may do: that is looked up, so that a changed user
is another one within a second. The library is loaded with the first token: it brings 9 MB along.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from cloud.access.token_keys import TokenKeys
from cloud.domain.times import to_datetime, to_us
from cloud.errors import Unauthorized
from cloud.ports import Clock

ISSUER = "lineside"
AUDIENCE = "lineside-api"
_ALGORITHM = "HS256"
_MAX_TEXT = 4096
_MICROSECONDS = 1_000_000
_REQUIRED = ("sub", "sid", "ver", "typ", "jti", "csrf", "iat", "exp", "iss", "aud")


class TokenKind(StrEnum):
    """What a token is for."""

    ACCESS = "access"
    REFRESH = "refresh"


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says; csrf: what a page must send beside a cookie that holds the token."""

    kind: TokenKind
    id: str
    user_id: int
    user_version: int
    session_id: str
    csrf: str
    expires_at: datetime


class Tokens:
    """Makes and reads tokens; safe to use from several threads."""

    def __init__(self, keys: TokenKeys, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock

    def write(self, claims: Claims) -> str:
        """Return the signed token; raise Unavailable."""
        import jwt  # noqa: PLC0415 - see the top

        key = self._keys.newest()
        body = {
            "sub": str(claims.user_id),
            "sid": claims.session_id,
            "ver": claims.user_version,
            "typ": claims.kind.value,
            "jti": claims.id,
            "csrf": claims.csrf,
            "iat": self._clock.now_us() // _MICROSECONDS,
            "exp": to_us(claims.expires_at) // _MICROSECONDS,
            "iss": ISSUER,
            "aud": AUDIENCE,
        }
        return jwt.encode(body, bytes.fromhex(key.secret), _ALGORITHM, headers={"kid": key.id})

    def read(self, text: str, kind: TokenKind) -> Claims:
        """Return what the token says; raise Unauthorized for one that we did not make or that is over, Unavailable."""
        body = self._verified(text)
        try:
            claims = _claims(body)
        except (ValueError, TypeError, OverflowError, OSError) as error:
            raise _refused() from error
        if claims.kind is not kind:
            raise Unauthorized(f"this is no {kind} token", code="INVALID_TOKEN")
        if self._clock.now_us() >= to_us(claims.expires_at):
            raise Unauthorized("the token has expired", code="EXPIRED_TOKEN")
        return claims

    def _verified(self, text: str) -> Mapping[str, Any]:
        import jwt  # noqa: PLC0415 - see the top

        if not text.isascii() or len(text) > _MAX_TEXT:
            raise _refused()
        try:
            named = jwt.get_unverified_header(text).get("kid")
            key = self._keys.find(named) if isinstance(named, str) else None
            if key is None:
                raise _refused()
            # Time is the clock port's, so expiry is judged in `read`.
            options: Any = {"require": list(_REQUIRED), "verify_exp": False, "verify_iat": False, "verify_nbf": False}
            body: dict[str, Any] = jwt.decode(
                text,
                bytes.fromhex(key.secret),
                algorithms=[_ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                options=options,
            )
        except jwt.PyJWTError as error:
            raise _refused() from error
        return body


def _claims(body: Mapping[str, Any]) -> Claims:
    return Claims(
        kind=TokenKind(body["typ"]),
        id=str(body["jti"]),
        user_id=int(body["sub"]),
        user_version=int(body["ver"]),
        session_id=str(body["sid"]),
        csrf=str(body["csrf"]),
        expires_at=to_datetime(int(body["exp"]) * _MICROSECONDS),
    )


def _refused() -> Unauthorized:
    return Unauthorized("the token is not one that we made", code="INVALID_TOKEN")
