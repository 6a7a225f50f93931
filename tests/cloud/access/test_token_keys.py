"""The keys that sign tokens: one file, for its owner only, rotated under running servers."""

import json
import secrets
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from cloud.access.token_keys import TokenKeys
from cloud.access.tokens import Claims, TokenKind, Tokens
from cloud.domain.times import to_datetime
from cloud.errors import Unauthorized, Unavailable
from tests.support.cloud_clock import HandClock

DAY_S = 86_400


def keys_in(path: Path, clock: HandClock) -> TokenKeys:
    return TokenKeys(path / "keys.json", clock, secrets.token_hex)


def claims(clock: HandClock) -> Claims:
    ends = to_datetime(clock.now_us()) + timedelta(days=30)
    return Claims(TokenKind.ACCESS, "id", 1, 1, "session", "csrf", ends)


def test_the_file_is_for_its_owner_only_and_is_never_overwritten(tmp_path: Path) -> None:
    keys = keys_in(tmp_path, HandClock())
    assert keys.create()
    before = (tmp_path / "keys.json").read_bytes()
    assert not keys.create()
    assert (tmp_path / "keys.json").read_bytes() == before
    assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600


def test_a_rotation_holds_in_other_processes_within_a_second_and_older_tokens_stay_good(tmp_path: Path) -> None:
    clock = HandClock()
    here, elsewhere = keys_in(tmp_path, clock), keys_in(tmp_path, clock)
    here.create()
    before = elsewhere.newest()
    token = Tokens(elsewhere, clock).write(claims(clock))
    made = here.rotate(keep_for=timedelta(days=14))
    clock.move(1.01)
    assert elsewhere.newest() == made != before
    assert Tokens(elsewhere, clock).read(token, TokenKind.ACCESS).session_id == "session"
    assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600


def test_a_key_that_was_followed_long_ago_is_dropped_and_one_just_followed_is_kept(tmp_path: Path) -> None:
    clock = HandClock()
    keys = keys_in(tmp_path, clock)
    keys.create()
    first = keys.newest()
    clock.move(100 * DAY_S)
    second = keys.rotate(keep_for=timedelta(days=14))
    assert keys.find(first.id) == first
    clock.move(15 * DAY_S)
    keys.rotate(keep_for=timedelta(days=14))
    assert keys.find(first.id) is None
    assert keys.find(second.id) == second


def test_a_rotation_at_once_voids_every_token(tmp_path: Path) -> None:
    clock = HandClock()
    keys = keys_in(tmp_path, clock)
    keys.create()
    token = Tokens(keys, clock).write(claims(clock))
    keys.rotate(keep_for=None)
    with pytest.raises(Unauthorized, match="not one that we made"):
        Tokens(keys, clock).read(token, TokenKind.ACCESS)


@pytest.mark.parametrize("content", ["", "{}", '{"keys": []}', '{"keys": [{"id": 1}]}', "\x00"])
def test_without_good_keys_nobody_logs_in_and_it_says_what_to_do(tmp_path: Path, content: str) -> None:
    keys = keys_in(tmp_path, HandClock())
    with pytest.raises(Unavailable, match="migrate"):
        keys.newest()
    (tmp_path / "keys.json").write_text(content)
    with pytest.raises(Unavailable, match="migrate"):
        keys.newest()


def test_the_secret_is_not_in_the_token_nor_in_what_is_printed(tmp_path: Path) -> None:
    clock = HandClock()
    keys = keys_in(tmp_path, clock)
    keys.create()
    secret = json.loads((tmp_path / "keys.json").read_text())["keys"][0]["secret"]
    assert secret not in Tokens(keys, clock).write(claims(clock)) + repr(keys.newest())
