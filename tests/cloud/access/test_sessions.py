"""Sessions in the records: across processes, across restarts, and at once."""

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from cloud.access.forgetting import OldSessions
from cloud.access.opening import Access, open_access, open_token_keys
from cloud.access.passwords import Passwords
from cloud.access.users import Change, Newcomer
from cloud.domain.role import Role
from cloud.errors import CloudError, Limited, Unauthorized
from cloud.records.database import Records
from cloud.records.sessions import find_session
from tests.support.cloud import settings_in
from tests.support.cloud_clock import HandClock
from tests.support.people import PASSWORD
from tests.support.records import new_records

HERE = "10.0.0.1"


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def url(tmp_path: Path, clock: HandClock) -> str:
    settings = settings_in(tmp_path)
    open_token_keys(settings, clock).create()
    with closing(new_records(settings.data)) as records:
        open_access(settings, records, clock).users.create(
            Newcomer("alice", "alice@example.com", PASSWORD), Role.ADMIN, by="test"
        )
    return settings.records_url


@pytest.fixture
def processes(tmp_path: Path, url: str, clock: HandClock) -> Iterator[tuple[Access, Access]]:
    """Give access as two processes have it."""
    with closing(Records(url)) as one, closing(Records(url)) as other:
        yield open_access(settings_in(tmp_path), one, clock), open_access(settings_in(tmp_path), other, clock)


def test_a_change_holds_in_another_process_within_a_second(processes: tuple[Access, Access], clock: HandClock) -> None:
    here, there = processes
    token = here.sessions.log_in("alice", PASSWORD, address=HERE).access
    there.gate.resolve(token)
    here.users.create(Newcomer("bob", "bob@example.com", PASSWORD), Role.ADMIN, by="test")
    here.users.change(1, Change(role=Role.VIEWER), by="test")
    assert there.gate.believed(token) is not None
    clock.move(1.01)
    assert there.gate.believed(token) is None
    with pytest.raises(Unauthorized, match="session is over"):
        there.gate.resolve(token)


def test_of_many_who_are_believed_only_who_logged_out_elsewhere_is_refused(
    processes: tuple[Access, Access], clock: HandClock
) -> None:
    here, there = processes
    tokens = [here.sessions.log_in("alice", PASSWORD, address=HERE).access for _ in range(3)]
    for token in tokens:
        there.gate.resolve(token)
    here.sessions.log_out(tokens[1])
    clock.move(1)
    there.gate.resolve(tokens[0])
    assert [there.gate.believed(token) is not None for token in tokens] == [True, False, True]
    with pytest.raises(Unauthorized, match="session is over"):
        there.gate.resolve(tokens[1])


def test_a_token_that_is_believed_ends_at_its_time(processes: tuple[Access, Access], clock: HandClock) -> None:
    sessions = processes[0].sessions
    token = sessions.log_in("alice", PASSWORD, address=HERE).access
    clock.move(599.5)
    sessions.resolve(token)
    assert sessions.believed(token) is not None
    clock.move(0.5)
    assert sessions.believed(token) is None
    with pytest.raises(Unauthorized, match="expired"):
        sessions.resolve(token)


def test_a_replay_is_seen_by_any_process_and_ends_the_session_in_all(
    processes: tuple[Access, Access], clock: HandClock
) -> None:
    here, there = processes
    first = here.sessions.log_in("alice", PASSWORD, address=HERE).refresh
    second = here.sessions.refresh(first, csrf=None).refresh
    clock.move(31)
    with pytest.raises(Unauthorized, match="session is over"):
        there.sessions.refresh(first, csrf=None)
    with pytest.raises(Unauthorized, match="session is over"):
        here.sessions.refresh(second, csrf=None)


def test_a_session_lasts_two_weeks_however_often_it_is_renewed(
    processes: tuple[Access, Access], clock: HandClock
) -> None:
    sessions = processes[0].sessions
    refresh = sessions.log_in("alice", PASSWORD, address=HERE).refresh
    for _ in range(13):
        clock.move(86_400)
        refresh = sessions.refresh(refresh, csrf=None).refresh
    clock.move(86_400)
    with pytest.raises(Unauthorized, match="expired"):
        sessions.refresh(refresh, csrf=None)


def test_many_guesses_at_once_are_no_better_than_one_after_the_other(processes: tuple[Access, Access]) -> None:
    def guess(access: Access) -> type[CloudError]:
        with pytest.raises(CloudError) as refusal:
            access.sessions.log_in("alice", secrets.token_hex(8), address=HERE)
        return type(refusal.value)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(guess, [processes[0], processes[1]] * 6))
    assert answers.count(Unauthorized) == 5
    assert answers.count(Limited) == 7


def test_what_is_over_for_a_day_is_forgotten_and_what_holds_is_not(url: str, tmp_path: Path, clock: HandClock) -> None:
    with closing(Records(url)) as records:
        sessions = open_access(settings_in(tmp_path), records, clock).sessions
        short = sessions.resolve(sessions.log_in("alice", PASSWORD, address=HERE, is_renewable=False).access)
        long = sessions.resolve(sessions.log_in("alice", PASSWORD, address=HERE).access)
        clock.move(2 * 86_400)
        OldSessions(records, clock).look()
        with records.reading() as db:
            assert find_session(db, short.principal.session_id) is None
            assert find_session(db, long.principal.session_id) is not None


def test_nobodys_password_is_never_right_and_a_hash_is_never_the_same_twice() -> None:
    passwords = Passwords()
    assert not passwords.matches(None, "nobody has this password")
    assert not passwords.matches("no hash at all", PASSWORD)
    kept = passwords.hash(PASSWORD)
    assert kept != passwords.hash(PASSWORD)
    assert passwords.matches(kept, PASSWORD)
    assert not passwords.is_outdated(kept)
