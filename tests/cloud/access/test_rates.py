"""Who is counted, which limit holds, and what happens where the shared counters are away."""

from pathlib import Path

import pytest

from cloud.access.rates import Profile, RateRules, Rates, caller_of
from cloud.domain.limit import Allowance, Limit, parse_limit
from cloud.errors import Limited, Unavailable
from cloud.storage.counters.file import FileCounters
from cloud.storage.counters.memory import MemoryCounters
from cloud.storage.counters.redis import RedisCounters
from tests.support.cloud_clock import HandClock
from tests.support.redis import RedisServer

TEN = Allowance(Limit(100, 60), Limit(10, 60))


@pytest.mark.parametrize("text", ["", "60", "60/day", "-1/minute", "x/minute", "1.5/hour", "60/minute/hour"])
def test_a_text_that_is_no_limit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no limit"):
        parse_limit(text)


@pytest.mark.parametrize(
    ("rules", "is_known", "limit"),
    [
        (RateRules(), True, Limit(100, 60)),
        (RateRules(), False, Limit(10, 60)),
        (RateRules(Profile.HIGH), True, Limit(100_000, 60)),
        (RateRules(Profile.OFF), True, None),
        (RateRules(routes={"look": "3/hour"}), True, Limit(3, 3600)),
        (RateRules(Profile.HIGH, {"look": "3/hour"}), False, Limit(3, 3600)),
        (RateRules(routes={"look": "off"}), True, None),
        (RateRules(Profile.OFF, {"look": "3/hour"}), True, None),
    ],
)
def test_the_configuration_sets_limits_and_the_profile_raises_the_documented_ones(
    rules: RateRules, *, is_known: bool, limit: Limit | None
) -> None:
    assert rules.limit("look", TEN, is_known=is_known) == limit


def test_an_operation_without_a_documented_limit_has_one_only_where_it_is_configured() -> None:
    assert RateRules().limit("look", None, is_known=True) is None
    assert RateRules(routes={"look": "5/second"}).limit("look", None, is_known=True) == Limit(5, 1)


@pytest.mark.parametrize(
    ("name", "address", "caller"),
    [
        ("key:ab12", "10.0.0.1", "key:ab12"),
        ("", "10.0.0.1", "at:10.0.0.1"),
        ("", "2001:db8:1:2:3:4:5:6", "at:2001:db8:1:2::/64"),
        ("", "2001:db8:1:2:ffff::1", "at:2001:db8:1:2::/64"),
        ("", "", "at:"),
    ],
)
def test_who_is_known_is_counted_by_name_and_everybody_else_by_address(name: str, address: str, caller: str) -> None:
    assert caller_of(name, address) == caller


async def test_a_refusal_says_when_the_window_ends() -> None:
    clock, limit = HandClock(), Limit(2, 60)
    rates = Rates(MemoryCounters(), MemoryCounters(), clock, RateRules())
    await rates.count("look", "anna", limit)
    clock.move(20)
    standings = [await rates.count("look", "anna", limit) for _ in range(2)]
    assert [(one.remaining, one.is_over) for one in standings] == [(0, False), (0, True)]
    refusal = rates.refusal(standings[-1])
    assert isinstance(refusal, Limited)
    assert refusal.retry_after_s == 40
    assert "2 requests a minute" in str(refusal)


async def test_a_file_that_is_no_database_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "counters.db"
    path.write_bytes(b"not a database at all" * 100)
    counters = FileCounters(path)
    with pytest.raises(Unavailable):
        await counters.hit("k", window_s=60, now_us=1)
    assert (await counters.hit("k", window_s=60, now_us=1)).count == 1
    await counters.close()


async def test_without_redis_each_process_counts_by_itself_and_asks_again_later(tmp_path: Path) -> None:
    clock, limit, server = HandClock(), Limit(3, 60), RedisServer(tmp_path)
    rates = Rates(RedisCounters(server.patient_url), MemoryCounters(), clock, RateRules())
    alone = [(await rates.count("look", "anna", limit)).count for _ in range(2)]
    with server:
        still_alone = (await rates.count("look", "anna", limit)).count
        clock.move(6)
        together = (await rates.count("look", "anna", limit)).count
        await rates.close()
    assert (alone, still_alone, together) == ([1, 2], 3, 1)
