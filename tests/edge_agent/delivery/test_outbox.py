"""The outbox's rules one by one; the laws over all of them are in tests/delivery."""

from edge_agent.delivery.outbox import HELLO_S, SHORTEST_S, Meaning, Outbox
from edge_agent.ports import BufferStanding
from protocols.batch import Key
from protocols.delivery import MAX_RANGES, Ack, EpochMarks, EpochRange
from tests.support.batches import ack

EPOCH = 5
STANDING = BufferStanding(1, (EpochRange(EPOCH, 1, 50, closed=False),), (EpochMarks(EPOCH, 4),))


def keys(*seqs: int) -> list[Key]:
    return [Key(EPOCH, seq) for seq in seqs]


def open_outbox(window: int = 8) -> Outbox:
    """Return an outbox whose hello was answered at second 0."""
    outbox = Outbox(random=lambda: 0.5, window=window)
    outbox.connected(9, STANDING, 0.0)
    assert outbox.take(ack(EPOCH, 4, nonce=9), 0.0, generation=1) is Meaning.NEWS
    return outbox


def test_nothing_is_wanted_before_a_connection() -> None:
    assert Outbox(random=lambda: 0.5).wants(1e9) is None


def test_nothing_is_wanted_until_the_hello_is_answered() -> None:
    outbox = Outbox(random=lambda: 0.5)
    outbox.connected(9, STANDING, 0.0)
    assert outbox.wants(HELLO_S - 0.1) is None
    outbox.take(ack(EPOCH, 4, nonce=9), 1.0, generation=1)
    assert outbox.wants(1.0) is not None


def test_a_hello_without_an_answer_holds_sending_up_for_ten_seconds_only() -> None:
    outbox = Outbox(random=lambda: 0.5)
    outbox.connected(9, STANDING, 0.0)
    outbox.take(ack(EPOCH, 4, nonce=8), 1.0, generation=1)
    assert outbox.wants(1.0) is None
    assert outbox.wakes_at_s(1.0) == HELLO_S
    assert outbox.wants(HELLO_S) is not None


def test_no_more_than_the_window_is_in_flight() -> None:
    outbox = open_outbox(window=3)
    wanted = outbox.wants(0.0)
    assert wanted is not None
    assert wanted.limit == 3
    outbox.sent(keys(5, 6, 7), 0.0)
    assert outbox.wants(0.0) is None


def test_what_is_in_flight_is_not_wanted_again() -> None:
    outbox = open_outbox()
    outbox.sent(keys(5, 6), 0.0)
    wanted = outbox.wants(0.0)
    assert wanted is not None
    assert wanted.skip == frozenset(keys(5, 6))


def test_one_in_four_comes_from_the_new_end() -> None:
    outbox = open_outbox(window=1)
    newest = 0
    for seq in range(5, 45):
        wanted = outbox.wants(0.0)
        assert wanted is not None
        newest += wanted.newest
        outbox.sent(keys(seq), 0.0)
        outbox.take(ack(EPOCH, seq), 0.0, generation=1)
    assert newest == 10


def test_an_ack_forgets_what_it_covers() -> None:
    outbox = open_outbox()
    outbox.sent(keys(5, 6, 7, 8), 0.0)
    outbox.take(ack(EPOCH, 5, (7, 7)), 0.1, generation=1)
    assert outbox.in_flight == frozenset(keys(6, 8))


def test_a_lower_generation_is_void() -> None:
    outbox = open_outbox()
    outbox.sent(keys(5), 0.0)
    assert outbox.take(ack(EPOCH, 5, generation=1), 0.1, generation=2) is Meaning.VOID
    assert outbox.in_flight == frozenset(keys(5))


def test_a_timeout_frees_the_place_and_halves_the_window() -> None:
    outbox = open_outbox()
    outbox.sent(keys(5, 6), 0.0)
    assert outbox.expire(SHORTEST_S - 0.1) == []
    assert set(outbox.expire(SHORTEST_S)) == set(keys(5, 6))
    assert outbox.window == 4
    assert not outbox.in_flight


def test_a_clean_round_trip_widens_the_window_by_one() -> None:
    outbox = open_outbox()
    outbox.sent(keys(5), 0.0)
    outbox.expire(SHORTEST_S)
    outbox.sent(keys(6), 6.0)
    outbox.take(ack(EPOCH, 4, (6, 6)), 6.1, generation=1)
    assert outbox.window == 5


def test_a_repeated_batch_is_no_measure_of_the_round_trip() -> None:
    outbox = open_outbox()
    outbox.sent(keys(5), 0.0)
    outbox.expire(SHORTEST_S)
    outbox.sent(keys(5), SHORTEST_S)
    outbox.take(ack(EPOCH, 5), SHORTEST_S + 50, generation=1)
    assert outbox.window == 4
    outbox.sent(keys(6), 100.0)
    assert outbox.wakes_at_s(100.0) == 100.0 + SHORTEST_S


def test_the_timer_doubles_up_to_five_minutes() -> None:
    outbox = open_outbox()
    now_s, waits = 0.0, []
    for _ in range(9):
        outbox.sent(keys(5), now_s)
        due_s = outbox.wakes_at_s(now_s)
        assert due_s is not None
        waits.append(due_s - now_s)
        now_s = due_s
        outbox.expire(now_s)
    assert waits == [5, 10, 20, 40, 80, 160, 300, 300, 300]


def test_the_timer_follows_four_times_the_round_trip_up_to_a_minute() -> None:
    for round_trip_s, wait_s in ((0.1, 5.0), (3.0, 12.0), (40.0, 60.0)):
        outbox = open_outbox()
        outbox.sent(keys(5), 0.0)
        outbox.take(ack(EPOCH, 5), round_trip_s, generation=1)
        outbox.sent(keys(6), 100.0)
        assert outbox.wakes_at_s(100.0) == 100.0 + wait_s


def test_the_timer_is_spread_by_a_fifth() -> None:
    early, late = Outbox(random=lambda: 0.0), Outbox(random=lambda: 1.0)
    for outbox in (early, late):
        outbox.connected(9, STANDING, 0.0)
        outbox.sent(keys(5), 100.0)
    assert (early.wakes_at_s(100.0), late.wakes_at_s(100.0)) == (104.0, 106.0)


def test_a_sign_of_life_shortens_a_long_wait() -> None:
    outbox = open_outbox()
    now_s = 0.0
    for _ in range(5):
        outbox.sent(keys(5), now_s)
        now_s = outbox.wakes_at_s(now_s) or 0.0
        outbox.expire(now_s)
    outbox.sent(keys(5), now_s)
    outbox.take(ack(EPOCH, 4), now_s, generation=1)
    assert outbox.wakes_at_s(now_s) == now_s + SHORTEST_S


def test_a_store_that_is_slow_gets_less() -> None:
    outbox = open_outbox()
    outbox.take(Ack(1, (), slow=True), 0.0, generation=1)
    assert outbox.window == 4


def test_an_answer_that_covers_less_than_the_hello_knew_means_that_the_store_went_back() -> None:
    outbox = Outbox(random=lambda: 0.5)
    outbox.connected(9, STANDING, 0.0)
    assert outbox.take(ack(EPOCH, 3, nonce=9), 0.0, generation=1) is Meaning.WENT_BACK


def test_an_epoch_that_the_answer_does_not_name_was_lost_too() -> None:
    outbox = Outbox(random=lambda: 0.5)
    outbox.connected(9, STANDING, 0.0)
    assert outbox.take(Ack(1, (), nonce=9), 0.0, generation=1) is Meaning.WENT_BACK


def scattered(count: int, *, first: int = 3) -> tuple[tuple[int, int], ...]:
    return tuple((seq, seq) for seq in range(first, first + 2 * count, 2))


def test_an_answer_that_names_as_many_ranges_as_it_may_is_no_measure_of_those_beyond() -> None:
    outbox = Outbox(random=lambda: 0.5)
    known = EpochMarks(EPOCH, 1, scattered(2 * MAX_RANGES))
    outbox.connected(9, BufferStanding(1, (EpochRange(EPOCH, 1, 5000, closed=False),), (known,)), 0.0)
    assert outbox.take(ack(EPOCH, 1, *scattered(MAX_RANGES), nonce=9), 0.0, generation=1) is Meaning.NEWS


def test_an_answer_that_lacks_a_range_among_those_it_names_means_that_the_store_went_back() -> None:
    outbox = Outbox(random=lambda: 0.5)
    known = EpochMarks(EPOCH, 1, scattered(2 * MAX_RANGES))
    outbox.connected(9, BufferStanding(1, (EpochRange(EPOCH, 1, 5000, closed=False),), (known,)), 0.0)
    told = ack(EPOCH, 1, *scattered(MAX_RANGES, first=5), nonce=9)
    assert outbox.take(told, 0.0, generation=1) is Meaning.WENT_BACK


def test_a_higher_generation_may_cover_less_without_alarm() -> None:
    outbox = Outbox(random=lambda: 0.5)
    outbox.connected(9, STANDING, 0.0)
    assert outbox.take(ack(EPOCH, 0, generation=2, nonce=9), 0.0, generation=1) is Meaning.NEWS


def test_an_answer_to_somebody_elses_hello_is_no_measure() -> None:
    outbox = Outbox(random=lambda: 0.5)
    outbox.connected(9, STANDING, 0.0)
    assert outbox.take(ack(EPOCH, 0, nonce=10), 0.0, generation=1) is Meaning.NEWS
    assert outbox.awaits_answer


def test_a_new_connection_forgets_what_was_in_flight_on_the_old_one() -> None:
    outbox = open_outbox()
    outbox.sent(keys(5, 6), 0.0)
    outbox.connected(10, STANDING, 1.0)
    assert not outbox.in_flight


def test_what_went_out_before_the_store_was_there_goes_again_at_its_first_answer() -> None:
    outbox = Outbox(random=lambda: 0.5)
    outbox.connected(9, STANDING, 0.0)
    outbox.sent(keys(5, 6, 7), HELLO_S)
    outbox.expire(HELLO_S + SHORTEST_S)
    outbox.sent(keys(5, 6), HELLO_S + SHORTEST_S)
    outbox.take(ack(EPOCH, 5, nonce=9), 20.0, generation=1)
    wanted = outbox.wants(20.0)
    assert wanted is not None
    assert (wanted.limit, wanted.skip) == (8, frozenset())
    outbox.sent(keys(6), 20.0)
    assert outbox.resent == 3


def test_a_later_answer_sends_nothing_again_that_is_on_its_way() -> None:
    outbox = open_outbox()
    outbox.asks(10, STANDING)
    outbox.sent(keys(5, 6), 1.0)
    outbox.take(ack(EPOCH, 4, nonce=10), 1.1, generation=1)
    assert outbox.in_flight == frozenset(keys(5, 6))
