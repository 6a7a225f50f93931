"""Beliefs: a second long, renewed for all together, and nothing is believed that the records no longer say."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from cloud.access.beliefs import Beliefs
from cloud.errors import Unauthorized, Unavailable
from tests.support.cloud_clock import HandClock


class Book:
    """What is true, and how often somebody looked."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.holds = {"a": 1, "b": 2, "c": 3}
        self.found: list[str] = []
        self.confirmed: list[set[str]] = []
        self.is_away = False
        self.beliefs = Beliefs(self.clock, self.confirm)

    def confirm(self, shown: Mapping[str, int]) -> Mapping[str, int]:
        """Look at all of these at once."""
        if self.is_away:
            raise Unavailable("away")
        self.confirmed.append(set(shown))
        return {text: self.holds[text] for text in shown if text in self.holds}

    def learn(self, text: str) -> int:
        """Ask as a caller does."""
        return self.beliefs.learn(text, lambda: self.find(text))

    def find(self, text: str) -> int:
        """Look at this one."""
        self.found.append(text)
        if text not in self.holds:
            raise Unauthorized("no")
        return self.holds[text]


def test_all_who_were_shown_lately_are_renewed_by_one_look_a_second() -> None:
    book = Book()
    for text in "abc":
        book.learn(text)
    for _ in range(20):
        book.clock.move(1.0)
        assert [book.beliefs.held(text) for text in "abc"] == [None] * 3
        assert book.learn("b") == 2
        assert [book.beliefs.held(text) for text in "abc"] == [1, 2, 3]
    assert book.found == ["a", "b", "c"]
    assert book.confirmed == [{"a", "b", "c"}] * 20


def test_what_ended_or_changed_elsewhere_is_known_at_the_next_look() -> None:
    book = Book()
    for text in "abc":
        book.learn(text)
    book.clock.move(0.5)
    book.holds = {"b": 20, "c": 3}
    assert book.beliefs.held("a") == 1
    book.clock.move(0.5)
    assert book.learn("c") == 3
    assert book.beliefs.held("a") is None
    assert book.beliefs.held("b") == 20
    with pytest.raises(Unauthorized):
        book.learn("a")
    assert book.beliefs.held("a") is None


def test_who_is_first_seen_late_in_a_second_is_believed_no_longer_than_the_others() -> None:
    book = Book()
    book.learn("a")
    book.clock.move(0.9)
    book.learn("b")
    book.clock.move(0.1)
    assert book.beliefs.held("b") is None


def test_who_shows_nothing_for_ten_seconds_is_not_renewed_and_asked_about_anew() -> None:
    book = Book()
    book.learn("a")
    book.learn("b")
    for _ in range(10):
        book.clock.move(1.0)
        book.learn("a")
    assert book.confirmed[8:] == [{"a", "b"}, {"a"}]
    assert book.beliefs.held("b") is None
    assert book.learn("b") == 2
    assert book.found == ["a", "b", "b"]


def test_a_change_in_this_process_is_known_at_once() -> None:
    book = Book()
    book.learn("a")
    book.holds = {}
    book.beliefs.forget()
    assert book.beliefs.held("a") is None
    with pytest.raises(Unauthorized):
        book.learn("a")


def test_nobody_is_believed_while_the_records_are_away_and_all_are_again_afterwards() -> None:
    book = Book()
    book.learn("a")
    book.clock.move(1.0)
    book.is_away = True
    for _ in range(2):
        with pytest.raises(Unavailable):
            book.learn("a")
        assert book.beliefs.held("a") is None
    book.is_away = False
    assert book.learn("a") == book.beliefs.held("a") == 1


def test_threads_that_ask_at_the_same_time_share_one_look() -> None:
    book = Book()
    for text in "abc":
        book.learn(text)
    book.clock.move(1.0)
    ready = Barrier(6)

    def ask(text: str) -> int:
        ready.wait(10)
        return book.learn(text)

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(ask, "abcabc")) == [1, 2, 3, 1, 2, 3]
    assert len(book.confirmed) == 1
    assert len(book.found) == 3


def test_ever_new_credentials_do_not_fill_the_memory() -> None:
    book = Book()
    book.holds = {str(number): number for number in range(20_001)}
    for text in book.holds:
        book.learn(text)
    most = book.beliefs.footprint()
    book.beliefs.forget()
    assert book.beliefs.footprint() < most < 5_000_000
