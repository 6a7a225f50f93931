"""Consumer: what it takes from the broker is acknowledged there only when the writer says that it is durable."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from cloud.errors import Unavailable
from cloud.ingest.door import Door
from cloud.ingest.door_messages import Handed
from cloud.ingest.figures import Figures
from cloud.ingest.inbox import MAX_MESSAGES, Inbox, Item
from cloud.ingest.parcels import BatchParcel, HelloParcel
from cloud.ingest.remote import RemoteIntake
from tests.support.waiting import until

MESSAGES = [Handed("gw-1", b"a"), Handed("gw-2", b"hello", is_hello=True)]


@pytest_asyncio.fixture
async def inbox(tmp_path: Path) -> AsyncIterator[Inbox]:
    """Give the inbox behind an open door."""
    made = Inbox()
    async with Door(made, Figures(), trouble=lambda: None).open(tmp_path / "door.sock"):
        yield made


@pytest_asyncio.fixture
async def intake(inbox: Inbox, tmp_path: Path) -> AsyncIterator[RemoteIntake]:
    """Give the caller's side of the door."""
    assert not len(inbox)
    async with RemoteIntake(tmp_path / "door.sock", timeout_s=5.0) as made:
        yield made


async def taken(inbox: Inbox, count: int) -> list[Item]:
    await until(lambda: len(inbox) >= count)
    return inbox.take(timeout_s=0)


async def test_messages_are_handed_over_as_they_came_and_answered_when_all_are_durable(
    inbox: Inbox, intake: RemoteIntake
) -> None:
    handing = asyncio.create_task(intake.hand(MESSAGES))
    first, second = await taken(inbox, 2)
    assert first.parcel == BatchParcel("gw-1", b"a")
    assert second.parcel == HelloParcel("gw-2", b"hello")
    first.done(None)
    done, _ = await asyncio.wait({handing}, timeout=0.05)
    assert not done
    second.done(None)
    await asyncio.wait_for(handing, 60)


async def test_nothing_is_answered_at_once(intake: RemoteIntake) -> None:
    await asyncio.wait_for(intake.hand([]), 60)


async def test_a_full_inbox_refuses_so_that_they_are_handed_again(inbox: Inbox, intake: RemoteIntake) -> None:
    many = [Handed("gw-1", b"x")] * (MAX_MESSAGES + 1)
    with pytest.raises(Unavailable, match="too many messages") as caught:
        await intake.hand(many)
    assert caught.value.code == "INGEST_BUSY"
    assert len(inbox) == MAX_MESSAGES
