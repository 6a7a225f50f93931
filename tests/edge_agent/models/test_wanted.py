"""What the cloud wants: the newest word holds, an older one is void, what cannot be read is told of once."""

import pytest

from edge_agent.models.wanted import WantedInbox
from protocols.wanted import Wanted, WantedModel, encode_wanted

Detail = dict[str, str | int | float | bool]


class Desk:
    """An inbox, the events it recorded, and how often it woke somebody."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []
        self.woken = 0
        self.inbox = WantedInbox(record=self._record, wake=self._wake)

    def hear(self, revision: int, *versions: int) -> None:
        models = tuple(WantedModel(f"pump-{i}", "pump", v, f"pump/{v}.lsp") for i, v in enumerate(versions))
        self.inbox.receive(encode_wanted(Wanted(revision, models)))

    def _record(self, name: str, device: str, detail: Detail) -> None:
        assert detail["reason"]
        self.events.append((name, device))

    def _wake(self) -> None:
        self.woken += 1


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_the_newest_word_holds_and_an_older_one_is_void(desk: Desk) -> None:
    desk.hear(7, 3)
    desk.hear(6, 2)
    assert desk.inbox.newest is not None
    assert (desk.inbox.newest.revision, desk.inbox.newest.models[0].version) == (7, 3)
    assert (desk.inbox.stale, desk.woken) == (1, 1)


def test_the_same_word_again_wakes_since_the_network_is_back(desk: Desk) -> None:
    desk.hear(7, 3)
    desk.hear(7, 3)
    assert desk.woken == 2


def test_what_an_earlier_run_had_heard_makes_older_words_void(desk: Desk) -> None:
    desk.inbox.remember(Wanted(9))
    desk.hear(8, 1)
    assert desk.inbox.newest == Wanted(9)


def test_what_was_remembered_does_not_undo_what_came_meanwhile(desk: Desk) -> None:
    desk.hear(10, 1)
    desk.inbox.remember(Wanted(9))
    assert desk.inbox.newest is not None
    assert desk.inbox.newest.revision == 10


@pytest.mark.parametrize(
    "payload", [b"{", b"\xff", b"[]", b'{"revision": -1}', b'{"revision": 1, "modles": []}', b" " * 300_000]
)
def test_what_cannot_be_read_is_counted_each_time_and_told_of_once(desk: Desk, payload: bytes) -> None:
    desk.hear(7, 3)
    for _ in range(3):
        desk.inbox.receive(payload)
    assert (desk.inbox.malformed, desk.events) == (3, [("wanted_models_unreadable", "")])
    assert desk.inbox.newest is not None
    assert desk.inbox.newest.revision == 7


def test_after_a_readable_word_the_next_unreadable_one_is_told_of_again(desk: Desk) -> None:
    desk.inbox.receive(b"{")
    desk.hear(1)
    desk.inbox.receive(b"{")
    assert len(desk.events) == 2


def test_a_retained_word_that_was_taken_away_says_nothing(desk: Desk) -> None:
    desk.inbox.receive(b"")
    assert (desk.inbox.malformed, desk.inbox.newest, desk.woken) == (0, None, 0)
