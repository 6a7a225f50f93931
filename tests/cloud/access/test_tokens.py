"""What a token proves, and what no forged one does; forged with the very library that reads them."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloud.access.token_keys import TokenKey, TokenKeys
from cloud.access.tokens import AUDIENCE, ISSUER, Claims, TokenKind, Tokens
from cloud.domain.times import to_datetime
from cloud.errors import Unauthorized
from tests.support.cloud_clock import START_US, HandClock

NOW_S = START_US // 1_000_000
BODY: dict[str, Any] = {
    "sub": "1",
    "sid": "s",
    "ver": 1,
    "typ": "access",
    "jti": "j",
    "csrf": "c",
    "iat": NOW_S,
    "exp": NOW_S + 600,
    "iss": ISSUER,
    "aud": AUDIENCE,
}


@dataclass(frozen=True, slots=True)
class Mint:
    tokens: Tokens
    key: TokenKey
    clock: HandClock

    def forge(self, body: dict[str, Any], *, algorithm: str | None = "HS256", secret: bytes | None = None) -> str:
        signing = bytes.fromhex(self.key.secret) if secret is None else secret
        return jwt.encode(body, signing if algorithm else "", algorithm, headers={"kid": self.key.id})


@pytest.fixture
def mint(tmp_path: Path) -> Mint:
    clock = HandClock()
    keys = TokenKeys(tmp_path / "keys.json", clock, secrets.token_hex)
    keys.create()
    return Mint(Tokens(keys, clock), keys.newest(), clock)


def claims(**changes: Any) -> Claims:  # noqa: ANN401 - fields of many kinds
    made = Claims(TokenKind.ACCESS, "id", 7, 3, "session", "csrf", to_datetime(START_US) + timedelta(minutes=10))
    return replace(made, **changes)


@pytest.mark.parametrize("kind", list(TokenKind))
def test_a_token_says_what_was_written_into_it(mint: Mint, kind: TokenKind) -> None:
    written = claims(kind=kind)
    assert mint.tokens.read(mint.tokens.write(written), kind) == written


def test_the_forge_of_these_tests_makes_good_tokens_when_it_changes_nothing(mint: Mint) -> None:
    assert mint.tokens.read(mint.forge(BODY), TokenKind.ACCESS).user_id == 1


def test_a_token_ends_on_the_second(mint: Mint) -> None:
    token = mint.tokens.write(claims())
    mint.clock.move(599.9)
    mint.tokens.read(token, TokenKind.ACCESS)
    mint.clock.move(0.1)
    with pytest.raises(Unauthorized, match="expired"):
        mint.tokens.read(token, TokenKind.ACCESS)


def test_a_token_of_one_kind_is_none_of_the_other(mint: Mint) -> None:
    with pytest.raises(Unauthorized, match="no refresh token"):
        mint.tokens.read(mint.tokens.write(claims()), TokenKind.REFRESH)


FORGERIES: dict[str, Callable[[Mint], str]] = {
    "alg none": lambda mint: mint.forge(BODY, algorithm=None),
    "another secret": lambda mint: mint.forge(BODY, secret=b"x" * 32),
    "the key's text instead of its bytes": lambda mint: mint.forge(BODY, secret=mint.key.secret.encode()),
    "another algorithm": lambda mint: mint.forge(BODY, algorithm="HS512", secret=bytes.fromhex(mint.key.secret) * 2),
    "another audience": lambda mint: mint.forge(BODY | {"aud": "others"}),
    "another issuer": lambda mint: mint.forge(BODY | {"iss": "others"}),
    "no user": lambda mint: mint.forge({name: value for name, value in BODY.items() if name != "sub"}),
    "no end": lambda mint: mint.forge({name: value for name, value in BODY.items() if name != "exp"}),
    "a user that is no number": lambda mint: mint.forge(BODY | {"sub": "alice"}),
    "a kind that is none": lambda mint: mint.forge(BODY | {"typ": "root"}),
    "a version that is none": lambda mint: mint.forge(BODY | {"ver": [1]}),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_token_is_refused(mint: Mint, forgery: str) -> None:
    with pytest.raises(Unauthorized) as refusal:
        mint.tokens.read(FORGERIES[forgery](mint), TokenKind.ACCESS)
    assert refusal.value.code == "INVALID_TOKEN"


@given(st.text(max_size=200))
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_other_text_is_refused(mint: Mint, text: str) -> None:
    with pytest.raises(Unauthorized):
        mint.tokens.read(text, TokenKind.ACCESS)
