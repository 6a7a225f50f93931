"""Chores: each goes on whatever happens to the others, and all stop when told to."""

import threading

import pytest

from cloud.chores import Chore, run_chores
from tests.support.waiting import wait_until


def test_a_chore_that_fails_is_tried_again_and_hinders_no_other() -> None:
    rounds: list[str] = []

    def fail() -> None:
        rounds.append("failing")
        raise RuntimeError("broken")

    with running(Chore("fails", 0.0, fail), Chore("works", 0.0, lambda: rounds.append("working"))):
        wait_until(lambda: rounds.count("failing") > 2 and rounds.count("working") > 2)


def test_a_failure_is_logged_once_until_the_chore_works_again(caplog: pytest.LogCaptureFixture) -> None:
    outcomes = iter([*["broken"] * 5, ""])
    done = threading.Event()

    def do() -> None:
        trouble = next(outcomes, None)
        if trouble:
            raise RuntimeError(trouble)
        done.set()

    caplog.set_level("INFO", logger="cloud.chores")
    with running(Chore("shaky", 0.0, do)):
        done.wait(5)
        wait_until(lambda: any("works again" in record.message for record in caplog.records))
    assert sum("broken" in record.message for record in caplog.records) == 1


def test_a_chore_with_more_to_do_does_not_pause() -> None:
    left = [True] * 50
    with running(Chore("busy", 3600.0, lambda: bool(left and left.pop()))):
        wait_until(lambda: not left)


def test_what_a_chore_holds_is_let_go_of_at_the_end_in_its_own_thread() -> None:
    threads: list[str] = []
    note = threads.append
    with running(Chore("holder", 0.01, lambda: None, end=lambda: note(threading.current_thread().name))):
        assert threads == []
    assert threads == ["holder"]


class running:  # noqa: N801 - reads as a sentence
    """Chores at work inside a with block."""

    def __init__(self, *chores: Chore) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=run_chores, args=(chores, self._stop))

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10)
        assert not self._thread.is_alive()
