"""Progress is what counters show: standing still for too long is told, having nothing to do is not."""

from edge_agent.watch.progress import Progress, Work


class HandClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at_s = 0.0

    def now_us(self) -> int:
        return 0

    def monotonic_s(self) -> float:
        return self.at_s

    async def sleep(self, seconds: float) -> None:
        self.at_s += seconds


def stuck_after(steps: list[int | None], *, every_s: float = 10.0) -> list[str]:
    clock, told = HandClock(), iter(steps)
    progress = Progress([Work("polling", lambda: next(told), 15.0)], clock)
    seen = []
    for _ in steps:
        seen.append(progress.stuck())
        clock.at_s += every_s
    return seen


def test_steps_that_rise_are_progress() -> None:
    assert stuck_after([1, 2, 3, 4]) == [""] * 4


def test_steps_that_stand_still_beyond_the_limit_are_not() -> None:
    assert stuck_after([1, 1, 1, 1, 2]) == ["", "", "polling", "polling", ""]


def test_having_nothing_to_do_is_not_standing_still() -> None:
    assert stuck_after([1, None, None, None, None]) == [""] * 5


def test_several_that_stand_still_are_all_named() -> None:
    clock = HandClock()
    progress = Progress([Work("polling", lambda: 1, 5.0), Work("committing", lambda: 1, 5.0)], clock)
    progress.stuck()
    clock.at_s = 6.0
    assert progress.stuck() == "polling, committing"
