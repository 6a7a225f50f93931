"""The mailbox: in order, with a bound; what replaces itself goes first, and nothing else is ever lost silently."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from cloud.live.events import LiveEvent
from cloud.live.mailbox import Mailbox


def drained(mailbox: Mailbox) -> list[object]:
    async def take_all() -> list[object]:
        found: list[object] = []
        while len(mailbox):
            event = await mailbox.take()
            found += [] if event is None else [event.data["n"]]
            if event is None:
                break
        return found

    return asyncio.run(take_all())


def event(number: int, key: str = "") -> LiveEvent:
    return LiveEvent("it", {"n": number}, key=key)


def test_what_replaces_itself_waits_once_with_its_newest_value() -> None:
    mailbox = Mailbox(3)
    for number in range(10):
        mailbox.put(event(number, "pump-1"))
    mailbox.put(event(99))
    assert drained(mailbox) == [9, 99]
    assert not mailbox.is_over


def test_what_is_out_of_date_goes_first_when_it_is_full() -> None:
    mailbox = Mailbox(3)
    for number, key in ((1, "a"), (2, "b"), (3, ""), (4, ""), (5, "")):
        mailbox.put(event(number, key))
    assert drained(mailbox) == [3, 4, 5]
    assert not mailbox.is_over


def test_where_something_would_be_lost_the_client_is_dropped() -> None:
    mailbox = Mailbox(2)
    for number in range(3):
        mailbox.put(event(number))
    assert mailbox.is_over


def test_what_is_older_goes_before_what_is_held_back() -> None:
    mailbox = Mailbox()
    mailbox.hold()
    mailbox.put(event(3))
    mailbox.put_first(event(1))
    mailbox.put_first(event(2))
    mailbox.release()
    assert drained(mailbox) == [1, 2, 3]


@given(st.lists(st.sampled_from(["", "a", "b", "c"]), max_size=40), st.integers(1, 10))
def test_nothing_without_a_key_is_lost_unless_the_client_is_dropped(keys: list[str], most: int) -> None:
    mailbox = Mailbox(most)
    for number, key in enumerate(keys):
        mailbox.put(event(number, key))
    assert len(mailbox) <= most
    if not mailbox.is_over:
        kept = drained(mailbox)
        assert [number for number in kept if not keys[int(str(number))]] == [
            number for number, key in enumerate(keys) if not key
        ]
